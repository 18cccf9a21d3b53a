"""The displays match the reference images.

The images in ``reference`` are small enough for a review. After an intended change, redraw them
with ``SKIMGCLS_DRAW_REFERENCE=1`` in the environment, and check them by eye.
"""

import os
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.testing.compare import compare_images
from PIL import Image

from skimgcls.inspection import (
    AugmentationDisplay,
    ClassDistributionDisplay,
    ImageGridDisplay,
    PredictionDisplay,
    SaliencyDisplay,
    TrainingCurveDisplay,
)

REFERENCE = Path(__file__).with_name("reference")
# Root mean square difference of pixels (0 to 255) that is allowed between machines.
TOLERANCE = 3
# Text rendering depends on the matplotlib version, which is stored in the file.
SOFTWARE = f"matplotlib {'.'.join(mpl.__version__.split('.')[:2])}"
IS_NEW = bool(os.environ.get("SKIMGCLS_DRAW_REFERENCE"))


def drawn_with():
    """Return the matplotlib version of the references, or the current one if they are redrawn."""
    if IS_NEW:
        return SOFTWARE
    with Image.open(REFERENCE / "predictions.png") as picture:
        return picture.text["Software"]


pytestmark = [
    pytest.mark.usefixtures("off_screen"),
    pytest.mark.skipif(drawn_with() != SOFTWARE, reason=f"drawn with {drawn_with()}"),
]


def make_pictures(n, shape=(12, 16, 3)):
    """Return different images, each with a gradient towards one corner."""
    height, width = shape[:2]
    ramp = np.add.outer(np.linspace(0, 1, height), np.linspace(0, 1, width)) / 2
    tints = np.random.RandomState(0).rand(n, *shape[2:])
    return [
        np.uint8(255 * (ramp * tint if len(shape) == 2 else ramp[..., None] * tint))
        for tint in tints
    ]


def draw_images():
    labels = ["cat", "a cat of which there is much to say", "dog", "owl", "$x_1$"] * 2
    return ImageGridDisplay(make_pictures(10), labels).plot()


def draw_grey_images():
    return ImageGridDisplay(make_pictures(43, (8, 8)), list(map(str, range(43)))).plot()


def draw_predictions():
    predicted, actual = ["cat", "dog", "owl"] * 3, ["cat", "owl", "owl"] * 3
    confidence = np.linspace(0.55, 0.99, 9)
    return PredictionDisplay(make_pictures(9, (8, 8)), predicted, confidence, actual).plot()


def draw_augmentation():
    pictures = make_pictures(8)
    return AugmentationDisplay([pictures[:4], pictures[4:]]).plot()


def draw_saliency():
    maps = np.zeros((3, 12, 16))
    maps[0, 2:6, 9:14] = 1
    maps[1, :, 3] = np.linspace(0, 1, 12)
    return SaliencyDisplay(make_pictures(3), maps, ["cat", "dog", "owl"]).plot()


def draw_training():
    epochs = pd.RangeIndex(1, 9, name="epoch")
    falling = np.linspace(2, 0.2, 8)
    history = pd.DataFrame(
        {
            "train_loss": falling,
            "validation_loss": falling + 0.02 * (epochs - 4) ** 2,
            "train_accuracy": 1 - falling / 4,
            "validation_accuracy": 0.9 - 0.02 * (epochs - 6) ** 2,
        },
        index=epochs,
    )
    return TrainingCurveDisplay(history).plot()


def draw_classes():
    labels = np.repeat(["cat", "dog", "a class with a longer name"], [40, 25, 5])
    return ClassDistributionDisplay.from_predictions(labels, np.roll(labels, 9))


DRAWINGS = {
    name.removeprefix("draw_"): value
    for name, value in list(globals().items())
    if re.match("draw_", name)
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_display_looks_as_it_did(name, tmp_path):
    path = (REFERENCE if IS_NEW else tmp_path) / f"{name}.png"
    with mpl.rc_context(mpl.rcParamsDefault):
        mpl.use("Agg")
        DRAWINGS[name]().figure_.savefig(path, dpi=80, metadata={"Software": SOFTWARE})
    assert compare_images(REFERENCE / f"{name}.png", path, TOLERANCE) is None


def test_every_reference_is_drawn():
    assert {path.stem for path in REFERENCE.glob("*.png")} == set(DRAWINGS)


def test_a_label_that_is_missing_is_seen(tmp_path):
    display = draw_predictions()
    for text in display.texts_:
        text.remove()
    display.figure_.savefig(tmp_path / "bare.png", dpi=80)
    difference = compare_images(REFERENCE / "predictions.png", tmp_path / "bare.png", TOLERANCE)
    assert "RMS" in difference
