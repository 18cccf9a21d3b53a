"""PNG files with texts that are longer than Pillow reads."""

import io
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from skimgcls import ImageLoader
from skimgcls._images._decode import decode, has_image_content, read_header
from skimgcls._images._png_text import without_long_texts
from skimgcls.exceptions import ImageFileError

LONG = "x" * 2**21
PIXELS = np.random.RandomState(0).randint(0, 256, (5, 7, 3), np.uint8)


def encode(note=None, **options):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG", pnginfo=note, **options)
    return file.getvalue()


def noted(add, key="workflow", text=LONG, **options):
    note = PngInfo()
    getattr(note, add)(key, text, **options)
    return encode(note)


def moved_to_the_end(content, kind):
    """Return a PNG with a chunk behind its pixels."""
    start = content.index(kind) - 4
    length = 12 + int.from_bytes(content[start : start + 4], "big")
    end = content.index(b"IEND") - 4
    chunk = content[start : start + length]
    return content[:start] + content[start + length : end] + chunk + content[end:]


FILES = {
    "compressed": noted("add_text", zip=True),
    "international": noted("add_itxt", zip=True),
    "behind the pixels": moved_to_the_end(noted("add_text", zip=True), b"zTXt"),
    "color profile": encode(icc_profile=bytes(2**21)),
}


@pytest.mark.parametrize("name", FILES)
def test_pixels_are_read(name, tmp_path):
    with (
        pytest.raises(ValueError, match=r"(?i)too large"),
        Image.open(io.BytesIO(FILES[name])) as image,
    ):
        image.load()
    np.testing.assert_array_equal(decode(FILES[name]), PIXELS)
    assert read_header(FILES[name])[:3] == (5, 7, "RGB")
    path = tmp_path / "drawing"
    path.write_bytes(FILES[name])
    assert has_image_content(str(path))
    found = np.asarray(ImageLoader().fit_transform([path]))
    np.testing.assert_array_equal(found[0], PIXELS)


def test_many_texts_are_read():
    note = PngInfo()
    for number in range(33):
        note.add_text(f"page {number}", LONG)
    np.testing.assert_array_equal(decode(encode(note)), PIXELS)


def test_thousands_of_texts_are_not_all_decompressed():
    content = FILES["compressed"]
    start = content.index(b"zTXt") - 4
    length = 12 + int.from_bytes(content[start : start + 4], "big")
    many = content[:start] + content[start : start + length] * 2_000 + content[start + length :]
    begin = time.perf_counter()
    np.testing.assert_array_equal(decode(many), PIXELS)
    assert time.perf_counter() - begin < 3


def test_short_texts_and_the_pixels_stay():
    note = PngInfo()
    note.add_text("author", "someone", zip=True)
    note.add_text("workflow", LONG, zip=True)
    note.add_itxt("Title", "a drawing")
    shorter = without_long_texts(encode(note))
    assert b"author" in shorter
    assert b"workflow" not in shorter
    with Image.open(io.BytesIO(shorter)) as image:
        assert image.text == {"author": "someone", "Title": "a drawing"}
        np.testing.assert_array_equal(np.asarray(image), PIXELS)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"text", encode()[:20], encode(), encode()[:-30]),
        *(noted("add_text", text="short"), noted("add_itxt", text="short", zip=True)),
    ],
)
def test_other_files_stay_as_they_are(content):
    assert without_long_texts(content) is None


@pytest.mark.parametrize(
    ("add", "key"), [("add_itxt", "XML:com.adobe.xmp"), ("add_text", "Raw profile type exif")]
)
def test_a_text_that_may_hold_the_orientation_is_not_dropped(add, key):
    content = noted(add, key, zip=True)
    assert len(content) < 4000
    with pytest.raises(ImageFileError, match=r"(?i)too large"):
        decode(content)


def test_a_broken_file_with_a_long_text_is_named(tmp_path):
    content = FILES["compressed"]
    start = content.index(b"IDAT") + 4
    path = tmp_path / "cut.png"
    path.write_bytes(content[: start + 20])
    with pytest.raises(ImageFileError, match=r"cut\.png' is cut short or broken"):
        decode(path)


def test_text_that_is_not_compressed_correctly_stays():
    short = zlib.compress(b"x" * 50)
    content = noted("add_text", text="x" * 50, zip=True)
    assert short in content
    assert without_long_texts(content.replace(short, b"\xff" * len(short))) is None
