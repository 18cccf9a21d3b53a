"""Lazy images: array interface, steps, and reading ahead."""

import copy
import gc
import pickle
import threading
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.model_selection import KFold, train_test_split
from sklearn.utils import _safe_indexing, resample, shuffle

from skimgcls import ModuleImageClassifier
from skimgcls._images import _lazy_images
from skimgcls._images._image_files import ImageFiles
from skimgcls._images._lazy_images import LazyImages, take_steps
from skimgcls.preprocessing import ImageLoader

SHAPE = (6, 8, 3)


@dataclass(frozen=True)
class Add:
    """Add a number; if random, only with a generator."""

    number: float = 1
    is_random: bool = False

    def output_shape(self, image_shape):
        return image_shape

    def __call__(self, batch, generator):
        return batch + self.number


@dataclass(frozen=True)
class Enlarge:
    """Repeat each pixel."""

    times: int
    is_random: bool = False

    def output_shape(self, image_shape):
        height, width, channels = image_shape
        return height * self.times, width * self.times, channels

    def __call__(self, batch, generator):
        return batch.repeat_interleave(self.times, 2).repeat_interleave(self.times, 3)


def make_images(n=12):
    return np.random.RandomState(0).randint(0, 256, (n, *SHAPE)).astype(np.uint8)


@pytest.fixture
def images():
    return make_images()


@pytest.fixture
def paths(tmp_path, images):
    paths = [str(tmp_path / f"{index}.png") for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    return paths


@pytest.fixture(params=["array", "files"])
def lazy(request, images, paths):
    """The same pixels from an array and from files, with one step and with marks."""
    source = images if request.param == "array" else ImageLoader().fit_transform(paths).source
    return LazyImages(source, (Add(0.5),), marks=np.arange(len(images)) % 3 == 0)


def own_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("skimgcls")]


# Array interface


@pytest.mark.parametrize(
    "index",
    [
        slice(None),
        slice(2, 9, 3),
        slice(None, None, -1),
        slice(5, 5),
        [3, 1, 1],
        [],
        np.array([], dtype=int),
        np.array([0, 11, -1]),
        np.array([2], dtype=np.uint8),
        np.arange(12) % 2 == 0,
        [True, False] * 6,
        (slice(1, 4), ...),
        ([4, 2], ...),
        ([4, 2],),
        (),
    ],
    ids=str,
)
def test_a_selection_is_lazy_and_keeps_its_marks(lazy, images, index):
    found = lazy[index]
    assert isinstance(found, LazyImages)
    assert len(found) == len(images[index])
    np.testing.assert_array_equal(found.marks, (np.arange(12) % 3 == 0)[index])
    if len(found) > 0:
        assert found.shape == images[index].shape
        np.testing.assert_array_equal(np.asarray(found), images[index] + 0.5)


@pytest.mark.parametrize("index", [0, 11, -1, -12, np.int64(3), np.uint8(3), np.array(5), (7,)])
def test_an_integer_index_gives_the_pixels_of_that_image(lazy, images, index):
    np.testing.assert_array_equal(lazy[index], images[index] + 0.5)


@pytest.mark.parametrize(
    "index",
    [12, -13, (0, 1), (slice(None), 0), "0", 1.5, None, True, [[0, 1]], [0.5], [True, False]],
    ids=str,
)
def test_any_other_index_raises_an_index_error(lazy, index):
    with pytest.raises(IndexError):
        lazy[index]


def test_selecting_reads_no_pixel(images, paths, monkeypatch):
    lazy = ImageLoader(size=4).fit_transform(paths)
    monkeypatch.setattr(ImageFiles, "read", None)
    assert lazy[2:5].shape == (3, 4, 4, 3)
    assert lazy.then(Add())[[1, 2]].then(Enlarge(2)).shape == (2, 8, 8, 3)


def test_the_shape_is_known_before_reading(lazy):
    assert lazy.shape == (12, *SHAPE)
    assert lazy.size == 12 * 6 * 8 * 3
    assert lazy.ndim == 4
    assert lazy.then(Enlarge(3)).shape == (12, 18, 24, 3)


