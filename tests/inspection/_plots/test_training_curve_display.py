"""TrainingCurveDisplay."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skimgcls import ImageResizer, MLPImageClassifier
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.inspection import TrainingCurveDisplay

pytestmark = pytest.mark.usefixtures("off_screen")


def make_history(n_epochs=4, validated=True):
    epochs = pd.RangeIndex(1, n_epochs + 1, name="epoch")
    nothing = np.full(n_epochs, np.nan)
    scores = np.array([0.5, 0.9, 0.9, 0.8])[:n_epochs]
    return pd.DataFrame(
        {
            "train_loss": np.linspace(1, 0.1, n_epochs),
            "train_accuracy": np.linspace(0.5, 1, n_epochs),
            "validation_loss": np.array([0.9, 0.5, 0.4, 0.6])[:n_epochs] if validated else nothing,
            "validation_accuracy": scores if validated else nothing,
        },
        index=epochs,
    )


def test_curves_match_the_history():
    history = make_history()
    display = TrainingCurveDisplay(history).plot()
    assert list(display.lines_) == [
        "train_loss",
        "validation_loss",
        "train_accuracy",
        "validation_accuracy",
    ]
    for name, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_ydata(), history[name])
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])


@pytest.mark.parametrize(("validated", "best"), [(True, 3), (False, 4)])
def test_best_epoch_is_marked(validated, best):
    display = TrainingCurveDisplay(make_history(validated=validated)).plot()
    assert display.best_epoch_ == best
    for ax in display.ax_:
        marks = [line for line in ax.lines if line.get_label() == f"best epoch, {best}"]
        assert list(marks[0].get_xdata()) == [best, best]


def legend_of(display):
    ax = np.ravel(display.ax_)[0]
    return [text.get_text() for text in ax.get_legend().get_texts()][-2:]


def test_epoch_whose_weights_the_classifier_has_is_named():
    history = make_history()
    assert legend_of(TrainingCurveDisplay(history).plot())[-1] == "best epoch, 3"
    assert legend_of(TrainingCurveDisplay(history, 3).plot())[-1] == "best epoch, kept, 3"
    assert legend_of(TrainingCurveDisplay(history, 4).plot()) == ["best epoch, 3", "epoch kept, 4"]


def test_kept_epoch_follows_from_the_classifier(stripes_fit):
    clf, X, y = stripes_fit
    last = clone(clf).fit(X, y, X_val=X, y_val=np.roll(y, 1))
    assert TrainingCurveDisplay.from_estimator(last).kept_epoch == last.n_iter_
    stopping = clone(clf).set_params(early_stopping=True).fit(X, y)
    display = TrainingCurveDisplay.from_estimator(stopping)
    assert display.kept_epoch == display.best_epoch_
    # partial_fit does not return to an earlier epoch.
    again = TrainingCurveDisplay.from_estimator(stopping.partial_fit(X, y))
    assert again.kept_epoch == stopping.n_iter_
    # Which of the epochs before the last fit started from is not in the history.
    warm = clone(stopping).set_params(warm_start=True).fit(X, y).fit(X, y)
    assert TrainingCurveDisplay.from_estimator(warm).kept_epoch is None


def test_no_validation_curve_without_validation():
    display = TrainingCurveDisplay(make_history(validated=False)).plot()
    assert list(display.lines_) == ["train_loss", "train_accuracy"]


@pytest.mark.parametrize("n_epochs", [1, 2, 4])
def test_ticks_are_whole_epochs(n_epochs):
    display = TrainingCurveDisplay(make_history(n_epochs)).plot(quantity="loss")
    low, high = display.ax_.get_xlim()
    ticks = [tick for tick in display.ax_.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(tick == int(tick) for tick in ticks)


@pytest.fixture(scope="module")
def stripes_fit():
    X, y = make_stripes()
    return MLPImageClassifier(max_iter=3, random_state=0), X, y


def test_pipeline_and_search_show_the_curves_of_their_classifier(stripes_fit):
    clf, X, y = stripes_fit
    for estimator in (
        clf,
        make_pipeline(ImageResizer(size=8), clf),
        GridSearchCV(clf, {"alpha": [0.1, 0.2]}, cv=2),
    ):
        display = TrainingCurveDisplay.from_estimator(estimator.fit(X, y))
        assert len(display.lines_["train_loss"].get_ydata()) == 3


def test_custom_axes_do_not_change_pyplot():
    before = plt.get_fignums()
    axes = Figure().subplots(1, 2)
    display = TrainingCurveDisplay(make_history()).plot(axes)
    assert list(display.ax_) == list(axes)
    assert display.plot(axes[0], quantity="accuracy").ax_ is axes[0]
    assert plt.get_fignums() == before


def test_wrong_number_of_axes_is_rejected():
    with pytest.raises(ValueError, match="ax holds 1 axes; expected 2"):
        TrainingCurveDisplay(make_history()).plot(Figure().subplots())


def test_unknown_quantity_is_rejected():
    with pytest.raises(ValueError, match="quantity must be one of"):
        TrainingCurveDisplay(make_history()).plot(quantity="speed")


def test_classifier_without_history_is_rejected():
    clf = LogisticRegression().fit([[0], [1]], [0, 1])
    with pytest.raises(TypeError, match="LogisticRegression has no history_"):
        TrainingCurveDisplay.from_estimator(clf)


def test_unfitted_classifier_is_rejected():
    with pytest.raises(NotFittedError):
        TrainingCurveDisplay.from_estimator(MLPImageClassifier())
