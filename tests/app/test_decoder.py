"""Uploads are decoded in other processes, which are stopped if they take too long."""

import io
import threading
import time

import numpy as np
import pytest
from errors import call
from hypothesis import given, settings
from PIL import Image
from strategies import damaged

from skimgcls._images._decode import decode
from skimgcls.app._decode_worker import clean
from skimgcls.app._decoder import Decoder
from skimgcls.app._model import ServedModel
from skimgcls.app._predict import answer
from skimgcls.app._upload import Limits
from skimgcls.exceptions import ImageFileError

PIXELS = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def encode(image, file_format="PNG", **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


PICTURE = encode(Image.fromarray(PIXELS))


def slow_jpeg(n_scans=190, side=3_000):
    """Return a progressive JPEG of many empty scans, which takes seconds to decode."""
    content = encode(Image.new("RGB", (side, side)), "JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    return content[:start] + content[start:-2] * n_scans + content[-2:]


@pytest.fixture(scope="module")
def decoder():
    decoder = Decoder(Limits())
    yield decoder
    decoder.close()


def with_orientation(image):
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(image, "JPEG", exif=exif, quality=95)


@pytest.mark.parametrize(
    "content",
    [
        PICTURE,
        with_orientation(Image.fromarray(PIXELS)),
        encode(Image.fromarray(PIXELS).convert("P")),
        encode(Image.fromarray(PIXELS).convert("CMYK"), "TIFF"),
        encode(Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 256)),
        encode(Image.fromarray(np.dstack([PIXELS, PIXELS[..., 0]]), "RGBA")),
        encode(Image.fromarray(PIXELS), "WEBP", lossless=True),
        encode(Image.fromarray(PIXELS).convert("1"), "PPM"),
    ],
    ids=["png", "upright", "palette", "cmyk", "16 bits", "transparent", "webp", "bits"],
)
def test_the_plain_file_has_the_pixels_of_the_upload(decoder, content):
    found = decoder.clean(content)
    for mode in ("RGB", "L"):
        np.testing.assert_array_equal(decode(found.content, mode), decode(content, mode))
    np.testing.assert_array_equal(decode(found.shown), decode(content))


def test_large_images_are_shown_small(decoder):
    found = decoder.clean(encode(Image.new("RGB", (2_000, 1_000)), "JPEG"))
    assert decode(found.shown).shape == (320, 640, 3)
    assert decode(found.content).shape == (1_000, 2_000, 3)


@settings(deadline=None, max_examples=60)
@given(content=damaged())
def test_damaged_uploads_have_a_message(content):
    found, error = call(clean, content, Limits())
    assert (found is None) == (error is not None)
    assert error is None or str(error).startswith(("It ", "Its "))


def test_an_upload_that_takes_long_is_given_up(decoder):
    decoder = Decoder(Limits(), seconds=0.5)
    start = time.perf_counter()
    with pytest.raises(ImageFileError, match="takes too long to decode"):
        decoder.clean(slow_jpeg())
    assert time.perf_counter() - start < 3
    # The next upload gets a new worker.
    assert decode(Decoder(Limits()).clean(PICTURE).content).shape == PIXELS.shape
    decoder.close()


def test_a_worker_that_stopped_is_replaced():
    decoder = Decoder(Limits())
    decoder.clean(PICTURE)
    for worker in decoder._running:
        worker.kill()
        worker.wait()
    assert decode(decoder.clean(PICTURE).content).shape == PIXELS.shape
    decoder.close()


def test_memory_of_a_worker_is_limited():
    pytest.importorskip("resource")
    decoder = Decoder(Limits(), megabytes=300)
    content = encode(Image.new("RGB", (7_000, 7_000)), "JPEG")
    with pytest.raises(ImageFileError, match=r"too much memory|could not be decoded"):
        decoder.clean(content)
    assert decode(decoder.clean(PICTURE).content).shape == PIXELS.shape
    decoder.close()


def test_workers_stop_with_the_decoder():
    decoder = Decoder(Limits())
    decoder.clean(PICTURE)
    workers = list(decoder._running)
    decoder.close()
    assert all(worker.poll() is not None for worker in workers)


def test_another_visitor_does_not_wait(of_files):
    model = ServedModel.of(of_files, "shapes")
    answer(model, "first.png", PICTURE)
    slow = threading.Thread(target=answer, args=(model, "slow.jpg", slow_jpeg()))
    slow.start()
    start = time.perf_counter()
    while slow.is_alive():
        assert answer(model, "small.png", PICTURE).error == ""
        assert time.perf_counter() - start < 2
        break
    slow.join()
    assert time.perf_counter() - start < 5
