"""Whether images may be mirrored, asked of the images."""

import numpy as np
import torch
from torch.nn import functional

from skimgcls._images._lazy_images import as_lazy
from skimgcls._training._batches import TrainingImages, pick_rows

# Images that are asked, and pixels a side that are left of them.
_N_ASKED = 2048
_SIDE = 8
_N_FOLDS = 5
# Fewer images say too little.
_FEWEST = 100
# What a mirrored image has to tell of its label, as a share of what the image itself tells.
_SHARE = 2 / 3


def is_flip_invariant(train: TrainingImages) -> bool:
    """Tell whether mirrored images look like others of their label.

    A ridge regression learns the labels from small versions of some images; of the images left out
    it then explains the labels, once as they are and once mirrored left to right. Of photographs of
    things it explains as much: they have no left and right. Of digits, letters or shoes in a
    catalogue it does not. "No" is the answer where there are few images, or the labels cannot be
    told in this way: to leave the mirror out costs little, to mirror a digit much.
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
    """Return small versions (n, channels, height, width) of images, of mean zero at each place."""
    parts = [rows[i : i + 256] for i in range(0, len(rows), 256)]
    small = torch.cat(
        [
            functional.adaptive_avg_pool2d(
                torch.from_numpy(pixels.astype(np.float64)).permute(0, 3, 1, 2), _SIDE
            )
            for pixels in as_lazy(train.images).evaluated(parts)
        ]
    )
    return small - small.mean(dim=(0, 3), keepdim=True)


def _ridge(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return weights, shrunk as if each feature had as much noise as it has spread."""
    gram = features.T @ features
    penalty = gram.trace() / len(gram)
    return np.linalg.solve(gram + max(penalty, 1e-12) * np.eye(len(gram)), features.T @ targets)
