"""AdamW for small networks, in which the overhead of a step takes longer than the step."""

from collections.abc import Callable
from operator import is_
from typing import Any, NamedTuple

import torch

from skimgcls.utils._torch_compat import fused_adamw_step

_Group = dict[str, Any]


class _Lists(NamedTuple):
    """The weights of one group that are updated, and their moments."""

    weights: list[torch.Tensor]
    means: list[torch.Tensor]
    squares: list[torch.Tensor]


class AdamW(torch.optim.AdamW):
    """AdamW in one pass over the weights of a group, which are gathered once.

    The steps are bit-for-bit those of ``torch.optim.AdamW`` with ``fused=True`` (Loshchilov and
    Hutter, "Decoupled Weight Decay Regularization", 2019). In each step, torch groups the weights
    by device and dtype and updates one step count per weight. For a small network this takes
    longer than the step itself.
    """

    _lists: list[_Lists]
    _count: torch.Tensor

    def __init__(
        self,
        params: Any,
        lr: float,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, fused=True)
        self._forget()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._forget()

    def __getstate__(self) -> dict[str, Any]:
        self._write_counts()
        return super().__getstate__()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all weights and the settings of all groups."""
        self._write_counts()
        return super().state_dict()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; `closure`, if given, computes the loss and the gradients first."""
        result = None
        if closure is not None:
            with torch.enable_grad():
                result = closure()
        self.update()
        return result

    @torch.no_grad()
    def update(self) -> None:
        """Take one step without the hooks and profiling that torch adds to a step."""
        groups = self._groups()
        taken = [
            [weight for weight in group["params"] if weight.grad is not None] for group in groups
        ]
        if not self._is_gathered(taken):
            # The first step, which creates the state; or a step that updates other weights.
            self._write_counts()
            super().step()
            self._gather(taken)
            return
        self._count += 1
        for group, lists in zip(groups, self._lists, strict=True):
            if not lists.weights:
                continue
            gradients: list[Any] = [weight.grad for weight in lists.weights]
            fused_adamw_step(
                lists.weights,
                gradients,
                lists.means,
                lists.squares,
                [],
                [self._count] * len(lists.weights),
                lr=group["lr"],
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )

    def _groups(self) -> list[_Group]:
        """Return the groups to update; a subclass may exclude some."""
        return self.param_groups

    def _is_gathered(self, taken: list[list[torch.Tensor]]) -> bool:
        """Return whether the weights to update are the gathered ones, in each group."""
        # Compared by identity, because `==` compares the values of tensors.
        return len(taken) == len(self._lists) and all(
            len(weights) == len(lists.weights) and all(map(is_, weights, lists.weights))
            for weights, lists in zip(taken, self._lists, strict=True)
        )

    def _gather(self, taken: list[list[torch.Tensor]]) -> None:
        """Create the lists of each group, if all weights have the same step count."""
        self._forget()
        states = [self.state[weight] for weights in taken for weight in weights]
        if len({float(state["step"]) for state in states}) == 1:
            self._count = states[0]["step"].clone()
            self._lists = [
                _Lists(
                    weights,
                    [self.state[weight]["exp_avg"] for weight in weights],
                    [self.state[weight]["exp_avg_sq"] for weight in weights],
                )
                for weights in taken
            ]

    def _write_counts(self) -> None:
        """Write the step count to the state of each weight."""
        for weight in (weight for lists in self._lists for weight in lists.weights):
            self.state[weight]["step"].copy_(self._count)

    def _forget(self) -> None:
        self._lists = []
        # One step count for all weights, because they are updated together.
        self._count = torch.zeros(())
