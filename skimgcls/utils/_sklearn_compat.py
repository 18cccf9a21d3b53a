"""The only module that uses private or recent names of scikit-learn (version 1.6 or later)."""

from types import ModuleType

import numpy as np
from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._array_api import get_namespace
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import _BaseComposition as BaseComposition
from sklearn.utils.validation import _check_feature_names as check_feature_names
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "BaseComposition",
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_feature_names",
    "check_feature_names_in",
    "check_sample_weight",
    "fit_context",
    "numpy_namespace",
    "take_rows",
]


def numpy_namespace() -> ModuleType:
    """Return the namespace that scikit-learn uses for NumPy arrays, with or without dispatch."""
    namespace: ModuleType = get_namespace(np.empty(0))[0]
    return namespace
