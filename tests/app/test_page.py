"""The page without a browser: which parts it shows for uploaded files."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit
from PIL import Image
from streamlit.testing.v1 import AppTest

import skimgcls.app
from skimgcls.app import _page
from skimgcls.app._model import ServedModel
from skimgcls.app._serve import serve_model
from skimgcls.app._upload import Limits

PAGE = Path(skimgcls.app.__file__).with_name("_page.py")
# An import and a model's first prediction take seconds on a busy machine.
PATIENCE = 60


def sent(name, content, number=0):
    """Return a file as Streamlit passes it."""
    return SimpleNamespace(name=name, file_id=f"{number}-{name}", getvalue=lambda: content)


@pytest.fixture
def send(monkeypatch, served):
    """Run the page for some files, and return it."""

    def run(*files, model=None):
        serve_model(model or served)
        # AppTest of the oldest Streamlit does not support uploaders.
        monkeypatch.setattr(streamlit, "file_uploader", lambda *_, **__: list(files))
        return AppTest.from_file(str(PAGE), default_timeout=PATIENCE).run()

    return run


def html_of(page):
    return "".join(part.proto.body for part in page.get("html"))


def test_page_first_asks_for_an_image(send):
    page = send()
    assert not page.exception
    assert "<h1>shapes</h1>" in html_of(page)
    assert [tab.label for tab in page.tabs] == ["Classify", "About the model"]
    assert not page.slider
    # Camera access is not requested before the switch is turned on.
    assert [toggle.value for toggle in page.toggle] == [False]
    assert not page.get("camera_input")


def test_single_image_shows_bars_and_a_saliency_map(send, shapes, served):
    page = send(sent("a.png", shapes[0][0]))
    shown = html_of(page)
    assert not page.exception
    for name in served.classes:
        assert f'<span class="name">{name}</span>' in shown
    assert shown.count("<figure>") == 2
    assert page.expander[0].label == "All 3 classes"


def test_threshold_above_the_confidence_rejects_the_prediction(send, shapes):
    page = send(sent("a.png", shapes[0][0]))
    assert '<p class="verdict">none of these' not in html_of(page)
    page.slider(key="at_least").set_value(100).run()
    assert '<p class="verdict">none of these' in html_of(page)


def test_prediction_is_cached(send, shapes, monkeypatch):
    page = send(sent("a.png", shapes[0][0]))
    monkeypatch.setattr(ServedModel, "predict", lambda *_: pytest.fail("it was asked again"))
    page.slider(key="at_least").set_value(10).run()
    assert not page.exception


def test_several_images_make_a_table_with_errors(send, shapes):
    X = shapes[0]
    page = send(sent("a.png", X[0]), sent("bad.png", X[1][:90]), sent("c.png", X[2]))
    shown = html_of(page)
    assert not page.exception
    assert shown.count("<tr><td") >= 3
    assert '<span class="error">It is cut short or broken' in shown
    assert "<figure>" not in shown
    assert page.selectbox(key="chosen").options == ["a.png", "c.png"]
    page.selectbox(key="chosen").select("c.png").run()
    assert html_of(page).count("<figure>") == 2


def test_model_error_is_shown_without_details(send, shapes, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("a secret path")

    monkeypatch.setattr(ServedModel, "predict", fail)
    page = send(sent("a.png", shapes[0][0]))
    assert not page.exception
    assert "The model could not answer" in html_of(page)
    assert "secret" not in html_of(page)
    assert "a secret path" in caplog.text


def test_files_above_the_limit_are_ignored(send, shapes, of_files):
    model = ServedModel.of(of_files, "m", limits=Limits(files=2))
    files = [sent("a.png", shapes[0][0], number) for number in range(3)]
    page = send(*files, model=model)
    assert page.warning[0].value == "Only the first 2 images are read."
    assert html_of(page).count('alt=""') == 2


def test_multilabel_model_has_no_threshold(send, of_labels):
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "PNG")
    page = send(sent("a.png", file.getvalue()), model=ServedModel.of(of_labels, "m"))
    assert not page.slider
    assert 'class="half"' in html_of(page)
    said = " ".join(caption.value for caption in page.caption)
    assert "resized to 16 by 16 pixels in color" in said
    assert "cannot be shown: it has no convolutions" in said


def test_card_shows_the_training_curves(send):
    page = send()
    assert "Accuracy in validation" in html_of(page)
    assert '<img class="curves" src="data:image/png;base64,' in html_of(page)


def test_images_with_the_same_name_are_numbered():
    names, proba = ["a.png", "b.png", "a.png", "c.png"], np.ones(1)
    answers = [_page.Answer(name, None if name == "c.png" else proba) for name in names]
    assert _page.name_places(answers) == {"a.png (1)": 0, "b.png": 1, "a.png (3)": 2}


def test_names_like_numbered_ones_hide_no_image():
    for names in (["a (2)", "a", "a"], ["a (1)", "a", "a", "a (2)"], ["a", "a", "a (1)", "a (1)"]):
        answers = [_page.Answer(name, np.ones(1)) for name in names]
        assert sorted(_page.name_places(answers).values()) == list(range(len(names)))


def test_tiny_images_are_detected():
    small, large = np.zeros((8, 8, 3), np.uint8), np.zeros((300, 300, 3), np.uint8)
    assert _page._is_tiny(_page.to_data_url(small))
    assert not _page._is_tiny(_page.to_data_url(large))
