"""The Fashion-MNIST dataset."""

from skimgcls.datasets._fetch import PublicSet, fetch

_FASHION_MNIST = PublicSet(
    name="Fashion-MNIST",
    caller="fetch_fashion_mnist",
    description="""\
Fashion-MNIST
=============

70,000 grayscale images of clothing articles, 28 x 28 pixels: 60,000 for training and 10,000 for
testing, with equally many images in each of ten classes. It has the same format as MNIST and is
harder.

Source: https://github.com/zalandoresearch/fashion-mnist

Han Xiao, Kashif Rasul and Roland Vollgraf. Fashion-MNIST: a novel image dataset for benchmarking
machine learning algorithms. arXiv:1708.07747, 2017.
""",
)


def fetch_fashion_mnist(
    *,
    subset="train",
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
    as_frame=False,
):
    """Load the Fashion-MNIST dataset (classification of clothing images).

    If the dataset is missing, it is downloaded by torchvision (about 30 MB). Checksums are
    verified.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The 60,000 training images, the 10,000 test images, or both in this order.
    data_home : str or path-like, default=None
        Folder of the dataset. It has the structure of torchvision's `root`, so that datasets
        downloaded by torchvision are found. None is `sklearn.datasets.get_data_home()`.
    download_if_missing : bool, default=True
        If False, raise an error if the dataset is missing instead of downloading it.
    return_X_y : bool, default=False
        If True, return `(data, target)` instead of a `Bunch`.
    as_frame : bool, default=False
        If True, `data` is a DataFrame with one row of 784 pixels per image, and `target` is a
        Series. Classifiers infer the shape of such rows, (28, 28).

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        data : ndarray of shape (n_samples, 28, 28) or DataFrame of shape (n_samples, 784)
            Images of dtype uint8.
        target : ndarray or Series of shape (n_samples,)
            Class names, such as "Ankle boot".
        frame : DataFrame of shape (n_samples, 785) or None
            Pixels and the column "label", if `as_frame=True`.
        feature_names : list of 784 str
            Column names of the rows, "pixel1" to "pixel784".
        target_names : list of 10 str
            Class labels in the order of the publication.
        image_shape : tuple (28, 28)
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
    .. [1] H. Xiao, K. Rasul and R. Vollgraf. Fashion-MNIST: a novel image dataset for
       benchmarking machine learning algorithms. arXiv:1708.07747, 2017.

    Examples
    --------
    >>> from skimgcls.datasets import fetch_fashion_mnist
    >>> X, y = fetch_fashion_mnist(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y[:3].tolist()  # doctest: +SKIP
    ((60000, 28, 28), ['Ankle boot', 'T-shirt/top', 'T-shirt/top'])

    An error is raised if the data is missing and `download_if_missing=False`:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as empty:
    ...     fetch_fashion_mnist(data_home=empty, download_if_missing=False)
    Traceback (most recent call last):
    ...
    OSError: Fashion-MNIST is missing or incomplete in '...', and download_if_missing=False. ...
    """
    # Imported here, since importing torchvision takes a second.
    from torchvision.datasets import FashionMNIST

    return fetch(
        _FASHION_MNIST,
        FashionMNIST,
        subset=subset,
        data_home=data_home,
        download_if_missing=download_if_missing,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )
