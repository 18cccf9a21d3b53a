"""Convert estimators to bytes and back with skops, which builds only trusted types."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import skops.io
from numpy.lib import format as npy

from skimgcls.exceptions import ModelFileError
from skimgcls.persistence._container import check_zip
from skimgcls.persistence._requests import restore_all_requests, with_plain_requests
from skimgcls.persistence._schema import check_schema
from skimgcls.persistence._trusted import get_trusted_types, reads_memory

_SCHEMA = "schema.json"
# Length of names in a message that are listed in full.
_LONG = 150


def dump_object(estimator: Any, trusted: Sequence[str]) -> bytes:
    """Return an estimator as bytes for `build_object`."""
    data: bytes = skops.io.dumps(with_plain_requests(estimator))
    try:
        types = check_object(data, "the file")
    except ModelFileError as error:
        raise TypeError(f"{type(estimator).__name__} cannot be saved: {error}") from error
    unknown = find_untrusted(data, types, trusted)
    if unknown:
        what, how = _explain_trust(unknown)
        raise TypeError(
            f"{type(estimator).__name__} holds {what}, which load does not trust by default. Save "
            f"a part of it, such as best_estimator_ of a search, or {how} to save and load."
        )
    return data


def build_object(data: bytes, trusted: Sequence[str], name: str) -> Any:
    """Return the object that bytes describe, if all its types are trusted."""
    try:
        types = check_object(data, name)
        unknown = find_untrusted(data, types, trusted)
        if unknown:
            what, how = _explain_trust(unknown)
            raise ModelFileError(
                f"{name}: it holds {what}, which load does not trust by default. No code in it was "
                f"run. If you trust the source of the file, {how}."
            )
        found = skops.io.loads(data, trusted=[*get_trusted_types(), *trusted])
        restore_all_requests(found)
        return found
    except ModelFileError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"{name}: its estimator cannot be built: {type(error).__name__}: {str(error)[:200]}"
        ) from error


def _explain_trust(names: Sequence[str]) -> tuple[str, str]:
    """Return untrusted types as text, and how to trust them; shorter if there are many."""
    if sum(map(len, names)) < _LONG:
        return ", ".join(names), f"pass trusted={list(names)}"
    first = f"{names[0][:_LONG]} and {len(names) - 1} other types"
    return first, "pass the names from skops.io.get_untrusted_types as trusted"


def find_untrusted(data: bytes, types: set[str], trusted: Sequence[str]) -> list[str]:
    """Return the types in it that are not trusted."""
    known = {*get_trusted_types(), *trusted}
    found = {*skops.io.get_untrusted_types(data=data), *filter(reads_memory, types)}
    return sorted(found - known)


def check_object(data: bytes, name: str) -> set[str]:
    """Return the names of its types; raise if it is more than arrays and a description."""
    types: set[str] = set()
    for info in check_zip(data, name):
        if info.filename == _SCHEMA:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                types = check_schema(archive.read(info), name)
            continue
        number, _, kind = info.filename.partition(".")
        if not number.isdigit() or kind != "npy":
            raise ModelFileError(f"{name}: its member {info.filename!r} is not a numeric array.")
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(info) as file:
            _check_array(file, info, name)
    return types


def _check_array(file: Any, info: zipfile.ZipInfo, name: str) -> None:
    """Raise if the size of an array differs from its header, or it holds Python objects."""
    version = npy.read_magic(file)
    read_head = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_head(file)
    n_bytes = dtype.itemsize * int(np.prod(shape, dtype=object))
    if dtype.hasobject or file.tell() + n_bytes != info.file_size:
        raise ModelFileError(
            f"{name}: array {info.filename!r} does not match its header: shape {shape}, {dtype}."
        )
