"""An epoch of CNNImageClassifier against one of skorch's classifier with its defaults.

skorch trains the same network as users write it: a plain module on standardized float images. By
default it does not shuffle, which only saves time. Both sides report the duration of the epoch.
They alternate in one process.
"""

from _data import load_cifar10
from _peers import BATCH_SIZE, as_codes, as_floats, make_skorch, precision_of, refuse_other_net
from _report import show, speedup_row
from _timing import in_turn

from skimgcls import CNNImageClassifier

N_IMAGES, N_PAIRS = 10_000, 5
# For the warm-up: the first steps import and initialize modules.
N_WARM_UP = 1_000
AT_LEAST = 3.0


def seconds_of_ours(X, y):
    clf = CNNImageClassifier(max_iter=1, batch_size=BATCH_SIZE, random_state=0)
    return float(clf.fit(X, y).history_["seconds"].iloc[-1])


def seconds_of_skorch(X, y):
    return make_skorch().fit(X, y).history[-1, "dur"]


def refuse_other_nets(X, y, floats):
    """Raise an error if the two networks differ, and return the precision of CNNImageClassifier.

    This also warms up both sides.
    """
    net = make_skorch().fit(floats, y)
    clf = CNNImageClassifier(max_iter=1, batch_size=BATCH_SIZE, random_state=0).fit(X, y)
    refuse_other_net(clf, sum(parameter.numel() for parameter in net.module_.parameters()))
    return precision_of(clf)


def main():
    X, labels, *_ = load_cifar10()
    X, y = X[:N_IMAGES], as_codes(labels)[:N_IMAGES]
    floats = as_floats(X)
    precision = refuse_other_nets(X[:N_WARM_UP], y[:N_WARM_UP], floats[:N_WARM_UP])
    ours, theirs = in_turn(
        lambda: seconds_of_ours(X, y), lambda: seconds_of_skorch(floats, y), n_rounds=N_PAIRS
    )
    what = (
        f"Epoch of CNNImageClassifier in {precision} against skorch's NeuralNetClassifier in "
        f"float32, {len(X):,} images of CIFAR-10, batch {BATCH_SIZE}"
    )
    show([speedup_row(what, ours, theirs, at_least=AT_LEAST)])


if __name__ == "__main__":
    main()
