"""The file format: a header with a digest of the rest, and a zip of three members."""

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from skimgcls.exceptions import ModelFileError
from skimgcls.persistence._schema import parse_json
from skimgcls.utils._atomic_write import atomic_write

MAGIC = b"SKIMGCLS"
# Earlier versions can read a file with a new second number, but not one with a new first number.
FORMAT = (1, 0)
MANIFEST, ESTIMATOR, WEIGHTS = "manifest.json", "estimator.skops", "weights.safetensors"
_MEMBERS = {
    MANIFEST: zipfile.ZIP_DEFLATED,
    ESTIMATOR: zipfile.ZIP_DEFLATED,
    WEIGHTS: zipfile.ZIP_STORED,
}
_HEAD = len(MAGIC) + 2 + hashlib.sha256().digest_size
_BLOCK = 2**20
# Limits on the unpacked size of a member. JSON text is compressed 40 times at most.
_LARGEST_RATIO, _ALWAYS_ALLOWED = 200, 2**22
_LARGEST_MANIFEST, _MOST_BRACKETS = 2**22, 10_000
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def write_members(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a complete file, or leave the existing one unchanged.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"The folder {str(path.parent)!r} of {path.name!r} does not exist. Create it first."
        )
    with atomic_write(path) as file:
        file.write(bytes(_HEAD))
        with zipfile.ZipFile(file, "w") as archive:
            for name, compression in _MEMBERS.items():
                info = zipfile.ZipInfo(name, _EARLIEST)
                info.compress_type = compression
                archive.writestr(info, members[name], compresslevel=9)
        digest = _digest(MAGIC + bytes(FORMAT), file)
        file.seek(0)
        file.write(MAGIC + bytes(FORMAT) + digest)


def read_members(file: BinaryIO, name: str) -> dict[str, bytes]:
    """Return the members of a file after verifying its digest."""
    _check_head(file, name)
    try:
        with zipfile.ZipFile(file) as archive:
            _check_members(archive.infolist(), _size_of(file), name)
            return {member: archive.read(member) for member in _MEMBERS}
    except ModelFileError:
        raise
    except Exception as error:
        raise ModelFileError(f"{name}: it cannot be unpacked: {str(error)[:200]}") from error


def read_manifest(members: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """Return the manifest of a file."""
    try:
        manifest = parse_json(
            members[MANIFEST], largest=_LARGEST_MANIFEST, most_brackets=_MOST_BRACKETS
        )
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{name}: {MANIFEST} is not valid JSON: {str(error)[:200]}") from error
    if not isinstance(manifest, dict):
        raise ModelFileError(f"{name}: {MANIFEST} is not a JSON object.")
    return manifest


def check_zip(data: bytes, name: str) -> list[zipfile.ZipInfo]:
    """Return the members of a zip; raise if one is compressed or has a false size."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > len(data):
            raise ModelFileError(
                f"{name}: its member {info.filename!r} is compressed, which save never does."
            )
    if sum(info.file_size for info in infos) > len(data):
        raise ModelFileError(f"{name}: its members are larger in total than the archive.")
    return infos


def _check_head(file: BinaryIO, name: str) -> None:
    file.seek(0)
    head = file.read(_HEAD)
    if len(head) < _HEAD:
        raise ModelFileError(
            f"{name}: it has {len(head)} bytes, too few for a file that save wrote."
        )
    if not head.startswith(MAGIC):
        raise ModelFileError(
            f"{name}: it begins with {head[:8]!r}; a file that save wrote begins with {MAGIC!r}."
        )
    major, minor = head[len(MAGIC) : len(MAGIC) + 2]
    if major != FORMAT[0]:
        raise ModelFileError(
            f"{name}: its format is {major}.{minor}; this version of skimgcls reads "
            f"{FORMAT[0]}.x. {'Update skimgcls.' if major > FORMAT[0] else ''}".rstrip()
        )
    if _digest(head[: len(MAGIC) + 2], file) != head[len(MAGIC) + 2 :]:
        raise ModelFileError(
            f"{name}: its checksum does not match: it was truncated or altered. Copy or download "
            "it again."
        )


def _digest(begin: bytes, file: BinaryIO) -> bytes:
    """Return the digest of the start of the header and of all bytes after the header."""
    file.seek(_HEAD)
    digest = hashlib.sha256(begin)
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.digest()


def _size_of(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def _check_members(infos: list[zipfile.ZipInfo], n_bytes: int, name: str) -> None:
    found = [info.filename for info in infos]
    if sorted(found) != sorted(_MEMBERS):
        raise ModelFileError(f"{name}: its members are {found}; expected {list(_MEMBERS)}.")
    if sum(info.compress_size for info in infos) > n_bytes:
        # The sizes in the directory of the zip are false.
        raise ModelFileError(f"{name}: its members are larger in total than the file.")
    for info in infos:
        allowed = max(_ALWAYS_ALLOWED, _LARGEST_RATIO * info.compress_size)
        if info.compress_type != _MEMBERS[info.filename] or info.file_size > allowed:
            raise ModelFileError(
                f"{name}: its member {info.filename!r} unpacks from {info.compress_size} to "
                f"{info.file_size} bytes, which no file written by save does."
            )
