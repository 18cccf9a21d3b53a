"""A multilayer perceptron on pixels."""

from numbers import Integral, Real

from skimgcls.classifiers._base import BaseImageClassifier
from skimgcls.nets import ACTIVATIONS, MLP
from skimgcls.utils._docstrings import with_shared_sections
from skimgcls.utils._params import check_sizes
from skimgcls.utils._sklearn_compat import Interval, StrOptions


@with_shared_sections
class MLPImageClassifier(BaseImageClassifier):
    """Multilayer perceptron image classifier: dense layers on the pixels.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, default=(256,)
        Number of units of each hidden layer.

    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden layers.

    dropout : float, default=0.0
        Dropout rate of the hidden layers, in [0, 1) (Srivastava et al., "Dropout", 2014).

    {training_parameters}

    Attributes
    ----------
    {fitted_attributes}

    See Also
    --------
    CNNImageClassifier : Convolutions, which use the neighborhood of each pixel.
    ModuleImageClassifier : A custom torch module.
    sklearn.neural_network.MLPClassifier : The scikit-learn estimator with similar parameters.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skimgcls import MLPImageClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> clf = MLPImageClassifier(max_iter=20, random_state=0).fit(X_train, y_train)
    >>> clf.score(X_test, y_test) > 0.95
    True
    """

    _parameter_constraints: dict = {
        **BaseImageClassifier._parameter_constraints,
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        hidden_layer_sizes=(256,),
        *,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout

    def _build_module(self, image_shape, n_outputs):
        return MLP(
            image_shape,
            n_outputs,
            hidden_layer_sizes=check_sizes("hidden_layer_sizes", self.hidden_layer_sizes),
            activation=self.activation,
            dropout=self.dropout,
        )
