"""The training loss."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import log_loss
from torch.nn import functional

from skimgcls.nets import WeightedLoss

few = settings(deadline=None, max_examples=50)
N, K = 5, 3
logits_of_a_batch = arrays(np.float64, (N, K), elements=st.floats(-20, 20)).map(torch.from_numpy)
labels = arrays(np.int64, N, elements=st.integers(0, K - 1)).map(torch.from_numpy)
indicators = arrays(np.float32, (N, K), elements=st.sampled_from([0, 1])).map(torch.from_numpy)
counts = arrays(np.int64, N, elements=st.integers(0, 3)).filter(np.any).map(torch.from_numpy)


def targets_for(multilabel):
    return indicators if multilabel else labels


@pytest.mark.parametrize("multilabel", [False, True])
@few
@given(logits=logits_of_a_batch, times=counts, data=st.data())
def test_weights_are_equivalent_to_repeated_rows(multilabel, logits, times, data):
    targets = data.draw(targets_for(multilabel))
    loss = WeightedLoss(multilabel=multilabel)
    weights = times / times.double().mean()
    repeated = loss(logits.repeat_interleave(times, 0), targets.repeat_interleave(times, 0))
    torch.testing.assert_close(loss(logits, targets, weights), repeated)


@pytest.mark.parametrize("multilabel", [False, True])
@few
@given(logits=logits_of_a_batch, data=st.data())
def test_weights_of_one_are_equivalent_to_no_weights(multilabel, logits, data):
    targets = data.draw(targets_for(multilabel))
    loss = WeightedLoss(multilabel=multilabel)
    ones = torch.ones(N, dtype=torch.float64)
    torch.testing.assert_close(loss(logits, targets, ones), loss(logits, targets))


@pytest.mark.parametrize("multilabel", [False, True])
@few
@given(logits=logits_of_a_batch, times=counts, data=st.data())
def test_sum_over_batches_does_not_depend_on_the_split(multilabel, logits, times, data):
    targets = data.draw(targets_for(multilabel))
    loss = WeightedLoss(multilabel=multilabel)
    weights = times.double()
    whole = N * loss(logits, targets, weights)
    parts = [
        len(rows) * loss(logits[rows], targets[rows], weights[rows])
        for rows in (torch.arange(2), torch.arange(2, N))
    ]
    torch.testing.assert_close(sum(parts), whole)


@few
@given(logits=logits_of_a_batch, targets=labels)
def test_multiclass_loss_equals_log_loss_of_scikit_learn(logits, targets):
    logits = logits / 4  # scikit-learn clips probabilities near zero
    proba = torch.softmax(logits, dim=1)
    expected = log_loss(targets, proba, labels=range(K))
    assert WeightedLoss()(logits, targets).item() == pytest.approx(expected)


@few
@given(logits=logits_of_a_batch, targets=indicators, weight=st.floats(0.1, 10))
def test_positive_weight_applies_to_ones_only(logits, targets, weight):
    positive_weight = torch.tensor([weight, 1, 1], dtype=torch.float64)
    loss = WeightedLoss(multilabel=True, positive_weight=positive_weight)
    proba = torch.sigmoid(logits)
    ones, zeros = targets * proba.log(), (1 - targets) * torch.sigmoid(-logits).log()
    expected = -(positive_weight * ones + zeros).mean()
    torch.testing.assert_close(loss(logits, targets), expected)


def test_positive_weight_moves_with_the_module():
    loss = WeightedLoss(multilabel=True, positive_weight=torch.ones(3, dtype=torch.float64))
    assert loss.to(torch.float32).positive_weight.dtype is torch.float32


@few
@given(logits=logits_of_a_batch, targets=labels, times=counts, smoothing=st.floats(0, 0.9))
def test_label_smoothing_equals_that_of_torch(logits, targets, times, smoothing):
    loss = WeightedLoss(label_smoothing=smoothing)
    soft = (1 - smoothing) * functional.one_hot(targets, K) + smoothing / K
    of_rows = -(soft * logits.log_softmax(dim=1)).sum(dim=1)
    expected = functional.cross_entropy(logits, targets, label_smoothing=smoothing)
    torch.testing.assert_close(loss(logits, targets), expected)
    torch.testing.assert_close(of_rows.mean(), expected)
    torch.testing.assert_close(loss(logits, targets, times.double()), (of_rows * times).mean())
    # Mixed images already have soft targets.
    torch.testing.assert_close(loss(logits, functional.one_hot(targets, K).double()), expected)


@few
@given(
    logits=logits_of_a_batch,
    targets=indicators,
    times=counts,
    smoothing=st.floats(0, 0.9),
    weight=st.floats(0.1, 10),
)
def test_label_smoothing_of_indicators(logits, targets, times, smoothing, weight):
    positive_weight = torch.tensor([weight, 1, 1], dtype=torch.float64)
    loss = WeightedLoss(multilabel=True, positive_weight=positive_weight, label_smoothing=smoothing)
    soft = targets.double() * (1 - smoothing) + smoothing / 2
    yes, no = functional.logsigmoid(logits), functional.logsigmoid(-logits)
    of_rows = -(positive_weight * soft * yes + (1 - soft) * no).mean(dim=1)
    torch.testing.assert_close(loss(logits, targets), of_rows.mean())
    torch.testing.assert_close(loss(logits, targets, times.double()), (of_rows * times).mean())


@pytest.mark.parametrize("multilabel", [False, True])
def test_no_label_smoothing_by_default(multilabel):
    logits = torch.tensor([[60.0, -60.0, -60.0]])
    targets = torch.tensor([[1.0, 0.0, 0.0]]) if multilabel else torch.tensor([0])
    assert WeightedLoss(multilabel=multilabel)(logits, targets) < 1e-20
    assert WeightedLoss(multilabel=multilabel, label_smoothing=0.1)(logits, targets) > 1
