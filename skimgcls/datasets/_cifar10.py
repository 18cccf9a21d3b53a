"""CIFAR-10, photographs of ten kinds of things."""

from skimgcls.datasets._fetch import PublicSet, fetch

_CIFAR10 = PublicSet(
    name="CIFAR-10",
    caller="fetch_cifar10",
    description="""\
CIFAR-10
========

60,000 colour photographs of 32 by 32 pixels, each of one of ten kinds of vehicles and animals, with
6,000 photographs of each kind. 50,000 are for training and 10,000 for testing. They were picked and
labelled by hand from a larger collection of small images found on the web.

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
    """Load CIFAR-10: small colour photographs of ten kinds of vehicles and animals.

    Where the set is missing torchvision downloads it, about 170 MB, and compares its checksums.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The 50,000 images to train on, the 10,000 to test on, or both in this order.
    data_home : str or path-like, default=None
        The folder that holds the set, or will: torchvision's `root`, so that what torchvision has
        downloaded before is found. None stands for `sklearn.datasets.get_data_home()`.
    download_if_missing : bool, default=True
        Whether to download what is not there, or raise.
    return_X_y : bool, default=False
        Whether to return `(data, target)` in place of a `Bunch`.
    as_frame : bool, default=False
        Whether the data are a DataFrame with a row of 3072 pixels for each image, and the
        target is a Series. Pass such rows to a classifier with `image_shape=(32, 32, 3)`.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        data : ndarray of shape (n, 32, 32, 3), uint8, or DataFrame of shape (n, 3072)
            The images.
        target : ndarray or Series of shape (n,)
            The names of the classes, such as "airplane".
        frame : DataFrame of shape (n, 3073) or None
            Pixels and "label" together, with `as_frame`.
        feature_names : list of 3072 str
            The columns of the rows, "pixel1" to "pixel3072".
        target_names : list of 10 str
            The labels in the order the set was published with.
        image_shape : tuple (32, 32, 3)
            What one row is made of.
        DESCR : str
            What the set is, and whence.
    (data, target) : tuple
        With `return_X_y`.

    Raises
    ------
    OSError
        If the set is missing and may not be downloaded, or the download fails.
    ValueError, TypeError
        If a parameter has a value or type other than those above.

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

    What is not there is not downloaded against one's will:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as empty:
    ...     fetch_cifar10(data_home=empty, download_if_missing=False)
    Traceback (most recent call last):
    ...
    OSError: CIFAR-10 is not in '...', or not whole, and download_if_missing=False. ...
    """
    # Importing torchvision takes a second, which only those who fetch should wait.
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
