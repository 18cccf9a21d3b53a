"""What was found out about a candidate."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from skimgcls.classifiers._candidates import Candidate


@dataclass(eq=False)
class CandidateResult:
    """What was found out about a candidate.

    Attributes
    ----------
    candidate : Candidate
    estimator : classifier or None
        The candidate fitted to the part to train on.
    proba : ndarray or None
        Its probabilities for the held-out images.
    accuracy, loss : float
    seconds : float
        Time of fitting it and of predicting.
    max_iter : int or None
        Number of epochs if it was reduced to save time.
    weight : float
        Its weight in the final classifier.
    status : str
    is_final : bool
        Whether `estimator` is used as it is, and not fitted to all images.
    """

    candidate: Candidate
    estimator: Any = None
    proba: np.ndarray | None = None
    accuracy: float = math.nan
    loss: float = math.nan
    seconds: float = 0.0
    max_iter: int | None = None
    weight: float = 0.0
    status: str = "compared"
    is_final: bool = False

    @property
    def cost(self) -> float:
        """Error rate plus loss. With few images, the loss tells more than the error rate alone."""
        return 1 - self.accuracy + self.loss

    def describe(self) -> str:
        """Return one line of text."""
        scores = f"accuracy {self.accuracy:.3f}, log loss {self.loss:.3f}"
        said = scores if self.proba is not None else self.status
        return f"{self.candidate.name}: {said} ({self.seconds:.0f} s)"

    def row(self) -> dict[str, Any]:
        """Return the row of the leaderboard."""
        return {
            "candidate": self.candidate.name,
            "accuracy": self.accuracy,
            "log_loss": self.loss,
            "seconds": self.seconds,
            "weight": self.weight,
            "status": self.status,
        }
