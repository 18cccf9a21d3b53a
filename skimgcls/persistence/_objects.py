"""Convert estimators to bytes and back with skops, which builds only trusted types."""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import skops.io
from numpy.lib import format as npy

from skimgcls.exceptions import ModelFileError
from skimgcls.persistence._container import check_zip
from skimgcls.persistence._requests import restore_all_requests, with_plain_requests
from skimgcls.persistence._trusted import get_trusted_types, loaders_of_trusted

_SCHEMA = "schema.json"


def dump_object(estimator: Any, trusted: Sequence[str]) -> bytes:
    """Return an estimator as bytes for `build_object`."""
    data: bytes = skops.io.dumps(with_plain_requests(estimator))
    unknown = find_untrusted(data, trusted)
    if unknown:
        raise TypeError(
            f"{type(estimator).__name__} holds {', '.join(unknown)}, which load does not "
            "trust by default. Save a part of it, such as best_estimator_ of a search, or pass "
            f"trusted={unknown} to save and load."
        )
    check_object(data, "it")
    return data


def build_object(data: bytes, trusted: Sequence[str], name: str) -> Any:
    """Return the object that bytes describe, if all its types are trusted."""
    try:
        check_object(data, name)
        unknown = find_untrusted(data, trusted)
        if unknown:
            raise ModelFileError(
                f"{name}: it holds {', '.join(unknown)}, which load does not trust by default. No "
                f"code in it was run. If you trust the source of the file, pass trusted={unknown}."
            )
        found = skops.io.loads(data, trusted=[*get_trusted_types(), *trusted])
        restore_all_requests(found)
        return found
    except ModelFileError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"{name}: its estimator cannot be built: {type(error).__name__}: {error}"
        ) from error


def find_untrusted(data: bytes, trusted: Sequence[str]) -> list[str]:
    """Return the types in it that are not trusted."""
    known = {*get_trusted_types(), *trusted}
    return [found for found in skops.io.get_untrusted_types(data=data) if found not in known]


def check_object(data: bytes, name: str) -> None:
    """Raise if it holds anything but valid arrays and a valid description."""
    for info in check_zip(data, name):
        if info.filename == _SCHEMA:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                _check_uses(json.loads(archive.read(info)), name)
            continue
        number, _, kind = info.filename.partition(".")
        if not number.isdigit() or kind != "npy":
            raise ModelFileError(f"{name}: its member {info.filename!r} is not a numeric array.")
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(info) as file:
            _check_array(file, info, name)


def _check_uses(schema: Any, name: str) -> None:
    """Raise if a trusted type has another loader than its own, which would call it."""
    loaders = loaders_of_trusted()
    pending = [schema]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            full, loader = f"{value.get('__module__')}.{value.get('__class__')}", "__loader__"
            if value.get(loader) != loaders.get(full, value.get(loader)):
                raise ModelFileError(
                    f"{name}: it makes {value.get(loader)} call {full}, which no file written by "
                    "save does. No code in it was run."
                )
            pending += value.values()
        elif isinstance(value, list):
            pending += value


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
