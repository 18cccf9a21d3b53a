"""Load a folder of images with one sub-folder for each class."""

import os
from collections import Counter
from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skimgcls.datasets._arguments import check_flags, check_option, check_path
from skimgcls.datasets._doubts import warn_of_nested_classes, warn_of_unread
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
    """Load image paths and labels from a folder with one sub-folder for each class.

    The data are file paths. Images are not kept in memory but read when an estimator needs them.
    Each file is checked once, so that broken files are found before training. The expected folder
    structure is
    ::

        container_path/
            cat/
                1.jpg
                outdoors/2.png
            dog/
                1.jpg

    where the name of a class folder is the label of all images in it and in its sub-folders.
    Alternatively, the folders "train", "val" and "test" each have this structure. They may also be
    called "training", "valid", "validation" or "testing", in upper or lower case, and with a word
    such as "set" or "images", as in "training_set".

    Files are images if their suffix is that of a common format, or if Pillow recognizes their
    content. Folders of thumbnails and deleted files, such as "@eaDir", are ignored.

    Parameters
    ----------
    container_path : str or path-like
        Folder that contains the class folders or the subset folders.
    subset : {"train", "val", "test"} or None, default=None
        Subset to load. None loads all subsets.
    labels : list of str or None, default=None
        Classes to load; other class folders are ignored. None loads all classes.
    on_error : {"raise", "skip"}, default="raise"
        With "raise", the header of each file is read, and an error lists the files that are not
        valid images. With "skip", each file is decoded once, which is slower but finds more errors.
        Files that fail are left out and listed in `ignored`.
    return_X_y : bool, default=False
        If True, return `(data, target)` instead of a `Bunch`.
    as_frame : bool, default=True
        If True, data and target are a DataFrame and a Series, else arrays of strings.
    n_jobs : int or None, default=None
        Number of threads that check files. None means 1 unless in a `joblib.parallel_config`
        context, -1 means all processors.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_samples, 1) or ndarray of shape (n_samples,)
            File paths in the column "path". They start with `container_path` as given.
        target : Series or ndarray of shape (n_samples,)
            Labels; the Series is named "label".
        target_names : list of str
            Sorted class labels; for a subset, those of the training images.
        frame : DataFrame of shape (n_samples, 2) or None
            Paths and labels, if `as_frame=True`.
        ignored : DataFrame
            Columns "path" and "reason" of the files that are not loaded: hidden files, files that
            are not images or that Pillow cannot read, images outside class folders, and skipped
            broken files; and of class folders that are not in `labels`.
        DESCR : str
            Number of images of each class.

        Images are sorted by class and then by path, in the same order on every system. If there
        are subsets and `subset=None`, the bunch contains a bunch as above for each subset (`train`,
        `val` and `test`), their `target_names`, and the files outside the subsets in `ignored`.
    (data, target) : tuple
        If `return_X_y=True`.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        If the folder does not exist, is a file, or cannot be read.
    ImageFileError
        With `on_error="raise"`, if files are empty, not images, or broken or circular links. It is
        a `ValueError`.
    ValueError
        If there are no class folders, or a class has no image; if "val" or "test" has a class that
        is not in "train"; if a subset or label does not exist; if `subset=None` and there are
        subset folders, with `return_X_y=True` or with other folders next to them.

    Warns
    -----
    UserWarning
        If images are left out because Pillow cannot read their format, or if the classes seem to be
        one level further down.

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

    Broken files raise an error and can be skipped:

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
            if labels is None:
                warn_of_nested_classes(folder)
            listing = _list_readable(folder, classes, labels, on_error, n_jobs)
            warn_of_unread(folder.path, listing.ignored)
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
        raise ValueError(f"labels must be a list of folder names or None; got {labels!r}.")
    return names


def _check_subset(
    container: Folder, subsets: dict[str, str], subset: str | None, only_arrays: bool
) -> None:
    """Raise if the subset does not exist, or if one is needed but not given."""
    if subset is not None and subset not in subsets:
        raise ValueError(
            f"{container.path!r} contains no folder for the subset {subset!r}. The folders are "
            f"{container.folders}."
        )
    others = sorted(set(container.folders) - set(subsets.values()))
    if subsets and subset is None and others:
        raise ValueError(
            f"{container.path!r} contains subset folders, {list(subsets.values())}, and other "
            f"folders, {others}. Set subset to the one to load, or move the other folders."
        )
    if subsets and subset is None and only_arrays:
        raise ValueError(
            f"{container.path!r} contains the subsets {list(subsets)}. With return_X_y=True, set "
            "subset to the one to return."
        )


def _find_classes(folders: dict[str, Folder], labels: list[str] | None) -> list[str]:
    """Return the sorted classes to load: those of "train", else those of all folders."""
    given = [folders["train"]] if "train" in folders else list(folders.values())
    known = {name for folder in given for name in folder.folders}
    if labels is None:
        return sorted(known)
    missing = sorted(set(labels) - known)
    if missing:
        raise ValueError(
            f"labels has classes without a folder in {given[0].path!r}: {missing}. The class "
            f"folders are {sorted(known)}."
        )
    return sorted(set(labels))


def _list_readable(
    folder: Folder, classes: list[str], labels: list[str] | None, on_error: str, n_jobs: int | None
) -> Listing:
    """Return the readable images of the classes, or raise."""
    here = [name for name in classes if name in folder.folders]
    if not here:
        loose = f" It contains {len(folder.images)} images itself." if folder.images else ""
        raise ValueError(
            f"{folder.path!r} contains no class folders.{loose} Expected a folder for each class, "
            "with the images of the class in it."
        )
    unknown = sorted(set(folder.folders) - set(classes))
    if labels is None and unknown:
        raise ValueError(
            f"{folder.path!r} contains classes that are not in the training images: {unknown}. "
            "Add training images of them, or set labels to the classes to load."
        )
    listing = list_images(folder, here)
    readable = keep_readable(listing, on_error=on_error, n_jobs=n_jobs)
    check_every_class(folder.path, here, listing)
    check_every_class(folder.path, here, readable, which=" that can be read")
    return readable


def _make_bunch(path: str, listing: Listing, classes: list[str], as_frame: bool) -> Bunch:
    labels = [_readable(label) for label, _ in listing.images]
    paths = [path for _, path in listing.images]
    # Text of pandas must be valid Unicode, which the names of files need not be.
    is_text = all(path == _readable(path) for path in paths)
    frame = pd.DataFrame(
        {"path": pd.Series(paths, dtype=None if is_text else object), "label": labels}
    )
    return Bunch(
        data=frame[["path"]] if as_frame else np.array(paths),
        target=frame["label"] if as_frame else np.array(labels),
        target_names=[_readable(label) for label in classes],
        frame=frame if as_frame else None,
        ignored=_tell(listing.ignored),
        DESCR=_describe(path, labels),
    )


def _list_beside(container: Folder, on_error: str) -> Listing:
    """Return the files outside the subset folders, or raise if a link there is broken."""
    loose = [
        (os.path.join(container.path, name), "is not in a subset folder")
        for name in container.files
    ]
    listing = Listing(ignored=container.ignored + loose, broken=container.broken)
    return keep_readable(listing, on_error=on_error, n_jobs=None)


def _join(parts: dict[str, Bunch], beside: Listing, classes: list[str]) -> Bunch:
    """Return a bunch that contains the bunches of the subsets."""
    return Bunch(
        **parts,
        target_names=[_readable(label) for label in classes],
        ignored=_tell(beside.ignored),
        DESCR="\n\n".join(part.DESCR for part in parts.values()),
    )


def _tell(ignored: list[tuple[str, str]]) -> pd.DataFrame:
    readable = [(_readable(path), reason) for path, reason in sorted(ignored)]
    return pd.DataFrame(readable, columns=["path", "reason"])


def _readable(name: str) -> str:
    """Return a name with bytes that are not valid UTF-8 written as backslash sequences."""
    return os.fsencode(name).decode(errors="backslashreplace") if _is_odd(name) else name


def _is_odd(name: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in name)


def _describe(path: str, labels: list[str]) -> str:
    counts = Counter(labels)
    lines = [f"{label}: {count}" for label, count in counts.items()]
    return "\n".join([f"{len(labels)} images of {len(counts)} classes in {path}", "", *lines])
