"""What lies in one folder."""

import errno
import os
import stat
from dataclasses import dataclass, field

from skimgcls._images._decode import SUFFIXES

# What systems and archivers leave behind, beside names with a leading dot.
_OF_THE_SYSTEM = {"thumbs.db", "desktop.ini", "__macosx"}

Told = tuple[str, str]


@dataclass
class Folder:
    """The entries of one folder: names of folders and files, and the paths set aside.

    Attributes
    ----------
    path : str
    folders, files : list of str
        Names in sorted order.
    ignored, broken : list of (path, reason)
        What is passed over, and what is there but cannot be used.
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
    """Return what lies in a folder, or raise.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        With words, where there is no such folder or it may not be read.
    """
    try:
        names = sorted(os.listdir(path))
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no folder {path!r}.") from None
    except NotADirectoryError:
        raise NotADirectoryError(
            f"{path!r} is not a folder. Pass the folder that holds a folder for each class."
        ) from None
    except PermissionError:
        raise PermissionError(f"The folder {path!r} may not be read.") from None
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
        folder.ignored.append((path, "was left by the operating system"))
        return
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        folder.broken.append((path, "is a link that leads nowhere"))
    except OSError as error:
        reason = "is a link that leads to itself" if error.errno == errno.ELOOP else str(error)
        folder.broken.append((path, reason))
    else:
        (folder.folders if stat.S_ISDIR(mode) else folder.files).append(name)


def is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES


def foreign(name: str) -> str:
    """Return why a file is passed over that `is_image` says no to."""
    suffix = os.path.splitext(name)[1]
    return f"is no image: its suffix is {suffix!r}" if suffix else "is no image: it has no suffix"
