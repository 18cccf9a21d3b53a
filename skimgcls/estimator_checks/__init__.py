"""Checks for image classifiers, in addition to those of scikit-learn.

:func:`check_image_classifier` runs the checks on an estimator, including custom ones.
:func:`sklearn.utils.estimator_checks.check_estimator` runs the checks of scikit-learn.
"""

from skimgcls.estimator_checks._runner import check_image_classifier, image_classifier_checks

__all__ = ["check_image_classifier", "image_classifier_checks"]
