r"""A small engine for reverse-mode automatic differentiation: the idea of PyTorch's autograd in a hundred lines.

A `Tensor` holds an array and remembers what it was made from. Each operation below states its value and, beside it, one
line for each input: the gradient g that arrives at the result, times the local derivative. `backward` walks from the
result to the inputs, and adds up what arrives at each tensor: the chain rule over a graph (Linnainmaa 1970; Rumelhart
et al. 1986; the form is that of A. Karpathy's micrograd).

>>> x, w = Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]])
>>> loss = (x @ w).tanh().sum()
>>> loss.backward()
>>> w.grad.shape
(2, 1)
"""

from __future__ import annotations

import numbers

import numpy as np

from . import _checks
from .dense import sum_to
from .errors import CourseError, DTypeError, RangeError, ShapeError

__all__ = ["Tensor"]


class Tensor:
    """An array that remembers what it was made from, so that `backward` can work out gradients.

    Operations: `+ - * / ** @`, `tanh()`, `relu()`, `exp()`, `log()`, `sum(axis)`, `mean(axis)`. Arrays of different
    shapes are broadcast as in NumPy. Numbers and NumPy arrays may stand on either side; they get no gradient.

    Parameters
    ----------
    data : number, list or array of floats; copied. Whole numbers become float64.

    Attributes
    ----------
    data : the array. Change it (`w.data -= lr * w.grad`) only between one `backward` and the next forward pass.
    grad : array of the same shape: the gradient of what `backward` was called on; None before that
    parents, op : what it was made from, and how

    >>> a = Tensor(3.0)
    >>> b = a * a + 2 * a                # a is used three times
    >>> b.backward()
    >>> float(b.data), float(a.grad)     # 2 a + 2
    (15.0, 8.0)
    """

    __array_priority__ = 1000  # let `array * tensor` come to __rmul__ here

    def __init__(self, data):
        if isinstance(data, Tensor):
            raise DTypeError("data is a Tensor already; use it as it is, or tensor.data for its array")
        try:
            data = np.array(data)
        except ValueError as error:
            raise ShapeError(f"data is not a regular array: {error}") from error
        if data.dtype.kind not in "fiu":
            raise DTypeError(f"data is {_checks.describe(data)}, but must be numbers")
        self.data = data if data.dtype.kind == "f" else data.astype(np.float64)
        self.grad: np.ndarray | None = None
        self.parents: tuple[Tensor, ...] = ()
        self.op = ""
        self._local: tuple = ()  # for each parent: gradient of this -> gradient of the parent

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.data.shape

    def __repr__(self):
        return f"Tensor({np.array2string(self.data, precision=4, separator=', ')})"

    def __add__(self, other):
        a, b = _pair(self, other)
        return _result("+", a.data + b.data, (a, lambda g: g), (b, lambda g: g))

    def __mul__(self, other):
        a, b = _pair(self, other)
        return _result("*", a.data * b.data, (a, lambda g: g * b.data), (b, lambda g: g * a.data))

    def __matmul__(self, other):
        a, b = self, _tensor(other, self)
        if min(a.data.ndim, b.data.ndim) < 2 or a.shape[-1] != b.shape[-2]:
            raise ShapeError(f"@ multiplies (N, D) with (D, M), but the shapes are {a.shape} and {b.shape}")
        _fit(a.shape[:-2], b.shape[:-2])
        return _result("@", a.data @ b.data, (a, lambda g: g @ _turned(b)), (b, lambda g: _turned(a) @ g))

    def __pow__(self, k):
        k = _checks.number("the exponent", k)
        if k % 1 and (self.data < 0).any():
            raise RangeError(f"a negative number, {self.data.min()}, to the power of {k} is not real")
        if k < 1 and k != 0 and (self.data == 0).any():
            raise RangeError(f"0 to the power of {k} has no finite {'value' if k < 0 else 'slope'}")
        return _result("**", self.data**k, (self, lambda g: g * k * self.data ** (k - 1) if k else 0 * g))

    def tanh(self) -> Tensor:
        """Hyperbolic tangent."""
        t = np.tanh(self.data)
        return _result("tanh", t, (self, lambda g: g * (1 - t**2)))

    def relu(self) -> Tensor:
        """max(0, x); the derivative at 0 is 0."""
        return _result("relu", np.maximum(self.data, 0), (self, lambda g: g * (self.data > 0)))

    def exp(self) -> Tensor:
        """e to the power of x."""
        e = np.exp(self.data)
        return _result("exp", e, (self, lambda g: g * e))

    def log(self) -> Tensor:
        """Natural logarithm, of positive numbers."""
        if (self.data <= 0).any():
            raise RangeError(f"log needs positive numbers, but the smallest is {self.data.min()}")
        return _result("log", np.log(self.data), (self, lambda g: g / self.data))

    def sum(self, axis: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> Tensor:
        """Sum over an axis, several axes, or everything. Each summand gets the sum's gradient."""
        try:
            kept = self.data.sum(axis=axis, keepdims=True)
        except (np.exceptions.AxisError, ValueError, TypeError) as error:
            raise ShapeError(f"axis is {axis!r}, but the shape is {self.shape}: {error}") from error
        value = kept if keepdims else kept.squeeze(axis)
        return _result("sum", value, (self, lambda g: np.broadcast_to(g.reshape(kept.shape), self.shape)))

    def mean(self, axis: int | tuple[int, ...] | None = None, *, keepdims: bool = False) -> Tensor:
        """Mean over an axis, several axes, or everything."""
        total = self.sum(axis, keepdims=keepdims)
        return total * (total.data.size / self.data.size)

    def backward(self) -> None:
        """Work out the gradient of this number with respect to every tensor that it was made from.

        Each call adds its gradients to what `grad` holds already, as in PyTorch; `zero_grad` starts afresh.

        Raises
        ------
        ShapeError
            If this is not a single number.

        >>> x = Tensor([1.0, 2.0])
        >>> loss = (x * x).sum()
        >>> loss.backward()
        >>> loss.backward()
        >>> x.grad                       # twice 2 x
        array([4., 8.])
        """
        if self.data.size != 1:
            raise ShapeError(f"backward starts from one number, but this has shape {self.shape}; try .sum() or .mean()")
        arrived = {self: np.ones_like(self.data)}
        for node in reversed(_in_order(self)):
            g = arrived.pop(node)
            node.grad = np.array(g) if node.grad is None else node.grad + g
            for parent, local in zip(node.parents, node._local, strict=True):
                part = sum_to(local(g), parent.shape)  # undo broadcasting
                arrived[parent] = arrived[parent] + part if parent in arrived else part

    def zero_grad(self) -> None:
        """Forget the gradient, before the next `backward`."""
        self.grad = None

    # The rest is made of the operations above.

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -_tensor(other, self)

    def __truediv__(self, other):
        return self * _tensor(other, self) ** -1

    def __radd__(self, other):
        return _tensor(other, self) + self

    def __rmul__(self, other):
        return _tensor(other, self) * self

    def __rsub__(self, other):
        return _tensor(other, self) - self

    def __rtruediv__(self, other):
        return _tensor(other, self) / self

    def __rmatmul__(self, other):
        return _tensor(other, self) @ self

    def __array__(self, *args, **kwargs):
        raise CourseError("NumPy functions know nothing of gradients; use the methods, x.exp(), or the array, x.data")


def _tensor(value, like):
    """`value` as a Tensor; a plain number takes the dtype of `like`."""
    if isinstance(value, Tensor):
        return value
    return Tensor(like.data.dtype.type(value) if isinstance(value, numbers.Real) else value)


def _pair(a, other):
    """Both operands as tensors whose shapes can be broadcast."""
    b = _tensor(other, a)
    _fit(a.shape, b.shape)
    return a, b


def _fit(a, b):
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        raise ShapeError(f"the shapes {a} and {b} do not fit together: axes must be equal or 1") from None


def _result(op, data, *parents):
    """A new tensor from its value and (parent, local gradient) pairs."""
    out = Tensor(data)
    out.op = op
    out.parents, out._local = zip(*parents, strict=True)
    return out


def _turned(tensor):
    return tensor.data.swapaxes(-1, -2)


def _in_order(last):
    """All tensors that `last` was made from, every one behind its parents (depth-first, without recursion)."""
    order, seen, stack = [], set(), [(last, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order
