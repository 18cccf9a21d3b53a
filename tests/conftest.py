"""What all tests share."""

import os

# scikit-learn leaves a check out unless SciPy heard this before its first import.
os.environ["SCIPY_ARRAY_API"] = "1"

import pytest
import torch
from hypothesis import settings

from skimgcls.estimator_checks._data import grey_image_formats, make_stripes

# The nets of the tests are so small that a second thread costs more than it gives.
torch.set_num_threads(1)

# Each run of `make test` draws the same examples; `make test-all` draws others.
settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile("random", database=None, print_blob=True)
settings.load_profile("repeatable")

# The number of the user who owns nothing.
NOBODY = 65534


@pytest.fixture
def stripes():
    """Grey uint8 images (36, 8, 8) of three classes that any net learns, and their classes."""
    return make_stripes()


@pytest.fixture
def colour_stripes():
    """Colour uint8 images (36, 6, 8, 3) of three classes, and their classes."""
    return make_stripes(shape=(6, 8, 3))


@pytest.fixture(params=grey_image_formats(make_stripes(n_images=2)[0]))
def spell(request):
    """A way to write grey images (n, h, w) down, for each there is."""
    return lambda images: grey_image_formats(images)[request.param]


@pytest.fixture
def bound_by_rights():
    """Run as a user whom the rights of files bind, which the administrator is not.

    That user cannot enter `tmp_path`: make a folder with `tempfile` in the test.
    """
    if os.name == "nt":
        pytest.skip("Windows has other rights")
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    yield
    if is_root:
        os.seteuid(0)
