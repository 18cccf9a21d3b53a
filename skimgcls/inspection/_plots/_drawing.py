"""Drawing helpers of the displays: import of matplotlib, checks, and a grid of images."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

# Smallest legible font size in points, and line height as a multiple of the font size.
SMALLEST, LINE = 5.0, 1.25
# Width of an average letter as a fraction of the font size.
LETTER = 0.6
# Smallest and largest width of a cell of the grid, and largest side of a figure, in inches.
_CELL, _WIDEST_CELL, _LARGEST = 1.15, 2.3, 80.0
# Fraction of a cell that is left free around an image.
_GAP = 0.08
_TEXT_SIZE = 9.0
# Fraction of the cell width that text may fill.
_FILLED = 0.96


def import_pyplot(display: Any) -> Any:
    """Return matplotlib.pyplot, or raise an ImportError that names the extra."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{type(display).__name__} requires matplotlib, which is not installed: pip install "
            '"skimgcls[plots]".'
        ) from error
    return plt


def check_choice(name, value, choices):
    """Raise if a value is not one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")


def check_count(name, value):
    """Raise if a value is not an integer of at least 1."""
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be an integer >= 1; got {value!r}.")


def shorten(text, longest):
    r"""Return text on one line, shortened in the middle to at most `longest` characters.

    >>> shorten("a long name\nof class 7", 12)
    'a long…ass 7'
    """
    text = " ".join(str(text).split())
    if len(text) <= longest:
        return text
    kept = max(longest - 1, 0)
    return text[: kept - kept // 2] + "…" + text[len(text) - kept // 2 :]


def write_legend(ax: Any, handles: Sequence[Any], names: Sequence[Any], longest: int) -> None:
    """Write names as they are, also with "$" or a leading underscore, to the right of the axes."""
    # Names are set afterwards, because a legend leaves out those that begin with an underscore.
    numbers = [str(number) for number in range(len(handles))]
    legend = ax.legend(handles, numbers, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(shorten(name, longest))


class PictureGrid:
    """Grid of images on one matplotlib Axes, each with lines of text under it.

    Parameters
    ----------
    texts : list of list of str
        The lines of text under each image; may be empty.
    n_columns : int or None
        Number of images per row. None chooses a nearly square grid.
    pictures : list of ndarray
        The images. The rows are lower if all images are wider than high.

    Attributes
    ----------
    size : tuple (width, height)
        Suggested figure size in inches.
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
        # In inches, in a new figure.
        wanted = longest * _TEXT_SIZE * LETTER / (72 * _FILLED)
        self.cell = min(max(wanted, _CELL), _WIDEST_CELL)
        # Height of the text relative to the cell width.
        self.text_height = self.n_lines * _TEXT_SIZE * LINE / (72 * self.cell)
        tallest = max((min(1.0, one.shape[0] / one.shape[1]) for one in pictures), default=1.0)
        # Height of an image with its margin, and with its text, relative to the cell width.
        self.height = tallest * (1 - _GAP) + _GAP
        self.row = self.height + self.text_height
        width = self.cell * self.n_columns
        height = self.cell * self.n_rows * self.row
        self.size = (min(_LARGEST, width), min(_LARGEST, height))

    def make_axes(self, plt: Any, ax: Any) -> Any:
        """Return frameless axes for the grid: `ax`, or those of a new figure."""
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
        """Draw an image in its cell, as large as its aspect ratio, or that of `size`, allows."""
        height, width = picture.shape[:2] if size is None else size
        longer = max(height, width)
        across, down = (1 - _GAP) * width / longer, (1 - _GAP) * height / longer
        middle, bottom = self._place(number)
        left, top = middle - across / 2, bottom - self.height / 2 - down / 2
        gray = {"cmap": "gray", "vmin": 0, "vmax": 255 if picture.dtype == np.uint8 else 1}
        return ax.imshow(
            picture,
            extent=(left, left + across, top + down, top),
            aspect="equal",
            interpolation="nearest" if longer < 64 else "antialiased",
            **((gray if picture.ndim == 2 else {}) | options),
        )

    def write(self, ax: Any, number: int, **options: Any) -> Any:
        """Write the text under an image in a font size that fits; None if it is not legible."""
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
        """Draw a frame around an image."""
        from matplotlib.patches import Rectangle

        middle, bottom = self._place(number)
        corner = (middle - 0.5 + _GAP / 4, bottom - self.height + _GAP / 4)
        width, height = 1 - _GAP / 2, self.height - _GAP / 2
        return ax.add_patch(Rectangle(corner, width, height, fill=False, **options))

    def _place(self, number: int) -> tuple[float, float]:
        """Return the horizontal center of a cell and the lower edge of its image."""
        row, column = divmod(number, self.n_columns)
        return column + 0.5, row * self.row + self.height

    def _size_of_text(self, ax: Any) -> tuple[float, int]:
        """Return the font size in points, and the number of letters that fit in a line."""
        ax.apply_aspect()
        cell = ax.transData.transform([(0, 0), (1, 0)])
        points = abs(cell[1, 0] - cell[0, 0]) * 72 / ax.figure.canvas.figure.dpi
        size = min(_TEXT_SIZE, self.text_height * points / (max(self.n_lines, 1) * LINE))
        return size, max(1, int(points * _FILLED / (max(size, 1) * LETTER)))
