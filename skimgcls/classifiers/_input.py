"""Validation of images, labels and sample weights."""

import warnings

import numpy as np
from sklearn.utils.validation import check_consistent_length

from skimgcls._images._estimator_input import validate_images
from skimgcls._training._batches import TrainingImages
from skimgcls.utils._target_encoder import TargetEncoder, check_weights


class InputMixin:
    """Input checks: the first fit stores image shape and classes, later calls compare with them."""

    def _check_training_images(self, X, y, sample_weight, *, reset, classes=None, partial=False):
        """Return the checked training images; with `reset`, store their shape and classes."""
        images = self._check_images(X, reset=reset)
        _warn_of_unused_request(images)
        self._check_classes(y, classes, reset=reset, partial=partial)
        targets = self._encoder.encode(y)
        check_consistent_length(images, targets)
        weights = check_weights(sample_weight, images, "sample_weight")
        train = TrainingImages.from_arrays(images, targets, weights)
        if not partial and targets.ndim == 1 and len(np.unique(train.row_targets)) < 2:
            raise ValueError(
                "All training images with a positive sample_weight belong to one class; a "
                "classifier needs at least two classes. Add images of another class."
            )
        return train

    def _check_images(self, X, *, reset):
        """Return X as lazy images for the network."""
        return validate_images(self, X, reset=reset).images

    def _check_classes(self, y, classes, *, reset, partial):
        if not reset:
            known = np.unique(self.classes_)
            if classes is not None and not np.array_equal(np.unique(classes), known):
                raise ValueError(
                    f"classes={classes!r} is not the same as on the last call to partial_fit, "
                    f"{self.classes_.tolist()}."
                )
            return
        encoder = TargetEncoder.learn(y, classes)
        if partial and classes is None and not encoder.multilabel:
            raise ValueError(
                "classes must be passed on the first call to partial_fit: pass the labels of all "
                "calls."
            )
        self.classes_ = encoder.classes
        self.n_outputs_ = encoder.n_outputs
        self.out_activation_ = "logistic" if encoder.multilabel else "softmax"
        self._indicator_dtype = np.dtype(encoder.indicator_dtype).str

    @property
    def _encoder(self):
        multilabel = self.out_activation_ == "logistic"
        return TargetEncoder(self.classes_, multilabel, np.dtype(self._indicator_dtype))

    def _split_validation(self, train, X_val, y_val, sample_weight_val, seed):
        """Return the training images, and the validation images or None."""
        if (X_val is None) != (y_val is None) or (X_val is None and sample_weight_val is not None):
            raise ValueError(
                "X_val and y_val must be passed together, and sample_weight_val only with both. "
                "Pass X_val and y_val, or none of the three."
            )
        if X_val is not None:
            images = self._check_images(X_val, reset=False)
            targets = self._encoder.encode(y_val, name="y_val")
            check_consistent_length(images, targets)
            weights = check_weights(sample_weight_val, images, "sample_weight_val")
            return train, TrainingImages.from_arrays(images, targets, weights).normalized()
        if not self.early_stopping:
            return train, None
        train, valid = train.hold_out(self.validation_fraction, seed)
        return train, valid.normalized()


def _warn_of_unused_request(images):
    """Warn if copies are marked for augmentation, and no augmenter follows."""
    if images.marks is not None and not images.is_random:
        warnings.warn(
            "ImageOverSampler(minority_augmentation=True) leaves the augmentation of its copies to "
            "an ImageAugmenter after it, and there is none that changes anything. Add one before "
            "the classifier, or set minority_augmentation=False.",
            UserWarning,
            stacklevel=4,
        )
