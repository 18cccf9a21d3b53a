"""torch modules: float batches (n, channels, height, width) in, logits (n, n_outputs) out."""

from skimgcls.nets._batch_norm_2d import BatchNorm2d, with_weights
from skimgcls.nets._cnn import CNN
from skimgcls.nets._feature_net import FeatureNet
from skimgcls.nets._layers import ACTIVATIONS, DenseHead
from skimgcls.nets._loss import WeightedLoss
from skimgcls.nets._mlp import MLP
from skimgcls.nets._norm import BatchNorm
from skimgcls.nets._resnet import ResNet
from skimgcls.nets._standardize import Standardize
from skimgcls.nets._transfer_net import TransferNet
from skimgcls.nets._views import AveragedViews
from skimgcls.nets._weighing import weighing
from skimgcls.nets._whitening import Whitening

__all__ = [
    "ACTIVATIONS",
    "CNN",
    "MLP",
    "AveragedViews",
    "BatchNorm",
    "BatchNorm2d",
    "DenseHead",
    "FeatureNet",
    "ResNet",
    "Standardize",
    "TransferNet",
    "WeightedLoss",
    "Whitening",
    "weighing",
    "with_weights",
]
