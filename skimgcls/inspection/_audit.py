"""What is wrong with a set of images, and how large they are."""

import os
from numbers import Integral

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.utils import Bunch

from skimgcls.inspection._class_distribution import class_distribution
from skimgcls.inspection._duplicates import (
    HASH_BITS,
    first_equal,
    first_near,
    import_imagehash,
)
from skimgcls.inspection._looks import look_at
from skimgcls.inspection._pictures import drop_unlabelled, list_labels, list_pictures

_COLUMNS = ["set", "image", "path", "issue", "other", "other_path", "details"]


def audit_images(X, y=None, *, X_test=None, y_test=None, max_distance=8, n_jobs=None):
    """Look at every picture once and list what is wrong.

    What is wrong with a picture is a finding and never an error. Each is decoded once, as it would
    be for training in colour, and only its fingerprint is kept.

    Parameters
    ----------
    X : array-like of paths, or of images
        Files, as a list, Series, array or DataFrame of one column; or uint8 images of shape
        (n, height, width) or (n, height, width, channels), of 1 or 3 channels.

    y : array-like of shape (n,) or (n, n_classes), default=None
        Labels, or an indicator. With them, labels that contradict each other are found and the
        classes counted.

    X_test : array-like of paths, or of images, default=None
        A second set, which must not share pictures with the first. It is searched for the same
        defects as `X`.

    y_test : array-like of shape (n_test,) or (n_test, n_classes), default=None
        Labels of `X_test`.

    max_distance : int or None, default=8
        Bits out of 64 in which the perceptual hashes of near duplicates may differ, 0 to 63. A
        copy that was resized, compressed again or brightened a little stays within the default;
        photographs of different things lie near 32. Drawings, scans and frames of one film come
        closer to each other. None looks for exact duplicates alone.

    n_jobs : int, default=None
        Threads. None is one, or what ``joblib.parallel_config`` says; -1 is one a processor.

    Returns
    -------
    audit : Bunch
        A dictionary whose entries are attributes too.

        findings : DataFrame
            One row for each finding, in the order of the pictures. The columns are

            - set: "X" or "X_test";
            - image: the position of the picture in its set, from 0;
            - path: its path, None for arrays;
            - issue: see Notes;
            - other: the position of its counterpart, missing where it has none;
            - other_path: the counterpart's path. It is in the same set but for a leak, where it is
              in `X`;
            - details: a sentence.
        sizes : DataFrame
            How many pictures of each (height, width) each set has, the commonest first.
        modes : DataFrame
            The same for the modes of the files, in Pillow's words: "RGB", "L", "P" and others.
        classes : DataFrame or None
            What :func:`class_distribution` says of the labels there are; with `y_test`, of both
            sets.

    Raises
    ------
    ValueError
        If a set is empty or no list of pictures, or has another number of labels than pictures.
    ImportError
        If imagehash is not installed and `max_distance` is not None.

    See Also
    --------
    class_distribution : The classes alone.

    Notes
    -----
    The issues are

    - "not a path", "missing", "empty file": there is nothing to open;
    - "unreadable": no image, a folder, a file without permission or a decompression bomb;
    - "truncated": the file begins as an image and is cut short or broken further on;
    - "blank": all pixels have one colour. Blank pictures are not compared with others;
    - "exact duplicate": the same pixels as an earlier picture of the set, whatever the formats;
    - "near duplicate": the same to the eye as an earlier picture of the set;
    - "leak": a picture of `X_test` that is, exactly or nearly, in `X`;
    - "conflicting labels": a duplicate or leak whose label is not that of its counterpart;
    - "missing label": None or NaN in `y`.

    A duplicate is named with the first picture it repeats, so that no group is listed as pairs.
    To drop what repeats, drop the rows found.

    Near duplicates are found by the perceptual hash of imagehash (Zauner, "Implementation and
    Benchmarking of Perceptual Image Hash Functions", 2010). Because the hash is blind to colour,
    thumbnails of 8 x 8 pixels must agree as well. A crop, a rotation or a mirror image is no near
    duplicate.

    Examples
    --------
    >>> import numpy as np
    >>> from skimgcls.inspection import audit_images
    >>> images = np.random.default_rng(0).integers(0, 256, (4, 32, 32), dtype=np.uint8)
    >>> images[2] = images[0]
    >>> images[3] = 255
    >>> audit = audit_images(images, ["cat", "dog", "dog", "cat"])
    >>> audit.findings[["image", "issue", "other"]]
       image               issue  other
    0      2     exact duplicate      0
    1      2  conflicting labels      0
    2      3               blank   <NA>
    >>> audit.findings["details"][1]
    "'dog' here, 'cat' at image 0 of X."
    >>> audit.sizes
                   X
    height width
    32     32      4
    """
    _check_distance(max_distance)
    pictures = _list_all(X, y, X_test, y_test)
    if max_distance is not None:
        import_imagehash()
    looks = _look_at_all(pictures["item"], max_distance is not None, n_jobs)
    rows = [*_defects(looks), *_repeats(pictures, looks, max_distance), *_unlabelled(pictures)]
    return Bunch(
        findings=_tabulate(rows, pictures),
        sizes=_count(pictures, looks, ["height", "width"]),
        modes=_count(pictures, looks, ["mode"]),
        classes=_count_classes(pictures, y, y_test),
    )


