"""Estimators as bytes by skops, which builds what it was told to be safe and nothing else."""

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
from skimgcls.persistence._trusted import get_trusted_types, loaders_of_trusted

_SCHEMA = "schema.json"


def dump_object(estimator: Any, trusted: Sequence[str]) -> bytes:
    """Return an estimator as bytes that `build_object` takes."""
    data: bytes = skops.io.dumps(estimator)
    unknown = find_untrusted(data, trusted)
    if unknown:
        raise TypeError(
            f"{type(estimator).__name__} holds {', '.join(unknown)}, which load would refuse as "
            "not known to be safe. Save what is in it, such as best_estimator_ of a search, or "
            "name these types as trusted, here and in load."
        )
    check_object(data, "it")
    return data


def build_object(data: bytes, trusted: Sequence[str], name: str) -> Any:
    """Return the object that bytes describe, if all of it is known to be safe."""
    try:
        check_object(data, name)
        unknown = find_untrusted(data, trusted)
        if unknown:
            raise ModelFileError(
                f"{name}: it holds {', '.join(unknown)}, which is not known to be safe. Nothing of "
                f"it was run. If you know where it is from, pass trusted={unknown}."
            )
        return skops.io.loads(data, trusted=[*get_trusted_types(), *trusted])
    except ModelFileError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"{name}: what it describes cannot be built: {type(error).__name__}: {error}"
        ) from error


def find_untrusted(data: bytes, trusted: Sequence[str]) -> list[str]:
    """Return the types in it that nobody has called safe."""
    known = {*get_trusted_types(), *trusted}
    return [found for found in skops.io.get_untrusted_types(data=data) if found not in known]


def check_object(data: bytes, name: str) -> None:
    """Raise if there is more in it than arrays and a description, or one of these is not honest."""
    for info in check_zip(data, name):
        if info.filename == _SCHEMA:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                _check_uses(json.loads(archive.read(info)), name)
            continue
        number, _, kind = info.filename.partition(".")
        if not number.isdigit() or kind != "npy":
            raise ModelFileError(f"{name}: {info.filename!r} in it is no array of numbers.")
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(info) as file:
            _check_array(file, info, name)


def _check_uses(schema: Any, name: str) -> None:
    """Raise if what is trusted would be called, and not filled or referred to."""
    loaders = loaders_of_trusted()
    pending = [schema]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            full, loader = f"{value.get('__module__')}.{value.get('__class__')}", "__loader__"
            if value.get(loader) != loaders.get(full, value.get(loader)):
                raise ModelFileError(
                    f"{name}: it would have {full} called by {value.get(loader)}, which no file "
                    "that save wrote does. Nothing of it was run."
                )
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def _check_array(file: Any, info: zipfile.ZipInfo, name: str) -> None:
    """Raise if an array has not as many bytes as its head says, or holds Python's objects."""
    version = npy.read_magic(file)
    read_head = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_head(file)
    n_bytes = dtype.itemsize * int(np.prod(shape, dtype=object))
    if dtype.hasobject or file.tell() + n_bytes != info.file_size:
        raise ModelFileError(
            f"{name}: array {info.filename!r} in it is not of its shape {shape} and {dtype}."
        )
