"""evaluation_report: the metrics are those of scikit-learn, and the page is self-contained."""

import warnings
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn import metrics
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageFlattener,
    MLPImageClassifier,
    RejectOptionClassifier,
)
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.inspection import EvaluationReport, PredictionDisplay, evaluation_report, grad_cam
from skimgcls.inspection._plots._predictions import Predictions

MISTAKES = "The most confident mistakes"
CLASSES = np.array(["cat", "dog", "owl"])


@pytest.fixture(scope="module")
def labeled():
    """Return random labels, and probabilities that are often correct."""
    rng = np.random.RandomState(0)
    codes = rng.randint(3, size=200)
    proba = rng.dirichlet(np.ones(3), size=200) + 0.6 * np.eye(3)[codes]
    return CLASSES[codes], proba / proba.sum(axis=1, keepdims=True)


def test_metrics_match_scikit_learn(labeled):
    y, proba = labeled
    report = EvaluationReport(y, proba, CLASSES, seconds=2.0)
    predicted = CLASSES[proba.argmax(axis=1)]
    assert report.summary_["accuracy"] == metrics.accuracy_score(y, predicted)
    assert report.summary_["balanced accuracy"] == metrics.balanced_accuracy_score(y, predicted)
    assert report.summary_["log loss"] == metrics.log_loss(y, proba)
    assert report.summary_["top-2 accuracy"] == metrics.top_k_accuracy_score(y, proba, k=2)
    assert report.summary_["images"] == 200
    assert report.summary_["images a second"] == 100
    np.testing.assert_array_equal(
        report.confusion_.to_numpy(), metrics.confusion_matrix(y, predicted)
    )


def test_per_class_metrics_match_the_classification_report(labeled):
    y, proba = labeled
    report = EvaluationReport(y, proba, CLASSES)
    expected = metrics.classification_report(y, CLASSES[proba.argmax(axis=1)], output_dict=True)
    del expected["accuracy"]
    pd.testing.assert_frame_equal(report.per_class_, pd.DataFrame(expected).T)


def test_multilabel_metrics():
    rng = np.random.RandomState(0)
    y, proba = rng.randint(2, size=(100, 3)), rng.rand(100, 3)
    report = EvaluationReport(y, proba, CLASSES)
    predicted = (proba > 0.5).astype(int)
    assert report.summary_["subset accuracy"] == metrics.accuracy_score(y, predicted)
    assert report.summary_["hamming loss"] == metrics.hamming_loss(y, predicted)
    assert report.summary_["macro f1-score"] == metrics.f1_score(y, predicted, average="macro")
    assert report.confusion_ is None
    expected = metrics.classification_report(
        y, predicted, target_names=CLASSES, output_dict=True, zero_division=0
    )
    pd.testing.assert_frame_equal(report.per_class_, pd.DataFrame(expected).T)


@pytest.mark.parametrize(
    ("confidence", "is_right", "expected"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [True, False], 0.5),
        ([0.5, 0.5, 0.9, 0.9], [True, False, True, True], 0.05),
    ],
)
def test_calibration_error(confidence, is_right, expected):
    proba = np.column_stack([confidence, 1 - np.array(confidence)])
    y = np.where(is_right, "cat", "dog")
    report = EvaluationReport(y, proba, CLASSES[:2])
    assert report.summary_["calibration error"] == pytest.approx(expected)


def test_class_without_images_does_not_warn(labeled):
    _, proba = labeled
    y = np.full(200, "cat")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = EvaluationReport(y, proba, CLASSES)
    assert report.per_class_.loc["owl", "support"] == 0
    assert report.summary_["balanced accuracy"] == report.per_class_.loc["cat", "recall"]


# ---- the page


