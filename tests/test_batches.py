"""Data in batches, and logits out of a module."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skimgcls._batches import (
    Batches,
    BatchFormat,
    TrainingImages,
    evaluation_batch_size,
    n_batches,
    predict_logits,
)

few = settings(deadline=None, max_examples=50)
CPU = torch.device("cpu")
FORMAT = BatchFormat(CPU, torch.float32)


def make_images(n, weights=None):
    """Images of two classes in turn."""
    images = np.random.RandomState(0).randint(0, 9, size=(n, 3, 4, 1)).astype(np.uint8)
    return TrainingImages.from_arrays(images, np.arange(n) % 2, weights)


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


@few
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=4).filter(lambda s: sum(s) > 3),
    share=st.floats(0.05, 0.7),
    seed=st.integers(0, 9),
)
def test_holding_out_parts_the_images_in_two_and_by_class_where_it_can(sizes, share, seed):
    targets = np.repeat(np.arange(len(sizes)), sizes)
    n, n_held_out = len(targets), int(np.ceil(share * len(targets)))
    images = TrainingImages.from_arrays(np.zeros((n, 1, 1, 1)), targets)
    kept, held_out = images.hold_out(share, seed)
    assert len(held_out) == n_held_out
    assert sorted([*kept.rows, *held_out.rows]) == list(range(n))
    assert held_out.rows.tolist() == images.hold_out(share, seed)[1].rows.tolist()
    if min(sizes) > 1 and len(sizes) <= min(n_held_out, n - n_held_out):
        counts = np.bincount(held_out.row_targets, minlength=len(sizes))
        assert np.all(np.abs(counts - np.array(sizes) * n_held_out / n) < 1)


def test_images_of_weight_zero_are_held_out_of_nothing():
    images = make_images(9, weights=np.array([1.0, 0, 1, 1, 0, 1, 1, 1, 0]))
    kept, held_out = images.hold_out(0.5, 0)
    assert sorted([*kept.rows, *held_out.rows]) == [0, 2, 3, 5, 6, 7]


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
