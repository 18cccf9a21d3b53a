"""An exported model predicts the same as its estimator."""

import logging
import os
import sys
import warnings

import numpy as np
import onnx
import pytest
import torch
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from instances import make_small
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageAugmenter,
    ImageEmbedder,
    ImageFlattener,
    ImageLoader,
    ImageNormalizer,
    ImageOverSampler,
    ImageResizer,
    MLPImageClassifier,
    ModuleImageClassifier,
    PretrainedImageClassifier,
    RejectOptionClassifier,
    ResNetImageClassifier,
    load,
    make_shapes,
    save,
)
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.export import to_onnx

X, y = make_stripes(48, shape=(8, 8, 3))
MLP = make_small(MLPImageClassifier, max_iter=2, precision="float32", random_state=0)
CNN = make_small(CNNImageClassifier, max_iter=1, precision="float32", random_state=0)
RESNET = make_small(
    ResNetImageClassifier,
    precision="float32",
    max_iter=1,
    translation=1,
    horizontal_flip=True,
    test_time_augmentation=True,
    random_state=0,
)
# Maximum difference of probabilities.
CLOSE = 1e-4


class Net(torch.nn.Module):
    """A custom module."""

    def __init__(self, image_shape, n_outputs):
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(image_shape[2])
        self.last = torch.nn.Linear(int(np.prod(image_shape)), n_outputs)

    def forward(self, batch):
        return self.last(torch.nn.functional.silu(self.norm(batch)).flatten(1))


class Deciding(Net):
    """A module whose control flow depends on the pixels."""

    def forward(self, batch):
        logits = super().forward(batch)
        return logits if batch.mean() > 0 else -logits


def assert_same(run, model, pixels, estimator, images):
    probabilities, labels = run(model, pixels)
    expected = estimator.predict_proba(images)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == expected.shape
    assert np.abs(probabilities - expected).max() <= CLOSE
    np.testing.assert_array_equal(labels, estimator.predict(images))


# ---- every classifier


