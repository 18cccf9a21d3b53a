"""The only module that uses private or recent names of scikit-learn (version 1.6 or later)."""

from types import ModuleType
from typing import Any

import numpy as np
from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as take_rows
from sklearn.utils._array_api import get_namespace
from sklearn.utils._metadata_requests import SIMPLE_METHODS, MetadataRequest
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
    "dump_requests",
    "fit_context",
    "numpy_namespace",
    "restore_requests",
    "take_rows",
]


def dump_requests(estimator: Any) -> dict[str, dict[str, Any]]:
    """Return the metadata requests of an estimator as plain values, by method and parameter."""
    request = vars(estimator)["_metadata_request"]
    return {
        method: dict(getattr(request, method).requests)
        for method in SIMPLE_METHODS
        if hasattr(request, method)
    }


def restore_requests(estimator: Any, requests: dict[str, dict[str, Any]]) -> None:
    """Set the metadata requests of an estimator to those that `dump_requests` returned."""
    # The owner is the estimator, or its name in earlier versions.
    request = MetadataRequest(owner=estimator._get_metadata_request().owner)
    for method, parameters in requests.items():
        if method not in SIMPLE_METHODS:
            raise ValueError(f"{method!r} is not a method that takes metadata.")
        for parameter, alias in parameters.items():
            getattr(request, method).add_request(param=parameter, alias=alias)
    vars(estimator)["_metadata_request"] = request


def numpy_namespace() -> ModuleType:
    """Return the namespace that scikit-learn uses for NumPy arrays, with or without dispatch."""
    namespace: ModuleType = get_namespace(np.empty(0))[0]
    return namespace