def _check_distance(max_distance):
    if max_distance is None:
        return
    is_number = isinstance(max_distance, Integral) and not isinstance(max_distance, bool)
    if not is_number or not 0 <= max_distance < HASH_BITS:
        raise ValueError(
            f"max_distance must be an integer from 0 to {HASH_BITS - 1}, or None; got "
            f"{max_distance!r}."
        )


def _list_all(X, y, X_test, y_test):
    """Return the pictures of both sets, one a row: item, label, set and the position in it."""
    if X_test is None and y_test is not None:
        raise ValueError("y_test needs X_test, the pictures it labels.")
    given = [("X", X, "y", y)] + ([] if X_test is None else [("X_test", X_test, "y_test", y_test)])
    rows = []
    for name, images, y_name, labels in given:
        items = list_pictures(images, name)
        labels = list_labels(labels, len(items), y_name)
        places = range(len(items))
        rows += zip(items, labels, [name] * len(items), places, strict=True)
    items, labels, sets, places = zip(*rows, strict=True)
    has_labels = {"X": y is not None, "X_test": y_test is not None}
    return {
        "item": items,
        "label": labels,
        "set": sets,
        "place": places,
        "should be labelled": [has_labels[name] for name in sets],
    }


def _look_at_all(items, perceptual, n_jobs):
    # A generator keeps no more than the looks, which are small.
    threads = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    return list(threads(delayed(look_at)(item, perceptual) for item in items))


def _defects(looks):
    for number, look in enumerate(looks):
        if look.issue is not None:
            yield number, look.issue, None, look.details


def _unlabelled(pictures):
    labels = zip(pictures["label"], pictures["should be labelled"], strict=True)
    for number, (label, should_be) in enumerate(labels):
        if should_be and label is None:
            yield number, "missing label", None, "There is no label."


def _repeats(pictures, looks, max_distance):
    """Yield the duplicates, the leaks and the labels that contradict each other."""
    names, labels = pictures["set"], pictures["label"]
    for number, other, likeness in _likenesses(looks, names, max_distance):
        where = f"image {pictures['place'][other]} of {names[other]}"
        if names[number] == names[other]:
            issue = "exact duplicate" if likeness is None else "near duplicate"
        else:
            issue = "leak"
        alike = "The same pixels as" if likeness is None else f"{likeness}, like"
        yield number, issue, other, f"{alike} {where}."
        here, there = labels[number], labels[other]
        if here is not None and there is not None and here != there:
            yield number, "conflicting labels", other, f"{here!r} here, {there!r} at {where}."


def _likenesses(looks, names, max_distance):
    """Yield ``(number, number of the first one like it, how near)``; None for the same pixels."""
    numbers = [number for number, look in enumerate(looks) if look.fingerprint is not None]
    fingerprints = [looks[number].fingerprint for number in numbers]
    equal = first_equal(fingerprints)
    nearer = {}
    if max_distance is not None:
        # Of pictures with the same pixels, the first stands for all.
        unlike = np.flatnonzero(equal == np.arange(len(equal)))
        near, apart = first_near([fingerprints[one] for one in unlike], max_distance)
        nearer = {
            unlike[one]: (unlike[near[one]], f"{apart[one]} of {HASH_BITS} bits differ")
            for one in np.flatnonzero(near != np.arange(len(near)))
        }
    for one, first in enumerate(equal):
        if first != one:
            yield numbers[one], numbers[first], None
        near_one, likeness = nearer.get(first, (None, None))
        if near_one is None:
            continue
        # The exact copy of a leak leaks as well.
        leaks = names[numbers[one]] != names[numbers[near_one]]
        if first == one or (leaks and names[numbers[one]] == names[numbers[first]]):
            yield numbers[one], numbers[near_one], likeness


def _tabulate(rows, pictures):
    """Return the findings as a DataFrame, in the order of the pictures."""

    def path_of(number):
        item = None if number is None else pictures["item"][number]
        return os.fspath(item) if isinstance(item, str | os.PathLike) else None

    table = [
        {
            "set": pictures["set"][number],
            "image": pictures["place"][number],
            "path": path_of(number),
            "issue": issue,
            "other": pd.NA if other is None else pictures["place"][other],
            "other_path": path_of(other),
            "details": details,
        }
        for number, issue, other, details in sorted(rows, key=lambda row: row[0])
    ]
    frame = pd.DataFrame(table, columns=_COLUMNS, dtype=object)
    return frame.astype({"image": np.int64, "other": "Int64"})


def _count(pictures, looks, names):
    """Return how many readable pictures each set has of each kind, the commonest first."""
    frame = pd.DataFrame([look._asdict() for look in looks])[names]
    frame["set"] = pictures["set"]
    readable = frame[[look.height > 0 for look in looks]]
    counts = readable.groupby(names)["set"].value_counts().unstack(fill_value=0)
    sets = list(dict.fromkeys(pictures["set"]))
    counts = counts.reindex(columns=sets, fill_value=0).rename_axis(columns=None)
    commonest = counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
    return counts.loc[commonest].astype(np.int64)


def _count_classes(pictures, y, y_test):
    """Return the distribution of the labels there are, or None if there are none."""
    labels = {name: [] for name in ("X", "X_test")}
    for name, label in zip(pictures["set"], pictures["label"], strict=True):
        labels[name].append(label)
    given = {"X": y, "X_test": y_test}
    kept = {
        name: drop_unlabelled(given[name], labels[name])
        for name in given
        if given[name] is not None
    }
    kept = {name: kept_labels for name, kept_labels in kept.items() if kept_labels is not None}
    if not kept:
        return None
    return class_distribution(kept["X"] if list(kept) == ["X"] else kept)
