"""Select and run the checks that apply to an estimator."""

from functools import partial

from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from skimgcls.estimator_checks import _contracts


def image_classifier_checks(estimator):
    """Return the checks that apply to an estimator.

    They depend on its tags (multilabel support) and on its methods and parameters (`partial_fit`,
    `sample_weight`, `X_val`, `warm_start`).

    Parameters
    ----------
    estimator : estimator instance
        An unfitted image classifier.

    Returns
    -------
    checks : list of callable
        Each check takes no arguments, fits clones of the estimator, and raises AssertionError if it
        fails. ``check.func.__name__`` is its name.

    Examples
    --------
    >>> from skimgcls import MLPImageClassifier
    >>> from skimgcls.estimator_checks import image_classifier_checks
    >>> checks = image_classifier_checks(MLPImageClassifier())
    >>> checks[0].func.__name__
    'check_input_formats_give_one_model'
    """
    checks = [
        _contracts.check_input_formats_give_one_model,
        _contracts.check_predicts_on_any_input_format,
        _contracts.check_files_give_the_model_of_their_pixels,
        _contracts.check_dtypes_give_one_model,
        _contracts.check_equal_seeds_give_equal_bits,
        _contracts.check_predictions_are_deterministic,
        _contracts.check_augmentation_is_applied_in_training_only,
        _contracts.check_predictions_do_not_depend_on_the_batch,
        _contracts.check_global_state_is_unchanged,
        _contracts.check_silent_by_default,
        _contracts.check_images_are_not_modified,
        _contracts.check_refit_on_another_shape,
        _contracts.check_labels_of_any_type,
        _contracts.check_probabilities_agree_with_labels,
        _contracts.check_invalid_images_raise,
        _contracts.check_images_of_another_shape_raise,
        _contracts.check_failed_fit_changes_nothing,
        _contracts.check_copies_predict_the_same,
        _contracts.check_state_is_plain,
    ]
    if get_tags(estimator).classifier_tags.multi_label:
        checks.append(_contracts.check_multilabel_targets)
    if has_fit_parameter(estimator, "sample_weight"):
        checks.append(_contracts.check_zero_weight_equals_removal)
    if has_fit_parameter(estimator, "X_val"):
        checks.append(_contracts.check_validation_images_do_not_affect_training)
    if hasattr(estimator, "partial_fit"):
        checks.append(_contracts.check_partial_fit_continues_after_pickling)
    if "warm_start" in estimator.get_params():
        checks.append(_contracts.check_warm_start_continues_training)
    return [partial(check, type(estimator).__name__, estimator) for check in checks]


def check_image_classifier(estimator):
    """Check that an estimator follows the conventions of the image classifiers.

    Parameters
    ----------
    estimator : estimator instance
        An unfitted image classifier.

    Raises
    ------
    AssertionError
        If a check fails. The remaining checks are not run.

    Examples
    --------
    >>> from skimgcls import MLPImageClassifier
    >>> from skimgcls.estimator_checks import check_image_classifier
    >>> check_image_classifier(MLPImageClassifier(hidden_layer_sizes=32))
    """
    for check in image_classifier_checks(estimator):
        check()
