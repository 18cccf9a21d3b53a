"""Base class of the image classifiers."""

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._estimator_input import validate_images
from skimgcls._images._statistics import channel_statistics
from skimgcls._training._device import check_device, choose_precision
from skimgcls._training._inference import predict_logits
from skimgcls._training._loss import make_loss
from skimgcls._training._trainer import make_net, train_net
from skimgcls.classifiers._auto import TRAINING_CONSTRAINTS, AutoValues, make_config
from skimgcls.classifiers._history import HistoryMixin
from skimgcls.classifiers._input import (
    check_same_classes,
    check_several_classes,
    check_validation_arguments,
    check_validation_images,
    learn_classes,
    make_training_images,
    refuse_balanced,
    warn_of_unused_request,
)
from skimgcls.classifiers._network import (
    make_batch_format,
    rebuild_net,
    restore_net_on_error,
    start_network,
)
from skimgcls.classifiers._score import ScoreMixin
from skimgcls.utils._docstrings import with_shared_sections
from skimgcls.utils._random import draw_seed, seeded, spawn_seed
from skimgcls.utils._rollback import restore_on_error
from skimgcls.utils._sklearn_compat import fit_context
from skimgcls.utils._state_dict import dump_net
from skimgcls.utils._target_encoder import TargetEncoder
from skimgcls.utils._torch_generators import torch_seeded


@with_shared_sections
class BaseImageClassifier(HistoryMixin, ScoreMixin, BaseEstimator, ABC):
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

    _parameter_constraints: dict = {**TRAINING_CONSTRAINTS, "standardize": ["boolean"]}
    # Names of the parameters that do not change the network.
    _of_training = frozenset(TRAINING_CONSTRAINTS)
    # Whether the module supports channels-last memory, which is faster. `view` does not.
    _channels_last = True

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
        check_validation_arguments(self, X_val, y_val, sample_weight_val)
        with restore_on_error(self):
            images = self._check_images(X, reset=not continues)
            warn_of_unused_request(images)
            if not continues:
                self._store_classes(learn_classes(y))
            train = make_training_images(images, y, sample_weight, self._encoder)
            check_several_classes(train)
            seed = draw_seed(self.random_state)
            valid = None
            if X_val is not None:
                images = check_validation_images(self, X_val, images)
                valid = make_training_images(
                    images, y_val, sample_weight_val, self._encoder, suffix="_val"
                ).normalized()
            elif self.early_stopping:
                train, valid = train.hold_out(self.validation_fraction, seed)
                valid = valid.normalized()
            if not continues:
                self._resolve_auto(train)
            plan = self._make_config(len(train))
            self._store_config(plan)
            device = check_device(self.device)
            self.precision_ = choose_precision(
                self.precision,
                train.images,
                device,
                n_images=len(train),
                batch_size=plan.batch_size,
            )
            with seeded(seed, device) as rng:
                network = start_network(self, train, self.net_.module_ if continues else None)
                net = make_net(network, make_batch_format(self, device), plan)
                epochs = self._train(net, plan, train, valid, rng)
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
        refuse_balanced(self.class_weight)
        with restore_on_error(self):
            images = self._check_images(X, reset=first)
            warn_of_unused_request(images)
            if first:
                self._store_classes(learn_classes(y, classes, partial=True))
            else:
                check_same_classes(classes, y, self._encoder)
            train = make_training_images(images, y, sample_weight, self._encoder)
            if first:
                self._seed, self._history = draw_seed(self.random_state), []
                self._resolve_auto(train)
            plan = self._make_config(len(train), single_epoch=True)
            self._store_config(plan)
            device = check_device(self.device)
            with seeded(spawn_seed(self._seed, self.n_iter_), device) as rng:
                if first:
                    # Never float64: one call is small, but the whole dataset may be large.
                    self.precision_ = choose_precision(
                        self.precision, train.images, device, n_images=len(train), batch_size=0
                    )
                    network = start_network(self, train)
                    net = make_net(network, make_batch_format(self, device), plan)
                else:
                    net = self.net_
                with restore_net_on_error(net):
                    epochs = self._train(net, plan, train, None, rng)
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

    # What a subclass of this library may change

    def _check_images(self, X, *, reset, name="X"):
        """Return X as lazy images for the network; with `reset`, store their shape."""
        return validate_images(self, X, reset=reset, name=name).images

    @property
    def _net_shape(self):
        """Height, width and channels of the network's input."""
        return self.image_shape_

    def _resolve_auto(self, train):
        """Store the choices that depend on the first training images."""

    def _auto_values(self):
        """Return the values of training parameters that are "auto"."""
        return AutoValues(self.image_shape_, self._net_shape)

    def _make_config(self, n_images, *, single_epoch=False):
        """Return the settings of a run on `n_images` images."""
        return make_config(self, n_images, self._auto_values(), single_epoch=single_epoch)

    def _store_config(self, plan):
        """Store the values used in training, with "auto" replaced."""
        self.batch_size_ = plan.batch_size
        self.learning_rate_init_ = plan.learning_rate_init
        self.max_iter_ = plan.max_epochs

    def _pixel_statistics(self, train):
        """Return the mean and the scale of each channel."""
        return channel_statistics(train.images, train.weights, train.rows)

    def _prepare_module(self, network, train):
        """Initialize the weights of an untrained network that are not random."""

    def _train(self, net, plan, train, valid, rng, *, on_features=False):
        """Train the network, and return the metrics of each epoch."""
        loss, train = make_loss(self._encoder, self.class_weight, train, plan.label_smoothing)
        return train_net(net, plan, loss, train, valid, rng, on_features=on_features)

    # The state

    def _store_classes(self, encoder):
        self.classes_ = encoder.classes
        self.n_outputs_ = encoder.n_outputs
        self.out_activation_ = "logistic" if encoder.multilabel else "softmax"
        self._indicator_dtype = np.dtype(encoder.indicator_dtype).str

    @property
    def _encoder(self):
        multilabel = self.out_activation_ == "logistic"
        return TargetEncoder(self.classes_, multilabel, np.dtype(self._indicator_dtype))

    def __getstate__(self):
        """Return arrays and plain values only, which any format can save for any machine."""
        state = dict(super().__getstate__())
        if "net_" in state:
            state["net_"] = dump_net(state["net_"])
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "net_" in state:
            self.net_ = rebuild_net(self, state["net_"])

    def _logits(self, X):
        if not hasattr(self, "net_"):
            check_is_fitted(self)
        images = self._check_images(X, reset=False)
        # A custom module may draw random numbers in evaluation: make each call reproducible, and
        # leave the caller's random state unchanged.
        with torch_seeded(self._seed, torch.device(self.net_.device)):
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
