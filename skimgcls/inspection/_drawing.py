"""What the displays draw with: matplotlib where it is there, and pictures on one pair of axes."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

# Lengths in points: text smaller than this is not read, and a line takes more than its letters.
SMALLEST, LINE = 5.0, 1.25
# Width of an average letter, as a share of its height.
LETTER = 0.6
# Width of a picture with its room, in inches: without text that is longer, and with; and of the
# largest figure.
_CELL, _WIDEST_CELL, _LARGEST = 1.15, 2.3, 80.0
# What a picture leaves free of its cell.
_GAP = 0.08
_TEXT_SIZE = 9.0
# What lines of text take of its width.
_FILLED = 0.96


def import_pyplot(display: Any) -> Any:
    """Return matplotlib.pyplot, or say how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{type(display).__name__} draws with matplotlib, which is not installed: pip install "
            '"skimgcls[plots]".'
        ) from error
    return plt


def check_choice(name, value, choices):
    """Raise if a value is none of some."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")


def check_count(name, value):
    """Raise if a value is no number of things to show."""
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be a number from 1 on; got {value!r}.")


def shorten(text, longest):
    r"""Return text on one line and of a length: names that are alike often differ at an end.

    >>> shorten("a long name\nof class 7", 12)
    'a long…ass 7'
    """
    text = " ".join(str(text).split())
    if len(text) <= longest:
        return text
    kept = max(longest - 1, 0)
    return text[: kept - kept // 2] + "…" + text[len(text) - kept // 2 :]


class PictureGrid:
    """Pictures in rows and columns on one pair of axes, each with some lines of text under it.

    Parameters
    ----------
    texts : list of list of str
        The lines under each picture, which may be none.
    n_columns : int or None
        None makes about as many as rows.
    pictures : list of ndarray
        Where all are wider than high, rows are lower.

    Attributes
    ----------
    size : tuple (width, height)
        Of a figure that shows it well, in inches.
    """

    def __init__(
        self,
        texts: list[list[str]],
        n_columns: int | None = None,
        pictures: Sequence[np.ndarray] = (),
    ) -> None:
        n_pictures = len(texts)
        self.n_columns = n_columns or max(1, min(n_pictures, int(np.ceil(np.sqrt(n_pictures)))))
        self.n_rows = max(1, -(-n_pictures // self.n_columns))
        self.texts = texts
        self.n_lines = max(map(len, texts), default=0)
        longest = max((len(line) for lines in texts for line in lines), default=0)
        # In inches, and as they are in a figure of our own.
        wanted = longest * _TEXT_SIZE * LETTER / (72 * _FILLED)
        self.cell = min(max(wanted, _CELL), _WIDEST_CELL)
        # What text takes of a cell of width one.
        self.text_height = self.n_lines * _TEXT_SIZE * LINE / (72 * self.cell)
        tallest = max((min(1.0, one.shape[0] / one.shape[1]) for one in pictures), default=1.0)
        # Heights of a picture with its room, and of that with text; the width is one.
        self.height = tallest * (1 - _GAP) + _GAP
        self.row = self.height + self.text_height
        width = self.cell * self.n_columns
        height = self.cell * self.n_rows * self.row
        self.size = (min(_LARGEST, width), min(_LARGEST, height))

    def make_axes(self, plt: Any, ax: Any) -> Any:
        """Return axes that hold the grid, without a frame: of a new figure, or those given."""
        if ax is None:
            ax = plt.subplots(figsize=self.size, layout="constrained")[1]
        ax.set_axis_off()
        ax.set_xlim(0, self.n_columns)
        ax.set_ylim(self.n_rows * self.row, 0)
        ax.set_aspect("equal")
        return ax

    def draw(
        self,
        ax: Any,
        number: int,
        picture: np.ndarray,
        size: tuple[int, ...] | None = None,
        **options: Any,
    ) -> Any:
        """Draw a picture at its place, as large as its proportions, or those given, allow."""
        height, width = picture.shape[:2] if size is None else size
        longer = max(height, width)
        across, down = (1 - _GAP) * width / longer, (1 - _GAP) * height / longer
        middle, bottom = self._place(number)
        left, top = middle - across / 2, bottom - self.height / 2 - down / 2
        grey = {"cmap": "gray", "vmin": 0, "vmax": 255 if picture.dtype == np.uint8 else 1}
        return ax.imshow(
            picture,
            extent=(left, left + across, top + down, top),
            aspect="equal",
            interpolation="nearest" if longer < 64 else "antialiased",
            **((grey if picture.ndim == 2 else {}) | options),
        )

    def write(self, ax: Any, number: int, **options: Any) -> Any:
        """Write the lines under a picture, in letters that fit; None where they cannot be read."""
        size, letters = self._size_of_text(ax)
        if size < SMALLEST:
            return None
        middle, bottom = self._place(number)
        text = "\n".join(shorten(line, letters) for line in self.texts[number])
        return ax.text(
            middle,
            bottom,
            text,
            ha="center",
            va="top",
            fontsize=size,
            linespacing=1.05,
            parse_math=False,
            **options,
        )

    def frame(self, ax: Any, number: int, **options: Any) -> Any:
        """Draw a frame around the place of a picture."""
        from matplotlib.patches import Rectangle

        middle, bottom = self._place(number)
        corner = (middle - 0.5 + _GAP / 4, bottom - self.height + _GAP / 4)
        width, height = 1 - _GAP / 2, self.height - _GAP / 2
        return ax.add_patch(Rectangle(corner, width, height, fill=False, **options))

    def _place(self, number: int) -> tuple[float, float]:
        """Return the middle of a cell and the lower edge of its picture."""
        row, column = divmod(number, self.n_columns)
        return column + 0.5, row * self.row + self.height

    def _size_of_text(self, ax: Any) -> tuple[float, int]:
        """Return the size of letters in points, and how many of them have room in a line."""
        ax.apply_aspect()
        cell = ax.transData.transform([(0, 0), (1, 0)])
        points = abs(cell[1, 0] - cell[0, 0]) * 72 / ax.figure.canvas.figure.dpi
        size = min(_TEXT_SIZE, self.text_height * points / (max(self.n_lines, 1) * LINE))
        return size, max(1, int(points * _FILLED / (max(size, 1) * LETTER)))
