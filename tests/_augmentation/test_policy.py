"""Random image operations: the draws, and their application to a batch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as reference

from skimgcls._augmentation import _policy as _augment
from skimgcls._augmentation._policy import AugmentationPolicy, Draws, apply_policy, draw_policy

few = settings(deadline=None, max_examples=60)
sides = st.integers(1, 9)
probabilities = st.sampled_from([0.0, 0.5, 1.0])
padding_modes = ["reflect", "edge", "constant"]
every_padding = pytest.mark.parametrize("padding_mode", padding_modes)
policies = st.builds(
    AugmentationPolicy,
    horizontal_flip=probabilities,
    vertical_flip=probabilities,
    rotation=st.sampled_from([0.0, 15.0, 180.0]),
    zoom=st.sampled_from([0.0, 0.1, 0.9]),
    shift=st.sampled_from([0.0, 0.1, 1.0]),
    shear=st.sampled_from([0.0, 10.0, 60.0]),
    crop_padding=st.sampled_from([0, 1, 12]),
    brightness=st.sampled_from([0.0, 0.2, 3.0]),
    contrast=st.sampled_from([0.0, 0.2, 3.0]),
    saturation=st.sampled_from([0.0, 0.2, 3.0]),
    erasing=probabilities,
    padding_mode=st.sampled_from(padding_modes),
)
ON = {
    "horizontal_flip": 0.5,
    "vertical_flip": 0.5,
    "rotation": 15.0,
    "zoom": 0.1,
    "shift": 0.1,
    "shear": 10.0,
    "brightness": 0.2,
    "contrast": 0.2,
    "saturation": 0.2,
    "erasing": 0.5,
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make_batch(*shape, dtype=torch.float32, channels_last=True, seed=0):
    """Pixels drawn uniformly from [0, 1]."""
    batch = torch.rand(shape, generator=seeded(seed), dtype=dtype)
    return batch.to(memory_format=torch.channels_last) if channels_last else batch


def draw(n=4000, shape=(20, 10, 3), seed=0, **policy):
    return draw_policy(AugmentationPolicy(**policy), n, shape, seeded(seed))


def apply(batch, black=None, white=None, padding_mode="reflect", **draws):
    """Apply draws to a batch with pixels in [0, 1] by default."""
    draws = {name: torch.as_tensor(drawn) for name, drawn in draws.items()}
    black = torch.zeros(batch.shape[1]) if black is None else black
    white = torch.ones(batch.shape[1]) if white is None else white
    policy = AugmentationPolicy(padding_mode=padding_mode)
    return apply_policy(batch, Draws(**draws), policy, black, white)


def assert_close(found, expected, tolerance):
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


# Draws


def test_the_default_policy_draws_nothing():
    assert set(vars(draw()).values()) == {None}


@pytest.mark.parametrize("operation", ON)
def test_each_operation_draws_only_its_own_values(operation):
    drawn = vars(draw(**{operation: ON[operation]}))
    assert {name for name, value in drawn.items() if value is not None} == {operation}


@pytest.mark.parametrize("flip", ["horizontal_flip", "vertical_flip"])
@pytest.mark.parametrize("probability", [0.25, 1.0])
def test_flips_occur_with_the_probability_of_the_policy(flip, probability):
    drawn = getattr(draw(**{flip: probability}), flip)
    assert drawn.double().mean().item() == pytest.approx(probability, abs=0.03)


@pytest.mark.parametrize(
    ("operation", "low", "high"),
    [
        ("rotation", -15, 15),
        ("shear", -10, 10),
        ("zoom", 0.9, 1.1),
        ("brightness", 0.8, 1.2),
        ("contrast", 0.8, 1.2),
        ("saturation", 0.8, 1.2),
    ],
)
def test_angles_and_factors_are_uniform_in_their_range(operation, low, high):
    drawn = getattr(draw(**{operation: ON[operation]}), operation).numpy()
    assert low <= drawn.min() < drawn.max() <= high
    counts, _ = np.histogram(drawn, bins=4, range=(low, high))
    np.testing.assert_allclose(counts, 1000, atol=120)


def test_factors_are_not_negative():
    assert draw(brightness=3.0).brightness.min() >= 0


def test_shifts_are_fractions_of_height_and_width():
    down, right = draw(shift=0.25).shift.unbind(dim=1)
    assert 4.9 < down.max() <= 5
    assert 2.45 < right.max() <= 2.5
    assert abs(np.corrcoef(down, right)[0, 1]) < 0.05


def test_crop_positions_are_uniform():
    shift = draw(crop_padding=2).shift
    for axis in shift.T:
        places, counts = np.unique(axis.numpy(), return_counts=True)
        np.testing.assert_array_equal(places, [-2, -1, 0, 1, 2])
        np.testing.assert_allclose(counts, 800, atol=120)


def test_saturation_is_drawn_for_three_channels_only():
    for channels in (1, 2, 4):
        assert draw(saturation=0.5, shape=(4, 4, channels)).saturation is None


def test_erased_rectangles_have_the_areas_and_aspects_of_random_erasing():
    top, left, height, width = draw(erasing=1.0, shape=(100, 80, 3)).erasing.unbind(dim=1)
    assert min(top.min(), left.min()) == 0
    assert (top + height).max() == 100
    assert (left + width).max() == 80
    share, aspect = height * width / 8000, height / width
    assert 0.018 < share.min() < 0.03 < 0.31 < share.max() < 0.34
    assert 0.25 < aspect.min() < 0.4 < 2.5 < aspect.max() < 3.8
    # Portrait and landscape rectangles are equally likely if both fit.
    assert (aspect > 1).double().mean().item() == pytest.approx(0.5, abs=0.04)


def test_erasing_occurs_with_the_probability_of_the_policy():
    erased = draw(erasing=0.3, shape=(32, 32, 3)).erasing[:, 2] > 0
    assert erased.double().mean().item() == pytest.approx(0.3, abs=0.03)


def test_equal_seeds_draw_equal_values_and_other_seeds_do_not():
    first, again, other = (vars(draw(**ON, crop_padding=2, seed=seed)) for seed in (0, 0, 1))
    for name, drawn in first.items():
        assert torch.equal(drawn, again[name])
        assert not torch.equal(drawn, other[name])


def test_draws_do_not_depend_on_the_global_generator_and_default_dtype():
    expected = draw(**ON)
    before = torch.get_rng_state()
    default = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        found = draw(**ON)
    finally:
        torch.set_default_dtype(default)
    assert torch.equal(before, torch.get_rng_state())
    for name, drawn in vars(expected).items():
        assert torch.equal(drawn, getattr(found, name))


# Flips and whole pixels


@pytest.mark.parametrize(("flip", "axis"), [("horizontal_flip", 3), ("vertical_flip", 2)])
def test_only_drawn_images_are_flipped(flip, axis):
    batch = make_batch(2, 3, 4, 5)
    found = apply(batch, **{flip: [True, False]})
    assert torch.equal(found[0], batch.flip(axis)[0])
    assert torch.equal(found[1], batch[1])


@pytest.mark.parametrize(
    ("padding_mode", "expected"),
    [
        ("reflect", [[2.0, 1.0, 0.0, 1.0, 2.0], [2.0, 3.0, 4.0, 3.0, 2.0]]),
        ("edge", [[0.0, 0.0, 0.0, 1.0, 2.0], [2.0, 3.0, 4.0, 4.0, 4.0]]),
        ("constant", [[-1.0, -1.0, 0.0, 1.0, 2.0], [2.0, 3.0, 4.0, -1.0, -1.0]]),
    ],
)
def test_pixels_beyond_the_border_follow_the_padding_mode(padding_mode, expected):
    row = torch.arange(5.0).expand(2, 1, 1, 5)
    black, white = torch.tensor([-1.0]), torch.tensor([9.0])
    found = apply(row, black, white, padding_mode, shift=[[0.0, 2.0], [0.0, -2.0]])
    assert found.flatten(1).tolist() == expected


@every_padding
def test_shifts_without_other_operations_pad_and_slice(padding_mode):
    batch = make_batch(1, 3, 7, 9)
    mode = {"reflect": "reflect", "edge": "replicate", "constant": "constant"}[padding_mode]
    padded = torch.nn.functional.pad(batch, (4, 4, 4, 4), mode=mode)
    found = apply(batch, padding_mode=padding_mode, shift=[[3.0, -2.0]])
    assert torch.equal(found, padded[:, :, 1:8, 6:15])


def test_shifts_without_other_operations_are_rounded_to_whole_pixels():
    batch = make_batch(1, 1, 4, 4)
    assert torch.equal(apply(batch, shift=[[0.4, 1.6]]), apply(batch, shift=[[0.0, 2.0]]))


def test_a_flip_comes_before_the_shift():
    row = torch.arange(4.0).view(1, 1, 1, 4)
    found = apply(row, padding_mode="edge", horizontal_flip=[True], shift=[[0.0, 1.0]])
    assert found.flatten().tolist() == [3, 3, 2, 1]


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 1)])
def test_reflection_repeats_on_very_small_images(shape):
    batch = make_batch(1, 2, *shape)
    expected = np.pad(batch[0].numpy(), ((0, 0), (7, 7), (7, 7)), mode="reflect")
    found = apply(batch, shift=[[7.0, 6.0]])
    height, width = shape
    np.testing.assert_array_equal(found[0], expected[:, :height, 1 : 1 + width])


# Interpolated geometry


@every_padding
@pytest.mark.parametrize("side", [8, 9, 32])
def test_rotation_by_90_degrees_is_counter_clockwise(padding_mode, side):
    batch = make_batch(2, 3, side, side)
    found = apply(batch, padding_mode=padding_mode, rotation=[90.0, -90.0])
    assert_close(found[0], batch[0].rot90(1, (1, 2)), 1e-5)
    assert_close(found[1], batch[1].rot90(-1, (1, 2)), 1e-5)


@every_padding
@pytest.mark.parametrize("shape", [(8, 8), (7, 13), (1, 1), (1, 6), (6, 1)])
def test_identity_transform_returns_the_image(padding_mode, shape):
    batch = make_batch(2, 3, *shape, dtype=torch.float64)
    draws = {"rotation": [0.0, 0.0], "zoom": [1.0, 1.0], "shear": [0.0, 0.0]}
    assert_close(apply(batch, padding_mode=padding_mode, **draws), batch, 1e-12)
    batch = batch.float()
    assert_close(apply(batch, padding_mode=padding_mode, **draws), batch, 2e-6)


@every_padding
@given(
    shift=st.tuples(st.integers(-9, 9), st.integers(-9, 9)),
    flips=st.tuples(st.booleans(), st.booleans()),
    shape=st.tuples(sides, sides),
)
@few
def test_interpolated_and_exact_shifts_and_flips_are_equal(padding_mode, shift, flips, shape):
    batch = make_batch(1, 2, *shape, dtype=torch.float64)
    horizontal, vertical = flips
    moves = {
        "shift": [[float(pixels) for pixels in shift]],
        "horizontal_flip": [horizontal],
        "vertical_flip": [vertical],
    }
    exact = apply(batch, padding_mode=padding_mode, **moves)
    found = apply(batch, padding_mode=padding_mode, rotation=[0.0], **moves)
    assert_close(found, exact, 1e-12)


def test_rotation_does_not_distort_images_that_are_not_square():
    """A square in the center of a wide image stays a square after a rotation by 90 degrees."""
    batch = torch.zeros(1, 1, 9, 21)
    batch[..., 2:7, 8:13] = make_batch(1, 1, 5, 5)
    found = apply(batch, padding_mode="constant", rotation=[90.0])
    assert_close(found[..., 2:7, 8:13], batch[..., 2:7, 8:13].rot90(1, (2, 3)), 1e-5)
    assert found.sum().item() == pytest.approx(batch.sum().item(), abs=1e-4)


@pytest.mark.parametrize(
    ("draws", "options"),
    [
        ({"rotation": [20.0]}, {"angle": -20.0}),
        ({"zoom": [1.3]}, {"scale": 1.3}),
        ({"shear": [15.0]}, {"shear": [-15.0, 0.0]}),
        ({"shift": [[2.0, -3.0]], "rotation": [0.0]}, {"translate": [-3, 2]}),
        (
            {"rotation": [20.0], "zoom": [0.8], "shift": [[2.0, -3.0]]},
            {"angle": -20.0, "scale": 0.8, "translate": [-3, 2]},
        ),
    ],
)
def test_affine_transforms_equal_those_of_torchvision(draws, options):
    """Only away from the border, which torchvision fades to black differently."""
    batch = make_batch(1, 3, 24, 16, dtype=torch.float64)
    rest = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    bilinear = reference.InterpolationMode.BILINEAR
    expected = reference.affine(batch, **rest | options, interpolation=bilinear)
    found = apply(batch, padding_mode="constant", **draws)
    middle = (..., slice(6, -6), slice(5, -5))
    # At least half of the compared pixels are not torchvision's black padding.
    assert (expected[middle] > 0).double().mean() > 0.5
    assert_close(found[middle], expected[middle], 1e-6)


def test_constant_padding_is_black_after_interpolation():
    black, white = torch.tensor([-2.0, -1.0, 3.0]), torch.tensor([2.0, 5.0, 0.0])
    batch = torch.ones(1, 3, 8, 8)
    found = apply(batch, black, white, "constant", rotation=[0.0], shift=[[0.0, 3.0]])
    assert_close(found[0, :, :, :3], black.view(3, 1, 1).expand(3, 8, 3), 1e-6)
    assert_close(found[0, :, :, 3:], torch.ones(3, 8, 5), 1e-6)


# Color


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 1.7])
@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_color_operations_equal_those_of_torchvision(name, factor, channels, channels_last):
    batch = make_batch(2, channels, 5, 4, channels_last=channels_last)
    adjust = getattr(reference, f"adjust_{name}")
    found = apply(batch, **{name: [factor, 1.0]})
    assert_close(found[0], adjust(batch[0], factor), 1e-6)
    assert_close(found[1], batch[1], 1e-6)


def test_color_operations_are_applied_in_order():
    batch = make_batch(1, 3, 5, 4)
    expected = reference.adjust_contrast(reference.adjust_brightness(batch, 1.5), 0.5)
    expected = reference.adjust_saturation(expected, 1.5)
    found = apply(batch, brightness=[1.5], contrast=[0.5], saturation=[1.5])
    assert_close(found, expected, 1e-6)


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_color_operations_take_normalization_into_account(name):
    batch = make_batch(2, 3, 5, 4)
    mean, scale = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.3, -0.25])
    normalized = (batch - mean.view(-1, 1, 1)) / scale.view(-1, 1, 1)
    found = apply(normalized, -mean / scale, (1 - mean) / scale, **{name: [0.6, 1.8]})
    unit = found * scale.view(-1, 1, 1) + mean.view(-1, 1, 1)
    assert_close(unit, apply(batch, **{name: [0.6, 1.8]}), 1e-6)


def test_contrast_of_other_numbers_of_channels_uses_the_plain_mean():
    batch = make_batch(1, 4, 5, 5)
    assert_close(apply(batch, contrast=[0.0]), batch.mean().expand(batch.shape), 1e-6)


# Erasing


def test_erased_rectangles_become_black():
    batch = make_batch(2, 3, 6, 7)
    black = torch.tensor([-1.0, -2.0, -3.0])
    found = apply(batch, black, torch.ones(3), erasing=[[1, 2, 3, 4], [0, 0, 0, 0]])
    expected = batch.clone()
    expected[0, :, 1:4, 2:6] = black.view(3, 1, 1)
    assert torch.equal(found, expected)


# Whole policies


@given(
    policy=policies,
    n=st.integers(1, 9),
    shape=st.tuples(sides, sides, sides),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    channels_last=st.booleans(),
    seed=st.integers(0, 2**32),
)
@few
def test_batch_keeps_shape_dtype_layout_and_range(policy, n, shape, dtype, channels_last, seed):
    height, width, channels = shape
    black, white = torch.linspace(-1, 0, channels), torch.linspace(1, 3, channels)
    unit = make_batch(n, channels, height, width, dtype=dtype, channels_last=channels_last)
    low, high = black.to(dtype).view(-1, 1, 1), white.to(dtype).view(-1, 1, 1)
    batch = low + unit * (high - low)
    before = batch.clone()
    draws = draw_policy(policy, n, shape, seeded(seed))
    found = apply_policy(batch, draws, policy, black, white)
    assert torch.equal(batch, before)
    assert (found.shape, found.dtype, found.stride()) == (batch.shape, dtype, batch.stride())
    assert found.isfinite().all()
    assert ((found >= low - 1e-5) & (found <= high + 1e-5)).all()


def test_no_draws_return_a_copy():
    batch = make_batch(2, 3, 4, 4)
    found = apply(batch)
    assert torch.equal(found, batch)
    assert found.data_ptr() != batch.data_ptr()


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_last_layout_is_kept(channels):
    """Including a single channel, whose strides are ambiguous."""
    batch = make_batch(2, 8, 6, channels).permute(0, 3, 1, 2)
    draws = draw(n=2, shape=(8, 6, channels), **ON)
    found = apply_policy(
        batch, draws, AugmentationPolicy(), torch.zeros(channels), torch.ones(channels)
    )
    assert found.stride() == batch.stride()


def test_images_of_a_batch_are_independent(monkeypatch):
    batch, policy = make_batch(7, 3, 8, 6, dtype=torch.float64), AugmentationPolicy(**ON)
    draws = draw(n=7, shape=(8, 6, 3), **ON)
    black, white = torch.zeros(3), torch.ones(3)
    whole = apply_policy(batch, draws, policy, black, white)
    for i in range(7):
        image = slice(i, i + 1)
        alone = apply_policy(batch[image], draws.part(image), policy, black, white)
        assert_close(alone, whole[image], 1e-12)
    # Blocks of two images; the last block has one.
    monkeypatch.setattr(_augment, "_BLOCK_VALUES", 2 * 3 * 8 * 6)
    assert_close(apply_policy(batch, draws, policy, black, white), whole, 1e-12)


def test_equal_draws_give_equal_bits():
    batch, policy = make_batch(5, 3, 9, 9), AugmentationPolicy(**ON)
    draws = draw(n=5, shape=(9, 9, 3), **ON)
    first, again = (
        apply_policy(batch, draws, policy, torch.zeros(3), torch.ones(3)) for _ in range(2)
    )
    assert torch.equal(first, again)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_padding
def test_gpu_and_cpu_give_equal_images(padding_mode):
    batch = make_batch(5, 3, 9, 8)
    black, white = torch.full((3,), -0.5), torch.ones(3)
    for operations in (ON, {"horizontal_flip": 0.5, "crop_padding": 3}):
        policy = AugmentationPolicy(**operations, padding_mode=padding_mode)
        draws = draw_policy(policy, 5, (9, 8, 3), seeded())
        found = apply_policy(batch.cuda(), draws, policy, black, white)
        assert found.is_cuda
        assert found.stride() == batch.stride()
        assert_close(found.cpu(), apply_policy(batch, draws, policy, black, white), 1e-4)
