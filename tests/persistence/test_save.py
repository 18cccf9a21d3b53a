"""A loaded model is bitwise identical, also in another process, and can be trained further."""

import os
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import make_pipeline

from skimgcls import (
    BaseImageClassifier,
    ImageAugmenter,
    ImageEmbedder,
    ImageFlattener,
    ImageLoader,
    ImageNormalizer,
    ImageOverSampler,
    ImageResizer,
    MLPImageClassifier,
    ModuleImageClassifier,
    RejectOptionClassifier,
    load,
    save,
)
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.persistence._load import read_model

X, y = make_stripes(48, shape=(8, 8, 3))
MLP = MLPImageClassifier(max_iter=2, hidden_layer_sizes=(8,), random_state=0)


def n_bytes_of_weights(estimator):
    """The size in bytes of a classifier's network."""
    return sum(v.numel() * v.element_size() for v in estimator.net_.module_.state_dict().values())


def test_predictions_are_identical(fitted, tmp_path):
    path = tmp_path / "model.skimgcls"
    save(fitted, path)
    np.testing.assert_array_equal(load(path).predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(load(str(path)).predict(X), fitted.predict(X))


def test_saving_does_not_change_the_estimator(fitted, tmp_path):
    before = fitted.predict_proba(X)
    save(fitted, tmp_path / "model.skimgcls")
    again = load(tmp_path / "model.skimgcls")
    np.testing.assert_array_equal(fitted.predict_proba(X), before)
    assert repr(again) == repr(fitted)
    assert clone(again).get_params().keys() == fitted.get_params().keys()


@pytest.mark.parametrize(
    "transformer",
    [
        ImageAugmenter(),
        ImageEmbedder("squeezenet1_1", weights=None, image_size=32),
        ImageFlattener(),
        ImageLoader(size=6, mode="L"),
        ImageNormalizer(),
        ImageNormalizer("unit"),
        ImageResizer(size=(5, 7), method="pad"),
    ],
    ids=repr,
)
def test_transformers_give_the_same_output(transformer, tmp_path):
    fitted = clone(transformer).fit(X)
    save(fitted, tmp_path / "model.skimgcls")
    again = load(tmp_path / "model.skimgcls")
    np.testing.assert_array_equal(again.transform(X[:5]), fitted.transform(X[:5]))
    assert repr(again) == repr(fitted)
    assert again.n_features_in_ == fitted.n_features_in_


def test_sampler(tmp_path):
    sampler = ImageOverSampler()
    resampled = sampler.fit_resample(X, y)
    save(sampler, tmp_path / "model.skimgcls")
    again = load(tmp_path / "model.skimgcls").fit_resample(X, y)
    for found, expected in zip(again, resampled, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_training_history(tmp_path):
    clf = clone(MLP).set_params(max_iter=3, early_stopping=True).fit(X, y)
    save(clf, tmp_path / "model.skimgcls")
    again = load(tmp_path / "model.skimgcls")
    pd.testing.assert_frame_equal(again.history_, clf.history_)
    assert again.loss_curve_ == clf.loss_curve_
    assert again.validation_scores_ == clf.validation_scores_


@pytest.mark.parametrize(
    "labels",
    [
        ["cat", "dog", "owl"],
        [1.0, 2.0, 3.0],
        [7, 8, 9],
        pd.Categorical(["x", "y", "z"]),
        np.array(["é", "ß", "猫"], dtype=object),
        np.array([b"a", b"b", b"c"]).astype("U1"),
        np.tri(3, dtype=int),
        pd.DataFrame(np.tri(3, dtype=int), columns=["one", "two", "three"]),
    ],
    ids=lambda labels: f"{type(labels).__name__} {getattr(labels, 'dtype', '')}",
)
def test_labels_of_any_type(labels, tmp_path):
    rows = np.arange(48) % 3
    target = labels.iloc[rows] if hasattr(labels, "iloc") else labels
    target = target if hasattr(labels, "iloc") else np.asarray(labels)[rows]
    clf = clone(MLP).fit(X, target)
    save(clf, tmp_path / "model.skimgcls")
    again = load(tmp_path / "model.skimgcls")
    np.testing.assert_array_equal(again.classes_, clf.classes_)
    assert again.classes_.dtype == clf.classes_.dtype
    np.testing.assert_array_equal(again.predict(X), clf.predict(X))


def test_boolean_labels(tmp_path):
    clf = clone(MLP).fit(X, y == 1)
    save(clf, tmp_path / "model.skimgcls")
    assert load(tmp_path / "model.skimgcls").predict(X).dtype == bool


def test_predictions_are_identical_in_another_process(estimators, tmp_path):
    np.save(tmp_path / "X.npy", X)
    for number, estimator in enumerate(estimators.values()):
        fitted = clone(estimator).fit(X, y)
        save(fitted, tmp_path / f"{number}.skimgcls")
        np.save(tmp_path / f"{number}.npy", fitted.predict_proba(X))
    code = (
        "import sys, pathlib, numpy as np, torch\n"
        "torch.set_num_threads(1)\n"
        "from skimgcls import load\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "X = np.load(folder / 'X.npy')\n"
        "for path in sorted(folder.glob('*.skimgcls')):\n"
        "    expected = np.load(path.with_suffix('.npy'))\n"
        "    np.testing.assert_array_equal(load(path).predict_proba(X), expected)\n"
        "    sys.stdout.write(path.stem + ' ')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert len(done.stdout.split()) == len(estimators)


# ---- continued training


def test_partial_fit_continues_training(tmp_path):
    clf = clone(MLP).fit(X, y)
    save(clf, tmp_path / "model.skimgcls")
    again = load(tmp_path / "model.skimgcls").partial_fit(X, y)
    assert len(again.history_) == 3
    assert not np.array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_with_the_optimizer_training_continues_identically(tmp_path):
    clf = clone(MLP).fit(X, y)
    save(clf, tmp_path / "with.skimgcls", with_optimizer=True)
    save(clf, tmp_path / "without.skimgcls")
    again = load(tmp_path / "with.skimgcls").partial_fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), clf.partial_fit(X, y).predict_proba(X))
    sizes = [os.path.getsize(tmp_path / f"{name}.skimgcls") for name in ("with", "without")]
    assert sizes[0] > 2 * n_bytes_of_weights(clf) > sizes[1] - 64 * 1024


# ---- the file


@pytest.mark.parametrize("name", ["MLP", "CNN", "ResNet", "pretrained", "torchvision"])
def test_file_is_little_larger_than_the_weights(name, estimators, tmp_path):
    clf = clone(estimators[name]).fit(X, y)
    save(clf, tmp_path / "model.skimgcls")
    size = os.path.getsize(tmp_path / "model.skimgcls")
    assert size <= n_bytes_of_weights(clf) + 64 * 1024


def test_file_describes_its_content(tmp_path):
    clf = RejectOptionClassifier(make_pipeline(ImageResizer(size=6), MLP), random_state=0)
    save(clf.fit(X, np.array(["a", "b", "c"])[y]), tmp_path / "model.skimgcls")
    told = read_model(tmp_path / "model.skimgcls")[1]
    assert told["estimator"] == "RejectOptionClassifier"
    assert [step.partition("(")[0] for step in told["steps"]] == [
        "ImageResizer",
        "MLPImageClassifier",
    ]
    assert told["classes"] == ["a", "b", "c"]
    assert told["image_shape"] == [8, 8, 3]
    assert told["packages"]["torch"] == version("torch")


def test_unavailable_device_does_not_prevent_loading(tmp_path):
    clf = clone(MLP).fit(X, y)
    expected = clf.predict_proba(X)
    save(clf.set_params(device="cuda:7"), tmp_path / "model.skimgcls")
    np.testing.assert_array_equal(load(tmp_path / "model.skimgcls").predict_proba(X), expected)


def test_global_generators_are_unchanged(tmp_path):
    clf = clone(MLP).fit(X, y)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    save(clf, tmp_path / "model.skimgcls")
    load(tmp_path / "model.skimgcls")
    assert torch.rand(1) == expected


# ---- refusals


class Softmax(BaseImageClassifier):
    """A custom classifier."""

    def __init__(self, *, max_iter=1, random_state=None):
        super().__init__(max_iter=max_iter, random_state=random_state)

    def _build_module(self, image_shape, n_outputs):
        return torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(int(np.prod(image_shape)), n_outputs)
        )


