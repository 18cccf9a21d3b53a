"""The training engine: the net that skorch trains."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skimgcls._batches import BatchFormat, TrainingImages, predict_logits
from skimgcls._rng import seeded
from skimgcls._targets import TargetEncoder
from skimgcls._training import TrainingPlan, dump_net, make_loss, make_net, restore_net, train_net
from skimgcls.nets import CNN, MLP, WeightedLoss

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
        train(make_mlp(plan=plan), make_images(150), plan)[0]
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
    assert not net.module_.training
    predicted = predict_logits(net.module_, images.images, FORMAT).argmax(axis=1)
    np.testing.assert_array_equal(predicted, images.targets)
    assert all(weights.grad is None for weights in net.module_.parameters())
    assert not any(isinstance(value, TrainingImages) for value in vars(net).values())


def test_weight_decay_is_decoupled_from_the_gradient():
    plain = TrainingPlan(**{**vars(PLAN), "max_epochs": 1, "batch_size": 20})
    decayed = TrainingPlan(**{**vars(plain), "weight_decay": 3.0})
    before = weights_of(make_mlp())
    nets = [make_mlp(plan=plain), make_mlp(plan=decayed)]
    for net, plan in zip(nets, (plain, decayed), strict=True):
        train(net, make_images(20), plan)
    # One step of each: the learning rate of 0.01 times 3 of the weights is what they differ by.
    torch.testing.assert_close(weights_of(nets[0]) - weights_of(nets[1]), 0.03 * before)


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
        with seeded(0):
            net, other = (
                make_net(CNN((3, 4, 1), 2, conv_channels=(4, 4)), batch_format, PLAN)
                for _ in range(2)
            )
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
@given(
    codes=st.lists(st.integers(0, 2), max_size=9).map(lambda codes: np.array([0, 1, 2, *codes])),
    class_weight=st.sampled_from([None, "balanced", {0: 3.0}, {1: 0.5, 2: 4.0}]),
    data=st.data(),
)
def test_class_weights_are_weights_of_the_images_and_their_mean_is_one(codes, class_weight, data):
    encoder = TargetEncoder.learn(np.arange(3))
    weights = data.draw(st.none() | st.lists(st.floats(0.1, 9), min_size=12, max_size=12))
    weights = None if weights is None else np.array(weights[: len(codes)])
    images = TrainingImages.from_arrays(np.zeros((len(codes), 1, 1, 1)), codes, weights)
    _, weighed = make_loss(encoder, class_weight, images)
    if class_weight is None and weights is None:
        assert weighed is images
        return
    by_class = encoder.class_weights(class_weight, codes, weights)
    expected = (1 if weights is None else weights) * (1 if by_class is None else by_class[codes])
    np.testing.assert_allclose(
        weighed.row_weights, np.ones(len(codes)) * expected / expected.mean()
    )


def test_class_weights_of_several_labels_an_image_are_the_losses_own():
    encoder = TargetEncoder.learn([[0, 1], [1, 1], [0, 1], [0, 0]])
    targets = encoder.encode([[0, 1], [1, 1], [0, 1], [0, 0]])
    images = TrainingImages.from_arrays(np.zeros((4, 1, 1, 1)), targets)
    loss, weighed = make_loss(encoder, "balanced", images)
    assert loss.multilabel
    assert loss.positive_weight.tolist() == pytest.approx([3, 1 / 3])
    assert weighed is images
