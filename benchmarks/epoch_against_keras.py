"""An epoch of CNNImageClassifier against one of Keras 3 on TensorFlow, same network and batch size.

Keras has a separate environment and runs in persistent processes, one for float32 and one for
bfloat16 where that is safe. Each process trains on command while the others wait, so the sides
alternate. Keras gets standardized float images, and compiles before it is timed. CNNImageClassifier
uses its defaults, in the precision that these select.
"""

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from _data import load_cifar10
from _peers import BATCH_SIZE, as_codes, precision_of, refuse_other_net
from _report import show, speedup_row
from _timing import in_turn

from skimgcls import CNNImageClassifier

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parent / ".venv-keras" / "bin" / "python"
N_IMAGES, N_ROUNDS = 10_000, 5
# Precision policies of Keras, and the promised speedup for each.
POLICIES = {"float32": 2.0, "mixed_bfloat16": 1.2}


class KerasWorker:
    """A Keras process that answers one command at a time."""

    def __init__(self, folder, policy):
        arguments = [folder, policy, BATCH_SIZE, torch.get_num_threads()]
        self.process = subprocess.Popen(
            [PYTHON, HERE / "_keras_worker.py", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        # The worker ends when its input is closed.
        self.process.communicate()

    def ask(self, command):
        """Return the answer to "about" or "epoch"."""
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The Keras process ended at {command!r}; see its output above.")
        return json.loads(line)

    def seconds(self):
        return self.ask("epoch")["seconds"]


def fit_ours(X, y):
    return CNNImageClassifier(max_iter=1, batch_size=BATCH_SIZE, random_state=0).fit(X, y)


def measure(X, y):
    """Return the seconds of both sides for each policy, and the versions and precisions."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        np.save(Path(folder, "X.npy"), X)
        np.save(Path(folder, "y.npy"), y)
        workers = [stack.enter_context(KerasWorker(folder, policy)) for policy in POLICIES]
        # The first epoch of each side is not timed, because Keras compiles in it.
        about = workers[0].ask("about")
        clf = fit_ours(X, y)
        refuse_other_net(clf, about["n_parameters"])
        about["precision"] = precision_of(clf)
        for worker in workers:
            worker.seconds()
        ours, *theirs = in_turn(
            lambda: float(fit_ours(X, y).history_["seconds"].iloc[-1]),
            *(worker.seconds for worker in workers),
            n_rounds=N_ROUNDS,
        )
    return ours, dict(zip(POLICIES, theirs, strict=True)), about


def main():
    if not PYTHON.is_file():
        sys.exit("Keras needs a separate environment. Create it with `make .venv-keras/.ready`.")
    X, labels, *_ = load_cifar10()
    X, y = X[:N_IMAGES], as_codes(labels)[:N_IMAGES]
    ours, theirs, about = measure(X, y)
    for policy, at_least in POLICIES.items():
        what = (
            f"Epoch of CNNImageClassifier in {about['precision']} against Keras "
            f"{about['keras']} on TensorFlow {about['tensorflow']} in {policy}, "
            f"{len(X):,} images of CIFAR-10, batch {BATCH_SIZE}"
        )
        show([speedup_row(what, ours, theirs[policy], at_least=at_least)])


if __name__ == "__main__":
    main()
