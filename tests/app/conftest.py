"""Fixtures: small models of every kind that the page serves, and images."""

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline

from skimgcls import CNNImageClassifier, ImageLoader, MLPImageClassifier
from skimgcls.app._model import ServedModel
from skimgcls.app._serve import serve_model
from skimgcls.datasets import make_shapes


def encode(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="session")
def shapes():
    """Image files and their classes."""
    X, y = make_shapes(90, n_classes=3, image_size=24, random_state=0)
    return np.array([encode(image) for image in X], dtype=object), y


@pytest.fixture(scope="session")
def of_files(shapes):
    """A model whose Pipeline begins with a loader."""
    X, y = shapes
    loader = ImageLoader(size=(16, 16))
    clf = CNNImageClassifier(max_iter=3, early_stopping=True, random_state=0)
    return make_pipeline(loader, clf).fit(X, y)


@pytest.fixture(scope="session")
def of_labels():
    """A multilabel model."""
    X, y = make_shapes(60, n_classes=3, image_size=16, multilabel=True, random_state=0)
    return MLPImageClassifier(max_iter=2, random_state=0).fit(X, y)


@pytest.fixture
def served(of_files):
    """The model of files, set as the served model."""
    model = ServedModel.of(of_files, "shapes.skimgcls", {"skimgcls": "1.2.3", "packages": {}})
    serve_model(model)
    yield model
    serve_model(None)
