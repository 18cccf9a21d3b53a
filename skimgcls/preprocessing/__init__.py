"""Image transformers."""

from importlib import import_module
from typing import TYPE_CHECKING

from skimgcls.preprocessing._augmenter import ImageAugmenter
from skimgcls.preprocessing._embedder import ImageEmbedder
from skimgcls.preprocessing._flattener import ImageFlattener
from skimgcls.preprocessing._loader import ImageLoader
from skimgcls.preprocessing._normalizer import ImageNormalizer
from skimgcls.preprocessing._resizer import ImageResizer

if TYPE_CHECKING:
    from skimgcls.preprocessing._over_sampler import ImageOverSampler

__all__ = [
    "ImageAugmenter",
    "ImageEmbedder",
    "ImageFlattener",
    "ImageLoader",
    "ImageNormalizer",
    "ImageOverSampler",
    "ImageResizer",
]


def __getattr__(name: str) -> object:
    # Only the sampler needs imbalanced-learn, which is an optional dependency.
    if name == "ImageOverSampler":
        return import_module("skimgcls.preprocessing._over_sampler").ImageOverSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
