"""Logits of images that no one trains on."""

import numpy as np
import torch

from skimgcls._batches import BatchFormat
from skimgcls._lazy import ImageShape, LazyImages, as_lazy, take_steps

# Values of one channel that an evaluation batch holds at most: large enough to keep all threads
# busy, small enough for the maps of a net's first layers to stay in the cache.
_EVALUATION_VALUES = 2**18
_MAX_EVALUATION_IMAGES = 1024


def evaluation_batch_size(image_shape: ImageShape) -> int:
    """Return how many images (height, width, channels) to evaluate at once.

    >>> evaluation_batch_size((32, 32, 3)), evaluation_batch_size((1024, 1024, 3))
    (256, 1)
    """
    height, width, _ = image_shape
    return min(max(_EVALUATION_VALUES // (height * width), 1), _MAX_EVALUATION_IMAGES)


def predict_logits(
    module: torch.nn.Module, images: np.ndarray | LazyImages, batch_format: BatchFormat
) -> np.ndarray:
    """Return the logits (n, n_outputs) of images (n, height, width, channels)."""
    if module.training:
        module.eval()
    lazy = as_lazy(images)
    # Large images may become small ones on their way, and small ones large.
    size = min(map(evaluation_batch_size, (lazy.source.shape[1:], lazy.image_shape)))
    slices = [slice(i, i + size) for i in range(0, len(lazy), size)]
    with torch.inference_mode(), batch_format.computing():
        parts = []
        for pixels in lazy.read(slices):
            batch = batch_format.to_pixels(pixels).permute(0, 3, 1, 2)
            batch = batch_format.arrange(take_steps(batch, lazy.steps))
            parts.append(module(batch).to(batch_format.dtype))
        logits: np.ndarray = (parts[0] if len(parts) == 1 else torch.cat(parts)).cpu().numpy()
    return logits
