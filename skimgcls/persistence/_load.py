"""Load a fitted estimator from a file."""

import numpy as np
import safetensors
import safetensors.numpy
from sklearn.base import BaseEstimator

from skimgcls.exceptions import ModelFileError
from skimgcls.persistence._container import ESTIMATOR, WEIGHTS, read_manifest, read_members
from skimgcls.persistence._objects import build_object
from skimgcls.persistence._walk import walk_values
from skimgcls.utils._paths import expand, open_regular
from skimgcls.utils._state_dict import ExternalWeights, external_weights

# Parameters that name a cache folder.
_CACHES = ("cache", "memory")
# Numbers of a Mersenne Twister and of a Philox generator.
_N_KEYS, _N_BUFFERED = 624, 4


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
    FileNotFoundError, IsADirectoryError, OSError
        If the file does not exist or cannot be opened, or is a folder, a device or a pipe.
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
    name = str(path)
    with open_regular(expand(path)) as file:
        members = read_members(file, name)
    manifest = read_manifest(members, name)
    try:
        arrays = safetensors.numpy.load(members[WEIGHTS])
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelFileError(
            f"{name}: its weights are not valid safetensors: {str(error)[:200]}"
        ) from error
    with external_weights(ExternalWeights(arrays)):
        estimator = build_object(members[ESTIMATOR], tuple(trusted), name)
    if not isinstance(estimator, BaseEstimator):
        raise ModelFileError(f"{name}: {type(estimator).__name__} is not an estimator.")
    _check_random_states(estimator, name)
    _clear_caches(estimator)
    return estimator, manifest


def _check_random_states(estimator, name):
    """Raise if a random state would read numbers outside of its own, which NumPy does not check."""
    for value in walk_values(estimator):
        if isinstance(value, np.random.RandomState):
            state = value.get_state(legacy=False)
        elif isinstance(value, np.random.Generator):
            state = value.bit_generator.state
        else:
            continue
        inner = state["state"]
        position = inner.get("pos", 0) if isinstance(inner, dict) else 0
        if not (0 <= position <= _N_KEYS and 0 <= state.get("buffer_pos", 0) <= _N_BUFFERED):
            raise ModelFileError(f"{name}: its random state has the invalid position {position}.")


def _clear_caches(estimator):
    """Reset cache folders: a cache is written to, and joblib runs what it reads from one."""
    for value in list(walk_values(estimator)):
        state = getattr(value, "__dict__", {})
        for name in _CACHES:
            # "auto" of an ImageLoader is memory, and no folder.
            is_auto = name == "cache" and isinstance(state.get(name), str) and state[name] == "auto"
            if name in state and not is_auto:
                state[name] = None
