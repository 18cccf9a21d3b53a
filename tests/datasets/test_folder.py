"""Tests of `load_image_folder`: listed files, ignored files and errors."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from skimgcls.datasets import load_image_folder

can_link = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


def write_images(folder, *names):
    """Write a small image to each of these paths, in the format of its suffix."""
    for name in names:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), (200, 10, 10)).save(path)


def names(paths, folder):
    return [Path(path).relative_to(folder).as_posix() for path in paths]


def reasons(bunch, folder):
    """Return the ignored paths with their reasons."""
    found = names(bunch.ignored["path"], folder)
    return dict(zip(found, bunch.ignored["reason"], strict=True))


@pytest.fixture
def pets(tmp_path):
    """A folder of two classes, one of them with a sub-folder."""
    write_images(tmp_path, "dog/2.png", "dog/1.JPG", "cat/b/1.png", "cat/a.png", "cat/c.bmp")
    return tmp_path


@pytest.fixture
def parted(tmp_path):
    """A folder with a training and a test subset."""
    write_images(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/dog/2.png")
    return tmp_path


# Listed files


def test_each_top_folder_is_a_class_with_all_its_subfolders(pets):
    bunch = load_image_folder(pets)
    listed = ["cat/a.png", "cat/b/1.png", "cat/c.bmp", "dog/1.JPG", "dog/2.png"]
    assert names(bunch.data["path"], pets) == listed
    assert bunch.target.tolist() == ["cat"] * 3 + ["dog"] * 2
    assert bunch.target_names == ["cat", "dog"]
    assert bunch.ignored.empty


def test_data_is_a_frame_and_target_a_series(pets):
    bunch = load_image_folder(pets)
    assert list(bunch.data.columns) == ["path"]
    assert bunch.target.name == "label"
    pd.testing.assert_frame_equal(bunch.frame, bunch.data.assign(label=bunch.target))


def test_as_frame_false_returns_string_arrays(pets):
    arrays, frames = load_image_folder(pets, as_frame=False), load_image_folder(pets)
    assert arrays.data.dtype.kind == arrays.target.dtype.kind == "U"
    np.testing.assert_array_equal(arrays.data, frames.data["path"])
    np.testing.assert_array_equal(arrays.target, frames.target)
    assert arrays.frame is None
    assert list(arrays.ignored.columns) == ["path", "reason"]


def test_data_and_target_are_returned_as_a_pair(pets):
    X, y = load_image_folder(pets, return_X_y=True)
    bunch = load_image_folder(pets)
    pd.testing.assert_frame_equal(X, bunch.data)
    pd.testing.assert_series_equal(y, bunch.target)


def test_paths_start_with_the_given_folder(pets, monkeypatch):
    monkeypatch.chdir(pets.parent)
    paths = load_image_folder(pets.name).data["path"]
    assert all(path.startswith(pets.name + os.sep) and Path(path).is_file() for path in paths)
    assert load_image_folder(str(pets)).data["path"].tolist() == [
        str(pets.parent / path) for path in paths
    ]


def test_description_counts_the_images_of_each_class(pets):
    lines = load_image_folder(pets).DESCR.splitlines()
    assert lines == [f"5 images of 2 classes in {pets}", "", "cat: 3", "dog: 2"]


@settings(deadline=None, max_examples=20)
@given(
    files=st.sets(
        st.lists(st.sampled_from(["a", "B", "b", "a b", "ä", "10", "9"]), min_size=2, max_size=4)
        .map(tuple)
        .map(lambda parts: "/".join(parts) + ".png"),
        min_size=1,
        max_size=6,
    )
)
def test_files_are_sorted_by_folder_and_file_name(files):
    with tempfile.TemporaryDirectory() as folder:
        write_images(folder, *files)
        found = names(load_image_folder(folder).data["path"], folder)
    assert found == sorted(files, key=lambda name: name.split("/"))


def test_labels_select_the_classes(pets):
    write_images(pets, "masks/1.png")
    bunch = load_image_folder(pets, labels=["dog"])
    assert bunch.target_names == ["dog"]
    assert set(bunch.target) == {"dog"}
    assert reasons(bunch, pets) == {
        "cat": "is not in labels",
        "masks": "is not in labels",
    }


@pytest.mark.parametrize("n_jobs", [2, -1])
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_result_does_not_depend_on_n_jobs(pets, n_jobs, on_error):
    many = load_image_folder(pets, n_jobs=n_jobs, on_error=on_error)
    pd.testing.assert_frame_equal(many.frame, load_image_folder(pets).frame)


# Ignored files


def test_ignored_files_are_listed_with_their_reasons(pets):
    write_images(pets, "lost.png", "cat/.hidden.png", ".cache/1.png", "__MACOSX/dog/1.png")
    for name in ("README", "cat/notes.txt", "cat/Thumbs.db", "dog/desktop.ini"):
        (pets / name).write_text("words")
    bunch = load_image_folder(pets)
    assert len(bunch.data) == 5
    assert reasons(bunch, pets) == {
        ".cache": "is hidden",
        "README": "is not an image: it has no suffix",
        "__MACOSX": "was created by an operating system or a device",
        "cat/.hidden.png": "is hidden",
        "cat/Thumbs.db": "was created by an operating system or a device",
        "cat/notes.txt": "is not an image: its suffix is '.txt'",
        "dog/desktop.ini": "was created by an operating system or a device",
        "lost.png": "is not in a class folder",
    }


def break_files(folder):
    """Write broken files to the class "cat", and return their names with the reasons."""
    cats = folder / "cat"
    (cats / "bomb.ppm").write_bytes(b"P6 100000 100000 255\n")
    (cats / "empty.png").write_bytes(b"")
    (cats / "words.png").write_text("no image")
    return {
        "cat/bomb.ppm": "claims more than",
        "cat/empty.png": "is empty: it has 0 bytes",
        "cat/words.png": "is not an image",
    }


def test_broken_files_are_listed_with_their_reasons(pets):
    broken = break_files(pets)
    with pytest.raises(ValueError, match=r"3 of 8 images cannot be read:") as caught:
        load_image_folder(pets)
    for name, reason in broken.items():
        assert f"{str(pets / name)!r} {reason}" in str(caught.value)
    assert 'on_error="skip"' in str(caught.value)


def test_error_names_five_broken_files_and_counts_all(pets):
    for i in range(9):
        (pets / "dog" / f"broken{i}.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"(?s)9 of 14 images.*and 4 more") as caught:
        load_image_folder(pets)
    assert str(caught.value).count("is empty") == 5


def test_broken_files_can_be_skipped(pets):
    before = load_image_folder(pets).frame
    broken = break_files(pets)
    bunch = load_image_folder(pets, on_error="skip")
    pd.testing.assert_frame_equal(bunch.frame, before)
    found = reasons(bunch, pets)
    assert list(found) == list(broken)
    assert all(found[name].startswith(reason) for name, reason in broken.items())


def test_truncated_file_is_found_when_decoded(pets):
    rng = np.random.RandomState(0)
    file = pets / "dog" / "short.jpg"
    Image.fromarray(rng.randint(0, 256, size=(64, 64, 3)).astype(np.uint8)).save(file)
    file.write_bytes(file.read_bytes()[:-500])
    assert len(load_image_folder(pets).data) == 6
    skipped = load_image_folder(pets, on_error="skip")
    assert len(skipped.data) == 5
    assert reasons(skipped, pets)["dog/short.jpg"].startswith("is cut short or broken")


# Links


@can_link
def test_links_are_followed(pets):
    (pets / "dog" / "linked.png").symlink_to(pets / "cat" / "a.png")
    (pets / "bird").symlink_to(pets / "cat" / "b")
    bunch = load_image_folder(pets)
    assert bunch.target.value_counts().to_dict() == {"cat": 3, "dog": 3, "bird": 1}


@can_link
@pytest.mark.parametrize(
    ("link", "target", "reason"),
    [
        ("cat/away.png", "nowhere.png", "is a broken link"),
        ("cat/away", "nowhere", "is a broken link"),
        ("away", "nowhere", "is a broken link"),
        ("cat/self.png", "self.png", "is a link to itself"),
        ("cat/b/up", "..", "is a link to a parent folder"),
        ("cat/b/top", "../..", "is a link to a parent folder"),
        ("all", ".", "is a link to a parent folder"),
    ],
)
def test_broken_and_circular_links_are_broken_files(pets, link, target, reason):
    (pets / link).symlink_to(target)
    with pytest.raises(ValueError, match=reason):
        load_image_folder(pets)
    chosen = load_image_folder(pets, on_error="skip", labels=["cat", "dog"])
    assert len(chosen.data) == 5
    assert link in reasons(chosen, pets)


# Subsets


def test_all_subsets_return_a_bunch_of_bunches(parted):
    write_images(parted, "validation/cat/3.png")
    (parted / "README.txt").write_text("words")
    bunch = load_image_folder(parted)
    assert bunch.target_names == ["cat", "dog"]
    assert [bunch[part].target.tolist() for part in ("train", "val", "test")] == [
        ["cat", "dog"],
        ["cat"],
        ["dog"],
    ]
    assert reasons(bunch, parted) == {"README.txt": "is not in a subset folder"}


def test_missing_subset_is_not_in_the_bunch(parted):
    assert "val" not in load_image_folder(parted)


@pytest.mark.parametrize("subset", ["train", "test"])
def test_single_subset_matches_the_subset_among_all(parted, subset):
    one, of_all = load_image_folder(parted, subset=subset), load_image_folder(parted)[subset]
    pd.testing.assert_frame_equal(one.frame, of_all.frame)
    assert one.target_names == of_all.target_names == ["cat", "dog"]


@pytest.mark.parametrize(
    ("name", "subset"),
    [("Train", "train"), ("training", "train"), ("VALID", "val"), ("val", "val")]
    + [("Validation", "val"), ("Testing", "test")],
)
def test_alternative_folder_names_of_subsets(tmp_path, name, subset):
    write_images(tmp_path, f"{name}/cat/1.png")
    assert load_image_folder(tmp_path, subset=subset).target.tolist() == ["cat"]


def test_class_can_be_named_train(tmp_path):
    write_images(tmp_path, "car/1.png", "train/1.png")
    assert load_image_folder(tmp_path).target.tolist() == ["car", "train"]


def test_class_missing_from_training_is_rejected(parted):
    write_images(parted, "test/bird/1.png")
    for subset in (None, "test"):
        with pytest.raises(ValueError, match=r"that are not in the training images: \['bird'\]"):
            load_image_folder(parted, subset=subset)
    assert load_image_folder(parted, subset="train").target.tolist() == ["cat", "dog"]
    chosen = load_image_folder(parted, subset="test", labels=["cat", "dog"])
    assert chosen.target.tolist() == ["dog"]
    assert reasons(chosen, parted) == {"test/bird": "is not in labels"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"subset": "val"}, r"no folder for the subset 'val'. The folders are \['test', 'train'\]"),
        ({"return_X_y": True}, r"contains the subsets \['train', 'test'\].*set subset"),
        ({"labels": ["bird"]}, r"without a folder in .*train.*\['bird'\]. The class folders are"),
    ],
)
def test_arguments_that_do_not_match_the_subset_folders_are_rejected(parted, arguments, words):
    with pytest.raises(ValueError, match=words):
        load_image_folder(parted, **arguments)


def test_folders_next_to_the_subsets_are_ambiguous(parted):
    write_images(parted, "extra/cat/1.png")
    with pytest.raises(ValueError, match=r"and other folders, \['extra'\]. Set subset"):
        load_image_folder(parted)
    assert load_image_folder(parted, subset="test").target.tolist() == ["dog"]


def test_two_folders_for_one_subset_are_rejected(parted):
    write_images(parted, "training/cat/1.png")
    with pytest.raises(ValueError, match="two folders for the subset 'train': 'train' and 'train"):
        load_image_folder(parted)


def test_subset_without_classes_is_rejected(parted):
    write_images(parted, "val/1.png", "val/2.png")
    with pytest.raises(ValueError, match=r"val' contains no class folders. It contains 2 images"):
        load_image_folder(parted)


@can_link
def test_subset_that_is_a_broken_link_is_reported(parted):
    (parted / "val").symlink_to(parted / "nowhere")
    with pytest.raises(ValueError, match="is a broken link"):
        load_image_folder(parted)
    skipped = load_image_folder(parted, on_error="skip")
    assert reasons(skipped, parted) == {"val": "is a broken link"}


# Errors


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"The folder '.*pets' does not exist"):
        load_image_folder(tmp_path / "pets")


def test_file_instead_of_a_folder_is_named(pets):
    with pytest.raises(NotADirectoryError, match=r"a.png' is not a folder. Pass the folder with"):
        load_image_folder(pets / "cat" / "a.png")


@pytest.mark.parametrize("closed", [".", "cat", "cat/old"])
def test_folder_without_read_permission_is_named(bound_by_rights, closed):
    with tempfile.TemporaryDirectory() as folder:
        write_images(folder, "cat/old/1.png", "dog/1.png")
        Path(folder, closed).chmod(0)
        try:
            with pytest.raises(PermissionError, match=r"No permission to read the folder '.*'"):
                load_image_folder(folder, on_error="skip")
        finally:
            Path(folder, closed).chmod(0o700)


def test_file_without_read_permission_is_a_broken_file(bound_by_rights):
    with tempfile.TemporaryDirectory() as folder:
        write_images(folder, "cat/1.png", "cat/2.png")
        Path(folder, "cat/1.png").chmod(0)
        with pytest.raises(ValueError, match="1 of 2 images cannot be read"):
            load_image_folder(folder)
        skipped = load_image_folder(folder, on_error="skip")
        assert reasons(skipped, folder) == {"cat/1.png": "may not be read"}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "contains no class folders. Expected a folder for each"),
        (["1.png", "2.png"], "contains no class folders. It contains 2 images itself"),
    ],
)
def test_folder_without_classes_is_rejected(tmp_path, files, words):
    write_images(tmp_path, *files)
    with pytest.raises(ValueError, match=words):
        load_image_folder(tmp_path)


def test_class_without_images_is_named(pets):
    (pets / "bird" / "inside").mkdir(parents=True)
    (pets / "bird" / "notes.txt").write_text("words")
    with pytest.raises(ValueError, match=r"classes without an image: \['bird'\]. Put images"):
        load_image_folder(pets)


def test_class_without_readable_images_is_named(pets):
    (pets / "bird").mkdir()
    (pets / "bird" / "1.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"without an image that can be read: \['bird'\]"):
        load_image_folder(pets, on_error="skip")


def test_single_class_is_accepted(tmp_path):
    write_images(tmp_path, "cat/1.png")
    assert load_image_folder(tmp_path).target.tolist() == ["cat"]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"subset": "all"}, ValueError, "must be one of 'train', 'val', 'test', None. Got 'all'"),
        ({"subset": "train"}, ValueError, "no folder for the subset 'train'"),
        ({"on_error": "ignore"}, ValueError, "must be one of 'raise', 'skip'. Got 'ignore'"),
        ({"labels": "cat"}, ValueError, "labels must be a list of folder names or None"),
        ({"labels": []}, ValueError, "labels must be a list"),
        ({"labels": [1]}, ValueError, "labels must be a list"),
        ({"labels": 3}, ValueError, "labels must be a list"),
        ({"labels": ["cow"]}, ValueError, r"\['cow'\]. The class folders are \['cat', 'dog'\]"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be None or an integer other than 0; got 0"),
        ({"n_jobs": "all"}, ValueError, "n_jobs must be"),
        ({"return_X_y": "yes"}, TypeError, "'return_X_y' parameter of load_image_folder must be"),
        ({"as_frame": None}, TypeError, "'as_frame' parameter of load_image_folder must be"),
    ],
)
def test_invalid_arguments_are_rejected(pets, arguments, error, words):
    with pytest.raises(error, match=words):
        load_image_folder(pets, **arguments)


@pytest.mark.parametrize("path", [None, 3, b"pets", ["pets"]])
def test_folder_of_an_invalid_type_is_rejected(path):
    with pytest.raises(TypeError, match="'container_path' parameter of load_image_folder must be"):
        load_image_folder(path)
