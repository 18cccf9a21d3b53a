"""Tests of the common behavior of all image transformers."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skimgcls._images._lazy_images import LazyImages
from skimgcls.preprocessing import (
    ImageAugmenter,
    ImageFlattener,
    ImageLoader,
    ImageNormalizer,
    ImageResizer,
)

EACH = {
    "loader": ImageLoader(),
    "loader with a size": ImageLoader(4),
    "resizer": ImageResizer(4),
    "normalizer": ImageNormalizer("unit"),
    "flattener": ImageFlattener(),
    "augmenter": ImageAugmenter(horizontal_flip=1.0),
}
ANY_SIZE = ["loader", "loader with a size", "resizer", "normalizer"]
SAME_SIZE = ["flattener", "augmenter"]
each = pytest.mark.parametrize("name", EACH)


def make_images(n=6, shape=(8, 8), seed=0):
    return np.random.RandomState(seed).randint(0, 256, (n, *shape)).astype(np.uint8)


def plain(X):
    """Return the pixels of lazy or other images, without augmentation."""
    return next(X.evaluated([np.arange(len(X))])) if isinstance(X, LazyImages) else np.asarray(X)


@pytest.fixture
def paths(tmp_path):
    images = make_images(shape=(8, 8, 3))
    paths = [str(tmp_path / f"{index}.png") for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    return paths


@each
def test_every_input_format_of_gray_images_gives_the_same_pixels(name, spell):
    images = make_images()
    expected = plain(clone(EACH[name]).fit_transform(images)).reshape(6, -1)
    X = spell(images)
    found = plain(clone(EACH[name]).fit_transform(X)).reshape(6, -1)
    # Lists are not uint8, so resized pixels are not rounded.
    tolerance = 0 if found.dtype == expected.dtype else 1
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", [name for name in EACH if name != "flattener"])
def test_the_output_has_the_format_of_the_input(name):
    color = make_images(shape=(8, 8, 3))
    transformer = clone(EACH[name])
    for X in (color, color[..., 0], color[..., :1], color[..., 0].reshape(6, -1)):
        assert transformer.fit_transform(X).ndim == X.ndim


@each
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64, bool, ">f4"])
def test_the_dtype_of_pixels_is_kept_where_possible(name, dtype):
    X = (make_images() / 255 * 1.99).astype(dtype)
    found = clone(EACH[name]).fit_transform(X).dtype
    floats = np.float64 if X.dtype == np.float64 else np.float32
    if name in ("loader", "flattener", "augmenter"):
        assert found == X.dtype
    elif name == "normalizer" or X.dtype != np.uint8:
        assert found == floats
    else:
        assert found == np.uint8


@each
def test_files_give_their_pixels_bit_for_bit(name, paths):
    pixels = np.asarray(ImageLoader().fit_transform(paths))
    np.testing.assert_array_equal(pixels, make_images(shape=(8, 8, 3)))
    lazy = ImageLoader().fit_transform(paths)
    expected = plain(clone(EACH[name]).fit_transform(pixels))
    for X in (lazy, paths):
        found = clone(EACH[name]).fit_transform(X)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(plain(found), expected)


@each
def test_the_input_is_never_modified(name):
    X = make_images().astype(np.float32)
    X.setflags(write=False)
    before = X.copy()
    plain(clone(EACH[name]).fit_transform(X))
    np.testing.assert_array_equal(X, before)


@each
def test_tensors_and_lists_of_tensors_are_images(name):
    images = make_images(shape=(8, 8, 3))
    expected = plain(clone(EACH[name]).fit_transform(images))
    for X in (torch.from_numpy(images), list(torch.from_numpy(images))):
        np.testing.assert_array_equal(plain(clone(EACH[name]).fit_transform(X)), expected)


@each
def test_attributes_describe_the_input(name):
    transformer = clone(EACH[name]).fit(make_images(shape=(8, 6, 3)))
    assert transformer.image_shape_ == (8, 6, 3)
    assert transformer.n_features_in_ == 144
    frame = pd.DataFrame(make_images().reshape(6, -1)).add_prefix("pixel")
    assert transformer.fit(frame).feature_names_in_[63] == "pixel63"
    assert not hasattr(transformer.fit(make_images()), "feature_names_in_")


@each
def test_copies_transform_alike(name):
    X = make_images()
    transformer = clone(EACH[name]).fit(X)
    again = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(plain(again.transform(X)), plain(transformer.transform(X)))


@each
def test_transform_before_fit_is_refused(name):
    with pytest.raises(NotFittedError):
        clone(EACH[name]).transform(make_images())


@each
@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.zeros((2, 3, 8, 8)), "channels first"),
        (np.zeros((0, 4)), "0 sample"),
        ([np.zeros((2, 2)), np.zeros((2, 3))], "ragged: image 1"),
        (np.full((2, 4), np.nan), "NaN: 2 of 2 images do, the first is image 0"),
        ([["a.png", "cat"]], "text, such as 'a.png', in more than one column"),
        (pd.DataFrame({"path": ["a.png"], "label": ["cat"]}), "in more than one column"),
        ("a.png", "X is the path of one image"),
    ],
)
def test_what_cannot_be_images_is_refused_with_advice(name, X, words):
    with pytest.raises(ValueError, match=words):
        clone(EACH[name]).fit(X)


@each
def test_all_transformers_refuse_missing_files(name, paths):
    with pytest.raises(FileNotFoundError, match=r"X\[6\]: There is no file 'gone.png'"):
        clone(EACH[name]).fit([*paths, "gone.png"])


@pytest.mark.parametrize("name", ANY_SIZE)
def test_images_of_another_size_are_accepted(name):
    transformer = clone(EACH[name]).fit(make_images(shape=(8, 8, 3)))
    found = transformer.transform(make_images(shape=(5, 9, 3)))
    assert found.shape[1:] == ((4, 4, 3) if "size" in name or name == "resizer" else (5, 9, 3))


@pytest.mark.parametrize("name", SAME_SIZE)
def test_images_of_another_size_are_refused_where_the_size_matters(name):
    transformer = clone(EACH[name]).fit(make_images(shape=(8, 8, 3)))
    with pytest.raises(ValueError, match=r"fitted on images of shape \(8, 8, 3\)"):
        transformer.transform(make_images(shape=(5, 9, 3)))


@each
def test_images_of_other_channels_are_refused(name):
    transformer = clone(EACH[name]).fit(make_images(shape=(8, 8, 3)))
    for channels in (1, 4):
        with pytest.raises(ValueError, match="fitted on images of"):
            transformer.transform(make_images(shape=(8, 8, channels)))
    with pytest.raises(ValueError, match="fitted on images of"):
        transformer.transform(LazyImages(make_images(shape=(8, 8, 1))))


@pytest.mark.parametrize("name", ["resizer", "normalizer", "flattener", "augmenter"])
def test_after_gray_images_files_are_read_as_gray(name, paths):
    gray = np.stack([np.asarray(Image.open(path).convert("L")) for path in paths])
    transformer = clone(EACH[name]).fit(gray)
    expected = plain(transformer.transform(gray)).ravel()
    for X in (paths, ImageLoader().fit_transform(paths)):
        np.testing.assert_array_equal(plain(transformer.transform(X)).ravel(), expected)


@each
def test_rows_of_another_length_are_refused(name):
    transformer = clone(EACH[name]).fit(np.zeros((2, 64)))
    with pytest.raises(ValueError, match=r"X has 81 features, but Image.* is expecting 64"):
        transformer.transform(np.zeros((2, 81)))


@pytest.mark.parametrize("name", ["resizer", "normalizer", "augmenter"])
def test_the_shape_of_rows_can_be_given(name):
    color = make_images(shape=(4, 6, 3))
    transformer = clone(EACH[name]).set_params(image_shape=(4, 6, 3))
    found = plain(transformer.fit_transform(color.reshape(6, -1)))
    expected = plain(clone(EACH[name]).fit_transform(color))
    np.testing.assert_array_equal(found.ravel(), expected.ravel())
    with pytest.raises(ValueError, match="makes 72 pixels, but the rows of X hold 64"):
        transformer.fit(np.zeros((2, 64)))


BAD = {
    "loader": (ImageLoader(background=(1, 2)), make_images()),
    "resizer": (ImageResizer(background=(1, 2)), make_images()),
    "normalizer": (ImageNormalizer("imagenet"), make_images()),
    "flattener": (ImageFlattener(), [[np.nan]]),
    "augmenter": (ImageAugmenter(image_shape=(3, 3)), make_images()),
}


@pytest.mark.parametrize("name", BAD)
def test_a_failed_fit_changes_nothing(name):
    bad, X = BAD[name]
    fresh = clone(bad)
    with pytest.raises(ValueError, match=r".+"):
        fresh.fit(X)
    with pytest.raises(NotFittedError):
        fresh.transform(X)
    transformer = clone(EACH[name]).fit(make_images(shape=(8, 8, 3)))
    transformer.set_params(**bad.get_params())
    before = pickle.dumps(vars(transformer))
    with pytest.raises(ValueError, match=r".+"):
        transformer.fit(X)
    assert pickle.dumps(vars(transformer)) == before


# Containers of the output


def test_images_stay_images_whatever_the_container():
    images = make_images()
    pipe = make_pipeline(ImageResizer(4), ImageNormalizer(), ImageAugmenter())
    expected = pipe.fit_transform(images)
    found = pipe.set_output(transform="pandas").fit_transform(images)
    assert type(found) is type(expected)


@pytest.mark.parametrize("container", ["pandas", "default"])
def test_features_get_the_container_also_in_a_column_transformer(tmp_path, container):
    paths = [str(tmp_path / f"{index}.png") for index in range(3)]
    for index, path in enumerate(paths):
        Image.new("RGB", (4, 4), (index, 9, 9)).save(path)
    table = pd.DataFrame({"path": paths, "age": [1.0, 2.0, 3.0]})
    columns = ColumnTransformer(
        [
            ("image", make_pipeline(ImageLoader(size=2), ImageFlattener()), ["path"]),
            ("age", "passthrough", ["age"]),
        ]
    ).set_output(transform=container)
    found = columns.fit_transform(table)
    assert isinstance(found, pd.DataFrame) == (container == "pandas")
    np.testing.assert_array_equal(np.asarray(found)[:, -1], table["age"])
    if container == "pandas":
        assert found.columns[0] == "image__pixel_0_0_0"
