"""Batches of images for training and evaluation."""

import math
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from skimgcls._augmentation._flip_translate import FlipTranslate
from skimgcls._augmentation._mixup import apply_mix, draw_mix, mix_targets
from skimgcls._images._lazy_images import LazyImages, take_steps
from skimgcls.nets import Standardize

# Targets of a batch and its sample weights, if any.
Truth = tuple[torch.Tensor, torch.Tensor | None]
# Sets of up to so many values (16 MiB in float32) are converted to float once instead of in every
# epoch. For the smallest networks the conversion takes a tenth of a step.
_RESIDENT_VALUES = 2**22


@dataclass(frozen=True)
class BatchFormat:
    """Device, dtype and memory format of the batches of a module."""

    device: torch.device
    dtype: torch.dtype
    channels_last: bool = True
    autocast: bool = False

    def computing(self) -> AbstractContextManager[Any]:
        """Return the context to run a module in, which is mixed precision with `autocast`.

        Weights, sums and losses stay in `dtype`; the factors of large products are rounded to
        bfloat16 (Micikevicius et al., "Mixed Precision Training", 2018).
        """
        if not self.autocast:
            return nullcontext()
        # Within an autocast of the caller, the cache is not emptied after a step, and the next step
        # would compute with the weights before it. Without, each weight is still cast once.
        return torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)

    def to_batch(self, images: np.ndarray) -> torch.Tensor:
        """Return images (n, height, width, channels) as a float batch (n, channels, height, width).

        Channels-last memory has the same values in the same order, so only this batch is converted
        to float.
        """
        return self.arrange(self.to_pixels(images).permute(0, 3, 1, 2))

    def to_pixels(self, images: np.ndarray) -> torch.Tensor:
        """Return the images as a float tensor (n, height, width, channels) on the device."""
        if images.dtype not in (np.uint8, np.float32, np.float64):
            images = images.astype(np.float64 if self.dtype is torch.float64 else np.float32)
        elif not (images.flags.writeable and images.flags.c_contiguous):
            images = images.copy(order="C")
        return torch.from_numpy(images).to(self.device).to(self.dtype)

    def arrange(self, batch: torch.Tensor) -> torch.Tensor:
        """Return a batch (n, channels, height, width) in the memory format of the module."""
        if self.channels_last:
            return batch.contiguous(memory_format=torch.channels_last)
        # Not `contiguous`: it does not change the strides of a single channel, which leaves the
        # memory format ambiguous for convolutions.
        return batch.clone(memory_format=torch.contiguous_format)

    def place(self, module: torch.nn.Module) -> torch.nn.Module:
        """Move the module to the device, dtype and memory format of the batches, and return it."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return module.to(self.device, self.dtype).to(memory_format=layout)


@dataclass(frozen=True)
class MixupCutMix:
    """Mix the images of a batch and their targets.

    `mixup` and `cutmix` are the parameters of the beta distributions, not both zero. If `n_passes`
    is given, images are not mixed after so many epochs.
    """

    mixup: float
    cutmix: float
    n_outputs: int
    n_passes: int | None = None

    def is_over(self, n_passes: int) -> bool:
        """Return whether mixing has ended after `n_passes` epochs."""
        return self.n_passes is not None and n_passes >= self.n_passes

    def __call__(
        self, batch: torch.Tensor, truth: Truth, generator: torch.Generator
    ) -> tuple[torch.Tensor, Truth]:
        n, channels, height, width = batch.shape
        draw = draw_mix(n, (height, width, channels), self.mixup, self.cutmix, generator)
        if draw is None:
            return batch, truth
        targets, weights = mix_targets(*truth, draw, self.n_outputs)
        # Soft targets need the dtype of the logits, which is that of the batch.
        return apply_mix(batch, draw), (targets.to(batch.dtype), weights)


@dataclass(frozen=True, eq=False)
class TrainingImages(torch.utils.data.Dataset[Any]):
    """Images with targets and sample weights, restricted to `rows`.

    Attributes
    ----------
    images : LazyImages
    targets : ndarray of shape (n,) int64 or (n, n_outputs) float32
    weights : ndarray of shape (n,) or None
    rows : ndarray of int
        Indices of the images used. Splitting a set splits its rows and copies no image.
    """

    images: LazyImages
    targets: np.ndarray
    weights: np.ndarray | None
    rows: np.ndarray

    @classmethod
    def from_arrays(
        cls,
        images: LazyImages,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> "TrainingImages":
        """Use all images except those of weight 0, which is equivalent to removing them."""
        rows = np.arange(len(images)) if weights is None else np.flatnonzero(weights)
        return cls(images, targets, weights, rows)

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, positions: np.ndarray) -> "TrainingImages":
        """Return the images at the given positions of the rows."""
        return replace(self, rows=self.rows[positions])

    def reweighted(self, row_weights: np.ndarray) -> "TrainingImages":
        """Return the same images with new weights, one per row."""
        weights = np.zeros(len(self.images))
        weights[self.rows] = row_weights
        return replace(self, weights=weights)

    def normalized(self) -> "TrainingImages":
        """Return the same images with weights of mean 1.

        Equal weights are replaced by None, so the computation is bit-for-bit that without weights.
        """
        weights = self.row_weights
        if weights is None:
            return self
        if np.ptp(weights) == 0:
            return replace(self, weights=None)
        return self.reweighted(weights / weights.mean())

    def hold_out(self, share: float, seed: int) -> tuple["TrainingImages", "TrainingImages"]:
        """Split off a fraction of the images, stratified if the classes are large enough.

        Returns
        -------
        kept, held_out : TrainingImages
        """
        targets, n = self.row_targets, len(self)
        n_held_out = min(math.ceil(share * n), n - 1)
        sizes = np.unique(targets, return_counts=True)[1].tolist() if targets.ndim == 1 else [0]
        can_stratify = min(sizes) > 1 and len(sizes) <= min(n_held_out, n - n_held_out)
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
    """Iterate over a set in batches, each taken with a single index operation.

    Parameters
    ----------
    dataset : TrainingImages
    batch_size : int
    batch_format : BatchFormat
    rng : RandomState or None
        Shuffles the images in each epoch and generates augmentation and mixing. With None, images
        are neither shuffled nor changed, as in validation.
    mixing : MixupCutMix or None
        How to mix images, in training.
    views : FlipTranslate or None
        How to mirror and shift images, in training.
    standardize : Standardize or None
        Standardizes the pixels, after the steps of lazy images and before flips, shifts and mixing.
        It is applied once instead of in every epoch if the set is resident and has no steps.

    Notes
    -----
    Images that fit in one batch are not shuffled, because their order changes the sum only by
    rounding. A last batch of a single image, which batch normalization does not support, is merged
    into the previous batch.
    """

    def __init__(
        self,
        dataset: TrainingImages,
        batch_size: int,
        batch_format: BatchFormat,
        rng: np.random.RandomState | None = None,
        mixing: MixupCutMix | None = None,
        views: FlipTranslate | None = None,
        standardize: Standardize | None = None,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.batch_format = batch_format
        self.rng = rng
        self.mixing = mixing
        self.views = views
        self.n_passes = 0
        self.mirrored = np.zeros(len(dataset.images), dtype=bool)
        if rng is not None and views is not None and views.mirror:
            # No draw for images of weight 0, which are equivalent to removed images.
            self.mirrored[dataset.rows] = rng.random_sample(len(dataset)) < 0.5
        self.images = dataset.images
        weights = dataset.weights
        self.pixels = self._resident()
        self.standardize = standardize
        if self.pixels is not None and self.pixels.is_floating_point() and not self.images.steps:
            self.pixels, self.standardize = self._standardized(self.pixels), None
        self.targets = torch.from_numpy(dataset.targets).to(batch_format.device)
        self.weights = (
            None if weights is None else torch.from_numpy(weights).to(batch_format.device)
        )

    def _standardized(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return standardized images (n, height, width, channels)."""
        if self.standardize is None:
            return pixels
        batch: torch.Tensor = self.standardize(pixels.permute(0, 3, 1, 2))
        return batch.permute(0, 2, 3, 1)

    def _resident(self) -> torch.Tensor | None:
        """Return all images on the device, small sets as floats, or None if they do not fit."""
        source, device = self.images.source, self.batch_format.device
        if math.prod(source.shape) <= _RESIDENT_VALUES:
            return self._read_all()
        if isinstance(source, np.ndarray) and _holds(device, source):
            return torch.from_numpy(source).to(device)
        return None

    def _read_all(self) -> torch.Tensor:
        """Return all images as floats on the device; images outside `rows` are zero."""
        source, rows = self.images.source, self.dataset.rows
        if isinstance(source, np.ndarray):
            return self.batch_format.to_pixels(source)
        pixels = np.zeros(source.shape, source.dtype)
        blocks = self._parted(rows)
        for block, read in zip(blocks, self.images.read(blocks, keep=True), strict=True):
            pixels[block] = read
        return self.batch_format.to_pixels(pixels)

    def _sizes(self) -> list[int]:
        """Return the number of images of each batch."""
        n = len(self)
        return [*[self.batch_size] * (n - 1), len(self.dataset) - (n - 1) * self.batch_size]

    def _parted(self, rows: np.ndarray) -> list[np.ndarray]:
        """Return the rows of each batch."""
        return np.split(rows, np.cumsum(self._sizes())[:-1])

    def __len__(self) -> int:
        return n_batches(len(self.dataset), self.batch_size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, Truth]]:
        rows, generator = self.dataset.rows, None
        if self.rng is not None:
            rows = self.rng.permutation(rows) if len(self) > 1 else rows
            generator = self._make_generator()
        mixing = self.mixing
        if mixing is not None and mixing.is_over(self.n_passes):
            mixing = None
        order = torch.from_numpy(rows).to(self.batch_format.device)
        for block, batch, truth in zip(
            self._parted(rows), self._pixels(rows, order), self._truths(order), strict=True
        ):
            if self.images.steps:
                batch = take_steps(batch, self.images.steps, generator, self._marked(block))
            if self.standardize is not None:
                batch = self.standardize(batch)
            if generator is not None and self.views is not None:
                is_mirrored = self.mirrored[block] ^ bool(self.n_passes % 2)
                batch = self.views(batch, is_mirrored, generator)
            if generator is not None and mixing is not None:
                batch, truth = mixing(batch, truth, generator)
            yield self.batch_format.arrange(batch), truth
        self.n_passes += 1

    def _truths(self, order: torch.Tensor) -> Iterable[Truth]:
        """Return the targets and weights of each batch."""
        targets = torch.split(self.targets[order], self._sizes())
        if self.weights is None:
            return ((part, None) for part in targets)
        weights = self.weights[order].to(self.batch_format.dtype)
        return zip(targets, torch.split(weights, self._sizes()), strict=True)

    def _pixels(self, rows: np.ndarray, order: torch.Tensor) -> Iterable[torch.Tensor]:
        """Return the images of each batch as floats (n, channels, height, width)."""
        dtype = self.batch_format.dtype
        if self.pixels is not None and self.pixels.dtype is dtype:
            # Reorder all images at once; a batch is then a slice.
            return torch.split(self.pixels[order].permute(0, 3, 1, 2), self._sizes())
        if self.pixels is not None:
            taken = (self.pixels[part].to(dtype) for part in torch.split(order, self._sizes()))
        else:
            blocks = self.images.read(self._parted(rows), keep=True)
            taken = (self.batch_format.to_pixels(block) for block in blocks)
        return (pixels.permute(0, 3, 1, 2) for pixels in taken)

    def _make_generator(self) -> torch.Generator | None:
        """Return a generator for this epoch, or None if nothing is random."""
        is_random = self.images.is_random or self.mixing is not None or self.views is not None
        if self.rng is None or not is_random:
            return None
        return torch.Generator().manual_seed(int(self.rng.randint(2**31 - 1)))

    def _marked(self, rows: np.ndarray) -> torch.Tensor | None:
        """Return the positions in a batch that random steps may change; None means all."""
        if self.images.marks is None:
            return None
        marked = torch.from_numpy(np.flatnonzero(self.images.marks[rows]))
        return marked.to(self.batch_format.device)


