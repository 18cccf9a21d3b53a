"""Files of saved estimators with changed content, for the tests of load."""

import hashlib
import io
import json
import os
import tracemalloc
import zipfile

import numpy as np
import pytest

from skimgcls import ModelFileError, load

HEAD = 42
# Maximum memory for reading a file of some kilobytes, including torch's own.
MEMORY = 32 * 2**20
COMMAND = {
    "__class__": "str",
    "__module__": "builtins",
    "__loader__": "JsonNode",
    "content": '"touch planted"',
    "is_json": True,
}


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def seal(rest, version=b"\x01\x00"):
    """Return a file with a valid digest."""
    begin = b"SKIMGCLS" + version
    return begin + hashlib.sha256(begin + rest).digest() + rest


def pack(members, compression=None):
    """Return members, a dict or a list of pairs, as a well-formed file."""
    buffer = io.BytesIO()
    pairs = members.items() if isinstance(members, dict) else members
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in pairs:
            stored = name.endswith("safetensors")
            usual = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(name, content, usual if compression is None else compression)
    return seal(buffer.getvalue())


def pack_object(schema, arrays=()):
    """Return a description and arrays as bytes, in the format of skops."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in arrays:
            archive.writestr(name, content)
        text = schema if isinstance(schema, str | bytes) else json.dumps(schema)
        archive.writestr("schema.json", text)
    return buffer.getvalue()


def refuse(data, folder):
    """Assert that loading bytes fails with little memory and no new files; return the message."""
    path = folder / "model.skimgcls"
    path.write_bytes(data)
    before = sorted(os.listdir(folder))
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError) as caught:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert sorted(os.listdir(folder)) == before
    assert str(path) in str(caught.value)
    return str(caught.value)


def refuse_content(members, folder):
    """Assert that members are refused for their content, with a valid digest."""
    words = refuse(members if isinstance(members, bytes) else pack(members), folder)
    assert "its checksum does not match" not in words
    return words


def array_file(array=None, *, head=None):
    file = io.BytesIO()
    if head is not None:
        np.lib.format.write_array_header_1_0(file, head)
        file.write(bytes(64))
    else:
        np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()
