"""Decoded pixels of files, kept in memory."""

import copy
import gc
import os
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageAugmenter,
    ImageLoader,
    ImageNormalizer,
    MLPImageClassifier,
    ResNetImageClassifier,
    load,
    save,
)
from skimgcls._images import _image_files, _pixel_memory
from skimgcls._images._pixel_memory import PixelMemory
from skimgcls._training import _batches
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.exceptions import ImageFileError

SHAPE = (8, 6, 3)
N_BYTES = 8 * 6 * 3


@pytest.fixture
def data(tmp_path):
    """Paths of 120 images, and their labels."""
    X, y = make_stripes(120, shape=SHAPE)
    paths = [str(tmp_path / f"{i}.png") for i in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    return paths, y


@pytest.fixture
def decoded(monkeypatch):
    """The items that were decoded, in order."""
    items = []
    decode = _image_files.decode

    def count(item, *args):
        items.append(item)
        return decode(item, *args)

    monkeypatch.setattr(_image_files, "decode", count)
    return items


@pytest.fixture
def available(monkeypatch):
    """Set the available memory."""

    def set_available(n_bytes):
        monkeypatch.setattr(_pixel_memory, "available_memory", lambda: n_bytes)

    return set_available


@pytest.fixture
def large_set(monkeypatch):
    """Treat every set as too large to be converted to floats once."""
    monkeypatch.setattr(_batches, "_RESIDENT_VALUES", 0)


def make_pipe(classifier, **options):
    loader = ImageLoader(SHAPE[:2], **options)
    return make_pipeline(loader, ImageNormalizer(), ImageAugmenter(rotation=5), classifier)


# Decoding


@pytest.mark.usefixtures("large_set")
@pytest.mark.parametrize("n_jobs", [None, 3])
@pytest.mark.parametrize("max_iter", [1, 3])
@pytest.mark.parametrize("make", [CNNImageClassifier, ResNetImageClassifier])
def test_each_file_is_decoded_once_for_all_statistics_and_epochs(
    make, max_iter, n_jobs, data, decoded, monkeypatch
):
    before_training = []
    iterate = _batches.Batches.__iter__

    def note(batches):
        before_training.append(len(decoded))
        return iterate(batches)

    monkeypatch.setattr(_batches.Batches, "__iter__", note)
    make_pipe(make(max_iter=max_iter), n_jobs=n_jobs).fit(*data)
    assert before_training == [120] * max_iter
    assert sorted(decoded) == sorted(data[0])


@pytest.mark.usefixtures("large_set")
def test_without_a_cache_each_epoch_decodes(data, decoded):
    make_pipe(MLPImageClassifier(max_iter=2), cache=None).fit(*data)
    assert len(decoded) == 120 * (1 + 1 + 1 + 2)


@pytest.mark.usefixtures("large_set")
def test_the_cache_changes_no_bit(data):
    paths, y = data
    auto, plain = (
        make_pipe(CNNImageClassifier(max_iter=2, random_state=0), cache=cache).fit(paths, y)
        for cache in ("auto", None)
    )
    np.testing.assert_array_equal(auto.predict_proba(paths), plain.predict_proba(paths))


def test_selections_share_the_memory(data, decoded):
    paths, y = data
    lazy = ImageLoader().fit_transform(paths)
    cross_val_score(MLPImageClassifier(max_iter=1), lazy, y, cv=3)
    # The first test set is also decoded for its prediction, which keeps nothing.
    assert len(decoded) == 120 + 40
    assert set(decoded) == set(paths)
    assert lazy.source.memory.n_bytes == 120 * N_BYTES
    repeated = lazy[np.array([0, 0, 1])]
    assert repeated.source.memory is lazy.source.memory


def test_prediction_keeps_nothing(data, decoded):
    paths, y = data
    pipe = make_pipe(MLPImageClassifier(max_iter=1)).fit(paths, y)
    decoded.clear()
    lazy = pipe[:-1].transform(paths)
    for _ in range(2):
        pipe[-1].predict(lazy)
    assert len(decoded) == 240
    np.asarray(ImageLoader().fit_transform(paths))
    assert lazy.source.memory.n_bytes == 0


def test_another_way_of_decoding_has_another_memory(data):
    lazy = ImageLoader().fit_transform(data[0])
    list(lazy.read(lazy.blocks(), keep=True))
    small = ImageLoader((2, 3)).fit_transform(lazy)
    assert np.asarray(small).shape == (120, 2, 3, 3)
    assert small.source.memory is not lazy.source.memory


@pytest.mark.parametrize("on_error", ["raise", "blank"])
def test_a_file_that_changes_is_noticed_although_its_pixels_are_kept(on_error, data):
    paths, _ = data
    lazy = ImageLoader(on_error=on_error).fit_transform(paths)
    list(lazy.read(lazy.blocks(), keep=True))
    os.utime(paths[3], ns=(0, 10**9))
    if on_error == "raise":
        with pytest.raises(ImageFileError, match=r"X\[3\]: .* has changed"):
            np.asarray(lazy)
    else:
        assert not np.asarray(lazy)[3].any()


# The limit


@pytest.mark.parametrize(
    ("n_bytes", "fits"), [(4 * 120 * N_BYTES, True), (4 * 120 * N_BYTES - 1, False)]
)
def test_a_set_is_kept_if_it_fits_in_a_quarter_of_the_memory(n_bytes, fits, data, available):
    available(n_bytes)
    lazy = ImageLoader().fit_transform(data[0])
    list(lazy.read(lazy.blocks(), keep=True))
    assert lazy.source.memory.n_bytes == (120 * N_BYTES if fits else 0)


def test_nothing_is_kept_if_the_memory_is_unknown(data, available):
    available(0)
    lazy = ImageLoader().fit_transform(data[0])
    list(lazy[:1].read([slice(None)], keep=True))
    assert lazy.source.memory.n_bytes == 0


def test_the_memory_never_grows_beyond_its_limit():
    memory = PixelMemory(2)
    for name in ("a", "b", "b", "c"):
        memory.put(name, np.zeros(10, np.uint8))
    assert (memory.n_bytes, memory.limit) == (20, 20)
    assert memory.get("b") is not None
    assert memory.get("c") is None


def test_memory_promised_to_another_set_is_not_available(available):
    gc.collect()
    available(4 * 100 + 99)
    first, second, third = PixelMemory(10), PixelMemory(10), PixelMemory(10)
    first.put("a", np.zeros(10, np.uint8))
    # 90 of the bytes are promised to the first.
    second.put("a", np.zeros(10, np.uint8))
    assert (first.n_bytes, second.n_bytes) == (10, 10)
    third.put("a", np.zeros(10, np.uint8))
    assert third.n_bytes == 0


def test_a_worker_process_takes_its_part(available, monkeypatch):
    monkeypatch.setattr(_pixel_memory.multiprocessing, "parent_process", lambda: "another")
    monkeypatch.setattr(_pixel_memory.os, "cpu_count", lambda: 2)
    for n_bytes, fits in ((800, True), (799, False)):
        available(n_bytes)
        memory = PixelMemory(10)
        memory.put("a", np.zeros(10, np.uint8))
        assert (memory.n_bytes > 0) == fits
        del memory


# Threads


def test_many_threads_may_fill_one_memory():
    memory, barrier = PixelMemory(50), threading.Barrier(8)

    def fill(offset):
        barrier.wait()
        for i in range(100):
            memory.put(str((i + offset) % 100), np.full(10, (i + offset) % 100, np.uint8))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fill, range(0, 80, 10)))
    kept = {i: memory.get(str(i)) for i in range(100)}
    kept = {i: pixels for i, pixels in kept.items() if pixels is not None}
    assert len(kept) == 50
    assert memory.n_bytes == memory.limit == 500
    assert all((pixels == i).all() for i, pixels in kept.items())


