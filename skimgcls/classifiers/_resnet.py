"""A small residual network that trains fast."""

import math
from dataclasses import replace
from numbers import Integral, Real

from skimgcls._training._batches import sample
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
from skimgcls.nets import ResNet
from skimgcls.utils._docstrings import with_shared_sections
from skimgcls.utils._params import check_sizes
from skimgcls.utils._sklearn_compat import Interval, StrOptions

# Number of images that the first layer is computed from.
_N_SAMPLED = 2048
# Values for "auto": the most images that form one batch, else the limits of the batch size; the
# number of steps or images, and the limits on the number of epochs.
_ONE_BATCH = 64
_BATCHES = (16, 250)
_STEPS = 700
_IMAGES = 30_000
_EPOCHS = (6, 120)
# widths="auto": these stages while a side of the feature map is longer than two pixels. The number
# of channels is limited to this multiple of the values per image, but the limit is at least 8.
_WIDTHS = (32, 128, 128)
_CHANNELS_PER_VALUE = 2
_FEWEST_CHANNELS = 8
# mixup="auto": minimum number of epochs and strength, the most epochs first.
_MIXUP = ((60, 0.5), (20, 0.2))
# Fraction of the epochs in which images are mixed; the last epochs use unmixed images.
_MIXED = 0.7


