"""Callbacks, with a real network and tiny images."""

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
from skorch.callbacks import Callback
from torch import nn

from skimgcls._images._lazy_images import LazyImages
from skimgcls._training import _trainer
from skimgcls._training._batches import BatchFormat, TrainingImages
from skimgcls._training._callbacks import set_learning_rate
from skimgcls._training._config import TrainingConfig
from skimgcls._training._trainer import make_net, train_net
from skimgcls.nets import MLP, ImageNetwork, WeightedLoss
from skimgcls.utils._random import seeded

PLAN = TrainingConfig(
    max_epochs=12,
    batch_size=4,
    learning_rate_init=0.05,
    schedule="constant",
    weight_decay=0.0,
    tol=0.0,
    n_iter_no_change=100,
    early_stopping=False,
)
# Factor of the learning rate after a fraction of the steps.
DECAYS = {"cosine": lambda done: 0.5 * (1 + np.cos(np.pi * done)), "linear": lambda done: 1 - done}
TARGETS = np.arange(12) % 2
IMAGES = np.random.RandomState(0).rand(12, 2, 2, 1).astype(np.float32)
TRAIN = TrainingImages.from_arrays(LazyImages(IMAGES), TARGETS)


def make_valid(n_wrong):
    """The training images, some with wrong labels, so that the score rises and falls."""
    return TrainingImages.from_arrays(
        LazyImages(IMAGES), np.where(np.arange(12) < n_wrong, 1, 0) ^ TARGETS
    )


VALID = make_valid(n_wrong=3)


def make_mlp():
    return MLP((2, 2, 1), 2, hidden_layer_sizes=(8,))


def train(valid=None, make_module=make_mlp, **changes):
    """Return the network and its history."""
    plan = replace(PLAN, **changes)
    with seeded(0) as rng:
        net = make_net(make_module(), BatchFormat(torch.device("cpu"), torch.float32), plan)
        return net, train_net(net, plan, WeightedLoss(), TRAIN, valid, rng)


def column(history, name):
    return [epoch[name] for epoch in history]


def weights_of(net):
    return torch.cat([weights.detach().flatten() for weights in net.module_.parameters()])


def n_epochs_without_improvement(values, improves):
    """Count the final epochs without improvement over the best one before."""
    stale = 0
    for i, value in enumerate(values):
        stale = 0 if i == 0 or improves(value, values[:i]) else stale + 1
    return stale


def test_a_constant_learning_rate_does_not_change():
    assert column(train()[1], "learning_rate") == [0.05] * 12


@pytest.mark.parametrize("schedule", list(DECAYS))
@settings(deadline=None, max_examples=10)
@given(max_epochs=st.integers(1, 6), batch_size=st.integers(2, 12))
def test_a_decay_falls_from_the_initial_learning_rate_to_zero_at_each_step(
    schedule, max_epochs, batch_size
):
    rates = column(
        train(schedule=schedule, max_epochs=max_epochs, batch_size=batch_size)[1], "learning_rate"
    )
    per_epoch = math.ceil(12 / batch_size) - (batch_size == 11)
    # The learning rate of the last step of each epoch is recorded.
    last_steps = np.arange(1, max_epochs + 1) * per_epoch - 1
    expected = 0.05 * DECAYS[schedule](last_steps / (max_epochs * per_epoch))
    np.testing.assert_allclose(rates, expected)


class Rates(Callback):
    """Record the learning rates of each step, one per group of weights."""

    def __init__(self):
        self.seen = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.seen.append([group["lr"] for group in net.optimizer_.param_groups])


@pytest.mark.parametrize("schedule", list(DECAYS))
def test_the_first_step_has_the_full_rate_and_validation_steps_do_not_count(schedule, monkeypatch):
    rates = Rates()
    make_callbacks = _trainer._make_callbacks
    monkeypatch.setattr(_trainer, "_make_callbacks", lambda *args: [*make_callbacks(*args), rates])
    train(valid=VALID, schedule=schedule, max_epochs=2)
    expected = 0.05 * DECAYS[schedule](np.arange(6) / 6)
    np.testing.assert_allclose(np.ravel(rates.seen), expected)


@pytest.mark.parametrize("schedule", ["constant", *DECAYS])
def test_parameter_groups_keep_their_fraction_of_the_rate(schedule):
    net, history = train(schedule=schedule, solver="muon", max_epochs=2)
    filters, others = net.optimizer_.param_groups
    assert others["lr"] == pytest.approx(0.05 * filters["lr"])
    assert filters["lr"] == history[-1]["learning_rate"]
    set_learning_rate(net, 0.4)
    assert (filters["lr"], others["lr"]) == (0.4, pytest.approx(0.02))


def test_an_optimizer_with_one_group_has_the_full_rate():
    net, _ = train(max_epochs=1)
    set_learning_rate(net, 0.4)
    assert [group["lr"] for group in net.optimizer_.param_groups] == [0.4]


def test_the_duration_of_each_epoch_is_measured():
    assert all(0 < seconds < 60 for seconds in column(train()[1], "seconds"))