def test_the_repr_opens_no_file(images, paths):
    gone = ImageLoader().fit_transform(paths)
    for path in paths:
        Path(path).unlink()
    assert repr(gone.then(Add(1))) == f"<LazyImages: {len(paths)} files > Add>"
    assert repr(LazyImages(images)) == f"<LazyImages: {images.shape}>"


@pytest.mark.parametrize("ndim", [2, 3, 4])
def test_an_array_of_them_has_the_format_given_by_ndim(ndim):
    gray = make_images()[..., :1]
    lazy = LazyImages(gray, (Add(0),), ndim=ndim)
    expected = {2: gray.reshape(12, -1), 3: gray[..., 0], 4: gray}[ndim]
    assert lazy.shape == expected.shape
    np.testing.assert_array_equal(np.asarray(lazy), expected)
    np.testing.assert_array_equal(lazy[3], expected[3])


def test_bytes_stay_bytes_until_a_step_is_taken(images):
    lazy = LazyImages(images)
    assert lazy.dtype == lazy.then(Add(is_random=True)).dtype == np.uint8
    assert lazy.then(Add()).dtype == np.float32
    assert LazyImages(images.astype(float)).then(Add()).dtype == np.float64
    assert LazyImages(images.astype(np.int16)).then(Add()).dtype == np.float32
    for stepped in (lazy, lazy.then(Add()), LazyImages(images.astype(float), (Add(),))):
        assert np.asarray(stepped).dtype == stepped[0].dtype == stepped.dtype


def test_another_dtype_can_be_requested(lazy, images):
    found = np.asarray(lazy, dtype=np.float64)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, images + 0.5)


def test_an_array_of_them_is_never_the_one_they_are_made_from(images):
    found = np.array(LazyImages(images))
    found += 1
    np.testing.assert_array_equal(images, make_images())
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        with pytest.raises(ValueError, match="have no array yet"):
            np.asarray(LazyImages(images), copy=False)


def test_an_array_requested_without_copy_may_be_the_source(images):
    images.setflags(write=False)
    np.testing.assert_array_equal(np.asarray(LazyImages(images, (Add(),))), images + 1.0)


def test_images_can_be_iterated(lazy, images):
    np.testing.assert_array_equal(list(lazy), images + 0.5)


# Use in scikit-learn


def test_they_are_split_and_shuffled_like_an_array(lazy, images):
    y, expected = np.arange(12), images + 0.5
    X_train, X_test, y_train, y_test = train_test_split(lazy, y, random_state=0)
    for X_part, y_part in ((X_train, y_train), (X_test, y_test)):
        np.testing.assert_array_equal(np.asarray(X_part), expected[y_part])
        np.testing.assert_array_equal(X_part.marks, y_part % 3 == 0)
    for change in (shuffle, resample):
        X_new, y_new = change(lazy, y, random_state=0)
        np.testing.assert_array_equal(np.asarray(X_new), expected[y_new])
    for train, test in KFold(3).split(lazy):
        assert len(_safe_indexing(lazy, train)) == 8
        np.testing.assert_array_equal(np.asarray(_safe_indexing(lazy, test)), expected[test])


def test_copies_hold_the_same_images(lazy, images):
    lazy.shape  # noqa: B018 - the cached shape must not matter
    for again in (copy.copy(lazy), copy.deepcopy(lazy), pickle.loads(pickle.dumps(lazy))):
        np.testing.assert_array_equal(np.asarray(again), images + 0.5)
        assert joblib.hash(again) == joblib.hash(lazy)


def test_equal_lazy_images_have_equal_joblib_hashes(lazy, images, tmp_path):
    n_calls = []

    def total(X):
        n_calls.append(1)
        return np.asarray(X).sum()

    cached = joblib.Memory(tmp_path / "memory", verbose=0).cache(total)
    for X in (lazy, pickle.loads(pickle.dumps(lazy))):
        assert cached(X) == (images + 0.5).sum()
        lazy.shape  # noqa: B018 - the cached shape must not change the hash
    assert len(n_calls) == 1
    assert cached(lazy.then(Add())) != cached(lazy)
    assert len(n_calls) == 2


