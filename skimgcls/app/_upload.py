"""From what a visitor sent to a picture, within limits."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from skimgcls._images._decode import decode, name_of
from skimgcls._images._resize import Resize
from skimgcls.exceptions import ImageFileError

# Pillow's readers that a stranger's file may reach. Others start programs (EPS) or are rare.
FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = ("bmp", "jpeg", "jpg", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp")
# Pixels of the longer side: of the picture on the page, and of the one in a line of a table.
PICTURE_SIDE, THUMBNAIL_SIDE = 640, 48
# Pictures up to this side are shown pixel by pixel, which JPEG would blur.
_TINY = 96
_MEGA = 1_000_000


@dataclass(frozen=True)
class Limits:
    """What a visitor may send.

    Attributes
    ----------
    upload_mb : int
        Size of a file, in 1024 x 1024 bytes.
    megapixels : float
        Size of a picture, in millions of pixels.
    files : int
        Files in a batch.
    """

    upload_mb: int = 10
    megapixels: float = 50.0
    files: int = 100

    @property
    def pixels(self) -> int:
        """Pixels that a picture may have."""
        return int(self.megapixels * _MEGA)


def check_upload(content: bytes, limits: Limits) -> None:
    """Raise if a file is too large, or its beginning is not that of a picture; decode nothing.

    Raises
    ------
    ImageFileError
        With a sentence for the visitor.
    """
    if not content:
        raise ImageFileError("It is empty.")
    if len(content) > limits.upload_mb * 2**20:
        raise ImageFileError(f"It is larger than {limits.upload_mb} MB, the most that is taken.")
    too_large = ImageFileError(
        f"It claims to have more than {limits.megapixels:g} million pixels, the most that is taken."
    )
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except UnidentifiedImageError:
        kinds = "PNG, JPEG, WebP, TIFF, BMP, PGM or PPM"
        raise ImageFileError(f"It is no picture that can be read here: {kinds}.") from None
    except MemoryError:
        raise
    except Exception as error:
        # A broken file can fail anywhere in Pillow's readers, in many ways.
        raise ImageFileError("It is cut short or broken.") from error
    if width * height > limits.pixels:
        raise too_large


def decode_upload(content: bytes, mode: str = "RGB", resize: Resize | None = None) -> np.ndarray:
    """Return the pixels of a file that `check_upload` let through.

    Raises
    ------
    ImageFileError
        With a sentence for the visitor.
    """
    try:
        return decode(content, mode, resize)
    except ImageFileError as error:
        reason = str(error).removeprefix(name_of(content)).strip()
        raise ImageFileError(f"It {reason}") from error


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return a picture (height, width, 3) whose longer side is at most so many pixels."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(image)


def to_data_url(pixels: np.ndarray) -> str:
    """Return a picture (height, width, 3) as an address that holds all of it."""
    file = io.BytesIO()
    kind = "PNG" if max(pixels.shape[:2]) <= _TINY else "JPEG"
    Image.fromarray(pixels).save(file, kind, quality=88)
    return to_address(file.getvalue(), kind.lower())


def to_address(content: bytes, kind: str) -> str:
    """Return an address that holds a whole file: the page asks the server for no picture."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
