"""Training history of a classifier."""

import math

import pandas as pd

_COLUMNS = (
    *("train_loss", "train_accuracy"),
    *("learning_rate", "seconds"),
    *("validation_loss", "validation_accuracy"),
)


class HistoryMixin:
    """The metrics of each epoch, as attributes named like those of MLPClassifier.

    All are derived from ``_history``, a list with one dict of numbers per epoch.
    """

    _history: list[dict[str, float]]

    def _column(self, name, asked_for):
        if not hasattr(self, "_history"):
            raise AttributeError(
                f"This {type(self).__name__} has no {asked_for!r} before it is fitted. "
                "Call fit first."
            )
        return [epoch[name] for epoch in self._history]

    @property
    def n_iter_(self):
        """Number of epochs trained."""
        return len(self._column("train_loss", "n_iter_"))

    @property
    def history_(self):
        """Metrics of each epoch, a DataFrame of shape (`n_iter_`, 6).

        The columns are train_loss, train_accuracy, learning_rate, seconds, validation_loss and
        validation_accuracy. Training metrics are averages over the batches of the epoch,
        computed while the weights change. Without validation images, validation metrics are NaN.
        """
        seconds = self._column("seconds", "history_")
        epochs = pd.RangeIndex(1, len(seconds) + 1, name="epoch")
        # pandas leaves out columns in the middle where a terminal is narrow.
        return pd.DataFrame(self._history, index=epochs, columns=list(_COLUMNS))

    @property
    def loss_curve_(self):
        """Training loss of each epoch."""
        return self._column("train_loss", "loss_curve_")

    @property
    def loss_(self):
        """Training loss of the last epoch."""
        return self._column("train_loss", "loss_")[-1]

    @property
    def best_loss_(self):
        """Lowest training loss of any epoch."""
        return min(self._column("train_loss", "best_loss_"))

    @property
    def validation_scores_(self):
        """Validation accuracy of each epoch, or None without validation images."""
        scores = self._column("validation_accuracy", "validation_scores_")
        return None if all(map(math.isnan, scores)) else scores

    @property
    def best_validation_score_(self):
        """Highest validation accuracy of any epoch, or None without validation images."""
        scores = self.validation_scores_
        return None if scores is None else max(s for s in scores if not math.isnan(s))
