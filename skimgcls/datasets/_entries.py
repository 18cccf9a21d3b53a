"""List the content of one folder."""

import errno
import os
import stat
from dataclasses import dataclass, field

from skimgcls._images._decode import SUFFIXES

# Files and folders created by operating systems and archivers.
_OF_THE_SYSTEM = {"thumbs.db", "desktop.ini", "__macosx"}

Told = tuple[str, str]


@dataclass
class Folder:
    """The content of one folder: names of folders and files, and the excluded paths.

    Attributes
    ----------
    path : str
    folders, files : list of str
        Names in sorted order.
    ignored, broken : list of (path, reason)
        Paths that are not used, and paths that cannot be read.
    """

    path: str
    folders: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    ignored: list[Told] = field(default_factory=list)
    broken: list[Told] = field(default_factory=list)

    @property
    def images(self) -> list[str]:
        return [name for name in self.files if is_image(name)]


def open_folder(path: str) -> Folder:
    """Return the content of a folder, or raise.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        If the folder does not exist, is not a folder or cannot be read.
    """
    try:
        names = sorted(os.listdir(path))
    except FileNotFoundError:
        raise FileNotFoundError(f"The folder {path!r} does not exist.") from None
    except NotADirectoryError:
        raise NotADirectoryError(
            f"{path!r} is not a folder. Pass the folder with one sub-folder for each class."
        ) from None
    except PermissionError:
        raise PermissionError(f"No permission to read the folder {path!r}.") from None
    folder = Folder(path)
    for name in names:
        _sort_in(folder, name)
    return folder


def _sort_in(folder: Folder, name: str) -> None:
    path = os.path.join(folder.path, name)
    if name.startswith("."):
        folder.ignored.append((path, "is hidden"))
        return
    if name.casefold() in _OF_THE_SYSTEM:
        folder.ignored.append((path, "was created by the operating system"))
        return
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        folder.broken.append((path, "is a broken link"))
    except OSError as error:
        reason = "is a link to itself" if error.errno == errno.ELOOP else str(error)
        folder.broken.append((path, reason))
    else:
        (folder.folders if stat.S_ISDIR(mode) else folder.files).append(name)


def is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES


def foreign(name: str) -> str:
    """Return why a file is ignored for which `is_image` is False."""
    suffix = os.path.splitext(name)[1]
    return (
        f"is not an image: its suffix is {suffix!r}"
        if suffix
        else "is not an image: it has no suffix"
    )
