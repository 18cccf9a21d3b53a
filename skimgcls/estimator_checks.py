"""What every image classifier owes its users, beside what scikit-learn asks of any classifier.

:func:`check_image_classifier` runs the contracts of this module on one estimator, ours or yours.
scikit-learn's own are run by :func:`sklearn.utils.estimator_checks.check_estimator`.
"""

import contextlib
import copy
import io
import pickle
import re
import warnings
from functools import partial

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

__all__ = ["check_image_classifier", "image_classifier_checks"]

_PREDICTIONS = ("predict", "predict_proba", "decision_function")


def image_classifier_checks(estimator):
    """List the contracts that concern an estimator.

    Which do is told by its tags (several labels an image) and by what it can do (`partial_fit`,
    `sample_weight`, `X_val`, `warm_start`).

    Parameters
    ----------
    estimator : estimator instance
        An unfitted image classifier.

    Returns
    -------
    checks : list of callable
        Each takes no argument, fits clones of the estimator, and raises AssertionError if the
        contract is broken. ``check.func.__name__`` names it.

    Examples
    --------
    >>> from skimgcls import MLPImageClassifier
    >>> from skimgcls.estimator_checks import image_classifier_checks
    >>> checks = image_classifier_checks(MLPImageClassifier())
    >>> checks[0].func.__name__
    'check_spellings_give_one_model'
    """
    checks = [
        check_spellings_give_one_model,
        check_predicts_on_any_spelling,
        check_number_types_give_one_model,
        check_equal_seeds_give_equal_bits,
        check_predictions_do_not_change,
        check_one_image_is_predicted_as_in_a_batch,
        check_generators_and_threads_are_left_alone,
        check_says_nothing,
        check_images_are_left_alone,
        check_refits_on_another_shape,
        check_labels_of_any_kind,
        check_probabilities_agree_with_labels,
        check_bad_images_are_refused,
        check_other_images_are_refused,
        check_failed_fit_changes_nothing,
        check_copies_predict_the_same,
        check_state_is_plain,
    ]
    if get_tags(estimator).classifier_tags.multi_label:
        checks.append(check_several_labels_an_image)
    if has_fit_parameter(estimator, "sample_weight"):
        checks.append(check_weight_zero_is_absence)
    if has_fit_parameter(estimator, "X_val"):
        checks.append(check_validation_images_are_not_trained_on)
    if hasattr(estimator, "partial_fit"):
        checks.append(check_partial_fit_goes_on_after_pickling)
    if "warm_start" in estimator.get_params():
        checks.append(check_warm_start_goes_on)
    return [partial(check, type(estimator).__name__, estimator) for check in checks]


def check_image_classifier(estimator):
    """Raise if the estimator breaks a contract of the image classifiers.

    Parameters
    ----------
    estimator : estimator instance
        An unfitted image classifier.

    Raises
    ------
    AssertionError
        At the first contract broken.

    Examples
    --------
    >>> from skimgcls import MLPImageClassifier
    >>> from skimgcls.estimator_checks import check_image_classifier
    >>> check_image_classifier(MLPImageClassifier(hidden_layer_sizes=8))
    """
    for check in image_classifier_checks(estimator):
        check()


def check_spellings_give_one_model(name, estimator):
    """The same pixels as rows, images, frames, lists or tensors train the same model."""
    images, y = _make_images()
    reference = _fitted(estimator, images, y).predict_proba(images)
    for spelling, X in _spellings(images).items():
        proba = _fitted(estimator, X, y).predict_proba(X)
        _assert_equal(proba, reference, f"{name} fitted on {spelling} is another model")


def check_predicts_on_any_spelling(name, estimator):
    """A model fitted on one spelling predicts on every other."""
    images, y = _make_images()
    for fitted_on, X_fit in _spellings(images).items():
        clf = _fitted(estimator, X_fit, y)
        reference = clf.predict_proba(X_fit)
        for spelling, X in _spellings(images).items():
            with warnings.catch_warnings():
                # scikit-learn tells of feature names given to one side only.
                warnings.filterwarnings("ignore", message=".*feature names", category=UserWarning)
                proba = clf.predict_proba(X)
            message = f"{name} fitted on {fitted_on} predicts otherwise on {spelling}"
            _assert_equal(proba, reference, message)


def check_number_types_give_one_model(name, estimator):
    """The same numbers in any type train the same model."""
    images, y = _make_images()
    reference = _fitted(estimator, images, y).predict_proba(images)
    for dtype in (np.int64, np.uint16, np.float32, np.float64, object):
        proba = _fitted(estimator, images.astype(dtype), y).predict_proba(images)
        _assert_equal(proba, reference, f"{name} fitted on {np.dtype(dtype)} is another model")


