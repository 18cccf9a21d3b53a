"""Exported models in onnxruntime against the bare torch module and `predict_proba`.

Single images are predicted in runs of several dozen, as in a server. The bare module is that of the
classifier, in float32, called on a prepared tensor. The sides alternate in one process, with the
same number of threads. The probabilities of the exported model are compared with `predict_proba` in
float32 on all test images.
"""

import tempfile
from dataclasses import replace
from functools import partial
from statistics import median

import numpy as np
import onnxruntime
import torch
from _data import load_cifar10, load_photos
from _report import Row, difference_row, ratio_row, show, speedup_row
from _timing import in_turn, seconds_of
from PIL import Image
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageLoader,
    PretrainedImageClassifier,
    ResNetImageClassifier,
    to_onnx,
)

N_TRAINING_IMAGES, N_EPOCHS, N_CALIBRATION_IMAGES = 10_000, 8, 500
N_DEEP_EPOCHS, N_INT8_IMAGES = 2, 1_000
N_PHOTOS, SIDE = 600, 96
N_PAIRS, N_RUNS, N_CALLS, N_AT_ONCE = 7, 15, 40, 250


class Model:
    """An ONNX model in onnxruntime, with the same number of threads as torch."""

    def __init__(self, model):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Otherwise its threads keep the CPU busy when the other side starts.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def predict_proba(self, pixels):
        parts = [
            self.session.run(["probabilities"], {"pixels": pixels[i : i + N_AT_ONCE]})[0]
            for i in range(0, len(pixels), N_AT_ONCE)
        ]
        return np.concatenate(parts)


def median_seconds_of(function, *arguments):
    """Return the median seconds of successive calls."""
    return median(seconds_of(function, *arguments) for _ in range(N_CALLS))


def equality_rows(what, found, expected):
    """Compare probabilities with those of `predict_proba`, image by image."""
    difference = float(np.abs(found - expected).max())
    n_other = int((found.argmax(axis=1) != expected.argmax(axis=1)).sum())
    return [
        Row(
            f"Largest difference of a probability from predict_proba, {what}",
            "at most 1e-4",
            f"{difference:.1e}",
            difference <= 1e-4,
        ),
        Row(
            f"Images with another most probable class than predict_proba has, {what}",
            "none",
            f"{n_other} of {len(found):,}",
            n_other == 0,
        ),
    ]


def bare_evaluation(clf, image):
    """Return a call of the module in float32 on one prepared image."""
    module = clf.net_.module_.eval()
    batch = torch.from_numpy(image).float().permute(0, 3, 1, 2)
    batch = batch.contiguous(memory_format=torch.channels_last)

    def evaluate():
        with torch.inference_mode():
            module(batch)

    return evaluate


def single_rows(clf, exact, image):
    evaluate = bare_evaluation(clf, image)
    ours, bare, whole = in_turn(
        partial(median_seconds_of, exact.predict_proba, image),
        partial(median_seconds_of, evaluate),
        partial(median_seconds_of, clf.predict_proba, image),
        n_rounds=N_RUNS,
    )
    runs = f"{N_RUNS} runs of {N_CALLS} calls"
    model = "Exported CNNImageClassifier, a single image of CIFAR-10,"
    return [
        ratio_row(f"{model} against the bare module, {runs}", ours, bare, at_most=1.5),
        ratio_row(f"{model} against predict_proba, {runs}", ours, whole, at_most=1.0),
    ]


def many_row(clf, exact, images):
    ours, theirs = in_turn(
        partial(seconds_of, exact.predict_proba, images),
        partial(seconds_of, clf.predict_proba, images),
        n_rounds=N_PAIRS,
    )
    what = (
        "Exported CNNImageClassifier against predict_proba in float32, "
        f"{len(images):,} images of CIFAR-10"
    )
    return ratio_row(what, ours, theirs, at_most=1.0)


