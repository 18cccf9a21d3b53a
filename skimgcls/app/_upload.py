"""Check and decode uploaded files."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from skimgcls._images._decode import decode, name_of
from skimgcls._images._resize import Resize
from skimgcls.exceptions import ImageFileError

# Pillow's readers that are allowed for uploads. Others start programs (EPS) or are rare.
FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = ("bmp", "jpeg", "jpg", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp")
# Longer side in pixels of the displayed image and of the thumbnail in a table.
PICTURE_SIDE, THUMBNAIL_SIDE = 640, 48
# Images up to this side are encoded as PNG, because JPEG would blur single pixels.
_TINY = 96
_MEGA = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Limits on uploads.

    Attributes
    ----------
    upload_mb : int
        Maximum size of a file, in 1024 x 1024 bytes.
    megapixels : float
        Maximum size of an image, in millions of pixels.
    files : int
        Maximum number of files in a batch.
    session_bytes, process_bytes : int
        Memory of the uploads that are kept, of one session and of all.
    """

    upload_mb: int = 10
    megapixels: float = 50.0
    files: int = 100

    # Memory of the uploads that are kept: of one session, and of all.
    session_bytes: int = 256 * 2**20
    process_bytes: int = 1024 * 2**20

    @property
    def pixels(self) -> int:
        """Maximum number of pixels of an image."""
        return int(self.megapixels * _MEGA)


def check_upload(content: bytes, limits: Limits) -> None:
    """Raise if a file is too large or has no image header. The image is not decoded.

    Raises
    ------
    ImageFileError
        With a message for the user of the page.
    """
    if not content:
        raise ImageFileError("It is empty.")
    if len(content) > limits.upload_mb * 2**20:
        raise ImageFileError(f"It is larger than {limits.upload_mb} MB, the upload limit.")
    too_large = ImageFileError(
        f"Its header states more than {limits.megapixels:g} million pixels, the limit."
    )
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except UnidentifiedImageError:
        kinds = "PNG, JPEG, WebP, TIFF, BMP, PGM or PPM"
        raise ImageFileError(f"It is not an image of a supported format: {kinds}.") from None
    except MemoryError:
        raise
    except Exception as error:
        # A corrupted file can raise many errors in Pillow's readers.
        raise ImageFileError("It is cut short or broken.") from error
    if width * height > limits.pixels:
        raise too_large


def explain_to_user(error: ImageFileError, content: bytes) -> ImageFileError:
    """Return an error of a file for the user of the page, who knows it by another name."""
    reason = str(error).removeprefix(name_of(content)).strip()
    return ImageFileError(f"It {reason}")


def decode_upload(
    content: bytes,
    mode: str = "RGB",
    resize: Resize | None = None,
    white_level: int | None = None,
) -> np.ndarray:
    """Return the pixels of a file that passed `check_upload`.

    Raises
    ------
    ImageFileError
        With a message for the user of the page.
    """
    try:
        return decode(content, mode, resize, white_level=white_level)
    except ImageFileError as error:
        raise explain_to_user(error, content) from error


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return an image (height, width, 3) whose longer side is at most `side` pixels."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(image)


def to_data_url(pixels: np.ndarray) -> str:
    """Return an image (height, width, 3) as a data URL."""
    file = io.BytesIO()
    kind = "PNG" if max(pixels.shape[:2]) <= _TINY else "JPEG"
    Image.fromarray(pixels).save(file, kind, quality=88)
    return to_address(file.getvalue(), kind.lower())


def to_address(content: bytes, kind: str) -> str:
    """Return a file as a data URL, so that the page requests no image from the server."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
