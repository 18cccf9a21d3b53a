"""Detect whether training images may be mirrored."""

import numpy as np
import torch
from torch.nn import functional

from skimgcls._training._batches import TrainingImages, pick_rows

# Maximum number of images used, and the side they are reduced to.
_N_ASKED = 2048
_SIDE = 8
_N_FOLDS = 5
# Minimum number of images.
_FEWEST = 100
# Minimum explained variance of mirrored images, as a fraction of that of the images.
_SHARE = 2 / 3


def is_flip_invariant(train: TrainingImages) -> bool:
    """Return whether mirrored images look like other images of their label.

    A ridge regression is fitted on small versions of the images and evaluated by cross-validation,
    once on the images and once on their mirror images. It explains both equally well for
    photographs of objects, which have no left and right, but not for digits, letters or catalog
    photographs of shoes. The result is False if there are few images, or if the regression does not
    predict the labels: omitting the mirror costs little accuracy, mirroring digits much.
    """
    rows = pick_rows(train, _N_ASKED)
    if len(rows) < _FEWEST or train.targets[rows].std(axis=0).max() == 0:
        return False
    small = _shrink(train, rows)
    targets = train.targets[rows]
    if targets.ndim == 1:
        targets = (targets[:, None] == np.unique(targets)).astype(np.float64)
    targets = targets - targets.mean(axis=0)
    plain, mirrored = small.flatten(1).numpy(), small.flip(3).flatten(1).numpy()
    fold = np.arange(len(rows)) % _N_FOLDS
    guesses = np.zeros((2, *targets.shape))
    for k in range(_N_FOLDS):
        learned, left_out = plain[fold != k], fold == k
        weights = _ridge(learned, targets[fold != k])
        guesses[:, left_out] = plain[left_out] @ weights, mirrored[left_out] @ weights
    told, told_mirrored = 1 - ((targets - guesses) ** 2).sum(axis=(1, 2)) / (targets**2).sum()
    return bool(told > 0 and told_mirrored > _SHARE * told)


def _shrink(train: TrainingImages, rows: np.ndarray) -> torch.Tensor:
    """Return small images (n, channels, height, width), centered per channel and row."""
    parts = [rows[i : i + 256] for i in range(0, len(rows), 256)]
    small = torch.cat(
        [
            functional.adaptive_avg_pool2d(
                torch.from_numpy(pixels.astype(np.float64)).permute(0, 3, 1, 2), _SIDE
            )
            for pixels in train.images.evaluated(parts, keep=True)
        ]
    )
    return small - small.mean(dim=(0, 3), keepdim=True)


def _ridge(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return ridge weights, with the mean squared norm of the features as penalty."""
    gram = features.T @ features
    penalty = gram.trace() / len(gram)
    return np.linalg.solve(gram + max(penalty, 1e-12) * np.eye(len(gram)), features.T @ targets)
