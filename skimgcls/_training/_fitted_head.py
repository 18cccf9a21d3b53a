"""Fit the last layer of a network instead of training it."""

import math
import time

import numpy as np
import torch

from skimgcls._training._batches import TrainingImages
from skimgcls._training._inference import evaluation_batch_size
from skimgcls._training._logistic import fit_logistic
from skimgcls._training._trainer import TrainingNet
from skimgcls.nets import WeightedLoss


def fit_head(
    net: TrainingNet,
    loss: WeightedLoss,
    train: TrainingImages,
    valid: TrainingImages | None,
    rng: np.random.RandomState,
) -> tuple[list[dict[str, float]], float]:
    """Set the head to the optimum of the penalized loss on features.

    Parameters
    ----------
    net : TrainingNet
        The head of its module is a PowerNorm, a dropout and a dense layer.
    loss : WeightedLoss
    train, valid : TrainingImages
        The images are features of shape (n, 1, 1, n_features).
    rng : RandomState
        Draws the folds of the cross-validation.

    Returns
    -------
    epochs : list of dict
        One epoch with the metrics of the fitted head.
    alpha : float
        The L2 penalty.
    """
    start = time.perf_counter()
    dense = net.module_.get_submodule("head.2")
    features = torch.from_numpy(np.asarray(train.images.source)[train.rows])
    with torch.no_grad():
        normalized = net.module_.get_submodule("head.0")(features.double()).numpy()
    positive = loss.positive_weight
    found = fit_logistic(
        normalized,
        train.row_targets,
        train.row_weights,
        dense.out_features,  # type: ignore[arg-type]
        positive_weight=None if positive is None else positive.numpy(),
        rng=rng,
    )
    dense.load_state_dict(
        {"weight": torch.from_numpy(found.coef), "bias": torch.from_numpy(found.intercept)}
    )
    batch_format = net.iterator_valid__batch_format
    net.criterion_ = loss.to(batch_format.device, batch_format.dtype)
    net.rounded_, net.on_features_ = None, True
    net.iterator_train__standardize = net.iterator_valid__standardize = None
    net.iterator_valid__batch_size = evaluation_batch_size(train.images.image_shape)
    metrics = _measure(net, train, valid)
    metrics |= {"learning_rate": math.nan, "seconds": time.perf_counter() - start}
    for name, value in metrics.items():
        net.history.record(name.replace("validation", "valid"), value)
    return [metrics], found.alpha


def _measure(
    net: TrainingNet, train: TrainingImages, valid: TrainingImages | None
) -> dict[str, float]:
    """Return loss and accuracy, recorded as an epoch in the history of the network."""
    net.history.new_epoch()
    net.history.record("epoch", len(net.history))
    found: dict[str, float] = {}
    for name, images in (("train", train), ("validation", valid)):
        if images is None:
            found |= {f"{name}_loss": math.nan, f"{name}_accuracy": math.nan}
            continue
        batches = net.get_iterator(images, training=False)
        net.run_single_epoch(batches, False, name, net.validation_step)
        found |= {key: net.history[-1, key] for key in (f"{name}_loss", f"{name}_accuracy")}
    return found
