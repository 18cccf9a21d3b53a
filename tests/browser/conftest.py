"""Programs from outside: a browser and a validator, which not every machine has."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

# Of a browser that asks its makers nothing.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # A camera that shows a clock.
    "--use-fake-device-for-media-stream",
]


def find_program(*names):
    """Return the path of the first of some programs that is there.

    Without any the test is skipped, or fails where the environment asks for all of them, as the
    tests of a release do.
    """
    for name in names:
        if path := shutil.which(name):
            return path
    reason = f"needs {' or '.join(names)}"
    if os.environ.get("SKIMGCLS_NEEDS_ALL_PROGRAMS"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def java():
    return find_program("java")


@pytest.fixture(scope="session")
def browser():
    path = find_program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        # As root, as on a build machine, Chromium does not start in its sandbox.
        browser = playwright.chromium.launch(
            executable_path=path, args=QUIET, chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        browser.close()
