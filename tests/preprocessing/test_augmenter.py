"""Tests of `ImageAugmenter`: training images are augmented, all others are not."""

import pickle
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from torch import nn

from skimgcls import CNNImageClassifier, MLPImageClassifier, ModuleImageClassifier
from skimgcls._augmentation._policy import AugmentationPolicy, apply_policy, draw_policy
from skimgcls._images._lazy_images import LazyImages, take_steps
from skimgcls.estimator_checks._data import callers_settings
from skimgcls.preprocessing import (
    ImageAugmenter,
    ImageFlattener,
    ImageLoader,
    ImageNormalizer,
    ImageResizer,
)
from skimgcls.preprocessing import _augmenter as augmenter_module

ALL = ImageAugmenter(
    horizontal_flip=True,
    vertical_flip=0.3,
    rotation=20,
    zoom=0.2,
    shift=0.1,
    shear=5,
    crop_padding=1,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    erasing=0.5,
)


def make_images(n=12, shape=(8, 8, 3), seed=0):
    return np.random.RandomState(seed).randint(0, 256, (n, *shape)).astype(np.uint8)


def halves(n=12):
    return np.arange(n) % 2


class Recorder(nn.Module):
    """Record the batches that it sees in training and in evaluation."""

    def __init__(self, image_shape, n_outputs, seen):
        super().__init__()
        self.seen = seen
        self.out = nn.Linear(int(np.prod(image_shape)), n_outputs)

    def forward(self, batch):
        self.seen["train" if self.training else "else"].append(batch.detach().clone().numpy())
        return self.out(batch.flatten(1) / 255)


def recorded(augmenter, X, y, **params):
    """Fit a Pipeline, and return it with the batches that its module saw."""
    seen = {"train": [], "else": []}
    params = {"max_iter": 3, "random_state": 0, "batch_size": len(X), **params}
    clf = ModuleImageClassifier(partial(Recorder, seen=seen), standardize=False, **params)
    pipe = make_pipeline(augmenter, clf).fit(X, y)
    return pipe, seen


@pytest.fixture
def counted(monkeypatch):
    """Count the images that were augmented so far."""
    calls = []

    def count(policy, n, image_shape, generator):
        calls.append(n)
        return draw_policy(policy, n, image_shape, generator)

    monkeypatch.setattr(augmenter_module, "draw_policy", count)
    return calls


# In training


def test_each_epoch_sees_different_images():
    X = make_images()
    _, seen = recorded(clone(ALL), X, halves())
    assert len(seen["train"]) == 3
    epochs = np.stack(seen["train"])
    for first, second in ((0, 1), (0, 2), (1, 2)):
        differ = (epochs[first] != epochs[second]).any(axis=(1, 2, 3))
        assert differ.mean() > 0.9


def test_copies_of_an_image_are_changed_differently():
    X = np.repeat(make_images(1), 12, axis=0)
    _, seen = recorded(clone(ALL), X, halves(), max_iter=1)
    views = {view.tobytes() for view in seen["train"][0]}
    assert len(views) == 12


def test_training_sees_the_policy_applied_to_its_images():
    """With flips only, each image is either unchanged or mirrored."""
    X = make_images()
    _, seen = recorded(ImageAugmenter(horizontal_flip=0.5), X, halves(), max_iter=20)
    batches = np.stack(seen["train"]).transpose(0, 1, 3, 4, 2)
    is_plain = (batches == X).all(axis=(2, 3, 4))
    is_flipped = (batches == X[:, :, ::-1]).all(axis=(2, 3, 4))
    assert (is_plain ^ is_flipped).all()
    assert 0.35 < is_flipped.mean() < 0.65


def test_an_augmenter_that_does_nothing_changes_nothing():
    X, y = make_images(), halves()
    clf = CNNImageClassifier(max_iter=2, random_state=0)
    found = make_pipeline(ImageAugmenter(), clf).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(found, clone(clf).fit(X, y).predict_proba(X))


@pytest.mark.parametrize("resident", [True, False])
def test_random_changes_are_drawn_once_per_image_and_epoch(counted, resident, monkeypatch):
    if not resident:
        monkeypatch.setattr("skimgcls._training._batches._RESIDENT_VALUES", 0)
    recorded(clone(ALL), make_images(), halves(), batch_size=5, max_iter=4)
    assert sum(counted) == 4 * 12


