"""What a backbone's name stands for: a net that gives features, its weights, and its images."""

from typing import Any

from skimgcls._backbones._source import BackboneSource, Recipe
from skimgcls._backbones._weights import as_path

__all__ = ["BackboneSource", "Recipe", "as_path", "find_backbone"]


def find_backbone(backbone: Any) -> BackboneSource:
    """Return the source that a name, or a fitted classifier, stands for."""
    # Each imports a library of its own.
    if not isinstance(backbone, str):
        from skimgcls._backbones._fitted import FittedBackbone

        return FittedBackbone(backbone)
    if backbone == "unet":
        from skimgcls._backbones._unet import UnetBackbone

        return UnetBackbone()
    if backbone.startswith("timm:"):
        from skimgcls._backbones._timm import TimmBackbone

        return TimmBackbone(backbone.removeprefix("timm:"))
    from skimgcls._backbones._torchvision import TorchvisionBackbone

    return TorchvisionBackbone(backbone)