def test_custom_type_must_be_trusted_by_name(tmp_path):
    path = tmp_path / "model.skimgcls"
    clf = Softmax(random_state=0).fit(X, y)
    name = f"{Softmax.__module__}.Softmax"
    with pytest.raises(TypeError, match=name):
        save(clf, path)
    assert not path.exists()
    save(clf, path, trusted=[name])
    with pytest.raises(ValueError, match=rf"{name}.*No code in it was run"):
        load(path)
    np.testing.assert_array_equal(load(path, trusted=[name]).predict_proba(X), clf.predict_proba(X))


class Net(torch.nn.Module):
    """A custom module."""

    def __init__(self, image_shape, n_outputs):
        super().__init__()
        self.last = torch.nn.Linear(int(np.prod(image_shape)), n_outputs)

    def forward(self, batch):
        return self.last(batch.flatten(1))


def test_custom_module_must_be_trusted_by_name(tmp_path):
    path = tmp_path / "model.skimgcls"
    clf = ModuleImageClassifier(Net, max_iter=1, random_state=0).fit(X, y)
    name = f"{Net.__module__}.Net"
    with pytest.raises(TypeError, match=name):
        save(clf, path)
    save(clf, path, trusted=[name])
    again = load(path, trusted=[name])
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_invalid_estimator_is_rejected_and_the_old_file_kept(tmp_path):
    path = tmp_path / "model.skimgcls"
    save(clone(MLP).fit(X, y), path)
    before = path.read_bytes()
    with pytest.raises(NotFittedError):
        save(clone(MLP), path)
    with pytest.raises(TypeError, match="save expects a fitted estimator; got dict"):
        save({}, path)
    search = RandomizedSearchCV(MLP, {"alpha": uniform(0, 1)}, n_iter=1, cv=2).fit(X, y)
    with pytest.raises(TypeError, match=r"scipy.*best_estimator_"):
        save(search, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.skimgcls"]


def test_missing_folder_is_rejected(tmp_path):
    with pytest.raises(FileNotFoundError):
        save(clone(MLP).fit(X, y), tmp_path / "none" / "model.skimgcls")
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_named_before_anything_is_written(tmp_path):
    clf = MLPImageClassifier(4, max_iter=1).fit(*make_stripes(12))
    with pytest.raises(FileNotFoundError, match=r"The folder .*none.* does not exist"):
        save(clf, tmp_path / "none" / "a.skimgcls")
    assert list(tmp_path.iterdir()) == []


def test_the_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    clf = MLPImageClassifier(4, max_iter=1).fit(*make_stripes(12))
    save(clf, "~/a.skimgcls")
    assert [path.name for path in tmp_path.iterdir()] == ["a.skimgcls"]
    assert load("~/a.skimgcls").classes_.tolist() == clf.classes_.tolist()
