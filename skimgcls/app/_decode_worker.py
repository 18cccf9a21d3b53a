"""Process that decodes uploads: ``python -m skimgcls.app._decode_worker UPLOAD_MB MEGAPIXELS MB``.

It reads an upload from standard input, and writes two files, or a message for the user, to standard
output. Nothing else is in its memory, and the server stops it if it takes too long.
"""

import io
import sys
import warnings
from typing import BinaryIO

from PIL import Image

from skimgcls._images._decode import decode, read_header, rewrite
from skimgcls._images._resize import Resize
from skimgcls.app._upload import PICTURE_SIDE, Limits, check_upload, explain_to_user
from skimgcls.exceptions import ImageFileError

try:
    import resource
except ImportError:
    # Windows has no such limits.
    resource = None  # type: ignore[assignment]

# First byte of a reply.
OK, REFUSED = b"0", b"1"
_LENGTH = 8


def write_frame(file: BinaryIO, content: bytes) -> None:
    """Write bytes with their length."""
    file.write(len(content).to_bytes(_LENGTH, "big"))
    file.write(content)
    file.flush()


def read_frame(file: BinaryIO) -> bytes | None:
    """Return the bytes of `write_frame`, or None at the end of the file."""
    head = file.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    n_bytes = int.from_bytes(head, "big")
    content = file.read(n_bytes)
    return content if len(content) == n_bytes else None


def clean(content: bytes, limits: Limits) -> tuple[bytes, bytes]:
    """Return an upload as a plain file of the same pixels, and a small PNG to show.

    Raises
    ------
    ImageFileError
        With a message for the user of the page.
    """
    check_upload(content, limits)
    try:
        # One after the other, so that the pixels are in memory once.
        shown = _make_small(content)
        plain = rewrite(content)
    except ImageFileError as error:
        raise explain_to_user(error, content) from error
    except MemoryError:
        raise ImageFileError("It needs too much memory to decode.") from None
    return plain, shown


def _make_small(content: bytes) -> bytes:
    """Return an upright RGB image as a PNG of at most PICTURE_SIDE pixels."""
    header = read_header(content)
    ratio = PICTURE_SIDE / max(header.height, header.width, PICTURE_SIDE)
    size = max(1, round(header.height * ratio)), max(1, round(header.width * ratio))
    file = io.BytesIO()
    pixels = decode(content, resize=Resize(size, interpolation="bicubic"))
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def main(arguments: list[str]) -> None:
    """Answer uploads until standard input ends."""
    upload_mb, megapixels, megabytes = arguments
    limits = Limits(upload_mb=int(upload_mb), megapixels=float(megapixels))
    Image.MAX_IMAGE_PIXELS = limits.pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    if resource is not None:
        most = int(megabytes) * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    while (content := read_frame(sys.stdin.buffer)) is not None:
        try:
            plain, shown = clean(content, limits)
        except ImageFileError as error:
            write_frame(sys.stdout.buffer, REFUSED + str(error).encode())
        else:
            write_frame(sys.stdout.buffer, OK + plain)
            write_frame(sys.stdout.buffer, shown)


if __name__ == "__main__":
    main(sys.argv[1:])
