"""Folders as they are found in practice: odd names, thumbnails, formats and levels."""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline

from skimgcls import ImageLoader, MLPImageClassifier
from skimgcls.datasets import load_image_folder
from skimgcls.datasets._scan import subset_of
from skimgcls.inspection import audit_images, evaluation_report


def write_image(path, kind="PNG"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), (200, 10, 10)).save(path, kind)


def names(bunch, folder):
    return [Path(path).relative_to(folder).as_posix() for path in bunch.data["path"]]


# Names of subsets


@pytest.mark.parametrize(
    ("name", "subset"),
    [
        ("train", "train"),
        ("TRAINING", "train"),
        ("training_set", "train"),
        ("TrainSet", "train"),
        ("train2017", "train"),
        ("images_train", "train"),
        ("seg_test", None),
        ("test_set", "test"),
        ("test-images", "test"),
        ("Testing Data", "test"),
        ("validation_set", "val"),
        ("valdata", "val"),
        ("valid", "val"),
        ("trainval", None),
        ("train_test", None),
        ("images", None),
        ("set", None),
        ("testament", None),
        ("trains", None),
        ("cat", None),
    ],
)
def test_common_names_of_subsets_are_recognized(name, subset):
    assert subset_of(name) == subset


def test_subset_folders_with_longer_names_are_no_classes(tmp_path):
    for part in ("training_set", "test_set"):
        for label in ("cat", "dog"):
            write_image(tmp_path / part / label / "1.png")
    bunch = load_image_folder(tmp_path)
    assert bunch.target_names == ["cat", "dog"]
    assert set(bunch) >= {"train", "test"}
    assert load_image_folder(tmp_path, subset="test").target.tolist() == ["cat", "dog"]


# Levels


def test_a_folder_one_level_too_high_gives_a_warning(tmp_path):
    for label in ("cat", "dog"):
        write_image(tmp_path / "photos" / label / "1.png")
    with pytest.warns(UserWarning, match=r"one class folder, 'photos', .*\['cat', 'dog'\].* pass"):
        bunch = load_image_folder(tmp_path)
    assert bunch.target_names == ["photos"]


def test_classes_with_the_same_folders_give_a_warning(tmp_path):
    for part in ("fold1", "fold2", "fold3"):
        for label in ("cat", "dog", "emu"):
            write_image(tmp_path / part / label / "1.png")
    (tmp_path / "fold3" / "emu" / "1.png").unlink()
    (tmp_path / "fold3" / "emu").rmdir()
    with pytest.warns(UserWarning, match=r"fold1.*contain the folders \['cat', 'dog'\]"):
        load_image_folder(tmp_path)


def test_the_warning_also_looks_into_subsets(tmp_path):
    for part in ("train", "test"):
        for label in ("cat", "dog"):
            write_image(tmp_path / part / "images" / label / "1.png")
    with pytest.warns(UserWarning, match="one class folder, 'images'"):
        load_image_folder(tmp_path)


def test_folders_inside_classes_are_usually_fine(tmp_path):
    for name in ("cat/images", "cat/indoors", "dog/images", "dog/2024", "dog/2025", "dog/2026"):
        write_image(tmp_path / name / "1.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_image_folder(tmp_path).target_names == ["cat", "dog"]
        assert load_image_folder(tmp_path, labels=["cat"]).target_names == ["cat"]


# Files and folders that are not the user's


@pytest.mark.parametrize(
    "name",
    ["@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", "@Recycle"],
)
def test_folders_of_devices_are_ignored_and_listed(tmp_path, name):
    for label in ("cat", "dog"):
        write_image(tmp_path / label / "1.png")
    write_image(tmp_path / "cat" / name / "1.png" / "SYNOPHOTO_THUMB_XL.jpg")
    write_image(tmp_path / name / "1.png")
    bunch = load_image_folder(tmp_path)
    assert names(bunch, tmp_path) == ["cat/1.png", "dog/1.png"]
    ignored = {Path(path).relative_to(tmp_path).as_posix() for path in bunch.ignored["path"]}
    assert ignored == {name, f"cat/{name}"}


# Formats


def test_the_content_decides_what_is_an_image(tmp_path):
    write_image(tmp_path / "cat" / "1.jfif", "JPEG")
    write_image(tmp_path / "cat" / "2.jpeg_large", "JPEG")
    write_image(tmp_path / "cat" / "3", "PNG")
    write_image(tmp_path / "cat" / "4.gif", "GIF")
    write_image(tmp_path / "cat" / "5.jp2", "JPEG2000")
    write_image(tmp_path / "cat" / "6.tga", "TGA")
    (tmp_path / "cat" / "notes.txt").write_text("P1 is a note")
    (tmp_path / "cat" / "table.csv").write_text("a,b\n1,2\n")
    (tmp_path / "cat" / "data.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    np.save(tmp_path / "cat" / "array.npy", np.zeros((8, 8)))
    bunch = load_image_folder(tmp_path)
    assert names(bunch, tmp_path) == [
        *("cat/1.jfif", "cat/2.jpeg_large", "cat/3", "cat/4.gif", "cat/5.jp2", "cat/6.tga"),
    ]
    assert len(bunch.ignored) == 4
    assert np.asarray(ImageLoader().fit_transform(bunch.data)).shape == (6, 3, 4, 3)


def test_images_that_pillow_cannot_read_give_a_warning(tmp_path):
    write_image(tmp_path / "cat" / "1.png")
    for index in range(3):
        (tmp_path / "cat" / f"{index}.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(9))
    (tmp_path / "cat" / "raw.CR2").write_bytes(b"raw")
    with pytest.warns(UserWarning, match=r"left out: 3 .heic, 1 .cr2.*pillow-heif") as caught:
        X, _ = load_image_folder(tmp_path, return_X_y=True)
    assert len(X) == 1
    assert len(str(caught[0].message)) < 500


def test_a_class_of_unreadable_images_alone_says_so(tmp_path):
    write_image(tmp_path / "cat" / "1.png")
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "1.heic").write_bytes(b"heic")
    with pytest.raises(ValueError, match=r"without an image: \['dog'\].*1 .heic.*pillow-heif"):
        load_image_folder(tmp_path)


# Names of files


@pytest.mark.skipif(sys.platform != "linux", reason="names of files must be text elsewhere")
def test_names_that_are_not_utf8_are_read(tmp_path):
    for label in (b"Zo\xeb", b"bar"):
        for index in range(6):
            path = os.fsencode(tmp_path) + b"/" + label + b"/%d\xff.png" % index
            os.makedirs(os.path.dirname(path), exist_ok=True)
            Image.new("RGB", (4, 4), (index * 40, 10, 250 * (label == b"bar"))).save(
                os.fsdecode(path)
            )
    with open(os.fsencode(tmp_path) + b"/bar/\xfe.txt", "wb"):
        pass
    bunch = load_image_folder(tmp_path)
    assert bunch.target_names == [r"Zo\xeb", "bar"]
    assert bunch.ignored["path"].tolist() == [str(tmp_path / "bar" / r"\xfe.txt")]
    pipe = make_pipeline(ImageLoader(), MLPImageClassifier(8, max_iter=30, random_state=0))
    pipe.fit(bunch.data, bunch.target)
    assert pipe.score(bunch.data, bunch.target) == 1
    findings = audit_images(bunch.data, bunch.target, max_distance=None).findings
    assert set(findings["issue"]) == {"blank"}
    assert r"Zo\xeb" in evaluation_report(pipe, bunch.data, bunch.target)._repr_html_()