def check_equal_seeds_give_equal_bits(name, estimator):
    """Two fits of one seed are equal, of two seeds are not."""
    images, y = _make_images()
    first, second = (_fitted(estimator, images, y).predict_proba(images) for _ in range(2))
    _assert_equal(first, second, f"{name} fits differently with equal seeds")
    other = _fitted(estimator, images, y, random_state=1).predict_proba(images)
    assert not np.array_equal(first, other), f"{name} does not heed random_state"


def check_predictions_do_not_change(name, estimator):
    """Nothing random is left in prediction: no dropout, no augmentation."""
    images, y = _make_images()
    clf = _fitted(estimator, images, y)
    for method in _PREDICTIONS:
        first, second = getattr(clf, method)(images), getattr(clf, method)(images)
        _assert_equal(first, second, f"{name}.{method} differs from call to call")


def check_one_image_is_predicted_as_in_a_batch(name, estimator):
    """The other images of a batch do not matter."""
    images, y = _make_images()
    clf = _fitted(estimator, images, y)
    alone = np.concatenate([clf.predict_proba(image[np.newaxis]) for image in images])
    np.testing.assert_allclose(alone, clf.predict_proba(images), atol=1e-5, err_msg=name)


def check_generators_and_threads_are_left_alone(name, estimator):
    """fit and predict leave the caller's generators, threads and gradient mode as they were."""
    images, y = _make_images()
    before = _settings()
    clf = _fitted(estimator, images, y)
    assert _settings() == before, f"{name}.fit changed the caller's generators or settings"
    for method in _PREDICTIONS:
        getattr(clf, method)(images)
    assert _settings() == before, f"{name} changed the caller's settings in predicting"
    _fitted(estimator, images, y, random_state=None)
    assert _settings() == before, f"{name}(random_state=None).fit drew from the caller's generators"


def check_says_nothing(name, estimator):
    """Nothing is printed and no warning is given by default."""
    images, y = _make_images()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        warnings.simplefilter("error")
        _fitted(estimator, images, y).predict_proba(images)
    said = out.getvalue() + err.getvalue()
    assert said == "", f"{name} is not silent by default: {said!r}"


def check_images_are_left_alone(name, estimator):
    """X may be read-only, in any memory order, and is not written to."""
    images, y = _make_images()
    reference = _fitted(estimator, images, y).predict_proba(images)
    frozen = np.asfortranarray(images)
    frozen.setflags(write=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        proba = _fitted(estimator, frozen, y).predict_proba(frozen)
    _assert_equal(proba, reference, f"{name} heeds the memory order of X")
    backward = images[::-1].copy()[::-1]
    proba = _fitted(estimator, backward, y).predict_proba(backward)
    _assert_equal(proba, reference, f"{name} heeds the strides of X")
    _assert_equal(images, _make_images()[0], f"{name} wrote to X")


def check_refits_on_another_shape(name, estimator):
    """A second fit forgets the first, its image shape and classes among it."""
    clf = _fitted(estimator, *_make_images())
    images, y = _make_images(shape=(5, 7, 3), n_classes=2)
    refitted = clf.fit(images, y).predict_proba(images)
    _assert_equal(refitted, _fitted(estimator, images, y).predict_proba(images), name)


def check_labels_of_any_kind(name, estimator):
    """Labels come back as they were given: strings, numbers, truth values, categories."""
    images, codes = _make_images(n_classes=2)
    kinds = {
        "strings": np.array(["cat", "dog"])[codes],
        "objects": np.array(["cat", "dog"], dtype=object)[codes],
        "integers": np.array([-3, 10])[codes],
        "booleans": codes == 1,
        "categories": pd.Series(np.array(["cat", "dog"])[codes], dtype="category"),
        "list": [("cat", "dog")[code] for code in codes],
    }
    for kind, y in kinds.items():
        clf = _fitted(estimator, images, y, n_epochs=20)
        _assert_equal(clf.classes_, np.unique(np.asarray(y)), f"{name} with labels as {kind}")
        accuracy = np.mean(clf.predict(images) == np.asarray(y))
        assert accuracy > 0.9, f"{name} does not learn labels as {kind}: accuracy {accuracy}"


def check_probabilities_agree_with_labels(name, estimator):
    """Rows of predict_proba sum to one, and all three predictions agree."""
    for n_classes in (2, 4):
        images, y = _make_images(n_classes=n_classes)
        clf = _fitted(estimator, images, y)
        proba, logits = clf.predict_proba(images), clf.decision_function(images)
        assert proba.shape == (len(images), n_classes), name
        np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-12, err_msg=name)
        _assert_equal(clf.predict(images), clf.classes_[proba.argmax(axis=1)], name)
        if n_classes == 2:
            assert logits.shape == (len(images),), name
            _assert_equal(clf.predict(images), clf.classes_[(logits > 0).astype(int)], name)
        else:
            _assert_equal(clf.predict(images), clf.classes_[logits.argmax(axis=1)], name)


