"""Fuzzers of saved files and image files: ``python tests/fuzzers.py TARGET SECONDS SEED``.

A target is "load" or "decode". Each input is derived from an honest file by a few changes that keep
it plausible: its checksum is right, and its JSON can be parsed. It must be refused with an error of
this package, or read, within limits on time and memory. The result is a line of JSON; an input that
breaks a limit is written to the folder in SKIMGCLS_FUZZ, for the corpus of the tests.
"""

import faulthandler
import io
import json
import os
import random
import signal
import struct
import sys
import tempfile
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
from errors import call
from model_files import HEAD, array_file, members_of, pack, pack_object, seal
from PIL import Image
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageFlattener,
    ImageLoader,
    MLPImageClassifier,
    ModelFileError,
    load,
    save,
)
from skimgcls._images._decode import decode, read_header
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.exceptions import ImageFileError

# Limits for one input: seconds, and megabytes beyond what is in use before it.
LIMITS = {"load": (10, 512), "decode": (5, 512)}
NUMBERS = [-1, 0, 1, 2, 255, 65_535, 2**16, 2**31, 2**62, -(2**63), 10**30, 0.5, float("inf")]


# Saved files


def honest_models():
    """Yield the bytes of files that `save` writes."""
    X, y = make_stripes(24)
    mlp = MLPImageClassifier(max_iter=1, hidden_layer_sizes=(6,), random_state=0)
    estimators = [
        make_pipeline(ImageLoader(cache=None), mlp),
        CNNImageClassifier(4, max_iter=1, random_state=0),
        GridSearchCV(mlp, {"alpha": [0.1, 0.2]}, cv=2),
        make_pipeline(ImageFlattener(), LogisticRegression(max_iter=2000, C=1e-3)),
    ]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for estimator in estimators:
            path = Path(folder, "model")
            save(estimator.fit(X, y), path)
            yield path.read_bytes()


def places(tree, path=()):
    """Yield the path to each value of a description."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def alter_schema(schema, rng):
    """Change one value of a description in place."""
    found = list(places(schema))
    *way, last = rng.choice(found)
    inside = schema
    for key in way:
        inside = inside[key]
    *other_way, other = rng.choice(found)
    value = schema
    for key in (*other_way, other):
        value = value[key]
    kind = rng.randrange(7)
    if kind == 0:
        inside[last] = json.loads(json.dumps(value))
    elif kind == 1:
        inside[last] = rng.choice(NUMBERS)
    elif kind == 2:
        inside[last] = rng.choice(["", "null", "[]", "{}", '"a"', str(10**400), "os.system"])
    elif kind == 3 and isinstance(inside, dict):
        inside["__id__"] = rng.choice([rng.randrange(100), inside.get("__id__"), None])
    elif kind == 4 and isinstance(inside[last], list) and inside[last]:
        inside[last] = inside[last] * rng.choice([2, 100, 3_000])
    elif kind == 5 and isinstance(inside[last], str):
        # Numbers are stored as text.
        inside[last] = str(rng.choice(NUMBERS))
    elif isinstance(inside, dict):
        del inside[last]


def alter_array(content, rng):
    """Return an array file with another shape or other values."""
    array = np.load(io.BytesIO(content))
    kind = rng.randrange(4)
    if kind == 0:
        return array_file(array.reshape(-1)[: rng.randrange(3)])
    if kind == 1:
        return array_file(np.zeros(rng.choice([0, 1, 10**6]), array.dtype))
    if kind == 2 and array.dtype.kind in "iuf":
        return array_file(np.full(array.shape, rng.choice([-1, 127, np.nan]), np.float64))
    head = {"descr": "<f8", "fortran_order": False, "shape": (rng.choice([1, 2**20, 2**40]),)}
    return array_file(head=head)


def alter_model(data, rng):
    """Return a file with a right checksum and changed content."""
    if rng.random() < 0.2:
        rest = bytearray(data[HEAD:])
        for _ in range(rng.randrange(1, 8)):
            # Most often in the directory of the zip, at the end.
            place = rng.randrange(len(rest)) if rng.random() < 0.5 else -rng.randrange(1, 300)
            rest[place] = rng.choice([0, 1, 127, 255, rng.randrange(256)])
        return seal(bytes(rest))
    members = members_of(data)
    arrays = members_of(members["estimator.skops"])
    schema = json.loads(arrays.pop("schema.json"))
    for _ in range(rng.randrange(1, 4)):
        alter_schema(schema, rng)
    if arrays and rng.random() < 0.3:
        name = rng.choice(list(arrays))
        arrays[name] = alter_array(arrays[name], rng)
    members["estimator.skops"] = pack_object(schema, arrays.items())
    if rng.random() < 0.1:
        members["manifest.json"] = rng.choice([b"[]", b"{}", b"[" * 10_000, b'{"a":' * 900])
    return pack(members)


def try_load(data):
    """Load a file, and return whether it was refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.skimgcls")
        path.write_bytes(data)
        found, error = call(load, path)
        assert os.listdir(folder) == ["model.skimgcls"]
    assert isinstance(found, BaseEstimator) if error is None else isinstance(error, ModelFileError)
    return error is not None


