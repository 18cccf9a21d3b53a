"""Encoding of labels as training targets, and decoding of predictions."""

import string

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.class_weight import compute_class_weight

from skimgcls.utils._target_encoder import TargetEncoder, check_weights

few = settings(deadline=None, max_examples=50)
words = st.text(string.ascii_letters + " _äß中", max_size=5)
kinds = {
    "integers": st.integers(-(2**40), 2**40),
    "strings": words,
    "whole floats": st.integers(-1000, 1000).map(float),
    "truth values": st.booleans(),
}


def labels_of(kind, max_classes=5):
    """Lists of labels with at least two classes."""
    names = st.lists(kinds[kind], min_size=2, max_size=max_classes, unique=True)
    return names.flatmap(
        lambda names: st.lists(st.sampled_from(names), max_size=9).map(lambda y: [*names, *y])
    )


@pytest.mark.parametrize("kind", kinds)
@few
@given(data=st.data())
def test_labels_of_any_type_are_decoded_from_their_codes(kind, data):
    y = data.draw(labels_of(kind))
    spellings = [y, np.array(y), pd.Series(y)]
    if kind != "whole floats":  # scikit-learn rejects object arrays of these.
        spellings.append(np.array(y, dtype=object))
    for spelling in spellings:
        encoder = TargetEncoder.learn(spelling)
        codes = encoder.encode(spelling)
        assert codes.dtype == np.int64
        assert encoder.classes.tolist() == sorted(set(y))
        assert encoder.decode(np.eye(encoder.n_outputs)[codes]).tolist() == y


@pytest.mark.parametrize("dtype", ["category", "string", "Int64"])
def test_labels_of_pandas_types_are_encoded(dtype):
    y = pd.Series(["b", "a", "b"] if dtype != "Int64" else [2, 1, 2], dtype=dtype)
    encoder = TargetEncoder.learn(y)
    assert encoder.encode(y).tolist() == [1, 0, 1]
    assert encoder.classes.tolist() == sorted(set(y))


@few
@given(
    y=arrays(
        st.sampled_from([np.int64, np.uint8, np.float64, bool]),
        st.tuples(st.integers(2, 9), st.integers(2, 5)),
        elements=st.integers(0, 1),
    )
)
def test_indicators_are_decoded_with_their_dtype(y):
    # scikit-learn treats an indicator with a single value as multiclass.
    y[0, 0], y[1, 0] = 0, 1
    for spelling in (y, scipy.sparse.csr_matrix(y), torch.from_numpy(y), pd.DataFrame(y)):
        encoder = TargetEncoder.learn(spelling)
        targets = encoder.encode(spelling)
        found = encoder.decode(targets - 0.5)
        assert encoder.multilabel
        assert targets.dtype == np.float32
        assert found.dtype == y.dtype
        np.testing.assert_array_equal(found, y)


def test_classes_of_an_indicator_dataframe_are_its_columns():
    y = pd.DataFrame({"cat": [0, 1], "dog": [1, 1]})
    assert TargetEncoder.learn(y).classes.tolist() == ["cat", "dog"]


def test_classes_can_be_given_before_they_occur():
    encoder = TargetEncoder.learn(["cat", "cat"], classes=["dog", "ant", "cat"])
    assert encoder.encode(["cat", "dog"]).tolist() == [1, 2]
    named = TargetEncoder.learn([[0, 1], [1, 1]], classes=["left", "right"])
    assert named.multilabel
    assert named.classes.tolist() == ["left", "right"]
    with pytest.raises(ValueError, match="classes names 3 columns, but y has 2"):
        TargetEncoder.learn([[0, 1], [1, 1]], classes=["a", "b", "c"])


def test_many_classes_raise_no_warning():
    encoder = TargetEncoder.learn([3, 5], classes=np.arange(100))
    assert encoder.encode(np.arange(30)).tolist() == list(range(30))


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (None, "y is None. Expected a label for each image"),
        ([3, 3], r"one class only, \[3\].*Add images of another class"),
        ([0.5, 1.5], "Unknown label type: continuous"),
        ([0.0, np.nan], "NaN"),
        (pd.Series(["a", None]), "no label for 1 of 2 images, the first is image 1"),
        (np.array(["a", 1], dtype=object), r"int, str.*convert y with y.astype\(str\)"),
        ([[1, 2], [3, 4]], r"more than zeros and ones.*Expected labels \(n,\), or an indicator"),
    ],
)
def test_invalid_labels_raise_an_error(y, says):
    with pytest.raises(ValueError, match=says):
        TargetEncoder.learn(y)


