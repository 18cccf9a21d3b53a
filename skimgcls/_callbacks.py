"""What happens around the steps of a training run: small skorch callbacks."""

import math
import time
import warnings
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback


class StopTraining(KeyboardInterrupt):
    """Raised by a callback to end training in good order, as skorch's own callbacks do."""


class CosineSchedule(Callback):
    """Let the learning rate fall to zero along half a cosine, step by step."""

    def __init__(self, learning_rate_init: float, n_steps: int) -> None:
        self.learning_rate_init = learning_rate_init
        self.n_steps = n_steps

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.step_ = 0

    def on_batch_begin(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        if not training:
            return
        share = 0.5 * (1 + math.cos(math.pi * self.step_ / self.n_steps))
        for group in net.optimizer_.param_groups:
            group["lr"] = self.learning_rate_init * share
        self.step_ += 1


class EpochRecord(Callback):
    """Write the learning rate and the seconds of each epoch into the history."""

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.start_ = time.perf_counter()

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        net.history.record("learning_rate", net.optimizer_.param_groups[0]["lr"])
        net.history.record("seconds", time.perf_counter() - self.start_)


class RefuseNonFiniteLoss(Callback):
    """Stop with an error where the loss is no longer a number."""

    def __init__(self, learning_rate_init: float) -> None:
        self.learning_rate_init = learning_rate_init

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        loss = net.history[-1, "train_loss"]
        if not math.isfinite(loss):
            raise ValueError(
                f"The training loss became {loss} in epoch {len(net.history)}. Lower "
                f"learning_rate_init (it is {self.learning_rate_init}); if standardize=False, also "
                "scale the pixels down."
            )


class StopOnPlateau(Callback):
    """Stop when the training loss has not fallen by `tol` for `patience` epochs."""

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
    """Stop when the validation score has not risen, and bring back the best weights from memory.

    Among epochs of equal score the one of the lowest validation loss is the best.
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


class ProgressBar(Callback):
    """One bar over the images of all epochs, with the last epoch's loss and validation score."""

    def __init__(self, n_images: int, max_epochs: int) -> None:
        self.n_images = n_images
        self.max_epochs = max_epochs

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        with warnings.catch_warnings():
            # A notebook without ipywidgets shows the bar as text, which needs no warning.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm

            self.n_done_ = 0
            self.bar_ = tqdm(
                total=self.n_images * self.max_epochs,
                unit=" images",
                unit_scale=True,
                dynamic_ncols=True,
                desc=f"epoch 1/{self.max_epochs}",
            )

    def on_batch_end(
        self, net: NeuralNet, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        if training:
            self.bar_.update(len(batch[0]))

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        last = net.history[-1]
        figures = {"loss": f"{last['train_loss']:.4f}"}
        if "valid_accuracy" in last:
            figures["validation"] = f"{last['valid_accuracy']:.4f}"
        self.bar_.set_postfix(figures, refresh=False)
        self.n_done_ += 1
        under_way = min(self.n_done_ + 1, self.max_epochs)
        self.bar_.set_description(f"epoch {under_way}/{self.max_epochs}")

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        stopped = ", stopped" if self.n_done_ < self.max_epochs else ""
        self.bar_.set_description(f"epoch {self.n_done_}/{self.max_epochs}{stopped}")

    def close(self) -> None:
        """Leave the bar as it stands."""
        if hasattr(self, "bar_"):
            self.bar_.close()
