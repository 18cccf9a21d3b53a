"""Tools to inspect datasets, fitted classifiers and predictions."""

from skimgcls.inspection._audit._audit_images import audit_images
from skimgcls.inspection._audit._class_distribution import class_distribution
from skimgcls.inspection._audit._class_distribution_display import ClassDistributionDisplay
from skimgcls.inspection._explanations._grad_cam import grad_cam
from skimgcls.inspection._explanations._occlusion import occlusion
from skimgcls.inspection._explanations._saliency_display import SaliencyDisplay
from skimgcls.inspection._plots._augmentation_display import AugmentationDisplay
from skimgcls.inspection._plots._embedding_display import EmbeddingDisplay
from skimgcls.inspection._plots._image_grid_display import ImageGridDisplay
from skimgcls.inspection._plots._prediction_display import PredictionDisplay
from skimgcls.inspection._plots._training_curve_display import TrainingCurveDisplay
from skimgcls.inspection._report._evaluation_report import EvaluationReport, evaluation_report

__all__ = [
    "AugmentationDisplay",
    "ClassDistributionDisplay",
    "EmbeddingDisplay",
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
