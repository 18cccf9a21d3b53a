"""Turn probabilities into a displayed result."""

from dataclasses import dataclass

import numpy as np

from skimgcls.app._model import ServedModel


@dataclass(frozen=True)
class Verdict:
    """The displayed result for an image.

    Attributes
    ----------
    word : str
        A class, the text for a rejection or, for multilabel targets, all labels with a
        probability above 0.5.
    confidence : float
        Probability of the most probable class. For multilabel targets, the confidence of the
        least confident label.
    rejected : bool
    """

    word: str
    confidence: float
    rejected: bool = False


def judge(model: ServedModel, proba: np.ndarray, at_least: float = 0.0) -> Verdict:
    """Return the result. A class with a probability below `at_least` is rejected."""
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
    """Return classes and their probabilities, the most probable class first."""
    order = np.argsort(-proba, kind="stable")
    return [(model.classes[i], float(proba[i])) for i in order]
