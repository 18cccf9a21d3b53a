"""Configuration of one training run."""

from dataclasses import dataclass

from skimgcls._augmentation._flip_translate import FlipTranslate
from skimgcls._training._batches import MixupCutMix


@dataclass(frozen=True)
class TrainingConfig:
    """Configuration of one training run."""

    max_epochs: int
    batch_size: int
    learning_rate_init: float
    schedule: str
    weight_decay: float
    tol: float
    n_iter_no_change: int
    early_stopping: bool
    progress: bool = False
    log: bool = False
    mixing: MixupCutMix | None = None
    views: FlipTranslate | None = None
    label_smoothing: float = 0.0
    solver: str = "adamw"
    weight_averaging: float = 0.0
    # Pairs of a pattern of weight names and the factor of their learning rate.
    learning_rate_factors: tuple[tuple[str, float], ...] = ()
    # Number of initial epochs in which only the head of a TransferNet is trained.
    head_warmup: int = 0
    # Whether the head of a TransferNet is fitted, on features, instead of trained.
    fits_head: bool = False
