"""Texts in PNG files that are longer than Pillow reads."""

import zlib
from collections.abc import Iterator

from PIL.PngImagePlugin import MAX_TEXT_CHUNK

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Keys under which a PNG may contain the EXIF tag Orientation.
PNG_NOTES = {"exif", "Raw profile type exif", "XML:com.adobe.xmp"}
# Length, type and checksum of a chunk.
_AROUND = 12


def without_long_texts(content: bytes) -> bytes | None:
    """Return a PNG file without the texts and the color profile that Pillow refuses to read.

    Programs that generate or edit images store long texts, such as their settings. Pillow limits
    the length of each, so that a small file cannot fill the memory, and refuses the image. The
    pixels do not depend on these texts. None if the file is no PNG, or has no such text, or has one
    that may contain the orientation.
    """
    if not content.startswith(PNG_SIGNATURE):
        return None
    long = [one for one in _chunks(content) if _is_long(*one)]
    if not long or any(_key(chunk) in PNG_NOTES for _, chunk in long):
        return None
    kept = [chunk for kind, chunk in _chunks(content) if not _is_long(kind, chunk)]
    return b"".join([PNG_SIGNATURE, *kept])


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the bytes of each chunk."""
    start = len(PNG_SIGNATURE)
    while start < len(content):
        end = start + int.from_bytes(content[start : start + 4], "big") + _AROUND
        yield content[start + 4 : start + 8], content[start:end]
        start = end


def _key(chunk: bytes) -> str:
    return chunk[8:-4].split(b"\0", 1)[0].decode("latin-1")


def _is_long(kind: bytes, chunk: bytes) -> bool:
    """Return whether the text of a chunk, decompressed, is longer than Pillow reads."""
    _, _, text = chunk[8:-4].partition(b"\0")
    if kind == b"tEXt" or (kind == b"iTXt" and text[:1] == b"\0"):
        return len(text) > MAX_TEXT_CHUNK
    if kind == b"iTXt":
        # Compression, language and translated key.
        text = text[2:].split(b"\0", 2)[-1]
    elif kind in (b"zTXt", b"iCCP"):
        text = text[1:]
    else:
        return False
    decompressor = zlib.decompressobj()
    try:
        decompressor.decompress(text, MAX_TEXT_CHUNK)
    except zlib.error:
        return False
    return bool(decompressor.unconsumed_tail)
