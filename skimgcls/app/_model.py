"""A fitted model as the page asks it: bytes of a file in, probabilities and a map out."""

import io
import threading
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from skimgcls.app._entry import Entry, find_entry
from skimgcls.app._maps import enlarge, lay_map_over
from skimgcls.app._upload import Limits
from skimgcls.inspection._fitted import find_classifier, is_multilabel
from skimgcls.inspection._grad_cam import explain_by_grad_cam
from skimgcls.inspection._pixels import scale_pictures
from skimgcls.utils._unwrap import find_rejecting

NONE_OF_THESE = "none of these"


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A fitted estimator, and what the page has to know of it.

    Attributes
    ----------
    estimator : estimator
    name : str
        What the page calls it.
    manifest : dict
        What the file tells of itself.
    limits : Limits
    entry : Entry or None
        How pictures are handed to it; None if it takes files.
    classes : list of str
    multilabel : bool
    threshold : float or None
        Below it the model itself says that it does not know.
    rejected_word : str
        How that is said.
    blind : str
        Why it cannot be shown where the model looked; empty if it can.
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
    # A prediction seeds torch's generator, which all threads share; and two at once, each on all
    # cores, take longer than one after the other.
    lock: Any = field(default_factory=threading.Lock)

    @classmethod
    def of(
        cls,
        estimator: Any,
        name: str,
        manifest: dict[str, Any] | None = None,
        limits: Limits | None = None,
        white: float | None = None,
    ) -> "ServedModel":
        """Look at a fitted estimator, and have it predict once.

        Raises
        ------
        TypeError, ValueError
            If it cannot be asked about a picture; the reason is told.
        """
        if not hasattr(estimator, "predict_proba"):
            raise TypeError(
                f"{type(estimator).__name__} has no predict_proba, and so no confidence to show."
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
        """Return the probability of each class (n_classes,) for what a file holds."""
        X = [content] if self.entry is None else self.entry.read(content)
        with self.lock:
            proba = np.asarray(self.estimator.predict_proba(X), dtype=np.float64)
        if proba.shape != (1, len(self.classes)):
            raise ValueError(
                f"predict_proba gives an array of shape {proba.shape}; expected "
                f"{(1, len(self.classes))}."
            )
        return proba[0]

    def explain(self, content: bytes) -> np.ndarray:
        """Return the picture as the net sees it, under a map of where it found its class.

        Raises
        ------
        ImportError
            If captum is not installed.
        TypeError
            If there is no net with convolutions.
        """
        X = [content] if self.entry is None else self.entry.read(content)
        with self.lock:
            found = explain_by_grad_cam(self.estimator, X)
        picture = scale_pictures(found.images, np.arange(1))[0]
        return lay_map_over(*enlarge(picture, found.maps[0]))

    def why_blind(self) -> str:
        """Return why there are no maps to show, or nothing if there are."""
        try:
            self.explain(_blank_picture())
        except ImportError:
            return "captum is not installed"
        except Exception:
            # Of Pipelines there are many, and some hand a net no picture.
            return "it has no convolutions to look into"
        return ""


def _blank_picture() -> bytes:
    """Return a grey picture as a file, to be tried before any visitor comes."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (128, 128, 128)).save(file, "PNG")
    return file.getvalue()
