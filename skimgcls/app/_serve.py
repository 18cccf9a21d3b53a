"""Streamlit's server, with what a page that strangers may reach asks of it."""

import contextlib
import ipaddress
import os
import socket
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any, TextIO

from PIL import Image

from skimgcls.app._model import ServedModel
from skimgcls.app._upload import Limits

_PAGE = Path(__file__).with_name("_page.py")
# Between two looks whether the server answers.
_MOMENT = 0.05
_served: list[ServedModel] = []


def serve_model(model: ServedModel | None) -> None:
    """Set the model that all sessions of this process ask."""
    _served[:] = [] if model is None else [model]


def served_model() -> ServedModel:
    """Return the model that was set."""
    if not _served:
        raise RuntimeError("No model is served: start the page by python -m skimgcls.app MODEL.")
    return _served[0]


def find_port(host: str, port: int) -> int:
    """Return a port that is free, 0 standing for any.

    Raises
    ------
    OSError
        If it is taken, or the address is none of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        if sys.platform != "win32":
            # As servers do: a port that was left a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        return int(probe.getsockname()[1])


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def make_options(host: str, port: int, limits: Limits, public_name: str | None) -> dict[str, Any]:
    """Return Streamlit's options."""
    options = {
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "global.developmentMode": False,
        "logger.hideWelcomeMessage": True,
        "logger.level": "warning",
        "runner.magicEnabled": False,
        "server.address": host,
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": limits.upload_mb,
        "server.port": port,
        "server.runOnSave": False,
        "server.showEmailPrompt": False,
        "theme.primaryColor": "#2f6db5",
    }
    names = ["localhost", "127.0.0.1", "[::1]", "::1"]
    if public_name is not None:
        options["browser.serverAddress"] = public_name
        options["server.allowedHosts"] = [*names, public_name]
    elif is_loopback(host):
        # A page elsewhere whose name is made to lead here is not answered.
        options["server.allowedHosts"] = [*names, host]
    return options


def protect_process(limits: Limits) -> None:
    """Set what holds for the whole process: a bomb is refused, and no upload is put on disk."""
    Image.MAX_IMAGE_PIXELS = limits.pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        from starlette.formparsers import MultiPartParser
    except ImportError:
        # Earlier versions of Streamlit have another server, which keeps uploads in memory.
        return
    # What is larger would pass through a temporary file; Streamlit refuses what is larger still.
    MultiPartParser.spool_max_size = (limits.upload_mb + 2) * 2**20


def run_server(options: dict[str, Any], host: str, port: int, name: str) -> None:
    """Serve the page until a signal comes."""
    from streamlit import config, net_util
    from streamlit.web import bootstrap

    # To learn this machine's address for its visitors it would ask another in the network.
    net_util.get_external_ip = _no_address
    # Asked for in public, options would be read once before ours are set, and told to have changed.
    known = config._config_options_template
    flags = {key.replace(".", "_"): value for key, value in options.items() if key in known}
    tell = threading.Thread(target=_tell_when_up, args=(host, port, name, sys.stdout), daemon=True)
    tell.start()
    bootstrap.load_config_options(flags)
    # Our line is enough; and where nobody reads any more, Streamlit's last words would keep it from
    # stopping.
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        bootstrap.run(str(_PAGE), False, [], flags)


def _no_address() -> None:
    return None


def _tell_when_up(host: str, port: int, name: str, terminal: TextIO) -> None:
    """Write where the page is, once it is there."""
    # A server on all addresses is reached on this machine's own.
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    while True:
        try:
            socket.create_connection((near, port), timeout=1).close()
            break
        except OSError:
            time.sleep(_MOMENT)
    shown = f"[{near}]" if ":" in near else near
    terminal.write(f"{name} is served on http://{shown}:{port} (Ctrl-C stops it)\n")
    terminal.flush()
