"""Tests of `ImageOverSampler`, with and without augmented copies."""

import pickle
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import estimator_checks_generator as imblearn_checks
from PIL import Image
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.estimator_checks import estimator_checks_generator as sklearn_checks

from skimgcls import CNNImageClassifier
from skimgcls._images._image_files import ImageFiles
from skimgcls._images._lazy_images import LazyImages
from skimgcls._training._batches import Batches, BatchFormat, TrainingImages
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.preprocessing import (
    ImageAugmenter,
    ImageLoader,
    ImageNormalizer,
    ImageOverSampler,
    ImageResizer,
)

# Classes of 12, 8 and 4 images; 4 + 8 copies balance them.
CLASSES = np.repeat(["cat", "dog", "emu"], [12, 8, 4])
N, N_RES = 24, 36

# Flips every image that it augments, so that the result is known.
FLIP = ImageAugmenter(horizontal_flip=1.0)

# Number of checks of scikit-learn and imbalanced-learn. Later versions may add checks; fewer checks
# mean that a tag has disabled some.
N_CHECKS = 45


@pytest.fixture
def images():
    """Return images (24, 8, 8) that are all different."""
    return make_stripes(n_images=N)[0]


@pytest.fixture
def paths(tmp_path, images):
    """Return paths of PNG files of the same images, as strings."""
    found = [str(tmp_path / f"{index:02}.png") for index in range(N)]
    for path, image in zip(found, images, strict=True):
        Image.fromarray(image).save(path)
    return found


def resample(X, y=CLASSES, **params):
    """Return the resampled X and y, and the fitted sampler."""
    sampler = ImageOverSampler(**params)
    return *sampler.fit_resample(X, y), sampler


def pixels_in_training(lazy, batch_size=5, seed=0):
    """Return the images (n, h, w, c) of one training epoch, in order."""
    training = TrainingImages.from_arrays(lazy, np.arange(len(lazy)))
    batches = Batches(
        training,
        batch_size,
        BatchFormat(torch.device("cpu"), torch.float32),
        np.random.RandomState(seed),
    )
    seen = np.empty((len(lazy), *lazy.image_shape), np.float32)
    for batch, (rows, _) in batches:
        seen[rows.numpy()] = batch.permute(0, 2, 3, 1).numpy()
    return seen


# Output


def test_all_classes_get_the_size_of_the_largest(images):
    _, y_res, sampler = resample(images)
    assert Counter(y_res) == {"cat": 12, "dog": 12, "emu": 12}
    assert sampler.sampling_strategy_ == {"dog": 4, "emu": 8}


def test_the_originals_come_first_in_their_order(images):
    X_res, y_res, sampler = resample(images)
    np.testing.assert_array_equal(sampler.sample_indices_[:N], np.arange(N))
    np.testing.assert_array_equal(X_res[:N], images)
    np.testing.assert_array_equal(y_res[:N], CLASSES)


def test_a_copy_is_an_image_of_its_class(images):
    X_res, y_res, sampler = resample(images)
    np.testing.assert_array_equal(X_res, images[sampler.sample_indices_])
    np.testing.assert_array_equal(y_res, CLASSES[sampler.sample_indices_])


def test_class_counts_equal_those_of_imbalanced_learn(images):
    rows = images.reshape(N, -1)
    X_res, y_res, sampler = resample(rows)
    theirs = RandomOverSampler(random_state=0)
    X_expected, y_expected = theirs.fit_resample(rows, CLASSES)
    assert Counter(y_res) == Counter(y_expected)
    assert sampler.sampling_strategy_ == theirs.sampling_strategy_
    assert X_res.shape == X_expected.shape
    assert (X_res.dtype, y_res.dtype) == (X_expected.dtype, y_expected.dtype)


@pytest.mark.parametrize("n_wanted", [8, 9, 13, 16, 21])
def test_images_of_a_class_are_repeated_equally_often_within_one(images, n_wanted):
    strategy = {"cat": 24, "dog": n_wanted, "emu": 24}
    _, y_res, sampler = resample(images, sampling_strategy=strategy)
    assert Counter(y_res) == strategy
    times = np.bincount(sampler.sample_indices_)[CLASSES == "dog"]
    assert times.max() - times.min() <= 1


