"""Tests of the public datasets, with tiny files in the published formats."""

import gzip
import hashlib
import http.server
import io
import logging
import pickle
import struct
import sys
import tarfile
import threading
from functools import partial

import numpy as np
import pandas as pd
import pytest
from torchvision.datasets import CIFAR10, MNIST, FashionMNIST

from skimgcls import MLPImageClassifier
from skimgcls.datasets import fetch_cifar10, fetch_fashion_mnist, fetch_mnist

N_TRAIN, N_TEST = 20, 10
CIFAR_NAMES = ["airplane", "automobile", "bird", "cat", "deer"]
CIFAR_NAMES += ["dog", "frog", "horse", "ship", "truck"]
SETS = {"cifar10": fetch_cifar10, "mnist": fetch_mnist, "fashion_mnist": fetch_fashion_mnist}


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def make_pixels(n, shape, seed):
    return np.random.RandomState(seed).randint(0, 256, size=(n, *shape)).astype(np.uint8)


def make_codes(n):
    """Return codes of ten classes, not sorted."""
    return np.arange(n)[::-1] % 10


def idx_file(array):
    """Return a file in the format of MNIST: magic number, sizes, bytes."""
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def mnist_files():
    return {
        "train-images-idx3-ubyte": idx_file(make_pixels(N_TRAIN, (28, 28), 0)),
        "train-labels-idx1-ubyte": idx_file(make_codes(N_TRAIN)),
        "t10k-images-idx3-ubyte": idx_file(make_pixels(N_TEST, (28, 28), 1)),
        "t10k-labels-idx1-ubyte": idx_file(make_codes(N_TEST)),
    }


def cifar_batch(n, seed):
    planes = make_pixels(n, (32, 32, 3), seed).transpose(0, 3, 1, 2)
    return pickle.dumps({"data": planes.reshape(n, -1), "labels": make_codes(n).tolist()})


def cifar_files():
    each = N_TRAIN // 5
    return {
        **{f"data_batch_{i}": cifar_batch(each, i) for i in range(1, 6)},
        "test_batch": cifar_batch(N_TEST, 6),
        "batches.meta": pickle.dumps({"label_names": CIFAR_NAMES}),
    }


