"""Behavior shared by all classifiers, tested on small ones."""

import copy
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skimgcls import (
    BaseImageClassifier,
    CNNImageClassifier,
    ImageAugmenter,
    MLPImageClassifier,
)
from skimgcls._images._lazy_images import LazyImages
from skimgcls._training._device import has_bfloat16
from skimgcls.estimator_checks._data import make_stripes


def make_mlp(**params):
    return MLPImageClassifier(
        **{"hidden_layer_sizes": 8, "max_iter": 3, "random_state": 0, **params}
    )


class SoftmaxRegression(BaseImageClassifier):
    """A minimal classifier."""

    def _build_module(self, image_shape, n_outputs):
        height, width, channels = image_shape
        return torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(height * width * channels, n_outputs)
        )


def test_one_method_makes_a_classifier(stripes):
    X, y = stripes
    clf = SoftmaxRegression(max_iter=50, random_state=0).fit(X, y)
    assert clf.score(X, y) == 1
    assert clone(clf).get_params() == clf.get_params()


def test_the_base_class_itself_is_abstract():
    with pytest.raises(TypeError, match="_build_module"):
        BaseImageClassifier()


def test_what_auto_chose_is_an_attribute(stripes):
    X, y = stripes
    clf = MLPImageClassifier((8,), random_state=0).fit(X, y)
    assert (clf.batch_size_, clf.max_iter_, clf.learning_rate_init_) == (64, 100, 0.002)
    clf.set_params(batch_size=7, learning_rate_init=0.01).partial_fit(X, y)
    assert (clf.batch_size_, clf.max_iter_, clf.learning_rate_init_) == (7, 1, 0.01)
    again = pickle.loads(pickle.dumps(clf))
    assert (again.batch_size_, again.max_iter_, again.learning_rate_init_) == (7, 1, 0.01)


# ---- input formats


