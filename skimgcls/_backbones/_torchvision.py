"""The nets of torchvision."""

import difflib
import re
from typing import Any

import torchvision
from torch import nn

from skimgcls._backbones._adapt import adapt_first, remove_head
from skimgcls._backbones._source import BackboneSource, Recipe
from skimgcls._backbones._weights import State, fetch_weights, load_into
from skimgcls._images._lazy_images import ImageShape

# What a side has to be a multiple of where the name does not tell: the patches of "vit_b_16" do.
_MULTIPLES = {"maxvit_t": 224}
# Parts that only the training of the weights had use for.
_AUXILIARY = re.compile(r"(aux[12]|AuxLogits)\.")


class TorchvisionBackbone(BackboneSource):
    """A net that torchvision lists among those for classification.

    Parameters
    ----------
    name : str
        As torchvision writes it: "resnet18".
    """

    def __init__(self, name: str) -> None:
        known = list_names()
        if name not in known:
            near = difflib.get_close_matches(name.lower(), known, n=3)
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise ValueError(
                f"backbone={name!r} is not known.{hint} Expected a name of torchvision's "
                "(torchvision.models.list_models(module=torchvision.models) has them all), "
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
        """Return what torchvision knows of weights; of a file, what it knows of its own."""
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
            # Their weights were trained on pixels from -1 to 1, which they make of the usual ones.
            options = {
                "aux_logits": False,
                "init_weights": not is_trained,
                "transform_input": is_trained,
            }
        net = torchvision.models.get_model(self.name, weights=None, **options)
        n_features = remove_head(net, n_outputs=1000)
        adapt_first(net, n_channels)
        return net, n_features

    def _download(self, net: nn.Module, weights: str, *, progress: bool) -> None:
        entry = self._entry(weights)
        state = self._own_part(fetch_weights(entry.url, progress=progress))
        load_into(net, state, origin=entry.name, name=self.name)

    def _own_part(self, state: State) -> State:
        return {key: value for key, value in state.items() if not _AUXILIARY.match(key)}


def list_names() -> list[str]:
    """Return torchvision's names of nets for classification."""
    return torchvision.models.list_models(module=torchvision.models)
