"""audit_images reports all planted defects and nothing else."""

import sys
import threading

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from PIL import Image, ImageDraw, ImageEnhance

from skimgcls._images import _decode
from skimgcls.inspection import audit_images, class_distribution
from skimgcls.inspection._audit import _duplicates


def make_picture(seed, side=64):
    """Return an image of colored clouds that depends on the seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def make_shape(rng, side=64):
    """Return a shape of random color, size and position on a plain background."""
    ground, color = (tuple(rng.integers(0, 256, 3).tolist()) for _ in range(2))
    image = Image.new("RGB", (side, side), ground)
    width, height = rng.integers(side // 5, side // 2, size=2).tolist()
    left, top = rng.integers(0, side // 2, size=2).tolist()
    box = (left, top, left + width, top + height)
    draw = ImageDraw.Draw(image)
    [draw.ellipse, draw.rectangle][rng.integers(2)](box, fill=color)
    return image


def pairs(audit, columns=("image", "issue", "other")):
    """Return the findings as tuples, None where there is no matching image."""
    rows = audit.findings[list(columns)].astype(object)
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in rows.to_numpy()]


@pytest.fixture
def files(tmp_path):
    """Return paths of four different PNG images."""
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(paths):
        make_picture(number).save(path)
    return paths


# Defects of files


def test_valid_different_images_have_no_findings(files):
    audit = audit_images(files, ["cat", "dog", "cat", "dog"])
    assert len(audit.findings) == 0
    assert audit.findings.columns.tolist() == [
        "set", "image", "path", "issue", "other", "other_path", "details"
    ]  # fmt: skip


def test_each_file_defect_is_reported_by_name(files, tmp_path):
    whole = files[0].read_bytes()
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("I am no picture.")
    (tmp_path / "folder.png").mkdir()
    Image.new("RGB", (8, 8), (1, 2, 3)).save(tmp_path / "blank.png")
    names = ["gone.png", "empty.png", "cut.png", "text.jpg", "folder.png", "blank.png"]
    audit = audit_images([*files, *(tmp_path / name for name in names), np.nan, None, 7])
    assert pairs(audit, ["image", "issue"]) == [
        (4, "missing"),
        (5, "empty file"),
        (6, "truncated"),
        (7, "unreadable"),
        (8, "unreadable"),
        (9, "blank"),
        (10, "not a path"),
        (11, "not a path"),
        (12, "not a path"),
    ]
    assert audit.findings["path"][2] == str(tmp_path / "cut.png")
    assert "cut short" in audit.findings["details"][2]
    assert audit.findings["path"][6] is None


def test_incomplete_jpeg_is_truncated(tmp_path):
    path = tmp_path / "picture.jpg"
    make_picture(0).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert pairs(audit_images([path])) == [(0, "truncated", None)]


def test_decompression_bomb_is_unreadable(files, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    audit = audit_images(files[:1])
    assert pairs(audit) == [(0, "unreadable", None)]
    assert "bomb" in audit.findings["details"][0]


def test_complete_files_without_a_value_range_are_unreadable(tmp_path):
    path = tmp_path / "depth.tif"
    Image.fromarray(np.random.default_rng(0).random((8, 8), dtype=np.float32)).save(path)
    assert pairs(audit_images([path])) == [(0, "unreadable", None)]


def test_blank_images_are_not_compared():
    images = np.zeros((1000, 8, 8), dtype=np.uint8)
    audit = audit_images(images, np.arange(1000) % 2)
    assert audit.findings["issue"].unique().tolist() == ["blank"]
    assert len(audit.findings) == 1000


# Duplicates


def test_same_pixels_in_another_format_are_an_exact_duplicate(files, tmp_path):
    copy = tmp_path / "copy.bmp"
    Image.open(files[1]).save(copy)
    audit = audit_images([*files, copy])
    assert pairs(audit) == [(4, "exact duplicate", 1)]
    assert audit.findings["other_path"][0] == str(files[1])


def test_each_copy_is_reported_once_with_the_first_image(files):
    audit = audit_images([files[0]] * 5)
    assert pairs(audit) == [(number, "exact duplicate", 0) for number in range(1, 5)]


def test_same_pixels_in_another_shape_are_not_a_duplicate():
    row = np.arange(64, dtype=np.uint8)
    assert _duplicates.make_fingerprint(np.stack([row.reshape(4, 16)] * 3, -1), False) != (
        _duplicates.make_fingerprint(np.stack([row.reshape(16, 4)] * 3, -1), False)
    )


CHANGES = {
    "compressed again": lambda image, path: image.save(path.with_suffix(".jpg"), quality=60),
    "half as large": lambda image, path: image.resize((32, 32)).save(path),
    "larger": lambda image, path: image.resize((100, 90)).save(path),
    "brighter": lambda image, path: ImageEnhance.Brightness(image).enhance(1.1).save(path),
    "of less contrast": lambda image, path: ImageEnhance.Contrast(image).enhance(0.9).save(path),
}


@pytest.mark.parametrize("change", CHANGES)
def test_slightly_changed_copy_is_a_near_duplicate(change, tmp_path):
    folder = tmp_path / "copies"
    folder.mkdir()
    for number in range(20):
        make_picture(number).save(tmp_path / f"{number:02d}.png")
        CHANGES[change](make_picture(number), folder / f"{number:02d}.png")
    audit = audit_images([*sorted(tmp_path.glob("*.png")), *sorted(folder.iterdir())])
    assert pairs(audit) == [(number + 20, "near duplicate", number) for number in range(20)]
    assert audit.findings["details"].str.match(r"\d+ of 64 bits differ, like image \d+ of X").all()


def test_different_images_are_not_near_duplicates():
    rng = np.random.default_rng(0)
    clouds = [np.asarray(make_picture(seed)) for seed in range(300)]
    shapes = [np.asarray(make_shape(rng)) for _ in range(300)]
    noise = list(rng.integers(0, 256, (300, 64, 64, 3), dtype=np.uint8))
    assert len(audit_images([*clouds, *shapes, *noise]).findings) == 0


def test_same_drawing_in_another_color_is_not_a_duplicate():
    gray = np.asarray(make_picture(0).convert("L"))
    red, green = (np.zeros((64, 64, 3), dtype=np.uint8) for _ in range(2))
    red[..., 0], green[..., 1] = gray, gray
    assert len(audit_images([red, green]).findings) == 0


def test_max_distance_limits_near_duplicates(files, tmp_path):
    copy = tmp_path / "copy.jpg"
    Image.open(files[0]).save(copy, quality=30)
    assert pairs(audit_images([*files, copy])) == [(4, "near duplicate", 0)]
    assert pairs(audit_images([*files, copy], max_distance=0)) == []
    assert pairs(audit_images([*files, copy, files[2]], max_distance=None)) == [
        (5, "exact duplicate", 2)
    ]


@pytest.mark.parametrize("block", [1, 100, 2**22])
def test_block_size_does_not_change_near_duplicates(block, monkeypatch):
    monkeypatch.setattr(_duplicates, "_BLOCK", block)
    rng = np.random.default_rng(0)
    bits = rng.random((40, 64)) < 0.5
    bits[20:] = bits[:20]
    bits[20:, :5] ^= True
    prints = [_duplicates.Fingerprint(b"", row, np.zeros((8, 8, 3))) for row in bits]
    first, apart = _duplicates.first_near(prints, 5)
    assert first.tolist() == [*range(20), *range(20)]
    assert apart.tolist() == [0] * 20 + [5] * 20
    assert _duplicates.first_near(prints, 4)[0].tolist() == list(range(40))


# Two sets


def test_images_in_both_sets_are_leaks(files, tmp_path):
    near = tmp_path / "near.jpg"
    Image.open(files[0]).save(near, quality=60)
    make_picture(9).save(tmp_path / "new.png")
    audit = audit_images(files, X_test=[tmp_path / "new.png", files[2], near])
    columns = ["set", "image", "issue", "other", "other_path"]
    assert pairs(audit, columns) == [
        ("X_test", 1, "leak", 2, str(files[2])),
        ("X_test", 2, "leak", 0, str(files[0])),
    ]
    assert audit.findings["details"].tolist()[0] == "The same pixels as image 2 of X."


def test_copy_of_a_leak_is_also_a_leak(files, tmp_path):
    near = tmp_path / "near.jpg"
    Image.open(files[0]).save(near, quality=60)
    audit = audit_images(files, X_test=[near, near])
    assert pairs(audit) == [(0, "leak", 0), (1, "exact duplicate", 0), (1, "leak", 0)]


def test_defects_in_the_test_set_are_found(files, tmp_path):
    audit = audit_images(files, X_test=[tmp_path / "gone.png", tmp_path / "gone.png"])
    assert pairs(audit, ["set", "image", "issue"]) == [
        ("X_test", 0, "missing"),
        ("X_test", 1, "missing"),
    ]


# Labels


def test_copies_with_different_labels_are_conflicting_labels(files, tmp_path):
    near = tmp_path / "near.jpg"
    Image.open(files[0]).save(near, quality=60)
    audit = audit_images([files[0], files[1], files[0], near], ["cat", "dog", "cat", "dog"])
    assert pairs(audit) == [
        (2, "exact duplicate", 0),
        (3, "near duplicate", 0),
        (3, "conflicting labels", 0),
    ]
    assert audit.findings["details"][2] == "'dog' here, 'cat' at image 0 of X."


def test_labels_of_leaks_are_compared_with_the_training_labels(files):
    audit = audit_images(files, [0, 1, 0, 1], X_test=files[:2], y_test=[0, 0])
    assert pairs(audit) == [(0, "leak", 0), (1, "leak", 1), (1, "conflicting labels", 1)]
    assert audit.classes["X_test"]["count"].tolist() == [2, 0]


@pytest.mark.parametrize("spell", [np.array, pd.DataFrame, scipy.sparse.csr_matrix])
def test_copies_with_different_indicator_rows_are_conflicting_labels(files, spell):
    y = spell([[1, 0], [1, 1], [1, 0]])
    audit = audit_images([files[0], files[0], files[0]], y)
    assert [finding for finding in pairs(audit) if finding[1] == "conflicting labels"] == [
        (1, "conflicting labels", 0)
    ]
    assert audit.classes["count"].tolist() == [3, 1]


def test_missing_labels_are_reported_and_do_not_conflict(files):
    labels = ["cat", None, "dog", np.nan]
    audit = audit_images([files[0], files[0], files[1], files[1]], labels)
    assert pairs(audit) == [
        (1, "exact duplicate", 0),
        (1, "missing label", None),
        (3, "exact duplicate", 2),
        (3, "missing label", None),
    ]
    pd.testing.assert_frame_equal(audit.classes, class_distribution(["cat", "dog"]))


def test_indicator_row_with_nan_is_a_missing_label(files):
    y = pd.DataFrame({"cat": [1, 0, 1, 0], "dog": [1, np.nan, 0, 1]})
    audit = audit_images(files, y)
    assert pairs(audit) == [(1, "missing label", None)]
    assert audit.classes["count"].tolist() == [2, 2]


def test_classes_are_not_counted_without_labels(files):
    assert audit_images(files).classes is None
    assert audit_images(files, [None] * 4).classes is None


# Counts


def test_sizes_and_modes_are_counted_per_set(files, tmp_path):
    make_picture(7, side=20).convert("L").save(tmp_path / "gray.png")
    audit = audit_images([*files, tmp_path / "gone.png"], X_test=[tmp_path / "gray.png", files[0]])
    assert audit.sizes.to_dict() == {
        "X": {(64, 64): 4, (20, 20): 0},
        "X_test": {(64, 64): 1, (20, 20): 1},
    }
    assert audit.modes.to_dict() == {"X": {"RGB": 4, "L": 0}, "X_test": {"RGB": 1, "L": 1}}


def test_counts_are_empty_if_no_file_can_be_read(tmp_path):
    audit = audit_images([tmp_path / "gone.png"])
    assert audit.sizes.shape == audit.modes.shape == (0, 1)


# Input formats


@pytest.mark.parametrize(
    "spell",
    [
        list,
        tuple,
        lambda paths: [str(path) for path in paths],
        lambda paths: [path.read_bytes() for path in paths],
        lambda paths: np.array([str(path) for path in paths]),
        lambda paths: pd.Series(paths, index=[5, 5, 3, 1, 0]),
        lambda paths: pd.DataFrame({"path": [str(path) for path in paths]}),
        lambda paths: [np.asarray(Image.open(path)) for path in paths],
        lambda paths: np.stack([np.asarray(Image.open(path)) for path in paths]),
    ],
)
def test_every_input_format_gives_the_same_findings(files, spell):
    assert pairs(audit_images(spell([*files, files[1]]))) == [(4, "exact duplicate", 1)]


def test_gray_images_are_compared_with_color_files(tmp_path):
    gray = make_picture(0).convert("L")
    gray.save(tmp_path / "gray.png")
    images = np.asarray(gray)[np.newaxis]
    assert pairs(audit_images(images, X_test=[tmp_path / "gray.png"])) == [(0, "leak", 0)]
    assert audit_images(images).modes.index.tolist() == ["L"]


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (None, "X must hold images; got NoneType"),
        ("folder", "X is the path of one image"),
        ([], "X is empty. Expected a list"),
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), r"X has shape \(1, 2\)"),
        (np.zeros((2, 64), dtype=np.uint8), r"X has shape \(2, 64\)"),
        (np.zeros((2, 8, 8)), "float64 images of 1 channels. Expected uint8"),
        (np.zeros((2, 8, 8, 4), dtype=np.uint8), "uint8 images of 4 channels"),
    ],
)
def test_invalid_images_are_rejected(X, words):
    with pytest.raises(ValueError, match=words):
        audit_images(X)


def test_number_of_labels_must_match_number_of_images(files):
    with pytest.raises(ValueError, match="y has 3 labels for 4 images"):
        audit_images(files, [0, 1, 0])
    with pytest.raises(ValueError, match="y_test has 1 labels for 2 images"):
        audit_images(files, X_test=files[:2], y_test=[0])
    with pytest.raises(ValueError, match="y_test needs X_test"):
        audit_images(files, y_test=[0])


@pytest.mark.parametrize("max_distance", [-1, 64, 2.5, True, "near"])
def test_invalid_max_distance_is_rejected(files, max_distance):
    with pytest.raises(ValueError, match="max_distance must be an integer from 0 to 63, or None"):
        audit_images(files, max_distance=max_distance)


# Threads, decoding and optional dependencies


def test_findings_do_not_depend_on_n_jobs(files, tmp_path):
    items = [*files, tmp_path / "gone.png", files[1]]
    one, two = (audit_images(items, n_jobs=n_jobs) for n_jobs in (1, 2))
    pd.testing.assert_frame_equal(one.findings, two.findings)


def test_each_file_is_decoded_once(files, monkeypatch):
    decoded, lock = [], threading.Lock()
    load = _decode.ImageOps.exif_transpose

    def count(image):
        with lock:
            decoded.append(image.filename)
        return load(image)

    monkeypatch.setattr(_decode.ImageOps, "exif_transpose", count)
    audit_images(files, X_test=files, n_jobs=2)
    assert sorted(decoded) == sorted([str(path) for path in files] * 2)


def test_without_imagehash_exact_duplicates_are_found_and_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "imagehash", None)
    images = np.arange(2 * 64, dtype=np.uint8).reshape(2, 8, 8)
    assert len(audit_images(images[[0, 0]], max_distance=None).findings) == 1
    with pytest.raises(ImportError, match=r'pip install "skimgcls\[audit\]"'):
        audit_images(images)


def test_16_bit_images_with_small_values_are_found(tmp_path):
    paths = []
    for index, white in enumerate((255, 4095, 60_000)):
        values = np.linspace(0, white, 64).reshape(8, 8).astype(np.uint16)
        paths.append(str(tmp_path / f"{index}.png"))
        Image.fromarray(values).save(paths[-1])
    findings = audit_images(paths, max_distance=None).findings
    assert findings["issue"].tolist() == ["small values"] * 2
    assert findings["image"].tolist() == [0, 1]
