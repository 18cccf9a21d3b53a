"""Augmentation of a whole batch, against image by image and against a training step.

Batches of 512 color images of 32 by 32 pixels are flipped, rotated, zoomed and shifted, and their
brightness is changed. torchvision applies the same operations image by image, as in a data loader.
Both sides start from float tensors, and they alternate in one process.
"""

import time

import torch
from _report import ratio_row, show
from torch.nn import functional
from torchvision.transforms import InterpolationMode, v2

from skimgcls._augmentation._policy import AugmentationPolicy, apply_policy, draw_policy
from skimgcls.nets import CNN

IMAGE_SHAPE = (32, 32, 3)
N_IMAGES = 512
POLICY = AugmentationPolicy(horizontal_flip=0.5, rotation=15, zoom=0.1, shift=0.1, brightness=0.2)


def make_ours(batch):
    """Return a function that draws for the whole batch and augments it."""
    generator = torch.Generator().manual_seed(0)
    black, white = torch.zeros(3), torch.ones(3)

    def augment():
        draws = draw_policy(POLICY, len(batch), IMAGE_SHAPE, generator)
        return apply_policy(batch, draws, POLICY, black, white)

    return augment


def make_theirs(batch):
    """Return a function that augments image by image with torchvision."""
    images = list(batch.contiguous())
    transform = v2.Compose(
        [
            v2.RandomHorizontalFlip(),
            v2.RandomAffine(
                degrees=15,
                translate=(0.1, 0.1),
                scale=(0.9, 1.1),
                interpolation=InterpolationMode.BILINEAR,
            ),
            v2.ColorJitter(brightness=0.2),
        ]
    )
    return lambda: [transform(image) for image in images]


def make_step(batch):
    """Return a function that takes one training step of the default convolutional net."""
    module = CNN(IMAGE_SHAPE, 10).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=2e-3, weight_decay=0.1, fused=True)
    targets = torch.arange(len(batch)) % 10

    def step():
        loss = functional.cross_entropy(module(batch), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def seconds_of(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(ours, theirs, *, n_pairs):
    """Return the alternating measurements of both sides in seconds."""
    # The first call of each side is not timed.
    ours(), theirs()
    pairs = [(seconds_of(ours), seconds_of(theirs)) for _ in range(n_pairs)]
    return zip(*pairs, strict=True)


def main():
    torch.manual_seed(0)
    # Channels last in memory, as in batches of images.
    batch = torch.rand(N_IMAGES, *IMAGE_SHAPE).permute(0, 3, 1, 2)
    ours, theirs = compare(make_ours(batch), make_theirs(batch), n_pairs=15)
    what = "Augmentation of 512 images 32x32x3 at once against torchvision image by image"
    show([ratio_row(what, ours, theirs, at_most=1 / 8)])
    ours, theirs = compare(make_ours(batch), make_step(batch), n_pairs=15)
    what = "Augmentation of 512 images 32x32x3 against a training step of the default CNN on them"
    show([ratio_row(what, ours, theirs, at_most=0.25)])


if __name__ == "__main__":
    main()
