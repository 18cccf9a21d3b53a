"""The training engine: data in batches, the net skorch trains, and logits out of it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skimgcls._rng import seeded
from skimgcls._training import (
    Batches,
    BatchFormat,
    TrainingImages,
    TrainingPlan,
    dump_net,
    evaluation_batch_size,
    make_net,
    n_batches,
    predict_logits,
    restore_net,
    train_net,
)
from skimgcls.nets import MLP, WeightedLoss

few = settings(deadline=None, max_examples=50)
CPU = torch.device("cpu")
FORMAT = BatchFormat(CPU, torch.float32)
PLAN = TrainingPlan(
    max_epochs=3,
    batch_size=8,
    learning_rate_init=0.01,
    cosine=False,
    weight_decay=0.0,
    tol=0.0,
    n_iter_no_change=100,
    early_stopping=False,
)


def make_images(n=20, weights=None):
    """Bytes of which the brighter half is class 1."""
    targets = np.arange(n) % 2
    images = np.random.RandomState(0).randint(0, 9, size=(n, 3, 4, 1)).astype(np.uint8)
    images[targets == 1] += 9
    return TrainingImages.from_arrays(images, targets, weights)


def make_mlp(batch_format=FORMAT, plan=PLAN, dropout=0.0):
    with seeded(0):
        return make_net(
            MLP((3, 4, 1), 2, hidden_layer_sizes=(4,), dropout=dropout), batch_format, plan
        )


def train(net, images, plan=PLAN, valid=None, seed=0):
    with seeded(seed) as rng:
        return train_net(net, plan, WeightedLoss(), images, valid, rng)


def weights_of(net):
    return torch.cat([weights.detach().flatten() for weights in net.module_.parameters()])


@few
@given(
    n=st.integers(1, 40),
    batch_size=st.integers(1, 12),
    seed=st.none() | st.integers(0, 9),
    data=st.data(),
)
def test_each_row_is_in_one_batch_and_no_batch_is_a_single_image(n, batch_size, seed, data):
    rows = np.array(data.draw(st.permutations(range(n + 3))))[:n]
    numbers = np.arange(n + 3)
    images = TrainingImages(numbers.reshape(-1, 1, 1, 1), numbers, numbers.astype(float), rows)
    rng = None if seed is None else np.random.RandomState(seed)
    batches = list(Batches(images, batch_size, FORMAT, rng))
    assert len(batches) == n_batches(n, batch_size)
    if batch_size > 1 and n > 1:
        assert min(len(batch) for batch, _ in batches) > 1
    assert max(len(batch) for batch, _ in batches) <= batch_size + 1
    for batch, (targets, weights) in batches:
        assert batch.flatten().tolist() == targets.tolist() == weights.tolist()
    seen = torch.cat([targets for _, (targets, _) in batches]).tolist()
    assert sorted(seen) == sorted(rows)
    if seed is None or n <= batch_size:
        assert seen == rows.tolist()


def test_a_last_batch_of_one_image_joins_the_one_before():
    images = make_images(9)
    assert [len(batch) for batch, _ in Batches(images, 4, FORMAT)] == [4, 5]
    assert [len(batch) for batch, _ in Batches(images, 3, FORMAT)] == [3, 3, 3]
    assert [len(batch) for batch, _ in Batches(images.part(np.array([7])), 4, FORMAT)] == [1]


def test_each_pass_has_an_order_of_its_own():
    batches = Batches(make_images(20), 4, FORMAT, np.random.RandomState(0))
    first, second = (torch.cat([batch for batch, _ in batches]) for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int64, np.float16, np.float64])
@pytest.mark.parametrize("channels_last", [True, False])
def test_a_batch_is_channels_first_in_the_layout_asked_for(dtype, channels_last):
    images = np.arange(24).reshape(2, 2, 2, 3).astype(dtype)
    images.setflags(write=False)
    batch = BatchFormat(CPU, torch.float32, channels_last).to_batch(images)
    np.testing.assert_array_equal(batch, images.transpose(0, 3, 1, 2).astype(np.float32))
    assert batch.dtype is torch.float32
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert batch.is_contiguous(memory_format=layout)


def test_images_of_weight_zero_are_not_there():
    images = make_images(6, weights=np.array([1.0, 0, 2, 0, 0, 3]))
    assert len(images) == 3
    assert images.rows.tolist() == [0, 2, 5]
    assert images.row_weights.tolist() == [1, 2, 3]
    assert images.row_targets.tolist() == [0, 0, 1]


def test_a_part_keeps_its_weights_and_copies_no_image():
    images = make_images(6, weights=np.array([1.0, 0, 2, 0, 0, 3]))
    part = images.part(np.array([2, 0]))
    assert part.images is images.images
    assert part.row_weights.tolist() == [3, 1]
    assert part.reweighted(np.array([7.0, 8])).row_weights.tolist() == [7, 8]
    assert images.row_weights.tolist() == [1, 2, 3]


def test_the_history_has_every_figure_of_every_epoch():
    history = train(make_mlp(), make_images(), valid=make_images(6))
    assert len(history) == 3
    assert all(math.isfinite(figure) for epoch in history for figure in epoch.values())
    names = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
    assert list(history[0]) == [*names, "learning_rate", "seconds"]
    alone = train(make_mlp(), make_images())
    assert math.isnan(alone[0]["validation_loss"])
    assert [epoch["train_loss"] for epoch in alone] == [epoch["train_loss"] for epoch in history]


@pytest.mark.parametrize("batch_size", [4, 7, 64])
def test_validation_figures_are_those_of_all_images_together(batch_size):
    weights = np.linspace(0.5, 1.5, 11)
    valid = make_images(11, weights=weights)
    net = make_mlp()
    history = train(net, make_images(20), valid=valid)[-1]
    logits = torch.from_numpy(predict_logits(net.module_, valid.images, FORMAT))
    targets = torch.from_numpy(valid.targets)
    loss = WeightedLoss()(logits, targets, torch.from_numpy(weights))
    right = (logits.argmax(dim=1) == targets).numpy()
    assert history["validation_loss"] == pytest.approx(loss.item())
    assert history["validation_accuracy"] == pytest.approx(np.average(right, weights=weights))


def test_training_figures_do_not_depend_on_the_batches_while_the_weights_stand_still():
    still = [
        train(make_mlp(), make_images(150), plan)[0]
        for plan in (
            TrainingPlan(**{**vars(PLAN), "learning_rate_init": 1e-30, "batch_size": size})
            for size in (2, 64, 200)
        )
    ]
    for figures in still:
        assert figures["train_loss"] == pytest.approx(still[0]["train_loss"])
        assert figures["train_accuracy"] == still[0]["train_accuracy"]


def test_an_indicator_is_right_if_all_its_labels_are():
    images = make_images(8)
    several = TrainingImages.from_arrays(
        images.images, np.stack([images.targets, 1 - images.targets], axis=1).astype(np.float32)
    )
    net = make_mlp()
    with seeded(0) as rng:
        figures = train_net(net, PLAN, WeightedLoss(multilabel=True), several, several, rng)[-1]
    right = (predict_logits(net.module_, images.images, FORMAT) > 0) == several.targets
    assert figures["validation_accuracy"] == right.all(axis=1).mean()


def test_equal_seeds_train_equal_bits():
    for dropout in (0.0, 0.5):
        nets = [make_mlp(dropout=dropout) for _ in range(3)]
        for net, seed in zip(nets, (0, 0, 1), strict=True):
            train(net, make_images(), seed=seed)
        first, second, other = map(weights_of, nets)
        assert torch.equal(first, second)
        assert not torch.equal(first, other)


def test_the_net_learns_what_can_be_learned_and_keeps_no_data():
    net = make_mlp()
    images = make_images()
    plan = TrainingPlan(**{**vars(PLAN), "max_epochs": 100})
    assert train(net, images, plan)[-1]["train_accuracy"] == 1
    predicted = predict_logits(net.module_, images.images, FORMAT).argmax(axis=1)
    np.testing.assert_array_equal(predicted, images.targets)
    assert not net.module_.training
    assert all(weights.grad is None for weights in net.module_.parameters())
    assert not any(isinstance(value, TrainingImages) for value in vars(net).values())


def test_training_works_where_the_caller_has_turned_gradients_off():
    net = make_mlp()
    before = weights_of(net)
    with torch.no_grad():
        train(net, make_images())
        assert not torch.is_grad_enabled()
    assert not torch.equal(weights_of(net), before)


def test_a_restored_net_goes_on_as_if_nothing_had_happened():
    for channels_last in (True, False):
        batch_format = BatchFormat(CPU, torch.float32, channels_last)
        net, other = make_mlp(batch_format), make_mlp(batch_format)
        train(net, make_images())
        restore_net(other, dump_net(net))
        assert torch.equal(weights_of(other), weights_of(net))
        for each in (net, other):
            train(each, make_images(), seed=1)
        assert torch.equal(weights_of(other), weights_of(net))


def test_a_dump_is_a_copy():
    net = make_mlp()
    dumped = dump_net(net)
    before = {name: array.copy() for name, array in dumped["module"].items()}
    train(net, make_images())
    for name, array in dumped["module"].items():
        np.testing.assert_array_equal(array, before[name])


def test_float64_is_computed_in_float64():
    double = BatchFormat(CPU, torch.float64)
    net = make_mlp(double)
    train(net, make_images())
    assert predict_logits(net.module_, make_images().images, double).dtype == np.float64


@few
@given(side=st.integers(1, 3000))
def test_an_evaluation_batch_holds_as_many_images_as_the_cache_likes(side):
    size = evaluation_batch_size((10**6, side, side, 3))
    assert 1 <= size <= 1024
    assert size == 1 or size * side**2 <= 2**18


def test_logits_do_not_depend_on_the_batches_they_come_in():
    module = nn.Sequential(nn.Flatten(), nn.Linear(256, 3))
    images = np.random.RandomState(0).rand(1030, 16, 16, 1)
    logits = predict_logits(module, images, FORMAT)
    assert logits.shape == (1030, 3)
    pairs = [predict_logits(module, images[i : i + 2], FORMAT) for i in range(1020, 1030, 2)]
    np.testing.assert_allclose(np.concatenate(pairs), logits[1020:], atol=1e-6)
