"""Backbones by name: the network that computes features, its weights and its image format."""

from typing import Any

from skimgcls._backbones._source import BackboneSource, Recipe

__all__ = ["BackboneSource", "Recipe", "find_backbone"]


def find_backbone(backbone: Any) -> BackboneSource:
    """Return the source of a backbone given by name or as a fitted classifier."""
    # Imported here because each module imports another optional library.
    if not isinstance(backbone, str):
        from skimgcls._backbones._fitted import FittedBackbone

        return FittedBackbone(backbone)
    if backbone == "unet":
        from skimgcls._backbones._unet import UnetBackbone

        return UnetBackbone()
    if backbone == "efficientnet_lite0":
        from skimgcls._backbones._efficientnet_lite import EfficientNetLiteBackbone

        return EfficientNetLiteBackbone()
    if backbone.startswith("timm:"):
        from skimgcls._backbones._timm import TimmBackbone

        return TimmBackbone(backbone.removeprefix("timm:"))
    from skimgcls._backbones._torchvision import TorchvisionBackbone

    return TorchvisionBackbone(backbone)
