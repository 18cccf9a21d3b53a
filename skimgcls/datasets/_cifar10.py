"""The CIFAR-10 dataset."""

from skimgcls.datasets._fetch import PublicSet, fetch

_CIFAR10 = PublicSet(
    name="CIFAR-10",
    caller="fetch_cifar10",
    description="""\
CIFAR-10
========

60,000 color photographs of 32 x 32 pixels in ten classes of vehicles and animals, with 6,000 images
per class. 50,000 are for training and 10,000 for testing. They were selected and labeled by hand
from a larger collection of small images from the web.

Source: https://www.cs.toronto.edu/~kriz/cifar.html

Alex Krizhevsky. Learning multiple layers of features from tiny images. Technical report, University
of Toronto, 2009.
""",
)


def fetch_cifar10(
    *,
    subset="train",
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
    as_frame=False,
):
    """Load the CIFAR-10 dataset (classification of small color photographs).

    If the dataset is missing, it is downloaded by torchvision (about 170 MB). Checksums are
    verified.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The 50,000 training images, the 10,000 test images, or both in this order.
    data_home : str or path-like, default=None
        Folder of the dataset. It has the structure of torchvision's `root`, so that datasets
        downloaded by torchvision are found. None is `sklearn.datasets.get_data_home()`.
    download_if_missing : bool, default=True
        If False, raise an error if the dataset is missing instead of downloading it.
    return_X_y : bool, default=False
        If True, return `(data, target)` instead of a `Bunch`.
    as_frame : bool, default=False
        If True, `data` is a DataFrame with one row of 3072 pixels per image, and `target` is a
        Series. Pass `image_shape=(32, 32, 3)` to classifiers of such rows.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        data : ndarray of shape (n_samples, 32, 32, 3) or DataFrame of shape (n_samples, 3072)
            Images of dtype uint8.
        target : ndarray or Series of shape (n_samples,)
            Class names, such as "airplane".
        frame : DataFrame of shape (n_samples, 3073) or None
            Pixels and the column "label", if `as_frame=True`.
        feature_names : list of 3072 str
            Column names of the rows, "pixel1" to "pixel3072".
        target_names : list of 10 str
            Class labels in the order of the publication.
        image_shape : tuple (32, 32, 3)
            Shape of one image.
        DESCR : str
            Description and source of the dataset.
    (data, target) : tuple
        If `return_X_y=True`.

    Raises
    ------
    OSError
        If the dataset is missing and `download_if_missing=False`, or if the download fails.
    ValueError, TypeError
        If a parameter has an invalid value or type.

    References
    ----------
    .. [1] A. Krizhevsky. Learning multiple layers of features from tiny images. Technical report,
       University of Toronto, 2009.

    Examples
    --------
    >>> from skimgcls.datasets import fetch_cifar10
    >>> X, y = fetch_cifar10(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y[:3].tolist()  # doctest: +SKIP
    ((50000, 32, 32, 3), ['frog', 'truck', 'truck'])

    An error is raised if the data is missing and `download_if_missing=False`:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as empty:
    ...     fetch_cifar10(data_home=empty, download_if_missing=False)
    Traceback (most recent call last):
    ...
    OSError: CIFAR-10 is missing or incomplete in '...', and download_if_missing=False. ...
    """
    # Imported here, since importing torchvision takes a second.
    from torchvision.datasets import CIFAR10

    return fetch(
        _CIFAR10,
        CIFAR10,
        subset=subset,
        data_home=data_home,
        download_if_missing=download_if_missing,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )
