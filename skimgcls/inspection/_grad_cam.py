"""Where the last convolution looked."""

import collections
import copy

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from torch import nn
from torch.nn import functional

from skimgcls.inspection._explained import Explained, check_target, import_captum
from skimgcls.inspection._fitted import find_classifier, find_pipeline
from skimgcls.inspection._pixels import read_images
from skimgcls.nets import TestTimeAugmentation

_N_AT_ONCE = 64


def grad_cam(estimator, X, target=None, *, layer=None):
    """Return where in each image a net with convolutions found its class.

    The maps of a convolution are weighed by the gradients of the class's logit, and what speaks for
    the class is kept (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
    Gradient-Based Localization", 2017), by captum. Gradients are taken place by place, and not
    their mean over a map (Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful
    explanations", 2020): that is the same for nets that end in the mean over their maps, and right
    as well for those that tell places apart. Maps are coarse, as the layer is, and are enlarged to
    the size of the images.

    Parameters
    ----------
    estimator : image classifier, Pipeline that ends in one, or search over either
        Fitted, with convolutions.

    X : array-like of images, or of paths
        What the estimator predicts.

    target : label, or array-like of shape (n,), default=None
        Class to explain, one for all or one for each image. None is the one predicted.

    layer : str or None, default=None
        Name of the layer in ``net_.module_``, as ``named_modules`` gives it. None is the last
        convolution, with the normalisation and the activation after it; an earlier one has finer
        maps of less meaning.

    Returns
    -------
    maps : ndarray of shape (n, height, width)
        From 0 on; the largest value of an image is 1, unless nothing speaks for the class. Height
        and width are those of what the net is given.

    Raises
    ------
    ImportError
        If captum is not installed.
    TypeError
        If the estimator holds no torch net with a convolution.

    See Also
    --------
    occlusion : The same question to any classifier, by covering parts of an image.
    """
    return explain_by_grad_cam(estimator, X, target, layer=layer).maps


def explain_by_grad_cam(estimator, X, target=None, *, layer=None):
    """Return the maps with what they are maps of."""
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
    """Return a copy of the net in float32, that looks at an image once."""
    if not hasattr(classifier, "net_"):
        raise TypeError(
            f"{type(classifier).__name__} holds no torch net. Grad-CAM looks into a net's "
            "convolutions; occlusion explains any classifier."
        )
    module = copy.deepcopy(classifier.net_.module_).float().cpu().eval()
    if isinstance(module, nn.Sequential) and isinstance(module[-1], TestTimeAugmentation):
        return nn.Sequential(*module[:-1], module[-1].net).eval()
    return module


def _inputs_of(estimator, X):
    """Return what the net is given of X, an array (n, height, width, channels)."""
    estimator = find_pipeline(estimator)
    while isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = find_pipeline(estimator[-1])
    return read_images(estimator._check_images(X, reset=False))


def _find_layer(net, name, images, classifier):
    """Return the layer of a name, or the last whose maps are as large as the last convolution's.

    That is after its normalisation and activation: maps before them are of both signs, of which a
    weighted sum says little.
    """
    layers = dict(net.named_modules())
    if name is not None:
        if name not in layers:
            raise ValueError(
                f"layer={name!r} is none of the net's. Expected one of "
                f"{', '.join(n for n, m in layers.items() if isinstance(m, nn.Conv2d))}."
            )
        return layers[name]
    maps = _run_through(net, images)
    convolutions = [i for i, (m, size) in enumerate(maps) if isinstance(m, nn.Conv2d)]
    if not convolutions:
        raise TypeError(
            f"The net of {classifier} has no convolution, and Grad-CAM nothing to look at. "
            "occlusion explains any classifier."
        )
    # Not one that only weighs channels, if there is another.
    large = [i for i in convolutions if max(maps[i][1]) > 1]
    last = (large or convolutions)[-1]
    calls = collections.Counter(module for module, _ in maps)
    return [m for m, size in maps[last:] if size == maps[last][1] and calls[m] == 1][-1]


def _run_through(net, images):
    """Return the modules that give maps, in the order in which they did, and the maps' sizes."""
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
    """Return the position of the most probable class of each image."""
    with torch.inference_mode():
        parts = range(0, len(images), _N_AT_ONCE)
        logits = [net(_to_batch(images[i : i + _N_AT_ONCE])) for i in parts]
    return torch.cat(logits).argmax(dim=1).numpy()
