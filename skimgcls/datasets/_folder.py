"""A folder of images with a sub-folder for each class."""

import os
from collections import Counter
from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skimgcls.datasets._arguments import check_flags, check_option, check_path
from skimgcls.datasets._entries import Folder, open_folder
from skimgcls.datasets._readable import keep_readable
from skimgcls.datasets._scan import Listing, check_every_class, find_subsets, list_images

_CALLER = "load_image_folder"


def load_image_folder(
    container_path,
    *,
    subset=None,
    labels=None,
    on_error="raise",
    return_X_y=False,
    as_frame=True,
    n_jobs=None,
):
    """List the images of a folder that has a sub-folder for each class.

    No image is loaded: the data are paths, which are read when a model needs them. Each file is
    looked at once, so that a broken one shows here and not in the middle of training. Expected is
    ::

        container_path/
            cat/
                1.jpg
                outdoors/2.png
            dog/
                1.jpg

    where the name of a folder is the label of all images in it and below it; or the same once more
    in each of the folders "train", "val" and "test". These may also be called "training", "valid",
    "validation" or "testing", in upper or lower case.

    Parameters
    ----------
    container_path : str or path-like
        The folder that holds the folders of the classes, or of the subsets.
    subset : {"train", "val", "test"} or None, default=None
        The subset to list. None lists all there are.
    labels : list of str or None, default=None
        The classes to list; folders of others are ignored. None lists all.
    on_error : {"raise", "skip"}, default="raise"
        With "raise", the header of each file is read, and the files that hold no image are named
        in an error. With "skip", each file is decoded once, which takes longer and finds more, and
        those that fail are left out and told in `ignored`.
    return_X_y : bool, default=False
        Whether to return `(data, target)` in place of a `Bunch`.
    as_frame : bool, default=True
        Whether data and target are a DataFrame and a Series, or arrays of text.
    n_jobs : int or None, default=None
        Number of threads that look at files. None means 1 unless in a `joblib.parallel_config`,
        -1 means all processors.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n, 1) or ndarray of shape (n,)
            The paths, in the column "path". They begin with `container_path` as it was given.
        target : Series or ndarray of shape (n,)
            The labels, called "label".
        target_names : list of str
            The classes in sorted order; for a subset, those of all images to train on.
        frame : DataFrame of shape (n, 2) or None
            Paths and labels together, with `as_frame`.
        ignored : DataFrame
            What was passed over: a "path" and a "reason" for each hidden file, each file that is
            no image by its suffix, each image that lies in no class, and each that was skipped.
        DESCR : str
            How many images of each class there are.

        Images are sorted by class and then by path, alike on every system. With several subsets
        and `subset=None` the bunch has a bunch as above for each of them, `train`, `val` and
        `test`; their `target_names`; and what was `ignored` beside them.
    (data, target) : tuple
        With `return_X_y`.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        If the folder is not there, is a file, or may not be read.
    ImageFileError
        With `on_error="raise"`, if files are empty, hold no image, or are links that lead nowhere
        or in a circle. It is a `ValueError`.
    ValueError
        If there are no folders of classes, or one without an image; if "val" or "test" has a class
        that "train" lacks; if a subset or label is not there; if `return_X_y` leaves open which
        subset is meant.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from skimgcls.datasets import load_image_folder
    >>> folder = TemporaryDirectory()
    >>> for name in ["dog/1.png", "cat/1.png", "cat/outdoors/2.png"]:
    ...     path = Path(folder.name, name)
    ...     path.parent.mkdir(parents=True, exist_ok=True)
    ...     Image.new("RGB", (4, 4)).save(path)
    >>> pets = load_image_folder(folder.name)
    >>> [Path(path).name for path in pets.data["path"]]
    ['1.png', '2.png', '1.png']
    >>> pets.target.tolist()
    ['cat', 'cat', 'dog']

    Broken files are named; they can be left out:

    >>> _ = Path(folder.name, "cat", "0.png").write_bytes(b"")
    >>> load_image_folder(folder.name)
    Traceback (most recent call last):
    ...
    skimgcls.exceptions.ImageFileError: 1 of 4 images cannot be read:
      '...0.png' is empty: it has 0 bytes
    Repair or delete them, or pass on_error="skip" to leave them out.
    >>> X, y = load_image_folder(folder.name, on_error="skip", return_X_y=True)
    >>> X.shape, y.shape
    ((3, 1), (3,))
    >>> folder.cleanup()
    """
    check_option(_CALLER, "subset", subset, ("train", "val", "test", None))
    check_option(_CALLER, "on_error", on_error, ("raise", "skip"))
    check_flags(_CALLER, return_X_y=return_X_y, as_frame=as_frame)
    _check_n_jobs(n_jobs)
    labels = _check_labels(labels)
    container = open_folder(check_path(_CALLER, "container_path", container_path))
    subsets = find_subsets(container)
    _check_subset(container, subsets, subset, return_X_y)

    folders = {name: open_folder(os.path.join(container.path, at)) for name, at in subsets.items()}
    folders = folders or {"": container}
    classes = _find_classes(folders, labels)
    bunches = {}
    for name, folder in folders.items():
        if subset in (None, name):
            listing = _list_readable(folder, classes, labels, on_error, n_jobs)
            bunches[name] = _make_bunch(folder.path, listing, classes, as_frame)
    if subset is None and subsets:
        return _join(bunches, _list_beside(container, on_error), classes)
    (bunch,) = bunches.values()
    return (bunch.data, bunch.target) if return_X_y else bunch


