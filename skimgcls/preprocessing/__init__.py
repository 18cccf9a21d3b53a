"""Transformers of images."""

from skimgcls.preprocessing._augmenter import ImageAugmenter
from skimgcls.preprocessing._flattener import ImageFlattener
from skimgcls.preprocessing._loader import ImageLoader
from skimgcls.preprocessing._normalizer import ImageNormalizer
from skimgcls.preprocessing._resizer import ImageResizer

__all__ = [
    "ImageAugmenter",
    "ImageFlattener",
    "ImageLoader",
    "ImageNormalizer",
    "ImageResizer",
]
