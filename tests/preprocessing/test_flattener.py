"""Tests of `ImageFlattener`."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skimgcls.preprocessing import ImageFlattener, ImageLoader, ImageNormalizer


def make_images(n=6, shape=(4, 5, 3)):
    return np.random.RandomState(0).randint(0, 256, (n, *shape)).astype(np.uint8)


@pytest.fixture
def paths(tmp_path):
    for index, image in enumerate(make_images()):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    return [tmp_path / f"{index}.png" for index in range(6)]


def test_a_row_has_the_pixels_in_the_order_of_the_array():
    images = make_images()
    for X in (images, images[..., 0], images[..., :1]):
        np.testing.assert_array_equal(ImageFlattener().fit_transform(X), X.reshape(6, -1))


def test_rows_pass_through():
    rows = np.arange(40.0).reshape(2, 20)
    assert np.shares_memory(ImageFlattener().fit_transform(rows), rows)


def test_lazy_images_are_read(paths):
    for X in (paths, ImageLoader().fit_transform(paths)):
        found = ImageFlattener().fit_transform(X)
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, make_images().reshape(6, -1))


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5, 1), (4, 5), (20,)])
def test_the_inverse_converts_rows_to_images(shape):
    images = make_images(shape=shape)
    flattener = ImageFlattener().fit(images)
    np.testing.assert_array_equal(flattener.inverse_transform(flattener.transform(images)), images)


def test_the_inverse_needs_no_column_names():
    frame = pd.DataFrame(make_images(shape=(16,))).add_prefix("pixel")
    flattener = ImageFlattener().fit(frame)
    np.testing.assert_array_equal(flattener.inverse_transform(frame.to_numpy()), frame)
    flattener.fit(make_images()).set_output(transform="pandas")
    named = flattener.transform(make_images())
    np.testing.assert_array_equal(flattener.inverse_transform(named), make_images())


def test_columns_are_named_by_their_position():
    names = ImageFlattener().fit(make_images()).get_feature_names_out()
    assert names.tolist()[:4] == ["pixel_0_0_0", "pixel_0_0_1", "pixel_0_0_2", "pixel_0_1_0"]
    assert names[-1] == "pixel_3_4_2"
    assert len(set(names)) == 60
    gray = ImageFlattener().fit(make_images(shape=(4, 5))).get_feature_names_out()
    assert gray.tolist()[:6:5] == ["pixel_0_0", "pixel_1_0"]


def test_column_names_of_rows_are_kept():
    frame = pd.DataFrame(make_images(shape=(16,))).add_prefix("p")
    flattener = ImageFlattener().fit(frame)
    assert flattener.get_feature_names_out().tolist() == list(frame.columns)
    numbered = ImageFlattener().fit(frame.to_numpy()).get_feature_names_out()
    assert numbered.tolist()[:2] == ["x0", "x1"]


def test_each_column_name_belongs_to_its_pixel(paths):
    flattener = ImageFlattener().set_output(transform="pandas")
    frame = flattener.fit_transform(ImageLoader().fit_transform(paths))
    np.testing.assert_array_equal(frame["pixel_2_3_1"], make_images()[:, 2, 3, 1])


def test_svc_gives_the_same_result_for_files_and_their_pixels(paths):
    y = [0, 1] * 3
    pipe = make_pipeline(ImageLoader(), ImageNormalizer("unit"), ImageFlattener(), SVC())
    found = clone(pipe).fit(paths, y).decision_function(paths)
    pixels = clone(pipe).fit(make_images(), y).decision_function(make_images())
    np.testing.assert_array_equal(found, pixels)