@pytest.mark.parametrize("spelling", ["rows", "(n, h, w)", "(n, h, w, 1)"])
def test_every_input_format_trains_the_same_model(spelling, stripes):
    images, y = stripes
    spellings = {
        "rows": images.reshape(36, -1),
        "(n, h, w)": images,
        "(n, h, w, 1)": images[..., None],
    }
    pipe = make_pipeline(clone(ALL), MLPImageClassifier(max_iter=2, random_state=0))
    expected = clone(pipe).fit(images, y).predict_proba(images)
    X = spellings[spelling]
    np.testing.assert_array_equal(pipe.fit(X, y).predict_proba(X), expected)


def test_a_model_trained_on_changed_images_is_accurate(stripes):
    X, y = stripes
    augmenter = ImageAugmenter(horizontal_flip=True, brightness=0.1)
    pipe = make_pipeline(augmenter, MLPImageClassifier(max_iter=20, random_state=0))
    assert pipe.fit(X, y).score(X, y) > 0.9


# In validation and prediction


def test_predictions_use_unchanged_images(counted):
    X = make_images()
    pipe, seen = recorded(clone(ALL), X, halves())
    n_drawn = len(counted)
    seen["else"].clear()
    for predict in (pipe.predict, pipe.predict_proba, pipe.decision_function):
        predict(X)
        pipe.score(X, halves())
    assert len(counted) == n_drawn
    assert len(seen["else"]) == 6
    for batch in seen["else"]:
        np.testing.assert_array_equal(batch.transpose(0, 2, 3, 1), X)


def test_held_out_images_are_not_augmented(counted):
    X = make_images(20)
    _, seen = recorded(
        clone(ALL), X, halves(20), early_stopping=True, validation_fraction=0.2, max_iter=3
    )
    assert sum(counted) == 3 * 16
    assert [len(batch) for batch in seen["train"]] == [16] * 3
    validated = [batch for batch in seen["else"] if len(batch) == 4]
    assert len(validated) == 3
    originals = {image.astype(np.float32).tobytes() for image in X}
    for batch in validated:
        images = np.ascontiguousarray(batch.transpose(0, 2, 3, 1))
        assert {image.tobytes() for image in images} <= originals


@pytest.mark.parametrize("is_lazy", [True, False])
def test_validation_images_are_not_augmented(counted, is_lazy):
    X, X_val = make_images(), make_images(5, seed=1)
    augmenter = clone(ALL).fit(X)
    seen = {"train": [], "else": []}
    clf = ModuleImageClassifier(partial(Recorder, seen=seen), standardize=False, max_iter=2)
    given = augmenter.transform(X_val) if is_lazy else X_val
    clf.fit(augmenter.transform(X), halves(), X_val=given, y_val=halves(5))
    assert sum(counted) == 2 * 12
    validated = [batch for batch in seen["else"] if len(batch) == 5]
    assert len(validated) == 2
    for batch in validated:
        np.testing.assert_array_equal(batch.transpose(0, 2, 3, 1), X_val)


def test_statistics_of_a_classifier_are_those_of_unchanged_images(counted):
    X, clf = make_images(), CNNImageClassifier(max_iter=1, random_state=0)
    pipe = make_pipeline(ImageAugmenter(brightness=0.9), clf).fit(X, halves())
    plain = clone(clf).fit(X, halves())
    for name in ("mean", "scale"):
        found, expected = (getattr(net.net_.module_.standardize, name) for net in (pipe[-1], plain))
        assert torch.equal(found, expected)


# Order


def by_hand(batch, policy, seed, black, white):
    draws = draw_policy(
        policy, len(batch), (*batch.shape[2:], 3), torch.Generator().manual_seed(seed)
    )
    return apply_policy(batch, draws, policy, torch.tensor(black), torch.tensor(white))


def changed(lazy, seed=0):
    pixels = torch.from_numpy(next(lazy.read([slice(None)]))).float().permute(0, 3, 1, 2)
    return take_steps(pixels, lazy.steps, torch.Generator().manual_seed(seed))


POLICY = AugmentationPolicy(horizontal_flip=0.5, shift=0.3, brightness=0.4, padding_mode="constant")
PARTIAL = ImageAugmenter(horizontal_flip=0.5, shift=0.3, brightness=0.4, padding_mode="constant")


