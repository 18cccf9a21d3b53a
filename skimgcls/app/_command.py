"""The command line: what it takes, and what it refuses before a server starts."""

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
    # Here and not above, so that --help and a wrong option answer at once.
    from skimgcls.app._card import draw_curves
    from skimgcls.app._model import ServedModel
    from skimgcls.app._serve import (
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
        # It was read, and anything may be wrong with what is in it.
        parser.error(f"{given.model}: it cannot be asked about a picture: {error}")
    try:
        port = find_port(given.host, given.port)
    except OSError as error:
        parser.error(f"{given.host}:{given.port} cannot be served on: {error}")
    if not is_loopback(given.host):
        sys.stderr.write(
            f"Whoever reaches {given.host}:{port} can use the page: it asks for no password.\n"
        )
    protect_process(limits)
    serve_model(model)
    # Now, and not while the first visitor waits.
    draw_curves(model)
    run_server(make_options(given.host, port, limits, given.public_name), given.host, port, name)


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m skimgcls.app",
        description="Open a page on which pictures are dropped and their classes are told.",
    )
    parser.add_argument("model", metavar="MODEL", help="file that skimgcls.save wrote")
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8501, help="port; 0 is any free one (default: %(default)s)"
    )
    parser.add_argument(
        "--public-name",
        metavar="NAME",
        help="name by which visitors reach the page through a proxy, such as flowers.example.org",
    )
    parser.add_argument(
        "--max-upload-mb",
        type=_at_least_one,
        default=10,
        metavar="MB",
        help="largest file (default: %(default)s)",
    )
    parser.add_argument(
        "--max-megapixels",
        type=_positive,
        default=50.0,
        metavar="MP",
        help="largest picture, in millions of pixels (default: %(default)g)",
    )
    parser.add_argument(
        "--white",
        type=_positive,
        metavar="VALUE",
        help="what white is for a model of arrays, such as 1 or 16 (default: found from the model)",
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="NAME",
        help="full name of a type of your own that the file may hold, such as mynets.Net",
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: expected 0 to 65535")
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
