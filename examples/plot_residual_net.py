"""
Few images: a residual network
==============================

This example compares a plain convolutional network with the residual network on 25, 50 and 100
training images. It also shows the first layer of the residual network, which is computed from the
images, and the remaining mistakes.
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
# Four shapes with random position, size, angle and color, on a noisy background of random color.
# 100 images are for training, and 600 are held out.

X, y = make_shapes(700, image_size=16, n_classes=4, noise=0.1, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=100, stratify=y, random_state=0
)

_ = ImageGridDisplay.from_images(X_train, y_train, n_columns=8)

# %%
# Fitting
# -------
# Both classifiers use their defaults. They are fitted to the first 25 and 50 training images and to
# all of them.

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
# The accuracy on the held-out images against the number of training images. The residual network
# takes longer and needs far fewer images, so it is the better choice if labels are expensive.

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for (name, scores), style in zip(table.groupby("net"), ["o-", "s--"], strict=True):
    ax.plot(scores["images"], scores["accuracy"], style, label=f"{name}ImageClassifier")
ax.axhline(1 / 4, color="gray", linestyle=":", label="guessing")
ax.set_xscale("log")
ax.set_xticks([25, 50, 100], ["25", "50", "100"])
ax.minorticks_off()
ax.set(ylim=(0, 1.03), xlabel="Training images, log scale", ylabel="Accuracy")
ax.grid(alpha=0.3)
_ = ax.legend()

# %%
# Horizontal flips
# ----------------
# A flipped shape has the same class. By default, the classifier tests on the training images
# whether to flip them. With so few images the test is often inconclusive, and then they are not
# flipped. If you know the answer, set ``horizontal_flip``. ``horizontal_flip_`` stores the result.

for n_images in [25, 50, 100]:
    print(n_images, "images, flipped:", fits["ResNet", n_images].horizontal_flip_)

clf = ResNetImageClassifier(horizontal_flip=True, random_state=0)
clf.fit(X_train[:50], y_train[:50])
for name, net in {"not flipped": fits["ResNet", 50], "flipped": clf}.items():
    print(f"50 images, {name}: {net.score(X_test, y_test):.3f}")

# %%
# The first layer
# ---------------
# The first layer is not trained. Twelve of its filters are the principal components of patches of 2
# by 2 pixels, scaled so that all outputs have the same variance. The other twelve are their
# negatives. They are sorted by decreasing variance: brightness, two color contrasts, brightness
# edges, and then color edges, of which photographs have few. The network is the attribute
# ``net_``.

net = fits["ResNet", 100].net_.module_
filters = next(weights for name, weights in net.named_parameters() if "whitening" in name)
pictures = filters.detach().float().cpu().numpy()[:12].transpose(0, 2, 3, 1)

fig, axes = plt.subplots(2, 6, figsize=(9, 3.4), layout="constrained")
for number, (ax, picture) in enumerate(zip(axes.flat, pictures, strict=True), start=1):
    # Zero is middle gray, and the largest weight is 0 or 1.
    ax.imshow(0.5 + 0.5 * picture / np.abs(picture).max())
    ax.set(xticks=[], yticks=[], title=f"component {number}")

# %%
# Mistakes
# --------
# The mistakes of the residual network trained on 50 images, sorted by decreasing confidence. The
# confidence is always below 1, because ``label_smoothing`` keeps probabilities away from 1.

clf = fits["ResNet", 50]
n_wrong = (clf.predict(X_test) != y_test).sum()
print(f"{n_wrong} of {len(y_test)} are wrong after 50 training images")
_ = PredictionDisplay.from_estimator(
    clf, X_test, y_test, order="confident_mistakes", n_images=6, n_columns=6
)
