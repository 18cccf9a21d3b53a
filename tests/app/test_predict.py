"""The results for a file, without the page."""

import csv
import io
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skimgcls import (
    CNNImageClassifier,
    ImageFlattener,
    ImageLoader,
    ImageNormalizer,
    MLPImageClassifier,
    RejectOptionClassifier,
    load,
    save,
)
from skimgcls.app._card import draw_curves, find_history, make_card
from skimgcls.app._entry import find_entry
from skimgcls.app._maps import enlarge, lay_map_over
from skimgcls.app._markup import as_share, make_bars, make_batch_table, make_header, make_verdict
from skimgcls.app._model import ServedModel
from skimgcls.app._predict import Answer, answer
from skimgcls.app._table import to_csv
from skimgcls.app._upload import Limits, check_upload, decode_upload, shrink
from skimgcls.app._verdict import judge, rank
from skimgcls.exceptions import ImageFileError

NASTY = "<img src=x onerror=alert(1)>.png"


def encode(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(file, kind)
    return file.getvalue()


def make_bomb(width, height):
    """Return a small PNG of one color with large dimensions."""
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return file.getvalue()


# Files


PICTURE = encode(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


@pytest.mark.parametrize("kind", ["BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP"])
def test_valid_images_are_accepted(kind):
    check_upload(encode(np.zeros((5, 7, 3), np.uint8), kind), Limits())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"not a picture", "not an image of a supported format: PNG, JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image of a supported"),
        (PICTURE + bytes(2**20), "larger than 1 MB"),
        (PICTURE[:20], "cut short or broken|not an image"),
        (make_bomb(1100, 1000), "more than 1 million pixels"),
    ],
)
def test_invalid_or_too_large_uploads_are_rejected(content, words):
    with pytest.raises(ImageFileError, match=words):
        check_upload(content, Limits(upload_mb=1, megapixels=1))


def test_decompression_bomb_is_rejected_before_decoding(monkeypatch):
    bomb = make_bomb(20000, 10000)
    assert len(bomb) < 100_000
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises(ImageFileError, match="more than 50 million pixels"):
        check_upload(bomb, Limits())


def test_truncated_image_has_a_readable_error():
    with pytest.raises(ImageFileError, match=r"^It is cut short or broken"):
        decode_upload(PICTURE[:2000])


@pytest.mark.parametrize("size", [(1000, 400), (1, 3000), (20, 10)])
def test_shrink_never_enlarges(size):
    small = shrink(np.zeros((*size, 3), np.uint8), 48)
    assert max(small.shape) == min(48, max(size))
    assert min(small.shape) >= 1


# Models


def test_files_are_passed_unchanged_to_a_loader(of_files, shapes):
    model = ServedModel.of(of_files, "shapes")
    assert model.entry is None
    for content in shapes[0][:5]:
        np.testing.assert_array_equal(model.predict(content), of_files.predict_proba([content])[0])


@pytest.mark.parametrize("white", [1.0, 16.0, 255.0])
def test_white_is_inferred_from_the_statistics(white):
    X, y = load_digits(return_X_y=True)
    X = X * (white / 16)
    clf = MLPImageClassifier(max_iter=10, random_state=0).fit(X[:1000], y[:1000])
    model = ServedModel.of(clf, "digits")
    assert model.entry.shape == (8, 8, 1)
    assert model.entry.white == white
    assert f"black as 0 and white as {white:g}." in model.entry.describe()
    right = 0
    for image, label in zip(X[1000:1050], y[1000:1050], strict=True):
        pixels = (image.reshape(8, 8) * (255 / white)).round().astype(np.uint8)
        right += judge(model, model.predict(encode(pixels))).word == str(label)
    assert right >= 45


def test_white_can_be_set():
    X, y = load_digits(return_X_y=True)
    clf = MLPImageClassifier(max_iter=1, standardize=False, random_state=0).fit(X, y)
    assert "which is a guess" in find_entry(clf, None).describe()
    assert find_entry(clf, None).white == 255
    told = find_entry(clf, 16.0)
    assert told.white == 16
    assert "guess" not in told.describe()
    assert told.read(encode(np.full((20, 20), 255, np.uint8))).max() == 16