@with_shared_sections
class ResNetImageClassifier(BaseImageClassifier):
    """Small residual network image classifier that trains fast.

    The network has a first layer computed from the images and residual convolution stages. The
    training procedure is designed for accuracy per second, after the speed records on CIFAR-10
    (Page, "How to Train Your ResNet", 2018; Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single
    GPU", 2024, arXiv:2404.00498). Hyperparameters that these tuned for one dataset depend here on
    the number of images, their size, and whether they may be mirrored.

    Parameters
    ----------
    widths : array-like of int or "auto", default="auto"
        Number of channels of each stage. A stage halves height and width. "auto" is (32, 128, 128)
        for images with a side of 12 pixels or more. Smaller images have fewer stages, which end
        when the feature map is one or two pixels long, and no stage has more than twice as many
        channels as an image has values. (64, 256, 256) is more accurate and takes three times as
        long.

    depth : int, default=2
        Number of convolutions of each stage.

    {view_parameters}

    label_smoothing : float, default=0.2
        Fraction of each training label that is spread over all classes (Szegedy et al.,
        "Rethinking the Inception Architecture for Computer Vision", 2016). It keeps predicted
        probabilities away from 0 and 1.

    weight_averaging : float, default=0.0
        Fraction of the training steps, at the end, over which the weights are averaged (Izmailov et
        al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018). It is most
        useful with a constant learning rate: weights change little after a rate has decayed to
        zero. With `early_stopping`, the weights of the best epoch are used instead.

    test_time_augmentation : bool, default=True
        Whether to average the logits over an image and views of it: shifted by one pixel if
        training shifts images, and mirrored if it mirrors them. Prediction takes up to six times as
        long.

    solver : {"muon", "adamw"}, default="muon"
        "muon" updates the filters of each convolution along their orthogonalized Nesterov momentum
        (Jordan et al., "Muon", 2024), and all other weights with AdamW. "adamw" uses AdamW only.

    alpha : float, default=0.05
        Strength of the weight decay of AdamW. Muon keeps the norm of the filters constant, without
        weight decay.

    batch_size : int or "auto", default="auto"
        Number of images per batch. "auto" is 1/20 of the number of training images, but at least 16
        and at most 250. Up to 64 images form a single batch.

    learning_rate : {"cosine", "linear", "constant"}, default="linear"
        Learning rate schedule of `fit`. The rate decays from `learning_rate_init` to zero along
        half a cosine or linearly, or stays constant. `partial_fit` keeps it constant.

    learning_rate_init : float or "auto", default="auto"
        Initial learning rate. For "muon" it is the length of an update relative to the norm of the
        filters. "auto" grows with the cube root of the batch size, from 0.05 at 16 to 0.12 at 250
        and 0.24 at 2,000; for "adamw" it is 0.002.

    max_iter : int or "auto", default="auto"
        Maximum number of epochs. "auto" is the number of epochs that 700 steps or 30,000 images
        take, whichever is larger, but at least 6 and at most 120. It is proportionally lower, down
        to an eighth, for images of fewer than 64 pixels.

    mixup : float or "auto", default="auto"
        If positive, each training image and its label are mixed with those of another image of the
        batch, with weights 1 - w and w. w is drawn once per batch from Beta(mixup, mixup) (Zhang et
        al., "mixup", 2018). "auto" is 0.5 for 60 epochs or more, 0.2 for 20 or more, and 0 for
        fewer, or if all images fit in one batch. With a decaying learning rate and no early
        stopping, the last 30 % of the epochs use unmixed images.

    n_iter_no_change : int, default=10
        Number of consecutive epochs without improvement after which training stops. The validation
        score is monitored with `early_stopping`, the training loss with a constant learning rate.
        With a decaying learning rate and no early stopping, all `max_iter` epochs are run.

    {training_parameters}

    Attributes
    ----------
    {view_attributes}

    widths_ : tuple of int
        Number of channels of each stage.

    mixup_ : float
        Value of `mixup` used in the last call of `fit` or `partial_fit`.

    {fitted_attributes}

    See Also
    --------
    CNNImageClassifier : A plain convolutional network.
    skimgcls.preprocessing.ImageAugmenter : More augmentations of the training images.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skimgcls import ResNetImageClassifier
    >>> digits = load_digits()
    >>> X_train, X_test, y_train, y_test = train_test_split(
    ...     digits.images, digits.target, random_state=0
    ... )
    >>> clf = ResNetImageClassifier(max_iter=5, random_state=0).fit(X_train, y_train)
    >>> clf.score(X_test, y_test) > 0.95
    True
    >>> clf.widths_, clf.batch_size_
    ((32, 128), 67)
    >>> clf.horizontal_flip_
    False
    """

    _parameter_constraints: dict = {
        **BaseImageClassifier._parameter_constraints,
        **VIEW_CONSTRAINTS,
        "widths": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "depth": [Interval(Integral, 1, None, closed="left")],
        "weight_averaging": [Interval(Real, 0, 1, closed="both")],
        "solver": [StrOptions({"muon", "adamw"})],
        "mixup": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
    }
    _of_training = (
        BaseImageClassifier._of_training | VIEWS_OF_TRAINING | {"weight_averaging", "solver"}
    )

    def __init__(
        self,
        widths="auto",
        *,
        depth=2,
        horizontal_flip="auto",
        translation="auto",
        label_smoothing=0.2,
        weight_averaging=0.0,
        test_time_augmentation=True,
        solver="muon",
        alpha=0.05,
        batch_size="auto",
        learning_rate="linear",
        learning_rate_init="auto",
        max_iter="auto",
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        class_weight=None,
        mixup="auto",
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
        self.widths = widths
        self.depth = depth
        self.horizontal_flip = horizontal_flip
        self.translation = translation
        self.label_smoothing = label_smoothing
        self.weight_averaging = weight_averaging
        self.test_time_augmentation = test_time_augmentation
        self.solver = solver

    def _build_module(self, image_shape, n_outputs):
        widths = self.widths
        widths = _auto_widths(image_shape) if widths == "auto" else check_sizes("widths", widths)
        if not widths:
            raise ValueError("widths is empty; expected the channels of at least one stage.")
        self.widths_ = widths
        network = ResNet(image_shape, n_outputs, widths=widths, depth=self.depth)
        network.views = views_of_prediction(
            self.test_time_augmentation, self.horizontal_flip_, self.translation_
        )
        return network

    def _resolve_auto(self, train):
        self.horizontal_flip_ = choose_horizontal_flip(self.horizontal_flip, train)
        self.translation_ = choose_translation(self.translation, self.image_shape_, self._net_shape)

    def _prepare_module(self, network, train):
        network.learn_whitening(*sample(train, _N_SAMPLED))

    def _auto_values(self):
        return _ResNetAutoValues(self.image_shape_, self._net_shape, self.solver)

    def _make_config(self, n_images, *, single_epoch=False):
        plan = super()._make_config(n_images, single_epoch=single_epoch)
        mixing = plan.mixing
        if mixing is not None and plan.schedule != "constant" and not plan.early_stopping:
            mixing = replace(mixing, n_passes=math.ceil(_MIXED * plan.max_epochs))
        return replace(
            with_views(plan, self.horizontal_flip_, self.translation_, self.label_smoothing),
            mixing=mixing,
            weight_averaging=self.weight_averaging,
            solver=self.solver,
        )

    def _store_config(self, plan):
        super()._store_config(plan)
        self.mixup_ = 0.0 if plan.mixing is None else plan.mixing.mixup


class _ResNetAutoValues(AutoValues):
    """Values of the training parameters that are "auto"."""

    def __init__(self, image_shape, net_shape, solver):
        super().__init__(image_shape, net_shape)
        self.solver = solver

    def batch_size(self, n_images):
        if n_images <= _ONE_BATCH:
            return _ONE_BATCH
        return min(max(n_images // 20, _BATCHES[0]), _BATCHES[1])

    def max_iter(self, n_steps, n_images):
        n_epochs = min(max(_STEPS / n_steps, _IMAGES / n_images), _EPOCHS[1])
        return max(math.ceil(self.training_fraction() * n_epochs), _EPOCHS[0])

    def learning_rate_init(self, batch_size):
        """Return the initial learning rate."""
        if self.solver == "adamw":
            return 0.002
        return 0.24 * (batch_size / 2000) ** (1 / 3)

    def mixup(self, n_steps, max_epochs):
        """Return the strength of mixup, given the steps of an epoch and the number of epochs."""
        strengths = (mixup for n_epochs, mixup in _MIXUP if n_steps > 1 and max_epochs >= n_epochs)
        return next(strengths, 0.0)


def _auto_widths(image_shape):
    """Return the channels of the stages for `image_shape` (height, width, n_channels)."""
    # A multiple of eight is efficient on vector units.
    most = max(8 * math.ceil(_CHANNELS_PER_VALUE * math.prod(image_shape) / 8), _FEWEST_CHANNELS)
    sides = [max(image_shape[:2]) // 2**stage for stage in range(len(_WIDTHS))]
    widths = [min(width, most) for width, side in zip(_WIDTHS, sides, strict=True) if side > 2]
    return tuple(widths or [min(_WIDTHS[0], most)])