# Steps


def test_steps_are_applied_in_order(images):
    lazy = LazyImages(images).then(Add(1)).then(Enlarge(2)).then(Add(2))
    expected = (images + 3.0).repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(np.asarray(lazy), expected)


def test_a_random_step_is_left_out_of_an_array_with_a_warning(images):
    lazy = LazyImages(images, (Add(1), Add(10, is_random=True), Add(2)))
    with pytest.warns(UserWarning, match="the random changes of ImageAugmenter were left out"):
        found = np.asarray(lazy)
    np.testing.assert_array_equal(found, images + 3.0)
    # Neither a single image nor reading for prediction warns; warnings are errors here.
    np.testing.assert_array_equal(lazy[0], images[0] + 3.0)
    np.testing.assert_array_equal(next(lazy.evaluated([[1]]))[0], images[1] + 3.0)


def test_random_steps_change_only_marked_images():
    batch, steps = torch.zeros(4, 1, 2, 2), (Add(1), Add(10, is_random=True))
    generator = torch.Generator()

    def first(found):
        return found[:, 0, 0, 0].tolist()

    assert first(take_steps(batch, steps)) == [1] * 4
    assert first(take_steps(batch, steps, generator)) == [11] * 4
    assert first(take_steps(batch, steps, generator, torch.tensor([1, 3]))) == [1, 11, 1, 11]
    assert first(take_steps(batch, steps, generator, torch.tensor([], dtype=int))) == [1] * 4


@pytest.mark.parametrize("n_values", [1, 300, 10**6])
def test_pixels_do_not_depend_on_the_blocks(n_values, images, monkeypatch):
    monkeypatch.setattr(_lazy_images, "_BLOCK_VALUES", n_values)
    lazy = LazyImages(images, (Add(1), Enlarge(2)))
    expected = (images + 1.0).repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(np.asarray(lazy), expected)
    np.testing.assert_array_equal(lazy.to_array(), expected)


@pytest.mark.parametrize(("ndim", "shape"), [(2, (12, 48)), (3, (12, 6, 8)), (4, (12, 6, 8, 1))])
def test_an_array_without_steps_is_returned_unchanged(ndim, shape, images):
    gray = np.ascontiguousarray(images[..., :1])
    found = LazyImages(gray, ndim=ndim).to_array()
    assert found.shape == shape
    assert np.shares_memory(found, gray)
    assert not np.shares_memory(np.asarray(LazyImages(gray, ndim=ndim)), gray)


def test_color_images_always_have_four_dimensions(images):
    assert LazyImages(images, ndim=3).to_array().shape == images.shape
    assert np.asarray(LazyImages(images, ndim=3)).shape == images.shape


def test_a_block_stays_within_its_memory_limit_in_every_step(images, monkeypatch):
    """Otherwise, blocks of images that shrink only in the last step would be too large."""

    class Shrink(Add):
        def output_shape(self, image_shape):
            return 1, 1, 1

    monkeypatch.setattr(_lazy_images, "_BLOCK_VALUES", 4 * 6 * 8 * 3)
    assert [len(block) for block in LazyImages(images).blocks(np.arange(12))] == [4, 4, 4]
    for steps, sizes in (((Shrink(),), [4, 4, 4]), ((Enlarge(2), Shrink()), [1] * 12)):
        lazy = LazyImages(images, steps)
        assert [len(block) for block in lazy.blocks(np.arange(12))] == sizes
        assert [block.stop - block.start for block in lazy.blocks()] == sizes
    assert [len(block) for block in LazyImages(images).blocks(np.arange(5))] == [4, 1]


# Reading ahead


@pytest.mark.parametrize("n_jobs", [None, 1, 2, 3, -1])
@pytest.mark.parametrize("n_values", [1, 600, 10**6])
def test_any_number_of_threads_reads_the_same_pixels(n_jobs, n_values, images, paths, monkeypatch):
    monkeypatch.setattr(_lazy_images, "_BLOCK_VALUES", n_values)
    lazy = ImageLoader(n_jobs=n_jobs).fit_transform(paths)
    np.testing.assert_array_equal(np.asarray(lazy), images)
    assert not own_threads()


