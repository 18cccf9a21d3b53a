"""Response time of `python -m skimgcls.app`, from the upload of an image to its classes.

A real server and real browsers, one session per client, run on the measured machine, so the times
include the CPU load of eight browsers. A client uploads an image, waits for the prediction, which
is timed, and for the saliency map, and removes the image before it uploads the next. For
comparison, the model alone predicts the same files.
"""

import asyncio
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _report import Row, show
from _timing import seconds_of
from PIL import Image
from playwright.async_api import async_playwright
from sklearn.pipeline import make_pipeline

from skimgcls import CNNImageClassifier, ImageLoader, load, save
from skimgcls.datasets import make_shapes

N_CLIENTS, N_PICTURES = 8, 6
# Side of the uploaded image, as of small photographs of a phone, and of the network's input.
SENT, SEEN = 640, 64
AT_MOST = 1.0
PATIENCE = 60_000


def make_files(n_images, image_size, seed):
    X, y = make_shapes(n_images, n_classes=4, image_size=image_size, random_state=seed)
    files = np.empty(n_images, dtype=object)
    for number, image in enumerate(X):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=90)
        files[number] = file.getvalue()
    return files, y


@contextmanager
def serving(path):
    """Run the server and yield its address."""
    command = [sys.executable, "-m", "skimgcls.app", str(path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield re.search(r"http://\S+", server.stdout.readline())[0]
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate()


async def ask(tab, name, content):
    """Return the seconds from a picture sent to its answer."""
    picture = {"name": name, "mimeType": "image/jpeg", "buffer": content}
    start = time.perf_counter()
    await tab.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([picture])
    await tab.locator(".sk-bar").first.wait_for()
    seconds = time.perf_counter() - start
    caption = await tab.locator("figcaption").first.inner_text()
    if caption != name:
        raise RuntimeError(f"{name} was sent, and the answer is for {caption}")
    await tab.locator(".sk-pictures img").nth(1).wait_for()
    await tab.get_by_test_id("stFileChipDeleteBtn").get_by_role("button").click()
    await tab.locator(".sk-bar").first.wait_for(state="detached")
    return seconds


async def visit(browser, url, number, files):
    """Return the seconds of each picture of a client."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE)
    tab = await context.new_page()
    await tab.goto(url)
    await tab.get_by_test_id("stFileUploaderDropzoneInput").wait_for(state="attached")
    # The first prediction includes what a browser loads only once.
    await ask(tab, "first.jpg", files[0])
    seconds = [await ask(tab, f"{number}-{i}.jpg", file) for i, file in enumerate(files)]
    await context.close()
    return seconds


async def measure(url, files):
    """Return the seconds of one client, and of all at once."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, chromium_sandbox=os.geteuid() != 0
        )
        alone = await visit(browser, url, 0, files)
        parts = (visit(browser, url, number, files) for number in range(N_CLIENTS))
        together = [seconds for part in await asyncio.gather(*parts) for seconds in part]
        await browser.close()
    return alone, together


def tell(seconds):
    middle, high = np.percentile(seconds, [50, 95])
    return f"p50 {1000 * middle:.0f} ms, p95 {1000 * high:.0f} ms ({len(seconds)} pictures)"


def main():
    X, y = make_files(400, SEEN, 0)
    files, _ = make_files(N_PICTURES, SENT, 1)
    clf = CNNImageClassifier(max_iter=3, random_state=0)
    with TemporaryDirectory() as folder:
        path = Path(folder, "shapes.skimgcls")
        save(make_pipeline(ImageLoader(size=(SEEN, SEEN)), clf).fit(X, y), path)
        model = load(path)
        bare = [seconds_of(model.predict_proba, [file]) for file in (*files, *files)][N_PICTURES:]
        with serving(path) as url:
            alone, together = asyncio.run(measure(url, list(files)))
    figure = f"{tell(alone)}; predict_proba of the same files alone: {tell(bare)}"
    picture = f"a JPEG of {SENT} x {SENT}, from the upload to its classes on the page"
    many = f"{np.median(together) / np.median(alone):.1f}x the p50 of one client"
    show(
        [
            Row(
                f"python -m skimgcls.app, one client: {picture}",
                f"p95 at most {AT_MOST:g} s",
                figure,
                bool(np.percentile(alone, 95) <= AT_MOST),
            ),
            Row(
                f"python -m skimgcls.app, {N_CLIENTS} clients at once, their browsers beside it",
                "reported",
                f"{tell(together)}, {many}",
                True,
            ),
        ]
    )


if __name__ == "__main__":
    main()
