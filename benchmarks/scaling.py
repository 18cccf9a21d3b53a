"""Time per image in `fit` for different numbers of images, which should be constant.

Each round fits on every number of images, for one epoch, with the same batch size. The whole call
of `fit` is timed.
"""

from functools import partial
from statistics import median

from _data import load_cifar10
from _report import Row, show
from _timing import in_turn, seconds_of

from skimgcls import CNNImageClassifier

NUMBERS, N_ROUNDS, BATCH_SIZE = (5_000, 10_000, 20_000, 40_000), 5, 128
# For the warm-up: the first steps import and initialize modules.
N_WARM_UP = 1_000
AT_MOST = 1.10


def fit(X, y, n):
    clf = CNNImageClassifier(max_iter=1, batch_size=BATCH_SIZE, random_state=0)
    return clf.fit(X[:n], y[:n])


def main():
    X, y, *_ = load_cifar10()
    fit(X, y, N_WARM_UP)
    rounds = in_turn(*(partial(seconds_of, fit, X, y, n) for n in NUMBERS), n_rounds=N_ROUNDS)
    costs = [median(seconds) / n for n, seconds in zip(NUMBERS, rounds, strict=True)]
    ratio = max(costs) / min(costs)
    each = ", ".join(
        f"{1e6 * cost:.1f} µs of {n:,}" for n, cost in zip(NUMBERS, costs, strict=True)
    )
    what = (
        "Time an image of CNNImageClassifier's fit takes, one epoch, batch "
        f"{BATCH_SIZE}: the most against the least over {len(NUMBERS)} numbers of images"
    )
    show([Row(what, f"at most {AT_MOST:.2f}x", f"{ratio:.2f}x ({each})", ratio <= AT_MOST)])


if __name__ == "__main__":
    main()
