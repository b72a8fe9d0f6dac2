"""The sheet that the attacks are tried on: one question before, one under attack, one after."""

import numpy as np

from coursekit.grading.cases import case, question
from coursekit.grading.compare import expect_equal, expect_true

TITLE = "Sample"

Q1 = question("99.1", title="Before", minutes=1)


@case("double: an array", points=2)
def doubles(double, *, rng):
    x = rng.standard_normal((int(rng.integers(2, 6)), 3))
    expect_equal(double(x), 2 * x, what="double(x)")


@case("double: hidden", points=1, hidden=True)
def doubles_hidden(double, *, rng):
    x = rng.standard_normal(int(rng.integers(2, 6)))
    expect_equal(double(x), 2 * x, what="double(x)")


Q2 = question("99.2", title="Under attack", minutes=1)


def reference(x):
    p = np.exp(x - x.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


@case("softmax: hidden", points=2, hidden=True)
def softmax_hidden(softmax, *, rng):
    x = rng.standard_normal((int(rng.integers(2, 6)), int(rng.integers(3, 9))))
    expect_equal(softmax(x), reference(x), what="softmax(x)", rtol=1e-6)


@case("softmax: one row", points=1)
def softmax_row(softmax, *, rng):
    x = rng.standard_normal(int(rng.integers(3, 9)))
    expect_equal(softmax(x), reference(x), what="softmax(x)", rtol=1e-6)


@case("softmax: a batch", points=2)
def softmax_batch(softmax, *, rng):
    x = rng.standard_normal((int(rng.integers(2, 6)), int(rng.integers(3, 9))))
    expect_equal(softmax(x), reference(x), what="softmax(x)", rtol=1e-6)


Q3 = question("99.3", title="After: state and callbacks", minutes=1)


@case("Counter: keeps its state", points=2)
def counts(Counter, *, rng):
    step = int(rng.integers(2, 9))
    counter = Counter(step)
    for _ in range(3):
        counter.advance()
    expect_equal(counter.value, 3 * step, what="counter.value")


@case("apply_twice: calls the function that it is given", points=1)
def applies(apply_twice, *, rng):
    called = []

    def f(x):
        called.append(x)
        return 3 * x

    x = rng.standard_normal(4)
    expect_equal(apply_twice(f, x), 9 * x, what="apply_twice(f, x)")
    expect_true(len(called) == 2, f"f was called {len(called)} times, not twice")