def test_zero_threads_are_refused(paths):
    with pytest.raises(ValueError, match="n_jobs == 0"):
        np.asarray(ImageLoader(n_jobs=0).fit_transform(paths))


class Trouble(BaseException):
    """Not an Exception, like KeyboardInterrupt."""


@pytest.mark.parametrize("error", [ValueError, OSError, MemoryError, KeyboardInterrupt, Trouble])
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_an_error_in_a_thread_is_raised_in_order(error, n_jobs, paths, images, monkeypatch):
    read = ImageFiles.read

    def read_or_raise(files, rows, keep):
        if rows == [4]:
            raise error("in a thread")
        return read(files, rows, keep=keep)

    lazy = ImageLoader(n_jobs=n_jobs).fit_transform(paths)
    monkeypatch.setattr(ImageFiles, "read", read_or_raise)
    blocks = lazy.read([[index] for index in range(12)])
    for index in range(4):
        np.testing.assert_array_equal(next(blocks)[0], images[index])
    with pytest.raises(error, match="in a thread"):
        next(blocks)
    assert not own_threads()


def counting(monkeypatch):
    """Record the rows that are read."""
    seen, read = [], ImageFiles.read
    monkeypatch.setattr(
        ImageFiles, "read", lambda files, rows, keep: seen.extend(rows) or read(files, rows)
    )
    return seen


@pytest.mark.parametrize("n_jobs", [1, 2, 4])
def test_nothing_is_read_beyond_the_look_ahead(n_jobs, paths, monkeypatch):
    lazy = ImageLoader(n_jobs=n_jobs).fit_transform(paths)
    seen = counting(monkeypatch)
    blocks = lazy.read([[index] for index in range(12)])
    assert not seen
    for n_taken in range(1, 4):
        next(blocks)
        assert len(seen) <= n_taken + n_jobs + 1
    blocks.close()
    assert len(seen) <= 3 + n_jobs + 1
    assert not own_threads()


def test_pending_reads_are_canceled_at_the_end(paths, monkeypatch):
    """The first image is read, the second is blocked until the end, and the third is queued."""
    seen, is_over, read = [], threading.Event(), ImageFiles.read

    class Pool(_lazy_images.ThreadPoolExecutor):
        def shutdown(self, *args, **kwargs):
            is_over.set()
            super().shutdown(*args, **kwargs)

    def read_later(files, rows, keep):
        assert rows == [0] or is_over.wait(10)
        seen.extend(rows)
        return read(files, rows, keep=keep)

    monkeypatch.setattr(_lazy_images, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(ImageFiles, "read", read_later)
    blocks = ImageLoader(n_jobs=1).fit_transform(paths).read([[index] for index in range(12)])
    next(blocks)
    blocks.close()
    assert set(seen) <= {0, 1}


def test_no_thread_is_left_when_iteration_stops_early(paths):
    lazy = ImageLoader(n_jobs=2).fit_transform(paths)
    for _ in lazy.read([[index] for index in range(12)]):
        break
    gc.collect()
    assert not own_threads()


class Failing(torch.nn.Module):
    """A module that raises in its third batch."""

    def __init__(self, image_shape, n_outputs):
        super().__init__()
        self.n_outputs, self.n_batches = n_outputs, 0
        self.weight = torch.nn.Parameter(torch.zeros(n_outputs))

    def forward(self, batch):
        self.n_batches += 1
        if self.training and self.n_batches >= 3:
            raise RuntimeError("in the module")
        return self.weight.expand(len(batch), self.n_outputs)


def test_no_thread_is_left_when_a_fit_fails(paths, monkeypatch):
    monkeypatch.setattr("skimgcls._training._batches._RESIDENT_VALUES", 0)
    lazy = ImageLoader(n_jobs=2).fit_transform(paths)
    clf = ModuleImageClassifier(Failing, batch_size=2, max_iter=1)
    with pytest.raises(RuntimeError, match="in the module"):
        clf.fit(lazy, np.arange(12) % 2)
    gc.collect()
    assert not own_threads()
