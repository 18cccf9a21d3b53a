"""Training with skorch."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skorch.callbacks import Callback
from torch import nn

from skimgcls._augmentation._flip_translate import FlipTranslate
from skimgcls._images._lazy_images import LazyImages
from skimgcls._training import _trainer
from skimgcls._training._batches import BatchFormat, TrainingImages
from skimgcls._training._config import TrainingConfig
from skimgcls._training._inference import predict_logits
from skimgcls._training._loss import make_loss
from skimgcls._training._trainer import make_net, train_net
from skimgcls.nets import CNN, MLP, BatchNorm, ImageNetwork, ResNet, Standardize, WeightedLoss
from skimgcls.utils._random import seeded
from skimgcls.utils._state_dict import dump_net, restore_net
from skimgcls.utils._target_encoder import TargetEncoder

few = settings(deadline=None, max_examples=50)
CPU = torch.device("cpu")
FORMAT = BatchFormat(CPU, torch.float32)
PLAN = TrainingConfig(
    max_epochs=3,
    batch_size=8,
    learning_rate_init=0.01,
    schedule="constant",
    weight_decay=0.0,
    tol=0.0,
    n_iter_no_change=100,
    early_stopping=False,
)


def make_images(n=20, weights=None):
    """uint8 images; the brighter half is class 1."""
    targets = np.arange(n) % 2
    images = np.random.RandomState(0).randint(0, 9, size=(n, 3, 4, 1)).astype(np.uint8)
    images[targets == 1] += 9
    return TrainingImages.from_arrays(LazyImages(images), targets, weights)


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


def test_the_history_has_every_metric_of_every_epoch():
    history = train(make_mlp(), make_images(), valid=make_images(6))
    assert len(history) == 3
    assert all(math.isfinite(figure) for epoch in history for figure in epoch.values())
    names = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
    assert list(history[0]) == [*names, "learning_rate", "seconds"]
    alone = train(make_mlp(), make_images())
    assert math.isnan(alone[0]["validation_loss"])
    assert [epoch["train_loss"] for epoch in alone] == [epoch["train_loss"] for epoch in history]


@pytest.mark.parametrize("batch_size", [4, 7, 64])
def test_validation_metrics_are_those_of_all_images_together(batch_size):
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


def test_training_metrics_of_fixed_weights_do_not_depend_on_the_batches():
    still = [
        train(make_mlp(plan=plan), make_images(150), plan)[0]
        for plan in (
            replace(PLAN, learning_rate_init=1e-30, batch_size=size) for size in (2, 64, 200)
        )
    ]
    for figures in still:
        assert figures["train_loss"] == pytest.approx(still[0]["train_loss"])
        assert figures["train_accuracy"] == still[0]["train_accuracy"]


def test_an_indicator_row_is_correct_if_all_its_labels_are():
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


def test_the_network_learns_and_keeps_no_data():
    net = make_mlp()
    images = make_images()
    plan = replace(PLAN, max_epochs=100)
    assert train(net, images, plan)[-1]["train_accuracy"] == 1
    assert not net.module_.training
    predicted = predict_logits(net.module_, images.images, FORMAT).argmax(axis=1)
    np.testing.assert_array_equal(predicted, images.targets)
    assert all(weights.grad is None for weights in net.module_.parameters())
    assert not any(isinstance(value, TrainingImages) for value in vars(net).values())


def test_weight_decay_is_decoupled_from_the_gradient():
    plain = replace(PLAN, max_epochs=1, batch_size=20)
    decayed = replace(plain, weight_decay=3.0)
    before = weights_of(make_mlp())
    nets = [make_mlp(plan=plain), make_mlp(plan=decayed)]
    for net, plan in zip(nets, (plain, decayed), strict=True):
        train(net, make_images(20), plan)
    # After one step the weights differ by learning rate times weight decay, 0.01 * 3.
    torch.testing.assert_close(weights_of(nets[0]) - weights_of(nets[1]), 0.03 * before)


def test_training_works_inside_no_grad():
    net = make_mlp()
    before = weights_of(net)
    with torch.no_grad():
        train(net, make_images())
        assert not torch.is_grad_enabled()
    assert not torch.equal(weights_of(net), before)


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("autocast", [True, False])
@pytest.mark.parametrize("solver", ["adamw", "muon"])
def test_a_restored_network_continues_training_bit_for_bit(solver, autocast, channels_last):
    batch_format = BatchFormat(CPU, torch.float32, channels_last, autocast)
    plan = replace(PLAN, solver=solver)
    with seeded(0):
        net, other = (
            make_net(CNN((3, 4, 1), 2, conv_channels=(4, 4)), batch_format, plan) for _ in range(2)
        )
    before = weights_of(net)
    train(net, make_images(), plan)
    assert not torch.equal(weights_of(net), before)
    restore_net(other, dump_net(net))
    assert torch.equal(weights_of(other), weights_of(net))
    for each in (net, other):
        train(each, make_images(), plan, seed=1)
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
def test_class_weights_become_image_weights_with_mean_one(codes, class_weight, data):
    encoder = TargetEncoder.learn(np.arange(3))
    weights = data.draw(st.none() | st.lists(st.floats(0.1, 9), min_size=12, max_size=12))
    weights = None if weights is None else np.array(weights[: len(codes)])
    images = TrainingImages.from_arrays(LazyImages(np.zeros((len(codes), 1, 1, 1))), codes, weights)
    _, weighed = make_loss(encoder, class_weight, images)
    if class_weight is None and weights is None:
        assert weighed is images
        return
    by_class = encoder.class_weights(class_weight, codes, weights)
    expected = (1 if weights is None else weights) * (1 if by_class is None else by_class[codes])
    if np.ptp(expected) == 0:
        assert weighed.row_weights is None
    else:
        np.testing.assert_allclose(weighed.row_weights, expected / expected.mean())


def test_multilabel_class_weights_are_applied_in_the_loss():
    encoder = TargetEncoder.learn([[0, 1], [1, 1], [0, 1], [0, 0]])
    targets = encoder.encode([[0, 1], [1, 1], [0, 1], [0, 0]])
    images = TrainingImages.from_arrays(LazyImages(np.zeros((4, 1, 1, 1))), targets)
    loss, weighed = make_loss(encoder, "balanced", images)
    assert loss.multilabel
    assert loss.positive_weight.tolist() == pytest.approx([3, 1 / 3])
    assert weighed is images


@pytest.mark.parametrize("multilabel", [False, True])
def test_labels_are_smoothed_as_configured(multilabel):
    y = np.eye(2, dtype=int)[[0, 1, 1]] if multilabel else np.array([0, 1, 1])
    encoder = TargetEncoder.learn(y)
    images = TrainingImages.from_arrays(LazyImages(np.zeros((3, 1, 1, 1))), encoder.encode(y))
    assert make_loss(encoder, None, images)[0].label_smoothing == 0
    loss, _ = make_loss(encoder, "balanced", images, label_smoothing=0.3)
    assert loss.label_smoothing == 0.3
    assert loss.multilabel == multilabel


# Views, weights in the network, solvers and precision


class Seeing(nn.Module):
    """A linear network that records its batches in training and in evaluation."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 2)
        self.seen = {True: [], False: []}

    def forward(self, batch):
        self.seen[self.training].append(batch.detach().clone())
        return self.linear(batch.flatten(1))


