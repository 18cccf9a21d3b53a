"""How loss and accuracy went from epoch to epoch."""

import numpy as np

from skimgcls.inspection._drawing import check_choice, import_pyplot
from skimgcls.inspection._fitted import find_classifier

_NAMES = {"loss": "Loss", "accuracy": "Accuracy"}
# Few epochs are told apart by their markers.
_MARKED = 25


class TrainingCurveDisplay:
    """Loss and accuracy of each epoch, in training and on validation images.

    Make one with :meth:`from_estimator`, or from a history at hand.

    Parameters
    ----------
    history : DataFrame
        `history_` of a classifier: columns train_loss, train_accuracy, validation_loss and
        validation_accuracy, and one row for each epoch.

    Attributes
    ----------
    ax_ : matplotlib Axes, or ndarray of them
        Where the curves are, one pair of axes for each figure shown.

    figure_ : matplotlib Figure
        The figure that holds them.

    lines_ : dict of matplotlib Line2D
        The curves, by the name of their column.

    best_epoch_ : int
        The epoch marked: of the highest validation accuracy, and of the lowest loss among equals;
        without validation images, of the lowest training loss.

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

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, quantity="both", ax=None):
        """Take the history of a fitted classifier and plot it.

        Parameters
        ----------
        estimator : image classifier, Pipeline that ends in one, or search over either
            Fitted.

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
            If the classifier keeps no history.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        return cls(find_history(estimator)).plot(ax, quantity=quantity)

    def plot(self, ax=None, *, quantity="both"):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, or two of them, default=None
            Where to draw; two for ``quantity="both"``. None makes a new figure.

        quantity : {"both", "loss", "accuracy"}, default="both"
            What to show.

        Returns
        -------
        display : TrainingCurveDisplay
            The display itself, with `ax_`, `figure_`, `lines_` and `best_epoch_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `quantity` is none of those named, or `ax` are not as many as it asks for.
        """
        check_choice("quantity", quantity, ("both", *_NAMES))
        shown = tuple(_NAMES) if quantity == "both" else (quantity,)
        axes = _make_axes(import_pyplot(self), ax, len(shown))
        self.best_epoch_ = _find_best(self.history)
        self.lines_ = {}
        for one, name in zip(axes, shown, strict=True):
            self.lines_ |= _draw_curves(one, self.history, name)
            _finish(one, self.history, name, self.best_epoch_)
        self.ax_ = axes if len(shown) > 1 else axes[0]
        self.figure_ = axes[0].figure
        return self


def find_history(estimator):
    """Return the epochs of the classifier in an estimator."""
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
    """Return the epoch that is marked."""
    validated = history["validation_accuracy"].notna().any()
    by = ["validation_accuracy", "validation_loss"] if validated else ["train_loss"]
    ascending = [False, True] if validated else [True]
    return int(history.sort_values(by, ascending=ascending, kind="stable").index[0])


def _draw_curves(ax, history, name):
    """Draw the curves that there are of one quantity, and return them by column."""
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


def _finish(ax, history, name, best):
    """Mark the best epoch and name the axes."""
    label = f"best epoch, {best}"
    ax.axvline(best, color="0.4", linestyle=":", linewidth=1.2, zorder=0.5, label=label)
    ax.set(xlabel="Epoch", ylabel=_NAMES[name])
    ax.xaxis.get_major_locator().set_params(integer=True)
    if len(history) == 1:
        # A single point has no extent, and ticks around it would be of other epochs.
        ax.set_xticks([best])
    ax.grid(alpha=0.25)
    ax.legend(frameon=False)
