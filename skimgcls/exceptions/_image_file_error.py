"""What is wrong with a file of an image."""


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

    __module__ = "skimgcls.exceptions"