@pytest.mark.parametrize("other", [ImageNormalizer("unit"), ImageNormalizer((100, 50))])
def test_steps_are_applied_in_the_order_of_the_pipeline(other):
    X = make_images()
    # Black and white are 0 and 255 for bytes, and the darkest and brightest pixel for floats.
    X[:2] = np.array([0, 255]).reshape(2, 1, 1, 1)
    batch = torch.from_numpy(X).float().permute(0, 3, 1, 2)
    mean, scale = other.fit(X).mean_[0], other.scale_[0]
    black, white = [np.float32((end - mean) / scale) for end in (0, 255)]
    first = changed(make_pipeline(LazyStart(), PARTIAL, other).fit_transform(X))
    last = changed(make_pipeline(LazyStart(), other, PARTIAL).fit_transform(X))
    expected = (by_hand(batch, POLICY, 0, [0.0] * 3, [255.0] * 3) - mean) / scale
    torch.testing.assert_close(first, expected.float(), rtol=0, atol=1e-5)
    expected = by_hand((batch - mean) / scale, POLICY, 0, [black] * 3, [white] * 3)
    torch.testing.assert_close(last, expected.float(), rtol=0, atol=1e-5)


class LazyStart(ImageAugmenter):
    """Convert an array to lazy images without steps."""

    def __init__(self):
        super().__init__()

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def transform(self, X):
        return LazyImages(X)


def test_resizing_before_and_after_augmentation_differ():
    X = make_images(shape=(8, 12, 3))
    resizer = ImageResizer((4, 4))
    before = changed(make_pipeline(resizer, PARTIAL).fit_transform(X))
    after = changed(make_pipeline(PARTIAL, resizer).fit_transform(X))
    small = torch.from_numpy(resizer.fit_transform(X)).float().permute(0, 3, 1, 2)
    large = torch.from_numpy(X).float().permute(0, 3, 1, 2)
    ends = [0.0] * 3, [255.0] * 3
    torch.testing.assert_close(before, by_hand(small, POLICY, 0, *ends))
    moved = by_hand(large, POLICY, 0, *ends).permute(0, 2, 3, 1).numpy()
    expected = torch.from_numpy(resizer.fit_transform(moved)).permute(0, 3, 1, 2)
    torch.testing.assert_close(after, expected, rtol=0, atol=1e-4)


def test_two_augmenters_draw_one_after_the_other():
    X = make_images()
    flips, shades = ImageAugmenter(horizontal_flip=1.0), ImageAugmenter(vertical_flip=1.0)
    found = changed(make_pipeline(flips, shades).fit_transform(X))
    np.testing.assert_array_equal(found.permute(0, 2, 3, 1), X[:, ::-1, ::-1])


# Black and white


def test_bytes_are_black_at_0_and_white_at_255():
    augmenter = ImageAugmenter().fit(np.full((2, 4, 4, 3), 7, np.uint8))
    np.testing.assert_array_equal([augmenter.black_, augmenter.white_], [[0] * 3, [255] * 3])


def test_the_extremes_of_each_channel_of_other_numbers_are_black_and_white():
    X = np.zeros((2, 4, 4, 3))
    X[1, 2, 3], X[0, 1, 1] = [1, 2, 0], [-1, 0, 0]
    augmenter = ImageAugmenter().fit(X)
    np.testing.assert_array_equal(augmenter.black_, [-1, 0, 0])
    # With a single value, black is this value, and white must differ from it.
    np.testing.assert_array_equal(augmenter.white_, [1, 2, 1])


@pytest.mark.parametrize("start", [[], [LazyStart()]], ids=["array", "lazy"])
def test_after_a_normalizer_black_and_white_are_the_darkest_and_the_brightest(start):
    X = make_images(shape=(6, 12, 3))
    normalizer = ImageNormalizer("imagenet")
    augmenter = make_pipeline(*start, normalizer, ImageAugmenter()).fit(X)[-1]
    for found, end in ((augmenter.black_, X.min((0, 1, 2))), (augmenter.white_, X.max((0, 1, 2)))):
        expected = (end - normalizer.mean_) / normalizer.scale_
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_erased_pixels_are_black_after_a_normalizer():
    X = np.full((2, 16, 16, 3), 128, np.uint8)
    X[1] = 0
    normalizer = ImageNormalizer("imagenet")
    pipe = make_pipeline(LazyStart(), normalizer, ImageAugmenter(erasing=1.0)).fit(X)
    views = pipe[-1].sample(pipe[:-1].transform(X[:1]), n_views=3, random_state=0)
    gray, black = ((value - normalizer.mean_) / normalizer.scale_ for value in (128, 0))
    is_gray, is_black = (
        np.isclose(views, value, atol=1e-4).all(axis=-1) for value in (gray, black)
    )
    assert (is_gray ^ is_black).all()
    assert is_black.any(axis=(2, 3)).all()


