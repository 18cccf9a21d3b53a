"""Base class of the image classifiers."""

from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral, Real

import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skimgcls._training._device import check_device, choose_precision
from skimgcls._training._inference import predict_logits
from skimgcls._training._loss import make_loss
from skimgcls._training._trainer import train_net
from skimgcls.classifiers._history import HistoryMixin
from skimgcls.classifiers._input import InputMixin
from skimgcls.classifiers._net import NetMixin
from skimgcls.utils._docstrings import with_shared_sections
from skimgcls.utils._random import draw_seed, seeded, spawn_seed, torch_seeded
from skimgcls.utils._rollback import restore_on_error
from skimgcls.utils._sklearn_compat import Interval, StrOptions, fit_context
from skimgcls.utils._state_dict import dump_net, restore_net


@with_shared_sections
class BaseImageClassifier(NetMixin, InputMixin, HistoryMixin, ClassifierMixin, BaseEstimator, ABC):
    """Base class of the image classifiers.

    A subclass defines a constructor, which stores its own parameters and passes the others on, and
    the method :meth:`_build_module`.

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

    _parameter_constraints: dict = {
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
        "standardize": ["boolean"],
        "image_shape": [tuple, list, None],
        "warm_start": ["boolean"],
        "device": [str],
        "precision": [StrOptions({"auto", "float32", "bfloat16", "float64"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    _of_training = frozenset(_parameter_constraints) - {"standardize"}

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
        mixup=0.0,
        cutmix=0.0,
        standardize=True,
        image_shape=None,
        warm_start=False,
        device="auto",
        precision="auto",
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
        self.mixup = mixup
        self.cutmix = cutmix
        self.standardize = standardize
        self.image_shape = image_shape
        self.warm_start = warm_start
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    @abstractmethod
    def _build_module(self, image_shape, n_outputs):
        """Return an untrained torch module.

        Parameters
        ----------
        image_shape : tuple (height, width, n_channels)
        n_outputs : int
            Number of classes, or of labels for multilabel targets.

        Returns
        -------
        module : torch.nn.Module
            Maps a float batch of shape (n_samples, n_channels, height, width), standardized if
            `standardize`, to logits of shape (n_samples, n_outputs). The call is seeded: draw the
            initial weights from torch's global generator.
        """

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the classifier to images and labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, n_channels)
            Images of any numeric type. The shapes (n_samples, height, width) and
            (n_samples, n_features) are also accepted, as are file paths of shape (n_samples,) and
            the output of an ImageLoader or ImageAugmenter.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels, or a binary indicator matrix for multilabel targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights in the loss. A weight of 0 is equivalent to removing the sample, a weight
            of 2 to repeating it.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation images, labels and sample weights, for `history_` and `early_stopping`.

        Returns
        -------
        self : object
            The fitted classifier. If `fit` raises, the classifier is unchanged.

        Raises
        ------
        ValueError
            If images, labels or weights are invalid, or the loss becomes NaN or infinite.
        """
        continues = self.warm_start and hasattr(self, "net_")
        with restore_on_error(self):
            given = self._check_training_images(X, y, sample_weight, reset=not continues)
            seed = draw_seed(self.random_state)
            train, valid = self._split_validation(given, X_val, y_val, sample_weight_val, seed)
            if not continues:
                self._resolve_auto(train)
            plan = self._make_config(len(train))
            self._store_config(plan)
            device = check_device(self.device)
            precision = self._choose_precision(train, plan.batch_size, device)
            with seeded(seed, device) as rng:
                start = self.net_ if continues else None
                net = self._make_net(train, plan, precision, start)
                loss, weighted = self._make_loss(train, plan)
                epochs = self._train(net, plan, loss, weighted, valid, rng)
            self._history = [*self._history, *epochs] if continues else epochs
            self._seed = seed
            self.net_ = net
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Update the model with a single epoch over the given images.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, n_channels)
            Images, in any input format accepted by `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels, or a binary indicator matrix for multilabel targets.
        classes : array-like of shape (n_classes,), default=None
            Classes across all calls to `partial_fit`. Required in the first call, unless y is
            an indicator, and can be omitted in subsequent calls.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights in the loss.

        Returns
        -------
        self : object
            The classifier. `standardize` uses the pixel statistics of the first call.
        """
        first = not hasattr(self, "net_")
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not supported by partial_fit: each call would be "
                "weighted by its own labels. Pass a dict of class weights, computed on all of y "
                "with sklearn.utils.compute_class_weight."
            )
        with restore_on_error(self):
            train = self._check_training_images(
                X, y, sample_weight, reset=first, classes=classes, partial=True
            )
            if first:
                self._seed, self._history = draw_seed(self.random_state), []
                self._resolve_auto(train)
            plan = self._make_config(len(train), single_epoch=True)
            self._store_config(plan)
            device = check_device(self.device)
            with seeded(spawn_seed(self._seed, self.n_iter_), device) as rng:
                # Never float64: one call is small, but the whole dataset may be large.
                precision = self._choose_precision(train, 0, device)
                net = self._make_net(train, plan, precision) if first else self.net_
                loss, weighted = self._make_loss(train, plan)
                with _restore_net_on_error(net):
                    epochs = self._train(net, plan, loss, weighted, None, rng)
            self._history = [*self._history, *epochs]
            self.net_ = net
        return self

    def predict(self, X):
        """Predict the label of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, n_channels)
            Images of the shape seen in `fit`, in any input format accepted by `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The most probable label of each image. For multilabel targets, an indicator of the
            labels with a probability above 0.5.
        """
        logits = self._logits(X)
        return self._encoder.decode(logits)

    def predict_proba(self, X):
        """Estimate the probability of each label.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, n_channels)
            Images, in any input format accepted by `fit`.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of `classes_`. Rows sum to 1, except for multilabel targets.
        """
        logits = torch.from_numpy(self._logits(X)).double()
        proba = logits.sigmoid() if self.out_activation_ == "logistic" else logits.softmax(dim=1)
        return proba.numpy()

    def decision_function(self, X):
        """Compute the logits.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, n_channels)
            Images, in any input format accepted by `fit`.

        Returns
        -------
        logits : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            For two classes, the logit of the second minus that of the first.
        """
        logits = self._logits(X)
        if self.out_activation_ == "softmax" and self.n_outputs_ == 2:
            return logits[:, 1] - logits[:, 0]
        return logits

    def _choose_precision(self, train, batch_size, device):
        return choose_precision(
            self.precision, train.images, device, n_images=len(train), batch_size=batch_size
        )

    def _train(self, net, plan, loss, train, valid, rng):
        """Train the network, and return the metrics of each epoch."""
        return train_net(net, plan, loss, train, valid, rng)

    def _make_loss(self, train, plan):
        return make_loss(self._encoder, self.class_weight, train, plan.label_smoothing)

    def _logits(self, X):
        if not hasattr(self, "net_"):
            check_is_fitted(self)
        images = self._check_images(X, reset=False)
        device = torch.device(self.net_.device)
        # A custom module may draw random numbers in evaluation: make each call reproducible, and
        # leave the caller's random state unchanged.
        with torch_seeded(self._seed, device):
            batch_format = self.net_.iterator_valid__batch_format
            if batch_format.autocast and self.precision == "float32":
                # Set after fitting in bfloat16, for exact predictions.
                module, batch_format = self.net_.module_, replace(batch_format, autocast=False)
            else:
                module = self.net_.evaluation_module()
            return predict_logits(module, images, batch_format)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.three_d_array = True
        return tags


@contextmanager
def _restore_net_on_error(net):
    """Restore the weights and the optimizer if the block raises."""
    before = dump_net(net)
    try:
        yield
    except BaseException:
        restore_net(net, before)
        raise
