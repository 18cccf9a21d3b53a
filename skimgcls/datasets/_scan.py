"""Find the images of each class in a folder."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from skimgcls.datasets._doubts import describe_unread
from skimgcls.datasets._entries import Folder, Told, foreign, is_image, open_folder
from skimgcls.utils._labels import describe_values

_SUBSETS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
# Words that the name of a subset folder may also contain, as in "training_set" and "test images".
_FILLERS = {
    *("set", "data", "dataset", "split", "samples"),
    *("images", "image", "imgs", "img", "photos", "pictures"),
}


@dataclass
class Listing:
    """The images of classes as ordered (label, path) pairs, and the excluded paths."""

    images: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[Told] = field(default_factory=list)
    broken: list[Told] = field(default_factory=list)

    def set_aside(self, folder: Folder) -> None:
        self.ignored += folder.ignored
        self.broken += folder.broken


def subset_of(name: str) -> str | None:
    """Return the subset that a folder name means, or None.

    >>> [subset_of(name) for name in ("Train", "test_set", "ValidationData", "train2017", "trains")]
    ['train', 'test', 'val', 'train', None]
    """
    subsets = set()
    for word in re.findall("[a-z]+", name.casefold()):
        stems = {word, *(word.removesuffix(filler) for filler in _FILLERS)}
        known = {_SUBSETS[stem] for stem in stems if stem in _SUBSETS}
        if not known and word not in _FILLERS:
            return None
        subsets |= known
    return subsets.pop() if len(subsets) == 1 else None


def find_subsets(container: Folder) -> dict[str, str]:
    """Return a dict of the subsets "train", "val" and "test" to their folder names.

    A class may also be called "train". If there are folders with other names, the folders are only
    subsets if at least one of them contains folders.
    """
    named = [name for name in container.folders if subset_of(name) is not None]
    if len(named) < len(container.folders) and not any(
        open_folder(os.path.join(container.path, name)).folders for name in named
    ):
        return {}
    found: dict[str, str] = {}
    for name in named:
        subset = str(subset_of(name))
        if subset in found:
            raise ValueError(
                f"{container.path!r} contains two folders for the subset {subset!r}: "
                f"{found[subset]!r} and {name!r}. Rename or merge them."
            )
        found[subset] = name
    return {subset: found[subset] for subset in ("train", "val", "test") if subset in found}


def list_images(container: Folder, classes: list[str]) -> Listing:
    """Return the images in the folders of the classes, sorted by class and then by path."""
    listing = Listing()
    listing.set_aside(container)
    for name in container.files:
        path = os.path.join(container.path, name)
        reason = "is not in a class folder" if is_image(path) else foreign(name)
        listing.ignored.append((path, reason))
    left_out = sorted(set(container.folders) - set(classes))
    listing.ignored += [
        (os.path.join(container.path, name), "is not in labels") for name in left_out
    ]
    above = frozenset([_identity(container.path)])
    for label in classes:
        found = sorted(_walk(container.path, (label,), above, listing))
        listing.images += [(label, os.path.join(container.path, *parts)) for parts in found]
    return listing


def check_every_class(path: str, classes: list[str], listing: Listing, which: str = "") -> None:
    """Raise if a class has no image."""
    bare = sorted(set(classes) - {label for label, _ in listing.images})
    if bare:
        raise ValueError(
            f"{path!r} contains classes without an image{which}: {describe_values(bare)}. Put "
            "images there, delete the folders, or set labels to the classes to load."
            f"{describe_unread(listing.ignored)}"
        )


def _walk(
    root: str, parts: tuple[str, ...], above: frozenset[tuple[int, int]], listing: Listing
) -> Iterator[tuple[str, ...]]:
    """Yield the images in a folder and its sub-folders, as parts of their paths from `root`.

    Links are followed, except links to a parent folder.
    """
    path = os.path.join(root, *parts)
    here = _identity(path)
    if here in above:
        listing.broken.append((path, "is a link to a parent folder"))
        return
    folder = open_folder(path)
    listing.set_aside(folder)
    for name in folder.files:
        if is_image(os.path.join(path, name)):
            yield (*parts, name)
        else:
            listing.ignored.append((os.path.join(path, name), foreign(name)))
    for name in folder.folders:
        yield from _walk(root, (*parts, name), above | {here}, listing)


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino
