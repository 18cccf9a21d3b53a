"""Whatever X and y are, an estimator works or raises a short error of this package."""

import collections

import hypothesis.extra.numpy as npst
import numpy as np
import pandas as pd
import pytest
import torch
from errors import call
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline

from skimgcls import (
    ImageFlattener,
    ImageLoader,
    ImageNormalizer,
    ImageOverSampler,
    ImageResizer,
    MLPImageClassifier,
)
from skimgcls.datasets import make_shapes
from skimgcls.inspection import audit_images, class_distribution, evaluation_report

N = 6
shapes = st.one_of(
    st.just((N, 8, 8, 3)),
    st.just((N, 8, 8)),
    st.just((N, 16)),
    st.lists(st.integers(0, 7), max_size=5).map(tuple),
)
dtypes = st.sampled_from([*"?bBhHiIlLefdgFDO", ">f4", ">u2", ">f8", "datetime64[s]", "U3", "S3"])


@st.composite
def arrays(draw):
    dtype = np.dtype(draw(dtypes))
    shape = draw(shapes)
    if dtype.kind == "O":
        elements = st.one_of(st.integers(0, 9), st.none(), st.text(max_size=3), st.floats())
        return draw(npst.arrays(dtype, shape, elements=elements, fill=st.just(1)))
    elements = None
    if dtype.kind == "M":
        elements = npst.from_dtype(dtype, allow_nan=True)
    return draw(npst.arrays(dtype, shape, elements=elements, fill=st.just(np.zeros((), dtype)[()])))


def as_frame(array):
    return pd.DataFrame(array) if array.ndim == 2 else array


def as_tensor(array):
    try:
        return torch.from_numpy(array.copy())
    except (TypeError, ValueError):
        return array


containers = st.sampled_from(
    [
        *(lambda array: array, list, tuple, iter, np.ndarray.tolist, collections.deque),
        *(as_frame, as_tensor, np.asfortranarray, np.ma.masked_array),
    ]
)
others = st.sampled_from(
    [None, 3, 2.5, "photo.png", "", b"", b"\x89PNG", {}, {1: 2}, set(), object(), [None] * N]
    + [["a.png"] * N, [b"x"] * N, [[1, [2]]] * N, [[1], [1, 2]] * 3, [{}] * N, ["a.png", 3] * 3]
    + [
        np.float64(3),
        pd.NA,
        pd.NaT,
        float,
        [object()] * N,
        [[]] * N,
        range(N),
        [""] * N,
        [[1, [2]]] * N,
    ]
)
images = st.one_of(
    st.tuples(arrays(), containers).map(
        lambda pair: pair[0] if pair[0].ndim == 0 else pair[1](pair[0])
    ),
    others,
)
label_lists = st.lists(
    st.one_of(st.integers(0, 2), st.sampled_from("ab"), st.none(), st.booleans(), st.floats()),
    min_size=N,
    max_size=N,
)
labels = st.one_of(
    st.lists(st.sampled_from(["cat", "dog"]), min_size=N, max_size=N),
    st.lists(st.integers(0, 2), min_size=N, max_size=N).map(np.array),
    npst.arrays(st.sampled_from(["i8", "f8", "O"]), (N, 3), elements=st.integers(-1, 2)),
    label_lists,
    label_lists.map(lambda y: pd.Series(y, dtype=object)),
    others,
)


X, Y = make_shapes(N, n_classes=2, image_size=8, random_state=0)
FITTED = MLPImageClassifier(4, max_iter=1, random_state=0).fit(X, Y)
few = settings(deadline=None, max_examples=60)


@few
@given(images=images)
@pytest.mark.parametrize(
    "transformer",
    [ImageLoader(), ImageNormalizer(), ImageResizer(4), ImageFlattener()],
    ids=lambda transformer: type(transformer).__name__,
)
def test_transformers(transformer, images):
    call(transformer.fit, images)


@few
@given(images=images)
def test_fit(images):
    clf = MLPImageClassifier(4, max_iter=1, random_state=0)
    _, error = call(clf.fit, images, Y)
    assert error is None or not hasattr(clf, "classes_")


@few
@given(images=images)
def test_predict(images):
    found, error = call(FITTED.predict_proba, images)
    assert error is not None or np.isfinite(found).all()


@few
@given(y=labels)
def test_labels(y):
    clf = MLPImageClassifier(4, max_iter=1, random_state=0)
    _, error = call(clf.fit, X, y)
    assert error is None or not hasattr(clf, "classes_")
    if error is None:
        assert np.isfinite(clf.predict_proba(X)).all()
    call(FITTED.score, X, y)
    call(class_distribution, y)
    call(ImageOverSampler().fit_resample, X, y)
    call(evaluation_report, FITTED, X, y)


@few
@given(images=images)
def test_audit(images):
    call(lambda X: audit_images(X, max_distance=None), images)


@few
@given(images=images)
def test_pipelines(images):
    call(make_pipeline(ImageLoader(size=8), FITTED).predict, images)
