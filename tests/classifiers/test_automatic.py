"""AutoImageClassifier compares classifiers and keeps the best."""

import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skimgcls import (
    AutoImageClassifier,
    CNNImageClassifier,
    ImageAugmenter,
    ImageFlattener,
    ImageLoader,
    MLPImageClassifier,
    PretrainedImageClassifier,
    ResNetImageClassifier,
    load,
    make_shapes,
    save,
    to_onnx,
)
from skimgcls.classifiers._candidates import list_candidates
from skimgcls.classifiers._held_out import hold_out, sample
from skimgcls.estimator_checks._data import make_stripes

FAST = {"learning_rate_init": 0.01, "max_iter": 20}


def make_candidates(**params):
    settings = FAST | params
    return [
        ("mlp", MLPImageClassifier(32, **settings)),
        ("cnn", CNNImageClassifier((8,), hidden_layer_sizes=16, **settings)),
    ]


# Two networks that differ in their random weights only, so that their average is better.
ALIKE = [
    (name, MLPImageClassifier(16, max_iter=10, learning_rate_init=0.01, random_state=seed))
    for seed, name in enumerate(["first", "second"])
]


@pytest.fixture(scope="module")
def stripes():
    return make_stripes(60)


@pytest.fixture(scope="module")
def digits():
    images, y = load_digits(n_class=10, return_X_y=True)
    return images[:300].reshape(-1, 8, 8).astype(np.uint8), y[:300]


class Slow(LogisticRegression):
    """A classifier that is interrupted by the user."""

    def fit(self, X, y, sample_weight=None):
        raise KeyboardInterrupt


class Guess(MLPImageClassifier):
    """A classifier that is always wrong."""

    def predict_proba(self, X):
        return 1 - super().predict_proba(X)


class Fails(MLPImageClassifier):
    def fit(self, X, y, sample_weight=None):
        raise ValueError("no memory left")


def test_best_candidate_is_fitted_to_all_images(stripes):
    X, y = stripes
    clf = AutoImageClassifier(
        [("guess", Guess(32, **FAST)), ("mlp", MLPImageClassifier(32, **FAST))], random_state=0
    ).fit(X, y)
    board = clf.leaderboard_
    assert board["candidate"].tolist() == ["mlp", "guess"]
    assert board["weight"].tolist() == [1, 0]
    assert board["accuracy"][0] > 0.9 > board["accuracy"][1]
    seed = clf.best_estimator_.random_state
    alone = MLPImageClassifier(32, random_state=seed, **FAST).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), alone.predict_proba(X))


def test_average_is_used_where_it_is_better(digits):
    X, y = digits
    clf = AutoImageClassifier(ALIKE, random_state=0).fit(X, y)
    assert isinstance(clf.best_estimator_, VotingClassifier)
    weights = clf.leaderboard_["weight"]
    assert weights.sum() == pytest.approx(1)
    members = [clf.best_estimator_.named_estimators_[n] for n in clf.leaderboard_["candidate"]]
    expected = sum(w * m.predict_proba(X) for w, m in zip(weights, members, strict=True))
    np.testing.assert_allclose(clf.predict_proba(X), expected)
    logits = clf.decision_function(X)
    np.testing.assert_array_equal(clf.classes_[logits.argmax(axis=1)], clf.predict(X))


def test_equal_seeds_give_equal_bits(stripes):
    X, y = stripes
    clf = AutoImageClassifier(make_candidates(max_iter=3), random_state=1)
    first, second = (clone(clf).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("shape", "n_images", "effort", "expected"),
    [
        ((1, 4, 1), 1000, "medium", [CNNImageClassifier]),
        ((8, 8, 1), 30, "medium", [CNNImageClassifier]),
        ((64, 64, 3), 30, "medium", [PretrainedImageClassifier]),
        (
            (8, 8, 1),
            1000,
            "medium",
            [CNNImageClassifier, PretrainedImageClassifier, ResNetImageClassifier],
        ),
        ((64, 64, 3), 200, "medium", [PretrainedImageClassifier, ResNetImageClassifier]),
        (
            (64, 64, 3),
            1000,
            "medium",
            [PretrainedImageClassifier, ResNetImageClassifier, PretrainedImageClassifier],
        ),
        ((8, 8, 1), 500, "quick", [CNNImageClassifier, PretrainedImageClassifier]),
        ((28, 28, 1), 500, "quick", [PretrainedImageClassifier, ResNetImageClassifier]),
        ((28, 28, 1), 5000, "quick", [PretrainedImageClassifier, CNNImageClassifier]),
        ((224, 224, 3), 5000, "quick", [PretrainedImageClassifier]),
    ],
)
def test_candidates_follow_the_images(shape, n_images, effort, expected):
    found = list_candidates(shape, n_images, effort)
    assert [type(candidate.estimator) for candidate in found] == expected


