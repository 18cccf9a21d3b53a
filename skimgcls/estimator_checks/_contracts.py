"""Checks for image classifiers, one function per check.

``skimgcls.estimator_checks`` selects the checks that apply to an estimator.
"""

import contextlib
import copy
import io
import pickle
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.base import clone

from skimgcls.estimator_checks._data import (
    assert_equal,
    assert_plain,
    assert_refused,
    callers_settings,
    fitted,
    gray_image_formats,
    make_stripes,
    prepared,
)
from skimgcls.preprocessing import ImageAugmenter, ImageLoader

_PREDICTIONS = ("predict", "predict_proba", "decision_function")


def check_input_formats_give_one_model(name: str, estimator: Any) -> None:
    """Rows, images, DataFrames, lists and tensors of the same pixels give the same model."""
    images, y = make_stripes()
    reference = fitted(estimator, images, y).predict_proba(images)
    for spelling, X in gray_image_formats(images).items():
        proba = fitted(estimator, X, y).predict_proba(X)
        assert_equal(proba, reference, f"{name} fitted on {spelling} gives a different model")


def check_predicts_on_any_input_format(name: str, estimator: Any) -> None:
    """A model fitted on one input format predicts on all others."""
    images, y = make_stripes()
    for fitted_on, X_fit in gray_image_formats(images).items():
        clf = fitted(estimator, X_fit, y)
        reference = clf.predict_proba(X_fit)
        for spelling, X in gray_image_formats(images).items():
            with warnings.catch_warnings():
                # scikit-learn warns if only fit or only predict is given feature names.
                warnings.filterwarnings("ignore", message=".*feature names", category=UserWarning)
                proba = clf.predict_proba(X)
            message = f"{name} fitted on {fitted_on} predicts differently on {spelling}"
            assert_equal(proba, reference, message)


def check_files_give_the_model_of_their_pixels(name: str, estimator: Any) -> None:
    """Paths and loaded files give the same model and predictions as their pixels."""
    images, y = make_stripes(shape=(6, 8, 3))
    reference = fitted(estimator, images, y)
    with tempfile.TemporaryDirectory() as folder:
        paths = pd.DataFrame({"path": [str(Path(folder, f"{i}.png")) for i in range(len(images))]})
        for path, image in zip(paths["path"], images, strict=True):
            Image.fromarray(image).save(path)
        for way, X in {
            "paths": paths,
            "an ImageLoader": ImageLoader().fit_transform(paths),
        }.items():
            proba = fitted(estimator, X, y).predict_proba(images)
            expected = reference.predict_proba(images)
            assert_equal(proba, expected, f"{name} fitted on {way} gives a different model")
            proba = reference.predict_proba(X)
            assert_equal(proba, expected, f"{name} predicts differently on {way}")


def check_dtypes_give_one_model(name: str, estimator: Any) -> None:
    """The same values in any dtype give the same model."""
    images, y = make_stripes()
    reference = fitted(estimator, images, y).predict_proba(images)
    for dtype in (np.int64, np.uint16, np.float32, np.float64, object):
        proba = fitted(estimator, images.astype(dtype), y).predict_proba(images)
        message = f"{name} fitted on {np.dtype(dtype)} gives a different model"
        assert_equal(proba, reference, message)


def check_equal_seeds_give_equal_bits(name: str, estimator: Any) -> None:
    """Two fits with the same seed are identical, with different seeds they are not."""
    images, y = make_stripes()
    first, second = (fitted(estimator, images, y).predict_proba(images) for _ in range(2))
    assert_equal(first, second, f"{name} fits differently with equal seeds")
    other = fitted(estimator, images, y, random_state=1).predict_proba(images)
    assert not np.array_equal(first, other), f"{name} ignores random_state"


def check_predictions_are_deterministic(name: str, estimator: Any) -> None:
    """Predictions are deterministic: dropout and augmentation are not applied."""
    images, y = make_stripes()
    clf = fitted(estimator, images, y)
    for method in _PREDICTIONS:
        first, second = getattr(clf, method)(images), getattr(clf, method)(images)
        assert_equal(first, second, f"{name}.{method} differs from call to call")


