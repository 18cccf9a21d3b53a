"""The model card: the model and its training."""

import io
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skimgcls.app._markup import escape, make_facts
from skimgcls.app._model import ServedModel
from skimgcls.app._upload import to_address
from skimgcls.inspection import TrainingCurveDisplay
from skimgcls.utils._unwrap import find_classifier, walk_steps

# Maximum number of classes listed on the card. The others are counted.
_N_NAMED = 200
_COLORS = {1: "gray", 3: "color"}


def find_history(model: ServedModel) -> pd.DataFrame | None:
    """Return the metrics of each epoch, or None if there are none."""
    history = getattr(find_classifier(model.estimator), "history_", None)
    return None if history is None or len(history) == 0 else history


@lru_cache(maxsize=1)
def draw_curves(model: ServedModel) -> str:
    """Return the training curves as a data URL, drawn once; empty without a history."""
    history = find_history(model)
    if history is None:
        return ""
    # Not with pyplot, which keeps all figures of a process in one list.
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    with model.lock:
        TrainingCurveDisplay(history).plot(figure.subplots(1, 2))
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=160)
    return to_address(file.getvalue(), "png")


def make_card(model: ServedModel, curves: str = "") -> str:
    """Return the model card as HTML. `curves` is the data URL of the training curves."""
    picture = f'<img class="curves" src="{escape(curves)}" alt="Loss and accuracy by epoch">'
    training = make_facts(_training_of(find_history(model)))
    parts = [
        ("Model", make_facts(_facts_of(model))),
        ("Classes", f"<p>{escape(_name_classes(model.classes))}</p>"),
        ("Steps", "".join(_make_step(step) for step in walk_steps(model.estimator))),
        ("Training", training + picture if curves else training),
        ("Versions", make_facts(_versions_of(model.manifest))),
    ]
    body = "".join(f"<h2>{title}</h2>{content}" for title, content in parts if content)
    return f'<div class="sk">{body}</div>'


def _facts_of(model: ServedModel) -> dict[str, str]:
    shape = model.manifest.get("image_shape")
    facts = {
        "File": model.name,
        "Estimator": type(model.estimator).__name__,
        "Targets": "multilabel" if model.multilabel else "one class per image",
        "Input": "image files of any size" if model.entry is None else "arrays of pixels",
    }
    if shape is not None:
        height, width, channels = shape
        facts["Image size"] = f"{width} by {height} pixels, {_COLORS.get(channels, channels)}"
    if model.threshold is not None:
        threshold = f"{100 * model.threshold:.1f} %"
        facts["Rejection"] = f"“{model.rejected_word}” below a confidence of {threshold}"
    return facts


def _name_classes(classes: list[str]) -> str:
    named = ", ".join(classes[:_N_NAMED])
    return f"{named} and {len(classes) - _N_NAMED} more" if len(classes) > _N_NAMED else named


def _make_step(step: Any) -> str:
    return f"<pre>{escape(repr(step))}</pre>"


def _training_of(history: pd.DataFrame | None) -> dict[str, str]:
    if history is None:
        return {}
    facts = {"Epochs": str(len(history)), "Time": f"{history['seconds'].sum():,.1f} s"}
    for part in ("train", "validation"):
        accuracy = history[f"{part}_accuracy"]
        if accuracy.notna().any():
            word = "training" if part == "train" else "validation"
            last, best = accuracy.iloc[-1], np.nanmax(accuracy)
            facts[f"Accuracy in {word}"] = (
                f"{100 * last:.1f} % in the last epoch, {100 * best:.1f} % in the best"
            )
    return facts


def _versions_of(manifest: dict[str, Any]) -> dict[str, str]:
    packages = manifest.get("packages")
    versions = {name: manifest[name] for name in ("skimgcls", "python") if name in manifest}
    return versions | (packages if isinstance(packages, dict) else {})
