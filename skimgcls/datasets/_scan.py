"""Which image in a folder is of which class, and which is of none."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from skimgcls.datasets._entries import Folder, Told, foreign, is_image, open_folder

_SUBSETS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


@dataclass
class Listing:
    """The images of some classes: (label, path) in order, and the paths set aside."""

    images: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[Told] = field(default_factory=list)
    broken: list[Told] = field(default_factory=list)

    def set_aside(self, folder: Folder) -> None:
        self.ignored += folder.ignored
        self.broken += folder.broken


def find_subsets(container: Folder) -> dict[str, str]:
    """Return the folders "train", "val" and "test" by these names, or nothing if there are none.

    A class may be called "train" too: beside folders of other names one is taken for a subset only
    if it holds folders itself.
    """
    named = [name for name in container.folders if name.casefold() in _SUBSETS]
    if len(named) < len(container.folders) and not any(
        open_folder(os.path.join(container.path, name)).folders for name in named
    ):
        return {}
    found: dict[str, str] = {}
    for name in named:
        subset = _SUBSETS[name.casefold()]
        if subset in found:
            raise ValueError(
                f"{container.path!r} holds two folders for the subset {subset!r}: "
                f"{found[subset]!r} and {name!r}. Rename or join them."
            )
        found[subset] = name
    return {subset: found[subset] for subset in ("train", "val", "test") if subset in found}


def list_images(container: Folder, classes: list[str]) -> Listing:
    """Return the images in the folders of the classes, sorted by class and then by path."""
    listing = Listing()
    listing.set_aside(container)
    for name in container.files:
        reason = "lies in no folder of a class" if is_image(name) else foreign(name)
        listing.ignored.append((os.path.join(container.path, name), reason))
    left_out = sorted(set(container.folders) - set(classes))
    listing.ignored += [
        (os.path.join(container.path, name), "is not among the labels") for name in left_out
    ]
    above = frozenset([_identity(container.path)])
    for label in classes:
        found = sorted(_walk(container.path, (label,), above, listing))
        listing.images += [(label, os.path.join(container.path, *parts)) for parts in found]
    return listing


def check_every_class(path: str, classes: list[str], listing: Listing, which: str = "") -> None:
    """Raise unless every class has an image."""
    bare = sorted(set(classes) - {label for label, _ in listing.images})
    if bare:
        raise ValueError(
            f"{path!r} holds folders of classes without an image{which}: {bare}. Put images there, "
            "delete the folders, or name the classes to load in labels."
        )


def _walk(
    root: str, parts: tuple[str, ...], above: frozenset[tuple[int, int]], listing: Listing
) -> Iterator[tuple[str, ...]]:
    """Yield the images in a folder and in those below it, as parts of their paths from `root`.

    Links are followed, but not to a folder that is on the way to them.
    """
    path = os.path.join(root, *parts)
    here = _identity(path)
    if here in above:
        listing.broken.append((path, "is a link to a folder that it lies in"))
        return
    folder = open_folder(path)
    listing.set_aside(folder)
    for name in folder.files:
        if is_image(name):
            yield (*parts, name)
        else:
            listing.ignored.append((os.path.join(path, name), foreign(name)))
    for name in folder.folders:
        yield from _walk(root, (*parts, name), above | {here}, listing)


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino
