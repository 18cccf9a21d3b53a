"""Paths as users write them."""

import os
from pathlib import Path
from typing import Any

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


def file_error(path: Path, problem: str, error: OSError) -> OSError:
    """Return an error of the operating system as a sentence with the path as the user knows it.

    >>> file_error(Path("a.onnx"), "cannot be written", IsADirectoryError(21, "Is a directory"))
    IsADirectoryError(21, "'a.onnx' cannot be written: Is a directory")
    """
    reason = error.strerror or type(error).__name__
    return type(error)(error.errno, f"{shorten(str(path), 200)} {problem}: {reason}")
