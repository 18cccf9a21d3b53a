"""ClassDistributionDisplay: bars and texts do not overlap and are not cut off."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from references import find_difference
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skimgcls import ImageResizer, MLPImageClassifier
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.inspection import ClassDistributionDisplay, class_distribution

LONG = "a class with a name of sixty letters, which few classes have"


pytestmark = pytest.mark.usefixtures("off_screen")


def make_labels(n_classes, name="class"):
    """Return labels with `number + 1` images of each class."""
    return [f"{number:03d} {name}" for number in range(n_classes) for _ in range(number + 1)]


def text_boxes(display):
    """Return the bounding boxes of all visible texts, in pixels."""
    display.figure_.canvas.draw()
    ax = display.ax_
    in_view = [
        tick.label1 for tick in ax.xaxis.get_major_ticks() if tick.get_loc() <= ax.get_xlim()[1]
    ]
    texts = [*ax.get_yticklabels(), *in_view, *ax.texts, ax.xaxis.label]
    legend = ax.get_legend()
    texts += [] if legend is None else legend.get_texts()
    return [text.get_window_extent() for text in texts if text.get_text()]


def overlaps(boxes):
    # Boxes include the ascent and descent of absent letters, so a pixel of overlap is tolerated.
    shrunk = [box.padded(-1) for box in boxes]
    return [
        (one, other)
        for number, one in enumerate(shrunk)
        for other in shrunk[number + 1 :]
        if one.overlaps(other)
    ]


@pytest.mark.parametrize("n_classes", [1, 2, 10, 43, 200])
@pytest.mark.parametrize("name", ["class", LONG])
def test_all_class_names_are_drawn_without_overlap(n_classes, name):
    display = ClassDistributionDisplay.from_labels(make_labels(n_classes, name))
    boxes = text_boxes(display)
    assert len(display.ax_.get_yticklabels()) == n_classes
    assert len(display.ax_.texts) == n_classes
    assert overlaps(boxes) == []
    page = display.figure_.bbox.padded(1)
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 for box in boxes)
    assert all(page.y0 <= box.y0 and box.y1 <= page.y1 for box in boxes)


@pytest.mark.parametrize("n_classes", [10, 43, 200])
def test_low_custom_axes_name_only_some_classes(n_classes):
    ax = Figure(figsize=(5, 4), layout="constrained").subplots()
    display = ClassDistributionDisplay.from_labels(make_labels(n_classes), ax=ax)
    assert overlaps(text_boxes(display)) == []
    assert 10 <= len(ax.get_yticklabels()) <= n_classes
    assert ax.get_yticklabels()[0].get_text() == "000 class"


def test_counts_are_omitted_if_they_do_not_fit_or_are_disabled():
    ax = Figure(figsize=(5, 4)).subplots()
    ClassDistributionDisplay.from_labels(make_labels(200), ax=ax)
    assert len(ax.texts) == 0
    display = ClassDistributionDisplay.from_labels(["a", "b"], include_values=False)
    assert len(display.ax_.texts) == 0


def test_bars_show_counts_and_line_shows_their_mean():
    display = ClassDistributionDisplay.from_labels(["cat", "dog", "dog", "dog"])
    assert [bar.get_width() for bar in display.bars_[0]] == [1, 3]
    assert list(display.line_.get_xdata()) == [2, 2]
    assert "mean, 2" in display.ax_.get_xlabel()
    assert display.figure_ is display.ax_.figure


def test_single_class_has_no_mean_line():
    assert ClassDistributionDisplay.from_labels(["cat"]).line_ is None


def test_bars_are_sorted_by_class_or_by_count():
    y = ["cat", "dog", "dog", "owl", "owl", "owl"]
    for order, names in (("class", ["cat", "dog", "owl"]), ("count", ["owl", "dog", "cat"])):
        ax = ClassDistributionDisplay.from_labels(y, order=order).ax_
        assert [label.get_text() for label in ax.get_yticklabels()] == names
        bottom, top = ax.get_ylim()
        assert bottom > top


def test_fractions_are_shown_as_percentages():
    display = ClassDistributionDisplay.from_labels(["a", "b", "b", "b"], quantity="share")
    assert [text.get_text() for text in display.ax_.texts] == ["25.0%", "75.0%"]


def test_several_sets_have_adjacent_bars_and_a_legend():
    y = {"train": make_labels(10), "validation": make_labels(8), "test": make_labels(9)}
    display = ClassDistributionDisplay.from_labels(y, quantity="share")
    assert len(display.bars_) == 3
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == list(y)
    assert overlaps(text_boxes(display)) == []


def test_indicator_is_drawn_by_column():
    display = ClassDistributionDisplay.from_labels(np.array([[1, 0, 1], [1, 0, 0]]))
    assert [bar.get_width() for bar in display.bars_[0]] == [2, 0, 1]


@pytest.mark.filterwarnings("ignore:Every row of y has exactly one 1:UserWarning")
@pytest.mark.parametrize("indicator", [False, True])
def test_predictions_are_drawn_next_to_actual_labels(indicator):
    X, y = make_stripes()
    if indicator:
        y = pd.DataFrame(np.eye(3, dtype=int)[y], columns=["cat", "dog", "owl"])
    clf = MLPImageClassifier(max_iter=1, random_state=0)
    pipe = make_pipeline(ImageResizer(size=8), clf).fit(X, y)
    search = GridSearchCV(pipe, {"mlpimageclassifier__max_iter": [1]}, cv=2).fit(X, y)
    predicted = pipe.predict(X)
    expected = ClassDistributionDisplay.from_predictions(y, predicted).distribution
    assert list(expected.columns.levels[0]) == ["actual", "predicted"]
    sums = predicted.sum(axis=0) if indicator else np.bincount(predicted, minlength=3)
    assert expected["predicted"]["count"].tolist() == sums.tolist()
    for estimator in (pipe, search):
        display = ClassDistributionDisplay.from_estimator(estimator, X, y)
        pd.testing.assert_frame_equal(display.distribution, expected)


def test_display_of_a_table_matches_display_of_its_labels():
    table = class_distribution(["cat", "dog", "dog"])
    display = ClassDistributionDisplay(table)
    assert display.distribution is table
    assert display.plot() is display
    assert [bar.get_width() for bar in display.bars_[0]] == [1, 2]


def test_class_names_are_not_parsed_as_math():
    display = ClassDistributionDisplay.from_labels(["$x$", "a_{b}$", "two\nlines", "long " * 40])
    display.figure_.canvas.draw()
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert {"$x$", "a_{b}$", "two lines"} < set(names)
    assert max(map(len, names)) == 60


def test_custom_axes_do_not_change_pyplot():
    current = plt.figure().subplots()
    ax = Figure().subplots()
    ClassDistributionDisplay.from_labels(["cat", "dog"], ax=ax)
    assert plt.gca() is current
    assert len(plt.get_fignums()) == 1


def test_axes_of_a_subfigure_are_accepted():
    figure = Figure(layout="constrained")
    part = figure.subfigures(1, 2)[1]
    display = ClassDistributionDisplay.from_labels(["cat", "dog"], ax=part.subplots())
    assert len(text_boxes(display)) > 4


def test_bar_options_are_passed_to_matplotlib():
    style = {"color": "tab:green"}
    display = ClassDistributionDisplay.from_labels(["cat", "dog"], bar_kw=style)
    assert display.bars_[0][0].get_facecolor() == pytest.approx((44 / 255, 160 / 255, 44 / 255, 1))
    assert style == {"color": "tab:green"}


@pytest.mark.parametrize("wrong", [{"quantity": "weight"}, {"order": "size"}])
def test_unknown_choice_is_rejected(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=rf"{name} must be one of .*; got '{wrong[name]}'"):
        ClassDistributionDisplay.from_labels(["cat", "dog"], **wrong)
    assert plt.get_fignums() == []


def test_missing_matplotlib_names_the_extra(monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install "skimgcls\[plots\]"'):
        ClassDistributionDisplay.from_labels(["cat", "dog"])


def test_display_matches_its_reference_image(tmp_path):
    labels = np.repeat(["cat", "dog", "a class with a longer name"], [40, 25, 5])

    def draw():
        return ClassDistributionDisplay.from_predictions(labels, np.roll(labels, 9))

    reference = Path(__file__).with_name("reference") / "classes.png"
    assert find_difference(draw, reference, tmp_path) is None


@pytest.mark.parametrize("name", ["$x^2$ and $", "_private", "__", "\\frac", "a" * 300])
def test_names_of_sets_are_written_as_they_are(name):
    display = ClassDistributionDisplay.from_labels({name: ["cat", "dog"], "other": ["cat"]})
    display.figure_.draw_without_rendering()
    first, second = (text.get_text() for text in display.ax_.get_legend().get_texts())
    assert second == "other"
    assert first == name or (len(name) > 100 and first.startswith("aaa") and len(first) < 100)
