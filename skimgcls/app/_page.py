"""The page. Streamlit runs this script from top to bottom at each user interaction."""

import logging
from typing import Any

import streamlit as st

from skimgcls.app import _markup as markup
from skimgcls.app._card import draw_curves, make_card
from skimgcls.app._model import ServedModel
from skimgcls.app._paste import listen_for_paste
from skimgcls.app._predict import Answer, answer
from skimgcls.app._serve import served_model
from skimgcls.app._table import to_csv
from skimgcls.app._upload import SUFFIXES, to_data_url
from skimgcls.app._verdict import judge

_UNEXPECTED = "The model could not answer. The reason is in the terminal of the server."
_LOGGER = logging.getLogger(__name__)


def main() -> None:
    """Show the page of the served model."""
    model = served_model()
    title = model.name.removesuffix(".skimgcls")
    st.set_page_config(page_title=title, layout="centered")
    st.html(markup.STYLE)
    st.html(markup.make_header(title, model))
    asking, card = st.tabs(["Classify", "About the model"])
    with asking:
        show_answers(model)
    with card:
        show_card(model)


def show_answers(model: ServedModel) -> None:
    """Take images and show the predictions of the model."""
    files = take_files(model)
    if not files:
        return
    answers = answer_all(model, files)
    # The slider is below the results that it changes.
    place = st.container()
    at_least = 0.0
    if not model.multilabel and any(one.proba is not None for one in answers):
        at_least = ask_threshold(model)
    with place:
        if len(answers) == 1:
            show_one(model, answers[0], files[0], at_least)
        else:
            show_batch(model, answers, files, at_least)


def take_files(model: ServedModel) -> list[Any]:
    """Return the uploaded files, up to the limit."""
    limits = model.limits
    listen_for_paste()
    files = st.file_uploader(
        "Drop images here, choose them, or paste one",
        type=list(SUFFIXES),
        accept_multiple_files=True,
        key="files",
        max_upload_size=limits.upload_mb,
    )
    # Ask for camera access only after the switch is turned on.
    if st.toggle("Use the camera", key="camera_on"):
        taken = st.camera_input("Camera", label_visibility="collapsed", key="camera")
        files = [*files, *([] if taken is None else [taken])]
    if len(files) > limits.files:
        st.warning(f"Only the first {limits.files} images are read.")
    return files[: limits.files]


def answer_all(model: ServedModel, files: list[Any]) -> list[Answer]:
    """Return an answer for each file. Answers of the last run are cached in the session."""
    known = st.session_state.get("answers", {})
    missing = [file for file in files if file.file_id not in known]
    found = {file.file_id: known[file.file_id] for file in files if file.file_id in known}
    bar = st.progress(0.0, "Reading the images") if len(missing) > 1 else None
    for number, file in enumerate(missing, 1):
        found[file.file_id] = answer_one(model, file)
        if bar is not None:
            bar.progress(number / len(missing), "Reading the images")
    if bar is not None:
        bar.empty()
    st.session_state["answers"] = found
    return [found[file.file_id] for file in files]


def answer_one(model: ServedModel, file: Any) -> Answer:
    """Return the answer for a file. A failure does not affect other files."""
    try:
        return answer(model, file.name, file.getvalue())
    except Exception:
        _LOGGER.exception("A prediction failed.")
        return Answer(file.name, error=_UNEXPECTED)


def ask_threshold(model: ServedModel) -> float:
    """Return the minimum probability of a predicted class."""
    percent = st.slider(
        "Say “none of these” below a confidence of", 0, 100, 0, format="%d %%", key="at_least"
    )
    if model.threshold:
        st.caption(f"The threshold of the model itself is {100 * model.threshold:.1f} %.")
    return percent / 100


def show_one(model: ServedModel, one: Answer, file: Any, at_least: float) -> None:
    """Show an image with its classes and its saliency map."""
    if one.proba is None:
        st.html(markup.make_error(one))
        return
    st.html(markup.make_verdict(model, judge(model, one.proba, at_least)))
    pictures = st.empty()
    figure = markup.make_figure(one.picture, "The image", one.name, tiny=_is_tiny(one.picture))
    pictures.html(markup.make_pictures([figure]))
    st.html(markup.make_bars(model, one))
    if model.entry is not None:
        st.caption(model.entry.describe())
    with st.expander(f"All {len(model.classes)} classes"):
        st.html(markup.make_class_table(model, one))
    if model.blind:
        st.caption(f"A saliency map cannot be shown: {model.blind}.")
        return
    # Last, because it takes longer than the prediction.
    found = explain_one(model, file)
    pictures.html(markup.make_pictures([figure, *([found] if found else [])]))


def explain_one(model: ServedModel, file: Any) -> str:
    """Return a saliency map as a figure. The last one is cached in the session."""
    known = st.session_state.setdefault("maps", {})
    if file.file_id not in known:
        known.clear()
        known[file.file_id] = _explain(model, file)
    return known[file.file_id]


def _explain(model: ServedModel, file: Any) -> str:
    try:
        upload = model.decoder.clean(file.getvalue())
        address = to_data_url(model.explain(upload.content))
    except Exception:
        # The prediction is still shown.
        _LOGGER.exception("A map could not be made.")
        return ""
    caption = "Regions that support the prediction (Grad-CAM)"
    return markup.make_figure(address, "A map over the image", caption)


def _is_tiny(address: str) -> bool:
    return address.startswith("data:image/png")


def show_batch(
    model: ServedModel, answers: list[Answer], files: list[Any], at_least: float
) -> None:
    """Show a table of several images with a CSV download, and details of a selected one."""
    st.html(markup.make_batch_table(model, answers, at_least))
    st.download_button(
        "Download as CSV",
        to_csv(model, answers, at_least),
        file_name="predictions.csv",
        mime="text/csv",
        on_click="ignore",
    )
    places = name_places(answers)
    chosen = st.selectbox(
        "Show one image",
        list(places),
        index=None,
        placeholder="Choose an image",
        key="chosen",
    )
    if chosen is not None:
        place = places[chosen]
        show_one(model, answers[place], files[place], at_least)


def name_places(answers: list[Answer]) -> dict[str, int]:
    """Return the position of each image that could be read, by its unique name."""
    names = [one.name for one in answers]
    places: dict[str, int] = {}
    for place, one in enumerate(answers):
        if one.proba is None:
            continue
        name = one.name if names.count(one.name) == 1 else f"{one.name} ({place + 1})"
        # A file may be called like the numbered name of another one.
        while name in places or (name != one.name and name in names):
            name += f" ({place + 1})"
        places[name] = place
    return places


def show_card(model: ServedModel) -> None:
    """Show the model card with the training curves."""
    st.html(make_card(model, draw_curves(model)))


if __name__ == "__main__":
    main()
