"""A fitted model for the page, from file content to probabilities and a map."""

import io
import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from skimgcls._images._lazy_images import LazyImages
from skimgcls.app._decoder import Decoder
from skimgcls.app._entry import Entry, find_entry
from skimgcls.app._maps import enlarge, lay_map_over
from skimgcls.app._upload import Limits
from skimgcls.inspection._explanations._grad_cam import explain_by_grad_cam
from skimgcls.inspection._plots._pixels import scale_pictures
from skimgcls.utils._unwrap import find_classifier, find_rejecting, is_multilabel

NONE_OF_THESE = "none of these"


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A fitted estimator and its properties that the page needs.

    Attributes
    ----------
    estimator : estimator
    name : str
        Name of the model on the page.
    manifest : dict
        Manifest of the file.
    limits : Limits
    entry : Entry or None
        How images are converted for it; None if it takes files.
    classes : list of str
    multilabel : bool
    threshold : float or None
        The model rejects predictions with a confidence below this value.
    rejected_word : str
        Text for a rejection.
    blind : str
        Why no saliency map is available; empty if it is.
    """

    estimator: Any
    name: str
    manifest: dict[str, Any]
    limits: Limits
    entry: Entry | None
    classes: list[str]
    multilabel: bool
    threshold: float | None
    rejected_word: str
    blind: str = ""
    # A prediction seeds torch's generator, which all threads share. Two predictions at once, each
    # on all cores, also take longer than one after the other.
    lock: Any = field(default_factory=threading.Lock)

    @cached_property
    def decoder(self) -> Decoder:
        """Decodes uploads before the model sees them, outside of its lock."""
        return Decoder(self.limits)

    @classmethod
    def of(
        cls,
        estimator: Any,
        name: str,
        manifest: dict[str, Any] | None = None,
        limits: Limits | None = None,
        white: float | None = None,
    ) -> "ServedModel":
        """Make a ServedModel of a fitted estimator, and test it with one prediction.

        Raises
        ------
        TypeError, ValueError
            If it cannot classify images. The message contains the reason.
        """
        if not hasattr(estimator, "predict_proba"):
            raise TypeError(
                f"{type(estimator).__name__} has no predict_proba. The page needs probabilities."
            )
        rejecting = find_rejecting(estimator)
        model = cls(
            estimator=estimator,
            name=name,
            manifest=manifest or {},
            limits=limits or Limits(),
            entry=find_entry(estimator, white),
            classes=[str(label) for label in estimator.classes_],
            multilabel=is_multilabel(estimator)
            or bool(getattr(find_classifier(estimator), "multilabel_", False)),
            threshold=None if rejecting is None else float(rejecting.threshold_),
            rejected_word=NONE_OF_THESE if rejecting is None else str(rejecting.rejected_label_),
        )
        model.predict(_blank_picture())
        return replace(model, blind=model.why_blind())

    def predict(self, content: bytes) -> np.ndarray:
        """Return the class probabilities (n_classes,) of the image in a file."""
        X = [content] if self.entry is None else self.entry.read(content)
        with self.lock:
            proba = np.asarray(self.estimator.predict_proba(X), dtype=np.float64)
        if proba.shape != (1, len(self.classes)):
            raise ValueError(
                f"predict_proba returned an array of shape {proba.shape}; expected "
                f"{(1, len(self.classes))}."
            )
        return proba[0]

    def explain(self, content: bytes) -> np.ndarray:
        """Return the input image of the network with a saliency map of the predicted class.

        Raises
        ------
        ImportError
            If captum is not installed.
        TypeError
            If there is no network with convolutions.
        """
        X = [content] if self.entry is None else self.entry.read(content)
        with self.lock:
            found = explain_by_grad_cam(self.estimator, X)
        picture = scale_pictures(LazyImages(found.images), np.arange(1))[0]
        return lay_map_over(*enlarge(picture, found.maps[0]))

    def why_blind(self) -> str:
        """Return why saliency maps are not available, or an empty string if they are."""
        try:
            self.explain(_blank_picture())
        except ImportError:
            return "captum is not installed"
        except Exception:
            # Some Pipelines pass no image to a network.
            return "it has no convolutions"
        return ""


def _blank_picture() -> bytes:
    """Return a gray image as a file, to test a model before the server starts."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (128, 128, 128)).save(file, "PNG")
    return file.getvalue()
