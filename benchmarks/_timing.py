"""Alternating time measurements of two or more implementations."""

import time

_SETTLING = 0.3


def seconds_of(function, *arguments):
    """Return the time of a call in seconds."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def in_turn(*sides, n_rounds):
    """Call functions that return seconds in alternation, and return the seconds of each.

    The caller must warm up the functions, because a first call can take longer. Each call starts
    after the waiting threads of the previous one have gone to sleep.
    """
    rounds = [[_settled(side) for side in sides] for _ in range(n_rounds)]
    return [list(seconds) for seconds in zip(*rounds, strict=True)]


def _settled(side):
    time.sleep(_SETTLING)
    return side()
