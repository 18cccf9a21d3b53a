"""A pretrained network with a new last layer."""

import math
import os
from dataclasses import replace
from numbers import Integral, Real

import numpy as np

from skimgcls._backbones import as_path, find_backbone
from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._resize_center_crop import ResizeCenterCrop
from skimgcls._training._inference import BACKBONE_VALUES, predict_logits
from skimgcls.classifiers._auto import AutoValues
from skimgcls.classifiers._base import BaseImageClassifier
from skimgcls.classifiers._flip_translate import (
    VIEW_CONSTRAINTS,
    VIEWS_OF_TRAINING,
    choose_horizontal_flip,
    choose_translation,
    views_of_prediction,
    with_views,
)
from skimgcls.nets import TransferNet
from skimgcls.utils._docstrings import with_shared_sections
from skimgcls.utils._sklearn_compat import HasMethods, Interval, StrOptions

# max_iter="auto" if the backbone is trained: this number of steps, within these limits on the
# number of epochs. If all images fit in one batch, twice as many epochs would be a little more
# accurate but take twice as long.
_STEPS = 500
_EPOCHS = (5, 60)
_EPOCHS_OF_ONE_BATCH = 30


@with_shared_sections
class PretrainedImageClassifier(BaseImageClassifier):
    """Image classifier around a pretrained network.

    The backbone, a network without its last layer, computes features of an image. The head, a new
    dense layer, computes logits from the features. The head alone, the last stages of the backbone
    or all of it are trained (Yosinski et al., "How transferable are features in deep neural
    networks?", 2014).

    Parameters
    ----------
    backbone : str or fitted classifier, default="mobilenet_v3_small"
        - the name of a torchvision classification network: "mobilenet_v3_small", which is fast on
          a CPU, "resnet18", "vgg16", "efficientnet_b0", "convnext_tiny", "vit_b_16", or any other
          name in ``torchvision.models.list_models(module=torchvision.models)``.
        - "unet", the encoder of a U-Net, or "timm:NAME", a network of timm. Both require
          ``pip install skimgcls[backbones]``.
        - a fitted image classifier of this library. If it will be cloned, as in a grid search,
          wrap it in `sklearn.frozen.FrozenEstimator`.

    weights : str, path or None, default=None
        - None: random weights, trained from scratch.
        - "DEFAULT", or the name of torchvision weights for the network, such as "IMAGENET1K_V1".
          `fit` downloads them once; see Notes.
        - a weights file: .safetensors, or .pt or .pth with a ``state_dict`` saved by torch. No code
          in the file is executed.

    trainable : "all", "head" or int, default="all"
        Which weights are trained: all, those of the head only, or those of the head and the last
        `trainable` stages of the backbone. A stage is a child of the torch module with the
        normalization that follows it: "layer4" of a ResNet, the last block of "features" of a VGG.
        If only the head is trained, "auto" for `horizontal_flip` and `translation` is no
        augmentation.

    head_warmup : int, default=0
        Number of initial epochs in which only the head is trained.

    backbone_learning_rate_factor : float or "auto", default="auto"
        Learning rate of the backbone, relative to that of the head. "auto" is 0.1 with `weights`,
        and 1 without, which includes fitted classifiers.

    image_size : int or "auto", default="auto"
        Side of the network's square input, in pixels. The shorter side of an image is resized to
        it, and the center is cropped. "auto" applies the size and the resizing of torchvision's
        transform for the weights. With random weights, "auto" keeps the size of the images, and
        enlarges sides shorter than 32 pixels or than the network's minimum. For a fitted
        classifier, "auto" is the input size of its network.

    keep_features : bool, default=True
        Whether to compute the features once and keep them in memory, ``n_samples * n_features``
        values, if they never change: with trainable="head", no augmentation, and neither `mixup`
        nor `cutmix`.

    dropout : float, default=0.0
        Dropout rate of the features before the head.

    {view_parameters}

    label_smoothing : float, default=0.1
        Fraction of each training label that is spread over all classes (Szegedy et al.,
        "Rethinking the Inception Architecture for Computer Vision", 2016).

    test_time_augmentation : bool, default=False
        Whether to average the logits over an image and views of it: shifted by one pixel if
        training shifts images, and mirrored if it mirrors them. Prediction takes up to six times as
        long.

    max_iter : int or "auto", default="auto"
        Maximum number of epochs. "auto" is the number of epochs that 500 steps take, but at least 5
        and at most 60, or 30 if all images fit in one batch. It is proportionally lower, down to an
        eighth, for images of fewer than 64 pixels. If only the head is trained, it is the number
        that 2,000 steps take, but at least 12 and at most 100.

    n_iter_no_change : int, default=10
        Number of consecutive epochs without improvement after which training stops. The validation
        score is monitored with `early_stopping`, the training loss with a constant learning rate.
        With a decaying learning rate and no early stopping, all `max_iter` epochs are run.

    standardize : bool, default=True
        Whether to normalize the pixels. With `weights`, pixels are scaled to [0, 1] and normalized
        with the mean and standard deviation of the images the weights were trained on; whether
        pixels go up to 1, 255 or 65,535 is inferred from the training images. With random weights,
        each channel is scaled to mean 0 and standard deviation 1. For a fitted classifier, its
        statistics are used.

    {training_parameters}

    Attributes
    ----------
    {view_attributes}

    image_size_ : tuple (height, width)
        Size of the backbone's input, in pixels.

    {fitted_attributes}

    See Also
    --------
    skimgcls.preprocessing.ImageEmbedder : Compute the features, for any classifier.
    ResNetImageClassifier : A small network that trains fast from scratch.

    Notes
    -----
    Weights are stored in the cache of torch's hub, the folder ``checkpoints`` in
    ``torch.hub.get_dir()``. The environment variable TORCH_HOME changes its location. Without
    internet access, put the file there under its original name; its hash is checked.

    Grayscale images are repeated for the three input channels of a network. For any other number of
    channels the first layer is replaced. With `weights`, its filters are the mean of the pretrained
    filters over their channels.

    Frozen layers run in evaluation mode during training: batch normalization uses its stored
    statistics, and dropout is inactive.

    Examples
    --------
    >>> from skimgcls import PretrainedImageClassifier, make_shapes
    >>> X, y = make_shapes(60, image_size=32, random_state=0)
    >>> clf = PretrainedImageClassifier("mobilenet_v3_small", max_iter=1, random_state=0)
    >>> clf.fit(X, y).predict_proba(X).shape
    (60, 3)

    With pretrained weights, and only the head trained::

        PretrainedImageClassifier("resnet18", weights="DEFAULT", trainable="head").fit(X, y)
    """

    _parameter_constraints: dict = {
        **BaseImageClassifier._parameter_constraints,
        **VIEW_CONSTRAINTS,
        "backbone": [str, HasMethods("predict_proba")],
        "weights": [str, os.PathLike, None],
        "trainable": [Interval(Integral, 0, None, closed="left"), StrOptions({"all", "head"})],
        "head_warmup": [Interval(Integral, 0, None, closed="left")],
        "backbone_learning_rate_factor": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"auto"}),
        ],
        "image_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "keep_features": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    _of_training = (
        BaseImageClassifier._of_training
        | VIEWS_OF_TRAINING
        | {"head_warmup", "backbone_learning_rate_factor", "keep_features"}
    )

    def __init__(
        self,
        backbone="mobilenet_v3_small",
        *,
        weights=None,
        trainable="all",
        head_warmup=0,
        backbone_learning_rate_factor="auto",
        image_size="auto",
        keep_features=True,
        dropout=0.0,
        horizontal_flip="auto",
        translation="auto",
        label_smoothing=0.1,
        test_time_augmentation=False,
        alpha=0.1,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.002,
        max_iter="auto",
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        class_weight=None,
        mixup=0.0,
        cutmix=0.0,
        standardize=True,
        image_shape=None,
        warm_start=False,
        device="auto",
        precision="auto",
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            class_weight=class_weight,
            mixup=mixup,
            cutmix=cutmix,
            standardize=standardize,
            image_shape=image_shape,
            warm_start=warm_start,
            device=device,
            precision=precision,
            random_state=random_state,
            verbose=verbose,
        )
        self.backbone = backbone
        self.weights = weights
        self.trainable = trainable
        self.head_warmup = head_warmup
        self.backbone_learning_rate_factor = backbone_learning_rate_factor
        self.image_size = image_size
        self.keep_features = keep_features
        self.dropout = dropout
        self.horizontal_flip = horizontal_flip
        self.translation = translation
        self.label_smoothing = label_smoothing
        self.test_time_augmentation = test_time_augmentation

    def _check_images(self, X, *, reset):
        images = super()._check_images(X, reset=reset)
        if reset:
            framing = find_backbone(self.backbone).frame(
                self.image_shape_, as_path(self.weights), self.image_size
            )
            self._framing = None if framing is None else vars(framing)
            self.image_size_ = self._net_shape[:2]
        if self._framing is None:
            return images
        return images.then(ResizeCenterCrop(**self._framing))

    def _resolve_auto(self, train):
        flip, translation = self.horizontal_flip, self.translation
        if self._n_stages == 0:
            # Features of unchanged images can be kept.
            flip = False if flip == "auto" else flip
            translation = 0 if translation == "auto" else translation
        self.horizontal_flip_ = choose_horizontal_flip(flip, train)
        self.translation_ = choose_translation(translation, self.image_shape_, self._net_shape)

    @property
    def _net_shape(self):
        shape = self.image_shape_
        return (
            shape
            if self._framing is None
            else ResizeCenterCrop(**self._framing).output_shape(shape)
        )

    def _pixel_statistics(self, train):
        images = train.images
        if self._framing is not None:
            # Before resizing, which can produce values above the maximum of the pixels.
            images = replace(images, steps=images.steps[:-1])
        source = find_backbone(self.backbone)
        found = source.statistics(images, train.rows, as_path(self.weights))
        return super()._pixel_statistics(train) if found is None else found

    def _build_module(self, image_shape, n_outputs):
        body = find_backbone(self.backbone).make(self._net_shape, as_path(self.weights))
        network = TransferNet(body, n_outputs, dropout=self.dropout, n_stages=self._n_stages)
        network.views = views_of_prediction(
            self.test_time_augmentation, self.horizontal_flip_, self.translation_
        )
        return network

    @property
    def _n_stages(self):
        return {"all": None, "head": 0}.get(self.trainable, self.trainable)

    def _prepare_module(self, network, train):
        if self.weights is not None:
            find_backbone(self.backbone).load(
                network.body, as_path(self.weights), progress=bool(self.verbose)
            )

    def _auto_values(self):
        values = AutoValues if self._n_stages == 0 else _BackboneAutoValues
        return values(self.image_shape_, self._net_shape)

    def _make_config(self, n_images, *, single_epoch=False):
        plan = super()._make_config(n_images, single_epoch=single_epoch)
        share = self.backbone_learning_rate_factor
        if share == "auto":
            share = 1.0 if self.weights is None else 0.1
        return replace(
            with_views(plan, self.horizontal_flip_, self.translation_, self.label_smoothing),
            learning_rate_factors=(("body.*", share),),
            # No warm-up if only the head is trained, or in a single epoch.
            head_warmup=self.head_warmup if self._n_stages != 0 and plan.max_epochs > 1 else 0,
        )

    def _train(self, net, plan, train, valid, rng):
        changes = train.images.is_random or plan.mixing or plan.views
        if self._n_stages != 0 or changes or not self.keep_features:
            return super()._train(net, plan, train, valid, rng)
        train = self._features_of(net, train)
        valid = None if valid is None else self._features_of(net, valid)
        return super()._train(net, plan, train, valid, rng, on_features=True)

    def _features_of(self, net, images):
        """Return the data with features (n_samples, 1, 1, n_features) as images."""
        found = predict_logits(
            net.module_.without_head(),
            images.images,
            net.iterator_valid__batch_format,
            images.rows,
            n_values=BACKBONE_VALUES,
        )
        features = np.zeros((len(images.images), 1, 1, found.shape[1]), found.dtype)
        features[images.rows, 0, 0] = found
        return replace(images, images=LazyImages(features))


class _BackboneAutoValues(AutoValues):
    """Values of the training parameters that are "auto", if the backbone is trained."""

    def max_iter(self, n_steps, n_images):
        n_epochs = min(_STEPS / n_steps, _EPOCHS_OF_ONE_BATCH if n_steps == 1 else _EPOCHS[1])
        return max(math.ceil(self.training_fraction() * n_epochs), _EPOCHS[0])
