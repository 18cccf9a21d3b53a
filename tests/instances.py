"""Small instances of the classifiers, for tests that fit them many times.

They are used in tests of contracts, other libraries and saved files, which do not depend on
accuracy. ``test_common.py`` runs scikit-learn's checks on the default constructors.
"""

from torch import nn

from skimgcls import (
    AutoImageClassifier,
    CNNImageClassifier,
    MLPImageClassifier,
    ModuleImageClassifier,
    PretrainedImageClassifier,
    ResNetImageClassifier,
)

# Constructor parameters of the small instances. All of them learn the stripes in 20 steps.
INIT_PARAMS = {
    AutoImageClassifier: {
        "candidates": [
            ("mlp", MLPImageClassifier(32, learning_rate_init=0.01, max_iter=30)),
            ("cnn", CNNImageClassifier((8,), hidden_layer_sizes=16, max_iter=3)),
        ]
    },
    CNNImageClassifier: {
        "conv_channels": (8,),
        "hidden_layer_sizes": (16,),
        "learning_rate_init": 0.01,
    },
    MLPImageClassifier: {"hidden_layer_sizes": (32,), "learning_rate_init": 0.01},
    ModuleImageClassifier: {},
    # A test network of timm with batch normalization.
    PretrainedImageClassifier: {
        "backbone": "timm:test_resnet",
        "weights": None,
        "trainable": "all",
    },
    ResNetImageClassifier: {"widths": (8, 8)},
}


def make_small(classifier, **params):
    """Return a small instance of a classifier class; `params` override its parameters."""
    return classifier(**{**INIT_PARAMS[classifier], **params})


def make_custom_module(image_shape, n_outputs):
    """Return a module with the names that modules of the library have, too."""
    net = nn.Sequential()
    net.add_module("body", nn.Conv2d(image_shape[2], 3, 3))
    net.add_module("net", nn.Sequential(nn.ReLU(), nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(2)))
    net.add_module("flat", nn.Flatten())
    net.add_module("head", nn.Linear(12, n_outputs))
    return net
