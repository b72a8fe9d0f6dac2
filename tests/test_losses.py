"""coursekit.losses: torch's numbers, measured gradients, run axes, extreme numbers, and bad input."""

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import losses
from coursekit.errors import DTypeError, LabelError, NotFiniteError, RangeError, ShapeError
from coursekit.gradcheck import gradient_check


def weights(scores):
    return np.arange(1, scores.shape[-1] + 1).astype(scores.dtype)


# name: (loss, the same in torch, what it compares with: classes, numbers, shares between 0 and 1, rows of sum 1)
CASES = {
    "softmax_cross_entropy": (losses.softmax_cross_entropy, F.cross_entropy, "classes"),
    "sigmoid_cross_entropy": (losses.sigmoid_cross_entropy, F.binary_cross_entropy_with_logits, "shares"),
    "mean_squared_error": (losses.mean_squared_error, F.mse_loss, "numbers"),
    "huber": (losses.huber, F.huber_loss, "numbers"),
    "huber, delta 0.3": (
        lambda p, t: losses.huber(p, t, delta=0.3),
        lambda p, t: F.huber_loss(p, t, delta=0.3),
        "numbers",
    ),
    "hinge": (losses.hinge, F.multi_margin_loss, "classes"),
    "soft_cross_entropy": (losses.soft_cross_entropy, F.cross_entropy, "rows"),
    "kl_divergence": (
        losses.kl_divergence,
        lambda s, q: F.kl_div(F.log_softmax(s, -1), q, reduction="batchmean"),
        "rows",
    ),
    "weighted_cross_entropy": (
        lambda s, y: losses.weighted_cross_entropy(s, y, weights(s)),
        lambda s, y: F.cross_entropy(s, y, weight=torch.from_numpy(weights(s.detach().numpy()))),
        "classes",
    ),
    "label smoothing": (
        lambda s, y: losses.soft_cross_entropy(s, losses.smooth_labels(y, s.shape[-1], 0.3)),
        lambda s, y: F.cross_entropy(s, y, label_smoothing=0.3),
        "classes",
    ),
    "hinge, margin 0.4": (
        lambda s, y: losses.hinge(s, y, margin=0.4),
        lambda s, y: F.multi_margin_loss(s, y, margin=0.4),
        "classes",
    ),
}
each_loss = pytest.mark.parametrize("name", CASES)


def example(rng, name, shape, dtype=np.float64, runs_share=False):
    pred = (2 * rng.standard_normal(shape)).astype(dtype)
    kind = CASES[name][2]
    truth = shape[-2:] if runs_share else shape
    if kind == "classes":
        return pred, rng.integers(0, shape[-1], truth[:-1])
    if kind == "rows":
        rows = rng.uniform(0, 1, truth)
        return pred, (rows / rows.sum(axis=-1, keepdims=True)).astype(dtype)
    return pred, (rng.uniform(0, 1, truth) if kind == "shares" else rng.standard_normal(truth)).astype(dtype)


@each_loss
@pytest.mark.parametrize("shape", [(7, 5), (1, 4), (6, 1), (33, 10)])
def test_loss_and_gradient_are_those_of_torch(name, shape):
    loss, reference, _ = CASES[name]
    pred, truth = example(np.random.default_rng(0), name, shape)
    value, gradient = loss(pred, truth)
    tensor = torch.from_numpy(pred).requires_grad_()
    expected = reference(tensor, torch.from_numpy(truth))
    expected.backward()
    np.testing.assert_allclose(value, expected.item(), rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-12, atol=1e-16)


@each_loss
def test_the_gradient_is_the_measured_one(name):
    loss = CASES[name][0]
    pred, truth = example(np.random.default_rng(1), name, (5, 4))
    assert gradient_check(lambda p: loss(p, truth)[0], pred, loss(pred, truth)[1], eps=1e-6)


