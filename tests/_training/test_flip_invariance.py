"""Detect whether training images may be mirrored."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from skimgcls._images._image_files import ImageFiles, find_items
from skimgcls._images._lazy_images import LazyImages
from skimgcls._training._batches import TrainingImages
from skimgcls._training._flip_invariance import is_flip_invariant
from skimgcls.datasets import make_shapes

SIDE = 12


def take(images, targets, weights=None):
    images = LazyImages(images) if isinstance(images, np.ndarray) else images
    return TrainingImages.from_arrays(images, targets, weights)


def make_classes(n, paint, n_classes, seed=0):
    """Noisy grayscale images of random classes, with a bright region given by `paint`."""
    rng = np.random.RandomState(seed)
    targets = rng.randint(n_classes, size=n)
    images = rng.normal(100, 20, size=(n, SIDE, SIDE, 1))
    for image, target in zip(images, targets, strict=True):
        image[paint(target)] += 50
    return images.clip(0, 255).astype(np.uint8), targets


def make_bands(n=300, n_classes=3, seed=0):
    """Classes that are invariant to mirroring: bright rows, at a different height per class."""
    height = SIDE // n_classes
    return make_classes(
        n, lambda k: np.s_[k * height : (k + 1) * height], n_classes=n_classes, seed=seed
    )


def make_sides(n=300, seed=0):
    """Two classes that are mirror images, like b and d: the left or the right is bright."""
    return make_classes(n, lambda k: np.s_[:, -4:] if k else np.s_[:, :4], n_classes=2, seed=seed)


class Transpose:
    """A step that transposes images."""

    def __init__(self, is_random):
        self.is_random = is_random

    def output_shape(self, image_shape):
        height, width, channels = image_shape
        return width, height, channels

    def __call__(self, batch, generator):
        return batch.transpose(2, 3)


# Results


@pytest.mark.parametrize("n_classes", [2, 3, 4, 6])
@pytest.mark.parametrize("seed", range(3))
def test_textures_that_are_their_own_mirror_images_may_be_mirrored(n_classes, seed):
    assert is_flip_invariant(take(*make_bands(n_classes=n_classes, seed=seed))) is True


@pytest.mark.parametrize("color", [True, False])
def test_shapes_at_any_place_and_angle_may_be_mirrored(color):
    images, names = make_shapes(500, color=color, random_state=0)
    images = images.reshape(*images.shape[:3], -1)
    assert is_flip_invariant(take(images, np.unique(names, return_inverse=True)[1]))


def test_digits_may_not_be_mirrored():
    digits = load_digits()
    assert is_flip_invariant(take(digits.images[..., None], digits.target)) is False


@pytest.mark.parametrize("seed", range(3))
def test_classes_that_are_mirror_images_of_each_other_may_not_be_mirrored(seed):
    assert not is_flip_invariant(take(*make_sides(seed=seed)))


def test_one_such_pair_among_other_classes_is_enough():
    bands, rows = make_bands()
    sides, columns = make_sides()
    images, targets = np.concatenate([bands, sides]), np.concatenate([rows, 3 + columns])
    order = np.random.RandomState(0).permutation(len(images))
    assert not is_flip_invariant(take(images[order], targets[order]))


# Too little information


def test_few_images_give_no_decision():
    images, targets = make_bands(100)
    assert is_flip_invariant(take(images, targets))
    assert not is_flip_invariant(take(images[:99], targets[:99]))


@pytest.mark.parametrize("value", [0, 7, 0.1])
def test_constant_images_give_no_decision(value):
    assert not is_flip_invariant(take(np.full((200, SIDE, SIDE, 1), value), np.arange(200) % 3))


def test_unpredictable_labels_mean_no_mirroring():
    """Chance may give a few other results, at most two of twenty."""
    answers = []
    for seed in range(20):
        images, targets = make_bands(seed=seed)
        shuffled = np.random.RandomState(seed).permutation(targets)
        answers.append(is_flip_invariant(take(images, shuffled)))
    assert sum(answers) <= 2


def test_a_single_class_gives_no_decision():
    images, targets = make_bands()
    assert not is_flip_invariant(take(images, np.zeros_like(targets)))


# Invariances


@pytest.mark.parametrize(("make", "answer"), [(make_bands, True), (make_sides, False)])
@pytest.mark.parametrize("scale", [1 / 255, 1, 1e6])
def test_the_scale_of_the_pixels_does_not_matter(make, answer, scale):
    images, targets = make()
    assert is_flip_invariant(take(images * scale - scale, targets)) is answer


@pytest.mark.parametrize(("make", "answer"), [(make_bands, True), (make_sides, False)])
@pytest.mark.parametrize("arrange", [np.argsort, lambda y: np.argsort(np.argsort(y) % 10)])
def test_the_order_of_the_images_does_not_matter(make, answer, arrange):
    images, targets = make()
    order = arrange(targets)
    assert is_flip_invariant(take(images[order], targets[order])) is answer


@pytest.mark.parametrize(("n", "n_classes"), [(300, 10), (6000, 3)])
def test_labels_may_be_in_any_order(n, n_classes):
    """Sampling at regular positions would select only a few classes."""
    rng = np.random.RandomState(0)
    targets = np.arange(n) % n_classes
    images = rng.normal(scale=0.5, size=(n, 20, 20, 1))
    for image, target in zip(images, targets, strict=True):
        image[target * 2 : target * 2 + 2] += 1
    shuffled = rng.permutation(n)
    assert is_flip_invariant(take(images[shuffled], targets[shuffled]))
    assert is_flip_invariant(take(images, targets))


@pytest.mark.parametrize("shape", [(3, 5), (8, 30), (1, 40), (40, 1)])
def test_images_of_any_shape(shape):
    rng = np.random.RandomState(0)
    targets = np.arange(200) // 100
    images = rng.normal(size=(200, *shape, 2)) + targets[:, None, None, None]
    assert is_flip_invariant(take(images, targets))


@pytest.mark.parametrize(("make", "answer"), [(make_bands, True), (make_sides, False)])
def test_images_of_weight_zero_are_not_used(make, answer):
    images, targets = make()
    # An equal number of images that would change the result.
    others, other_targets = make_sides(seed=1) if answer else make_bands(n_classes=2, seed=1)
    weights = np.tile([1.0, 0.0], 300)
    both = np.stack([images, others], axis=1).reshape(-1, SIDE, SIDE, 1)
    labels = np.stack([targets, other_targets], axis=1).ravel()
    assert is_flip_invariant(take(both, labels, weights)) is answer
    assert is_flip_invariant(take(both, labels, 1 - weights)) is not answer


# Types of images and labels


@pytest.mark.parametrize(("make", "answer"), [(make_bands, True), (make_sides, False)])
def test_files_give_the_same_decision_as_their_pixels(make, answer, tmp_path):
    images, targets = make(120)
    paths = [tmp_path / f"{number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image[..., 0]).save(path)
    files = ImageFiles.from_items(find_items(paths))
    assert is_flip_invariant(take(LazyImages(files), targets)) is answer


def test_lazy_images_are_used_without_random_steps():
    """Deterministic steps are applied, random steps are not."""
    images, targets = make_bands(n_classes=2)
    images = LazyImages(images)
    assert is_flip_invariant(take(images.then(Transpose(is_random=True)), targets))
    assert not is_flip_invariant(take(images.then(Transpose(is_random=False)), targets))


@pytest.mark.parametrize(("make", "answer"), [(make_bands, True), (make_sides, False)])
def test_multilabel_targets(make, answer):
    first, targets = make()
    second, more_targets = make(seed=1)
    indicator = np.zeros((len(first), 3), np.float32)
    indicator[np.arange(len(first)), targets] = 1
    indicator[np.arange(len(first)), more_targets] = 1
    images = np.maximum(first, second)
    assert is_flip_invariant(take(images, indicator)) is answer


def test_the_images_are_not_changed():
    images, targets = make_bands()
    before = images.copy()
    images.flags.writeable = False
    is_flip_invariant(take(images, targets))
    np.testing.assert_array_equal(images, before)
