"""Hypothesis strategies of images, shared by test files."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

# For a test of each example that takes milliseconds.
few = settings(deadline=None, max_examples=50)

sides = st.integers(1, 6)
shapes = st.tuples(st.integers(1, 5), sides, sides, st.integers(1, 4))
# Images (n, height, width, channels), of bytes, integers or floats.
pixels = st.one_of(
    st.sampled_from([np.uint8, np.int64]).flatmap(
        lambda dtype: arrays(dtype, shapes, elements=st.integers(0, 255))
    ),
    arrays(np.float64, shapes, elements=st.floats(-1024, 1024, width=32, allow_subnormal=False)),
)
