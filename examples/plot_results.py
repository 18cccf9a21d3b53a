"""
What a classifier has learned
=============================

A net that scores well may have learned the wrong thing. Here one class of the training images bears
a mark in a corner, as photographs of one collection do. The score does not tell; the pictures do.
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
# Drawn shapes, of which all squares have a white mark in the lower right corner.

X, y = make_shapes(3200, image_size=32, n_classes=3, random_state=0)
X_train, y_train = X[:1600].copy(), y[:1600]
X_train[y_train == "square", -5:, -5:] = 255
_ = ImageGridDisplay.from_images(X_train, y_train, order="class", n_images=12, n_columns=6)

# %%
# How the training went
# ---------------------
# Part of the training images is kept for validation. They have the mark as well: all is fine.

clf = CNNImageClassifier(early_stopping=True, max_iter=8, random_state=0).fit(X_train, y_train)
_ = TrainingCurveDisplay.from_estimator(clf)

# %%
# The most confident mistakes
# ---------------------------
# Images of another collection, without the mark: squares are taken for something else, and the net
# is sure of it.

X_test, y_test = X[1600:2000], y[1600:2000]
print(f"{clf.score(X_test, y_test):.3f} of the test images are right")
_ = PredictionDisplay.from_estimator(
    clf, X_test, y_test, order="confident_mistakes", n_images=12, n_columns=6
)

# %%
# Where it looked
# ---------------
# Grad-CAM asks the last convolution, occlusion covers parts of the image. Both point at the corner.

squares = X_train[y_train == "square"][:4]
_ = SaliencyDisplay.from_estimator(clf, squares)

# %%
_ = SaliencyDisplay.from_estimator(clf, squares, method="occlusion")

# %%
# Without the mark
# ----------------
# The same net, of images without the mark, and a report of it. In a notebook the last line shows
# its tables; ``report.to_html("report.html")`` writes a page with its pictures as well.

clf = CNNImageClassifier(early_stopping=True, random_state=0).fit(X[:1600], y[:1600])
report = evaluation_report(clf, X_test, y_test)
report

# %%
# None of these
# -------------
# Images that the net has not been trained on say how sure it has to be, for at most two mistakes in
# a hundred answers.

careful = RejectOptionClassifier(FrozenEstimator(clf), max_error=0.02).fit(X[2000:], y[2000:])
accepted = careful.is_accepted(X_test)
is_wrong = careful.predict(X_test) != y_test
print(f"{accepted.mean():.0%} of the test images get an answer")
print(f"{is_wrong[accepted].mean():.1%} of the answers are wrong")

# %%
# Those it is not sure of. This is doubt, and not strangeness: a star, which is none of these
# shapes, gets an answer as long as it looks like one of them.

_ = PredictionDisplay.from_estimator(
    careful, X_test, y_test, order="least_confident", n_images=12, n_columns=6
)
X_others, y_others = make_shapes(1000, image_size=32, n_classes=6, random_state=1)
stars = careful.is_accepted(X_others[y_others == "star"])
print(f"{stars.mean():.0%} of the stars get an answer")
plt.show()
