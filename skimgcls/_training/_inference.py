"""Logits of images that no one trains on."""

import numpy as np
import torch

from skimgcls._images._lazy_images import ImageShape, LazyImages, as_lazy, take_steps
from skimgcls._training._batches import BatchFormat

# Values of one channel that an evaluation batch holds at most: large enough to keep all threads
# busy, small enough for the maps of a net's first layers to stay in the cache.
_EVALUATION_VALUES = 2**18
_MAX_EVALUATION_IMAGES = 1024
# The same for the large nets that others made: their first layers shrink an image at once.
BACKBONE_VALUES = 2**19


def evaluation_batch_size(image_shape: ImageShape, n_values: int = _EVALUATION_VALUES) -> int:
    """Return how many images (height, width, channels) to evaluate at once.

    >>> evaluation_batch_size((32, 32, 3)), evaluation_batch_size((1024, 1024, 3))
    (256, 1)
    """
    height, width, _ = image_shape
    return min(max(n_values // (height * width), 1), _MAX_EVALUATION_IMAGES)


def predict_logits(
    module: torch.nn.Module,
    images: np.ndarray | LazyImages,
    batch_format: BatchFormat,
    rows: np.ndarray | None = None,
    *,
    n_values: int = _EVALUATION_VALUES,
) -> np.ndarray:
    """Return the logits (n, n_outputs) of images (n, height, width, channels), or of some rows.

    A batch holds at most so many values of one channel.
    """
    if module.training:
        module.eval()
    lazy = as_lazy(images)
    # Large images may become small ones on their way, and small ones large.
    shapes = (lazy.source.shape[1:], lazy.image_shape)
    size = min(evaluation_batch_size(shape, n_values) for shape in shapes)
    blocks: list[slice | np.ndarray]
    if rows is None:
        blocks = [slice(i, i + size) for i in range(0, len(lazy), size)]
    else:
        blocks = [rows[i : i + size] for i in range(0, len(rows), size)]
    n_rows = len(lazy) if rows is None else len(rows)
    logits, start = torch.empty(0), 0
    with torch.inference_mode(), batch_format.computing():
        for pixels in lazy.read(blocks):
            batch = batch_format.to_pixels(pixels).permute(0, 3, 1, 2)
            batch = batch_format.arrange(take_steps(batch, lazy.steps))
            part = module(batch).to(batch_format.dtype)
            if len(part) == n_rows:
                logits = part
                break
            # Written to their place at once, so that no two copies of all come to be.
            if start == 0:
                logits = part.new_empty((n_rows, *part.shape[1:]))
            logits[start : start + len(part)] = part
            start += len(part)
        array: np.ndarray = logits.cpu().numpy()
    return array
