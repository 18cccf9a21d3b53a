"""mixup and CutMix of images and targets."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from skimgcls._augmentation._mixup import MixDraw, apply_mix, draw_mix, mix_targets

few = settings(deadline=None, max_examples=60)
SHAPE = (12, 8, 3)
SWAP = torch.tensor([1, 0])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def draw_many(n_draws, *, mixup=0.0, cutmix=0.0, shape=SHAPE):
    generator = seeded()
    return [draw_mix(4, shape, mixup, cutmix, generator) for _ in range(n_draws)]


# Draws


def test_nothing_is_drawn_if_both_alphas_are_zero():
    assert draw_mix(4, SHAPE, 0, 0, seeded()) is None


def test_partners_are_a_permutation():
    draw = draw_mix(100, SHAPE, 1.0, 0, seeded())
    assert sorted(draw.partner.tolist()) == list(range(100))
    assert draw.partner.tolist() != list(range(100))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_fraction_of_mixup_follows_a_beta_distribution(alpha):
    shares = np.array([draw.share for draw in draw_many(2000, mixup=alpha)])
    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    assert shares.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


def test_mixup_and_cutmix_are_drawn_equally_often():
    draws = draw_many(2000, mixup=1.0, cutmix=1.0)
    assert np.mean([draw.box is None for draw in draws]) == pytest.approx(0.5, abs=0.04)
    assert all(draw.box is None for draw in draw_many(50, mixup=1.0))
    assert all(draw.box is not None for draw in draw_many(50, cutmix=1.0))


def test_fraction_of_cutmix_is_the_area_that_is_kept():
    for draw in draw_many(200, cutmix=1.0):
        top, bottom, left, right = draw.box
        assert 0 <= top <= bottom <= 12
        assert 0 <= left <= right <= 8
        assert draw.share == 1 - (bottom - top) * (right - left) / 96


def test_boxes_of_cutmix_have_the_aspect_of_the_image_and_reach_its_corners():
    boxes = np.array([draw.box for draw in draw_many(2000, cutmix=1.0, shape=(64, 32, 3))])
    top, bottom, left, right = boxes.T
    whole = (top > 0) & (bottom < 64) & (left > 0) & (right < 32) & (right - left > 4)
    ratio = (bottom - top)[whole] / (right - left)[whole]
    assert whole.any()
    np.testing.assert_allclose(ratio, 2, atol=0.3)
    assert (top.min(), bottom.max(), left.min(), right.max()) == (0, 64, 0, 32)


def test_equal_seeds_draw_equal_values_and_leave_other_generators_unchanged():
    before = torch.get_rng_state()
    first, again = (draw_mix(9, SHAPE, 1.0, 1.0, seeded(3)) for _ in range(2))
    assert torch.equal(first.partner, again.partner)
    assert (first.share, first.box) == (again.share, again.box)
    assert torch.equal(before, torch.get_rng_state())


# Images


def test_mixup_is_a_weighted_mean_of_two_images():
    batch = torch.rand(3, 2, 4, 5, generator=seeded())
    found = apply_mix(batch, MixDraw(torch.tensor([2, 0, 1]), 0.7))
    torch.testing.assert_close(found[0], 0.7 * batch[0] + 0.3 * batch[2])


def test_cutmix_pastes_a_box_of_the_other_image():
    batch = torch.rand(2, 3, 6, 7, generator=seeded())
    found = apply_mix(batch, MixDraw(SWAP, 0.8, (1, 4, 2, 6)))
    expected = batch.clone()
    expected[:, :, 1:4, 2:6] = batch[SWAP][:, :, 1:4, 2:6]
    assert torch.equal(found, expected)


@given(
    n=st.integers(1, 9),
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    alphas=st.sampled_from([(0.2, 0.0), (0.0, 1.0), (0.001, 0.001), (100.0, 100.0)]),
    channels_last=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 2**32),
)
@few
def test_batch_keeps_shape_dtype_layout_and_range(n, shape, alphas, channels_last, dtype, seed):
    height, width, channels = shape
    batch = torch.rand(n, height, width, channels, generator=seeded(seed), dtype=dtype)
    batch = batch.permute(0, 3, 1, 2)
    batch = batch if channels_last else batch.contiguous()
    before = batch.clone()
    found = apply_mix(batch, draw_mix(n, shape, *alphas, seeded(seed)))
    assert torch.equal(batch, before)
    assert (found.shape, found.dtype, found.stride()) == (batch.shape, dtype, batch.stride())
    assert ((found >= 0) & (found <= 1)).all()


# Targets


def test_codes_become_fractions_of_two_classes():
    targets, weights = mix_targets(torch.tensor([0, 2]), None, MixDraw(SWAP, 0.7), 3)
    torch.testing.assert_close(targets, torch.tensor([[0.7, 0.0, 0.3], [0.3, 0.0, 0.7]]))
    assert weights is None


def test_two_images_of_one_class_keep_that_class():
    targets, _ = mix_targets(torch.tensor([1, 1]), None, MixDraw(SWAP, 0.7), 2)
    torch.testing.assert_close(targets, torch.tensor([[0.0, 1.0], [0.0, 1.0]]))


def test_indicators_are_mixed_per_label_and_keep_their_dtype():
    indicator = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]], dtype=torch.float64)
    targets, _ = mix_targets(indicator, None, MixDraw(SWAP, 0.75), 3)
    assert targets.tolist() == [[0.75, 1.0, 0.25], [0.25, 1.0, 0.75]]
    assert targets.dtype is torch.float64


def test_loss_is_the_weighted_sum_of_the_losses_of_both_targets():
    generator = seeded()
    logits = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    codes = torch.randint(4, (5,), generator=generator)
    weights = torch.rand(5, generator=generator, dtype=torch.float64)
    draws = MixDraw(torch.randperm(5, generator=generator), 0.3)
    own = weights * functional.cross_entropy(logits, codes, reduction="none")
    others = functional.cross_entropy(logits, codes[draws.partner], reduction="none")
    expected = 0.3 * own + 0.7 * weights[draws.partner] * others
    targets, mixed = mix_targets(codes, weights, draws, 4)
    found = mixed * functional.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(5, dtype=torch.float64))


def test_two_images_of_weight_zero_have_a_finite_target():
    targets, weights = mix_targets(torch.tensor([0, 1]), torch.zeros(2), MixDraw(SWAP, 0.75), 2)
    assert targets.tolist() == [[0.75, 0.25], [0.25, 0.75]]
    assert weights.tolist() == [0.0, 0.0]
