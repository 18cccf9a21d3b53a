"""Batch normalization of torch with sample weights."""

import pytest
import torch
from torch import nn

from skimgcls.nets import BatchNorm2d, sample_weights_in, with_weights


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def make_norm():
    """A layer with a batch count and with non-default scale and bias."""
    norm = BatchNorm2d(3).double()
    norm.num_batches_tracked.fill_(100)
    with torch.no_grad():
        norm.weight.copy_(torch.arange(3) + 0.5)
        norm.bias.copy_(torch.arange(3) - 0.5)
    return norm


def test_values_equal_those_of_torch():
    norm, reference = make_norm(), nn.BatchNorm2d(3).double()
    reference.load_state_dict(norm.state_dict())
    batch = 3 * random(5, 3, 4, 2) + 1
    torch.testing.assert_close(norm(batch), reference(batch))
    torch.testing.assert_close(norm.running_mean, reference.running_mean)
    # The running variance is that of a population: it divides by 40, not by 39.
    spread = (reference.running_var - 0.9) * (39 / 40) + 0.9
    torch.testing.assert_close(norm.running_var, spread)
    for one in (norm, reference):
        one.eval()
    reference.running_var.copy_(norm.running_var)
    torch.testing.assert_close(norm(batch), reference(batch))


def test_weights_are_equivalent_to_repeated_images():
    batch, times = random(4, 3, 2, 2), torch.tensor([2, 0, 1, 3])
    weighted, repeated = make_norm(), make_norm()
    with sample_weights_in(weighted, times.double()):
        values = weighted(batch)
    expected = repeated(batch.repeat_interleave(times, 0))
    torch.testing.assert_close(values.repeat_interleave(times, 0), expected)
    torch.testing.assert_close(weighted.running_mean, repeated.running_mean)
    torch.testing.assert_close(weighted.running_var, repeated.running_var)


def test_running_statistics_start_as_the_mean_of_all_batches():
    norm, batches = BatchNorm2d(3, momentum=0.01).double(), random(4, 5, 3, 2, 2)
    means = [batch.mean(dim=(0, 2, 3)) for batch in batches]
    for n, batch in enumerate(batches, start=1):
        norm(batch)
        torch.testing.assert_close(norm.running_mean, sum(means[:n]) / n)


def test_batch_with_zero_weights_does_not_change_the_state():
    norm, before = BatchNorm2d(3).double(), BatchNorm2d(3).double().state_dict()
    with sample_weights_in(norm, torch.zeros(4)):
        assert norm(random(4, 3, 2, 2)).isfinite().all()
    for key, value in norm.state_dict().items():
        torch.testing.assert_close(value, before[key])


def test_single_value_per_channel_gives_finite_output():
    assert make_norm()(random(1, 3, 1, 1)).isfinite().all()


@pytest.mark.parametrize("options", [{"track_running_stats": False}, {"momentum": None}])
def test_other_options_use_the_implementation_of_torch(options):
    norm, reference = BatchNorm2d(3, **options).double(), nn.BatchNorm2d(3, **options).double()
    batch = random(5, 3, 4, 2)
    for _ in range(2):
        torch.testing.assert_close(norm(batch), reference(batch))


def test_with_weights_replaces_batch_norm_and_keeps_names():
    net = with_weights(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Sequential(nn.BatchNorm2d(3))))
    assert type(net[1][0]) is BatchNorm2d
    assert list(net.state_dict())[2:] == [f"1.0.{name}" for name in nn.BatchNorm2d(3).state_dict()]


def test_with_weights_keeps_subclasses_of_batch_norm():
    class Activated(nn.BatchNorm2d):
        pass

    assert type(with_weights(nn.Sequential(Activated(3)))[0]) is Activated
