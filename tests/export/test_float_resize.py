"""Matrix products give the same result as torch's own resizing."""

import numpy as np
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skimgcls import ImageResizer
from skimgcls._images._resize_center_crop import resize_crop_square
from skimgcls.export._float_resize import FloatResize

# torch itself resizes some sides of one pixel wrongly.
SIDES = st.tuples(st.integers(2, 30), st.integers(2, 30))
METHODS = st.sampled_from(["fit", "crop", "pad"])
INTERPOLATIONS = st.sampled_from(["nearest", "bilinear", "bicubic"])


def as_batch(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2)


@settings(max_examples=150, deadline=None)
@given(SIDES, SIDES, METHODS, INTERPOLATIONS, st.sampled_from([1, 3]))
def test_same_result_as_the_resizer(old, new, method, interpolation, channels):
    images = np.random.default_rng(0).random((2, *old, channels), dtype=np.float32)
    resizer = ImageResizer(
        new, method=method, interpolation=interpolation, background=(0.2, 0.9, -1)[:channels]
    ).fit(images)
    resize = resizer._make_resize()
    # "crop" can select a part that is one pixel wide, and "pad" can create one.
    (_, _, *part), inner = resize.plan(*old)
    assume(min(*part, *inner) > 1)
    expected = resizer.transform(images)
    found = FloatResize.of_resize(resize, images.shape[1:])(as_batch(images))
    np.testing.assert_allclose(found.permute(0, 2, 3, 1), expected, atol=1e-5)


@settings(max_examples=80, deadline=None)
@given(SIDES, st.integers(2, 20), st.integers(0, 9), st.sampled_from(["bilinear", "bicubic"]))
def test_same_result_as_the_framing(old, side, margin, interpolation):
    batch = torch.rand(2, 3, *old, generator=torch.Generator().manual_seed(0))
    framing = resize_crop_square((*old, 3), side + margin, side, interpolation)
    found = FloatResize.of_framing(framing, (*old, 3))(batch)
    torch.testing.assert_close(found, framing(batch), atol=1e-5, rtol=0)
