"""What all tests share."""

import os

# scikit-learn leaves a check out unless SciPy heard this before its first import.
os.environ["SCIPY_ARRAY_API"] = "1"

import pytest
import torch

from skimgcls._testing import make_stripes, spell_grey_images

# The nets of the tests are so small that a second thread costs more than it gives.
torch.set_num_threads(1)


@pytest.fixture
def stripes():
    """Grey uint8 images (36, 8, 8) of three classes that any net learns, and their classes."""
    return make_stripes()


@pytest.fixture
def colour_stripes():
    """Colour uint8 images (36, 6, 8, 3) of three classes, and their classes."""
    return make_stripes(shape=(6, 8, 3))


@pytest.fixture(params=spell_grey_images(make_stripes(n_images=2)[0]))
def spell(request):
    """A way to write grey images (n, h, w) down, for each there is."""
    return lambda images: spell_grey_images(images)[request.param]