def _check_n_jobs(n_jobs: Any) -> None:
    is_number = isinstance(n_jobs, Integral) and not isinstance(n_jobs, bool | np.bool_)
    if n_jobs is not None and not (is_number and n_jobs != 0):
        raise ValueError(f"n_jobs must be None or an integer other than 0; got {n_jobs!r}.")


def _check_labels(labels: Any) -> list[str] | None:
    if labels is None:
        return None
    is_listing = isinstance(labels, Iterable) and not isinstance(labels, str)
    names = list(labels) if is_listing else []
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"labels must be a list of names of folders, or None; got {labels!r}.")
    return names


def _check_subset(
    container: Folder, subsets: dict[str, str], subset: str | None, only_arrays: bool
) -> None:
    """Raise if the subset is not there, or if it is not told which one is meant."""
    if subset is not None and subset not in subsets:
        raise ValueError(
            f"{container.path!r} holds no folder for the subset {subset!r}. Its folders are "
            f"{container.folders}."
        )
    others = sorted(set(container.folders) - set(subsets.values()))
    if subsets and subset is None and others:
        raise ValueError(
            f"{container.path!r} holds folders of subsets, {list(subsets.values())}, and others, "
            f"{others}. Name the subset to load, or move the others away."
        )
    if subsets and subset is None and only_arrays:
        raise ValueError(
            f"{container.path!r} holds the subsets {list(subsets)}. With return_X_y=True, name the "
            "one to return in subset."
        )


def _find_classes(folders: dict[str, Folder], labels: list[str] | None) -> list[str]:
    """Return the classes to list in sorted order: those of "train", or of all folders given."""
    given = [folders["train"]] if "train" in folders else list(folders.values())
    known = {name for folder in given for name in folder.folders}
    if labels is None:
        return sorted(known)
    missing = sorted(set(labels) - known)
    if missing:
        raise ValueError(
            f"labels names classes without a folder in {given[0].path!r}: {missing}. The folders "
            f"are {sorted(known)}."
        )
    return sorted(set(labels))


def _list_readable(
    folder: Folder, classes: list[str], labels: list[str] | None, on_error: str, n_jobs: int | None
) -> Listing:
    """Return the readable images of the classes, or raise."""
    here = [name for name in classes if name in folder.folders]
    if not here:
        loose = f" It holds {len(folder.images)} images itself." if folder.images else ""
        raise ValueError(
            f"{folder.path!r} holds no folders of classes.{loose} Expected a folder for each "
            "class, with the images of the class in it."
        )
    unknown = sorted(set(folder.folders) - set(classes))
    if labels is None and unknown:
        raise ValueError(
            f"{folder.path!r} holds classes that the training images do not: {unknown}. A model "
            "cannot learn them. Add them there, or name the classes to load in labels."
        )
    listing = list_images(folder, here)
    readable = keep_readable(listing, on_error=on_error, n_jobs=n_jobs)
    check_every_class(folder.path, here, listing)
    check_every_class(folder.path, here, readable, which=" that can be read")
    return readable


def _make_bunch(path: str, listing: Listing, classes: list[str], as_frame: bool) -> Bunch:
    labels = [label for label, _ in listing.images]
    paths = [path for _, path in listing.images]
    frame = pd.DataFrame({"path": paths, "label": labels})
    return Bunch(
        data=frame[["path"]] if as_frame else np.array(paths),
        target=frame["label"] if as_frame else np.array(labels),
        target_names=classes,
        frame=frame if as_frame else None,
        ignored=_tell(listing.ignored),
        DESCR=_describe(path, labels),
    )


def _list_beside(container: Folder, on_error: str) -> Listing:
    """Return what lies beside folders of subsets, or raise if a link there is broken."""
    loose = [(os.path.join(container.path, name), "lies in no subset") for name in container.files]
    listing = Listing(ignored=container.ignored + loose, broken=container.broken)
    return keep_readable(listing, on_error=on_error, n_jobs=None)


def _join(parts: dict[str, Bunch], beside: Listing, classes: list[str]) -> Bunch:
    """Return a bunch of the bunches of several subsets."""
    return Bunch(
        **parts,
        target_names=classes,
        ignored=_tell(beside.ignored),
        DESCR="\n\n".join(part.DESCR for part in parts.values()),
    )


def _tell(ignored: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(sorted(ignored), columns=["path", "reason"])


def _describe(path: str, labels: list[str]) -> str:
    counts = Counter(labels)
    lines = [f"{label}: {count}" for label, count in counts.items()]
    return "\n".join([f"{len(labels)} images of {len(counts)} classes in {path}", "", *lines])