def test_a_flip_given_as_true_has_probability_one_half():
    for name in ("horizontal_flip", "vertical_flip", "erasing"):
        policies = [
            ImageAugmenter(**{name: value}).fit_transform(make_images()).steps[0].policy
            for value in (True, 0.5)
        ]
        assert getattr(policies[0], name) == 0.5
        assert policies[0] == policies[1]
    assert ImageAugmenter(horizontal_flip=1.0).fit_transform(make_images()).steps[0].policy == (
        AugmentationPolicy(horizontal_flip=1.0)
    )
    assert ImageAugmenter(horizontal_flip=False).fit_transform(make_images()).steps == ()


# Seeds


def test_equal_seeds_give_equal_bits_and_other_seeds_do_not():
    X, y = make_images(), halves()
    pipe = make_pipeline(clone(ALL), CNNImageClassifier(max_iter=2, batch_size=5, random_state=0))
    first, second = (clone(pipe).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    other = clone(pipe).set_params(cnnimageclassifier__random_state=1).fit(X, y).predict_proba(X)
    assert (first != other).any()
    _, seen = recorded(clone(ALL), X, y, random_state=0)
    _, same = recorded(clone(ALL), X, y, random_state=0)
    _, differs = recorded(clone(ALL), X, y, random_state=1)
    np.testing.assert_array_equal(seen["train"], same["train"])
    assert not np.array_equal(seen["train"], differs["train"])


def test_the_callers_generators_are_left_alone():
    X, y = make_images(), halves()
    before = callers_settings()
    pipe = make_pipeline(clone(ALL), CNNImageClassifier(max_iter=1, random_state=0)).fit(X, y)
    pipe.predict(X)
    pipe[0].sample(X, random_state=0)
    pipe[0].sample(X)
    assert callers_settings() == before


# With the rest of scikit-learn


def test_a_pipeline_memory_does_not_freeze_random_changes(tmp_path):
    X, y = make_images(), halves()
    pipe = make_pipeline(clone(ALL), CNNImageClassifier(max_iter=2, random_state=0))
    expected = clone(pipe).fit(X, y).predict_proba(X)
    cached = make_pipeline(*(clone(step) for _, step in pipe.steps), memory=str(tmp_path))
    for _ in range(2):
        np.testing.assert_array_equal(clone(cached).fit(X, y).predict_proba(X), expected)


def test_lazy_images_from_a_pickle_train_the_same_model():
    X, y = make_images(), halves()
    lazy = clone(ALL).fit_transform(X)
    clf = CNNImageClassifier(max_iter=2, random_state=0)
    expected = clone(clf).fit(lazy, y).predict_proba(X)
    found = clone(clf).fit(pickle.loads(pickle.dumps(lazy)), y).predict_proba(X)
    np.testing.assert_array_equal(found, expected)


def test_a_fitted_pipeline_predicts_the_same_after_a_pickle():
    X, y = make_images(), halves()
    pipe = make_pipeline(clone(ALL), CNNImageClassifier(max_iter=1, random_state=0)).fit(X, y)
    again = pickle.loads(pickle.dumps(pipe))
    np.testing.assert_array_equal(again.predict_proba(X), pipe.predict_proba(X))


@pytest.mark.slow
def test_a_search_with_two_processes_finds_the_same_as_with_one(tmp_path):
    images, y = make_images(), halves()
    paths = [str(tmp_path / f"{index}.png") for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    pipe = make_pipeline(ImageLoader(6), clone(ALL), MLPImageClassifier(max_iter=2, random_state=0))
    grid = {"imageaugmenter__rotation": [0, 30], "imageaugmenter__zoom": [0, 0.5]}
    scores = [
        GridSearchCV(pipe, grid, cv=2, n_jobs=n_jobs, error_score="raise", scoring="neg_log_loss")
        .fit(paths, y)
        .cv_results_["mean_test_score"]
        for n_jobs in (None, 2)
    ]
    # Another process may sum in another order, with other rounding.
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-4)
    assert len(set(scores[0])) == 4


def test_other_classifiers_get_unchanged_images_with_a_warning(stripes):
    X, y = stripes
    pipe = make_pipeline(ImageAugmenter(rotation=30), ImageFlattener(), SVC())
    with pytest.warns(UserWarning, match="random changes of ImageAugmenter were left out"):
        pipe.fit(X, y)
    with pytest.warns(UserWarning, match="left out"):
        found = pipe.decision_function(X)
    plain = make_pipeline(ImageFlattener(), SVC()).fit(X, y).decision_function(X)
    np.testing.assert_array_equal(found, plain)


def test_without_random_changes_there_is_no_warning(stripes):
    X, y = stripes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_pipeline(ImageAugmenter(), ImageFlattener(), SVC()).fit(X, y).predict(X)


# Views


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64, np.longdouble, bool])
def test_views_have_the_shape_of_images_and_bytes_stay_bytes(dtype):
    X = (make_images(3, (6, 8, 3)) / 255 * 1.99).astype(dtype)
    views = clone(ALL).fit(X).sample(X, n_views=5, random_state=0)
    assert views.shape == (3, 5, 6, 8, 3)
    kept = {np.dtype(np.uint8), np.dtype(np.float32), np.dtype(np.float64)}
    assert views.dtype == (X.dtype if X.dtype in kept else np.float32)


