"""Trusted types and functions, and the skops loader allowed for each."""

from inspect import isclass, isfunction

import sklearn.metrics
import sklearn.model_selection

import skimgcls.classifiers
import skimgcls.preprocessing

_CLASSES_OF = (skimgcls.classifiers, skimgcls.preprocessing, sklearn.model_selection)
_FUNCTIONS_OF = (sklearn.metrics,)
# Other trusted types, by the only skops loader that may build them.
_OTHERS = {
    "ObjectNode": (
        "imblearn.pipeline.Pipeline",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.calibration._TemperatureScaling",
        "sklearn.metrics._scorer._MultimetricScorer",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.metrics._scorer._Scorer",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        # Some versions of scikit-learn, NumPy or skops need these and the next as well.
        "sklearn.utils._metadata_requests.MetadataRequest",
        "sklearn.utils._metadata_requests.MethodMetadataRequest",
    ),
    "MaskedArrayNode": ("numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"),
    "DictNode": ("sklearn.utils._bunch.Bunch",),
    "ConstructorFromReduceNode": (
        "pathlib.PosixPath",
        "pathlib.WindowsPath",
        # In Python 3.13.
        "pathlib._local.PosixPath",
        "pathlib._local.WindowsPath",
    ),
}
# Modules of scikit-learn whose estimators compute with NumPy alone. Others index arrays with
# learned integers in C: values of a file could make them read or write foreign memory.
_CHECKED_MODULES = (
    *(
        "base",
        "calibration",
        "compose",
        "covariance",
        "cross_decomposition",
        "discriminant_analysis",
    ),
    *("dummy", "ensemble._bagging", "ensemble._stacking", "ensemble._voting", "feature_selection"),
    *("frozen", "gaussian_process", "impute._base", "isotonic", "kernel_approximation"),
    *("decomposition._factor_analysis", "decomposition._fastica", "decomposition._incremental_pca"),
    *("decomposition._kernel_pca", "decomposition._pca", "decomposition._truncated_svd"),
    *("linear_model", "metrics", "model_selection", "multiclass", "multioutput", "naive_bayes"),
    *("neural_network", "pipeline", "preprocessing", "random_projection", "utils"),
)
_CHECKED_CLASSES = ("sklearn.svm._classes.LinearSVC", "sklearn.svm._classes.LinearSVR")
# Its state is a spline of SciPy.
_UNCHECKED_CLASSES = ("sklearn.preprocessing._polynomial.SplineTransformer",)


def reads_memory(full):
    """Return whether a type of scikit-learn could read foreign memory with a state from a file.

    >>> reads_memory("sklearn.svm._classes.SVC")
    True
    >>> reads_memory("sklearn.linear_model._logistic.LogisticRegression")
    False
    """
    if not full.startswith("sklearn.") or full in _CHECKED_CLASSES:
        return False
    module = full.removeprefix("sklearn.") + "."
    is_checked = any(module.startswith(f"{known}.") for known in _CHECKED_MODULES)
    # Private modules, such as _loss.
    is_checked |= any(module.startswith(f"_{known}.") for known in ("config", "loss"))
    return full in _UNCHECKED_CLASSES or not is_checked


def get_trusted_types():
    """Return the types that :func:`load` trusts in addition to the defaults of skops.

    These are the estimators of this package, and the types used by searches, calibration and some
    other estimators of scikit-learn. Pass them to ``skops.io.load`` or ``mlflow.sklearn``.

    Returns
    -------
    names : list of str
        Full names, sorted.

    See Also
    --------
    save : Save a fitted estimator to a file; trusts these types by default.

    Examples
    --------
    >>> import skops.io
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import MLPImageClassifier, get_trusted_types
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = MLPImageClassifier(max_iter=5, random_state=0).fit(X, y)
    >>> again = skops.io.loads(skops.io.dumps(clf), trusted=get_trusted_types())
    >>> bool((again.predict_proba(X) == clf.predict_proba(X)).all())
    True
    """
    return sorted(loaders_of_trusted())


def loaders_of_trusted():
    """Return a dict from each trusted name to the only skops loader that may build it.

    Other loaders would call it: a loader of lists calls the named type with the list.
    """
    classes = dict.fromkeys(_public(_CLASSES_OF, isclass), "ObjectNode")
    functions = dict.fromkeys(_public(_FUNCTIONS_OF, isfunction), "FunctionNode")
    others = {name: loader for loader, names in _OTHERS.items() for name in names}
    return classes | functions | others


def _public(modules, is_wanted):
    """Return the full names of the public classes or functions of modules."""
    values = (getattr(module, name) for module in modules for name in module.__all__)
    return [f"{value.__module__}.{value.__name__}" for value in values if is_wanted(value)]
