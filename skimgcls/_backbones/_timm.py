"""Backbones from timm."""

import difflib
import math
from typing import Any

import torch
from torch import nn

from skimgcls._backbones._adapt import count_channels
from skimgcls._backbones._source import BackboneSource, Recipe
from skimgcls._backbones._weights import explain_no_network, load_into
from skimgcls._images._lazy_images import ImageShape

try:
    import timm
except ModuleNotFoundError as error:
    raise ImportError("A backbone of timm needs timm: pip install skimgcls[backbones]") from error

# Shape of an input of most models.
_USUAL_SHAPE = (3, 224, 224)


class TimmBackbone(BackboneSource):
    """A model of timm.

    Parameters
    ----------
    name : str
        Name of the model in timm: "resnet18", or with the name of the weights,
        "resnet18.a1_in1k".
    """

    smallest = 32

    def __init__(self, name: str) -> None:
        if not timm.is_model(name):
            near = difflib.get_close_matches(name, timm.list_models(), n=3)
            hint = f" Did you mean {' or '.join(f'timm:{one}' for one in near)}?" if near else ""
            raise ValueError(
                f"backbone='timm:{name}' is not known to timm {timm.__version__}.{hint} "
                "timm.list_models() has all names."
            )
        self.name = f"timm:{name}"
        self._name = name
        pretrained = timm.get_pretrained_cfg(name)
        self._config: dict[str, Any] = {} if pretrained is None else pretrained.to_dict()
        if self._config.get("fixed_input_size", False):
            self.smallest = self.multiple = self._config["input_size"][1]

    def recipe(self, weights: str) -> Recipe:
        config = timm.data.resolve_data_config(pretrained_cfg=self._config)
        crop = config["input_size"][1]
        return Recipe(
            math.floor(crop / config["crop_pct"]),
            crop,
            tuple(config["mean"]),
            tuple(config["std"]),
            config["interpolation"] if config["interpolation"] == "bicubic" else "bilinear",
        )

    def _make_net(self, input_shape: ImageShape, is_trained: bool) -> tuple[nn.Module, int]:
        n_channels = input_shape[2]
        net = self._create(n_channels, pretrained=False)
        # The number of features does not depend on the size, and that of the images may be huge.
        usual = self._config.get("input_size", _USUAL_SHAPE)
        size = [min(given, side) for given, side in zip(input_shape, usual[1:], strict=False)]
        with torch.no_grad():
            n_features = net.eval()(torch.zeros(1, n_channels, *size)).shape[1]
        return net.train(), n_features

    def _create(self, n_channels: int, *, pretrained: bool) -> Any:
        return timm.create_model(
            self._name, pretrained=pretrained, num_classes=0, in_chans=n_channels
        )

    def _load_named(self, net: nn.Module, weights: str, *, progress: bool) -> None:
        with explain_no_network(self.name):
            trained = self._create(count_channels(net), pretrained=True)
        load_into(net, trained.state_dict(), origin=weights, name=self.name)
