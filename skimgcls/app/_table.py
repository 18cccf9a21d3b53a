"""Results as a CSV file."""

import csv
import io
from collections.abc import Sequence

from skimgcls.app._model import ServedModel
from skimgcls.app._predict import Answer
from skimgcls.app._verdict import judge

# Characters that start a formula in a spreadsheet, or that it skips before a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", " ", "＝", "＋", "－", "＠")  # noqa: RUF001


def to_csv(model: ServedModel, answers: Sequence[Answer], at_least: float = 0.0) -> bytes:
    """Return a CSV table with a row for each file, as UTF-8 with a byte order mark.

    Columns are file, predicted, confidence, one "probability of" for each class, and error. The
    byte order mark tells a spreadsheet the encoding.
    """
    file = io.StringIO(newline="")
    # In quotes, because some spreadsheets split at semicolons or tabs.
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    shares = [f"probability of {name}" for name in model.classes]
    writer.writerow(["file", "predicted", "confidence", *shares, "error"])
    for one in answers:
        cells: list[str] = ["", "", *[""] * len(shares)]
        if one.proba is not None:
            verdict = judge(model, one.proba, at_least)
            numbers = [f"{share:.6f}" for share in (verdict.confidence, *one.proba)]
            cells = [as_text(verdict.word), *numbers]
        writer.writerow([as_text(one.name), *cells, as_text(one.error)])
    return file.getvalue().encode("utf-8-sig")


def as_text(value: str) -> str:
    """Return a cell as text. An apostrophe is put before what would be a formula.

    >>> as_text("=1+1.png"), as_text("a=1.png")
    ("'=1+1.png", 'a=1.png')
    """
    return f"'{value}" if value.startswith(_FORMULA) else value
