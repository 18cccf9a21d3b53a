"""Paths as users write them."""

import errno
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from skimgcls.utils._labels import shorten


def expand(path: Any, name: str = "path") -> Path:
    """Return a path, with "~" replaced by the home folder, or raise.

    >>> expand("~/model.skimgcls") == Path.home() / "model.skimgcls"
    True
    >>> expand(None)
    Traceback (most recent call last):
    ...
    TypeError: path must be a path, such as "model.skimgcls"; got None.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else path
    if not isinstance(text, str):
        raise TypeError(f'{name} must be a path, such as "model.skimgcls"; got {shorten(path)}.')
    if not text or "\0" in text:
        raise ValueError(f"{name} is no path: {shorten(text)}. Expected the name of a file.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(
            f"{name}={shorten(text)} starts with the home folder of a user who does not exist. "
            'Write "./~" for a name that starts with "~".'
        ) from None


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read; raise an OSError for a folder, a device or a pipe, which could block."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = IsADirectoryError if stat.S_ISDIR(mode) else OSError
            number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
            raise kind(number, "it is not a file")
        return path.open("rb")
    except OSError as error:
        raise file_error(path, "cannot be opened", error) from None


def file_error(path: Path, problem: str, error: OSError) -> OSError:
    """Return an error of the operating system as a sentence with the path as the user knows it.

    >>> file_error(Path("a.onnx"), "cannot be written", IsADirectoryError(21, "Is a directory"))
    IsADirectoryError(21, "'a.onnx' cannot be written: Is a directory")
    """
    reason = error.strerror or type(error).__name__
    return type(error)(error.errno, f"{shorten(str(path), 200)} {problem}: {reason}")
