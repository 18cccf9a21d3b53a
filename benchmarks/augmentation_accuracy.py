"""Accuracy gain from flips and shifts: a CNN on 5,000 images of CIFAR-10, with and without.

Each side trains for its best number of epochs, chosen on training images that are in neither set.
Without augmentation, more epochs only overfit; with it, an image is different in each epoch.
"""

from _data import load_cifar10
from _report import gain_row, show
from sklearn.pipeline import make_pipeline

from skimgcls import CNNImageClassifier, ImageAugmenter

SEEDS = (0, 1, 2)
N_IMAGES = 5_000
N_EPOCHS_WITHOUT, N_EPOCHS_WITH = 10, 40


def main():
    X_train, y_train, X_test, y_test = load_cifar10()
    X_train, y_train = X_train[:N_IMAGES], y_train[:N_IMAGES]
    without, with_ = [], []
    for seed in SEEDS:
        plain = CNNImageClassifier(max_iter=N_EPOCHS_WITHOUT, random_state=seed)
        without.append(plain.fit(X_train, y_train).score(X_test, y_test))
        augmented = make_pipeline(
            ImageAugmenter(horizontal_flip=True, shift=0.1),
            CNNImageClassifier(max_iter=N_EPOCHS_WITH, random_state=seed),
        )
        with_.append(augmented.fit(X_train, y_train).score(X_test, y_test))
    what = (
        f"CNN on {N_IMAGES} images of CIFAR-10: test accuracy with flip and shift against without"
    )
    show([gain_row(what, with_, without, at_least=0.03)])


if __name__ == "__main__":
    main()
