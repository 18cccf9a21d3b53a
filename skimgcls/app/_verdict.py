"""Probabilities in words."""

from dataclasses import dataclass

import numpy as np

from skimgcls.app._model import ServedModel


@dataclass(frozen=True)
class Verdict:
    """What is said of a picture in a word.

    Attributes
    ----------
    word : str
        A class; of several labels all that are more probable than not; or that it is none.
    confidence : float
        Of the most probable class; of several labels, of the least sure one.
    rejected : bool
    """

    word: str
    confidence: float
    rejected: bool = False


def judge(model: ServedModel, proba: np.ndarray, at_least: float = 0.0) -> Verdict:
    """Return what to say, where a class has to be at least so probable."""
    if model.multilabel:
        chosen = [name for name, share in zip(model.classes, proba, strict=True) if share > 0.5]
        confidence = float(np.maximum(proba, 1 - proba).min())
        return Verdict(", ".join(chosen) or "no label", confidence)
    best = int(proba.argmax())
    confidence = float(proba[best])
    if confidence < max(at_least, model.threshold or 0.0):
        return Verdict(model.rejected_word, confidence, rejected=True)
    return Verdict(model.classes[best], confidence)


def rank(model: ServedModel, proba: np.ndarray) -> list[tuple[str, float]]:
    """Return classes and their probabilities, the most probable first."""
    order = np.argsort(-proba, kind="stable")
    return [(model.classes[i], float(proba[i])) for i in order]
