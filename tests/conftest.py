"""Settings and fixtures of all tests."""

import os

# scikit-learn skips a check unless this is set before the first import of SciPy.
os.environ["SCIPY_ARRAY_API"] = "1"

import pytest
import torch
from hypothesis import settings

from skimgcls.estimator_checks._data import gray_image_formats, make_stripes

# The networks in the tests are so small that a second thread makes them slower.
torch.set_num_threads(1)

# Every run of `make test` uses the same examples; `make test-all` draws new ones.
settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile("random", database=None, print_blob=True)
settings.load_profile("repeatable")

# The id of an unprivileged user.
NOBODY = 65534


@pytest.fixture
def stripes():
    """Gray uint8 images (36, 8, 8) of three classes that any network learns, and their labels."""
    return make_stripes()


@pytest.fixture
def color_stripes():
    """Color uint8 images (36, 6, 8, 3) of three classes, and their labels."""
    return make_stripes(shape=(6, 8, 3))


@pytest.fixture(params=gray_image_formats(make_stripes(n_images=2)[0]))
def spell(request):
    """A function that converts gray images (n, h, w) to an input format, for each format."""
    return lambda images: gray_image_formats(images)[request.param]


@pytest.fixture
def bound_by_rights():
    """Run as a user without root permissions.

    This user cannot access `tmp_path`; create a folder with `tempfile` in the test.
    """
    if os.name == "nt":
        pytest.skip("Windows has other file permissions")
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    yield
    if is_root:
        os.seteuid(0)
