"""Image files with an array interface: input formats, reading, errors and the cache."""

import io
import os
import pickle
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skimgcls import CNNImageClassifier
from skimgcls._images._image_files import Decoding, ImageFiles, find_items
from skimgcls._images._resize import Resize
from skimgcls.exceptions import ImageFileError
from skimgcls.preprocessing import ImageLoader

SMALL = Decoding(resize=Resize((3, 4)))


def make_images(n=5, height=6, width=8, seed=0):
    return np.random.RandomState(seed).randint(0, 256, (n, height, width, 3)).astype(np.uint8)


def write(folder, images):
    """Write images as 0.png, 1.png, ... and return their paths."""
    folder.mkdir(exist_ok=True, parents=True)
    paths = [str(folder / f"{index}.png") for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    return paths


def files_of(items, decoding=None, cache=None):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return ImageFiles.from_items(array, Decoding() if decoding is None else decoding, cache)


def rewrite(path, image):
    """Write another image with a different modification time."""
    Image.fromarray(image).save(path)
    os.utime(path, ns=(0, os.stat(path).st_mtime_ns + 10**9))


def kept_in(cache):
    return sorted(Path(cache).rglob("*.pixels"))


@pytest.fixture
def images():
    return make_images()


@pytest.fixture
def paths(tmp_path, images):
    return write(tmp_path / "images", images)


@pytest.fixture
def cache(tmp_path):
    return str(tmp_path / "cache")


# Input formats


def test_a_column_of_paths_can_be_given_in_many_ways():
    names = ["a.png", "b.png"]
    frame = pd.DataFrame({"path": names})
    spellings = [
        names,
        tuple(names),
        [Path(name) for name in names],
        [[name] for name in names],
        np.array(names),
        np.array(names, dtype=object),
        np.array(names)[:, np.newaxis],
        frame,
        frame["path"],
        frame["path"].astype("category"),
        frame["path"].astype("string"),
        frame["path"].astype(object),
    ]
    for X in spellings:
        assert find_items(X).tolist() == names


def test_bytes_of_files_may_be_mixed_with_paths():
    assert find_items([b"\x89PNG", "a.png", Path("b.png")]).tolist() == [
        b"\x89PNG",
        "a.png",
        "b.png",
    ]
    assert find_items(pd.DataFrame({"image": [b"\x00\x01\x00"]})).tolist() == [b"\x00\x01\x00"]


def test_open_files_are_read_from_the_start_and_their_position_is_restored(paths, images):
    with open(paths[0], "rb") as file:
        file.read(10)
        items = find_items([file, paths[1]])
        assert file.tell() == 10
    assert items[0] == Path(paths[0]).read_bytes()
    memory = io.BytesIO(Path(paths[1]).read_bytes())
    loaded = ImageLoader().fit_transform([memory, paths[2]])
    np.testing.assert_array_equal(np.asarray(loaded), images[1:3])


def test_a_stream_that_cannot_seek_is_read_once(paths):
    class Stream(io.BytesIO):
        def seekable(self):
            return False

    content = Path(paths[0]).read_bytes()
    assert find_items([Stream(content)])[0] == content


def test_a_file_that_was_opened_as_text_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with open(tmp_path / "a.txt") as file, pytest.raises(ValueError, match=r"X\[0\].*mode 'rb'"):
        find_items([file])


def test_pillow_images_give_the_same_pixels_as_their_files(paths, images):
    pictures = [Image.open(path) for path in paths]
    np.testing.assert_array_equal(np.asarray(ImageLoader().fit_transform(pictures)), images)
    in_memory = [Image.fromarray(image) for image in images]
    column = pd.Series(in_memory, dtype=object)
    np.testing.assert_array_equal(np.asarray(ImageLoader().fit_transform(column)), images)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "HSV", "RGBa"])
def test_pillow_images_of_any_mode(mode):
    image = Image.fromarray(make_images(1)[0])
    picture = image.convert("RGBA").convert(mode) if mode == "RGBa" else image.convert(mode)
    pixels = np.asarray(ImageLoader().fit_transform([picture]))[0]
    np.testing.assert_array_equal(pixels, picture.convert("RGBA").convert("RGB"))


