"""The settings of a training run: parameters of the classifier, with "auto" replaced."""

import math
from numbers import Integral, Real

from skimgcls._training._batches import MixupCutMix, n_batches
from skimgcls._training._config import TrainingConfig
from skimgcls.utils._sklearn_compat import Interval, StrOptions

TRAINING_CONSTRAINTS: dict = {
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "learning_rate": [StrOptions({"constant", "cosine", "linear"})],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "tol": [Interval(Real, 0, None, closed="left")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "class_weight": [dict, StrOptions({"balanced"}), None],
    "mixup": [Interval(Real, 0, None, closed="left")],
    "cutmix": [Interval(Real, 0, None, closed="left")],
    "image_shape": [tuple, list, None],
    "warm_start": ["boolean"],
    "device": [str],
    "precision": [StrOptions({"auto", "float32", "bfloat16", "float64"})],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}
# max_iter="auto": this number of steps, within these limits on the number of epochs. Small datasets
# need many epochs to reach enough steps, large ones a few so that each image contributes.
_STEPS = 2000
_EPOCHS = (12, 100)
# Limits of batch_size="auto" for large images: the feature maps of the first layer are many times
# larger than a batch and have to fit in memory. Below the smallest size, gradients are too noisy.
_BATCH_VALUES = 3_000_000
_SMALLEST_BATCH = 16
# Deep networks are trained for the full number of epochs on images of at least this many pixels.
# Smaller images contain less to learn: training is proportionally shorter, down to a limit.
_FULL_SIZE = 64
_SHORTEST = 1 / 8


class AutoValues:
    """Values of the training parameters that are "auto".

    Parameters
    ----------
    image_shape : tuple (height, width, channels)
        Shape of the images.
    net_shape : tuple (height, width, channels)
        Shape of the input of the network.
    """

    def __init__(self, image_shape, net_shape):
        self.image_shape = image_shape
        self.net_shape = net_shape

    def batch_size(self, n_images):
        """Return the batch size for `n_images` images."""
        fitting = _BATCH_VALUES // math.prod(self.net_shape)
        return max(min(64 if n_images < 10_000 else 128, fitting), _SMALLEST_BATCH)

    def max_iter(self, n_steps, n_images):
        """Return the number of epochs, given the steps and images of one."""
        return min(max(math.ceil(_STEPS / n_steps), _EPOCHS[0]), _EPOCHS[1])

    def training_fraction(self):
        """Return the fraction of the full number of epochs for images of this size."""
        return min(max(math.prod(self.image_shape[:2]) / _FULL_SIZE, _SHORTEST), 1.0)


def make_config(clf, n_images, auto, *, single_epoch=False):
    """Return the settings of one run.

    Parameters
    ----------
    clf : BaseImageClassifier
        Its parameters are read. It has been given its classes.
    n_images : int
    auto : AutoValues
    single_epoch : bool
        Whether this is one call of `partial_fit`.

    Returns
    -------
    plan : TrainingConfig
    """
    batch_size = auto.batch_size(n_images) if clf.batch_size == "auto" else clf.batch_size
    n_steps = n_batches(n_images, batch_size)
    max_epochs = 1 if single_epoch else clf.max_iter
    if max_epochs == "auto":
        max_epochs = auto.max_iter(n_steps, n_images)
    learning_rate_init = clf.learning_rate_init
    if learning_rate_init == "auto":
        learning_rate_init = auto.learning_rate_init(batch_size)
    mixup = auto.mixup(n_steps, max_epochs) if clf.mixup == "auto" else clf.mixup
    mixes = mixup > 0 or clf.cutmix > 0
    return TrainingConfig(
        max_epochs=max_epochs,
        batch_size=batch_size,
        learning_rate_init=learning_rate_init,
        schedule="constant" if single_epoch else clf.learning_rate,
        weight_decay=clf.alpha,
        tol=clf.tol,
        n_iter_no_change=clf.n_iter_no_change,
        early_stopping=clf.early_stopping and not single_epoch,
        progress=clf.verbose == 1,
        log=clf.verbose >= 2,
        mixing=MixupCutMix(mixup, clf.cutmix, clf.n_outputs_) if mixes else None,
    )
