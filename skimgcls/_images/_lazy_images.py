"""Lazy images: pixels or files, and the steps to apply to each batch.

A transformer that augments images in every epoch cannot return an array, which would be augmented
only once. It returns `LazyImages`, and so does `ImageLoader`. The classifier at the end of the
Pipeline reads them batch by batch and applies the steps; random steps are applied only in training.
See docs/developers/decisions.
"""

import math
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from joblib import effective_n_jobs

from skimgcls._images._image_files import ImageFiles
from skimgcls.utils._sklearn_compat import numpy_namespace
from skimgcls.utils._torch_settings import default_settings

ImageShape = tuple[int, int, int]
# Number of values per block of images: 16 MiB in float32.
_BLOCK_VALUES = 2**22


class Step(Protocol):
    """An operation on a float batch of shape (n, channels, height, width).

    Random steps draw from the generator, which is on the CPU. Other steps ignore it.
    """

    is_random: bool

    def output_shape(self, image_shape: ImageShape) -> ImageShape: ...

    def __call__(self, batch: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor: ...


@dataclass(frozen=True, eq=False)
class LazyImages:
    """Images, and the steps to apply to each batch of them.

    The class implements the part of the array interface that Pipelines, splitters and samplers use.
    Indexing with a slice, integers or a boolean mask returns lazy images and reads no pixels. A
    single integer returns the pixels of that image. Conversion to an array applies the steps of
    prediction.

    Attributes
    ----------
    source : ndarray of shape (n, height, width, channels), or ImageFiles
    steps : tuple of Step
    marks : ndarray of shape (n,) of bool, or None
        Images to which random steps are applied; None for all.
    ndim : int
        Dimensions of the array it converts to: 2 for rows, 3 for gray images, else 4.
    """

    source: np.ndarray | ImageFiles
    steps: tuple[Step, ...] = ()
    marks: np.ndarray | None = None
    ndim: int = 4

    def __len__(self) -> int:
        return len(self.source)

    def __repr__(self) -> str:
        # No shape for files: it may require reading all headers.
        source = self.source
        held = f"{source.shape}" if isinstance(source, np.ndarray) else f"{len(source)} files"
        steps = [type(step).__name__.removeprefix("_") for step in self.steps]
        return f"<LazyImages: {held}{''.join(f' > {step}' for step in steps)}>"

    @property
    def image_shape(self) -> ImageShape:
        """Height, width and channels after the last step."""
        return self._image_shapes()[-1]

    def _image_shapes(self) -> list[ImageShape]:
        """Return the shape of an image in the source and after each step."""
        height, width, channels = self.source.shape[1:]
        shapes = [(int(height), int(width), int(channels))]
        for step in self.steps:
            shapes.append(step.output_shape(shapes[-1]))
        return shapes

    @property
    def shape(self) -> tuple[int, ...]:
        return _spelled(len(self), self.image_shape, self.ndim)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        if not any(not step.is_random for step in self.steps):
            return self.source.dtype
        return np.dtype(np.float64 if self.source.dtype == np.float64 else np.float32)

    @property
    def is_random(self) -> bool:
        """Whether a step is random."""
        return any(step.is_random for step in self.steps)

    def then(self, step: Step) -> "LazyImages":
        """Return the same images with one more step."""
        return replace(self, steps=(*self.steps, step))

    def without_random_steps(self) -> "LazyImages":
        """Return the same images with the steps of prediction only."""
        return replace(self, steps=tuple(step for step in self.steps if not step.is_random))

    def of_files(self, files: ImageFiles) -> "LazyImages":
        """Return the same steps for another source of files."""
        return replace(self, source=files)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple):
            # scikit-learn indexes rows of an array as X[rows, ...].
            if index[1:] not in ((), (Ellipsis,)):
                raise IndexError(f"Lazy images support only one index; got {index!r}.")
            index = index[0] if index else slice(None)
        rows = index if isinstance(index, slice) else _positions(index, len(self))
        if isinstance(rows, int):
            return self._evaluated([np.array([rows])], 1)[0]
        source = (
            self.source[rows] if isinstance(self.source, np.ndarray) else self.source.take(rows)
        )
        marks = None if self.marks is None else self.marks[rows]
        return replace(self, source=source, marks=marks)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("Lazy images have no array yet. Use copy=None or copy=True.")
        self._warn_of_random_steps()
        images = self._evaluated(self.blocks(), len(self))
        return images if dtype is None else images.astype(dtype, copy=False)

    # With array API dispatch enabled, scikit-learn treats lazy images as a NumPy array.
    device = "cpu"

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return numpy_namespace()

    def to_array(self) -> np.ndarray:
        """Return the images after the steps of prediction; the array itself if there are none."""
        self._warn_of_random_steps()
        if isinstance(self.source, np.ndarray) and not self.steps:
            return self.source.reshape(self.shape)
        return self._evaluated(self.blocks(), len(self))

    def _warn_of_random_steps(self) -> None:
        if self.is_random:
            warnings.warn(
                "Lazy images became an array, and the random changes of ImageAugmenter were left "
                "out: the next step does not support lazy images. Put an image classifier of "
                "skimgcls, or one of its transformers, after ImageAugmenter.",
                UserWarning,
                stacklevel=3,
            )

    def _evaluated(self, blocks: Iterable[Any], n_images: int) -> np.ndarray:
        """Return images after the steps of prediction, with `ndim` dimensions."""
        images = np.empty((n_images, *self.image_shape), self.dtype)
        start = 0
        for block in self.evaluated(blocks):
            images[start : start + len(block)] = block
            start += len(block)
        return images.reshape(_spelled(n_images, self.image_shape, self.ndim))

    def blocks(self, rows: np.ndarray | None = None) -> list[Any]:
        """Split rows into blocks that are small enough for every step; None for all rows."""
        n_images = len(self) if rows is None else len(rows)
        parts = _parts(n_images, *self._image_shapes())
        return [part if rows is None else rows[part] for part in parts]

    def evaluated(self, blocks: Iterable[Any], *, keep: bool = False) -> Iterator[np.ndarray]:
        """Yield blocks of images (n, height, width, channels) after the steps of prediction.

        `keep` is that of `read`.
        """
        for pixels in self.read(blocks, keep=keep):
            if all(step.is_random for step in self.steps):
                yield pixels
            else:
                yield apply_steps(pixels, self.steps, self.dtype)

    def read(self, blocks: Iterable[Any], *, keep: bool = False) -> Iterator[np.ndarray]:
        """Yield blocks of pixels of the source, before any step.

        Threads decode the next files while the caller processes a block. With `keep`, for pixels
        that will be read again, decoded files may be kept in memory. Prediction reads each image
        once and keeps none.
        """
        if isinstance(self.source, ImageFiles):
            yield from _read_ahead(self.source, blocks, keep)
        else:
            for rows in blocks:
                yield self.source[rows]


