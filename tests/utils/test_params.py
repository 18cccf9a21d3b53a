"""Parameter checks that scikit-learn's constraints cannot express."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skimgcls.utils._params import check_sizes

few = settings(deadline=None, max_examples=50)
positive = st.integers(1, 1000)


@few
@given(sizes=st.lists(positive))
def test_sizes_can_be_any_array_like_of_integers(sizes):
    for spelling in (sizes, tuple(sizes), np.array(sizes, dtype=np.int64)):
        found = check_sizes("hidden_layer_sizes", spelling)
        assert found == tuple(sizes)
        assert all(type(size) is int for size in found)


@few
@given(size=positive, length=st.integers(0, 5))
def test_single_size_is_repeated(size, length):
    assert check_sizes("pool_size", size, length=length) == (size,) * length
    assert check_sizes("pool_size", np.int64(size)) == (size,)


@pytest.mark.parametrize("sizes", [0, -1, 2.0, "32", None, (3, 0), (3, 2.5), ("3",), {3}])
def test_invalid_sizes_raise_an_error_with_the_name_and_the_value(sizes):
    with pytest.raises(ValueError, match=r"^conv_channels must be a positive .* got ") as error:
        check_sizes("conv_channels", sizes)
    assert repr(sizes) in str(error.value)


def test_number_of_sizes_must_equal_the_length():
    assert check_sizes("pool_size", (2, 1), length=2) == (2, 1)
    with pytest.raises(ValueError, match=r"or 3 of them, one per convolution; got \(2, 1\)"):
        check_sizes("pool_size", (2, 1), length=3)
