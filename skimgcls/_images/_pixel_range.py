"""Notice pixels of another range than those seen in fit, such as bytes divided by 255."""

import warnings
from typing import NamedTuple

import numpy as np

from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._statistics import white_for

# Number of images examined, and of values for what takes longer than a minimum.
_N_EXAMINED = 64
_N_VALUES = 2**16


class PixelRange(NamedTuple):
    """Smallest and largest value of some images.

    Attributes
    ----------
    low, high : float
    is_whole : bool
        Whether all values are whole numbers.
    """

    low: float
    high: float
    is_whole: bool

    @classmethod
    def of(cls, images: LazyImages) -> "PixelRange | None":
        """Return the range of some of the images; None if steps change it.

        Files, which hold bytes, are not read.

        >>> PixelRange.of(LazyImages(np.array([0, 0.5]).reshape(2, 1, 1, 1)))
        PixelRange(low=0.0, high=0.5, is_whole=False)
        """
        if any(not step.is_random for step in images.steps):
            return None
        if not isinstance(images.source, np.ndarray):
            return cls(0.0, 255.0, True)
        some = images.source
        if len(some) > _N_EXAMINED:
            some = some[np.linspace(0, len(some) - 1, _N_EXAMINED).astype(int)]
        is_whole = some.dtype.kind != "f"
        if not is_whole:
            few = some.reshape(-1)[:: 1 + some.size // _N_VALUES]
            is_whole = not np.any(few % 1)
        return cls(float(some.min()), float(some.max()), is_whole)

    @property
    def white(self) -> float:
        """The value of white: 1, 255 or 65535."""
        return white_for(self.high)

    @property
    def is_standardized(self) -> bool:
        return self.low < 0

    def differs(self, other: "PixelRange") -> bool:
        """Return whether other images are certainly not of this range.

        Dark images have small values, so that only some differences are certain.
        """
        if self.is_standardized:
            return other.low >= 0 and other.high > 10 * max(-self.low, self.high)
        if other.is_standardized:
            is_small = self.white > 1 and max(-other.low, other.high) < 0.1 * self.white
            return other.low < -0.1 * self.white or (is_small and not other.is_whole)
        is_scaled = self.white > 1 and other.high <= 1 and not other.is_whole
        return is_scaled or other.high > 1.5 * self.white

    def __str__(self) -> str:
        return f"[{self.low:.4g}, {self.high:.4g}]"


def warn_of_other_range(
    fitted: PixelRange, images: LazyImages, estimator_name: str, name: str = "X"
) -> None:
    """Warn if images have another range of pixels than those in fit."""
    found = PixelRange.of(images)
    if found is not None and fitted.differs(found):
        warnings.warn(
            f"{name} has pixels in the range {found}, but {estimator_name} was fitted on pixels in "
            f"the range {fitted}. Scale {name} as in fit: for example, divide both or neither by "
            "255, and pass both through the same steps.",
            UserWarning,
            stacklevel=4,
        )
