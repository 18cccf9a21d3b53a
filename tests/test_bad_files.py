"""Whatever files, names and folders there are, a function works or raises a short error."""

import io
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from errors import call
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from strategies import contents, damaged

from skimgcls import ImageLoader, MLPImageClassifier, load, save, to_onnx
from skimgcls.datasets import load_image_folder, make_shapes
from skimgcls.exceptions import ImageFileError
from skimgcls.inspection import audit_images, class_distribution

few = settings(deadline=None, max_examples=60)

loaders = st.builds(
    ImageLoader,
    size=st.just(8),
    mode=st.sampled_from(["RGB", "L"]),
)


@few
@given(content=contents(), loader=loaders)
def test_path_bytes_and_picture_have_the_same_pixels(content, loader):
    with TemporaryDirectory() as folder, Image.open(io.BytesIO(content)) as picture:
        path = Path(folder, "image")
        path.write_bytes(content)
        found = [call(lambda x: np.asarray(loader.fit_transform(x)), [x]) for x in (path, content)]
        found.append(call(lambda x: np.asarray(loader.fit_transform(x)), [picture]))
    for pixels, error in found[1:]:
        assert (error is None) == (found[0][1] is None), found
        if error is None:
            np.testing.assert_array_equal(pixels, found[0][0])


@few
@given(content=damaged(), loader=loaders)
def test_damaged_file_is_decoded_or_named(content, loader):
    with TemporaryDirectory() as folder:
        path = Path(folder, "photo.png")
        path.write_bytes(content)
        pixels, error = call(lambda x: np.asarray(loader.fit_transform(x)), [path])
    assert error is None or "photo.png" in str(error), str(error)
    assert error is not None or pixels.shape[:3] == (1, 8, 8)
    assert error is None or isinstance(error, ImageFileError)


@few
@given(content=damaged())
def test_damaged_file_of_a_folder_is_loaded_or_listed(content):
    with TemporaryDirectory() as folder:
        for name in ("cat/1.png", "dog/1.png"):
            Path(folder, name).parent.mkdir()
            Image.new("RGB", (4, 4)).save(Path(folder, name))
        Path(folder, "dog/2.png").write_bytes(content)
        bunch, error = call(load_image_folder, folder, on_error="skip")
        assert error is None
        assert len(bunch.data) + len(bunch.ignored) == 3
        _pixels, error = call(
            lambda x: np.asarray(ImageLoader(size=8).fit_transform(x)), bunch.data
        )
        assert error is None
        _, error = call(audit_images, bunch.data, bunch.target)
        assert error is None


# Names that have a meaning for the loader, and any others.
names = st.one_of(
    st.sampled_from(["train", "Test_Set", "val", "@eaDir", ".hidden", "a.jpg", "~", "-", "$x$"]),
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=40),
    st.binary(min_size=1, max_size=40).map(os.fsdecode),
).filter(
    lambda name: (
        name not in (".", "..")
        and not {"/", "\0"} & set(name)
        and len(name.encode("utf-8", "surrogateescape")) < 200
    )
)


@st.composite
def trees(draw):
    """Relative paths of files."""
    paths = draw(st.lists(st.lists(names, min_size=1, max_size=4).map(tuple), max_size=6))
    kept: list[tuple[str, ...]] = []
    for path in paths:
        # No path is a folder of another one.
        if all(path[: len(one)] != one[: len(path)] for one in kept):
            kept.append(path)
    return kept


def as_listed(path):
    """Return a path as a table can hold it, with escaped bytes where it is not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@few
@given(tree=trees(), picture=contents(), is_picture=st.booleans())
def test_every_file_of_a_folder_is_loaded_or_listed(tree, picture, is_picture):
    with TemporaryDirectory() as folder:
        for path in (*tree, ("cat", "1.png"), ("dog", "1.png")):
            file = Path(folder, *path)
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(picture if is_picture or path[-1] == "1.png" else b"text")
            except OSError:
                # A file system may not have this name.
                assume(False)
        bunch, error = call(load_image_folder, folder, on_error="skip")
        if error is not None:
            return
        for one in [bunch[name] for name in ("train", "val", "test") if name in bunch] or [bunch]:
            assert len(one.data) == len(one.target)
            call(class_distribution, one.target)
        if "data" in bunch:
            listed = {*bunch.data["path"], *bunch.ignored["path"]}
            for path in tree:
                above = [os.path.join(folder, *path[:n]) for n in range(1, len(path) + 1)]
                assert listed & {*above, *map(as_listed, above)}, path
            pixels, error = call(
                lambda x: np.asarray(ImageLoader(size=4).fit_transform(x)), bunch.data
            )
            assert error is None or len(pixels) == len(bunch.data)


X, Y = make_shapes(6, n_classes=2, image_size=8, random_state=0)
FITTED = MLPImageClassifier(4, max_iter=1, random_state=0).fit(X, Y)
wrong_paths = st.sampled_from([None, 3, "", b"", b"model", 2.5, [], object(), Path(), "a\0b"])
wrong_estimators = st.sampled_from(
    [None, 3, "model", MLPImageClassifier(), MLPImageClassifier]
    + [LogisticRegression(), BaseEstimator(), [FITTED], {"clf": FITTED}, object()]
)


@few
@given(name=st.one_of(names, names.map(lambda name: f"{name}/x"), names.map(lambda n: n * 99)))
def test_model_is_saved_under_any_name_or_the_name_is_refused(name):
    with TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        _, error = call(save, FITTED, path)
        if error is None:
            assert list(map(os.fsencode, os.listdir(folder))) == [os.fsencode(name)]
            again, error = call(load, path)
            assert error is None
            np.testing.assert_array_equal(again.predict_proba(X), FITTED.predict_proba(X))
        else:
            assert os.listdir(folder) == []


@few
@given(path=wrong_paths)
@pytest.mark.parametrize("function", [save, to_onnx], ids=["save", "to_onnx"])
def test_wrong_paths_are_refused(function, path):
    with TemporaryDirectory() as folder:
        before = os.getcwd()
        os.chdir(folder)
        try:
            _, error = call(function, FITTED, path)
            assert os.listdir(folder) == []
        finally:
            os.chdir(before)
    assert error is not None or (function is to_onnx and path is None)


@few
@given(estimator=wrong_estimators)
@pytest.mark.parametrize("function", [save, to_onnx], ids=["save", "to_onnx"])
def test_wrong_estimators_are_refused(function, estimator):
    with TemporaryDirectory() as folder:
        _, error = call(function, estimator, Path(folder, "model"))
        assert error is not None
        assert os.listdir(folder) == []


@few
@given(content=st.one_of(st.binary(max_size=60), damaged()))
def test_other_files_are_no_models(content):
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.skimgcls")
        path.write_bytes(content)
        _, error = call(load, path)
    assert error is not None
