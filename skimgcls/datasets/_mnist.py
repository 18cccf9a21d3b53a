"""MNIST, handwritten digits."""

from skimgcls.datasets._fetch import PublicSet, fetch

_MNIST = PublicSet(
    name="MNIST",
    caller="fetch_mnist",
    labels=tuple(range(10)),
    description="""\
MNIST
=====

70,000 handwritten digits, grey images of 28 by 28 pixels: 60,000 for training and 10,000 for
testing, by different writers. The digits are bright on black, of one size, with their centre of
mass in the middle. They were made from two collections of forms of the American institute NIST.

Source: http://yann.lecun.com/exdb/mnist/

Yann LeCun, Leon Bottou, Yoshua Bengio and Patrick Haffner. Gradient-based learning applied to
document recognition. Proceedings of the IEEE 86(11), 1998.
""",
)


def fetch_mnist(
    *,
    subset="train",
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
    as_frame=False,
):
    """Load MNIST: handwritten digits.

    Where the set is missing torchvision downloads it, about 12 MB, and compares its checksums.

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
            The digits, integers from 0 to 9.
        frame : DataFrame of shape (n, 785) or None
            Pixels and "label" together, with `as_frame`.
        feature_names : list of 784 str
            The columns of the rows, "pixel1" to "pixel784".
        target_names : list of 10 int
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
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner. Gradient-based learning applied to
       document recognition. Proceedings of the IEEE 86(11), 1998.

    Examples
    --------
    >>> from skimgcls.datasets import fetch_mnist
    >>> X, y = fetch_mnist(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y[:3].tolist()  # doctest: +SKIP
    ((60000, 28, 28), [5, 0, 4])

    What is not there is not downloaded against one's will:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as empty:
    ...     fetch_mnist(data_home=empty, download_if_missing=False)
    Traceback (most recent call last):
    ...
    OSError: MNIST is not in '...', or not whole, and download_if_missing=False. ...
    """
    # Importing torchvision takes a second, which only those who fetch should wait.
    from torchvision.datasets import MNIST

    return fetch(
        _MNIST,
        MNIST,
        subset=subset,
        data_home=data_home,
        download_if_missing=download_if_missing,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )
