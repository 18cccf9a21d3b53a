"""Fine-tune a pretrained network from a fitted head, if it is better on held-out images.

A random head would first distort the features of the network. Starting from the best head on fixed
features avoids this (Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
Out-of-Distribution", 2022). The statistics of batch normalization stay as they are: those of small
batches are noisy.
"""

import math
from dataclasses import replace

import numpy as np
import torch

from skimgcls._images._lazy_images import LazyImages
from skimgcls._training._fitted_head import fit_head
from skimgcls._training._inference import BACKBONE_VALUES, predict_logits
from skimgcls._training._loss import make_loss
from skimgcls._training._trainer import train_net
from skimgcls.classifiers._held_out import LabeledImages

# Fewer images are not fine-tuned: too few of them would be held out to tell which is better.
_FEWEST = 200
_HELD_OUT = 0.2
# Images of all epochs, within limits on the number of epochs.
_N_SEEN, _EPOCHS = 6_400, (3, 10)
_BATCH_SIZE = 32


def count_epochs(clf, n_images):
    """Return the number of epochs of a classifier that fits its head: one if it does only that."""
    if clf.trainable != "auto" or n_images < _FEWEST:
        return 1
    low, high = _EPOCHS
    wanted = min(max(math.ceil(_N_SEEN / n_images), low), high)
    return wanted if clf.max_iter == "auto" else clf.max_iter


def compute_features(net, images):
    """Return the data with features (n_samples, 1, 1, n_features) as images."""
    found = predict_logits(
        net.module_.without_head(),
        images.images,
        net.iterator_valid__batch_format,
        images.rows,
        n_values=BACKBONE_VALUES,
    )
    features = np.zeros((len(images.images), 1, 1, found.shape[1]), found.dtype)
    features[images.rows, 0, 0] = found
    return replace(images, images=LazyImages(features))


class FineTuning:
    """Fit the head of a network, and train all of it if that is better.

    Parameters
    ----------
    clf : PretrainedImageClassifier
    net : TrainingNet
    plan : TrainingConfig
    rng : RandomState
    """

    def __init__(self, clf, net, plan, rng):
        self.clf = clf
        self.net = net
        self.rng = rng
        self.plan = replace(
            plan,
            fits_head=False,
            batch_size=_BATCH_SIZE if clf.batch_size == "auto" else plan.batch_size,
        )

    def run(self, train, valid):
        """Return the metrics of each epoch, the penalty of the head, and what was trained."""
        history = self.net.history
        n_epochs = len(history)
        epochs, alpha = self._fit_head(train, valid)
        is_better = len(train) >= _FEWEST and self._is_better(train, valid)
        if is_better:
            del history[n_epochs:]
            epochs = self._train_all(train, valid)
        return epochs, alpha, "all" if is_better else "head"

    def _is_better(self, train, valid):
        """Return whether training all layers is better on held-out images."""
        module, n_epochs = self.net.module_, len(self.net.history)
        before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
        part, held_out = train, valid
        if valid is None:
            part, held_out = train.hold_out(_HELD_OUT, int(self.rng.randint(2**31 - 1)))
        self._fit_head(part, None)
        cost_of_head = self._cost(held_out)
        self._train_all(part, None)
        is_better = self._cost(held_out) < cost_of_head
        module.load_state_dict(before)
        del self.net.history[n_epochs:]
        return is_better

    def _fit_head(self, train, valid):
        features = compute_features(self.net, train)
        valid = None if valid is None else compute_features(self.net, valid)
        loss, features = make_loss(self.clf._encoder, self.clf.class_weight, features)
        return fit_head(self.net, loss, features, valid, self.rng)

    def _train_all(self, train, valid):
        plan = self.plan
        self.net.initialize_optimizer()
        module = self.net.module_
        module.freeze(None, fixed_statistics=True)
        loss, train = make_loss(
            self.clf._encoder, self.clf.class_weight, train, plan.label_smoothing
        )
        epochs = train_net(self.net, plan, loss, train, valid, self.rng)
        module.freeze(0)
        return epochs

    def _cost(self, images):
        """Return the error rate plus the loss at the best temperature, as of the candidates."""
        logits = predict_logits(
            self.net.module_,
            images.images,
            self.net.iterator_valid__batch_format,
            images.rows,
            n_values=BACKBONE_VALUES,
        )
        scores = torch.from_numpy(logits).double()
        targets = images.row_targets
        proba = (scores.sigmoid() if targets.ndim == 2 else scores.softmax(dim=1)).numpy()
        held_out = LabeledImages(images.images, None, targets, images.row_weights)
        return 1 - held_out.accuracy(proba) + held_out.loss(proba)
