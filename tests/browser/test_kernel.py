"""NumPy in a real browser with the loops of kernel.wasm: it gives what NumPy's own loops give, sooner."""

from __future__ import annotations

import json

import pytest
from browser_help import give_up, go_live

RUN = """async (code) => {
  const said = [];
  const request = { do: "run", notebook: "tests/kernel", cells: [["cell", code, false]], target: "cell" };
  const answer = await ckPython.ask({ type: "cell", request: JSON.stringify(request) }, (event) => said.push(event));
  return { answer, said };
}"""

COMPARE = """
import numpy as np
from coursekit.fast import kernel, products

rng = np.random.default_rng(0)
assert products.HAS_BLAS and kernel.installed is not None


def both(f):
    new = f()
    kernel.installed.undo()
    try:
        return new, f()
    finally:
        kernel.installed.use()


def layouts(x):
    turned = x[..., ::-1, ::-1].copy()[..., ::-1, ::-1]
    wide = np.repeat(x, 3, axis=-1)
    return x, np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2), wide[..., ::3], turned


shapes = [((4, 5), (5, 6)), ((129, 257), (257, 66)), ((3, 1), (1, 3)), ((2, 0), (0, 4)), ((7,), (7, 9)), ((9, 7), (7,)),
          ((11,), (11,)), ((5, 8, 16), (16, 9)), ((8, 16), (5, 16, 9)), ((2, 1, 8, 16), (3, 16, 9)),
          ((1, 300), (300, 40)),
          ((300, 40), (40, 1))]
worst = 0
for dtype in "fd":
    for first, second in shapes:
        a, b = rng.standard_normal(first).astype(dtype), rng.standard_normal(second).astype(dtype)
        for x in layouts(a) if a.ndim > 1 else [a]:
            for y in layouts(b) if b.ndim > 1 else [b]:
                new, old = both(lambda: x @ y)
                assert new.dtype == old.dtype and new.shape == old.shape, (new.shape, old.shape)
                size = np.abs(x).astype("d") @ np.abs(y).astype("d")
                worst = max(worst, np.max(np.abs(new - old) / (np.finfo(dtype).eps * size), initial=0))
        if a.ndim > 1 and b.ndim > 1:
            out = np.full((*(a @ b).shape[:-1], 2 * b.shape[-1]), np.nan, dtype)[..., ::2]
            assert np.matmul(a, b, out=out) is out and np.array_equal(out, a @ b)
square = rng.standard_normal((40, 40)).astype("f")
same = square.copy()
assert np.array_equal(np.matmul(same, same, out=same), square @ square)  # into one of the factors
assert (square.astype("i") @ square).dtype == np.float64  # other dtypes as before


def said(f):
    try:
        f()
    except ValueError as error:
        return str(error)


new, old = both(lambda: said(lambda: square @ np.ones((3, 3), "f")))
assert new == old and "mismatch" in new

x = rng.standard_normal((33, 70))
x[0, :5] = 0, -0.0, np.inf, -np.inf, np.nan
for dtype in "fd":
    a, b = x.astype(dtype), x[::-1].astype(dtype)
    cases = [(a, b), (a, a[0]), (a, a[:, :1]), (a, dtype == "f" and np.float32(2) or 2.0), (a[::2, ::3], b[::2, ::3])]
    for name in kernel.UFUNCS[1:7]:
        f = getattr(np, name)
        for p, q in cases:
            with np.errstate(all="ignore"):
                new, old = both(lambda: f(p, q))
            assert np.array_equal(new, old, equal_nan=True), name
        for axis in (0, 1, None):
            if name in ("add", "multiply", "maximum", "minimum"):
                new, old = both(lambda: f.reduce(b, axis=axis))
                assert np.array_equal(new, old, equal_nan=True), name
        new, old = both(lambda: f.accumulate(b[3]))
        assert np.array_equal(new, old, equal_nan=True), name
    for name in kernel.UFUNCS[7:]:
        f = getattr(np, name)
        for p in (np.abs(a) if name == "sqrt" else a, a.T, a[::2, ::3]):
            with np.errstate(all="ignore"):
                new, old = both(lambda: f(p))
                np.testing.assert_allclose(new, old, rtol=4 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)
print("products differ by", round(float(worst), 2), "units of rounding")
assert worst < 20
"""

TIMES = """
import json
import time

import numpy as np
from coursekit.fast import kernel, products

assert products.HAS_BLAS
rng = np.random.default_rng(0)
a, b = rng.standard_normal((128, 784)).astype("f"), rng.standard_normal((784, 100)).astype("f")


def seconds(f):
    start = time.perf_counter()
    for _ in range(20):  # a browser's clock is coarse
        f()
    return time.perf_counter() - start


def ratio(f, rounds=7):
    ratios = []
    f()
    for _ in range(rounds):
        new = seconds(f)
        kernel.installed.undo()
        old = seconds(f)
        kernel.installed.use()
        ratios.append(old / new)
    return sorted(ratios)[rounds // 2]


times = {"matmul": ratio(lambda: a @ b), "maximum": ratio(lambda: np.maximum(a, 0)), "tanh": ratio(lambda: np.tanh(a))}
print(json.dumps(times))
"""


@pytest.fixture
def run(open_page, demo, demo_site):
    """run(code) in the worker of a page; what it printed."""
    if not any(demo_site.glob("_static/ck/pyodide-*")):
        give_up("the small book was built without Pyodide")
    page = open_page(demo)
    assert go_live(page)["detail"]

    def start(code):
        found = page.evaluate(RUN, code)
        start.said = found["said"]
        assert found["answer"].get("ok"), [event for event in found["said"] if event["type"] == "error"]
        return "".join(event["text"] for event in found["said"] if event["type"] == "text")

    return start


def test_the_loops_agree_with_numpys_own(run):
    print("\n" + run(COMPARE))


SHARE = """
import numpy as np
from coursekit.layers import Dense
from coursekit.model import Sequential
from coursekit.optimizers import sgd
from coursekit.training import train

rng = np.random.default_rng(0)
x, y = rng.standard_normal((1000, 20)).astype("f"), rng.integers(0, 2, 1000)
train(Sequential([Dense(20, 2)]), x, y, optimizer=sgd(0.1), epochs=30, batch_size=10, rng=rng, progress=False)
"""


def test_a_cell_says_how_far_its_training_has_come(run):
    run(SHARE)
    shares = [event for event in run.said if event["type"] == "share"]
    assert len(shares) > 2 and shares[-1]["done"] == 3000
    assert {share["of"] for share in shares} == {3000}


def test_the_loops_are_quicker_than_numpys_own(run):
    """By how much is for `make bench-site` to measure; here they only must not have been lost."""
    times = json.loads(run(TIMES))
    print(f"\nold / new: {times}")
    assert times["matmul"] > 3 and times["maximum"] > 1.5 and times["tanh"] > 1.5
