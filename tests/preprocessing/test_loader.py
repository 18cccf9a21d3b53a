"""Tests of `ImageLoader`."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skimgcls import CNNImageClassifier, ModuleImageClassifier
from skimgcls._images._lazy_images import LazyImages
from skimgcls.preprocessing import (
    ImageAugmenter,
    ImageFlattener,
    ImageLoader,
    ImageNormalizer,
    ImageResizer,
)

METHODS = ["fit", "crop", "pad"]
INTERPOLATIONS = ["nearest", "bilinear", "bicubic"]


def make_images(n=12, shape=(9, 12, 3), seed=0):
    return np.random.RandomState(seed).randint(0, 256, (n, *shape)).astype(np.uint8)


def write(folder, images):
    paths = [str(folder / f"{index}.png") for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    return paths


@pytest.fixture
def images():
    return make_images()


@pytest.fixture
def paths(tmp_path, images):
    return write(tmp_path, images)


@pytest.fixture
def many_sizes(tmp_path):
    """Return files of different sizes, and their pixels."""
    images = [make_images(1, (side, 2 * side, 3), side)[0] for side in range(4, 16)]
    return write(tmp_path, images), images


def test_files_become_lazy_images_of_their_pixels(paths, images):
    loader = ImageLoader()
    found = loader.fit_transform(paths)
    assert isinstance(found, LazyImages)
    assert loader.n_features_in_ == 1
    np.testing.assert_array_equal(np.asarray(found), images)


def test_columns_lists_and_bytes_give_the_same_images(paths, images):
    frame = pd.DataFrame({"path": paths})
    data = [Path(path).read_bytes() for path in paths]
    spellings = (frame, frame["path"], [Path(path) for path in paths], data, np.array(paths))
    for X in spellings:
        np.testing.assert_array_equal(np.asarray(ImageLoader().fit_transform(X)), images)


def test_the_column_may_have_any_name(paths, images):
    loader = ImageLoader().fit(pd.DataFrame({"path": paths}))
    found = loader.transform(pd.DataFrame({"file": paths}))
    np.testing.assert_array_equal(np.asarray(found), images)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_loading_with_a_size_is_loading_and_resizing(method, interpolation, mode, paths):
    how = {"method": method, "interpolation": interpolation}
    behind = {"RGB": (10, 200, 30), "L": 124}[mode]
    loaded = ImageLoader(mode=mode).fit_transform(paths)
    resizer = ImageResizer((5, 8), background=behind, **how)
    expected = resizer.fit_transform(np.asarray(loaded))
    loader = ImageLoader((5, 8), mode=mode, background=(10, 200, 30), **how)
    np.testing.assert_array_equal(np.asarray(loader.fit_transform(paths)), expected)
    np.testing.assert_array_equal(np.asarray(resizer.fit_transform(loaded)), expected)
    np.testing.assert_array_equal(loader.fit_transform(np.asarray(loaded)), expected)


def test_resizing_again_is_the_same_for_files_and_arrays(paths, images):
    for method in METHODS:
        chain = make_pipeline(
            ImageLoader((7, 6), method=method), ImageResizer((5, 8), method=method)
        )
        found = chain.fit_transform(paths)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(np.asarray(found), chain.fit_transform(images))


def test_files_of_many_sizes_are_resized_to_one(many_sizes):
    paths, images = many_sizes
    expected = np.concatenate([ImageResizer(6).fit_transform(image[None]) for image in images])
    for chain in (ImageLoader(6), make_pipeline(ImageLoader(), ImageResizer(6))):
        np.testing.assert_array_equal(np.asarray(chain.fit_transform(paths)), expected)
    with pytest.raises(ValueError, match=r"differ in size.*0.png.*1.png.*ImageLoader\(size="):
        ImageLoader().fit_transform(paths).shape  # noqa: B018 - the property raises


def test_a_later_loader_overrides_an_earlier_one(paths, images):
    chain = make_pipeline(ImageLoader(), ImageLoader(4, mode="L"))
    assert chain.fit_transform(paths).shape == (12, 4, 4, 1)


def test_pixels_pass_through(images):
    for X in (images, images[..., 0], images.astype(float)):
        assert np.shares_memory(ImageLoader().fit_transform(X), X)
    for X in (images, images[..., 0], images[..., :2]):
        assert ImageLoader(4, method="pad").fit_transform(X).shape[:3] == (12, 4, 4)
    lazy = LazyImages(images)
    np.testing.assert_array_equal(
        np.asarray(ImageLoader(4).fit_transform(lazy)), ImageLoader(4).fit_transform(images)
    )


def test_one_loader_accepts_files_after_arrays_and_arrays_after_files(paths, images):
    loader = ImageLoader()
    for first, second in ((paths, images), (images, paths)):
        loader.fit(first)
        np.testing.assert_array_equal(np.asarray(loader.transform(second)), images)
    loader.fit(pd.DataFrame(images.reshape(12, -1)).add_prefix("p")).fit(paths)
    assert not hasattr(loader, "image_shape_")
    assert not hasattr(loader, "feature_names_in_")
    assert loader.transform(images[:, :3]).shape == (12, 3, 12, 3)


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1])
def test_the_number_of_threads_changes_no_pixel(n_jobs, paths, images):
    np.testing.assert_array_equal(
        np.asarray(ImageLoader(n_jobs=n_jobs).fit_transform(paths)), images
    )


def test_a_cache_fills_as_files_are_read(paths, images, tmp_path):
    for cache in (tmp_path / "cache", str(tmp_path / "cache")):
        loader = ImageLoader(cache=cache)
        lazy = loader.fit_transform(paths)
        np.testing.assert_array_equal(np.asarray(lazy), images)
        assert len(list((tmp_path / "cache").rglob("*.pixels"))) == 12


def test_a_cache_stays_where_it_was_when_the_folder_changes(paths, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lazy = ImageLoader(cache="cache").fit_transform(paths)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    np.asarray(lazy)
    assert (tmp_path / "cache").is_dir()
    assert not (tmp_path / "elsewhere" / "cache").exists()


def test_a_cache_that_is_a_file_is_refused(paths, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(NotADirectoryError, match=r"cache=.* is a file\. Expected a folder"):
        ImageLoader(cache=tmp_path / "cache").fit(paths)


def test_broken_files_are_found_by_fit_or_named_when_read(paths):
    whole = Path(paths[7]).read_bytes()
    Path(paths[7]).write_bytes(whole[:20])
    with pytest.raises(ValueError, match=r"X\[7\]: .*7.png'"):
        ImageLoader().fit(paths)
    Path(paths[7]).write_bytes(whole[:-60])
    lazy = ImageLoader().fit_transform(paths)
    with pytest.raises(ValueError, match=r"X\[7\]: .*7.png' is cut short or broken"):
        np.asarray(lazy)
    blank = np.asarray(ImageLoader(on_error="blank").fit_transform(paths))
    assert blank[7].max() == 0
    assert blank[6].max() > 0


@pytest.mark.parametrize(
    "background", [(1, 2), (0, 0, 256), (0.5, 0, 0), (-1, 0, 0), [[1, 2], [3]]]
)
def test_a_background_has_one_byte_per_channel(background, paths):
    with pytest.raises(ValueError, match=r".*"):
        ImageLoader(background=background).fit(paths)


@pytest.mark.parametrize(
    ("size", "words"),
    [((2, 3, 4), "an integer or"), ((2, 0), "positive integer"), ((2.5, 3), "positive integer")],
)
def test_a_size_is_one_or_two_integers(size, words, paths):
    with pytest.raises(ValueError, match=words):
        ImageLoader(size).fit(paths)


def test_a_copied_loader_is_fitted(paths, images):
    loader = pickle.loads(pickle.dumps(ImageLoader((4, 4)).fit(paths)))
    assert np.asarray(loader.transform(paths)).shape == (12, 4, 4, 3)


def test_a_parameter_set_after_fit_is_used(paths):
    loader = ImageLoader((4, 4)).fit(paths).set_params(size=5, mode="L")
    assert loader.transform(paths).shape == (12, 5, 5, 1)


def test_a_failed_fit_leaves_the_loader_as_it_was(paths, images):
    loader = ImageLoader(4).fit(np.zeros((2, 5, 6, 3)))
    before = vars(loader).copy()
    for X in (["gone.png"], [*paths, b"no image"]):
        with pytest.raises((FileNotFoundError, ValueError), match=r"X\[(0|12)\]"):
            loader.fit(X)
        assert vars(loader) == before


# Training on files


AUGMENTER = ImageAugmenter(horizontal_flip=True, rotation=20, shift=0.2, erasing=0.5)
CHAINS = {
    "normalized": [ImageLoader((6, 8)), ImageNormalizer(), AUGMENTER],
    "resized": [ImageLoader(), ImageResizer((6, 8)), AUGMENTER, ImageNormalizer("unit")],
    "gray": [ImageLoader(mode="L"), ImageNormalizer("unit"), ImageResizer((6, 8)), AUGMENTER],
}


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("resident", [True, False])
def test_files_and_their_pixels_train_the_same_model(chain, resident, paths, monkeypatch):
    if not resident:
        monkeypatch.setattr("skimgcls._training._batches._RESIDENT_VALUES", 0)
    y = np.arange(12) % 2
    steps = CHAINS[chain]
    pixels = np.asarray(ImageLoader(mode=steps[0].mode).fit_transform(paths))
    clf = CNNImageClassifier(max_iter=2, batch_size=5, random_state=0)
    proba = []
    for X in (paths, pixels):
        pipe = make_pipeline(*(clone(step) for step in steps), clone(clf)).fit(X, y)
        proba += [pipe.predict_proba(paths), pipe.predict_proba(pixels)]
    for other in proba[1:]:
        np.testing.assert_array_equal(other, proba[0])


def test_a_classifier_accepts_files_without_a_loader(paths, images):
    y = np.arange(12) % 2
    clf = ModuleImageClassifier(max_iter=1, random_state=0)
    found = clf.fit(paths, y).predict_proba(images)
    np.testing.assert_array_equal(clf.fit(images, y).predict_proba(paths), found)


def test_a_scikit_learn_classifier_accepts_files_after_a_flattener(paths, images):
    y = np.arange(12) % 2
    chain = make_pipeline(ImageLoader(4), ImageFlattener(), SVC()).fit(paths, y)
    np.testing.assert_array_equal(chain.predict(paths), chain.predict(images))


# Gray images with 16 bits


def write_16_bits(folder, values, n=4):
    """Write 16-bit PNGs, and return their paths and values."""
    paths = [str(folder / f"{index}.png") for index in range(n)]
    arrays = [np.roll(values, index).reshape(8, 8) for index in range(n)]
    for path, array in zip(paths, arrays, strict=True):
        Image.fromarray(array.astype(np.uint16)).save(path)
    return paths, np.stack(arrays)


def test_the_white_level_scales_images_of_16_bits(tmp_path):
    paths, values = write_16_bits(tmp_path, np.linspace(0, 255, 64).round())
    read = np.asarray(ImageLoader(mode="L", white_level=255).fit_transform(paths))
    np.testing.assert_array_equal(read[..., 0], values)
    paths, values = write_16_bits(tmp_path, np.linspace(0, 4095, 64).round())
    read = np.asarray(ImageLoader(mode="L", white_level=4095).fit_transform(paths))
    np.testing.assert_allclose(read[..., 0], values * 255 / 4095, atol=0.5)
    clipped = np.asarray(ImageLoader(mode="L", white_level=2000).fit_transform(paths))
    assert (clipped[values[..., np.newaxis] >= 2000] == 255).all()


def test_small_values_of_16_bits_give_a_warning(tmp_path):
    paths, _ = write_16_bits(tmp_path, np.linspace(0, 4095, 64))
    with pytest.warns(UserWarning, match="16 bits whose values are below 8192 of 65535"):
        ImageLoader().fit(paths)
    bright, _ = write_16_bits(tmp_path, np.linspace(0, 65535, 64))
    ImageLoader().fit(bright)
    eight = tmp_path / "eight.png"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(eight)
    ImageLoader().fit([eight])


@pytest.mark.parametrize("white_level", [0, 65_536, 2.5, "auto"])
def test_white_levels_out_of_range_are_refused(paths, white_level):
    with pytest.raises(ValueError, match="white_level"):
        ImageLoader(white_level=white_level).fit(paths)
