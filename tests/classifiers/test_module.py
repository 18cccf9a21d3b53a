"""ModuleImageClassifier."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from torch import nn

from skimgcls import ModuleImageClassifier


class Flat(nn.Module):
    """A module as in tutorials: sizes computed by hand, flattened with `view`."""

    def __init__(self, image_shape, n_outputs, width=4):
        super().__init__()
        height, w, channels = image_shape
        self.conv = nn.Conv2d(channels, width, 3, padding=1)
        self.out = nn.Linear(width * height * w, n_outputs)

    def forward(self, x):
        return self.out(torch.relu(self.conv(x)).view(x.shape[0], -1))


def with_batch_norm(image_shape, n_outputs):
    return nn.Sequential(nn.BatchNorm2d(image_shape[2]), nn.Flatten(), nn.LazyLinear(n_outputs))


def make_classifier(module, **params):
    return ModuleImageClassifier(module, **{"max_iter": 20, "random_state": 0, **params})


@pytest.mark.parametrize("module", [Flat, partial(Flat, width=2), with_batch_norm, None])
def test_classes_and_functions_make_classifiers(color_stripes, module):
    X, y = color_stripes
    clf = make_classifier(module).fit(X, y)
    assert clf.score(X, y) > 0.9
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_a_module_gets_batches_in_the_layout_of_torch(color_stripes):
    X, y = color_stripes
    seen = []

    class Spy(Flat):
        def forward(self, x):
            seen.append((tuple(x.shape), x.dtype, x.is_contiguous()))
            return super().forward(x)

    make_classifier(Spy, max_iter=1).fit(X, y)
    assert (((36, 3, 6, 8)), torch.float32, True) in seen


def test_a_last_batch_of_one_image_does_not_break_batch_normalization():
    rng = np.random.RandomState(0)
    X, y = rng.randint(0, 255, (17, 4, 4)), np.arange(17) % 2
    clf = make_classifier(with_batch_norm, batch_size=4, max_iter=2).fit(X, y)
    assert clf.n_iter_ == 2


def test_a_random_module_predicts_reproducibly_and_leaves_the_callers_generator(stripes):
    class AlwaysDrops(Flat):
        def forward(self, x):
            return super().forward(nn.functional.dropout(x))

    X, y = stripes
    clf = make_classifier(AlwaysDrops, max_iter=1).fit(X, y)
    before = torch.get_rng_state()
    np.testing.assert_array_equal(clf.predict_proba(X), clf.predict_proba(X))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_search_over_modules(stripes):
    X, y = stripes
    search = GridSearchCV(make_classifier(Flat), {"module": [Flat, partial(Flat, width=8)]}, cv=2)
    assert search.fit(X, y).best_score_ > 0.9


def test_a_module_with_another_number_of_outputs_is_refused(stripes):
    def too_many(image_shape, n_outputs):
        return Flat(image_shape, n_outputs + 1)

    with pytest.raises(ValueError, match=r"logits of shape \(n_samples, 3\).*got shape \(2, 4\)"):
        make_classifier(too_many).fit(*stripes)


def test_values_that_are_no_module_are_refused(stripes):
    with pytest.raises(TypeError, match=r"must return a torch.nn.Module; got 'net'"):
        make_classifier(lambda image_shape, n_outputs: "net").fit(*stripes)