def test_images_with_one_more_copy_are_spread_over_the_class(images):
    _, _, sampler = resample(images, sampling_strategy={"dog": 10})
    assert sampler.sample_indices_[N:].tolist() == [12, 16]


def test_the_generator_of_numpy_is_not_changed(images):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    resample(images)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("minority", {"cat": 12, "dog": 8, "emu": 12}),
        ("not minority", {"cat": 12, "dog": 12, "emu": 4}),
        ({"emu": 5}, {"cat": 12, "dog": 8, "emu": 5}),
        (lambda y: {"dog": 9, "emu": (y == "cat").sum()}, {"cat": 12, "dog": 9, "emu": 12}),
    ],
    ids=["minority", "not minority", "a dict", "a callable"],
)
def test_sampling_strategy_has_the_meaning_of_imbalanced_learn(images, strategy, expected):
    assert Counter(resample(images, sampling_strategy=strategy)[1]) == expected


def test_a_number_is_the_ratio_of_two_classes(images):
    y_res = resample(images, CLASSES == "emu", sampling_strategy=0.5)[1]
    assert Counter(y_res) == {False: 20, True: 10}


def test_balanced_classes_get_no_copies(images):
    X_res, _, sampler = resample(images, np.tile([0, 1], 12), minority_augmentation=True)
    assert len(X_res) == N
    assert not X_res.marks.any()
    assert sampler.sampling_strategy_ == {1: 0}


def test_fit_computes_the_strategy_of_fit_resample(images):
    fitted = ImageOverSampler().fit(images, CLASSES)
    assert fitted.sampling_strategy_ == {"dog": 4, "emu": 8}
    assert fitted.n_features_in_ == 64


# Input formats


def test_images_are_returned_in_the_input_format(spell, images):
    X = spell(images)
    X_res, _, sampler = resample(X)
    assert type(X_res) is type(X)
    assert len(X_res) == N_RES
    assert sampler.n_features_in_ == 64
    copy = X_res.iloc[-1] if hasattr(X_res, "iloc") else X_res[-1]
    expected = images[sampler.sample_indices_[-1]]
    np.testing.assert_array_equal(np.reshape(np.asarray(copy), (8, 8)), expected)


