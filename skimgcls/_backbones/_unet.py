"""The encoder of a U-Net as backbone."""

from typing import Any

import torch
from torch import nn

from skimgcls._backbones._adapt import count_channels
from skimgcls._backbones._source import BackboneSource, Recipe
from skimgcls._backbones._weights import State, explain_no_network, load_into
from skimgcls._images._lazy_images import ImageShape
from skimgcls._images._resize_center_crop import ResizeCenterCrop, resize_to_at_least

try:
    import segmentation_models_pytorch as smp
except ModuleNotFoundError as error:
    raise ImportError(
        "The backbone 'unet' needs segmentation-models-pytorch: pip install skimgcls[backbones]"
    ) from error

_ENCODER = "resnet34"
# Statistics of ImageNet, on which the encoder was trained.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Parts of a U-Net that are not the encoder.
_OTHER_PARTS = ("decoder.", "segmentation_head.", "classification_head.")


class _LastMap(nn.Module):
    """The last feature map of an encoder."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        last: torch.Tensor = self.encoder(batch)[-1]
        return last


class UnetBackbone(BackboneSource):
    """The encoder of a U-Net of segmentation-models-pytorch (Ronneberger et al., "U-Net", 2015)."""

    name = "unet"
    smallest = 32

    def recipe(self, weights: str) -> Recipe:
        return Recipe(224, 224, _MEAN, _STD)

    def frame(
        self, image_shape: ImageShape, weights: str | None, image_size: int | str
    ) -> ResizeCenterCrop | None:
        if image_size != "auto":
            return super().frame(image_shape, weights, image_size)
        # A segmentation network takes images in their original size.
        return resize_to_at_least(image_shape, self.smallest)

    def _make_net(self, input_shape: ImageShape, is_trained: bool) -> tuple[nn.Module, int]:
        encoder = self._create(input_shape[2], None)
        return _LastMap(encoder), encoder.out_channels[-1]

    def _create(self, n_channels: int, weights: str | None) -> Any:
        return smp.encoders.get_encoder(_ENCODER, in_channels=n_channels, weights=weights)

    def _load_named(self, net: nn.Module, weights: str, *, progress: bool) -> None:
        with explain_no_network(self.name):
            trained = self._create(count_channels(net), "imagenet")
        load_into(net, _LastMap(trained).state_dict(), origin=weights, name=self.name)

    def _own_part(self, state: State) -> State:
        return {key: value for key, value in state.items() if not key.startswith(_OTHER_PARTS)}
