"""Base class of all kinds of backbones."""

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from torch import nn

from skimgcls._backbones._weights import State, load_into, read_weights
from skimgcls._images._lazy_images import ImageShape, LazyImages
from skimgcls._images._resize_center_crop import (
    ResizeCenterCrop,
    resize_crop_square,
    resize_to_at_least,
)
from skimgcls._images._statistics import range_of
from skimgcls.nets import FeatureExtractor, with_weights

# Shorter sides are enlarged: a network that halves an image five times needs at least 32 pixels.
_SHORTEST = 32


@dataclass(frozen=True)
class Recipe:
    """Preprocessing of the images that the weights were trained on.

    Attributes
    ----------
    resize : int
        Length of the shorter side, in pixels.
    crop : int
        Side of the center crop, in pixels.
    mean, std : tuple of float
        Mean and standard deviation of each channel, for pixels between 0 and 1.
    interpolation : {"bilinear", "bicubic"}
    """

    resize: int
    crop: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bilinear"


class BackboneSource(ABC):
    """Source of a backbone: a model name of a library, or a fitted classifier.

    Attributes
    ----------
    name : str
    smallest : int
        Minimum image side of the network.
    multiple : int or None
        Image sides must be a multiple of it, for networks that take only such squares.
    n_colors : int
        Number of input channels of the network. Greyscale images are repeated to them.
    known_weights : tuple of str
        Names of weights.
    default_weights : str or None
        Name that "auto" stands for; None if the network has its own weights.
    """

    name: str
    smallest: int = 1
    multiple: int | None = None
    n_colors: int = 3
    known_weights: tuple[str, ...] = ("DEFAULT",)
    default_weights: str | None = "DEFAULT"

    def choose_weights(self, weights: str | os.PathLike[str] | None) -> str | None:
        """Return the name or the path of weights as a string, with "auto" replaced."""
        if weights == "auto":
            return self.default_weights
        return None if weights is None else os.fspath(weights)

    @abstractmethod
    def recipe(self, weights: str) -> Recipe:
        """Return the preprocessing that these weights were trained with."""

    @abstractmethod
    def _make_net(self, input_shape: ImageShape, is_trained: bool) -> tuple[nn.Module, int]:
        """Return an untrained network without its head, and its number of features.

        `input_shape` is the (height, width, channels) of its input, with more than one channel;
        `is_trained` is True if weights will be loaded into it.
        """

    def _with_stages(
        self, input_shape: ImageShape, is_trained: bool
    ) -> tuple[nn.Module, int] | None:
        """Return the network with additional features of its stages, or None if it has none."""
        return None

    @abstractmethod
    def _load_named(self, net: nn.Module, weights: str, *, progress: bool) -> None:
        """Load named weights into the network; download them if necessary."""

    def _own_part(self, state: State) -> State:
        """Return the weights of a file that belong to the network."""
        return state

    def make(
        self, image_shape: ImageShape, weights: str | None, *, with_stages: bool = False
    ) -> FeatureExtractor:
        """Return the untrained network for framed images (height, width, channels).

        `with_stages` asks for features of all stages, which not every network has.
        """
        height, width, n_channels = image_shape
        n_inputs = self.n_colors if n_channels == 1 else n_channels
        shape = (height, width, n_inputs)
        is_trained = weights is not None
        made = self._with_stages(shape, is_trained) if with_stages else None
        net, n_features = self._make_net(shape, is_trained) if made is None else made
        mean = std = None
        if weights is not None:
            recipe = self.recipe(weights)
            mean, std = (_one_each(values, n_inputs) for values in (recipe.mean, recipe.std))
        return FeatureExtractor(
            with_weights(net), n_features, repeats=n_inputs // n_channels, mean=mean, std=std
        )

    def load(self, features: FeatureExtractor, weights: str, *, progress: bool) -> None:
        """Load weights, given by name or as a file, into a network returned by `make`."""
        if weights in self.known_weights:
            self._load_named(features.net, weights, progress=progress)
        else:
            state = self._own_part(read_weights(weights, known=self.known_weights))
            load_into(features.net, state, origin=weights, name=self.name)

    def statistics(
        self, images: LazyImages, rows: np.ndarray, weights: str | None
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the mean and scale of each channel, applied before the network.

        None stands for the statistics of the training images, which are the given rows of `images`.
        Pretrained weights expect pixels between 0 and 1; the value range is inferred from the
        images: up to 1, 255 or 65,535, or from the least to the largest value if some are negative.
        """
        if weights is None:
            return None
        n_channels = images.image_shape[2]
        lowest, highest = range_of(images, rows)
        return np.full(n_channels, lowest), np.full(n_channels, highest - lowest)

    def frame(
        self, image_shape: ImageShape, weights: str | None, image_size: int | str
    ) -> ResizeCenterCrop | None:
        """Return the transform that brings images (height, width, channels) to the network's size.

        None if images are used unchanged.
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
                f"image_size={side} is not a size that {self.name!r} accepts: expected at least "
                f'{self.smallest}{among}. Pass image_size="auto" to enlarge images as needed.'
            )
        if image_shape[:2] == (side, side):
            return None
        return resize_crop_square(image_shape, side, side, "bilinear")


def _one_each(values: tuple[float, ...], n: int) -> tuple[float, ...]:
    """Return one value per channel: their mean if the number of channels differs."""
    return values if len(values) == n else (sum(values) / len(values),) * n
