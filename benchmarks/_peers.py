"""Helpers of the benchmarks against other libraries.

The main one is the default network of CNNImageClassifier as users of skorch write it.
"""

import numpy as np
import torch
from skorch import NeuralNetClassifier
from torch import nn

BATCH_SIZE = 128


class TutorialNet(nn.Module):
    """Two convolutions and two dense layers, for images of 32 by 32 pixels and ten classes."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(8 * 8 * 64, 128),
            nn.ReLU(),
            nn.Linear(128, 10),
        )

    def forward(self, batch):
        return self.layers(batch)


def make_skorch():
    """Return skorch's classifier for one epoch, with its defaults where possible."""
    return NeuralNetClassifier(
        TutorialNet,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        max_epochs=1,
        batch_size=BATCH_SIZE,
        train_split=None,
        verbose=0,
    )


def as_floats(images):
    """Convert byte images to input of skorch: float32, standardized per channel, channels first."""
    pixels = images.astype(np.float32)
    pixels -= pixels.mean(axis=(0, 1, 2))
    pixels /= pixels.std(axis=(0, 1, 2))
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))


def as_codes(labels):
    """Return labels of any type as integers from 0."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def precision_of(clf):
    """Return the name of the floating-point type in which a fitted classifier computes."""
    return getattr(clf, "precision_", "float32")


def refuse_other_net(clf, n_parameters):
    """Raise an error if the fitted classifier and the other network differ in parameter count."""
    ours = sum(parameter.numel() for parameter in clf.net_.module_.parameters())
    if ours != n_parameters:
        raise RuntimeError(f"expected the same network, got {ours} and {n_parameters} parameters")
