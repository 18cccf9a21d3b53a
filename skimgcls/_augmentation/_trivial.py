"""TrivialAugment: one random operation of a random strength for each image."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

_Operation = Callable[[torch.Tensor, float], torch.Tensor]
# Strengths are multiples of 1 / _LARGEST, as in the paper.
_LARGEST = 30
# Ranges of torchvision's TrivialAugmentWide.
_SHEAR, _SHIFT, _ROTATION, _FACTOR, _BITS = 0.99, 32.0, 135.0, 0.99, 6


@dataclass(frozen=True, eq=False)
class TrivialAugment:
    """Step that changes each image by one operation, which may be none.

    Müller and Hutter, "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation" (2021),
    with the operations and ranges of torchvision's ``TrivialAugmentWide``.

    Attributes
    ----------
    black, white : ndarray of shape (n_channels,)
        Values of black and white, with 1 or 3 channels.
    """

    black: np.ndarray
    white: np.ndarray

    is_random = True

    def output_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        return image_shape

    def __call__(self, batch: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        black, span = (
            torch.from_numpy(values).to(batch).view(-1, 1, 1)
            for values in (self.black, self.white - self.black)
        )
        operations = list(make_operations().values())
        chosen = torch.randint(len(operations), (len(batch),), generator=generator).tolist()
        strengths = torch.randint(
            -_LARGEST, _LARGEST + 1, (len(batch),), generator=generator
        ).tolist()
        result = torch.empty_like(batch)
        for index, (number, strength) in enumerate(zip(chosen, strengths, strict=True)):
            image = ((batch[index] - black) / span).clamp_(0, 1)
            changed = operations[number](image, strength / _LARGEST)
            result[index] = changed * span + black
        return result


def make_operations() -> dict[str, _Operation]:
    """Return functions of an image in [0, 1] and a strength in [-1, 1], by their names.

    Operations without a direction use the magnitude of the strength.
    """
    # Importing torchvision takes a second.
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional

    def move(image: torch.Tensor, angle: float = 0.0, **options: list[float]) -> torch.Tensor:
        settings = {"translate": [0.0, 0.0], "shear": [0.0, 0.0]} | options
        return functional.affine(
            image, angle, scale=1.0, interpolation=InterpolationMode.BILINEAR, **settings
        )

    def lean(strength: float) -> float:
        return math.degrees(math.atan(_SHEAR * strength))

    return {
        "identity": lambda image, strength: image,
        "shear x": lambda image, strength: move(image, shear=[lean(strength), 0.0]),
        "shear y": lambda image, strength: move(image, shear=[0.0, lean(strength)]),
        "shift x": lambda image, strength: move(image, translate=[_SHIFT * strength, 0.0]),
        "shift y": lambda image, strength: move(image, translate=[0.0, _SHIFT * strength]),
        "rotate": lambda image, strength: move(image, _ROTATION * strength),
        "brightness": lambda image, s: functional.adjust_brightness(image, 1 + _FACTOR * s),
        "saturation": lambda image, s: functional.adjust_saturation(image, 1 + _FACTOR * s),
        "contrast": lambda image, s: functional.adjust_contrast(image, 1 + _FACTOR * s),
        "sharpness": lambda image, s: functional.adjust_sharpness(image, 1 + _FACTOR * s),
        "posterize": lambda image, s: functional.posterize(image, 8 - round(_BITS * abs(s))),
        "solarize": lambda image, s: functional.solarize(image, 1 - abs(s)),
        "autocontrast": lambda image, strength: functional.autocontrast(image),
        "equalize": lambda image, strength: functional.equalize(image),
    }
