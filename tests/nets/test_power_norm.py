"""Normalization of features."""

import torch

from skimgcls.nets import PowerNorm


def test_rows_have_mean_square_one():
    features = torch.randn(5, 7) * torch.arange(1.0, 6)[:, None]
    torch.testing.assert_close(
        PowerNorm([7])(features).square().mean(dim=1), torch.ones(5), rtol=0, atol=1e-4
    )


def test_values_are_signed_square_roots():
    found = PowerNorm([3])(torch.tensor([[4.0, -1.0, 0.0]]))
    torch.testing.assert_close(found[0] / found[0, 0], torch.tensor([1, -0.5, 0]))


def test_zeros_have_finite_gradients():
    features = torch.zeros(2, 3, requires_grad=True)
    PowerNorm([3])(features).sum().backward()
    assert features.grad.isfinite().all()


def test_groups_are_scaled_on_their_own():
    features = torch.rand(4, 5) * torch.tensor([1.0, 1, 100, 100, 100])
    found = PowerNorm([2, 3])(features)
    torch.testing.assert_close(found[:, :2], PowerNorm([2])(features[:, :2]))
    torch.testing.assert_close(found[:, 2:], PowerNorm([3])(features[:, 2:]))
