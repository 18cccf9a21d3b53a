"""The page of a model in a browser, with its real server."""

import csv
import io
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from sklearn.pipeline import make_pipeline

from skimgcls import CNNImageClassifier, ImageLoader, save
from skimgcls.datasets import make_shapes

NASTY_LABEL = "<b onmouseover=alert(2)>*circle* $x^2$ :smile:</b>"
NASTY_NAME = "<img src=x onerror=alert(1)> **a** $x$ :smile:.png"
# Starting a server and a browser takes long on a busy machine.
PATIENCE = 30_000
INPUT = "stFileUploaderDropzoneInput"


def encode(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(file, kind)
    return file.getvalue()


def make_bomb(width, height):
    """Return a small PNG of one color with large dimensions."""
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    X, y = make_shapes(90, n_classes=3, image_size=24, random_state=0)
    files = np.array([encode(image) for image in X], dtype=object)
    labels = np.where(y == "circle", NASTY_LABEL, y.astype(object)).astype(str)
    clf = CNNImageClassifier(max_iter=3, random_state=0)
    path = tmp_path_factory.mktemp("model") / "shapes.skimgcls"
    save(make_pipeline(ImageLoader(size=(16, 16)), clf).fit(files, labels), path)
    return path


@pytest.fixture(scope="module")
def pictures():
    """Images of shapes, as files."""
    X, _ = make_shapes(4, n_classes=3, image_size=200, random_state=1)
    return [encode(image) for image in X]


@contextmanager
def started(path, folder, *options):
    """Run the server in empty folders; yield it and its address."""
    folders = {name: folder / name for name in ("HOME", "TMPDIR", "work")}
    for place in folders.values():
        place.mkdir()
    command = [sys.executable, "-m", "skimgcls.app", str(path), "--port", "0", *options]
    environment = os.environ | {
        "HOME": str(folders["HOME"]),
        "TMPDIR": str(folders["TMPDIR"]),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folders["work"], env=environment, **pipes) as server:
        try:
            told = server.stdout.readline()
            found = re.search(r"is served on (http://\S+) ", told)
            assert found, told + server.stderr.read()
            yield server, found[1]
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGINT)
                server.communicate(timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def url(model_path, folder):
    with started(model_path, folder, "--max-upload-mb", "3") as (_, url):
        yield url


@contextmanager
def visited(browser, url, **settings):
    """Open the page in its own context; assert no errors and no requests to other hosts."""
    context = browser.new_context(**settings)
    with visited_in(context, url) as tab:
        yield tab
    context.close()


@contextmanager
def visited_in(context, url):
    context.set_default_timeout(PATIENCE)
    tab = context.new_page()
    said, asked = [], []
    tab.on("console", lambda message: message.type == "error" and said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("websocket", lambda socket: asked.append(socket.url.replace("ws:", "http:")))
    tab.goto(url)
    expect(tab.get_by_test_id("stFileUploaderDropzone")).to_be_visible(timeout=PATIENCE)
    yield tab
    assert said == []
    assert [a for a in asked if not a.startswith((url, "data:", f"blob:{url}"))] == []
    tab.close()


@pytest.fixture(scope="module")
def context(browser):
    """A context whose cache keeps the page's scripts between tests."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def tab(context, url):
    with visited_in(context, url) as tab:
        yield tab


def send(tab, files):
    """Upload files to the page, given as pairs of name and content."""
    tab.get_by_test_id(INPUT).set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )


def wait_for(locator, count=None):
    if count is None:
        expect(locator).to_be_visible(timeout=PATIENCE)
    else:
        expect(locator).to_have_count(count, timeout=PATIENCE)


def test_single_image_shows_classes_and_saliency_map(tab, pictures):
    send(tab, [("one.png", pictures[0])])
    wait_for(tab.locator(".sk-bar"), 3)
    wait_for(tab.locator(".sk-pictures img"), 2)
    widths = tab.eval_on_selector_all(".sk-pictures img", "all => all.map(i => i.naturalWidth)")
    assert widths == [200, 384]
    shares = tab.locator(".sk-bar .share").all_inner_texts()
    assert tab.locator(".verdict .share").inner_text() == shares[0]
    # A label is shown as plain text, even if it contains markup.
    assert NASTY_LABEL in tab.locator(".sk-bar .name").all_inner_texts()
    tab.get_by_text("All 3 classes").click()
    wait_for(tab.get_by_role("cell", name=NASTY_LABEL, exact=True).first)


def test_content_fits_a_phone_screen(browser, url, pictures):
    with visited(browser, url, viewport={"width": 360, "height": 640}) as tab:
        send(tab, [("one.png", pictures[0])])
        wait_for(tab.locator(".sk-pictures img"), 2)
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert tab.locator(".sk-bar").first.bounding_box()["width"] <= 360


def test_prediction_below_the_threshold_is_rejected(tab, pictures):
    send(tab, [("one.png", pictures[0])])
    wait_for(tab.locator(".verdict"))
    expect(tab.locator(".verdict")).not_to_contain_text("none of these")
    slider = tab.get_by_role("slider")
    slider.focus()
    slider.press("End")
    expect(tab.locator(".verdict")).to_contain_text("none of these", timeout=PATIENCE)


def test_several_images_make_a_table_and_a_download(tab, pictures):
    bomb = make_bomb(20000, 10000)
    files = [
        ("=1+1.png", pictures[0]),
        ("two.png", pictures[1]),
        ("cut.png", pictures[2][:500]),
        ("bomb.png", bomb),
        (NASTY_NAME, pictures[3]),
    ]
    send(tab, files)
    rows = tab.locator(".sk-scroll tbody tr")
    wait_for(rows, 5)
    shown = {row.locator("td").nth(1).inner_text(): row.inner_text() for row in rows.all()}
    assert list(shown) == [name for name, _ in files]
    assert "It is cut short or broken" in shown["cut.png"]
    assert "more than 50 million pixels" in shown["bomb.png"]
    wait_for(rows.locator("img"), 3)
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename == "predictions.csv"
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["file"] for row in table] == ["'=1+1.png", *(name for name, _ in files[1:])]
    for row in table:
        shares = [float(v or "nan") for k, v in row.items() if k.startswith("probability of ")]
        assert len(shares) == 3
        if row["error"]:
            assert np.isnan(shares).all()
        else:
            assert sum(shares) == pytest.approx(1, abs=1e-5)
            assert float(row["confidence"]) == pytest.approx(max(shares), abs=1e-5)


def test_one_of_several_images_can_be_selected(tab, pictures):
    send(tab, [(NASTY_NAME, pictures[0]), ("two.png", pictures[1])])
    wait_for(tab.locator(".sk-scroll tbody tr"), 2)
    tab.get_by_role("combobox").click()
    tab.get_by_role("option", name=NASTY_NAME, exact=True).click()
    wait_for(tab.locator(".sk-pictures img"), 2)
    assert tab.locator(".sk-pictures figcaption").first.inner_text() == NASTY_NAME


def test_single_broken_file_is_named(tab):
    send(tab, [(NASTY_NAME, b"no picture")])
    message = tab.locator(".error")
    expect(message).to_contain_text(f"{NASTY_NAME} could not be read.", timeout=PATIENCE)
    expect(message).to_contain_text("It is not an image of a supported format: PNG, JPEG")


def test_too_large_file_is_not_uploaded(tab):
    noise = np.random.default_rng(0).integers(0, 256, (1100, 1100, 3), dtype=np.uint8)
    content = encode(noise)
    assert len(content) > 3 * 2**20
    send(tab, [("large.png", content)])
    wait_for(tab.get_by_text(re.compile(r"3(\.0)? ?MB or smaller")))
    assert tab.locator(".sk-bar").count() == 0


def test_image_can_be_pasted(browser, url, pictures):
    allowed = ["clipboard-read", "clipboard-write"]
    with visited(browser, url, permissions=allowed) as tab:
        tab.evaluate(
            """async (numbers) => {
                const blob = new Blob([new Uint8Array(numbers)], { type: "image/png" });
                await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
            }""",
            list(pictures[0]),
        )
        tab.locator("body[data-paste=ready]").wait_for(state="attached")
        tab.keyboard.press("Control+v")
        wait_for(tab.locator(".sk-bar"), 3)
        wait_for(tab.get_by_test_id("stFileChip"), 1)


def test_camera_access_is_requested_only_on_demand(browser, url):
    with visited(browser, url, permissions=["camera"]) as tab:
        assert tab.get_by_test_id("stCameraInput").count() == 0
        tab.get_by_text("Use the camera").click()
        wait_for(tab.get_by_test_id("stCameraInput"))
        # A click before the camera sends its first frame takes no picture.
        tab.wait_for_function(
            "document.querySelector('[data-testid=stCameraInput] video')?.videoWidth > 0"
        )
        tab.get_by_role("button", name="Take Photo").click()
        wait_for(tab.locator(".sk-bar"), 3)


def test_visitors_see_only_their_own_images(browser, url, pictures):
    with visited(browser, url) as one, visited(browser, url) as other:
        send(one, [("one.png", pictures[0])])
        send(other, [("other.png", pictures[1])])
        wait_for(one.locator(".sk-pictures img"), 2)
        wait_for(other.locator(".sk-pictures img"), 2)
        assert one.locator("figcaption").first.inner_text() == "one.png"
        assert other.locator("figcaption").first.inner_text() == "other.png"
        shown = [tab.locator(".sk-pictures img").first for tab in (one, other)]
        assert shown[0].get_attribute("src") != shown[1].get_attribute("src")
        assert one.get_by_text("other.png").count() == other.get_by_text("one.png").count() == 0


def test_model_card_describes_the_model(tab):
    tab.get_by_role("tab", name="About the model").click()
    wait_for(tab.get_by_text("ImageLoader(size=(16, 16))"))
    wait_for(tab.locator("img.curves"))
    assert tab.eval_on_selector("img.curves", "image => image.naturalWidth") > 500
    wait_for(tab.get_by_text(NASTY_LABEL))


def test_no_files_are_left_on_disk(browser, url, folder, pictures):
    before = sorted(folder.rglob("*"))
    # Larger than the default in-memory limit of servers.
    noise = np.random.default_rng(0).integers(0, 256, (800, 900, 3), dtype=np.uint8)
    large = encode(noise)
    assert 2**20 < len(large) < 3 * 2**20
    with visited(browser, url) as tab:
        send(tab, [("one.png", pictures[0]), ("large.png", large)])
        wait_for(tab.locator(".sk-scroll tbody tr"), 2)
        assert sorted(folder.rglob("*")) == before
    assert sorted(folder.rglob("*")) == before
    assert not (folder / "HOME" / ".streamlit").exists()
    assert list((folder / "work").iterdir()) == []


def test_server_stops_while_a_page_is_open(browser, model_path, tmp_path, pictures):
    with started(model_path, tmp_path) as (server, url):
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(url)
        tab.get_by_test_id(INPUT).wait_for(state="attached", timeout=PATIENCE)
        send(tab, [("one.png", pictures[0])])
        wait_for(tab.locator(".sk-pictures img"), 2)
        server.send_signal(signal.SIGINT)
        told, errors = server.communicate(timeout=60)
        context.close()
    assert server.returncode == 0
    assert told == errors == ""
