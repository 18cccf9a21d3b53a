"""Paths as users write them."""

import os
from pathlib import Path


def expand(path: str | os.PathLike[str]) -> Path:
    """Return a path, with "~" replaced by the home folder.

    >>> expand("~/model.skimgcls") == Path.home() / "model.skimgcls"
    True
    """
    return Path(path).expanduser()
