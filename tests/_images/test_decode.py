"""Decoding of one image: formats, modes, orientation, size and errors."""

import io
import os
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from skimgcls._images._decode import decode, read_header, stamp_of
from skimgcls._images._resize import Resize
from skimgcls.exceptions import ImageFileError

few = settings(deadline=None, max_examples=60)
ORIENTATION = 0x0112
NOBODY = 65534


def make_pixels(height=5, width=7):
    """Colors without sharp edges, which change little under compression."""
    rows, columns = np.mgrid[:height, :width] * 4
    return np.stack([rows + 90, columns + 60, rows + columns + 30], axis=2).astype(np.uint8)


def encode(image, file_format="PNG", **params):
    """Return the bytes of an image file."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, file_format, **params)
    return file.getvalue()


def with_orientation(value):
    exif = Image.Exif()
    exif[ORIENTATION] = value
    return exif


def png_that_claims(width, height):
    """A PNG with a valid header of the given size, but few pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(bytes(100)), b"IEND"]
    parts = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# Formats


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_files_give_their_pixels(file_format, tmp_path):
    pixels = make_pixels()
    data = encode(pixels, file_format)
    path = tmp_path / "picture"
    path.write_bytes(data)
    for item in (data, path, str(path)):
        found = decode(item)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, pixels)


def test_a_lossless_webp_gives_its_pixels():
    np.testing.assert_array_equal(
        decode(encode(make_pixels(), "WEBP", lossless=True)), make_pixels()
    )


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP"])
def test_lossy_files_give_approximately_their_pixels(file_format):
    # Even sides, because these formats subsample the colors.
    pixels = make_pixels(16, 24)
    found = decode(encode(pixels, file_format, quality=95)).astype(int)
    assert np.abs(found - pixels).mean() < 4


def test_a_gray_file_has_three_equal_channels_or_one():
    gray = make_pixels()[:, :, 0]
    for file_format in ("PNG", "PPM", "BMP", "TIFF"):
        data = encode(gray, file_format)
        np.testing.assert_array_equal(decode(data), np.stack([gray] * 3, axis=2))
        np.testing.assert_array_equal(decode(data, "L"), gray[:, :, np.newaxis])


@pytest.mark.parametrize("file_format", ["TIFF", "WEBP", "GIF"])
def test_the_first_of_several_frames_is_used(file_format):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "lime", "blue")]
    params = {"lossless": True} if file_format == "WEBP" else {}
    data = encode(frames[0], file_format, save_all=True, append_images=frames[1:], **params)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    np.testing.assert_array_equal(decode(data)[0, 0], [255, 0, 0])


# Modes


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_other_modes_are_converted_as_by_pillow(mode):
    image = Image.fromarray(make_pixels()).convert(mode)
    data = encode(image, "TIFF")
    assert Image.open(io.BytesIO(data)).mode == mode
    np.testing.assert_array_equal(decode(data), np.asarray(image.convert("RGB")))


def test_a_cmyk_jpeg_is_converted_to_rgb():
    data = encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")
    red = decode(data)[8, 8].astype(int)
    assert red[0] > 240
    assert max(red[1:]) < 15


def test_sixteen_bits_become_eight_by_their_upper_half():
    values = np.array([[0, 255, 256, 511], [30_000, 65_279, 65_280, 65_535]], np.uint16)
    for file_format in ("PNG", "TIFF", "PPM"):
        # Old versions of Pillow write 16-bit PPM files only from 32-bit images.
        data = encode(values.astype(np.int32) if file_format == "PPM" else values, file_format)
        found = decode(data, "L")[:, :, 0]
        np.testing.assert_array_equal(found, [[0, 0, 1, 1], [117, 254, 255, 255]], file_format)
        np.testing.assert_array_equal(decode(data)[:, :, 2], found)


@pytest.mark.parametrize("values", [np.float32(0.5), np.int32(70_000), np.int32(7), np.int32(-1)])
def test_pixels_of_32_bits_are_refused(values):
    data = encode(np.full((3, 4), values), "TIFF")
    assert read_header(data)[:2] == (3, 4)
    with pytest.raises(ImageFileError, match=r"32-bit numbers.*pass an array"):
        decode(data)


