"""What happens around the steps of a training run, on a real net and tiny images."""

import io
import math
import re
from contextlib import redirect_stderr
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skimgcls._batches import BatchFormat, TrainingImages
from skimgcls._rng import seeded
from skimgcls._training import TrainingPlan, make_net, train_net
from skimgcls.nets import MLP, WeightedLoss

PLAN = TrainingPlan(
    max_epochs=12,
    batch_size=4,
    learning_rate_init=0.05,
    cosine=False,
    weight_decay=0.0,
    tol=0.0,
    n_iter_no_change=100,
    early_stopping=False,
)
TARGETS = np.arange(12) % 2
IMAGES = np.random.RandomState(0).rand(12, 2, 2, 1).astype(np.float32)
TRAIN = TrainingImages.from_arrays(IMAGES, TARGETS)


def make_valid(n_wrong):
    """The training images, some with the wrong label, so that their score rises and falls."""
    return TrainingImages.from_arrays(IMAGES, np.where(np.arange(12) < n_wrong, 1, 0) ^ TARGETS)


VALID = make_valid(n_wrong=3)


def train(valid=None, **changes):
    """Return the net and its history."""
    plan = replace(PLAN, **changes)
    with seeded(0) as rng:
        module = MLP((2, 2, 1), 2, hidden_layer_sizes=(8,))
        net = make_net(module, BatchFormat(torch.device("cpu"), torch.float32), plan)
        return net, train_net(net, plan, WeightedLoss(), TRAIN, valid, rng)


def column(history, name):
    return [epoch[name] for epoch in history]


def weights_of(net):
    return torch.cat([weights.detach().flatten() for weights in net.module_.parameters()])


def n_epochs_without_improvement(values, improves):
    """Count the epochs at the end that did not improve on the best before them."""
    stale = 0
    for i, value in enumerate(values):
        stale = 0 if i == 0 or improves(value, values[:i]) else stale + 1
    return stale


def test_a_constant_learning_rate_stays():
    assert column(train()[1], "learning_rate") == [0.05] * 12


@settings(deadline=None, max_examples=10)
@given(max_epochs=st.integers(1, 6), batch_size=st.integers(2, 12))
def test_the_cosine_goes_from_the_first_learning_rate_to_zero_step_by_step(max_epochs, batch_size):
    rates = column(
        train(cosine=True, max_epochs=max_epochs, batch_size=batch_size)[1], "learning_rate"
    )
    per_epoch = math.ceil(12 / batch_size) - (batch_size == 11)
    # What is recorded is the rate of the last step of each epoch.
    last_steps = np.arange(1, max_epochs + 1) * per_epoch - 1
    expected = 0.025 * (1 + np.cos(np.pi * last_steps / (max_epochs * per_epoch)))
    np.testing.assert_allclose(rates, expected)


def test_the_seconds_of_the_epochs_are_measured():
    assert all(0 < seconds < 60 for seconds in column(train()[1], "seconds"))


@pytest.mark.parametrize("learning_rate_init", [0.01, 0.2, 0.5])
@pytest.mark.parametrize("tol", [1e-3, 0.01, 0.5])
def test_training_stops_when_the_loss_has_not_fallen_by_tol_for_some_epochs(
    tol, learning_rate_init
):
    losses = column(
        train(tol=tol, learning_rate_init=learning_rate_init, n_iter_no_change=3, max_epochs=200)[
            1
        ],
        "train_loss",
    )
    assert len(losses) < 200
    for stop in range(1, len(losses) + 1):
        stale = n_epochs_without_improvement(
            losses[:stop], lambda loss, before: min(before) - loss > tol
        )
        assert (stale == 3) == (stop == len(losses))


def test_a_loss_that_stands_still_is_no_improvement_even_with_a_tol_of_zero():
    history = train(learning_rate_init=1e-30, batch_size=12, n_iter_no_change=3)[1]
    assert len(set(column(history, "train_loss"))) == 1
    assert len(history) == 4


def test_a_score_that_stands_still_is_no_improvement_even_with_a_tol_of_zero():
    history = train(learning_rate_init=1e-30, valid=VALID, early_stopping=True, n_iter_no_change=3)[
        1
    ]
    assert len(history) == 4


@pytest.mark.parametrize("n_wrong", [1, 3, 4])
def test_early_stopping_brings_the_weights_of_the_best_epoch_back(n_wrong):
    net, history = train(valid=make_valid(n_wrong), early_stopping=True, max_epochs=40)
    scores, losses = column(history, "validation_accuracy"), column(history, "validation_loss")
    # Of epochs of equal score, the one of the lowest loss.
    best = max(range(40), key=lambda epoch: (scores[epoch], -losses[epoch]))
    assert best < 39, "there is nothing to bring back"
    expected, _ = train(max_epochs=best + 1)
    assert torch.equal(weights_of(net), weights_of(expected))


def test_early_stopping_stops_when_the_score_has_not_risen_for_some_epochs():
    net, history = train(
        valid=VALID, early_stopping=True, max_epochs=200, n_iter_no_change=4, tol=1e-4
    )
    scores = column(history, "validation_accuracy")
    assert len(scores) < 200
    assert n_epochs_without_improvement(scores, lambda s, before: s > max(before) + 1e-4) == 4
    assert net.callbacks_ == []


def test_validation_images_alone_stop_nothing():
    plain, with_images = train()[0], train(valid=VALID)[0]
    assert torch.equal(weights_of(plain), weights_of(with_images))


def test_a_loss_that_is_no_number_ends_training_with_what_to_do():
    says = (
        r"loss became (nan|inf) in epoch 1\. Lower learning_rate_init \(it is 1e\+38\).*standardize"
    )
    with pytest.raises(ValueError, match=says):
        train(learning_rate_init=1e38)


def test_a_bar_shows_epochs_loss_and_validation_score():
    with redirect_stderr(io.StringIO()) as err:
        _, history = train(progress=True, valid=VALID, max_epochs=3)
    last = err.getvalue().split("\r")[-1]
    assert "epoch 3/3: 100%" in last
    assert "36.0/36.0" in last
    loss, score = history[-1]["train_loss"], history[-1]["validation_accuracy"]
    assert f"loss={loss:.4f}, validation={score:.4f}" in last


def test_a_bar_without_validation_images_shows_the_loss():
    with redirect_stderr(io.StringIO()) as err:
        train(progress=True, max_epochs=1)
    assert re.search(r"loss=\d\.\d{4}\]", err.getvalue())
    assert "validation" not in err.getvalue()


def test_the_bar_is_left_as_it_stands_when_training_ends_early():
    with redirect_stderr(io.StringIO()) as err, pytest.raises(ValueError, match="loss became"):
        train(learning_rate_init=1e38, progress=True)
    assert "epoch 1/12" in err.getvalue()
    assert err.getvalue().endswith("\n")


def test_without_a_bar_nothing_is_said():
    with redirect_stderr(io.StringIO()) as err:
        train(valid=VALID)
    assert err.getvalue() == ""
