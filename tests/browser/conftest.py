"""Fixtures for external programs: a browser and Java for a validator."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

# Chromium options: no requests to its vendor.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # A fake camera that shows a clock.
    "--use-fake-device-for-media-stream",
]


def find_program(*names):
    """Return the path of the first program that is installed.

    If none is, the test is skipped. It fails if SKIMGCLS_NEEDS_ALL_PROGRAMS is set, as in the tests
    of a release.
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
        # As root, for example on a build machine, Chromium cannot start in its sandbox.
        browser = playwright.chromium.launch(
            executable_path=path, args=QUIET, chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        browser.close()
