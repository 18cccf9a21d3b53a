"""Backbones from torchvision."""

import difflib
import re
from typing import Any

import torchvision
from torch import nn

from skimgcls._backbones._adapt import adapt_first, remove_head
from skimgcls._backbones._source import BackboneSource, Recipe
from skimgcls._backbones._weights import State, fetch_weights, load_into
from skimgcls._images._lazy_images import ImageShape

# Image sides must be a multiple of this; for names such as "vit_b_16" it is the patch size.
_MULTIPLES = {"maxvit_t": 224}
# Auxiliary classifiers, used only to train the weights.
_AUXILIARY = re.compile(r"(aux[12]|AuxLogits)\.")


class TorchvisionBackbone(BackboneSource):
    """A classification model of torchvision.

    Parameters
    ----------
    name : str
        Name of the model in torchvision, such as "resnet18".
    """

    def __init__(self, name: str) -> None:
        known = list_names()
        if name not in known:
            near = difflib.get_close_matches(name.lower(), known, n=3)
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise ValueError(
                f"backbone={name!r} is not known.{hint} Expected the name of a torchvision model "
                "(torchvision.models.list_models(module=torchvision.models) lists them), "
                "'unet', 'timm:NAME' or a fitted classifier."
            )
        self.name = name
        entries = torchvision.models.get_model_weights(name)
        self.known_weights = ("DEFAULT", *(entry.name for entry in entries))
        patch = re.match(r"vit_._(\d+)", name)
        self.multiple = int(patch[1]) if patch else _MULTIPLES.get(name)
        if self.multiple is not None:
            self.smallest = self.multiple
        else:
            self.smallest = max(self._entry("DEFAULT").meta["min_size"])

    def _entry(self, weights: str) -> Any:
        """Return torchvision's entry of the weights; for a file, that of the default weights."""
        entries: Any = torchvision.models.get_model_weights(self.name)
        return entries[weights] if weights in entries.__members__ else entries.DEFAULT

    def recipe(self, weights: str) -> Recipe:
        preset = self._entry(weights).transforms()
        return Recipe(
            preset.resize_size[0],
            preset.crop_size[0],
            tuple(preset.mean),
            tuple(preset.std),
            preset.interpolation.value,
        )

    def _make_net(self, input_shape: ImageShape, is_trained: bool) -> tuple[nn.Module, int]:
        height, width, n_channels = input_shape
        options: dict[str, Any] = {}
        if self.name.startswith("vit"):
            options = {"image_size": height}
        elif self.name == "maxvit_t":
            options = {"input_size": (height, width)}
        elif self.name in ("googlenet", "inception_v3"):
            # Trained on pixels from -1 to 1; `transform_input` converts the usual ones.
            options = {
                "aux_logits": False,
                "init_weights": not is_trained,
                "transform_input": is_trained,
            }
        net = torchvision.models.get_model(self.name, weights=None, **options)
        n_features = remove_head(net, n_outputs=1000)
        adapt_first(net, n_channels)
        return net, n_features

    def _load_named(self, net: nn.Module, weights: str, *, progress: bool) -> None:
        entry = self._entry(weights)
        state = self._own_part(fetch_weights(entry.url, progress=progress))
        load_into(net, state, origin=entry.name, name=self.name)

    def _own_part(self, state: State) -> State:
        return {key: value for key, value in state.items() if not _AUXILIARY.match(key)}


def list_names() -> list[str]:
    """Return the names of the classification models of torchvision."""
    return torchvision.models.list_models(module=torchvision.models)
