"""A fitted estimator into a file."""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import safetensors.numpy
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skimgcls.persistence._container import ESTIMATOR, MANIFEST, WEIGHTS, write_members
from skimgcls.persistence._objects import dump_object
from skimgcls.utils._state_dict import ExternalWeights, external_weights
from skimgcls.utils._unwrap import walk_steps

_PACKAGES = ("numpy", "pandas", "pillow", "scikit-learn", "skops", "skorch", "torch", "torchvision")


def save(estimator, path, *, with_optimizer=False, trusted=()):
    """Write a fitted estimator, a whole Pipeline or a search into one file that is safe to open.

    Nothing in the file is a program. Weights are safetensors, the rest is described for skops,
    which builds what is known to be safe alone, and a digest tells whether a byte was altered. It
    is read by :func:`load`, on a machine without the device that trained as well.

    Parameters
    ----------
    estimator : estimator
        Fitted: of this package, a Pipeline, a search, or any other of scikit-learn.

    path : str or path
        File to write, by custom ``*.skimgcls``. What was there is replaced when the new file is
        complete.

    with_optimizer : bool, default=False
        Keep the state of the optimizer, which is twice as large as the weights: `partial_fit` then
        goes on after :func:`load` as if nothing had been. Without it its steps begin anew.

    trusted : sequence of str, default=()
        Full names of types of your own in the estimator, such as ``"mynets.Net"``, which are to be
        named for :func:`load` as well.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is no estimator, or holds a type that is not known to be safe.

    See Also
    --------
    load : Read it again.

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
    write_members(Path(path), members)


def _describe(estimator):
    """Return what a reader wants to know before anything is built."""
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
