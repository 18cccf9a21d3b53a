"""Random image operations on whole batches.

`draw_policy` draws random numbers for each image, on the CPU and from an explicit generator.
`apply_policy` is a pure function of the pixels and these numbers.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

# Names of the padding modes in `grid_sample`.
_GRID_PADDING = {"reflect": "reflection", "edge": "border", "constant": "zeros"}
# Weights of red, green and blue in gray, as in torchvision.
_LUMA = (0.2989, 0.587, 0.114)
# Rectangles as in torchvision's RandomErasing: fraction of the image area, aspect ratio (height to
# width), and number of tries; an image is not changed if no rectangle fits.
_ERASED_SHARE = (0.02, 0.33)
_ERASED_ASPECT = (0.3, 3.3)
_ERASING_TRIES = 10
# Values per block on the CPU (1 MiB in float32): several passes over a block that fits in the cache
# are twice as fast as passes over the whole batch.
_BLOCK_VALUES = 2**18


@dataclass(frozen=True)
class AugmentationPolicy:
    """Parameters of the random operations; zero disables an operation.

    Attributes
    ----------
    horizontal_flip, vertical_flip : float
        Probability of a flip.
    rotation, shear : float
        Degrees. The angle is uniform in [-value, value]; `shear` is below 90.
    zoom : float
        The scale factor is uniform in [1 - zoom, 1 + zoom]; below 1.
    shift : float
        Fraction of the height and of the width, uniform in [-shift, shift] for each. Without
        rotation, zoom and shear it is rounded to whole pixels, without interpolation.
    crop_padding : int
        Pixels of padding on each side, before a random crop of the original size.
    brightness, contrast, saturation : float
        The factor is uniform in [max(0, 1 - value), 1 + value]. Saturation changes only images with
        three channels.
    erasing : float
        Probability that one rectangle becomes black (DeVries & Taylor, 2017; Zhong et al., 2020),
        with the areas and aspect ratios of torchvision's ``RandomErasing``.
    padding_mode : {"reflect", "edge", "constant"}
        Values beyond the border: reflection at the outermost pixels, the outermost pixels
        themselves, or black.
    """

    horizontal_flip: float = 0.0
    vertical_flip: float = 0.0
    rotation: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    crop_padding: int = 0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    erasing: float = 0.0
    padding_mode: str = "reflect"


@dataclass(frozen=True, eq=False)
class Draws:
    """Random numbers for each of n images; None for disabled operations.

    Attributes
    ----------
    horizontal_flip, vertical_flip : bool tensor of shape (n,) or None
        Flips are applied first.
    rotation : tensor of shape (n,) or None
        Degrees, counter-clockwise.
    zoom : tensor of shape (n,) or None
        Scale factors; a factor above 1 enlarges the image.
    shear : tensor of shape (n,) or None
        Angle of the vertical axis in degrees; the shear is applied before the rotation.
    shift : tensor of shape (n, 2) or None
        Pixels down and to the right, including the offset of the crop; applied last.
    brightness, contrast, saturation : tensor of shape (n,) or None
    erasing : int tensor of shape (n, 4) or None
        Top, left, height and width of the rectangle; height 0 erases nothing.
    """

    horizontal_flip: torch.Tensor | None = None
    vertical_flip: torch.Tensor | None = None
    rotation: torch.Tensor | None = None
    zoom: torch.Tensor | None = None
    shear: torch.Tensor | None = None
    shift: torch.Tensor | None = None
    brightness: torch.Tensor | None = None
    contrast: torch.Tensor | None = None
    saturation: torch.Tensor | None = None
    erasing: torch.Tensor | None = None

    def part(self, images: slice) -> "Draws":
        """Return the draws of some of the images."""
        return Draws(*(None if drawn is None else drawn[images] for drawn in vars(self).values()))


def draw_policy(
    policy: AugmentationPolicy,
    n: int,
    image_shape: tuple[int, int, int],
    generator: torch.Generator,
) -> Draws:
    """Draw the operations for each of `n` images of shape (height, width, channels).

    The generator is on the CPU for any device, and is the only source of randomness.

    >>> policy = AugmentationPolicy(rotation=15)
    >>> draws = draw_policy(policy, 4, (32, 32, 3), torch.Generator().manual_seed(0))
    >>> draws.rotation.shape, draws.zoom
    (torch.Size([4]), None)
    """
    size = image_shape[:2]
    saturation = policy.saturation if image_shape[2] == len(_LUMA) else 0.0
    return Draws(
        horizontal_flip=draw_flip(policy.horizontal_flip, n, generator),
        vertical_flip=draw_flip(policy.vertical_flip, n, generator),
        rotation=draw_angle(policy.rotation, n, generator),
        zoom=draw_factor(policy.zoom, n, generator),
        shear=draw_angle(policy.shear, n, generator),
        shift=draw_shift(policy.shift, policy.crop_padding, n, size, generator),
        brightness=draw_factor(policy.brightness, n, generator),
        contrast=draw_factor(policy.contrast, n, generator),
        saturation=draw_factor(saturation, n, generator),
        erasing=draw_erasing(policy.erasing, n, size, generator),
    )


def draw_flip(probability: float, n: int, generator: torch.Generator) -> torch.Tensor | None:
    """Draw which of `n` images are flipped."""
    return None if probability == 0 else _uniform((n,), 0, 1, generator) < probability


def draw_angle(reach: float, n: int, generator: torch.Generator) -> torch.Tensor | None:
    """Draw `n` angles from [-reach, reach]."""
    return None if reach == 0 else _uniform((n,), -reach, reach, generator)


def draw_factor(reach: float, n: int, generator: torch.Generator) -> torch.Tensor | None:
    """Draw `n` factors from [max(0, 1 - reach), 1 + reach]."""
    return None if reach == 0 else _uniform((n,), max(0, 1 - reach), 1 + reach, generator)


def draw_shift(
    share: float, crop_padding: int, n: int, size: tuple[int, int], generator: torch.Generator
) -> torch.Tensor | None:
    """Draw shifts, in pixels down and to the right, of `n` images of `size` (height, width).

    Padding followed by a crop of the original size is a shift by whole pixels.
    """
    if share == 0 and crop_padding == 0:
        return None
    shift = torch.zeros((n, 2), dtype=torch.float64)
    if share > 0:
        shift += _uniform((n, 2), -share, share, generator) * torch.tensor(size)
    if crop_padding > 0:
        shift += torch.randint(-crop_padding, crop_padding + 1, (n, 2), generator=generator)
    return shift


def draw_erasing(
    probability: float, n: int, size: tuple[int, int], generator: torch.Generator
) -> torch.Tensor | None:
    """Draw top, left, height and width of a rectangle for each of `n` images of `size`."""
    if probability == 0:
        return None
    tries = (n, _ERASING_TRIES)
    area = _uniform(tries, *_ERASED_SHARE, generator) * math.prod(size)
    low, high = (math.log(aspect) for aspect in _ERASED_ASPECT)
    aspect = _uniform(tries, low, high, generator).exp()
    sides = torch.stack([area * aspect, area / aspect], dim=2).sqrt().round()
    fits = (sides < torch.tensor(size)).all(dim=2)
    first = sides[torch.arange(n), fits.int().argmax(dim=1)]
    corner = (_uniform((n, 2), 0, 1, generator) * (torch.tensor(size) - first + 1)).floor()
    is_erased = fits.any(dim=1) & (_uniform((n,), 0, 1, generator) < probability)
    return torch.cat([corner, first], dim=1).long() * is_erased[:, None]


def _uniform(
    shape: tuple[int, ...], low: float, high: float, generator: torch.Generator
) -> torch.Tensor:
    # float64 whatever the default dtype: the draws must depend only on the seed.
    return low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)


def apply_policy(
    batch: torch.Tensor,
    draws: Draws,
    policy: AugmentationPolicy,
    black: torch.Tensor,
    white: torch.Tensor,
) -> torch.Tensor:
    """Apply the drawn operations to a batch and return a new batch.

    >>> batch = torch.tensor([[[[0.0, 1.0]]]])
    >>> draws = Draws(horizontal_flip=torch.tensor([True]), brightness=torch.tensor([0.5]))
    >>> apply_policy(batch, draws, AugmentationPolicy(), torch.zeros(1), torch.ones(1))
    tensor([[[[0.5000, 0.0000]]]])

    Parameters
    ----------
    batch : float tensor of shape (n, c, h, w)
        Not modified.
    draws : Draws
    policy : AugmentationPolicy
        Only `padding_mode` is used.
    black, white : tensor of shape (c,)
        Values of black and white in the batch, which may be normalized.

    Returns
    -------
    augmented : tensor of shape (n, c, h, w)
        Has the dtype, device and memory layout of the batch.
    """
    black, white = black.to(batch), white.to(batch)
    result = torch.empty_like(batch)
    n_at_once = max(1, _BLOCK_VALUES // batch[0].numel()) if batch.is_cpu else len(batch)
    for start in range(0, len(batch), n_at_once):
        images = slice(start, start + n_at_once)
        drawn = draws.part(images)
        block = apply_geometry(batch[images], drawn, policy.padding_mode, black)
        block = apply_color(block, drawn, black, white)
        result[images] = apply_erasing(block, drawn, black)
    return result


def apply_geometry(
    batch: torch.Tensor, draws: Draws, padding_mode: str, black: torch.Tensor
) -> torch.Tensor:
    """Flip, zoom, shear, rotate and shift the batch, in this order, in a single resampling."""
    if any(drawn is not None for drawn in (draws.rotation, draws.zoom, draws.shear)):
        return _interpolate(batch, draws, padding_mode, black)
    moves = (draws.horizontal_flip, draws.vertical_flip, draws.shift)
    if any(drawn is not None for drawn in moves):
        return _pick(batch, draws, padding_mode, black)
    return batch


def _pick(
    batch: torch.Tensor, draws: Draws, padding_mode: str, black: torch.Tensor
) -> torch.Tensor:
    """Flip the batch and shift it by whole pixels, without interpolation."""
    n, channels, height, width = batch.shape
    down, right = _shift_of(draws, n).to(batch.device).round().long().unbind(dim=1)
    rows, is_row = _places(height, down, draws.vertical_flip, padding_mode)
    columns, is_column = _places(width, right, draws.horizontal_flip, padding_mode)
    starts = torch.arange(n, device=batch.device)[:, None, None] * (height * width)
    index = starts + rows[:, :, None] * width + columns[:, None, :]
    # With channels last a pixel is a contiguous row, which is copied at once.
    pixels = batch.permute(0, 2, 3, 1).reshape(-1, channels)
    picked = pixels.index_select(0, index.flatten())
    if padding_mode == "constant":
        is_beyond = ~(is_row[:, :, None] & is_column[:, None, :])
        picked[is_beyond.flatten()] = black
    return picked.view(n, height, width, channels).permute(0, 3, 1, 2)


def _places(
    size: int, shift: torch.Tensor, flip: torch.Tensor | None, padding_mode: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the source index of each pixel along one axis (n, size), and whether it is inside.

    >>> _places(3, torch.tensor([2]), None, "reflect")[0]
    tensor([[2, 1, 0]])
    """
    wanted = torch.arange(size, device=shift.device) - shift[:, None]
    if padding_mode == "reflect":
        # Periodic reflection; a single pixel is its own reflection.
        period = max(1, 2 * (size - 1))
        places = wanted.remainder(period)
        places = torch.minimum(places, (-wanted).remainder(period))
    else:
        places = wanted.clamp(0, size - 1)
    if flip is not None:
        places = torch.where(flip.to(places.device)[:, None], size - 1 - places, places)
    return places, (wanted >= 0) & (wanted < size)


