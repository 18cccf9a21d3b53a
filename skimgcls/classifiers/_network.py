"""The network of a classifier: built from its parameters, and restored from arrays."""

from contextlib import contextmanager

import numpy as np
import torch

from skimgcls._training._batches import BatchFormat
from skimgcls._training._device import check_device, has_bfloat16
from skimgcls._training._trainer import make_net
from skimgcls.nets import ImageNetwork, Standardize, rename_old_weights
from skimgcls.utils._random import seeded
from skimgcls.utils._state_dict import build_net, check_shape, dump_net, restore_net
from skimgcls.utils._torch_generators import drawing


def make_network(clf, statistics=None):
    """Return a network: the module of a classifier, after a layer that standardizes the pixels.

    Parameters
    ----------
    clf : BaseImageClassifier
        It knows the shape of the images and its classes.
    statistics : tuple (mean, scale) of ndarray of shape (n_channels,), or None
        None if they will be loaded with the weights.
    """
    with drawing():
        network = clf._build_module(clf.image_shape_, clf.n_outputs_)
    # A custom module becomes the body.
    if not isinstance(network, ImageNetwork) or network.standardize is not None:
        network = ImageNetwork(network)
    if clf.standardize:
        n_channels = clf.image_shape_[2]
        mean, scale = statistics or (np.zeros(n_channels), np.ones(n_channels))
        network.standardize = Standardize(torch.from_numpy(mean), torch.from_numpy(scale))
    return network


def start_network(clf, train, trained=None):
    """Return the network from which training starts.

    Parameters
    ----------
    clf : BaseImageClassifier
    train : TrainingImages
        The first layer, and others that are not trained, are computed from them.
    trained : ImageNetwork or None
        A network to copy all weights from instead.
    """
    clf._built_with = _network_parameters(clf)
    if trained is not None:
        network = make_network(clf)
        _copy_weights(network, trained)
        return network
    network = make_network(clf, clf._pixel_statistics(train) if clf.standardize else None)
    clf._prepare_module(network, train)
    return network


def _copy_weights(network, trained):
    """Load the weights of a trained network, or raise if it is built differently."""
    try:
        network.load_state_dict(trained.state_dict())
    except RuntimeError as error:
        raise ValueError(
            "warm_start=True starts from the weights of the previous fit, but the current "
            f"parameters build a different network: {error} Set warm_start=False, or "
            "restore the previous parameters."
        ) from error


def _network_parameters(clf):
    """Return the parameters that define the network, without those of training."""
    parameters = clf.get_params(deep=False).items()
    return {name: value for name, value in parameters if name not in clf._of_training}


def make_batch_format(clf, device):
    """Return the format of the batches on a device, in the precision of the classifier."""
    dtype = torch.float64 if clf.precision_ == "float64" else torch.float32
    # A model trained in bfloat16 predicts in float32 on devices without bfloat16 hardware.
    autocast = clf.precision_ == "bfloat16" and (
        clf.precision == "bfloat16" or has_bfloat16(device)
    )
    return BatchFormat(device, dtype, clf._channels_last, autocast)


def rebuild_net(clf, dumped):
    """Return the trained network of a classifier from what `dump_net` returned."""
    try:
        device = check_device(clf.device)
    except ValueError:
        # The device is not available on this machine; predictions run on the CPU.
        device = torch.device("cpu")
    check_shape(clf.image_shape_)
    # Parameters may have changed after fitting; rebuild the network that was fitted.
    parameters = _network_parameters(clf)
    with seeded(0, device):
        clf.set_params(**clf._built_with)
        network = build_net(lambda: make_network(clf), dumped["module"])
        plan = clf._make_config(1, single_epoch=True)
        net = make_net(network, make_batch_format(clf, device), plan)
        weights = rename_old_weights(dumped["module"], net.module_)
        restore_net(net, dumped | {"module": weights})
    clf.set_params(**parameters)
    return net


@contextmanager
def restore_net_on_error(net):
    """Restore the weights and the optimizer if the block raises."""
    before = dump_net(net)
    try:
        yield
    except BaseException:
        restore_net(net, before)
        raise
