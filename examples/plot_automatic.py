"""
Which classifier suits the images
=================================

A pretrained network suits photographs, and a network trained from scratch suits digits, drawings
and signs. :class:`~skimgcls.AutoImageClassifier` tries both kinds on the images at hand and keeps
the best, or a weighted average of several. The images here are the digits of scikit-learn.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skimgcls import AutoImageClassifier, PredictionDisplay

digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.images.astype(np.uint8), digits.target, train_size=300, random_state=0
)

# %%
# ``effort="quick"`` compares on few images and trains for few epochs. The leaderboard lists the
# candidates with their accuracy on the images held out, the best first.

clf = AutoImageClassifier(effort="quick", random_state=0).fit(X_train, y_train)
print(clf.leaderboard_.drop(columns="seconds").round(3).to_string(index=False))

# %%
# The accuracy on the test images:

print(f"{clf.score(X_test, y_test):.3f}")

# %%
# Several candidates have a ``weight`` if their average is better than each of them; the
# probabilities are then averages. The test images with the lowest probability of their class:

proba = clf.predict_proba(X_test)
worst = np.argsort(proba[np.arange(len(y_test)), y_test])[:8]
PredictionDisplay.from_estimator(clf, X_test[worst], y_test[worst])
plt.show()