def test_more_effort_has_more_candidates():
    names = {
        effort: {candidate.name for candidate in list_candidates((64, 64, 3), 1000, effort)}
        for effort in ("medium", "best")
    }
    assert names["medium"] < names["best"]


def test_default_candidates_are_compared_on_photographs():
    X, y = make_shapes(60, image_size=32, random_state=0)
    clf = AutoImageClassifier(effort="quick", class_weight="balanced", random_state=0)
    clf.fit(X, y)
    assert set(clf.leaderboard_["candidate"]) == {"pretrained, fitted head", "residual network"}
    assert clf.score(X, y) > 0.9
    # Settings reach the candidates.
    best = clf.best_estimator_
    members = best.estimators if isinstance(best, VotingClassifier) else [("", best)]
    assert "class_weight='balanced'" in repr(members[0][1])


def test_single_candidate_needs_no_comparison(stripes):
    X, y = stripes
    clf = AutoImageClassifier(make_candidates()[:1], random_state=0).fit(X, y)
    assert clf.leaderboard_["status"].tolist() == ["the only candidate"]
    assert np.isnan(clf.leaderboard_["accuracy"][0])


def test_time_limit_skips_what_does_not_fit(stripes):
    X, y = stripes
    clf = AutoImageClassifier(make_candidates(), time_limit=1e-3, random_state=0).fit(X, y)
    board = clf.leaderboard_
    assert board["candidate"].tolist() == ["mlp", "cnn"]
    assert board["status"][1].startswith("not begun")
    assert isinstance(clf.best_estimator_, MLPImageClassifier)


def test_ample_time_limit_changes_nothing(stripes):
    X, y = stripes
    clf = AutoImageClassifier(make_candidates(max_iter=3), random_state=0)
    limited = clone(clf).set_params(time_limit=10_000).fit(X, y)
    np.testing.assert_array_equal(limited.predict_proba(X), clf.fit(X, y).predict_proba(X))


def test_interruption_keeps_the_best_so_far(stripes):
    X, y = stripes
    clf = AutoImageClassifier([*make_candidates()[:1], ("slow", Slow())], random_state=0)
    with pytest.warns(UserWarning, match="interrupted: 'mlp' is kept, fitted to 30 of 60 images"):
        clf.fit(X, y)
    assert clf.leaderboard_["status"].tolist() == ["compared", "interrupted"]
    assert clf.score(X, y) > 0.9


def test_interruption_before_the_first_result_changes_nothing(stripes):
    clf = AutoImageClassifier([("slow", Slow()), *make_candidates()])
    with pytest.raises(KeyboardInterrupt):
        clf.fit(*stripes)
    assert not hasattr(clf, "best_estimator_")


def test_failed_candidate_is_listed(stripes):
    clf = AutoImageClassifier([("fails", Fails()), *make_candidates()[:1]], random_state=0)
    clf.fit(*stripes)
    assert clf.leaderboard_["status"].tolist() == ["compared", "failed: no memory left"]


def test_all_candidates_failing_is_an_error(stripes):
    clf = AutoImageClassifier([("a", Fails()), ("b", Fails())])
    with pytest.raises(ValueError, match="All candidates failed: a failed: no memory left; b"):
        clf.fit(*stripes)
    assert not hasattr(clf, "classes_")


def test_groups_are_held_out_as_a_whole():
    groups = np.repeat(np.arange(20), 3)
    targets = np.tile([0, 1, 2], 20)
    train, held_out = hold_out(targets, 0.2, np.random.RandomState(0), groups)
    assert not set(groups[train]) & set(groups[held_out])
    assert len(train) + len(held_out) == 60


def test_groups_reach_the_comparison(stripes):
    X, y = stripes
    clf = AutoImageClassifier(make_candidates(max_iter=1), random_state=0)
    with pytest.raises(ValueError, match="no image of 2 of the 3 classes is left"):
        clf.fit(X, y, groups=y)
    with pytest.raises(ValueError, match="one value for each of the 60 images"):
        clf.fit(X, y, groups=y[:-1])
    with pytest.raises(ValueError, match="at least two groups"):
        clf.fit(X, y, groups=np.zeros(60))


def test_only_image_of_a_class_is_trained_on():
    targets = np.array([0] * 30 + [1] * 30 + [2])
    for seed in range(10):
        train, held_out = hold_out(targets, 0.2, np.random.RandomState(seed))
        assert 60 in train
        assert set(targets[held_out]) == {0, 1}


def test_sample_of_many_images_has_each_class_twice():
    targets = np.array([0] * 1000 + [1] * 2)
    rows = sample(targets, 100, np.random.RandomState(0))
    assert len(rows) <= 104
    assert (targets[rows] == 1).sum() == 2


def test_few_images_are_held_out_in_larger_parts():
    rng = np.random.RandomState(0)
    sizes = [len(hold_out(np.arange(n) % 2, 0.2, rng)[1]) / n for n in (100, 300, 1000)]
    assert sizes == pytest.approx([0.5, 1 / 3, 0.2], abs=0.01)


