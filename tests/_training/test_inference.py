"""Logits for prediction."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skimgcls import ImageAugmenter
from skimgcls._images._lazy_images import LazyImages
from skimgcls._training._batches import BatchFormat
from skimgcls._training._inference import evaluation_batch_size, predict_logits

few = settings(deadline=None, max_examples=50)
CPU = torch.device("cpu")
FORMAT = BatchFormat(CPU, torch.float32)


@few
@given(side=st.integers(1, 3000))
def test_an_evaluation_batch_is_limited_in_pixels(side):
    size = evaluation_batch_size((side, side, 3))
    assert 1 <= size <= 1024
    assert size == 1 or size * side**2 <= 2**18


def test_logits_do_not_depend_on_the_batches():
    module = nn.Sequential(nn.Flatten(), nn.Linear(256, 3))
    images = LazyImages(np.random.RandomState(0).rand(1030, 16, 16, 1))
    logits = predict_logits(module, images, FORMAT)
    assert logits.shape == (1030, 3)
    pairs = [predict_logits(module, images[i : i + 2], FORMAT) for i in range(1020, 1030, 2)]
    np.testing.assert_allclose(np.concatenate(pairs), logits[1020:], atol=1e-6)


def test_logits_of_a_network_in_bfloat16_are_float32():
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    images = np.random.RandomState(0).randint(0, 9, size=(9, 3, 4, 1)).astype(np.uint8)
    rounding = BatchFormat(CPU, torch.float32, autocast=True)
    with rounding.computing():
        assert module(rounding.to_batch(images)).dtype is torch.bfloat16
    with FORMAT.computing():
        assert module(FORMAT.to_batch(images)).dtype is torch.float32
    rounded, exact = (
        predict_logits(module, LazyImages(images), each) for each in (rounding, FORMAT)
    )
    assert rounded.dtype == exact.dtype == np.float32
    assert not np.array_equal(rounded, exact)
    np.testing.assert_allclose(rounded, exact, atol=0.05)


def test_random_steps_are_not_applied():
    images = np.random.RandomState(0).rand(9, 4, 4, 1)
    changed = ImageAugmenter(rotation=180).fit_transform(images)
    found = predict_logits(nn.Flatten(), changed, FORMAT)
    np.testing.assert_array_equal(found, predict_logits(nn.Flatten(), LazyImages(images), FORMAT))