def _interpolate(
    batch: torch.Tensor, draws: Draws, padding_mode: str, black: torch.Tensor
) -> torch.Tensor:
    """Apply affine maps to the batch with bilinear interpolation."""
    n, _, height, width = batch.shape
    # "reflect" mirrors at the pixel centers, as in NumPy; the other modes start at the outer edges
    # of the pixels.
    reflects = padding_mode == "reflect"
    spans = [[max(1, side - 1) if reflects else side] for side in (width, height)]
    maps = (2 * _inverse_maps(draws, n) / torch.tensor(spans)).to(batch)
    down, right = _shift_of(draws, n).to(batch).unbind(dim=1)
    x = torch.arange(width).to(batch) - (width - 1) / 2 - right[:, None]
    y = torch.arange(height).to(batch) - (height - 1) / 2 - down[:, None]
    # Separate planes of x and y: with pairs, this sum and grid_sample are several times slower.
    from_x, from_y = maps[..., None, None].unbind(dim=2)
    planes = from_x * x[:, None, None, :] + from_y * y[:, None, :, None]
    is_filled = padding_mode == "constant"
    source = batch - _plain_image(black, batch) if is_filled else batch
    result = functional.grid_sample(
        source.contiguous(),  # Twice as fast as with the channels last.
        planes.permute(0, 2, 3, 1),
        padding_mode=_GRID_PADDING[padding_mode],
        align_corners=reflects,
    )
    return result.add_(_plain_image(black, result)) if is_filled else result


