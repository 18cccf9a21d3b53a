"""ImageGridDisplay."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from skimgcls.inspection import ImageGridDisplay

pytestmark = pytest.mark.usefixtures("off_screen")

Y = ["b", "a", "b", "c", "a", "b"]


def make_pictures(n=6):
    """Return images identified by their pixels: image i has the value i."""
    return np.arange(n, dtype=np.uint8)[:, np.newaxis, np.newaxis] * np.ones((1, 4, 4), np.uint8)


def numbers_of(display):
    return [int(image.get_array()[0, 0]) for image in display.images_]


def test_first_images_are_shown_with_their_labels():
    display = ImageGridDisplay.from_images(make_pictures(), Y, n_images=4)
    assert numbers_of(display) == [0, 1, 2, 3]
    assert [text.get_text() for text in display.texts_] == ["b", "a", "b", "c"]


def test_class_order_alternates_classes():
    display = ImageGridDisplay.from_images(make_pictures(), Y, n_images=5, order="class")
    assert numbers_of(display) == [1, 0, 3, 4, 2]


def test_random_images_depend_on_the_seed():
    one, other = (
        ImageGridDisplay.from_images(make_pictures(), order="random", random_state=3)
        for _ in range(2)
    )
    assert numbers_of(one) == numbers_of(other) != [0, 1, 2, 3, 4, 5]
    assert sorted(numbers_of(one)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([0, 1, 2], ["0", "1", "2"]),
        ([[1, 0], [1, 1], [0, 0]], ["0", "0, 1", "none"]),
        (pd.DataFrame({"sun": [1, 0, 1], "sea": [0, 0, 1]}), ["sun", "none", "sun, sea"]),
        (["cat", None, "dog"], ["cat", "no label", "dog"]),
    ],
)
def test_labels_of_any_type(y, expected):
    display = ImageGridDisplay.from_images(make_pictures(3), y)
    assert [text.get_text() for text in display.texts_] == expected


def test_only_files_shown_are_read(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for path, image in zip(paths, make_pictures(3), strict=True):
        Image.fromarray(image).save(path)
    paths[2].write_bytes(b"no image")
    display = ImageGridDisplay.from_images([str(path) for path in paths], n_images=2)
    assert [image.get_array().shape for image in display.images_] == [(4, 4, 3)] * 2


def test_plot_can_be_called_again():
    display = ImageGridDisplay.from_images(make_pictures(), Y)
    ax = Figure().subplots()
    before = plt.get_fignums()
    assert display.plot(ax, n_columns=2).ax_ is ax
    assert len(display.images_) == 6
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"X": np.empty((0, 4, 4))}, "no image to show"),
        ({"y": Y[:2]}, "2 labels for 6"),
        ({"order": "last"}, "order must be one of"),
        ({"order": "class"}, "pass y"),
        ({"X": 5}, "no image to show"),
    ],
)
def test_invalid_parameters_are_rejected(options, words):
    with pytest.raises(ValueError, match=words):
        ImageGridDisplay.from_images(**{"X": make_pictures(), **options})
