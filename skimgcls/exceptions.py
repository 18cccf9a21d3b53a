"""Errors of this library that are more than a ValueError."""

__all__ = ["ImageFileError", "ModelFileError"]


class ImageFileError(ValueError):
    """A file that is there but holds no image that can be used.

    It is empty, cut short, no image, or too large to be one; or it has changed since it was
    checked. A file that is not there is a ``FileNotFoundError``.

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
    """A file that :func:`skimgcls.load` does not take for one that :func:`skimgcls.save` wrote.

    It is no such file, cut short or altered, of a later format, or it holds what nobody has called
    safe. Nothing that it holds has been run.

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