def test_files_are_read_in_color_or_in_the_gray_that_is_asked_for(stripes, tmp_path):
    X, y = stripes
    paths = [str(tmp_path / f"{i}.png") for i in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    assert make_mlp().fit(paths, y).image_shape_ == (8, 8, 3)
    gray = make_mlp(image_shape=(8, 8)).fit(paths, y)
    assert gray.image_shape_ == (8, 8, 1)
    expected = make_mlp().fit(X, y).predict_proba(X)
    for X_test in (X, paths, pd.DataFrame({"path": paths}), pd.Series(paths), np.array(paths)):
        np.testing.assert_array_equal(gray.predict_proba(X_test), expected)


def test_lazy_images_equal_their_source_in_every_format(stripes):
    X, y = stripes
    expected = CNNImageClassifier(max_iter=2, random_state=0).fit(X, y).predict_proba(X)
    for spelling in (X, X.reshape(len(X), -1), X[..., np.newaxis]):
        lazy = ImageAugmenter().fit_transform(spelling)
        clf = CNNImageClassifier(max_iter=2, random_state=0).fit(lazy, y, X_val=lazy, y_val=y)
        np.testing.assert_array_equal(clf.predict_proba(lazy), expected)


def test_partial_fit_gives_the_same_result_for_lazy_images_and_pixels(stripes, tmp_path):
    X, y = stripes
    paths = [str(tmp_path / f"{i}.png") for i in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    sides = [make_mlp(image_shape=(8, 8)) for _ in range(2)]
    for clf, images in zip(sides, (X, paths), strict=True):
        for _ in range(2):
            clf.partial_fit(images, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(*(clf.predict_proba(X) for clf in sides))


def test_files_of_another_size_are_refused_with_advice(stripes, tmp_path):
    X, y = stripes
    path = str(tmp_path / "large.png")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(path)
    clf = make_mlp().fit(X, y)
    with pytest.raises(ValueError, match=r"of shape \(9, 9, 1\), but .* \(8, 8, 1\).*Resize"):
        clf.predict([path])


def test_a_file_that_fails_in_training_is_named_and_the_model_is_kept(stripes, tmp_path):
    X, y = stripes
    paths = [str(tmp_path / f"{i}.png") for i in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    clf = make_mlp(image_shape=(8, 8)).fit(paths, y)
    before = clf.predict_proba(X)
    Path(paths[7]).write_bytes(Path(paths[7]).read_bytes()[:50])
    with pytest.raises(ValueError, match=r"X\[7\]: .*7.png' is cut short"):
        clf.fit(paths, y)
    np.testing.assert_array_equal(clf.predict_proba(X), before)


def test_color_images_in_rows_are_the_images(color_stripes):
    X, y = color_stripes
    rows = X.reshape(len(X), -1)
    reference = CNNImageClassifier(max_iter=2, random_state=0).fit(X, y)
    for spelling in (rows, pd.DataFrame(rows), rows.tolist(), torch.from_numpy(rows.copy())):
        clf = CNNImageClassifier(max_iter=2, random_state=0, image_shape=(6, 8, 3))
        clf.fit(spelling, y)
        for pixels in (X, rows):
            found, expected = clf.predict_proba(pixels), reference.predict_proba(X)
            np.testing.assert_array_equal(found, expected)


def test_rows_of_unknown_shape_do_not_fix_the_shape(color_stripes):
    X, y = color_stripes
    clf = make_mlp().fit(X.reshape(len(X), -1), y)
    assert clf.image_shape_ == (12, 12, 1)
    np.testing.assert_array_equal(clf.predict(X), clf.predict(X.reshape(len(X), -1)))


def test_images_of_another_shape_with_as_many_pixels_are_refused(stripes):
    X, y = stripes
    clf = make_mlp().fit(X, y)
    with pytest.raises(ValueError, match=r"\(4, 16\).*was fitted on images of shape \(8, 8, 1\)"):
        clf.predict(X.reshape(-1, 4, 16))


# ---- pixel statistics


def test_bytes_and_floats_of_any_range_train_alike(color_stripes):
    X, y = color_stripes
    reference = make_mlp().fit(X, y).predict_proba(X)
    for pixels in (X.astype(float), X / 255.0, X / np.float32(255), X * 2.0 - 255.0):
        proba = make_mlp().fit(pixels, y).predict_proba(pixels)
        np.testing.assert_allclose(proba, reference, atol=1e-4)


def test_the_statistics_are_part_of_the_model(color_stripes):
    X, y = color_stripes
    layer = make_mlp().fit(X, y).net_.module_.standardize
    np.testing.assert_allclose(layer.mean.ravel(), X.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(layer.scale.ravel(), X.std(axis=(0, 1, 2)), rtol=1e-6)


def test_the_statistics_use_sample_weights_but_not_class_weights(stripes):
    X, y = stripes
    weights = np.where(y == 0, 3, 1)
    mean = make_mlp().fit(X, y, sample_weight=weights).net_.module_.standardize.mean.item()
    assert mean == pytest.approx(np.average(X.mean(axis=(1, 2)), weights=weights))
    mean = make_mlp(class_weight={0: 3}).fit(X, y).net_.module_.standardize.mean.item()
    assert mean == pytest.approx(X.mean())


def test_without_standardize_the_network_gets_unchanged_pixels(stripes):
    X, y = stripes
    clf = make_mlp(standardize=False).fit(X / 255, y)
    assert not any("mean" in name for name in clf.net_.module_.state_dict())


# ---- precision


def test_float64_is_used_for_small_data_that_need_it(stripes):
    X, y = stripes

    def dtype_of(clf):
        return next(clf.net_.module_.parameters()).dtype

    assert dtype_of(make_mlp().fit(X, y)) is torch.float32
    assert dtype_of(make_mlp().fit(X.astype(np.float64), y)) is torch.float32
    assert dtype_of(make_mlp().fit(X / 255, y)) is torch.float64
    assert dtype_of(make_mlp(batch_size=16).fit(X / 255, y)) is torch.float32


@pytest.mark.parametrize("precision", ["half", "float16", "", None, 32, torch.float32])
def test_an_unknown_precision_is_refused_and_the_valid_ones_are_named(stripes, precision):
    with pytest.raises(ValueError, match=r"'precision' parameter .*'bfloat16'") as refused:
        make_mlp(precision=precision).fit(*stripes)
    assert all(name in str(refused.value) for name in ("'auto'", "'float32'", "'float64'"))


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float64"])
def test_the_requested_precision_is_used(stripes, precision):
    X, y = stripes
    clf = make_mlp(precision=precision, max_iter=30, learning_rate_init=0.02)
    for images in (X, X / 255, X.astype(np.float32)):
        assert clf.fit(images, y).precision_ == precision
        stored = torch.float64 if precision == "float64" else torch.float32
        assert {each.dtype for each in clf.net_.module_.parameters()} == {stored}
        assert clf.decision_function(images).dtype == str(stored).removeprefix("torch.")
        assert clf.score(images, y) == 1


def test_auto_precision_follows_the_values_and_the_size_of_the_images(stripes):
    X, y = stripes
    large = np.repeat(np.repeat(X, 2, axis=1), 2, axis=2)
    rounded = "bfloat16" if has_bfloat16(torch.device("cpu")) else "float32"
    clf = make_mlp(device="cpu", max_iter=1)
    for images, precision in [
        (X, "float32"),
        (X.astype(np.float64), "float32"),
        (X / 255, "float64"),
        (np.float32(X / 255), "float32"),
        (large, rounded),
        (large / 255, "float64"),
    ]:
        assert clf.fit(images, y).precision_ == precision
    # float64 is never used for more images than one batch.
    assert clf.set_params(batch_size=16).fit(large / 255, y).precision_ == rounded
    assert clf.fit(X / 255, y).precision_ == "float32"
    assert make_mlp(device="cpu").partial_fit(X / 255, y, classes=[0, 1, 2]).precision_ == "float32"


def test_the_first_partial_fit_decides_on_the_precision(stripes):
    X, y = stripes
    clf = make_mlp(precision="bfloat16").partial_fit(X, y, classes=[0, 1, 2])
    clf.set_params(precision="float64").partial_fit(X, y)
    assert clf.precision_ == "bfloat16"
    assert next(clf.net_.module_.parameters()).dtype is torch.float32


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float64"])
@pytest.mark.parametrize("classifier", [MLPImageClassifier, CNNImageClassifier])
def test_a_copy_predicts_and_trains_in_the_same_precision(stripes, classifier, precision):
    X, y = stripes
    clf = classifier(max_iter=3, precision=precision, random_state=0).fit(X, y)
    for again in (pickle.loads(pickle.dumps(clf)), copy.deepcopy(clf)):
        assert again.precision_ == precision
        np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
        again.partial_fit(X, y)
    clf.partial_fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_predictions_of_a_fit_in_bfloat16_can_be_exact(stripes):
    X, y = stripes
    clf = make_mlp(precision="bfloat16").fit(X, y)
    rounded = clf.decision_function(X)
    exact = clf.set_params(precision="float32").decision_function(X)
    batch = torch.from_numpy(X.reshape(len(X), *clf.image_shape_)).float().permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = clf.net_.module_.eval()(batch).numpy()
    np.testing.assert_allclose(exact, expected, atol=1e-5)
    assert np.abs(rounded - expected).max() > 1e-4
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clf)).decision_function(X), exact)


def test_predictions_in_bfloat16_follow_the_weights(stripes):
    X, y = stripes
    clf = make_mlp(precision="bfloat16", warm_start=True, learning_rate_init=0.02).fit(X, y)
    seen = [clf.predict_proba(X)]
    for train_on in (clf.partial_fit, clf.fit):
        train_on(X, y)
        seen.append(clf.predict_proba(X))
        again = pickle.loads(pickle.dumps(clf))
        np.testing.assert_array_equal(again.predict_proba(X), seen[-1])
    assert not np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[1], seen[2])


def test_a_failed_partial_fit_in_bfloat16_predicts_as_before(stripes):
    X, y = stripes
    clf = make_mlp(precision="bfloat16", batch_size=12).partial_fit(X, y, classes=[0, 1, 2])
    before = clf.predict_proba(X)
    with pytest.raises(ValueError, match="Lower learning_rate_init"):
        clf.set_params(learning_rate_init=1e30).partial_fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), before)


