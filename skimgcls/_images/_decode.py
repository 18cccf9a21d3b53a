"""Decode the pixels of one image from a path or from the bytes of a file."""

import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ImageFile import StubImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from skimgcls._images._cost import readable_formats, refuse_costly
from skimgcls._images._png_text import PNG_NOTES, PNG_SIGNATURE, without_long_texts
from skimgcls._images._resize import Resize
from skimgcls.exceptions import ImageFileError

# Suffixes of image files in a folder. Pillow detects the actual format from the content.
SUFFIXES = {
    *(".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm"),
    *(".tif", ".tiff", ".webp"),
}
# Formats that are recognized by their first bytes, whatever the name of the file. Others, such as
# TGA, have no signature, and stubs, such as HDF5, are recognized but not decoded.
_SIGNED_FORMATS = {
    *("AVIF", "BMP", "DDS", "GIF", "HEIF", "ICNS", "ICO", "JPEG", "JPEG2000", "JXL", "MPO", "PNG"),
    *("PPM", "PSD", "QOI", "TIFF", "WEBP"),
}
CHANNELS = {"L": 1, "RGB": 3}
# The EXIF tag Orientation, and its values for images rotated by 90 degrees.
_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)
# The tags ImageWidth and ImageLength of a TIFF.
_TIFF_SIZE = (0x0100, 0x0101)
# Modes of Pillow that are saved as PNG, and replacements of modes that no format supports in all
# versions. Other modes are saved as TIFF.
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_NO_FORMAT_HAS = {"HSV": "RGB", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA", "YCbCr": "RGB"}
# Images with 16 bits and only values below this, an eighth of white, are dark.
FAINT = 2**13
# Modes that Pillow does not convert to gray.
_WITHOUT_GRAY = ("LAB", "HSV")
# Formats whose 16-bit gray images Pillow may read as 32-bit.
_SIXTEEN_BITS_IN_32 = ("PNG", "PPM")

_Used = TypeVar("_Used")


class Header(NamedTuple):
    """Header of an image file: size after applying the EXIF orientation, Pillow mode, format."""

    height: int
    width: int
    mode: str
    format: str


def write_picture(image: Image.Image, *, compress_level: int = 1) -> bytes:
    """Return a PIL image as the bytes of a file, with its mode, transparency and orientation.

    Raises
    ------
    ImageFileError
        If the image was opened from a broken file, or is closed.
    """
    file = io.BytesIO()
    try:
        exif = image.getexif()
        if image.mode == "I" and image.format in _SIXTEEN_BITS_IN_32:
            image = image.convert("I;16")
        if image.mode in _NO_FORMAT_HAS:
            image = image.convert(_NO_FORMAT_HAS[image.mode])
        if image.mode in _PNG_MODES:
            image.save(file, "PNG", exif=exif, compress_level=compress_level)
        else:
            image.save(file, "TIFF", exif=exif)
    except MemoryError:
        raise
    except Exception as error:
        # For an image that was closed, Pillow raises several exceptions, some without a text.
        reason = str(error) or "it is closed"
        raise ImageFileError(
            f"a PIL image cannot be read: {reason}. Use it inside its with block, call "
            "image.load() there, or pass its path."
        ) from error
    return file.getvalue()


def has_image_content(path: str) -> bool:
    """Return whether Pillow recognizes and can decode a file, whatever its suffix."""

    def is_usable(image: Image.Image) -> bool:
        suffix = os.path.splitext(path)[1].lower()
        is_named = Image.registered_extensions().get(suffix) == image.format
        is_stub = isinstance(image, StubImageFile) or not getattr(image, "tile", None)
        return image.format in _SIGNED_FORMATS or (is_named and not is_stub)

    try:
        return _use(path, is_usable)
    except (ImageFileError, OSError):
        return False


def read_header(item: Any) -> Header:
    """Return the header of a file without decoding its pixels.

    Parameters
    ----------
    item : str, PathLike or bytes
        A path, or the content of the file.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the file does not exist or cannot be read.
    ImageFileError
        If it is empty, a folder, not an image, or too large.
    """

    def read(image: Image.Image) -> Header:
        try:
            width, height = _upright_size(image)
        except MemoryError:
            raise
        except Exception as error:
            raise ImageFileError(f"{name_of(item)} has a broken header: {error}") from error
        return Header(height, width, image.mode, str(image.format))

    return _use(item, read)


def decode(
    item: Any,
    mode: str = "RGB",
    resize: Resize | None = None,
    background: tuple[int, int, int] = (255, 255, 255),
    white_level: int | None = None,
) -> np.ndarray:
    """Return the pixels of one image, upright, as uint8 of shape (height, width, channels).

    Parameters
    ----------
    item : str, PathLike or bytes
        A path, or the content of the file.
    mode : {"RGB", "L"}, default="RGB"
        Color or gray.
    resize : Resize or None, default=None
    background : tuple of 3 int
        The color behind transparent pixels.
    white_level : int or None, default=None
        The value of white in gray images with 16 bits. None stands for 65535: the upper 8 bits are
        used.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the file does not exist or cannot be read.
    ImageFileError
        If it is empty, a folder, not an image, truncated, or too large.

    Notes
    -----
    Warnings of Pillow, for example about invalid EXIF data, are not suppressed: that would change
    the warning filters of the whole process, including other threads.
    """

    def read(image: Image.Image) -> np.ndarray:
        try:
            _check_depth(image)
            refuse_costly(image)
            upright = ImageOps.exif_transpose(image)
            converted = _convert(_to_8_bits(upright, white_level), mode, background)
            sized = converted if resize is None else resize(converted)
            return np.asarray(sized)
        except ImageFileError as error:
            raise ImageFileError(f"{name_of(item)} {error}") from None
        except MemoryError:
            raise
        except Exception as error:
            # Pillow raises many types of exceptions for broken files.
            raise ImageFileError(f"{name_of(item)} is cut short or broken: {error}") from error

    pixels = _use(item, read)
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


def rewrite(content: bytes) -> bytes:
    """Return the content of a file as a plain one of the same pixels, in PNG or TIFF.

    Raises the same errors as :func:`decode`.
    """

    def read(image: Image.Image) -> bytes:
        try:
            _check_depth(image)
            refuse_costly(image)
            image.load()
        except ImageFileError as error:
            raise ImageFileError(f"{name_of(content)} {error}") from None
        except MemoryError:
            raise
        except Exception as error:
            raise ImageFileError(f"{name_of(content)} is cut short or broken: {error}") from error
        return write_picture(image, compress_level=0)

    return _use(content, read)


def name_of(item: Any) -> str:
    """Return the name of a file for error messages."""
    return f"a file of {len(item)} bytes" if isinstance(item, bytes) else repr(os.fspath(item))


def stamp_of(item: Any) -> tuple[int, int, int, int]:
    """Return numbers that change with the content of a file; or raise as `decode`.

    They are the modification time in nanoseconds, the size, the inode and the time of the last
    change of the inode. The first two alone do not distinguish files that an archive wrote, and can
    be set.

    Anything but a regular file raises an error: reading a named pipe could block forever.
    """
    if isinstance(item, bytes):
        found = (-1, len(item), -1, -1)
    else:
        try:
            told = os.stat(item)
        except FileNotFoundError:
            home = os.fspath(item).startswith("~")
            hint = " Pass os.path.expanduser(path): paths of images are not expanded." * home
            raise FileNotFoundError(f"There is no file {name_of(item)}.{hint}") from None
        except PermissionError:
            raise PermissionError(f"{name_of(item)} may not be read.") from None
        except (OSError, ValueError) as error:
            raise ImageFileError(f"{name_of(item)} cannot be opened: {error}.") from error
        if not stat.S_ISREG(told.st_mode):
            kind = "a folder" if stat.S_ISDIR(told.st_mode) else "a device or pipe"
            raise ImageFileError(f"{name_of(item)} is {kind}, not a file.")
        # Inodes of some file systems need all 64 bits.
        inode = told.st_ino - 2**64 if told.st_ino >= 2**63 else told.st_ino
        found = (told.st_mtime_ns, told.st_size, inode, told.st_ctime_ns)
    if found[1] == 0:
        raise ImageFileError(f"{name_of(item)} is empty: it has 0 bytes.")
    return found


def _use(item: Any, function: Callable[[Image.Image], _Used]) -> _Used:
    """Return the result of a function of the opened file, without texts too long for Pillow."""
    stamp_of(item)
    try:
        with _opened(item, name_of(item)) as image:
            return function(image)
    except ImageFileError as error:
        # Pillow's error about a long text.
        if not isinstance(error.__cause__, ValueError):
            raise
        content = item if isinstance(item, bytes) else Path(item).read_bytes()
        shorter = without_long_texts(content)
        if shorter is None:
            raise
    with _opened(shorter, name_of(item)) as image:
        return function(image)


def _opened(item: Any, name: str) -> Image.Image:
    """Open a file with Pillow, without reading its pixels."""
    try:
        image = _open(io.BytesIO(item) if isinstance(item, bytes) else item)
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


def _open(item: Any) -> Image.Image:
    try:
        return Image.open(item, formats=readable_formats())
    except UnidentifiedImageError:
        # The readers of rare formats are imported when they are needed.
        Image.init()
        return Image.open(item, formats=readable_formats())


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """Return the width and height of an image after applying its EXIF orientation."""
    # Pillow looks for EXIF data at the end of a PNG by decoding all pixels before.
    if (
        isinstance(image, PngImageFile)
        and PNG_NOTES.isdisjoint(image.info)
        and not _has_exif_chunk(image.fp)
    ):
        return image.size
    if image.getexif().get(_ORIENTATION) not in _ON_ITS_SIDE:
        return image.size
    if isinstance(image, TiffImageFile):
        # Versions of Pillow differ in whether this size is upright before the pixels are read.
        width, height = (image.tag_v2[tag] for tag in _TIFF_SIZE)
        return height, width
    return image.height, image.width


def _has_exif_chunk(file: Any) -> bool:
    """Return whether an open PNG has a chunk of EXIF data, without reading its pixels."""
    place = file.tell()
    file.seek(len(PNG_SIGNATURE))
    try:
        while len(head := file.read(8)) == 8:
            if head[4:] == b"eXIf":
                return True
            # The content and its checksum.
            file.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
        return False
    finally:
        file.seek(place)


def _too_large(name: str) -> str:
    return (
        f"{name} claims more than {Image.MAX_IMAGE_PIXELS} pixels and could be a decompression "
        "bomb. If you trust the file, raise PIL.Image.MAX_IMAGE_PIXELS."
    )


def _check_depth(image: Image.Image) -> None:
    is_gray_of_16_bits = image.mode == "I" and image.format in _SIXTEEN_BITS_IN_32
    if image.mode in ("F", "I") and not is_gray_of_16_bits:
        raise ImageFileError(
            "holds 32-bit numbers of unknown range. Read it yourself and pass an array."
        )


def is_16_bit(header: Header) -> bool:
    """Return whether an image has gray values of 16 bits."""
    return header.mode.startswith("I")


def _to_8_bits(image: Image.Image, white_level: int | None) -> Image.Image:
    """Return gray images of 16 bits with 8 bits; others unchanged."""
    if not image.mode.startswith("I"):
        return image
    # Pillow would clip values above 255.
    values = np.asarray(image)
    if white_level is None:
        scaled = values >> 8
    else:
        scaled = np.minimum(np.rint(values * (255 / white_level)), 255)
    reduced = Image.fromarray(scaled.astype(np.uint8))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        # The transparent value has 16 bits, too.
        alpha = np.where(values == transparent, 0, 255).astype(np.uint8)
        reduced = Image.merge("LA", (reduced, Image.fromarray(alpha)))
    return reduced


def _convert(image: Image.Image, mode: str, background: tuple[int, int, int]) -> Image.Image:
    if image.mode == mode and "transparency" not in image.info:
        return image
    if image.mode in _WITHOUT_GRAY and mode == "L":
        image = image.convert("RGB")
    if image.has_transparency_data:
        behind = Image.new("RGBA", image.size, (*background, 255))
        image = Image.alpha_composite(behind, image.convert("RGBA"))
    return image if image.mode == mode else image.convert(mode)
