"""The residual network on CIFAR-10: one epoch, a few epochs, and as many as 94% accuracy needs.

Accuracies are means over three seeds on the 10,000 test images. The parameters of each fit were
chosen on 5,000 of the training images.
"""

from _data import load_cifar10
from _fits import residual_net_row
from _report import show


def rows():
    data = load_cifar10()
    yield residual_net_row(
        "ResNetImageClassifier on CIFAR-10, one pass, widths (32, 64, 64), learning rate 0.2",
        data,
        at_least=0.80,
        within=40,
        widths=(32, 64, 64),
        max_iter=1,
        learning_rate_init=0.2,
    )
    yield residual_net_row(
        "ResNetImageClassifier() on CIFAR-10, defaults",
        data,
        at_least=0.90,
        within=270,
    )
    yield residual_net_row(
        "ResNetImageClassifier on CIFAR-10, widths (64, 256, 256), 15 epochs",
        data,
        at_least=0.94,
        within=960,
        widths=(64, 256, 256),
        max_iter=15,
    )


if __name__ == "__main__":
    show(rows())
