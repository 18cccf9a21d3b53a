"""A fitted image classifier as backbone."""

import copy
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

from skimgcls._backbones._adapt import remove_head
from skimgcls._backbones._source import BackboneSource, Recipe
from skimgcls._images._lazy_images import ImageShape, LazyImages
from skimgcls._images._resize_center_crop import ResizeCenterCrop, resize_crop_square


class FittedBackbone(BackboneSource):
    """The network of a fitted image classifier.

    Parameters
    ----------
    classifier : BaseImageClassifier, or a FrozenEstimator around one
    """

    default_weights = None

    def __init__(self, classifier: Any) -> None:
        if isinstance(classifier, FrozenEstimator):
            classifier = classifier.estimator
        if not hasattr(type(classifier), "_build_module"):
            raise ValueError(
                f"backbone={classifier!r} is not an image classifier of skimgcls. Expected a "
                "fitted image classifier or the name of a network."
            )
        try:
            check_is_fitted(classifier, "net_")
        except ValueError as error:
            raise ValueError(
                f"backbone={classifier!r} is not fitted. Fit it first; and wrap it as "
                "sklearn.frozen.FrozenEstimator(classifier) in a search or in cross-validation, "
                "which clone estimators: a clone is not fitted."
            ) from error
        self.classifier = classifier
        self.name = type(classifier).__name__
        # The input shape of its network, which may be larger than that of the images.
        self.image_shape: ImageShape = classifier._net_shape
        self.n_colors = self.image_shape[2]

    def recipe(self, weights: str) -> Recipe:
        raise ValueError(
            f"weights={weights!r} cannot be used with a fitted classifier as backbone: it has its "
            'own weights. Leave weights="auto".'
        )

    def frame(
        self, image_shape: ImageShape, weights: str | None, image_size: int | str
    ) -> ResizeCenterCrop | None:
        if weights is not None:
            self.recipe(weights)
        height, width, n_channels = self.image_shape
        if image_shape[2] not in (1, n_channels):
            raise ValueError(
                f"The images have {image_shape[2]} channel(s), and the backbone was fitted on "
                f"{n_channels}. Convert the images."
            )
        if image_size != "auto" and (height, width) != (int(image_size), int(image_size)):
            raise ValueError(
                f"image_size={image_size}, but the backbone was fitted on images of {height} by "
                f'{width} pixels. Pass image_size="auto" to resize images to this size.'
            )
        if image_shape[:2] == (height, width):
            return None
        if height == width:
            return resize_crop_square(image_shape, height, height, "bilinear")
        return ResizeCenterCrop((height, width), (height, width))

    def _make_net(self, input_shape: ImageShape, is_trained: bool) -> tuple[nn.Module, int]:
        # On the CPU and in float32, wherever it was trained.
        net = copy.deepcopy(self.classifier.net_.module_).float().cpu()
        # The new classifier standardizes and averages its predictions itself.
        net.standardize = net.views = None
        return net, remove_head(net, n_outputs=self.classifier.n_outputs_)

    def _load_named(self, net: nn.Module, weights: str, *, progress: bool) -> None:
        self.recipe(weights)

    def statistics(
        self, images: LazyImages, rows: np.ndarray, weights: str | None
    ) -> tuple[np.ndarray, np.ndarray]:
        n_channels = images.image_shape[2]
        standardize = self.classifier.net_.module_.standardize
        if standardize is None:
            return np.zeros(n_channels), np.ones(n_channels)
        mean, scale = (
            values.flatten().double().cpu().numpy()
            for values in (standardize.mean, standardize.scale)
        )
        if n_channels == len(mean):
            return mean, scale
        # Greyscale images with a network for color images.
        return mean.mean(keepdims=True), scale.mean(keepdims=True)