CLASSIFIERS = {
    "MLP": MLP,
    "CNN": CNN,
    "CNN of odd windows": clone(CNN).set_params(kernel_size=4, standardize=False),
    "ResNet": RESNET,
    "module": ModuleImageClassifier(Net, max_iter=1, random_state=0),
    "backbone of ours": PretrainedImageClassifier(
        FrozenEstimator(clone(RESNET).fit(X, y)), trainable="all", max_iter=1, random_state=0
    ),
    "float64": clone(MLP).set_params(precision="float64"),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier(name, run):
    clf = clone(CLASSIFIERS[name]).fit(X, y)
    model = to_onnx(clf)
    for n_images in (1, 2, 17):
        assert_same(run, model, X[:n_images], clf, X[:n_images])


@pytest.mark.parametrize(
    ("name", "image_size"),
    [
        ("squeezenet1_1", 32),
        pytest.param("squeezenet1_1", "auto", marks=pytest.mark.slow),
        pytest.param("mobilenet_v3_small", 32, marks=pytest.mark.slow),
    ],
)
def test_torchvision_network_with_resizing(name, image_size, run):
    clf = PretrainedImageClassifier(
        name,
        weights=None,
        trainable="all",
        image_size=image_size,
        max_iter=1,
        precision="float32",
        random_state=0,
    )
    images, labels = make_shapes(16, image_size=(44, 60), random_state=0)
    clf.fit(images, labels)
    assert_same(run, to_onnx(clf), images, clf, images)


def test_rows_of_floats(run, facts_of):
    digits = load_digits()
    rows, target = digits.data[:50], digits.target[:50]
    clf = clone(CNN).fit(rows, target)
    model = to_onnx(clf)
    assert facts_of(model)["dtype"] == "float32"
    assert facts_of(model)["image_shape"] == [8, 8, 1]
    pixels = digits.images[:50, ..., np.newaxis].astype(np.float32)
    assert_same(run, model, pixels, clf, rows)
    as_bytes = to_onnx(clf, dtype="uint8")
    assert_same(run, as_bytes, pixels.astype(np.uint8), clf, rows)


def test_floats_between_zero_and_one(run):
    scaled = X / 255.0
    clf = clone(MLP).fit(scaled, y)
    assert_same(run, to_onnx(clf), scaled.astype(np.float32), clf, scaled)


def test_bfloat16_rounds_more_than_the_graph(run):
    clf = clone(CNN).set_params(precision="bfloat16").fit(X, y)
    probabilities, _ = run(to_onnx(clf), X)
    assert 0 < np.abs(probabilities - clf.predict_proba(X)).max() < 0.05


# ---- Pipelines


PICTURES, SHAPES = make_shapes(12, image_size=(30, 41), random_state=0)


@pytest.fixture
def paths(tmp_path):
    """Image files of many sizes."""
    found = []
    for number, pixels in enumerate(PICTURES):
        picture = Image.fromarray(pixels).resize((25 + 3 * number, 40 - 3 * number // 2))
        path = tmp_path / f"{number}.png"
        picture.save(path)
        found.append(path)
    return found


@pytest.fixture
def thin_paths(tmp_path):
    """Image files of one row of pixels."""
    found = [tmp_path / "dot.png", tmp_path / "line.png"]
    for path, size in zip(found, [(1, 1), (9, 1)], strict=True):
        Image.new("RGB", size, (7, 88, 99)).save(path)
    return found


def assert_same_files(run, pipe, model, paths, mode="RGB"):
    for path in paths:
        pixels = np.asarray(Image.open(path).convert(mode))
        assert_same(run, model, pixels.reshape(1, *pixels.shape[:2], -1), pipe, [path])


PIPELINES = {
    "fit": [ImageLoader(size=(12, 9))],
    "crop": [ImageLoader(size=(12, 9), method="crop", interpolation="bicubic")],
    "pad": [ImageLoader(size=(12, 9), method="pad", background=(9, 100, 200))],
    "nearest": [
        ImageLoader(
            size=(12, 9), mode="L", method="pad", interpolation="nearest", background=(90,) * 3
        )
    ],
    "resized later": [ImageLoader(), ImageResizer(10), ImageNormalizer(), ImageAugmenter()],
    "resized twice": [ImageLoader(size=20), ImageResizer(10, method="crop")],
    "resized as floats": [ImageLoader(size=20), ImageAugmenter(rotation=9), ImageResizer(10)],
    "as rows": [ImageLoader(size=12), ImageFlattener(), ImageNormalizer("unit")],
}


# These cover each kind of graph and each resizing method.
DIFFER_MOST = ("crop", "nearest", "resized later", "resized as floats")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in DIFFER_MOST else pytest.mark.slow)
        for name in PIPELINES
    ],
)
def test_files_of_different_sizes(name, run, facts_of, paths, thin_paths):
    steps = [clone(step) for step in PIPELINES[name]]
    pipe = make_pipeline(*steps, clone(MLP)).fit(paths, SHAPES)
    model = to_onnx(pipe)
    mode = pipe[0].mode
    assert_same_files(run, pipe, model, [*paths, *thin_paths], mode)
    assert facts_of(model)["image_shape"] == [None, None, {"RGB": 3, "L": 1}[mode]]
    assert facts_of(model)["mode"] == mode


@pytest.mark.parametrize("method", ["fit", "crop", "pad"])
def test_floats_are_resized_as_floats(method, run, facts_of):
    images = PICTURES / 255
    pipe = make_pipeline(ImageResizer((9, 11), method=method, background=0.5), clone(MLP))
    pipe.fit(images, SHAPES)
    model = to_onnx(pipe)
    assert facts_of(model)["image_shape"] == [30, 41, 3]
    assert_same(run, model, images.astype(np.float32), pipe, images)


@pytest.mark.parametrize(
    "steps",
    [
        [ImageFlattener(), ImageNormalizer("unit")],
        [ImageNormalizer("imagenet"), ImageResizer(7)],
        ["passthrough", make_pipeline(ImageNormalizer((0, 255)), ImageAugmenter(rotation=5))],
    ],
    ids=["rows", "resized last", "nested"],
)
def test_byte_arrays(steps, run, facts_of):
    pipe = make_pipeline(*steps, clone(MLP)).fit(X, y)
    model = to_onnx(pipe)
    assert facts_of(model)["dtype"] == "uint8"
    assert_same(run, model, X, pipe, X)


