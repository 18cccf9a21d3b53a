"""From files to images."""

import os
from dataclasses import replace
from numbers import Integral
from os import PathLike

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skimgcls._images._decode import CHANNELS
from skimgcls._images._image_files import Decoding, ImageFiles, find_items
from skimgcls._images._lazy_images import LazyImages
from skimgcls._images._resize import INTERPOLATIONS, grey_of
from skimgcls.preprocessing._base import BaseImageTransformer, restore_format
from skimgcls.preprocessing._resizer import METHODS, is_unread, make_resize, resize_images
from skimgcls.utils._rollback import restore_on_error
from skimgcls.utils._sklearn_compat import Interval, StrOptions, fit_context


class ImageLoader(BaseImageTransformer):
    """Read images from files, batch by batch as a classifier asks for them.

    Files are PNG, JPEG, BMP, TIFF, WebP, PGM or PPM, in any of Pillow's modes; they are turned as
    their EXIF data say. What holds pixels already passes through, resized if a size is given, so
    that one Pipeline takes files and arrays.

    Parameters
    ----------
    size : int, tuple (height, width) or None, default=None
        Size of the images that come out, in pixels; one number is a square. None leaves the size as
        it is, which must then be the same for all.

    mode : {"RGB", "L"}, default="RGB"
        Colour, or grey.

    method : {"fit", "crop", "pad"}, default="fit"
        What becomes of another shape: "fit" stretches each side on its own, "crop" keeps the
        largest middle part of the right shape, and "pad" keeps all and puts `background` beside it.

    interpolation : {"nearest", "bilinear", "bicubic"}, default="bilinear"
        How pixels are made of pixels; see :class:`ImageResizer`.

    background : tuple of 3 int, default=(255, 255, 255)
        Red, green and blue behind transparent pixels, and beside a padded picture.

    on_error : {"raise", "blank"}, default="raise"
        Whether a file that cannot be read raises, or counts as a black image.

    cache : str, PathLike or None, default=None
        Folder to keep decoded pixels in, as bytes: 12 KiB for an image of 64 x 64. Each file is
        then decoded once, and again when it, or the way to decode it, has changed. The folder is
        made if there is none; remove it to free its space.

    n_jobs : int or None, default=None
        Threads that decode while the classifier works. None is 1, -1 is one for each core.

    Attributes
    ----------
    n_features_in_ : int
        1 if `fit` saw files, else numbers per image.
    image_shape_ : tuple (height, width, channels)
        Of the images that `fit` saw, if they were pixels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if X was a DataFrame of pixels.

    See Also
    --------
    skimgcls.datasets.load_image_folder : Lists the files of a folder with their classes.
    skimgcls.inspection.audit_images : Finds what is wrong with files before a fit does.

    Notes
    -----
    `fit` reads the beginning of each file, and nothing is decoded before it is needed. A file that
    proves broken later raises with its position and name, as does one that changes while a model
    trains.

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
        on_error="raise",
        cache=None,
        n_jobs=None,
    ):
        self.size = size
        self.mode = mode
        self.method = method
        self.interpolation = interpolation
        self.background = background
        self.on_error = on_error
        self.cache = cache
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check that files are there and begin as images do.

        Parameters
        ----------
        X : DataFrame of one column, Series, list or array of files; or array of images
            One file an image: a path, the bytes it holds, an open file or a picture of Pillow.
            Pixels pass through.
        y : None
            Not used.

        Returns
        -------
        self : object
            The fitted loader. If `fit` raises, it stays as it was before.

        Raises
        ------
        FileNotFoundError, PermissionError, ValueError
            If a file is missing, empty, no image, or too large to be one; the first is named.
        NotADirectoryError
            If `cache` is a file.
        """
        with restore_on_error(self):
            files = self._find_files(X)
            if files is None:
                self._check_images(X, reset=True)
            else:
                files.source.check_headers()
                for name in ("image_shape_", "feature_names_in_"):
                    vars(self).pop(name, None)
                self.n_features_in_ = 1
        return self

    def transform(self, X):
        """Take files for images, or resize what is pixels already.

        Parameters
        ----------
        X : DataFrame of one column, Series, list or array of files; or array of images

        Returns
        -------
        X_new : lazy images or ndarray
            Lazy images for files: an array of them, as ``np.asarray`` makes it, is uint8 of shape
            (n, height, width, channels). An array for pixels, in the spelling of X.

        Raises
        ------
        FileNotFoundError, PermissionError, ValueError
            If a file is missing or empty; or if an entry of X is no file.
        """
        check_is_fitted(self)
        files = self._find_files(X)
        if files is not None:
            return files
        images, ndim = self._check_images(X, reset=False)
        resize = self._make_decoding().resize
        if resize is None:
            return images if isinstance(images, LazyImages) else restore_format(images, ndim)
        channels = images.image_shape[2] if isinstance(images, LazyImages) else images.shape[3]
        if channels != len(resize.background):
            resize = replace(resize, background=(grey_of(resize.background),))
        return resize_images(images, ndim, resize)

    def _find_files(self, X):
        """Return lazy images of the files of X, read as the parameters say; None for pixels."""
        decoding, cache = self._make_decoding(), self._find_cache()
        if isinstance(X, LazyImages) and is_unread(X):
            files = replace(X.source, decoding=decoding, cache=cache, n_jobs=self.n_jobs)
            return X.of_files(files)
        items = find_items(X)
        if items is None:
            return None
        return LazyImages(ImageFiles.from_items(items, decoding, cache, self.n_jobs))

    def _find_cache(self):
        if self.cache is None:
            return None
        cache = os.path.abspath(self.cache)
        if os.path.exists(cache) and not os.path.isdir(cache):
            raise NotADirectoryError(f"cache={self.cache!r} is a file. Expected a folder.")
        return cache

    def _make_decoding(self):
        background = tuple(np.ravel(self.background).tolist())
        is_colour = len(background) == 3 and all(
            isinstance(value, int) and 0 <= value <= 255 for value in background
        )
        if not is_colour:
            raise ValueError(
                "background must be red, green and blue, three integers from 0 to 255; got "
                f"{self.background!r}."
            )
        resize = None
        if self.size is not None:
            resize = make_resize(self.size, self.method, self.interpolation, background)
        return Decoding(self.mode, resize, background, self.on_error)