# ---- weights


# ---- mixing, copies


@pytest.mark.parametrize("mixing", [{"mixup": 0.2}, {"cutmix": 1.0}, {"mixup": 1, "cutmix": 1}])
def test_a_model_learns_from_mixed_images(stripes, mixing):
    X, y = stripes
    clf = make_mlp(max_iter=60, **mixing).fit(X, y)
    assert clf.score(X, y) == 1
    again = make_mlp(max_iter=60, **mixing).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), again.predict_proba(X))
    plain = make_mlp(max_iter=60).fit(X, y)
    # Predictions for mixed images are never as confident as for unmixed ones.
    assert clf.loss_ > plain.loss_
    assert set(clf.history_["train_accuracy"].between(0, 1)) == {True}


def test_multilabel_images_are_mixed_too(stripes):
    X, codes = stripes
    y = np.stack([codes == 0, codes == 1, codes < 2], axis=1).astype(int)
    clf = make_mlp(max_iter=60, mixup=0.2).fit(X, y, sample_weight=np.ones(len(X)))
    assert clf.score(X, y) > 0.9


def test_mixing_in_float64_stays_in_float64(stripes):
    X, y = stripes
    clf = make_mlp(mixup=1.0).fit(X / 3, y)
    assert next(clf.net_.module_.parameters()).dtype is torch.float64