def test_samplers_are_skipped(run):
    pipe = make_sampling_pipeline(ImageOverSampler(), clone(MLP)).fit(X, y)
    assert_same(run, to_onnx(pipe), X, pipe, X)


@pytest.mark.parametrize(
    "estimator",
    [
        GridSearchCV(
            make_pipeline(ImageNormalizer(), MLP), {"mlpimageclassifier__alpha": [1]}, cv=2
        ),
        make_pipeline(
            ImageNormalizer(),
            FrozenEstimator(clone(MLP).fit(ImageNormalizer().fit_transform(X), y)),
        ),
    ],
    ids=["search", "frozen"],
)
def test_wrapped_estimators(estimator, run):
    estimator.fit(X, y)
    assert_same(run, to_onnx(estimator), X, estimator, X)


# ---- labels


@pytest.mark.parametrize(
    ("classes", "dtype"),
    [
        (["cat", "dog", "Eule ß 猫"], object),
        ([7, 8, -9], np.int64),
        ([1.0, 2.0, 4.0], np.float64),
        ([True, False, True], np.bool_),
    ],
    ids=["text", "int", "float", "bool"],
)
def test_labels_of_any_type(classes, dtype, run, facts_of):
    clf = clone(MLP).fit(X, np.array(classes)[y])
    model = to_onnx(clf)
    assert_same(run, model, X, clf, X)
    assert run(model, X)[1].dtype == dtype
    assert facts_of(model)["classes"] == clf.classes_.tolist()


def test_multilabel_target(run, facts_of):
    clf = clone(MLP).fit(X, np.stack([y == 0, y > 0, y == 2], axis=1).astype(np.int8))
    model = to_onnx(clf)
    assert_same(run, model, X, clf, X)
    assert run(model, X)[1].dtype == np.int64
    assert facts_of(model)["task"] == "multilabel"


@pytest.mark.parametrize(
    ("classes", "rejected_label"),
    [
        ([1, 2, 3], None),
        (["a", "b", "c"], None),
        (["a", "b", "c"], "none of all these"),
        ([1.0, 2.0, 3.0], None),
        ([1, 2, 3], np.int64(9)),
    ],
)
def test_reject_option(classes, rejected_label, run, facts_of):
    clf = RejectOptionClassifier(
        MLP, coverage=0.5, rejected_label=rejected_label, random_state=0
    ).fit(X, np.array(classes)[y])
    assert 0 < clf.is_accepted(X).sum() < len(X)
    model = to_onnx(make_pipeline(FrozenEstimator(clf)))
    assert_same(run, model, X, clf, X)
    assert facts_of(model)["threshold"] == clf.threshold_
    assert facts_of(model)["rejected_label"] == clf.rejected_label_


def test_text_rejected_label_converts_numeric_labels_to_text(run):
    clf = RejectOptionClassifier(MLP, coverage=0.5, rejected_label="who knows", random_state=0)
    clf.fit(X, y)
    _, labels = run(to_onnx(clf), X)
    assert labels.tolist() == [str(label) for label in clf.predict(X)]


def test_label_type_is_kept_without_rejections(run, facts_of):
    clf = RejectOptionClassifier(MLP, random_state=0).fit(X, y == 1)
    model = to_onnx(clf)
    assert run(model, X)[1].dtype == bool
    assert "rejected_label" not in facts_of(model)


# ---- the file


