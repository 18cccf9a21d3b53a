"""A net that was trained elsewhere, with a new last layer."""

import math
import os
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import torch

from skimgcls._backbones import as_path, find_backbone
from skimgcls._images._lazy_images import as_lazy
from skimgcls._images._resize_center_crop import ResizeCenterCrop
from skimgcls._training._inference import BACKBONE_VALUES, predict_logits
from skimgcls._training._trainer import train_on_features
from skimgcls.classifiers._base import BaseImageClassifier
from skimgcls.classifiers._flip_translate import FlipTranslateMixin
from skimgcls.nets import TransferNet
from skimgcls.utils._docstrings import with_shared_sections
from skimgcls.utils._sklearn_compat import HasMethods, Interval, StrOptions

# What max_iter="auto" makes where the body is trained: so many steps, in no fewer and no more
# epochs than these. Where all fit in one batch twice as many would be a little more accurate, and
# take twice as long for a handful of images.
_STEPS = 500
_EPOCHS = (5, 60)
_EPOCHS_OF_ONE_BATCH = 30


@with_shared_sections
class PretrainedImageClassifier(FlipTranslateMixin, BaseImageClassifier):
    """Image classifier by a net that was trained before, on other images.

    The net without its last layer, the backbone, makes features of an image; a new dense layer, the
    head, makes logits of them. One trains the head alone, or the last stages of the backbone, or
    all of it (Yosinski et al., "How transferable are features in deep neural networks?", 2014).

    Parameters
    ----------
    backbone : str or fitted classifier, default="mobilenet_v3_small"
        - a net of torchvision for classification, by torchvision's name: "mobilenet_v3_small",
          which is quick on a processor, "resnet18", "vgg16", "efficientnet_b0", "convnext_tiny",
          "vit_b_16", and all others that
          ``torchvision.models.list_models(module=torchvision.models)`` names.
        - "unet", the encoder of a U-Net, or "timm:NAME", a net of timm: with
          ``pip install skimgcls[backbones]``.
        - a fitted image classifier of this library. Where estimators are cloned, as in a search,
          wrap it in `sklearn.frozen.FrozenEstimator`.

    weights : str, path or None, default=None
        - None: random weights, to be trained from scratch.
        - "DEFAULT", or the name of weights that torchvision has for the net, such as
          "IMAGENET1K_V1". `fit` downloads them, once: see the notes.
        - a file of weights: .safetensors, or .pt or .pth as torch saves a ``state_dict``. It is
          read, never run.

    trainable : "all", "head" or int, default="all"
        What is trained: all weights, the head alone, or so many stages of the backbone from its
        end, and the head. A stage is a child of the torch module with what belongs to it: "layer4"
        of a ResNet, the last block of "features" of a VGG.

    head_warmup : int, default=0
        Epochs in which the head alone is trained, before the rest.

    backbone_learning_rate_factor : float or "auto", default="auto"
        What share of the learning rate is the backbone's. "auto" is 0.1 with weights, and 1 without
        and for a fitted classifier.

    image_size : int or "auto", default="auto"
        Side of the square that the net is given: the shorter side of an image is resized to it, and
        the middle is cut out. "auto" is what the weights were trained on, in torchvision's own way
        of resizing, and for random weights the size of the images, of which sides shorter than 32
        pixels, or than the net can take, are stretched.

    keep_features : bool, default=True
        Whether the features are computed once and kept, ``n * n_features`` numbers, where they
        never change: with trainable="head", no augmentation, and neither `mixup` nor `cutmix`.

    dropout : float, default=0.0
        Share of the features set to zero in training, before the head.

    {view_parameters}

    label_smoothing : float, default=0.1
        Share of each training label that is spread over all classes (Szegedy et al., "Rethinking
        the Inception Architecture for Computer Vision", 2016).

    test_time_augmentation : bool, default=False
        Whether logits are the mean over an image and views of it: moved by one pixel, if training
        moves images, and mirrored, if it mirrors them. Takes three to six times as long to predict.

    max_iter : int or "auto", default="auto"
        Epochs, that is passes over the training images, at most. "auto" makes as many as 500 steps
        take, but no fewer than 5 and no more than 60, or 30 where all images fit in one batch, and
        for images of fewer than 64 pixels fewer in proportion, down to an eighth; where the head
        alone is trained, 2,000 steps in 12 to 100 epochs.

    n_iter_no_change : int, default=10
        Stop after this many epochs in a row without improvement: of the validation score with
        `early_stopping`, of the training loss with a constant learning rate. One that falls goes
        all the way.

    standardize : bool, default=True
        Bring pixels to what the backbone expects: those of weights to 0 to 1, then to the mean and
        standard deviation of the images they were trained on; without weights to mean 0 and
        standard deviation 1. Whether pixels go up to 1, 255 or 65,535 the training images tell.

    {training_parameters}

    Attributes
    ----------
    {view_attributes}

    image_size_ : tuple (height, width)
        Size of the images that the backbone is given, in pixels.

    {fitted_attributes}

    See Also
    --------
    skimgcls.preprocessing.ImageEmbedder : The features, for any classifier.
    ResNetImageClassifier : A small net that learns fast from scratch.

    Notes
    -----
    Weights are kept in the cache of torch's hub, the folder ``checkpoints`` in
    ``torch.hub.get_dir()``, that the environment variable TORCH_HOME moves. Without a network, put
    the file there, under its own name; its hash is checked.

    Grey images are repeated for the three channels of a net. For any other number of channels the
    first layer is new; of weights, it gets the mean over the channels they have.

    What is not trained is evaluated as in predictions: its batch statistics stand, and nothing in
    it is dropped.

    Examples
    --------
    >>> from skimgcls import PretrainedImageClassifier, make_shapes
    >>> X, y = make_shapes(60, image_size=32, random_state=0)
    >>> clf = PretrainedImageClassifier("mobilenet_v3_small", max_iter=1, random_state=0)
    >>> clf.fit(X, y).predict_proba(X).shape
    (60, 3)

    With weights, and the head alone to train::

        PretrainedImageClassifier("resnet18", weights="DEFAULT", trainable="head").fit(X, y)
    """

    _parameter_constraints: dict = {
        **BaseImageClassifier._parameter_constraints,
        **FlipTranslateMixin._view_constraints,
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
        | FlipTranslateMixin._views_of_training
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
        return (
            images
            if self._framing is None
            else as_lazy(images).then(ResizeCenterCrop(**self._framing))
        )

    def _auto_horizontal_flip(self, train):
        # Features of images as they are can be kept.
        return self._n_stages != 0 and super()._auto_horizontal_flip(train)

    def _auto_translation(self):
        return 0 if self._n_stages == 0 else super()._auto_translation()

    @property
    def _net_shape(self):
        shape = self.image_shape_
        return (
            shape
            if self._framing is None
            else ResizeCenterCrop(**self._framing).output_shape(shape)
        )

    def _pixel_statistics(self, train):
        images = as_lazy(train.images)
        if self._framing is not None:
            # Before the framing, which can make pixels whiter than white.
            images = replace(images, steps=images.steps[:-1])
        source = find_backbone(self.backbone)
        found = source.statistics(images, train.rows, as_path(self.weights))
        return super()._pixel_statistics(train) if found is None else found

    def _build_module(self, image_shape, n_outputs):
        body = find_backbone(self.backbone).make(self._net_shape, as_path(self.weights))
        net = TransferNet(body, n_outputs, dropout=self.dropout, n_stages=self._n_stages)
        return self._with_test_time_augmentation(net)

    @property
    def _n_stages(self):
        return {"all": None, "head": 0}.get(self.trainable, self.trainable)

    def _prepare_module(self, module, train):
        if self.weights is not None:
            find_backbone(self.backbone).load(
                module[-1].net.body, as_path(self.weights), progress=bool(self.verbose)
            )

    def _refine_config(self, plan):
        share = self.backbone_learning_rate_factor
        if share == "auto":
            share = 1.0 if self.weights is None else 0.1
        return replace(
            self._with_flip_translate(plan),
            learning_rate_factors=(("net.net.body.*", share),),
            # Where less is trained than all there is nothing to wait for; nor in a single epoch.
            head_warmup=self.head_warmup if self._n_stages != 0 and plan.max_epochs > 1 else 0,
        )

    def _store_config(self, plan):
        super()._store_config(plan)
        self.image_size_ = self._net_shape[:2]

    def _auto_max_iter(self, n_steps, n_images):
        if self._n_stages == 0:
            return super()._auto_max_iter(n_steps, n_images)
        n_epochs = min(_STEPS / n_steps, _EPOCHS_OF_ONE_BATCH if n_steps == 1 else _EPOCHS[1])
        return max(math.ceil(self._training_fraction() * n_epochs), _EPOCHS[0])

    def _train(self, net, plan, loss, train, valid, rng):
        changes = as_lazy(train.images).is_random or plan.mixing or plan.views
        if self._n_stages != 0 or changes or not self.keep_features:
            return super()._train(net, plan, loss, train, valid, rng)
        train = self._features_of(net, train)
        valid = None if valid is None else self._features_of(net, valid)
        with train_on_features(net, net.module_[-1].net.head):
            return super()._train(net, plan, loss, train, valid, rng)

    def _features_of(self, net, images):
        """Return the same set with features (n, 1, 1, n_features) for images."""
        first, body = net.module_[:-1], net.module_[-1].net.body
        found = predict_logits(
            torch.nn.Sequential(*first, body),
            images.images,
            net.iterator_valid__batch_format,
            images.rows,
            n_values=BACKBONE_VALUES,
        )
        features = np.zeros((len(images.images), 1, 1, found.shape[1]), found.dtype)
        features[images.rows, 0, 0] = found
        return replace(images, images=features)
