"""Load images from files."""

import os
import warnings
from dataclasses import replace
from numbers import Integral
from os import PathLike

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._containers import unpack_container
from skimgcls._images._decode import CHANNELS, FAINT, decode
from skimgcls._images._image_files import Decoding, ImageFiles, find_items
from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._resize import INTERPOLATIONS, gray_of
from skimgcls.exceptions import ImageFileError
from skimgcls.preprocessing._base import BaseImageTransformer
from skimgcls.preprocessing._resizer import METHODS, is_unread, make_resize, resize_images
from skimgcls.utils._rollback import restore_on_error
from skimgcls.utils._sklearn_compat import Interval, StrOptions, fit_context

# Number of images with 16 bits that are decoded to find out whether all are dark.
_N_EXAMINED = 8


class ImageLoader(BaseImageTransformer, auto_wrap_output_keys=None):
    """Load images from files, batch by batch when they are needed.

    Supported formats are PNG, JPEG, BMP, TIFF, WebP, PGM and PPM, in any Pillow mode. Images are
    rotated according to their EXIF orientation. Arrays of pixels are only resized, if `size` is
    set, so that the same Pipeline accepts files and arrays.

    Parameters
    ----------
    size : int, tuple (height, width) or None, default=None
        Size of the output images in pixels; an int gives square images. With None, images are not
        resized and must all have the same size.

    mode : {"RGB", "L"}, default="RGB"
        Color mode of the output: "RGB" for color, "L" for grayscale.

    method : {"fit", "crop", "pad"}, default="fit"
        How to handle images of another aspect ratio. "fit" resizes without keeping it, "crop" takes
        the largest center crop of the target aspect ratio, and "pad" adds a `background` border.

    interpolation : {"nearest", "bilinear", "bicubic"}, default="bilinear"
        Interpolation method; see :class:`ImageResizer`.

    background : tuple of 3 int, default=(255, 255, 255)
        RGB color that replaces transparency and fills the border of padded images.

    white_level : int or None, default=None
        Value of white in gray images with 16 bits, such as 255 or 4095. Larger values become white.
        None stands for 65535. Pillow reads color images with 16 bits as 8 bits.

    on_error : {"raise", "blank"}, default="raise"
        Whether to raise an error for an unreadable file, or to use a black image instead.

    cache : "auto", str, PathLike or None, default="auto"
        Where decoded pixels are kept, 12 KiB for a 64 x 64 image, so that each file is decoded
        once for all statistics and epochs.

        - "auto": in memory while a model trains, if the pixels of all images fit in a quarter of
          the available memory. Otherwise, and in prediction, nothing is kept.
        - a folder, which later fits read as well. A file is decoded again if it or the decoding
          parameters change. The folder is created if it does not exist. Delete it to free the
          space.
        - None: nowhere. A file is decoded whenever its pixels are needed.

    n_jobs : int or None, default=None
        Number of threads that decode images in the background. None is 1, -1 is one per core.

    Attributes
    ----------
    n_features_in_ : int
        1 if X holds files, else the number of values per image.
    image_shape_ : tuple (height, width, n_channels)
        Shape of the training images, if X holds pixels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X is a DataFrame of pixels.

    See Also
    --------
    skimgcls.datasets.load_image_folder : Lists the files of a folder with their classes.
    skimgcls.inspection.audit_images : Finds problems with image files before training.

    Notes
    -----
    `fit` reads the header of each file. Files are decoded when their pixels are needed. A file that
    fails to decode then, or that changes during training, raises an error with its index and name.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> from skimgcls.preprocessing import ImageLoader
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "red.png")
    ...     Image.new("RGB", (40, 30), "red").save(path)
    ...     images = ImageLoader(size=(6, 8)).fit_transform([path])
    ...     pixels = np.asarray(images)
    >>> images.shape
    (1, 6, 8, 3)
    >>> pixels[0, 0, 0]
    array([255,   0,   0], dtype=uint8)
    """

    _parameter_constraints: dict = {
        "size": ["array-like", Interval(Integral, 1, None, closed="left"), None],
        "mode": [StrOptions(set(CHANNELS))],
        "method": [StrOptions(set(METHODS))],
        "interpolation": [StrOptions(set(INTERPOLATIONS))],
        "background": ["array-like"],
        "white_level": [Interval(Integral, 1, 65_535, closed="both"), None],
        "on_error": [StrOptions({"raise", "blank"})],
        "cache": [str, PathLike, None],
        "n_jobs": [Integral, None],
    }
    _takes_any_size = True

    def __init__(
        self,
        size=None,
        *,
        mode="RGB",
        method="fit",
        interpolation="bilinear",
        background=(255, 255, 255),
        white_level=None,
        on_error="raise",
        cache="auto",
        n_jobs=None,
    ):
        self.size = size
        self.mode = mode
        self.method = method
        self.interpolation = interpolation
        self.background = background
        self.white_level = white_level
        self.on_error = on_error
        self.cache = cache
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check that the files exist and have valid image headers.

        Parameters
        ----------
        X : DataFrame of one column, Series, list or array of files; or array of images
            One file per image: a path, the content as bytes, an open file or a Pillow image.
        y : Ignored
            Not used, present for API consistency by convention.

        Returns
        -------
        self : object
            The fitted loader. It is unchanged if `fit` raises.

        Raises
        ------
        FileNotFoundError, PermissionError, ValueError
            If a file is missing, empty, not an image or too large. The error names the first one.
        NotADirectoryError
            If `cache` is a file.
        """
        X = unpack_container(X)
        with restore_on_error(self):
            files = self._find_files(X)
            if files is None:
                self._check_images(X, reset=True)
            else:
                _warn_of_small_values(files.source, files.source.check_headers())
                for name in ("image_shape_", "feature_names_in_", "_pixel_range", "_saw_rows"):
                    vars(self).pop(name, None)
                self.n_features_in_ = 1
        return self

    def transform(self, X):
        """Return lazy images of the files, or resize images.

        Parameters
        ----------
        X : DataFrame of one column, Series, list or array of files; or array of images
            Images in any format that `fit` accepts.

        Returns
        -------
        X_new : lazy images or ndarray
            Lazy images for files. ``np.asarray`` converts them to a uint8 array of shape
            (n_samples, height, width, n_channels). For pixels, an array in the format of X.

        Raises
        ------
        FileNotFoundError, PermissionError, ValueError
            If a file is missing or empty, or if an entry of X is not a file.
        """
        check_is_fitted(self)
        X = unpack_container(X)
        files = self._find_files(X)
        if files is not None:
            return files
        checked = self._check_images(X, reset=False)
        images, resize = checked.images, self._make_decoding().resize
        if resize is not None:
            if images.image_shape[2] != len(resize.background):
                resize = replace(resize, background=(gray_of(resize.background),))
            images = resize_images(images, resize)
        return checked.give_back(images)

    def _find_files(self, X):
        """Return lazy images of the files in X, or None if X holds pixels."""
        decoding, cache = self._make_decoding(), self._find_cache()
        if is_unread(X):
            return X.of_files(replace(X.source, decoding=decoding).cached(cache, self.n_jobs))
        items = find_items(X)
        if items is None:
            return None
        return LazyImages(ImageFiles.from_items(items, decoding, cache, self.n_jobs))

    def _find_resize(self):
        return self._make_decoding().resize

    def _find_cache(self):
        if self.cache is None or self.cache == "auto":
            return self.cache
        cache = os.path.abspath(os.path.expanduser(self.cache))
        if os.path.exists(cache) and not os.path.isdir(cache):
            raise NotADirectoryError(f"cache={self.cache!r} is a file. Expected a folder.")
        return cache

    def _make_decoding(self):
        background = tuple(np.ravel(self.background).tolist())
        is_color = len(background) == 3 and all(
            isinstance(value, int) and 0 <= value <= 255 for value in background
        )
        if not is_color:
            raise ValueError(
                "background must be an RGB color of three integers from 0 to 255; got "
                f"{self.background!r}."
            )
        resize = None
        if self.size is not None:
            resize = make_resize(self.size, self.method, self.interpolation, background)
        return Decoding(self.mode, resize, background, self.on_error, self.white_level)

    def __setstate__(self, state):
        # Files of an earlier version have no white level.
        super().__setstate__({"white_level": None, **state})


def _warn_of_small_values(files, indices):
    """Warn if images with 16 bits use a small part of their range, and would be dark."""
    if files.decoding.white_level is not None or not indices:
        return
    some = files.items[indices[:: 1 + len(indices) // _N_EXAMINED]]
    if all(_is_small(item) for item in some):
        warnings.warn(
            f"X has images with 16 bits whose values are below {FAINT} of 65535: they become "
            "dark. Set white_level to the value of white, such as 255 or 4095.",
            UserWarning,
            stacklevel=4,
        )


def _is_small(item):
    """Return whether all values of an image with 16 bits are below `FAINT`."""
    try:
        return decode(item, "L", background=(0, 0, 0), white_level=FAINT).max() < 255
    except (ImageFileError, OSError):
        # Found again when the file is read.
        return True
