"""Parameters that every classifier has are documented once."""

import inspect
from typing import TypeVar

_Class = TypeVar("_Class", bound=type)

TRAINING_PARAMETERS = """\
alpha : float, default=0.1
    Strength of the weight decay: AdamW's, decoupled from the gradient (Loshchilov and Hutter,
    "Decoupled Weight Decay Regularization", 2019).

batch_size : int or "auto", default="auto"
    Images in one step. "auto" is 64, or 128 from 10,000 training images on, and less, down to 16,
    where images are so large that a batch would hold more than 3 million numbers. Training images
    that fit in one batch are trained as one, unshuffled.

learning_rate : {"cosine", "linear", "constant"}, default="cosine"
    How the learning rate goes from `learning_rate_init` over the steps of a fit: down to zero along
    half a cosine (Loshchilov and Hutter, "SGDR", 2017) or along a line, or not at all.
    `partial_fit` keeps it constant.

learning_rate_init : float, default=0.002
    The learning rate of AdamW at the first step.

max_iter : int or "auto", default="auto"
    Epochs, that is passes over the training images, at most. "auto" makes as many as 2,000 steps
    take, but no fewer than 12 and no more than 100.

tol : float, default=1e-4
    An epoch counts as an improvement if the training loss falls by more than this, or with
    `early_stopping` the validation score rises by more.

n_iter_no_change : int, default=10
    Stop after this many epochs in a row without improvement.

early_stopping : bool, default=False
    Watch the accuracy on validation images, stop when it no longer rises, and bring back the
    weights of the best epoch. The validation images are `X_val` if given to `fit`, else a
    stratified `validation_fraction` of the training images.

validation_fraction : float, default=0.1
    Share of the training images set aside by `early_stopping`, between 0 and 1.

class_weight : dict, "balanced" or None, default=None
    Weight of the loss by label, ``{label: weight}``; a label not named weighs 1. "balanced" weighs
    a class by the inverse of its share in y. With several labels an image, the weight of the ones
    of a column against its zeros.

mixup : float, default=0.0
    If positive, each training batch is mixed with itself in another order, pixels and labels alike:
    (1 - w) of an image and w of its partner. One w a batch is drawn from the beta distribution of
    this parameter; 0.2 is mild, 1 is strong (Zhang et al., "mixup", 2018).

cutmix : float, default=0.0
    If positive, a rectangle of each training image is replaced by that of its partner, and labels
    are mixed by area. Its size follows the beta distribution of this parameter; 1 is usual (Yun et
    al., "CutMix", 2019). With `mixup` as well, each batch takes one of the two by chance.

standardize : bool, default=True
    Shift and scale each channel to mean 0 and standard deviation 1, by statistics that `fit` learns
    from the training images and that become part of the net. Raw bytes and pixels between 0 and 1
    then train alike.

image_shape : tuple (height, width) or (height, width, channels), default=None
    Shape of one image where X holds rows of pixels. None takes rows for square grey images if their
    number of pixels is a square number, else for images one pixel high.

warm_start : bool, default=False
    Whether `fit` begins with the weights, and the pixel statistics, of the earlier fit.

device : str, default="auto"
    torch device to train and predict on. "auto" is a CUDA GPU if there is one, else the processor.

precision : {"auto", "float32", "bfloat16", "float64"}, default="auto"
    What to compute in. "bfloat16" rounds the factors of the large products to 8 bits, as mixed
    precision does: weights, sums and losses stay float32 (Micikevicius et al., "Mixed Precision
    Training", 2018). "auto" takes it where the device has it in hardware and images hold at least
    256 numbers; "float64" for training images that fit in one batch and hold numbers that float32
    would round; else "float32". "float32" may be set after a fit in bfloat16 as well: predictions
    are then exact.

random_state : int, RandomState instance or None, default=None
    Seed of the weights, the shuffling, the dropout, the augmentation and the validation split.
    Equal seeds give equal models, bit for bit, with an equal number of torch threads. None draws a
    new seed.

verbose : int, default=0
    1 shows a progress bar with loss and validation score."""

VIEW_PARAMETERS = """\
horizontal_flip : bool or "auto", default="auto"
    Whether training images are mirrored left to right, each in every other epoch. "auto" asks the
    images, and mirrors only where a simple classifier knows mirrored images as well as others:
    photographs of things, say, and not digits. `horizontal_flip_` tells the answer.

translation : int or "auto", default="auto"
    Pixels, at most, by which training images are moved, anew in each epoch. "auto" is a sixteenth
    of the shorter side, rounded down."""

VIEW_ATTRIBUTES = """\
horizontal_flip_ : bool
    Whether images were mirrored.

translation_ : int
    By how many pixels, at most, images were moved."""

FITTED_ATTRIBUTES = """\
classes_ : ndarray of shape (n_classes,)
    The labels; with several labels an image, the columns' names or numbers.

image_shape_ : tuple (height, width, channels)
    Shape of the images seen in `fit`.

n_features_in_ : int
    Numbers per image: height times width times channels.

feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Column names, if `fit` was given a DataFrame whose columns all have string names.

n_outputs_ : int
    Logits the net gives for an image.

out_activation_ : {"softmax", "logistic"}
    What makes probabilities of logits; "logistic" with several labels an image.

precision_ : {"float32", "bfloat16", "float64"}
    What the net was trained in.

batch_size_ : int
    Images in one step.

learning_rate_init_ : float
    Learning rate at the first step.

max_iter_ : int
    Maximum number of epochs of the last call of `fit`; 1 after `partial_fit`.

n_iter_ : int
    Epochs trained.

history_ : DataFrame of shape (`n_iter_`, 6)
    For each epoch: train_loss, train_accuracy, validation_loss, validation_accuracy, learning_rate
    and seconds. Training figures are means over the epoch's batches while the weights move.

loss_curve_ : list of float
    Training loss of each epoch; `loss_` is the last, `best_loss_` the lowest.

validation_scores_ : list of float or None
    Validation accuracy of each epoch, if there were validation images; the highest is
    `best_validation_score_`.

net_ : skorch.NeuralNet
    The trained net; ``net_.module_`` is the torch module."""


_SHARED = {
    "training_parameters": TRAINING_PARAMETERS,
    "view_parameters": VIEW_PARAMETERS,
    "view_attributes": VIEW_ATTRIBUTES,
    "fitted_attributes": FITTED_ATTRIBUTES,
}


def with_shared_sections(cls: _Class) -> _Class:
    """Fill what is shared, ``{training_parameters}`` and the like, in the docstring of a class.

    A parameter that the class documents itself takes its place among the shared ones.
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
