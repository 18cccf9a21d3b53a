"""Conversion of images in any input format to arrays that matplotlib can show."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from skimgcls import ImageAugmenter, ImageLoader
from skimgcls.inspection._plots._pixels import count_images, take_pictures


def make_bytes(shape=(6, 5, 4, 3)):
    return np.random.RandomState(0).randint(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(6, 5, 4, 3), (6, 5, 4), (6, 5, 4, 1)])
def test_bytes_are_unchanged(shape):
    X = make_bytes(shape)
    for row, picture in zip([4, 0], take_pictures(X, [4, 0]), strict=True):
        assert picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, X[row].squeeze())


@pytest.mark.parametrize(
    ("factor", "offset"), [(1 / 255, 0), (1.0, 0), (257.0, 0), (16 / 255, 0), (2 / 255, -1)]
)
def test_any_value_range_is_scaled_to_one(factor, offset):
    X = make_bytes()
    X[0, 0, 0], X[1, 0, 0] = 0, 255
    (found,) = take_pictures(X * factor + offset, [3])
    np.testing.assert_allclose(found, X[3] / 255, atol=1e-6)


def test_dark_image_stays_dark_next_to_others():
    X = make_bytes() / 255.0
    X[2] *= 0.1
    assert take_pictures(X, [2])[0].max() <= 0.1


def test_images_of_one_color():
    assert take_pictures(np.full((2, 3, 3), 5.0), [0])[0].shape == (3, 3)


@pytest.mark.parametrize("spelling", ["rows", "DataFrame", "tensor", "list"])
def test_other_input_formats(spelling):
    X = make_bytes((4, 3, 3))
    spelled = {
        "rows": X.reshape(4, 9),
        "DataFrame": pd.DataFrame(X.reshape(4, 9)),
        "tensor": torch.from_numpy(X),
        "list": list(X),
    }[spelling]
    np.testing.assert_array_equal(take_pictures(spelled, [2])[0], X[2])
    assert count_images(spelled) == 4


def test_rows_with_image_shape():
    X = make_bytes((4, 2, 5, 3))
    found = take_pictures(X.reshape(4, 30), [1], image_shape=(2, 5, 3))
    np.testing.assert_array_equal(found[0], X[1])


@pytest.mark.parametrize(("channels", "expected"), [(2, (5, 4)), (4, (5, 4, 3)), (7, (5, 4))])
def test_other_numbers_of_channels(channels, expected):
    assert take_pictures(make_bytes((2, 5, 4, channels)), [0])[0].shape == expected


@pytest.fixture
def paths(tmp_path):
    """Return paths of images of three sizes, and of a file that is not an image."""
    for number, size in enumerate([(4, 6), (8, 3), (5, 5)]):
        pixels = make_bytes((*size, 3))
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "3.png").write_bytes(b"no image")
    return [str(path) for path in sorted(tmp_path.iterdir())]


def test_only_selected_files_are_read_in_their_original_size(paths):
    assert [p.shape for p in take_pictures(paths, [1, 0])] == [(8, 3, 3), (4, 6, 3)]
    assert count_images(paths) == 4


def test_output_of_a_loader(paths):
    X = ImageLoader(size=(4, 4)).fit(paths[:3]).transform(paths[:3])
    assert take_pictures(X, [2])[0].shape == (4, 4, 3)


def test_output_of_an_augmenter_is_not_augmented():
    X = make_bytes()
    lazy = ImageAugmenter(horizontal_flip=1.0).fit_transform(X)
    np.testing.assert_array_equal(take_pictures(lazy, [1])[0], X[1])