def test_marked_copies_without_an_augmenter_give_a_warning(stripes):
    X, y = stripes
    marked = LazyImages(X[..., np.newaxis], marks=np.arange(len(X)) > 30)
    with pytest.warns(UserWarning, match="none that changes anything"):
        make_mlp().fit(marked, y)


# ---- batches


@pytest.mark.parametrize(
    ("shape", "batch_size"), [((8, 8, 1), 64), ((224, 224, 3), 19), ((512, 512, 3), 16)]
)
def test_large_images_use_small_batches(shape, batch_size):
    clf = make_mlp().fit(np.zeros((2, *shape), np.uint8), [0, 1])
    assert clf._make_config(9_999).batch_size == batch_size


def test_class_weight_moves_the_decision(stripes):
    X, y = stripes
    blurred = X // 8 + np.random.RandomState(0).randint(0, 200, X.shape).astype(np.uint8)
    params = {"max_iter": 20, "learning_rate_init": 0.02}
    plain = make_mlp(**params).fit(blurred, y).predict(blurred)
    leaning = make_mlp(**params, class_weight={2: 100}).fit(blurred, y).predict(blurred)
    assert (leaning == 2).mean() > (plain == 2).mean()


def test_balanced_equals_the_same_weights_given_by_label(stripes):
    X, y = stripes
    X, y = X[:30], np.where(np.arange(30) < 24, 0, 1)
    by_label = {0: 30 / (2 * 24), 1: 30 / (2 * 6)}
    balanced = make_mlp(class_weight="balanced").fit(X, y).predict_proba(X)
    named = make_mlp(class_weight=by_label).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(balanced, named)


def test_multilabel_class_weights_apply_to_the_ones_of_a_column(stripes):
    X, _ = stripes
    rare = np.stack([np.arange(len(X)) % 12 == 0, np.arange(len(X)) % 2 == 0], axis=1).astype(int)
    params = {"max_iter": 10, "learning_rate_init": 0.02, "learning_rate": "constant"}
    plain = make_mlp(**params).fit(X, rare).predict_proba(X)
    balanced = make_mlp(**params, class_weight="balanced").fit(X, rare).predict_proba(X)
    assert balanced[:, 0].mean() > plain[:, 0].mean() + 0.05


# ---- validation and early stopping