@pytest.mark.parametrize(
    ("classes", "y"),
    [
        (["a", "b"], ["a", "c", "d"]),
        (np.array(["a", "b"], dtype=object), np.array(["a", "c", "d"], dtype=object)),
        ([1, 2], [1, 7, 8]),
        (np.array(["a", "b"], dtype=object), [0, 1, 1]),
        (["0", "1"], [0, 1, 1]),
    ],
)
def test_unknown_labels_raise_an_error(classes, y):
    encoder = TargetEncoder.learn(classes)
    with pytest.raises(ValueError, match=r"y_val holds labels .* not among the classes \["):
        encoder.encode(y, name="y_val")


def test_error_names_the_first_unknown_label_and_counts_the_rows():
    with pytest.raises(ValueError, match="9 in 3 rows, the first 1"):
        TargetEncoder.learn([1, 2]).encode([1, 9, 2, 8, 7])


def test_labels_and_indicators_cannot_be_exchanged_after_fit():
    with pytest.raises(ValueError, match=r"indicator of shape \(2, 2\); expected labels \(n,\)"):
        TargetEncoder.learn([0, 1]).encode([[0, 1], [1, 1]])
    several = TargetEncoder.learn([[0, 1], [1, 1]])
    for y in ([0, 1], [[0, 1, 1], [1, 1, 0]]):
        with pytest.raises(ValueError, match=r"of shape \(n, 2\), as in the first fit; got"):
            several.encode(y)


@few
@given(y=labels_of("strings"), data=st.data())
def test_balanced_weights_equal_those_of_scikit_learn_on_repeated_labels(y, data):
    times = data.draw(arrays(np.int64, len(y), elements=st.integers(1, 3)))
    encoder = TargetEncoder.learn(y)
    found = encoder.class_weights("balanced", encoder.encode(y), times.astype(float))
    repeated = np.repeat(y, times)
    expected = compute_class_weight("balanced", classes=encoder.classes, y=repeated)
    np.testing.assert_allclose(found, expected)


def test_balanced_weights_of_an_indicator_are_the_ratio_of_zeros_to_ones():
    y = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]])
    encoder = TargetEncoder.learn(y)
    found = encoder.class_weights("balanced", encoder.encode(y), None)
    # A column without ones or without zeros has weight 1.
    assert found.tolist() == [3, 1, 1]
    weighted = encoder.class_weights("balanced", encoder.encode(y), np.array([2.0, 1, 1, 0]))
    assert weighted.tolist() == [1, 1, 1]


def test_class_without_images_has_weight_zero():
    encoder = TargetEncoder.learn(["a", "b"], classes=["a", "b", "c"])
    found = encoder.class_weights("balanced", np.array([0, 1, 1, 1]), None)
    np.testing.assert_allclose(found, [4 / 3, 4 / 9, 0])


def test_labels_without_a_class_weight_have_weight_one():
    encoder = TargetEncoder.learn(["a", "b", "c"])
    codes = encoder.encode(["a", "b", "c"])
    assert encoder.class_weights(None, codes, None) is None
    assert encoder.class_weights({"b": 5}, codes, None).tolist() == [1, 5, 1]
    with pytest.raises(ValueError, match=r"y does not hold: \['d'\]. The classes are \['a',"):
        encoder.class_weights({"b": 5, "d": 2}, codes, None)


def test_invalid_sample_weights_raise_an_error():
    images = np.zeros((3, 2, 2, 1))
    assert check_weights(None, images, "sample_weight") is None
    assert check_weights([0, 2, 1], images, "sample_weight").tolist() == [0, 2, 1]
    for weights, says in (
        ([0, 0, 0], "at least one non-zero number"),
        ([1, -1, 1], "[Nn]egative"),
        ([1, 2], r"shape == \(2,\), expected \(3,\)"),
        ([1, np.nan, 1], "NaN"),
    ):
        with pytest.raises(ValueError, match=says):
            check_weights(weights, images, "sample_weight_val")
