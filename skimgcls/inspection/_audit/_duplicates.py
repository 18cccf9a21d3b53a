"""Search for exact and near duplicates among images."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import gen_batches

# Side of the perceptual hash, the default of imagehash.
HASH_SIDE = 8
HASH_BITS = HASH_SIDE**2
# The hash ignores color and matches many different drawings. Therefore thumbnails of this side
# must agree within this root mean square difference of gray levels. Their mean color is scaled by
# _MEAN_COUNTS, so that a copy that is 10 % brighter still matches.
_THUMBNAIL_SIDE = 8
_THUMBNAIL_LIMIT = 8
_MEAN_COUNTS = 0.4
# Number of distances computed at once, 32 MiB of each kind.
_BLOCK = 2**22


class Fingerprint(NamedTuple):
    """Fingerprint by which an image is compared.

    Attributes
    ----------
    digest : bytes
        Hash of the pixels and the shape.
    bits : ndarray of shape (HASH_BITS,), bool
        The perceptual hash; empty if not requested.
    thumbnail : ndarray of shape (8, 8, 3), uint8
        The image resized to 8 x 8; empty if no perceptual hash was requested.
    """

    digest: bytes
    bits: np.ndarray
    thumbnail: np.ndarray


def import_imagehash() -> None:
    """Raise an ImportError that names the extra if imagehash is not installed."""
    try:
        import imagehash  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "audit_images requires imagehash, which is not installed, to find near duplicates: pip "
            'install "skimgcls[audit]". Or pass max_distance=None to find only exact duplicates.'
        ) from error


def make_fingerprint(pixels: np.ndarray, perceptual: bool) -> Fingerprint:
    """Return the fingerprint of pixels (height, width, 3), uint8.

    The perceptual hash holds the signs of the lowest frequencies of the gray image (Zauner,
    "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010).
    """
    pixels = np.ascontiguousarray(pixels)
    digest = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
    digest.update(pixels.data)
    if not perceptual:
        nothing = np.empty(0, dtype=np.uint8)
        return Fingerprint(digest.digest(), nothing.astype(bool), nothing)
    import imagehash

    image = Image.fromarray(pixels)
    bits = imagehash.phash(image, hash_size=HASH_SIDE).hash.ravel()
    thumbnail = image.resize((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Image.Resampling.BILINEAR)
    return Fingerprint(digest.digest(), bits, np.asarray(thumbnail))


def first_equal(fingerprints: Sequence[Fingerprint]) -> np.ndarray:
    """Return for each image the index of the first with the same pixels, or its own (n,).

    >>> nothing = np.empty(0)
    >>> first_equal([Fingerprint(digest, nothing, nothing) for digest in (b"a", b"b", b"a")])
    array([0, 1, 0])
    """
    seen: dict[bytes, int] = {}
    first = [seen.setdefault(one.digest, number) for number, one in enumerate(fingerprints)]
    return np.array(first, dtype=np.int64)


def first_near(
    fingerprints: Sequence[Fingerprint], max_distance: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each image the index of the first near duplicate, or its own, and the distance.

    Only the first match is returned, so a thousand copies give a thousand findings, not a million.
    Both arrays have shape (n,). The distances are computed in blocks by matrix products: for zeros
    and ones, the squared Euclidean distance is the number of differing bits.
    """
    n = len(fingerprints)
    first, apart = np.arange(n), np.zeros(n, dtype=np.int64)
    if n == 0:
        return first, apart
    bits = np.array([one.bits for one in fingerprints], dtype=np.float32)
    looks = _turn_mean_down(np.array([one.thumbnail for one in fingerprints], dtype=np.float32))
    limit = _THUMBNAIL_LIMIT**2 * looks.shape[1]
    for rows in gen_batches(n, max(1, _BLOCK // n)):
        distances = euclidean_distances(bits[rows], bits[: rows.stop], squared=True)
        shades = euclidean_distances(looks[rows], looks[: rows.stop], squared=True)
        near = (distances <= max_distance + 0.5) & (shades <= limit)
        # Each image matches itself, so a match is never later than the image.
        first[rows] = near.argmax(axis=1)
        nearest = np.take_along_axis(distances, first[rows, np.newaxis], axis=1)
        apart[rows] = nearest[:, 0].round()
    return first, apart


def _turn_mean_down(thumbnails: np.ndarray) -> np.ndarray:
    """Return thumbnails (n, h, w, 3) as rows, with their mean color scaled by _MEAN_COUNTS."""
    means = thumbnails.mean(axis=(1, 2), keepdims=True)
    rows: np.ndarray = (thumbnails - (1 - _MEAN_COUNTS) * means).reshape(len(thumbnails), -1)
    return rows