def tar_of(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A local web server: its address, and the folder that it serves."""
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    class Patient(http.server.ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            # torchvision follows redirects first, and closes the connection early.
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)

    serving = Patient(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}/", folder
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture
def published(server, monkeypatch):
    """The tiny datasets on the server, with patched URLs and checksums in torchvision."""
    address, folder = server
    for dataset in (MNIST, FashionMNIST):
        resources = []
        for name, content in mnist_files().items():
            # Without a timestamp, so that both classes have the same checksum.
            packed = gzip.compress(content, mtime=0)
            (folder / f"{name}.gz").write_bytes(packed)
            resources.append((f"{name}.gz", md5(packed)))
        monkeypatch.setattr(dataset, "mirrors", [address])
        monkeypatch.setattr(dataset, "resources", resources)
    files = cifar_files()
    archive = tar_of(files)
    (folder / "cifar.tar.gz").write_bytes(archive)
    monkeypatch.setattr(CIFAR10, "url", f"{address}cifar.tar.gz")
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(archive))
    sums = {name: md5(content) for name, content in files.items()}
    trains = [[name, sums[name]] for name in files if name.startswith("data")]
    monkeypatch.setattr(CIFAR10, "train_list", trains)
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    meta = {"filename": "batches.meta", "key": "label_names", "md5": sums["batches.meta"]}
    monkeypatch.setattr(CIFAR10, "meta", meta)
    return folder


@pytest.fixture
def home(tmp_path, published):
    """A folder with the three datasets as stored by torchvision."""
    home = tmp_path / "home"
    for name in ("MNIST", "FashionMNIST"):
        raw = home / name / "raw"
        raw.mkdir(parents=True)
        for file, content in mnist_files().items():
            (raw / file).write_bytes(content)
    batches = home / "cifar-10-batches-py"
    batches.mkdir()
    for file, content in cifar_files().items():
        (batches / file).write_bytes(content)
    return home


def expected_images(name, n, seed):
    if name != "cifar10":
        return make_pixels(n, (28, 28), seed)
    seeds = range(1, 6) if n == N_TRAIN else [6]
    each = n // len(seeds)
    return np.concatenate([make_pixels(each, (32, 32, 3), seed) for seed in seeds])


every_set = pytest.mark.parametrize("name", SETS)


@every_set
def test_images_are_in_the_order_of_the_files(name, home):
    train = SETS[name](data_home=home, download_if_missing=False)
    test = SETS[name](subset="test", data_home=str(home), download_if_missing=False)
    np.testing.assert_array_equal(train.data, expected_images(name, N_TRAIN, 0))
    np.testing.assert_array_equal(test.data, expected_images(name, N_TEST, 1))
    assert train.data.dtype == np.uint8
    assert train.data.flags.c_contiguous
    assert train.frame is None
    assert train.image_shape == train.data.shape[1:]


@every_set
def test_subset_all_is_train_followed_by_test(name, home):
    X, y = SETS[name](subset="all", data_home=home, return_X_y=True)
    parts = [SETS[name](subset=part, data_home=home, return_X_y=True) for part in ("train", "test")]
    np.testing.assert_array_equal(X, np.concatenate([part[0] for part in parts]))
    np.testing.assert_array_equal(y, np.concatenate([part[1] for part in parts]))


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("cifar10", CIFAR_NAMES),
        ("mnist", list(range(10))),
        (
            "fashion_mnist",
            ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"]
            + ["Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
        ),
    ],
)
def test_targets_are_class_names_or_digits(name, labels, home):
    bunch = SETS[name](subset="test", data_home=home)
    assert bunch.target_names == labels
    assert bunch.target.tolist() == [labels[code] for code in make_codes(N_TEST)]


@every_set
def test_frame_has_one_row_per_image(name, home):
    arrays = SETS[name](subset="test", data_home=home)
    frames = SETS[name](subset="test", data_home=home, as_frame=True)
    n_pixels = arrays.data[0].size
    np.testing.assert_array_equal(frames.data.to_numpy(), arrays.data.reshape(-1, n_pixels))
    np.testing.assert_array_equal(frames.target, arrays.target)
    assert (frames.data.dtypes == np.uint8).all()
    assert list(frames.data.columns) == frames.feature_names
    assert frames.feature_names[::n_pixels] == ["pixel1"]
    assert list(frames.frame.columns) == [*frames.feature_names, "label"]
    assert isinstance(frames.target, pd.Series)


def test_rows_and_images_train_the_same_model(home):
    frames = fetch_cifar10(data_home=home, as_frame=True)
    images = fetch_cifar10(data_home=home)
    clf = MLPImageClassifier(image_shape=frames.image_shape, max_iter=1, random_state=0)
    rows = clf.fit(frames.data, frames.target).predict_proba(frames.data)
    np.testing.assert_array_equal(
        rows, clf.fit(images.data, images.target).predict_proba(images.data)
    )


@every_set
def test_description_names_the_source(name, home):
    description = SETS[name](subset="test", data_home=home).DESCR
    year = {"cifar10": "2009", "mnist": "1998", "fashion_mnist": "2017"}[name]
    assert year in description
    assert "http" in description


@every_set
def test_download_if_missing_false_does_not_download(name, published, tmp_path):
    with pytest.raises(OSError, match=r"is missing or .* and download_if_missing=False. Set it to"):
        SETS[name](data_home=tmp_path / "empty", download_if_missing=False)
    assert list((tmp_path / "empty").iterdir()) == []


@every_set
def test_missing_data_is_downloaded_silently_and_cached(name, published, tmp_path, capfd, caplog):
    caplog.set_level(logging.INFO)
    fetched = SETS[name](subset="all", data_home=tmp_path / "new")
    assert fetched.data.shape[0] == N_TRAIN + N_TEST
    assert capfd.readouterr() == ("", "")
    assert [record.message.split(" to ")[0] for record in caplog.records] == [
        f"Downloading {fetched.DESCR.splitlines()[0]}"
    ]
    for served in published.iterdir():
        served.unlink()
    again = SETS[name](subset="all", data_home=tmp_path / "new")
    np.testing.assert_array_equal(again.data, fetched.data)


@every_set
def test_failed_download_raises(name, published, tmp_path, monkeypatch):
    gone = (tmp_path / "gone").as_uri()
    monkeypatch.setattr(CIFAR10, "url", f"{gone}/cifar.tar.gz")
    for dataset in (MNIST, FashionMNIST):
        monkeypatch.setattr(dataset, "mirrors", [f"{gone}/"])
    with pytest.raises(OSError, match=r"could not be downloaded to .* Check the network.*gone"):
        SETS[name](data_home=tmp_path / "new")


@every_set
def test_download_with_wrong_checksum_is_rejected(name, published, tmp_path):
    for served in published.iterdir():
        served.write_bytes(served.read_bytes() + b"x")
    with pytest.raises(OSError, match="could not be downloaded"):
        SETS[name](data_home=tmp_path / "new")


def test_altered_cifar10_file_is_not_read(home):
    """The file is a pickle: it is only opened if it has the published checksum."""
    (home / "cifar-10-batches-py" / "data_batch_1").write_bytes(cifar_batch(4, 9))
    with pytest.raises(OSError, match="CIFAR-10 is missing or incomplete in"):
        fetch_cifar10(data_home=home, download_if_missing=False)
    repaired = fetch_cifar10(data_home=home)
    np.testing.assert_array_equal(repaired.data, expected_images("cifar10", N_TRAIN, 0))


@pytest.mark.parametrize("length", [0, 3, 10, 16, 100, -1])
def test_truncated_mnist_file_is_reported(home, length):
    file = home / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(OSError, match=r"MNIST in .* are truncated or corrupt. Delete them"):
        fetch_mnist(data_home=home)


def test_default_data_home_is_that_of_scikit_learn(home, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(home))
    assert fetch_mnist(download_if_missing=False).data.shape == (N_TRAIN, 28, 28)


@every_set
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"subset": "val"}, ValueError, "must be one of 'train', 'test', 'all'. Got 'val'"),
        ({"subset": None}, ValueError, "'subset' parameter of fetch_.* Got None"),
        ({"as_frame": "auto"}, TypeError, "'as_frame' parameter of fetch_.* must be True or False"),
        ({"return_X_y": 1}, TypeError, "'return_X_y' parameter of fetch_"),
        ({"download_if_missing": None}, TypeError, "'download_if_missing' parameter of fetch_"),
        ({"data_home": 3}, TypeError, "'data_home' parameter of fetch_.* must be a path. Got 3"),
    ],
)
def test_invalid_arguments_are_rejected(name, arguments, error, words):
    with pytest.raises(error, match=words):
        SETS[name](**arguments)