@pytest.mark.parametrize("shape", [(N, 8, 8), (N, 4, 4, 4), (N, 64)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_the_dtype_of_pixels_is_kept(images, shape, dtype):
    X_res, _, _ = resample(images.reshape(shape).astype(dtype))
    assert X_res.dtype == dtype
    assert X_res.shape == (N_RES, *shape[1:])


def test_a_frame_keeps_its_columns_and_their_types():
    frame = pd.DataFrame({"a": np.arange(N, dtype=np.uint8), "b": np.arange(N) / 2})
    frame.index = [f"image {index}" for index in range(N)]
    X_res, _, sampler = resample(frame)
    assert X_res.dtypes.to_dict() == frame.dtypes.to_dict()
    assert X_res.index.tolist() == list(range(N_RES))
    assert sampler.feature_names_in_.tolist() == ["a", "b"]
    assert sampler.get_feature_names_out().tolist() == ["a", "b"]


@pytest.mark.parametrize(("make", "format_"), [(csr_matrix, "csr"), (coo_matrix, "csr")])
def test_sparse_rows_stay_sparse(images, make, format_):
    rows = images.reshape(N, -1)
    X_res, _, sampler = resample(make(rows))
    assert X_res.format == format_
    np.testing.assert_array_equal(X_res.toarray(), rows[sampler.sample_indices_])


# Files


SPELLINGS_OF_FILES = {
    "a list": list,
    "a series": lambda paths: pd.Series(paths, name="path"),
    "a frame": lambda paths: pd.DataFrame({"path": paths}),
    "an array": np.array,
    "a column": lambda paths: np.array(paths, dtype=object).reshape(-1, 1),
}


@pytest.mark.parametrize("make", SPELLINGS_OF_FILES.values(), ids=SPELLINGS_OF_FILES)
def test_paths_are_repeated_without_opening_files(make):
    paths = [f"there is no such file {index}.png" for index in range(N)]
    X_res, _, sampler = resample(make(paths))
    expected = [paths[index] for index in sampler.sample_indices_]
    assert type(X_res) is type(make(paths))
    assert np.ravel(np.asarray(X_res)).tolist() == expected
    assert list(getattr(X_res, "columns", ["path"])) == ["path"]
    assert sampler.n_features_in_ == 1


def test_bytes_of_files_are_repeated_unchanged():
    X = [bytes([index]) for index in range(N)]
    X_res, _, sampler = resample(X)
    assert X_res == [X[index] for index in sampler.sample_indices_]


@pytest.mark.parametrize("minority_augmentation", [False, True])
def test_lazy_images_are_repeated_without_reading(tmp_path, minority_augmentation):
    """The files are not images, so opening one raises an error."""
    paths = [str(tmp_path / f"{index}.png") for index in range(N)]
    for index, path in enumerate(paths):
        with open(path, "w") as file:
            file.write(f"no image {index}")
    lazy = LazyImages(ImageFiles.from_items(np.array(paths, dtype=object)))
    X_res, _, sampler = resample(lazy, minority_augmentation=minority_augmentation)
    assert isinstance(X_res, LazyImages)
    expected = [paths[index] for index in sampler.sample_indices_]
    assert X_res.source.items.tolist() == expected
    assert sampler.n_features_in_ == 1


def test_lazy_images_keep_their_steps_and_their_format(images):
    lazy = ImageNormalizer().fit_transform(LazyImages(images.reshape(N, 8, 8, 1), ndim=2))
    X_res, _, sampler = resample(lazy)
    assert X_res.steps == lazy.steps
    assert X_res.shape == (N_RES, 64)
    assert X_res.marks is None
    np.testing.assert_array_equal(X_res, np.asarray(lazy)[sampler.sample_indices_])
    assert sampler.n_features_in_ == 64


# Labels


LABELS = {
    "a list": CLASSES.tolist(),
    "strings": CLASSES,
    "objects": CLASSES.astype(object),
    "truth values": CLASSES == "emu",
    "bytes": (CLASSES == "emu").astype(np.uint8),
    "a series": pd.Series(CLASSES, name="animal", index=range(N, 0, -1)),
    "categories": pd.Series(CLASSES, dtype="category", name="animal"),
    "nullable integers": pd.Series(CLASSES == "emu", dtype="Int64", name="is_emu"),
    "a frame": pd.DataFrame({"animal": CLASSES}),
}


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("minority_augmentation", [False, True])
def test_labels_keep_their_dtype(images, y, minority_augmentation):
    _, y_res, sampler = resample(images, y, minority_augmentation=minority_augmentation)
    assert type(y_res) is type(y)
    for name in ("dtype", "name", "columns"):
        assert np.all(getattr(y_res, name, None) == getattr(y, name, None))
    expected = np.ravel(np.asarray(y))[sampler.sample_indices_]
    np.testing.assert_array_equal(np.ravel(np.asarray(y_res)), expected)
    if hasattr(y_res, "index") and not isinstance(y_res, list):
        assert y_res.index.tolist() == list(range(len(expected)))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "make",
    [np.asarray, pd.DataFrame, np.ndarray.tolist, csr_matrix],
    ids=lambda make: make.__name__,
)
def test_one_hot_labels_are_balanced_by_their_columns_and_keep_them(images, make, n_classes):
    codes = np.minimum(np.unique(CLASSES, return_inverse=True)[1], n_classes - 1)
    one_hot = np.eye(n_classes, dtype=np.int32)[codes]
    X_res, y_res, sampler = resample(images, make(one_hot))
    X_expected, expected, _ = resample(images, codes)
    assert type(y_res) is type(make(one_hot))
    dense = y_res.toarray() if hasattr(y_res, "toarray") else np.asarray(y_res)
    np.testing.assert_array_equal(dense, np.eye(n_classes)[expected])
    np.testing.assert_array_equal(X_res, X_expected)
    assert set(sampler.sampling_strategy_) <= set(range(n_classes))


@pytest.mark.parametrize(("row", "marked"), [([1, 1, 0], 2), ([0, 0, 0], 0)])
def test_multilabel_targets_are_refused(images, row, marked):
    y = np.eye(3, dtype=int)[np.arange(N) % 3]
    y[7] = row
    words = rf"row 7 marks {marked} of them: expected one-hot .* Multilabel .* not supported"
    for fit in (ImageOverSampler().fit, ImageOverSampler().fit_resample):
        with pytest.raises(ValueError, match=words):
            fit(images, y)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.zeros(N), "needs to have more than 1 class"),
        (np.linspace(0, 1, N), "Unknown label type: continuous"),
        (np.arange(N - 1) % 2, r"inconsistent numbers of samples: \[24, 23\]"),
        (None, "the target y is None"),
    ],
)
@pytest.mark.parametrize("is_lazy", [False, True])
def test_what_cannot_be_balanced_is_refused(images, y, words, is_lazy):
    X = LazyImages(images[..., np.newaxis]) if is_lazy else images
    for fit in (ImageOverSampler().fit, ImageOverSampler().fit_resample):
        with pytest.raises(ValueError, match=words):
            fit(X, y)


