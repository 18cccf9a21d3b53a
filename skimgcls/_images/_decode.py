"""From a path, or the bytes of a file, to the pixels of one image."""

import io
import os
import stat
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from skimgcls._images._resize import Resize
from skimgcls.exceptions import ImageFileError

# What a folder is searched for. Pillow decides by a file's content what it really is.
SUFFIXES = frozenset(
    [".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"]
)
CHANNELS = {"L": 1, "RGB": 3}
# Of the tag Orientation in EXIF: the picture lies on its side.
_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)
# The tags ImageWidth and ImageLength of a TIFF.
_TIFF_SIZE = (0x0100, 0x0101)
# Where the beginning of a PNG has that tag, if it has it at all.
_PNG_NOTES = {"exif", "Raw profile type exif", "XML:com.adobe.xmp"}
# Pillow's modes that a PNG can have, and what is kept of those that no format has, or not in all
# versions; a TIFF has the others.
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_NO_FORMAT_HAS = {"HSV": "RGB", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA", "YCbCr": "RGB"}
# Formats whose grey images of 16 bits Pillow may read into 32.
_SIXTEEN_BITS_IN_32 = ("PNG", "PPM")


class Header(NamedTuple):
    """What a file tells of itself before its pixels: size once turned upright, Pillow's mode."""

    height: int
    width: int
    mode: str
    format: str


def write_picture(image: Image.Image) -> bytes:
    """Return a picture as a file that holds all of it: its mode, transparency and orientation.

    Raises
    ------
    ImageFileError
        If it was opened of a file that proves broken.
    """
    file = io.BytesIO()
    try:
        exif = image.getexif()
        if image.mode in _NO_FORMAT_HAS:
            image = image.convert(_NO_FORMAT_HAS[image.mode])
        if image.mode in _PNG_MODES:
            image.save(file, "PNG", exif=exif, compress_level=1)
        else:
            image.save(file, "TIFF", exif=exif)
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageFileError(f"a picture of Pillow cannot be read: {error}") from error
    return file.getvalue()


def read_header(item: Any) -> Header:
    """Return what the beginning of a file tells; no pixel is decoded.

    Parameters
    ----------
    item : str, PathLike or bytes
        A path, or what the file holds.

    Raises
    ------
    FileNotFoundError, PermissionError
        If there is no such file, or it may not be read.
    ImageFileError
        If it is empty, a folder, no image, or too large to be one.
    """
    with _opened(item) as image:
        try:
            width, height = _upright_size(image)
        except MemoryError:
            raise
        except Exception as error:
            raise ImageFileError(f"{name_of(item)} has a broken header: {error}") from error
        return Header(height, width, image.mode, str(image.format))


def decode(
    item: Any,
    mode: str = "RGB",
    resize: Resize | None = None,
    background: tuple[int, int, int] = (255, 255, 255),
) -> np.ndarray:
    """Return the pixels of one image, upright, as uint8 of shape (height, width, channels).

    Parameters
    ----------
    item : str, PathLike or bytes
        A path, or what the file holds.
    mode : {"RGB", "L"}, default="RGB"
        Three channels, or one of grey. Sixteen bits become eight by their upper half.
    resize : Resize or None, default=None
    background : tuple of 3 int
        The colour behind transparent pixels.

    Raises
    ------
    FileNotFoundError, PermissionError
        If there is no such file, or it may not be read.
    ImageFileError
        If it is empty, a folder, no image, cut short, or too large to be one.

    Notes
    -----
    What Pillow warns of, such as EXIF data that make no sense, stays a warning of Pillow's: to
    silence it here would be to change the filters of the whole process, other threads included.
    """
    with _opened(item) as image:
        try:
            _check_depth(image)
            upright = ImageOps.exif_transpose(image)
            converted = _convert(upright, mode, background)
            sized = converted if resize is None else resize(converted)
            pixels = np.asarray(sized)
        except ImageFileError as error:
            raise ImageFileError(f"{name_of(item)} {error}") from None
        except MemoryError:
            raise
        except Exception as error:
            # A broken file can fail anywhere in Pillow's readers, in many ways.
            raise ImageFileError(f"{name_of(item)} is cut short or broken: {error}") from error
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


def name_of(item: Any) -> str:
    """Return how an error calls a file."""
    return f"a file of {len(item)} bytes" if isinstance(item, bytes) else repr(os.fspath(item))


def stamp_of(item: Any) -> tuple[int, int]:
    """Return when a file was last written, in nanoseconds, and its bytes; or raise as `decode`.

    What is no plain file is refused here: a named pipe would be waited on for ever.
    """
    if isinstance(item, bytes):
        found = (-1, len(item))
    else:
        try:
            told = os.stat(item)
        except FileNotFoundError:
            raise FileNotFoundError(f"There is no file {name_of(item)}.") from None
        except PermissionError:
            raise PermissionError(f"{name_of(item)} may not be read.") from None
        except (OSError, ValueError) as error:
            raise ImageFileError(f"{name_of(item)} cannot be opened: {error}.") from error
        if not stat.S_ISREG(told.st_mode):
            kind = "a folder" if stat.S_ISDIR(told.st_mode) else "a device or pipe"
            raise ImageFileError(f"{name_of(item)} is {kind}, not a file.")
        found = (told.st_mtime_ns, told.st_size)
    if found[1] == 0:
        raise ImageFileError(f"{name_of(item)} is empty: it has 0 bytes.")
    return found


def _opened(item: Any) -> Image.Image:
    """Return Pillow's image of the file, its pixels not yet read."""
    stamp_of(item)
    name = name_of(item)
    try:
        image = Image.open(io.BytesIO(item) if isinstance(item, bytes) else item)
    except PermissionError:
        raise PermissionError(f"{name} may not be read.") from None
    except MemoryError:
        raise
    except UnidentifiedImageError:
        raise ImageFileError(f"{name} is not an image that Pillow can read.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageFileError(_too_large(name)) from error
    except Exception as error:
        raise ImageFileError(f"{name} cannot be read as an image: {error}") from error
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        image.close()
        raise ImageFileError(_too_large(name))
    return image


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height of an image once it is turned as its EXIF data say."""
    # A PNG may tell of EXIF at its end; asking for it would decode all before.
    if image.format == "PNG" and _PNG_NOTES.isdisjoint(image.info):
        return image.size
    if image.getexif().get(_ORIENTATION) not in _ON_ITS_SIDE:
        return image.size
    if isinstance(image, TiffImageFile):
        # Some versions of Pillow have this size upright before the file is read, and others not.
        width, height = (image.tag_v2[tag] for tag in _TIFF_SIZE)
        return height, width
    return image.height, image.width


def _too_large(name: str) -> str:
    return (
        f"{name} claims more than {Image.MAX_IMAGE_PIXELS} pixels, as a decompression bomb does. "
        "If it is a picture of yours, raise PIL.Image.MAX_IMAGE_PIXELS."
    )


def _check_depth(image: Image.Image) -> None:
    is_grey_of_16_bits = image.mode == "I" and image.format in _SIXTEEN_BITS_IN_32
    if image.mode in ("F", "I") and not is_grey_of_16_bits:
        raise ImageFileError(
            "holds 32-bit numbers, whose range is not told. Read it yourself and pass an array."
        )


def _convert(image: Image.Image, mode: str, background: tuple[int, int, int]) -> Image.Image:
    if image.mode == mode and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):
        # Pillow itself would cut off what is above 255.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        behind = Image.new("RGBA", image.size, (*background, 255))
        image = Image.alpha_composite(behind, image.convert("RGBA"))
    return image if image.mode == mode else image.convert(mode)
