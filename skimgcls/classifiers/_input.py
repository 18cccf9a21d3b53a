"""Validation of labels and sample weights, and their images."""

import warnings
from inspect import signature

import numpy as np
from sklearn.utils.validation import check_consistent_length

from skimgcls._training._batches import TrainingImages
from skimgcls.utils._labels import (
    column_names,
    describe_values,
    flat_labels,
    label_keys,
    plain_labels,
)
from skimgcls.utils._target_encoder import TargetEncoder, check_weights


def learn_classes(y, classes=None, *, partial=False):
    """Return the encoder of the labels in the first training set; `partial` in `partial_fit`."""
    encoder = TargetEncoder.learn(y, classes)
    if partial and classes is None and not encoder.multilabel:
        raise ValueError(
            "classes must be passed on the first call to partial_fit: pass the labels of all calls."
        )
    return encoder


def check_same_classes(classes, y, encoder):
    """Raise if the `classes` of a later call of `partial_fit` are not the known ones.

    The order of multilabel classes is that of the columns of y, unless these have names.
    """
    if classes is None:
        return
    given = label_keys(flat_labels(plain_labels(classes, "classes"), "classes").tolist())
    known = label_keys(encoder.classes.tolist())
    is_ordered = encoder.multilabel and column_names(y) is None
    if given != known if is_ordered else set(given) != set(known):
        raise ValueError(
            f"classes={describe_values(given)} is not the same as on the last call to partial_fit, "
            f"{describe_values(encoder.classes)}. Pass the same classes"
            f"{' in the same order' if is_ordered else ''}, or none."
        )


def refuse_balanced(class_weight):
    """Raise if `class_weight` depends on all labels, which `partial_fit` does not know."""
    if class_weight == "balanced":
        raise ValueError(
            "class_weight='balanced' is not supported by partial_fit: each call would be "
            "weighted by its own labels. Pass a dict of class weights, computed on all of y "
            "with sklearn.utils.compute_class_weight."
        )


def make_training_images(images, y, sample_weight, encoder, *, suffix=""):
    """Return images with their targets and weights, which must be as many.

    Parameters
    ----------
    images : LazyImages
    y, sample_weight : array-like
    encoder : TargetEncoder
    suffix : {"", "_val"}
        End of the names of the arguments, for messages.
    """
    targets = encoder.encode(y, name=f"y{suffix}")
    check_consistent_length(images, targets)
    weights = check_weights(sample_weight, images, f"sample_weight{suffix}")
    return TrainingImages.from_arrays(images, targets, weights)


def check_several_classes(train):
    """Raise if all images that count belong to one class."""
    if train.targets.ndim == 1 and len(np.unique(train.row_targets)) < 2:
        raise ValueError(
            "All training images with a positive sample_weight belong to one class; a "
            "classifier needs at least two classes. Add images of another class."
        )


def check_validation_arguments(clf, X_val, y_val, sample_weight_val):
    """Raise if some of the validation set is missing; warn if `validation_fraction` is unused."""
    if (X_val is None) != (y_val is None) or (X_val is None and sample_weight_val is not None):
        raise ValueError(
            "X_val and y_val must be passed together, and sample_weight_val only with both. "
            "Pass X_val and y_val, or none of the three."
        )
    if X_val is None and not clf.early_stopping:
        _warn_of_unused_fraction(clf)


def check_validation_images(clf, X_val, images):
    """Return the validation images, or raise; warn if other steps transformed them than `images`.

    A Pipeline passes them to the last step as they are.
    """
    advice = (
        "A Pipeline transforms X_val only with transform_input=['X_val'] and metadata routing. "
        "With early_stopping=True instead, images of X are held out."
    )
    try:
        found = clf._check_images(X_val, reset=False, name="X_val")
    except (TypeError, ValueError) as error:
        text = str(error).replace("X has", "X_val has").replace("X holds", "X_val holds")
        raise type(error)(f"X_val differs from the training images: {text} {advice}") from error
    kinds = [[type(step) for step in some.steps if not step.is_random] for some in (images, found)]
    if kinds[0] != kinds[1]:
        warnings.warn(
            "X_val was not transformed in the same way as X, so that validation metrics are wrong. "
            + advice,
            UserWarning,
            stacklevel=4,
        )
    return found


def _warn_of_unused_fraction(clf):
    """Warn if `validation_fraction` was set, and no images are held out."""
    parameter = signature(type(clf)).parameters.get("validation_fraction")
    if parameter is not None and clf.validation_fraction != parameter.default:
        warnings.warn(
            f"validation_fraction={clf.validation_fraction!r} has no effect without early "
            "stopping. Set early_stopping=True to hold out images, or pass X_val and y_val to see "
            "validation metrics of all epochs.",
            UserWarning,
            stacklevel=5,
        )


def warn_of_unused_request(images):
    """Warn if copies are marked for augmentation, and no augmenter follows."""
    if images.marks is not None and not images.is_random:
        warnings.warn(
            "ImageOverSampler(minority_augmentation=True) leaves the augmentation of its copies to "
            "an ImageAugmenter after it, and there is none that changes anything. Add one before "
            "the classifier, or set minority_augmentation=False.",
            UserWarning,
            stacklevel=4,
        )
