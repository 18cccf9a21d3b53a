"""Any iterable of images works like a list of them; other inputs are refused briefly."""

import collections
import io
import itertools
import pathlib

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageLoader,
    ImageNormalizer,
    ImageOverSampler,
    MLPImageClassifier,
    RejectOptionClassifier,
)
from skimgcls._images._containers import unpack_container
from skimgcls.inspection import (
    ImageGridDisplay,
    PredictionDisplay,
    audit_images,
    evaluation_report,
    occlusion,
)

N = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of twelve images, in their order."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.RandomState(0)
    for index in range(N):
        pixels = rng.randint(0, 200, (8, 8, 3), dtype=np.uint8)
        pixels[:, :: 1 + index % 2] += 50
        Image.fromarray(pixels).save(folder / f"{index:02}.png")
    return folder


@pytest.fixture(scope="module")
def paths(folder):
    return sorted(map(str, folder.glob("*.png")))


@pytest.fixture(scope="module")
def y():
    return np.array(["even", "odd"] * (N // 2))


@pytest.fixture(scope="module")
def pipe(paths, y):
    steps = ImageLoader(), ImageNormalizer(), MLPImageClassifier(4, max_iter=3, random_state=0)
    return make_pipeline(*steps).fit(paths, y)


class MapStyle:
    """A sequence that knows its length, and raises no IndexError."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index % len(self.items)]


class TorchDataset(torch.utils.data.Dataset):
    def __len__(self):
        return N

    def __getitem__(self, index):
        return torch.zeros(3, 8, 8), 0


def table_of_pyarrow(paths):
    return pytest.importorskip("pyarrow").table({"path": paths})


CONTAINERS = {
    "tuple": tuple,
    "generator": lambda paths: (path for path in paths),
    "map": lambda paths: map(pathlib.Path, paths),
    "glob": lambda paths: iter(sorted(pathlib.Path(paths[0]).parent.glob("*.png"))),
    "deque": collections.deque,
    "dict values": lambda paths: dict(enumerate(paths)).values(),
    "Series": pd.Series,
    "Index": pd.Index,
    "categories": lambda paths: pd.Series(paths, dtype="category"),
    "DataFrame": lambda paths: pd.DataFrame({"path": paths}),
    "map-style": MapStyle,
    "pyarrow table": table_of_pyarrow,
    "pyarrow array": lambda paths: table_of_pyarrow(paths)["path"],
    "bytes": lambda paths: (pathlib.Path(path).read_bytes() for path in paths),
    "bytearray": lambda paths: [bytearray(pathlib.Path(path).read_bytes()) for path in paths],
    "memoryview": lambda paths: [memoryview(pathlib.Path(path).read_bytes()) for path in paths],
    "streams": lambda paths: (io.BytesIO(pathlib.Path(path).read_bytes()) for path in paths),
    "pictures": lambda paths: (Image.open(io.BytesIO(pathlib.Path(p).read_bytes())) for p in paths),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_of_files_equal_a_list_of_paths(name, paths, y, pipe):
    fitted = clone(pipe).fit(CONTAINERS[name](paths), y)
    np.testing.assert_array_equal(
        fitted.predict_proba(CONTAINERS[name](paths)), pipe.predict_proba(paths)
    )
    assert fitted.score(CONTAINERS[name](paths), y) == pipe.score(paths, y)
    loaded = ImageLoader().fit_transform(CONTAINERS[name](paths))
    expected = ImageLoader().fit_transform(paths)
    np.testing.assert_array_equal(np.asarray(loaded), np.asarray(expected))


def test_iterators_of_arrays(paths, y):
    images = np.asarray(ImageLoader().fit_transform(paths))
    clf = CNNImageClassifier((4,), hidden_layer_sizes=4, max_iter=2, random_state=0)
    expected = clone(clf).fit(images, y).predict_proba(images)
    fitted = clone(clf).fit(iter(images), y)
    np.testing.assert_array_equal(fitted.predict_proba(iter(images)), expected)


def test_iterators_are_read_once(paths, y, pipe):
    """Functions that need the images several times keep them."""

    def files():
        return (path for path in paths)

    pd.testing.assert_frame_equal(
        audit_images(files(), y, max_distance=None).findings,
        audit_images(paths, y, max_distance=None).findings,
    )
    report, expected = evaluation_report(pipe, files(), y), evaluation_report(pipe, paths, y)
    pd.testing.assert_frame_equal(report.per_class_, expected.per_class_)
    np.testing.assert_array_equal(occlusion(pipe, files()), occlusion(pipe, paths))
    assert PredictionDisplay.from_estimator(pipe, files(), y) is not None
    assert ImageGridDisplay.from_images(files(), y) is not None
    resampled, _ = ImageOverSampler().fit_resample(files(), y)
    assert list(resampled) == paths
    rejecting = RejectOptionClassifier(pipe, coverage=0.9, random_state=0)
    expected = clone(rejecting).fit(paths, y).predict(paths)
    np.testing.assert_array_equal(rejecting.fit(files(), y).predict(files()), expected)


@pytest.mark.parametrize(
    ("single", "instead"),
    [
        ("a/photo.png", r"\['a/photo.png'\]"),
        (pathlib.PurePosixPath("a/photo.png"), r"\['a/photo.png'\]"),
        (b"\x89PNG" * 100_000, r"400000 bytes.*\[content\]"),
        (bytearray(b"\x89PNG"), r"\[content\]"),
        (Image.new("RGB", (8, 8)), r"\[image\]"),
        (io.BytesIO(b"\x89PNG"), r"\[file\]"),
        (np.zeros((9, 8, 3), np.uint8), r"X\[np.newaxis\]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_single_image_is_refused_with_the_way_to_pass_it(single, instead, paths, y, pipe):
    calls = [
        lambda: pipe.predict(single),
        lambda: clone(pipe).fit(single, y),
        lambda: pipe[-1].predict(single),
        lambda: pipe[1].transform(single),
        lambda: ImageLoader().fit(single),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=instead) as caught:
            call()
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("container", "error", "match"),
    [
        (TorchDataset(), TypeError, "TorchDataset, which mixes images and labels"),
        (torch.utils.data.DataLoader(TorchDataset()), TypeError, "torch DataLoader"),
        (torch.utils.data.TensorDataset(torch.zeros(2, 3, 8, 8)), TypeError, "TensorDataset"),
        ({"a.png": "b.png"}, ValueError, r"list\(X.values\(\)\)"),
        ({"a.png"}, ValueError, "no order"),
        ([], ValueError, "Expected 2D array, got 1D array instead: X has 0 values"),
        (np.arange(5000), ValueError, "X has 5000 values. Reshape your data"),
        (7, ValueError, "X must hold images; got int 7"),
        (None, ValueError, "X must hold images; got NoneType"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_inputs_are_refused(container, error, match, pipe):
    for call in (pipe.predict, pipe[-1].predict, ImageLoader().fit, ImageNormalizer().fit):
        with pytest.raises(error, match=match) as caught:
            call(container)
        assert len(str(caught.value)) < 500


def test_messages_do_not_contain_the_files(pipe):
    content = b"\x89PNG" * 100_000
    for X in ([content, 3], [[content, content]], [content, None], [[content], 1]):
        with pytest.raises((ValueError, TypeError)) as caught:
            pipe.predict(X)
        assert len(str(caught.value)) < 500


def test_closed_files_and_pictures_are_named(paths, pipe):
    with open(paths[1], "rb") as file:
        pass
    with pytest.raises(ValueError, match=r"X\[1\] is a closed file"):
        pipe.predict([paths[0], file])
    with Image.open(paths[1]) as picture:
        pass
    with pytest.raises(ValueError, match=r"X\[1\]: a PIL image cannot be read.*with block"):
        pipe.predict([paths[0], picture])


def test_arrays_and_tables_are_returned_as_they_are():
    for X in (np.zeros((2, 4)), [1], (1,), pd.DataFrame([1]), pd.Series([1]), None, torch.zeros(2)):
        assert unpack_container(X) is X
    assert unpack_container(itertools.repeat(1, 3)) == [1, 1, 1]


def test_images_of_three_columns_can_be_gray():
    images = np.zeros((7, 9, 3), np.uint8)
    clf = MLPImageClassifier(4, max_iter=1, image_shape=(9, 3)).fit(images, [0, 1] * 3 + [0])
    assert clf.image_shape_ == (9, 3, 1)
    assert clf.predict(images).shape == (7,)
