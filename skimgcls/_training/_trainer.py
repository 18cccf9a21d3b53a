"""Training with skorch."""

import copy
import math
import sys
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, PrintLog
from skorch.helper import predefined_split

from skimgcls._training import _callbacks
from skimgcls._training._adamw import AdamW
from skimgcls._training._batches import (
    Batches,
    BatchFormat,
    TrainingImages,
    n_batches,
)
from skimgcls._training._config import TrainingConfig
from skimgcls._training._epoch_metrics import EpochMetrics
from skimgcls._training._inference import evaluation_batch_size
from skimgcls._training._muon import Muon
from skimgcls.nets import ImageNetwork, Whitening, sample_weights_in
from skimgcls.utils._torch_compat import backward
from skimgcls.utils._torch_generators import drawing

_SOLVERS = {"adamw": AdamW, "muon": Muon}
# Layers that autocast computes in bfloat16.
_AUTOCAST_LAYERS = (torch.nn.Linear, torch.nn.Conv2d, Whitening)
_OF_A_BATCH = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class _Bfloat16Copy:
    """A copy of a module with convolutions and dense layers in bfloat16."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = copy.deepcopy(module).eval()
        for layer in self.module.modules():
            if type(layer) in _AUTOCAST_LAYERS:
                layer.to(torch.bfloat16)
        holders = [held for m in module.modules() for held in (m._parameters, m._buffers)]
        self._seen = [
            (holder, name, tensor, tensor.data_ptr(), tensor._version)
            for holder in holders
            for name, tensor in holder.items()
            if tensor is not None
        ]

    def is_current(self) -> bool:
        """Return whether the weights are unchanged since they were copied."""
        return all(
            holder[name] is tensor and tensor._version == version and tensor.data_ptr() == place
            for holder, name, tensor, place, version in self._seen
        )


class TrainingNet(NeuralNet):
    """skorch's ``NeuralNet`` without synchronization with the device at every batch."""

    module_: ImageNetwork
    # Whether the training images are features, the input of the head.
    on_features_: bool
    # Methods to call for each event, looked up once because there are many events.
    listening_: dict[str, list[Any]]
    rounded_: _Bfloat16Copy | None
    # The gradient of a loss with respect to itself.
    one_: torch.Tensor

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return []

    def evaluation_module(self) -> torch.nn.Module:
        """Return the module for predictions; with autocast, a copy with bfloat16 weights.

        Autocast would convert the weights in every batch, which takes longer than a batch of one
        image. The copy is made at the first prediction, and again after the weights have changed.
        """
        if not self.iterator_valid__batch_format.autocast:
            return self.module_
        if self.rounded_ is None or not self.rounded_.is_current():
            self.rounded_ = _Bfloat16Copy(self.module_)
        return self.rounded_.module

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        # There are several events per batch, which most callbacks do not use.
        for listen in self._listeners(method_name):
            listen(self, **cb_kwargs)

    def _listeners(self, method_name: str) -> list[Any]:
        """Return the methods of the network and its callbacks that handle an event."""
        if method_name not in self.listening_:
            own = getattr(self, method_name)
            # skorch would record every batch; only epochs are recorded here.
            is_idle = method_name in _OF_A_BATCH and (
                getattr(own, "__func__", None) is getattr(NeuralNet, method_name)
            )
            self.listening_[method_name] = ([] if is_idle else [own]) + [
                getattr(callback, method_name)
                for _, callback in self.callbacks_
                if getattr(type(callback), method_name) is not getattr(Callback, method_name)
            ]
        return self.listening_[method_name]

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, torch.Tensor]:
        # As in skorch, without the closure for optimizers with several evaluations per step.
        images, (targets, weights) = batch
        self._set_training(True)
        self._zero_grad_optimizer()
        weighted = nullcontext() if weights is None else sample_weights_in(self.module_, weights)
        # Layers such as dropout draw from the generator of the process.
        with weighted, drawing():
            logits = self.infer(images, **fit_params)
        loss: torch.Tensor = self.criterion_.forward(logits, targets, weights)
        backward(loss, self.one_)
        if self._listeners("on_grad_computed"):
            self.notify(
                "on_grad_computed",
                named_parameters=self.get_all_learnable_params(),
                batch=batch,
                training=True,
            )
        self.optimizer_.update()
        return {"loss": loss, "y_pred": logits}

    def _zero_grad_optimizer(self, set_to_none: bool | None = None) -> None:
        # As the method of the optimizer, without the records for the profiler of torch.
        for group in self.optimizer_.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def _set_training(self, training: bool = True) -> None:
        # Visiting all modules at every batch takes a tenth of the time of a small network.
        if self.module_.training != training:
            super()._set_training(training)

    def infer(self, x: torch.Tensor, **fit_params: Any) -> torch.Tensor:
        # `Batches` has standardized the pixels.
        compute: Any = self.module_.head if self.on_features_ else self.module_.classify
        with self.iterator_train__batch_format.computing():
            logits: torch.Tensor = compute(x)
        if not isinstance(logits, torch.Tensor):
            raise ValueError(
                "The module must return logits of shape (n_samples, n_outputs) in training mode, "
                f"as in evaluation mode; got a {type(logits).__name__}."
            )
        return logits.to(x.dtype)

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
        tally = EpochMetrics(self.criterion_.multilabel)
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            tally.add(step, batch[1])
            self.notify("on_batch_end", batch=batch, training=training, **step)
        loss, accuracy = tally.means()
        self.history.record(f"{prefix}_loss", loss)
        self.history.record(f"{prefix}_accuracy", accuracy)