@pytest.mark.parametrize("minority_augmentation", [False, True])
@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.full((N, 4, 4), np.nan), "contains NaN: 24 of 24 images"),
        (np.zeros((N, 3, 8, 8)), "looks like channels first"),
        (np.zeros((0, 8, 8)), "0 sample"),
        (["a.png"] * 23 + [None], r"X\[23\] is None, but other entries of X are files"),
    ],
)
def test_what_cannot_be_images_is_refused(X, words, minority_augmentation):
    with pytest.raises(ValueError, match=words):
        resample(X, minority_augmentation=minority_augmentation)


# Marked copies


MARKED = np.arange(N_RES) >= N


def test_without_minority_augmentation_an_augmenter_changes_all_images(images):
    X_res, _, _ = resample(images)
    seen = pixels_in_training(FLIP.fit_transform(X_res[..., np.newaxis]))
    np.testing.assert_array_equal(seen[..., 0], X_res[:, :, ::-1])


def test_with_minority_augmentation_an_augmenter_changes_only_copies(images):
    X_res, _, sampler = resample(images, minority_augmentation=True)
    assert isinstance(X_res, LazyImages)
    np.testing.assert_array_equal(X_res.marks, MARKED)
    lazy = FLIP.fit_transform(X_res)
    for batch_size, seed in [(5, 0), (5, 1), (N_RES, 0)]:
        seen = pixels_in_training(lazy, batch_size, seed)
        np.testing.assert_array_equal(seen[:N, ..., 0], images)
        copies = images[sampler.sample_indices_[N:]]
        np.testing.assert_array_equal(seen[N:, ..., 0], copies[:, :, ::-1])