def test_weight_zero_equals_removal(stripes):
    X, y = stripes
    weights = np.ones(60)
    weights[::4] = 0
    clf = AutoImageClassifier(make_candidates(max_iter=3), random_state=0)
    weighted = clone(clf).fit(np.where(weights[:, None, None] > 0, X, 255), y, weights)
    removed = clone(clf).fit(X[weights > 0], y[weights > 0])
    np.testing.assert_allclose(weighted.predict_proba(X), removed.predict_proba(X), atol=1e-6)


def test_multilabel(stripes):
    X, codes = stripes
    y = pd.DataFrame({"top": codes == 0, "low": codes > 0}).astype(int)
    clf = AutoImageClassifier(make_candidates(max_iter=40), random_state=0).fit(X, y)
    assert clf.classes_.tolist() == ["top", "low"]
    assert clf.predict(X).shape == (60, 2)
    assert clf.score(X, y) > 0.9
    assert (clf.leaderboard_["weight"] > 0).sum() == 1


def test_pipeline_with_files_and_augmentation(tmp_path):
    images, y = make_shapes(50, image_size=12, random_state=0)
    paths = [str(tmp_path / f"{number}.png") for number in range(50)]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    pipe = make_pipeline(
        ImageLoader(),
        ImageAugmenter(horizontal_flip=True),
        AutoImageClassifier(make_candidates(max_iter=5), random_state=0),
    ).fit(paths, y)
    np.testing.assert_array_equal(pipe.predict(paths), pipe[-1].predict(images))


def test_fitted_head_gets_images_without_augmentation():
    X, y = make_shapes(48, image_size=12, random_state=0)
    head = [("head", PretrainedImageClassifier(image_size=32)), make_candidates()[0]]
    clf = AutoImageClassifier(head, random_state=0)
    augmented = ImageAugmenter(horizontal_flip=True).fit_transform(X)
    clf.fit(augmented, y)
    names = clf.leaderboard_["candidate"].tolist()
    plain = AutoImageClassifier(head, random_state=0).fit(X, y).leaderboard_
    expected = plain.set_index("candidate")["log_loss"]["head"]
    assert clf.leaderboard_["log_loss"][names.index("head")] == pytest.approx(expected, abs=1e-9)


def test_parameters_of_candidates_can_be_set():
    clf = AutoImageClassifier(make_candidates())
    assert clf.get_params()["cnn__max_iter"] == 20
    clf.set_params(cnn__max_iter=7)
    assert dict(clf.candidates)["cnn"].max_iter == 7
    assert AutoImageClassifier().get_params()["candidates"] == "auto"


def test_any_classifier_of_scikit_learn_can_be_a_candidate(stripes):
    X, y = stripes
    flat = make_pipeline(ImageFlattener(), LogisticRegression())
    clf = AutoImageClassifier([("flat", flat), make_candidates()[0]], random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.9


@pytest.mark.parametrize(
    ("candidates", "error", "words"),
    [
        ([], ValueError, "at least one classifier"),
        ([MLPImageClassifier()], TypeError, r"candidates\[0\] must be a pair"),
        ([("loader", ImageLoader())], TypeError, "fit and predict_proba"),
        ([("a", MLPImageClassifier()), ("a", MLPImageClassifier())], ValueError, "own name"),
    ],
)
def test_invalid_candidates_are_refused(stripes, candidates, error, words):
    with pytest.raises(error, match=words):
        AutoImageClassifier(candidates).fit(*stripes)


def test_verbose_prints_a_line_for_each_candidate(stripes, capsys):
    AutoImageClassifier(make_candidates(max_iter=1), verbose=1, random_state=0).fit(*stripes)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["mlp", "cnn"]


def test_fit_is_silent_by_default(stripes, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AutoImageClassifier(make_candidates(max_iter=1), random_state=0).fit(*stripes)
    assert capsys.readouterr().out == ""


def test_saved_average_predicts_the_same(digits, tmp_path):
    X, y = digits
    clf = AutoImageClassifier(ALIKE, random_state=0).fit(X, y)
    assert isinstance(clf.best_estimator_, VotingClassifier)
    save(clf, tmp_path / "clf.skimgcls")
    loaded = load(tmp_path / "clf.skimgcls")
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    pd.testing.assert_frame_equal(loaded.leaderboard_, clf.leaderboard_)


def test_onnx_of_an_average_predicts_the_same(digits):
    onnxruntime = pytest.importorskip("onnxruntime")
    X, y = digits
    clf = AutoImageClassifier(ALIKE, random_state=0).fit(X, y)
    assert isinstance(clf.best_estimator_, VotingClassifier)
    session = onnxruntime.InferenceSession(to_onnx(clf).SerializeToString())
    proba, labels = session.run(["probabilities", "labels"], {"pixels": X[..., np.newaxis]})
    np.testing.assert_allclose(proba, clf.predict_proba(X), atol=1e-5)
    assert labels.tolist() == clf.predict(X).tolist()