# Transparency


@pytest.mark.parametrize("background", [(255, 255, 255), (10, 20, 30)])
def test_the_background_shows_through_transparent_pixels(background):
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, 0], pixels[0, :, 3] = 200, [0, 255, 51]
    found = decode(encode(pixels), background=background)[0]
    fifth = 0.2 * np.array([200, 0, 0]) + 0.8 * np.array(background)
    np.testing.assert_array_equal(found[0], background)
    np.testing.assert_array_equal(found[1], [200, 0, 0])
    np.testing.assert_allclose(found[2], fifth, atol=1)


def test_gray_with_alpha_is_composited_over_the_background_too():
    pixels = np.zeros((1, 2, 2), np.uint8)
    pixels[0, :, 1] = [0, 255]
    np.testing.assert_array_equal(decode(encode(pixels), "L")[0, :, 0], [255, 0])


@pytest.mark.parametrize(
    ("mode", "color", "transparency"),
    [("P", 1, 1), ("P", 1, b"\xff\x00"), ("L", 77, 77), ("RGB", (1, 2, 3), (1, 2, 3))],
)
def test_one_color_of_a_png_can_be_transparent(mode, color, transparency):
    image = Image.new(mode, (2, 1), color)
    image.putpixel((1, 0), 0)
    if mode == "P":
        image.putpalette([0, 0, 0, 9, 9, 9])
    found = decode(encode(image, transparency=transparency), background=(7, 8, 9))
    np.testing.assert_array_equal(found[0], [[7, 8, 9], [0, 0, 0]])


# Orientation


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_an_image_is_rotated_by_its_exif_orientation(value, file_format):
    params = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}
    data = encode(
        make_pixels(), file_format, exif=with_orientation(value), **params.get(file_format, {})
    )
    plain = encode(make_pixels(), file_format, **params.get(file_format, {}))
    turn = {
        1: lambda pixels: pixels,
        2: lambda pixels: pixels[:, ::-1],
        3: lambda pixels: pixels[::-1, ::-1],
        4: lambda pixels: pixels[::-1],
        5: lambda pixels: pixels.transpose(1, 0, 2),
        6: lambda pixels: np.rot90(pixels, -1),
        7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90,
    }
    upright = turn[value](decode(plain))
    np.testing.assert_array_equal(decode(data), upright)
    assert read_header(data)[:2] == upright.shape[:2]


def test_the_orientation_in_xmp_data_is_used_too():
    note = PngInfo()
    note.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    data = encode(make_pixels(), pnginfo=note)
    np.testing.assert_array_equal(decode(data), np.rot90(make_pixels(), -1))
    assert read_header(data)[:2] == (7, 5)


def test_a_header_gives_size_mode_and_format():
    assert read_header(encode(make_pixels()[:, :, 0], "BMP")) == (5, 7, "L", "BMP")


# Size


@pytest.mark.parametrize("method", ["fit", "crop", "pad"])
def test_images_are_rotated_before_they_are_resized(method):
    upright = Image.fromarray(make_pixels(9, 14))
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    resize = Resize((4, 6), method)
    data = encode(lying, exif=with_orientation(6))
    np.testing.assert_array_equal(decode(data, resize=resize), np.asarray(resize(upright)))


@few
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    method=st.sampled_from(["fit", "crop", "pad"]),
    mode=st.sampled_from(["L", "RGB"]),
)
def test_any_size_is_resized_to_the_requested_size(height, width, size, method, mode):
    image = Image.new(mode, (width, height))
    assert Resize(size, method)(image).size == size[::-1]


