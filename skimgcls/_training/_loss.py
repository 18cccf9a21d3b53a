"""The training loss, with class weights and sample weights."""

import torch

from skimgcls._training._batches import TrainingImages
from skimgcls.nets import WeightedLoss
from skimgcls.utils._target_encoder import ClassWeight, TargetEncoder


def make_loss(
    encoder: TargetEncoder,
    class_weight: ClassWeight,
    train: TrainingImages,
    label_smoothing: float = 0.0,
) -> tuple[WeightedLoss, TrainingImages]:
    """Return the loss, and the images with weights of mean 1 that include the class weights.

    For multilabel targets, the class weights are part of the loss instead.
    """
    weights = train.row_weights
    by_class = encoder.class_weights(class_weight, train.row_targets, weights)
    if encoder.multilabel:
        positive = None if by_class is None else torch.from_numpy(by_class)
        loss = WeightedLoss(
            multilabel=True, positive_weight=positive, label_smoothing=label_smoothing
        )
        return loss, train.normalized()
    if by_class is not None:
        weights = (1.0 if weights is None else weights) * by_class[train.row_targets]
        if not weights.any():
            raise ValueError(
                f"class_weight={class_weight} leaves no image to train on: all samples belong to "
                "classes of weight 0. Expected a positive weight for at least one of them."
            )
        train = train.reweighted(weights)
    return WeightedLoss(label_smoothing=label_smoothing), train.normalized()
