"""List the content of one folder."""

import errno
import os
import stat
from dataclasses import dataclass, field

from skimgcls._images._decode import SUFFIXES, has_image_content

# Files and folders, in lower case, that are created by operating systems, archivers,
# photo programs and storage devices. Their folders hold thumbnails or deleted files.
_OF_THE_SYSTEM = {
    *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "icon\r"),
    *("__macosx", "__pycache__", "@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle"),
    *("#snapshot", "$recycle.bin", "recycler", "lost+found", "lost.dir"),
    "system volume information",
}
# Suffixes of images that Pillow reads only with a plugin, or not at all.
_OTHER_IMAGES = {
    *(".3fr", ".arw", ".avif", ".cr2", ".cr3", ".czi", ".dcm", ".dng", ".exr", ".hdr", ".heic"),
    *(".heics", ".heif", ".hif", ".ico", ".j2k", ".jp2", ".jpx", ".jxl", ".lif", ".nd2", ".nef"),
    *(".orf", ".pcx", ".pef", ".psd", ".raf", ".rw2", ".sgi", ".srw", ".svg", ".svs", ".tga"),
    *(".vsi", ".xcf"),
}

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
        return [name for name in self.files if is_image(os.path.join(self.path, name))]


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
        folder.ignored.append((path, "was created by an operating system or a device"))
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


def is_image(path: str) -> bool:
    """Return whether a file has the suffix of an image, or else the content of one."""
    return os.path.splitext(path)[1].lower() in SUFFIXES or has_image_content(path)


def needs_plugin(name: str) -> bool:
    """Return whether a file, for which `is_image` is False, may be an image of another format."""
    return os.path.splitext(name)[1].lower() in _OTHER_IMAGES


def foreign(name: str) -> str:
    """Return why a file is ignored for which `is_image` is False."""
    suffix = os.path.splitext(name)[1]
    if needs_plugin(name):
        return f"is an image that Pillow cannot read here: its suffix is {suffix!r}"
    return (
        f"is not an image: its suffix is {suffix!r}"
        if suffix
        else "is not an image: it has no suffix"
    )
