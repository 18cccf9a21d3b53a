"""Fraction of the CPU's arithmetic rate that a fit of the residual network reaches.

The rate of a fit is the number of operations of the forward and backward passes, counted by torch,
divided by the seconds of an epoch. Augmentation and the optimizer take time, but their operations
are not counted. The rate is compared with the fastest single convolution on the same machine.
"""

import time
from statistics import median

import torch
from _data import load_cifar10
from _report import Row, show
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from skimgcls import ResNetImageClassifier

WIDTHS, N_IMAGES, N_EPOCHS = (64, 256, 256), 10_000, 3
# Input channels, output channels and side of the convolutions, including those of the network.
CONVOLUTIONS = [(64, 64, 15), (64, 256, 15), (256, 256, 7), (256, 256, 15), (512, 512, 8)]
BATCH_SIZE, N_CALLS = 250, 9


def rate_of_convolution(n_in, n_out, side, dtype):
    """Return the highest number of operations per second of a forward pass."""
    batch = torch.randn(BATCH_SIZE, n_in, side, side).to(dtype)
    batch = batch.contiguous(memory_format=torch.channels_last)
    filters = torch.randn(n_out, n_in, 3, 3).to(dtype, memory_format=torch.channels_last)
    seconds = []
    for _ in range(N_CALLS):
        start = time.perf_counter()
        functional.conv2d(batch, filters, padding=1)
        seconds.append(time.perf_counter() - start)
    return 2 * 9 * n_in * n_out * side**2 * BATCH_SIZE / min(seconds)


def operations_of_an_image(clf, image_shape):
    """Return the number of operations of a forward and a backward pass."""
    height, width, channels = image_shape
    batch = torch.zeros(1, channels, height, width)
    counter = FlopCounterMode(display=False)
    with counter:
        clf.net_.module_.train()(batch.repeat(2, 1, 1, 1)).sum().backward()
    clf.net_.module_.eval()
    return counter.get_total_flops() / 2


def main():
    X, y, *_ = load_cifar10()
    clf = ResNetImageClassifier(WIDTHS, max_iter=N_EPOCHS, batch_size=250, random_state=0)
    seconds = median(clf.fit(X[:N_IMAGES], y[:N_IMAGES]).history_["seconds"])
    rate = operations_of_an_image(clf, X.shape[1:]) * N_IMAGES / seconds
    dtype = torch.bfloat16 if clf.precision_ == "bfloat16" else torch.float32
    best = max(rate_of_convolution(*convolution, dtype) for convolution in CONVOLUTIONS)
    figure = f"{rate / best:.0%} ({rate / 1e9:.0f} of {best / 1e9:.0f} billion operations a second)"
    what = f"Arithmetic of a fit of ResNetImageClassifier, widths {WIDTHS}, {clf.precision_}"
    show([Row(what, "at least 55% of the best convolution", figure, bool(rate >= 0.55 * best))])


if __name__ == "__main__":
    main()
