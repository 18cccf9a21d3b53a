"""Peak memory of a fit on files, beyond the imports, for two numbers of files.

Each fit runs in a separate process, for one epoch, with the default network and batch size. The
files are distinct entries of one folder; a tenth of them has distinct content.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from _memory import measure_apart, peak_of
from _report import Row, show
from PIL import Image

LIMIT_GB = 1.5
# Side and numbers of images. The promise is for the larger number.
CASES = ((32, (6_000, 60_000)), (256, (2_000, 20_000)))


def write_files(folder, side, n_files):
    """Write PNG files of smooth noise."""
    rng = np.random.RandomState(0)
    n_contents = n_files // 10
    for index in range(n_files):
        path = Path(folder, f"{index:06}.png")
        if index < n_contents:
            small = rng.randint(0, 256, (side // 8, side // 8, 3)).astype(np.uint8)
            image = Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)
            image.save(path, compress_level=1)
        else:
            os.link(Path(folder, f"{index % n_contents:06}.png"), path)


def peak_of_fit(folder, n_files):
    """Fit on this number of files and return the peak memory in megabytes, beyond the imports."""
    import torch._dynamo  # noqa: F401 - the first step of an optimizer imports it

    from skimgcls import CNNImageClassifier, ImageAugmenter, ImageLoader

    paths = [str(Path(folder, f"{index:06}.png")) for index in range(n_files)]

    def fit():
        images = ImageLoader(n_jobs=2).fit_transform(paths)
        images = ImageAugmenter(horizontal_flip=True, shift=0.1).fit_transform(images)
        CNNImageClassifier(max_iter=1, random_state=0).fit(images, np.arange(n_files) % 10)

    return peak_of(fit)


def main():
    for side, (fewer, more) in CASES:
        with tempfile.TemporaryDirectory() as folder:
            write_files(folder, side, more)
            few, many = (measure_apart(__file__, folder, n) for n in (fewer, more))
        what = f"Peak memory of a fit on {more:,} PNG files of {side}x{side}, beyond the imports"
        figure = f"{many / 1024:.2f} GB ({few / 1024:.2f} GB for {fewer:,} files)"
        kept = many < LIMIT_GB * 1024
        show([Row(what, f"less than {LIMIT_GB} GB", figure, kept)])


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(peak_of_fit(sys.argv[2], int(sys.argv[3]))))
    else:
        main()
