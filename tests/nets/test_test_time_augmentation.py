"""Test-time augmentation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skimgcls import nets

sides = st.integers(1, 5)


class Recorder(nn.Module):
    """A nonlinear network that records its batches."""

    def __init__(self, n_values):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weights = torch.randn(n_values, 3, generator=generator, dtype=torch.float64)
        self.seen = []

    def forward(self, batch):
        self.seen.append(batch)
        return (batch.flatten(1) @ self.weights).tanh()


def make_batch(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def by_hand(net, batch, shift, mirror):
    """Return the weighted mean of the logits, with weight 1/2 for the image itself."""
    height, width = batch.shape[2:]
    padded = np.pad(batch.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    views = {(1, 1): 0.5, (0, 0): 0.25, (2, 2): 0.25} if shift else {(1, 1): 1.0}
    total = 0
    for (top, left), share in views.items():
        view = padded[:, :, top : top + height, left : left + width]
        both = [view, view[..., ::-1]] if mirror else [view]
        total += sum(share / len(both) * net(torch.from_numpy(each.copy())) for each in both)
    return total


@settings(deadline=None, max_examples=50)
@given(height=sides, width=sides, channels=sides, shift=st.booleans(), mirror=st.booleans())
def test_evaluation_averages_the_logits_of_all_views(height, width, channels, shift, mirror):
    net = Recorder(height * width * channels)
    batch = make_batch(4, channels, height, width)
    found = nets.TestTimeAugmentation(shift, mirror).average(net, batch)
    torch.testing.assert_close(found, by_hand(net, batch, shift, mirror))


@pytest.mark.parametrize(("shift", "mirror"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_each_view_is_evaluated_once(shift, mirror):
    net = Recorder(16)
    views = nets.TestTimeAugmentation(bool(shift), bool(mirror))
    views.average(net, make_batch(4, 1, 4, 4))
    assert len(net.seen) == (1 + 2 * shift) * (1 + mirror)
    assert len({each.numpy().tobytes() for each in net.seen}) == len(net.seen)


def test_training_uses_the_unchanged_batch():
    net = Recorder(12)
    batch = make_batch(4, 1, 3, 4)
    network = nets.ImageNetwork(net)
    network.views = nets.TestTimeAugmentation(shift=True, mirror=True)
    logits = network(batch)
    assert len(net.seen) == 1
    assert net.seen[0] is batch
    assert torch.equal(logits, net(batch))
    network.eval()(batch)
    assert len(net.seen) == 2 + 6


def test_logits_of_an_invariant_network_do_not_change():
    class Sum(nn.Module):
        def forward(self, batch):
            return batch.sum(dim=(2, 3))

    batch = make_batch(4, 3, 4, 4)
    views = nets.TestTimeAugmentation(shift=False, mirror=True)
    torch.testing.assert_close(views.average(Sum(), batch), Sum()(batch))
    plain = torch.full((4, 3, 4, 4), 0.5)
    views = nets.TestTimeAugmentation(shift=True, mirror=True)
    torch.testing.assert_close(views.average(Sum(), plain), Sum()(plain))
