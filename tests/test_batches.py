"""Data in batches, and logits out of a module."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from skimgcls import _batches
from skimgcls._batches import (
    Batches,
    BatchFormat,
    Mixing,
    TrainingImages,
    evaluation_batch_size,
    n_batches,
    predict_logits,
)
from skimgcls._files import ImageFiles, find_items
from skimgcls._lazy import LazyImages

few = settings(deadline=None, max_examples=50)
CPU = torch.device("cpu")
FORMAT = BatchFormat(CPU, torch.float32)


def make_images(n, weights=None):
    """Images of two classes in turn."""
    images = np.random.RandomState(0).randint(0, 9, size=(n, 3, 4, 1)).astype(np.uint8)
    return TrainingImages.from_arrays(images, np.arange(n) % 2, weights)


class AddOne:
    """A step that is taken always."""

    is_random = False

    def output_shape(self, image_shape):
        return image_shape

    def __call__(self, batch, generator):
        return batch + 1


class AddNoise:
    """A step that is taken in training, and counts the images it changes."""

    is_random = True

    def __init__(self):
        self.n_changed = 0

    def output_shape(self, image_shape):
        return image_shape

    def __call__(self, batch, generator):
        self.n_changed += len(batch)
        return batch + torch.rand(len(batch), 1, 1, 1, generator=generator)


def all_of(batches):
    return torch.cat([batch for batch, _ in batches])


@pytest.fixture(params=["resident", "read batch by batch"])
def residence(request, monkeypatch):
    """Small sets are made float once; here they are read anew in each pass as well."""
    if request.param != "resident":
        monkeypatch.setattr(_batches, "_RESIDENT_VALUES", 0)


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
    size = evaluation_batch_size((side, side, 3))
    assert 1 <= size <= 1024
    assert size == 1 or size * side**2 <= 2**18


def test_logits_do_not_depend_on_the_batches_they_come_in():
    module = nn.Sequential(nn.Flatten(), nn.Linear(256, 3))
    images = np.random.RandomState(0).rand(1030, 16, 16, 1)
    logits = predict_logits(module, images, FORMAT)
    assert logits.shape == (1030, 3)
    pairs = [predict_logits(module, images[i : i + 2], FORMAT) for i in range(1020, 1030, 2)]
    np.testing.assert_allclose(np.concatenate(pairs), logits[1020:], atol=1e-6)


# ---- lazy images


@pytest.mark.usefixtures("residence")
def test_files_come_in_the_batches_of_their_pixels(tmp_path):
    pixels = np.random.RandomState(0).randint(0, 256, (11, 4, 5, 3)).astype(np.uint8)
    paths = [tmp_path / f"{i}.png" for i in range(len(pixels))]
    for path, image in zip(paths, pixels, strict=True):
        Image.fromarray(image).save(path)
    files = LazyImages(ImageFiles.from_items(find_items(paths)))
    weights = np.array([1.0, 0, *[2] * 9])
    sides = [TrainingImages.from_arrays(X, np.arange(11), weights) for X in (pixels, files)]
    from_pixels, from_files = (Batches(side, 4, FORMAT, np.random.RandomState(0)) for side in sides)
    for (one, truth), (other, other_truth) in zip(from_pixels, from_files, strict=True):
        assert torch.equal(one, other)
        assert all(torch.equal(*pair) for pair in zip(truth, other_truth, strict=True))


@pytest.mark.usefixtures("residence")
def test_random_steps_are_taken_in_training_anew_in_each_pass():
    step = AddNoise()
    lazy = LazyImages(np.zeros((9, 2, 2, 1), np.uint8)).then(AddOne()).then(step)
    images = TrainingImages.from_arrays(lazy, np.arange(9))
    training = Batches(images, 4, FORMAT, np.random.RandomState(0))
    first, second = all_of(training), all_of(training)
    assert step.n_changed == 18
    noise = torch.cat([first, second])[:, 0, 0, 0] - 1
    assert len(noise.unique()) == 18
    again = Batches(images, 4, FORMAT, np.random.RandomState(0))
    assert torch.equal(all_of(again), first)


@pytest.mark.usefixtures("residence")
def test_random_steps_are_not_taken_in_validation_and_prediction():
    step = AddNoise()
    lazy = LazyImages(np.zeros((9, 2, 2, 1), np.uint8)).then(step).then(AddOne())
    images = TrainingImages.from_arrays(lazy, np.arange(9))
    assert torch.equal(all_of(Batches(images, 4, FORMAT)), torch.ones(9, 1, 2, 2))
    assert predict_logits(nn.Flatten(), lazy, FORMAT).tolist() == [[1] * 4] * 9
    assert step.n_changed == 0


@pytest.mark.usefixtures("residence")
def test_random_steps_change_marked_images_alone():
    step = AddNoise()
    marks = np.arange(9) % 3 == 0
    lazy = LazyImages(np.zeros((9, 2, 2, 1), np.uint8), marks=marks).then(step).then(AddOne())
    images = TrainingImages.from_arrays(lazy, np.arange(9))
    for batch, (targets, _) in Batches(images, 4, FORMAT, np.random.RandomState(0)):
        changed = (batch != 1).flatten(1).all(dim=1)
        assert changed.tolist() == marks[targets].tolist()
    assert step.n_changed == marks.sum()


def test_steps_leave_the_layout_asked_for():
    lazy = LazyImages(np.zeros((4, 3, 5, 2), np.uint8)).then(AddOne())
    for channels_last, layout in ((True, torch.channels_last), (False, torch.contiguous_format)):
        batch_format = BatchFormat(CPU, torch.float32, channels_last)
        images = TrainingImages.from_arrays(lazy, np.arange(4))
        ((batch, _),) = Batches(images, 4, batch_format)
        assert batch.is_contiguous(memory_format=layout)


# ---- mixing


@pytest.mark.parametrize(("mixup", "cutmix"), [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_targets_are_mixed_like_the_images_they_belong_to(mixup, cutmix):
    # The class of an image is the one channel in which it is one.
    codes = np.arange(12) % 3
    pixels = np.eye(3)[codes].reshape(-1, 1, 1, 3) * np.ones((1, 8, 8, 1))
    images = TrainingImages.from_arrays(pixels, codes)
    mixing = Mixing(mixup, cutmix, n_outputs=3)
    mixed = Batches(images, 4, FORMAT, np.random.RandomState(0), mixing)
    n_between = 0
    for _ in range(5):
        for batch, (targets, weights) in mixed:
            assert weights is None
            assert targets.dtype is batch.dtype
            torch.testing.assert_close(batch.mean(dim=(2, 3)), targets)
            n_between += int(((targets > 0.01) & (targets < 0.99)).any(dim=1).sum())
    assert n_between > 10


def test_nothing_is_mixed_in_validation():
    images = make_images(6)
    plain, mixed = (Batches(images, 4, FORMAT, None, mixing) for mixing in (None, Mixing(1, 1, 2)))
    for (one, (targets, _)), (other, (other_targets, _)) in zip(plain, mixed, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(targets, other_targets)
