"""int8 models are nearly as accurate, and smaller."""

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageLoader,
    ImageResizer,
    MLPImageClassifier,
    RejectOptionClassifier,
    make_shapes,
)
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.export import to_onnx

X, y = make_stripes(48, shape=(8, 8, 3))
MLP = MLPImageClassifier(max_iter=2, precision="float32", random_state=0)


@pytest.fixture(scope="module")
def mlp():
    return clone(MLP).fit(X, y)


def test_accuracy_on_digits_is_kept(run, facts_of):
    digits = load_digits()
    images = digits.images.astype(np.uint8)[..., np.newaxis]
    clf = CNNImageClassifier(max_iter=10, precision="float32", random_state=0)
    clf.fit(images[:1200], digits.target[:1200])
    exact, rounded = to_onnx(clf), to_onnx(clf, calibration=images[:300])
    scores = [
        (run(model, images[1200:])[1] == digits.target[1200:]).mean() for model in (exact, rounded)
    ]
    assert scores[1] > scores[0] - 0.01
    assert facts_of(rounded)["weights"] == "int8"
    assert rounded.ByteSize() < 0.5 * exact.ByteSize()


def test_weights_are_int8(mlp):
    model = to_onnx(mlp, calibration=X)
    kinds = {tensor.data_type for tensor in model.graph.initializer if len(tensor.dims) == 2}
    assert kinds == {3}


def test_every_input_format_calibrates_equally(mlp):
    expected = to_onnx(mlp, calibration=X).SerializeToString()
    for spelled in (X.reshape(48, -1), X.astype(float), list(X)):
        assert to_onnx(mlp, calibration=spelled).SerializeToString() == expected


def test_reject_option_is_kept(run):
    clf = RejectOptionClassifier(MLP, coverage=0.5, random_state=0).fit(X, y)
    _, labels = run(to_onnx(clf, calibration=X), X)
    assert set(labels.tolist()) <= {-1, 0, 1, 2}
    assert -1 in labels


def test_files_of_different_sizes(run, tmp_path):
    images, labels = make_shapes(12, image_size=(30, 40), random_state=0)
    paths = [tmp_path / f"{number}.png" for number in range(len(images))]
    for number, path in enumerate(paths):
        Image.fromarray(images[number]).resize((20 + 3 * number, 30)).save(path)
    pipe = make_pipeline(ImageLoader(), ImageResizer(16), clone(MLP)).fit(paths, labels)
    model = to_onnx(pipe, calibration=paths)
    found = run(model, images)[0]
    assert np.abs(found - pipe.predict_proba(images)).max() < 0.1
    of_arrays = to_onnx(pipe, calibration=images)
    assert np.abs(run(of_arrays, images)[0] - found).max() < 0.1


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (X[:0], "0 sample"),
        (X[:, :4], "shape"),
        (X[..., :1], "shape|channel"),
        (X / 255, "do not fit uint8"),
        (X.astype(int) + 1000, "do not fit uint8"),
        (3, "must hold images"),
        (["none.png"], "no file"),
    ],
    ids=["none", "smaller", "gray", "scaled", "too large", "number", "missing file"],
)
def test_invalid_calibration_images_are_rejected(images, words, mlp):
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        to_onnx(mlp, calibration=images)


def test_wrong_number_of_channels_is_rejected():
    pipe = make_pipeline(ImageResizer(6), clone(MLP)).fit(X, y)
    with pytest.raises(ValueError, match=r"1 channel\(s\), but the graph takes 3"):
        to_onnx(pipe, calibration=X[..., :1])


def test_files_of_the_wrong_shape_are_rejected(mlp, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "other.png")
    with pytest.raises(ValueError, match=r"shape \(9, 9, 3\), but the graph takes \(8, 8, 3\)"):
        to_onnx(mlp, calibration=[tmp_path / "other.png"])
    many = np.concatenate([X, X], axis=3)
    with pytest.raises(ValueError, match="1 or 3 channels; the graph takes 6"):
        to_onnx(clone(MLP).fit(many, y), calibration=[tmp_path / "other.png"])