def check_bad_images_are_refused(name, estimator):
    """What cannot be images is refused with an error, whichever way it is wrong."""
    images, y = _make_images()
    with_nan = images.astype(float)
    with_nan[7, 0, 0] = np.nan
    with_infinity = images.astype(float)
    with_infinity[3, 0, 0] = np.inf
    cases = {
        "NaN": (with_nan, "image 7"),
        "infinity": (with_infinity, "image 3"),
        "complex": (images.astype(complex), "[Cc]omplex"),
        "text": (np.full((len(images), 4), "pixel"), "text"),
        "ragged": ([*images[:-1], images[-1][:4]], f"image {len(images) - 1}"),
        "no images": (images[:0], "0 sample"),
        "no pixels": (images[:, :0], "without a pixel"),
        "five dimensions": (images[..., np.newaxis, np.newaxis], "5 dimensions"),
        "channels first": (np.repeat(images[:, np.newaxis], 3, axis=1), "channels first"),
    }
    for case, (X, words) in cases.items():
        _assert_refused(partial(_fitted, estimator, X, y), words, f"{name}, {case}")
    _assert_refused(partial(_fitted, estimator, images, y[:-1]), "inconsistent", f"{name}, short y")
    _assert_refused(partial(_fitted, estimator, images, y * 0), "one class", f"{name}, one class")
    _assert_refused(partial(_fitted, estimator, images[:1], y[:1]), "class", f"{name}, one image")


def check_other_images_are_refused(name, estimator):
    """Images of another size or with other channels are not predicted on."""
    images, y = _make_images()
    clf = _fitted(estimator, images, y)
    other_images = {
        "another size": images[:, :5],
        "other channels": np.repeat(images[..., np.newaxis], 3, axis=3),
        "as many pixels": images.reshape(len(images), 4, 16),
        "one image": images[0],
    }
    for case, X in other_images.items():
        _assert_refused(partial(clf.predict, X), r"\(8, 8, 1\)|features|batch", f"{name}, {case}")


def check_failed_fit_changes_nothing(name, estimator):
    """After a fit that raised, the estimator is what it was before."""
    images, y = _make_images()
    clf = _fitted(estimator, images, y)
    before = clf.predict_proba(images)
    broken = np.full((6, 5, 5, 3), np.nan)
    _assert_refused(partial(clf.fit, broken, [0, 1, 2, 3, 4, 5]), "NaN", name)
    _assert_equal(clf.predict_proba(images), before, f"{name}: a failed fit changed the model")
    fresh = clone(estimator)
    attributes = set(vars(fresh))
    _assert_refused(partial(fresh.fit, broken, [0, 1, 2, 3, 4, 5]), "NaN", name)
    assert set(vars(fresh)) == attributes, f"{name}: a failed fit left half a model"


def check_copies_predict_the_same(name, estimator):
    """Pickled and deep copies predict the same, bit for bit."""
    images, y = _make_images()
    clf = _fitted(estimator, images, y)
    for way, copied in {
        "pickle": pickle.loads(pickle.dumps(clf)),
        "deepcopy": copy.deepcopy(clf),
    }.items():
        same = copied.predict_proba(images)
        _assert_equal(same, clf.predict_proba(images), f"{name}: {way} changed the model")


def check_state_is_plain(name, estimator):
    """What is saved are arrays and plain values, so that every format can hold it."""
    state = _fitted(estimator, *_make_images()).__getstate__()
    learned = {key: value for key, value in state.items() if key not in estimator.get_params()}
    _assert_plain(learned, name)


