"""Texts in PNG files that are longer than Pillow reads."""

import zlib
from collections.abc import Iterator

from PIL.PngImagePlugin import MAX_TEXT_CHUNK, MAX_TEXT_MEMORY

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Keys under which a PNG may contain the EXIF tag Orientation.
PNG_NOTES = {"exif", "Raw profile type exif", "XML:com.adobe.xmp"}
_KINDS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
# Length, type and checksum of a chunk.
_AROUND = 12


def without_long_texts(content: bytes) -> bytes | None:
    """Return a PNG file without the texts and the color profile that Pillow refuses to read.

    Programs that generate or edit images store long texts, such as their settings. Pillow limits
    the length of each and of all, so that a small file cannot fill the memory, and refuses the
    image. The pixels do not depend on these texts. None if the file is no PNG, or has no such text,
    or has one that may contain the orientation.
    """
    if not content.startswith(PNG_SIGNATURE):
        return None
    kept, left, is_shorter = [PNG_SIGNATURE], MAX_TEXT_MEMORY, False
    for kind, chunk in _chunks(content):
        if kind in _KINDS:
            # Once all are too long together, no more of them is decompressed.
            n_bytes = _length(kind, chunk) if left > 0 else MAX_TEXT_MEMORY
            if n_bytes > min(MAX_TEXT_CHUNK, left):
                if _key(chunk) in PNG_NOTES:
                    return None
                left -= MAX_TEXT_CHUNK
                is_shorter = True
                continue
            left -= n_bytes
        kept.append(chunk)
    return b"".join(kept) if is_shorter else None


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the bytes of each chunk."""
    start = len(PNG_SIGNATURE)
    while start < len(content):
        end = start + int.from_bytes(content[start : start + 4], "big") + _AROUND
        yield content[start + 4 : start + 8], content[start:end]
        start = end


def _key(chunk: bytes) -> str:
    return chunk[8:-4].split(b"\0", 1)[0].decode("latin-1")


def _length(kind: bytes, chunk: bytes) -> int:
    """Return the length of a text, decompressed up to one byte more than Pillow reads."""
    _, _, text = chunk[8:-4].partition(b"\0")
    if kind == b"tEXt" or (kind == b"iTXt" and text[:1] == b"\0"):
        return len(text)
    # Before it are the method of compression, and of iTXt the language and a translated key.
    text = text[2:].split(b"\0", 2)[-1] if kind == b"iTXt" else text[1:]
    try:
        return len(zlib.decompressobj().decompress(text, MAX_TEXT_CHUNK + 1))
    except zlib.error:
        return 0
