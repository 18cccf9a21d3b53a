"""torch modules: float batches (n, channels, height, width) in, logits (n, n_outputs) out."""

from skimgcls.nets._cnn import CNN
from skimgcls.nets._layers import ACTIVATIONS, DenseHead
from skimgcls.nets._loss import WeightedLoss
from skimgcls.nets._mlp import MLP
from skimgcls.nets._standardize import Standardize

__all__ = ["ACTIVATIONS", "CNN", "MLP", "DenseHead", "Standardize", "WeightedLoss"]