# What is stored


def test_the_pixels_are_freed_with_the_images(data):
    lazy = ImageLoader().fit_transform(data[0])
    list(lazy.read(lazy.blocks(), keep=True))
    memory, part = weakref.ref(lazy.source.memory), lazy[:3]
    del lazy
    gc.collect()
    assert memory() is not None
    del part
    gc.collect()
    assert memory() is None


def test_pickles_copies_and_hashes_hold_no_pixels(data):
    lazy, other = (ImageLoader().fit_transform(data[0]) for _ in range(2))
    before = len(pickle.dumps(lazy)), joblib.hash(lazy)
    list(lazy.read(lazy.blocks(), keep=True))
    assert (len(pickle.dumps(lazy)), joblib.hash(lazy)) == before
    assert joblib.hash(other) == before[1]
    for again in (pickle.loads(pickle.dumps(lazy)), copy.deepcopy(lazy)):
        assert again.source.memory.n_bytes == 0
        assert again.source.memory.n_images == 120


def test_a_saved_model_holds_no_pixels(data, tmp_path):
    paths, y = data
    sizes = []
    for n, cache in ((120, "auto"), (30, "auto"), (30, None)):
        pipe = make_pipe(MLPImageClassifier((2,), max_iter=1, random_state=0), cache=cache)
        save(pipe.fit(paths[:n], y[:n]), tmp_path / "model.skimgcls")
        assert load(tmp_path / "model.skimgcls")[0].cache == cache
        sizes.append((tmp_path / "model.skimgcls").stat().st_size)
        assert len(pickle.dumps(pipe)) < 120 * N_BYTES
    assert max(sizes) - min(sizes) < 200