def test_the_history_has_training_and_validation_metrics(stripes):
    X, y = stripes
    clf = make_mlp().fit(X, y, X_val=X[:9], y_val=y[:9])
    assert list(clf.history_.index) == [1, 2, 3]
    assert clf.history_.notna().all(axis=None)
    assert clf.validation_scores_ == clf.history_["validation_accuracy"].tolist()
    assert clf.best_validation_score_ == max(clf.validation_scores_)
    assert clf.loss_curve_[-1] == clf.loss_ >= clf.best_loss_
    last = clf.history_.iloc[-1]
    assert last["validation_accuracy"] == clf.score(X[:9], y[:9])


def test_the_history_shows_the_metrics_in_a_narrow_terminal(stripes):
    X, y = stripes
    clf = make_mlp().fit(X, y, X_val=X[:9], y_val=y[:9])
    # The width that pandas assumes where there is no terminal.
    with pd.option_context("display.width", 80):
        printed = str(clf.history_)
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        assert name in printed.splitlines()[0]


def test_without_validation_images_there_are_no_validation_scores(stripes):
    clf = make_mlp().fit(*stripes)
    assert clf.validation_scores_ is None
    assert clf.best_validation_score_ is None
    assert clf.history_["validation_loss"].isna().all()


def test_early_stopping_restores_the_best_weights(stripes):
    X, y = stripes
    noisy = np.random.RandomState(0).permutation(y)
    clf = make_mlp(max_iter=60, early_stopping=True, n_iter_no_change=5, learning_rate_init=0.05)
    clf.fit(X, noisy, X_val=X, y_val=y)
    assert clf.n_iter_ < 60
    assert clf.score(X, y) == clf.best_validation_score_


def test_early_stopping_holds_out_images_if_none_are_given(stripes):
    X, y = stripes
    clf = make_mlp(early_stopping=True, validation_fraction=0.25).fit(X, y)
    assert len(clf.validation_scores_) == clf.n_iter_
    # Nine of 36 images, three per class: scores are multiples of 1/9.
    assert all(np.isclose(9 * score, round(9 * score)) for score in clf.validation_scores_)


def test_training_ends_when_the_loss_no_longer_falls(stripes):
    clf = make_mlp(max_iter=500, n_iter_no_change=2, tol=0.5).fit(*stripes)
    assert clf.n_iter_ < 10


def test_unknown_labels_in_y_val_are_named(stripes):
    X, y = stripes
    with pytest.raises(ValueError, match=r"y_val holds labels .*: 7 in row 1\."):
        make_mlp().fit(X, y, X_val=X[:2], y_val=[0, 7])


# ---- warm start and partial_fit


def test_warm_start_refuses_another_architecture_and_keeps_the_fitted_model(stripes):
    X, y = stripes
    clf = make_mlp(warm_start=True).fit(X, y)
    before = clf.predict_proba(X)
    clf.set_params(hidden_layer_sizes=(9,))
    with pytest.raises(ValueError, match="build a different network"):
        clf.fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), before)


def test_warm_start_refuses_other_labels(stripes):
    X, y = stripes
    clf = make_mlp(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="not among the classes"):
        clf.fit(X, y + 1)


def test_partial_fit_learns_from_batches(stripes):
    X, y = stripes
    clf = make_mlp(learning_rate_init=0.01)
    for _ in range(15):
        for part in np.array_split(np.arange(len(X)), 3):
            clf.partial_fit(X[part], y[part], classes=[0, 1, 2])
    assert clf.score(X, y) == 1
    assert clf.n_iter_ == 45


def test_partial_fit_accepts_a_batch_that_lacks_a_class(stripes):
    X, y = stripes
    clf = make_mlp().partial_fit(X[:1], y[:1], classes=[0, 1, 2])
    assert clf.predict_proba(X).shape == (36, 3)


def test_partial_fit_uses_parameters_set_later(stripes):
    X, y = stripes
    clf = make_mlp(batch_size=36).partial_fit(X, y, classes=[0, 1, 2])
    steps = []
    clf.net_.on_grad_computed = lambda *args, **kwargs: steps.append(len(kwargs["batch"][0]))
    clf.set_params(batch_size=9).partial_fit(X, y)
    assert steps == [9, 9, 9, 9]


