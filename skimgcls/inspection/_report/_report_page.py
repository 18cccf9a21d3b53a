"""HTML page of an evaluation report: one self-contained file."""

import base64
import io
from html import escape

import numpy as np
import pandas as pd
from sklearn.calibration import CalibrationDisplay

from skimgcls.inspection._audit._class_distribution_display import ClassDistributionDisplay
from skimgcls.inspection._plots._drawing import shorten
from skimgcls.inspection._plots._prediction_display import PredictionDisplay
from skimgcls.inspection._plots._training_curve_display import TrainingCurveDisplay

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 2rem auto;
  max-width: 62rem; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child { text-align: left; font-weight: 600; }
thead th { border-bottom: 2px solid #888; }
img { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; max-height: 40rem; overflow-y: auto; }
"""
# Maximum numbers of classes for which a matrix names every row, and shows counts.
_NAMED, _NUMBERED = 60, 25
_LONGEST_LABEL = 30
# Width of the page, in inches.
_WIDTH = 9.2


def make_page(report, title):
    """Return a report as an HTML page."""
    sections = [
        f"<h1>{escape(title)}</h1>",
        _section("Metrics", _table(report.summary_.map(_number).to_frame())),
        _section("Classes", _table(_class_texts(report.per_class_))),
        *_pictures(report),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(sections)
        + "\n</body>\n</html>\n"
    )


def make_tables(report):
    """Return only the tables as HTML, for notebooks."""
    return _table(report.summary_.map(_number).to_frame()) + _table(_class_texts(report.per_class_))


def _section(name, content):
    return f"<section>\n<h2>{escape(name)}</h2>\n{content}\n</section>"


def _table(frame):
    """Return a table as HTML, with all names and values escaped."""
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in frame.columns)
    rows = "\n".join(
        f'<tr><th scope="row">{escape(str(name))}</th>'
        + "".join(f"<td>{escape(str(value))}</td>" for value in row)
        + "</tr>"
        for name, row in zip(frame.index, frame.to_numpy(), strict=True)
    )
    return (
        f'<div class="scroll">\n<table>\n<thead><tr><td></td>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>\n</div>"
    )


def _class_texts(per_class):
    """Return the table of the classes as text, with counts as integers."""
    texts = per_class.map("{:.3f}".format)
    texts["support"] = per_class["support"].map("{:,.0f}".format)
    return texts


def _number(value):
    if np.isnan(value):
        return "n/a"
    return f"{value:,.0f}" if value >= 100 or value == int(value) > 1 else f"{value:.4f}"


def _pictures(report):
    """Return one section per plot, or with the reason why there is no plot."""
    n_classes = len(report.classes)
    if report.confusion_ is not None:
        side = float(np.clip(2 + 0.35 * n_classes, 4.5, 11))
        yield _section(
            "Confusion",
            _picture(
                "Images by actual and predicted class",
                lambda figure: _draw_confusion(figure.subplots(), report.confusion_),
                (side + 1, side),
            ),
        )
    for name, display in (report.displays or {}).items():
        yield _section(name, _show(name, display))
    yield _section(
        "Calibration",
        _picture(
            "Fraction correct by confidence",
            lambda figure: _draw_calibration(figure.subplots(), report),
            (5, 4),
        ),
    )
    yield _section(
        "Images of each class",
        _picture(
            "Number of images of each class, actual and predicted",
            lambda figure: _draw_classes(figure.subplots(), report),
            (8, float(np.clip(1.1 + 0.34 * n_classes, 2, 80))),
        ),
    )


def _show(name, display):
    """Return a display, or the sentence in its place, as HTML."""
    if isinstance(display, str):
        return f"<p>{escape(display)}</p>"
    if isinstance(display, TrainingCurveDisplay):
        return _picture(name, lambda figure: display.plot(figure.subplots(1, 2)), (10.4, 3.8))
    if not display.pictures:
        return "<p>There are none.</p>"
    options = {}
    if isinstance(display, PredictionDisplay):
        options["n_columns"] = min(len(display.pictures), int(_WIDTH / display._arrange().cell))
    size = display._arrange(**options).size
    return _picture(name, lambda figure: display.plot(figure.subplots(), **options), size)


def _picture(words, plot, size):
    """Return a plot as an embedded image, without pyplot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    plot(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    source = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img src="data:image/png;base64,{source}" alt="{escape(words)}">'


def _draw_calibration(ax, report):
    """Draw the fraction of correct predictions by confidence."""
    confidence, is_right = report.confidences()
    CalibrationDisplay.from_predictions(is_right.astype(int), confidence, n_bins=10, ax=ax)
    ax.set(xlabel="Confidence", ylabel="Fraction correct")
    ax.get_legend().remove()


def _draw_classes(ax, report):
    """Draw the numbers of actual and predicted images of each class."""
    y = report.y_true
    if report.multilabel:
        y = pd.DataFrame(y, columns=list(report.classes))
    ClassDistributionDisplay.from_predictions(y, report.predicted(), ax=ax)


def _draw_confusion(ax, counts):
    """Draw the confusion matrix, normalized by actual class."""
    n = len(counts)
    totals = counts.to_numpy().sum(axis=1, keepdims=True)
    shares = counts.to_numpy() / np.maximum(totals, 1)
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ax.figure.colorbar(image, ax=ax, label="Fraction of the actual class", shrink=0.8)
    step = -(-n // _NAMED)
    names = [shorten(name, _LONGEST_LABEL) for name in counts.index[::step]]
    size = float(np.clip(220 / n * step, 5, 10))
    ticks = range(0, n, step)
    ax.set_xticks(ticks, names, rotation=90, fontsize=size, parse_math=False)
    ax.set_yticks(ticks, names, fontsize=size, parse_math=False)
    ax.set(xlabel="Predicted", ylabel="Actual")
    if n <= _NUMBERED:
        for (row, column), count in np.ndenumerate(counts.to_numpy()):
            color = "white" if shares[row, column] > 0.5 else "black"
            ax.text(column, row, count, ha="center", va="center", color=color, fontsize=size)
