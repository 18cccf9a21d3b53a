"""PictureGrid: images and texts stay in their cells and do not overlap."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

from skimgcls import CNNImageClassifier, ImageAugmenter
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.inspection import (
    AugmentationDisplay,
    ImageGridDisplay,
    PredictionDisplay,
    SaliencyDisplay,
    TrainingCurveDisplay,
    evaluation_report,
)
from skimgcls.inspection._plots._drawing import PictureGrid, check_choice, shorten

pytestmark = pytest.mark.usefixtures("off_screen")

LONG = "a class with a name of sixty letters, which few classes have"


def draw_grid(texts, *, shape=(8, 8), ax=None, n_columns=None):
    """Draw one image per item of texts, and return the axes, images and texts."""
    grid = PictureGrid(texts, n_columns)
    ax = grid.make_axes(plt, ax)
    pictures = [grid.draw(ax, i, np.zeros(shape, np.uint8)) for i in range(len(texts))]
    written = [grid.write(ax, i) for i, lines in enumerate(texts) if lines]
    ax.figure.canvas.draw()
    return ax, pictures, [text for text in written if text is not None]


def overlaps(boxes):
    # Boxes include the ascent and descent of absent letters, so a pixel of overlap is tolerated.
    shrunk = [box.padded(-1) for box in boxes]
    return [
        (one, other)
        for number, one in enumerate(shrunk)
        for other in shrunk[number + 1 :]
        if one.overlaps(other)
    ]


def is_inside(box, figure):
    whole = figure.bbox.padded(1)
    return whole.contains(box.x0, box.y0) and whole.contains(box.x1, box.y1)


@pytest.mark.parametrize("n_pictures", [1, 2, 10, 43, 200])
@pytest.mark.parametrize(
    "lines", [["7"], [LONG], [LONG, "97%", LONG]], ids=["short", "long", "three"]
)
def test_texts_and_images_do_not_overlap_and_are_not_cut_off(n_pictures, lines):
    ax, pictures, texts = draw_grid([lines] * n_pictures)
    boxes = [item.get_window_extent() for item in (*pictures, *texts)]
    assert len(texts) == n_pictures
    assert not overlaps(boxes)
    assert all(is_inside(box, ax.figure) for box in boxes)


@pytest.mark.parametrize("shape", [(8, 8), (4, 40), (40, 4), (1, 1), (20, 30, 3)])
def test_images_keep_their_aspect_ratio(shape):
    _, pictures, _ = draw_grid([[]] * 3, shape=shape)
    for picture in pictures:
        box = picture.get_window_extent()
        assert box.width / box.height == pytest.approx(shape[1] / shape[0], rel=1e-6)


def test_longer_side_of_every_image_has_the_same_length():
    _, (flat,), _ = draw_grid([[]], shape=(4, 40))
    _, (tall,), _ = draw_grid([[]], shape=(40, 4))
    assert flat.get_window_extent().width == pytest.approx(tall.get_window_extent().height)


@pytest.mark.parametrize(
    ("n_pictures", "n_columns", "expected"), [(9, None, 3), (9, 5, 5), (1, None, 1)]
)
def test_n_columns(n_pictures, n_columns, expected):
    assert PictureGrid([[]] * n_pictures, n_columns).n_columns == expected


@pytest.mark.parametrize("layout", ["constrained", "none"])
def test_custom_axes_keep_their_position(layout):
    figure = Figure(figsize=(8, 3), layout=layout)
    left, right = figure.subplots(1, 2)
    draw_grid([["a name"]] * 4, ax=left)
    assert left.get_window_extent().x1 <= right.get_window_extent().x0


def test_text_is_omitted_if_it_does_not_fit():
    figure = Figure(figsize=(1, 1))
    _, pictures, texts = draw_grid([["a name"]] * 100, ax=figure.subplots())
    assert len(pictures) == 100
    assert texts == []


def test_text_is_not_parsed_as_math():
    _, _, (text,) = draw_grid([["$x$ costs 5$"]])
    assert text.get_text() == "$x$ costs 5$"
    assert not text.get_parse_math()


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        ("short", 10, "short"),
        ("two\nlines", 20, "two lines"),
        ("class number 1", 9, "clas…er 1"),
        ("word", 1, "…"),
    ],
)
def test_shorten(text, longest, expected):
    assert shorten(text, longest) == expected


def test_unknown_choice_is_rejected():
    with pytest.raises(ValueError, match=r"order must be one of 'a', 'b'; got 'c'\."):
        check_choice("order", "c", ("a", "b"))


@pytest.mark.parametrize("wrong", [0, -3, 2.5, None])
def test_invalid_count_is_rejected(wrong):
    X, _ = make_stripes()
    with pytest.raises(ValueError, match=rf"n_images must be an integer >= 1; got {wrong}"):
        ImageGridDisplay.from_images(X, n_images=wrong)
    with pytest.raises(ValueError, match=rf"n_images must be an integer >= 1; got {wrong}"):
        PredictionDisplay.from_predictions(X, np.ones((len(X), 2)) / 2, n_images=wrong)
    with pytest.raises(ValueError, match=rf"n_views must be an integer >= 1; got {wrong}"):
        AugmentationDisplay.from_estimator(ImageAugmenter(shift=0.1).fit(X), X, n_views=wrong)


@pytest.mark.parametrize(
    "show",
    [
        PredictionDisplay.from_estimator,
        SaliencyDisplay.from_estimator,
        evaluation_report,
        lambda clf, X, y: TrainingCurveDisplay.from_estimator(clf),
    ],
)
def test_unfitted_classifier_is_rejected(show):
    X, y = make_stripes()
    with pytest.raises(NotFittedError):
        show(CNNImageClassifier(), X, y)


def test_without_matplotlib_metrics_are_available_and_plots_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    X, y = make_stripes()
    clf = CNNImageClassifier(max_iter=1, random_state=0).fit(X, y)
    report = evaluation_report(clf, X, y)
    assert len(report.per_class_) == 5
    for draw in (report.to_html, ImageGridDisplay([]).plot):
        with pytest.raises(ImportError, match=r'pip install "skimgcls\[plots\]"'):
            draw()
