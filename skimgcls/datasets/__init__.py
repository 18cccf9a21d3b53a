"""Load image folders, fetch public datasets and generate synthetic images."""

from skimgcls.datasets._cifar10 import fetch_cifar10
from skimgcls.datasets._fashion_mnist import fetch_fashion_mnist
from skimgcls.datasets._folder import load_image_folder
from skimgcls.datasets._mnist import fetch_mnist
from skimgcls.datasets._shapes import make_shapes

__all__ = [
    "fetch_cifar10",
    "fetch_fashion_mnist",
    "fetch_mnist",
    "load_image_folder",
    "make_shapes",
]