def int8_rows(clf, exact, X, X_test, y_test):
    """Compare accuracy and speed of a model in int8 and in float32."""
    name = type(clf).__name__
    rounded = Model(to_onnx(clf, calibration=X[:N_CALIBRATION_IMAGES]))
    scores = [
        [float((clf.classes_[side.predict_proba(X_test).argmax(axis=1)] == y_test).mean())]
        for side in (rounded, exact)
    ]
    images = X_test[:N_INT8_IMAGES]
    ours, theirs = in_turn(
        partial(seconds_of, rounded.predict_proba, images),
        partial(seconds_of, exact.predict_proba, images),
        n_rounds=N_PAIRS,
    )
    return [
        difference_row(
            f"Accuracy of an exported {name} in int8 and in float32, {len(X_test):,} images of "
            "CIFAR-10",
            *scores,
            at_most=0.01,
        ),
        replace(
            speedup_row(
                f"Exported {name} in int8 against float32, {len(images):,} images of CIFAR-10",
                ours,
                theirs,
                at_least=1.0,
            ),
            # In a shallow network, the time saved in products is lost in rounding.
            promise="reported",
            kept=True,
        ),
    ]


def cifar10_rows():
    X_train, y_train, X_test, y_test = load_cifar10()
    X, y = X_train[:N_TRAINING_IMAGES], y_train[:N_TRAINING_IMAGES]
    clf = CNNImageClassifier(max_iter=N_EPOCHS, precision="float32", random_state=0).fit(X, y)
    exact = Model(to_onnx(clf))
    expected, found = clf.predict_proba(X_test), exact.predict_proba(X_test)
    deep = ResNetImageClassifier(max_iter=N_DEEP_EPOCHS, random_state=0).fit(X, y)
    return [
        *equality_rows(f"CNNImageClassifier, {len(X_test):,} images of CIFAR-10", found, expected),
        *single_rows(clf, exact, X_test[:1]),
        many_row(clf, exact, X_test),
        *int8_rows(clf, exact, X, X_test, y_test),
        *int8_rows(deep, Model(to_onnx(deep)), X, X_test, y_test),
    ]


def read_pixels(path):
    """Return the pixels of one file, of shape (1, height, width, 3)."""
    return np.asarray(Image.open(path).convert("RGB"))[np.newaxis]


def photo_rows():
    with tempfile.TemporaryDirectory() as folder:
        frame, labels = load_photos(folder)
        paths, tests, y, _ = train_test_split(
            frame, labels, train_size=N_PHOTOS, test_size=N_PHOTOS, stratify=labels, random_state=0
        )
        backbone = PretrainedImageClassifier(
            "mobilenet_v3_small",
            weights=None,
            trainable="all",
            max_iter=3,
            precision="float32",
            random_state=0,
        )
        pipe = make_pipeline(ImageLoader(size=SIDE), backbone).fit(paths, y)
        exact = Model(to_onnx(pipe))
        photos = [read_pixels(path) for path in tests.iloc[:, 0]]
        found = np.concatenate([exact.predict_proba(pixels) for pixels in photos])
        rows = equality_rows(
            f"ImageLoader(size={SIDE}) and PretrainedImageClassifier, {len(photos)} photographs of "
            "many sizes",
            found,
            pipe.predict_proba(tests),
        )
        # Both sides get the same decoded photograph.
        pixels = photos[0]
        ours, theirs = in_turn(
            partial(median_seconds_of, exact.predict_proba, pixels),
            partial(median_seconds_of, pipe.predict_proba, pixels),
            n_rounds=N_RUNS,
        )
    what = (
        f"Exported Pipeline, a single photograph of {pixels.shape[2]} by {pixels.shape[1]} pixels "
        f"resized to {SIDE}, against predict_proba, {N_RUNS} runs of {N_CALLS} calls"
    )
    return [*rows, ratio_row(what, ours, theirs, at_most=1.5)]


def main():
    show(cifar10_rows())
    show(photo_rows())


if __name__ == "__main__":
    main()
