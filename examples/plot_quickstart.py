"""
Quickstart: a tuned CNN
=======================

This example tunes two parameters of a convolutional network on small images of handwritten digits
and plots the results. Apart from the classifier and its displays, it uses scikit-learn, pandas and
matplotlib.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import GridSearchCV, train_test_split

from skimgcls import CNNImageClassifier, PredictionDisplay, TrainingCurveDisplay

# %%
# Images and labels
# -----------------
# The images are one array of shape (n_samples, height, width), with gray values from 0 to 16.
# Scaling, a channel axis and encoded labels are not needed. A quarter of the images is held out.

digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.images, digits.target, test_size=0.25, stratify=digits.target, random_state=0
)
print(f"{len(X_train)} images to train on, {len(X_test)} held out, each {X_train[0].shape}")

# %%
# A search
# --------
# Images of 8 x 8 pixels allow little pooling, so only the second convolution is followed by
# pooling. The search evaluates four parameter combinations by three-fold cross-validation, in two
# processes. It then fits the best one to all training images.

cnn = CNNImageClassifier(conv_channels=(32, 64), pool_size=(1, 2), max_iter=12, random_state=0)
grid = {"dropout": [0.0, 0.3], "learning_rate_init": [1e-3, 3e-3]}
search = GridSearchCV(cnn, grid, cv=3, n_jobs=2).fit(X_train, y_train)

columns = ["param_dropout", "param_learning_rate_init", "mean_test_score"]
print(pd.DataFrame(search.cv_results_)[columns].to_string(index=False))
print("best:", search.best_params_)

# %%
# A report
# --------
# The search predicts with the best classifier.

y_pred = search.predict(X_test)
print(classification_report(y_test, y_pred, digits=3))

# %%
# The confusion matrix shows which digits are confused:

fig, ax = plt.subplots(num="confusion_matrix", figsize=(6, 6), layout="constrained")
ConfusionMatrixDisplay.from_predictions(y_test, y_pred, cmap="Blues", colorbar=False, ax=ax)
_ = ax.set(title=f"{len(y_test)} images held out", xlabel="Predicted digit", ylabel="True digit")

# %%
# Training curves
# ---------------
# ``history_`` is a DataFrame with one row per epoch, and ``TrainingCurveDisplay`` plots it. For
# validation curves, pass part of the training images to ``fit`` as ``X_val`` and ``y_val``. The
# held-out images are not used here.

X_fit, X_val, y_fit, y_val = train_test_split(
    X_train, y_train, test_size=0.2, stratify=y_train, random_state=0
)
validated = clone(search.best_estimator_).fit(X_fit, y_fit, X_val=X_val, y_val=y_val)

fig, axes = plt.subplots(1, 2, num="training_curves", figsize=(9, 3.8), layout="constrained")
_ = TrainingCurveDisplay.from_estimator(validated, ax=axes)

# %%
# Least confident predictions
# ---------------------------
# The images with the lowest confidence, with the predicted class and the confidence. Mistakes have
# a cross, a dashed frame and the true class.

fig, ax = plt.subplots(num="predictions", figsize=(9, 6), layout="constrained")
_ = PredictionDisplay.from_estimator(
    search, X_test, y_test, order="least_confident", n_images=18, n_columns=6, ax=ax
)

# %%
# The accuracy
# ------------
# Run as a script, this also saves the figures to files. (A notebook, or this page, has already
# shown and closed them.)

folder = Path("quickstart_pictures")
for name in plt.get_figlabels():
    folder.mkdir(exist_ok=True)
    plt.figure(name).savefig(folder / f"{name}.png", dpi=120)
    print(folder / f"{name}.png")

print(f"accuracy on the images held out: {search.score(X_test, y_test):.4f}")
