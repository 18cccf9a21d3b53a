"""Each check fails for a classifier that violates it."""

import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from sklearn.naive_bayes import GaussianNB

from skimgcls import ImageLoader, MLPImageClassifier
from skimgcls._images._lazy_images import LazyImages
from skimgcls.estimator_checks import check_image_classifier, image_classifier_checks

BROKEN = []


def breaks(contract, words, error=AssertionError):
    """Register a classifier for which `contract` must fail with a message matching `words`."""

    def mark(classifier):
        BROKEN.append(pytest.param(contract, classifier, words, error, id=classifier.__name__))
        return classifier

    return mark


@breaks("check_input_formats_give_one_model", "fitted on rows gives a different model")
class ReadsRowsBackwards(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        is_rows = isinstance(X, np.ndarray) and X.ndim == 2
        return super().fit(X[:, ::-1] if is_rows else X, y, **fit_params)


@breaks("check_predicts_on_any_input_format", "predicts differently on")
class KnowsTheSpellingOfFitOnly(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        self.spelling_ = type(X).__name__
        return super().fit(X, y, **fit_params)

    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return proba if type(X).__name__ == self.spelling_ else proba[:, ::-1]


@breaks("check_dtypes_give_one_model", "fitted on int64 gives a different model")
class DividesIntegersBy255(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        is_int = isinstance(X, np.ndarray) and X.dtype == np.int64
        return super().fit(X / 255 if is_int else X, y, **fit_params)


@breaks("check_files_give_the_model_of_their_pixels", "fitted on paths gives a different model")
class ReadsFilesUpsideDown(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        is_paths = isinstance(X, pd.DataFrame) and X.shape[1] == 1
        if is_paths:
            X = np.asarray(ImageLoader().fit_transform(X))[:, ::-1]
        return super().fit(X, y, **fit_params)


@breaks("check_augmentation_is_applied_in_training_only", "predict changes images")
class PredictsOnAugmentedImages(MLPImageClassifier):
    def _logits(self, X):
        if isinstance(X, LazyImages):
            X = X.then(_Invert())
        return super()._logits(X)


@breaks("check_augmentation_is_applied_in_training_only", "ignores an ImageAugmenter")
class TrainsOnPlainImages(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        return super().fit(X.source if isinstance(X, LazyImages) else X, y, **fit_params)


class _Invert:
    """A step applied in prediction as well."""

    is_random = False

    def output_shape(self, image_shape):
        return image_shape

    def __call__(self, batch, generator):
        return 255 - batch


@breaks("check_equal_seeds_give_equal_bits", "fits differently with equal seeds")
class SeedsItself(MLPImageClassifier):
    def _build_module(self, image_shape, n_outputs):
        torch.default_generator.seed()
        return super()._build_module(image_shape, n_outputs)


@breaks("check_equal_seeds_give_equal_bits", "ignores random_state")
class HasOneSeed(MLPImageClassifier):
    def _build_module(self, image_shape, n_outputs):
        torch.default_generator.manual_seed(0)
        return super()._build_module(image_shape, n_outputs)


@breaks("check_predictions_are_deterministic", "predict_proba differs from call to call")
class PredictsByChance(MLPImageClassifier):
    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return proba + np.random.default_rng().uniform(0, 1e-9, proba.shape)


@breaks("check_predictions_do_not_depend_on_the_batch", "Not equal to tolerance")
class SubtractsTheMeanOfTheBatch(MLPImageClassifier):
    def _logits(self, X):
        logits = super()._logits(X)
        return logits - logits.mean(axis=0)


@breaks("check_global_state_is_unchanged", "fit changed the caller's")
class SeedsTheCaller(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        # Another seed than the current one, whatever ran before.
        torch.manual_seed(torch.initial_seed() + 1)
        return super().fit(X, y, **fit_params)


@breaks("check_global_state_is_unchanged", "changed the caller's .* in predicting")
class DrawsFromTheCallerInPredicting(MLPImageClassifier):
    def decision_function(self, X):
        torch.rand(1)
        return super().decision_function(X)


@breaks("check_global_state_is_unchanged", "drew from the caller's generators")
class DrawsItsSeedFromTheCaller(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        if self.random_state is None:
            torch.rand(1)
        return super().fit(X, y, **fit_params)


@breaks("check_silent_by_default", "is not silent by default: 'fitting")
class Talks(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        sys.stdout.write("fitting\n")
        return super().fit(X, y, **fit_params)


@breaks("check_silent_by_default", "for your information", UserWarning)
class Warns(MLPImageClassifier):
    def predict_proba(self, X):
        warnings.warn("for your information", stacklevel=2)
        return super().predict_proba(X)


@breaks("check_images_are_not_modified", "wrote to X")
class WritesToImages(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        if isinstance(X, np.ndarray) and X.flags.writeable:
            X[0] = 0
        return super().fit(X, y, **fit_params)


@breaks("check_images_are_not_modified", "depends on the memory order of X")
class ReadsMemory(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        if isinstance(X, np.ndarray) and np.isfortran(X):
            X = X.ravel(order="K").reshape(X.shape)
        return super().fit(X, y, **fit_params)


@breaks("check_images_are_not_modified", "depends on the strides of X")
class ReadsMemoryForwards(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        if isinstance(X, np.ndarray) and X.strides[0] < 0:
            X = X[::-1]
        return super().fit(X, y, **fit_params)


@breaks("check_refit_on_another_shape", "RemembersItsFirstFit")
class RemembersItsFirstFit(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        is_first = not hasattr(self, "net_")
        super().fit(X, y, **fit_params)
        return self if is_first else self.partial_fit(X, y)


@breaks("check_labels_of_any_type", "does not learn labels as integers")
class AnswersInText(MLPImageClassifier):
    def predict(self, X):
        return super().predict(X).astype(str)


@breaks("check_labels_of_any_type", "with labels as strings")
class SortsClassesBackwards(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        super().fit(X, y, **fit_params)
        self.classes_ = self.classes_[::-1]
        return self


@breaks("check_probabilities_agree_with_labels", "Not equal to tolerance")
class GivesScoresForProbabilities(MLPImageClassifier):
    def predict_proba(self, X):
        return 0.9 * super().predict_proba(X)


@breaks("check_probabilities_agree_with_labels", "GivesTheProbabilityOfTheOther")
class GivesTheProbabilityOfTheOther(MLPImageClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X)[:, ::-1]


@breaks("check_invalid_images_raise", "NaN: nothing was raised")
class TakesNaN(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        is_float = isinstance(X, np.ndarray) and X.dtype.kind == "f"
        return super().fit(np.nan_to_num(X) if is_float else X, y, **fit_params)


@breaks("check_invalid_images_raise", "NaN: the error says 'bad images'")
class DoesNotTellWhichImageIsBad(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        try:
            return super().fit(X, y, **fit_params)
        except ValueError as error:
            raise ValueError("bad images") from error


@breaks("check_images_of_another_shape_raise", "another size: nothing was raised")
class CropsWhatItIsGiven(MLPImageClassifier):
    def predict(self, X):
        return super().predict(np.resize(X, (len(X), *self.image_shape_)))


@breaks("check_failed_fit_changes_nothing", "a failed fit changed the model")
class ForgetsBeforeItFits(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        if hasattr(self, "net_"):
            torch.nn.init.zeros_(next(self.net_.module_.parameters()))
        return super().fit(X, y, **fit_params)


@breaks("check_failed_fit_changes_nothing", "a failed fit left half a model")
class CountsBeforeItFits(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        self.n_images_ = len(X)
        return super().fit(X, y, **fit_params)


@breaks("check_copies_predict_the_same", "pickle changed the model")
class SavesInHalfPrecision(MLPImageClassifier):
    def __getstate__(self):
        state = super().__getstate__()
        if "net_" in state:
            module = state["net_"]["module"]
            module.update(
                {name: x.astype(np.float16).astype(x.dtype) for name, x in module.items()}
            )
        return state


@breaks("check_state_is_plain", "X_ is a DataFrame, not plain data")
class KeepsAFrame(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        super().fit(X, y, **fit_params)
        self.X_ = pd.DataFrame()
        return self


@breaks("check_multilabel_targets", "Mismatched elements")
class SharesOneProbabilityAmongLabels(MLPImageClassifier):
    def predict_proba(self, X):
        return softmax(self._logits(X), axis=1)


@breaks("check_zero_weight_equals_removal", "Not equal to tolerance")
class IgnoresWeights(MLPImageClassifier):
    def fit(self, X, y, sample_weight=None, **fit_params):
        return super().fit(X, y, **fit_params)


@breaks("check_validation_images_do_not_affect_training", "trained on its validation images")
class TrainsOnValidationImages(MLPImageClassifier):
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        if X_val is not None and y_val is not None:
            X, y = np.concatenate([X, X_val]), np.concatenate([y, y_val])
        return super().fit(X, y)


@breaks("check_validation_images_do_not_affect_training", "nothing was raised")
class OverlooksMissingValidationLabels(MLPImageClassifier):
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        return super().fit(X, y)


@breaks("check_partial_fit_continues_after_pickling", "Arrays are not equal")
class LosesTheOptimizer(MLPImageClassifier):
    def __getstate__(self):
        state = super().__getstate__()
        if "net_" in state:
            state["net_"]["optimizer"]["state"] = {}
        return state


@breaks("check_partial_fit_continues_after_pickling", "partial_fit did not train")
class TrainsOnce(MLPImageClassifier):
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        return self if hasattr(self, "net_") else super().partial_fit(X, y, classes)


@breaks("check_warm_start_continues_training", "has lost the epochs before the warm start")
class StartsCold(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        vars(self).pop("net_", None)
        return super().fit(X, y, **fit_params)


@breaks("check_warm_start_continues_training", "restarted training")
class KeepsTheEpochsAndLosesTheWeights(MLPImageClassifier):
    def fit(self, X, y, **fit_params):
        if hasattr(self, "net_"):
            for weights in self.net_.module_.parameters():
                torch.nn.init.normal_(weights.data)
        return super().fit(X, y, **fit_params)


def contracts_of(estimator):
    return {check.func.__name__: check for check in image_classifier_checks(estimator)}


@pytest.mark.filterwarnings("ignore:X has pixels in the range:UserWarning")
@pytest.mark.parametrize(("contract", "classifier", "words", "error"), BROKEN)
def test_classifier_that_breaks_a_contract_fails_its_check(contract, classifier, words, error):
    # The check is selected by the parameters of the base class.
    check = contracts_of(MLPImageClassifier())[contract].func
    with pytest.raises(error, match=words):
        check(classifier.__name__, classifier(hidden_layer_sizes=8))


def test_every_contract_has_a_failing_classifier():
    assert {case.values[0] for case in BROKEN} == set(contracts_of(MLPImageClassifier()))


def test_check_image_classifier_stops_at_the_first_failure():
    with pytest.raises(AssertionError, match="TakesNaN, NaN: nothing was raised"):
        check_image_classifier(TakesNaN(hidden_layer_sizes=8))


def test_contracts_depend_on_the_methods_of_the_estimator():
    every = set(contracts_of(MLPImageClassifier()))
    assert every - set(contracts_of(GaussianNB())) == {
        "check_multilabel_targets",
        "check_validation_images_do_not_affect_training",
        "check_warm_start_continues_training",
    }
