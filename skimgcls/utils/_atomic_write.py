"""Atomic file writes."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from skimgcls.utils._paths import file_error


@contextmanager
def atomic_write(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file for writing and reading; it replaces `path` when the block ends.

    If the block raises, an existing file at `path` is kept. With `durable`, the content is flushed
    to disk first.
    """
    # Not longer than most names, which have a largest length.
    draft = path.parent / f".{uuid4().hex}"
    try:
        with _open_new(draft, path) as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        try:
            draft.replace(path)
        except OSError as error:
            raise file_error(path, "cannot be written", error) from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _open_new(draft: Path, path: Path) -> BinaryIO:
    try:
        return draft.open("x+b")
    except OSError as error:
        raise file_error(path, "cannot be written", error) from None