def test_a_pillow_image_is_rotated_as_its_file_is():
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(make_images(1)[0]).save(file, "PNG", exif=exif)
    loader = ImageLoader()
    expected = np.asarray(loader.fit_transform([file.getvalue()]))
    assert expected.shape == (1, 8, 6, 3)
    np.testing.assert_array_equal(loader.fit_transform([Image.open(file)]), expected)


def test_a_pillow_image_of_a_broken_file_is_named(paths):
    content = Path(paths[0]).read_bytes()
    picture = Image.open(io.BytesIO(content[:-40]))
    with pytest.raises(ImageFileError, match=r"X\[1\]: a PIL image cannot be read"):
        find_items([paths[0], picture])


def test_an_array_that_cuts_zeros_off_the_bytes_of_files_is_refused():
    assert np.array([b"\x00\x01\x00"])[0] == b"\x00\x01"
    with pytest.raises(ValueError, match=r"drops zeros at the end.*list of bytes"):
        find_items(np.array([b"\x00\x01\x00"]))


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((2, 4)),
        [[0, 1], [2, 3]],
        pd.DataFrame({"a": [1], "b": [2]}),
        [np.zeros((2, 2))],
        np.array([["a.png", "cat"]]),
        pd.DataFrame({"path": ["a.png"], "label": ["cat"]}),
        [],
        None,
        [None, float("nan")],
    ],
)
def test_pixels_and_several_columns_are_no_files(X):
    assert find_items(X) is None


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (np.nan, "is nan"),
        (None, "is None"),
        (pd.NA, "is <NA>"),
        (7, "is 7"),
        (np.zeros((2, 2)), "is of type ndarray"),
        ([[1], [2, 3]], "is of type list"),
        (np.zeros(1000), "is of type ndarray"),
    ],
)
def test_an_entry_that_is_no_file_is_named(entry, words):
    with pytest.raises(ValueError, match=rf"X\[1\] {words}, but other entries of X are files"):
        find_items(["a.png", entry])
    with pytest.raises(ValueError, match=rf"X\[0\] {words}.*Expected a path"):
        find_items([entry, "a.png"])


def test_a_missing_path_in_a_column_is_named():
    for missing in (None, np.nan, pd.NA):
        with pytest.raises(ValueError, match=r"X\[1\] is "):
            find_items(pd.DataFrame({"path": ["a.png", missing]}))


# Reading


def test_image_files_have_the_attributes_of_a_byte_array(paths, images):
    files = files_of(paths)
    assert len(files) == 5
    assert files.shape == images.shape
    assert files.dtype == np.uint8
    np.testing.assert_array_equal(files.read(slice(None)), images)
    np.testing.assert_array_equal(files.read(np.array([4, 0, 0])), images[[4, 0, 0]])


def test_selecting_reads_nothing(paths, images):
    files = files_of(paths, SMALL).take(np.array([3, 1]))
    Path(paths[0]).unlink()
    assert files.shape == (2, 3, 4, 3)
    np.testing.assert_array_equal(files.read(slice(None)).shape, (2, 3, 4, 3))


def test_gray_mode_decodes_to_one_channel(paths):
    gray = files_of(paths).decoded(mode="L")
    assert gray.shape == (5, 6, 8, 1)
    expected = np.asarray(Image.open(paths[2]).convert("L"))
    np.testing.assert_array_equal(gray.read([2])[0, :, :, 0], expected)


def test_without_a_size_the_first_file_of_another_size_is_named(paths):
    Image.new("RGB", (9, 9)).save(paths[3])
    words = r"X\[0\], .*0.png', is \(6, 8\).*X\[3\], .*3.png', is \(9, 9\).*ImageLoader\(size="
    with pytest.raises(ValueError, match=words):
        files_of(paths).image_shape  # noqa: B018 - the access raises
    assert files_of(paths, SMALL).image_shape == (3, 4, 3)


# Errors with index and name


