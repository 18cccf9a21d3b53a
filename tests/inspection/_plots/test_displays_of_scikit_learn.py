"""scikit-learn's displays accept image classifiers and images."""

import numpy as np
import pytest
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    DetCurveDisplay,
    PrecisionRecallDisplay,
    RocCurveDisplay,
    confusion_matrix,
)
from sklearn.model_selection import GridSearchCV, LearningCurveDisplay, ValidationCurveDisplay
from sklearn.pipeline import make_pipeline

from skimgcls import ImageResizer, MLPImageClassifier
from skimgcls.estimator_checks._data import make_stripes

pytestmark = pytest.mark.usefixtures("off_screen")

CLF = MLPImageClassifier(max_iter=1, random_state=0)


@pytest.fixture(params=["classifier", "pipeline", "search"], scope="module")
def two_classes(request):
    """Return a fitted estimator, color images and their labels."""
    X, y = make_stripes(n_classes=2, shape=(8, 8, 3))
    names = np.array(["cat", "dog"])[y]
    pipe = make_pipeline(ImageResizer(size=6), CLF)
    search = GridSearchCV(pipe, {"mlpimageclassifier__alpha": [1e-3]}, cv=2)
    estimator = {"classifier": CLF, "pipeline": pipe, "search": search}[request.param]
    return estimator.fit(X, names), X, names


def test_confusion_matrix_display(two_classes):
    estimator, X, y = two_classes
    display = ConfusionMatrixDisplay.from_estimator(estimator, X, y)
    expected = confusion_matrix(y, estimator.predict(X))
    np.testing.assert_array_equal(display.confusion_matrix, expected)


@pytest.mark.parametrize(
    "display",
    [RocCurveDisplay, PrecisionRecallDisplay, DetCurveDisplay, CalibrationDisplay],
)
def test_curve_displays_of_two_classes(two_classes, display):
    estimator, X, y = two_classes
    drawn = display.from_estimator(estimator, X, y, pos_label="dog")
    expected = display.from_predictions(y, estimator.predict_proba(X)[:, 1], pos_label="dog")
    names = {"fpr", "recall", "prob_true"} & set(vars(drawn))
    assert names
    for name in names:
        np.testing.assert_array_equal(getattr(drawn, name), getattr(expected, name))


def test_learning_and_validation_curve_displays():
    X, y = make_stripes()
    drawn = LearningCurveDisplay.from_estimator(CLF, X, y, cv=2, train_sizes=[0.5, 1.0])
    assert drawn.test_scores.shape == (2, 2)
    drawn = ValidationCurveDisplay.from_estimator(
        CLF, X, y, cv=2, param_name="alpha", param_range=[0.1, 1.0]
    )
    assert drawn.test_scores.shape == (2, 2)
