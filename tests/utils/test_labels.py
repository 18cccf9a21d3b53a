"""Labels in any container and coding train the classes they name, or are refused."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from instances import make_small

from skimgcls import MLPImageClassifier, evaluation_report
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.utils._labels import describe_values, plain_labels, shorten

NAMES = ["a", "b", "c"]


@pytest.fixture(scope="module")
def X():
    return make_stripes(36)[0]


@pytest.fixture(scope="module")
def indicator():
    codes = make_stripes(36)[1]
    return np.stack([codes == 0, codes == 1, codes < 2], axis=1).astype(int)


@pytest.fixture(scope="module")
def frame(indicator):
    return pd.DataFrame(indicator, columns=NAMES)


@pytest.fixture
def clf():
    return make_small(MLPImageClassifier, max_iter=3, random_state=0)


@pytest.mark.parametrize(
    "coding",
    [
        lambda y: 2 * y - 1,
        lambda y: y + 1,
        lambda y: (y * 255).astype(np.uint8),
        lambda y: scipy.sparse.csr_array(y * 2),
        lambda y: torch.from_numpy(y * 7),
        lambda y: pd.DataFrame(y * 0.5),
        lambda y: np.where(y > 0, "yes", "no"),
    ],
)
def test_indicators_of_other_values_are_refused(clf, X, indicator, coding):
    y = coding(indicator)
    for call in (
        lambda: clf.fit(X, y),
        lambda: clf.partial_fit(X, y),
        lambda: clf.fit(X, indicator, X_val=X, y_val=y),
        lambda: clf.fit(X, indicator).score(X, y),
        lambda: evaluation_report(clf.fit(X, indicator), X, y),
    ):
        with pytest.raises(ValueError, match="holds more than zeros and ones") as caught:
            call()
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize("value", [-1, 2, 255])
def test_refused_indicator_names_its_values_and_the_conversion(clf, X, indicator, value):
    y = np.where(indicator > 0, max(value, 1), min(value, 0))
    with pytest.raises(ValueError, match=rf"\[{y.min()}, {y.max()}\].*\(y == {y.max()}\).astype"):
        clf.fit(X, y)


def test_columns_are_compared_by_name(clf, X, frame):
    other = frame[["c", "a", "b"]]
    reference = clf.fit(X, frame)
    assert reference.score(X, other) == reference.score(X, frame)
    report, swapped = evaluation_report(reference, X, frame), evaluation_report(reference, X, other)
    pd.testing.assert_frame_equal(report.per_class_, swapped.per_class_)
    proba = reference.predict_proba(X)
    reference.partial_fit(X, frame)
    again = make_small(MLPImageClassifier, max_iter=3, random_state=0).fit(X, frame)
    np.testing.assert_array_equal(again.predict_proba(X), proba)
    again.partial_fit(X, other)
    np.testing.assert_array_equal(again.predict_proba(X), reference.predict_proba(X))


def test_validation_columns_are_compared_by_name(clf, X, frame):
    first = clf.fit(X, frame, X_val=X, y_val=frame).validation_scores_
    second = clf.fit(X, frame, X_val=X, y_val=frame[["b", "c", "a"]]).validation_scores_
    assert first == second


def test_columns_of_other_names_are_refused(clf, X, frame):
    clf.fit(X, frame)
    other = frame.rename(columns={"a": "z"})
    for call in (clf.score, clf.partial_fit, lambda X, y: evaluation_report(clf, X, y)):
        with pytest.raises(ValueError, match=r"The columns of y are .*'z'.* in the first fit"):
            call(X, other)


def test_arrays_have_no_names_to_compare(clf, X, frame, indicator):
    clf.fit(X, frame)
    assert clf.score(X, indicator) == clf.score(X, frame)


def test_two_columns_of_one_name_are_refused(clf, X, frame):
    frame = frame.set_axis(["a", "a", "b"], axis=1)
    with pytest.raises(ValueError, match="Two columns of y have the name 'a'"):
        clf.fit(X, frame)


@pytest.mark.parametrize(
    "missing",
    [None, np.nan, float("nan"), pd.NA, pd.NaT],
    ids=["None", "nan", "float", "NA", "NaT"],
)
@pytest.mark.parametrize("container", [list, pd.Series, lambda y: np.array(y, dtype=object)])
def test_missing_labels_are_one_error(clf, X, missing, container):
    y = ["cat", "dog"] * 18
    y[3] = y[20] = missing
    with pytest.raises(ValueError, match="no label for 2 of 36 images, the first are images 3, 20"):
        clf.fit(X, container(y))


def test_missing_labels_of_nullable_types_are_refused(clf, X):
    y = pd.Series([1, 2, None] * 12, dtype="Int64")
    with pytest.raises(ValueError, match="no label for 12 of 36 images"):
        clf.fit(X, y)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["a", np.str_("b")], ["a", "b"]),
        ([1, np.int64(2)], [1, 2]),
        ([True, np.bool_(False)], [False, True]),
        (pd.array([1, 2], dtype="Int64"), [1, 2]),
        (pd.array(["a", "b"], dtype="string"), ["a", "b"]),
        (np.array([2.0, 1.0], dtype=object), [1, 2]),
        (torch.tensor([2, 1]), [1, 2]),
    ],
)
def test_labels_of_one_kind_work_in_any_spelling(clf, X, labels, expected):
    y = type(labels)(list(labels) * 18) if isinstance(labels, list) else labels
    y = np.tile(np.asarray(labels), 18) if not isinstance(labels, list) else y
    clf.fit(X, y)
    assert clf.classes_.tolist() == expected
    assert set(clf.predict(X)) <= set(clf.classes_)
    assert 0 <= clf.score(X, y) <= 1


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "Float32"])
def test_indicators_of_nullable_types(clf, X, frame, dtype):
    y = frame.astype("Int64").astype(dtype)
    clf.fit(X, y)
    assert clf.score(X, y) == clf.score(X, frame)


def test_indicator_of_booleans_and_integers(clf, X, frame):
    y = frame.assign(a=frame["a"].astype(bool))
    np.testing.assert_array_equal(
        clf.fit(X, y).predict_proba(X), clf.fit(X, frame).predict_proba(X)
    )


def test_lists_of_labels_name_the_binarizer(clf, X):
    with pytest.raises(ValueError, match="MultiLabelBinarizer"):
        clf.fit(X, [["cat"], ["cat", "dog"]] * 18)


def test_one_hot_labels_give_a_warning(clf, X):
    codes = make_stripes(36)[1]
    with pytest.warns(UserWarning, match=r"looks like one-hot labels.*np.argmax\(y, axis=1\)"):
        clf.fit(X, np.eye(3)[codes])
    with pytest.warns(UserWarning, match=r"y.idxmax\(axis=1\)"):
        clf.fit(X, pd.DataFrame(np.eye(3)[codes]))


def test_composed_and_decomposed_text_are_one_class(clf, X):
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    y = [composed, decomposed, "bar"] * 12
    clf.fit(X, y)
    assert clf.classes_.tolist() == [composed, "bar"]
    assert clf.score(X, y) == clf.score(X, [composed, composed, "bar"] * 12)


@pytest.mark.parametrize("y", [pd.date_range("2026-01-01", periods=36), [b"a", b"b"] * 18])
def test_labels_that_cannot_be_saved_are_refused(clf, X, y):
    with pytest.raises(ValueError, match="cannot be saved or exported as classes"):
        clf.fit(X, y)


@pytest.mark.parametrize("y", ["text", {"a": 1}, 5])
def test_labels_must_be_in_a_container(y):
    with pytest.raises(ValueError, match="must hold a label for each image"):
        plain_labels(y)


def test_messages_are_short(clf, X):
    clf.fit(X, [f"a long name of a class, number {number}" for number in range(18)] * 2)
    with pytest.raises(ValueError, match="not among the classes") as caught:
        clf.partial_fit(X, ["z" * 10_000] * 36)
    assert len(str(caught.value)) < 500


def test_long_values_are_cut():
    assert len(shorten("x" * 1000)) <= 40
    assert describe_values(["a", "b"]) == "['a', 'b']"
    assert describe_values(np.arange(50), most=2) == "[0, 1, ... 50 in all]"