# Pixels that are nearly constant in the digits have large standardized values in other images.
@pytest.mark.filterwarnings("ignore:X has pixels in the range:UserWarning")
def test_step_that_only_accepts_rows_gets_rows():
    X, y = load_digits(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), MLPImageClassifier(max_iter=1, random_state=0))
    model = ServedModel.of(pipe.fit(X, y), "digits")
    assert model.entry.as_rows
    assert model.predict(PICTURE).shape == (10,)


def test_loader_without_a_size_gets_resized_pixels(shapes):
    pipe = make_pipeline(ImageLoader(mode="L"), MLPImageClassifier(max_iter=1, random_state=0))
    model = ServedModel.of(pipe.fit(*shapes), "shapes")
    assert model.entry.shape == (24, 24, 1)
    assert model.entry.white == 255
    assert model.predict(PICTURE).shape == (3,)


@pytest.mark.parametrize("kind", ["L", "RGB", "RGBA", "P", "I;16"])
def test_images_of_any_mode_are_accepted(kind, of_files):
    file = io.BytesIO()
    Image.new(kind, (30, 20)).save(file, "PNG")
    for estimator in (of_files, of_files[-1]):
        one = answer(ServedModel.of(estimator, "m"), "a.png", file.getvalue())
        assert one.error == ""
        assert one.proba.sum() == pytest.approx(1)


def test_models_that_cannot_predict_are_rejected():
    X, y = load_digits(return_X_y=True)
    with pytest.raises(TypeError, match="LogisticRegression has no image_shape_"):
        ServedModel.of(LogisticRegression(max_iter=10_000).fit(X / 16, y), "m")
    with pytest.raises(TypeError, match="LinearSVC has no predict_proba"):
        ServedModel.of(LinearSVC(max_iter=10_000).fit(X[:50], y[:50] > 4), "m")
    clf = MLPImageClassifier(max_iter=1, random_state=0)
    with pytest.raises(ValueError, match="images of 4 channels"):
        ServedModel.of(clf.fit(X[:100].reshape(-1, 4, 4, 4), y[:100]), "m")


def test_loader_cache_is_not_written(tmp_path, shapes, of_files):
    pipe = make_pipeline(
        ImageLoader(size=(16, 16), cache=tmp_path / "pixels"),
        MLPImageClassifier(max_iter=1, random_state=0),
    ).fit(*shapes)
    save(pipe, tmp_path / "model.skimgcls")
    before = sorted(tmp_path.rglob("*"))
    model = ServedModel.of(load(tmp_path / "model.skimgcls"), "m")
    assert answer(model, "new.png", PICTURE).error == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_concurrent_predictions_match_sequential_predictions(of_files, shapes):
    model = ServedModel.of(of_files, "shapes")
    contents = shapes[0][:20]
    alone = [model.predict(content) for content in contents]
    found = {}

    def ask(number):
        found[number] = [model.predict(content) for content in contents]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answers in found.values():
        np.testing.assert_array_equal(answers, alone)


# Answers


def test_broken_image_does_not_affect_the_others(served, shapes):
    contents = {"good.png": shapes[0][0], "bad.png": shapes[0][1][:100], "text.png": b"text"}
    answers = [answer(served, name, content) for name, content in contents.items()]
    assert [one.name for one in answers] == list(contents)
    assert [one.error == "" for one in answers] == [True, False, False]
    assert answers[0].picture.startswith("data:image/png;base64,")
    assert answers[1].picture == ""


def test_large_images_are_shown_reduced(served):
    one = answer(served, "a.png", encode(np.zeros((2000, 1000, 3), np.uint8)))
    assert one.picture.startswith("data:image/jpeg;base64,")
    assert len(one.picture) < 100_000


