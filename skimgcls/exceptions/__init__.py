"""Errors with names of their own."""

from skimgcls.exceptions._image_file_error import ImageFileError
from skimgcls.exceptions._model_file_error import ModelFileError

__all__ = ["ImageFileError", "ModelFileError"]