def test_views_are_configured_and_used_only_in_training():
    images, valid = make_images(20), make_images(6)
    plan = replace(PLAN, views=FlipTranslate(mirror=True, translation=0), batch_size=64)
    with seeded(0):
        net = make_net(ImageNetwork(Seeing()), FORMAT, plan)
    train(net, images, plan, valid)
    train(net, images, replace(plan, views=None))
    pixels, pixels_valid = map(FORMAT.to_batch, (images.images.source, valid.images.source))
    seen = net.module_.body.seen
    assert len(seen[True]) == 6
    for first, second in zip(seen[True][:2], seen[True][1:3], strict=True):
        # Images mirrored in one epoch are not mirrored in the next.
        assert torch.equal(second, first.flip(3))
        assert not torch.equal(first, pixels)
    assert all(torch.equal(batch, pixels) for batch in seen[True][3:])
    assert all(torch.equal(batch, pixels_valid) for batch in seen[False])
    assert len(seen[False]) == 3


def test_sample_weights_are_used_by_batch_normalization():
    times = np.arange(12) % 3
    weighted = make_images(12, weights=times.astype(float))
    repeated = make_images(12).part(np.repeat(np.arange(12), times))
    results = []
    for images in (weighted, repeated):
        double = BatchFormat(CPU, torch.float64)
        plan = replace(PLAN, batch_size=64)
        with seeded(0):
            filters = [nn.Conv2d(1, 3, 2), BatchNorm(3), nn.Tanh()]
            module = nn.Sequential(*filters, nn.Flatten(), nn.Linear(18, 2))
            net = make_net(ImageNetwork(module), double, plan)
        train(net, images.normalized(), plan)
        assert net.module_.body[1].weights is None
        results.append(net.module_.state_dict())
    for name, value in results[0].items():
        torch.testing.assert_close(value, results[1][name], msg=name)


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("solver", ["adamw", "muon"])
def test_each_solver_learns_separable_classes(solver, autocast):
    plan = replace(PLAN, solver=solver, max_epochs=60, learning_rate_init=0.05, schedule="linear")
    batch_format = BatchFormat(CPU, torch.float32, autocast=autocast)
    with seeded(0):
        net = make_net(CNN((3, 4, 1), 2, conv_channels=(4, 4)), batch_format, plan)
    assert type(net.optimizer_).__name__.lower() == solver
    assert getattr(net.optimizer_, "autocast", autocast) == autocast
    images = make_images()
    history = train(net, images, plan)
    assert history[-1]["train_accuracy"] == 1
    predicted = predict_logits(net.module_, images.images, batch_format).argmax(axis=1)
    np.testing.assert_array_equal(predicted, images.targets)


