import numpy as np
import pytest
import torch

from coursekit.autograd import Tensor
from coursekit.errors import CourseError, DTypeError, RangeError, ShapeError
from coursekit.gradcheck import gradient_check


def arrays(*shapes, seed=0, positive=False):
    r = np.random.default_rng(seed)
    draw = (lambda s: r.uniform(0.5, 2, s)) if positive else r.standard_normal
    return [np.asarray(draw(s)) for s in shapes]


# What is written once and run in both libraries: (name, shapes of the inputs, positive?, function)
BOTH = [
    ("add", [(3, 4), (3, 4)], False, lambda a, b: a + b),
    ("add, row", [(3, 4), (4,)], False, lambda a, b: a + b),
    ("add, column", [(3, 4), (3, 1)], False, lambda a, b: a + b),
    ("add, both are repeated", [(3, 1), (1, 4)], False, lambda a, b: a + b),
    ("add, extra axes", [(4,), (2, 3, 4)], False, lambda a, b: a + b),
    ("add, number", [(3, 4), ()], False, lambda a, b: a + b),
    ("multiply", [(3, 4), (3, 4)], False, lambda a, b: a * b),
    ("multiply, row", [(4,), (3, 4)], False, lambda a, b: a * b),
    ("subtract, row", [(3, 4), (4,)], False, lambda a, b: a - b),
    ("divide", [(3, 4), (3, 4)], True, lambda a, b: a / b),
    ("divide, column", [(3, 4), (3, 1)], True, lambda a, b: a / b),
    ("numbers on either side", [(3, 4)], True, lambda a: 1 + 2 * a + 3 - (4 - a) * 5 / a + a / 6 - 1 + 1 / a),
    ("negative", [(3, 4)], False, lambda a: -a),
    ("square", [(3, 4)], False, lambda a: a**2),
    ("cube root and inverse", [(3, 4)], True, lambda a: a ** (1 / 3) * a**-2),
    ("power 0", [(3, 4)], False, lambda a: a**0 * a),
    ("power 1 of zero", [(3, 4)], False, lambda a: (a * 0) ** 1 + (a * 0) ** 0),
    ("power 1.5 of zero", [(3, 4)], False, lambda a: (a * 0) ** 1.5 + a),
    ("product of matrices", [(3, 4), (4, 5)], False, lambda a, b: a @ b),
    ("stacked products", [(2, 3, 4), (4, 5)], False, lambda a, b: a @ b),
    ("stacked products of both", [(2, 1, 3, 4), (6, 4, 5)], False, lambda a, b: a @ b),
    ("tanh", [(3, 4)], False, lambda a: a.tanh()),
    ("relu", [(3, 4)], False, lambda a: a.relu()),
    ("relu at 0", [(3, 4)], False, lambda a: (a * 0).relu() * a),
    ("exp", [(3, 4)], False, lambda a: a.exp()),
    ("log", [(3, 4)], True, lambda a: a.log()),
    ("sum", [(3, 4)], False, lambda a: a.sum() * a),
    ("sum over an axis", [(3, 4)], False, lambda a: a.sum(0) * a),
    ("sum over the last axis", [(3, 4, 2)], False, lambda a: a.sum(-1) ** 2),
    ("sum over two axes", [(3, 4, 2)], False, lambda a: a.sum((0, 2)) ** 2),
    ("sum that keeps its axis", [(3, 4)], True, lambda a: a / a.sum(1, keepdims=True)),
    ("sum of axes of length 1", [(1, 4, 1)], False, lambda a: a.sum(1) ** 2),
    ("mean", [(3, 4)], False, lambda a: a.mean() * a),
    ("mean over an axis", [(3, 4)], False, lambda a: (a - a.mean(0)) ** 2),
    ("mean over the last axis", [(3, 4, 2)], False, lambda a: a.mean(-1) ** 2),
    ("mean that keeps its axis", [(3, 4)], False, lambda a: (a - a.mean(1, keepdims=True)) ** 3),
    ("one tensor twice", [(3, 4)], False, lambda a: a * a),
    ("diamond", [(3, 4)], False, lambda a: (a.tanh() * a.exp()) + a.tanh()),
    ("a network", [(5, 3), (3, 4), (4,), (4, 2)], False, lambda x, w, b, v: ((x @ w + b).relu() @ v).tanh()),
    (
        "softmax cross-entropy",
        [(5, 3)],
        False,
        lambda s: (s.exp() / s.exp().sum(1, keepdims=True)).log().sum(1).mean() * -1 + 0 * s,
    ),
]


def torch_call(f, tensors):
    class T(torch.Tensor):
        def sum(self, axis=None, keepdims=False):
            return super().sum() if axis is None else super().sum(axis, keepdim=keepdims)

        def mean(self, axis=None, keepdims=False):
            return super().mean() if axis is None else super().mean(axis, keepdim=keepdims)

    return f(*(t.as_subclass(T) for t in tensors)).as_subclass(torch.Tensor)


