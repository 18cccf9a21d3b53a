"""Flips, translations, label smoothing and test-time augmentation of the classifiers."""

from dataclasses import replace
from numbers import Integral, Real

from skimgcls._augmentation._flip_translate import FlipTranslate
from skimgcls._training._flip_invariance import is_flip_invariant
from skimgcls.nets import TestTimeAugmentation
from skimgcls.utils._sklearn_compat import Interval, StrOptions


class FlipTranslateMixin:
    """Mirror and shift training images, smooth labels, and average predictions over views."""

    _view_constraints: dict = {
        "horizontal_flip": ["boolean", StrOptions({"auto"})],
        "translation": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "test_time_augmentation": ["boolean"],
    }
    # The parameters above that do not change the module.
    _views_of_training = frozenset({"horizontal_flip", "translation", "label_smoothing"})

    def _resolve_auto(self, train):
        flip, translation = self.horizontal_flip, self.translation
        self.horizontal_flip_ = self._auto_horizontal_flip(train) if flip == "auto" else bool(flip)
        self.translation_ = self._auto_translation() if translation == "auto" else translation

    def _auto_horizontal_flip(self, train):
        """Return whether training images are mirrored."""
        return is_flip_invariant(train)

    def _auto_translation(self):
        """Return the maximum shift, in pixels of the network's input."""
        side = min(self.image_shape_[:2])
        # Images too small to be shifted by one pixel are not shifted after enlarging either.
        return (side // 16) * min(self._net_shape[:2]) // side

    def _make_test_time_augmentation(self):
        """Return the views to average predictions over, which are those used in training."""
        is_averaged = self.test_time_augmentation
        return TestTimeAugmentation(
            shift=is_averaged and self.translation_ > 0,
            mirror=is_averaged and self.horizontal_flip_,
        )

    def _with_flip_translate(self, plan):
        """Add the views of the images and label smoothing to the configuration."""
        views = FlipTranslate(self.horizontal_flip_, self.translation_)
        # The loss of shifted images fluctuates until the learning rate has decayed.
        goes_on = plan.schedule != "constant" and not plan.early_stopping
        return replace(
            plan,
            views=views if views.mirror or views.translation else None,
            label_smoothing=self.label_smoothing,
            n_iter_no_change=plan.max_epochs if goes_on else plan.n_iter_no_change,
        )
