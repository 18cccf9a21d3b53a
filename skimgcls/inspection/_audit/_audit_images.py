"""Audit of a dataset: defects, duplicates, leaks, image sizes and modes."""

import os
from numbers import Integral

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.utils import Bunch

from skimgcls._images._containers import unpack_container
from skimgcls.inspection._audit._class_distribution import class_distribution
from skimgcls.inspection._audit._duplicates import (
    HASH_BITS,
    first_equal,
    first_near,
    import_imagehash,
)
from skimgcls.inspection._audit._looks import look_at
from skimgcls.inspection._audit._pictures import drop_unlabeled, list_pictures
from skimgcls.inspection._audit._quality import tabulate_quality
from skimgcls.inspection._plots._labels import list_labels

_COLUMNS = ["set", "image", "path", "issue", "other", "other_path", "details"]


def audit_images(X, y=None, *, X_test=None, y_test=None, max_distance=8, n_jobs=None):
    """Find defects, duplicates, leaks and label conflicts in a set of images.

    A defect is reported as a finding and never raises an error. Each image is decoded once, as for
    training in color, and only its fingerprint is kept.

    Parameters
    ----------
    X : array-like of paths, or of images
        File paths as a list, Series, array or one-column DataFrame; or uint8 images of shape
        (n_samples, height, width) or (n_samples, height, width, n_channels) with 1 or 3 channels.

    y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
        Labels, or an indicator matrix. If given, conflicting labels are reported and the classes
        are counted.

    X_test : array-like of paths, or of images, default=None
        A second set, which must not share images with `X`. It is checked for the same defects.

    y_test : array-like of shape (n_test_samples,) or (n_test_samples, n_classes), default=None
        Labels of `X_test`.

    max_distance : int or None, default=8
        Maximum number of differing bits, from 0 to 63, between the 64-bit perceptual hashes of
        near duplicates. A copy that is resized, recompressed or slightly brightened is within the
        default. Photographs of different objects differ in about 32 bits; drawings, scans and
        frames of one film differ in fewer. If None, only exact duplicates are found.

    n_jobs : int, default=None
        Number of threads. None means 1 unless in a ``joblib.parallel_config`` context; -1 means
        one thread per CPU.

    Returns
    -------
    audit : Bunch
        Dictionary-like object with the following attributes.

        findings : DataFrame
            One row per finding, in the order of the images. The columns are

            - set: "X" or "X_test";
            - image: index of the image in its set, from 0;
            - path: path of the image, None for arrays;
            - issue: see Notes;
            - other: index of the matching image, missing if there is none;
            - other_path: path of the matching image. It is in the same set, except for a leak,
              where it is in `X`;
            - details: a description.
        sizes : DataFrame
            Number of images in each set by (height, width), the most frequent first.
        modes : DataFrame
            The same by Pillow mode of the file: "RGB", "L", "P" and others.
        quality : DataFrame
            One row per readable image, in the order of the images. The columns are set, image and
            path, as above, and

            - brightness_5, brightness_99: percentiles of the gray values, from 0 to 1;
            - entropy: information in the histogram of the gray values, in bits, from 0 to 8;
            - sharpness: standard deviation of the edges relative to that of the gray values, at 64
              pixels; NaN if the image has no contrast;
            - problems: "dark", "light", "blurry", "low information", "odd aspect ratio" and "odd
              size", separated by commas, or "". They are worth a look, and not wrong by
              themselves: drawings have little information.
        classes : DataFrame or None
            :func:`class_distribution` of the labels that are present; with `y_test`, of both sets.

    Raises
    ------
    ValueError
        If a set is empty or not a list of images, or if the numbers of labels and images differ.
    ImportError
        If imagehash is not installed and `max_distance` is not None.

    See Also
    --------
    class_distribution : Count the images of each class.

    Notes
    -----
    The issues are

    - "not a path", "missing", "empty file": there is nothing to open;
    - "unreadable": not an image, a folder, a file without read permission or a decompression bomb;
    - "truncated": the file starts as an image and is cut short or corrupt further on;
    - "blank": all pixels have one color. Blank images are not compared with others;
    - "small values": a 16-bit image that uses less than an eighth of its range. It is not
      compared with others;
    - "exact duplicate": the same pixels as an earlier image of the set, in any file format;
    - "near duplicate": visually the same as an earlier image of the set;
    - "leak": an image of `X_test` that is an exact or near duplicate of an image of `X`;
    - "conflicting labels": a duplicate or leak whose label differs from that of its match;
    - "missing label": None or NaN in `y`.

    Each duplicate is reported once, with the first image it repeats; not every pair of a group is
    listed. To remove duplicates, drop the images listed.

    Near duplicates are found by the perceptual hash of imagehash (Zauner, "Implementation and
    Benchmarking of Perceptual Image Hash Functions", 2010). The hash ignores color, so thumbnails
    of 8 x 8 pixels must match as well. Crops, rotations and mirror images are not near duplicates.

    A problem of quality is dark: 99 % of the pixels are below 0.32; light: 95 % are above 0.95;
    blurry: sharpness below 0.3, for sides of at least 32 pixels; low information: entropy below
    2.5 bits; odd aspect ratio: one side less than 0.35 of the other; odd size: ten interquartile
    ranges, and a factor of 2, from the median size. Most names and some limits are those of
    cleanvision.

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
    X = unpack_container(X)
    X_test = unpack_container(X_test)
    _check_distance(max_distance)
    pictures = _list_all(X, y, X_test, y_test)
    if max_distance is not None:
        import_imagehash()
    looks = _look_at_all(pictures["item"], max_distance is not None, n_jobs)
    rows = [*_defects(looks), *_repeats(pictures, looks, max_distance), *_unlabeled(pictures)]
    return Bunch(
        findings=_tabulate(rows, pictures),
        sizes=_count(pictures, looks, ["height", "width"]),
        modes=_count(pictures, looks, ["mode"]),
        quality=_rate(pictures, looks),
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
    """Return the images of both sets: item, label, set and index in the set of each."""
    if X_test is None and y_test is not None:
        raise ValueError("y_test needs X_test: got y_test without the images it labels.")
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
        "should be labeled": [has_labels[name] for name in sets],
    }


def _look_at_all(items, perceptual, n_jobs):
    # Only the results are kept, which are small.
    threads = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    return list(threads(delayed(look_at)(item, perceptual) for item in items))


def _defects(looks):
    for number, look in enumerate(looks):
        if look.issue is not None:
            yield number, look.issue, None, look.details


def _unlabeled(pictures):
    labels = zip(pictures["label"], pictures["should be labeled"], strict=True)
    for number, (label, should_be) in enumerate(labels):
        if should_be and label is None:
            yield number, "missing label", None, "There is no label."


def _repeats(pictures, looks, max_distance):
    """Yield the duplicates, leaks and conflicting labels."""
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
    """Yield ``(index, index of the first match, distance)``; None for identical pixels."""
    numbers = [number for number, look in enumerate(looks) if look.fingerprint is not None]
    fingerprints = [looks[number].fingerprint for number in numbers]
    equal = first_equal(fingerprints)
    nearer = {}
    if max_distance is not None:
        # Only the first of several identical images is compared.
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
        # An exact copy of a leak is a leak too.
        leaks = names[numbers[one]] != names[numbers[near_one]]
        if first == one or (leaks and names[numbers[one]] == names[numbers[first]]):
            yield numbers[one], numbers[near_one], likeness


def _tabulate(rows, pictures):
    """Return the findings as a DataFrame, in the order of the images."""
    table = [
        {
            "set": pictures["set"][number],
            "image": pictures["place"][number],
            "path": _path_of(pictures, number),
            "issue": issue,
            "other": pd.NA if other is None else pictures["place"][other],
            "other_path": _path_of(pictures, other),
            "details": details,
        }
        for number, issue, other, details in sorted(rows, key=lambda row: row[0])
    ]
    frame = pd.DataFrame(table, columns=_COLUMNS, dtype=object)
    return frame.astype({"image": np.int64, "other": "Int64"})


def _rate(pictures, looks):
    """Return the measures of the pixels of each readable image."""
    return tabulate_quality(
        [
            (
                {
                    "set": pictures["set"][number],
                    "image": pictures["place"][number],
                    "path": _path_of(pictures, number),
                },
                look.quality,
                look.height,
                look.width,
            )
            for number, look in enumerate(looks)
            if look.quality is not None
        ]
    )


def _path_of(pictures, number):
    item = None if number is None else pictures["item"][number]
    return os.fspath(item) if isinstance(item, str | os.PathLike) else None


def _count(pictures, looks, names):
    """Return the number of readable images by set and kind, the most frequent first."""
    frame = pd.DataFrame([look._asdict() for look in looks])[names]
    frame["set"] = pictures["set"]
    readable = frame[[look.height > 0 for look in looks]]
    counts = readable.groupby(names)["set"].value_counts().unstack(fill_value=0)
    sets = list(dict.fromkeys(pictures["set"]))
    counts = counts.reindex(columns=sets, fill_value=0).rename_axis(columns=None)
    commonest = counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
    return counts.loc[commonest].astype(np.int64)


def _count_classes(pictures, y, y_test):
    """Return the distribution of the labels that are present, or None if there are none."""
    labels = {name: [] for name in ("X", "X_test")}
    for name, label in zip(pictures["set"], pictures["label"], strict=True):
        labels[name].append(label)
    given = {"X": y, "X_test": y_test}
    kept = {
        name: drop_unlabeled(given[name], labels[name]) for name in given if given[name] is not None
    }
    kept = {name: kept_labels for name, kept_labels in kept.items() if kept_labels is not None}
    if not kept:
        return None
    return class_distribution(kept["X"] if list(kept) == ["X"] else kept)
