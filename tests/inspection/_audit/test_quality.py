"""Dark, light, blurry and plain images, and those of an unusual size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageFilter

from skimgcls.inspection import audit_images
from skimgcls.inspection._audit._quality import find_odd_sizes, measure, name_problems

few = settings(deadline=None, max_examples=60)


def make_photograph(side=96, seed=0):
    """Return clouds of several sizes with an edge, which have contrast and detail."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side))
    for cells in (4, 12, side // 2):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells), dtype=np.uint8))
        total += np.asarray(noise.resize((side, side), Image.Resampling.BICUBIC), float) / cells
    total[side // 2 :] += total.max() / 2
    total = 30 + 200 * (total - total.min()) / np.ptp(total)
    return Image.fromarray(total.astype(np.uint8)).convert("RGB")


def problems_of(image):
    pixels = np.asarray(image)
    return name_problems(measure(pixels), *pixels.shape[:2])


CHANGES = {
    "dark": lambda image: image.point(lambda value: value * 0.2),
    "light": lambda image: image.point(lambda value: 245 + value * 0.04),
    "blurry": lambda image: image.filter(ImageFilter.GaussianBlur(5)),
    "low information": lambda image: image.point(lambda value: value // 100 * 100),
    "odd aspect ratio": lambda image: image.crop((0, 0, image.width, image.height // 4)),
}


def test_a_photograph_has_no_problem():
    for seed in range(5):
        assert problems_of(make_photograph(seed=seed)) == []


@pytest.mark.parametrize("name", CHANGES)
def test_problems(name):
    for seed in range(5):
        assert name in problems_of(CHANGES[name](make_photograph(seed=seed)))


@pytest.mark.parametrize("side", [64, 200, 500])
def test_sharpness_does_not_depend_on_size_or_contrast(side):
    image = make_photograph()
    resized = image.resize((side, side), Image.Resampling.BICUBIC)
    assert "blurry" not in problems_of(resized)
    assert "blurry" not in problems_of(resized.point(lambda value: 100 + value // 5))
    assert "blurry" in problems_of(resized.filter(ImageFilter.GaussianBlur(side / 20)))


def test_tiny_images_are_not_blurry():
    assert "blurry" not in problems_of(CHANGES["blurry"](make_photograph()).resize((16, 16)))


@few
@given(pixels=arrays(np.uint8, st.tuples(st.integers(1, 70), st.integers(1, 70), st.just(3))))
def test_measures_of_any_image_are_in_their_ranges(pixels):
    found = measure(pixels)
    assert 0 <= found.brightness_5 <= found.brightness_99 <= 1
    assert 0 <= found.entropy <= 8
    assert np.isnan(found.sharpness) or found.sharpness >= 0
    name_problems(found, *pixels.shape[:2])


def test_odd_sizes():
    assert not find_odd_sizes([(100, 100)] * 5).any()
    assert not find_odd_sizes([(100, 100)] * 5 + [(110, 100)]).any()
    assert find_odd_sizes([(100, 100)] * 5 + [(10, 10)]).tolist() == [False] * 5 + [True]
    assert find_odd_sizes([]).tolist() == []


def test_audit_lists_the_quality_of_readable_images(tmp_path):
    pictures = {"good": make_photograph(seed=1), "large": make_photograph(side=900)}
    pictures |= {name: change(make_photograph(seed=2)) for name, change in CHANGES.items()}
    pictures |= {f"other {seed}": make_photograph(seed=seed) for seed in range(3, 20)}
    paths = []
    for name, picture in pictures.items():
        paths.append(str(tmp_path / f"{name}.png"))
        picture.save(paths[-1])
    (tmp_path / "broken.png").write_bytes(b"text")
    paths.insert(1, str(tmp_path / "broken.png"))
    audit = audit_images(paths, X_test=paths[:1], max_distance=None)
    quality = audit.quality.set_index("path")
    assert audit.quality["image"].tolist() == [0, *range(2, len(paths)), 0]
    assert audit.quality["set"].unique().tolist() == ["X", "X_test"]
    quality = quality[quality["set"] == "X"]
    for name in CHANGES:
        assert name in quality["problems"][str(tmp_path / f"{name}.png")].split(", ")
    assert quality["problems"][str(tmp_path / "large.png")] == "odd size"
    assert quality["problems"][paths[0]] == ""


def test_arrays_have_no_path():
    images = np.stack([np.asarray(make_photograph(seed=seed)) for seed in range(3)])
    quality = audit_images(images).quality
    assert quality["path"].isna().all()
    assert quality["problems"].tolist() == ["", "", ""]
