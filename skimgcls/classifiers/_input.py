"""What a classifier takes in: images, labels and weights, checked against what it knows."""

import warnings

import numpy as np
from sklearn.utils.validation import check_consistent_length

from skimgcls._images._image_files import find_items
from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._validation import as_pixels, check_images, is_plain
from skimgcls._training._batches import TrainingImages
from skimgcls.utils._sklearn_compat import check_feature_names
from skimgcls.utils._target_encoder import TargetEncoder, check_weights


class InputMixin:
    """Checks that store the shape of images and the classes at a first fit, and heed them after."""

    def _check_training_images(self, X, y, sample_weight, *, reset, classes=None, partial=False):
        """Return what to train on; with `reset`, store what it tells of shape and classes."""
        images = self._check_images(X, reset=reset)
        _warn_of_unused_request(images)
        self._check_classes(y, classes, reset=reset, partial=partial)
        targets = self._encoder.encode(y)
        check_consistent_length(images, targets)
        weights = check_weights(sample_weight, images, "sample_weight")
        train = TrainingImages.from_arrays(images, targets, weights)
        if not partial and targets.ndim == 1 and len(np.unique(train.row_targets)) < 2:
            raise ValueError(
                "The images to train on, those of a positive sample_weight, are all of one class; "
                "a classifier needs at least two classes."
            )
        return train

    def _check_images(self, X, *, reset):
        # An array of numbers names nothing, and that is quickly seen, as a single image should be.
        may_be_named = not is_plain(X) or hasattr(self, "feature_names_in_")
        # The name of a column of paths says nothing of the pixels.
        if may_be_named and find_items(X) is None:
            check_feature_names(self, X, reset=reset)
        name = type(self).__name__
        if not reset:
            return check_images(
                X,
                fitted_shape=self.image_shape_,
                any_spelling=self._shape_is_a_guess,
                estimator_name=name,
            )
        pixels = as_pixels(X, name)
        images = check_images(pixels, image_shape=self.image_shape, estimator_name=name)
        is_lazy = isinstance(images, LazyImages)
        self.image_shape_ = images.image_shape if is_lazy else images.shape[1:]
        self.n_features_in_ = int(np.prod(self.image_shape_))
        self._shape_is_a_guess = self.image_shape is None and pixels.ndim == 2 and not is_lazy
        self._saw_bytes = (images.source if is_lazy else images).dtype == np.uint8
        return images

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
                "classes must be passed on the first call to partial_fit: all labels that will "
                "ever come."
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
        """Return the images to train on and those to validate on, or None for these."""
        if (X_val is None) != (y_val is None) or (X_val is None and sample_weight_val is not None):
            raise ValueError(
                "X_val, y_val and sample_weight_val go together: pass X_val and y_val, with "
                "sample_weight_val if wanted, or none of them."
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
    """Tell that copies were marked to be changed in training, and nothing changes them."""
    if isinstance(images, LazyImages) and images.marks is not None and not images.is_random:
        warnings.warn(
            "ImageOverSampler(minority_augmentation=True) leaves its copies to an ImageAugmenter "
            "after it, and there is none that changes anything. Put one between the two, or set "
            "minority_augmentation=False.",
            UserWarning,
            stacklevel=4,
        )
