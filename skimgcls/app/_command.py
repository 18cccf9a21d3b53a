"""The command line, with checks before the server starts."""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from skimgcls.exceptions import ModelFileError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a page for a saved model, and return the exit code."""
    parser = _make_parser()
    given = parser.parse_args(arguments)
    for name in ("streamlit", "matplotlib"):
        if importlib.util.find_spec(name) is None:
            parser.error(f'the page needs {name}: pip install "skimgcls[app]"')
    try:
        _start(parser, given)
    except KeyboardInterrupt:
        return 130
    return 0


def _start(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    # Imported here so that --help and option errors are fast.
    from skimgcls.app._card import draw_curves
    from skimgcls.app._model import ServedModel
    from skimgcls.app._serve import (
        bound_uploads,
        find_port,
        is_loopback,
        make_options,
        protect_process,
        run_server,
        serve_model,
    )
    from skimgcls.app._upload import Limits
    from skimgcls.persistence._load import read_model

    limits = Limits(upload_mb=given.max_upload_mb, megapixels=given.max_megapixels)
    name = Path(given.model).name
    try:
        estimator, manifest = read_model(given.model, given.trust)
        model = ServedModel.of(estimator, name, manifest, limits, given.white)
    except (ModelFileError, OSError) as error:
        parser.error(str(error))
    except Exception as error:
        # The file was read, but its estimator may raise anything.
        parser.error(f"{given.model}: it cannot classify images: {error}")
    try:
        port = find_port(given.host, given.port)
    except OSError as error:
        parser.error(f"cannot listen on {given.host}:{given.port}: {error}")
    if not is_loopback(given.host):
        sys.stderr.write(
            f"Anyone who can reach {given.host}:{port} can use the page: it has no password.\n"
        )
    protect_process(limits)
    bound_uploads(limits)
    serve_model(model)
    # Draw before the first request.
    draw_curves(model)
    run_server(make_options(given.host, port, limits, given.public_name), given.host, port, name)


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m skimgcls.app",
        description="Serve a web page that classifies images with a saved model.",
    )
    parser.add_argument("model", metavar="MODEL", help="file that skimgcls.save wrote")
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8501, help="port; 0 selects a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--public-name",
        metavar="NAME",
        help="public host name of the page behind a proxy, such as flowers.example.org",
    )
    parser.add_argument(
        "--max-upload-mb",
        type=_at_least_one,
        default=10,
        metavar="MB",
        help="maximum file size (default: %(default)s)",
    )
    parser.add_argument(
        "--max-megapixels",
        type=_positive,
        default=50.0,
        metavar="MP",
        help="maximum image size, in millions of pixels (default: %(default)g)",
    )
    parser.add_argument(
        "--white",
        type=_positive,
        metavar="VALUE",
        help="value of white for a model of arrays, such as 1 or 16 (default: inferred)",
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="NAME",
        help="full name of a custom type to trust, such as mynets.Net",
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text}")
    return port


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return number
