"""mixup and CutMix: mix pairs of images and their targets."""

import math
import random
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class MixDraw:
    """Random numbers that define how one batch is mixed.

    Attributes
    ----------
    partner : int tensor of shape (n,)
        Index of the image that each image is mixed with: a permutation.
    share : float
        Weight of the image itself, from 0 to 1; the partner has the rest. For CutMix, the fraction
        of the area that is not replaced.
    box : tuple (top, bottom, left, right) or None
        The region that CutMix replaces; None for mixup.
    """

    partner: torch.Tensor
    share: float
    box: tuple[int, int, int, int] | None = None


def draw_mix(
    n: int,
    image_shape: tuple[int, int, int],
    mixup: float,
    cutmix: float,
    generator: torch.Generator,
) -> MixDraw | None:
    """Draw how a batch of `n` images is mixed; None if both alphas are zero.

    Parameters
    ----------
    n : int
    image_shape : tuple (height, width, channels)
    mixup, cutmix : float
        The weight of an image is drawn from Beta(alpha, alpha), once per batch (Zhang et al., 2018,
        arXiv:1710.09412; Yun et al., 2019, arXiv:1905.04899). If both alphas are positive, one of
        the two methods is chosen for each batch, with equal probability.
    generator : torch.Generator
        On the CPU; the only source of randomness.

    Examples
    --------
    >>> draw = draw_mix(4, (32, 32, 3), 0.2, 0, torch.Generator().manual_seed(0))
    >>> draw.partner.shape, 0 <= draw.share <= 1, draw.box
    (torch.Size([4]), True, None)
    """
    if mixup == 0 and cutmix == 0:
        return None
    partner = torch.randperm(n, generator=generator)
    # The public Beta distribution of torch does not accept a generator.
    rng = random.Random(int(torch.randint(2**62, (), generator=generator)))
    pastes = cutmix > 0 and (mixup == 0 or rng.random() < 0.5)
    alpha = cutmix if pastes else mixup
    share = rng.betavariate(alpha, alpha)
    if not pastes:
        return MixDraw(partner, share)
    height, width = image_shape[:2]
    top, bottom = _draw_interval(height, share, rng)
    left, right = _draw_interval(width, share, rng)
    n_pasted = (bottom - top) * (right - left)
    return MixDraw(partner, 1 - n_pasted / (height * width), (top, bottom, left, right))


def _draw_interval(size: int, share: float, rng: random.Random) -> tuple[int, int]:
    """Draw one side of the box: centered at any pixel and clipped at the border, as in CutMix."""
    length = int(size * math.sqrt(1 - share))
    start = rng.randrange(size) - length // 2
    return max(0, start), min(size, start + length)


def apply_mix(batch: torch.Tensor, draws: MixDraw) -> torch.Tensor:
    """Return a new batch (n, c, h, w) of mixed images, in the memory layout of the batch.

    >>> batch = torch.tensor([0.0, 8.0]).view(2, 1, 1, 1)
    >>> apply_mix(batch, MixDraw(torch.tensor([1, 0]), 0.75)).flatten()
    tensor([2., 6.])
    """
    partner = draws.partner.to(batch.device)
    result = torch.empty_like(batch)
    if draws.box is None:
        return torch.lerp(batch[partner], batch, draws.share, out=result)
    top, bottom, left, right = draws.box
    region = (..., slice(top, bottom), slice(left, right))
    result.copy_(batch)[region] = batch[region][partner]
    return result


def mix_targets(
    targets: torch.Tensor, weights: torch.Tensor | None, draws: MixDraw, n_outputs: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the targets and weights of the mixed images.

    The loss of a mixed image is the sum of the losses of its two targets, each multiplied by its
    sample weight and its share. For cross-entropy this equals the loss of one soft target with one
    weight, which are returned.

    Parameters
    ----------
    targets : tensor of shape (n,) int64 or (n, n_outputs) float
        Class indices, or an indicator.
    weights : tensor of shape (n,) or None
    draws : MixDraw
    n_outputs : int
        Number of classes, for class indices.

    Returns
    -------
    targets : float tensor of shape (n, n_outputs)
        Has the dtype of the indicator; for class indices, the dtype of the weights or the default.
    weights : tensor of shape (n,) or None

    Examples
    --------
    >>> draws = MixDraw(torch.tensor([1, 0]), 0.75)
    >>> mix_targets(torch.tensor([0, 1]), None, draws, 2)[0]
    tensor([[0.7500, 0.2500],
            [0.2500, 0.7500]])

    The label of an image of weight zero does not contribute to the target:

    >>> mix_targets(torch.tensor([0, 1]), torch.tensor([1.0, 0.0]), draws, 2)
    (tensor([[1., 0.],
            [1., 0.]]), tensor([0.7500, 0.2500]))
    """
    if targets.ndim == 1:
        dtype = torch.get_default_dtype() if weights is None else weights.dtype
        targets = functional.one_hot(targets, n_outputs).to(dtype)
    partner = draws.partner.to(targets.device)
    if weights is None:
        return torch.lerp(targets[partner], targets, draws.share), None
    mixed = torch.lerp(weights[partner], weights, draws.share)
    share = draws.share * weights / mixed
    # If both weights are zero the target is not used, but it must be finite.
    share = torch.where(mixed > 0, share, draws.share).to(targets.dtype)
    return torch.lerp(targets[partner], targets, share[:, None]), mixed