def test_only_the_model_file_is_written(run, tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    clf = clone(MLP).fit(X, y)
    model = to_onnx(clf, str(folder / "stripes.onnx"))
    assert os.listdir(folder) == ["stripes.onnx"]
    assert os.listdir(tmp_path) == ["models"]
    assert onnx.load(folder / "stripes.onnx") == model
    assert_same(run, folder / "stripes.onnx", X, clf, X)


def test_metadata_of_the_file(facts_of, tmp_path):
    to_onnx(clone(MLP).fit(X, y), tmp_path / "stripes.onnx")
    model = onnx.load(tmp_path / "stripes.onnx")
    onnx.checker.check_model(model, full_check=True)
    facts = facts_of(model)
    assert facts["classes"] == [0, 1, 2]
    assert facts["image_shape"] == [8, 8, 3]
    assert facts["range"] == [0, 255]
    assert facts["weights"] == "float32"
    assert facts["versions"]["torch"] == torch.__version__.split("+")[0]
    assert model.producer_name == "skimgcls"
    assert [value.name for value in model.graph.input] == ["pixels"]
    assert {value.name for value in model.graph.output} == {"probabilities", "labels"}


def test_equal_estimators_give_equal_files(tmp_path):
    """An estimator and the one that is loaded from its file."""
    pipe = make_pipeline(ImageNormalizer(), clone(MLP)).fit(X, y)
    save(pipe, tmp_path / "model.skimgcls")
    again = load(tmp_path / "model.skimgcls")
    assert to_onnx(again).SerializeToString() == to_onnx(pipe).SerializeToString()


# ---- the caller's


def test_export_does_not_change_the_estimator():
    clf = clone(CNN).fit(X, y)
    before = clf.predict_proba(X)
    clf.net_.module_.train()
    parameters = list(clf.net_.module_.parameters())
    to_onnx(clf)
    assert clf.net_.module_.training
    assert all(a is b for a, b in zip(clf.net_.module_.parameters(), parameters, strict=True))
    assert all(parameter.requires_grad for parameter in parameters)
    np.testing.assert_array_equal(clf.predict_proba(X), before)


def test_global_settings_are_unchanged(run):
    clf = clone(MLP).fit(X, y)
    state = torch.get_rng_state()
    filters, disabled = list(warnings.filters), logging.root.manager.disable
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            model = to_onnx(clf, calibration=X)
            assert torch.is_inference_mode_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), state)
    assert warnings.filters == filters
    assert logging.root.manager.disable == disabled
    assert run(model, X)[0].shape == (48, 3)


def test_export_is_silent(capfd):
    to_onnx(clone(CNN).fit(X, y), calibration=X)
    assert capfd.readouterr() == ("", "")


# ---- refusals


def test_unfitted_estimator_is_rejected():
    with pytest.raises(NotFittedError):
        to_onnx(clone(MLP))
    with pytest.raises(NotFittedError):
        to_onnx(make_pipeline(ImageNormalizer(), clone(MLP)))


def test_other_objects_are_rejected():
    with pytest.raises(TypeError, match="to_onnx expects a fitted estimator"):
        to_onnx({})


def test_unsupported_estimators_are_named():
    foreign = make_pipeline(ImageFlattener(), LogisticRegression(C=1e-4, max_iter=5000)).fit(X, y)
    with pytest.raises(TypeError, match="LogisticRegression cannot be exported to ONNX"):
        to_onnx(foreign)
    features = ImageEmbedder("squeezenet1_1", weights=None, image_size=32, random_state=0)
    pipe = make_pipeline(features, clone(MLP)).fit(X, y)
    with pytest.raises(TypeError, match="ImageEmbedder cannot be exported to ONNX"):
        to_onnx(pipe)


def test_data_dependent_control_flow_is_rejected():
    clf = ModuleImageClassifier(Deciding, max_iter=1, random_state=0).fit(X, y)
    with pytest.raises(RuntimeError, match=r"depend on the pixels.*data-dependent"):
        to_onnx(clf)


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_missing_extra_is_named(missing, monkeypatch):
    clf = clone(MLP).fit(X, y)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf'{missing}.*pip install "skimgcls\[onnx\]"'):
        to_onnx(clf, calibration=X)


def test_unwritable_path_is_rejected_before_the_export(tmp_path):
    clf = clone(MLP).fit(X, y)
    with pytest.raises(FileNotFoundError, match="no folder"):
        to_onnx(clf, tmp_path / "none" / "model.onnx")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        to_onnx(clf, tmp_path)
    assert os.listdir(tmp_path) == []


def test_failed_export_keeps_the_existing_file(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")
    clf = ModuleImageClassifier(Deciding, max_iter=1, random_state=0).fit(X, y)
    with pytest.raises(RuntimeError):
        to_onnx(clf, path)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["model.onnx"]


def test_invalid_dtype_is_rejected():
    with pytest.raises(ValueError, match="dtype must be 'auto', 'uint8' or 'float32'"):
        to_onnx(clone(MLP).fit(X, y), dtype="int8")
