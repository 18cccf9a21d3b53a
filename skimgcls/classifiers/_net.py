"""From parameters to a net, and from a net to what is saved of it and back."""

import math
from collections import OrderedDict

import numpy as np
import torch

from skimgcls._images._statistics import channel_statistics
from skimgcls._training._batches import BatchFormat, MixupCutMix, n_batches
from skimgcls._training._config import TrainingConfig
from skimgcls._training._device import check_device, has_bfloat16
from skimgcls._training._trainer import make_net
from skimgcls.nets import Standardize
from skimgcls.utils._random import seeded
from skimgcls.utils._state_dict import check_net, dump_net, restore_net

# What max_iter="auto" makes: so many steps, in no fewer and no more epochs than these. Small sets
# need many passes for the steps they take to learn, and large ones a few for each image to count.
_STEPS = 2000
_EPOCHS = (12, 100)
# What batch_size="auto" keeps to where images are large: the maps of a net's first layer are many
# times a batch, and have to fit in memory. Below the smallest, steps are too noisy.
_BATCH_VALUES = 3_000_000
_SMALLEST_BATCH = 16
# Pixels of an image from which on deep networks are trained for as long as the number of images
# asks for. Smaller images hold less to learn: training is shorter in proportion, down to a limit.
_FULL_SIZE = 64
_SHORTEST = 1 / 8


class NetMixin:
    """The net of a classifier: made of its parameters, kept as arrays."""

    # A module that flattens with `view` cannot take channels-last memory; ours can, and are faster.
    _channels_last = True
    # Names of the parameters that do not decide what module is built.
    _of_training: frozenset[str]

    def _resolve_auto(self, train):
        """Store what the first training images decide, before a net is planned for them."""

    def _make_config(self, n_images, *, single_epoch=False):
        """Turn parameters into figures for a run over so many images."""
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
        """Store the values that training uses, of which some may have been "auto"."""
        self.batch_size_ = plan.batch_size
        self.learning_rate_init_ = plan.learning_rate_init
        self.max_iter_ = plan.max_epochs

    @property
    def _net_shape(self):
        """Height, width and channels of what the net is given."""
        return self.image_shape_

    def _auto_batch_size(self, n_images):
        """Return how many images to take at a time, of so many."""
        fitting = _BATCH_VALUES // math.prod(self._net_shape)
        return max(min(64 if n_images < 10_000 else 128, fitting), _SMALLEST_BATCH)

    def _auto_max_iter(self, n_steps, n_images):
        """Return how many epochs to train, of so many steps and images each."""
        return min(max(math.ceil(_STEPS / n_steps), _EPOCHS[0]), _EPOCHS[1])

    def _training_fraction(self):
        """Return the fraction of a full training that images of this size need."""
        return min(max(math.prod(self.image_shape_[:2]) / _FULL_SIZE, _SHORTEST), 1.0)

    def _refine_config(self, plan):
        """Return the plan with what only some classifiers have a parameter for."""
        return plan

    def _prepare_module(self, module, train):
        """Let an untrained module learn from the images what is not trained."""

    def _make_mixing(self, n_steps, max_epochs):
        mixup = self._auto_mixup(n_steps, max_epochs) if self.mixup == "auto" else self.mixup
        if mixup == self.cutmix == 0:
            return None
        return MixupCutMix(mixup, self.cutmix, self.n_outputs_)

    def _make_net(self, train, plan, precision, start=None):
        """Return an untrained net for these images, or one with the weights of `start`."""
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
                    "warm_start=True begins with the weights of the earlier fit, but parameters "
                    f"set since make another net of them: {error} Set warm_start=False, or set the "
                    "parameters back."
                ) from error
        else:
            self._prepare_module(module, train)
        return make_net(module, self._batch_format(check_device(self.device)), plan)

    def _pixel_statistics(self, train):
        """Return what to subtract from each channel, and what to divide it by."""
        return channel_statistics(train.images, train.weights, train.rows)

    def _assemble(self, statistics=None):
        """Return the module with the pixel statistics before it."""
        channels = self.image_shape_[2]
        layers = {}
        if self.standardize:
            mean, scale = statistics or (np.zeros(channels), np.ones(channels))
            layers["standardize"] = Standardize(torch.from_numpy(mean), torch.from_numpy(scale))
        layers["net"] = self._build_module(self.image_shape_, self.n_outputs_)
        return torch.nn.Sequential(OrderedDict(layers))

    def _module_parameters(self):
        """Return the parameters that decide what module is built: not those of training."""
        parameters = self.get_params(deep=False).items()
        return {name: value for name, value in parameters if name not in self._of_training}

    def _batch_format(self, device):
        dtype = torch.float64 if self.precision_ == "float64" else torch.float32
        # What was trained elsewhere in bfloat16 is computed exactly where that is not slower.
        autocast = self.precision_ == "bfloat16" and (
            self.precision == "bfloat16" or has_bfloat16(device)
        )
        return BatchFormat(device, dtype, self._channels_last, autocast)

    def __getstate__(self):
        """Arrays and plain values alone, so that any way of saving works on any machine."""
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
            # Trained on a device that this machine lacks; predictions do not need it.
            device = torch.device("cpu")
        # Parameters may have been set since the fit; the net is the one that was fitted.
        parameters = self._module_parameters()
        with seeded(0, device):
            self.set_params(**self._built_with)
            check_net(self._assemble, state["net_"])
            module = self._assemble()
            plan = self._make_config(1, single_epoch=True)
            self.net_ = make_net(module, self._batch_format(device), plan)
            restore_net(self.net_, state["net_"])
        self.set_params(**parameters)
