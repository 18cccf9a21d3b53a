"""Image classifiers with the scikit-learn interface, built on torch."""

from skimgcls.classifiers._automatic import AutoImageClassifier
from skimgcls.classifiers._base import BaseImageClassifier
from skimgcls.classifiers._cnn import CNNImageClassifier
from skimgcls.classifiers._mlp import MLPImageClassifier
from skimgcls.classifiers._module import ModuleImageClassifier
from skimgcls.classifiers._pretrained import PretrainedImageClassifier
from skimgcls.classifiers._reject_option import RejectOptionClassifier
from skimgcls.classifiers._resnet import ResNetImageClassifier

__all__ = [
    "AutoImageClassifier",
    "BaseImageClassifier",
    "CNNImageClassifier",
    "MLPImageClassifier",
    "ModuleImageClassifier",
    "PretrainedImageClassifier",
    "RejectOptionClassifier",
    "ResNetImageClassifier",
]
