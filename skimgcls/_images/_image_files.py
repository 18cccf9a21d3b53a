"""Images that stay files until their pixels are asked for."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL.Image import Image

from skimgcls._images._decode import CHANNELS, decode, name_of, read_header, stamp_of, write_picture
from skimgcls._images._resize import Resize
from skimgcls.exceptions import ImageFileError
from skimgcls.utils._atomic_write import atomic_write

_Told = TypeVar("_Told")


@dataclass(frozen=True)
class Decoding:
    """What is made of a file, as `decode` tells. `on_error` is "raise" or "blank"."""

    mode: str = "RGB"
    resize: Resize | None = None
    background: tuple[int, int, int] = (255, 255, 255)
    on_error: str = "raise"


_PLAIN = Decoding()


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Files that have the looks of a uint8 array (n, height, width, channels).

    Attributes
    ----------
    items : ndarray of shape (n,) of str and bytes
        Paths, or what files hold.
    stamps : ndarray of shape (n, 2) of int64
        When each file was last written, and its size: by them a change is noticed.
    decoding : Decoding
    cache : str or None
        Folder in which decoded pixels are kept.
    n_jobs : int or None
        Threads that decode.
    """

    items: np.ndarray
    stamps: np.ndarray
    decoding: Decoding = _PLAIN
    cache: str | None = None
    n_jobs: int | None = None

    dtype = np.dtype(np.uint8)

    @classmethod
    def from_items(
        cls,
        items: np.ndarray,
        decoding: Decoding = _PLAIN,
        cache: str | None = None,
        n_jobs: int | None = None,
    ) -> "ImageFiles":
        """Take files that are there; the first that is not is named in an error."""
        files = cls(items, np.zeros((len(items), 2), np.int64), decoding, cache, n_jobs)
        for index in range(len(items)):
            stamp = files._ask(index, stamp_of)
            if stamp is not None:
                files.stamps[index] = stamp
        return files

    def __len__(self) -> int:
        return len(self.items)

    def __getstate__(self) -> dict[str, Any]:
        # Without the size, once it is known: joblib's Memory tells images apart by their pickle.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return len(self), *self.image_shape

    @cached_property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels. Without a size to resize to, the files must agree on it."""
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
                    f"is {size}. Bring them to one, as ImageLoader(size=(64, 64)) does."
                )
        if first is None:
            raise ValueError("No file of X can be read, so that the size of images is not known.")
        return *first[1], channels

    def check_headers(self) -> None:
        """Raise if the beginning of a file tells that it is no image that can be used."""
        for _ in self._sizes():
            pass

    def _sizes(self) -> Iterator[tuple[int, tuple[int, int]]]:
        for index in range(len(self)):
            header = self._ask(index, read_header)
            if header is not None:
                yield index, (header.height, header.width)

    def decoded(self, **changes: Any) -> "ImageFiles":
        """Return the same files, decoded in another way."""
        return replace(self, decoding=replace(self.decoding, **changes))

    def take(self, rows: Any) -> "ImageFiles":
        """Return some of the files."""
        return replace(self, items=self.items[rows], stamps=self.stamps[rows])

    def read(self, rows: Any) -> np.ndarray:
        """Return the pixels of some images, uint8 (len(rows), height, width, channels)."""
        indices = np.arange(len(self))[rows]
        pixels = np.zeros((len(indices), *self.image_shape), dtype=np.uint8)
        for place, index in zip(pixels, indices, strict=True):
            self._read_one(index, place)
        return pixels

    def _read_one(self, index: int, place: np.ndarray) -> None:
        """Write the pixels of one image to their place; of a blank one they are zeros already."""
        if self._ask(index, lambda item: self._check_unchanged(item, index)) is None:
            return
        kept = None if self.cache is None else self._kept(index)
        if kept is not None and _read_whole(kept, place):
            return
        pixels = self._ask(index, lambda item: self._decode(item, place.shape))
        # A cache file of another size has left its bytes here.
        place[:] = 0 if pixels is None else pixels
        if kept is not None and pixels is not None:
            _write_whole(kept, pixels)

    def _check_unchanged(self, item: Any, index: int) -> bool:
        if stamp_of(item) != tuple(self.stamps[index]):
            raise ImageFileError(
                f"{name_of(item)} has changed since X was checked. Leave files alone while a model "
                "trains on them."
            )
        return True

    def _decode(self, item: Any, shape: tuple[int, ...]) -> np.ndarray:
        how = self.decoding
        pixels = decode(item, how.mode, how.resize, how.background)
        if pixels.shape != shape:
            raise ImageFileError(
                f"{name_of(item)} is an image of shape {pixels.shape}, but {shape} (height, width, "
                "channels) was expected. Give ImageLoader a size."
            )
        return pixels

    def _kept(self, index: int) -> Path:
        """Return where the cache has this image; another file or decoding is another place."""
        item = self.items[index]
        source = item if isinstance(item, bytes) else os.fsencode(os.path.abspath(item))
        how = repr((self.stamps[index].tolist(), self.decoding)).encode()
        key = hashlib.blake2b(source + b"\0" + how, digest_size=16).hexdigest()
        return Path(str(self.cache), key[:2], f"{key[2:]}.pixels")

    def _ask(self, index: int, ask: Callable[[Any], _Told]) -> _Told | None:
        """Return what `ask` tells of a file; None if it raises and that means a blank image."""
        try:
            return ask(self.items[index])
        except (ImageFileError, OSError) as error:
            if self.decoding.on_error == "blank":
                return None
            # The class stays, a missing file is a FileNotFoundError; the index is told first.
            raise type(error)(f"X[{index}]: {error}") from error


def find_items(X: Any) -> np.ndarray | None:
    """Return the files that X names, as an array of str and bytes; None if X holds no such thing.

    X is a DataFrame of one column, a Series, a list, or an array (n,) or (n, 1). What is open is
    read, from its beginning, and pictures of Pillow are written as files are.

    >>> find_items(["a.png", "b.png"])
    array(['a.png', 'b.png'], dtype=object)
    >>> find_items([[0, 1], [2, 3]]) is None
    True
    """
    values = _entries(X)
    if not any(map(_is_file, values)):
        return None
    items = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        if isinstance(value, bytes):
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
                "bytes of a file, an open file or a picture of Pillow for each image."
            )
    return items


def _is_file(value: Any) -> bool:
    return isinstance(value, str | bytes | os.PathLike | Image) or hasattr(value, "read")


def _write_picture(picture: Image, index: int) -> bytes:
    try:
        return write_picture(picture)
    except ImageFileError as error:
        raise ImageFileError(f"X[{index}]: {error}") from error


def _read_open(file: Any, index: int) -> bytes:
    """Return all that an open file holds, and leave it where it stood if it can be left there."""
    place = None
    if hasattr(file, "seekable") and file.seekable():
        place = file.tell()
        file.seek(0)
    content = file.read()
    if place is not None:
        file.seek(place)
    if not isinstance(content, bytes):
        raise ValueError(
            f"X[{index}] is a file that was opened as text. Open it with mode 'rb', or pass its "
            "path."
        )
    return content


def _entries(X: Any) -> list[Any]:
    """Return the entries of X if it has one for each image and they may be files, else none."""
    if isinstance(X, list | tuple):
        # A list of rows of one entry is how a frame's values are written down.
        is_column = all(isinstance(row, list | tuple) and len(row) == 1 for row in X)
        return [row[0] for row in X] if is_column else list(X)
    dtypes = list(X.dtypes) if hasattr(X, "columns") else [getattr(X, "dtype", None)]
    may_be_text = all(getattr(dtype, "kind", "O") in ("O", "S", "U", "T") for dtype in dtypes)
    if any(getattr(dtype, "kind", "") == "S" for dtype in dtypes):
        raise ValueError(
            "X is an array of NumPy's type S, which drops zeros at the end of what a file holds. "
            "Pass a list of bytes, or paths as text."
        )
    is_column = getattr(X, "ndim", 0) == 1 or (getattr(X, "ndim", 0) == 2 and X.shape[1] == 1)
    return list(np.asarray(X, dtype=object).ravel()) if may_be_text and is_column else []


def _read_whole(path: Path, place: np.ndarray) -> bool:
    """Fill an array with what a file holds; tell whether there was one of the right size."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.readinto(place.data) == place.nbytes and not file.read(1)
    except FileNotFoundError:
        return False


def _write_whole(path: Path, pixels: np.ndarray) -> None:
    """Write a file that others see only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, durable=False) as file:
        file.write(np.ascontiguousarray(pixels).data)
