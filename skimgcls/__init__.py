"""Image classification for people who think in scikit-learn."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skimgcls.classifiers import (
        BaseImageClassifier,
        CNNImageClassifier,
        MLPImageClassifier,
        ModuleImageClassifier,
        PretrainedImageClassifier,
        RejectOptionClassifier,
        ResNetImageClassifier,
    )
    from skimgcls.datasets import (
        fetch_cifar10,
        fetch_fashion_mnist,
        fetch_mnist,
        load_image_folder,
        make_shapes,
    )
    from skimgcls.exceptions import ImageFileError, ModelFileError
    from skimgcls.export import to_onnx
    from skimgcls.inspection import (
        AugmentationDisplay,
        ClassDistributionDisplay,
        EvaluationReport,
        ImageGridDisplay,
        PredictionDisplay,
        SaliencyDisplay,
        TrainingCurveDisplay,
        audit_images,
        class_distribution,
        evaluation_report,
        grad_cam,
        occlusion,
    )
    from skimgcls.persistence import get_trusted_types, load, save
    from skimgcls.preprocessing import (
        ImageAugmenter,
        ImageEmbedder,
        ImageFlattener,
        ImageLoader,
        ImageNormalizer,
        ImageOverSampler,
        ImageResizer,
    )
    from skimgcls.utils._show_versions import show_versions

__version__ = "0.1.0.dev0"

# The module of each public name. A module is imported when one of its names is first used, because
# torch takes seconds to import and `import skimgcls` should be fast (Scientific Python's SPEC 1,
# lazy loading of submodules and functions).
_HOME = {
    "AugmentationDisplay": "skimgcls.inspection",
    "BaseImageClassifier": "skimgcls.classifiers",
    "CNNImageClassifier": "skimgcls.classifiers",
    "ClassDistributionDisplay": "skimgcls.inspection",
    "EvaluationReport": "skimgcls.inspection",
    "ImageAugmenter": "skimgcls.preprocessing",
    "ImageEmbedder": "skimgcls.preprocessing",
    "ImageFileError": "skimgcls.exceptions",
    "ImageFlattener": "skimgcls.preprocessing",
    "ImageGridDisplay": "skimgcls.inspection",
    "ImageLoader": "skimgcls.preprocessing",
    "ImageNormalizer": "skimgcls.preprocessing",
    "ImageOverSampler": "skimgcls.preprocessing",
    "ImageResizer": "skimgcls.preprocessing",
    "MLPImageClassifier": "skimgcls.classifiers",
    "ModelFileError": "skimgcls.exceptions",
    "ModuleImageClassifier": "skimgcls.classifiers",
    "PredictionDisplay": "skimgcls.inspection",
    "PretrainedImageClassifier": "skimgcls.classifiers",
    "RejectOptionClassifier": "skimgcls.classifiers",
    "ResNetImageClassifier": "skimgcls.classifiers",
    "SaliencyDisplay": "skimgcls.inspection",
    "TrainingCurveDisplay": "skimgcls.inspection",
    "audit_images": "skimgcls.inspection",
    "class_distribution": "skimgcls.inspection",
    "estimator_checks": "skimgcls",
    "evaluation_report": "skimgcls.inspection",
    "fetch_cifar10": "skimgcls.datasets",
    "fetch_fashion_mnist": "skimgcls.datasets",
    "fetch_mnist": "skimgcls.datasets",
    "get_trusted_types": "skimgcls.persistence",
    "grad_cam": "skimgcls.inspection",
    "load": "skimgcls.persistence",
    "load_image_folder": "skimgcls.datasets",
    "make_shapes": "skimgcls.datasets",
    "occlusion": "skimgcls.inspection",
    "save": "skimgcls.persistence",
    "show_versions": "skimgcls.utils._show_versions",
    "to_onnx": "skimgcls.export",
}
# Submodules that are imported when they are first used.
_ROOMS = (
    "classifiers",
    "datasets",
    "exceptions",
    "export",
    "inspection",
    "persistence",
    "preprocessing",
)

__all__ = [
    "AugmentationDisplay",
    "BaseImageClassifier",
    "CNNImageClassifier",
    "ClassDistributionDisplay",
    "EvaluationReport",
    "ImageAugmenter",
    "ImageEmbedder",
    "ImageFileError",
    "ImageFlattener",
    "ImageGridDisplay",
    "ImageLoader",
    "ImageNormalizer",
    "ImageOverSampler",
    "ImageResizer",
    "MLPImageClassifier",
    "ModelFileError",
    "ModuleImageClassifier",
    "PredictionDisplay",
    "PretrainedImageClassifier",
    "RejectOptionClassifier",
    "ResNetImageClassifier",
    "SaliencyDisplay",
    "TrainingCurveDisplay",
    "audit_images",
    "class_distribution",
    "estimator_checks",
    "evaluation_report",
    "fetch_cifar10",
    "fetch_fashion_mnist",
    "fetch_mnist",
    "get_trusted_types",
    "grad_cam",
    "load",
    "load_image_folder",
    "make_shapes",
    "occlusion",
    "save",
    "show_versions",
    "to_onnx",
]


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if home == __name__:
        return import_module(f"{home}.{name}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return [*__all__, *_ROOMS, "__version__"]
