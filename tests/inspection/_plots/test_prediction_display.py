"""PredictionDisplay."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skimgcls import (
    BaseImageClassifier,
    ImageFlattener,
    ImageLoader,
    MLPImageClassifier,
    RejectOptionClassifier,
)
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.inspection import PredictionDisplay

pytestmark = pytest.mark.usefixtures("off_screen")

CLASSES = np.array(["cat", "dog", "owl"])
# Correct, correct, confident mistake, uncertain mistake, uncertain but correct.
PROBA = np.array(
    [[0.9, 0.1, 0.0], [0.0, 0.8, 0.2], [0.95, 0.05, 0.0], [0.3, 0.4, 0.3], [0.3, 0.3, 0.4]]
)
ACTUAL = np.array(["cat", "dog", "owl", "cat", "owl"])


def make_pictures(n):
    """Return images identified by their pixels: image i has the value i."""
    return np.arange(n, dtype=np.uint8)[:, np.newaxis, np.newaxis] * np.ones((1, 4, 4), np.uint8)


def numbers_of(display):
    return [int(picture[0, 0]) for picture in display.pictures]


def texts_of(display):
    return [text.get_text().split("\n") for text in display.texts_]


def show(order, n_images=5, **options):
    return PredictionDisplay.from_predictions(
        make_pictures(5),
        PROBA,
        ACTUAL,
        classes=CLASSES,
        order=order,
        n_images=n_images,
        random_state=0,
        **options,
    )


def test_mistakes_are_sorted_by_decreasing_confidence():
    display = show("confident_mistakes")
    assert numbers_of(display) == [2, 3]
    assert texts_of(display) == [
        ["pred: cat", "✗ 95%", "true: owl"],
        ["pred: dog", "✗ 40%", "true: cat"],
    ]


def test_least_confident_images_come_first():
    assert numbers_of(show("least_confident", n_images=3)) == [3, 4, 1]


def test_class_order_alternates_classes():
    display = show("class", n_images=3)
    assert display.predicted == ["cat", "dog", "owl"]


def test_random_images_depend_on_the_seed():
    assert sorted(numbers_of(show("random"))) == [0, 1, 2, 3, 4]
    assert numbers_of(show("random")) == numbers_of(show("random"))


def test_correctness_is_shown_by_more_than_color():
    display = show("least_confident")
    frames = display.ax_.patches
    for words, frame in zip(texts_of(display), frames, strict=True):
        is_right = words[1].startswith("✓")
        assert (frame.get_linestyle() in ("-", "solid")) == is_right
        assert len(words) == (2 if is_right else 3)


def test_correctness_is_not_shown_without_labels():
    display = PredictionDisplay.from_predictions(make_pictures(5), PROBA, classes=CLASSES)
    assert len(display.ax_.patches) == 0
    assert all(len(words) == 2 for words in texts_of(display))


def test_message_is_shown_if_there_are_no_mistakes():
    display = PredictionDisplay.from_predictions(
        make_pictures(2), PROBA[:2], ACTUAL[:2], classes=CLASSES, order="confident_mistakes"
    )
    assert display.images_ == []
    assert display.ax_.texts[0].get_text() == "No such image"


def test_multilabel_predictions():
    proba = np.array([[0.9, 0.8, 0.1], [0.2, 0.3, 0.1]])
    display = PredictionDisplay.from_predictions(
        make_pictures(2),
        proba,
        [[1, 1, 0], [0, 1, 0]],
        classes=CLASSES,
        multilabel=True,
        order="least_confident",
    )
    assert texts_of(display) == [
        ["pred: none", "✗ 70%", "true: dog"],
        ["cat, dog", "✓ 80%"],
    ]


def test_rejected_images_are_labeled_and_not_mistakes():
    X, y = make_stripes(60)
    clf = MLPImageClassifier(max_iter=2, random_state=0).fit(X, y)
    careful = RejectOptionClassifier(FrozenEstimator(clf), coverage=0.5).fit(X, y)
    display = PredictionDisplay.from_estimator(careful, X, order="least_confident", n_images=60)
    accepted = careful.is_accepted(X)[display.indices]
    assert [word == "-1" for word in display.predicted] == (~accepted).tolist()
    wrong = PredictionDisplay.from_estimator(
        careful, X, np.roll(y, 1), order="confident_mistakes", n_images=60
    )
    assert len(wrong.pictures) > 0
    assert careful.is_accepted(X)[wrong.indices].all()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["cat", "dog", "cow", "cat", "owl"], "not among the classes.*'cow' in row 2"),
        ([0, 1, 2, 0, 2], "not among the classes"),
        (["cat", None, "owl", "cat", np.nan], "no label for 2 of 5 images"),
        ([[1, 0, 0]] * 5, "indicator of shape"),
    ],
)
def test_labels_that_cannot_be_predicted_are_refused(labels, words):
    with pytest.raises(ValueError, match=words):
        PredictionDisplay.from_predictions(make_pictures(5), PROBA, labels, classes=CLASSES)


def test_columns_of_labels_are_matched_by_name():
    truth = pd.DataFrame(PROBA > 0.5, columns=CLASSES)[["owl", "cat", "dog"]]
    display = PredictionDisplay.from_predictions(
        make_pictures(5), PROBA, truth, classes=CLASSES, multilabel=True
    )
    assert display.actual == display.predicted


def test_classes_in_any_order():
    order = [2, 0, 1]
    display = PredictionDisplay.from_predictions(
        make_pictures(5), PROBA[:, order], ACTUAL, classes=CLASSES[order], random_state=0
    )
    assert texts_of(display) == texts_of(show("random"))


@pytest.mark.parametrize(("fitted", "asked"), [(float, int), (int, float), (bool, int)])
def test_labels_are_compared_by_value(fitted, asked):
    X, y = make_stripes(n_classes=2)
    clf = MLPImageClassifier(max_iter=30, random_state=0).fit(X, y.astype(fitted))
    assert clf.score(X, y.astype(fitted)) == 1
    display = PredictionDisplay.from_estimator(clf, X, y.astype(asked).tolist())
    assert display.actual == display.predicted


def test_indices_of_the_images_shown():
    assert show("confident_mistakes").indices.tolist() == [2, 3]


def test_rows_are_shown_in_the_image_shape_of_the_estimator():
    X, y = make_stripes(shape=(4, 12))
    rows = X.reshape(len(X), -1)
    clf = MLPImageClassifier(image_shape=(4, 12), max_iter=1, random_state=0).fit(rows, y)
    search = GridSearchCV(make_pipeline(clf), {}, cv=2).fit(rows, y)
    for estimator in (clf, search):
        display = PredictionDisplay.from_estimator(estimator, rows, order="least_confident")
        np.testing.assert_array_equal(display.pictures[0], X[display.indices[0]])


@pytest.fixture(scope="module")
def fitted():
    X, y = make_stripes()
    return MLPImageClassifier(max_iter=5, random_state=0).fit(X, y), X, y


def test_classifier_pipeline_and_search_give_the_same_display(fitted, tmp_path):
    clf, X, y = fitted
    options = {"order": "least_confident", "n_images": 4}
    expected = PredictionDisplay.from_estimator(clf, X, y, **options)
    paths = [tmp_path / f"{i:02d}.png" for i in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    paths = [str(path) for path in paths]
    pipe = make_pipeline(ImageLoader(mode="L"), MLPImageClassifier(max_iter=5, random_state=0))
    search = GridSearchCV(MLPImageClassifier(max_iter=5, random_state=0), {"alpha": [0.1]}, cv=2)
    for estimator, images in [(pipe.fit(paths, y), paths), (search.fit(X, y), X)]:
        display = PredictionDisplay.from_estimator(estimator, images, y, **options)
        assert texts_of(display) == texts_of(expected)


def test_scikit_learn_classifier():
    X, y = make_stripes()
    clf = make_pipeline(ImageFlattener(), LogisticRegression()).fit(X, y)
    display = PredictionDisplay.from_estimator(clf, X, y, n_images=2, random_state=0)
    assert len(display.images_) == 2


def test_plot_again_does_not_predict_again(fitted, monkeypatch):
    clf, X, y = fitted
    display = PredictionDisplay.from_estimator(clf, X, y, n_images=4)
    monkeypatch.delattr(BaseImageClassifier, "predict_proba")
    ax = Figure().subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert len(display.images_) == 4


def test_custom_axes_do_not_change_pyplot(fitted):
    clf, X, y = fitted
    before = plt.get_fignums()
    PredictionDisplay.from_estimator(clf, X, y, ax=Figure().subplots())
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order": "best"}, "order must be one of"),
        ({"y": None, "order": "confident_mistakes"}, "pass y"),
        ({"y": ACTUAL[:3]}, "3 labels for 5 images"),
        ({"y_proba": PROBA[:2]}, "2 predictions for 5 images"),
        ({"y_proba": PROBA[:, 0]}, r"\(n_samples, n_classes\); got \(5,\)"),
        ({"classes": ["a", "b"]}, "2 classes for 3 columns"),
    ],
)
def test_invalid_parameters_are_rejected(options, words):
    given = {"X": make_pictures(5), "y_proba": PROBA, "y": ACTUAL, "classes": CLASSES, **options}
    with pytest.raises(ValueError, match=words):
        PredictionDisplay.from_predictions(**given)


def test_empty_input_is_rejected():
    with pytest.raises(ValueError, match="no image to show"):
        PredictionDisplay.from_predictions(np.empty((0, 4, 4)), np.empty((0, 3)))


def test_classifier_without_predict_proba_is_rejected():
    X, y = make_stripes()
    clf = make_pipeline(ImageFlattener(), LinearSVC()).fit(X, y)
    with pytest.raises(TypeError, match="predict_proba"):
        PredictionDisplay.from_estimator(clf, X, y)


@pytest.mark.parametrize(
    "wrong", [{"order": "by size"}, {"n_images": 0}, {"order": "confident_mistakes"}]
)
def test_invalid_arguments_are_rejected_before_predicting(wrong, monkeypatch):
    X, y = make_stripes()
    clf = MLPImageClassifier(max_iter=1, random_state=0).fit(X, y)

    def predict_proba(X):
        raise AssertionError("asked")

    monkeypatch.setattr(clf, "predict_proba", predict_proba)
    with pytest.raises(ValueError, match=r"order|n_images"):
        PredictionDisplay.from_estimator(clf, X, **wrong)
