"""A file back to a fitted estimator."""

from os import PathLike
from pathlib import Path

import safetensors
import safetensors.numpy
from sklearn.base import BaseEstimator

from skimgcls.exceptions import ModelFileError
from skimgcls.persistence._container import ESTIMATOR, WEIGHTS, read_manifest, read_members
from skimgcls.persistence._objects import build_object
from skimgcls.utils._state_dict import ExternalWeights, external_weights

# Parameters that name a folder to keep results in.
_CACHES = ("cache", "memory")


def load(path, *, trusted=()):
    """Read a fitted estimator from a file that :func:`save` wrote.

    The file is held against its digest, its description is audited by skops, and only then is
    anything built, of types that are known to be safe.

    Parameters
    ----------
    path : str or path
        File to read.

    trusted : sequence of str, default=()
        Full names of types of your own that may be built, such as ``"mynets.Net"``.

    Returns
    -------
    estimator : estimator
        As it was saved, but that folders of caches, which belong to a machine, are None again. A
        classifier whose device is not there computes on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is no such file, was cut short or altered, is of a later format, or holds a type that
        is not known to be safe.

    See Also
    --------
    save : Write it.

    Examples
    --------
    See :func:`save`.
    """
    return read_model(path, trusted)[0]


def read_model(path, trusted=()):
    """Return the estimator in a file, and what the file says of itself: versions, steps, classes.

    Raises as :func:`load` does.
    """
    name = str(path)
    with Path(path).open("rb") as file:
        members = read_members(file, name)
    manifest = read_manifest(members, name)
    try:
        arrays = safetensors.numpy.load(members[WEIGHTS])
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelFileError(f"{name}: its weights are no safetensors: {error}") from error
    with external_weights(ExternalWeights(arrays)):
        estimator = build_object(members[ESTIMATOR], tuple(trusted), name)
    if not isinstance(estimator, BaseEstimator):
        raise ModelFileError(f"{name}: it holds {type(estimator).__name__}, which is no estimator.")
    _clear_caches(estimator)
    return estimator, manifest


def _clear_caches(value, seen=None):
    """Name no folders of another machine: a cache is written to, and one of joblib's is run."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, BaseEstimator):
        for name in _CACHES:
            if isinstance(getattr(value, name, None), str | PathLike):
                setattr(value, name, None)
        value = vars(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _clear_caches(item, seen)
