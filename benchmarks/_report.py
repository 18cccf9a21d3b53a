"""Benchmark results and their table."""

import json
import sys
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One row of the table: what is measured, the promised value and the measured value."""

    what: str
    promise: str
    figure: str
    kept: bool


def ratio_row(what, ours, theirs, *, at_most):
    """Compare alternating measurements in seconds pair by pair, as a ratio of ours to theirs."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    figure = f"{median(ratios):.2f}x {_spread(ratios, ours, theirs)}"
    return Row(what, f"at most {at_most:.2f}x", figure, median(ratios) <= at_most)


def speedup_row(what, ours, theirs, *, at_least):
    """Compare alternating measurements in seconds pair by pair, as the speedup of ours."""
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    figure = f"{median(ratios):.2f}x faster {_spread(ratios, ours, theirs)}"
    return Row(what, f"at least {at_least:.1f}x faster", figure, median(ratios) >= at_least)


def accuracy_row(what, accuracies, *, at_least, seconds=None):
    """Compare the mean accuracy of several runs with the promise."""
    mean = sum(accuracies) / len(accuracies)
    spread = f" ({min(accuracies):.4f} to {max(accuracies):.4f}, {len(accuracies)} runs"
    spread += f", fit in {seconds:.0f} s)" if seconds else ")"
    return Row(what, f"at least {at_least}", f"{mean:.4f}{spread}", bool(mean >= at_least))


def fit_row(what, accuracies, seconds, *, at_least, within):
    """Compare the mean accuracy of several fits and their longest time with the promise."""
    mean, longest = sum(accuracies) / len(accuracies), max(seconds)
    figure = (
        f"{mean:.4f} ({min(accuracies):.4f} to {max(accuracies):.4f}, {len(accuracies)} runs) in "
        f"{median(seconds):.0f} s, at most {longest:.0f} s"
    )
    promise = f"at least {at_least} within {within} s"
    return Row(what, promise, figure, bool(mean >= at_least and longest <= within))


def gain_row(what, ours, theirs, *, at_least):
    """Compare the gain in a score, seed by seed, with the promise."""
    gains = [a - b for a, b in zip(ours, theirs, strict=True)]
    gain = sum(gains) / len(gains)
    mean_ours, mean_theirs = sum(ours) / len(ours), sum(theirs) / len(theirs)
    figure = (
        f"{100 * gain:+.1f} points (seeds {100 * min(gains):+.1f} to {100 * max(gains):+.1f}; "
        f"{mean_ours:.4f} against {mean_theirs:.4f})"
    )
    promise = f"at least {100 * at_least:+.0f} points" if at_least else "more, for each seed"
    kept = gain >= at_least if at_least else min(gains) > 0
    return Row(what, promise, figure, bool(kept))


def difference_row(what, ours, theirs, *, at_most):
    """Compare the absolute difference of two mean scores with the promise."""
    mean_ours, mean_theirs = sum(ours) / len(ours), sum(theirs) / len(theirs)
    figure = (
        f"{100 * (mean_ours - mean_theirs):+.2f} points ({mean_ours:.4f} and {mean_theirs:.4f})"
    )
    promise = f"within {100 * at_most:.1f} points"
    return Row(what, promise, figure, bool(abs(mean_ours - mean_theirs) <= at_most))


def show(rows):
    """Print rows as text, or as JSON if the script was called with ``--json``."""
    for row in rows:
        if "--json" in sys.argv:
            print(json.dumps(asdict(row)), flush=True)
        else:
            mark = "kept" if row.kept else "BROKEN"
            print(f"{row.what}\n    {row.promise}: {row.figure}  [{mark}]", flush=True)


def _spread(ratios, ours, theirs):
    medians, minima = (f"{_seconds(of(ours))} and {_seconds(of(theirs))}" for of in (median, min))
    return f"(pairs {min(ratios):.2f} to {max(ratios):.2f}; medians {medians}, minima {minima})"


def _seconds(value):
    if value < 0.001:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"
