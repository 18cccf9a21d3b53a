"""Decoded pixels of files, kept in memory."""

import multiprocessing
import os
import threading
import weakref

import numpy as np

from skimgcls.utils._available_memory import available_memory

# Fraction of the available memory that the pixels of one dataset may take.
_FRACTION = 1 / 4
_lock = threading.Lock()


class PixelMemory:
    """Pixels of a set of files, if all of them fit in a fraction of the available memory.

    The available memory is measured when the first pixels are put. If the whole set does not fit,
    nothing is kept. Selections of the files share one memory, in any number of threads. The pixels
    are freed with the last selection.

    Parameters
    ----------
    n_images : int
        Number of images of the whole set.
    """

    def __init__(self, n_images: int) -> None:
        self.n_images = n_images
        self.n_bytes = 0
        # Unknown until the size of an image is known.
        self.limit: int | None = None
        self._pixels: dict[str | bytes, np.ndarray] = {}

    def get(self, item: str | bytes) -> np.ndarray | None:
        """Return the pixels of a file, a path or its content, or None if they are not kept."""
        return self._pixels.get(item)

    def put(self, item: str | bytes, pixels: np.ndarray) -> None:
        """Keep the pixels of a file if the set fits."""
        with _lock:
            if self.limit is None:
                self._decide(self.n_images * pixels.nbytes)
            if self.n_bytes + pixels.nbytes <= (self.limit or 0) and item not in self._pixels:
                self._pixels[item] = pixels
                self.n_bytes += pixels.nbytes

    def _decide(self, n_bytes: int) -> None:
        # Memory that other sets have been promised and do not use yet is not available.
        promised = sum((other.limit or 0) - other.n_bytes for other in _memories)
        fits = n_bytes <= _fraction() * (available_memory() - promised)
        self.limit = n_bytes if fits else 0
        _memories.add(self)


_memories: weakref.WeakSet[PixelMemory] = weakref.WeakSet()


def _fraction() -> float:
    """Return the fraction for this process; worker processes share one."""
    is_worker = multiprocessing.parent_process() is not None
    return _FRACTION / (os.cpu_count() or 1) if is_worker else _FRACTION
