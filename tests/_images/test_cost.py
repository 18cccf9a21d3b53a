"""Files that cost far more to decode than their pixels do are refused; honest ones are not."""

import io
import shutil
import struct
import time

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from skimgcls import ImageLoader
from skimgcls._images._decode import decode, read_header
from skimgcls.datasets import load_image_folder
from skimgcls.exceptions import ImageFileError
from skimgcls.inspection import audit_images


def encode(pixels, file_format, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, file_format, **options)
    return file.getvalue()


def make_pixels(side=64):
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)


def tiled_tiff(side, tile):
    """Return a gray TIFF of one compressed tile that is larger than the image."""
    import zlib

    data = zlib.compress(bytes(tile * tile), 9)
    tags = {
        256: (3, side),
        257: (3, side),
        258: (3, 8),
        259: (3, 8),
        262: (3, 1),
        277: (3, 1),
        322: (4, tile),
        323: (4, tile),
        324: (4, 8 + 2 + 12 * 10 + 4),
        325: (4, len(data)),
    }
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    for tag, (kind, value) in sorted(tags.items()):
        head += struct.pack("<HHII", tag, kind, 1, value)
    return head + bytes(4) + data


def many_scans(n_scans, side=64):
    """Return a progressive JPEG whose last scan is repeated."""
    content = encode(make_pixels(side), "JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    return content[:start] + content[start:-2] * n_scans + content[-2:]


def test_tile_much_larger_than_the_image_is_refused():
    content = tiled_tiff(16, 8192)
    assert len(content) < 100_000
    assert read_header(content)[:2] == (16, 16)
    with pytest.raises(ImageFileError, match="tiles of 8192 x 8192 pixels for an image of 16 x 16"):
        decode(content)


@pytest.mark.parametrize(("side", "tile"), [(16, 16), (100, 256), (300, 128)])
def test_tiles_of_usual_size_are_read(side, tile):
    if side <= tile:
        assert (decode(tiled_tiff(side, tile)) == 0).all()
    pixels = make_pixels(side)
    np.testing.assert_array_equal(decode(encode(pixels, "TIFF", compression="tiff_lzw")), pixels)


def test_thousands_of_scans_are_refused_at_once():
    content = many_scans(5_000, side=512)
    start = time.perf_counter()
    with pytest.raises(ImageFileError, match=r"is a JPEG of 50\d\d scans"):
        decode(content)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("progressive", [False, True])
def test_usual_jpegs_are_read(progressive):
    content = encode(make_pixels(), "JPEG", progressive=progressive)
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(decode(content), np.asarray(image))


def test_no_other_program_is_started(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *args, **_: started.append(args))
    monkeypatch.setattr(shutil, "which", lambda *args, **_: "gs")
    path = tmp_path / "photo.png"
    Image.fromarray(make_pixels()).save(path, "EPS")
    with pytest.raises(ImageFileError, match="not an image that Pillow can read"):
        ImageLoader(size=8).fit_transform([path])
    assert audit_images([path]).findings["issue"].tolist() == ["unreadable"]
    for name in ("cat", "dog"):
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.fromarray(make_pixels()).save(tmp_path / "set" / name / "1.png")
    path.rename(tmp_path / "set" / "cat" / "2.png")
    assert len(load_image_folder(tmp_path / "set", on_error="skip").ignored) == 1
    assert started == []


@pytest.mark.parametrize("file_format", ["PCX", "SGI", "TGA", "ICO", "JPEG2000", "DDS"])
def test_rare_formats_are_read(file_format):
    pixels = np.full((64, 64, 3), 200, np.uint8)
    np.testing.assert_allclose(decode(encode(pixels, file_format)), pixels, atol=2)
