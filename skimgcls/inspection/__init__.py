"""Tools to inspect datasets, fitted classifiers and predictions."""

from skimgcls.inspection._audit import audit_images
from skimgcls.inspection._augmentation_display import AugmentationDisplay
from skimgcls.inspection._class_distribution import class_distribution
from skimgcls.inspection._class_distribution_display import ClassDistributionDisplay
from skimgcls.inspection._evaluation_report import EvaluationReport, evaluation_report
from skimgcls.inspection._grad_cam import grad_cam
from skimgcls.inspection._image_grid_display import ImageGridDisplay
from skimgcls.inspection._occlusion import occlusion
from skimgcls.inspection._prediction_display import PredictionDisplay
from skimgcls.inspection._saliency_display import SaliencyDisplay
from skimgcls.inspection._training_curve_display import TrainingCurveDisplay

__all__ = [
    "AugmentationDisplay",
    "ClassDistributionDisplay",
    "EvaluationReport",
    "ImageGridDisplay",
    "PredictionDisplay",
    "SaliencyDisplay",
    "TrainingCurveDisplay",
    "audit_images",
    "class_distribution",
    "evaluation_report",
    "grad_cam",
    "occlusion",
]
