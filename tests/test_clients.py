"""What takes a classifier in scikit-learn takes these: as images where it lets them, else as rows,
and as files where it does not ask for numbers.

`CLIENTS` is the list of them. The user guide shows it, and a test holds the two against each other.
"""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from instances import make_small
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    RocCurveDisplay,
    accuracy_score,
    classification_report,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from skimgcls import CNNImageClassifier, MLPImageClassifier

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "user_guide" / "scikit_learn.rst"

INSTALLED = tuple(int(part) for part in sklearn.__version__.split(".")[:2])

# Labels that are not their own positions, so that what mistakes one for the other shows.
CLASSES = np.array([1, 4, 6])

# Chance is a third, or half where two classes are told apart.
GOOD_ACCURACY = 0.8


class Digits(NamedTuple):
    """Images of three digits, or their rows: 96 to train on and 48 to test on."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    @classmethod
    def load(cls):
        digits = load_digits()
        chosen = np.flatnonzero(np.isin(digits.target, CLASSES))
        train, test = chosen[:96], chosen[96:144]
        return cls(
            digits.images[train], digits.target[train], digits.images[test], digits.target[test]
        )

    def with_images(self, spell):
        return self._replace(X=spell(self.X), X_test=spell(self.X_test))

    def of_two_classes(self):
        train, test = self.y != CLASSES[2], self.y_test != CLASSES[2]
        return Digits(self.X[train], self.y[train], self.X_test[test], self.y_test[test])

    def as_indicator(self):
        return self._replace(
            y=(self.y[:, np.newaxis] == CLASSES).astype(int),
            y_test=(self.y_test[:, np.newaxis] == CLASSES).astype(int),
        )

    def with_wrong_labels(self):
        """Return digits of which two thirds have a wrong label, and weights that say which."""
        wrong = np.arange(len(self.y)) % 3 != 0
        y = np.where(wrong, np.roll(CLASSES, -1)[np.searchsorted(CLASSES, self.y)], self.y)
        return self._replace(y=y), (~wrong).astype(float)


class Client(NamedTuple):
    """What takes a classifier.

    `use(clf, digits)` uses it, checks what comes out, and returns an accuracy on images that were
    not trained on. `since` is the version of scikit-learn that brought it. With `adds_columns`, not
    all the rows it passes on have as many pixels as those it was given.
    """

    name: str
    use: Callable
    takes_images: bool = True
    takes_files: bool = True
    adds_columns: bool = False
    since: tuple = (1, 6)

    def refusal(self, spelling):
        """Return what the error says where images, or all, are refused; else None."""
        if self.since > INSTALLED:
            return f"parameter of {self.name.split()[0]} must be"
        if spelling == "images" and not self.takes_images:
            return "Found array with dim 3"
        if spelling == "files" and not self.takes_files:
            return "could not convert string to float|has no callable sqrt method"
        return None


def fitted(make, fit=None):
    """Return a use: fit the classifier `make(clf)` and hold its predictions against the truth."""

    def use(clf, digits):
        meta = make(clf)
        meta = meta.fit(digits.X, digits.y) if fit is None else fit(meta, digits)
        np.testing.assert_array_equal(meta.classes_, np.unique(digits.y_test))
        labels = meta.predict(digits.X_test)
        assert labels.shape == digits.y_test.shape
        if hasattr(meta, "predict_proba"):
            proba = meta.predict_proba(digits.X_test)
            assert proba.shape == (len(labels), len(meta.classes_))
            np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
        return accuracy_score(digits.y_test, labels)

    return use


def of_two_classes(use):
    return lambda clf, digits: use(clf, digits.of_two_classes())


# -- searches and cross-validation


def fit_search(meta, digits, **params):
    meta.fit(digits.X, digits.y, **params)
    assert meta.best_estimator_.alpha == meta.best_params_["alpha"]
    assert meta.best_score_ > GOOD_ACCURACY
    return meta


def search(make):
    return fitted(make, fit_search)


GRID = {"alpha": [1e-4, 1e-2]}


def use_cross_val_score(clf, digits):
    scores = cross_val_score(clf, digits.X, digits.y, cv=3)
    assert scores.shape == (3,)
    return scores.mean()


def use_cross_validate(clf, digits):
    results = cross_validate(clf, digits.X, digits.y, cv=3, return_estimator=True)
    assert [type(estimator) for estimator in results["estimator"]] == 3 * [type(clf)]
    return results["test_score"].mean()


def use_cross_val_predict(clf, digits):
    proba = cross_val_predict(clf, digits.X, digits.y, cv=3, method="predict_proba")
    assert proba.shape == (len(digits.y), len(CLASSES))
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    return accuracy_score(digits.y, CLASSES[proba.argmax(axis=1)])


def use_learning_curve(clf, digits):
    sizes, train_scores, test_scores = learning_curve(
        clf, digits.X, digits.y, cv=2, train_sizes=[12, 48]
    )
    assert sizes.tolist() == [12, 48]
    assert train_scores.shape == test_scores.shape == (2, 2)
    return test_scores[-1].mean()


def use_validation_curve(clf, digits):
    train_scores, test_scores = validation_curve(
        clf, digits.X, digits.y, cv=2, param_name="max_iter", param_range=[1, clf.max_iter]
    )
    assert train_scores.shape == test_scores.shape == (2, 2)
    assert train_scores[0].mean() < train_scores[1].mean()
    return test_scores[-1].mean()


def use_permutation_test_score(clf, digits):
    score, shuffled_scores, p_value = permutation_test_score(
        clf, digits.X, digits.y, cv=2, n_permutations=4, random_state=0
    )
    assert max(shuffled_scores) < score
    assert p_value == 1 / 5
    return score


# -- ensembles, calibration, thresholds


def three(clf):
    return [(f"net{seed}", sklearn.clone(clf).set_params(random_state=seed)) for seed in range(3)]


def calibrated(method):
    return fitted(lambda clf: CalibratedClassifierCV(clf, method=method, cv=2))


def use_calibrated_frozen(clf, digits):
    """Train on one half and calibrate on the other; the network stays as it was trained."""
    clf.fit(digits.X[::2], digits.y[::2])
    logits = clf.decision_function(digits.X_test)

    def fit(meta, digits):
        return meta.fit(digits.X[1::2], digits.y[1::2])

    accuracy = fitted(lambda clf: CalibratedClassifierCV(FrozenEstimator(clf)), fit)(clf, digits)
    np.testing.assert_array_equal(clf.decision_function(digits.X_test), logits)
    return accuracy


def use_frozen(clf, digits):
    clf.fit(digits.X, digits.y)
    logits = clf.decision_function(digits.X_test)
    # Fitting does nothing: the shuffled labels are not learned.
    accuracy = fitted(FrozenEstimator, lambda meta, d: meta.fit(d.X, np.roll(d.y, 1)))(clf, digits)
    np.testing.assert_array_equal(clf.decision_function(digits.X_test), logits)
    return accuracy


def fit_threshold(meta, digits):
    """Fit with a threshold that no probability reaches, then with the usual one."""
    positive = CLASSES[1]
    meta.set_params(threshold=1.1, pos_label=positive).fit(digits.X, digits.y)
    assert positive not in meta.predict(digits.X_test)
    return meta.set_params(threshold=0.5).fit(digits.X, digits.y)


# -- several classes from two, several targets from one


def several_targets(make):
    """Return a use: learn three yes-or-no targets, and ask for all three to be right."""

    def use(clf, digits):
        digits = digits.as_indicator()
        meta = make(clf).fit(digits.X, digits.y)
        assert [classes.tolist() for classes in meta.classes_] == [[0, 1]] * 3
        labels = meta.predict(digits.X_test)
        assert labels.shape == digits.y_test.shape
        return accuracy_score(digits.y_test, labels)

    return use


def fit_half_labeled(meta, digits):
    """Fit with labels for every second image alone."""
    y = np.where(np.arange(len(digits.y)) % 2, digits.y, -1)
    meta.fit(digits.X, y)
    assert (meta.transduction_ != -1).sum() > (y != -1).sum()
    return meta


# -- pipelines and metadata


def before(transformer):
    return fitted(lambda clf: make_pipeline(transformer, clf))


def fit_unbalanced(meta, digits):
    """Fit with few images of one class, of which the sampler makes as many as of the others."""
    keep = np.ones(len(digits.y), dtype=bool)
    keep[np.flatnonzero(digits.y == CLASSES[-1])[8:]] = False
    X, y = digits.X[keep], digits.y[keep]
    meta.fit(X, y)
    resampled = meta[0].fit_resample(X, y)[1]
    assert len(set(np.unique(resampled, return_counts=True)[1])) == 1
    return meta


def oversampled(sampler):
    return fitted(lambda clf: make_sampling_pipeline(sampler, clf), fit_unbalanced)


def routed(make, fit, **requests):
    """Return a use: `fit` passes metadata, and the classifier inside asks for them."""

    def use(clf, digits):
        with sklearn.config_context(enable_metadata_routing=True):
            return fitted(make, fit)(clf.set_fit_request(**requests), digits)

    return use


def fit_weighted(meta, digits):
    """Fit with wrong labels, whose weight zero takes them out again."""
    digits, weights = digits.with_wrong_labels()
    return meta.fit(digits.X, digits.y, sample_weight=weights)


def fit_weighted_search(meta, digits):
    """Send weights to fit and to score: the score is that of the images with right labels."""
    digits, weights = digits.with_wrong_labels()
    return fit_search(meta, digits, sample_weight=weights)


def fit_validated_search(meta, digits):
    fit_search(meta, digits, X_val=digits.X_test, y_val=digits.y_test)
    assert meta.best_estimator_.history_["validation_accuracy"].iloc[-1] > GOOD_ACCURACY
    return meta


# -- inspection and metrics


def use_permutation_importance(clf, digits):
    clf.fit(digits.X, digits.y)
    result = permutation_importance(clf, digits.X, digits.y, n_repeats=2, random_state=0)
    assert result.importances.shape == (digits.X.shape[1], 2)
    assert result.importances_mean.max() > 0
    if digits.X.shape[1] > 1:
        blank = (digits.X == 0).all(axis=0)
        assert blank.any()
        assert (result.importances_mean[blank] == 0).all()
    return clf.score(digits.X_test, digits.y_test)


def use_classification_report(clf, digits):
    labels = clf.fit(digits.X, digits.y).predict(digits.X_test)
    report = classification_report(digits.y_test, labels, output_dict=True)
    assert {str(label) for label in CLASSES} < set(report)
    assert report["macro avg"]["support"] == len(labels)
    return report["accuracy"]


def use_confusion_matrix_display(clf, digits):
    from matplotlib.figure import Figure

    clf.fit(digits.X, digits.y)
    display = ConfusionMatrixDisplay.from_estimator(
        clf, digits.X_test, digits.y_test, ax=Figure().subplots()
    )
    np.testing.assert_array_equal(display.display_labels, CLASSES)
    assert display.confusion_matrix.sum() == len(digits.y_test)
    return display.confusion_matrix.trace() / len(digits.y_test)


def use_roc_curve_display(clf, digits):
    from matplotlib.figure import Figure

    clf.fit(digits.X, digits.y)
    display = RocCurveDisplay.from_estimator(
        clf, digits.X_test, digits.y_test, pos_label=CLASSES[1], ax=Figure().subplots()
    )
    assert display.roc_auc > GOOD_ACCURACY
    return clf.score(digits.X_test, digits.y_test)


CLIENTS = [
    Client("GridSearchCV", search(lambda clf: GridSearchCV(clf, GRID, cv=2, n_jobs=2))),
    Client(
        "RandomizedSearchCV",
        search(lambda clf: RandomizedSearchCV(clf, GRID, n_iter=2, cv=2, random_state=0)),
    ),
    Client(
        "HalvingGridSearchCV",
        search(lambda clf: HalvingGridSearchCV(clf, GRID, factor=2, cv=2, random_state=0)),
    ),
    Client("cross_val_score", use_cross_val_score),
    Client("cross_validate", use_cross_validate),
    Client("cross_val_predict", use_cross_val_predict),
    Client("learning_curve", use_learning_curve),
    Client("validation_curve", use_validation_curve),
    Client("permutation_test_score", use_permutation_test_score),
    Client("VotingClassifier (soft)", fitted(lambda c: VotingClassifier(three(c), voting="soft"))),
    Client("VotingClassifier (hard)", fitted(lambda c: VotingClassifier(three(c), voting="hard"))),
    Client("StackingClassifier", fitted(lambda clf: StackingClassifier(three(clf), cv=2))),
    Client(
        "BaggingClassifier",
        fitted(lambda clf: BaggingClassifier(clf, n_estimators=3, random_state=0)),
        takes_images=False,
    ),
    Client(
        "AdaBoostClassifier",
        fitted(lambda clf: AdaBoostClassifier(clf, n_estimators=3, random_state=0)),
    ),
    Client("CalibratedClassifierCV (sigmoid)", calibrated("sigmoid")),
    Client("CalibratedClassifierCV (isotonic)", calibrated("isotonic")),
    Client("CalibratedClassifierCV (temperature)", calibrated("temperature"), since=(1, 8)),
    Client("CalibratedClassifierCV of a FrozenEstimator", use_calibrated_frozen),
    Client("FrozenEstimator", use_frozen),
    Client(
        "TunedThresholdClassifierCV",
        of_two_classes(fitted(lambda clf: TunedThresholdClassifierCV(clf, cv=2))),
    ),
    Client(
        "FixedThresholdClassifier", of_two_classes(fitted(FixedThresholdClassifier, fit_threshold))
    ),
    Client("OneVsRestClassifier", fitted(OneVsRestClassifier)),
    Client("OneVsOneClassifier", fitted(OneVsOneClassifier), takes_images=False, takes_files=False),
    Client(
        "OutputCodeClassifier",
        fitted(lambda clf: OutputCodeClassifier(clf, code_size=3, random_state=0)),
        takes_images=False,
    ),
    Client("MultiOutputClassifier", several_targets(MultiOutputClassifier)),
    Client(
        "ClassifierChain",
        several_targets(ClassifierChain),
        takes_images=False,
        takes_files=False,
        adds_columns=True,
    ),
    Client(
        "SelfTrainingClassifier",
        fitted(SelfTrainingClassifier, fit_half_labeled),
        takes_images=False,
        takes_files=False,
    ),
    Client(
        "Pipeline after a FunctionTransformer",
        before(FunctionTransformer(np.sqrt)),
        takes_files=False,
    ),
    Client(
        "Pipeline after a StandardScaler",
        before(StandardScaler()),
        takes_images=False,
        takes_files=False,
    ),
    Client(
        "imbalanced-learn's Pipeline after a RandomOverSampler",
        oversampled(RandomOverSampler(random_state=0)),
        takes_images=False,
    ),
    Client(
        "imbalanced-learn's Pipeline after SMOTE",
        oversampled(SMOTE(random_state=0)),
        takes_images=False,
        takes_files=False,
    ),
    Client(
        "metadata routing of sample_weight to fit",
        routed(lambda clf: clf, fit_weighted, sample_weight=True),
    ),
    Client(
        "metadata routing of sample_weight through a Pipeline",
        routed(
            lambda clf: make_pipeline(FunctionTransformer(), clf), fit_weighted, sample_weight=True
        ),
    ),
    Client(
        "metadata routing of sample_weight through GridSearchCV",
        routed(
            lambda clf: GridSearchCV(clf.set_score_request(sample_weight=True), GRID, cv=2),
            fit_weighted_search,
            sample_weight=True,
        ),
    ),
    Client(
        "metadata routing of X_val and y_val through GridSearchCV",
        routed(
            lambda clf: GridSearchCV(clf, GRID, cv=2), fit_validated_search, X_val=True, y_val=True
        ),
    ),
    Client("permutation_importance", use_permutation_importance, takes_images=False),
    Client("classification_report", use_classification_report),
    Client("ConfusionMatrixDisplay", use_confusion_matrix_display),
    Client("RocCurveDisplay", of_two_classes(use_roc_curve_display)),
]

SPELLINGS = ("images", "rows", "files")


@pytest.fixture(scope="module")
def digits():
    return Digits.load()


@pytest.fixture(scope="module")
def spelled(digits, tmp_path_factory):
    """The digits in each spelling: as images, as rows, and as a frame of paths."""
    folder = tmp_path_factory.mktemp("digits")

    def write(images):
        paths = [str(folder / f"{len(images)}_{i}.png") for i in range(len(images))]
        for path, image in zip(paths, images.astype(np.uint8), strict=True):
            Image.fromarray(image).save(path)
        return pd.DataFrame({"path": paths})

    return {
        "images": digits,
        "rows": digits.with_images(lambda images: images.reshape(len(images), -1)),
        "files": digits.with_images(write),
    }


def make_mlp(spelling):
    # Files could be read in color too.
    image_shape = (8, 8) if spelling == "files" else None
    return make_small(
        MLPImageClassifier, batch_size=16, max_iter=10, image_shape=image_shape, random_state=0
    )


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_scikit_learn_clients(client, spelling, spelled):
    refusal = client.refusal(spelling)
    if refusal is None:
        assert client.use(make_mlp(spelling), spelled[spelling]) > GOOD_ACCURACY
    else:
        with pytest.raises((ValueError, TypeError), match=refusal):
            client.use(make_mlp(spelling), spelled[spelling])


@pytest.mark.parametrize(
    "client",
    [client for client in CLIENTS if not client.takes_images],
    ids=lambda client: client.name,
)
def test_image_shape_reshapes_rows_to_images(client, digits):
    """Without their sides, which are blank, the digits are no squares a CNN could guess."""
    rows = digits.with_images(lambda images: images[:, :, 1:7].reshape(len(images), -1))
    cnn = make_small(
        CNNImageClassifier, batch_size=16, max_iter=10, image_shape=(8, 6), random_state=0
    )
    if client.adds_columns:
        with pytest.raises(ValueError, match=r"image_shape=.* makes 48 pixels, but the rows .* 49"):
            client.use(cnn, rows)
    else:
        assert client.use(cnn, rows) > GOOD_ACCURACY


def read_guide_table():
    """Return (name, takes images, rows, files) for each row of the table in the user guide."""
    text = GUIDE.read_text(encoding="utf-8")
    _, found, after = text.partition(".. clients-table\n\n.. csv-table::")
    assert found, "The user guide has no csv-table after the comment `.. clients-table`."
    # Options, an empty line, the rows, an empty line.
    table = after.split("\n\n")[1].replace("``", "")
    return [tuple(row) for row in csv.reader(table.splitlines(), skipinitialspace=True)]


def test_the_user_guide_lists_the_clients():
    expected = []
    for client in CLIENTS:
        since = "" if client.since == (1, 6) else ", from scikit-learn {}.{}".format(*client.since)
        images = "yes" if client.takes_images else "no"
        rows = "without image_shape" if client.adds_columns else "yes"
        files = "yes" if client.takes_files else "no"
        expected.append((client.name + since, images, rows, files))
    assert read_guide_table() == expected
