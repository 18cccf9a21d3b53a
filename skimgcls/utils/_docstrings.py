"""Docstrings of the parameters and attributes that all classifiers share."""

import inspect
from typing import TypeVar

_Class = TypeVar("_Class", bound=type)

TRAINING_PARAMETERS = """\
alpha : float, default=0.1
    Strength of the weight decay of AdamW, decoupled from the gradient (Loshchilov and Hutter,
    "Decoupled Weight Decay Regularization", 2019).

batch_size : int or "auto", default="auto"
    Number of images per batch. "auto" is 64, or 128 for 10,000 training images or more. It is
    reduced, down to 16, if a batch of large images would hold more than 3 million values. If all
    training images fit in one batch, they form a single batch and are not shuffled.

learning_rate : {"cosine", "linear", "constant"}, default="cosine"
    Learning rate schedule of `fit`. The rate decays from `learning_rate_init` to zero along half a
    cosine (Loshchilov and Hutter, "SGDR", 2017) or linearly, or stays constant. `partial_fit` keeps
    it constant.

learning_rate_init : float, default=0.002
    Initial learning rate of AdamW.

max_iter : int or "auto", default="auto"
    Maximum number of epochs. "auto" is the number of epochs that 2,000 steps take, but at least 12
    and at most 100.

tol : float, default=1e-4
    Minimum improvement. An epoch counts as an improvement if the training loss falls by more than
    `tol`, or with `early_stopping` if the validation score rises by more than `tol`.

n_iter_no_change : int, default=10
    Number of consecutive epochs without improvement after which training stops.

early_stopping : bool, default=False
    Whether to stop training when the validation accuracy stops improving, and to restore the
    weights of the best epoch. The validation images are `X_val` if given to `fit`, else a
    stratified `validation_fraction` of the training images.

validation_fraction : float, default=0.1
    Fraction of the training images to set aside for `early_stopping`, between 0 and 1.

class_weight : dict, "balanced" or None, default=None
    Class weights in the loss, as ``{label: weight}``. Labels not in the dict have weight 1.
    "balanced" weights each class by the inverse of its frequency in y. For multilabel targets, the
    weight of a column applies to its ones, relative to its zeros.

mixup : float, default=0.0
    If positive, each training image and its label are mixed with those of another image of the
    batch, with weights 1 - w and w. w is drawn once per batch from Beta(mixup, mixup); 0.2 is mild,
    1 is strong (Zhang et al., "mixup", 2018).

cutmix : float, default=0.0
    If positive, a rectangle of each training image is replaced by that of another image of the
    batch, and the labels are mixed by area. Its size is drawn from Beta(cutmix, cutmix); 1 is usual
    (Yun et al., "CutMix", 2019). If `mixup` is also positive, one of the two is chosen at random
    for each batch.

standardize : bool, default=True
    Whether to scale each channel to mean 0 and standard deviation 1. `fit` computes the statistics
    on the training images and stores them in the network. Pixels in [0, 255] and in [0, 1] then
    train the same way.

image_shape : tuple (height, width) or (height, width, n_channels), default=None
    Shape of one image if X has shape `(n_samples, n_features)`. If None, rows are square
    grayscale images if `n_features` is a square number, else images of height 1.

warm_start : bool, default=False
    Whether `fit` starts from the weights and the pixel statistics of the previous call.

device : str, default="auto"
    torch device for training and prediction. "auto" is a CUDA GPU if available, else the CPU.

precision : {"auto", "float32", "bfloat16", "float64"}, default="auto"
    Floating-point type of the computation. "bfloat16" is mixed precision: the factors of large
    matrix products are rounded to 8 significant bits; weights, sums and losses stay float32
    (Micikevicius et al., "Mixed Precision Training", 2018). "auto" selects "float64" if the
    training images fit in one batch and have values that float32 would round; else "bfloat16" if
    the device supports it in hardware and images have at least 256 values; else "float32". After
    fitting in bfloat16, set `precision` to "float32" for exact predictions.

random_state : int, RandomState instance or None, default=None
    Seed of weight initialization, shuffling, dropout, augmentation and the validation split. An int
    gives identical results, bit for bit, with the same number of torch threads. None draws a new
    seed.

verbose : int, default=0
    If 1, a progress bar shows the loss and the validation score. If 2, a table with a line for each
    epoch is printed."""

VIEW_PARAMETERS = """\
horizontal_flip : bool or "auto", default="auto"
    Whether to mirror training images left to right. Each image is mirrored in every other epoch.
    "auto" mirrors only if a simple classifier recognizes mirrored training images as well as the
    originals: usually for photographs of objects, not for digits, and never with fewer than 100
    training images. The decision is stored in `horizontal_flip_`.

translation : int or "auto", default="auto"
    Maximum number of pixels by which training images are shifted at random in each epoch. "auto" is
    1/16 of the shorter side, rounded down."""

VIEW_ATTRIBUTES = """\
horizontal_flip_ : bool
    Whether training images were mirrored.

translation_ : int
    Maximum number of pixels by which training images were shifted."""

FITTED_ATTRIBUTES = """\
classes_ : ndarray of shape (n_classes,)
    The class labels. For multilabel targets, the names or indices of the columns of y.

image_shape_ : tuple (height, width, n_channels)
    Shape of the images seen during `fit`.

n_features_in_ : int
    Number of values per image: height * width * n_channels.

feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the columns of X. Defined only if X is a DataFrame whose column names are all strings.

n_outputs_ : int
    Number of outputs of the network.

out_activation_ : {"softmax", "logistic"}
    Output activation: "softmax" for multiclass, "logistic" for multilabel targets.

precision_ : {"float32", "bfloat16", "float64"}
    Floating-point type used for training.

batch_size_ : int
    Number of images per batch.

learning_rate_init_ : float
    Initial learning rate.

max_iter_ : int
    Maximum number of epochs of the last call of `fit`; 1 after `partial_fit`.

n_iter_ : int
    Number of epochs trained.

history_ : DataFrame of shape (`n_iter_`, 6)
    One row per epoch with the columns train_loss, train_accuracy, validation_loss,
    validation_accuracy, learning_rate and seconds. Training metrics are averages over the batches
    of the epoch, computed while the weights change.

loss_curve_ : list of float
    Training loss of each epoch. The last value is `loss_`, the lowest is `best_loss_`.

validation_scores_ : list of float or None
    Validation accuracy of each epoch. None without validation images. The highest value is
    `best_validation_score_`.

net_ : skorch.NeuralNet
    The trained network. ``net_.module_`` is the torch module."""


_SHARED = {
    "training_parameters": TRAINING_PARAMETERS,
    "view_parameters": VIEW_PARAMETERS,
    "view_attributes": VIEW_ATTRIBUTES,
    "fitted_attributes": FITTED_ATTRIBUTES,
}


def with_shared_sections(cls: _Class) -> _Class:
    """Replace placeholders such as ``{training_parameters}`` in the docstring of a class.

    A parameter that the class documents itself replaces the shared entry of that name.
    """
    for name, text in _SHARED.items():
        placeholder = f"{{{name}}}"
        if cls.__doc__ and placeholder in cls.__doc__:
            blocks = inspect.cleandoc(cls.__doc__).split("\n\n")
            shared = {_name_of(entry): entry for entry in text.split("\n\n")}
            own = {_name_of(block): block for block in blocks if _name_of(block) in shared}
            others = "\n\n".join(block for block in blocks if _name_of(block) not in own)
            cls.__doc__ = others.replace(placeholder, "\n\n".join((shared | own).values()))
    return cls


def _name_of(entry: str) -> str:
    return entry.split(" : ")[0]
