"""Bar chart of the class distribution."""

import numpy as np
import pandas as pd

from skimgcls.inspection._audit._class_distribution import class_distribution
from skimgcls.inspection._plots._drawing import (
    LINE,
    check_choice,
    import_pyplot,
    shorten,
    write_legend,
)

_AXIS_LABEL = {"count": "Images", "share": "Fraction of the images"}
# Sizes of a new figure, in inches.
_WIDTH, _LETTER, _BAR, _REST, _TALLEST = 6.4, 0.085, 0.2, 1.1, 80.0
# Smallest legible font size in points, and width of a digit as a fraction of its height.
_SMALLEST, _DIGIT = 6.0, 0.62
_LONGEST_LABEL = 60
_LONGEST_SET = 20
# Fraction of a row that the bars fill.
_FILLED = 0.8


class ClassDistributionDisplay:
    """Bar chart of the number of images per class.

    The bars are horizontal, one row per class from top to bottom, so that long names stay readable.
    Create a display with :meth:`from_labels`, or with :meth:`from_estimator` or
    :meth:`from_predictions` to compare actual and predicted labels. A table of
    :func:`class_distribution` can also be passed directly.

    Parameters
    ----------
    distribution : DataFrame
        Output of :func:`class_distribution`, for one or several sets.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the bars.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    bars_ : list of matplotlib BarContainer
        The bars, one container per set.

    line_ : matplotlib Line2D or None
        Line at the mean over the classes; None for several sets and for a single class.

    See Also
    --------
    class_distribution : Count the images of each class.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_wine
    >>> from skimgcls.inspection import ClassDistributionDisplay
    >>> display = ClassDistributionDisplay.from_labels(load_wine().target)
    >>> [int(bar.get_width()) for bar in display.bars_[0]]
    [59, 71, 48]
    >>> plt.close(display.figure_)
    """

    def __init__(self, distribution):
        self.distribution = distribution

    @classmethod
    def from_labels(
        cls, y, *, ax=None, quantity="count", order="class", include_values=True, bar_kw=None
    ):
        """Plot the class distribution of labels.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_classes), sparse matrix, or dict
            Labels, an indicator matrix, or a dict of sets, as for :func:`class_distribution`.

        ax : matplotlib Axes, default=None
            See :meth:`plot`.

        quantity : {"count", "share"}, default="count"
            See :meth:`plot`.

        order : {"class", "count"}, default="class"
            See :meth:`plot`.

        include_values : bool, default=True
            See :meth:`plot`.

        bar_kw : dict, default=None
            See :meth:`plot`.

        Returns
        -------
        display : ClassDistributionDisplay
        """
        return cls(class_distribution(y)).plot(
            ax, quantity=quantity, order=order, include_values=include_values, bar_kw=bar_kw
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        *,
        ax=None,
        quantity="count",
        order="class",
        include_values=True,
        bar_kw=None,
    ):
        """Plot the class distributions of actual and predicted labels side by side.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,) or (n_samples, n_classes)
            Actual labels, or an indicator matrix.

        y_pred : array-like of shape (n_samples,) or (n_samples, n_classes)
            Predicted labels, in the same format.

        ax : matplotlib Axes, default=None
            See :meth:`plot`.

        quantity : {"count", "share"}, default="count"
            See :meth:`plot`.

        order : {"class", "count"}, default="class"
            See :meth:`plot`.

        include_values : bool, default=True
            See :meth:`plot`.

        bar_kw : dict, default=None
            See :meth:`plot`.

        Returns
        -------
        display : ClassDistributionDisplay
        """
        if np.ndim(y_pred) == 2 and hasattr(y_true, "columns"):
            y_pred = pd.DataFrame(np.asarray(y_pred), columns=y_true.columns)
        sets = {"actual": y_true, "predicted": y_pred}
        return cls.from_labels(
            sets,
            ax=ax,
            quantity=quantity,
            order=order,
            include_values=include_values,
            bar_kw=bar_kw,
        )

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        ax=None,
        quantity="count",
        order="class",
        include_values=True,
        bar_kw=None,
    ):
        """Plot the class distributions of actual and predicted labels side by side.

        Parameters
        ----------
        estimator : classifier, Pipeline that ends in one, or search over it
            Fitted classifier.

        X : array-like of images, or of paths
            Images in any format that the estimator accepts.

        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Actual labels, or an indicator matrix.

        ax : matplotlib Axes, default=None
            See :meth:`plot`.

        quantity : {"count", "share"}, default="count"
            See :meth:`plot`.

        order : {"class", "count"}, default="class"
            See :meth:`plot`.

        include_values : bool, default=True
            See :meth:`plot`.

        bar_kw : dict, default=None
            See :meth:`plot`.

        Returns
        -------
        display : ClassDistributionDisplay
        """
        return cls.from_predictions(
            y,
            estimator.predict(X),
            ax=ax,
            quantity=quantity,
            order=order,
            include_values=include_values,
            bar_kw=bar_kw,
        )

    def plot(self, ax=None, *, quantity="count", order="class", include_values=True, bar_kw=None):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a new figure that is tall enough for all classes. If you
            pass axes, create their figure with ``layout="constrained"``, so that long names fit. If
            there is not enough space for all names, only every second or third is shown.

        quantity : {"count", "share"}, default="count"
            Quantity to plot: number of images, or fraction of the set. Use "share" to compare sets
            of different sizes.

        order : {"class", "count"}, default="class"
            Order of the rows: "class" keeps the order of the table, "count" puts the largest class
            first.

        include_values : bool, default=True
            Whether to show the values next to the bars, if there is enough space.

        bar_kw : dict, default=None
            Keyword arguments for ``matplotlib.axes.Axes.barh``, such as ``{"color": "tab:green"}``.

        Returns
        -------
        display : ClassDistributionDisplay
            The display itself, with `ax_`, `figure_`, `bars_` and `line_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `quantity` or `order` is invalid.
        """
        check_choice("quantity", quantity, ("count", "share"))
        check_choice("order", order, ("class", "count"))
        values = self._values(quantity, order)
        labels = [shorten(label, _LONGEST_LABEL) for label in values.index]
        self.ax_ = _make_axes(import_pyplot(self), labels, values.shape[1]) if ax is None else ax
        self.figure_ = self.ax_.figure
        self.bars_ = _draw_bars(self.ax_, values, bar_kw or {})
        self.line_ = _draw_mean(self.ax_, values, quantity)
        _write(self.ax_, self.bars_, labels, _texts(values, quantity) if include_values else None)
        return self

    def _values(self, quantity, order):
        """Return the bar lengths: one row per class, one column per set."""
        table = self.distribution
        if table.columns.nlevels == 1:
            table = pd.concat({"": table}, axis=1)
        values = table.xs(quantity, axis=1, level=1)
        if order == "count":
            largest_first = values.sum(axis=1).sort_values(ascending=False, kind="stable").index
            values = values.loc[largest_first]
        return values


def _texts(values, quantity):
    """Return the texts of the bars of each set."""
    form = "{:,.0f}" if quantity == "count" else "{:.1%}"
    return [[form.format(value) for value in values[name]] for name in values.columns]


def _make_axes(plt, labels, n_sets):
    """Return the axes of a new figure with space for every row and for the longest name."""
    width = _WIDTH + _LETTER * max(0, max(map(len, labels)) - 10)
    height = min(_TALLEST, _REST + _BAR * len(labels) * (1 + (n_sets - 1) * 0.7))
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def _draw_bars(ax, values, bar_kw):
    """Draw the bars of all sets side by side in each row and return their containers."""
    n_classes, n_sets = values.shape
    height = _FILLED / n_sets
    bars = []
    for number, name in enumerate(values.columns):
        middle = np.arange(n_classes) + (number - (n_sets - 1) / 2) * height
        style = {"height": height, "label": str(name), **bar_kw}
        bars.append(ax.barh(middle, values[name].to_numpy(), **style))
    ax.set_ylim(n_classes - 0.5, -0.5)
    if n_sets > 1:
        write_legend(ax, bars, values.columns, _LONGEST_SET)
    return bars


def _draw_mean(ax, values, quantity):
    """Draw a line at the mean over the classes and label the axis."""
    label = _AXIS_LABEL[quantity]
    if values.size < 2 or values.shape[1] > 1:
        ax.set_xlabel(label)
        return None
    mean = values.to_numpy().mean()
    text = f"{mean:.3g}" if mean < 10 else f"{mean:,.0f}"
    # Two lines, because the axes may be narrow.
    ax.set_xlabel(f"{label}\n(dashed: the mean, {text})")
    return ax.axvline(mean, color="0.35", linestyle="--", linewidth=1, zorder=0.5)


def _write(ax, bars, labels, texts):
    """Write the class names and the values next to the bars, if there is enough space."""
    ax.set_yticks(range(len(labels)), labels, parse_math=False)
    # The size of the axes depends on the layout of the whole figure, which may have subfigures.
    figure = ax.figure.canvas.figure
    figure.draw_without_rendering()
    to_points = 72 / figure.dpi
    row = ax.bbox.height * to_points / len(labels)
    usual = _points("ytick.labelsize")
    size = min(usual, max(_SMALLEST, row / LINE))
    step = int(np.ceil(size * LINE / row - 1e-6)) if row < size * LINE else 1
    ticks = range(0, len(labels), step)
    ax.set_yticks(ticks, [labels[tick] for tick in ticks], fontsize=size, parse_math=False)
    line = row * _FILLED / len(bars)
    if texts is not None and line >= _SMALLEST * 1.05:
        _write_numbers(ax, bars, texts, min(usual, line / 1.05), ax.bbox.width * to_points)


def _write_numbers(ax, bars, texts, size, width):
    """Write the values at the ends of the bars, and extend the axis to fit the longest."""
    longest = max(len(text) for of_set in texts for text in of_set)
    room = min(0.5, (longest * size * _DIGIT + 6) / width)
    ax.set_xlim(0, max(bar.get_width() for of_set in bars for bar in of_set) / (1 - room))
    # The background hides the mean line behind the text.
    ground = {"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 0.5}
    for of_set, texts_of_set in zip(bars, texts, strict=True):
        ax.bar_label(of_set, texts_of_set, padding=3, fontsize=size, bbox=ground)


def _points(parameter):
    """Return a font size from rcParams, which may be a string such as "medium", in points."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    return FontProperties(size=rcParams[parameter]).get_size_in_points()
