"""skorch callbacks for training."""

import math
import time
import warnings
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback


class StopTraining(KeyboardInterrupt):
    """Raised by a callback to stop training without an error, as in skorch."""


def set_learning_rate(net: NeuralNet, learning_rate: float) -> None:
    """Set the learning rate of all weights, multiplied by the `lr_scale` of their group."""
    for group in net.optimizer_.param_groups:
        group["lr"] = learning_rate * group.get("lr_scale", 1.0)


class Decay(Callback):
    """Decay the learning rate to zero step by step, along half a cosine or linearly."""

    def __init__(self, schedule: str, learning_rate_init: float, n_steps: int) -> None:
        self.schedule = schedule
        self.learning_rate_init = learning_rate_init
        self.n_steps = n_steps

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.step_ = 0

    def on_batch_begin(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        if not training:
            return
        done = self.step_ / self.n_steps
        share = 0.5 * (1 + math.cos(math.pi * done)) if self.schedule == "cosine" else 1 - done
        set_learning_rate(net, self.learning_rate_init * share)
        self.step_ += 1


class EpochRecord(Callback):
    """Record the learning rate and the seconds of each epoch in the history."""

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.start_ = time.perf_counter()

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        groups = net.optimizer_.param_groups
        rate = next(group["lr"] for group in groups if group.get("lr_scale", 1.0) == 1.0)
        net.history.record("learning_rate", rate)
        net.history.record("seconds", time.perf_counter() - self.start_)


class HeadWarmup(Callback):
    """Train only the last layer for the first epochs, so it is not random when the others start.

    The module must be a :class:`skimgcls.nets.TransferNet`.
    """

    def __init__(self, n_epochs: int) -> None:
        self.n_epochs = n_epochs

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.done_ = 0
        self.transfer_ = net.module_
        self.transfer_.freeze(0)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        self.done_ += 1
        if self.done_ == self.n_epochs:
            self.transfer_.freeze(self.transfer_.n_stages)

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        self.transfer_.freeze(self.transfer_.n_stages)


class RefuseNonFiniteLoss(Callback):
    """Raise an error if the loss is not finite."""

    def __init__(self, learning_rate_init: float) -> None:
        self.learning_rate_init = learning_rate_init

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        loss = net.history[-1, "train_loss"]
        if not math.isfinite(loss):
            raise ValueError(
                f"The training loss became {loss} in epoch {len(net.history)}. Lower "
                f"learning_rate_init (got {self.learning_rate_init}); if standardize=False, also "
                "scale the pixels down."
            )


class StopOnPlateau(Callback):
    """Stop when the training loss has not decreased by `tol` for `patience` epochs."""

    def __init__(self, tol: float, patience: int) -> None:
        self.tol = tol
        self.patience = patience

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.best_ = math.inf
        self.n_stale_ = 0

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        loss = net.history[-1, "train_loss"]
        self.n_stale_ = self.n_stale_ + 1 if loss >= self.best_ - self.tol else 0
        self.best_ = min(self.best_, loss)
        if self.n_stale_ >= self.patience:
            raise StopTraining


class EarlyStopping(Callback):
    """Stop when the validation score has not improved, and restore the best weights.

    Among epochs with equal scores, the one with the lowest validation loss is the best. The weights
    are kept in memory.
    """

    def __init__(self, tol: float, patience: int) -> None:
        self.tol = tol
        self.patience = patience

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.best_ = (-math.inf, -math.inf)
        self.n_stale_ = 0
        self.weights_: dict[str, Any] = {}

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        score, loss = net.history[-1, ("valid_accuracy", "valid_loss")]
        self.n_stale_ = self.n_stale_ + 1 if score <= self.best_[0] + self.tol else 0
        if (score, -loss) > self.best_:
            self.best_ = (score, -loss)
            state = net.module_.state_dict()
            self.weights_ = {name: tensor.clone() for name, tensor in state.items()}
        if self.n_stale_ >= self.patience:
            raise StopTraining

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        net.module_.load_state_dict(self.weights_)
        self.weights_ = {}


class AverageWeights(Callback):
    """Replace the final weights by their mean over the last steps.

    Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992; Izmailov et
    al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018. Running
    statistics are averaged as well. If training stops before these steps, nothing is averaged.
    """

    def __init__(self, share: float, n_steps: int) -> None:
        self.share = share
        self.n_steps = n_steps

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.step_ = self.n_averaged_ = 0
        self.means_: list[Any] = []

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        self.step_ += training
        if not training or self.step_ <= (1 - self.share) * self.n_steps:
            return
        self.n_averaged_ += 1
        weights = _moving_tensors(net)
        self.means_ = self.means_ or [tensor.clone() for tensor in weights]
        for mean, tensor in zip(self.means_, weights, strict=True):
            mean.lerp_(tensor, 1 / self.n_averaged_)

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        if self.means_:
            for tensor, mean in zip(_moving_tensors(net), self.means_, strict=True):
                tensor.copy_(mean)
        self.means_ = []


def _moving_tensors(net: NeuralNet) -> list[Any]:
    """Return the floating-point weights and statistics of a network, without gradients."""
    tensors = net.module_.state_dict().values()
    return [tensor for tensor in tensors if tensor.is_floating_point()]


class ProgressBar(Callback):
    """Progress bar over the images of all epochs, with the last loss and validation score."""

    def __init__(self, n_images: int, max_epochs: int) -> None:
        self.n_images = n_images
        self.max_epochs = max_epochs

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        with warnings.catch_warnings():
            # tqdm warns in a notebook without ipywidgets, where it shows the bar as text.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm

            self.n_done_ = 0
            self.bar_ = tqdm(
                total=self.n_images * self.max_epochs,
                unit=" images",
                unit_scale=True,
                dynamic_ncols=True,
                # The scores come before the times, which a narrow terminal cuts off.
                bar_format="{l_bar}{bar}{postfix} [{elapsed}<{remaining}, {rate_fmt}]",
                desc=f"epoch 1/{self.max_epochs}",
            )

    def on_batch_end(
        self, net: NeuralNet, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        if training:
            self.bar_.update(len(batch[0]))

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        last = net.history[-1]
        figures = f"loss {last['train_loss']:.4f}"
        if "valid_accuracy" in last:
            figures += f", validation {last['valid_accuracy']:.4f}"
        self.bar_.set_postfix_str(figures, refresh=False)
        self.n_done_ += 1
        under_way = min(self.n_done_ + 1, self.max_epochs)
        self.bar_.set_description(f"epoch {under_way}/{self.max_epochs}")

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        stopped = ", stopped" if self.n_done_ < self.max_epochs else ""
        self.bar_.set_description(f"epoch {self.n_done_}/{self.max_epochs}{stopped}")

    def close(self) -> None:
        """Close the bar."""
        if hasattr(self, "bar_"):
            self.bar_.close()
