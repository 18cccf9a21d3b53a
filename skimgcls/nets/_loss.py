"""The training loss."""

import torch
from torch import nn
from torch.nn import functional


class WeightedLoss(nn.Module):
    """Mean of the weighted cross-entropy over a batch.

    The sum is divided by the number of rows, not by the sum of their weights. If the weights of the
    training set have mean 1, each row then has the same weight in any batch.

    Parameters
    ----------
    multilabel : bool
        Use the mean of the binary cross-entropies of the outputs instead of the softmax
        cross-entropy.
    positive_weight : tensor of shape (n_outputs,), default=None
        Weight of the positive class of each output, with `multilabel`.
    label_smoothing : float
        Fraction of each target that is spread over all classes (Szegedy et al., "Rethinking the
        Inception Architecture", 2016); with `multilabel`, over 0 and 1 of each label.
    """

    positive_weight: torch.Tensor | None

    def __init__(
        self,
        *,
        multilabel: bool = False,
        positive_weight: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.multilabel = multilabel
        self.label_smoothing = label_smoothing
        self.register_buffer("positive_weight", positive_weight)

    def forward(
        self, logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the loss of logits (n, k) for targets (n,) int64 or (n, k) float."""
        reduction = "mean" if weights is None else "none"
        if self.multilabel:
            targets = targets.to(logits.dtype)
            losses = functional.binary_cross_entropy_with_logits(
                logits,
                torch.lerp(targets, torch.full_like(targets, 0.5), self.label_smoothing),
                pos_weight=self.positive_weight,
                reduction=reduction,
            )
        else:
            losses = functional.cross_entropy(
                logits, targets, reduction=reduction, label_smoothing=self.label_smoothing
            )
        if weights is None:
            return losses
        return (losses.mean(dim=1) if self.multilabel else losses).mul(weights).mean()
