"""Labeled images, and how to hold out some of them to compare classifiers on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from skimgcls._images._lazy_images import LazyImages
from skimgcls._training._batches import TrainingImages
from skimgcls.utils._sklearn_compat import take_rows

# Probabilities are kept from 0 and 1 by so much in the loss.
_EPS = 1e-7
_TEMPERATURES = tuple(2.0 ** (power / 2) for power in range(-6, 5))

# With few images, more than the usual fraction is held out, up to this number and this fraction.
_WANTED = 100
_LARGEST_FRACTION = 0.5


@dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images with labels, weights and codes.

    Attributes
    ----------
    images : LazyImages
    y : array-like
        Labels as passed to `fit`.
    targets : ndarray of shape (n,) int64, or (n, n_outputs)
    weights : ndarray of shape (n,) or None
    """

    images: LazyImages
    y: Any
    targets: np.ndarray
    weights: np.ndarray | None

    @classmethod
    def of(cls, train: TrainingImages, y: Any) -> "LabeledImages":
        """Return the images that have a weight."""
        found = cls(train.images, y, train.targets, train.weights)
        return found if len(train) == len(train.images) else found.part(train.rows)

    def __len__(self) -> int:
        return len(self.targets)

    def part(self, rows: np.ndarray) -> "LabeledImages":
        """Return the images at the given indices."""
        weights = None if self.weights is None else self.weights[rows]
        return LabeledImages(
            self.images[rows], take_rows(self.y, rows), self.targets[rows], weights
        )

    def fit(self, estimator: Any, *, is_augmented: bool = True) -> Any:
        """Fit an estimator to the images, and return it."""
        images = self.images if is_augmented else self.images.without_random_steps()
        if self.weights is None:
            return estimator.fit(images, self.y)
        return estimator.fit(images, self.y, sample_weight=self.weights)

    def accuracy(self, proba: np.ndarray) -> float:
        """Return the fraction of images with all labels right."""
        found = proba.argmax(axis=1) if self.targets.ndim == 1 else proba > 0.5
        return float(accuracy_score(self.targets, found, sample_weight=self.weights))

    def loss(self, proba: np.ndarray) -> float:
        """Return the cross-entropy of the probabilities at the best temperature.

        Networks trained with label smoothing give probabilities far from 0 and 1. A temperature,
        which divides the logits (Guo et al., "On Calibration of Modern Neural Networks", 2017),
        makes their losses comparable with those of others. For multilabel targets, the loss is that
        of a logistic output, summed over the labels.
        """
        proba = np.clip(proba, _EPS, 1 - _EPS)
        logits = np.log(proba)
        if self.targets.ndim == 2:
            logits -= np.log1p(-proba)
        return min(self._loss_of_logits(logits / temperature) for temperature in _TEMPERATURES)

    def _loss_of_logits(self, logits: np.ndarray) -> float:
        if self.targets.ndim == 2:
            losses = np.logaddexp(0, np.where(self.targets > 0, -logits, logits)).sum(axis=1)
        else:
            true = np.take_along_axis(logits, self.targets[:, np.newaxis], axis=1)[:, 0]
            losses = logsumexp(logits, axis=1) - true
        return float(np.average(losses, weights=self.weights))


def hold_out(
    targets: np.ndarray,
    fraction: float,
    rng: np.random.RandomState,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Split images into those to train on and those to compare on.

    Parameters
    ----------
    targets : ndarray of shape (n,) int64, or (n, n_outputs)
        Codes of the classes, from which the parts are stratified, or indicators.
    fraction : float
        Fraction to hold out. Of few images, more are held out: 100, up to half of them.
    rng : RandomState
    groups : ndarray of shape (n,) or None
        Images of one group stay in one part.

    Returns
    -------
    train, held_out : ndarray of int
        Sorted indices. Each class is in `train`; the only image of a class is never held out.

    Raises
    ------
    ValueError
        If the groups leave `train` without a class.
    """
    n = len(targets)
    fraction = max(fraction, min(_LARGEST_FRACTION, _WANTED / n))
    n_folds = max(2, round(1 / fraction))
    folds = (
        _draw_folds(targets, n_folds, rng)
        if groups is None
        else _draw_folds_of_groups(targets, n_folds, rng, groups)
    )
    train, held_out = np.flatnonzero(folds != 0), np.flatnonzero(folds == 0)
    if targets.ndim == 1:
        missing = np.setdiff1d(targets, targets[train])
        if len(missing):
            raise ValueError(
                f"groups: with one part of {n_folds} held out, no image of {len(missing)} of the "
                f"{len(np.unique(targets))} classes is left to train on, because their images are "
                "in too few groups. Pass smaller groups, or more groups of each class."
            )
    return train, held_out


def sample(targets: np.ndarray, n_most: int, rng: np.random.RandomState) -> np.ndarray:
    """Return the sorted indices of at most about `n_most` images, some of each class."""
    n = len(targets)
    if n <= n_most:
        return np.arange(n)
    order = rng.permutation(n)
    if targets.ndim == 1:
        order = order[np.argsort(targets[order], kind="stable")]
    chosen = order[np.linspace(0, n - 1, n_most).astype(np.int64)]
    if targets.ndim == 1:
        # Two of each class, one of which can be held out.
        firsts = np.unique(targets[order], return_index=True)[1]
        extra = np.append(firsts, np.minimum(firsts + 1, n - 1))
        chosen = np.union1d(chosen, order[extra])
    return np.sort(chosen)


def check_groups(groups: Any, n_images: int) -> np.ndarray | None:
    """Return one group for each image, or None."""
    if groups is None:
        return None
    found = np.asarray(groups)
    if found.shape != (n_images,):
        raise ValueError(
            f"groups must have one value for each of the {n_images} images; got an array of shape "
            f"{found.shape}."
        )
    return found


def _draw_folds(targets: np.ndarray, n_folds: int, rng: np.random.RandomState) -> np.ndarray:
    order = rng.permutation(len(targets))
    if targets.ndim == 1:
        order = order[np.argsort(targets[order], kind="stable")]
    folds = np.empty(len(targets), dtype=np.int64)
    folds[order] = np.arange(len(targets)) % n_folds
    if targets.ndim == 1:
        first = np.unique(targets[order], return_index=True)[1]
        counts = np.bincount(targets)
        # The first image of a class may be its only one.
        alone = order[first][counts[np.unique(targets)] == 1]
        folds[alone] = n_folds - 1
    return folds


def _draw_folds_of_groups(
    targets: np.ndarray, n_folds: int, rng: np.random.RandomState, groups: np.ndarray
) -> np.ndarray:
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            f"groups has {n_groups} different value; comparing classifiers needs at least two "
            "groups, one to train on and one to hold out."
        )
    n_folds = min(n_folds, n_groups)
    if targets.ndim == 1:
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=rng)
    else:
        splitter = GroupKFold(n_folds, shuffle=True, random_state=rng)
    folds = np.empty(len(targets), dtype=np.int64)
    for fold, (_, held_out) in enumerate(splitter.split(targets, targets, groups)):
        folds[held_out] = fold
    return folds
