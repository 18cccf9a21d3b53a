"""Compare classifiers on held-out images."""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator

from skimgcls.classifiers._candidate_result import CandidateResult
from skimgcls.classifiers._candidates import Candidate
from skimgcls.classifiers._fine_tuning import count_epochs
from skimgcls.classifiers._held_out import LabeledImages

# Rounds of the selection of an average: its weights are multiples of 1 / _N_ROUNDS.
_N_ROUNDS = 10
# An average is used only if its loss is lower than that of the best candidate by this fraction:
# it takes the time of all its members in prediction.
_LEAST_GAIN = 0.02
# A pilot on so many images measures the time of a candidate.
_N_PILOT = 64
# With less than this fraction of its epochs, a candidate is not begun.
_LEAST_SHARE = 0.3
_LONGEST_MESSAGE = 450


@dataclass(eq=False)
class Comparison:
    """Fit candidates one after the other, and score each on the same held-out images.

    Attributes
    ----------
    train, held_out : LabeledImages
    n_images : int
        Number of images that the best candidate will be refitted to.
    deadline : float
        Time on the clock of `time.perf_counter` at which the refit shall be complete.
    results : list of CandidateResult
        In the order of the candidates.
    """

    train: LabeledImages
    held_out: LabeledImages
    n_images: int
    deadline: float = math.inf
    results: list[CandidateResult] = field(default_factory=list)

    @property
    def compared(self) -> list[CandidateResult]:
        """The results with a score, the best first."""
        scored = [result for result in self.results if result.proba is not None]
        return sorted(scored, key=lambda result: result.cost)

    def add(self, candidate: Candidate) -> None:
        """Fit and score a candidate, unless there is too little time left."""
        result = CandidateResult(candidate)
        self.results.append(result)
        start = time.perf_counter()
        try:
            estimator = clone(candidate.estimator)
            if self.compared and not self._fits_in_time(result, estimator):
                return
            result.estimator = self.train.fit(estimator, is_augmented=not candidate.fits_head)
            result.proba = np.asarray(result.estimator.predict_proba(self.held_out.images))
        except (ValueError, RuntimeError) as error:
            result.status = f"failed: {error}"
            return
        except KeyboardInterrupt:
            result.status = "interrupted"
            raise
        finally:
            result.seconds = time.perf_counter() - start
        result.accuracy = self.held_out.accuracy(result.proba)
        result.loss = self.held_out.loss(result.proba)

    def choose(self) -> list[CandidateResult]:
        """Set the weights of the final classifier, and return its members, the best first.

        A weighted average of probabilities is chosen if its loss is lower than that of the best
        candidate, and its accuracy at least as high. Its members are added one by one, with
        replacement (Caruana et al., "Ensemble Selection from Libraries of Models", 2004).
        """
        found = self.compared
        best = found[0]
        counts = self._select_average(found) if self.held_out.targets.ndim == 1 else {0: 1}
        total = sum(counts.values())
        average = sum(found[index].proba * (n / total) for index, n in counts.items())
        is_better = (
            len(counts) > 1
            and self.held_out.accuracy(average) >= best.accuracy
            and self.held_out.loss(average) < (1 - _LEAST_GAIN) * best.loss
        )
        if not is_better:
            counts, total = {0: 1}, 1
        for index, n in counts.items():
            found[index].weight = n / total
        return [result for result in found if result.weight]

    def _select_average(self, found: list[CandidateResult]) -> dict[int, int]:
        counts: dict[int, int] = {}
        total: Any = 0.0
        for n_chosen in range(1, _N_ROUNDS + 1):
            losses = [self.held_out.loss((total + result.proba) / n_chosen) for result in found]
            index = int(np.argmin(losses))
            total = total + found[index].proba
            counts[index] = counts.get(index, 0) + 1
        return counts

    def _fits_in_time(self, result: CandidateResult, estimator: Any) -> bool:
        """Reduce the epochs of a candidate to the time left, or return False."""
        if math.isinf(self.deadline):
            return True
        best = self.compared[0]
        reserved = best.seconds * self.n_images / len(self.train)
        left = self.deadline - time.perf_counter() - reserved
        expected = math.inf
        if left > 0:
            expected, n_epochs = self._expect(result.candidate, estimator)
            left = self.deadline - time.perf_counter() - reserved
            if expected <= left:
                return True
            if result.candidate.has_epochs and left >= _LEAST_SHARE * expected:
                result.max_iter = max(1, int(n_epochs * left / expected))
                estimator.set_params(max_iter=result.max_iter)
                return True
        result.status = f"not begun: {max(left, 0):.0f} s left"
        if not math.isinf(expected):
            result.status += f" of about {expected:.0f} s"
        return False

    def _expect(self, candidate: Candidate, estimator: Any) -> tuple[float, int]:
        """Return the seconds that fitting twice will take, and the number of epochs."""
        n = min(_N_PILOT, len(self.train))
        targets = self.train.targets
        # In the order of the classes, to have several of them.
        order = np.argsort(targets, kind="stable") if targets.ndim == 1 else np.arange(len(targets))
        rows = order[np.linspace(0, len(order) - 1, n).astype(np.int64)]
        pilot, n_epochs = clone(estimator), 1
        if candidate.has_epochs:
            pilot.set_params(max_iter=1)
        if candidate.tunes_all:
            # Of few images it would fit the head only.
            pilot.set_params(trainable="all")
        start = time.perf_counter()
        self.train.part(rows).fit(pilot, is_augmented=not candidate.fits_head)
        seconds = (time.perf_counter() - start) / n
        if candidate.has_epochs:
            pilot.set_params(max_iter=estimator.max_iter)
            if candidate.tunes_all:
                # It trains twice, to decide and then on all images.
                return 2 * seconds * count_epochs(estimator, self.n_images) * (
                    len(self.train) + self.n_images
                ), count_epochs(estimator, self.n_images)
            n_epochs = pilot._make_config(self.n_images).max_epochs
        return seconds * n_epochs * (len(self.train) + self.n_images), n_epochs


