"""Display of training curves."""

import numpy as np

from skimgcls.inspection._plots._drawing import check_choice, import_pyplot
from skimgcls.utils._unwrap import find_classifier

_NAMES = {"loss": "Loss", "accuracy": "Accuracy"}
# Maximum number of epochs that are drawn with markers.
_MARKED = 25


class TrainingCurveDisplay:
    """Training and validation loss and accuracy by epoch.

    Create a display with :meth:`from_estimator`, or pass a history directly.

    Parameters
    ----------
    history : DataFrame
        `history_` of a classifier: one row per epoch, with columns train_loss, train_accuracy,
        validation_loss and validation_accuracy.

    kept_epoch : int, default=None
        Epoch whose weights the classifier has, for the legend. With weight averaging, the last
        epoch. None if it is not known.

    Attributes
    ----------
    ax_ : matplotlib Axes, or ndarray of them
        Axes with the curves, one per quantity.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    lines_ : dict of matplotlib Line2D
        The curves by column name.

    best_epoch_ : int
        The epoch marked: the one with the highest validation accuracy, ties broken by the lowest
        validation loss. Without validation images, the one with the lowest training loss.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import MLPImageClassifier
    >>> from skimgcls.inspection import TrainingCurveDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = MLPImageClassifier(max_iter=5, early_stopping=True, random_state=0).fit(X, y)
    >>> display = TrainingCurveDisplay.from_estimator(clf)
    >>> list(display.lines_)
    ['train_loss', 'validation_loss', 'train_accuracy', 'validation_accuracy']
    >>> plt.close(display.figure_)
    """

    def __init__(self, history, kept_epoch=None):
        self.history = history
        self.kept_epoch = kept_epoch

    @classmethod
    def from_estimator(cls, estimator, *, quantity="both", ax=None):
        """Plot the training curves of a fitted classifier.

        Parameters
        ----------
        estimator : image classifier, Pipeline that ends in one, or search over either
            Fitted classifier.

        quantity : {"both", "loss", "accuracy"}, default="both"
            See :meth:`plot`.

        ax : matplotlib Axes, or two of them, default=None
            See :meth:`plot`.

        Returns
        -------
        display : TrainingCurveDisplay

        Raises
        ------
        TypeError
            If the classifier has no `history_`.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        return cls._of(estimator).plot(ax, quantity=quantity)

    @classmethod
    def _of(cls, estimator):
        """Return the display of a fitted classifier, without plotting it."""
        history = _find_history(estimator)
        return cls(history, _find_kept(find_classifier(estimator), history))

    def plot(self, ax=None, *, quantity="both"):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, or two of them, default=None
            Axes to draw on; two for ``quantity="both"``. None creates a new figure.

        quantity : {"both", "loss", "accuracy"}, default="both"
            Quantity to plot.

        Returns
        -------
        display : TrainingCurveDisplay
            The display itself, with `ax_`, `figure_`, `lines_` and `best_epoch_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `quantity` is invalid, or if the number of axes does not match it.
        """
        check_choice("quantity", quantity, ("both", *_NAMES))
        shown = tuple(_NAMES) if quantity == "both" else (quantity,)
        axes = _make_axes(import_pyplot(self), ax, len(shown))
        self.best_epoch_ = _find_best(self.history)
        self.lines_ = {}
        for one, name in zip(axes, shown, strict=True):
            self.lines_ |= _draw_curves(one, self.history, name)
            _mark(one, self.best_epoch_, self.kept_epoch)
            _finish(one, self.history, name)
        self.ax_ = axes if len(shown) > 1 else axes[0]
        self.figure_ = axes[0].figure
        return self


def _find_history(estimator):
    """Return the training history of the classifier in an estimator."""
    classifier = find_classifier(estimator)
    history = getattr(classifier, "history_", None)
    if history is None or len(history) == 0:
        raise TypeError(
            f"{type(classifier).__name__} has no history_: it was not trained in epochs, or "
            "its history was not kept. Expected a fitted image classifier of skimgcls, or a "
            "Pipeline or search that holds one."
        )
    return history


def _make_axes(plt, ax, n_axes):
    if ax is None:
        size = (5.2 * n_axes, 3.8)
        return plt.subplots(1, n_axes, figsize=size, squeeze=False, layout="constrained")[1][0]
    axes = np.asarray(ax, dtype=object).ravel()
    if len(axes) != n_axes:
        raise ValueError(
            f"ax holds {len(axes)} axes; expected {n_axes}: pass two for quantity='both', or one "
            "and quantity='loss' or 'accuracy'."
        )
    return axes


def _find_best(history):
    """Return the best epoch."""
    validated = history["validation_accuracy"].notna().any()
    by = ["validation_accuracy", "validation_loss"] if validated else ["train_loss"]
    ascending = [False, True] if validated else [True]
    return int(history.sort_values(by, ascending=ascending, kind="stable").index[0])


def _draw_curves(ax, history, name):
    """Draw the available curves of one quantity, and return them by column name."""
    lines = {}
    marker = "o" if len(history) <= _MARKED else ""
    styles = {"train": ("training", "-"), "validation": ("validation", "--")}
    for part, (label, style) in styles.items():
        column = f"{part}_{name}"
        if history[column].notna().any():
            (lines[column],) = ax.plot(
                history.index, history[column], style, marker=marker, markersize=3.5, label=label
            )
    return lines


def _find_kept(classifier, history):
    """Return the epoch whose weights a fitted classifier has, or None if it is not known."""
    if not getattr(classifier, "early_stopping", False):
        return int(history.index[-1])
    if np.isnan(history["validation_accuracy"].iloc[-1]):
        # From partial_fit, which does not stop early.
        return int(history.index[-1])
    # With a warm start, the best epoch is that of the last call to fit.
    return None if classifier.warm_start else _find_best(history)


def _mark(ax, best, kept):
    """Mark the best epoch, and the one whose weights the classifier has."""
    style = {"color": "0.4", "linewidth": 1.2, "zorder": 0.5}
    words = "best epoch, kept" if best == kept else "best epoch"
    ax.axvline(best, linestyle=":", label=f"{words}, {best}", **style)
    if kept not in (None, best):
        ax.axvline(kept, linestyle="-.", label=f"epoch kept, {kept}", **style)


def _finish(ax, history, name):
    """Label the axes."""
    ax.set(xlabel="Epoch", ylabel=_NAMES[name])
    ax.xaxis.get_major_locator().set_params(integer=True)
    if len(history) == 1:
        # The automatic ticks around a single point would not be at an epoch.
        ax.set_xticks(history.index)
    ax.grid(alpha=0.25)
    ax.legend(frameon=False)
