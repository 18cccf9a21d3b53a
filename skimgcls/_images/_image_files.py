"""Image files that are decoded when their pixels are requested."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL.Image import Image

from skimgcls._images._containers import unpack_container
from skimgcls._images._decode import (
    CHANNELS,
    Header,
    decode,
    is_16_bit,
    name_of,
    read_header,
    stamp_of,
    write_picture,
)
from skimgcls._images._pixel_memory import PixelMemory
from skimgcls._images._resize import Resize
from skimgcls.exceptions import ImageFileError
from skimgcls.utils._atomic_write import atomic_write

_Told = TypeVar("_Told")


@dataclass(frozen=True)
class Decoding:
    """Parameters of `decode`. `on_error` is "raise" or "blank"."""

    mode: str = "RGB"
    resize: Resize | None = None
    background: tuple[int, int, int] = (255, 255, 255)
    on_error: str = "raise"
    white_level: int | None = None


_PLAIN = Decoding()


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Files with the interface of a uint8 array of shape (n, height, width, channels).

    Attributes
    ----------
    items : ndarray of shape (n,) of str and bytes
        Paths, or the contents of files.
    stamps : ndarray of shape (n, 4) of int64
        Of each file what `stamp_of` returns, used to detect changes.
    decoding : Decoding
    cache : str or None
        Folder in which decoded pixels are cached, or "auto": in memory if all of them fit.
    n_jobs : int or None
        Number of decoding threads.
    memory : PixelMemory or None
        The pixels in memory, with cache="auto". Selections share it.
    """

    items: np.ndarray
    stamps: np.ndarray
    decoding: Decoding = _PLAIN
    cache: str | None = None
    n_jobs: int | None = None
    memory: PixelMemory | None = None

    dtype = np.dtype(np.uint8)

    @classmethod
    def from_items(
        cls,
        items: np.ndarray,
        decoding: Decoding = _PLAIN,
        cache: str | None = None,
        n_jobs: int | None = None,
    ) -> "ImageFiles":
        """Create from existing files; an error names the first missing one."""
        stamps = np.zeros((len(items), 4), np.int64)
        files = cls(items, stamps, decoding, cache, n_jobs)._with_new_memory()
        for index in range(len(items)):
            stamp = files._ask(index, stamp_of)
            if stamp is not None:
                files.stamps[index] = stamp
        return files

    def __len__(self) -> int:
        return len(self.items)

    def __getstate__(self) -> dict[str, Any]:
        # The cached size and the pixels are left out: joblib's Memory identifies images by their
        # pickle.
        names = {field.name for field in fields(self)} - {"memory"}
        return {name: getattr(self, name) for name in sorted(names)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, memory=_make_memory(state.get("cache"), len(state["items"])))

    def _with_new_memory(self) -> "ImageFiles":
        return replace(self, memory=_make_memory(self.cache, len(self)))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return len(self), *self.image_shape

    @cached_property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels. If the files are not resized, they must have one size."""
        channels = CHANNELS[self.decoding.mode]
        if self.decoding.resize is not None:
            return *self.decoding.resize.size, channels
        first: tuple[int, tuple[int, int]] | None = None
        for index, size in self._sizes():
            if first is None:
                first = index, size
            elif first[1] != size:
                raise ValueError(
                    f"The images differ in size: X[{first[0]}], {name_of(self.items[first[0]])}, "
                    f"is {first[1]} (height, width), and X[{index}], {name_of(self.items[index])}, "
                    f"is {size}. Resize them, for example with ImageLoader(size=(64, 64))."
                )
        if first is None:
            raise ValueError("No file of X can be read, so the image size is unknown.")
        return *first[1], channels

    def check_headers(self) -> list[int]:
        """Raise if a header is not that of a usable image; return the indices of 16-bit images."""
        return [index for index, header in self._headers() if is_16_bit(header)]

    def _sizes(self) -> Iterator[tuple[int, tuple[int, int]]]:
        for index, header in self._headers():
            yield index, (header.height, header.width)

    def _headers(self) -> Iterator[tuple[int, Header]]:
        for index in range(len(self)):
            header = self._ask(index, read_header)
            if header is not None:
                yield index, header

    def decoded(self, **changes: Any) -> "ImageFiles":
        """Return the same files with other decoding parameters."""
        changed = replace(self, decoding=replace(self.decoding, **changes))
        return changed._with_new_memory()

    def cached(self, cache: str | None, n_jobs: int | None) -> "ImageFiles":
        """Return the same files with another cache and number of threads."""
        return replace(self, cache=cache, n_jobs=n_jobs)._with_new_memory()

    def take(self, rows: Any) -> "ImageFiles":
        """Return a selection of the files."""
        return replace(self, items=self.items[rows], stamps=self.stamps[rows])

    def read(self, rows: Any, *, keep: bool = False) -> np.ndarray:
        """Return the pixels of some images, uint8 (len(rows), height, width, channels).

        With `keep` they will be read again, and are kept in memory if the cache is "auto".
        """
        indices = np.arange(len(self))[rows]
        pixels = np.zeros((len(indices), *self.image_shape), dtype=np.uint8)
        for place, index in zip(pixels, indices, strict=True):
            self._read_one(index, place, keep)
        return pixels

    def _read_one(self, index: int, place: np.ndarray, keep: bool) -> None:
        """Write the pixels of one image to `place`, which is already zero for blank images."""
        if self._ask(index, lambda item: self._check_unchanged(item, index)) is None:
            return
        known = None if self.memory is None else self.memory.get(self.items[index])
        if known is not None:
            place[:] = known
            return
        kept = None if self.cache in (None, "auto") else self._kept(index)
        if kept is not None and _read_whole(kept, place):
            return
        pixels = self._ask(index, lambda item: self._decode(item, place.shape))
        # A cache file of the wrong size may have overwritten `place`.
        place[:] = 0 if pixels is None else pixels
        if pixels is None:
            return
        if kept is not None:
            _write_whole(kept, pixels)
        if keep and self.memory is not None:
            self.memory.put(self.items[index], pixels)

    def _check_unchanged(self, item: Any, index: int) -> bool:
        if stamp_of(item) != tuple(self.stamps[index]):
            raise ImageFileError(
                f"{name_of(item)} has changed since X was checked: its content, or its rights or "
                "links. Do not modify files while a model trains on them."
            )
        return True

    def _decode(self, item: Any, shape: tuple[int, ...]) -> np.ndarray:
        how = self.decoding
        pixels = decode(item, how.mode, how.resize, how.background, how.white_level)
        if pixels.shape != shape:
            raise ImageFileError(
                f"{name_of(item)} is an image of shape {pixels.shape}, but {shape} (height, width, "
                "channels) was expected. Give ImageLoader a size."
            )
        return pixels

    def _kept(self, index: int) -> Path:
        """Return the cache path of an image, which depends on the file and on the decoding."""
        item = self.items[index]
        source = item if isinstance(item, bytes) else os.fsencode(os.path.abspath(item))
        how = repr((self.stamps[index].tolist(), self.decoding)).encode()
        key = hashlib.blake2b(source + b"\0" + how, digest_size=16).hexdigest()
        return Path(str(self.cache), key[:2], f"{key[2:]}.pixels")

    def _ask(self, index: int, ask: Callable[[Any], _Told]) -> _Told | None:
        """Return `ask(item)`; None if it raises and `on_error` is "blank"."""
        try:
            return ask(self.items[index])
        except (ImageFileError, OSError) as error:
            if self.decoding.on_error == "blank":
                return None
            # Raise the same exception class, such as FileNotFoundError, with the index added.
            raise type(error)(f"X[{index}]: {error}") from error


def _make_memory(cache: str | None, n_images: int) -> PixelMemory | None:
    return PixelMemory(n_images) if cache == "auto" else None


def holds_files(X: Any) -> bool:
    """Return whether X holds files, without reading any of them."""
    return any(map(_is_file, _entries(unpack_container(X))))


def find_items(X: Any) -> np.ndarray | None:
    """Return the files in X as an array of str and bytes; None if X does not contain files.

    X is a DataFrame of one column, a Series, an array (n,) or (n, 1), or any iterable. Open files
    are read from their beginning, and PIL images are converted to the bytes of a file.

    >>> find_items(["a.png", "b.png"])
    array(['a.png', 'b.png'], dtype=object)
    >>> find_items([[0, 1], [2, 3]]) is None
    True
    """
    values = _entries(unpack_container(X))
    if not any(map(_is_file, values)):
        return None
    items = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        if isinstance(value, bytes | bytearray | memoryview):
            items[index] = bytes(value)
        elif isinstance(value, str | os.PathLike):
            items[index] = os.fsdecode(value)
        elif isinstance(value, Image):
            items[index] = _write_picture(value, index)
        elif hasattr(value, "read"):
            items[index] = _read_open(value, index)
        else:
            found = f"of type {type(value).__name__}" if hasattr(value, "__len__") else repr(value)
            raise ValueError(
                f"X[{index}] is {found}, but other entries of X are files. Expected a path, the "
                "bytes of a file, an open file or a PIL image for each image."
            )
    return items


def _is_file(value: Any) -> bool:
    if isinstance(value, memoryview):
        return value.ndim == 1
    return isinstance(value, str | bytes | bytearray | os.PathLike | Image) or hasattr(
        value, "read"
    )


def _write_picture(picture: Image, index: int) -> bytes:
    try:
        return write_picture(picture)
    except ImageFileError as error:
        raise ImageFileError(f"X[{index}]: {error}") from error


def _read_open(file: Any, index: int) -> bytes:
    """Return the whole content of an open file; its position is restored if it is seekable."""
    if getattr(file, "closed", False):
        raise ValueError(
            f"X[{index}] is a closed file. Read it inside its with block, or pass its path."
        )
    place = None
    if hasattr(file, "seekable") and file.seekable():
        place = file.tell()
        file.seek(0)
    content = file.read()
    if place is not None:
        file.seek(place)
    if not isinstance(content, bytes):
        raise ValueError(
            f"X[{index}] is a file opened in text mode. Open it with mode 'rb', or pass its path."
        )
    return content


def _entries(X: Any) -> list[Any]:
    """Return the entries of X if it has one per image and they may be files, else an empty list."""
    if isinstance(X, list | tuple):
        # A list of rows with one entry, as from `frame.values.tolist()`.
        is_column = all(isinstance(row, list | tuple) and len(row) == 1 for row in X)
        return [row[0] for row in X] if is_column else list(X)
    dtypes = list(X.dtypes) if hasattr(X, "columns") else [getattr(X, "dtype", None)]
    may_be_text = all(getattr(dtype, "kind", "O") in ("O", "S", "U", "T") for dtype in dtypes)
    if any(getattr(dtype, "kind", "") == "S" for dtype in dtypes):
        raise ValueError(
            "X is a NumPy array of dtype S, which drops zeros at the end of the content of a file. "
            "Pass a list of bytes, or paths as str."
        )
    is_column = getattr(X, "ndim", 0) == 1 or (getattr(X, "ndim", 0) == 2 and X.shape[1] == 1)
    return list(np.asarray(X, dtype=object).ravel()) if may_be_text and is_column else []


def _read_whole(path: Path, place: np.ndarray) -> bool:
    """Read a file into an array; return whether it existed and had the right size."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.readinto(place.data) == place.nbytes and not file.read(1)
    except FileNotFoundError:
        return False


def _write_whole(path: Path, pixels: np.ndarray) -> None:
    """Write a file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, durable=False) as file:
        file.write(np.ascontiguousarray(pixels).data)