@pytest.mark.parametrize(("height", "width"), [(30, 40), (40, 30), (31, 17), (8, 200)])
def test_cropping_keeps_the_center_as_in_pillow(height, width):
    image = Image.fromarray(make_pixels(height, width))
    found = np.asarray(Resize((10, 10), "crop")(image)).astype(int)
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    middle = image.crop((left, top, left + side, top + side))
    expected = middle.resize((10, 10), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(found, np.asarray(expected))


def test_padding_keeps_the_whole_image_as_in_pillow():
    image = Image.fromarray(make_pixels(10, 20))
    found = Resize((8, 8), "pad", background=(1, 2, 3))(image)
    expected = ImageOps.pad(image, (8, 8), Image.Resampling.BILINEAR, (1, 2, 3))
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def test_rounding_in_resizing_does_not_depend_on_the_version_of_pillow():
    """Versions of Pillow resize either rows or columns first."""
    pixels = (np.arange(35) ** 2 * 37 % 256).astype(np.uint8).reshape(5, 7)
    found = np.asarray(Resize((2, 12))(Image.fromarray(pixels)))[0, :8]
    assert found.tolist() == [36, 52, 77, 105, 126, 122, 122, 128]


def test_one_resize_can_follow_another():
    image = Image.fromarray(make_pixels(20, 30))
    first, second = Resize((9, 9), "pad"), Resize((4, 6), "crop", "bicubic")
    both = Resize((4, 6), "crop", "bicubic", before=first)
    np.testing.assert_array_equal(np.asarray(both(image)), np.asarray(second(first(image))))


# Rejected files


def refused(item, words, error=ImageFileError):
    for read in (read_header, decode):
        with pytest.raises(error, match=words):
            read(item)


def test_a_missing_file_is_reported_as_missing(tmp_path):
    path = tmp_path / "gone.png"
    refused(path, "There is no file '.*gone.png'", FileNotFoundError)


def test_a_file_that_is_no_image_is_refused_with_its_name(tmp_path):
    contents = {"empty.png": b"", "text.png": b"This is text.", "magic.png": b"\x89PNG\r\n\x1a\n"}
    words = {"empty.png": "is empty", "text.png": "not an image", "magic.png": ""}
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        refused(path, f"{name}.*{words[name]}")
    refused(b"", "a file of 0 bytes is empty")
    refused(b"text", "a file of 4 bytes is not an image")


def test_a_folder_is_refused(tmp_path):
    refused(tmp_path, "is a folder, not a file")


def test_symbolic_links_are_followed(tmp_path):
    (tmp_path / "picture.png").write_bytes(encode(make_pixels()))
    (tmp_path / "good").symlink_to("picture.png")
    (tmp_path / "dangling").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    np.testing.assert_array_equal(decode(tmp_path / "good"), make_pixels())
    refused(tmp_path / "dangling", "There is no file", FileNotFoundError)
    refused(tmp_path / "loop", "loop' cannot be opened")


@pytest.mark.parametrize("path", ["a\0b.png", "a" * 5000])
def test_what_cannot_be_a_path_is_refused(path):
    refused(path, "cannot be opened")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    refused(tmp_path / "pipe.png", "is a device or pipe, not a file")


@pytest.mark.usefixtures("bound_by_rights")
def test_a_file_without_read_permission_is_reported_as_such():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "secret.png")
        path.write_bytes(encode(make_pixels()))
        path.chmod(0)
        refused(path, "secret.png' may not be read", PermissionError)


@pytest.mark.parametrize("side", [10_000, 20_000, 2**31 - 1])
def test_a_file_that_claims_to_be_huge_is_refused_before_it_is_decoded(side):
    refused(png_that_claims(side, side), "claims more than .* raise PIL.Image.MAX_IMAGE_PIXELS")


def test_the_pixel_limit_of_pillow_can_be_changed(monkeypatch):
    data = encode(make_pixels())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 34)
    refused(data, "claims more than 34 pixels")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    np.testing.assert_array_equal(decode(data), make_pixels())


def test_a_memory_error_is_not_reported_as_a_broken_file(monkeypatch):
    def lack(*args, **options):
        raise MemoryError

    data = encode(make_pixels())
    for name in ("open", "Image.convert"):
        with monkeypatch.context() as patch:
            patch.setattr(f"PIL.Image.{name}", lack)
            with pytest.raises(MemoryError):
                decode(data, "L")


