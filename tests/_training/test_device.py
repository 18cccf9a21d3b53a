"""Device and precision of the computation."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skimgcls._images._lazy_images import LazyImages
from skimgcls._training import _device
from skimgcls._training._device import check_device, choose_precision, has_bfloat16

few = settings(deadline=None, max_examples=50)
CPU = torch.device("cpu")
# A device without data, and without bfloat16 support.
NO_BFLOAT16 = torch.device("meta")
CPU_INFO = Path("/proc/cpuinfo")


def choose(images, device=NO_BFLOAT16, precision="auto", n_images=None, batch_size=64):
    n_images = len(images) if n_images is None else n_images
    images = LazyImages(images) if isinstance(images, np.ndarray) else images
    return choose_precision(precision, images, device, n_images=n_images, batch_size=batch_size)


class Resize:
    """A step that returns images of a given shape."""

    is_random = False

    def __init__(self, shape):
        self.shape = shape

    def output_shape(self, image_shape):
        return self.shape

    def __call__(self, batch, generator):
        height, width, channels = self.shape
        return batch[:, :1, :1, :1].expand(-1, channels, height, width)


@pytest.fixture
def with_bfloat16(monkeypatch):
    """A device with bfloat16 support: the CPU, patched if it has none."""
    if not has_bfloat16(CPU):
        monkeypatch.setattr(_device, "has_bfloat16", lambda device: device == CPU)
    return CPU


def test_auto_selects_a_gpu_if_available():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert check_device("auto").type == expected
    assert check_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("device", ["gpu", "", f"cuda:{torch.cuda.device_count()}", "meta"])
def test_a_missing_device_is_refused_and_the_available_ones_are_named(device):
    says = rf"device='{device}' cannot be used here.*\(cpu.*Pass device='auto'"
    with pytest.raises(ValueError, match=says):
        check_device(device)


# The precision


@few
@given(images=arrays(np.uint8, (2, 3, 3, 1)))
def test_values_of_bytes_are_never_computed_in_float64_in_any_dtype(images):
    for dtype in (np.uint8, np.int64, np.float16, np.float32, np.float64):
        assert choose(images.astype(dtype)) == "float32"


@few
@given(images=arrays(np.float64, (2, 2, 2, 1), elements=st.floats(allow_nan=False)))
def test_float64_is_used_for_values_that_float32_rounds(images):
    with np.errstate(over="ignore"):
        is_rounded = np.any(images.astype(np.float32) != images)
    assert choose(images, batch_size=2) == ("float64" if is_rounded else "float32")


def test_the_values_given_decide_and_not_those_after_the_steps():
    class Third(Resize):
        def __call__(self, batch, generator):
            return super().__call__(batch, generator) / 3

    images = LazyImages(np.ones((2, 2, 2, 1)), (Third((3, 3, 1)),))
    assert np.asarray(images).dtype == np.float64
    assert choose(images) == "float32"


def test_more_than_a_batch_is_never_computed_in_float64():
    images = np.full((3, 2, 2, 1), 0.1)
    assert choose(images, batch_size=3) == "float64"
    assert choose(images, batch_size=2) == "float32"
    assert choose(images, batch_size=2, n_images=2) == "float64"


def test_integers_beyond_float32_are_computed_in_float64():
    assert choose(np.full((1, 1, 1, 1), 2**24 + 1)) == "float64"


@pytest.mark.parametrize("shape", [(8, 8, 1), (15, 17, 1), (16, 16, 1), (8, 8, 4), (32, 32, 3)])
def test_bfloat16_is_used_for_large_images_where_the_device_supports_it(shape, with_bfloat16):
    is_large = math.prod(shape) >= 256
    images = np.zeros((2, *shape), np.uint8)
    lazy = LazyImages(np.zeros((2, 1, 1, 1), np.uint8)).then(Resize(shape))
    for each in (images, lazy):
        assert choose(each, with_bfloat16) == ("bfloat16" if is_large else "float32")
        assert choose(each, NO_BFLOAT16) == "float32"


def test_small_images_are_not_rounded_to_bfloat16(with_bfloat16):
    images = np.full((2, 16, 16, 1), 0.1)
    assert choose(images, with_bfloat16) == "float64"
    assert choose(images, with_bfloat16, batch_size=1) == "bfloat16"


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float64"])
@pytest.mark.parametrize("images", [np.zeros((2, 32, 32, 3), np.uint8), np.full((1, 1, 1, 1), 0.1)])
def test_a_requested_precision_is_used(images, precision):
    for device in (CPU, NO_BFLOAT16):
        assert choose(images, device, precision=precision) == precision


# The hardware


@pytest.mark.skipif(not CPU_INFO.exists(), reason="the system does not tell what its processor has")
def test_a_cpu_supports_bfloat16_if_the_system_says_so():
    flags = CPU_INFO.read_text().split()
    assert has_bfloat16(CPU) == ("avx512_bf16" in flags or "amx_bf16" in flags)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_supports_bfloat16_from_compute_capability_8():
    device = torch.device("cuda")
    assert has_bfloat16(device) == (torch.cuda.get_device_capability(device) >= (8, 0))


def test_devices_of_other_types_use_no_bfloat16():
    assert not has_bfloat16(NO_BFLOAT16)
    assert not has_bfloat16(torch.device("mps"))
