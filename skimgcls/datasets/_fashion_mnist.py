"""Fashion-MNIST, pictures of clothes."""

from skimgcls.datasets._fetch import PublicSet, fetch

_FASHION_MNIST = PublicSet(
    name="Fashion-MNIST",
    caller="fetch_fashion_mnist",
    description="""\
Fashion-MNIST
=============

70,000 pictures of articles of a clothing shop, grey images of 28 by 28 pixels: 60,000 for training
and 10,000 for testing, with equally many of each of ten kinds. It has the form of MNIST and is
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
    """Load Fashion-MNIST: pictures of clothes, shoes and bags.

    Where the set is missing torchvision downloads it, about 30 MB, and compares its checksums.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The 60,000 images to train on, the 10,000 to test on, or both in this order.
    data_home : str or path-like, default=None
        The folder that holds the set, or will: torchvision's `root`, so that what torchvision has
        downloaded before is found. None stands for `sklearn.datasets.get_data_home()`.
    download_if_missing : bool, default=True
        Whether to download what is not there, or raise.
    return_X_y : bool, default=False
        Whether to return `(data, target)` in place of a `Bunch`.
    as_frame : bool, default=False
        Whether the data are a DataFrame with a row of 784 pixels for each image, and the
        target is a Series. Pass such rows to a classifier with `image_shape=(28, 28)`.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        data : ndarray of shape (n, 28, 28), uint8, or DataFrame of shape (n, 784)
            The images.
        target : ndarray or Series of shape (n,)
            The names of the classes, such as "Ankle boot".
        frame : DataFrame of shape (n, 785) or None
            Pixels and "label" together, with `as_frame`.
        feature_names : list of 784 str
            The columns of the rows, "pixel1" to "pixel784".
        target_names : list of 10 str
            The labels in the order the set was published with.
        image_shape : tuple (28, 28)
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
    .. [1] H. Xiao, K. Rasul and R. Vollgraf. Fashion-MNIST: a novel image dataset for
       benchmarking machine learning algorithms. arXiv:1708.07747, 2017.

    Examples
    --------
    >>> from skimgcls.datasets import fetch_fashion_mnist
    >>> X, y = fetch_fashion_mnist(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y[:3].tolist()  # doctest: +SKIP
    ((60000, 28, 28), ['Ankle boot', 'T-shirt/top', 'T-shirt/top'])

    What is not there is not downloaded against one's will:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as empty:
    ...     fetch_fashion_mnist(data_home=empty, download_if_missing=False)
    Traceback (most recent call last):
    ...
    OSError: Fashion-MNIST is not in '...', or not whole, and download_if_missing=False. ...
    """
    # Importing torchvision takes a second, which only those who fetch should wait.
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
