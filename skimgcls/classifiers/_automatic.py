"""Choose a classifier for the images at hand."""

import math
import sys
import time
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._estimator_input import validate_images
from skimgcls.classifiers._candidate_result import CandidateResult
from skimgcls.classifiers._candidates import Candidate, check_candidates, list_candidates
from skimgcls.classifiers._comparison import Comparison, compare, fit_members
from skimgcls.classifiers._held_out import LabeledImages, check_groups, hold_out, sample
from skimgcls.classifiers._input import (
    check_several_classes,
    learn_classes,
    make_training_images,
)
from skimgcls.classifiers._score import ScoreMixin
from skimgcls.utils._random import draw_seed
from skimgcls.utils._rollback import restore_on_error
from skimgcls.utils._sklearn_compat import BaseComposition, Interval, StrOptions, fit_context
from skimgcls.utils._target_encoder import TargetEncoder
from skimgcls.utils._unwrap import find_classifier, is_multilabel

# Largest number of images that candidates are compared on, for each effort.
_MOST_COMPARED = {"quick": 1_000, "medium": 10_000, "best": 50_000}
_EPS = 1e-12


class AutoImageClassifier(ScoreMixin, BaseComposition):
    """Image classifier that tries several classifiers and keeps the best.

    Photographs are classified best by a pretrained network, and drawings, digits, signs and other
    images unlike photographs by a network trained from scratch. This classifier fits both kinds to
    most of the images and compares them on the others. The best, or a weighted average of the
    probabilities of several if it is better, is fitted again to all images.

    Parameters
    ----------
    candidates : "auto" or list of (str, classifier), default="auto"
        Classifiers to compare, with their names, the cheapest first. "auto" depends on the images:

        - a PretrainedImageClassifier, whose head is fitted to features of a frozen network;
        - a ResNetImageClassifier, trained from scratch;
        - a CNNImageClassifier, for images with a side shorter than 32 pixels;
        - a PretrainedImageClassifier(trainable="auto"), for at least 300 images with sides of at
          least 32 pixels, except with effort="quick";
        - with effort="best" also a wider ResNetImageClassifier.

        Images with a side shorter than 8 pixels have only one candidate, a CNNImageClassifier.
        Fewer than 40 images are too few to compare on: the CNN is fitted if a side is shorter than
        32 pixels, else the pretrained network.

    effort : {"quick", "medium", "best"}, default="medium"
        How much to compute. "quick" takes a minute or two for a few thousand images: it compares on
        1,000 images, and trains a network from scratch only if a few epochs of it take less than a
        minute. "medium" takes about twice as long as the slowest candidate alone, and compares on
        at most 10,000 images. "best" has more candidates and takes several times as long.

    time_limit : float, default=None
        Time in seconds that `fit` should take. A candidate that would take longer than what is left
        is trained for fewer epochs, or not begun; the first one is always fitted. The result
        depends on the speed of the computer, and is not reproducible.

    validation_fraction : float, default=0.2
        Fraction of the images to compare on, between 0 and 0.5. It is larger if there are fewer
        than 500 images.

    class_weight : dict, "balanced" or None, default=None
        Class weights in the loss of the default candidates, as ``{label: weight}``.

    image_shape : tuple (height, width) or (height, width, n_channels), default=None
        Shape of one image if X has shape `(n_samples, n_features)`. If None, rows are square
        grayscale images if `n_features` is a square number, else images of height 1.

    device : str, default="auto"
        torch device of the default candidates.

    precision : {"auto", "float32", "bfloat16", "float64"}, default="auto"
        Floating-point type of the default candidates.

    random_state : int, RandomState instance or None, default=None
        Seed of the choice of images to compare on, and of each candidate whose `random_state` is
        None.

    verbose : int, default=0
        If 1, a line for each candidate is printed. If 2, candidates also show their progress.

    Attributes
    ----------
    best_estimator_ : classifier
        The best candidate, fitted to all images. If an average is better, it is a
        :class:`~sklearn.ensemble.VotingClassifier` of several, the best first.

    leaderboard_ : DataFrame of shape (n_candidates, 6)
        One row for each candidate, with its accuracy and its log loss on the images held out, the
        seconds it took, its weight in `best_estimator_` and its status. The log loss is that at the
        best temperature of the probabilities (Guo et al., "On Calibration of Modern Neural
        Networks", 2017). The candidate with the lowest sum of error rate and log loss comes first.

    history_ : DataFrame
        Metrics of each epoch of the best candidate. Defined only if it has them.

    classes_ : ndarray of shape (n_classes,)
        The class labels. For multilabel targets, the names or indices of the columns of y.

    image_shape_ : tuple (height, width, n_channels)
        Shape of the images seen during `fit`.

    n_features_in_ : int
        Number of values per image: height * width * n_channels.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X. Defined only if X is a DataFrame whose column names are all
        strings.

    See Also
    --------
    PretrainedImageClassifier : Classifier for photographs.
    ResNetImageClassifier : Classifier trained from scratch.
    sklearn.model_selection.GridSearchCV : Compare parameters by cross-validation.

    Notes
    -----
    If `fit` is interrupted by the user after the first candidate, it warns and keeps the best
    candidate so far, as fitted to the images that were not held out.

    The weights of an average are chosen as in Caruana et al., "Ensemble Selection from Libraries of
    Models" (2004). Candidates for multilabel targets are not averaged.

    Random changes of an ImageAugmenter before this classifier apply to candidates that are trained
    in epochs, and not to those that fit a head to fixed features.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import AutoImageClassifier, CNNImageClassifier, MLPImageClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = AutoImageClassifier(
    ...     [("mlp", MLPImageClassifier(max_iter=5)), ("cnn", CNNImageClassifier(max_iter=5))],
    ...     random_state=0,
    ... )
    >>> clf.fit(X[:1200], y[:1200]).score(X[1200:], y[1200:]) > 0.9
    True
    >>> clf.leaderboard_.shape
    (2, 6)
    """

    _parameter_constraints: dict = {
        "candidates": [StrOptions({"auto"}), list, tuple],
        "effort": [StrOptions({"quick", "medium", "best"})],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "validation_fraction": [Interval(Real, 0, 0.5, closed="right")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "image_shape": [tuple, list, None],
        "device": [str],
        "precision": [StrOptions({"auto", "float32", "bfloat16", "float64"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        candidates="auto",
        *,
        effort="medium",
        time_limit=None,
        validation_fraction=0.2,
        class_weight=None,
        image_shape=None,
        device="auto",
        precision="auto",
        random_state=None,
        verbose=0,
    ):
        self.candidates = candidates
        self.effort = effort
        self.time_limit = time_limit
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.image_shape = image_shape
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def get_params(self, deep=True):
        """Get the parameters of this classifier, and with `deep` those of its candidates.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        params : dict
        """
        return self._get_params("candidates", deep=deep)

    def set_params(self, **params):
        """Set parameters of this classifier, or of a candidate as ``name__parameter``.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self : object
        """
        self._set_params("candidates", **params)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, *, groups=None):
        """Compare the candidates, and fit the best to all images.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, n_channels)
            Images, in any input format accepted by the other image classifiers.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels, or a binary indicator matrix for multilabel targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights in the loss and in the scores.
        groups : array-like of shape (n_samples,), default=None
            Group of each image, such as the patient or the day. Images of one group are either all
            held out or all trained on.

        Returns
        -------
        self : object
            The fitted classifier. If `fit` raises, the classifier is unchanged.

        Raises
        ------
        ValueError
            If images, labels or weights are invalid, if groups leave a class without an image to
            train on, or if all candidates fail.
        """
        start = time.perf_counter()
        with restore_on_error(self):
            train = self._check_data(X, y, sample_weight)
            groups = check_groups(groups, len(train.images))
            data = LabeledImages.of(train, y)
            rng = np.random.RandomState(draw_seed(self.random_state))
            candidates = self._make_candidates(data, rng)
            if len(candidates) == 1:
                results = [CandidateResult(candidates[0], weight=1.0, status="the only candidate")]
            else:
                comparison = self._make_comparison(
                    data, None if groups is None else groups[train.rows], rng, start
                )
                results = compare(comparison, candidates, say=self._say)
            self.best_estimator_ = fit_members(results, data)
            self._leaderboard = [result.row() for result in results]
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
        images = self._check_images(X)
        return self.best_estimator_.predict(images)

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
        images = self._check_images(X)
        return self.best_estimator_.predict_proba(images)

    def decision_function(self, X):
        """Compute the logits of the best candidate, or the logarithm of averaged probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width, n_channels)
            Images, in any input format accepted by `fit`.

        Returns
        -------
        logits : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            For two classes, the logit of the second minus that of the first.
        """
        images = self._check_images(X)
        if hasattr(self.best_estimator_, "decision_function"):
            return self.best_estimator_.decision_function(images)
        logits = np.log(self.best_estimator_.predict_proba(images) + _EPS)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    @property
    def leaderboard_(self):
        """The candidates as a DataFrame, the best first."""
        if not hasattr(self, "_leaderboard"):
            raise AttributeError(
                f"This {type(self).__name__} has no 'leaderboard_' before it is fitted. Call fit "
                "first."
            )
        return pd.DataFrame(self._leaderboard)

    @property
    def history_(self):
        """Metrics of each epoch of the best candidate, as of other image classifiers."""
        return find_classifier(self).history_

    def _check_data(self, X, y, sample_weight):
        """Return training images, and store what was learned about them."""
        images = validate_images(self, X, reset=True).images
        encoder = learn_classes(y)
        train = make_training_images(images, y, sample_weight, encoder)
        check_several_classes(train)
        self.classes_ = encoder.classes
        return train

    @property
    def _encoder(self):
        return TargetEncoder(self.classes_, is_multilabel(self))

    def _check_images(self, X):
        check_is_fitted(self)
        return validate_images(self, X, reset=False).images

    def _make_candidates(self, data, rng):
        """Return the candidates, with a seed for each that has none."""
        if self.candidates == "auto":
            found = list_candidates(self.image_shape_, len(data), self.effort)
            shared = ("class_weight", "device", "precision")
            for candidate in found:
                candidate.estimator.set_params(**{name: getattr(self, name) for name in shared})
        else:
            found = [Candidate(name, clone(e)) for name, e in check_candidates(self.candidates)]
        seed = int(rng.randint(2**31 - 1))
        for candidate in found:
            params = candidate.estimator.get_params()
            names = [n for n in params if n == "random_state" or n.endswith("__random_state")]
            settings = {name: seed for name in names if params[name] is None}
            if "verbose" in params and self.verbose > 1:
                settings["verbose"] = self.verbose - 1
            candidate.estimator.set_params(**settings)
        return found

    def _make_comparison(self, data, groups, rng, start):
        """Return the comparison of the candidates on a part of the images."""
        rows = sample(data.targets, _MOST_COMPARED[self.effort], rng)
        groups = None if groups is None else groups[rows]
        train, held_out = hold_out(data.targets[rows], self.validation_fraction, rng, groups)
        deadline = math.inf if self.time_limit is None else start + self.time_limit
        return Comparison(data.part(rows[train]), data.part(rows[held_out]), len(data), deadline)

    def _say(self, line):
        if self.verbose:
            sys.stdout.write(f"{type(self).__name__}: {line}\n")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.input_tags.three_d_array = True
        return tags
