"""An epoch that skorch drives, against the fastest plain PyTorch loop for the same net.

The loop has its images as one float tensor, standardised beforehand, takes batches by index, and
keeps no history, no accuracy and no progress. Same net, initialisation, batch size, optimizer,
precision and memory layout. The two sides alternate in one process.
"""

import time
from statistics import median

import numpy as np
import torch
from _data import load_fashion_mnist
from _report import ratio_row, show
from sklearn.datasets import load_digits
from torch.nn import functional

from skimgcls import CNNImageClassifier, MLPImageClassifier
from skimgcls.nets import CNN, MLP


def seconds_of_ours(estimator, X, y):
    """Return the median seconds of an epoch of `fit`."""
    return median(estimator.fit(X, y).history_["seconds"])


def seconds_of_loop(module, X, y, *, batch_size, n_epochs):
    """Return the median seconds of an epoch of a loop written by hand."""
    pixels = (X - X.mean()) / X.std()
    images = torch.from_numpy(pixels.astype(np.float32)).reshape(len(X), *X.shape[1:3], 1)
    images = images.permute(0, 3, 1, 2)
    targets = torch.from_numpy(y.astype(np.int64))
    module = module.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=2e-3, weight_decay=0.1, fused=True)
    seconds = []
    for _ in range(n_epochs):
        start = time.perf_counter()
        total = torch.zeros(())
        for index in torch.randperm(len(images)).split(batch_size):
            loss = functional.cross_entropy(module(images[index]), targets[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(index)
        total.item()
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def compare(estimator, module, X, y, *, batch_size, n_epochs, n_pairs):
    """Return the seconds of both sides, measured in turn."""
    estimator.set_params(batch_size=batch_size, max_iter=n_epochs, random_state=0)
    # Neither side pays for what torch imports at its first step.
    seconds_of_ours(estimator, X[:1000], y[:1000])
    pairs = [
        (
            seconds_of_ours(estimator, X, y),
            seconds_of_loop(module(), X, y, batch_size=batch_size, n_epochs=n_epochs),
        )
        for _ in range(n_pairs)
    ]
    return zip(*pairs, strict=True)


def main():
    images, labels, *_ = load_fashion_mnist()
    ours, theirs = compare(
        CNNImageClassifier(),
        lambda: CNN((28, 28, 1), 10),
        images,
        labels,
        batch_size=128,
        n_epochs=1,
        n_pairs=5,
    )
    what = "Epoch of CNNImageClassifier against a plain torch loop, Fashion-MNIST, batch 128"
    show([ratio_row(what, ours, theirs, at_most=1.10)])
    digits = load_digits()
    ours, theirs = compare(
        # Without stopping early, so that both sides train as many epochs.
        MLPImageClassifier(n_iter_no_change=10_000),
        lambda: MLP((8, 8, 1), 10),
        digits.images,
        digits.target,
        batch_size=64,
        n_epochs=60,
        n_pairs=7,
    )
    what = "Epoch of MLPImageClassifier against a plain torch loop, digits, batch 64"
    show([ratio_row(what, ours, theirs, at_most=1.25)])


if __name__ == "__main__":
    main()
