"""Files that are small, or have few pixels, and would take long or much memory to decode."""

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from skimgcls.exceptions import ImageFileError

# Tags of a TIFF: the sides of a tile.
_TILE_WIDTH, _TILE_LENGTH = 322, 323
# Tiles reach beyond the border of an image, and are at least 16 pixels wide.
_LARGEST_TILE, _TILE_RATIO = 2**22, 4
# Start of a scan of a JPEG. Within a scan, a zero follows each 0xFF.
_SCAN = b"\xff\xda"
# A progressive JPEG usually has 10 scans. Each takes a pass over all pixels.
_FEW_SCANS, _MOST_SCANS, _MOST_PASSES = 20, 200, 5 * 10**9
# Formats for which Pillow starts another program, or reads parts of the file's choice.
_REFUSED_FORMATS = {"BUFR", "EPS", "FPX", "GRIB", "HDF5", "MIC", "MPEG", "WMF"}


def readable_formats() -> list[str]:
    """Return the names of the formats that are read; plugins may add more.

    >>> "PNG" in readable_formats(), "EPS" in readable_formats()
    (True, False)
    """
    return [name for name in Image.ID if name not in _REFUSED_FORMATS]


def refuse_costly(image: Image.Image) -> None:
    """Raise if an opened file would cost far more to decode than its pixels do."""
    n_pixels = image.width * image.height
    if isinstance(image, TiffImageFile):
        sides = (image.tag_v2.get(_TILE_WIDTH, 1), image.tag_v2.get(_TILE_LENGTH, 1))
        if _as_int(sides[0]) * _as_int(sides[1]) > max(_LARGEST_TILE, _TILE_RATIO * n_pixels):
            raise ImageFileError(
                f"has tiles of {sides[0]} x {sides[1]} pixels for an image of {image.width} x "
                f"{image.height}, and could be a decompression bomb."
            )
    elif image.format in ("JPEG", "MPO"):
        n_scans = _count_scans(image)
        if n_scans > _MOST_SCANS or (n_scans > _FEW_SCANS and n_scans * n_pixels > _MOST_PASSES):
            raise ImageFileError(
                f"is a JPEG of {n_scans} scans, which would take long to decode. Save it again as "
                "a JPEG or PNG if you trust it."
            )


def _as_int(value: object) -> int:
    return value if isinstance(value, int) else _LARGEST_TILE


def _count_scans(image: Image.Image) -> int:
    # The file is closed once all pixels are read.
    file = getattr(image, "fp", None)
    if file is None:
        return 0
    place = file.tell()
    file.seek(0)
    n_scans = file.read().count(_SCAN)
    file.seek(place)
    return n_scans
