"""RejectOptionClassifier: promised and measured error and coverage on test images.

Thresholds are chosen on held-out images and applied to the test images. A promise is kept if it is
consistent with the measurement: the exact 95 % interval (Clopper and Pearson, 1934) reaches down to
the promised error, or contains the promised coverage. Images of clothes from another dataset are
out-of-distribution: no class is correct, and nothing is promised for them.
"""

import numpy as np
import torch
from _data import load_cifar10, load_fashion_mnist
from _report import Row, show
from scipy.stats import binomtest
from sklearn.frozen import FrozenEstimator
from torchvision.transforms.v2 import functional

from skimgcls import RejectOptionClassifier, ResNetImageClassifier

SEEDS = (0, 1, 2)
N_TRAIN, N_HELD_OUT, N_EPOCHS = 20_000, 5_000, 10
ERRORS, COVERAGES = (0.1, 0.05, 0.02), (0.8, 0.5)


def make_strangers():
    """Return test images of Fashion-MNIST in the size of those of CIFAR-10, and in color."""
    images = load_fashion_mnist()[2]
    images = torch.from_numpy(images.reshape(-1, 1, 28, 28))
    large = functional.resize(images, [32, 32], antialias=True)[:, 0].numpy()
    return np.repeat(large[..., None], 3, axis=-1)


def interval(count, n):
    found = binomtest(int(count), int(n)).proportion_ci(0.95)
    return found.low, found.high


def describe(shares, ranges):
    """Format the median fraction over the seeds with the widest interval."""
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return f"{np.median(shares):.3f} (intervals {low:.3f} to {high:.3f})"


def main():
    X_train, y_train, X_test, y_test = load_cifar10()
    strangers = make_strangers()
    found = {}
    for seed in SEEDS:
        rows = np.random.RandomState(seed).permutation(len(X_train))[: N_TRAIN + N_HELD_OUT]
        train, held_out = rows[:N_TRAIN], rows[N_TRAIN:]
        net = ResNetImageClassifier(max_iter=N_EPOCHS, random_state=seed)
        frozen = FrozenEstimator(net.fit(X_train[train], y_train[train]))
        is_wrong = net.predict(X_test) != y_test
        wishes = [{"max_error": error} for error in ERRORS]
        for wish in [{}, *wishes, *({"coverage": share} for share in COVERAGES)]:
            clf = RejectOptionClassifier(frozen, **wish).fit(X_train[held_out], y_train[held_out])
            accepted = clf.is_accepted(X_test)
            counts = is_wrong[accepted].sum(), accepted.sum(), len(accepted)
            found.setdefault(tuple(wish.items()), []).append(
                (*counts, clf.is_accepted(strangers).mean())
            )
    show([*error_rows(found), *coverage_rows(found), stranger_row(found)])


def error_rows(found):
    """Return one row per `max_error`."""
    where = f"CIFAR-10, {N_TRAIN:,} training images, {N_HELD_OUT:,} for the threshold"
    plain = np.median([wrong / n for wrong, n, _, _ in found[()]])
    for error in ERRORS:
        seeds = found[(("max_error", error),)]
        ranges = [interval(wrong, n) for wrong, n, _, _ in seeds]
        shares = [wrong / n for wrong, n, _, _ in seeds]
        accepted = np.median([n / total for _, n, total, _ in seeds])
        yield Row(
            f"{where}: error among those accepted, `max_error={error}`",
            f"at most {error}, within its interval, three seeds",
            f"{describe(shares, ranges)}; {accepted:.0%} accepted; all: {plain:.3f}",
            all(low <= error for low, _ in ranges),
        )


def coverage_rows(found):
    """Return one row per `coverage`."""
    plain = [wrong / n for wrong, n, _, _ in found[()]]
    for share in COVERAGES:
        seeds = found[(("coverage", share),)]
        ranges = [interval(n, total) for _, n, total, _ in seeds]
        errors = [wrong / n for wrong, n, _, _ in seeds]
        # The threshold itself depends on the random held-out images.
        spread = 1.96 * np.sqrt(share * (1 - share) / N_HELD_OUT)
        yield Row(
            f"The same: share accepted, `coverage={share}`",
            f"{share}, within its interval, and a smaller error than of all, three seeds",
            f"{describe([n / total for _, n, total, _ in seeds], ranges)}; "
            f"error {np.median(errors):.3f}; all: {np.median(plain):.3f}",
            all(low - spread <= share <= high + spread for low, high in ranges)
            and all(ours < all_ for ours, all_ in zip(errors, plain, strict=True)),
        )


def stranger_row(found):
    """Return a row for out-of-distribution images."""
    shares = [
        f"{np.median([share for *_, share in found[(('max_error', error),)]]):.0%}"
        for error in ERRORS
    ]
    return Row(
        "The same: Fashion-MNIST as out-of-distribution images, fraction accepted by `max_error` "
        f"of {', '.join(map(str, ERRORS))}",
        "reported",
        ", ".join(shares),
        True,
    )


if __name__ == "__main__":
    main()
