"""What is wrong with a file of a fitted estimator."""


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

    __module__ = "skimgcls.exceptions"
