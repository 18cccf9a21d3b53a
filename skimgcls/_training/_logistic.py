"""Logistic regression on features: the optimum, and its strength by cross-validation."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import softmax

# The L2 penalties tried, from the strongest, for features of mean square 1.
ALPHAS = tuple(4.0**power for power in range(1, -7, -1))
# The penalty for sets that are too small for cross-validation.
_DEFAULT_ALPHA = 4.0**-2
_FEWEST = 40
_N_FOLDS = 5
# Larger sets are split once: the estimate of a single part is good enough.
_MANY = 20_000
# The search ends after so many penalties in a row with a higher loss.
_N_WORSE = 2
_SMALLEST_EIGENVALUE = 1e-12
# Largest gradient, in scaled variables, at which a search and the final result stop.
_TOL_OF_SEARCH = 3e-4
_TOL = 1e-12
_MAX_NEWTON_STEPS = 5


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """A fitted dense layer.

    Attributes
    ----------
    coef : ndarray of shape (n_outputs, n_features)
    intercept : ndarray of shape (n_outputs,)
    alpha : float
        Its L2 penalty.
    """

    coef: np.ndarray
    intercept: np.ndarray
    alpha: float


@dataclass(frozen=True, eq=False)
class _Problem:
    """Rotated features (n, r) with indicators of the targets (n, k) and weights (n,) of sum 1."""

    features: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    multilabel: bool
    positive_weight: np.ndarray | None

    def part(self, rows: np.ndarray) -> "_Problem":
        weights = self.weights[rows]
        return replace(
            self,
            features=self.features[rows],
            targets=self.targets[rows],
            weights=weights / weights.sum(),
        )

    def loss(self, logits: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean loss of logits (n, k), and its gradient."""
        if self.multilabel:
            positive = self.targets
            if self.positive_weight is not None:
                positive = positive * self.positive_weight
            negative = 1 - self.targets
            losses = positive * np.logaddexp(0, -logits) + negative * np.logaddexp(0, logits)
            sigmoid = np.exp(-np.logaddexp(0, -logits))
            gradient = negative * sigmoid - positive * (1 - sigmoid)
            loss = losses.sum(axis=1) @ self.weights
        else:
            logits = logits - logits.max(axis=1, keepdims=True)
            gradient = np.exp(logits)
            total = gradient.sum(axis=1, keepdims=True)
            true = np.einsum("ij,ij->i", logits, self.targets)
            loss = (np.log(total[:, 0]) - true) @ self.weights
            gradient /= total
            gradient -= self.targets
        return float(loss), gradient * self.weights[:, np.newaxis]

    def curvature(self, logits: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Return the product of the Hessian of the loss at logits (n, k) with changes of them."""
        weights = self.weights[:, np.newaxis]
        if self.multilabel:
            positive = 1.0 if self.positive_weight is None else self.positive_weight
            sigmoid = np.exp(-np.logaddexp(0, -logits))
            factor = weights * sigmoid * (1 - sigmoid)
            factor *= 1 - self.targets + positive * self.targets
            return lambda change: factor * change
        proba = softmax(logits, axis=1)
        return lambda change: (
            weights * proba * (change - (proba * change).sum(axis=1, keepdims=True))
        )

    def fit(self, alpha: float, start: np.ndarray, *, is_final: bool = False) -> np.ndarray:
        """Return weights (r + 1, k), the last row of which is the intercept, from those at `start`.

        The variables are scaled by the curvature of the loss along them. Newton's method makes the
        final result exact.
        """
        k = self.targets.shape[1]
        penalty = self._penalty(alpha)
        scale = self._scale(penalty)

        def value(variables: np.ndarray) -> tuple[float, np.ndarray]:
            found = scale * variables.reshape(-1, k)
            loss, gradient = self.loss(self.logits(found))
            slopes = scale * self._to_weights(gradient, penalty, found)
            return loss + penalty / 2 * np.square(found[:-1]).sum(), slopes.ravel()

        options = {"maxiter": 1000, "gtol": _TOL_OF_SEARCH, "ftol": 0.0, "maxcor": 20}
        variables = (start / scale).ravel()
        variables = minimize(value, variables, jac=True, method="L-BFGS-B", options=options).x
        for _ in range(_MAX_NEWTON_STEPS if is_final else 0):
            slopes = value(variables)[1]
            if np.abs(slopes).max() <= _TOL:
                break
            curvature = self.curvature(self.logits(scale * variables.reshape(-1, k)))
            variables = variables - self._newton_step(slopes, curvature, penalty, scale)
        return scale * variables.reshape(-1, k)

    def logits(self, weights: np.ndarray) -> np.ndarray:
        """Return the logits (n, k) for weights (r + 1, k)."""
        return self.features @ weights[:-1] + weights[-1]

    def _newton_step(
        self,
        slopes: np.ndarray,
        curvature: Callable[[np.ndarray], np.ndarray],
        penalty: float,
        scale: np.ndarray,
    ) -> np.ndarray:
        def product(variables: np.ndarray) -> np.ndarray:
            change = scale * variables.reshape(len(scale), -1)
            return (
                scale * self._to_weights(curvature(self.logits(change)), penalty, change)
            ).ravel()

        hessian = LinearOperator((len(slopes), len(slopes)), matvec=product, dtype=np.float64)
        return cg(hessian, slopes, rtol=1e-6, maxiter=200)[0]

    def _to_weights(self, gradient: np.ndarray, penalty: float, weights: np.ndarray) -> np.ndarray:
        """Return the gradient of loss and penalty with respect to the weights (r + 1, k)."""
        slopes = np.empty_like(weights)
        slopes[:-1] = self.features.T @ gradient + penalty * weights[:-1]
        slopes[-1] = gradient.sum(axis=0)
        return slopes

    def _penalty(self, alpha: float) -> float:
        # A softmax of two outputs has twice the weights of one sigmoid, each half as large, and
        # therefore half of its penalty.
        is_binary = self.targets.shape[1] == 2 and not self.multilabel
        return 2 * alpha if is_binary else alpha

    def _scale(self, penalty: float) -> np.ndarray:
        """Return the scale of the variables (r + 1, 1)."""
        k = self.targets.shape[1]
        curvature = 0.25 if self.multilabel else (1 - 1 / k) / k
        spread = self.weights @ np.square(self.features)
        scale = np.append(1 / np.sqrt(penalty + curvature * spread), 1 / np.sqrt(curvature))
        return scale[:, np.newaxis]


def fit_logistic(
    features: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None,
    n_outputs: int,
    *,
    positive_weight: np.ndarray | None = None,
    alpha: float | None = None,
    rng: np.random.RandomState,
) -> LogisticFit:
    """Return the dense layer with the lowest penalized loss.

    The loss is the weighted mean of the cross-entropy, or for multilabel targets the sum over the
    labels, plus ``alpha / 2`` times the sum of squares of `coef`. It is that of scikit-learn's
    LogisticRegression with ``C = 1 / (n * alpha)``. Everything is computed in float64.

    Parameters
    ----------
    features : ndarray of shape (n, d)
    targets : ndarray of shape (n,) int64 or (n, n_outputs)
    weights : ndarray of shape (n,) or None
    n_outputs : int
    positive_weight : ndarray of shape (n_outputs,) or None
        Weight of the ones of each label.
    alpha : float or None
        None chooses the one of `ALPHAS` with the lowest loss in 5-fold cross-validation; in sets of
        fewer than 40 images, a strong one.
    rng : RandomState
        Draws the folds.
    """
    multilabel = targets.ndim == 2
    share = np.full(len(features), 1.0) if weights is None else weights.astype(np.float64)
    share = share / share.sum()
    features = features.astype(np.float64)
    center = share @ features
    rotated, rotation = _rotate(features - center)
    indicators = targets.astype(np.float64) if multilabel else np.eye(n_outputs)[targets]
    problem = _Problem(rotated, indicators, share, multilabel, positive_weight)
    if alpha is None:
        alpha = _DEFAULT_ALPHA
        if len(features) >= _FEWEST:
            alpha = _choose_alpha(problem, _draw_folds(targets, rng))
    start = np.zeros((rotated.shape[1] + 1, n_outputs))
    found = problem.fit(alpha, start, is_final=True)
    coef = (rotation @ found[:-1]).T
    return LogisticFit(coef, found[-1] - coef @ center, alpha)


def _rotate(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return features in the basis of their principal axes (n, r), and these axes (d, r).

    Neither loss nor penalty changes. The rank r is at most n, so that few images take less time,
    and along the axes the curvature is easy to correct for.
    """
    n, d = features.shape
    values, vectors = np.linalg.eigh(features.T @ features if d <= n else features @ features.T)
    kept = values > _SMALLEST_EIGENVALUE * max(values[-1], 0)
    values, vectors = values[kept], vectors[:, kept]
    if d <= n:
        return features @ vectors, vectors
    lengths = np.sqrt(values)
    return vectors * lengths, features.T @ (vectors / lengths)


def _draw_folds(targets: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Return the fold of each row, stratified; -1 for the only image of a class.

    That image is always trained on.
    """
    order = rng.permutation(len(targets))
    if targets.ndim == 1:
        order = order[np.argsort(targets[order], kind="stable")]
    folds = np.empty(len(targets), dtype=np.int64)
    folds[order] = np.arange(len(targets)) % _N_FOLDS
    if targets.ndim == 1:
        folds[np.bincount(targets)[targets] == 1] = -1
    return folds


def _choose_alpha(problem: _Problem, folds: np.ndarray) -> float:
    """Return the penalty with the lowest loss in cross-validation."""
    names = range(1 if len(folds) > _MANY else _N_FOLDS)
    parts = [
        (problem.part(np.flatnonzero(folds != f)), problem.part(np.flatnonzero(folds == f)))
        for f in names
        if (folds == f).any()
    ]
    shape = (problem.features.shape[1] + 1, problem.targets.shape[1])
    found = [np.zeros(shape) for _ in parts]
    losses: list[float] = []
    for alpha in ALPHAS:
        total = 0.0
        for place, (train, held_out) in enumerate(parts):
            weights = found[place] = train.fit(alpha, found[place])
            total += held_out.loss(held_out.logits(weights))[0]
        losses.append(total / len(parts))
        if len(losses) - 1 - int(np.argmin(losses)) >= _N_WORSE:
            break
    return ALPHAS[int(np.argmin(losses))]
