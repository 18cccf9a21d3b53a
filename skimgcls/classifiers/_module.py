"""A classifier around a custom torch module."""

from inspect import signature

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
        module = _call(self.module, image_shape, n_outputs)
        _check_logits(module, image_shape, n_outputs)
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise ValueError(
                f"The module {type(module).__name__} has no parameter to train: none has "
                "requires_grad=True."
            )
        return module

    def _train(self, net, plan, train, valid, rng, **options):
        if min(plan.batch_size, len(train)) == 1 and self.module is not None:
            _check_single_image(net.module_.body, train.images.image_shape, plan.batch_size)
        return super()._train(net, plan, train, valid, rng, **options)


def _call(make_module, image_shape, n_outputs):
    """Return the new module, or raise if `make_module` does not make one."""
    if isinstance(make_module, torch.nn.Module):
        name = type(make_module).__name__
        raise TypeError(
            f"module is an instance of {name}. Expected the class, or a function of image_shape "
            f"and n_outputs that returns a new module for each fit: module={name}, or "
            f"module=lambda image_shape, n_outputs: {name}(...)."
        )
    try:
        signature(make_module).bind(image_shape, n_outputs)
    except TypeError as error:
        raise TypeError(
            "module must accept two positional arguments, image_shape (height, width, n_channels) "
            f"and n_outputs; {getattr(make_module, '__name__', make_module)!r} does not: {error}."
        ) from error
    except ValueError:
        # Some callables have no signature.
        pass
    module = make_module(image_shape, n_outputs)
    if not isinstance(module, torch.nn.Module):
        raise TypeError(
            f"module(image_shape, n_outputs) must return a torch.nn.Module; got {module!r}."
        )
    return module


def _check_logits(module, image_shape, n_outputs):
    """Run the module on two blank images, which also initializes lazy layers."""
    try:
        logits = _run(module, 2, image_shape, training=False)
    except Exception as error:
        raise ValueError(
            f"The module {type(module).__name__} fails on a batch of shape "
            f"{_batch_shape(2, image_shape)} (n_samples, n_channels, height, width): "
            f"{type(error).__name__}: {str(error)[:200]}"
        ) from error
    shape = tuple(getattr(logits, "shape", ()))
    if shape != (2, n_outputs) or not isinstance(logits, torch.Tensor):
        got = f"shape {shape}" if shape else f"a {type(logits).__name__}"
        raise ValueError(
            f"The module must return logits of shape (n_samples, {n_outputs}) for a batch of shape "
            f"{_batch_shape(2, image_shape)}; got {got} for n_samples=2."
        )


def _check_single_image(module, image_shape, batch_size):
    """Raise if the module cannot be trained on a batch of one image."""
    try:
        _run(module, 1, image_shape, training=True)
    except ValueError as error:
        advice = "Set a larger batch_size." if batch_size == 1 else "Pass several images."
        raise ValueError(
            f"The module {type(module).__name__} cannot be trained on a batch of one image, which "
            f"batch normalization does not support. {advice}"
        ) from error


def _run(module, n_images, image_shape, training):
    """Return the output for blank images. Running statistics and generators are unchanged."""
    was_training, state = module.training, torch.get_rng_state()
    some = next(module.parameters(), torch.empty(0))
    lazy = any(torch.nn.parameter.is_lazy(tensor) for tensor in module.parameters())
    buffers = {} if lazy else {name: buffer.clone() for name, buffer in module.named_buffers()}
    device = "cpu" if lazy else some.device
    blank = torch.zeros(_batch_shape(n_images, image_shape), device=device)
    try:
        with torch.no_grad():
            return module.train(training)(blank if lazy else blank.to(some.dtype))
    finally:
        module.train(was_training)
        if not lazy:
            torch.set_rng_state(state)
        for name, buffer in module.named_buffers():
            if name in buffers:
                buffer.copy_(buffers[name])


def _batch_shape(n_images, image_shape):
    height, width, channels = image_shape
    return n_images, channels, height, width
