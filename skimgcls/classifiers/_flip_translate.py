"""Flips, translations, label smoothing and test-time augmentation of the classifiers."""

from dataclasses import replace
from numbers import Integral, Real

from skimgcls._augmentation._flip_translate import FlipTranslate
from skimgcls._training._flip_invariance import is_flip_invariant
from skimgcls.nets import TestTimeAugmentation
from skimgcls.utils._sklearn_compat import Interval, StrOptions

VIEW_CONSTRAINTS: dict = {
    "horizontal_flip": ["boolean", StrOptions({"auto"})],
    "translation": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
    "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    "test_time_augmentation": ["boolean"],
}
# The parameters above that do not change the network.
VIEWS_OF_TRAINING = frozenset({"horizontal_flip", "translation", "label_smoothing"})


def choose_horizontal_flip(horizontal_flip, train):
    """Return whether training images are mirrored; "auto" is a test on the images."""
    return is_flip_invariant(train) if horizontal_flip == "auto" else bool(horizontal_flip)


def choose_translation(translation, image_shape, net_shape):
    """Return the maximum shift, in pixels of the network's input.

    "auto" is a sixteenth of the shorter side.
    """
    if translation != "auto":
        return translation
    side = min(image_shape[:2])
    # Images too small to be shifted by one pixel are not shifted after enlarging either.
    return (side // 16) * min(net_shape[:2]) // side


def views_of_prediction(test_time_augmentation, horizontal_flip, translation):
    """Return the views over which predictions are averaged, which are those of training."""
    return TestTimeAugmentation(
        shift=test_time_augmentation and translation > 0,
        mirror=test_time_augmentation and horizontal_flip,
    )


def with_views(plan, horizontal_flip, translation, label_smoothing):
    """Return the settings of a run with views of the images, and label smoothing."""
    # The loss of shifted images fluctuates until the learning rate has decayed.
    goes_on = plan.schedule != "constant" and not plan.early_stopping
    has_views = horizontal_flip or translation
    return replace(
        plan,
        views=FlipTranslate(horizontal_flip, translation) if has_views else None,
        label_smoothing=label_smoothing,
        n_iter_no_change=plan.max_epochs if goes_on else plan.n_iter_no_change,
    )