def test_partial_fit_computes_in_float32(stripes):
    X, y = stripes
    clf = make_mlp().partial_fit(X[:9] / 255, y[:9], classes=[0, 1, 2])
    assert next(clf.net_.module_.parameters()).dtype is torch.float32


def test_the_first_partial_fit_needs_the_classes(stripes):
    X, y = stripes
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        make_mlp().partial_fit(X, y)
    clf = make_mlp().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="not the same as on the last call"):
        clf.partial_fit(X, y, classes=[0, 1, 2, 3])


def test_partial_fit_refuses_balanced_class_weights(stripes):
    X, y = stripes
    with pytest.raises(ValueError, match="compute_class_weight"):
        make_mlp(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])


def test_class_weights_that_leave_no_image_are_refused(stripes):
    X, y = stripes
    clf = make_mlp(class_weight={0: 0}).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="leaves no image to train on"):
        clf.partial_fit(X[y == 0], y[y == 0])


def test_a_failed_partial_fit_keeps_the_weights(stripes):
    X, y = stripes
    clf = make_mlp(batch_size=12).partial_fit(X, y, classes=[0, 1, 2])
    clf.set_params(learning_rate_init=1e30)
    before, state = clf.predict_proba(X), pickle.dumps(clf)
    with pytest.raises(ValueError, match="Lower learning_rate_init"):
        clf.partial_fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), before)
    assert pickle.dumps(clf) == state


# ---- errors of fit not about images


def test_a_loss_of_nan_stops_training_and_names_what_to_lower(stripes):
    X, y = stripes
    clf = make_mlp(learning_rate_init=1e30, max_iter=20)
    with pytest.raises(
        ValueError, match=r"became (nan|inf) in epoch \d+. Lower learning_rate_init"
    ):
        clf.fit(X, y)
    with pytest.raises(NotFittedError):
        clf.predict(X)


def test_a_missing_device_is_named_with_the_available_ones(stripes):
    with pytest.raises(ValueError, match=r"device='cuda:99' .* torch sees \(cpu"):
        make_mlp(device="cuda:99").fit(*stripes)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.zeros(36), "at least one non-zero"),
        (np.full(36, -1.0), "[Nn]egative"),
        (np.ones(35), "inconsistent|shape"),
        (np.full(36, np.nan), "NaN"),
        (np.where(np.arange(36) % 3 == 0, 1, 0), "one class"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(stripes, weights, words):
    X, y = stripes
    with pytest.raises(ValueError, match=words):
        make_mlp().fit(X, y, sample_weight=weights)


def test_class_weights_of_unknown_labels_are_refused(stripes):
    with pytest.raises(ValueError, match=r"does not hold: \['cat'\].*\[0, 1, 2\]"):
        make_mlp(class_weight={"cat": 2}).fit(*stripes)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"alpha": -1}, "alpha"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"max_iter": 0}, "max_iter"),
        ({"dropout": 1.0}, "dropout"),
        ({"image_shape": (8,)}, "image_shape must be"),
        ({"image_shape": (9, 9)}, "image_shape"),
        ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes"),
        ({"device": 3}, "device"),
    ],
)
def test_parameters_are_checked_in_fit(stripes, params, words):
    clf = make_mlp(**params)
    with pytest.raises(ValueError, match=words):
        clf.fit(*stripes)


# ---- reproducibility


def test_another_process_fits_the_same_bits():
    script = (
        "import numpy as np, torch; torch.set_num_threads(1);"
        "from skimgcls import CNNImageClassifier;"
        "from skimgcls.estimator_checks._data import make_stripes;"
        "X, y = make_stripes(); clf = CNNImageClassifier(max_iter=3, dropout=0.5, random_state=0);"
        "print(clf.fit(X, y).predict_proba(X).tobytes().hex())"
    )
    X, y = make_stripes()
    here = CNNImageClassifier(max_iter=3, dropout=0.5, random_state=0).fit(X, y).predict_proba(X)
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    there = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environment
    )
    assert there.stdout.strip() == here.tobytes().hex()


