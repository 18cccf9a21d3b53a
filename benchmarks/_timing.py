"""Seconds of two sides or more, measured in turn."""

import time

_SETTLING = 0.3


def seconds_of(function, *arguments):
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def in_turn(*sides, n_rounds):
    """Call functions that return seconds, one after the other, and return the seconds of each.

    What a first call pays for and a later one does not is for the caller to get done before. A side
    begins once the other's threads, which wait for work for a while, have gone to sleep.
    """
    rounds = [[_settled(side) for side in sides] for _ in range(n_rounds)]
    return [list(seconds) for seconds in zip(*rounds, strict=True)]


def _settled(side):
    time.sleep(_SETTLING)
    return side()