class Page(HTMLParser):
    """Collect the resources of a page, and check that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words, self.asked = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.asked += [value for name, value in attrs if name in ("src", "href", "action")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def report():
    X, y = make_stripes()
    names = np.array(["<b>one</b>", "two & a half", "three"])[y]
    clf = MLPImageClassifier(max_iter=2, random_state=0).fit(X, names)
    return evaluation_report(clf, X, names)


def test_page_is_valid_and_self_contained(report):
    page = Page(report.to_html(title="<script>alert(1)</script>"))
    assert page.open == []
    assert "script" not in page.tags
    assert "b" not in page.tags
    assert "<script>alert(1)</script>" in page.words
    assert "<b>one</b>" in page.words
    assert all(asked.startswith("data:image/png;base64,") for asked in page.asked)


def test_page_contains_every_plot(report):
    page = Page(report.to_html())
    headings = {"Metrics", "Classes", "Confusion", "Calibration", "Training", *report.displays}
    assert headings | {"Images of each class"} <= set(page.words)
    drawn = [one for one in report.displays.values() if not isinstance(one, str)]
    assert page.tags.count("img") == 3 + len(drawn)


def test_page_states_why_a_plot_is_missing(report):
    page = Page(report.to_html())
    assert report.displays["Where it looked in mistakes"] in page.words
    assert "no convolution" in report.displays["Where it looked in mistakes"]


def test_page_is_written_to_a_file(report, tmp_path):
    assert report.to_html(tmp_path / "report.html") is None
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")


def test_to_html_does_not_change_pyplot(report):
    before = plt.get_fignums(), plt.get_backend()
    report.to_html()
    assert (plt.get_fignums(), plt.get_backend()) == before


def test_notebook_shows_the_tables(report):
    page = Page(report._repr_html_())
    assert page.tags.count("table") == 2
    assert "img" not in page.tags


def test_scikit_learn_classifier():
    X, y = make_stripes()
    pipe = make_pipeline(ImageFlattener(), LogisticRegression()).fit(X, y)
    y = np.roll(y, 1)
    report = evaluation_report(pipe, X, y)
    assert report.summary_["accuracy"] == pipe.score(X, y)
    assert "no history_" in report.displays["Training"]
    assert "no torch net" in report.displays["Where it looked in mistakes"]
    assert Page(report.to_html()).tags.count("img") == 5


def test_reject_option_classifier():
    X, y = make_stripes(60)
    clf = MLPImageClassifier(max_iter=2, random_state=0).fit(X, y)
    careful = RejectOptionClassifier(FrozenEstimator(clf), coverage=0.5).fit(X, y)
    y = np.roll(y, 1)
    report = evaluation_report(careful, X, y)
    accepted = careful.is_accepted(X)
    assert report.summary_["accepted"] == accepted.mean()
    assert report.summary_["accuracy of the accepted"] == clf.score(X[accepted], y[accepted])
    assert report.summary_["accuracy"] == clf.score(X, y)


def test_mistakes_of_a_convolutional_network_are_explained():
    X, y = make_stripes(60)
    clf = CNNImageClassifier(max_iter=1, random_state=0).fit(X, y)
    report = evaluation_report(clf, list(X), np.roll(y, 1), n_images=4)
    mistakes = report.displays[MISTAKES]
    maps = report.displays["Where it looked in mistakes"].maps
    np.testing.assert_array_equal(maps, grad_cam(clf, X[mistakes.indices]))


def test_classifier_without_mistakes(labeled):
    y, _ = labeled
    proba = (y[:, None] == CLASSES).astype(float)
    images = np.zeros((200, 4, 4), np.uint8)
    mistakes = PredictionDisplay._choose(
        Predictions(CLASSES, proba), images, y, order="confident_mistakes"
    )
    page = Page(EvaluationReport(y, proba, CLASSES, displays={MISTAKES: mistakes}).to_html())
    assert "There are none." in page.words


def test_classifier_of_a_single_class_is_rejected():
    X = make_stripes(6)[0]
    with pytest.raises(ValueError, match=r"single class, \['only'\]"):
        evaluation_report(DummyClassifier().fit(X, ["only"] * 6), X, ["only"] * 6)


def test_unknown_labels_are_rejected():
    X, y = make_stripes()
    clf = MLPImageClassifier(max_iter=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="9"):
        evaluation_report(clf, X, np.full(len(y), 9))


@pytest.mark.parametrize("n", [0, 5])
def test_wrong_number_of_labels_is_rejected(n):
    X, y = make_stripes()
    clf = MLPImageClassifier(max_iter=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="labels for"):
        evaluation_report(clf, X, y[:n])


@pytest.mark.parametrize("spell", [list, pd.Series, lambda y: pd.DataFrame({"y": y})])
def test_labels_in_every_container(spell):
    X, y = make_stripes()
    clf = MLPImageClassifier(max_iter=1, random_state=0).fit(X, y)
    report = evaluation_report(clf, X, spell(y))
    assert report.summary_["accuracy"] == clf.score(X, y)


@pytest.mark.filterwarnings("ignore:Every row of y has exactly one 1:UserWarning")
@pytest.mark.parametrize("spell", [scipy.sparse.csr_array, np.ndarray.tolist, pd.DataFrame])
def test_indicator_in_every_container(spell):
    X, y = make_stripes()
    y = np.eye(3, dtype=int)[y]
    clf = MLPImageClassifier(max_iter=1, random_state=0).fit(X, y)
    report = evaluation_report(clf, X, spell(y))
    assert report.summary_["subset accuracy"] == clf.score(X, y)
    words = report.displays["Some predictions"].actual
    assert set(words) == {"0", "1", "2"}


@pytest.mark.filterwarnings("ignore:Every row of y has exactly one 1:UserWarning")
@pytest.mark.parametrize(("fitted_on", "asked"), [("labels", "indicator"), ("indicator", "labels")])
def test_target_type_must_match_the_fit(fitted_on, asked):
    X, y = make_stripes()
    kinds = {"labels": y, "indicator": np.eye(3, dtype=int)[y]}
    clf = MLPImageClassifier(max_iter=1, random_state=0).fit(X, kinds[fitted_on])
    with pytest.raises(ValueError, match=r"y has shape .*; expected \(36"):
        evaluation_report(clf, X, kinds[asked])


@pytest.mark.parametrize("wrong", [{"y": [9] * 36}, {"y": [0] * 5}, {"n_images": 0}])
def test_invalid_arguments_are_rejected_before_predicting(wrong, monkeypatch):
    X, y = make_stripes()
    clf = MLPImageClassifier(max_iter=1, random_state=0).fit(X, y)

    def predict_proba(X):
        raise AssertionError("asked")

    monkeypatch.setattr(clf, "predict_proba", predict_proba)
    with pytest.raises(ValueError, match=r"y h|n_images"):
        evaluation_report(clf, X, **({"y": y} | wrong))


def test_report_rejects_labels_that_are_not_classes(labeled):
    _, proba = labeled
    with pytest.raises(ValueError, match="lynx"):
        EvaluationReport(np.full(200, "lynx"), proba, CLASSES)
