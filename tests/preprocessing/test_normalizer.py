"""Tests of `ImageNormalizer`."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torchvision.transforms.v2 import functional as reference

from skimgcls._images._lazy_images import LazyImages
from skimgcls.preprocessing import (
    ImageAugmenter,
    ImageFlattener,
    ImageLoader,
    ImageNormalizer,
    ImageResizer,
)

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def make_images(n=10, shape=(6, 8, 3), seed=0):
    return np.random.RandomState(seed).randint(3, 250, (n, *shape)).astype(np.uint8)


# Statistics


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_standard_is_the_standard_scaler_of_each_channel(dtype):
    images = make_images().astype(dtype)
    normalizer = ImageNormalizer().fit(images)
    scaler = StandardScaler().fit(images.reshape(-1, 3).astype(np.float64))
    np.testing.assert_allclose(normalizer.mean_, scaler.mean_, rtol=1e-12)
    np.testing.assert_allclose(normalizer.scale_, scaler.scale_, rtol=1e-12)
    expected = scaler.transform(images.reshape(-1, 3).astype(np.float64)).reshape(images.shape)
    np.testing.assert_allclose(normalizer.transform(images), expected, atol=1e-6)


def test_unit_always_divides_bytes_by_255():
    images = make_images()
    normalizer = ImageNormalizer("unit").fit(images[:2])
    np.testing.assert_array_equal(normalizer.transform(images), images / np.float32(255))
    np.testing.assert_array_equal(normalizer.mean_, [0, 0, 0])
    np.testing.assert_array_equal(normalizer.scale_, [255, 255, 255])


def test_unit_scales_the_minimum_and_maximum_to_0_and_1():
    images = np.array([[[-3.0, 1.0]], [[5.0, 0.0]]])
    found = ImageNormalizer("unit").fit_transform(images)
    np.testing.assert_array_equal(found, [[[0, 0.5]], [[1, 0.375]]])


@pytest.mark.parametrize(("factor", "dtype"), [(1, np.uint8), (1, np.float32), (1 / 255, float)])
def test_imagenet_equals_the_normalization_of_torchvision(factor, dtype):
    images = (make_images() * factor).astype(dtype)
    found = ImageNormalizer("imagenet").fit_transform(images)
    batch = reference.to_image(make_images()[0])
    expected = reference.normalize(reference.to_dtype(batch, scale=True), *IMAGENET)
    np.testing.assert_allclose(found[0], expected.permute(1, 2, 0), atol=1e-5)


@pytest.mark.parametrize(
    "statistics",
    [(10, 2), ([10, 10, 10], [2, 2, 2]), [10, (2, 2, 2)], (np.full(3, 10), 2.0)],
)
def test_statistics_can_be_given(statistics):
    images = make_images()
    found = ImageNormalizer(statistics).fit_transform(images)
    np.testing.assert_array_equal(found, (images.astype(np.float32) - 10) / 2)


@pytest.mark.parametrize("statistics", ["standard", "unit"])
@pytest.mark.parametrize("value", [0, 7])
def test_images_of_one_value_become_zeros(statistics, value):
    for X in (np.full((3, 4, 4), value, np.float32), np.full((3, 4, 4), float(value))):
        found = ImageNormalizer(statistics).fit_transform(X)
        np.testing.assert_allclose(found, 0, atol=1e-14)


def test_one_constant_channel_does_not_disturb_the_others():
    images = make_images()
    images[..., 1] = 9
    found = ImageNormalizer().fit_transform(images)
    np.testing.assert_array_equal(found[..., 1], 0)
    np.testing.assert_allclose(found[..., [0, 2]].std(axis=(0, 1, 2)), 1, rtol=1e-5)


# Files


@pytest.mark.parametrize("statistics", ["standard", "unit", "imagenet"])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_files_give_the_statistics_of_their_pixels(statistics, n_jobs, tmp_path):
    images = make_images()
    for index, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    paths = [tmp_path / f"{index}.png" for index in range(len(images))]
    files = ImageLoader(n_jobs=n_jobs).fit_transform(paths)
    of_files, of_pixels = (ImageNormalizer(statistics).fit(X) for X in (files, images))
    np.testing.assert_array_equal(of_files.mean_, of_pixels.mean_)
    np.testing.assert_array_equal(of_files.scale_, of_pixels.scale_)
    lazy = of_files.transform(files)
    assert isinstance(lazy, LazyImages)
    np.testing.assert_array_equal(np.asarray(lazy), of_pixels.transform(images))


def test_statistics_are_computed_after_earlier_steps():
    images = make_images().astype(np.float32)
    lazy = LazyImages(images)
    first = ImageNormalizer((100, 10)).fit(lazy)
    by_hand = (images - 100) / 10
    for statistics in ("standard", "unit"):
        second = ImageNormalizer(statistics).fit(first.transform(lazy))
        expected = ImageNormalizer(statistics).fit(by_hand)
        np.testing.assert_array_equal(second.mean_, expected.mean_)
        np.testing.assert_array_equal(second.scale_, expected.scale_)


def test_statistics_are_computed_without_random_changes():
    images = make_images()
    augmented = ImageAugmenter(brightness=0.9).fit_transform(images)
    np.testing.assert_array_equal(
        ImageNormalizer().fit(augmented).mean_, ImageNormalizer().fit(images).mean_
    )


# Inverse transform


@pytest.mark.parametrize("statistics", ["standard", "unit", "imagenet", (3, 7)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_the_inverse_restores_the_pixels(statistics, dtype):
    images = make_images().astype(dtype)
    normalizer = ImageNormalizer(statistics).fit(images)
    back = normalizer.inverse_transform(normalizer.transform(images))
    assert back.dtype == (np.float64 if dtype == np.float64 else np.float32)
    np.testing.assert_allclose(back, images, atol=1e-4)
    lazy = normalizer.inverse_transform(normalizer.transform(LazyImages(images)))
    np.testing.assert_array_equal(np.asarray(lazy), back)


def test_the_inverse_needs_no_column_names():
    frame = pd.DataFrame(make_images(shape=(4, 4)).reshape(10, -1)).add_prefix("pixel")
    normalizer = ImageNormalizer().fit(frame)
    back = normalizer.inverse_transform(normalizer.transform(frame))
    np.testing.assert_allclose(back, frame, atol=1e-4)


# In a Pipeline


@pytest.mark.parametrize("clf", [SVC(), RandomForestClassifier(10, random_state=0)])
def test_other_classifiers_accept_normalized_images(clf, stripes):
    X, y = stripes
    for steps in ((ImageNormalizer(), ImageFlattener()), (ImageFlattener(), ImageNormalizer())):
        assert make_pipeline(*steps, clf).fit(X, y).score(X, y) > 0.9


def test_images_of_another_size_have_the_same_statistics():
    normalizer = ImageNormalizer((10, 2)).fit(make_images())
    other = make_images(shape=(3, 5, 3))
    found = normalizer.transform(other)
    np.testing.assert_array_equal(found, (other.astype(np.float32) - 10) / 2)
    chain = make_pipeline(ImageNormalizer(), ImageResizer(4)).fit(make_images())
    assert chain.transform(other).shape == (10, 4, 4, 3)


# Errors


@pytest.mark.parametrize(
    ("statistics", "words"),
    [
        ("minmax", "statistics"),
        ((1,), r"must be 'standard', 'unit', 'imagenet' or \(mean, scale\)"),
        ((1, 2, 3), "or one per channel"),
        (("a", "b"), "or one per channel"),
        (((1, 2), 1), r"does not match the images, which have 3 channel\(s\)"),
        ((0, 0), "finite with a positive scale"),
        ((0, -1), "finite with a positive scale"),
        ((np.inf, 1), "finite with a positive scale"),
        ((0, [1, 1, np.nan]), "finite with a positive scale"),
    ],
)
def test_invalid_statistics_are_refused(statistics, words):
    with pytest.raises(ValueError, match=words):
        ImageNormalizer(statistics).fit(make_images())


@pytest.mark.parametrize("X", [make_images()[..., 0], make_images()[..., :2]])
def test_imagenet_needs_three_channels(X):
    with pytest.raises(ValueError, match=r"of 3 channels; got .*mode='RGB'"):
        ImageNormalizer("imagenet").fit(X)


@pytest.mark.parametrize("offset", [-10.0, 10.0])
def test_imagenet_needs_a_known_pixel_range(offset):
    with pytest.raises(ValueError, match=r"from 0 to 1 or from 0 to 255; got values from"):
        ImageNormalizer("imagenet").fit(make_images() + offset)
