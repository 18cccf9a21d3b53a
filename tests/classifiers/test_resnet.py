"""Features specific to ResNetImageClassifier."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from skimgcls import ResNetImageClassifier
from skimgcls.estimator_checks._data import make_stripes
from skimgcls.nets import ResNet


def make_resnet(**params):
    return ResNetImageClassifier(**{"widths": (8, 16), "max_iter": 2, "random_state": 0, **params})


def make_sides(n_images=120):
    """Images whose class is the side of a bright stripe: mirroring swaps the classes."""
    X, _ = make_stripes(n_images=n_images, n_classes=1)
    X, y = X.transpose(0, 2, 1).copy(), np.arange(n_images) % 2
    X[y == 1] = X[y == 1, :, ::-1]
    return X, y


def logits_of(clf, X):
    """Return the logits without test-time augmentation."""
    batch = torch.from_numpy(X.reshape(len(X), *clf.image_shape_)).permute(0, 3, 1, 2).float()
    network = clf.net_.module_.train()
    with torch.no_grad():
        # Normalization as in evaluation; only the views are left out.
        for part in network.children():
            part.eval()
        logits = network(batch).numpy()
    network.eval()
    return logits


def assert_same(one, other, X):
    np.testing.assert_array_equal(one.decision_function(X), other.decision_function(X))


# ---- images and classes


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize(
    "shape", [(8, 8), (8, 8, 2), (9, 13, 3), (31, 8, 4), (16, 16, 3), (1, 64), (1, 20, 3), (40, 1)]
)
def test_any_size_any_channels_and_any_number_of_classes(shape, n_classes):
    X, y = make_stripes(n_images=14, shape=shape, n_classes=n_classes)
    clf = make_resnet(max_iter=1).fit(X, y)
    proba = clf.predict_proba(X)
    assert proba.shape == (14, n_classes)
    np.testing.assert_allclose(proba.sum(axis=1), 1)


def test_the_default_network_has_three_stages_of_two_convolutions():
    X, y = make_stripes(shape=(12, 12))
    clf = ResNetImageClassifier(max_iter=1, random_state=0).fit(X, y)
    shapes = [tuple(w.shape) for w in clf.net_.module_.body.stages.parameters() if w.ndim == 4]
    whitened = 2 * 1 * 2 * 2
    widths = [(32, whitened), (32, 32), (128, 32), (128, 128), (128, 128), (128, 128)]
    assert shapes == [(*width, 3, 3) for width in widths]


@pytest.mark.parametrize(("side", "stride"), [(8, 1), (100, 1), (130, 2), (224, 3)])
def test_the_first_layer_has_a_larger_stride_for_large_images(side, stride):
    X, y = make_stripes(n_images=4, shape=(side, side, 1), n_classes=2)
    clf = make_resnet(widths=(4,), depth=1, max_iter=1, test_time_augmentation=False).fit(X, y)
    whitening = clf.net_.module_.body.whitening
    assert whitening.stride == (stride, stride)
    assert whitening.kernel_size == (max(2, stride),) * 2


def test_it_learns_digits_from_their_images():
    digits = load_digits()
    X, y = digits.images[:600], digits.target[:600]
    clf = make_resnet(widths=(16, 32), max_iter=8).fit(X, y)
    assert clf.score(digits.images[600:], digits.target[600:]) > 0.9
    assert not clf.horizontal_flip_


def test_it_learns_multilabel_targets():
    X, codes = make_stripes(n_images=60, n_classes=4)
    y = np.stack([codes % 2, codes // 2], axis=1)
    clf = make_resnet(max_iter=40, batch_size=20).fit(X, y)
    assert clf.score(X, y) > 0.95
    assert clf.predict_proba(X).shape == (60, 2)
    assert clf.out_activation_ == "logistic"


def test_constant_images_can_be_fitted():
    X, y = np.full((24, 8, 8), 7, np.uint8), np.arange(24) % 3
    clf = make_resnet(max_iter=20, batch_size=8).fit(X, y)
    proba = clf.predict_proba(X)
    assert np.isfinite(proba).all()
    assert np.ptp(proba, axis=0).max() == 0
    assert clf.history_["train_loss"].notna().all()


def test_images_of_one_class_are_refused(stripes):
    X, _ = stripes
    with pytest.raises(ValueError, match="one class"):
        make_resnet().fit(X, np.zeros(len(X)))


# ---- parameters


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (
            {"widths": 0},
            "'widths' parameter .* must be an array-like, an int in the range .*'auto'",
        ),
        ({"widths": (8, 0)}, r"widths .*positive integer.*\(8, 0\)"),
        ({"depth": 0}, r"'depth' parameter .* must be an int in the range \[1, inf\)"),
        ({"depth": 1.5}, "'depth' parameter .* must be an int"),
        ({"horizontal_flip": "yes"}, "'horizontal_flip' parameter .*'auto'"),
        ({"translation": -1}, r"'translation' parameter .*\[0, inf\).*'auto'"),
        ({"translation": "far"}, "'translation' parameter .*'auto'"),
        ({"label_smoothing": 1.0}, r"'label_smoothing' parameter .*\[0.0, 1.0\)"),
        ({"label_smoothing": -0.1}, "'label_smoothing' parameter"),
        ({"weight_averaging": 1.1}, r"'weight_averaging' parameter .*\[0.0, 1.0\]"),
        ({"test_time_augmentation": "auto"}, "'test_time_augmentation' parameter .*bool"),
        ({"solver": "sgd"}, "'solver' parameter .*('muon'.*'adamw'|'adamw'.*'muon')"),
        ({"learning_rate_init": 0}, r"'learning_rate_init' parameter .*\(0.0, inf\).*'auto'"),
        ({"learning_rate_init": "high"}, "'learning_rate_init' parameter .*'auto'"),
        ({"learning_rate": "step"}, "'learning_rate' parameter .*'linear'"),
    ],
)
def test_parameters_are_checked_in_fit(stripes, params, words):
    clf = make_resnet(**params)
    with pytest.raises(ValueError, match=words):
        clf.fit(*stripes)
    assert not hasattr(clf, "net_")


@pytest.mark.parametrize("widths", [8, (8,), [8], np.array([8])])
def test_one_width_is_one_stage_in_every_notation(stripes, widths):
    clf = make_resnet(widths=widths).fit(*stripes)
    assert len(clf.net_.module_.body.stages) == 1
    assert_same(clf, make_resnet(widths=(8,)).fit(*stripes), stripes[0])


def test_each_solver_learns(stripes):
    X, y = stripes
    muon, adamw = (
        make_resnet(max_iter=20, batch_size=9, solver=solver).fit(X, y)
        for solver in ("muon", "adamw")
    )
    assert type(muon.net_.optimizer_) is not type(adamw.net_.optimizer_)
    assert muon.score(X, y) == adamw.score(X, y) == 1


def test_labels_are_smoothed_in_training(stripes):
    X, y = stripes
    plain, smoothed = (
        make_resnet(max_iter=40, label_smoothing=s).fit(X, y).predict_proba(X) for s in (0, 0.4)
    )
    assert plain.max(axis=1).mean() > smoothed.max(axis=1).mean()
    # With three classes, the target of the label is 0.6 plus a third of the other 0.4.
    assert smoothed.max(axis=1).mean() == pytest.approx(0.6 + 0.4 / 3, abs=0.1)


# ---- flips and shifts


@pytest.mark.parametrize("make_images", [lambda: make_stripes(n_images=120), make_sides])
def test_auto_mirrors_where_mirrored_images_are_of_the_same_class(make_images):
    X, y = make_images()
    clf = make_resnet(max_iter=1).fit(X, y)
    assert clf.horizontal_flip_ is (make_images is not make_sides)
    assert clf.net_.module_.views.mirror == clf.horizontal_flip_
    assert_same(clf, make_resnet(max_iter=1, horizontal_flip=clf.horizontal_flip_).fit(X, y), X)


def test_few_images_are_not_mirrored_by_default(stripes):
    assert make_resnet(max_iter=1).fit(*stripes).horizontal_flip_ is False


@pytest.mark.parametrize("flip", [True, False, np.True_])
def test_mirroring_can_be_set(flip):
    X, y = make_sides()
    clf = make_resnet(horizontal_flip=flip).fit(X, y)
    assert clf.horizontal_flip_ is bool(flip)


def test_left_and_right_are_learned_if_images_are_not_mirrored():
    X, y = make_sides(200)
    plain, mirrored = (
        make_resnet(max_iter=10, horizontal_flip=flip).fit(X[:120], y[:120])
        for flip in (False, True)
    )
    assert plain.score(X[120:], y[120:]) == 1
    # Each image is seen equally often in both orientations.
    assert mirrored.score(X[120:], y[120:]) < 0.75


@pytest.mark.parametrize(
    ("shape", "translation"),
    [((1, 64), 0), ((7, 7), 0), ((16, 16), 1), ((16, 80), 1), ((32, 32), 2), ((60, 50), 3)],
)
def test_auto_shifts_by_a_sixteenth_of_the_shorter_side(shape, translation):
    X, y = make_stripes(n_images=6, shape=shape)
    clf = make_resnet(widths=(4,), max_iter=1).fit(X, y)
    assert clf.translation_ == translation
    assert clf.net_.module_.views.shift == (translation > 0)


def test_a_given_translation_is_used(stripes):
    clfs = [make_resnet(translation=translation).fit(*stripes) for translation in (0, 3)]
    assert [clf.translation_ for clf in clfs] == [0, 3]
    assert not np.array_equal(*(clf.predict_proba(stripes[0]) for clf in clfs))


@pytest.mark.parametrize(("flip", "translation"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_predictions_are_averaged_over_views(stripes, flip, translation):
    X, y = stripes
    params = {"horizontal_flip": bool(flip), "translation": translation}
    clf = make_resnet(**params).fit(X, y)
    plain = make_resnet(test_time_augmentation=False, **params).fit(X, y)
    np.testing.assert_allclose(plain.decision_function(X), logits_of(plain, X), rtol=1e-5)
    padded = np.pad(X, ((0, 0), (1, 1), (1, 1)), mode="reflect")
    views = {0: 0.25, 1: 0.5, 2: 0.25} if translation else {1: 1}
    expected = np.zeros((len(X), 3))
    for start, share in views.items():
        view = padded[:, start : start + 8, start : start + 8]
        both_ways = [view, view[:, :, ::-1]] if flip else [view]
        for each in both_ways:
            expected += share / len(both_ways) * plain.decision_function(each)
    np.testing.assert_allclose(clf.decision_function(X), expected, rtol=1e-4, atol=1e-5)


def test_test_time_views_use_the_fitted_network(stripes):
    X, y = stripes
    clf = make_resnet(horizontal_flip=True).fit(X, y)
    before = clf.predict_proba(X)
    clf.set_params(test_time_augmentation=False, horizontal_flip=False, translation=0)
    np.testing.assert_array_equal(clf.predict_proba(X), before)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X), before)


# ---- stages


def random_batch(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def make_stage(depth):
    """Return a stage of eight channels, the output of the first layer for gray images."""
    return ResNet((9, 9, 1), 2, widths=(8,), depth=depth).body.stages[0].eval()


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_networks_of_any_depth_fit(stripes, depth):
    clf = make_resnet(widths=(4, 8), depth=depth, max_iter=30).fit(*stripes)
    assert [len(stage.convolutions) for stage in clf.net_.module_.body.stages] == [depth, depth]
    assert clf.score(*stripes) == 1


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_a_residual_block_of_zeros_passes_its_input_through(depth):
    batch = random_batch(5, 8, 8, 8)
    stage, shallow = make_stage(depth), make_stage(depth - 2)
    shallow.load_state_dict({name: stage.state_dict()[name] for name in shallow.state_dict()})
    with torch.no_grad():
        for convolution in stage.convolutions[-2:]:
            convolution.weight.zero_()
        passed_on = shallow(batch)
        # Only the activation of the block remains.
        torch.testing.assert_close(stage(batch), torch.nn.functional.gelu(passed_on))
    assert passed_on.abs().max() > 0.1


def test_a_single_convolution_has_no_skip_connection():
    stage = make_stage(2)
    with torch.no_grad():
        stage.convolutions[1].weight.zero_()
        assert not stage(random_batch(5, 8, 8, 8)).any()


# ---- the first layer


def test_the_first_layer_is_learned_from_the_images_and_not_trained(stripes):
    X, y = stripes
    short, long = (make_resnet(max_iter=n).fit(X, y) for n in (1, 5))
    filters = [clf.net_.module_.body.whitening.weight for clf in (short, long)]
    assert filters[0].any()
    assert torch.equal(*filters)
    assert not torch.equal(*(clf.net_.module_.head.weight for clf in (short, long)))
    long.partial_fit(X[:12], y[:12])
    assert torch.equal(long.net_.module_.body.whitening.weight, filters[0])
    other = make_resnet(max_iter=1).fit(X.transpose(0, 2, 1), y)
    assert not torch.equal(other.net_.module_.body.whitening.weight, filters[0])


def test_the_output_of_the_first_layer_is_whitened(stripes):
    X, y = stripes
    clf = make_resnet(max_iter=1).fit(X, y)
    batch = torch.from_numpy(X[:, None]).float()
    with torch.no_grad():
        network = clf.net_.module_
        maps = network.body.whitening(network.standardize(batch)).double()
    half = maps.shape[1] // 2
    values = maps[:, :half].permute(1, 0, 2, 3).flatten(1).numpy()
    np.testing.assert_allclose(np.cov(values, ddof=0), np.eye(half), atol=0.05)
    torch.testing.assert_close(maps[:, half:], -maps[:, :half])


# ---- reproducibility, warm start and partial_fit


@pytest.mark.parametrize("solver", ["muon", "adamw"])
def test_equal_seeds_fit_equal_bits(stripes, solver):
    X, y = stripes
    params = {"solver": solver, "translation": 1, "horizontal_flip": True, "batch_size": 8}
    first, second, other = (
        make_resnet(**params, random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
@pytest.mark.parametrize("solver", ["muon", "adamw"])
def test_a_copy_predicts_and_trains_equally(stripes, solver, copied):
    X, y = stripes
    clf = make_resnet(solver=solver, translation=1, horizontal_flip=True, batch_size=12)
    again = copied(clf.fit(X, y))
    assert (again.horizontal_flip_, again.translation_) == (True, 1)
    assert_same(clf, again, X)
    for each in (clf, again):
        each.partial_fit(X, y).partial_fit(X[:20], y[:20])
    assert clf.n_iter_ == 4
    assert_same(clf, again, X)


def test_partial_fit_learns_from_batches(stripes):
    X, y = stripes
    clf = make_resnet()
    for _ in range(12):
        for part in np.array_split(np.arange(len(X)), 2):
            clf.partial_fit(X[part], y[part], classes=[0, 1, 2])
    assert clf.score(X, y) == 1
    assert (clf.horizontal_flip_, clf.translation_) == (False, 0)


def test_warm_start_continues_from_the_current_weights(stripes):
    X, y = stripes
    clf = make_resnet(warm_start=True, max_iter=10).fit(X, y)
    filters, losses = clf.net_.module_.body.whitening.weight.clone(), clf.loss_curve_
    clf.set_params(solver="adamw", label_smoothing=0.1, weight_averaging=0.5, max_iter=3).fit(X, y)
    assert clf.n_iter_ == 13
    assert clf.loss_curve_[10] < losses[0]
    assert torch.equal(clf.net_.module_.body.whitening.weight, filters)


def test_warm_start_keeps_the_auto_values_of_the_first_fit():
    X, y = make_stripes(n_images=120)
    clf = make_resnet(warm_start=True).fit(X, y)
    assert clf.fit(*make_sides()).horizontal_flip_ is True


@pytest.mark.parametrize("parameter", [{"depth": 3}, {"widths": (8, 8)}, {"widths": (8,)}])
def test_warm_start_refuses_another_network(stripes, parameter):
    clf = make_resnet(warm_start=True).fit(*stripes)
    with pytest.raises(ValueError, match="build a different network"):
        clf.set_params(**parameter).fit(*stripes)


# ---- weights


@pytest.mark.parametrize("shape", [(8, 8), (9, 12, 3)])
def test_a_weight_of_two_is_equivalent_to_repeating_the_image(shape):
    X, y = make_stripes(n_images=24, shape=shape)
    times = np.random.RandomState(0).permutation(np.arange(24) % 4)
    params = {
        "horizontal_flip": False,
        "translation": 0,
        "precision": "float64",
        "batch_size": 100,
        "max_iter": 5,
    }
    weighted = make_resnet(**params).fit(X, y, sample_weight=times)
    repeated = make_resnet(**params).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    found, expected = weighted.decision_function(X), repeated.decision_function(X)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    plain = make_resnet(**params).fit(X, y).decision_function(X)
    assert np.abs(plain - expected).max() > 1e-2


# ---- averaged weights


def test_the_mean_of_the_last_weights_changes_predictions(stripes):
    X, y = stripes
    params = {"max_iter": 10, "batch_size": 12, "learning_rate": "constant"}
    plain, averaged = (make_resnet(**params, weight_averaging=share) for share in (0.0, 0.5))
    assert not np.array_equal(*(clf.fit(X, y).predict_proba(X) for clf in (plain, averaged)))
    assert plain.loss_curve_ == averaged.loss_curve_
    assert averaged.score(X, y) == 1


def test_the_mean_of_the_last_step_alone_is_the_last_step(stripes):
    X, y = stripes
    plain = make_resnet().fit(X, y)
    assert_same(plain, make_resnet(weight_averaging=1e-9).fit(X, y), X)


def test_early_stopping_keeps_the_weights_of_the_best_epoch(stripes):
    X, y = stripes
    params = {"max_iter": 8, "early_stopping": True, "batch_size": 12}
    plain, averaged = (make_resnet(**params, weight_averaging=share) for share in (0.0, 1.0))
    for clf in (plain, averaged):
        clf.fit(X, y, X_val=X[:9], y_val=y[:9])
    assert_same(plain, averaged, X)
    assert averaged.score(X[:9], y[:9]) == averaged.best_validation_score_


# ---- precision


def test_bfloat16_and_float32_predict_about_the_same():
    X, y = make_stripes(n_images=60, shape=(16, 16))
    exact, rounded = (
        make_resnet(max_iter=20, precision=precision).fit(X, y)
        for precision in ("float32", "bfloat16")
    )
    assert (exact.precision_, rounded.precision_) == ("float32", "bfloat16")
    assert exact.score(X, y) == 1
    # How sums are rounded depends on the CPU.
    assert rounded.score(X, y) >= 0.95
    proba, rounded_proba = exact.predict_proba(X), rounded.predict_proba(X)
    assert not np.array_equal(proba, rounded_proba)
    assert np.abs(rounded_proba - proba).mean() < 0.05
    assert all(weights.dtype is torch.float32 for weights in rounded.net_.module_.parameters())
    again = pickle.loads(pickle.dumps(rounded))
    np.testing.assert_array_equal(again.predict_proba(X), rounded_proba)


# ---- values of "auto"


@pytest.mark.parametrize(
    ("n_images", "batch_size", "n_epochs", "learning_rate"),
    [
        (64, 64, 120, 0.076),
        (200, 16, 120, 0.048),
        (500, 25, 60, 0.056),
        (1000, 50, 35, 0.070),
        (10_000, 250, 18, 0.12),
        (50_000, 250, 6, 0.12),
    ],
)
def test_batches_epochs_and_rate_follow_the_number_of_images(
    stripes, n_images, batch_size, n_epochs, learning_rate
):
    clf = make_resnet(max_iter=1).fit(*stripes)
    plan = clf.set_params(max_iter="auto")._make_config(n_images)
    assert (plan.batch_size, plan.max_epochs) == (batch_size, n_epochs)
    assert plan.learning_rate_init == pytest.approx(learning_rate, rel=0.02)


@pytest.mark.parametrize(
    ("shape", "widths"),
    [
        ((1, 1, 1), (8,)),
        ((1, 4, 1), (8,)),
        ((1, 10, 1), (24, 24)),
        ((4, 4, 1), (32,)),
        ((8, 8, 1), (32, 128)),
        ((12, 12, 1), (32, 128, 128)),
        ((1, 64, 1), (32, 128, 128)),
        ((64, 64, 3), (32, 128, 128)),
    ],
)
def test_widths_follow_the_size_of_the_images(shape, widths):
    X, y = make_stripes(n_images=6, shape=shape, n_classes=2)
    clf = ResNetImageClassifier(max_iter=1, random_state=0).fit(X, y)
    assert clf.widths_ == widths
    assert [stage.convolutions[0].out_channels for stage in clf.net_.module_.body.stages] == list(
        widths
    )


def test_given_widths_are_used(stripes):
    assert make_resnet(widths=[4, 8], max_iter=1).fit(*stripes).widths_ == (4, 8)


@pytest.mark.parametrize(
    ("shape", "n_epochs"), [((1, 4), 15), ((4, 4), 30), ((7, 8), 105), ((8, 8), 120), ((9, 9), 120)]
)
def test_epochs_follow_the_size_of_small_images(shape, n_epochs):
    X, y = make_stripes(n_images=6, shape=shape, n_classes=2)
    clf = make_resnet(max_iter=1).fit(X, y)
    assert clf.set_params(max_iter="auto")._make_config(64).max_epochs == n_epochs


def test_chosen_values_are_attributes(stripes):
    X, y = stripes
    clf = ResNetImageClassifier((4,), max_iter=3, random_state=0).fit(X, y)
    assert (clf.batch_size_, clf.max_iter_, clf.mixup_) == (64, 3, 0.0)
    assert clf.learning_rate_init_ == pytest.approx(0.076, rel=0.01)
    clf.set_params(batch_size=5, mixup=0.3, learning_rate_init=0.1).partial_fit(X, y)
    assert (clf.batch_size_, clf.max_iter_, clf.mixup_) == (5, 1, 0.3)
    assert clf.learning_rate_init_ == 0.1


def test_weights_and_repetition_agree_on_tiny_images():
    """Long training of many channels amplifies rounding errors until the two differ."""
    rng = np.random.RandomState(4)
    X, y, weights = rng.uniform(size=(15, 10)), np.arange(15) % 3, rng.randint(0, 4, 15)
    weighted, repeated = (ResNetImageClassifier(random_state=0) for _ in range(2))
    weighted.fit(X, y, sample_weight=weights)
    repeated.fit(X.repeat(weights, axis=0), y.repeat(weights))
    np.testing.assert_allclose(
        weighted.decision_function(X), repeated.decision_function(X), rtol=1e-9
    )


def test_images_seen_often_are_mixed_except_in_the_last_epochs(stripes):
    clf = make_resnet(max_iter=1).fit(*stripes)
    often = clf.set_params(max_iter=40)._make_config(1000).mixing
    assert (often.mixup, often.n_passes) == (0.2, 28)
    assert clf.set_params(max_iter=60)._make_config(1000).mixing.mixup == 0.5
    assert clf.set_params(max_iter=19)._make_config(1000).mixing is None
    assert clf.set_params(max_iter=40)._make_config(64).mixing is None
    assert clf.set_params(mixup=0.0)._make_config(1000).mixing is None
    constant = clf.set_params(mixup=1.0, learning_rate="constant")._make_config(1000).mixing
    assert (constant.mixup, constant.n_passes) == (1.0, None)


def test_a_decaying_learning_rate_runs_all_epochs(stripes):
    clf = make_resnet(max_iter=12, n_iter_no_change=1, tol=100.0)
    assert clf.fit(*stripes).n_iter_ == 12
    assert clf.set_params(learning_rate="constant").fit(*stripes).n_iter_ == 2


def test_a_network_without_stages_is_refused(stripes):
    with pytest.raises(ValueError, match="at least one stage"):
        ResNetImageClassifier(()).fit(*stripes)
