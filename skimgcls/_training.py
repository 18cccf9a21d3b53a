"""The training engine: data in batches, the net skorch trains, and logits out of it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.helper import predefined_split

from skimgcls import _callbacks

# Values of one channel that an evaluation batch holds at most: large enough to keep all threads
# busy, small enough for the maps of a net's first layers to stay in the cache.
_EVALUATION_VALUES = 2**18
_MAX_EVALUATION_IMAGES = 1024
# Steps whose logits wait to be counted together, rather than one by one.
_TALLY_EVERY = 64


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
        if images.dtype not in (np.uint8, np.float32, np.float64):
            images = images.astype(np.float64 if self.dtype is torch.float64 else np.float32)
        elif not (images.flags.writeable and images.flags.c_contiguous):
            images = images.copy(order="C")
        batch = torch.from_numpy(images).to(self.device).to(self.dtype).permute(0, 3, 1, 2)
        return batch if self.channels_last else batch.contiguous()

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
        self.targets = torch.from_numpy(dataset.targets).to(batch_format.device)
        self.weights = (
            None if weights is None else torch.from_numpy(weights).to(batch_format.device)
        )

    def __len__(self) -> int:
        return n_batches(len(self.dataset), self.batch_size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor | None]]]:
        rows = self.dataset.rows if self.rng is None else self.rng.permutation(self.dataset.rows)
        n = len(self)
        for i in range(n):
            stop = None if i == n - 1 else (i + 1) * self.batch_size
            taken = rows[i * self.batch_size : stop]
            batch = self.batch_format.to_batch(self.dataset.images[taken])
            index = torch.from_numpy(taken).to(self.batch_format.device)
            weights = None if self.weights is None else self.weights[index].to(batch.dtype)
            yield batch, (self.targets[index], weights)


def n_batches(n_images: int, batch_size: int) -> int:
    """Return in how many batches `Batches` goes through so many images.

    >>> n_batches(10, 4), n_batches(9, 4), n_batches(1, 4)
    (3, 2, 1)
    """
    n = math.ceil(n_images / batch_size)
    return n - 1 if n > 1 and n_images % batch_size == 1 else n


class _Tally:
    """Loss and accuracy over the batches of an epoch, read from the device seldom."""

    def __init__(self) -> None:
        self.steps: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None]] = []
        self.loss = self.right = self.weight = 0.0
        self.n = 0

    def add(self, step: dict[str, torch.Tensor], truth: tuple[torch.Tensor, Any]) -> None:
        self.steps.append((step["loss"].detach(), step["y_pred"].detach(), *truth))
        if len(self.steps) == _TALLY_EVERY:
            self._count()

    def means(self) -> tuple[float, float]:
        """Return the mean loss and the weighted accuracy."""
        self._count()
        return self.loss / self.n, self.right / self.weight

    def _count(self) -> None:
        if not self.steps:
            return
        losses, logits, targets, weights = zip(*self.steps, strict=True)
        self.steps = []
        sizes = torch.tensor([len(batch) for batch in targets], dtype=torch.float64)
        self.loss += float(torch.stack(losses).double().cpu() @ sizes)
        self.n += int(sizes.sum())
        right = _is_right(torch.cat(logits), torch.cat(targets)).double()
        weight = torch.ones_like(right) if weights[0] is None else torch.cat(weights).double()
        self.right += float(right @ weight)
        self.weight += float(weight.sum())


def _is_right(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return for each row whether its label, or each of its labels, is the predicted one."""
    if targets.ndim == 1:
        return logits.argmax(dim=1) == targets
    return ((logits > 0) == (targets > 0.5)).all(dim=1)


