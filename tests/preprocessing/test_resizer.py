"""Tests of `ImageResizer`: bytes are resized as by Pillow, floats as by torchvision."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torchvision.transforms.v2 import functional as reference

from skimgcls._images._lazy_images import LazyImages
from skimgcls.preprocessing import ImageNormalizer, ImageResizer

few = settings(deadline=None, max_examples=40)
METHODS = ["fit", "crop", "pad"]
PILLOW = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
sizes = st.tuples(st.integers(1, 20), st.integers(1, 20))


def make_images(n=4, shape=(9, 12, 3), seed=0):
    return np.random.RandomState(seed).randint(0, 256, (n, *shape)).astype(np.uint8)


# Bytes


def resize_by_pillow(pixels, size, interpolation):
    """Resize rows first; not all versions do so when both axes are resized in one call."""
    image = Image.fromarray(pixels)
    rows = image.resize((size[1], image.height), interpolation)
    return np.asarray(rows.resize(size[::-1], interpolation))


@few
@given(given_size=sizes, size=sizes, interpolation=st.sampled_from(list(PILLOW)))
def test_bytes_are_resized_as_by_pillow(given_size, size, interpolation):
    images = make_images(2, (*given_size, 3))
    resize = ImageResizer(size, interpolation=interpolation)
    expected = [resize_by_pillow(image, size, PILLOW[interpolation]) for image in images]
    np.testing.assert_array_equal(resize.fit_transform(images), expected)
    gray = [resize_by_pillow(image[..., 0], size, PILLOW[interpolation]) for image in images]
    np.testing.assert_array_equal(resize.fit_transform(images[..., 0]), gray)


@pytest.mark.parametrize("channels", [1, 2, 4, 5])
@pytest.mark.parametrize("method", METHODS)
def test_each_channel_is_resized_independently(channels, method):
    images = make_images(shape=(9, 12, channels))
    behind = list(range(10, 10 + channels))
    found = ImageResizer((5, 7), method=method, background=behind).fit_transform(images)
    for channel in range(channels):
        one = ImageResizer((5, 7), method=method, background=behind[channel])
        expected = one.fit_transform(images[..., channel])
        np.testing.assert_array_equal(found[..., channel], expected)


def test_padding_equals_that_of_pillow():
    images = make_images(shape=(6, 12, 3))
    resizer = ImageResizer((8, 8), method="pad", background=(7, 8, 9))
    expected = [
        np.asarray(ImageOps.pad(Image.fromarray(image), (8, 8), PILLOW["bilinear"], (7, 8, 9)))
        for image in images
    ]
    np.testing.assert_array_equal(resizer.fit_transform(images), expected)


# Floats


@few
@given(
    given_size=sizes, size=sizes, interpolation=st.sampled_from(["bilinear", "bicubic"]),
    dtype=st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_floats_are_resized_as_by_torchvision(given_size, size, interpolation, dtype):
    images = np.random.RandomState(0).rand(2, *given_size, 3).astype(dtype)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2)
    expected = reference.resize(batch, list(size), getattr(
        reference.InterpolationMode, interpolation.upper()
    ), antialias=True).permute(0, 2, 3, 1)  # fmt: skip
    found = ImageResizer(size, interpolation=interpolation).fit_transform(images)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@few
@given(given_size=sizes, size=sizes, method=st.sampled_from(METHODS))
def test_floats_and_bytes_agree_to_rounding(given_size, size, method):
    images = make_images(2, (*given_size, 3))
    resizer = ImageResizer(size, method=method, background=(10, 20, 30))
    found = resizer.fit_transform(images.astype(np.float32))
    # Pillow rounds twice, after the columns and after the rows.
    np.testing.assert_allclose(found, resizer.fit_transform(images), rtol=0, atol=1.6)


# Methods, with expected values computed by hand


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_cropping_keeps_the_largest_central_part(dtype):
    image = np.arange(24, dtype=dtype).reshape(1, 4, 6)
    crop = ImageResizer((4, 4), method="crop").fit_transform(image)
    np.testing.assert_array_equal(crop, image[:, :, 1:5])
    crop = ImageResizer((2, 6), method="crop").fit_transform(image)
    np.testing.assert_array_equal(crop, image[:, 1:3])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_padding_keeps_the_whole_image_and_adds_background(dtype):
    image = np.arange(1, 9, dtype=dtype).reshape(1, 2, 4)
    found = ImageResizer((4, 4), method="pad", background=9).fit_transform(image)
    expected = np.full((1, 4, 4), 9, dtype)
    expected[:, 1:3] = image
    np.testing.assert_array_equal(found, expected)


def test_a_background_has_one_value_per_channel_in_units_of_the_pixels():
    images = np.zeros((1, 2, 4, 3), np.float32)
    found = ImageResizer(4, method="pad", background=(0.25, -0.5, 1)).fit_transform(images)
    np.testing.assert_array_equal(found[0, 0, 0], [0.25, -0.5, 1])
    np.testing.assert_array_equal(found[0, 1, 0], [0, 0, 0])


def test_shrinking_averages_pixels():
    stripes = np.tile([0.0, 1.0], (1, 8, 4))
    found = ImageResizer(2).fit_transform(stripes)
    np.testing.assert_allclose(found, 0.5, atol=0.1)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64])
@pytest.mark.parametrize("size", [(3, 4), (17, 31)])
def test_nearest_pixels_keep_their_values(dtype, size):
    masks = (make_images(shape=(9, 12)) % 4 * 60).astype(dtype)
    found = ImageResizer(size, interpolation="nearest").fit_transform(masks)
    assert set(np.unique(found)) <= {0, 60, 120, 180}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_resizing_to_the_same_size_changes_nothing(method, dtype):
    images = make_images().astype(dtype)
    found = ImageResizer((9, 12), method=method).fit_transform(images)
    np.testing.assert_array_equal(found, images)
    assert found.dtype == dtype


@pytest.mark.parametrize("size", [5, (5, 5), [5, 5], (5,), np.array([5, 5]), np.int64(5)])
def test_a_size_can_be_given_in_many_ways(size):
    assert ImageResizer(size).fit_transform(make_images()).shape == (4, 5, 5, 3)


def test_rows_are_returned_as_rows():
    assert ImageResizer((2, 3)).fit_transform(np.zeros((4, 64))).shape == (4, 6)


# Lazy images


@pytest.mark.parametrize("method", METHODS)
def test_lazy_bytes_are_resized_by_pillow_and_changed_images_by_torch(method):
    images, resizer = make_images(), ImageResizer((5, 7), method=method)
    found = np.asarray(resizer.fit_transform(LazyImages(images)))
    np.testing.assert_array_equal(found, resizer.fit_transform(images))
    assert found.dtype == np.uint8
    normalizer = ImageNormalizer("unit").fit(images)
    lazy = resizer.fit_transform(normalizer.transform(LazyImages(images)))
    expected = resizer.fit_transform(normalizer.transform(images))
    np.testing.assert_array_equal(np.asarray(lazy), expected)


# Errors


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"size": 0}, "size"),
        ({"size": (2, 3, 4)}, "an integer or"),
        ({"size": (2, 0)}, "positive integer"),
        ({"size": (2.5, 3)}, "positive integer"),
        ({"size": None}, "size"),
        ({"method": "stretch"}, "method"),
        ({"interpolation": "lanczos"}, "interpolation"),
        ({"background": (1, 2)}, r"has 2 numbers, but the images have 3 channel\(s\)"),
        ({"background": np.nan}, "background must be finite"),
    ],
)
def test_invalid_parameters_are_refused(params, words):
    with pytest.raises(ValueError, match=words):
        ImageResizer(**params).fit(make_images())
