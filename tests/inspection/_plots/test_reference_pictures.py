"""The displays of images, training and predictions match the reference images."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from references import find_difference, make_pictures

from skimgcls.inspection import (
    AugmentationDisplay,
    ImageGridDisplay,
    PredictionDisplay,
    TrainingCurveDisplay,
)

REFERENCE = Path(__file__).with_name("reference")

pytestmark = pytest.mark.usefixtures("off_screen")


def draw_images():
    labels = ["cat", "a cat of which there is much to say", "dog", "owl", "$x_1$"] * 2
    return ImageGridDisplay(make_pictures(10), labels).plot()


def draw_gray_images():
    return ImageGridDisplay(make_pictures(43, (8, 8)), list(map(str, range(43)))).plot()


def draw_predictions():
    predicted, actual = ["cat", "dog", "owl"] * 3, ["cat", "owl", "owl"] * 3
    confidence = np.linspace(0.55, 0.99, 9)
    return PredictionDisplay(make_pictures(9, (8, 8)), predicted, confidence, actual).plot()


def draw_augmentation():
    pictures = make_pictures(8)
    return AugmentationDisplay([pictures[:4], pictures[4:]]).plot()


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


DRAWINGS = {
    "augmentation": draw_augmentation,
    "gray_images": draw_gray_images,
    "images": draw_images,
    "predictions": draw_predictions,
    "training": draw_training,
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_display_matches_its_reference_image(name, tmp_path):
    assert find_difference(DRAWINGS[name], REFERENCE / f"{name}.png", tmp_path) is None


def test_every_reference_image_has_a_display():
    assert {path.stem for path in REFERENCE.glob("*.png")} == set(DRAWINGS)


def test_missing_labels_differ_from_the_reference_image(tmp_path):
    def draw_without_labels():
        display = draw_predictions()
        for text in display.texts_:
            text.remove()
        return display

    reference = REFERENCE / "predictions.png"
    difference = find_difference(draw_without_labels, reference, tmp_path, redraw=False)
    assert "RMS" in difference