def make_net(module: ImageNetwork, batch_format: BatchFormat, plan: TrainingConfig) -> TrainingNet:
    """Return an initialized TrainingNet for the module."""
    is_muon = plan.solver == "muon"
    net = TrainingNet(
        batch_format.place(module),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=_SOLVERS[plan.solver],
        optimizer__weight_decay=plan.weight_decay,
        optimizer__param_groups=[
            (pattern, {"lr": plan.learning_rate_init * share, "lr_scale": share})
            for pattern, share in plan.learning_rate_factors
        ],
        **({"optimizer__autocast": batch_format.autocast} if is_muon else {}),
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
    net.listening_, net.rounded_, net.on_features_ = {}, None, False
    net.one_ = torch.ones((), dtype=batch_format.dtype, device=batch_format.device)
    net.initialize()
    return net


def train_net(
    net: TrainingNet,
    plan: TrainingConfig,
    loss: torch.nn.Module,
    train: TrainingImages,
    valid: TrainingImages | None,
    rng: np.random.RandomState,
    *,
    on_features: bool = False,
) -> list[dict[str, float]]:
    """Train the network on the loss and return the metrics of each epoch.

    With `on_features` the images are features, of shape (n, 1, 1, n_features), and only the head
    is trained.

    Call it inside a seeded block, because dropout draws from the generator of torch, and with
    gradients enabled.
    """
    n_before = len(net.history)
    batch_format = net.iterator_train__batch_format
    net.criterion_ = loss.to(batch_format.device, batch_format.dtype)
    for group in net.optimizer_.param_groups:
        group["weight_decay"] = plan.weight_decay
    _callbacks.set_learning_rate(net, plan.learning_rate_init)
    callbacks = _make_callbacks(plan, len(train))
    net.callbacks_ = [(type(callback).__name__, callback.initialize()) for callback in callbacks]
    net.listening_, net.rounded_ = {}, None
    net.train_split = None if valid is None else predefined_split(valid)
    net.iterator_train__rng = rng
    net.iterator_train__mixing = plan.mixing
    net.iterator_train__views = plan.views
    net.on_features_ = on_features
    standardize = None if on_features else net.module_.standardize
    net.iterator_train__standardize = net.iterator_valid__standardize = standardize
    net.batch_size = plan.batch_size
    net.iterator_valid__batch_size = evaluation_batch_size(train.images.image_shape)
    try:
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
        # Remove what is needed only for training, including the data.
        net.callbacks_, net.listening_, net.train_split = [], {}, None
        net.iterator_train__rng = None
    return [_epoch_metrics(epoch) for epoch in net.history[n_before:]]


def _make_callbacks(plan: TrainingConfig, n_images: int) -> list[Callback]:
    callbacks = [_callbacks.EpochRecord(), _callbacks.RefuseNonFiniteLoss(plan.learning_rate_init)]
    n_steps = plan.max_epochs * n_batches(n_images, plan.batch_size)
    if plan.head_warmup > 0:
        callbacks.append(_callbacks.HeadWarmup(plan.head_warmup))
    if plan.weight_averaging > 0:
        callbacks.append(_callbacks.AverageWeights(plan.weight_averaging, n_steps))
    if plan.schedule != "constant":
        schedule = _callbacks.Decay(plan.schedule, plan.learning_rate_init, n_steps)
        callbacks.append(schedule)
    if plan.log:
        callbacks.append(PrintLog(sink=_write_line))
    if plan.progress:
        callbacks.append(_callbacks.ProgressBar(n_images, plan.max_epochs))
    stopping = _callbacks.EarlyStopping if plan.early_stopping else _callbacks.StopOnPlateau
    # Last, so that the other callbacks also handle the final epoch.
    return [*callbacks, stopping(plan.tol, plan.n_iter_no_change)]


def _write_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _epoch_metrics(epoch: dict[str, Any]) -> dict[str, float]:
    return {
        "train_loss": epoch["train_loss"],
        "train_accuracy": epoch["train_accuracy"],
        "validation_loss": epoch.get("valid_loss", math.nan),
        "validation_accuracy": epoch.get("valid_accuracy", math.nan),
        "learning_rate": epoch["learning_rate"],
        "seconds": epoch["seconds"],
    }
