"""TrivialAugment: one random operation for each image."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import TrivialAugmentWide

from skimgcls._augmentation._trivial import TrivialAugment, make_operations

few = settings(deadline=None, max_examples=30)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make_batch(n=6, channels=3, side=12, seed=0):
    return torch.rand((n, channels, side, side + 3), generator=seeded(seed))


def augment(batch, seed=0, black=0.0, white=1.0):
    channels = batch.shape[1]
    step = TrivialAugment(np.full(channels, black), np.full(channels, white))
    return step(batch, seeded(seed))


def test_the_operations_are_those_of_torchvision():
    assert len(make_operations()) == len(TrivialAugmentWide._AUGMENTATION_SPACE)


def test_every_operation_but_one_changes_the_image():
    image = make_batch(1)[0]
    for name, operation in make_operations().items():
        changed = operation(image, 0.9)
        assert changed.shape == image.shape
        assert torch.equal(changed, image) == (name == "identity"), name


@pytest.mark.parametrize(
    ("name", "strength", "expected"),
    [
        ("shift x", 1 / 32, [[0.0, 0.2, 0.4]]),
        ("shift x", -1 / 32, [[0.4, 0.6, 0.0]]),
        ("brightness", -1.0, [[0.002, 0.004, 0.006]]),
        ("solarize", 0.5, [[0.2, 0.4, 0.4]]),
        ("autocontrast", 0.1, [[0.0, 0.5, 1.0]]),
        ("posterize", 1.0, [[0.0, 0.25, 0.5]]),
    ],
)
def test_strengths(name, strength, expected):
    image = torch.tensor([[[0.2, 0.4, 0.6]]])
    found = make_operations()[name](image, strength)
    np.testing.assert_allclose(found[0].numpy(), expected, atol=3e-3)


def test_one_seed_gives_one_result():
    batch = make_batch()
    assert torch.equal(augment(batch, 1), augment(batch, 1))
    assert not torch.equal(augment(batch, 1), augment(batch, 2))


def test_about_one_image_in_14_stays():
    batch = make_batch(1, side=8).expand(1400, -1, -1, -1)
    same = (augment(batch) == batch).flatten(1).all(dim=1)
    # Some operations of strength 0 change nothing either.
    assert 80 < int(same.sum()) < 180


@few
@given(
    black=st.sampled_from([0.0, -2.0, 5.0]),
    span=st.sampled_from([1.0, 255.0, 0.5]),
    channels=st.sampled_from([1, 3]),
    side=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_images_on_any_scale_change_alike(black, span, channels, side, seed):
    batch = (make_batch(14, channels, side, seed) * 255).round() / 255
    expected = augment(batch, seed)
    scaled = augment(batch * span + black, seed, black, black + span)
    # Operations with steps may round a value in the other direction.
    assert ((scaled - black) / span - expected).abs().median() < 1e-4
    assert (scaled >= black - 1e-4 * span).all()
    assert (scaled <= black + span * (1 + 1e-4)).all()


def test_the_batch_is_not_modified():
    batch = make_batch()
    before = batch.clone()
    augment(batch)
    assert torch.equal(batch, before)