class ImageNet(NeuralNet):
    """skorch's net, with an epoch that waits for the device once and not at every batch."""

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return []

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        # Several events a batch, which most callbacks do not listen to.
        getattr(self, method_name)(self, **cb_kwargs)
        for _, callback in self.callbacks_:
            if getattr(type(callback), method_name) is not getattr(Callback, method_name):
                getattr(callback, method_name)(self, **cb_kwargs)

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, torch.Tensor]:
        # Without the closure that only optimizers of several evaluations a step need.
        self._zero_grad_optimizer()
        step: dict[str, torch.Tensor] = self.train_step_single(batch, **fit_params)
        self.notify(
            "on_grad_computed",
            named_parameters=self.get_all_learnable_params(),
            batch=batch,
            training=True,
        )
        self._step_optimizer(None)
        return step

    def _set_training(self, training: bool = True) -> None:
        # Walking through all modules at every batch costs a small net a tenth of its time.
        if self.module_.training != training:
            super()._set_training(training)

    def infer(self, x: torch.Tensor, **fit_params: Any) -> torch.Tensor:
        logits: torch.Tensor = self.module_(x)
        return logits

    def get_loss(
        self, y_pred: torch.Tensor, y_true: Any, X: Any = None, training: bool = False
    ) -> torch.Tensor:
        loss: torch.Tensor = self.criterion_(y_pred, *y_true)
        return loss

    def run_single_epoch(
        self,
        iterator: Iterable[Any] | None,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        if iterator is None:
            return
        tally = _Tally()
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            tally.add(step, batch[1])
            self.notify("on_batch_end", batch=batch, training=training, **step)
        loss, accuracy = tally.means()
        self.history.record(f"{prefix}_loss", loss)
        self.history.record(f"{prefix}_accuracy", accuracy)


@dataclass(frozen=True)
class TrainingPlan:
    """The figures of one training run."""

    max_epochs: int
    batch_size: int
    learning_rate_init: float
    cosine: bool
    weight_decay: float
    tol: float
    n_iter_no_change: int
    early_stopping: bool
    progress: bool = False


def make_net(module: torch.nn.Module, batch_format: BatchFormat, plan: TrainingPlan) -> ImageNet:
    """Return an initialised net around the module."""
    net = ImageNet(
        batch_format.place(module),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        optimizer__fused=True,
        optimizer__weight_decay=plan.weight_decay,
        lr=plan.learning_rate_init,
        max_epochs=plan.max_epochs,
        batch_size=plan.batch_size,
        iterator_train=Batches,
        iterator_train__batch_format=batch_format,
        iterator_valid=Batches,
        iterator_valid__batch_format=batch_format,
        train_split=None,
        callbacks=None,
        verbose=0,
        device=str(batch_format.device),
    )
    return net.initialize()


def train_net(
    net: ImageNet,
    plan: TrainingPlan,
    loss: torch.nn.Module,
    train: TrainingImages,
    valid: TrainingImages | None,
    rng: np.random.RandomState,
) -> list[dict[str, float]]:
    """Train the net on the loss and return what its history says of each epoch.

    Call it inside a seeded block: dropout draws from torch's generator.
    """
    n_before = len(net.history)
    batch_format = net.iterator_train__batch_format
    net.criterion_ = loss.to(batch_format.device, batch_format.dtype)
    for group in net.optimizer_.param_groups:
        group.update(lr=plan.learning_rate_init, weight_decay=plan.weight_decay)
    callbacks = _make_callbacks(plan, len(train))
    net.callbacks_ = [(type(callback).__name__, callback.initialize()) for callback in callbacks]
    net.train_split = None if valid is None else predefined_split(valid)
    net.iterator_train__rng = rng
    net.iterator_valid__batch_size = evaluation_batch_size(train.images.shape)
    try:
        with torch.enable_grad():
            net.notify("on_train_begin", X=train, y=None)
            with suppress(_callbacks.StopTraining):
                net.fit_loop(train, epochs=plan.max_epochs)
            net.notify("on_train_end", X=train, y=None)
    finally:
        for callback in callbacks:
            if isinstance(callback, _callbacks.ProgressBar):
                callback.close()
    net._set_training(False)
    net.optimizer_.zero_grad()
    # What was needed for this run only, the data among it, does not stay with the net.
    net.callbacks_, net.train_split, net.iterator_train__rng = [], None, None
    return [_epoch_figures(epoch) for epoch in net.history[n_before:]]


def _make_callbacks(plan: TrainingPlan, n_images: int) -> list[Callback]:
    callbacks = [_callbacks.EpochRecord(), _callbacks.RefuseNonFiniteLoss(plan.learning_rate_init)]
    if plan.cosine:
        n_steps = plan.max_epochs * n_batches(n_images, plan.batch_size)
        callbacks.append(_callbacks.CosineSchedule(plan.learning_rate_init, n_steps))
    if plan.progress:
        callbacks.append(_callbacks.ProgressBar(n_images, plan.max_epochs))
    stopping = _callbacks.EarlyStopping if plan.early_stopping else _callbacks.StopOnPlateau
    # Last, so that the others have seen the epoch that ends the run.
    return [*callbacks, stopping(plan.tol, plan.n_iter_no_change)]


def _epoch_figures(epoch: dict[str, Any]) -> dict[str, float]:
    return {
        "train_loss": epoch["train_loss"],
        "train_accuracy": epoch["train_accuracy"],
        "validation_loss": epoch.get("valid_loss", math.nan),
        "validation_accuracy": epoch.get("valid_accuracy", math.nan),
        "learning_rate": epoch["learning_rate"],
        "seconds": epoch["seconds"],
    }


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


def dump_net(net: ImageNet) -> dict[str, Any]:
    """Return the weights and the state of the optimizer as arrays, lists and numbers."""
    return _to_arrays(
        {"module": net.module_.state_dict(), "optimizer": net.optimizer_.state_dict()}
    )


def restore_net(net: ImageNet, dumped: dict[str, Any]) -> None:
    """Bring a net of the same architecture back to a dumped state."""
    net.module_.load_state_dict(_to_tensors(dumped["module"]))
    net.optimizer_.load_state_dict(_to_tensors(dumped["optimizer"]))
    # A fused optimizer goes through the memory of weights and moments side by side, so that both
    # must be laid out alike, and arrays have lost the channels-last layout.
    for weights, moments in net.optimizer_.state.items():
        for name, value in moments.items():
            if value.shape == weights.shape:
                moments[name] = torch.empty_like(weights).copy_(value)


def _to_tensors(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_tensors(item) for key, item in value.items()}
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def _to_arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_arrays(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_arrays(item) for item in value]
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy().copy()
    return value
