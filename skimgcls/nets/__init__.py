"""torch modules that map batches (n, channels, height, width) to logits (n, n_outputs)."""

from skimgcls.nets._batch_norm_2d import BatchNorm2d, with_weights
from skimgcls.nets._cnn import CNN
from skimgcls.nets._efficientnet_lite import EfficientNetLite0
from skimgcls.nets._feature_extractor import FeatureExtractor
from skimgcls.nets._image_network import ImageNetwork
from skimgcls.nets._layers import ACTIVATIONS, DenseHead
from skimgcls.nets._loss import WeightedLoss
from skimgcls.nets._mlp import MLP
from skimgcls.nets._norm import BatchNorm
from skimgcls.nets._old_names import rename_old_weights
from skimgcls.nets._power_norm import PowerNorm
from skimgcls.nets._resnet import ResNet
from skimgcls.nets._sample_weight import sample_weights_in
from skimgcls.nets._standardize import Standardize
from skimgcls.nets._test_time_augmentation import TestTimeAugmentation
from skimgcls.nets._transfer_net import TransferNet
from skimgcls.nets._whitening import Whitening

__all__ = [
    "ACTIVATIONS",
    "CNN",
    "MLP",
    "BatchNorm",
    "BatchNorm2d",
    "DenseHead",
    "EfficientNetLite0",
    "FeatureExtractor",
    "ImageNetwork",
    "PowerNorm",
    "ResNet",
    "Standardize",
    "TestTimeAugmentation",
    "TransferNet",
    "WeightedLoss",
    "Whitening",
    "rename_old_weights",
    "sample_weights_in",
    "with_weights",
]
