"""A convolutional neural network."""

from numbers import Integral, Real

from skimgcls.classifiers._base import BaseImageClassifier
from skimgcls.nets import ACTIVATIONS, CNN
from skimgcls.utils._docstrings import with_shared_sections
from skimgcls.utils._params import check_sizes
from skimgcls.utils._sklearn_compat import Interval, StrOptions


@with_shared_sections
class CNNImageClassifier(BaseImageClassifier):
    """Convolutional neural network image classifier.

    Convolutions, each followed by max-pooling and an activation, then dense layers (LeCun et al.,
    "Gradient-Based Learning Applied to Document Recognition", 1998).

    Parameters
    ----------
    conv_channels : array-like of int, default=(32, 64)
        Number of output channels of each convolution.

    kernel_size : int, default=3
        Side of the convolution kernels, in pixels.

    padding : {"same", "valid"}, default="same"
        "same" keeps the size of the feature map; "valid" reduces height and width by
        ``kernel_size - 1`` pixels at each convolution. A map smaller than the kernel is padded to
        the kernel's size.

    pool_size : int or array-like of int, default=2
        Side of the pooling windows, one value for all convolutions or one for each; 1 disables
        pooling. The window is reduced to the size of the feature map if that is smaller.

    hidden_layer_sizes : array-like of int, default=(128,)
        Number of units of each dense hidden layer.

    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden layers.

    dropout : float, default=0.0
        Dropout rate of the dense hidden layers, in [0, 1) (Srivastava et al., "Dropout", 2014).

    {training_parameters}

    Attributes
    ----------
    {fitted_attributes}

    See Also
    --------
    MLPImageClassifier : Dense layers only, for small images or images without local structure.
    ModuleImageClassifier : A custom torch module.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skimgcls import CNNImageClassifier
    >>> digits = load_digits()
    >>> X_train, X_test, y_train, y_test = train_test_split(
    ...     digits.images, digits.target, random_state=0
    ... )
    >>> clf = CNNImageClassifier(max_iter=20, random_state=0).fit(X_train, y_train)
    >>> clf.score(X_test, y_test) > 0.95
    True
    """

    _parameter_constraints: dict = {
        **BaseImageClassifier._parameter_constraints,
        "conv_channels": ["array-like", Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "padding": [StrOptions({"same", "valid"})],
        "pool_size": ["array-like", Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        conv_channels=(32, 64),
        *,
        kernel_size=3,
        padding="same",
        pool_size=2,
        hidden_layer_sizes=(128,),
        activation="relu",
        dropout=0.0,
        alpha=0.1,
        batch_size="auto",
        learning_rate="cosine",
        learning_rate_init=0.002,
        max_iter="auto",
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        class_weight=None,
        mixup=0.0,
        cutmix=0.0,
        standardize=True,
        image_shape=None,
        warm_start=False,
        device="auto",
        precision="auto",
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            class_weight=class_weight,
            mixup=mixup,
            cutmix=cutmix,
            standardize=standardize,
            image_shape=image_shape,
            warm_start=warm_start,
            device=device,
            precision=precision,
            random_state=random_state,
            verbose=verbose,
        )
        self.conv_channels = conv_channels
        self.kernel_size = kernel_size
        self.padding = padding
        self.pool_size = pool_size
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout

    def _build_module(self, image_shape, n_outputs):
        conv_channels = check_sizes("conv_channels", self.conv_channels)
        return CNN(
            image_shape,
            n_outputs,
            conv_channels=conv_channels,
            kernel_size=self.kernel_size,
            padding=self.padding,
            pool_sizes=check_sizes("pool_size", self.pool_size, length=len(conv_channels)),
            hidden_layer_sizes=check_sizes("hidden_layer_sizes", self.hidden_layer_sizes),
            activation=self.activation,
            dropout=self.dropout,
        )
