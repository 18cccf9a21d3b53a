"""ModuleImageClassifier."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from torch import nn

from skimgcls import ModuleImageClassifier
from skimgcls.estimator_checks._data import make_stripes


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


# Modules that cannot be trained


class Dense(torch.nn.Module):
    def __init__(self, image_shape, n_outputs):
        super().__init__()
        self.n_outputs = n_outputs
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, n_outputs))

    def forward(self, batch):
        return self.layers(batch)


class ReturnsTwoInTraining(Dense):
    def forward(self, batch):
        logits = self.layers(batch)
        return (logits, logits) if self.training else logits


class ReturnsDict(Dense):
    def forward(self, batch):
        return {"logits": self.layers(batch)}


class ReturnsLabels(Dense):
    def forward(self, batch):
        return self.layers(batch).argmax(dim=1)


class ForAnotherSize(Dense):
    def __init__(self, image_shape, n_outputs):
        super().__init__(image_shape, n_outputs)
        self.layers[1] = torch.nn.Linear(5, n_outputs)


class WithoutArguments(torch.nn.Module):
    def __init__(self):
        super().__init__()


class WithoutWeights(Dense):
    def __init__(self, image_shape, n_outputs):
        super().__init__(image_shape, n_outputs)
        self.layers = torch.nn.Identity()

    def forward(self, batch):
        return batch.flatten(1)[:, : self.n_outputs]


class Frozen(Dense):
    def __init__(self, image_shape, n_outputs):
        super().__init__(image_shape, n_outputs)
        self.requires_grad_(False)


class Normalized(Dense):
    def __init__(self, image_shape, n_outputs):
        super().__init__(image_shape, n_outputs)
        self.layers.append(torch.nn.BatchNorm1d(n_outputs))


@pytest.mark.parametrize(
    ("module", "error", "says"),
    [
        (
            ReturnsTwoInTraining,
            ValueError,
            r"logits of shape .* in training mode.*tuple",
        ),
        (ReturnsDict, ValueError, "got a dict for n_samples=2"),
        (ReturnsLabels, ValueError, r"got shape \(2,\)"),
        (
            ForAnotherSize,
            ValueError,
            r"fails on a batch of shape \(2, 1, 8, 8\).*5x3",
        ),
        (WithoutArguments, TypeError, r"must accept two positional arguments.*'WithoutArguments'"),
        (WithoutWeights, ValueError, "WithoutWeights has no parameter to train"),
        (Frozen, ValueError, "Frozen has no parameter to train"),
        (Dense((8, 8, 1), 3), TypeError, r"instance of Dense.*Expected the class.*module=Dense"),
        (lambda image_shape, n_outputs: 3, TypeError, r"must return a torch.nn.Module; got 3"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_module_that_cannot_be_trained_is_refused_before_training(module, error, says):
    X, y = make_stripes(12)
    clf = ModuleImageClassifier(module, max_iter=1)
    with pytest.raises(error, match=says) as caught:
        clf.fit(X, y)
    assert len(str(caught.value)) < 500
    assert not hasattr(clf, "classes_")


def test_batch_normalization_needs_several_images():
    X, y = make_stripes(12)
    with pytest.raises(ValueError, match=r"batch of one image.*Set a larger batch_size"):
        ModuleImageClassifier(Normalized, max_iter=1, batch_size=1).fit(X, y)
    with pytest.raises(ValueError, match=r"batch of one image.*Pass several images"):
        ModuleImageClassifier(Normalized).partial_fit(X[:1], y[:1], classes=np.unique(y))
    ModuleImageClassifier(Dense, max_iter=1, batch_size=1).fit(X, y)
    ModuleImageClassifier(Normalized, max_iter=1, batch_size=11).fit(X, y)


def test_checks_of_the_module_change_no_statistics():
    module = ModuleImageClassifier(Normalized)._build_module((8, 8, 1), 3)
    assert module.training
    assert module.layers[2].num_batches_tracked == 0
    assert torch.equal(module.layers[2].running_mean, torch.zeros(3))
