"""The classifiers that AutoImageClassifier compares by default."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from skimgcls.classifiers._base import BaseImageClassifier
from skimgcls.classifiers._cnn import CNNImageClassifier
from skimgcls.classifiers._pretrained import PretrainedImageClassifier
from skimgcls.classifiers._resnet import ResNetImageClassifier

# Images with a side shorter than this contain too little for a pretrained or a deep network.
_SHORTEST_SIDE = 8
# Smaller sets are not compared on: the few held-out images would not tell the candidates apart.
_FEWEST_IMAGES = 40
# Images with at least so many pixels on their shorter side are photographs, unless they are shown
# to be something else.
_SIDE_OF_PHOTOGRAPHS = 32
# Training all layers of the pretrained network pays for itself with at least so many images.
_FEWEST_TO_TUNE = 300
# Work of training with effort="quick": pixels of all images of all epochs. On two cores a residual
# network takes about 5 us for each, and a CNN 1.5 us.
_WORK_OF_RESNET = 8_000_000
_WORK_OF_CNN = 40_000_000
_SIDE_OF_TINY = 16
_EPOCHS_OF_QUICK = (8, 40)
# Side of the input of the pretrained network with effort="quick".
_QUICK_SIDE = 128


@dataclass(frozen=True, eq=False)
class Candidate:
    """A classifier to compare.

    Attributes
    ----------
    name : str
    estimator : classifier
    """

    name: str
    estimator: Any

    @property
    def has_epochs(self) -> bool:
        """Whether `max_iter` is the number of epochs, which may be reduced to save time."""
        return isinstance(self.estimator, BaseImageClassifier) and not self.fits_head

    @property
    def tunes_all(self) -> bool:
        """Whether it fits the head of a network, then trains all of it if there are many images."""
        return (
            isinstance(self.estimator, PretrainedImageClassifier)
            and self.estimator.trainable == "auto"
        )

    @property
    def fits_head(self) -> bool:
        """Whether it fits the head of a frozen network, for which images are not augmented."""
        return (
            isinstance(self.estimator, PretrainedImageClassifier)
            and self.estimator.trainable == "head"
            and self.estimator.head_solver != "adamw"
        )


def list_candidates(
    image_shape: tuple[int, int, int], n_images: int, effort: str
) -> list[Candidate]:
    """Return the candidates for images of this shape, the cheapest first."""
    side = min(image_shape[:2])
    head = Candidate("pretrained, fitted head", PretrainedImageClassifier())
    cnn = Candidate("CNN", CNNImageClassifier())
    resnet = Candidate("residual network", ResNetImageClassifier())
    if side < _SHORTEST_SIDE:
        return [cnn]
    if n_images < _FEWEST_IMAGES:
        return [head if side >= _SIDE_OF_PHOTOGRAPHS else cnn]
    if effort == "quick":
        return _list_quick(image_shape, n_images, head)
    found = [head, resnet]
    if side >= _SIDE_OF_PHOTOGRAPHS and n_images >= _FEWEST_TO_TUNE:
        found.append(
            Candidate("pretrained, all layers", PretrainedImageClassifier(trainable="auto"))
        )
    if effort == "best":
        found.append(
            Candidate("wide residual network", ResNetImageClassifier(widths=(64, 256, 256)))
        )
    # A CNN is cheap on tiny images only.
    return [cnn, *found] if side < _SIDE_OF_PHOTOGRAPHS else found


def _list_quick(
    image_shape: tuple[int, int, int], n_images: int, head: Candidate
) -> list[Candidate]:
    """Return the head, and the best network from scratch that can be trained in a minute."""
    side = min(image_shape[:2])
    if side < _SIDE_OF_TINY:
        return [Candidate("CNN", CNNImageClassifier()), head]
    if side > _QUICK_SIDE:
        head.estimator.set_params(image_size=_QUICK_SIDE)
    work_of_epoch = math.prod(image_shape[:2]) * n_images
    fewest, most = _EPOCHS_OF_QUICK
    for name, work, classifier in (
        ("residual network", _WORK_OF_RESNET, ResNetImageClassifier),
        ("CNN", _WORK_OF_CNN, CNNImageClassifier),
    ):
        n_epochs = min(work // work_of_epoch, most)
        if n_epochs >= fewest:
            return [head, Candidate(name, classifier(max_iter=n_epochs))]
    return [head]


def check_candidates(candidates: Iterable[Any]) -> list[tuple[str, Any]]:
    """Return candidates given by the user, or raise if they are not named classifiers."""
    found = list(candidates)
    for place, pair in enumerate(found):
        is_pair = isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)
        if not is_pair or not (hasattr(pair[1], "fit") and hasattr(pair[1], "predict_proba")):
            raise TypeError(
                f"candidates[{place}] must be a pair of a name and a classifier with fit and "
                f"predict_proba, such as ('cnn', CNNImageClassifier()); got {pair!r:.200}."
            )
    names = [name for name, _ in found]
    if not found or len(set(names)) < len(names):
        raise ValueError(
            f"candidates must hold at least one classifier, each with its own name; got {names}."
        )
    return found