@pytest.mark.parametrize(("shapes", "positive", "f"), [b[1:] for b in BOTH], ids=[b[0] for b in BOTH])
def test_values_and_gradients_are_pytorchs(shapes, positive, f):
    inputs = arrays(*shapes, positive=positive)
    ours, theirs = [Tensor(a) for a in inputs], [torch.tensor(a, requires_grad=True) for a in inputs]
    out, expected = f(*ours), torch_call(f, theirs)
    assert out.shape == tuple(expected.shape)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    (upstream,) = arrays(out.shape, seed=1)
    (out * upstream).sum().backward()
    (expected * torch.from_numpy(upstream)).sum().backward()
    for a, t in zip(ours, theirs, strict=True):
        assert a.grad.shape == a.shape
        np.testing.assert_allclose(a.grad, t.grad.numpy(), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("shapes", "positive", "f"), [b[1:] for b in BOTH], ids=[b[0] for b in BOTH])
def test_gradients_are_those_that_finite_differences_measure(shapes, positive, f):
    inputs = arrays(*shapes, seed=2, positive=positive)
    (upstream,) = arrays(f(*map(Tensor, inputs)).shape, seed=3)
    ours = [Tensor(a) for a in inputs]
    (f(*ours) * upstream).sum().backward()
    for i, a in enumerate(inputs):

        def loss(value, i=i):
            return (f(*(Tensor(value if j == i else b) for j, b in enumerate(inputs))) * upstream).sum().data

        report = gradient_check(loss, a, ours[i].grad, tolerance=1e-5)
        assert report, report


def test_a_number_stands_on_either_side_of_arrays_and_tensors():
    x = Tensor([[1.0, 2.0]])
    row = np.array([3.0, 5.0])
    for left, right in ((row + x, x + row), (row * x, x * row), (row - x, -(x - row)), (row / x, (x / row) ** -1)):
        assert isinstance(left, Tensor)
        np.testing.assert_allclose(left.data, right.data)
    assert isinstance(np.float64(2) * x, Tensor)
    np.testing.assert_array_equal((np.array([[2.0], [4.0]]) @ x).data, [[2, 4], [4, 8]])


def test_the_slope_of_relu_at_0_is_0():
    x = Tensor([-1.0, 0.0, 2.0])
    x.relu().sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0, 1])


def test_every_tensor_on_the_way_gets_its_gradient():
    x = Tensor(2.0)
    y = x * 3
    z = y**2
    z.backward()
    assert (float(z.grad), float(y.grad), float(x.grad)) == (1, 12, 36)


def test_repeated_backward_adds_up_everywhere():
    x = Tensor([1.0, -2.0])
    y = x * x
    loss = (y * y).sum()
    loss.backward()
    first = [t.grad.copy() for t in (x, y, loss)]
    np.testing.assert_array_equal(first[0], 4 * x.data**3)
    loss.backward()
    for t, g in zip((x, y, loss), first, strict=True):
        np.testing.assert_array_equal(t.grad, 2 * g)
    x.zero_grad()
    assert x.grad is None
    loss.backward()
    np.testing.assert_array_equal(x.grad, first[0])


def test_two_results_add_up_in_what_they_share():
    x = Tensor(3.0)
    (x * 2).backward()
    (x * x).backward()
    assert float(x.grad) == 8


def test_the_order_is_right_when_a_tensor_is_used_early_and_late():
    x = Tensor(1.5)
    y = x.tanh()
    z = y
    for _ in range(5):
        z = z * y + x
    z.backward()
    t = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    u = t.tanh()
    v = u
    for _ in range(5):
        v = v * u + t
    v.backward()
    np.testing.assert_allclose(float(x.grad), float(t.grad), rtol=1e-13)


def test_a_graph_of_ten_thousand_steps_needs_no_recursion():
    x = Tensor(1.0)
    y = x
    for _ in range(10_000):
        y = y + x
    y.backward()
    assert float(x.grad) == 10_001


def test_a_graph_with_many_paths_is_walked_once():
    x = Tensor(1.0)
    y = x
    for _ in range(60):
        y = y + y  # 2^60 paths
    y.backward()
    assert float(x.grad) == 2.0**60


def test_gradient_descent_with_tensors_learns():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 3))
    target = x @ [[1.0], [-2.0], [0.5]] + 3
    w, b = Tensor(np.zeros((3, 1))), Tensor(np.zeros(1))
    for _ in range(200):
        loss = ((x @ w + b - target) ** 2).mean()
        w.zero_grad()
        b.zero_grad()
        loss.backward()
        w.data -= 0.1 * w.grad
        b.data -= 0.1 * b.grad
    np.testing.assert_allclose(w.data[:, 0], [1, -2, 0.5], atol=1e-6)
    np.testing.assert_allclose(b.data, [3], atol=1e-6)


def test_data_is_copied_and_gradients_are_the_tensors_own():
    a = np.array([1.0, 2.0])
    x = Tensor(a)
    x.data -= 1
    np.testing.assert_array_equal(a, [1, 2])
    y = Tensor([1.0, 2.0])
    (x + y).sum().backward()
    x.grad += 5
    np.testing.assert_array_equal(y.grad, [1, 1])


