"""Building the network from the parameters, and its serialization."""

import math

import numpy as np
import torch

from skimgcls._images._statistics import channel_statistics
from skimgcls._training._batches import BatchFormat, MixupCutMix, n_batches
from skimgcls._training._config import TrainingConfig
from skimgcls._training._device import check_device, has_bfloat16
from skimgcls._training._trainer import make_net
from skimgcls.nets import ImageNetwork, Standardize, rename_old_weights
from skimgcls.utils._random import seeded
from skimgcls.utils._state_dict import check_net, dump_net, restore_net

# max_iter="auto": this number of steps, within these limits on the number of epochs. Small datasets
# need many epochs to reach enough steps, large ones a few so that each image contributes.
_STEPS = 2000
_EPOCHS = (12, 100)
# Limits of batch_size="auto" for large images: the feature maps of the first layer are many times
# larger than a batch and have to fit in memory. Below the smallest size, gradients are too noisy.
_BATCH_VALUES = 3_000_000
_SMALLEST_BATCH = 16
# Deep networks are trained for the full number of epochs on images of at least this many pixels.
# Smaller images contain less to learn: training is proportionally shorter, down to a limit.
_FULL_SIZE = 64
_SHORTEST = 1 / 8


class NetMixin:
    """Build the network from the parameters, and serialize it as arrays."""

    # Whether the module supports channels-last memory, which is faster. `view` does not.
    _channels_last = True
    # Names of the parameters that do not change the module.
    _of_training: frozenset[str]

    def _resolve_auto(self, train):
        """Store the choices that depend on the first training images."""

    def _make_config(self, n_images, *, single_epoch=False):
        """Return the training configuration for `n_images` images."""
        batch_size = self.batch_size
        if batch_size == "auto":
            batch_size = self._auto_batch_size(n_images)
        max_epochs = 1 if single_epoch else self.max_iter
        if max_epochs == "auto":
            max_epochs = self._auto_max_iter(n_batches(n_images, batch_size), n_images)
        learning_rate_init = self.learning_rate_init
        if learning_rate_init == "auto":
            learning_rate_init = self._auto_learning_rate_init(batch_size)
        plan = TrainingConfig(
            max_epochs=max_epochs,
            batch_size=batch_size,
            learning_rate_init=learning_rate_init,
            schedule="constant" if single_epoch else self.learning_rate,
            weight_decay=self.alpha,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            early_stopping=self.early_stopping and not single_epoch,
            progress=bool(self.verbose),
            mixing=self._make_mixing(n_batches(n_images, batch_size), max_epochs),
        )
        return self._refine_config(plan)

    def _store_config(self, plan):
        """Store the values used in training, with "auto" replaced."""
        self.batch_size_ = plan.batch_size
        self.learning_rate_init_ = plan.learning_rate_init
        self.max_iter_ = plan.max_epochs

    @property
    def _net_shape(self):
        """Height, width and channels of the network's input."""
        return self.image_shape_

    def _auto_batch_size(self, n_images):
        """Return the batch size for `n_images` images."""
        fitting = _BATCH_VALUES // math.prod(self._net_shape)
        return max(min(64 if n_images < 10_000 else 128, fitting), _SMALLEST_BATCH)

    def _auto_max_iter(self, n_steps, n_images):
        """Return the number of epochs, given the steps and images of one."""
        return min(max(math.ceil(_STEPS / n_steps), _EPOCHS[0]), _EPOCHS[1])

    def _training_fraction(self):
        """Return the fraction of the full number of epochs for images of this size."""
        return min(max(math.prod(self.image_shape_[:2]) / _FULL_SIZE, _SHORTEST), 1.0)

    def _refine_config(self, plan):
        """Add the settings that only some classifiers have to the configuration."""
        return plan

    def _prepare_module(self, module, train):
        """Initialize the weights of an untrained module that are not random."""

    def _make_mixing(self, n_steps, max_epochs):
        mixup = self._auto_mixup(n_steps, max_epochs) if self.mixup == "auto" else self.mixup
        if mixup == self.cutmix == 0:
            return None
        return MixupCutMix(mixup, self.cutmix, self.n_outputs_)

    def _make_net(self, train, plan, precision, start=None):
        """Return an untrained network, or one with the weights of `start`."""
        self.precision_ = precision
        self._built_with = self._module_parameters()
        statistics = None
        if self.standardize and start is None:
            statistics = self._pixel_statistics(train)
        module = self._assemble(statistics)
        if start is not None:
            try:
                module.load_state_dict(start.module_.state_dict())
            except RuntimeError as error:
                raise ValueError(
                    "warm_start=True starts from the weights of the previous fit, but the current "
                    f"parameters build a different network: {error} Set warm_start=False, or "
                    "restore the previous parameters."
                ) from error
        else:
            self._prepare_module(module, train)
        return make_net(module, self._batch_format(check_device(self.device)), plan)

    def _pixel_statistics(self, train):
        """Return the mean and the scale of each channel."""
        return channel_statistics(train.images, train.weights, train.rows)

    def _assemble(self, statistics=None):
        """Return the network: the module, after a layer that standardizes the pixels."""
        network = self._build_module(self.image_shape_, self.n_outputs_)
        if not isinstance(network, ImageNetwork) or network.standardize is not None:
            network = ImageNetwork(network)
        if self.standardize:
            channels = self.image_shape_[2]
            mean, scale = statistics or (np.zeros(channels), np.ones(channels))
            network.standardize = Standardize(torch.from_numpy(mean), torch.from_numpy(scale))
        return network

    def _module_parameters(self):
        """Return the parameters that define the module, without those of training."""
        parameters = self.get_params(deep=False).items()
        return {name: value for name, value in parameters if name not in self._of_training}

    def _batch_format(self, device):
        dtype = torch.float64 if self.precision_ == "float64" else torch.float32
        # A model trained in bfloat16 predicts in float32 on devices without bfloat16 hardware.
        autocast = self.precision_ == "bfloat16" and (
            self.precision == "bfloat16" or has_bfloat16(device)
        )
        return BatchFormat(device, dtype, self._channels_last, autocast)

    def __getstate__(self):
        """Return arrays and plain values only, which any format can save for any machine."""
        state = dict(super().__getstate__())
        if "net_" in state:
            state["net_"] = dump_net(state["net_"])
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "net_" not in state:
            return
        try:
            device = check_device(self.device)
        except ValueError:
            # The device is not available on this machine; predictions run on the CPU.
            device = torch.device("cpu")
        # Parameters may have changed after fitting; rebuild the network that was fitted.
        parameters = self._module_parameters()
        with seeded(0, device):
            self.set_params(**self._built_with)
            check_net(self._assemble, state["net_"])
            module = self._assemble()
            plan = self._make_config(1, single_epoch=True)
            self.net_ = make_net(module, self._batch_format(device), plan)
            weights = rename_old_weights(state["net_"]["module"], module)
            restore_net(self.net_, state["net_"] | {"module": weights})
        self.set_params(**parameters)
