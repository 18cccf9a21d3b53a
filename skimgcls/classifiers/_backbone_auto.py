"""Parameters of a PretrainedImageClassifier that are "auto"."""

import math

from skimgcls.classifiers._auto import AutoValues

# max_iter="auto" if the backbone is trained: this number of steps, within these limits on the
# number of epochs. If all images fit in one batch, twice as many epochs would be a little more
# accurate but take twice as long.
_STEPS = 500
_EPOCHS = (5, 60)
_EPOCHS_OF_ONE_BATCH = 30


class BackboneAutoValues(AutoValues):
    """Values of the training parameters that are "auto", if the backbone is trained."""

    def max_iter(self, n_steps, n_images):
        n_epochs = min(
            _STEPS / n_steps,
            _EPOCHS_OF_ONE_BATCH if n_steps == 1 else _EPOCHS[1],
        )
        return max(math.ceil(self.training_fraction() * n_epochs), _EPOCHS[0])


def choose_head_solver(clf, *, is_augmented):
    """Return the solver of the head of a PretrainedImageClassifier, "lbfgs" or "adamw".

    Raises
    ------
    ValueError
        If "lbfgs" is asked for, and cannot be used.
    """
    if clf.trainable == "auto":
        _check_fine_tuning(clf)
        return "lbfgs"
    settings = {
        'trainable is not "head"': clf._n_stages != 0,
        "images are augmented": is_augmented,
        "horizontal_flip is set": clf.horizontal_flip_,
        "translation is set": clf.translation_ > 0,
        "mixup is set": clf.mixup > 0,
        "cutmix is set": clf.cutmix > 0,
        "dropout is set": clf.dropout > 0,
        "early_stopping is set": clf.early_stopping,
        "max_iter is set": clf.max_iter != "auto",
        "keep_features=False": not clf.keep_features,
    }
    found = [text for text, is_set in settings.items() if is_set]
    if clf.head_solver == "lbfgs" and found:
        raise ValueError(
            'head_solver="lbfgs" fits the head once, on features of unchanged images, but '
            f'{" and ".join(found)}. Change this, or set head_solver="adamw".'
        )
    return "adamw" if found or clf.head_solver == "adamw" else "lbfgs"


def _check_fine_tuning(clf):
    """Raise if a parameter contradicts trainable="auto", which fits the head first."""
    settings = {
        'head_solver="adamw"': clf.head_solver == "adamw",
        "early_stopping=True": clf.early_stopping,
        "keep_features=False": not clf.keep_features,
    }
    found = [text for text, is_set in settings.items() if is_set]
    if found:
        raise ValueError(
            'trainable="auto" fits the head to features, and holds images out to decide on the '
            f'rest; it cannot be used with {" and ".join(found)}. Set trainable="all" instead.'
        )
