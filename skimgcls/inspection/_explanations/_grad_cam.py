"""Grad-CAM saliency maps."""

import collections
import copy

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from torch import nn
from torch.nn import functional

from skimgcls._images._containers import unpack_container
from skimgcls.inspection._explanations._explained import Explained, check_target, import_captum
from skimgcls.inspection._plots._pixels import read_images
from skimgcls.utils._torch_settings import default_settings
from skimgcls.utils._unwrap import find_classifier, find_pipeline

_N_AT_ONCE = 64


def grad_cam(estimator, X, target=None, *, layer=None):
    """Compute Grad-CAM saliency maps of a convolutional network.

    The feature maps of a convolution are weighted by the gradients of the class logit, and positive
    contributions are kept (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
    Gradient-Based Localization", 2017). The gradients are multiplied element by element instead of
    being averaged over a feature map (Draelos and Carin, "Use HiResCAM instead of Grad-CAM for
    faithful explanations", 2020). The result is the same for networks that end in global average
    pooling, and is also correct for networks with position-dependent weights. The maps have the
    resolution of the layer and are upsampled to the size of the images. captum computes them.

    Parameters
    ----------
    estimator : image classifier, Pipeline that ends in one, or search over either
        Fitted classifier whose network has convolutions.

    X : array-like of images, or of paths
        Images in any format that the estimator accepts.

    target : label, or array-like of shape (n_samples,), default=None
        Class to explain, one for all images or one per image. None is the predicted class.

    layer : str or None, default=None
        Name of the layer in ``net_.module_``, as in ``named_modules``. None is the last
        convolution, including the normalization and activation after it. Earlier layers give maps
        of higher resolution that are less class-specific.

    Returns
    -------
    maps : ndarray of shape (n_samples, height, width)
        Non-negative values with a maximum of 1 per image, or all 0 if no contribution is positive.
        Height and width are those of the preprocessed image that the network receives.

    Raises
    ------
    ImportError
        If captum is not installed.
    TypeError
        If the estimator has no torch network with a convolution.

    See Also
    --------
    occlusion : Saliency maps of any classifier, by covering parts of an image.
    """
    return explain_by_grad_cam(estimator, X, target, layer=layer).maps


@default_settings()
def explain_by_grad_cam(estimator, X, target=None, *, layer=None):
    """Return the maps with the images and classes that they explain."""
    X = unpack_container(X)
    attr = import_captum("grad_cam")
    classifier = find_classifier(estimator)
    net = _plain_net(classifier)
    images = _inputs_of(estimator, X)
    found = _find_layer(net, layer, images[:1], type(classifier).__name__)
    codes = check_target(target, _predict(net, images), classifier.classes_)
    explainer = attr.LayerGradientXActivation(net, found)
    maps = []
    for start in range(0, len(images), _N_AT_ONCE):
        part = slice(start, start + _N_AT_ONCE)
        batch = _to_batch(images[part])
        given = explainer.attribute(batch, torch.from_numpy(codes[part])).detach()
        coarse = given.sum(dim=1, keepdim=True).relu()
        size = batch.shape[2:]
        maps.append(
            functional.interpolate(coarse, size, mode="bilinear", align_corners=False)[:, 0]
        )
    found = torch.cat(maps).numpy()
    largest = found.max(axis=(1, 2), keepdims=True)
    shares = np.divide(found, largest, out=np.zeros_like(found), where=largest > 0)
    return Explained(images, codes, shares)


def _plain_net(classifier):
    """Return a copy of the network in float32, without test-time augmentation."""
    if not hasattr(classifier, "net_"):
        raise TypeError(
            f"{type(classifier).__name__} has no torch network. Grad-CAM needs a network with "
            "convolutions; occlusion explains any classifier."
        )
    module = copy.deepcopy(classifier.net_.module_).float().cpu().eval()
    module.views = None
    return module


def _inputs_of(estimator, X):
    """Return the network input for X, an array (n, height, width, channels)."""
    estimator = find_pipeline(estimator)
    while isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = find_pipeline(estimator[-1])
    return read_images(estimator._check_images(X, reset=False))


def _find_layer(net, name, images, classifier):
    """Return the layer called `name`, or the last with feature maps of the last convolution's size.

    This includes its normalization and activation. Maps before them have both signs, and their
    weighted sum is hard to interpret.
    """
    layers = dict(net.named_modules())
    if name is not None:
        if name not in layers:
            raise ValueError(
                f"layer={name!r} is not a layer of the network. Expected one of "
                f"{', '.join(n for n, m in layers.items() if isinstance(m, nn.Conv2d))}."
            )
        return layers[name]
    maps = _run_through(net, images)
    convolutions = [i for i, (m, size) in enumerate(maps) if isinstance(m, nn.Conv2d)]
    if not convolutions:
        raise TypeError(
            f"The network of {classifier} has no convolution, which Grad-CAM needs. Use occlusion, "
            "which explains any classifier."
        )
    # Skip convolutions that only weight channels, as in squeeze-and-excitation, if possible.
    large = [i for i in convolutions if max(maps[i][1]) > 1]
    last = (large or convolutions)[-1]
    calls = collections.Counter(module for module, _ in maps)
    return [m for m, size in maps[last:] if size == maps[last][1] and calls[m] == 1][-1]


def _run_through(net, images):
    """Return the modules that output feature maps, in order of execution, and the map sizes."""
    found = []

    def note(module, args, output):
        if isinstance(output, torch.Tensor) and output.ndim == 4:
            found.append((module, tuple(output.shape[2:])))

    hooks = [module.register_forward_hook(note) for module in net.modules()]
    try:
        with torch.inference_mode():
            net(_to_batch(images))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _to_batch(images):
    return torch.from_numpy(np.ascontiguousarray(images, np.float32)).permute(0, 3, 1, 2)


def _predict(net, images):
    """Return the index of the most probable class of each image."""
    with torch.inference_mode():
        parts = range(0, len(images), _N_AT_ONCE)
        logits = [net(_to_batch(images[i : i + _N_AT_ONCE])) for i in parts]
    return torch.cat(logits).argmax(dim=1).numpy()
