"""Display of a map of images, on which similar images are close together."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.manifold import TSNE
from sklearn.pipeline import Pipeline

from skimgcls._images._containers import unpack_container
from skimgcls.inspection._plots._drawing import check_choice, import_pyplot, write_legend
from skimgcls.inspection._plots._labels import name_labels
from skimgcls.inspection._plots._pixels import count_images
from skimgcls.inspection._plots._predictions import Predictions
from skimgcls.preprocessing import ImageEmbedder
from skimgcls.utils._unwrap import find_pipeline

# Classes differ in marker as well, for readers with color blindness.
_MARKERS = "osD^vP<>Xd"
_MOST_IN_LEGEND = 20
_LONGEST_NAME = 24
# t-SNE is computed on so many principal components, as van der Maaten and Hinton do.
_N_COMPONENTS = 50
# Default perplexity of t-SNE; it must be below the number of images.
_PERPLEXITY = 30
_FEWEST = 3


class EmbeddingDisplay:
    """Map of images in two dimensions, colored by label, on which mistakes are marked.

    The features of a network are projected to two dimensions. Classes that overlap on the map are
    hard to tell apart, and an image among those of another class may have a wrong label. Create a
    display with :meth:`from_estimator` or ``from_features``.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
        Position of each image.

    labels : list of str or None, default=None
        Label of each image.

    is_mistake : ndarray of shape (n_samples,) of bool or None, default=None
        Whether the prediction of each image is wrong.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the map.

    figure_ : matplotlib Figure
        Figure that contains the axes.

    points_ : dict of matplotlib PathCollection
        The points by label.

    mistakes_ : matplotlib PathCollection or None
        The rings around mistakes.

    See Also
    --------
    PredictionDisplay : The images themselves, with predicted and actual classes.
    skimgcls.preprocessing.ImageEmbedder : Compute the features.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from skimgcls import MLPImageClassifier
    >>> from skimgcls.inspection import EmbeddingDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = MLPImageClassifier(max_iter=10, random_state=0).fit(X[:1000], y[:1000])
    >>> display = EmbeddingDisplay.from_estimator(clf, X[1500:], y[1500:], method="pca")
    >>> display.points.shape
    (297, 2)
    >>> plt.close(display.figure_)
    """

    def __init__(self, points, labels=None, is_mistake=None):
        self.points = points
        self.labels = labels
        self.is_mistake = is_mistake

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, method="tsne", random_state=0, ax=None):
        """Compute the features of images and plot their map.

        Parameters
        ----------
        estimator : estimator
            A fitted image classifier, a Pipeline that ends in one, or a search over it: the
            features are the input of the last layer of its network. Or a fitted transformer, such
            as an ImageEmbedder, whose output are the features.

        X : array-like of images, or of paths
            Images in any format that the estimator accepts.

        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Labels, or an indicator matrix. If given, a classifier predicts the images as well.

        method : {"tsne", "pca"}, default="tsne"
            See ``from_features``.

        random_state : int, RandomState instance or None, default=0
            See ``from_features``.

        ax : matplotlib Axes, default=None
            See :meth:`plot`.

        Returns
        -------
        display : EmbeddingDisplay

        Raises
        ------
        ValueError
            If there are fewer than 3 images, or `y` does not have one known label per image.
        TypeError
            If the estimator is neither an image classifier nor a transformer.
        """
        X = unpack_container(X)
        _check_wish(method, count_images(X))
        labels = is_mistake = None
        if y is not None and is_classifier(estimator):
            predictions = Predictions.of(estimator, X)
            labels, predicted = predictions.words_of(y, count_images(X)), predictions.words()
            is_mistake = np.array([p != a for p, a in zip(predicted, labels, strict=True)])
        elif y is not None:
            labels = name_labels(y, count_images(X))
        points = project(_features_of(estimator, X), method, random_state)
        return cls(points, labels, is_mistake).plot(ax)

    @classmethod
    def from_features(cls, features, y=None, *, method="tsne", random_state=0, ax=None):
        """Plot the map of images with precomputed features.

        Parameters
        ----------
        features : array-like of shape (n_samples, n_features)
            Features of each image.

        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Labels, or an indicator matrix.

        method : {"tsne", "pca"}, default="tsne"
            "tsne" keeps neighbors close together (van der Maaten & Hinton, "Visualizing Data using
            t-SNE", 2008); distances between groups have no meaning. It takes seconds for a thousand
            images. "pca" shows the two directions of largest variance.

        random_state : int, RandomState instance or None, default=0
            Seed of the projection.

        ax : matplotlib Axes, default=None
            See :meth:`plot`.

        Returns
        -------
        display : EmbeddingDisplay
        """
        features = np.asarray(features)
        if features.ndim != 2:
            raise ValueError(
                f"features must have shape (n_samples, n_features); got {features.shape}."
            )
        _check_wish(method, len(features))
        labels = None if y is None else name_labels(y, len(features))
        return cls(project(features, method, random_state), labels).plot(ax)

    def plot(self, ax=None):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a new figure.

        Returns
        -------
        display : EmbeddingDisplay
            The display itself, with `ax_`, `figure_`, `points_` and `mistakes_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        plt = import_pyplot(self)
        if ax is None:
            ax = plt.subplots(figsize=(6.4, 4.8), layout="constrained")[1]
        self.ax_, self.figure_ = ax, ax.figure
        names = np.asarray([""] * len(self.points) if self.labels is None else self.labels)
        self.points_ = self._scatter(names)
        self.mistakes_ = None
        handles = dict(self.points_) if 1 < len(self.points_) <= _MOST_IN_LEGEND else {}
        if self.is_mistake is not None and np.any(self.is_mistake):
            self.mistakes_ = self._ring(np.asarray(self.is_mistake))
            handles[f"mistakes, {np.count_nonzero(self.is_mistake)}"] = self.mistakes_
        if handles:
            write_legend(ax, list(handles.values()), list(handles), _LONGEST_NAME)
        # The axes have no units.
        ax.set(xticks=[], yticks=[])
        return self

    def _scatter(self, names):
        """Draw the points of each class in its own color and marker."""
        from matplotlib import colormaps

        classes = sorted(set(names.tolist()))
        is_few = len(classes) <= len(_MARKERS)
        colors = colormaps["tab10" if is_few else "turbo"]
        return {
            name: self.ax_.scatter(
                *np.asarray(self.points)[names == name].T,
                s=18,
                color=colors(number if is_few else number / (len(classes) - 1)),
                marker=_MARKERS[number % len(_MARKERS)],
                alpha=0.8,
                linewidths=0,
            )
            for number, name in enumerate(classes)
        }

    def _ring(self, rows):
        """Draw rings around some of the points."""
        return self.ax_.scatter(
            *np.asarray(self.points)[rows].T,
            s=70,
            facecolors="none",
            edgecolors="black",
            linewidths=1.1,
        )


def project(features, method, random_state):
    """Return features in two dimensions."""
    n_images = len(features)
    if method == "pca":
        points = PCA(min(2, *features.shape), random_state=random_state).fit_transform(features)
        # A single feature has no second dimension.
        return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    n_components = min(_N_COMPONENTS, *features.shape)
    reduced = PCA(n_components, random_state=random_state).fit_transform(features)
    return TSNE(
        perplexity=min(_PERPLEXITY, (n_images - 1) / 3),
        init="pca" if n_components > 1 else "random",
        random_state=random_state,
    ).fit_transform(reduced)


def _check_wish(method, n_images):
    check_choice("method", method, ("tsne", "pca"))
    if n_images < _FEWEST:
        raise ValueError(f"A map requires at least {_FEWEST} images; got {n_images}.")


def _features_of(estimator, X):
    """Return the features of images, (n_samples, n_features)."""
    innermost = find_pipeline(estimator)
    if isinstance(innermost, Pipeline) and is_classifier(innermost):
        *_, (_, last) = innermost.steps
        return _features_of(last, innermost[:-1].transform(X) if len(innermost) > 1 else X)
    if hasattr(innermost, "net_"):
        return ImageEmbedder(FrozenEstimator(innermost)).fit_transform(X)
    if not hasattr(innermost, "transform"):
        raise TypeError(
            f"{type(innermost).__name__} has no features. Expected an image classifier of skimgcls "
            "or a fitted transformer, such as an ImageEmbedder; or pass features to from_features."
        )
    features = np.asarray(innermost.transform(X))
    return features.reshape(len(features), -1)