def test_bfloat16_is_used_only_inside_the_network():
    net, exact = make_mlp(BatchFormat(CPU, torch.float32, autocast=True)), make_mlp()
    batch = FORMAT.to_batch(make_images().images.source)
    logits = net.infer(batch)
    assert logits.dtype is torch.float32
    torch.testing.assert_close(logits, exact.infer(batch), rtol=0.05, atol=0.05)
    # The logits are bfloat16 values.
    assert torch.equal(logits, logits.bfloat16().float())
    assert not torch.equal(logits, exact.infer(batch))
    history = train(net, make_images(), valid=make_images())
    assert all(math.isfinite(figure) for epoch in history for figure in epoch.values())
    assert all(weights.dtype is torch.float32 for weights in net.module_.parameters())
    assert not torch.is_autocast_enabled("cpu")


# The module for predictions


def make_rounding(module=None):
    """Return a network that computes in bfloat16, and its batch format."""
    batch_format = BatchFormat(CPU, torch.float32, autocast=True)
    with seeded(0):
        module = ResNet((3, 4, 1), 2, widths=(4, 8)) if module is None else module
        module.standardize = Standardize(torch.ones(1), torch.full((1,), 5.0))
        return make_net(module, batch_format, PLAN), batch_format


def learn_whitening(net):
    """Compute the first layer of a residual network, which is zero initially."""
    net.module_.learn_whitening(FORMAT.to_batch(make_images().images.source))


