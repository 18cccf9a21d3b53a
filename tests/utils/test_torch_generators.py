"""Fits in threads give the bits of the fit alone, and leave the caller's generator unchanged."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from sklearn.base import clone

from skimgcls import CNNImageClassifier, ModuleImageClassifier
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.utils._torch_generators import drawing, torch_seeded

CPU = torch.device("cpu")


class DrawsInEvaluation(torch.nn.Module):
    def __init__(self, image_shape, n_outputs):
        super().__init__()
        self.linear = torch.nn.LazyLinear(n_outputs)

    def forward(self, batch):
        logits = self.linear(batch.flatten(1))
        return logits + torch.rand(logits.shape)


@pytest.fixture(scope="module")
def data():
    return make_stripes(48)


@pytest.fixture
def clf():
    return CNNImageClassifier(
        (4,), hidden_layer_sizes=8, dropout=0.5, max_iter=3, batch_size=16, random_state=0
    )


def test_sixteen_fits_in_four_threads_equal_the_fit_alone(clf, data):
    X, y = data
    alone = clone(clf).fit(X, y)
    expected = alone.predict_proba(X)
    before = torch.get_rng_state()
    stop = threading.Event()

    def predict():
        found = []
        while not stop.is_set():
            found.append(alone.predict_proba(X))
        return found

    with ThreadPoolExecutor(8) as pool:
        predicting = [pool.submit(predict) for _ in range(4)]
        with ThreadPoolExecutor(4) as fitting:
            fits = list(fitting.map(lambda _: clone(clf).fit(X, y), range(16)))
        stop.set()
        predicted = [proba for future in predicting for proba in future.result()]
    assert torch.equal(torch.get_rng_state(), before)
    assert len(predicted) >= 4
    for proba in [*predicted, *(fit.predict_proba(X) for fit in fits)]:
        np.testing.assert_array_equal(proba, expected)


def test_threads_of_joblib(clf, data):
    X, y = data
    seeds = [0, 1, 2, 3] * 2
    alone = [clone(clf).set_params(random_state=seed).fit(X, y) for seed in seeds[:4]]
    jobs = (delayed(clone(clf).set_params(random_state=seed).fit)(X, y) for seed in seeds)
    for seed, fit in zip(seeds, Parallel(n_jobs=4, backend="threading")(jobs), strict=True):
        np.testing.assert_array_equal(fit.predict_proba(X), alone[seed].predict_proba(X))


def test_modules_that_draw_in_prediction(data):
    X, y = data
    clf = ModuleImageClassifier(DrawsInEvaluation, max_iter=2, random_state=0).fit(X, y)
    expected = clf.predict_proba(X)
    with ThreadPoolExecutor(4) as pool:
        for proba in pool.map(lambda _: clf.predict_proba(X), range(16)):
            np.testing.assert_array_equal(proba, expected)


def test_blocks_in_two_threads_draw_their_own_numbers():
    with torch_seeded(1, CPU), drawing():
        expected = torch.rand(6)
    before = torch.get_rng_state()
    turns = [threading.Event(), threading.Event()]

    def draw(number):
        drawn = []
        with torch_seeded(1, CPU):
            for _ in range(3):
                turns[number].wait(timeout=30)
                turns[number].clear()
                with drawing():
                    drawn.append(torch.rand(2))
                turns[1 - number].set()
        return torch.cat(drawn)

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(draw, number) for number in range(2)]
        turns[0].set()
        for future in futures:
            assert torch.equal(future.result(), expected)
    assert torch.equal(torch.get_rng_state(), before)


def test_nested_blocks_continue_where_they_were():
    with torch_seeded(1, CPU):
        expected = torch.rand(4)
    with torch_seeded(1, CPU):
        first = torch.rand(2)
        with torch_seeded(2, CPU):
            torch.rand(5)
        assert torch.equal(torch.cat([first, torch.rand(2)]), expected)


def test_drawing_outside_a_block_uses_the_generator_of_the_caller():
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    with drawing():
        assert torch.equal(torch.rand(2), expected)
