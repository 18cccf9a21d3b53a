"""Convert an image file to the input of an estimator."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skimgcls._images._decode import CHANNELS
from skimgcls._images._resize import Resize
from skimgcls.app._upload import decode_upload
from skimgcls.preprocessing import ImageLoader
from skimgcls.utils._unwrap import walk_steps

_MODES = {channels: mode for mode, channels in CHANNELS.items()}
# Candidate values of white: floats up to 1, scikit-learn's digits, uint8, uint16.
_WHITES = (1.0, 16.0, 255.0, 65535.0)
_BYTE = 255.0


@dataclass(frozen=True)
class Entry:
    """How an image is converted for a model that takes arrays.

    Attributes
    ----------
    shape : tuple (height, width, n_channels)
    white : float
        Value of a white pixel.
    white_is_known : bool
        Whether `white` was given or inferred from the pixel statistics of the model.
    as_rows : bool
        Whether the first step takes only rows of pixels.
    white_level : int or None
        Value of white in uploaded gray images with 16 bits, of an ImageLoader.
    """

    shape: tuple[int, int, int]
    white: float = _BYTE
    white_is_known: bool = False
    as_rows: bool = False
    white_level: int | None = None

    def describe(self) -> str:
        """Return a description of the conversion."""
        height, width, channels = self.shape
        color = "gray" if channels == 1 else "color"
        unsure = "" if self.white_is_known else ", which is a guess"
        return (
            f"This model was trained on arrays, not on files. The image is resized to "
            f"{width} by {height} pixels in {color}, with black as 0 and white as {self.white:g}"
            f"{unsure}."
        )

    def read(self, content: bytes) -> np.ndarray:
        """Return the file as an X with one image."""
        height, width, channels = self.shape
        resize = Resize((height, width))
        image = decode_upload(content, _MODES[channels], resize, self.white_level)
        pixels = image[np.newaxis]
        if self.white != _BYTE:
            pixels = pixels.astype(np.float32) * np.float32(self.white / _BYTE)
        return pixels.reshape(1, -1) if self.as_rows else pixels


def find_entry(estimator: Any, white: float | None) -> Entry | None:
    """Return the conversion for an estimator, or None if it takes files of any size."""
    steps = list(walk_steps(estimator))
    first = steps[0]
    is_loader = isinstance(first, ImageLoader)
    if is_loader and first.size is not None:
        return None
    shape = next((step.image_shape_ for step in steps if hasattr(step, "image_shape_")), None)
    if shape is None:
        raise TypeError(
            f"{type(first).__name__} has no image_shape_, so its image size is unknown. Expected "
            "an image classifier, or a Pipeline that begins with an ImageLoader."
        )
    height, width, channels = (int(side) for side in shape)
    if channels not in _MODES:
        raise ValueError(f"It takes images of {channels} channels, but image files have 1 or 3.")
    found = _BYTE if is_loader else white or _find_white(first)
    return Entry(
        (height, width, channels),
        white=found or _BYTE,
        white_is_known=found is not None,
        as_rows=not hasattr(first, "image_shape_") and not is_loader,
        white_level=first.white_level if is_loader else None,
    )


def _find_white(classifier: Any) -> float | None:
    """Return the value of white, inferred from the statistics of the training images.

    For values from 0 to m the variance is at most mean * (m - mean). Therefore m is at least
    mean + variance / mean.
    """
    module = getattr(getattr(classifier, "net_", None), "module_", None)
    layer = getattr(module, "standardize", None)
    if layer is None:
        return None
    mean = layer.mean.detach().double().cpu().numpy().ravel()
    variance = layer.scale.detach().double().cpu().numpy().ravel() ** 2
    if (mean <= 0).any():
        return None
    # Tolerance for rounding, needed if all pixels are black or white.
    least = float((mean + variance / mean).max()) * (1 - 1e-4)
    return next((white for white in _WHITES if least <= white), None)
