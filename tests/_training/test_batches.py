"""Batches of images."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from skimgcls._augmentation._flip_translate import FlipTranslate
from skimgcls._images._image_files import ImageFiles, find_items
from skimgcls._images._lazy_images import LazyImages
from skimgcls._training import _batches
from skimgcls._training._batches import (
    Batches,
    BatchFormat,
    MixupCutMix,
    TrainingImages,
    n_batches,
    sample,
)

few = settings(deadline=None, max_examples=50)
CPU = torch.device("cpu")
FORMAT = BatchFormat(CPU, torch.float32)


def make_images(n, weights=None):
    """Images of two alternating classes."""
    images = np.random.RandomState(0).randint(0, 9, size=(n, 3, 4, 1)).astype(np.uint8)
    return TrainingImages.from_arrays(LazyImages(images), np.arange(n) % 2, weights)


class AddOne:
    """A step applied in training and prediction."""

    is_random = False

    def output_shape(self, image_shape):
        return image_shape

    def __call__(self, batch, generator):
        return batch + 1


class AddNoise:
    """A step applied only in training, which counts the images it changes."""

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
    """Test small sets both converted to float once and read again in each epoch."""
    if request.param != "resident":
        monkeypatch.setattr(_batches, "_RESIDENT_VALUES", 0)


@few
@given(
    n=st.integers(1, 40),
    batch_size=st.integers(1, 12),
    seed=st.none() | st.integers(0, 9),
    data=st.data(),
)
def test_each_row_is_in_one_batch_and_no_batch_has_one_image(n, batch_size, seed, data):
    rows = np.array(data.draw(st.permutations(range(n + 3))))[:n]
    numbers = np.arange(n + 3)
    pixels = LazyImages(numbers.reshape(-1, 1, 1, 1))
    images = TrainingImages(pixels, numbers, numbers.astype(float), rows)
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


def test_a_last_batch_of_one_image_joins_the_previous_batch():
    images = make_images(9)
    assert [len(batch) for batch, _ in Batches(images, 4, FORMAT)] == [4, 5]
    assert [len(batch) for batch, _ in Batches(images, 3, FORMAT)] == [3, 3, 3]
    assert [len(batch) for batch, _ in Batches(images.part(np.array([7])), 4, FORMAT)] == [1]


def test_each_epoch_has_its_own_order():
    batches = Batches(make_images(20), 4, FORMAT, np.random.RandomState(0))
    first, second = (torch.cat([batch for batch, _ in batches]) for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int64, np.float16, np.float64])
@pytest.mark.parametrize("channels_last", [True, False])
def test_a_batch_is_channels_first_in_the_requested_memory_format(dtype, channels_last):
    images = np.arange(24).reshape(2, 2, 2, 3).astype(dtype)
    images.setflags(write=False)
    batch = BatchFormat(CPU, torch.float32, channels_last).to_batch(images)
    np.testing.assert_array_equal(batch, images.transpose(0, 3, 1, 2).astype(np.float32))
    assert batch.dtype is torch.float32
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert batch.is_contiguous(memory_format=layout)


def test_images_of_weight_zero_are_removed():
    images = make_images(6, weights=np.array([1.0, 0, 2, 0, 0, 3]))
    assert len(images) == 3
    assert images.rows.tolist() == [0, 2, 5]
    assert images.row_weights.tolist() == [1, 2, 3]
    assert images.row_targets.tolist() == [0, 0, 1]


def test_a_subset_keeps_its_weights_and_copies_no_image():
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
def test_holding_out_splits_the_images_stratified_where_possible(sizes, share, seed):
    targets = np.repeat(np.arange(len(sizes)), sizes)
    n, n_held_out = len(targets), int(np.ceil(share * len(targets)))
    images = TrainingImages.from_arrays(LazyImages(np.zeros((n, 1, 1, 1))), targets)
    kept, held_out = images.hold_out(share, seed)
    assert len(held_out) == n_held_out
    assert sorted([*kept.rows, *held_out.rows]) == list(range(n))
    assert held_out.rows.tolist() == images.hold_out(share, seed)[1].rows.tolist()
    if min(sizes) > 1 and len(sizes) <= min(n_held_out, n - n_held_out):
        counts = np.bincount(held_out.row_targets, minlength=len(sizes))
        assert np.all(np.abs(counts - np.array(sizes) * n_held_out / n) < 1)


def test_images_of_weight_zero_are_in_neither_part_of_the_split():
    images = make_images(9, weights=np.array([1.0, 0, 1, 1, 0, 1, 1, 1, 0]))
    kept, held_out = images.hold_out(0.5, 0)
    assert sorted([*kept.rows, *held_out.rows]) == [0, 2, 3, 5, 6, 7]


# ---- lazy images


@pytest.mark.usefixtures("residence")
def test_files_give_the_same_batches_as_their_pixels(tmp_path):
    pixels = np.random.RandomState(0).randint(0, 256, (11, 4, 5, 3)).astype(np.uint8)
    paths = [tmp_path / f"{i}.png" for i in range(len(pixels))]
    for path, image in zip(paths, pixels, strict=True):
        Image.fromarray(image).save(path)
    files = LazyImages(ImageFiles.from_items(find_items(paths)))
    weights = np.array([1.0, 0, *[2] * 9])
    sides = [
        TrainingImages.from_arrays(X, np.arange(11), weights) for X in (LazyImages(pixels), files)
    ]
    from_pixels, from_files = (Batches(side, 4, FORMAT, np.random.RandomState(0)) for side in sides)
    for (one, truth), (other, other_truth) in zip(from_pixels, from_files, strict=True):
        assert torch.equal(one, other)
        assert all(torch.equal(*pair) for pair in zip(truth, other_truth, strict=True))


@pytest.mark.usefixtures("residence")
def test_random_steps_are_drawn_again_in_each_training_epoch():
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
def test_random_steps_are_not_applied_in_validation():
    step = AddNoise()
    lazy = LazyImages(np.zeros((9, 2, 2, 1), np.uint8)).then(step).then(AddOne())
    images = TrainingImages.from_arrays(lazy, np.arange(9))
    assert torch.equal(all_of(Batches(images, 4, FORMAT)), torch.ones(9, 1, 2, 2))
    assert step.n_changed == 0


@pytest.mark.usefixtures("residence")
def test_random_steps_change_only_marked_images():
    step = AddNoise()
    marks = np.arange(9) % 3 == 0
    lazy = LazyImages(np.zeros((9, 2, 2, 1), np.uint8), marks=marks).then(step).then(AddOne())
    images = TrainingImages.from_arrays(lazy, np.arange(9))
    for batch, (targets, _) in Batches(images, 4, FORMAT, np.random.RandomState(0)):
        changed = (batch != 1).flatten(1).all(dim=1)
        assert changed.tolist() == marks[targets].tolist()
    assert step.n_changed == marks.sum()


@pytest.mark.parametrize("views", [None, FlipTranslate(mirror=True, translation=1)])
def test_steps_and_views_keep_the_requested_memory_format(views):
    lazy = LazyImages(np.zeros((4, 3, 5, 2), np.uint8)).then(AddOne())
    for channels_last, layout in ((True, torch.channels_last), (False, torch.contiguous_format)):
        batch_format = BatchFormat(CPU, torch.float32, channels_last)
        images = TrainingImages.from_arrays(lazy, np.arange(4))
        rng = np.random.RandomState(0)
        ((batch, _),) = Batches(images, 4, batch_format, rng, views=views)
        assert batch.is_contiguous(memory_format=layout)


# ---- mixing


@pytest.mark.parametrize(("mixup", "cutmix"), [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_targets_are_mixed_like_their_images(mixup, cutmix):
    # The class of an image is the channel whose values are 1.
    codes = np.arange(12) % 3
    pixels = np.eye(3)[codes].reshape(-1, 1, 1, 3) * np.ones((1, 8, 8, 1))
    images = TrainingImages.from_arrays(LazyImages(pixels), codes)
    mixing = MixupCutMix(mixup, cutmix, n_outputs=3)
    mixed = Batches(images, 4, FORMAT, np.random.RandomState(0), mixing)
    n_between = 0
    for _ in range(5):
        for batch, (targets, weights) in mixed:
            assert weights is None
            assert targets.dtype is batch.dtype
            torch.testing.assert_close(batch.mean(dim=(2, 3)), targets)
            n_between += int(((targets > 0.01) & (targets < 0.99)).any(dim=1).sum())
    assert n_between > 10


def test_mixing_ends_after_the_given_number_of_epochs():
    mixing = MixupCutMix(1.0, 0.0, n_outputs=2, n_passes=2)
    batches = Batches(make_images(8), 4, FORMAT, np.random.RandomState(0), mixing)
    ndims = [[truth[0].ndim for _, truth in batches] for _ in range(3)]
    assert ndims == [[2, 2], [2, 2], [1, 1]]


@pytest.mark.parametrize("rng", [None, np.random.RandomState(0)])
def test_bytes_stored_on_the_device_give_the_same_batches(monkeypatch, rng):
    images = make_images(10)
    state = None if rng is None else rng.get_state()
    monkeypatch.setattr(_batches, "_RESIDENT_VALUES", 0)
    read = [(x, y) for x, (y, _) in Batches(images, 4, FORMAT, rng)]
    monkeypatch.setattr(_batches, "_holds", lambda device, source: True)
    if rng is not None:
        rng.set_state(state)
    lying = Batches(images, 4, FORMAT, rng)
    assert lying.pixels.dtype is torch.uint8
    for (x, y), (x_lying, (y_lying, _)) in zip(read, lying, strict=True):
        assert torch.equal(x, x_lying)
        assert torch.equal(y, y_lying)


def test_only_a_gpu_stores_bytes():
    images = np.zeros((2, 2, 2, 1), np.uint8)
    assert not _batches._holds(CPU, images)


def test_nothing_is_mixed_in_validation():
    images = make_images(6)
    plain, mixed = (
        Batches(images, 4, FORMAT, None, mixing) for mixing in (None, MixupCutMix(1, 1, 2))
    )
    for (one, (targets, _)), (other, (other_targets, _)) in zip(plain, mixed, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(targets, other_targets)


# ---- views


def passes(batches, n):
    """Return the images of each of n epochs, in the order of the rows."""
    found = []
    for _ in range(n):
        images, targets = zip(*((batch, truth[0]) for batch, truth in batches), strict=True)
        found.append(torch.cat(images)[torch.cat(targets).argsort()])
    return found


def make_numbered(n, weights=None):
    """Images without mirror symmetry, with their positions as targets."""
    return TrainingImages.from_arrays(make_images(n).images, np.arange(n), weights)


@pytest.mark.usefixtures("residence")
def test_two_epochs_show_each_image_mirrored_and_not_mirrored():
    images = make_numbered(200)
    views = FlipTranslate(mirror=True, translation=0)
    first, second, third = passes(
        Batches(images, 16, FORMAT, np.random.RandomState(0), views=views), 3
    )
    plain = FORMAT.to_batch(make_images(200).images.source)
    is_plain = (first == plain).flatten(1).all(dim=1)
    assert 70 < is_plain.sum() < 130
    assert torch.equal(first, torch.where(is_plain[:, None, None, None], plain, plain.flip(3)))
    assert torch.equal(second, first.flip(3))
    assert torch.equal(third, first)


@pytest.mark.usefixtures("residence")
def test_equal_seeds_draw_equal_views():
    views = FlipTranslate(mirror=True, translation=1)
    first, again, other = (
        passes(Batches(make_numbered(20), 6, FORMAT, np.random.RandomState(seed), views=views), 2)
        for seed in (0, 0, 1)
    )
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))
    # Shifts differ between epochs.
    assert not torch.equal(first[0], first[1].flip(3))


def test_images_of_weight_zero_do_not_change_the_views():
    views = FlipTranslate(mirror=True, translation=1)
    weights = (np.arange(20) % 3).astype(float)
    given, left_out = (
        Batches(images, 6, FORMAT, np.random.RandomState(0), views=views)
        for images in (
            make_numbered(20, weights),
            TrainingImages.from_arrays(
                make_images(20).images[weights > 0], np.flatnonzero(weights)
            ),
        )
    )
    # The targets of both are positions in the full set.
    left_out.targets = given.targets[weights > 0]
    assert all(map(torch.equal, passes(given, 2), passes(left_out, 2)))


def test_validation_images_are_not_shifted_or_mirrored():
    images = make_numbered(9)
    views = FlipTranslate(mirror=True, translation=2)
    for found in passes(Batches(images, 4, FORMAT, None, views=views), 2):
        assert torch.equal(found, FORMAT.to_batch(images.images.source))


# ---- samples


@few
@given(n=st.integers(1, 600), n_images=st.integers(1, 600), seed=st.integers(0, 9))
def test_a_sample_has_the_requested_size_and_no_rows_of_weight_zero(n, n_images, seed):
    weights = np.random.RandomState(seed).randint(0, 3, n).astype(float)
    weights[0] = 1
    numbers = np.arange(n, dtype=np.float64).reshape(-1, 1, 1, 1)
    images = TrainingImages.from_arrays(LazyImages(numbers), np.zeros(n), weights)
    batch, weights_of_sample = sample(images, n_images)
    assert batch.dtype is torch.float32
    assert batch.shape[1:] == (1, 1, 1)
    positions = batch.flatten().long().numpy()
    assert weights_of_sample.tolist() == weights[positions].tolist()
    assert set(positions) <= set(images.rows)
    assert len(set(positions)) == len(positions) == min(n_images, len(images))


def test_a_sample_equals_the_images_of_evaluation():
    step = AddNoise()
    lazy = LazyImages(np.zeros((300, 2, 2, 1), np.uint8)).then(step).then(AddOne())
    batch, weights = sample(TrainingImages.from_arrays(lazy, np.arange(300)), 300)
    assert torch.equal(batch, torch.ones(300, 1, 2, 2))
    assert weights is None
    assert step.n_changed == 0
