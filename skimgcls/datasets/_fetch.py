"""Public datasets, downloaded and read by torchvision, in the format of scikit-learn."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import get_data_home
from sklearn.utils import Bunch

from skimgcls.datasets._arguments import check_flags, check_option, check_path

_LOGGER = logging.getLogger(__name__)
_PARTS = {"train": (True,), "test": (False,), "all": (True, False)}


@dataclass(frozen=True)
class PublicSet:
    """Description of a public dataset.

    Attributes
    ----------
    name : str
        Display name.
    caller : str
        Name of the public function, for error messages.
    description : str
        Description and source, for `DESCR`.
    labels : tuple or None, default=None
        Label of each class code, in order; None for torchvision's class names.
    """

    name: str
    caller: str
    description: str
    labels: tuple[int, ...] | None = None


def fetch(
    public_set: PublicSet,
    dataset: Any,
    *,
    subset: str,
    data_home: Any,
    download_if_missing: bool,
    return_X_y: bool,
    as_frame: bool,
) -> Bunch | tuple[Any, Any]:
    """Return a dataset in the format that is documented in `public_set.caller`.

    Parameters
    ----------
    public_set : PublicSet
    dataset : type
        torchvision class that takes `root`, `train` and `download`. Its instances have `data`
        (n, h, w) or (n, h, w, c) of uint8, `targets` (n,) with class codes, and `classes`.
    subset, data_home, download_if_missing, return_X_y, as_frame
        As in the public function.
    """
    caller = public_set.caller
    check_option(caller, "subset", subset, tuple(_PARTS))
    flags = {"return_X_y": return_X_y, "as_frame": as_frame}
    check_flags(caller, download_if_missing=download_if_missing, **flags)
    home = None if data_home is None else check_path(caller, "data_home", data_home)
    root = Path(get_data_home(home))
    parts = [
        _read(public_set, dataset, root, train, download_if_missing) for train in _PARTS[subset]
    ]
    images = np.ascontiguousarray(np.concatenate([np.asarray(part.data) for part in parts]))
    codes = np.concatenate([np.asarray(part.targets) for part in parts])
    names = np.array(public_set.labels or parts[0].classes)
    bunch = _make_bunch(images, names[codes], as_frame)
    bunch.update(target_names=names.tolist(), DESCR=public_set.description)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _read(
    public_set: PublicSet, dataset: Any, root: Path, train: bool, download_if_missing: bool
) -> Any:
    """Return torchvision's dataset; download it if it is missing and this is allowed."""
    try:
        return dataset(root, train=train)
    except RuntimeError as error:
        # torchvision raises "not found" for missing files and for wrong checksums.
        if "not found" not in str(error):
            raise _damaged(public_set, root) from error
        if not download_if_missing:
            raise OSError(
                f"{public_set.name} is missing or incomplete in {str(root)!r}, and "
                "download_if_missing=False. Set it to True to download the dataset, or pass the "
                "folder of the dataset as data_home."
            ) from error
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise _damaged(public_set, root) from error
    _LOGGER.info("Downloading %s to %s", public_set.name, root)
    try:
        with _silent():
            return dataset(root, train=train, download=True)
    except (RuntimeError, OSError, EOFError) as error:
        raise OSError(
            f"{public_set.name} could not be downloaded to {str(root)!r}. Check the network, or "
            "pass the folder of the dataset as data_home. Error of torchvision: "
            + " ".join(str(error).split())
        ) from error


def _damaged(public_set: PublicSet, root: Path) -> OSError:
    return OSError(
        f"The files of {public_set.name} in {str(root)!r} are truncated or corrupt. Delete them "
        "to download them again."
    )


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Hide what torchvision shows while it downloads, which has no option to disable it.

    That is a progress bar and, from Python 3.12 on, a warning that it unpacks an archive without a
    filter. It compares the archive with its checksum before.
    """
    unseen = io.StringIO()
    with (
        contextlib.redirect_stdout(unseen),
        contextlib.redirect_stderr(unseen),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings(
            "ignore", "Python 3.14 will, by default, filter", DeprecationWarning
        )
        yield


def _make_bunch(images: np.ndarray, labels: np.ndarray, as_frame: bool) -> Bunch:
    names = [f"pixel{i}" for i in range(1, images[0].size + 1)]
    data, target, frame = images, labels, None
    if as_frame:
        data = pd.DataFrame(images.reshape(len(images), -1), columns=names)
        target = pd.Series(labels, name="label")
        frame = data.assign(label=target)
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        feature_names=names,
        image_shape=images.shape[1:],
    )
