"""Predictions of CNNImageClassifier: many images against skorch, and one against the bare module.

skorch runs the same network as users write it, with its defaults, on prepared float images. The
bare module is that of the classifier, called on a prepared float tensor, so the difference is the
overhead of `predict_proba`. The sides alternate in one process. Single images are predicted in runs
of several dozen, as in a server.
"""

from functools import partial
from statistics import median

import torch
from _data import load_cifar10
from _peers import as_codes, as_floats, make_skorch, precision_of, refuse_other_net
from _report import ratio_row, show, speedup_row
from _timing import in_turn, seconds_of

from skimgcls import CNNImageClassifier

# The prediction time does not depend on the number of training steps.
N_TRAINING_IMAGES = 1_000
N_IMAGES, N_PAIRS, N_RUNS, N_CALLS = 10_000, 7, 15, 40


def many_row(clf, net, images):
    floats = as_floats(images)
    ours, theirs = in_turn(
        partial(seconds_of, clf.predict_proba, images),
        partial(seconds_of, net.predict_proba, floats),
        n_rounds=N_PAIRS,
    )
    what = (
        f"predict_proba of CNNImageClassifier, fitted in {precision_of(clf)}, against skorch's "
        f"NeuralNetClassifier, {len(images):,} images of CIFAR-10"
    )
    return speedup_row(what, ours, theirs, at_least=4.0)


def median_seconds_of(function, *arguments):
    """Return the median seconds of successive calls."""
    return median(seconds_of(function, *arguments) for _ in range(N_CALLS))


def single_row(clf, images):
    image, module = images[:1], clf.net_.module_.eval()
    dtype = next(module.parameters()).dtype
    batch = torch.from_numpy(image).to(dtype).permute(0, 3, 1, 2)
    batch = batch.contiguous(memory_format=torch.channels_last)

    def evaluate():
        with torch.inference_mode():
            module(batch)

    ours, theirs = in_turn(
        partial(median_seconds_of, clf.predict_proba, image),
        partial(median_seconds_of, evaluate),
        n_rounds=N_RUNS,
    )
    what = (
        "predict_proba of a single image of CIFAR-10 against the bare module, "
        f"{N_RUNS} runs of {N_CALLS} calls"
    )
    return ratio_row(what, ours, theirs, at_most=1.5)


def main():
    X_train, labels, X_test, _ = load_cifar10()
    X, y, X_test = X_train[:N_TRAINING_IMAGES], as_codes(labels), X_test[:N_IMAGES]
    clf = CNNImageClassifier(max_iter=1, random_state=0).fit(X, y[:N_TRAINING_IMAGES])
    net = make_skorch().fit(as_floats(X), y[:N_TRAINING_IMAGES])
    refuse_other_net(clf, sum(parameter.numel() for parameter in net.module_.parameters()))
    # The first call of each side is not timed.
    clf.predict_proba(X), net.predict_proba(as_floats(X))
    show([many_row(clf, net, X_test), single_row(clf, X_test)])


if __name__ == "__main__":
    main()
