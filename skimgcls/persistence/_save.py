"""Save a fitted estimator to a file."""

import json
import platform
from importlib.metadata import version

import numpy as np
import safetensors.numpy
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skimgcls.persistence._container import ESTIMATOR, MANIFEST, WEIGHTS, write_members
from skimgcls.persistence._objects import dump_object
from skimgcls.utils._paths import expand
from skimgcls.utils._state_dict import ExternalWeights, external_weights
from skimgcls.utils._unwrap import walk_steps

_PACKAGES = ("numpy", "pandas", "pillow", "scikit-learn", "skops", "skorch", "torch", "torchvision")


def save(estimator, path, *, with_optimizer=False, trusted=()):
    """Save a fitted estimator, a Pipeline or a search to one file that is safe to load.

    The file contains no code. Weights are stored as safetensors, everything else as a skops
    description, from which only trusted types are built. A digest detects altered bytes. Use
    :func:`load` to read the file, also on a machine without the device used for training.

    Parameters
    ----------
    estimator : estimator
        Fitted estimator: one of this package, a Pipeline, a search, or another one of
        scikit-learn.

    path : str or path-like
        File to write, usually ``*.skimgcls``. An existing file is replaced once the new file is
        complete.

    with_optimizer : bool, default=False
        Whether to save the state of the optimizer, which is twice as large as the weights. If
        True, `partial_fit` continues after :func:`load` exactly as without saving. If False, the
        optimizer is reset.

    trusted : sequence of str, default=()
        Full names of custom types in the estimator, such as ``"mynets.Net"``. Pass them to
        :func:`load` as well.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If `estimator` is not an estimator, or contains a type that is not trusted.
    FileNotFoundError
        If the folder of `path` does not exist.

    See Also
    --------
    load : Load the estimator from the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import MLPImageClassifier, load, save
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = MLPImageClassifier(max_iter=5, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(clf, Path(folder, "digits.skimgcls"))
    ...     again = load(Path(folder, "digits.skimgcls"))
    >>> bool((again.predict_proba(X) == clf.predict_proba(X)).all())
    True
    """
    if not isinstance(estimator, BaseEstimator):
        raise TypeError(f"save expects a fitted estimator; got {type(estimator).__name__}.")
    check_is_fitted(estimator)
    with external_weights(ExternalWeights(with_optimizer=with_optimizer)) as store:
        described = dump_object(estimator, tuple(trusted))
    members = {
        MANIFEST: json.dumps(_describe(estimator), indent=1).encode(),
        ESTIMATOR: described,
        WEIGHTS: safetensors.numpy.save(store.arrays),
    }
    write_members(expand(path), members)


def _describe(estimator):
    """Return the manifest, which can be read before anything is built."""
    steps = list(walk_steps(estimator))
    shapes = (getattr(step, "image_shape_", None) for step in steps)
    shape = next((shape for shape in shapes if shape is not None), None)
    classes = getattr(estimator, "classes_", None)
    return {
        "skimgcls": version("skimgcls"),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "estimator": type(estimator).__name__,
        "steps": [repr(step) for step in steps],
        "classes": None if classes is None else np.asarray(classes).tolist(),
        "image_shape": None if shape is None else [int(side) for side in shape],
    }