def check_augmentation_is_applied_in_training_only(name: str, estimator: Any) -> None:
    """Augmentation is applied in training, identically for equal seeds, and not in prediction."""
    images, y = make_stripes()
    X = ImageAugmenter(rotation=180, zoom=0.5).fit_transform(images)
    clf = fitted(estimator, X, y)
    for method in _PREDICTIONS:
        expected = getattr(clf, method)(images)
        assert_equal(getattr(clf, method)(X), expected, f"{name}.{method} changes images")
    again = fitted(estimator, X, y).predict_proba(images)
    assert_equal(again, clf.predict_proba(images), f"{name} augments differently with equal seeds")
    plain = fitted(estimator, images, y).predict_proba(images)
    assert not np.array_equal(plain, again), f"{name} ignores an ImageAugmenter"


def check_predictions_do_not_depend_on_the_batch(name: str, estimator: Any) -> None:
    """The prediction for an image does not depend on the other images of the batch."""
    images, y = make_stripes()
    clf = fitted(estimator, images, y)
    alone = np.concatenate([clf.predict_proba(image[np.newaxis]) for image in images])
    np.testing.assert_allclose(alone, clf.predict_proba(images), atol=1e-5, err_msg=name)


def check_global_state_is_unchanged(name: str, estimator: Any) -> None:
    """fit and predict do not change global generators, threads and gradient mode."""
    images, y = make_stripes()
    before = callers_settings()
    clf = fitted(estimator, images, y)
    assert callers_settings() == before, f"{name}.fit changed the caller's generators or settings"
    for method in _PREDICTIONS:
        getattr(clf, method)(images)
    assert callers_settings() == before, f"{name} changed the caller's settings in predicting"
    fitted(estimator, images, y, random_state=None)
    assert callers_settings() == before, (
        f"{name}(random_state=None).fit drew from the caller's generators"
    )


def check_silent_by_default(name: str, estimator: Any) -> None:
    """By default, nothing is printed and no warning is raised."""
    images, y = make_stripes()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        warnings.simplefilter("error")
        fitted(estimator, images, y).predict_proba(images)
    said = out.getvalue() + err.getvalue()
    assert said == "", f"{name} is not silent by default: {said!r}"


def check_images_are_not_modified(name: str, estimator: Any) -> None:
    """X may be read-only and in any memory order, and is not modified."""
    images, y = make_stripes()
    reference = fitted(estimator, images, y).predict_proba(images)
    frozen = np.asfortranarray(images)
    frozen.setflags(write=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        proba = fitted(estimator, frozen, y).predict_proba(frozen)
    assert_equal(proba, reference, f"{name} depends on the memory order of X")
    backward = images[::-1].copy()[::-1]
    proba = fitted(estimator, backward, y).predict_proba(backward)
    assert_equal(proba, reference, f"{name} depends on the strides of X")
    assert_equal(images, make_stripes()[0], f"{name} wrote to X")


def check_refit_on_another_shape(name: str, estimator: Any) -> None:
    """A second fit discards the first, including its image shape and classes."""
    clf = fitted(estimator, *make_stripes())
    images, y = make_stripes(shape=(5, 7, 3), n_classes=2)
    refitted = clf.fit(images, y).predict_proba(images)
    assert_equal(refitted, fitted(estimator, images, y).predict_proba(images), name)


def check_labels_of_any_type(name: str, estimator: Any) -> None:
    """Predicted labels have the type of y: strings, numbers, booleans, categories."""
    images, codes = make_stripes(n_classes=2)
    kinds = {
        "strings": np.array(["cat", "dog"])[codes],
        "objects": np.array(["cat", "dog"], dtype=object)[codes],
        "integers": np.array([-3, 10])[codes],
        "booleans": codes == 1,
        "categories": pd.Series(np.array(["cat", "dog"])[codes], dtype="category"),
        "list": [("cat", "dog")[code] for code in codes],
    }
    for kind, y in kinds.items():
        clf = fitted(estimator, images, y, n_epochs=20)
        assert_equal(clf.classes_, np.unique(np.asarray(y)), f"{name} with labels as {kind}")
        accuracy = np.mean(clf.predict(images) == np.asarray(y))
        assert accuracy > 0.9, f"{name} does not learn labels as {kind}: accuracy {accuracy}"


def check_probabilities_agree_with_labels(name: str, estimator: Any) -> None:
    """Rows of predict_proba sum to 1, and all three prediction methods agree."""
    for n_classes in (2, 4):
        images, y = make_stripes(n_classes=n_classes)
        clf = fitted(estimator, images, y)
        proba, logits = clf.predict_proba(images), clf.decision_function(images)
        assert proba.shape == (len(images), n_classes), name
        np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-12, err_msg=name)
        assert_equal(clf.predict(images), clf.classes_[proba.argmax(axis=1)], name)
        if n_classes == 2:
            assert logits.shape == (len(images),), name
            assert_equal(clf.predict(images), clf.classes_[(logits > 0).astype(int)], name)
        else:
            assert_equal(clf.predict(images), clf.classes_[logits.argmax(axis=1)], name)


