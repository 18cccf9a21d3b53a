"""Streamlit's server, configured for a page that untrusted users may reach."""

import contextlib
import http.client
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
# Seconds between two checks whether the server answers.
_MOMENT = 0.05
_served: list[ServedModel] = []


def serve_model(model: ServedModel | None) -> None:
    """Set the model for all sessions of this process."""
    _served[:] = [] if model is None else [model]


def served_model() -> ServedModel:
    """Return the model set by `serve_model`."""
    if not _served:
        raise RuntimeError("No model is served. Start the page with python -m skimgcls.app MODEL.")
    return _served[0]


def find_port(host: str, port: int) -> int:
    """Return a free port. Port 0 stands for any free one.

    Raises
    ------
    OSError
        If the port is in use, or the address does not belong to this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        if sys.platform != "win32":
            # As servers do, so that a recently closed port counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        return int(probe.getsockname()[1])


def is_loopback(host: str) -> bool:
    """Return whether an address can be reached only from this machine.

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
        # The size of a request, which is larger than that of its file. The page checks the file.
        "server.maxUploadSize": limits.upload_mb + 1,
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
        # Protection against DNS rebinding: requests for other host names are refused.
        options["server.allowedHosts"] = [*names, host]
    return options


def protect_process(limits: Limits) -> None:
    """Refuse decompression bombs and keep uploads off the disk, for the whole process."""
    Image.MAX_IMAGE_PIXELS = limits.pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        from starlette.formparsers import MultiPartParser
    except ImportError:
        # Earlier versions of Streamlit use another server, which keeps uploads in memory.
        return
    # Larger uploads would go to a temporary file, but Streamlit refuses them first.
    MultiPartParser.spool_max_size = (limits.upload_mb + 2) * 2**20


def bound_uploads(limits: Limits) -> None:
    """Bound the memory of the uploads of a session and of all sessions.

    Streamlit keeps each upload until its session ends, also those that no page asked for. The
    oldest uploads of a session make room for new ones.
    """
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

    add_unbounded = MemoryUploadedFileManager.add_file

    def add_file(self: Any, session_id: str, file: Any) -> None:
        size = len(file.data)
        kept = {key: len(one.data) for key, one in self.file_storage[session_id].items()}
        kept.pop(file.file_id, None)
        while kept and (
            len(kept) >= limits.files or sum(kept.values()) + size > limits.session_bytes
        ):
            oldest = next(iter(kept))
            del kept[oldest]
            self.remove_file(session_id, oldest)
        sessions = list(self.file_storage.values())
        total = sum(len(one.data) for files in sessions for one in list(files.values()))
        if total + size > limits.process_bytes:
            raise MemoryError("The uploads of all sessions take too much memory.")
        add_unbounded(self, session_id, file)

    MemoryUploadedFileManager.add_file = add_file  # type: ignore[method-assign]


def run_server(options: dict[str, Any], host: str, port: int, name: str) -> None:
    """Serve the page until a signal is received."""
    from streamlit import config, net_util
    from streamlit.web import bootstrap

    # Streamlit would ask an external server for the public address of this machine.
    net_util.get_external_ip = _no_address
    # The public function would parse the options before ours are set, and report them as changed.
    known = config._config_options_template
    flags = {key.replace(".", "_"): value for key, value in options.items() if key in known}
    tell = threading.Thread(target=_tell_when_up, args=(host, port, name, sys.stdout), daemon=True)
    tell.start()
    bootstrap.load_config_options(flags)
    # Suppress Streamlit's messages. If stdout is closed, its last message would prevent a clean
    # exit.
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        bootstrap.run(str(_PAGE), False, [], flags)


def _no_address() -> None:
    return None


def _tell_when_up(host: str, port: int, name: str, terminal: TextIO) -> None:
    """Write the address of the page once the server answers."""
    # A server on all addresses is reachable at the loopback address.
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    while not _answers(near, port):
        time.sleep(_MOMENT)
    shown = f"[{near}]" if ":" in near else near
    terminal.write(f"{name} is served on http://{shown}:{port} (Ctrl-C stops it)\n")
    terminal.flush()


def _answers(host: str, port: int) -> bool:
    """Return whether the server answers a request.

    A server that only accepts connections does not handle Ctrl-C yet. An answer of any status
    counts: the server may refuse the host name.
    """
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/_stcore/health")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
