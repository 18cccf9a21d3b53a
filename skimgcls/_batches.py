"""Images in batches, on their way into a net and, as logits, out of it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import train_test_split

# Values of one channel that an evaluation batch holds at most: large enough to keep all threads
# busy, small enough for the maps of a net's first layers to stay in the cache.
_EVALUATION_VALUES = 2**18
_MAX_EVALUATION_IMAGES = 1024
# A set of so few values (16 MiB in float32) is made float once and not anew in every epoch: for the
# smallest nets that is a tenth of a step.
_RESIDENT_VALUES = 2**22


@dataclass(frozen=True)
class BatchFormat:
    """How the images of a batch are handed to a module."""

    device: torch.device
    dtype: torch.dtype
    channels_last: bool = True

    def to_batch(self, images: np.ndarray) -> torch.Tensor:
        """Return images (n, height, width, channels) as a float batch (n, channels, height, width).

        In channels-last memory that is the same numbers in the same order, so bytes stay bytes up
        to here and only this batch becomes float.
        """
        return self.arrange(self.to_pixels(images))

    def to_pixels(self, images: np.ndarray) -> torch.Tensor:
        """Return the same images as floats on the device, (n, height, width, channels)."""
        if images.dtype not in (np.uint8, np.float32, np.float64):
            images = images.astype(np.float64 if self.dtype is torch.float64 else np.float32)
        elif not (images.flags.writeable and images.flags.c_contiguous):
            images = images.copy(order="C")
        return torch.from_numpy(images).to(self.device).to(self.dtype)

    def arrange(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return pixels (n, height, width, channels) as a batch (n, channels, height, width)."""
        batch = pixels.permute(0, 3, 1, 2)
        if self.channels_last:
            return batch
        # Not `contiguous`, which leaves the strides of a single channel as they are, and
        # convolutions in doubt of the layout.
        return batch.clone(memory_format=torch.contiguous_format)

    def place(self, module: torch.nn.Module) -> torch.nn.Module:
        """Return the module on the device, in the precision and memory layout of the batches."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return module.to(self.device, self.dtype).to(memory_format=layout)


@dataclass(frozen=True, eq=False)
class TrainingImages(torch.utils.data.Dataset[Any]):
    """Images with their targets and weights, of which only `rows` take part.

    Attributes
    ----------
    images : ndarray of shape (n, height, width, channels)
    targets : ndarray of shape (n,) int64 or (n, n_outputs) float32
    weights : ndarray of shape (n,) or None
    rows : ndarray of int
        Which of the n are meant. Sets are parted by rows, and no image is copied for it.
    """

    images: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None
    rows: np.ndarray

    @classmethod
    def from_arrays(
        cls, images: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None
    ) -> "TrainingImages":
        """Take all images but those of weight zero, which is to say not given."""
        rows = np.arange(len(images)) if weights is None else np.flatnonzero(weights)
        return cls(images, targets, weights, rows)

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, positions: np.ndarray) -> "TrainingImages":
        """Return the images at these positions among the rows."""
        return replace(self, rows=self.rows[positions])

    def reweighted(self, row_weights: np.ndarray) -> "TrainingImages":
        """Return the same images with other weights, one for each of the rows."""
        weights = np.zeros(len(self.images))
        weights[self.rows] = row_weights
        return replace(self, weights=weights)

    def normalized(self) -> "TrainingImages":
        """Return the same images with weights of mean one, in which a loss is a mean."""
        weights = self.row_weights
        return self if weights is None else self.reweighted(weights / weights.mean())

    def hold_out(self, share: float, seed: int) -> tuple["TrainingImages", "TrainingImages"]:
        """Part off a share of the images, stratified by class where the classes are large enough.

        Returns
        -------
        kept, held_out : TrainingImages
        """
        targets, n = self.row_targets, len(self)
        n_held_out = min(math.ceil(share * n), n - 1)
        sizes = np.unique(targets, return_counts=True)[1] if targets.ndim == 1 else np.zeros(1)
        can_stratify = sizes.min() > 1 and len(sizes) <= min(n_held_out, n - n_held_out)
        kept, held_out = train_test_split(
            np.arange(n),
            test_size=n_held_out,
            random_state=seed,
            stratify=targets if can_stratify else None,
        )
        return self.part(np.sort(kept)), self.part(np.sort(held_out))

    @property
    def row_targets(self) -> np.ndarray:
        return self.targets[self.rows]

    @property
    def row_weights(self) -> np.ndarray | None:
        return None if self.weights is None else self.weights[self.rows]


class Batches:
    """Iterate over a set in batches that are taken whole, not gathered image by image.

    Parameters
    ----------
    dataset : TrainingImages
    batch_size : int
    batch_format : BatchFormat
    rng : RandomState or None
        Shuffles the images anew in each pass; None keeps their order.

    Notes
    -----
    Images that fit in one batch are not shuffled either: their sum does not depend on the order but
    for rounding. A last batch of a single image, which batch normalisation cannot take, is joined
    to the one before.
    """

    def __init__(
        self,
        dataset: TrainingImages,
        batch_size: int,
        batch_format: BatchFormat,
        rng: np.random.RandomState | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.batch_format = batch_format
        self.rng = rng if len(dataset) > batch_size else None
        weights = dataset.weights
        is_small = dataset.images.size <= _RESIDENT_VALUES
        self.pixels = batch_format.to_pixels(dataset.images) if is_small else None
        self.targets = torch.from_numpy(dataset.targets).to(batch_format.device)
        self.weights = (
            None if weights is None else torch.from_numpy(weights).to(batch_format.device)
        )

    def __len__(self) -> int:
        return n_batches(len(self.dataset), self.batch_size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor | None]]]:
        rows = self.dataset.rows if self.rng is None else self.rng.permutation(self.dataset.rows)
        order = torch.from_numpy(rows).to(self.batch_format.device)
        n = len(self)
        for i in range(n):
            taken = slice(i * self.batch_size, None if i == n - 1 else (i + 1) * self.batch_size)
            index = order[taken]
            if self.pixels is None:
                pixels = self.batch_format.to_pixels(self.dataset.images[rows[taken]])
            else:
                pixels = self.pixels[index]
            weights = None if self.weights is None else self.weights[index].to(pixels.dtype)
            yield self.batch_format.arrange(pixels), (self.targets[index], weights)


def n_batches(n_images: int, batch_size: int) -> int:
    """Return in how many batches `Batches` goes through so many images.

    >>> n_batches(10, 4), n_batches(9, 4), n_batches(1, 4)
    (3, 2, 1)
    """
    n = math.ceil(n_images / batch_size)
    return n - 1 if n > 1 and n_images % batch_size == 1 else n


def evaluation_batch_size(shape: Sequence[int]) -> int:
    """Return how many images (n, height, width, channels) to evaluate at once.

    >>> evaluation_batch_size((60_000, 32, 32, 3)), evaluation_batch_size((9, 1024, 1024, 3))
    (256, 1)
    """
    return int(np.clip(_EVALUATION_VALUES // (shape[1] * shape[2]), 1, _MAX_EVALUATION_IMAGES))


def predict_logits(
    module: torch.nn.Module, images: np.ndarray, batch_format: BatchFormat
) -> np.ndarray:
    """Return the logits (n, n_outputs) of images (n, height, width, channels)."""
    if module.training:
        module.eval()
    size = evaluation_batch_size(images.shape)
    with torch.inference_mode():
        parts = [
            module(batch_format.to_batch(images[i : i + size])) for i in range(0, len(images), size)
        ]
        logits: np.ndarray = torch.cat(parts).cpu().numpy()
    return logits