# Image files


def honest_pictures():
    """Yield the bytes of image files."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    color = Image.fromarray(pixels)
    for name, options in [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("GIF", {"save_all": True, "append_images": [color] * 3}),
        ("WEBP", {"save_all": True, "append_images": [color] * 3}),
        ("BMP", {}),
        ("PPM", {}),
        ("JPEG2000", {}),
        ("ICO", {}),
        ("TGA", {}),
    ]:
        file = io.BytesIO()
        color.save(file, name, **options)
        yield file.getvalue()


def alter_picture(content, rng):
    """Return an image file with changed tags, chunks, segments or bytes."""
    altered = bytearray(content)
    for _ in range(rng.randrange(1, 4)):
        if content[:8] == b"\x89PNG\r\n\x1a\n" and rng.random() < 0.7:
            altered = alter_chunks(bytes(altered), rng)
        elif content[:2] == b"\xff\xd8" and rng.random() < 0.7:
            starts = [i for i in range(len(altered) - 1) if altered[i] == 255 and altered[i + 1]]
            first, last = sorted(rng.choices(starts or [0], k=2))
            altered[first:first] = altered[first:last] * rng.choice([1, 2, 300])
        else:
            # Headers and tags are at the start, or at the end of a TIFF.
            place = rng.choice([rng.randrange(min(len(altered), 200)), rng.randrange(len(altered))])
            number = rng.choice(NUMBERS[1:8])
            width = rng.choice([1, 2, 4])
            part = int(number) % 2 ** (8 * width)
            altered[place : place + width] = part.to_bytes(width, rng.choice(["little", "big"]))
        altered = altered[: 10 * 2**20]
    return bytes(altered)


def alter_chunks(content, rng):
    """Return a PNG with a changed chunk and right checksums."""
    chunks, start = [], 8
    while start + 12 <= len(content):
        length = struct.unpack(">I", content[start : start + 4])[0]
        chunks.append((content[start + 4 : start + 8], content[start + 8 : start + 8 + length]))
        start += 12 + length
    if not chunks:
        return bytearray(content)
    place = rng.randrange(len(chunks))
    kind, data = chunks[place]
    if rng.random() < 0.5 and data:
        data = bytearray(data)
        at = rng.randrange(len(data))
        data[at : at + 4] = rng.choice([0, 1, 20_000, 2**31 - 1]).to_bytes(4, "big")
        chunks[place] = kind, bytes(data)
    elif rng.random() < 0.5:
        chunks[place:place] = [chunks[place]] * rng.choice([1, 1_000])
    else:
        bomb = zlib.compress(bytes(rng.choice([10, 2**21, 2**25])))
        chunks.insert(place, (rng.choice([b"zTXt", b"iCCP", b"IDAT", b"fdAT"]), b"a\0\0" + bomb))
    parts = [content[:8]]
    for kind, data in chunks:
        check = struct.pack(">I", zlib.crc32(kind + data))
        parts += [struct.pack(">I", len(data)), kind, data, check]
    return bytearray(b"".join(parts))


def try_decode(content):
    """Decode a file, and return whether it was refused."""
    _, error = call(lambda: (read_header(content), decode(content)))
    assert error is None or isinstance(error, ImageFileError)
    return error is not None


# The loop

TARGETS = {
    "load": (honest_models, alter_model, try_load),
    "decode": (honest_pictures, alter_picture, try_decode),
}


def peak_megabytes():
    """Return the peak memory of the process, which is reset where the system can do so."""
    with open("/proc/self/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main(target, seconds, seed):
    """Try inputs for some seconds, and print how many there were."""
    make_honest, alter, attempt = TARGETS[target]
    most_seconds, most_megabytes = LIMITS[target]
    Image.MAX_IMAGE_PIXELS = 50_000_000
    warnings.simplefilter("ignore")
    rng, honest = random.Random(seed), list(make_honest())
    for one in honest:
        assert not attempt(one)
    counts = {"inputs": 0, "refused": 0, "slowest": 0.0, "megabytes": 0.0}
    faulthandler.enable()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        content = alter(rng.choice(honest), rng)
        if "SKIMGCLS_FUZZ" in os.environ:
            Path(os.environ["SKIMGCLS_FUZZ"], f"{target}-{seed}").write_bytes(content)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = peak_megabytes()
        start = time.monotonic()
        signal.alarm(3 * most_seconds)
        counts["refused"] += attempt(content)
        signal.alarm(0)
        taken = time.monotonic() - start
        grown = peak_megabytes() - before
        counts["inputs"] += 1
        counts["slowest"] = max(counts["slowest"], taken)
        counts["megabytes"] = max(counts["megabytes"], grown)
        assert taken < most_seconds, f"{taken} s"
        assert grown < most_megabytes, f"{grown} MB"
    sys.stdout.write(json.dumps(counts) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
