"""Compute logits for prediction."""

import numpy as np
import torch

from skimgcls._images._lazy_images import ImageShape, LazyImages, take_steps
from skimgcls._training._batches import BatchFormat
from skimgcls.utils._torch_generators import drawing
from skimgcls.utils._torch_settings import default_settings

# Maximum number of values per channel in an evaluation batch: large enough to keep all threads
# busy, small enough for the first feature maps to fit in the cache.
_EVALUATION_VALUES = 2**18
_MAX_EVALUATION_IMAGES = 1024
# The same for backbones, whose first layers reduce the image size.
BACKBONE_VALUES = 2**19


def evaluation_batch_size(image_shape: ImageShape, n_values: int = _EVALUATION_VALUES) -> int:
    """Return the evaluation batch size for images (height, width, channels).

    >>> evaluation_batch_size((32, 32, 3)), evaluation_batch_size((1024, 1024, 3))
    (256, 1)
    """
    height, width, _ = image_shape
    return min(max(n_values // (height * width), 1), _MAX_EVALUATION_IMAGES)


def predict_logits(
    module: torch.nn.Module,
    images: LazyImages,
    batch_format: BatchFormat,
    rows: np.ndarray | None = None,
    *,
    n_values: int = _EVALUATION_VALUES,
) -> np.ndarray:
    """Return the logits (n, n_outputs) of images, or of some rows.

    `n_values` is the maximum number of values per channel in a batch.
    """
    if module.training:
        module.eval()
    # Steps may reduce or enlarge images.
    shapes = (images.source.shape[1:], images.image_shape)
    size = min(evaluation_batch_size(shape, n_values) for shape in shapes)
    blocks: list[slice | np.ndarray]
    if rows is None:
        blocks = [slice(i, i + size) for i in range(0, len(images), size)]
    else:
        blocks = [rows[i : i + size] for i in range(0, len(rows), size)]
    n_rows = len(images) if rows is None else len(rows)
    logits, start = torch.empty(0), 0
    with default_settings(), torch.inference_mode(), batch_format.computing():
        for pixels in images.read(blocks):
            batch = batch_format.to_pixels(pixels).permute(0, 3, 1, 2)
            batch = batch_format.arrange(take_steps(batch, images.steps))
            with drawing():
                part = module(batch).to(batch_format.dtype)
            if len(part) == n_rows:
                logits = part
                break
            # Written to one array, to avoid a second copy of all logits.
            if start == 0:
                logits = part.new_empty((n_rows, *part.shape[1:]))
            logits[start : start + len(part)] = part
            start += len(part)
        array: np.ndarray = logits.cpu().numpy()
    return array
