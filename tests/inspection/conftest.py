"""Fixtures shared by the tests of displays."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture
def off_screen():
    """Draw without a screen, and close all figures afterwards."""
    before = plt.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)