def test_prediction_below_the_threshold_is_rejected(served):
    proba = np.array([0.5, 0.3, 0.2])
    best = served.classes[0]
    assert judge(served, proba).word == best
    assert judge(served, proba, 0.5).word == best
    assert judge(served, proba, 0.51).word == "none of these"
    assert judge(served, proba, 0.51).rejected
    assert judge(served, proba, 0.51).confidence == 0.5
    assert rank(served, proba)[0] == (best, 0.5)


def rows_away_from(threshold, clf, X):
    """Return the rows with a confidence other than the threshold, which is that of an image.

    Batches of another size round differently.
    """
    confidence = clf.predict_proba(X).max(axis=1)
    return np.flatnonzero(np.abs(confidence - threshold) > 1e-5)


def test_reject_option_of_the_model_is_applied(shapes, of_files):
    X, y = shapes
    clf = RejectOptionClassifier(FrozenEstimator(of_files), coverage=0.5, rejected_label="odd")
    # The same as the last step of a Pipeline.
    inner = clone(clf).set_params(estimator=MLPImageClassifier(max_iter=2, random_state=0))
    pipe = make_pipeline(ImageLoader(size=(16, 16)), inner).fit(X, y)
    for fitted, threshold in ((clf.fit(X, y), clf.threshold_), (pipe, pipe[-1].threshold_)):
        model = ServedModel.of(fitted, "m")
        assert model.threshold == threshold
        rows = rows_away_from(threshold, fitted, X[:30])
        assert len(rows) >= 28
        said = [judge(model, model.predict(X[row])).word for row in rows]
        assert said == [str(label) for label in fitted.predict(X[:30])[rows]]
        assert "odd" in said


def test_multilabel_verdict(of_labels):
    model = ServedModel.of(of_labels, "m")
    assert model.multilabel
    first, second, _ = model.classes
    assert judge(model, np.array([0.9, 0.6, 0.1]), 0.95).word == f"{first}, {second}"
    assert judge(model, np.array([0.9, 0.6, 0.1])).confidence == 0.6
    assert judge(model, np.array([0.1, 0.2, 0.3])).word == "no label"
    bars = make_bars(model, Answer("a", np.array([0.9, 0.6, 0.1])))
    assert bars.count('class="half"') == 3
    assert bars.count("sk-bar yes") == 2


# Maps


def test_convolutional_network_has_a_saliency_map(of_files, shapes):
    model = ServedModel.of(of_files, "m")
    assert model.blind == ""
    seen = model.explain(shapes[0][0])
    assert seen.shape == (384, 384, 3)
    assert seen.dtype == np.uint8


def test_network_without_convolutions_has_no_saliency_map(of_labels):
    assert "no convolutions" in ServedModel.of(of_labels, "m").blind


