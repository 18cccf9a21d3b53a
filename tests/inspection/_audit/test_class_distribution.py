"""class_distribution."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from skimgcls.inspection import class_distribution

few = settings(deadline=None, max_examples=50)
PETS = ["cat", "dog", "cat", "owl", "cat"]


@few
@given(y=st.lists(st.integers(0, 6), min_size=1, max_size=50))
def test_counts_fractions_and_weights_match_numpy_and_scikit_learn(y):
    table = class_distribution(y)
    classes, counts = np.unique(y, return_counts=True)
    assert table.columns.tolist() == ["count", "share", "weight"]
    assert table.index.tolist() == classes.tolist()
    assert table["count"].tolist() == counts.tolist()
    np.testing.assert_allclose(table["share"], counts / len(y))
    expected = compute_class_weight("balanced", classes=classes, y=np.array(y))
    np.testing.assert_allclose(table["weight"], expected)


@pytest.mark.parametrize(
    "y",
    [
        np.array(PETS),
        np.array(PETS, dtype=object),
        pd.Series(PETS),
        pd.Series(PETS, dtype="category"),
        pd.Series(PETS, dtype="string"),
        pd.Series(PETS, index=[9, 8, 7, 6, 5]),
        pd.DataFrame({"label": PETS}),
        tuple(PETS),
    ],
)
def test_labels_in_every_container(y):
    pd.testing.assert_frame_equal(
        class_distribution(y), class_distribution(PETS), check_index_type=False
    )


def test_integer_labels_keep_their_type():
    for y in ([2, 1, 2], pd.Series([2, 1, 2], dtype="Int64"), pd.Series([2, 1, 2], dtype=object)):
        assert class_distribution(y).index.dtype == np.int64


def test_single_class():
    table = class_distribution(["cat", "cat"])
    assert table.loc["cat"].tolist() == [2, 1.0, 1.0]


def test_classes_of_an_indicator_are_its_columns():
    indicator = pd.DataFrame({"dog": [1, 1, 0, 1], "cat": [0, 1, 0, 0], "owl": [0, 0, 0, 0]})
    table = class_distribution(indicator)
    assert table.index.tolist() == ["dog", "cat", "owl"]
    assert table["count"].tolist() == [3, 1, 0]
    assert table["share"].tolist() == [0.75, 0.25, 0.0]
    np.testing.assert_allclose(table["weight"], [1 / 3, 3, 1])


@pytest.mark.parametrize("spell", [np.array, scipy.sparse.csr_matrix, pd.DataFrame, list])
def test_indicator_in_every_container(spell):
    table = class_distribution(spell([[1, 0], [1, 1], [0, 0]]))
    assert table.index.tolist() == [0, 1]
    assert table["count"].tolist() == [2, 1]


def test_several_sets_share_the_union_of_their_classes():
    table = class_distribution({"train": ["cat", "cat", "dog"], "test": ["owl"]})
    assert table.index.tolist() == ["cat", "dog", "owl"]
    assert table.index.name == "class"
    assert table["train"]["count"].tolist() == [2, 1, 0]
    assert table["test"]["share"].tolist() == [0.0, 0.0, 1.0]
    assert table["test"]["count"].dtype == np.int64


def test_weights_of_a_set_match_balanced_class_weights_of_a_fit():
    train = ["cat", "cat", "dog"]
    table = class_distribution({"train": train, "test": ["owl"]})
    expected = class_distribution(train)["weight"]
    assert table["train"]["weight"].tolist()[:2] == expected.tolist()
    assert np.isnan(table.loc["owl", ("train", "weight")])


@pytest.mark.parametrize("empty", [[], np.array([]), pd.Series([], dtype=object)])
def test_empty_labels_are_rejected(empty):
    with pytest.raises(ValueError, match=r"y is empty\. Expected a label for each image"):
        class_distribution(empty)
    with pytest.raises(ValueError, match=r"y\['test'\] is empty"):
        class_distribution({"train": PETS, "test": empty})


def test_empty_dict_of_sets_is_rejected():
    with pytest.raises(ValueError, match="y is an empty dict"):
        class_distribution({})


@pytest.mark.parametrize("y", [None, 3, "cat"])
def test_invalid_labels_are_rejected(y):
    with pytest.raises(ValueError, match="y must hold a label for each image; got"):
        class_distribution(y)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_first_missing_label_is_named(missing):
    words = "y has no label for 2 of 4 images, the first are images 1, 3"
    labels = ["cat", missing, "dog", missing]
    for y in (labels, pd.Series(labels), pd.Series(labels, dtype="string")):
        with pytest.raises(ValueError, match=words):
            class_distribution(y)
    with pytest.raises(ValueError, match="1 of 2 images, the first is image 1"):
        class_distribution(pd.DataFrame({"cat": [1, 0], "dog": [0, np.nan]}))


def test_labels_of_mixed_types_are_rejected():
    with pytest.raises(ValueError, match="y mixes labels of the types int, str"):
        class_distribution(np.array([1, "cat"], dtype=object))
    with pytest.raises(ValueError, match="different kinds: 'train' has 1, 'test' has 'cat'"):
        class_distribution({"train": [1, 2], "test": ["cat"]})


def test_continuous_targets_are_rejected():
    with pytest.raises(ValueError, match="Unknown label type"):
        class_distribution([0.5, 1.25, 3.75])
    with pytest.raises(ValueError, match="more than zeros and ones"):
        class_distribution([[0, 2], [1, 1]])