@pytest.mark.parametrize("learning_rate_init", [0.01, 0.2, 0.5])
@pytest.mark.parametrize("tol", [1e-3, 0.01, 0.5])
def test_training_stops_when_the_loss_has_not_fallen_by_tol_for_n_iter_no_change_epochs(
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


def test_a_constant_loss_is_no_improvement_even_if_tol_is_zero():
    history = train(learning_rate_init=1e-30, batch_size=12, n_iter_no_change=3)[1]
    assert len(set(column(history, "train_loss"))) == 1
    assert len(history) == 4


def test_a_constant_score_is_no_improvement_even_if_tol_is_zero():
    history = train(learning_rate_init=1e-30, valid=VALID, early_stopping=True, n_iter_no_change=3)[
        1
    ]
    assert len(history) == 4


@pytest.mark.parametrize("n_wrong", [1, 3, 4])
def test_early_stopping_restores_the_weights_of_the_best_epoch(n_wrong):
    net, history = train(valid=make_valid(n_wrong), early_stopping=True, max_epochs=40)
    scores, losses = column(history, "validation_accuracy"), column(history, "validation_loss")
    # Among epochs with equal scores, the one with the lowest loss.
    best = max(range(40), key=lambda epoch: (scores[epoch], -losses[epoch]))
    assert best < 39, "there is nothing to bring back"
    expected, _ = train(max_epochs=best + 1)
    assert torch.equal(weights_of(net), weights_of(expected))


def test_early_stopping_stops_when_the_score_has_not_risen_for_n_iter_no_change_epochs():
    net, history = train(
        valid=VALID, early_stopping=True, max_epochs=200, n_iter_no_change=4, tol=1e-4
    )
    scores = column(history, "validation_accuracy")
    assert len(scores) < 200
    assert n_epochs_without_improvement(scores, lambda s, before: s > max(before) + 1e-4) == 4
    assert net.callbacks_ == []


def test_validation_images_without_early_stopping_do_not_stop_training():
    plain, with_images = train()[0], train(valid=VALID)[0]
    assert torch.equal(weights_of(plain), weights_of(with_images))


# Averaged weights


class States(Callback):
    """Record weights and statistics after each step."""

    def __init__(self):
        self.seen = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            state = net.module_.state_dict()
            self.seen.append({name: value.clone() for name, value in state.items()})


@pytest.fixture
def states(monkeypatch):
    """The weights after each step, recorded before any other callback is called."""
    states = States()
    make_callbacks = _trainer._make_callbacks
    monkeypatch.setattr(_trainer, "_make_callbacks", lambda *args: [states, *make_callbacks(*args)])
    return states


def make_normalized():
    """A network with running statistics, including a count."""
    return ImageNetwork(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 2)))


@pytest.mark.parametrize("valid", [None, VALID])
@pytest.mark.parametrize(("share", "n_averaged"), [(1.0, 12), (0.5, 6), (0.3, 4), (1e-9, 1)])
def test_averaged_weights_are_the_mean_over_the_last_steps(states, share, n_averaged, valid):
    net, _ = train(valid, make_normalized, max_epochs=4, weight_averaging=share)
    assert len(states.seen) == 12
    last = states.seen[-n_averaged:]
    for name, found in net.module_.state_dict().items():
        if found.is_floating_point():
            expected = torch.stack([state[name].double() for state in last]).mean(dim=0)
            torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)
        else:
            assert torch.equal(found, last[-1][name])
    is_last = torch.equal(net.module_.body[2].weight, last[-1]["body.2.weight"])
    assert is_last == (n_averaged == 1)


def test_averaging_does_not_change_the_steps(states):
    train(max_epochs=4, schedule="linear", weight_averaging=0.5)
    averaged, states.seen = states.seen, []
    train(max_epochs=4, schedule="linear")
    for one, other in zip(averaged, states.seen, strict=True):
        assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_run_that_stops_before_averaging_begins_keeps_its_last_weights():
    stopping = {"n_iter_no_change": 2, "tol": 100.0}
    net, history = train(weight_averaging=0.5, **stopping)
    plain, _ = train(**stopping)
    assert len(history) == 3
    assert torch.equal(weights_of(net), weights_of(plain))


def test_a_run_that_stops_during_averaging_has_the_mean_so_far(states):
    net, history = train(weight_averaging=0.9, n_iter_no_change=4, tol=100.0)
    assert len(history) == 5
    # The first 3 of 36 steps are not averaged; training stops after 15.
    assert len(states.seen) == 15
    for name, found in net.module_.state_dict().items():
        expected = torch.stack([state[name].double() for state in states.seen[3:]]).mean(dim=0)
        torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)


def test_the_best_epoch_takes_precedence_over_the_mean():
    stopping = {"valid": VALID, "early_stopping": True, "max_epochs": 20}
    averaged, plain = train(weight_averaging=1.0, **stopping)[0], train(**stopping)[0]
    assert torch.equal(weights_of(averaged), weights_of(plain))


def test_a_loss_of_nan_ends_training_with_advice():
    says = (
        r"loss became (nan|inf) in epoch 1\. Lower learning_rate_init \(got 1e\+38\).*standardize"
    )
    with pytest.raises(ValueError, match=says):
        train(learning_rate_init=1e38)


def test_a_bar_shows_epochs_loss_and_validation_score():
    with redirect_stderr(io.StringIO()) as err:
        _, history = train(progress=True, valid=VALID, max_epochs=3)
    last = err.getvalue().split("\r")[-1]
    assert "epoch 3/3: 100%" in last
    loss, score = history[-1]["train_loss"], history[-1]["validation_accuracy"]
    assert f"loss {loss:.4f}, validation {score:.4f}" in last


def test_a_bar_without_validation_images_shows_the_loss():
    with redirect_stderr(io.StringIO()) as err:
        train(progress=True, max_epochs=1)
    assert re.search(r"loss \d\.\d{4} \[", err.getvalue())
    assert "validation" not in err.getvalue()


def test_the_bar_stays_as_it_is_when_training_ends_early():
    with redirect_stderr(io.StringIO()) as err, pytest.raises(ValueError, match="loss became"):
        train(learning_rate_init=1e38, progress=True)
    assert "epoch 1/12" in err.getvalue()
    assert err.getvalue().endswith("\n")


def test_without_a_bar_nothing_is_printed():
    with redirect_stderr(io.StringIO()) as err:
        train(valid=VALID)
    assert err.getvalue() == ""
