"""Conversion of any input to images of shape (n, height, width, channels)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import few, pixels

from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._validation import check_image_shape, check_images


def array_of(X, **options):
    """Return the checked images as an array (n, height, width, channels)."""
    return check_images(X, **options).images.source


@few
@given(images=pixels)
def test_rows_and_images_of_one_shape_are_the_same_images(images):
    shape = images.shape[1:]
    rows = images.reshape(len(images), -1)
    for X in (rows, rows.tolist(), pd.DataFrame(rows), torch.from_numpy(rows), images):
        found = array_of(X, image_shape=shape)
        np.testing.assert_array_equal(found, images)


@few
@given(images=pixels)
def test_a_fitted_shape_is_accepted_as_rows_or_as_images(images):
    shape = images.shape[1:]
    for X in (images, images.reshape(len(images), -1), list(images), list(torch.tensor(images))):
        np.testing.assert_array_equal(array_of(X, fitted_shape=shape), images)


@few
@given(images=pixels)
def test_pixels_of_an_array_are_not_copied(images):
    rows = images.reshape(len(images), -1)
    for X in (images, rows, torch.from_numpy(rows)):
        assert np.shares_memory(array_of(X, image_shape=images.shape[1:]), images)


@given(side=st.integers(1, 40))
@few
def test_rows_with_a_square_number_of_pixels_are_square_gray_images(side):
    assert array_of(np.zeros((2, side**2))).shape == (2, side, side, 1)
    assert array_of(np.zeros((2, side**2 + side))).shape == (2, 1, side**2 + side, 1)


def test_images_of_two_dimensions_have_one_channel():
    assert array_of(np.zeros((3, 4, 5))).shape == (3, 4, 5, 1)
    assert array_of(np.zeros((3, 4, 5)), image_shape=(4, 5)).shape == (3, 4, 5, 1)


def test_a_guessed_shape_is_not_fixed():
    other = np.arange(32).reshape(2, 2, 8)
    found = array_of(other, fitted_shape=(4, 4, 1), any_spelling=True)
    np.testing.assert_array_equal(found, other.reshape(2, 4, 4, 1))
    with pytest.raises(ValueError, match="Resize or convert"):
        array_of(other, fitted_shape=(4, 4, 1))


def test_a_series_of_images_is_a_batch():
    images = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(array_of(pd.Series(list(images)))[..., 0], images)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (Path("cat.png"), "X is the path of one image.*pass a list"),
        (np.zeros((2, 3, 8, 8)), r"\(2, 3, 8, 8\), which looks like channels first.*transpose"),
        (np.zeros((2, 2, 2, 2, 2)), r"5 dimensions.*Expected \(n, pixels\)"),
        (np.zeros((2, 0, 4)), r"without a pixel: its shape is \(2, 0, 4\)"),
        (np.zeros((0, 4)), "0 sample"),
        (np.zeros(4), "Expected 2D array, got 1D"),
        (np.zeros((2, 4), complex), "Complex data not supported"),
        (np.array([["1", "2"]]), "X holds text, such as '1', in more than one column.*alone"),
        ([["1", "2"], ["3", "4"]], "X holds text, such as '1'"),
        (pd.DataFrame({"pixel": [1], "path": ["a.png"]}), "X holds text, such as 'a.png'"),
        (np.array([[1, 2], ["3", 4]], dtype=object), "X holds text, such as '3'"),
        ([[1, 2], [3]], r"ragged: image 1 has shape \(1,\), image 0 has \(2,\). Resize all"),
        ([[[1, 2], [3]], [[1, 2], [3, 4]]], "ragged inside one of its images"),
        ([np.zeros((2, 2)), np.zeros((2, 3))], r"ragged: image 1 has shape \(2, 3\)"),
    ],
)
def test_what_cannot_be_images_is_refused_with_advice(X, words):
    with pytest.raises(ValueError, match=words):
        array_of(X)


def test_images_three_pixels_high_with_many_bands_need_image_shape():
    X = np.zeros((2, 3, 8, 8))
    with pytest.raises(ValueError, match=r"image_shape=\(3, 8, 8\)"):
        array_of(X)
    assert array_of(X, image_shape=(3, 8, 8)).shape == X.shape


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.zeros((2, 5)), "makes 4 pixels, but the rows of X hold 5"),
        (np.zeros((2, 4, 1)), r"was asked for, but X has shape \(2, 4, 1\).*Drop image_shape"),
    ],
)
def test_images_of_another_shape_than_requested_are_refused(X, words):
    with pytest.raises(ValueError, match=words):
        array_of(X, image_shape=(2, 2))


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.zeros((2, 5)), "X has 5 features, but the CNN is expecting 48 features"),
        (np.zeros((4, 4, 3)), r"looks like one image.*pass X\[np.newaxis\]"),
        (np.zeros((2, 3, 4, 4)), "looks like channels first"),
        (np.zeros((2, 6, 8)), r"fitted on images of shape \(4, 4, 3\).*Resize or convert"),
    ],
)
def test_images_of_another_shape_than_fitted_are_refused(X, words):
    with pytest.raises(ValueError, match=words):
        array_of(X, fitted_shape=(4, 4, 3), estimator_name="the CNN")


@few
@given(images=pixels.filter(lambda images: images.dtype.kind == "f"), data=st.data())
def test_the_first_image_that_is_not_finite_is_named(images, data):
    first = data.draw(st.integers(0, len(images) - 1))
    bad = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    images[first:, 0, 0, 0] = bad
    what = "NaN" if np.isnan(bad) else "infinity"
    n_bad = len(images) - first
    words = f"contains {what}: {n_bad} of {len(images)} images do, the first is image {first}"
    with pytest.raises(ValueError, match=words):
        array_of(images, image_shape=images.shape[1:])


def test_opposite_infinities_do_not_cancel():
    with pytest.raises(ValueError, match="infinity: 2 of 3 images do, the first is image 0"):
        array_of([[np.inf, 0.0], [-np.inf, 0.0], [0.0, 0.0]])


def test_large_values_within_the_range_of_float32_are_accepted():
    largest = np.finfo(np.float32).max
    for dtype in (np.float32, np.float64):
        assert array_of(np.full((2, 2, 2), largest, dtype)).shape == (2, 2, 2, 1)
    with pytest.raises(ValueError, match=r"too large for float32: 1 of 2 images do, .* image 1"):
        array_of(np.array([[1.0], [-1e39]]))


@pytest.mark.parametrize("X", [None, 3, 2.5])
def test_values_that_are_no_collection_of_images_are_named(X):
    with pytest.raises(ValueError, match=rf"X must hold images; got {type(X).__name__}"):
        array_of(X)


def test_complex_pixels_are_refused_without_printing_them_all():
    with pytest.raises(ValueError, match="Complex data not supported: X is complex128") as caught:
        array_of(np.ones((50, 20, 20), dtype=complex))
    assert len(str(caught.value)) < 200


def test_tensors_of_dtypes_that_numpy_lacks_become_float32():
    assert array_of(torch.ones(2, 4, 4, dtype=torch.bfloat16)).dtype == np.float32


@pytest.mark.parametrize("image_shape", [(4,), (2, 2, 2, 2), (0, 4), (2.0, 2), 4, "44", None])
def test_an_image_shape_is_two_or_three_positive_integers(image_shape):
    with pytest.raises(ValueError, match=r"must be \(height, width\) or .*; got "):
        check_image_shape(image_shape)


def test_an_image_shape_may_be_a_list_of_numpy_integers():
    assert check_image_shape([np.int64(2), np.int64(3)]) == (2, 3, 1)
    assert check_image_shape((2, 3, 4)) == (2, 3, 4)


# The format of X


@pytest.mark.parametrize("shape", [(3, 16), (3, 4, 4), (3, 4, 4, 1), (3, 4, 4, 3)])
def test_arrays_are_restored_with_their_dimensions(shape):
    X = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    checked = check_images(X)
    assert not checked.is_lazy
    assert checked.is_rows == (len(shape) == 2)
    found = checked.give_back(checked.images)
    assert np.shares_memory(found, X)
    np.testing.assert_array_equal(found, X)


@pytest.mark.parametrize("ndim", [2, 4])
def test_lazy_images_are_restored_as_lazy_images(ndim):
    lazy = LazyImages(np.zeros((3, 4, 4, 1)), ndim=ndim)
    checked = check_images(lazy, any_size=True, fitted_shape=(9, 9, 1))
    assert checked.is_lazy
    assert not checked.is_rows
    assert checked.images is lazy
    assert checked.give_back(lazy) is lazy


def test_images_of_any_size_have_as_many_channels_and_rows_as_many_values():
    assert array_of(np.zeros((2, 3, 5)), fitted_shape=(4, 4, 1), any_size=True).shape == (
        2,
        3,
        5,
        1,
    )
    for X in (np.zeros((2, 3, 5, 3)), LazyImages(np.zeros((2, 3, 5, 3)))):
        with pytest.raises(ValueError, match="images of 3 channel"):
            check_images(X, fitted_shape=(4, 4, 1), any_size=True)
    with pytest.raises(ValueError, match="15 features"):
        check_images(np.zeros((2, 15)), fitted_shape=(4, 4, 1), any_size=True)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_float16_is_checked_like_float32(value):
    images = np.full((3, 2, 2), 0.5, np.float16)
    assert array_of(images).dtype == np.float16
    images[1, 0, 1] = value
    with pytest.raises(ValueError, match="1 of 3 images do, the first is image 1"):
        array_of(images)