def check_invalid_images_raise(name: str, estimator: Any) -> None:
    """Invalid images raise an error."""
    images, y = make_stripes()
    with_nan = images.astype(float)
    with_nan[7, 0, 0] = np.nan
    with_infinity = images.astype(float)
    with_infinity[3, 0, 0] = np.inf
    cases = {
        "NaN": (with_nan, "image 7"),
        "infinity": (with_infinity, "image 3"),
        "complex": (images.astype(complex), "[Cc]omplex"),
        "text": (np.full((len(images), 4), "pixel"), "text"),
        "no such files": (np.full((len(images), 1), "no.png"), r"X\[0\].*no file 'no.png'"),
        "ragged": ([*images[:-1], images[-1][:4]], f"image {len(images) - 1}"),
        "no images": (images[:0], "0 sample"),
        "no pixels": (images[:, :0], "without a pixel"),
        "five dimensions": (images[..., np.newaxis, np.newaxis], "5 dimensions"),
        "channels first": (np.repeat(images[:, np.newaxis], 3, axis=1), "channels first"),
    }
    for case, (X, words) in cases.items():
        assert_refused(partial(fitted, estimator, X, y), words, f"{name}, {case}")
    assert_refused(partial(fitted, estimator, images, y[:-1]), "inconsistent", f"{name}, short y")
    assert_refused(partial(fitted, estimator, images, y * 0), "one class", f"{name}, one class")
    assert_refused(partial(fitted, estimator, images[:1], y[:1]), "class", f"{name}, one image")


def check_images_of_another_shape_raise(name: str, estimator: Any) -> None:
    """Predicting on images of another size or with other channels raises an error."""
    images, y = make_stripes()
    clf = fitted(estimator, images, y)
    other_images = {
        "another size": images[:, :5],
        "other channels": np.repeat(images[..., np.newaxis], 3, axis=3),
        "as many pixels": images.reshape(len(images), 4, 16),
        "one image": images[0],
    }
    for case, X in other_images.items():
        assert_refused(partial(clf.predict, X), r"\(8, 8, 1\)|features|batch", f"{name}, {case}")


def check_failed_fit_changes_nothing(name: str, estimator: Any) -> None:
    """A fit that raises does not change the estimator."""
    images, y = make_stripes()
    clf = fitted(estimator, images, y)
    before = clf.predict_proba(images)
    broken = np.full((6, 5, 5, 3), np.nan)
    assert_refused(partial(clf.fit, broken, [0, 1, 2, 3, 4, 5]), "NaN", name)
    assert_equal(clf.predict_proba(images), before, f"{name}: a failed fit changed the model")
    fresh = clone(estimator)
    attributes = set(vars(fresh))
    assert_refused(partial(fresh.fit, broken, [0, 1, 2, 3, 4, 5]), "NaN", name)
    assert set(vars(fresh)) == attributes, f"{name}: a failed fit left half a model"


