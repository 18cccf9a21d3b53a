"""Load a fitted estimator from a file."""

from os import PathLike

import safetensors
import safetensors.numpy
from sklearn.base import BaseEstimator

from skimgcls.exceptions import ModelFileError
from skimgcls.persistence._container import ESTIMATOR, WEIGHTS, read_manifest, read_members
from skimgcls.persistence._objects import build_object
from skimgcls.persistence._walk import walk_values
from skimgcls.utils._paths import expand, file_error
from skimgcls.utils._state_dict import ExternalWeights, external_weights

# Parameters that name a cache folder.
_CACHES = ("cache", "memory")


def load(path, *, trusted=()):
    """Load a fitted estimator from a file that :func:`save` wrote.

    The digest of the file is verified first, and skops audits its description. Only then is the
    estimator built, and only from trusted types.

    Parameters
    ----------
    path : str or path-like
        File to load.

    trusted : sequence of str, default=()
        Full names of custom types to trust, such as ``"mynets.Net"``.

    Returns
    -------
    estimator : estimator
        The saved estimator. Its cache folders are set to None, because they are specific to a
        machine. A classifier computes on the CPU if its device is not available.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ModelFileError
        If the file was not written by :func:`save`, was truncated or altered, has a later format,
        or contains a type that is not trusted.

    See Also
    --------
    save : Save a fitted estimator to a file.

    Examples
    --------
    See :func:`save`.
    """
    return read_model(path, trusted)[0]


def read_model(path, trusted=()):
    """Return the estimator in a file, and its manifest: versions, steps, classes.

    Raises the same errors as :func:`load`.
    """
    file_path, name = expand(path), str(path)
    try:
        file = file_path.open("rb")
    except OSError as error:
        raise file_error(file_path, "cannot be opened", error) from None
    with file:
        members = read_members(file, name)
    manifest = read_manifest(members, name)
    try:
        arrays = safetensors.numpy.load(members[WEIGHTS])
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelFileError(f"{name}: its weights are not valid safetensors: {error}") from error
    with external_weights(ExternalWeights(arrays)):
        estimator = build_object(members[ESTIMATOR], tuple(trusted), name)
    if not isinstance(estimator, BaseEstimator):
        raise ModelFileError(f"{name}: {type(estimator).__name__} is not an estimator.")
    _clear_caches(estimator)
    return estimator, manifest


def _clear_caches(estimator):
    """Reset cache folders: a cache is written to, and joblib runs what it reads from one."""
    for value in list(walk_values(estimator)):
        for name in _CACHES if isinstance(value, BaseEstimator) else ():
            folder = getattr(value, name, None)
            # "auto" of an ImageLoader is memory, not a folder.
            if isinstance(folder, str | PathLike) and (name, folder) != ("cache", "auto"):
                setattr(value, name, None)
