"""Peak memory of a fit on CIFAR-10 as an array, beyond the imports and the array itself.

Each fit runs in a separate process, for one epoch, with the default network and batch size.
"""

import json
import sys

from _memory import measure_apart, peak_of
from _report import Row, show

import skimgcls

N_IMAGES = 50_000
LIMIT_GB = 1.0
NAMES = [
    name for name in ("CNNImageClassifier", "ResNetImageClassifier") if name in skimgcls.__all__
]


def peak_of_fit(name, n_images):
    """Fit on this number of images and return the additional peak memory."""
    import torch._dynamo  # noqa: F401 - the first step of an optimizer imports it
    from _data import load_cifar10

    X, y = (array[:n_images].copy() for array in load_cifar10()[:2])
    clf = getattr(skimgcls, name)(max_iter=1, random_state=0)
    return peak_of(lambda: clf.fit(X, y))


def main():
    for name in NAMES:
        peak = measure_apart(__file__, name, N_IMAGES) / 1024
        what = (
            f"Peak memory of a fit of {name} on {N_IMAGES:,} images of CIFAR-10, beyond the "
            "imports and the images"
        )
        show([Row(what, f"at most {LIMIT_GB} GB", f"{peak:.2f} GB", peak <= LIMIT_GB)])


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(peak_of_fit(sys.argv[2], int(sys.argv[3]))))
    else:
        main()
