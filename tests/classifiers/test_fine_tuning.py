"""PretrainedImageClassifier(trainable="auto"): a fitted head, and fine-tuning if it is better."""

import numpy as np
import pandas as pd
import pytest
import torch
from instances import make_small
from sklearn.base import clone

from skimgcls import ImageAugmenter, PretrainedImageClassifier, load, save
from skimgcls.classifiers import _fine_tuning
from skimgcls.estimator_checks._data import make_stripes


@pytest.fixture(scope="module")
def textures():
    """Images whose classes differ in a fine texture, which random features hardly show."""
    rng = np.random.RandomState(0)
    y = np.arange(240) % 3
    images = rng.randint(0, 128, (240, 16, 16, 3))
    for label, (row, column) in enumerate([(0, 0), (1, 0), (0, 1)]):
        images[y == label, row::2, column::2] += 25
    images = images.astype(np.uint8)
    return images, y


def make_auto(**params):
    clf = make_small(PretrainedImageClassifier, trainable="auto", random_state=0)
    # The classes differ in the position of pixels.
    clf.set_params(horizontal_flip=False, translation=0)
    return clf.set_params(**{"max_iter": 20, "learning_rate_init": 0.001, **params})


@pytest.fixture(scope="module")
def fitted(textures):
    return make_auto().fit(*textures)


def test_all_layers_are_trained_if_that_is_better(fitted, textures):
    X, y = textures
    head = clone(fitted).set_params(trainable="head", max_iter="auto").fit(X, y)
    assert fitted.score(X, y) > head.score(X, y)
    assert fitted.trained_ == "all"
    assert fitted.head_solver_ == "lbfgs"
    assert fitted.n_iter_ == len(fitted.net_.history) == 20
    weights = [clf.net_.module_.body.state_dict() for clf in (fitted, head)]
    changed = [name for name in weights[0] if not torch.equal(weights[0][name], weights[1][name])]
    assert changed
    # The statistics of batch normalization stay as they are.
    assert not [name for name in changed if "running" in name]


def test_the_head_alone_is_kept_if_it_is_better(textures, monkeypatch):
    costs = iter([0.1, 0.2])
    monkeypatch.setattr(_fine_tuning.FineTuning, "_cost", lambda self, images: next(costs))
    X, y = textures
    clf = make_auto().fit(X, y)
    assert clf.trained_ == "head"
    head = clone(clf).set_params(trainable="head", max_iter="auto").fit(X, y)
    np.testing.assert_allclose(clf.predict_proba(X), head.predict_proba(X), atol=1e-6)


def test_few_images_are_not_fine_tuned():
    X, y = make_stripes(60, shape=(8, 8, 3))
    clf = make_auto().fit(X, y)
    assert (clf.trained_, clf.n_iter_, clf.max_iter_) == ("head", 1, 1)


@pytest.mark.parametrize(("n_images", "n_epochs"), [(100, 1), (200, 10), (800, 8), (10_000, 3)])
def test_epochs_follow_the_number_of_images(n_images, n_epochs):
    clf = make_auto(max_iter="auto")
    assert _fine_tuning.count_epochs(clf, n_images) == n_epochs
    assert _fine_tuning.count_epochs(clf.set_params(max_iter=2), 500) == 2


def test_one_seed_gives_one_model(fitted, textures):
    again = clone(fitted).fit(*textures)
    np.testing.assert_array_equal(
        again.predict_proba(textures[0]), fitted.predict_proba(textures[0])
    )


def test_saved_and_continued(fitted, textures, tmp_path):
    X, y = textures
    save(fitted, tmp_path / "model.skimgcls")
    again = load(tmp_path / "model.skimgcls")
    assert again.trained_ == "all"
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.partial_fit(X, y).score(X, y) > 0.5


def test_validation_images_decide(textures):
    X, y = textures
    clf = make_auto().fit(X, y, X_val=X[:60], y_val=y[:60])
    assert clf.history_["validation_loss"].notna().all()


def test_weights_labels_and_augmentation(textures):
    X, y = textures
    indicator = pd.DataFrame({"rows": y == 1, "columns": y == 2}).astype(int)
    clf = make_auto(max_iter=1).fit(X, indicator, np.ones(len(y)))
    assert clf.predict_proba(X).shape == (240, 2)
    images = ImageAugmenter(horizontal_flip=True).fit_transform(X)
    clf = make_auto(max_iter=1, class_weight="balanced").fit(images, y)
    assert clf.trained_ in ("all", "head")


@pytest.mark.parametrize(
    "params", [{"head_solver": "adamw"}, {"early_stopping": True}, {"keep_features": False}]
)
def test_contradicting_parameters_are_refused(params, textures):
    with pytest.raises(ValueError, match=f'trainable="auto" .*{next(iter(params))}'):
        make_auto(**params).fit(*textures)
