"""The settings of one training run."""

from dataclasses import dataclass

from skimgcls._augmentation._flip_translate import FlipTranslate
from skimgcls._training._batches import MixupCutMix


@dataclass(frozen=True)
class TrainingConfig:
    """The figures of one training run."""

    max_epochs: int
    batch_size: int
    learning_rate_init: float
    schedule: str
    weight_decay: float
    tol: float
    n_iter_no_change: int
    early_stopping: bool
    progress: bool = False
    mixing: MixupCutMix | None = None
    views: FlipTranslate | None = None
    label_smoothing: float = 0.0
    solver: str = "adamw"
    weight_averaging: float = 0.0
    # By pattern of the names of weights: what share of the learning rate is theirs.
    learning_rate_factors: tuple[tuple[str, float], ...] = ()
    # Epochs in which a net of two parts trains the second alone.
    head_warmup: int = 0
