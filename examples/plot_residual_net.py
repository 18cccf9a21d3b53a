"""
Few images: a residual net
==========================

How much two nets make of 25, 50 and 100 images: the plain convolutional one, and the residual one
with a first layer computed from the images. What that layer looks at can be drawn, and so can the
mistakes that are left.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from skimgcls import (
    CNNImageClassifier,
    ImageGridDisplay,
    PredictionDisplay,
    ResNetImageClassifier,
    make_shapes,
)

# %%
# Images
# ------
# Four shapes, each at a random place, size, angle and colour, on a noisy ground of random colour.
# A hundred are to train on, and six hundred are held out.

X, y = make_shapes(700, image_size=16, n_classes=4, noise=0.1, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=100, stratify=y, random_state=0
)

_ = ImageGridDisplay.from_images(X_train, y_train, n_columns=8)

# %%
# Fitting
# -------
# Both at their defaults, on the first 25 and 50 of the training images, and on all of them.

fits = {}
rows = []
for n_images in [25, 50, 100]:
    for net in [CNNImageClassifier(random_state=0), ResNetImageClassifier(random_state=0)]:
        net.fit(X_train[:n_images], y_train[:n_images])
        seconds = net.history_["seconds"].sum()
        name = type(net).__name__.removesuffix("ImageClassifier")
        fits[name, n_images] = net
        rows.append((name, n_images, net.score(X_test, y_test), net.n_iter_, seconds))
table = pd.DataFrame(rows, columns=["net", "images", "accuracy", "epochs", "seconds"])
print(table.round({"accuracy": 3, "seconds": 1}).to_string(index=False))

# %%
# The accuracy on the images held out, against the number that were trained on. The residual net
# takes longer and needs far fewer images: where labels are dear and minutes are not, that is the
# better trade.

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for (name, scores), style in zip(table.groupby("net"), ["o-", "s--"], strict=True):
    ax.plot(scores["images"], scores["accuracy"], style, label=f"{name}ImageClassifier")
ax.axhline(1 / 4, color="grey", linestyle=":", label="guessing")
ax.set_xscale("log")
ax.set_xticks([25, 50, 100], ["25", "50", "100"])
ax.minorticks_off()
ax.set(ylim=(0, 1.03), xlabel="Training images, log scale", ylabel="Share of images right")
ax.grid(alpha=0.3)
_ = ax.legend()

# %%
# May they be mirrored?
# ---------------------
# A mirrored shape is the same shape. The net asks the images before it mirrors them, and of so few
# it can seldom be sure: in doubt the mirror is left out. Whoever knows the answer gives it, and
# ``horizontal_flip_`` tells what was done.

for n_images in [25, 50, 100]:
    print(n_images, "images, mirrored:", fits["ResNet", n_images].horizontal_flip_)

clf = ResNetImageClassifier(horizontal_flip=True, random_state=0)
clf.fit(X_train[:50], y_train[:50])
for name, net in {"left as they are": fits["ResNet", 50], "mirrored": clf}.items():
    print(f"50 images, {name}: {net.score(X_test, y_test):.3f}")

# %%
# What the first layer looks at
# -----------------------------
# The first layer is not trained. Its filters are the principal components of patches of 2 by 2
# pixels, scaled so that each gives values of the same variance; the other twelve are the negatives
# of these. The largest variance comes first: brightness, two contrasts of colour, edges of
# brightness, and then edges of colour, of which photographs have few. The net belongs to the
# classifier, as ``net_``.

net = fits["ResNet", 100].net_.module_
filters = next(weights for name, weights in net.named_parameters() if "whitening" in name)
pictures = filters.detach().float().cpu().numpy()[:12].transpose(0, 2, 3, 1)

fig, axes = plt.subplots(2, 6, figsize=(9, 3.4), layout="constrained")
for number, (ax, picture) in enumerate(zip(axes.flat, pictures, strict=True), start=1):
    # Nothing is middle grey, and the largest weight is as far from it as there is room.
    ax.imshow(0.5 + 0.5 * picture / np.abs(picture).max())
    ax.set(xticks=[], yticks=[], title=f"component {number}")

# %%
# The mistakes
# ------------
# Those that the residual net makes after 50 images, beginning with the one it is surest of. It is
# never quite sure, right or wrong: ``label_smoothing`` keeps probabilities away from one.

clf = fits["ResNet", 50]
n_wrong = (clf.predict(X_test) != y_test).sum()
print(f"{n_wrong} of {len(y_test)} are wrong after 50 training images")
_ = PredictionDisplay.from_estimator(
    clf, X_test, y_test, order="confident_mistakes", n_images=6, n_columns=6
)
