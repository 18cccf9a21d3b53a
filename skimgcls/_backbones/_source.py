"""What every kind of backbone can tell, and make."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from torch import nn

from skimgcls._backbones._weights import State, load_into, read_weights
from skimgcls._images._lazy_images import ImageShape, as_lazy
from skimgcls._images._resize_center_crop import (
    ResizeCenterCrop,
    resize_crop_square,
    resize_to_at_least,
)
from skimgcls._images._validation import Images, white_of
from skimgcls.nets import FeatureExtractor, with_weights

# Sides that are shorter than this are stretched: a net that halves an image five times has nothing
# left of it else.
_SHORTEST = 32


@dataclass(frozen=True)
class Recipe:
    """How images were brought to a net when its weights were trained.

    Attributes
    ----------
    resize : int
        Length of the shorter side, in pixels.
    crop : int
        Side of the square cut from the middle.
    mean, std : tuple of float
        Of each channel, in images of pixels between 0 and 1.
    interpolation : {"bilinear", "bicubic"}
    """

    resize: int
    crop: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bilinear"


class BackboneSource(ABC):
    """Where a backbone comes from: a library's name, or a classifier that was fitted.

    Attributes
    ----------
    name : str
    smallest : int
        The shortest side of an image that the net can take.
    multiple : int or None
        For nets of squares of certain sizes alone: what a side has to be a multiple of.
    n_colours : int
        Channels of the images that the net is made for, to which grey ones are repeated.
    known_weights : tuple of str
        Names of weights that can be downloaded.
    """

    name: str
    smallest: int = 1
    multiple: int | None = None
    n_colours: int = 3
    known_weights: tuple[str, ...] = ("DEFAULT",)

    @abstractmethod
    def recipe(self, weights: str) -> Recipe:
        """Return how images were brought to the net when these weights were trained."""

    @abstractmethod
    def _make_net(self, input_shape: ImageShape, is_trained: bool) -> tuple[nn.Module, int]:
        """Return an untrained net without its head, and how many features it gives.

        `input_shape` is (height, width, channels) of what it is given, of three channels or of more
        than one; `is_trained` tells whether weights will be put into it.
        """

    @abstractmethod
    def _download(self, net: nn.Module, weights: str, *, progress: bool) -> None:
        """Put weights of a known name into the net."""

    def _own_part(self, state: State) -> State:
        """Return what of a file of weights is the net's."""
        return state

    def make(self, image_shape: ImageShape, weights: str | None) -> FeatureExtractor:
        """Return the untrained net for framed images (height, width, channels)."""
        height, width, n_channels = image_shape
        n_inputs = self.n_colours if n_channels == 1 else n_channels
        net, n_features = self._make_net((height, width, n_inputs), weights is not None)
        mean = std = None
        if weights is not None:
            recipe = self.recipe(weights)
            mean, std = (_one_each(values, n_inputs) for values in (recipe.mean, recipe.std))
        return FeatureExtractor(
            with_weights(net), n_features, repeats=n_inputs // n_channels, mean=mean, std=std
        )

    def load(self, features: FeatureExtractor, weights: str, *, progress: bool) -> None:
        """Put weights into a net that `make` made: of a known name, or from a file."""
        if weights in self.known_weights:
            self._download(features.net, weights, progress=progress)
        else:
            state = self._own_part(read_weights(weights, known=self.known_weights))
            load_into(features.net, state, origin=weights, name=self.name)

    def statistics(
        self, images: Images, rows: np.ndarray, weights: str | None
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return what to subtract from each channel, and what to divide it by, before the net.

        None is for the statistics of the training images, which are those rows of `images`. Weights
        are for pixels between 0 and 1, and how bright a pixel can be the images tell.
        """
        if weights is None:
            return None
        n_channels = as_lazy(images).image_shape[2]
        return np.zeros(n_channels), np.full(n_channels, white_of(images, rows))

    def frame(
        self, image_shape: ImageShape, weights: str | None, image_size: int | str
    ) -> ResizeCenterCrop | None:
        """Return how to bring images (height, width, channels) to the size of the net.

        None if they are taken as they are.
        """
        if image_size != "auto":
            return self._frame_to(image_shape, int(image_size))
        if weights is not None:
            recipe = self.recipe(weights)
            if image_shape[:2] == (recipe.crop, recipe.crop):
                return None
            return resize_crop_square(image_shape, recipe.resize, recipe.crop, recipe.interpolation)
        if self.multiple is None:
            return resize_to_at_least(image_shape, max(self.smallest, _SHORTEST))
        side = max(min(image_shape[:2]), self.smallest)
        return self._frame_to(image_shape, -(-side // self.multiple) * self.multiple)

    def _frame_to(self, image_shape: ImageShape, side: int) -> ResizeCenterCrop | None:
        multiple = self.multiple or 1
        if side < self.smallest or side % multiple:
            among = f" in multiples of {multiple}" if multiple > 1 else ""
            raise ValueError(
                f"image_size={side} is not a size that {self.name!r} can take: expected at least "
                f'{self.smallest}{among}. Pass image_size="auto" to have images enlarged as needed.'
            )
        if image_shape[:2] == (side, side):
            return None
        return resize_crop_square(image_shape, side, side, "bilinear")


def _one_each(values: tuple[float, ...], n: int) -> tuple[float, ...]:
    """Return one value for each channel: their mean where there are other channels than theirs."""
    return values if len(values) == n else (sum(values) / len(values),) * n
