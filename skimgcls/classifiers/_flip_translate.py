"""Classifiers that show their nets more of an image than the image."""

from dataclasses import replace
from numbers import Integral, Real

from skimgcls._augmentation._flip_translate import FlipTranslate
from skimgcls._training._flip_invariance import is_flip_invariant
from skimgcls.nets import TestTimeAugmentation
from skimgcls.utils._sklearn_compat import Interval, StrOptions


class FlipTranslateMixin:
    """Training images mirrored and moved, labels smoothed, and predictions averaged over views."""

    _view_constraints: dict = {
        "horizontal_flip": ["boolean", StrOptions({"auto"})],
        "translation": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "test_time_augmentation": ["boolean"],
    }
    # Those of them that do not decide what module is built.
    _views_of_training = frozenset({"horizontal_flip", "translation", "label_smoothing"})

    def _resolve_auto(self, train):
        flip, translation = self.horizontal_flip, self.translation
        self.horizontal_flip_ = self._auto_horizontal_flip(train) if flip == "auto" else bool(flip)
        self.translation_ = self._auto_translation() if translation == "auto" else translation

    def _auto_horizontal_flip(self, train):
        """Return whether images are to be mirrored."""
        return is_flip_invariant(train)

    def _auto_translation(self):
        """Return by how many pixels of what the net is given images are to be moved."""
        side = min(self.image_shape_[:2])
        # What is too small to be moved by a pixel is not moved when it is shown larger.
        return (side // 16) * min(self._net_shape[:2]) // side

    def _with_test_time_augmentation(self, net):
        """Return the net with its predictions averaged over the views it is trained on."""
        is_averaged = self.test_time_augmentation
        return TestTimeAugmentation(
            net,
            shift=is_averaged and self.translation_ > 0,
            mirror=is_averaged and self.horizontal_flip_,
        )

    def _with_flip_translate(self, plan):
        """Return the plan with views of the images and smoothed labels."""
        views = FlipTranslate(self.horizontal_flip_, self.translation_)
        # The loss of moved images goes up and down, and falls once the rate has fallen.
        goes_on = plan.schedule != "constant" and not plan.early_stopping
        return replace(
            plan,
            views=views if views.mirror or views.translation else None,
            label_smoothing=self.label_smoothing,
            n_iter_no_change=plan.max_epochs if goes_on else plan.n_iter_no_change,
        )
