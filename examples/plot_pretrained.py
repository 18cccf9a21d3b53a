"""
Another camera: a net that has learned before
=============================================

A net has learned the digits from one scanner. Another scanner is poor, and from it there are few
images: how few are enough for a net that knows digits already, beside one that begins from nothing?
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skimgcls import ImageEmbedder, PretrainedImageClassifier, ResNetImageClassifier

# %%
# Two scanners
# ------------
# Half of scikit-learn's digits, eight by eight pixels each, are as they were scanned. The other
# half get noise, as of a poor scanner; some of those are for training.

digits = load_digits()
X_known, X_noisy, y_known, y_noisy = train_test_split(
    digits.images, digits.target, test_size=0.5, random_state=0
)
noise = np.random.RandomState(0).normal(scale=6, size=X_noisy.shape)
X_noisy = np.clip(X_noisy + noise, 0, 16)
X_train, X_test, y_train, y_test = train_test_split(
    X_noisy, y_noisy, train_size=400, random_state=0
)

fig, axes = plt.subplots(2, 10, figsize=(7, 1.9), layout="constrained")
for row, (X, y, scanner) in zip(
    axes, [(X_known, y_known, "good"), (X_train, y_train, "poor")], strict=True
):
    for label, ax in enumerate(row):
        ax.imshow(X[y == label][0], cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(scanner)

# %%
# A net to begin with
# -------------------
# It learns from the good scanner. The features before its last layer, of images from the poor one,
# on their first two principal axes: it has been shown none of these, and tells some of them apart.

source = ResNetImageClassifier((16, 32), random_state=0).fit(X_known, y_known)
features = ImageEmbedder(source).fit_transform(X_test)
places = PCA(2, random_state=0).fit_transform(features)

fig, ax = plt.subplots(figsize=(6, 4.5), layout="constrained")
for label in range(10):
    ax.scatter(*places[y_test == label].T, s=26, marker=f"${label}$", label=str(label))
_ = ax.set(xticks=[], yticks=[], title="Features of noisy digits")

# %%
# How few images
# --------------
# From two to twenty noisy images of each digit: a logistic regression on the features, a new last
# layer on them, all of the net trained further, and a net that begins from nothing. Each is the
# mean of two choices of images.


def ways(seed):
    return {
        "logistic regression": make_pipeline(
            ImageEmbedder(source), LogisticRegression(max_iter=1000)
        ),
        "new last layer": PretrainedImageClassifier(source, trainable="head", random_state=seed),
        "all trained further": PretrainedImageClassifier(source, random_state=seed),
        "from nothing": ResNetImageClassifier((16, 32), random_state=seed),
    }


rows = []
for n_each in [2, 5, 20]:
    for seed in range(2):
        order = np.random.RandomState(seed).permutation(len(X_train))
        shown = np.concatenate([order[y_train[order] == label][:n_each] for label in range(10)])
        for name, clf in ways(seed).items():
            score = clf.fit(X_train[shown], y_train[shown]).score(X_test, y_test)
            rows.append((n_each, name, score))
table = pd.DataFrame(rows, columns=["images", "way", "accuracy"])
table = table.pivot_table(index="images", columns="way", values="accuracy")[list(ways(0))]
print(table.round(2).to_string())

# %%
# The accuracy on the noisy images held out. The fewer there are, the less should be trained.

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, style in zip(table, ["D-.", "o-", "s--", "^:"], strict=True):
    ax.plot(table.index, table[name], style, label=name)
ax.set_xscale("log")
ax.set_xticks([2, 5, 20], ["2", "5", "20"])
ax.minorticks_off()
ax.set(xlabel="Noisy images of each digit, log scale", ylabel="Share of images right")
ax.grid(alpha=0.3)
_ = ax.legend()

# %%
# Nets of torchvision
# -------------------
# A name takes the place of ``source`` where images are photographs; ``fit`` downloads the weights,
# once. ::
#
#     PretrainedImageClassifier("resnet18", weights="DEFAULT", trainable="head").fit(X, y)
