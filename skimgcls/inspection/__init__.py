"""A look at a set of images and labels before anything is trained on it."""

from skimgcls.inspection._audit import audit_images
from skimgcls.inspection._class_distribution import class_distribution
from skimgcls.inspection._class_distribution_display import ClassDistributionDisplay

__all__ = ["ClassDistributionDisplay", "audit_images", "class_distribution"]