# Broken files

BROKEN = {
    "PNG": encode(make_pixels(24, 24)),
    "a PNG of few colors": encode(Image.fromarray(make_pixels(24, 24)).quantize(16)),
    "JPEG": encode(make_pixels(24, 24), "JPEG", exif=with_orientation(6)),
    "a progressive JPEG": encode(make_pixels(24, 24), "JPEG", progressive=True),
    "BMP": encode(make_pixels(24, 24), "BMP"),
    "TIFF": encode(make_pixels(24, 24), "TIFF", compression="tiff_lzw"),
    "WebP": encode(make_pixels(24, 24), "WEBP", exif=with_orientation(6)),
    "PPM": encode(make_pixels(24, 24), "PPM"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_cut_short_gives_its_pixels_or_an_error(kind):
    whole = BROKEN[kind]
    expected = decode(whole)
    messages = []
    cuts = {*range(1, len(whole), max(1, len(whole) // 100)), *range(len(whole) - 20, len(whole))}
    for cut in cuts:
        try:
            found = decode(whole[:cut])
        except ImageFileError as error:
            messages.append(str(error))
        else:
            np.testing.assert_array_equal(found, expected)
    assert len(messages) > 0.6 * len(cuts)
    assert all(message.startswith("a file of ") for message in messages)


@few
@given(kind=st.sampled_from(list(BROKEN)), data=st.data())
def test_a_damaged_file_gives_some_pixels_or_an_error(kind, data):
    damaged = bytearray(BROKEN[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    for read in (read_header, decode):
        try:
            found = read(bytes(damaged))
        except ImageFileError:
            continue
        if read is decode:
            assert found.dtype == np.uint8
            assert found.shape[2:] == (3,)


@few
@given(content=st.binary(max_size=200), start=st.sampled_from(sorted(BROKEN)))
def test_a_file_that_only_begins_like_an_image_is_refused(content, start):
    for data in (content, BROKEN[start][:12] + content):
        with pytest.raises(ImageFileError):
            decode(data)


# Stamps


def test_a_stamp_changes_with_the_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"123")
    before = stamp_of(path)
    assert before[1] == 3
    os.utime(path, ns=(0, before[0] + 1))
    assert stamp_of(path)[:2] == (before[0] + 1, 3)
    assert stamp_of(b"123") == (-1, 3, -1, -1)


# Formats with less common properties


def test_lab_images_are_converted_to_gray():
    file = io.BytesIO()
    Image.merge("LAB", [Image.new("L", (4, 4), value) for value in (150, 128, 128)]).save(
        file, "TIFF"
    )
    gray, color = decode(file.getvalue(), "L"), decode(file.getvalue(), "RGB")
    assert gray.shape == (4, 4, 1)
    np.testing.assert_allclose(gray[..., 0], color.mean(axis=2), atol=2)


@pytest.mark.parametrize("value", [0, 1000, 40_000])
def test_one_value_of_a_16_bit_png_can_be_transparent(value):
    values = np.full((4, 4), 30_000, np.uint16)
    values[0] = value
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG", transparency=value)
    pixels = decode(file.getvalue(), background=(1, 2, 3))
    assert pixels[0].tolist() == [[1, 2, 3]] * 4
    assert (pixels[1:] == 30_000 >> 8).all()


def test_exif_after_the_pixels_of_a_png_is_used():
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.arange(32, dtype=np.uint8).reshape(4, 8)).save(file, "PNG", exif=exif)
    content = file.getvalue()
    start = content.index(b"eXIf") - 4
    length = 12 + int.from_bytes(content[start : start + 4], "big")
    chunk = content[start : start + length]
    end = content.index(b"IEND") - 4
    late = content[:start] + content[start + length : end] + chunk + content[end:]
    np.testing.assert_array_equal(decode(late), decode(content))
    assert decode(late).shape == (8, 4, 3)
    assert read_header(late)[:2] == (8, 4)
