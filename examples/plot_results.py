"""
Inspect what a classifier has learned
=====================================

A network with a high score can rely on the wrong feature. In this example, one class of the
training images has a mark in a corner, as photographs of one collection can have. The score does
not show this, but saliency maps do.
"""

import matplotlib.pyplot as plt
from sklearn.frozen import FrozenEstimator

from skimgcls import CNNImageClassifier, RejectOptionClassifier, make_shapes
from skimgcls.inspection import (
    ImageGridDisplay,
    PredictionDisplay,
    SaliencyDisplay,
    TrainingCurveDisplay,
    evaluation_report,
)

# %%
# Images with a mark
# ------------------
# Drawn shapes. All squares have a white mark in the lower right corner.

X, y = make_shapes(3200, image_size=32, n_classes=3, random_state=0)
X_train, y_train = X[:1600].copy(), y[:1600]
X_train[y_train == "square", -5:, -5:] = 255
_ = ImageGridDisplay.from_images(X_train, y_train, order="class", n_images=12, n_columns=6)

# %%
# Training curves
# ---------------
# Part of the training images is held out for validation. These images also have the mark, so the
# curves show no problem.

clf = CNNImageClassifier(early_stopping=True, max_iter=8, random_state=0).fit(X_train, y_train)
_ = TrainingCurveDisplay.from_estimator(clf)

# %%
# The most confident mistakes
# ---------------------------
# The test images are from another collection, without the mark. Squares are misclassified with high
# confidence.

X_test, y_test = X[1600:2000], y[1600:2000]
print(f"accuracy on the test images: {clf.score(X_test, y_test):.3f}")
_ = PredictionDisplay.from_estimator(
    clf, X_test, y_test, order="confident_mistakes", n_images=12, n_columns=6
)

# %%
# Saliency maps
# -------------
# Grad-CAM uses the last convolution, occlusion covers parts of the image. Both highlight the
# corner.

squares = X_train[y_train == "square"][:4]
_ = SaliencyDisplay.from_estimator(clf, squares)

# %%
_ = SaliencyDisplay.from_estimator(clf, squares, method="occlusion")

# %%
# Without the mark
# ----------------
# The same network, trained on images without the mark, and its report. In a notebook, the last line
# shows the tables. ``report.to_html("report.html")`` writes a page with tables and plots.

clf = CNNImageClassifier(early_stopping=True, random_state=0).fit(X[:1600], y[:1600])
report = evaluation_report(clf, X_test, y_test)
report

# %%
# Reject option
# -------------
# ``RejectOptionClassifier`` chooses its confidence threshold on images that were not used for
# training, so that at most 2% of the accepted predictions are wrong.

careful = RejectOptionClassifier(FrozenEstimator(clf), max_error=0.02).fit(X[2000:], y[2000:])
accepted = careful.is_accepted(X_test)
is_wrong = careful.predict(X_test) != y_test
print(f"{accepted.mean():.0%} of the test images are accepted")
print(f"{is_wrong[accepted].mean():.1%} of the accepted predictions are wrong")

# %%
# The predictions with the lowest confidence. The threshold measures confidence, not novelty: a
# star, which belongs to none of the classes, is accepted if it looks like one of them.

_ = PredictionDisplay.from_estimator(
    careful, X_test, y_test, order="least_confident", n_images=12, n_columns=6
)
X_others, y_others = make_shapes(1000, image_size=32, n_classes=6, random_state=1)
stars = careful.is_accepted(X_others[y_others == "star"])
print(f"{stars.mean():.0%} of the stars are accepted")
plt.show()
