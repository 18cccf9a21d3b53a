"""Resize a PIL image."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


@dataclass(frozen=True)
class Resize:
    """Resize PIL images to `size`, which is (height, width).

    `method` is "fit" (aspect ratio is not kept), "crop" (largest center crop of the right aspect
    ratio) or "pad" (aspect ratio is kept, with a margin in `background`). `before` is done first.
    """

    size: tuple[int, int]
    method: str = "fit"
    interpolation: str = "bilinear"
    background: tuple[float, ...] = (255, 255, 255)
    before: "Resize | None" = None

    def __call__(self, image: Image.Image) -> Image.Image:
        if self.before is not None:
            image = self.before(image)
        (top, left, height, width), (inner_height, inner_width) = self.plan(
            image.height, image.width
        )
        if (width, height) != image.size:
            # With `box`, Pillow would mix pixels from outside of it into the border.
            image = image.crop((left, top, left + width, top + height))
        inner = (inner_width, inner_height)
        how = INTERPOLATIONS[self.interpolation]
        # Resize the width first: versions of Pillow differ in the order, and thus in rounding.
        resized = image.resize((inner_width, image.height), how).resize(inner, how)
        if (inner_height, inner_width) == self.size:
            return resized
        whole = Image.new(image.mode, self.size[::-1], self._color(image.mode))
        whole.paste(resized, self.corner(inner_height, inner_width)[::-1])
        return whole

    def _color(self, mode: str) -> int | tuple[int, ...]:
        color = tuple(round(value) for value in self.background)
        if mode == "RGB":
            return color * 3 if len(color) == 1 else color
        return color[0] if len(color) == 1 else gray_of(color)

    def plan(self, height: int, width: int) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
        """Return the part of an image to crop (top, left, height, width), and its new size."""
        to_height, to_width = self.size
        if self.method == "crop":
            part_height = max(1, min(height, round(width * to_height / to_width)))
            part_width = max(1, min(width, round(height * to_width / to_height)))
            top, left = (height - part_height) // 2, (width - part_width) // 2
            return (top, left, part_height, part_width), self.size
        if self.method == "pad":
            scale = min(to_height / height, to_width / width)
            inner = max(1, round(height * scale)), max(1, round(width * scale))
            return (0, 0, height, width), inner
        return (0, 0, height, width), self.size

    def corner(self, height: int, width: int) -> tuple[int, int]:
        """Return the position (row, column) of the top left corner of a smaller image."""
        return (self.size[0] - height) // 2, (self.size[1] - width) // 2


def gray_of(color: tuple[int, ...]) -> int:
    """Return the gray value of a color, with the weights of Pillow (ITU-R BT.601)."""
    return int(np.asarray(Image.new("RGB", (1, 1), color).convert("L"))[0, 0])