def test_float32_stays_float32_and_whole_numbers_become_float64():
    x = Tensor(np.ones((2, 2), np.float32))
    loss = ((2 * x + 1) / 3 - x**2 @ x).tanh().relu().mean()
    loss.backward()
    assert loss.data.dtype == x.grad.dtype == np.float32
    assert (x * np.ones(2)).data.dtype == np.float64  # an array keeps its dtype, and the larger one wins as in NumPy
    assert Tensor(3).data.dtype == Tensor([1, 2]).data.dtype == np.float64


def test_the_graph_can_be_read():
    a, b = Tensor(1.0), Tensor(2.0)
    c = a * b
    assert (c.op, c.parents, a.op, a.parents) == ("*", (a, b), "", ())
    assert repr(Tensor([1.0, 2.5])) == "Tensor([1. , 2.5])"
    assert repr(Tensor(np.pi)) == "Tensor(3.1416)"


OPERATIONS = {
    "+": lambda a: a + 1,
    "*": lambda a: a * 2,
    "@": lambda a: a @ a,
    "**": lambda a: a**3,
    "tanh": Tensor.tanh,
    "relu": Tensor.relu,
    "exp": Tensor.exp,
    "log": Tensor.log,
    "sum": Tensor.sum,
}


@pytest.mark.parametrize("op", OPERATIONS)
def test_a_tensor_says_what_it_was_made_from_and_how(op):
    a = Tensor(np.ones((2, 2)))
    made = OPERATIONS[op](a)
    assert made.op == op and made.parents[0] is a


NO_NUMPY = r"^NumPy functions know nothing of gradients; use the methods, x\.exp\(\), or the array, x\.data$"
ERRORS = [
    (
        lambda: Tensor([1.0, 2.0]).backward(),
        ShapeError,
        r"^backward starts from one number, but this has shape \(2,\); try \.sum\(\) or \.mean\(\)$",
    ),
    (
        lambda: Tensor(np.ones((2, 3))) + np.ones(2),
        ShapeError,
        r"\(2, 3\) and \(2,\) do not fit together: axes must be equal or 1$",
    ),
    (lambda: Tensor(np.ones((2, 3))) * Tensor(np.ones((3, 2))), ShapeError, "do not fit"),
    (lambda: Tensor(np.ones((2, 3))) @ Tensor(np.ones((2, 3))), ShapeError, r"@ multiplies \(N, D\) with \(D, M\)"),
    (lambda: Tensor(np.ones((2, 3))) @ Tensor(np.ones(3)), ShapeError, r"the shapes are \(2, 3\) and \(3,\)"),
    (lambda: Tensor(np.ones((4, 2, 3))) @ Tensor(np.ones((5, 3, 2))), ShapeError, r"\(4,\) and \(5,\) do not fit"),
    (lambda: 2 @ Tensor(np.ones((2, 3))), ShapeError, r"the shapes are \(\) and \(2, 3\)"),
    (lambda: Tensor(np.ones((2, 3))).sum(2), ShapeError, r"axis is 2, but the shape is \(2, 3\)"),
    (lambda: Tensor(np.ones((2, 3))).mean("rows"), ShapeError, "axis is 'rows'"),
    (lambda: Tensor([[1.0], [2.0, 3.0]]), ShapeError, "not a regular array"),
    (lambda: Tensor("one"), DTypeError, r"^data is <U3 array of shape \(\), but must be numbers$"),
    (lambda: Tensor(True), DTypeError, "must be numbers"),
    (
        lambda: Tensor(Tensor(1.0)),
        DTypeError,
        r"^data is a Tensor already; use it as it is, or tensor\.data for its array$",
    ),
    (lambda: Tensor(2.0) ** Tensor(2.0), DTypeError, "the exponent is a Tensor"),
    (lambda: Tensor(2.0) ** float("nan"), RangeError, "the exponent is nan"),
    (lambda: Tensor([-1.0, 2.0]) ** 0.5, RangeError, r"a negative number, -1\.0, to the power of 0\.5"),
    (lambda: Tensor([0.0]) ** 0.5, RangeError, r"0 to the power of 0\.5 has no finite slope"),
    (lambda: 1 / Tensor([0.0, 1.0]), RangeError, r"0 to the power of -1\.0 has no finite value"),
    (lambda: Tensor([0.0, 1.0]).log(), RangeError, r"log needs positive numbers, but the smallest is 0\.0"),
    (lambda: np.exp(Tensor(1.0)), CourseError, NO_NUMPY),
    (lambda: np.asarray(Tensor(1.0)), CourseError, NO_NUMPY),
    (lambda: Tensor([Tensor(1.0), Tensor(2.0)]), CourseError, NO_NUMPY),
]


@pytest.mark.parametrize(("f", "error", "message"), ERRORS, ids=[m for *_, m in ERRORS])
def test_errors_say_what_arrived_and_what_was_expected(f, error, message):
    with pytest.raises(error, match=message):
        f()
