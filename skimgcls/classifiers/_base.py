"""The classifier all others are made from."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skimgcls._device import check_device, choose_dtype
from skimgcls._docstrings import with_shared_sections
from skimgcls._images import as_pixels, channel_statistics, check_images
from skimgcls._rng import draw_seed, seeded, spawn_seed
from skimgcls._sklearn_compat import (
    Interval,
    StrOptions,
    check_feature_names,
    check_sample_weight,
    fit_context,
)
from skimgcls._targets import TargetEncoder
from skimgcls._training import (
    BatchFormat,
    TrainingImages,
    TrainingPlan,
    dump_net,
    make_net,
    n_batches,
    predict_logits,
    restore_net,
    train_net,
)
from skimgcls.classifiers._history import HistoryMixin
from skimgcls.nets import Standardize, WeightedLoss


@with_shared_sections
class BaseImageClassifier(HistoryMixin, ClassifierMixin, BaseEstimator, ABC):
    """Base class of the image classifiers.

    A new classifier is a constructor, which stores its parameters and passes the others on, and one
    method, :meth:`_build_module`.

    Parameters
    ----------
    {training_parameters}

    Attributes
    ----------
    {fitted_attributes}

    Examples
    --------
    >>> from torch import nn
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import BaseImageClassifier
    >>> class SoftmaxRegression(BaseImageClassifier):
    ...     def _build_module(self, image_shape, n_outputs):
    ...         height, width, channels = image_shape
    ...         return nn.Sequential(
    ...             nn.Flatten(), nn.Linear(height * width * channels, n_outputs)
    ...         )
    >>> X, y = load_digits(return_X_y=True)
    >>> SoftmaxRegression(random_state=0).fit(X, y).score(X, y) > 0.95
    True
    """

    # A module that flattens with `view` cannot take channels-last memory; ours can, and are faster
    # so.
    _channels_last = True

    _parameter_constraints: dict = {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "learning_rate": [StrOptions({"constant", "cosine"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "standardize": ["boolean"],
        "image_shape": [tuple, list, None],
        "warm_start": ["boolean"],
        "device": [str],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        alpha=0.1,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.002,
        max_iter="auto",
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        class_weight=None,
        standardize=True,
        image_shape=None,
        warm_start=False,
        device="auto",
        random_state=None,
        verbose=0,
    ):
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.standardize = standardize
        self.image_shape = image_shape
        self.warm_start = warm_start
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @abstractmethod
    def _build_module(self, image_shape, n_outputs):
        """Return an untrained torch module.

        Parameters
        ----------
        image_shape : tuple (height, width, channels)
        n_outputs : int
            Number of classes, or of labels an image can have.

        Returns
        -------
        module : torch.nn.Module
            Takes a float batch (n, channels, height, width), standardised if `standardize`, and
            gives logits (n, n_outputs). Drawing its weights from torch's generator is all the
            randomness it needs: the call is seeded.
        """

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train a net on images and their labels.

        Parameters
        ----------
        X : array-like of shape (n, pixels), (n, height, width) or (n, height, width, channels)
            Images, of numbers of any type.
        y : array-like of shape (n,) or (n, n_classes)
            Labels of any kind; or an indicator of zeros and ones, for several labels an image.
        sample_weight : array-like of shape (n,), default=None
            Weights of the images in the loss. Weight zero is as good as not given, weight two as
            good as given twice.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation images, their labels and weights, for `history_` and `early_stopping`.

        Returns
        -------
        self : object
            The fitted classifier. If `fit` raises, it stays as it was before.

        Raises
        ------
        ValueError
            If images, labels or weights are not usable, or the loss stops being a number.
        """
        continues = self.warm_start and hasattr(self, "net_")
        with _unchanged_on_error(self):
            given = self._check_training_images(X, y, sample_weight, reset=not continues)
            seed = draw_seed(self.random_state)
            train, valid = self._part_validation(given, X_val, y_val, sample_weight_val, seed)
            plan = self._make_plan(len(train))
            with seeded(seed, check_device(self.device)) as rng:
                net = self._make_net(train, plan, start=self.net_ if continues else None)
                epochs = train_net(net, plan, *self._weigh(train), valid, rng)
            self._history = [*self._history, *epochs] if continues else epochs
            self._seed = seed
            self.net_ = net
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on these images, from where the last call or `fit` left off.

        Parameters
        ----------
        X : array-like of shape (n, pixels), (n, height, width) or (n, height, width, channels)
            Images.
        y : array-like of shape (n,) or (n, n_classes)
            Labels, or an indicator.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come. Needed in the first call, unless y is an indicator.
        sample_weight : array-like of shape (n,), default=None
            Weights of the images.

        Returns
        -------
        self : object
            The classifier. The pixel statistics of `standardize` are those of the first call.
        """
        first = not hasattr(self, "net_")
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' would weigh each call of partial_fit by its own images. "
                "Pass the weights by label, as sklearn.utils.compute_class_weight gives them for "
                "all of y."
            )
        with _unchanged_on_error(self):
            train = self._check_training_images(
                X, y, sample_weight, reset=first, classes=classes, partial=True
            )
            if first:
                self._seed, self._history = draw_seed(self.random_state), []
            plan = self._make_plan(len(train), single_epoch=True)
            with seeded(spawn_seed(self._seed, self.n_iter_), check_device(self.device)) as rng:
                net = self._make_net(train, plan) if first else self.net_
                with _net_unchanged_on_error(net):
                    epochs = train_net(net, plan, *self._weigh(train), None, rng)
            self._history = [*self._history, *epochs]
            self.net_ = net
        return self

    def _check_training_images(self, X, y, sample_weight, *, reset, classes=None, partial=False):
        """Return what to train on; with `reset`, store what it tells of shape and classes."""
        images = self._check_images(X, reset=reset)
        self._check_classes(y, classes, reset=reset, partial=partial)
        targets = self._encoder.encode(y)
        check_consistent_length(images, targets)
        weights = self._check_weights(sample_weight, images)
        train = TrainingImages.from_arrays(images, targets, weights)
        if not partial and targets.ndim == 1 and len(np.unique(train.row_targets)) < 2:
            raise ValueError(
                "Only images of one class have a positive sample_weight; a classifier needs at "
                "least two classes."
            )
        return train

    def _check_images(self, X, *, reset):
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
        self.image_shape_ = images.shape[1:]
        self.n_features_in_ = int(np.prod(self.image_shape_))
        self._shape_is_a_guess = self.image_shape is None and pixels.ndim == 2
        return images

    def _check_classes(self, y, classes, *, reset, partial):
        if not reset:
            if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
                raise ValueError(
                    f"classes={classes!r} is not the same as on the last call to partial_fit, "
                    f"{self.classes_.tolist()}."
                )
            return
        if classes is not None:
            encoder = TargetEncoder.from_classes(classes, y)
        else:
            encoder = TargetEncoder.learn(y)
            if partial and not encoder.multilabel:
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

    def _check_weights(self, sample_weight, images, name="sample_weight"):
        if sample_weight is None:
            return None
        weights = check_sample_weight(
            sample_weight, images, dtype=np.float64, ensure_non_negative=True
        )
        if not weights.any():
            raise ValueError(
                f"Sample weights must contain at least one non-zero number: {name} is all zero."
            )
        return weights

    def _part_validation(self, train, X_val, y_val, sample_weight_val, seed):
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
            weights = self._check_weights(sample_weight_val, images, "sample_weight_val")
            return train, TrainingImages.from_arrays(images, targets, weights)
        if not self.early_stopping:
            return train, None
        targets = train.row_targets
        can_stratify = targets.ndim == 1 and np.bincount(targets).min() > 1
        n_valid = int(np.ceil(self.validation_fraction * len(train)))
        can_stratify = can_stratify and min(n_valid, len(train) - n_valid) >= self.n_outputs_
        kept, held_out = train_test_split(
            np.arange(len(train)),
            test_size=n_valid,
            random_state=seed,
            stratify=targets if can_stratify else None,
        )
        return train.part(np.sort(kept)), train.part(np.sort(held_out))

    def _weigh(self, train):
        """Return the loss, and the images with weights of mean one that hold the class weights."""
        weights = train.row_weights
        by_class = self._encoder.class_weights(self.class_weight, train.row_targets, weights)
        if self.out_activation_ == "logistic":
            positive = None if by_class is None else torch.from_numpy(by_class)
            loss = WeightedLoss(multilabel=True, positive_weight=positive)
        else:
            loss = WeightedLoss()
            if by_class is not None:
                weights = (1.0 if weights is None else weights) * by_class[train.row_targets]
        if weights is None:
            return loss, train
        return loss, train.reweighted(weights / weights.mean())

    def _make_plan(self, n_images, *, single_epoch=False):
        """Turn parameters into figures for a run over so many images."""
        batch_size = self.batch_size
        if batch_size == "auto":
            batch_size = 64 if n_images < 10_000 else 128
        max_epochs = 1 if single_epoch else self.max_iter
        if max_epochs == "auto":
            max_epochs = int(np.clip(-(-2000 // n_batches(n_images, batch_size)), 12, 100))
        return TrainingPlan(
            max_epochs=max_epochs,
            batch_size=batch_size,
            learning_rate_init=self.learning_rate_init,
            cosine=self.learning_rate == "cosine" and not single_epoch,
            weight_decay=self.alpha,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            early_stopping=self.early_stopping and not single_epoch,
            progress=bool(self.verbose),
        )

    def _make_net(self, train, plan, start=None):
        """Return an untrained net for these images, or one with the weights of `start`."""
        dtype = choose_dtype(train.images, n_images=len(train), batch_size=plan.batch_size)
        self._dtype = str(dtype).removeprefix("torch.")
        statistics = None
        if self.standardize and start is None:
            statistics = channel_statistics(train.images, train.weights, train.rows)
        module = self._assemble(statistics)
        if start is not None:
            try:
                module.load_state_dict(start.module_.state_dict())
            except RuntimeError as error:
                raise ValueError(
                    "warm_start=True begins with the weights of the earlier fit, but parameters "
                    f"set since make another net of them: {error} Set warm_start=False, or set the "
                    "parameters back."
                ) from error
        return make_net(module, self._batch_format(check_device(self.device)), plan)

    def _assemble(self, statistics=None):
        """Return the module with the pixel statistics before it."""
        channels = self.image_shape_[2]
        layers = {}
        if self.standardize:
            mean, scale = (
                (np.zeros(channels), np.ones(channels)) if statistics is None else statistics
            )
            layers["standardize"] = Standardize(mean, scale)
        layers["net"] = self._build_module(self.image_shape_, self.n_outputs_)
        return torch.nn.Sequential(OrderedDict(layers))

    def _batch_format(self, device):
        return BatchFormat(device, getattr(torch, self._dtype), self._channels_last)

    def predict(self, X):
        """Predict the label of each image.

        Parameters
        ----------
        X : array-like of shape (n, pixels), (n, height, width) or (n, height, width, channels)
            Images of the shape seen in `fit`, in any spelling.

        Returns
        -------
        labels : ndarray of shape (n,) or (n, n_classes)
            The most probable label of each image; or an indicator of the labels that are more
            probable than not.
        """
        logits = self._logits(X)
        return self._encoder.decode(logits)

    def predict_proba(self, X):
        """Estimate the probability of each label.

        Parameters
        ----------
        X : array-like of shape (n, pixels), (n, height, width) or (n, height, width, channels)
            Images.

        Returns
        -------
        proba : ndarray of shape (n, n_classes)
            In the order of `classes_`. Rows sum to one, unless an image can have several labels.
        """
        logits = self._logits(X).astype(np.float64)
        return expit(logits) if self.out_activation_ == "logistic" else softmax(logits, axis=1)

    def decision_function(self, X):
        """Compute the logits.

        Parameters
        ----------
        X : array-like of shape (n, pixels), (n, height, width) or (n, height, width, channels)
            Images.

        Returns
        -------
        logits : ndarray of shape (n, n_classes), or (n,) for two classes
            Of two classes, the logit of the second less that of the first.
        """
        logits = self._logits(X)
        if self.out_activation_ == "softmax" and self.n_outputs_ == 2:
            return logits[:, 1] - logits[:, 0]
        return logits

    def _logits(self, X):
        check_is_fitted(self)
        images = self._check_images(X, reset=False)
        net = self.net_
        return predict_logits(net.module_, images, self._batch_format(torch.device(net.device)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.three_d_array = True
        return tags

    def __getstate__(self):
        """Arrays and plain values alone, so that any way of saving works on any machine."""
        state = dict(super().__getstate__())
        if "net_" in state:
            state["net_"] = dump_net(state["net_"])
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "net_" not in state:
            return
        try:
            device = check_device(self.device)
        except ValueError:
            # Trained on a device that this machine lacks; predictions do not need it.
            device = torch.device("cpu")
        with seeded(0):
            module = self._assemble()
        net = make_net(module, self._batch_format(device), self._make_plan(1, single_epoch=True))
        restore_net(net, state["net_"])
        self.net_ = net


@contextmanager
def _unchanged_on_error(estimator):
    """Leave the estimator as it was if the block raises."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


@contextmanager
def _net_unchanged_on_error(net):
    """Leave the weights and the optimizer as they were if the block raises."""
    before = dump_net(net)
    try:
        yield
    except BaseException:
        restore_net(net, before)
        raise
