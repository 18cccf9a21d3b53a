"""Predict an uploaded file."""

from dataclasses import dataclass

import numpy as np

from skimgcls.app._model import ServedModel
from skimgcls.app._upload import (
    THUMBNAIL_SIDE,
    decode_upload,
    shrink,
    to_data_url,
)
from skimgcls.exceptions import ImageFileError


@dataclass(frozen=True)
class Answer:
    """Result for one file: probabilities or an error.

    Attributes
    ----------
    name : str
        File name on the user's machine.
    proba : ndarray of shape (n_classes,) or None
    error : str
        Error message; empty without an error.
    picture, thumbnail : str
        Data URLs of the image, large and small; empty with an error.
    """

    name: str
    proba: np.ndarray | None = None
    error: str = ""
    picture: str = ""
    thumbnail: str = ""


def answer(model: ServedModel, name: str, content: bytes) -> Answer:
    """Predict a file with a model. An error in the file is returned in the answer."""
    try:
        upload = model.decoder.clean(content)
        pixels = decode_upload(upload.shown)
        proba = model.predict(upload.content)
    except ImageFileError as error:
        return Answer(name, error=str(error))
    return Answer(
        name,
        proba,
        picture=to_data_url(pixels),
        thumbnail=to_data_url(shrink(pixels, THUMBNAIL_SIDE)),
    )
