"""An epoch of CNNImageClassifier, run by skorch, against the fastest plain PyTorch loop.

The loop has its images in one tensor, already standardized and in the precision of the network. It
takes batches by index, and records no history, training accuracy or progress. Both sides have the
same network, initialization, batch size, optimizer, precision and memory layout. With early
stopping, the loop holds out as many images and computes the accuracy on them after each epoch. The
two sides alternate in one process.
"""

import time
from contextlib import nullcontext
from math import ceil
from statistics import median

import numpy as np
import torch
from _data import load_cifar10, load_fashion_mnist
from _peers import precision_of
from _report import ratio_row, show
from _timing import in_turn
from sklearn.datasets import load_digits
from torch.nn import functional

from skimgcls import CNNImageClassifier, MLPImageClassifier
from skimgcls.nets import CNN, MLP

# Number of images used from each dataset.
N_IMAGES = {"Fashion-MNIST": 60_000, "CIFAR-10": 20_000, "digits": 1_797}
# For the warm-up: the first steps import and initialize modules.
N_WARM_UP = 1_000
N_PAIRS = 5
# A number of images for which the maps of the first layer fit in the cache.
EVALUATION_BATCH_SIZE = 256


class Loop:
    """A hand-written training loop.

    Attributes
    ----------
    images, targets : tensor
        Input of the network: standardized, channels last in memory, in the precision of the
        network, which under autocast is faster than any other.
    n_held_out : int
        Number of images, at the end, held out for validation.
    """

    def __init__(self, module, X, y, *, precision, batch_size, held_out=0.0):
        self.n_held_out = ceil(held_out * len(X))
        self.batch_size = batch_size
        self.dtype = getattr(torch, precision)
        images = X.reshape(*X.shape[:3], -1).astype(np.float32)
        axes = (0, 1, 2)
        images = (images - images.mean(axis=axes)) / images.std(axis=axes)
        self.images = torch.from_numpy(images).to(self.dtype).permute(0, 3, 1, 2)
        self.targets = torch.from_numpy(y.astype(np.int64))
        # Under bfloat16 autocast the weights stay float32.
        weights = torch.float64 if self.dtype is torch.float64 else torch.float32
        self.module = module.to(weights, memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(
            self.module.parameters(), lr=2e-3, weight_decay=0.1, fused=True
        )

    def casts(self):
        half = self.dtype is torch.bfloat16
        return torch.autocast("cpu", torch.bfloat16) if half else nullcontext()

    def seconds(self):
        """Return the seconds of an epoch."""
        start = time.perf_counter()
        self.train()
        if self.n_held_out:
            self.validate()
        return time.perf_counter() - start

    def train(self):
        module, optimizer, total = self.module.train(), self.optimizer, torch.zeros(())
        order = torch.randperm(len(self.images) - self.n_held_out)
        for index in order.split(self.batch_size):
            with self.casts():
                loss = functional.cross_entropy(module(self.images[index]), self.targets[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total.add_(loss.detach(), alpha=len(index))
        return total.item() / len(order)

    def validate(self):
        module, n_right = self.module.eval(), torch.zeros((), dtype=torch.int64)
        images, targets = self.images[-self.n_held_out :], self.targets[-self.n_held_out :]
        with torch.inference_mode(), self.casts():
            batches = zip(
                images.split(EVALUATION_BATCH_SIZE),
                targets.split(EVALUATION_BATCH_SIZE),
                strict=True,
            )
            for batch, truth in batches:
                n_right += (module(batch).argmax(dim=1) == truth).sum()
        return n_right.item() / self.n_held_out


def compare(clf, make_module, X, y, *, n_epochs, n_pairs=N_PAIRS):
    """Return the median seconds of an epoch for each side, from alternating measurements."""
    # Never stop before the last epoch, so both sides train for the same number of epochs.
    clf.set_params(max_iter=n_epochs, n_iter_no_change=10_000, random_state=0)

    def seconds_of_ours():
        return median(clf.fit(X, y).history_["seconds"])

    def seconds_of_loop():
        loop = Loop(
            make_module(),
            X,
            y,
            # From the preceding fit.
            precision=precision_of(clf),
            batch_size=clf.batch_size,
            held_out=clf.validation_fraction if clf.early_stopping else 0.0,
        )
        return median(loop.seconds() for _ in range(n_epochs))

    # The first steps, in which torch imports and initializes modules, are not timed.
    clf.fit(X[:N_WARM_UP], y[:N_WARM_UP])
    return in_turn(seconds_of_ours, seconds_of_loop, n_rounds=n_pairs)


def fashion_mnist_row():
    X, y = (array[: N_IMAGES["Fashion-MNIST"]] for array in load_fashion_mnist()[:2])
    clf = CNNImageClassifier(batch_size=128, early_stopping=False)
    ours, theirs = compare(clf, lambda: CNN((28, 28, 1), 10), X, y, n_epochs=1)
    what = "Epoch of CNNImageClassifier against a plain torch loop, Fashion-MNIST, batch 128"
    return ratio_row(what, ours, theirs, at_most=1.10)


def cifar10_rows():
    X, y = (array[: N_IMAGES["CIFAR-10"]] for array in load_cifar10()[:2])
    for early_stopping in (False, True):
        clf = CNNImageClassifier(batch_size=128, early_stopping=early_stopping)
        ours, theirs = compare(clf, lambda: CNN((32, 32, 3), 10), X, y, n_epochs=1)
        what = (
            f"Epoch of CNNImageClassifier, early_stopping={early_stopping}, against a plain torch "
            f"loop, {len(X):,} images of CIFAR-10, batch 128, "
            f"{precision_of(clf)} on both sides"
        )
        yield ratio_row(what, ours, theirs, at_most=1.10)


def digits_row():
    digits = load_digits()
    X, y = digits.images[: N_IMAGES["digits"]], digits.target[: N_IMAGES["digits"]]
    clf = MLPImageClassifier(batch_size=64, early_stopping=False)
    ours, theirs = compare(clf, lambda: MLP((8, 8, 1), 10), X, y, n_epochs=60, n_pairs=7)
    what = "Epoch of MLPImageClassifier against a plain torch loop, digits, batch 64"
    return ratio_row(what, ours, theirs, at_most=1.25)


def main():
    show([fashion_mnist_row()])
    show(cifar10_rows())
    show([digits_row()])


if __name__ == "__main__":
    main()
