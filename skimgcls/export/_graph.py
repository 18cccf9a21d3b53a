"""A Pipeline as one torch module, from pixels to probabilities."""

import copy
from dataclasses import replace

import torch
from torch import nn

from skimgcls._images._resize import gray_of
from skimgcls._images._resize_center_crop import ResizeCenterCrop
from skimgcls.export._float_resize import FloatResize
from skimgcls.export._pillow_resize import PillowResize
from skimgcls.nets import BatchNorm, BatchNorm2d, Standardize
from skimgcls.preprocessing import (
    ImageAugmenter,
    ImageFlattener,
    ImageLoader,
    ImageNormalizer,
    ImageResizer,
)

# Tolerance for rounding. A threshold is the probability of an accepted image, which the graph must
# accept too.
_ROUNDING = 1e-6


class Graph(nn.Module):
    """Map pixels (n_samples, height, width, n_channels) to probabilities and codes.

    Parameters
    ----------
    parts : Parts
    takes_bytes : bool
        Whether pixels are uint8. Otherwise they are float32.

    Attributes
    ----------
    image_shape : tuple (height, width, n_channels)
        Shape of the input images. Height and width are None if any size is accepted.
    """

    def __init__(self, parts, *, takes_bytes):
        super().__init__()
        steps, self.image_shape = _make_steps(parts, takes_bytes)
        self.steps = nn.ModuleList(steps)
        self.networks = nn.ModuleList(_Network(classifier) for classifier, _ in parts.members)
        self.weights = [weight for _, weight in parts.members]
        self.is_multilabel = parts.classifier.out_activation_ == "logistic"
        self.threshold = 0.0 if parts.rejecting is None else parts.rejecting.threshold_ - _ROUNDING
        self.eval()

    def forward(self, pixels):
        """Return probabilities (n_samples, n_classes) and codes.

        Codes are class indices (n_samples,), where n_classes means a rejection. For multilabel
        targets they are zeros and ones (n_samples, n_classes).
        """
        batch = pixels.permute(0, 3, 1, 2)
        for step in self.steps:
            batch = step(batch)
        if len(self.networks) > 1:
            return self._average(batch)
        logits = self.networks[0](batch)
        if self.is_multilabel:
            return torch.sigmoid(logits.double()).float(), (logits > 0).long()
        proba = torch.softmax(logits.double(), dim=1)
        return proba.float(), self._reject(proba, logits.argmax(dim=1))

    def _average(self, batch):
        """Return averaged probabilities and codes."""
        logits = (network(batch).double() for network in self.networks)
        parts = (
            weight * (torch.sigmoid(z) if self.is_multilabel else torch.softmax(z, dim=1))
            for weight, z in zip(self.weights, logits, strict=True)
        )
        proba = sum(parts)
        if self.is_multilabel:
            return proba.float(), (proba > 0.5).long()
        return proba.float(), self._reject(proba, proba.argmax(dim=1))

    def _reject(self, proba, codes):
        if self.threshold <= 0:
            return codes
        return torch.where(proba.amax(dim=1) < self.threshold, proba.shape[1], codes)


class _Network(nn.Module):
    """Resize images as a classifier does, and compute its logits."""

    def __init__(self, classifier):
        super().__init__()
        framing = getattr(classifier, "_framing", None)
        self.resize = None
        if framing is not None:
            self.resize = FloatResize.of_framing(
                ResizeCenterCrop(**framing), classifier.image_shape_
            )
        self.net = _copy_net(classifier.net_.module_)

    def forward(self, batch):
        if self.resize is not None:
            batch = self.resize(batch)
        return self.net(batch.to(torch.float32))


class _Step(nn.Module):
    """Apply a step of lazy images to floats."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def forward(self, batch):
        return self.step(batch.to(torch.float32), None)


class _RestoreFormat(nn.Module):
    """Reshape images to another shape, in row-major order."""

    def __init__(self, image_shape):
        super().__init__()
        self.image_shape = image_shape

    def forward(self, batch):
        rows = batch.permute(0, 2, 3, 1)
        return rows.reshape(-1, *self.image_shape).permute(0, 3, 1, 2)


class _Affine(nn.Module):
    """Multiply and shift each channel, as a fitted normalization layer does."""

    def __init__(self, factor, offset):
        super().__init__()
        self.register_buffer("factor", factor.detach().reshape(-1, 1, 1))
        self.register_buffer("offset", offset.detach().reshape(-1, 1, 1))

    @classmethod
    def of(cls, layer):
        """Return the equivalent of a layer in evaluation mode, or None if there is none."""
        if type(layer) is Standardize:
            return cls(layer.factor, layer.offset)
        if type(layer) is BatchNorm:
            factor = (layer.variance + layer.eps).rsqrt()
            return cls(factor, layer.bias - layer.mean * factor)
        if type(layer) in (nn.BatchNorm2d, BatchNorm2d) and layer.running_var is not None:
            factor = (layer.running_var + layer.eps).rsqrt()
            offset = -layer.running_mean * factor
            if layer.affine:
                factor, offset = factor * layer.weight, offset * layer.weight + layer.bias
            return cls(factor, offset)
        return None

    def forward(self, batch):
        return batch * self.factor + self.offset


def _copy_net(net):
    """Return a copy of a network for export, in float32 and on the CPU.

    Normalization layers are replaced: not every version of torch can export them.
    """
    net = copy.deepcopy(net).to(device="cpu", dtype=torch.float32)
    for module in list(net.modules()):
        for name, child in module.named_children():
            affine = _Affine.of(child)
            if affine is not None:
                setattr(module, name, affine)
    return net


def _make_steps(parts, takes_bytes):
    """Return modules from batch to batch, and the shape of their input images."""
    shape = first_shape = tuple(parts.first_shape)
    steps, are_bytes, takes_any_size = [], takes_bytes, False
    for transformer in parts.transformers:
        if isinstance(transformer, ImageLoader | ImageResizer):
            if transformer.size is None:
                continue
            resize = _resize_of(transformer, shape[2])
            takes_any_size |= are_bytes and not steps
            steps.append(
                PillowResize(resize) if are_bytes else FloatResize.of_resize(resize, shape)
            )
            shape = (*resize.size, shape[2])
            continue
        if not isinstance(transformer, ImageNormalizer | ImageAugmenter | ImageFlattener):
            raise TypeError(
                f"{type(transformer).__name__} cannot be exported to ONNX. Expected "
                "transformers of skimgcls: ImageLoader, ImageResizer, ImageNormalizer, "
                "ImageAugmenter, ImageFlattener."
            )
        steps += _respelled(shape, transformer.image_shape_)
        shape = tuple(transformer.image_shape_)
        if isinstance(transformer, ImageNormalizer):
            steps.append(_Step(transformer._make_step(shape)))
            are_bytes = False
        elif isinstance(transformer, ImageAugmenter):
            # No effect on predictions, but with any augmentation later resizing is on floats.
            are_bytes &= not transformer._make_steps()
    steps += _respelled(shape, parts.classifier.image_shape_)
    return steps, (None, None, first_shape[2]) if takes_any_size else first_shape


def _respelled(shape, wanted):
    return [] if tuple(shape) == tuple(wanted) else [_RestoreFormat(tuple(wanted))]


def _resize_of(transformer, n_channels):
    if isinstance(transformer, ImageResizer):
        return transformer._make_resize()
    resize = transformer._make_decoding().resize
    if n_channels == len(resize.background):
        return resize
    return replace(resize, background=(gray_of(resize.background),))