def test_a_random_state_instance_advances_between_fits(stripes):
    X, y = stripes
    rng = np.random.RandomState(0)
    first, second = (make_mlp(random_state=rng).fit(X, y).predict_proba(X) for _ in range(2))
    assert not np.array_equal(first, second)


def test_a_model_of_a_missing_device_predicts_on_the_cpu(stripes):
    X, y = stripes
    clf = make_mlp().fit(X, y)
    moved = pickle.loads(pickle.dumps(clf.set_params(device="cuda:99")))
    np.testing.assert_array_equal(moved.predict_proba(X), clf.predict_proba(X))
    with pytest.raises(ValueError, match="cuda:99"):
        moved.fit(X, y)


def test_parameters_set_after_the_fit_do_not_break_a_copy(stripes):
    X, y = stripes
    clf = make_mlp().fit(X, y).set_params(hidden_layer_sizes=(3, 3), standardize=False)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert again.get_params() == clf.get_params()


@pytest.fixture
def double_by_default():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_gradient_mode_of_the_caller_does_not_matter(stripes, mode):
    X, y = stripes
    reference = make_mlp().fit(X, y).predict_proba(X)
    with mode():
        clf = make_mlp().fit(X, y)
        again = pickle.loads(pickle.dumps(clf))
        assert not torch.is_grad_enabled()
    for fitted in (clf, again):
        np.testing.assert_array_equal(fitted.predict_proba(X), reference)
        fitted.partial_fit(X, y)


def test_the_default_dtype_of_the_caller_does_not_matter(stripes, request):
    X, y = stripes
    reference = make_mlp().fit(X, y).predict_proba(X)
    request.getfixturevalue("double_by_default")
    np.testing.assert_array_equal(make_mlp().fit(X, y).predict_proba(X), reference)
    assert torch.get_default_dtype() is torch.float64


def test_the_model_keeps_no_data():
    small, large = make_stripes(n_images=12), make_stripes(n_images=1200)
    sizes = [len(pickle.dumps(make_mlp().fit(*data))) for data in (small, large)]
    assert sizes[1] - sizes[0] < 1000


# ---- progress


def test_verbose_shows_one_bar_with_loss_and_validation_score(stripes, capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("LINES", "24")
    X, y = stripes
    make_mlp(verbose=1).fit(X, y, X_val=X, y_val=y)
    out, err = capfd.readouterr()
    assert out == ""
    last = err.rstrip().split("\r")[-1]
    assert "epoch 3/3" in last
    assert "100%" in last
    assert "loss " in last
    assert "validation " in last
    assert err.count("\n") == 1


def test_a_table_of_all_epochs_is_printed(stripes, capfd):
    X, y = stripes
    make_mlp(verbose=2).fit(X, y, X_val=X, y_val=y)
    out, err = capfd.readouterr()
    assert err == ""
    header, _, *epochs = out.splitlines()
    assert {"epoch", "train_loss", "valid_accuracy"} <= set(header.split())
    assert [line.split()[0] for line in epochs] == ["1", "2", "3"]


def test_a_fraction_that_is_not_held_out_gives_a_warning(stripes):
    X, y = stripes
    with pytest.warns(UserWarning, match=r"validation_fraction=0.2 has no effect.*early_stopping"):
        make_mlp(validation_fraction=0.2).fit(X, y)
    make_mlp(validation_fraction=0.2).fit(X, y, X_val=X, y_val=y)
    make_mlp(validation_fraction=0.2, early_stopping=True).fit(X, y)


def test_the_bar_shows_that_training_stopped_early(stripes, capfd):
    X, y = stripes
    clf = make_mlp(verbose=1, max_iter=50, n_iter_no_change=2, tol=0.5).fit(X, y)
    last = capfd.readouterr().err.rstrip().split("\r")[-1]
    assert f"epoch {clf.n_iter_}/50, stopped" in last


def test_the_history_is_plain_json(stripes):
    state = make_mlp().fit(*stripes).__getstate__()
    assert json.loads(json.dumps(state["_history"]))[0]["train_loss"] > 0
