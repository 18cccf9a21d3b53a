"""Where a net computes, and in which precision."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skimgcls._device import check_device, choose_dtype

few = settings(deadline=None, max_examples=50)


def test_auto_is_a_gpu_if_there_is_one():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert check_device("auto").type == expected
    assert check_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("device", ["gpu", "", f"cuda:{torch.cuda.device_count()}", "meta"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device):
    says = rf"device='{device}' cannot be used here.*\(cpu.*Pass device='auto'"
    with pytest.raises(ValueError, match=says):
        check_device(device)


@few
@given(images=arrays(np.uint8, (2, 3, 3, 1)))
def test_bytes_are_computed_in_float32_whatever_type_holds_them(images):
    for dtype in (np.uint8, np.int64, np.float16, np.float32, np.float64):
        chosen = choose_dtype(images.astype(dtype), n_images=2, batch_size=8)
        assert chosen is torch.float32


@few
@given(images=arrays(np.float64, (2, 2, 2, 1), elements=st.floats(allow_nan=False)))
def test_float64_is_for_numbers_that_float32_rounds(images):
    with np.errstate(over="ignore"):
        is_rounded = np.any(images.astype(np.float32) != images)
    expected = torch.float64 if is_rounded else torch.float32
    assert choose_dtype(images, n_images=2, batch_size=2) is expected


def test_more_than_a_batch_is_computed_in_float32():
    images = np.full((3, 2, 2, 1), 0.1)
    assert choose_dtype(images, n_images=3, batch_size=3) is torch.float64
    assert choose_dtype(images, n_images=3, batch_size=2) is torch.float32


def test_integers_beyond_float32_count_as_numbers_too():
    images = np.full((1, 1, 1, 1), 2**24 + 1)
    assert choose_dtype(images, n_images=1, batch_size=1) is torch.float64
