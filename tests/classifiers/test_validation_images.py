"""Validation images that did not pass through the Pipeline are noticed."""

import warnings

import numpy as np
import pytest
import sklearn
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skimgcls import CNNImageClassifier, ImageAugmenter, ImageLoader, ImageNormalizer, ImageResizer
from skimgcls.datasets import make_shapes

X, y = make_shapes(24, n_classes=2, image_size=16, random_state=0)
CNN = CNNImageClassifier((4,), hidden_layer_sizes=4, max_iter=1, random_state=0)
VALIDATION = {"cnnimageclassifier__X_val": X, "cnnimageclassifier__y_val": y}


@pytest.fixture
def paths(tmp_path):
    paths = [str(tmp_path / f"{index}.png") for index in range(len(X))]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    return paths


def test_arrays_that_were_not_normalized_give_a_warning():
    pipe = make_pipeline(ImageNormalizer(), clone(CNN))
    with pytest.warns(UserWarning, match=r"X_val has pixels in the range \[0, 255\], but CNN"):
        pipe.fit(X, y, **VALIDATION)


def test_images_without_the_steps_of_the_training_images_give_a_warning(paths):
    pipe = make_pipeline(ImageLoader(), ImageNormalizer(), ImageAugmenter(), clone(CNN))
    with pytest.warns(
        UserWarning, match=r"X_val was not transformed .*transform_input=\['X_val'\]"
    ):
        pipe.fit(paths, y, **VALIDATION)


def test_images_of_another_size_are_refused_with_advice(paths):
    pipe = make_pipeline(ImageResizer(8), clone(CNN))
    with pytest.raises(
        ValueError, match=r"X_val holds images of shape .*transform_input"
    ) as caught:
        pipe.fit(X, y, **VALIDATION)
    assert len(str(caught.value)) < 500


def test_images_that_passed_the_steps_are_silent(paths):
    pipe = make_pipeline(
        ImageLoader(size=12),
        ImageNormalizer(),
        ImageAugmenter(),
        clone(CNN).set_params(n_iter_no_change=2),
        transform_input=["X_val"],
    )
    with sklearn.config_context(enable_metadata_routing=True), warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe[-1].set_fit_request(X_val=True, y_val=True)
        pipe.fit(paths, y, X_val=np.array(paths), y_val=y)
    clone(CNN).fit(X, y, X_val=paths, y_val=y)
    augmented = ImageAugmenter().fit_transform(X)
    clone(CNN).fit(augmented, y, X_val=X, y_val=y)