def _inverse_maps(draws: Draws, n: int) -> torch.Tensor:
    """Return matrices (n, 2, 2) that map an output position (x, y) to its source position.

    Positions are in pixels relative to the image center, so images need not be square.
    """
    none = torch.zeros(n, dtype=torch.float64)
    angle = none if draws.rotation is None else draws.rotation.double().deg2rad()
    lean = none if draws.shear is None else draws.shear.double().deg2rad().tan()
    cos, sin = angle.cos(), angle.sin()
    maps = torch.stack([cos - lean * sin, -sin - lean * cos, sin, cos], dim=1).view(n, 2, 2)
    if draws.zoom is not None:
        maps = maps / draws.zoom[:, None, None]
    for axis, flip in enumerate((draws.horizontal_flip, draws.vertical_flip)):
        if flip is not None:
            maps[:, axis] *= 1 - 2 * flip[:, None].to(maps)
    return maps


def _shift_of(draws: Draws, n: int) -> torch.Tensor:
    return torch.zeros((n, 2)) if draws.shift is None else draws.shift


def apply_color(
    batch: torch.Tensor, draws: Draws, black: torch.Tensor, white: torch.Tensor
) -> torch.Tensor:
    """Change brightness, contrast and saturation of the batch, in this order.

    Each operation interpolates between the image and another one, clipped at black and white: a
    black image, the mean gray of the image, or the image in gray. If black is 0 and white is 1,
    this equals torchvision's ``adjust_brightness``, ``adjust_contrast`` and ``adjust_saturation``.
    """
    drawn = (draws.brightness, draws.contrast, draws.saturation)
    starts = (lambda *_: _plain_image(black, batch), _mean_gray, _gray_picture)
    for factor, make_start in zip(drawn, starts, strict=True):
        if factor is not None:
            weight = factor.to(batch).view(-1, 1, 1, 1)
            batch = torch.lerp(make_start(batch, black, white), batch, weight)
            low, high = torch.minimum(black, white), torch.maximum(black, white)
            batch.clamp_(_plain_image(low, batch), _plain_image(high, batch))
    return batch


