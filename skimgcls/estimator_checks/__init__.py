"""What every image classifier owes its users, beside what scikit-learn asks of any classifier.

:func:`check_image_classifier` runs the contracts on one estimator, ours or yours.
:func:`sklearn.utils.estimator_checks.check_estimator` runs scikit-learn's own checks.
"""

from skimgcls.estimator_checks._runner import check_image_classifier, image_classifier_checks

__all__ = ["check_image_classifier", "image_classifier_checks"]