def test_a_missing_file_is_named_with_its_index(paths):
    Path(paths[2]).unlink()
    with pytest.raises(FileNotFoundError, match=r"X\[2\]: There is no file '.*2.png'"):
        files_of(paths)


def test_an_empty_file_is_named_before_anything_is_read(paths):
    Path(paths[4]).write_bytes(b"")
    with pytest.raises(ImageFileError, match=r"X\[4\]: .*4.png' is empty"):
        files_of(paths)


def test_a_file_that_is_no_image_is_found_by_its_header_or_when_read(paths):
    Path(paths[1]).write_text("not an image")
    files = files_of(paths, SMALL)
    for ask in (files.check_headers, lambda: files.read(slice(None))):
        with pytest.raises(ImageFileError, match=r"X\[1\]: .*1.png' is not an image"):
            ask()


def test_bytes_that_are_no_image_are_named_by_their_index(paths):
    data = [Path(path).read_bytes() for path in paths]
    files = files_of([*data[:2], b"broken", *data[2:]], SMALL)
    with pytest.raises(ImageFileError, match=r"X\[2\]: a file of 6 bytes is not an image"):
        files.check_headers()


CHANGES = {
    "rewritten": lambda path: rewrite(path, make_images(1, seed=1)[0]),
    "touched": lambda path: os.utime(path, ns=(0, 0)),
    "cut short": lambda path: Path(path).write_bytes(Path(path).read_bytes()[:90]),
    "emptied": lambda path: Path(path).write_bytes(b""),
    "deleted": lambda path: Path(path).unlink(),
    "made a folder": lambda path: (Path(path).unlink(), Path(path).mkdir()),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("with_cache", [False, True])
def test_a_file_that_changes_after_it_was_checked_is_named(change, with_cache, paths, cache):
    files = files_of(paths, SMALL, cache if with_cache else None)
    files.read(slice(None))
    CHANGES[change](paths[3])
    with pytest.raises((ImageFileError, FileNotFoundError), match=r"X\[3\]: .*3.png'"):
        files.read(slice(None))
    files.read(slice(0, 3))


@pytest.mark.parametrize("change", CHANGES)
def test_a_fit_is_rolled_back_if_a_file_changes(change, paths):
    loader = ImageLoader(size=8)
    clf = CNNImageClassifier(max_iter=1, random_state=0)
    y = [0, 1, 0, 1, 0]
    clf.fit(loader.fit_transform(paths), y)
    before = clf.predict_proba(loader.transform(paths[:3]))
    lazy, untouched = loader.transform(paths), loader.transform(paths[:3])
    CHANGES[change](paths[3])
    with pytest.raises((ImageFileError, FileNotFoundError), match=r"X\[3\]: .*3.png'"):
        clf.set_params(random_state=1).fit(lazy, y)
    np.testing.assert_array_equal(clf.predict_proba(untouched), before)


def test_a_first_fit_that_fails_leaves_a_classifier_unfitted(paths):
    lazy = ImageLoader().fit_transform(paths)
    Path(paths[0]).unlink()
    clf = CNNImageClassifier(max_iter=1)
    with pytest.raises(FileNotFoundError, match=r"X\[0\]: "):
        clf.fit(lazy, [0, 1, 0, 1, 0])
    assert not hasattr(clf, "classes_")


# Blank images


def test_unreadable_files_can_be_replaced_by_black(paths, images):
    Path(paths[0]).unlink()
    Path(paths[2]).write_text("no image")
    Path(paths[3]).write_bytes(Path(paths[3]).read_bytes()[:-40])
    files = files_of([*paths, b""], Decoding(on_error="blank"))
    expected = np.zeros((6, *images.shape[1:]), np.uint8)
    expected[[1, 4]] = images[[1, 4]]
    files.check_headers()
    np.testing.assert_array_equal(files.read(slice(None)), expected)


def test_blank_images_need_a_size(tmp_path):
    files = files_of([str(tmp_path / "gone.png")], Decoding(on_error="blank"))
    with pytest.raises(ValueError, match="No file of X can be read"):
        files.read(slice(None))


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_black_and_not_cached(change, paths, cache):
    blank = Decoding(on_error="blank", resize=Resize((3, 4)))
    files = files_of(paths[:1], blank, cache)
    CHANGES[change](paths[0])
    assert files.read([0]).max() == 0
    assert not kept_in(cache)


def test_a_broken_cache_leaves_no_trace_in_a_blank_image(paths, cache):
    files = files_of(paths[:1], Decoding(on_error="blank", resize=Resize((3, 4))), cache)
    files.read([0])
    (kept,) = kept_in(cache)
    kept.write_bytes(b"\xff" * 10)
    # A file that breaks while its size and modification time stay the same.
    told = os.stat(paths[0])
    Path(paths[0]).write_bytes(b"?" * told.st_size)
    os.utime(paths[0], ns=(told.st_atime_ns, told.st_mtime_ns))
    assert files.read([0]).max() == 0


# The cache


def test_cached_images_are_not_decoded_again(paths, images, cache):
    files_of(paths, cache=cache).read(slice(None))
    entries = kept_in(cache)
    assert len(entries) == 5
    assert {entry.stat().st_size for entry in entries} == {images[0].nbytes}
    for entry in entries:
        entry.write_bytes(b"\x07" * images[0].nbytes)
    np.testing.assert_array_equal(files_of(paths, cache=cache).read(slice(None)), images * 0 + 7)


def test_a_second_epoch_opens_no_image(paths, images, cache, monkeypatch):
    opened, open_image = [], Image.open
    monkeypatch.setattr(
        Image, "open", lambda file, **options: opened.append(file) or open_image(file, **options)
    )
    decoding = Decoding(resize=Resize(images.shape[1:3]))
    for n_opened in (5, 5):
        files = files_of(paths, decoding, cache)
        np.testing.assert_array_equal(files.read(slice(None)), images)
        assert len(opened) == n_opened


def test_bytes_of_files_are_cached_by_content(paths, images, cache):
    data = [Path(path).read_bytes() for path in paths]
    files_of(data, cache=cache).read(slice(None))
    files_of(data[::-1], cache=cache).read(slice(None))
    assert len(kept_in(cache)) == 5


@pytest.mark.parametrize(
    "other",
    [
        Decoding(resize=Resize((4, 3))),
        Decoding(mode="L", resize=Resize((3, 4))),
        Decoding(resize=Resize((3, 4), "crop")),
        Decoding(resize=Resize((3, 4), "fit", "bicubic")),
        Decoding(resize=Resize((3, 4), before=Resize((2, 2)))),
        Decoding(resize=Resize((3, 4)), background=(0, 0, 0)),
    ],
)
def test_other_decoding_options_use_another_entry(other, paths, cache):
    for decoding in (SMALL, other):
        found = files_of(paths[:1], decoding, cache).read([0])
        np.testing.assert_array_equal(found, files_of(paths[:1], decoding).read([0]))
    assert len(kept_in(cache)) == 2


def test_a_changed_file_uses_another_entry(paths, images, cache):
    files_of(paths[:1], cache=cache).read([0])
    rewrite(paths[0], images[1])
    np.testing.assert_array_equal(files_of(paths[:1], cache=cache).read([0])[0], images[1])
    assert len(kept_in(cache)) == 2


def test_a_file_of_the_same_name_in_another_folder_uses_another_entry(tmp_path, cache, monkeypatch):
    others = {"a": make_images(1, seed=1), "b": make_images(1, seed=2)}
    for name, images in others.items():
        os.utime(write(tmp_path / name, images)[0], ns=(0, 0))
        monkeypatch.chdir(tmp_path / name)
        np.testing.assert_array_equal(files_of(["0.png"], cache=cache).read([0]), images)


@pytest.mark.parametrize("content", [b"", b"\xff" * 10, b"\xff" * 1000])
def test_an_entry_of_another_size_is_decoded_again_and_repaired(content, paths, images, cache):
    files = files_of(paths[:1], cache=cache)
    files.read([0])
    (entry,) = kept_in(cache)
    entry.write_bytes(content)
    np.testing.assert_array_equal(files.read([0])[0], images[0])
    assert entry.read_bytes() == images[0].tobytes()


def test_many_threads_may_fill_one_cache(paths, images, cache):
    at_once = threading.Barrier(8)

    def read_all(_):
        at_once.wait()
        return files_of(paths, cache=cache).read(slice(None))

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(read_all, range(8)):
            np.testing.assert_array_equal(found, images)
    assert len(kept_in(cache)) == 5
    assert not [path for path in Path(cache).rglob("tmp*") if path.is_file()]


def test_two_processes_may_fill_one_cache(paths, images, cache):
    files = files_of(paths, cache=cache)
    jobs = [joblib.delayed(files.read)(slice(None)) for _ in range(4)]
    for found in joblib.Parallel(n_jobs=2)(jobs):
        np.testing.assert_array_equal(found, images)
    assert len(kept_in(cache)) == 5


def test_an_error_while_writing_the_cache_is_raised_and_leaves_no_file(paths, cache, monkeypatch):
    def fail(*args):
        raise OSError(28, "No space left on device")

    for on_error in ("raise", "blank"):
        files = files_of(paths, Decoding(on_error=on_error), cache)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", fail)
            with pytest.raises(OSError, match="No space left"):
                files.read(slice(None))
        assert not [path for path in Path(cache).rglob("*") if path.is_file()]


@pytest.mark.usefixtures("bound_by_rights")
def test_a_cache_in_a_read_only_folder_raises(images):
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder, "images"), images)
        locked = Path(folder, "locked")
        locked.mkdir(mode=0o500)
        with pytest.raises(PermissionError):
            files_of(paths, cache=str(locked)).read(slice(None))