def _holds(device: torch.device, images: np.ndarray) -> bool:
    """Return whether the images are uint8 and take at most half of the free memory of a GPU.

    They are then copied as a whole. Other dtypes may not be supported by torch.
    """
    if device.type != "cuda" or images.dtype != np.uint8 or not images.flags.writeable:
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return images.nbytes <= free // 2


def n_batches(n_images: int, batch_size: int) -> int:
    """Return the number of batches of `Batches` for `n_images` images.

    >>> n_batches(10, 4), n_batches(9, 4), n_batches(1, 4)
    (3, 2, 1)
    """
    n = math.ceil(n_images / batch_size)
    return n - 1 if n > 1 and n_images % batch_size == 1 else n


def pick_rows(train: TrainingImages, n_images: int) -> np.ndarray:
    """Return up to `n_images` rows in random order, the same ones for equal sets."""
    return np.random.RandomState(0).permutation(train.rows)[:n_images]


def sample(train: TrainingImages, n_images: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return up to `n_images` images as a float batch, and their weights."""
    rows = pick_rows(train, n_images)
    batch_format = BatchFormat(torch.device("cpu"), torch.float32)
    parts = [rows[i : i + 256] for i in range(0, len(rows), 256)]
    pixels = [batch_format.to_batch(block) for block in train.images.evaluated(parts, keep=True)]
    weights = None if train.weights is None else torch.from_numpy(train.weights[rows])
    return torch.cat(pixels), weights