def check_several_labels_an_image(name, estimator):
    """An indicator trains one output a label, each with a probability of its own."""
    images, codes = _make_images(n_classes=4)
    y = np.stack([codes % 2, codes // 2, np.ones_like(codes)], axis=1)
    clf = _fitted(estimator, images, y, n_epochs=40)
    proba, labels = clf.predict_proba(images), clf.predict(images)
    assert proba.shape == labels.shape == y.shape, name
    assert labels.dtype == y.dtype, name
    assert np.all((proba >= 0) & (proba <= 1)), name
    _assert_equal(labels, (proba > 0.5).astype(y.dtype), name)
    assert np.mean(labels == y) > 0.9, f"{name} does not learn several labels an image"


def check_weight_zero_is_absence(name, estimator):
    """An image of weight zero is as good as not given, whatever it holds."""
    images, y = _make_images()
    weights = np.ones(len(images))
    weights[::5] = 0
    spoiled = images.copy()
    spoiled[::5] = 255
    without = _fitted(estimator, images[weights > 0], y[weights > 0])
    weighted = _fitted(estimator, spoiled, y, sample_weight=weights)
    np.testing.assert_allclose(
        weighted.predict_proba(images), without.predict_proba(images), atol=1e-6, err_msg=name
    )


def check_validation_images_are_not_trained_on(name, estimator):
    """X_val is looked at and changes nothing, unless training stops by it."""
    images, y = _make_images()
    plain = _fitted(estimator, images, y).predict_proba(images)
    clf = _fitted(estimator, images, y, X_val=images[::-1], y_val=y[::-1])
    _assert_equal(clf.predict_proba(images), plain, f"{name} trained on its validation images")
    for alone in ({"X_val": images}, {"y_val": y}, {"sample_weight_val": np.ones(len(y))}):
        _assert_refused(partial(_fitted, estimator, images, y, **alone), "X_val and y_val", name)


def check_partial_fit_goes_on_after_pickling(name, estimator):
    """partial_fit takes the same way whether or not the model was saved in between."""
    images, y = _make_images()
    stayed = _prepared(estimator).partial_fit(images, y, classes=np.unique(y))
    pickled = pickle.loads(pickle.dumps(stayed))
    before = stayed.predict_proba(images)
    stayed.partial_fit(images, y)
    pickled.partial_fit(images, y)
    after = stayed.predict_proba(images)
    _assert_equal(pickled.predict_proba(images), after, name)
    assert not np.array_equal(before, after), f"{name}.partial_fit did not train"
    _assert_refused(partial(stayed.partial_fit, images, y + 1), "not among the classes", name)
    _assert_equal(stayed.predict_proba(images), after, f"{name}: a failed partial_fit trained")


def check_warm_start_goes_on(name, estimator):
    """With warm_start a second fit begins where the first ended."""
    images, y = _make_images()
    clf = _prepared(estimator, n_epochs=10).set_params(warm_start=True).fit(images, y)
    loss = clf.loss_curve_[-1]
    clf.fit(images, y)
    assert clf.n_iter_ == 20, f"{name} has lost the epochs before the warm start"
    assert clf.loss_curve_[10] < clf.loss_curve_[0], f"{name} began anew: {clf.loss_curve_}"
    assert clf.loss_curve_[-1] < loss, f"{name} did not go on"


def _make_images(n_images=36, shape=(8, 8), n_classes=3):
    """Return uint8 images whose class is the row of a bright stripe, and their codes."""
    rng = np.random.RandomState(0)
    codes = np.arange(n_images) % n_classes
    images = rng.randint(0, 60, size=(n_images, *shape)).astype(np.uint8)
    for image, code in zip(images, codes, strict=True):
        image[code % shape[0]] += 180
    return images, codes


def _spellings(images):
    """Return the same grey images in every way to write them down."""
    rows = images.reshape(len(images), -1)
    return {
        "(n, h, w)": images,
        "(n, h, w, 1)": images[..., np.newaxis],
        "rows": rows,
        "a frame": pd.DataFrame(rows, columns=[f"pixel{i}" for i in range(rows.shape[1])]),
        "a list of rows": rows.tolist(),
        "a list of images": list(images),
        "nested lists": images.tolist(),
        "a tensor": torch.from_numpy(images.copy()),
    }


def _prepared(estimator, n_epochs=3, random_state=0):
    clf = clone(estimator)
    settings = {"random_state": random_state, "max_iter": n_epochs}
    return clf.set_params(**{k: v for k, v in settings.items() if k in clf.get_params()})


def _fitted(estimator, X, y, *, n_epochs=3, random_state=0, **fit_params):
    return _prepared(estimator, n_epochs, random_state).fit(X, y, **fit_params)


def _settings():
    """Return what belongs to the caller, in a form that can be compared."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 - the caller's is the one meant
    return {
        "numpy": (name, keys.tobytes(), *rest),
        "torch": torch.get_rng_state().numpy().tobytes(),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "gradients": torch.is_grad_enabled(),
        "dtype": torch.get_default_dtype(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def _assert_equal(found, expected, message):
    np.testing.assert_array_equal(found, expected, err_msg=message)


def _assert_refused(call, words, message):

    said = None
    try:
        call()
    except (ValueError, TypeError) as error:
        said = str(error)
    assert said is not None, f"{message}: nothing was raised"
    assert re.search(words, said), f"{message}: the error says {said!r}"


def _assert_plain(value, path):
    if isinstance(value, dict):
        for key, item in value.items():
            assert isinstance(key, str | int), f"{path} has a key {key!r}"
            _assert_plain(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _assert_plain(item, f"{path}[{index}]")
    else:
        plain = (np.ndarray, np.generic, str, int, float, bool, type(None))
        assert isinstance(value, plain), f"{path} is a {type(value).__name__}, not plain data"