def copied_in(net):
    """Return a copy of each tensor of the module for predictions."""
    return {name: tensor.clone() for name, tensor in net.evaluation_module().state_dict().items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_without_rounding_the_module_itself_predicts(dtype):
    net = make_mlp(BatchFormat(CPU, dtype))
    assert net.evaluation_module() is net.module_
    train(net, make_images())
    assert net.evaluation_module() is net.module_


def test_with_rounding_a_copy_with_rounded_filters_predicts():
    net, _ = make_rounding()
    before = {name: tensor.clone() for name, tensor in net.module_.state_dict().items()}
    module = net.evaluation_module()
    assert module is not net.module_
    assert not module.training
    rounded = {name for name, tensor in before.items() if tensor.ndim in (2, 4)}
    found = module.state_dict()
    assert {name for name, value in found.items() if value.dtype is torch.bfloat16} == rounded
    for name, value in net.module_.state_dict().items():
        assert value.dtype is torch.float32
        assert torch.equal(value, before[name])
        assert torch.equal(found[name], value.to(found[name].dtype))


@pytest.mark.parametrize("name", ["resnet", "cnn", "mlp"])
def test_rounding_weights_in_advance_does_not_change_predictions(name):
    with seeded(0):
        module = {
            "resnet": ResNet((3, 4, 1), 2, widths=(4, 8)),
            "cnn": CNN((3, 4, 1), 2, conv_channels=(4, 4)),
            "mlp": MLP((3, 4, 1), 2, hidden_layer_sizes=(4,)),
        }[name]
    net, batch_format = make_rounding(module)
    images = make_images(40).images
    if name == "resnet":
        learn_whitening(net)
    for _ in range(2):
        expected = predict_logits(net.module_, images, batch_format)
        found = predict_logits(net.evaluation_module(), images, batch_format)
        np.testing.assert_array_equal(found, expected)
        assert found.any()
        train(net, make_images())


def test_the_copy_is_made_once_for_fixed_weights():
    net, batch_format = make_rounding()
    module = net.evaluation_module()
    predict_logits(module, make_images().images, batch_format)
    assert net.evaluation_module() is module
    with torch.inference_mode():
        assert net.evaluation_module() is module


def scale_weights(net):
    with torch.no_grad():
        net.module_.head.weight.mul_(2)


def load_other_weights(net):
    state = net.module_.state_dict()
    net.module_.load_state_dict({name: value + 1 for name, value in state.items()})


def move_statistics(net):
    net.module_.body.stages[0].norms[0].mean.add_(1)


def replace_weights(net):
    net.module_.head.weight.data = net.module_.head.weight.data + 1


def train_on(net):
    train(net, make_images())


def restore(net):
    other, _ = make_rounding()
    learn_whitening(other)
    train(other, make_images())
    restore_net(net, dump_net(other))


@pytest.mark.parametrize(
    "change",
    [
        scale_weights,
        load_other_weights,
        move_statistics,
        replace_weights,
        learn_whitening,
        train_on,
        restore,
    ],
)
def test_the_copy_is_made_again_when_weights_have_changed(change):
    net, batch_format = make_rounding()
    before = copied_in(net)
    change(net)
    after = copied_in(net)
    assert not all(torch.equal(after[name], value) for name, value in before.items())
    for name, value in net.module_.state_dict().items():
        assert torch.equal(after[name], value.to(after[name].dtype))
    images = make_images().images
    np.testing.assert_array_equal(
        predict_logits(net.evaluation_module(), images, batch_format),
        predict_logits(net.module_, images, batch_format),
    )


def test_a_custom_layer_is_not_rounded():
    class Halved(nn.Linear):
        """A subclass of a layer, which autocast does not convert."""

        def forward(self, batch):
            return batch @ (self.weight.T.double() / 2).float() + self.bias

    with seeded(0):
        module = nn.Sequential(nn.Flatten(), Halved(12, 3), nn.Linear(3, 2))
    net, batch_format = make_rounding(ImageNetwork(module))
    copy = net.evaluation_module()
    assert copy.body[1].weight.dtype is torch.float32
    assert copy.body[2].weight.dtype is torch.bfloat16
    images = make_images().images
    np.testing.assert_array_equal(
        predict_logits(copy, images, batch_format),
        predict_logits(net.module_, images, batch_format),
    )


# Events and callbacks


class Listener(Callback):
    """Record the name of each event."""

    def __init__(self):
        self.heard = []

    def on_train_begin(self, net, **kwargs):
        self.heard.append("train begins")

    def on_batch_end(self, net, training=False, **kwargs):
        self.heard.append("step" if training else "validation")

    def on_epoch_end(self, net, **kwargs):
        self.heard.append("epoch")


def test_callbacks_are_called_in_order(monkeypatch):
    listener = Listener()
    make_callbacks = _trainer._make_callbacks
    monkeypatch.setattr(
        _trainer, "_make_callbacks", lambda *args: [listener, *make_callbacks(*args)]
    )
    net = make_mlp()
    plan = replace(PLAN, max_epochs=2, batch_size=10)
    train(net, make_images(20), plan, valid=make_images(6))
    assert listener.heard == ["train begins", *["step", "step", "validation", "epoch"] * 2]
    # The next run does not call the callbacks of this run.
    monkeypatch.undo()
    train(net, make_images(20), plan)
    assert len(listener.heard) == 9


def test_on_grad_computed_of_the_network_is_called_before_the_step():
    net = make_mlp(plan=replace(PLAN, max_epochs=1, batch_size=10))
    seen = []

    def note(net, named_parameters=None, batch=None, training=False, **kwargs):
        weights = dict(named_parameters)
        assert training
        assert all(each.grad is not None for each in weights.values())
        seen.append((len(batch[0]), weights_of(net)))

    net.on_grad_computed = note
    before = weights_of(net)
    train(net, make_images(20), replace(PLAN, max_epochs=1, batch_size=10))
    assert [size for size, _ in seen] == [10, 10]
    assert torch.equal(seen[0][1], before)
    assert not torch.equal(seen[1][1], before)
