"""Muon, an optimizer for convolutional networks."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from skimgcls._training._adamw import AdamW

# Coefficients of the polynomial of Muon that moves singular values towards 1, and its iterations.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 3
# Learning rate of AdamW as a fraction of that of the filters.
_OTHERS = 0.05


class Muon(AdamW):
    """Update filters along their orthogonalized momentum, and all other weights with AdamW.

    A filter bank (out, in, height, width) is a matrix of `out` rows. Before each step it is scaled
    so that the root mean square of the row norms is 1, and only its direction is learned. The
    layer must be followed by batch normalization, which makes its scale irrelevant. (Jordan et
    al., "Muon: An optimizer for hidden layers in neural networks", 2024, with Nesterov momentum.)

    Parameters
    ----------
    params : iterable of dict
        Groups of weights, ``{"params": [...]}``. Weights of four dimensions are filters.
    lr : float
        Learning rate of the filters, relative to their norm. The learning rate of AdamW is 1/20 of
        it.
    momentum : float
        Momentum of the filters.
    weight_decay : float
        Weight decay of AdamW.
    autocast : bool
        Whether to orthogonalize in bfloat16.
    """

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float,
        *,
        momentum: float = 0.6,
        weight_decay: float = 0.0,
        autocast: bool = False,
    ) -> None:
        self.autocast = autocast
        filters: list[torch.Tensor] = []
        others: list[torch.Tensor] = []
        for weights in (weights for group in params for weights in group["params"]):
            (filters if weights.ndim == 4 else others).append(weights)
        groups = [
            {"params": filters, "lr_scale": 1.0, "momentum": momentum},
            {"params": others, "lr_scale": _OTHERS, "lr": lr * _OTHERS},
        ]
        super().__init__(groups, lr=lr, weight_decay=weight_decay)

    @torch.no_grad()
    def update(self) -> None:
        """Take one step, first of the filters, then of the other weights."""
        group = self.param_groups[0]
        for weights in group["params"]:
            if weights.grad is not None:
                self._step_filters(weights, group["lr"], group["momentum"])
                # AdamW skips weights without gradient.
                weights.grad = None
        super().update()

    def _groups(self) -> list[dict[str, Any]]:
        return self.param_groups[1:]

    def _step_filters(self, weights: nn.Parameter, lr: float, momentum: float) -> None:
        state = self.state[weights]
        if not state:
            # AdamW expects a step count when a state is loaded.
            state["step"] = torch.zeros(())
            state["momentum"] = torch.zeros_like(weights)
        gradient, mean = weights.grad, state["momentum"]
        assert gradient is not None
        mean.mul_(momentum).add_(gradient)
        direction = gradient.add(mean, alpha=momentum).flatten(1)
        direction = orthogonalized(direction.bfloat16() if self.autocast else direction)
        weights.mul_(len(weights) ** 0.5 / weights.norm())
        weights.add_(direction.reshape(weights.shape).to(weights.dtype), alpha=-lr)


def orthogonalized(matrix: torch.Tensor) -> torch.Tensor:
    """Return a matrix with the same singular vectors and singular values of about 1.

    >>> matrix = torch.tensor([[3.0, 0.0, 0.0], [0.0, 0.0, 2.0]], dtype=torch.float64)
    >>> orthogonalized(matrix).round(decimals=1)
    tensor([[1.0000, 0.0000, 0.0000],
            [0.0000, 0.0000, 0.8000]], dtype=torch.float64)
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / (x.norm() + 1e-7)
    a, b, c = _QUINTIC
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if is_tall else x
