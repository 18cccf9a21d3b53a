"""Metrics of an epoch."""

from typing import Any

import torch

# Number of steps whose logits are evaluated together.
_TALLY_EVERY = 64


class EpochMetrics:
    """Loss and accuracy over the batches of an epoch, with few reads from the device."""

    def __init__(self, multilabel: bool) -> None:
        self.multilabel = multilabel
        self.steps: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None]] = []
        self.loss = self.right = self.weight = 0.0
        self.n = 0

    def add(self, step: dict[str, torch.Tensor], truth: tuple[torch.Tensor, Any]) -> None:
        self.steps.append((step["loss"], step["y_pred"], *truth))
        if len(self.steps) == _TALLY_EVERY:
            self._count()

    def means(self) -> tuple[float, float]:
        """Return the mean loss and the weighted accuracy."""
        self._count()
        return self.loss / self.n, self.right / self.weight

    @torch.no_grad()
    def _count(self) -> None:
        if not self.steps:
            return
        losses, logits, targets, weights = zip(*self.steps, strict=True)
        self.steps = []
        sizes = torch.tensor([len(batch) for batch in targets], dtype=torch.float64)
        self.loss += float(torch.stack(losses).double().cpu() @ sizes)
        self.n += int(sizes.sum())
        right = _is_right(torch.cat(logits), torch.cat(targets), self.multilabel).double()
        weight = torch.ones_like(right) if weights[0] is None else torch.cat(weights).double()
        self.right += float(right @ weight)
        self.weight += float(weight.sum())


def _is_right(logits: torch.Tensor, targets: torch.Tensor, multilabel: bool) -> torch.Tensor:
    """Return for each row whether the predicted label, or all predicted labels, are correct.

    The label of a mixed image is that of the larger part.
    """
    if multilabel:
        return ((logits > 0) == (targets > 0.5)).all(dim=1)
    return logits.argmax(dim=1) == (targets if targets.ndim == 1 else targets.argmax(dim=1))
