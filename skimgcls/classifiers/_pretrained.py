"""A pretrained network with a new last layer."""

import os
from dataclasses import replace
from numbers import Integral, Real

from skimgcls._backbones import find_backbone
from skimgcls._images._resize_center_crop import ResizeCenterCrop
from skimgcls._training._fitted_head import fit_head
from skimgcls._training._loss import make_loss
from skimgcls.classifiers._auto import AutoValues
from skimgcls.classifiers._backbone_auto import BackboneAutoValues, choose_head_solver
from skimgcls.classifiers._base import BaseImageClassifier
from skimgcls.classifiers._fine_tuning import FineTuning, compute_features, count_epochs
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


@with_shared_sections
class PretrainedImageClassifier(BaseImageClassifier):
    """Image classifier around a pretrained network.

    The backbone, a network without its last layer, computes features of an image. The head, a new
    dense layer, computes logits from the features. The head alone, the last stages of the backbone
    or all of it are trained (Yosinski et al., "How transferable are features in deep neural
    networks?", 2014).

    Parameters
    ----------
    backbone : str or fitted classifier, default="efficientnet_lite0"
        - "efficientnet_lite0": EfficientNet-Lite0 (Tan & Le, "EfficientNet", 2019), which is fast
          on a CPU. Its weights are installed with the library.
        - the name of a torchvision classification network: "mobilenet_v3_small", "resnet18",
          "vgg16", "efficientnet_b0", "convnext_tiny", "vit_b_16", or any other name in
          ``torchvision.models.list_models(module=torchvision.models)``.
        - "unet", the encoder of a U-Net, or "timm:NAME", a network of timm. Both require
          ``pip install skimgcls[backbones]``.
        - a fitted image classifier of this library. If it will be cloned, as in a grid search,
          wrap it in `sklearn.frozen.FrozenEstimator`.

    weights : "auto", str, path or None, default="auto"
        - "auto": pretrained weights. They are installed for "efficientnet_lite0"; a fitted
          classifier has its own; for other networks "auto" is "DEFAULT".
        - "DEFAULT", or the name of torchvision weights for the network, such as "IMAGENET1K_V1".
          `fit` downloads them once; see Notes.
        - None: random weights, to train from scratch with trainable="all".
        - a weights file: .safetensors, or .pt or .pth with a ``state_dict`` saved by torch. No code
          in the file is executed.

    trainable : "all", "auto", "head" or int, default="head"
        Which weights are trained: all, those of the head only, or those of the head and the last
        `trainable` stages of the backbone. A stage is a child of the torch module with the
        normalization that follows it: "layer4" of a ResNet, the last block of "features" of a VGG.
        If only the head is trained, "auto" for `horizontal_flip` and `translation` is no
        augmentation.

        "auto" fits the head, then trains all weights from there for a few epochs if that is better
        on a fifth of the images, which are held out for this decision (Kumar et al.,
        "Fine-Tuning can Distort Pretrained Features", 2022). It takes several times as long, and
        helps most for images unlike photographs.

    head_solver : {{"auto", "lbfgs", "adamw"}}, default="auto"
        How the head is computed if trainable="head".

        - "lbfgs": the optimum of an L2-regularized logistic regression on normalized features,
          those of "efficientnet_lite0" from its last layer and from all its stages. Its
          penalty is chosen by 5-fold cross-validation. It takes seconds, and `alpha`,
          `label_smoothing` and the learning rate have no effect. `partial_fit` still uses "adamw".
        - "adamw": `max_iter` epochs of training, as for other layers.
        - "auto": "lbfgs", unless something requires epochs: augmentation, `mixup`, `cutmix`,
          `dropout`, `early_stopping`, a `max_iter` other than "auto", or keep_features=False.

    head_warmup : int, default=0
        Number of initial epochs in which only the head is trained.

    backbone_learning_rate_factor : float or "auto", default="auto"
        Learning rate of the backbone, relative to that of the head. "auto" is 0.1 with pretrained
        weights, and 1 with random weights and for fitted classifiers.

    image_size : int or "auto", default="auto"
        Side of the network's square input, in pixels. The shorter side of an image is resized to
        it, and the center is cropped. For "efficientnet_lite0", "auto" is 224 pixels, 128 for
        images with a side shorter than 160, 96 for less than 32 and 32 for less than 8. For other
        pretrained weights, "auto" applies the size and the resizing that the weights were trained
        with. With random weights, "auto" keeps the size of the images, and
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
        Whether to normalize the pixels. With pretrained weights, pixels are scaled to [0, 1] and
        normalized with the mean and standard deviation of the images the weights were trained on.
        Whether pixels go up to 1, 255 or 65,535 is inferred from the training images. If these
        have negative values, their range is scaled to [0, 1]. With random weights,
        each channel is scaled to mean 0 and standard deviation 1. For a fitted classifier, its
        statistics are used.

    {training_parameters}

    Attributes
    ----------
    {view_attributes}

    trained_ : str or int
        What was trained: `trainable`, and for "auto" either "all" or "head".

    image_size_ : tuple (height, width)
        Size of the backbone's input, in pixels.

    head_solver_ : str
        Solver of the head, "lbfgs" or "adamw".

    head_alpha_ : float or None
        L2 penalty of a head fitted with "lbfgs", relative to the mean loss. It is equivalent to
        ``C = 1 / (n_samples * head_alpha_)`` in scikit-learn's LogisticRegression. None if the head
        is trained.

    weights_ : str or None
        Name or path of the weights; None for random weights and for a fitted classifier.

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
    channels the first layer is replaced. With pretrained weights, its filters are the mean of the
    pretrained filters over their channels.

    Frozen layers run in evaluation mode during training: batch normalization uses its stored
    statistics, and dropout is inactive.

    Examples
    --------
    >>> from skimgcls import PretrainedImageClassifier, make_shapes
    >>> X, y = make_shapes(60, image_size=32, random_state=0)
    >>> clf = PretrainedImageClassifier(random_state=0).fit(X, y)
    >>> clf.predict_proba(X).shape
    (60, 3)

    All layers of another network, from weights that are downloaded::

        PretrainedImageClassifier("resnet18", trainable="all").fit(X, y)
    """

    _parameter_constraints: dict = {
        **BaseImageClassifier._parameter_constraints,
        **VIEW_CONSTRAINTS,
        "backbone": [str, HasMethods("predict_proba")],
        "weights": [str, os.PathLike, None],
        "trainable": [
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"all", "auto", "head"}),
        ],
        "head_solver": [StrOptions({"auto", "lbfgs", "adamw"})],
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
        | {"head_solver", "head_warmup", "backbone_learning_rate_factor", "keep_features"}
    )

    def __init__(
        self,
        backbone="efficientnet_lite0",
        *,
        weights="auto",
        trainable="head",
        head_solver="auto",
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
        self.head_solver = head_solver
        self.head_warmup = head_warmup
        self.backbone_learning_rate_factor = backbone_learning_rate_factor
        self.image_size = image_size
        self.keep_features = keep_features
        self.dropout = dropout
        self.horizontal_flip = horizontal_flip
        self.translation = translation
        self.label_smoothing = label_smoothing
        self.test_time_augmentation = test_time_augmentation

    def _check_images(self, X, *, reset, name="X"):
        images = super()._check_images(X, reset=reset, name=name)
        if reset:
            source = find_backbone(self.backbone)
            self.weights_ = source.choose_weights(self.weights)
            framing = source.frame(self.image_shape_, self.weights_, self.image_size)
            self._framing = None if framing is None else vars(framing)
            self.image_size_ = self._net_shape[:2]
        if self._framing is None:
            return images
        return images.then(ResizeCenterCrop(**self._framing))

    def _resolve_auto(self, train):
        flip, translation = self.horizontal_flip, self.translation
        if self._n_stages == 0 and self.trainable != "auto":
            # Features of unchanged images can be kept.
            flip = False if flip == "auto" else flip
            translation = 0 if translation == "auto" else translation
        self.horizontal_flip_ = choose_horizontal_flip(flip, train)
        self.translation_ = choose_translation(translation, self.image_shape_, self._net_shape)
        self.head_alpha_, self.trained_ = None, self.trainable
        self.head_solver_ = choose_head_solver(self, is_augmented=train.images.is_random)

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
        found = source.statistics(images, train.rows, self.weights_)
        return super()._pixel_statistics(train) if found is None else found

    def _build_module(self, image_shape, n_outputs):
        source = find_backbone(self.backbone)
        # Files of earlier versions have no solver.
        fits_head = getattr(self, "head_solver_", "adamw") == "lbfgs"
        weights = source.choose_weights(self.weights)
        body = source.make(self._net_shape, weights, with_stages=fits_head)
        network = TransferNet(
            body,
            n_outputs,
            dropout=self.dropout,
            n_stages=self._n_stages,
            normalize=fits_head,
        )
        network.views = views_of_prediction(
            self.test_time_augmentation, self.horizontal_flip_, self.translation_
        )
        return network

    def __setstate__(self, state):
        if "head_solver" not in state:
            # In files of earlier versions, the head was trained.
            state = state | {"head_solver": "adamw", "weights_": state["weights"]}
        super().__setstate__(state)

    @property
    def _n_stages(self):
        return {"all": None, "auto": 0, "head": 0}.get(self.trainable, self.trainable)

    def _prepare_module(self, network, train):
        if self.weights_ is not None:
            find_backbone(self.backbone).load(
                network.body, self.weights_, progress=bool(self.verbose)
            )

    def _auto_values(self):
        values = AutoValues if self._n_stages == 0 else BackboneAutoValues
        return values(self.image_shape_, self._net_shape)

    def _make_config(self, n_images, *, single_epoch=False):
        plan = super()._make_config(n_images, single_epoch=single_epoch)
        share = self.backbone_learning_rate_factor
        if share == "auto":
            share = 1.0 if self.weights_ is None else 0.1
        fits_head = not single_epoch and self.head_solver_ == "lbfgs"
        return replace(
            with_views(plan, self.horizontal_flip_, self.translation_, self.label_smoothing),
            learning_rate_factors=(("body.*", share),),
            # No warm-up if only the head is trained, or in a single epoch.
            head_warmup=self.head_warmup if self._n_stages != 0 and plan.max_epochs > 1 else 0,
            max_epochs=count_epochs(self, n_images) if fits_head else plan.max_epochs,
            fits_head=fits_head,
        )

    def _train(self, net, plan, train, valid, rng):
        changes = train.images.is_random or plan.mixing or plan.views
        if self.trainable == "auto" and plan.fits_head:
            epochs, self.head_alpha_, self.trained_ = FineTuning(self, net, plan, rng).run(
                train, valid
            )
            return epochs
        if self._n_stages != 0 or changes or not self.keep_features:
            return super()._train(net, plan, train, valid, rng)
        train = compute_features(net, train)
        valid = None if valid is None else compute_features(net, valid)
        if not plan.fits_head:
            return super()._train(net, plan, train, valid, rng, on_features=True)
        loss, train = make_loss(self._encoder, self.class_weight, train)
        epochs, self.head_alpha_ = fit_head(net, loss, train, valid, rng)
        return epochs