@pytest.mark.skipif(os.name == "nt", reason="names are text on Windows")
def test_a_file_name_that_is_not_unicode_can_be_cached(tmp_path, images, cache):
    path = os.path.join(os.fsencode(tmp_path), b"\xff.png")
    try:
        Path(os.fsdecode(path)).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes no such name")
    Image.fromarray(images[0]).save(os.fsdecode(path), "PNG")
    files = files_of([os.fsdecode(path)], cache=cache)
    for _ in range(2):
        np.testing.assert_array_equal(files.read([0])[0], images[0])


# Copies


def test_the_joblib_hash_does_not_depend_on_whether_sizes_were_read(paths, images):
    files = files_of(paths)
    before = joblib.hash(files)
    assert files.shape == images.shape
    assert joblib.hash(files) == before
    again = pickle.loads(pickle.dumps(files))
    np.testing.assert_array_equal(again.read(slice(None)), images)
    assert joblib.hash(again) == before
    assert joblib.hash(files.take([1])) != before


# Files that change without a trace in time and size


def write_bmp(path, value):
    """Write a file whose size and modification time do not depend on its pixels."""
    Image.new("RGB", (4, 4), (value, value, value)).save(path)
    os.utime(path, ns=(10**18, 10**18))


def swap_by_rename(first, second):
    os.rename(first, f"{first}.draft")
    os.rename(second, first)
    os.rename(f"{first}.draft", second)


def overwrite(first, second):
    write_bmp(first, 200)
    write_bmp(second, 100)


@pytest.mark.parametrize("change", [swap_by_rename, overwrite])
@pytest.mark.parametrize("with_cache", [False, True])
def test_changes_that_keep_time_and_size_are_noticed(tmp_path, change, with_cache):
    paths = [str(tmp_path / "1.bmp"), str(tmp_path / "2.bmp")]
    cache = str(tmp_path / "cache") if with_cache else None
    for path, value in zip(paths, (100, 200), strict=True):
        write_bmp(path, value)
    before = files_of(paths, cache=cache)
    assert before.read(slice(None))[:, 0, 0, 0].tolist() == [100, 200]
    change(*paths)
    with pytest.raises(ImageFileError, match=r"1.bmp' has changed since X was checked"):
        before.read(slice(None))
    after = files_of(paths, cache=cache)
    assert after.read(slice(None))[:, 0, 0, 0].tolist() == [200, 100]