def compare(
    comparison: Comparison, candidates: list[Candidate], *, say: Callable[[str], None]
) -> list[CandidateResult]:
    """Compare candidates, and return their results with weights, the best first.

    Parameters
    ----------
    say : callable
        Is given a line of text for each candidate.

    Raises
    ------
    ValueError
        If all candidates fail.
    """
    try:
        for candidate in candidates:
            comparison.add(candidate)
            say(comparison.results[-1].describe())
    except KeyboardInterrupt:
        _keep_best(comparison)
    else:
        if not comparison.compared:
            errors = "; ".join(f"{r.candidate.name} {r.status}" for r in comparison.results)
            raise ValueError(f"All candidates failed: {errors}"[:_LONGEST_MESSAGE])
        comparison.choose()
    scored = comparison.compared
    return scored + [result for result in comparison.results if result not in scored]


def _keep_best(comparison: Comparison) -> None:
    """Keep the best candidate so far after an interruption, if there is one."""
    if not comparison.compared:
        raise KeyboardInterrupt
    best = comparison.compared[0]
    best.weight, best.is_final = 1.0, True
    warnings.warn(
        f"The comparison was interrupted: {best.candidate.name!r} is kept, fitted to "
        f"{len(comparison.train)} of {comparison.n_images} images.",
        UserWarning,
        stacklevel=4,
    )


def fit_members(results: list[CandidateResult], data: LabeledImages) -> Any:
    """Return the final classifier: those with a weight, fitted to all images."""
    members = [result for result in results if result.weight]
    fitted = []
    for result in members:
        if result.is_final:
            fitted.append(result.estimator)
            continue
        estimator = clone(result.candidate.estimator)
        if result.max_iter is not None:
            estimator.set_params(max_iter=result.max_iter)
        fitted.append(data.fit(estimator, is_augmented=not result.candidate.fits_head))
    if len(fitted) == 1:
        return fitted[0]
    vote = VotingClassifier(
        [(r.candidate.name, FrozenEstimator(e)) for r, e in zip(members, fitted, strict=True)],
        voting="soft",
        weights=[result.weight for result in members],
    )
    return vote.fit(data.images, data.y)
