"""
Audit a folder of images
========================

Before training, this example finds files that cannot be read, duplicate images and test images that
are also in the training set, and counts the images of each class. It creates a folder with known
defects and shows that the audit finds them.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw

from skimgcls.inspection import ClassDistributionDisplay, audit_images, class_distribution

# %%
# A folder with defects
# ---------------------
# The images show one of three shapes on a random background. There is one folder per split, with
# one folder per class. There are fewer triangles than discs.

rng = np.random.default_rng(0)


def draw_shape(name, side=96):
    """Draw a shape with random color, position and size."""
    clouds = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    image = Image.fromarray(clouds).resize((side, side), Image.Resampling.BICUBIC)
    size, left, top = (int(value) for value in rng.integers(side // 4, side // 2, size=3))
    box = (left, top, left + size, top + size)
    color = tuple(rng.integers(0, 256, 3).tolist())
    draw = ImageDraw.Draw(image)
    if name == "disc":
        draw.ellipse(box, fill=color)
    elif name == "square":
        draw.rectangle(box, fill=color)
    else:
        corners = [(left, top + size), (left + size, top + size), (left + size // 2, top)]
        draw.polygon(corners, fill=color)
    return image


temporary = TemporaryDirectory()
root = Path(temporary.name)
for split, counts in {
    "train": {"disc": 60, "square": 35, "triangle": 12},
    "test": {"disc": 15, "square": 10, "triangle": 5},
}.items():
    for name, count in counts.items():
        (root / split / name).mkdir(parents=True)
        for number in range(count):
            draw_shape(name).save(root / split / name / f"{number:02d}.png")

# %%
# Add the defects: a truncated file, an empty file and a file that is not an image; a copy in
# another format with another class; a smaller copy; and an image that is in both splits.

train, test = root / "train", root / "test"
whole = (train / "disc" / "03.png").read_bytes()
(train / "disc" / "cut.png").write_bytes(whole[: len(whole) // 2])
(train / "disc" / "empty.png").touch()
(train / "disc" / "notes.png").write_text("The lens was dirty that day.")
Image.open(train / "disc" / "10.png").save(train / "square" / "copy.bmp")
Image.open(train / "square" / "20.png").resize((64, 64)).save(train / "square" / "small.png")
Image.open(train / "triangle" / "05.png").save(test / "triangle" / "again.jpg", quality=80)

# %%
# The audit
# ---------
# The audit needs only paths and labels. It opens each file once.


def list_files(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return files, [path.parent.name for path in files]


X_train, y_train = list_files(train)
X_test, y_test = list_files(test)
audit = audit_images(X_train, y_train, X_test=X_test, y_test=y_test, n_jobs=2)
print(audit.findings[["set", "image", "issue", "other", "details"]].to_string(max_colwidth=60))

# %%
# Sizes and modes of the images that could be read:

print(audit.sizes)
print(audit.modes)

# %%
# Duplicates
# ----------
# Each row shows a duplicate on the left and its counterpart on the right.

pairs = audit.findings.dropna(subset="other_path").drop_duplicates("path")
fig, axes = plt.subplots(len(pairs), 2, figsize=(5, 2.4 * len(pairs)), layout="constrained")
for row, (_, finding) in zip(axes, pairs.iterrows(), strict=True):
    for ax, path in zip(row, (finding["path"], finding["other_path"]), strict=True):
        ax.imshow(Image.open(path).convert("RGB"))
        ax.set(xticks=[], yticks=[], title=Path(path).relative_to(root).as_posix())
    row[0].set_ylabel(finding["issue"])

# %%
# The classes
# -----------
# The class distribution of both sets, without the images that the audit found.

found = audit.findings.groupby("set")["image"].unique()
y_sound = {
    "train": np.delete(y_train, found["X"]),
    "test": np.delete(y_test, found["X_test"]),
}
print(class_distribution(y_sound))

# %%
display = ClassDistributionDisplay.from_labels(y_sound, quantity="share")
_ = display.ax_.set_title("Fraction of each class")

temporary.cleanup()
