"""The MNIST dataset."""

from skimgcls.datasets._fetch import PublicSet, fetch

_MNIST = PublicSet(
    name="MNIST",
    caller="fetch_mnist",
    labels=tuple(range(10)),
    description="""\
MNIST
=====

70,000 grayscale images of handwritten digits, 28 x 28 pixels: 60,000 for training and 10,000 for
testing, by different writers. The digits are white on black, size-normalized and centered by their
center of mass. They were derived from two databases of the American institute NIST.

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
    """Load the MNIST dataset (classification of handwritten digits).

    If the dataset is missing, it is downloaded by torchvision (about 12 MB). Checksums are
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
            Digits, integers from 0 to 9.
        frame : DataFrame of shape (n_samples, 785) or None
            Pixels and the column "label", if `as_frame=True`.
        feature_names : list of 784 str
            Column names of the rows, "pixel1" to "pixel784".
        target_names : list of 10 int
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
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner. Gradient-based learning applied to
       document recognition. Proceedings of the IEEE 86(11), 1998.

    Examples
    --------
    >>> from skimgcls.datasets import fetch_mnist
    >>> X, y = fetch_mnist(return_X_y=True)  # doctest: +SKIP
    >>> X.shape, y[:3].tolist()  # doctest: +SKIP
    ((60000, 28, 28), [5, 0, 4])

    An error is raised if the data is missing and `download_if_missing=False`:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as empty:
    ...     fetch_mnist(data_home=empty, download_if_missing=False)
    Traceback (most recent call last):
    ...
    OSError: MNIST is missing or incomplete in '...', and download_if_missing=False. ...
    """
    # Imported here, since importing torchvision takes a second.
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