def test_without_captum_there_is_no_saliency_map(of_files, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    model = ServedModel.of(of_files, "m")
    assert model.blind == "captum is not installed"
    assert model.predict(PICTURE).shape == (3,)


def test_overlay_is_opaque_where_the_map_is_high():
    picture = np.full((4, 4), 100, np.uint8)
    strengths = np.zeros((4, 4))
    strengths[1, 1] = 1
    seen = lay_map_over(picture, strengths)
    assert (seen[0, 0] == 100).all()
    assert seen[1, 1].tolist() == [222, 224, 152]
    as_floats = lay_map_over(picture / 255, strengths)
    np.testing.assert_array_equal(as_floats, seen)


def test_small_maps_are_enlarged():
    picture, strengths = enlarge(np.random.default_rng(0).random((10, 20, 3)), np.eye(10, 20))
    assert picture.shape == (190, 380, 3)
    assert strengths.shape == (190, 380)
    assert 0 <= strengths.min() <= strengths.max() <= 1
    large = np.zeros((300, 400), np.uint8), np.zeros((300, 400))
    assert enlarge(*large)[0] is large[0]


# Words


def test_csv_table_contains_all_results(served, shapes):
    names = ["=1+1.png", "+a.png", "-b.png", "@c.png", "\td.png", 'q"uo,te.png', "Grün.png"]
    answers = [answer(served, name, shapes[0][0]) for name in names]
    answers.append(answer(served, "broken.png", b"x"))
    data = to_csv(served, answers)
    table = pd.read_csv(io.BytesIO(data))
    shares = [f"probability of {name}" for name in served.classes]
    assert list(table.columns) == ["file", "predicted", "confidence", *shares, "error"]
    assert table["file"].tolist() == [
        *(f"'{name}" for name in names[:5]),
        *names[5:],
        "broken.png",
    ]
    np.testing.assert_allclose(table[shares].iloc[0], answers[0].proba, atol=1e-6)
    assert table["error"].iloc[-1].startswith("It is not an image")
    assert table["error"].iloc[:-1].isna().all()
    assert table["confidence"].iloc[:1].item() == pytest.approx(answers[0].proba.max(), abs=1e-6)
    assert data.startswith(b"\xef\xbb\xbf")
    assert (
        "none of these"
        in pd.read_csv(io.BytesIO(to_csv(served, answers, 1.0)))["predicted"].tolist()
    )


def test_class_names_that_look_like_formulas_are_escaped_in_csv(of_labels):
    model = ServedModel.of(of_labels, "m")
    model.classes[0] = "=HYPERLINK()"
    table = to_csv(model, [Answer("a", np.array([0.9, 0.1, 0.1]))]).decode("utf-8-sig")
    header, line = csv.reader(table.splitlines())
    assert header[3] == "probability of =HYPERLINK()"
    assert line[1] == "'=HYPERLINK()"


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_no_cell_becomes_a_formula_whatever_a_spreadsheet_splits_at(served, separator):
    name = f"x{separator}=1+1{separator}.png"
    table = to_csv(served, [Answer(name, error="no")]).decode("utf-8-sig")
    cells = [cell for row in csv.reader(table.splitlines(), delimiter=separator) for cell in row]
    assert not any(cell.startswith("=") for cell in cells)


def test_html_in_names_is_escaped_everywhere(served):
    served.classes[0] = NASTY
    one = Answer(NASTY, np.array([0.9, 0.05, 0.05]), picture="data:,", thumbnail="data:,")
    parts = [
        make_header(NASTY, served),
        make_verdict(served, judge(served, one.proba)),
        make_bars(served, one),
        make_batch_table(served, [one, Answer(NASTY, error="<b>")], 0.0),
        make_card(served),
    ]
    for part in parts:
        assert "<img src=x" not in part
        assert "<b>" not in part
        assert "&lt;img src=x onerror=alert(1)&gt;" in part


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100.0 %"), (0.9996, "> 99.9 %"), (0.0, "0.0 %"), (1e-6, "< 0.1 %")]
)
def test_only_a_probability_of_one_is_shown_as_100_percent(share, text):
    assert as_share(share) == text


def test_card_describes_model_and_training(served):
    card = make_card(served)
    for words in ("shapes.skimgcls", "ImageLoader(size=(16, 16))", "1.2.3", *served.classes):
        assert words in card
    assert "Epochs</td><td>3<" in card
    assert "Accuracy in validation" in card
    assert len(find_history(served)) == 3
    assert draw_curves(served) is draw_curves(served)
    assert draw_curves(served) in make_card(served, draw_curves(served))


def test_card_without_training_history():
    X, y = load_digits(return_X_y=True)
    pipe = make_pipeline(
        ImageLoader(size=8, mode="L"), ImageNormalizer(), ImageFlattener(), LogisticRegression()
    )
    model = ServedModel.of(pipe.fit(X.reshape(-1, 8, 8)[:100], y[:100]), "m")
    assert find_history(model) is None
    assert draw_curves(model) == ""
    assert "Epochs" not in make_card(model)


def test_cnn_fitted_on_arrays_accepts_color_images():
    X = np.random.default_rng(0).integers(0, 256, (20, 12, 10, 3), dtype=np.uint8)
    clf = CNNImageClassifier(max_iter=1, random_state=0).fit(X, np.arange(20) % 2)
    model = ServedModel.of(clf, "m")
    same = encode(X[0])
    np.testing.assert_allclose(model.predict(same), clf.predict_proba(X[:1])[0], atol=1e-6)
