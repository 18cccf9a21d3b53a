"""Exceptions of this library."""

__all__ = ["ImageFileError", "ModelFileError"]


class ImageFileError(ValueError):
    """Raised if a file exists but cannot be used as an image.

    The file is empty, truncated, not an image or too large, or it has changed since it was checked.
    A missing file raises ``FileNotFoundError``.

    Examples
    --------
    >>> from skimgcls import ImageFileError, ImageLoader
    >>> try:
    ...     ImageLoader().fit([b"not an image"])
    ... except ImageFileError as error:
    ...     print(error)
    X[0]: a file of 12 bytes is not an image that Pillow can read.
    """


class ModelFileError(ValueError):
    """Raised by :func:`skimgcls.load` if it rejects a file.

    The file was not written by :func:`skimgcls.save`, is truncated or altered, has a newer format,
    or contains types that are not trusted. No code from the file has been run.

    Examples
    --------
    >>> import tempfile
    >>> from skimgcls import ModelFileError, load
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     try:
    ...         load(file.name)
    ...     except ModelFileError as error:
    ...         print(str(error).partition(": ")[2])
    it has 0 bytes, too few for a file that save wrote.
    """
