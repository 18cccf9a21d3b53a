"""What a net that was trained before makes of images."""

import os
from numbers import Integral

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils.validation import check_is_fitted

from skimgcls._backbones import as_path, find_backbone
from skimgcls._images._lazy_images import as_lazy, float_type
from skimgcls._images._resize_center_crop import ResizeCenterCrop
from skimgcls._images._statistics import channel_statistics
from skimgcls._training._batches import BatchFormat
from skimgcls._training._device import check_device, choose_precision
from skimgcls._training._inference import BACKBONE_VALUES, predict_logits
from skimgcls.nets import Standardize
from skimgcls.preprocessing._base import BaseImageTransformer
from skimgcls.utils._random import draw_seed, seeded
from skimgcls.utils._sklearn_compat import HasMethods, Interval, StrOptions
from skimgcls.utils._state_dict import load_state, to_arrays, to_tensors

# Images up to which numbers that float32 would round are computed with in float64.
_FEW = 64


class ImageEmbedder(ClassNamePrefixFeaturesOutMixin, BaseImageTransformer):
    """Features of images, by a net that was trained before.

    What a net for classification has computed of an image before its last layer is a good
    description of it, and a linear model on a few hundred of them often a good classifier (Razavian
    et al., "CNN Features Off-the-Shelf", 2014).

    Parameters
    ----------
    backbone : str or fitted classifier, default="mobilenet_v3_small"
        A net of torchvision by its name; "unet" or "timm:NAME"; or a fitted image classifier: as in
        :class:`~skimgcls.PretrainedImageClassifier`.

    weights : str, path or None, default=None
        None for random weights, "DEFAULT" or the name of weights that torchvision has, which `fit`
        downloads, or a file of weights: as in :class:`~skimgcls.PretrainedImageClassifier`.

    image_size : int or "auto", default="auto"
        Side of the square that the net is given: the shorter side of an image is resized to it, and
        the middle is cut out. "auto" is what the weights were trained on; without weights it is
        the size of the images, of which sides shorter than 32 pixels, or than the net can take, are
        stretched.

    image_shape : tuple (height, width) or (height, width, channels), default=None
        Shape of one image where X holds rows of pixels. None takes rows for square grey images if
        their number of pixels is a square number, else for images one pixel high.

    device : str, default="auto"
        torch device to compute on. "auto" is a CUDA GPU if there is one, else the processor.

    precision : {"auto", "float32", "bfloat16", "float64"}, default="auto"
        What to compute in. "bfloat16" is faster where the device has it in hardware, and rounds
        features to 2 or 3 digits. "auto" is "float64" for few images of numbers that float32 would
        round, else "float32".

    random_state : int, RandomState instance or None, default=None
        Seed of random weights.

    verbose : int, default=0
        1 shows the progress of a download.

    Attributes
    ----------
    image_shape_ : tuple (height, width, channels)
        Of the images seen in `fit`; those of `transform` must have it.
    n_features_in_ : int
        Numbers per image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a DataFrame of pixels.
    precision_ : {"float32", "bfloat16", "float64"}
        What features are computed in.

    See Also
    --------
    skimgcls.PretrainedImageClassifier : The same net with a dense layer on it, trained together.

    Notes
    -----
    The net is in evaluation mode, and nothing of it is trained. Random changes of an ImageAugmenter
    do not come to bear.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skimgcls import ImageEmbedder, make_shapes
    >>> X, y = make_shapes(60, image_size=32, random_state=0)
    >>> embedder = ImageEmbedder("mobilenet_v3_small", random_state=0)
    >>> embedder.fit_transform(X).shape
    (60, 1024)
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
        backbone="mobilenet_v3_small",
        *,
        weights=None,
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
            Images as `fit` takes them.

        Returns
        -------
        features : ndarray of shape (n, n_features)
            float32, or float64 for images of float64.
        """
        check_is_fitted(self)
        images, _ = self._check_images(X, reset=False)
        dtype = float_type(images.dtype)
        if self._framing is not None:
            images = as_lazy(images).then(ResizeCenterCrop(**self._framing))
        # Where the net is, whatever `device` was set to since.
        batch_format = self._batch_format(self._net[0].factor.device)
        features = predict_logits(self._net, images, batch_format, n_values=BACKBONE_VALUES)
        return features.astype(dtype, copy=False)

    def _learn(self, images):
        source, weights = find_backbone(self.backbone), as_path(self.weights)
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
                source.load(net[-1], weights, progress=bool(self.verbose))
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
        # Features are looked at and compared: they are rounded for those who ask for it.
        return "float32" if self.precision == "auto" and found == "bfloat16" else found

    def _make_net(self, source, weights, statistics):
        shape = self.image_shape_
        if self._framing is not None:
            shape = ResizeCenterCrop(**self._framing).output_shape(shape)
        first = Standardize(*map(torch.from_numpy, statistics))
        net = torch.nn.Sequential(first, source.make(shape, weights))
        self._n_features_out = net[-1].n_features
        return net.requires_grad_(False).eval()

    def _batch_format(self, device):
        dtype = torch.float64 if self.precision_ == "float64" else torch.float32
        return BatchFormat(device, dtype, autocast=self.precision_ == "bfloat16")

    def __getstate__(self):
        """Arrays and plain values alone, so that any way of saving works on any machine."""
        state = dict(super().__getstate__())
        if "_net" in state:
            state["_net"] = to_arrays(state["_net"].state_dict())
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_net" not in state:
            return
        source = find_backbone(self._built_with["backbone"])
        channels = self.image_shape_[2]
        with seeded(0):
            net = self._make_net(
                source, self._built_with["weights"], (np.zeros(channels), np.ones(channels))
            )
        load_state(net, to_tensors(state["_net"]))
        try:
            device = check_device(self.device)
        except ValueError:
            # Fitted on a device that this machine lacks.
            device = torch.device("cpu")
        self._net = self._batch_format(device).place(net)