@each_loss
@pytest.mark.parametrize("runs_share", [False, True])
@pytest.mark.parametrize("runs", [(4,), (3, 2)])
def test_runs_in_one_pass_are_the_runs_one_by_one(name, runs, runs_share):
    loss = CASES[name][0]
    pred, truth = example(np.random.default_rng(0), name, (*runs, 6, 5), runs_share=runs_share)
    value, gradient = loss(pred, truth)
    assert value.shape == runs and gradient.shape == pred.shape
    for i in np.ndindex(runs):
        alone, alone_gradient = loss(pred[i], truth if runs_share else truth[i])
        np.testing.assert_allclose(value[i], alone, rtol=0, atol=1e-12)
        np.testing.assert_allclose(gradient[i], alone_gradient, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name][2] in ("numbers", "shares")])
def test_one_number_an_example_needs_no_feature_axis(name):
    loss, reference, _ = CASES[name]
    pred, truth = example(np.random.default_rng(0), name, (1, 8))
    value, gradient = loss(pred[0], truth[0])
    np.testing.assert_allclose(value, reference(torch.from_numpy(pred[0]), torch.from_numpy(truth[0])).item())
    np.testing.assert_allclose(gradient, loss(pred, truth)[1][0])


@given(
    st.sampled_from(sorted(CASES)),
    st.sampled_from([np.float16, np.float32, np.float64]),
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_dtype_and_shape_are_kept_and_nothing_given_is_changed(name, dtype, shape, fortran):
    pred, truth = example(np.random.default_rng(0), name, tuple(shape), dtype)
    expected_value, expected = CASES[name][0](pred, truth)
    pred = np.asfortranarray(pred) if fortran else pred
    before = pred.copy(), truth.copy()
    value, gradient = CASES[name][0](pred, truth)
    assert value.dtype == dtype and value.shape == pred.shape[:-2]
    assert gradient.dtype == dtype and gradient.shape == pred.shape
    assert (pred == before[0]).all() and (truth == before[1]).all()
    tolerance = 5 * np.finfo(dtype).eps
    np.testing.assert_allclose(value, expected_value, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(gradient, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("big", [1e4, 1e30])
def test_cross_entropy_is_exact_for_extreme_scores(dtype, big):
    scores = np.array([[big, 0], [0, -big], [0, big]], dtype)
    loss, gradient = losses.softmax_cross_entropy(scores, np.array([0, 0, 0]))
    np.testing.assert_allclose(loss, big / 3, rtol=1e-6)
    np.testing.assert_array_equal(gradient, np.array([[0, 0], [0, 0], [-1, 1]], dtype) / 3)
    logits = np.array([big, -big, big], dtype)
    loss, gradient = losses.sigmoid_cross_entropy(logits, np.array([1, 0, 0]))
    np.testing.assert_allclose(loss, big / 3, rtol=1e-6)
    np.testing.assert_allclose(gradient, np.array([0, 0, 1]) / 3, rtol=1e-6)


def test_sigmoid_cross_entropy_keeps_the_digits_of_a_small_loss():
    loss, _ = losses.sigmoid_cross_entropy(np.array([50.0]), np.array([1]))
    np.testing.assert_allclose(loss, np.exp(-50.0), rtol=1e-12)


def test_yes_and_no_may_be_booleans_or_whole_numbers():
    logits = np.array([[0.5, -1.0]])
    expected, _ = losses.sigmoid_cross_entropy(logits, np.array([[1.0, 0.0]]))
    for targets in (np.array([[1, 0]]), np.array([[True, False]]), np.array([[1, 0]], np.uint8)):
        assert losses.sigmoid_cross_entropy(logits, targets)[0] == expected


@each_loss
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_diverged_run_is_marked_and_the_others_go_on_without_a_warning(name, bad):
    loss = CASES[name][0]
    pred, truth = example(np.random.default_rng(0), name, (3, 6, 5))
    expected, _ = loss(pred, truth)
    pred[1] = bad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, _ = loss(pred, truth)
    assert np.isnan(value[1]) or np.isinf(value[1])
    np.testing.assert_array_equal(value[[0, 2]], expected[[0, 2]])


@each_loss
def test_a_diverged_single_run_is_an_error(name):
    loss = CASES[name][0]
    pred, truth = example(np.random.default_rng(0), name, (6, 5))
    pred[2, 3] = np.nan
    with pytest.raises(
        NotFiniteError,
        match=r"^the loss is nan: (scores|pred|logits) contains NaN, infinity or numbers too large for float64; "
        r"training has diverged \(try a smaller learning rate\) or the inputs are not finite$",
    ):
        loss(pred, truth)


def test_an_error_whose_square_overflows_is_an_error_without_a_warning():
    with pytest.raises(NotFiniteError, match=r"the loss is inf: pred .* too large for float32"):
        losses.mean_squared_error(np.array([[1e30]], np.float32), np.array([[0.0]], np.float32))


X, Y = np.zeros((4, 3)), np.array([0, 1, 2, 0])
BAD = {
    "classes from 1": (
        lambda f: f(X, Y + 1),
        LabelError,
        "labels contains 3, but with 3 classes labels run from 0 to 2",
    ),
    "a negative class": (lambda f: f(X, Y - 1), LabelError, "labels contains -1"),
    "one-hot rows": (lambda f: f(X, np.eye(3)[Y]), LabelError, r"one-hot rows use labels\.argmax"),
    "float classes": (lambda f: f(X, Y / 1), LabelError, r"labels\.astype\(np\.int64\)"),
    "too few labels": (lambda f: f(X, Y[:3]), ShapeError, r"labels has shape \(3,\); expected .*\(4,\)"),
    "one label for all": (lambda f: f(X, np.array(0)), ShapeError, r"labels has shape \(\)"),
    "scores of one example": (lambda f: f(X[0], Y), ShapeError, r"scores has shape \(3,\), that is 1 axis"),
    "no examples": (lambda f: f(X[:0], Y[:0]), ShapeError, "axis N is empty"),
    "scores in a list": (lambda f: f([[0.0, 1.0]], Y), DTypeError, "scores is a list, but must be a NumPy array"),
    "whole scores": (lambda f: f(X.astype(int), Y), DTypeError, "scores is an int64 array"),
}


@pytest.mark.parametrize("loss", [losses.softmax_cross_entropy, losses.hinge])
@pytest.mark.parametrize("name", BAD)
def test_bad_scores_and_labels_are_named(loss, name):
    call, error, message = BAD[name]
    with pytest.raises(error, match=message):
        call(loss)


BAD_NUMBERS = {
    "targets of another length": (lambda f: f(X, X[:3]), ShapeError, r"N=3, but N=4 is needed"),
    "targets with one column": (lambda f: f(X, X[:, :1]), ShapeError, "D=1, but D=3 is needed"),
    "flat targets": (lambda f: f(X, X[:, 0]), ShapeError, r"has shape \(4,\), that is 1 axis"),
    "flat predictions": (lambda f: f(X[:, 0], X[:, :1]), ShapeError, r"has shape \(4, 1\), that is 2 axes"),
    "targets of more runs": (lambda f: f(X, np.stack([X, X])), ShapeError, r"has shape \(2, 4, 3\), but .*\(4, 3\)"),
    "targets of other runs": (
        lambda f: f(np.stack([X, X, X]), np.stack([X, X])),
        ShapeError,
        r"has shape \(2, 4, 3\), but .*\(3, 4, 3\); they must agree",
    ),
    "NaN in the truth": (
        lambda f: f(X, np.where(X == 0, np.nan, X)),
        NotFiniteError,
        r"^targets? contains nan at index \(0, 0\)",
    ),
    "a prediction in a list": (
        lambda f: f([0.0], X[0]),
        DTypeError,
        "^(pred|logits) is a list, but must be a NumPy array",
    ),
    "an empty batch": (lambda f: f(X[:0], X[:0]), ShapeError, "axis N is empty"),
    "an empty flat batch": (lambda f: f(X[:0, 0], X[:0, 0]), ShapeError, "axis N is empty"),
    "a single number": (lambda f: f(np.array(1.0), np.array(1.0)), ShapeError, "that is 0 axes; expected at least 2"),
}


@pytest.mark.parametrize("loss", [losses.mean_squared_error, losses.huber, losses.sigmoid_cross_entropy])
@pytest.mark.parametrize("name", BAD_NUMBERS)
def test_bad_predictions_and_targets_are_named(loss, name):
    call, error, message = BAD_NUMBERS[name]
    with pytest.raises(error, match=message):
        call(loss)


@pytest.mark.parametrize("bad", [1.5, -0.5, 2])
def test_a_target_that_is_no_share_is_named(bad):
    with pytest.raises(LabelError, match=rf"targets contains {bad}.*, but must lie in \[0, 1\].*softmax_cross_entropy"):
        losses.sigmoid_cross_entropy(X[0], np.array([0, 1, bad]))


@pytest.mark.parametrize("bad, error", [(0, RangeError), (-1.0, RangeError), (np.nan, RangeError), ("1", DTypeError)])
def test_bad_settings_are_named(bad, error):
    with pytest.raises(error, match=r"delta is .*, but must be a"):
        losses.huber(X, X, delta=bad)
    with pytest.raises(error, match=r"margin is .*, but must be a"):
        losses.hinge(X, Y, margin=bad)


# --- distributions, smoothing, weights -------------------------------------------------------------------------------


def test_smoothed_labels_are_the_papers_formula():
    q = losses.smooth_labels(np.array([[0, 3], [1, 1]]), 4, 0.2, dtype=np.float32)
    assert q.shape == (2, 2, 4) and q.dtype == np.float32
    np.testing.assert_allclose(q[0, 1], [0.05, 0.05, 0.05, 0.85], rtol=1e-6)
    np.testing.assert_array_equal(losses.smooth_labels(np.array([1]), 3, 0), [[0, 1, 0]])
    with pytest.raises(RangeError, match=r"smoothing is 1, but must be a finite number in \[0, 1\)"):
        losses.smooth_labels(np.array([1]), 3, 1)


def test_the_divergence_is_what_the_cross_entropy_lies_above_the_entropy_and_never_negative():
    q = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    same, gradient = losses.kl_divergence(np.log(np.maximum(q, 1e-300)), q)
    assert same == pytest.approx(0, abs=1e-15) and np.abs(gradient).max() < 1e-15
    scores = np.random.default_rng(0).standard_normal((50, 2, 3))
    divergence, _ = losses.kl_divergence(scores, q)
    entropy = np.log(2) / 2
    assert (divergence > 0).all()
    np.testing.assert_allclose(losses.soft_cross_entropy(scores, q)[0] - divergence, entropy)


@pytest.mark.parametrize(
    ("targets", "error", "says"),
    [
        (np.array([[0.5, 0.6]]), LabelError, r"a row with sum 1\.1, but each row must be a distribution"),
        (np.array([[0.5, 0.51]]), LabelError, r"a row with sum 1\.01, but each row must be a distribution"),
        (np.array([[1.5, -0.5]]), LabelError, r"contains -0\.5, but each row must be a distribution"),
        (np.array([[1.0, 0.0, 0.0]]), ShapeError, "one distribution for each row of scores"),
        (np.array([1.0, 0.0]), ShapeError, r"targets has shape \(2,\)"),
        (np.array([[1, 0]]), DTypeError, "targets is an int64 array"),
        (np.array([[np.nan, 1.0]]), NotFiniteError, "targets contains nan"),
    ],
)
def test_what_is_no_distribution_is_refused(targets, error, says):
    for loss in (losses.soft_cross_entropy, losses.kl_divergence):
        with pytest.raises(error, match=says):
            loss(np.zeros((1, 2)), targets)


def test_weights_count_in_ratios_and_must_be_positive():
    scores, labels = np.random.default_rng(0).standard_normal((6, 3)), np.array([0, 0, 0, 1, 1, 2])
    one = losses.weighted_cross_entropy(scores, labels, np.ones(3))
    plain = losses.softmax_cross_entropy(scores, labels)
    np.testing.assert_allclose(one[0], plain[0])
    np.testing.assert_allclose(one[1], plain[1])
    balanced = losses.weighted_cross_entropy(scores, labels, np.array([2.0, 3.0, 6.0]))
    by_class = [losses.softmax_cross_entropy(scores[labels == c], labels[labels == c])[0] for c in range(3)]
    np.testing.assert_allclose(balanced[0], np.mean(by_class))
    with pytest.raises(RangeError, match=r"weights contains 0\.0, but a weight must be positive"):
        losses.weighted_cross_entropy(scores, labels, np.array([1.0, 0.0, 1.0]))
    with pytest.raises(ShapeError):
        losses.weighted_cross_entropy(scores, labels, np.ones(2))
