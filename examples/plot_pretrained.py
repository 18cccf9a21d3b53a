"""
Transfer learning with few images
=================================

A network is trained on digits from one scanner. A second scanner is noisy, and few of its images
are available. This example compares fine-tuning that network with training a new one on few images.
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
# Half of scikit-learn's digits, of 8 by 8 pixels, are unchanged. The other half gets noise, which
# simulates a poor scanner, and is split into training and test images.

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
# A pretrained network
# --------------------
# The network is trained on images of the good scanner. The plot shows its features before the last
# layer for test images of the poor scanner, projected on the first two principal components. The
# network was not trained on such images, but it separates some of the digits.

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
# The methods are trained on 2 to 20 noisy images of each digit: a logistic regression on the
# features, a new last layer, fine-tuning of all layers, and a network trained from scratch. Each
# accuracy is the mean over two random choices of images.


def ways(seed):
    return {
        "logistic regression": make_pipeline(
            ImageEmbedder(source), LogisticRegression(max_iter=1000)
        ),
        "new last layer": PretrainedImageClassifier(source, random_state=seed),
        "fine-tuned": PretrainedImageClassifier(source, trainable="all", random_state=seed),
        "from scratch": ResNetImageClassifier((16, 32), random_state=seed),
    }


rows = []
for n_each in [2, 5, 20]:
    for seed in range(2):
        order = np.random.RandomState(seed).permutation(len(X_train))
        shown = np.concatenate([order[y_train[order] == label][:n_each] for label in range(10)])
        for name, clf in ways(seed).items():
            score = clf.fit(X_train[shown], y_train[shown]).score(X_test, y_test)
            rows.append((n_each, name, score))
table = pd.DataFrame(rows, columns=["images", "method", "accuracy"])
table = table.pivot_table(index="images", columns="method", values="accuracy")[list(ways(0))]
print(table.round(2).to_string())

# %%
# The accuracy on the held-out noisy images. With fewer images, fewer layers should be trained.

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, style in zip(table, ["D-.", "o-", "s--", "^:"], strict=True):
    ax.plot(table.index, table[name], style, label=name)
ax.set_xscale("log")
ax.set_xticks([2, 5, 20], ["2", "5", "20"])
ax.minorticks_off()
ax.set(xlabel="Noisy images of each digit, log scale", ylabel="Accuracy")
ax.grid(alpha=0.3)
_ = ax.legend()

# %%
# Photographs
# -----------
# For photographs, leave out ``source``. The default network was trained on ImageNet, and its
# weights are installed with the library. The name of a torchvision network downloads its weights
# once. ::
#
#     PretrainedImageClassifier().fit(X, y)
#     PretrainedImageClassifier("resnet18").fit(X, y)
