"""Which pictures are the same, to the pixel or to the eye."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import gen_batches

# Side of the perceptual hash, as is usual.
HASH_SIDE = 8
HASH_BITS = HASH_SIDE**2
# The hash is blind to colour and takes many drawings for one. So thumbnails of this side must
# agree too, within a root mean square of so many grey levels. Their mean colour counts only this
# part, for a copy may be brighter: one of 10 % more light stays within.
_THUMBNAIL_SIDE = 8
_THUMBNAIL_LIMIT = 8
_MEAN_COUNTS = 0.4
# Distances that are held at once, 32 MiB of each kind.
_BLOCK = 2**22


class Fingerprint(NamedTuple):
    """What stands for a picture when it is compared.

    Attributes
    ----------
    digest : bytes
        Of all pixels and the shape.
    bits : ndarray of shape (HASH_BITS,), bool
        The perceptual hash; empty where none was asked for.
    thumbnail : ndarray of shape (8, 8, 3), uint8
        The picture made small; empty where no hash was asked for.
    """

    digest: bytes
    bits: np.ndarray
    thumbnail: np.ndarray


def import_imagehash() -> None:
    """Raise an ImportError that says what to install if imagehash is not there."""
    try:
        import imagehash  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "audit_images looks for near duplicates with imagehash, which is not installed: pip "
            'install "skimgcls[audit]". max_distance=None looks for exact duplicates alone.'
        ) from error


def make_fingerprint(pixels: np.ndarray, perceptual: bool) -> Fingerprint:
    """Return the fingerprint of pixels (height, width, 3), uint8.

    The perceptual hash is the signs of the lowest frequencies of the grey picture (Zauner,
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
    """Return for each picture the first one with the same pixels, which may be itself (n,).

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
    """Return for each picture the first one like it, which may be itself, and the bits apart.

    Only the first is named, so that a thousand copies are a thousand findings and no million. Both
    arrays have shape (n,). The distances are taken in blocks by matrix products: for zeros and
    ones, the square of Euclid's distance counts the bits that differ.
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
        # A picture is always like itself, so that no later one is found.
        first[rows] = near.argmax(axis=1)
        nearest = np.take_along_axis(distances, first[rows, np.newaxis], axis=1)
        apart[rows] = nearest[:, 0].round()
    return first, apart


def _turn_mean_down(thumbnails: np.ndarray) -> np.ndarray:
    """Return thumbnails (n, h, w, 3) as rows, each with a part of its mean colour left."""
    means = thumbnails.mean(axis=(1, 2), keepdims=True)
    rows: np.ndarray = (thumbnails - (1 - _MEAN_COUNTS) * means).reshape(len(thumbnails), -1)
    return rows
