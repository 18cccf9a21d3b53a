"""Hypothesis strategies of images, shared by test files."""

import io
import warnings

import numpy as np
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

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


# Image files.

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F")
FORMATS = (
    *("BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "SGI", "TGA", "TIFF", "WEBP"),
)


@st.composite
def contents(draw):
    """Bytes of a file in any format, with pixels of any mode."""
    mode, size = (
        draw(st.sampled_from(MODES)),
        draw(st.tuples(st.integers(1, 40), st.integers(1, 40))),
    )
    pixels = np.random.default_rng(draw(st.integers(0, 99)))
    if mode in ("P", "PA", "1"):
        noise = pixels.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
        picture = Image.fromarray(noise).convert("P" if mode == "PA" else mode)
        picture = picture.convert(mode)
    else:
        empty = Image.new(mode, size)
        n_bytes = len(empty.tobytes())
        picture = Image.frombytes(mode, size, pixels.bytes(n_bytes))
    file = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture.save(file, draw(st.sampled_from(FORMATS)))
    except (OSError, KeyError, ValueError):
        # The format does not have this mode.
        assume(False)
    return file.getvalue()


@st.composite
def damaged(draw):
    """Bytes of a file that is cut off, or some bytes of which are replaced."""
    content = bytearray(draw(contents()))
    places = st.integers(0, len(content) - 1)
    for place in draw(st.lists(places, max_size=4)):
        content[place] = draw(st.integers(0, 255))
    end = draw(st.one_of(st.just(len(content)), places))
    return bytes(content[:end]) + draw(st.binary(max_size=3))
