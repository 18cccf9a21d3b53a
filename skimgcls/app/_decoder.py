"""Decode uploads in other processes, with limits on time and memory."""

import os
import queue
import subprocess
import sys
import threading
import weakref
from dataclasses import dataclass

from skimgcls.app._decode_worker import OK, read_frame, write_frame
from skimgcls.app._upload import Limits
from skimgcls.exceptions import ImageFileError

# Two visitors do not wait for each other.
_N_WORKERS = 2
# An image of 50 million pixels takes about two seconds, and up to 1.2 GB if it is transparent.
_SECONDS, _MEGABYTES = 4.0, 1536
_TOO_LONG = "It takes too long to decode. Save it again as a JPEG or PNG."
_STOPPED = "It could not be decoded."


@dataclass(frozen=True)
class _Upload:
    """An upload that was decoded.

    Attributes
    ----------
    content : bytes
        A file of the same pixels in a plain format.
    shown : bytes
        A small PNG to show on the page.
    """

    content: bytes
    shown: bytes


class Decoder:
    """Decode uploads in worker processes, which are started when they are needed.

    A hole in an image reader stays outside of the server, and an image that takes long delays
    neither the model nor another visitor.

    Parameters
    ----------
    limits : Limits
    seconds : float
        Time for one upload. After it, the worker is stopped.
    megabytes : int
        Memory of a worker, where the operating system can limit it.
    """

    def __init__(
        self, limits: Limits, *, seconds: float = _SECONDS, megabytes: int = _MEGABYTES
    ) -> None:
        self._seconds = seconds
        self._command = [
            *(sys.executable, "-m", "skimgcls.app._decode_worker"),
            *(str(limits.upload_mb), str(limits.megapixels), str(megabytes)),
        ]
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes] | None] = queue.SimpleQueue()
        self._running: list[subprocess.Popen[bytes]] = []
        for _ in range(_N_WORKERS):
            self._idle.put(None)
        self._finalize = weakref.finalize(self, _stop_all, self._running)

    def clean(self, content: bytes) -> _Upload:
        """Return an upload as a plain file, or raise an ImageFileError for the user of the page."""
        worker = self._idle.get()
        try:
            if worker is None or worker.poll() is not None:
                worker = self._start()
            return self._ask(worker, content)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """Stop the workers."""
        self._finalize()

    def _start(self) -> subprocess.Popen[bytes]:
        stopped = [one for one in self._running if one.poll() is not None]
        # Closes their pipes.
        _stop_all(stopped)
        self._running[:] = [one for one in self._running if one not in stopped]
        worker = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Readers write their warnings there.
            stderr=subprocess.DEVNULL,
            # Threads of NumPy, which are not used, would reserve memory.
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        self._running.append(worker)
        return worker

    def _ask(self, worker: subprocess.Popen[bytes], content: bytes) -> _Upload:
        is_late = threading.Event()

        def stop() -> None:
            is_late.set()
            worker.kill()

        timer = threading.Timer(self._seconds, stop)
        timer.start()
        try:
            assert worker.stdin is not None
            assert worker.stdout is not None
            write_frame(worker.stdin, content)
            reply = read_frame(worker.stdout)
            shown = read_frame(worker.stdout) if reply and reply[:1] == OK else b""
        except OSError:
            reply = shown = None
        finally:
            timer.cancel()
        if reply is None or shown is None:
            _stop_all([worker])
            raise ImageFileError(_TOO_LONG if is_late.is_set() else _STOPPED)
        if reply[:1] != OK:
            raise ImageFileError(reply[1:].decode())
        return _Upload(reply[1:], shown)


def _stop_all(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.kill()
        worker.communicate()
