"""Peak memory of ImageEmbedder, beyond the imports, the images and the features.

Each number of images is measured in a separate process, on random pixels.
"""

import json
import sys

import numpy as np
from _memory import measure_apart, peak_of
from _report import Row, show

NUMBERS, SIDE, BACKBONE = (5_000, 20_000), 64, "mobilenet_v3_small"
AT_MOST = 1.10


def peak_of_transform(n_images):
    """Embed this number of images and return the additional peak memory in megabytes."""
    from skimgcls import ImageEmbedder

    rng = np.random.RandomState(0)
    images = rng.randint(0, 256, (n_images, SIDE, SIDE, 3), dtype=np.uint8)
    embedder = ImageEmbedder(BACKBONE, weights=None, random_state=0).fit(images[:100])
    embedder.transform(images[:600])
    features = []
    peak = peak_of(lambda: features.append(embedder.transform(images)))
    return peak - features[0].nbytes / 2**20


def main():
    few, many = (measure_apart(__file__, n) for n in NUMBERS)
    # A few megabytes are measurement noise.
    kept = many <= AT_MOST * few + 16
    what = (
        f"Peak memory of ImageEmbedder on {NUMBERS[1]:,} images, {SIDE}x{SIDE}, beyond imports, "
        f"images and features, against {NUMBERS[0]:,}"
    )
    show([Row(what, f"at most {AT_MOST:.2f}x", f"{many:.0f} MB against {few:.0f} MB", kept)])


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(peak_of_transform(int(sys.argv[2]))))
    else:
        main()
