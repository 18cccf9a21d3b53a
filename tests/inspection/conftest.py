"""What the tests of displays share."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture
def off_screen():
    """Draw without a display, and leave no figure behind."""
    before = plt.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)