def check_copies_predict_the_same(name: str, estimator: Any) -> None:
    """Pickled and deep copies give bit-for-bit identical predictions."""
    images, y = make_stripes()
    clf = fitted(estimator, images, y)
    for way, copied in {
        "pickle": pickle.loads(pickle.dumps(clf)),
        "deepcopy": copy.deepcopy(clf),
    }.items():
        same = copied.predict_proba(images)
        assert_equal(same, clf.predict_proba(images), f"{name}: {way} changed the model")


def check_state_is_plain(name: str, estimator: Any) -> None:
    """The saved state consists of arrays and plain values, for any file format."""
    state = fitted(estimator, *make_stripes()).__getstate__()
    learned = {key: value for key, value in state.items() if key not in estimator.get_params()}
    assert_plain(learned, name)


def check_multilabel_targets(name: str, estimator: Any) -> None:
    """A multilabel indicator matrix gives one output and one probability per label."""
    images, codes = make_stripes(n_classes=4)
    y = np.stack([codes % 2, codes // 2, np.ones_like(codes)], axis=1)
    clf = fitted(estimator, images, y, n_epochs=40)
    proba, labels = clf.predict_proba(images), clf.predict(images)
    assert proba.shape == labels.shape == y.shape, name
    assert labels.dtype == y.dtype, name
    assert np.all((proba >= 0) & (proba <= 1)), name
    assert_equal(labels, (proba > 0.5).astype(y.dtype), name)
    assert np.mean(labels == y) > 0.9, f"{name} does not learn multilabel targets"


def check_zero_weight_equals_removal(name: str, estimator: Any) -> None:
    """A weight of 0 is equivalent to removing the image."""
    images, y = make_stripes()
    weights = np.ones(len(images))
    weights[::5] = 0
    spoiled = images.copy()
    spoiled[::5] = 255
    without = fitted(estimator, images[weights > 0], y[weights > 0])
    weighted = fitted(estimator, spoiled, y, sample_weight=weights)
    np.testing.assert_allclose(
        weighted.predict_proba(images), without.predict_proba(images), atol=1e-6, err_msg=name
    )


def check_validation_images_do_not_affect_training(name: str, estimator: Any) -> None:
    """X_val does not affect training without early stopping."""
    images, y = make_stripes()
    plain = fitted(estimator, images, y).predict_proba(images)
    clf = fitted(estimator, images, y, X_val=images[::-1], y_val=y[::-1])
    assert_equal(clf.predict_proba(images), plain, f"{name} trained on its validation images")
    for alone in ({"X_val": images}, {"y_val": y}, {"sample_weight_val": np.ones(len(y))}):
        assert_refused(partial(fitted, estimator, images, y, **alone), "X_val and y_val", name)


def check_partial_fit_continues_after_pickling(name: str, estimator: Any) -> None:
    """partial_fit gives the same result if the model is pickled in between."""
    images, y = make_stripes()
    stayed = prepared(estimator).partial_fit(images, y, classes=np.unique(y))
    pickled = pickle.loads(pickle.dumps(stayed))
    before = stayed.predict_proba(images)
    stayed.partial_fit(images, y)
    pickled.partial_fit(images, y)
    after = stayed.predict_proba(images)
    assert_equal(pickled.predict_proba(images), after, name)
    assert not np.array_equal(before, after), f"{name}.partial_fit did not train"
    assert_refused(partial(stayed.partial_fit, images, y + 1), "not among the classes", name)
    assert_equal(stayed.predict_proba(images), after, f"{name}: a failed partial_fit trained")


def check_warm_start_continues_training(name: str, estimator: Any) -> None:
    """With warm_start, a second fit continues from the first."""
    images, y = make_stripes()
    clf = prepared(estimator, n_epochs=10).set_params(warm_start=True).fit(images, y)
    loss = clf.loss_curve_[-1]
    clf.fit(images, y)
    assert clf.n_iter_ == 20, f"{name} has lost the epochs before the warm start"
    assert clf.loss_curve_[10] < clf.loss_curve_[0], f"{name} restarted training: {clf.loss_curve_}"
    assert clf.loss_curve_[-1] < loss, f"{name} did not continue training"