def take_steps(
    batch: torch.Tensor,
    steps: Sequence[Step],
    generator: torch.Generator | None = None,
    marked: torch.Tensor | None = None,
) -> torch.Tensor:
    """Apply all steps to a batch (n, channels, height, width).

    Random steps are skipped without a generator. `marked` are the indices of the images to which
    random steps are applied; None for all.
    """
    for step in steps:
        if not step.is_random:
            batch = step(batch, None)
        elif generator is None:
            continue
        elif marked is None:
            batch = step(batch, generator)
        elif len(marked) > 0:
            batch = batch.index_copy(0, marked, step(batch[marked], generator))
    return batch


def float_type(dtype: Any) -> type[np.floating[Any]]:
    """Return the floating-point type in which pixels of `dtype` are processed."""
    return np.float64 if dtype == np.float64 else np.float32


def draw_views(images: LazyImages, n_views: int, generator: torch.Generator) -> np.ndarray:
    """Return augmented views of a few images, of shape (n, n_views, height, width, channels).

    The views are uint8 if the images are, else floats.
    """
    pixels = next(images.read([np.arange(len(images))]))
    batch = torch.from_numpy(pixels.astype(float_type(images.dtype))).permute(0, 3, 1, 2)
    with default_settings(), torch.inference_mode():
        views = [take_steps(batch, images.steps, generator) for _ in range(n_views)]
        stacked: np.ndarray = torch.stack(views, dim=1).permute(0, 1, 3, 4, 2).numpy()
    return np.rint(stacked).astype(np.uint8) if images.dtype == np.uint8 else stacked


def apply_steps(images: np.ndarray, steps: Sequence[Step], dtype: Any) -> np.ndarray:
    """Apply the steps that are not random to an array (n, height, width, channels)."""
    pixels = np.ascontiguousarray(images, dtype=dtype)
    if not pixels.flags.writeable:
        pixels = pixels.copy()
    with default_settings(), torch.inference_mode():
        batch = take_steps(torch.from_numpy(pixels).permute(0, 3, 1, 2), steps)
        changed: np.ndarray = batch.permute(0, 2, 3, 1).numpy()
    return changed


def _positions(index: Any, n_images: int) -> int | np.ndarray:
    """Return a non-negative int, or an array of ints (k,) or of bools (n,)."""
    rows = np.asarray(index)
    if rows.ndim == 1:
        # NumPy converts an empty list to floats.
        return rows if len(rows) else rows.astype(np.intp)
    if rows.ndim > 1 or rows.dtype.kind not in "iu":
        raise IndexError(
            "The index of lazy images must be an int, a slice, or a list of ints or bools; got "
            f"{index!r}."
        )
    position = int(rows)
    if not -n_images <= position < n_images:
        raise IndexError(f"Index {position} is out of range for {n_images} images.")
    return position % n_images


def _parts(n_images: int, *image_shapes: Sequence[int]) -> list[slice]:
    """Split images into blocks; the largest of the shapes determines the block size."""
    n = max(1, _BLOCK_VALUES // max(math.prod(shape) for shape in image_shapes))
    return [slice(start, start + n) for start in range(0, n_images, n)]


def _spelled(n_images: int, image_shape: ImageShape, ndim: int) -> tuple[int, ...]:
    if ndim == 2:
        return n_images, int(np.prod(image_shape))
    is_gray = ndim == 3 and image_shape[2] == 1
    return (n_images, *image_shape[:2]) if is_gray else (n_images, *image_shape)


def _read_ahead(files: ImageFiles, blocks: Iterable[Any], keep: bool) -> Iterator[np.ndarray]:
    """Yield the pixels of each block in order, while threads decode the next blocks.

    An exception in a thread is raised at the position of its block, and reading stops.
    """
    n_threads = effective_n_jobs(files.n_jobs)
    waiting: deque[Future[np.ndarray]] = deque()
    with ThreadPoolExecutor(n_threads, thread_name_prefix="skimgcls") as pool:
        try:
            for rows in blocks:
                waiting.append(pool.submit(files.read, rows, keep=keep))
                if len(waiting) > n_threads + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
