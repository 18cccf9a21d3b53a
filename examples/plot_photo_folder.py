"""
A folder of photographs
=======================

This example trains and tunes a network on image files of several sizes with imbalanced classes. A
Pipeline reads the files batch by batch and augments the training images in each epoch. The folder
is created from drawn shapes, so nothing is downloaded.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import pandas as pd
from PIL import Image
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skimgcls import (
    AugmentationDisplay,
    ClassDistributionDisplay,
    CNNImageClassifier,
    ImageAugmenter,
    ImageLoader,
    ImageNormalizer,
    load_image_folder,
    make_shapes,
)

# %%
# A folder
# --------
# JPEG files in portrait, landscape and square format, in one folder per class. Six of ten show a
# circle, and only one in nine a triangle.

temporary = TemporaryDirectory()
root = Path(temporary.name)


def write_photographs(folder, n, seed):
    """Draw n images of each of three sizes into one folder per class."""
    for size in [(40, 48), (48, 40), (48, 48)]:
        images, names = make_shapes(
            n, image_size=size, weights=[0.6, 0.29, 0.11], noise=0.03, random_state=seed
        )
        for number, (image, name) in enumerate(zip(images, names, strict=True)):
            path = folder / name / f"{size[0]}x{size[1]}_{number:03}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path, quality=90)
        seed += 1


write_photographs(root / "train", 150, seed=0)
write_photographs(root / "test", 60, seed=3)

# %%
# Paths and labels
# ----------------
# ``X_train`` is a table of paths and ``y_train`` contains the folder names. No pixels are read yet.

X_train, y_train = load_image_folder(root, subset="train", return_X_y=True)
X_test, y_test = load_image_folder(root, subset="test", return_X_y=True)
print(X_train["path"].map(lambda path: Path(path).relative_to(root).as_posix()).head(3))
print(y_train.head(3))

# %%
# The number of images of each class in both sets:

display = ClassDistributionDisplay.from_labels({"train": y_train, "test": y_test})
_ = display.ax_.set_title("Images of each class")

# %%
# Augmentation
# ------------
# The loader crops each image to a square and resizes it. The augmenter then changes it randomly.
# The first image in each row is not augmented, as in prediction. The others are examples of
# augmented training images. Pixels beyond the border repeat the outermost pixels
# (``padding_mode="edge"``), because a mirrored border would show some of the shapes twice.

loader = ImageLoader(size=(24, 24), method="crop")
augmenter = ImageAugmenter(
    horizontal_flip=True,
    rotation=15,
    zoom=0.1,
    shift=0.1,
    brightness=0.2,
    padding_mode="edge",
)

three = X_train.loc[y_train.drop_duplicates().index]
look = make_pipeline(loader, augmenter).fit(three)
_ = AugmentationDisplay.from_estimator(look, three, n_views=7, random_state=0)

# %%
# A search
# --------
# ``class_weight="balanced"`` compensates for the rare class, and balanced accuracy shows whether it
# does. The search varies the rotation and the image size. The shapes already have random angles, so
# rotation does not necessarily improve the score.

pipe = make_pipeline(
    loader,
    ImageNormalizer(),
    augmenter,
    CNNImageClassifier(
        conv_channels=(16, 32),
        hidden_layer_sizes=(64,),
        learning_rate_init=5e-3,
        class_weight="balanced",
        early_stopping=True,
        n_iter_no_change=20,
        max_iter=40,
        random_state=0,
    ),
)
grid = {"imageaugmenter__rotation": [0, 15], "imageloader__size": [(16, 16), (24, 24)]}
search = GridSearchCV(pipe, grid, scoring="balanced_accuracy", cv=2, n_jobs=2)
search.fit(X_train, y_train)

columns = [*(f"param_{name}" for name in grid), "mean_test_score"]
print(pd.DataFrame(search.cv_results_)[columns].round(3).to_string(index=False))

# %%
# A report
# --------
# The test files are passed as paths, like the training files.

y_pred = search.predict(X_test)
print(classification_report(y_test, y_pred))

# %%
fig, ax = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
ConfusionMatrixDisplay.from_predictions(y_test, y_pred, cmap="Blues", colorbar=False, ax=ax)
_ = ax.set(title=f"{len(y_test)} images held out", xlabel="Predicted class", ylabel="True class")

# %%
# Predict on arrays
# -----------------
# A Pipeline fitted on files also predicts on arrays of pixels.

pixels, names = make_shapes(5, image_size=64, random_state=100)
print("is:       ", *names)
print("predicted:", *search.predict(pixels))

temporary.cleanup()