def test_views_of_gray_images_have_a_channel():
    for X in (make_images(3, (64,)), make_images(3, (8, 8))):
        assert clone(ALL).fit(X).sample(X).shape == (3, 8, 8, 8, 1)


def test_views_depend_on_their_seed():
    X = make_images(3)
    augmenter = clone(ALL).fit(X)
    views = augmenter.sample(X, random_state=0)
    np.testing.assert_array_equal(augmenter.sample(X, random_state=0), views)
    assert (augmenter.sample(X, random_state=1) != views).any()
    assert (augmenter.sample(X) != augmenter.sample(X)).any()
    assert len({view.tobytes() for view in views[0]}) == 8


def test_views_show_all_earlier_steps(tmp_path):
    images = make_images(3, (8, 10, 3))
    paths = [str(tmp_path / f"{index}.png") for index in range(3)]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    loader = ImageLoader(6).fit(paths)
    augmenter = ImageAugmenter(horizontal_flip=1.0).fit(loader.transform(paths))
    views = augmenter.sample(loader.transform(paths), n_views=2)
    assert views.dtype == np.uint8
    expected = loader.transform(images)[:, :, ::-1]
    for view in range(2):
        np.testing.assert_array_equal(views[:, view], expected)


# Errors


@pytest.mark.parametrize(
    "params",
    [
        {"horizontal_flip": 1.5},
        {"vertical_flip": -0.1},
        {"rotation": 181},
        {"zoom": 1},
        {"shift": 1.1},
        {"shear": 90},
        {"crop_padding": 0.5},
        {"brightness": -1},
        {"erasing": "yes"},
        {"trivial_augment": 0.5},
        {"padding_mode": "wrap"},
        {"image_shape": 8},
    ],
)
def test_invalid_parameters_are_refused(params):
    with pytest.raises(ValueError, match=next(iter(params))):
        ImageAugmenter(**params).fit(make_images())


def test_trivial_augment_is_applied_in_training_only():
    images = make_images()
    augmenter = ImageAugmenter(trivial_augment=True).fit(images)
    plain = np.asarray(augmenter.transform(images).without_random_steps())
    np.testing.assert_array_equal(plain, images)
    views = augmenter.sample(images, n_views=4, random_state=0)
    assert views.dtype == np.uint8
    changed = (views != images[:, np.newaxis]).any(axis=(2, 3, 4))
    assert 0.5 < changed.mean() < 1


def test_trivial_augment_comes_before_the_other_changes():
    images = make_images()
    both = (
        ImageAugmenter(trivial_augment=True, erasing=1.0)
        .fit(images)
        .sample(images, n_views=8, random_state=0)
    )
    # A rotated or shifted rectangle would not keep its sides.
    assert (both == 0).all(axis=-1).any(axis=(2, 3)).mean() > 0.9


def test_trivial_augment_refuses_other_numbers_of_channels():
    with pytest.raises(ValueError, match="1 or 3 channels; got 4"):
        ImageAugmenter(trivial_augment=True).fit(make_images(shape=(8, 8, 4)))