def test_the_same_seed_changes_the_copies_in_the_same_way(images):
    X_res, _, _ = resample(images[..., np.newaxis], minority_augmentation=True)
    lazy = ImageAugmenter(rotation=20, brightness=0.3).fit_transform(X_res)
    first, again, other = (pixels_in_training(lazy, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[:N, ..., 0], images)
    assert all((first[N:] != other[N:]).any(axis=(1, 2, 3)))


def test_validation_returns_unchanged_images(images):
    X_res, _, sampler = resample(images, minority_augmentation=True)
    lazy = FLIP.fit_transform(X_res)
    with pytest.warns(UserWarning, match="random changes of ImageAugmenter were left out"):
        pixels = np.asarray(lazy)
    np.testing.assert_array_equal(pixels, images[sampler.sample_indices_])


@pytest.mark.parametrize("shape", [(N, 8, 8), (N, 8, 8, 1), (N, 64)])
def test_marked_pixels_keep_their_format(images, shape):
    X_res, _, _ = resample(images.reshape(shape), minority_augmentation=True)
    assert X_res.shape == (N_RES, *shape[1:])
    assert X_res.image_shape == (8, 8, 1)


def test_marked_rows_have_the_given_shape(images):
    rows = images.reshape(N, -1)
    X_res, _, _ = resample(rows, minority_augmentation=True, image_shape=(4, 4, 4))
    assert X_res.image_shape == (4, 4, 4)
    with pytest.raises(ValueError, match="makes 20 pixels, but the rows of X hold 64"):
        resample(rows, image_shape=(4, 5))


def test_marked_files_are_read_by_a_loader_in_its_size(paths):
    X_res, _, _ = resample(pd.DataFrame({"path": paths}), minority_augmentation=True)
    loaded = ImageLoader(size=(6, 4), mode="L").fit_transform(X_res)
    resized = ImageResizer((6, 4)).fit_transform(X_res)
    assert (loaded.image_shape, resized.image_shape) == ((6, 4, 1), (6, 4, 3))
    for images in (loaded, resized, ImageNormalizer("unit").fit_transform(loaded)):
        np.testing.assert_array_equal(images.marks, MARKED)


def test_marked_files_give_the_pixels_that_marked_arrays_give(paths, images):
    files, _, _ = resample(paths, minority_augmentation=True)
    arrays, _, _ = resample(images[..., np.newaxis], minority_augmentation=True)
    loaded = ImageLoader(mode="L").fit_transform(files)
    np.testing.assert_array_equal(
        pixels_in_training(FLIP.fit_transform(loaded)),
        pixels_in_training(FLIP.fit_transform(arrays)),
    )


def test_a_missing_file_is_named_where_copies_are_marked(paths):
    with pytest.raises(FileNotFoundError, match=r"X\[23\]: .*missing\.png"):
        resample([*paths[:-1], "missing.png"], minority_augmentation=True)


def test_marks_of_an_earlier_sampler_are_kept(images):
    """Over-sample two classes in turn: copies of both steps are marked."""
    first, y_first, _ = resample(images, sampling_strategy="minority", minority_augmentation=True)
    second, y_second, sampler = resample(first, y_first, minority_augmentation=True)
    assert Counter(y_second) == {"cat": 12, "dog": 12, "emu": 12}
    np.testing.assert_array_equal(second.marks, MARKED)
    plain, _, _ = resample(first, y_first)
    np.testing.assert_array_equal(plain.marks, first.marks[sampler.sample_indices_])
    assert first.marks.sum() == 8


def test_an_earlier_augmenter_is_refused(images):
    augmented = FLIP.fit_transform(images)
    for fit in (ImageOverSampler.fit, ImageOverSampler.fit_resample):
        with pytest.raises(ValueError, match="put ImageAugmenter after ImageOverSampler"):
            fit(ImageOverSampler(minority_augmentation=True), augmented, CLASSES)
    assert resample(augmented)[0].is_random


def test_sparse_rows_cannot_be_marked(images):
    with pytest.raises(TypeError, match="Sparse data was passed"):
        resample(csr_matrix(images.reshape(N, -1)), minority_augmentation=True)


# In a Pipeline


def make_pipe(**params):
    return make_pipeline(
        ImageLoader(size=8, mode="L"),
        ImageOverSampler(minority_augmentation=True),
        ImageAugmenter(rotation=10, shift=0.1),
        CNNImageClassifier(max_iter=2, random_state=0),
    ).set_params(**params)


def test_a_pipeline_learns_from_files_and_predicts_each_image_once(paths):
    frame = pd.DataFrame({"path": paths})
    pipe = make_pipe().fit(frame, CLASSES)
    assert pipe.predict(frame).shape == (N,)
    assert pipe.score(frame, CLASSES) >= 0
    assert len(pipe["imageoversampler"].sample_indices_) == N_RES


def test_the_sampler_may_come_before_the_loader(paths):
    frame = pd.DataFrame({"path": paths})
    loader, sampler, *rest = (step for _, step in make_pipe().steps)
    swapped = make_pipeline(sampler, loader, *rest).fit(frame, CLASSES)
    expected = make_pipe().fit(frame, CLASSES).predict_proba(frame)
    np.testing.assert_array_equal(swapped.predict_proba(frame), expected)


def test_a_classifier_uses_the_marks(paths):
    proba = [
        make_pipe(imageoversampler__minority_augmentation=marked)
        .fit(paths, CLASSES)
        .predict_proba(paths)
        for marked in (False, True, True)
    ]
    assert (proba[0] != proba[1]).any()
    np.testing.assert_array_equal(proba[1], proba[2])


def test_a_fitted_pipeline_is_cloned_and_pickled(paths):
    pipe = make_pipe().fit(paths, CLASSES)
    again = pickle.loads(pickle.dumps(pipe))
    np.testing.assert_array_equal(again.predict_proba(paths), pipe.predict_proba(paths))
    refitted = clone(pipe).fit(paths, CLASSES)
    np.testing.assert_array_equal(refitted.predict_proba(paths), pipe.predict_proba(paths))


def test_a_parallel_search_finds_the_same_as_a_sequential_one(paths):
    frame, y = pd.DataFrame({"path": paths}), pd.Series(CLASSES)
    grid = {"imageoversampler__minority_augmentation": [False, True]}
    parallel, in_turn = (
        GridSearchCV(make_pipe(), grid, cv=2, n_jobs=n_jobs, error_score="raise").fit(frame, y)
        for n_jobs in (2, None)
    )
    scores = [search.cv_results_["mean_test_score"] for search in (parallel, in_turn)]
    np.testing.assert_array_equal(*scores)
    np.testing.assert_array_equal(parallel.predict(frame), in_turn.predict(frame))


# Checks of scikit-learn and imbalanced-learn


@pytest.mark.parametrize("minority_augmentation", [False, True])
def test_the_sampler_passes_the_checks_of_scikit_learn(minority_augmentation):
    sampler = ImageOverSampler(minority_augmentation=minority_augmentation)
    results = check_estimator(sampler, on_skip=None, on_fail="raise")
    assert {result["status"] for result in results} == {"passed"}
    assert not any(result["expected_to_fail"] for result in results)


@pytest.mark.parametrize(
    ("sampler", "check"),
    list(imblearn_checks(ImageOverSampler())),
    ids=lambda value: value.func.__name__ if hasattr(value, "func") else "",
)
def test_the_sampler_passes_the_checks_of_imbalanced_learn(sampler, check):
    check(sampler)


def test_the_sampler_runs_as_many_checks_as_that_of_imbalanced_learn():
    ours, theirs = ImageOverSampler(), RandomOverSampler()
    of_sklearn, of_imblearn = (
        [{check.func.__name__ for _, check in checks(sampler)} for sampler in (ours, theirs)]
        for checks in (sklearn_checks, imblearn_checks)
    )
    # NaN raises an error, which is tested, and strings are files.
    assert of_sklearn[0] - of_sklearn[1] == {"check_estimators_nan_inf"}
    assert of_sklearn[1] <= of_sklearn[0]
    assert of_imblearn[1] - of_imblearn[0] == {"check_samplers_string", "check_samplers_nan"}
    assert len(list(sklearn_checks(ours))) + len(list(imblearn_checks(ours))) >= N_CHECKS


def test_the_tags_are_those_of_a_sampler():
    tags = get_tags(ImageOverSampler())
    assert tags.estimator_type == "sampler"
    assert tags.target_tags.required
    assert tags.input_tags.two_d_array
    assert not tags.non_deterministic
    assert not tags.no_validation
    assert not tags._skip_test
    assert tags.sampler_tags.sample_indices


def test_the_other_transformers_work_without_imbalanced_learn():
    code = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "imblearn":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
from skimgcls import preprocessing
preprocessing.ImageLoader()
try:
    from skimgcls.preprocessing import ImageOverSampler
except ImportError as error:
    print(error)
print("ImageOverSampler" in dir(preprocessing), hasattr(preprocessing, "ImageUnderSampler"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told, names = done.stdout.splitlines()
    assert told == "ImageOverSampler needs imbalanced-learn: pip install skimgcls[imbalance]"
    assert names == "True False"