def _mean_gray(batch: torch.Tensor, black: torch.Tensor, white: torch.Tensor) -> torch.Tensor:
    """Return the mean gray of each image, (n, c, 1, 1)."""
    gray = ((batch.mean(dim=(2, 3)) - black) / (white - black)) @ _gray_weights(batch)
    return (black + gray[:, None] * (white - black))[:, :, None, None]


def _gray_picture(batch: torch.Tensor, black: torch.Tensor, white: torch.Tensor) -> torch.Tensor:
    """Return each image in gray, (n, c, h, w)."""
    weights = _gray_weights(batch) / (white - black)
    gray = torch.tensordot(batch, weights, dims=([1], [0])) - weights @ black
    return _plain_image(black, batch) + gray[:, None] * (white - black).view(-1, 1, 1)


def _gray_weights(batch: torch.Tensor) -> torch.Tensor:
    """Return the weight of each channel in gray; equal unless there are three channels."""
    channels = batch.shape[1]
    weights = _LUMA if channels == len(_LUMA) else (1 / channels,) * channels
    return torch.tensor(weights).to(batch)


def apply_erasing(batch: torch.Tensor, draws: Draws, black: torch.Tensor) -> torch.Tensor:
    """Set one rectangle of each image to black."""
    if draws.erasing is None:
        return batch
    top, left, height, width = draws.erasing.to(batch.device).unbind(dim=1)
    rows = _is_between(batch.shape[2], top, height)
    columns = _is_between(batch.shape[3], left, width)
    mask = rows[:, None, :, None] & columns[:, None, None, :]
    return torch.where(mask, black.view(-1, 1, 1), batch)


def _is_between(size: int, start: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    distance = torch.arange(size, device=start.device) - start[:, None]
    return (distance >= 0) & (distance < length[:, None])


def _plain_image(color: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    """Return an image of one color (c,), in the memory layout of the batch.

    With channels last, broadcasting it over the batch is several times faster than broadcasting the
    color itself.
    """
    return torch.empty_like(batch[:1]).copy_(color.view(1, -1, 1, 1))
