"""Warnings about folders that were probably meant differently."""

import os
import warnings
from collections import Counter
from collections.abc import Iterable

from skimgcls.datasets._entries import Folder, Told, needs_plugin, open_folder
from skimgcls.utils._labels import describe_values

_HEIF = {".heic", ".heics", ".heif", ".hif", ".avif"}


def describe_unread(ignored: Iterable[Told]) -> str:
    """Return a sentence about images that Pillow cannot read; empty if there are none."""
    suffixes = [os.path.splitext(path)[1].lower() for path, _ in ignored if needs_plugin(path)]
    if not suffixes:
        return ""
    counts = Counter(suffixes)
    listed = ", ".join(f"{number} {suffix}" for suffix, number in counts.most_common(5))
    advice = "Convert them, for example to PNG."
    if _HEIF & set(counts):
        advice = (
            "For .heic and .heif, install pillow-heif and call pillow_heif.register_heif_opener(). "
            "Convert others, for example to PNG."
        )
    return f" Files that Pillow cannot read here were left out: {listed}. {advice}"


def warn_of_unread(path: str, ignored: Iterable[Told]) -> None:
    """Warn if images were left out because Pillow cannot read their format."""
    sentence = describe_unread(ignored)
    if sentence:
        warnings.warn(f"{path!r}:{sentence}", UserWarning, stacklevel=3)


def warn_of_nested_classes(folder: Folder) -> None:
    """Warn if the classes seem to be one level further down.

    That is so if the only class folder contains several folders, or if all class folders contain
    the same ones.
    """
    inside = [set(open_folder(os.path.join(folder.path, name)).folders) for name in folder.folders]
    if not inside:
        return
    common, everywhere = set.intersection(*inside), set.union(*inside)
    if len(common) < 2 or len(common) < len(everywhere) / 2:
        return
    classes = describe_values(sorted(common))
    if len(inside) == 1:
        (name,) = folder.folders
        wanted = os.path.join(folder.path, name)
        warnings.warn(
            f"{folder.path!r} contains one class folder, {name!r}, which contains the folders "
            f"{classes}. If these are the classes, pass {wanted!r}.",
            UserWarning,
            stacklevel=3,
        )
        return
    warnings.warn(
        f"All class folders in {folder.path!r}, {describe_values(folder.folders)}, contain the "
        f"folders {classes}. If these are the classes, rename the folders above to 'train', 'val' "
        "and 'test', or load each of them alone.",
        UserWarning,
        stacklevel=3,
    )
