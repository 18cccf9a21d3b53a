"""A classifier around a custom torch module."""

import torch

from skimgcls.classifiers._base import BaseImageClassifier
from skimgcls.nets import MLP
from skimgcls.utils._docstrings import with_shared_sections


@with_shared_sections
class ModuleImageClassifier(BaseImageClassifier):
    """Image classifier around a custom torch module.

    Parameters
    ----------
    module : callable, default=None
        A module class, or a function that returns a module. It is called as
        ``module(image_shape, n_outputs)`` with ``image_shape=(height, width, n_channels)``. The
        module maps a float batch of shape (n_samples, n_channels, height, width), standardized if
        `standardize`, to logits of shape (n_samples, n_outputs). None is `skimgcls.nets.MLP` with
        one hidden layer of 256 units.

    {training_parameters}

    Attributes
    ----------
    {fitted_attributes}

    See Also
    --------
    BaseImageClassifier : Base class for classifiers with custom parameters.

    Notes
    -----
    To pickle the classifier, or to search with ``n_jobs``, define the class or function in an
    importable Python module. Set its other arguments with `functools.partial`.

    Examples
    --------
    >>> from torch import nn
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import ModuleImageClassifier
    >>> def make_net(image_shape, n_outputs, width=16):
    ...     return nn.Sequential(
    ...         nn.Conv2d(image_shape[2], width, 3, padding=1),
    ...         nn.ReLU(),
    ...         nn.AdaptiveAvgPool2d(4),
    ...         nn.Flatten(),
    ...         nn.Linear(16 * width, n_outputs),
    ...     )
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = ModuleImageClassifier(make_net, max_iter=20, random_state=0).fit(X, y)
    >>> clf.score(X, y) > 0.95
    True
    """

    # Custom modules may flatten with `view`, which does not support channels-last memory.
    _channels_last = False

    _parameter_constraints: dict = {
        **BaseImageClassifier._parameter_constraints,
        "module": [callable, None],
    }

    def __init__(
        self,
        module=None,
        *,
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
        self.module = module

    def _build_module(self, image_shape, n_outputs):
        if self.module is None:
            return MLP(image_shape, n_outputs)
        module = self.module(image_shape, n_outputs)
        if not isinstance(module, torch.nn.Module):
            raise TypeError(
                f"module(image_shape, n_outputs) must return a torch.nn.Module; got {module!r}."
            )
        _check_logits(module, image_shape, n_outputs)
        return module


def _check_logits(module, image_shape, n_outputs):
    """Run the module on two blank images, which also initializes lazy layers."""
    height, width, channels = image_shape
    was_training = module.training
    with torch.no_grad():
        logits = module.eval()(torch.zeros(2, channels, height, width))
    module.train(was_training)
    shape = tuple(getattr(logits, "shape", ()))
    if shape != (2, n_outputs):
        got = f"shape {shape}" if shape else f"a {type(logits).__name__}"
        raise ValueError(
            f"The module must return logits of shape (n_samples, {n_outputs}) for a batch of shape "
            f"(n_samples, {channels}, {height}, {width}); got {got} for n_samples=2."
        )
