"""Image features from a pretrained network."""

import os
from numbers import Integral

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils.validation import check_is_fitted

from skimgcls._backbones import find_backbone
from skimgcls._images._lazy_images import float_type
from skimgcls._images._resize_center_crop import ResizeCenterCrop
from skimgcls._images._statistics import channel_statistics
from skimgcls._training._batches import BatchFormat
from skimgcls._training._device import check_device, choose_precision
from skimgcls._training._inference import BACKBONE_VALUES, predict_logits
from skimgcls.nets import ImageNetwork, Standardize, rename_old_weights
from skimgcls.preprocessing._base import BaseImageTransformer
from skimgcls.utils._random import draw_seed, seeded
from skimgcls.utils._sklearn_compat import HasMethods, Interval, StrOptions
from skimgcls.utils._state_dict import (
    build_net,
    check_shape,
    load_state,
    to_arrays,
    to_tensors,
)
from skimgcls.utils._torch_generators import drawing

# Up to this number of images, values that are not exact in float32 are computed in float64.
_FEW = 64


class ImageEmbedder(ClassNamePrefixFeaturesOutMixin, BaseImageTransformer):
    """Extract image features with a pretrained network.

    The features are the input of the network's last layer. A linear model fitted on the features of
    a few hundred images is often a good classifier (Razavian et al., "CNN Features Off-the-Shelf",
    2014).

    Parameters
    ----------
    backbone : str or fitted classifier, default="efficientnet_lite0"
        "efficientnet_lite0", the name of a torchvision network, "unet", "timm:NAME" or a fitted
        image classifier; see :class:`~skimgcls.PretrainedImageClassifier`.

    weights : "auto", str, path or None, default="auto"
        "auto" for pretrained weights, which are installed for "efficientnet_lite0" and "DEFAULT"
        for other networks; "DEFAULT" or the name of torchvision weights, which `fit` downloads;
        the path of a weights file; or None for random weights. See
        :class:`~skimgcls.PretrainedImageClassifier`.

    image_size : int or "auto", default="auto"
        Height and width of the network input. The shorter side of each image is resized to it,
        followed by a center crop. "auto" is the size that the weights were trained on, or for
        "efficientnet_lite0" a size from 64 to 224 that follows that of the images. With random
        weights "auto" is the size of the images; sides shorter than 32 pixels, or than the minimum
        of the network, are enlarged. For a fitted classifier, "auto" is the input size of its
        network.

    image_shape : tuple (height, width) or (height, width, n_channels), default=None
        Shape of one image if X has shape (n_samples, n_features). If None, rows are square
        grayscale images if `n_features` is a square number, else images of height 1.

    device : str, default="auto"
        torch device to compute on. "auto" is a CUDA GPU if available, else the CPU.

    precision : {"auto", "float32", "bfloat16", "float64"}, default="auto"
        Floating-point precision of the network. "bfloat16" is faster on devices with hardware
        support, and rounds features to 2 or 3 digits. "auto" is "float64" for up to 64 images with
        values that are not exact in float32, else "float32".

    random_state : int, RandomState instance or None, default=None
        Seed of the random weights.

    verbose : int, default=0
        1 shows a progress bar for downloads.

    Attributes
    ----------
    image_shape_ : tuple (height, width, n_channels)
        Shape of the training images. `transform` requires the same shape.
    n_features_in_ : int
        Number of values per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X is a DataFrame of pixels.
    weights_ : str or None
        Name or path of the weights; None for random weights and for a fitted classifier.
    precision_ : {"float32", "bfloat16", "float64"}
        Precision in which features are computed.

    See Also
    --------
    skimgcls.PretrainedImageClassifier : Fine-tunes the same network with a dense layer.

    Notes
    -----
    The network is in evaluation mode and is not trained. The augmentation of an ImageAugmenter is
    not applied.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skimgcls import ImageEmbedder, make_shapes
    >>> X, y = make_shapes(60, image_size=32, random_state=0)
    >>> embedder = ImageEmbedder()
    >>> embedder.fit_transform(X).shape
    (60, 1280)
    >>> pipe = make_pipeline(embedder, LogisticRegression()).fit(X, y)
    """

    _parameter_constraints: dict = {
        "backbone": [str, HasMethods("predict_proba")],
        "weights": [str, os.PathLike, None],
        "image_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "image_shape": [tuple, list, None],
        "device": [str],
        "precision": [StrOptions({"auto", "float32", "bfloat16", "float64"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        backbone="efficientnet_lite0",
        *,
        weights="auto",
        image_size="auto",
        image_shape=None,
        device="auto",
        precision="auto",
        random_state=None,
        verbose=0,
    ):
        self.backbone = backbone
        self.weights = weights
        self.image_size = image_size
        self.image_shape = image_shape
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def transform(self, X):
        """Compute features.

        Parameters
        ----------
        X : array-like of images, or of files
            Images in any format that `fit` accepts.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features)
            float32, or float64 for float64 images.
        """
        check_is_fitted(self)
        images = self._check_images(X, reset=False).images
        dtype = float_type(images.dtype)
        if self._framing is not None:
            images = images.then(ResizeCenterCrop(**self._framing))
        # Use the device of the network: `device` may have been changed after `fit`.
        batch_format = self._batch_format(self._net.standardize.factor.device)
        features = predict_logits(self._net, images, batch_format, n_values=BACKBONE_VALUES)
        return features.astype(dtype, copy=False)

    def _learn(self, images):
        source = find_backbone(self.backbone)
        weights = self.weights_ = source.choose_weights(self.weights)
        framing = source.frame(self.image_shape_, weights, self.image_size)
        self._framing = None if framing is None else vars(framing)
        self.precision_ = self._choose_precision(images)
        rows = np.arange(len(images))
        statistics = source.statistics(images, rows, weights)
        if statistics is None:
            statistics = channel_statistics(images, None, rows)
        device = check_device(self.device)
        with seeded(draw_seed(self.random_state), device):
            net = self._make_net(source, weights, statistics)
            if weights is not None:
                source.load(net.body, weights, progress=bool(self.verbose))
        self._built_with = {"backbone": self.backbone, "weights": weights}
        self._net = self._batch_format(device).place(net)

    def _choose_precision(self, images):
        found = choose_precision(
            self.precision,
            images,
            check_device(self.device),
            n_images=len(images),
            batch_size=_FEW,
        )
        # Features may be compared, so bfloat16 is only used on request.
        return "float32" if self.precision == "auto" and found == "bfloat16" else found

    def _make_net(self, source, weights, statistics):
        shape = self.image_shape_
        if self._framing is not None:
            shape = ResizeCenterCrop(**self._framing).output_shape(shape)
        standardize = Standardize(*map(torch.from_numpy, statistics))
        with drawing():
            body = source.make(shape, weights)
        net = ImageNetwork(body, standardize=standardize)
        self._n_features_out = net.body.n_features
        return net.requires_grad_(False).eval()

    def _batch_format(self, device):
        dtype = torch.float64 if self.precision_ == "float64" else torch.float32
        return BatchFormat(device, dtype, autocast=self.precision_ == "bfloat16")

    def __getstate__(self):
        """Return only arrays and plain values, so that any format and machine can load them."""
        state = dict(super().__getstate__())
        if "_net" in state:
            state["_net"] = to_arrays(state["_net"].state_dict())
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_net" not in state:
            return
        check_shape(self.image_shape_)
        source = find_backbone(self._built_with["backbone"])
        channels = self.image_shape_[2]
        with seeded(0):
            statistics = np.zeros(channels), np.ones(channels)
            net = build_net(
                lambda: self._make_net(source, self._built_with["weights"], statistics),
                state["_net"],
            )
        load_state(net, rename_old_weights(to_tensors(state["_net"]), net))
        try:
            device = check_device(self.device)
        except ValueError:
            # The device of the saved model is not available here.
            device = torch.device("cpu")
        self._net = self._batch_format(device).place(net)
