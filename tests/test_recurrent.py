import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import recurrent as rec
from coursekit.errors import CourseError, DTypeError, LabelError, ShapeError
from coursekit.gradcheck import gradient_check

KINDS = {"rnn": 1, "lstm": 4, "gru": 3}
# N, T, D, H: plain, a batch of one, a single step, one input, one hidden unit, all of them one
SHAPES = [(3, 5, 4, 6), (1, 5, 4, 6), (3, 1, 4, 6), (2, 4, 1, 3), (2, 4, 3, 1), (1, 1, 1, 1), (2, 30, 7, 5)]


def relative(a, b):
    return np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)


def problem(kind, n, t, d, h, seed=0, dtype=np.float64):
    """Inputs, states, parameters: a dict in the order of the arguments."""
    r = np.random.default_rng(seed).standard_normal
    gates = KINDS[kind]
    columns, bias = gates * h, (4 if kind == "gru" else gates) * h
    arrays = {"x": r((n, t, d)), "h0": r((n, h))}
    if kind == "lstm":
        arrays["c0"] = r((n, h))
    arrays |= {"wx": r((d, columns)), "wh": r((h, columns)), "b": r(bias)}
    return {name: array.astype(dtype) for name, array in arrays.items()}


def forward(kind, arrays):
    return getattr(rec, f"{kind}_forward")(*arrays.values())


def backward(kind, dout, cache, **more):
    return getattr(rec, f"{kind}_backward")(dout, cache, **more)


def loop(kind, arrays, dout, dc_last=None):
    """Forward and backward as loops over the steps: (out, gradients)."""
    step, back = getattr(rec, f"{kind}_step_forward"), getattr(rec, f"{kind}_step_backward")
    x, (*states, wx, wh, b) = arrays["x"], list(arrays.values())[1:]
    outs, caches = [], []
    for t in range(x.shape[-2]):
        *states, cache = step(x[..., t, :], *states, wx, wh, b)
        outs.append(states[0])
        caches.append(cache)
    dstates = [np.zeros_like(s) for s in states]
    if dc_last is not None:
        dstates[1] = dc_last
    dxs, totals = [], [0, 0, 0]
    for t in reversed(range(x.shape[-2])):
        dstates[0] = dstates[0] + dout[..., t, :]
        dx, *dstates, dwx, dwh, db = back(*dstates, caches[t])
        dxs.append(dx)
        totals = [total + d for total, d in zip(totals, (dwx, dwh, db), strict=True)]
    return np.stack(outs, -2), (np.stack(dxs[::-1], -2), *dstates, *totals)


def in_torch(kind, arrays, dout, dc_last=None):
    """The same by PyTorch: (out, last cell, gradients in our order)."""
    d, h = arrays["wx"].shape[0], arrays["wh"].shape[0]
    net = getattr(torch.nn, kind.upper())(d, h, batch_first=True, dtype=torch.float64)
    b = arrays["b"]
    rng = np.random.default_rng(99)
    share = rng.standard_normal(KINDS[kind] * h)  # any split of the bias into PyTorch's two
    bi, bh = b[: KINDS[kind] * h] - share, share
    if kind == "gru":
        bi[2 * h :], bh[2 * h :] = b[2 * h : 3 * h], b[3 * h :]
    with torch.no_grad():
        net.weight_ih_l0.copy_(torch.from_numpy(arrays["wx"].T))
        net.weight_hh_l0.copy_(torch.from_numpy(arrays["wh"].T))
        net.bias_ih_l0.copy_(torch.from_numpy(bi))
        net.bias_hh_l0.copy_(torch.from_numpy(bh))
    x = torch.tensor(arrays["x"], requires_grad=True)
    states = [torch.tensor(arrays[k][None], requires_grad=True) for k in ("h0", "c0") if k in arrays]
    out, last = net(x, tuple(states) if kind == "lstm" else states[0])
    loss = (out * torch.from_numpy(dout)).sum()
    cell = None
    if kind == "lstm":
        cell = last[1][0].detach().numpy()
        if dc_last is not None:
            loss = loss + (last[1][0] * torch.from_numpy(dc_last)).sum()
    loss.backward()
    db = net.bias_ih_l0.grad.numpy()
    if kind == "gru":
        db = np.concatenate([db, net.bias_hh_l0.grad.numpy()[2 * h :]])
    gradients = [x.grad.numpy(), *(s.grad.numpy()[0] for s in states)]
    return (
        out.detach().numpy(),
        cell,
        [*gradients, net.weight_ih_l0.grad.numpy().T, net.weight_hh_l0.grad.numpy().T, db],
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_outputs_and_gradients_are_pytorchs(kind, shape):
    arrays = problem(kind, *shape)
    r = np.random.default_rng(1).standard_normal
    dout = r((*shape[:2], shape[3]))
    more = {"dc_last": r((shape[0], shape[3]))} if kind == "lstm" else {}
    out, cache = forward(kind, arrays)
    expected, cell, gradients = in_torch(kind, arrays, dout, **more)
    assert out.shape == expected.shape
    assert relative(out, expected) < 1e-12
    if kind == "lstm":
        assert relative(rec.lstm_last_cell(cache), cell) < 1e-12
    ours = backward(kind, dout, cache, **more)
    assert len(ours) == len(arrays)
    for name, g, e in zip(arrays, ours, gradients, strict=True):
        assert g.shape == arrays[name].shape, name
        assert relative(g, e) < 1e-11, name


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_the_fast_form_is_the_loop_over_plain_steps(kind, shape):
    arrays = problem(kind, *shape, seed=2)
    r = np.random.default_rng(3).standard_normal
    dout = r((*shape[:2], shape[3]))
    more = {"dc_last": r((shape[0], shape[3]))} if kind == "lstm" else {}
    out, cache = forward(kind, arrays)
    plain_out, plain = loop(kind, arrays, dout, **more)
    assert relative(out, plain_out) < 1e-13
    for name, g, p in zip(arrays, backward(kind, dout, cache, **more), plain, strict=True):
        assert relative(g, p) < 1e-12, name


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_plain_rnn_is_the_rnn(shape):
    arrays = problem("rnn", *shape, seed=4)
    dout = np.random.default_rng(5).standard_normal((*shape[:2], shape[3]))
    out, cache = rec.rnn_forward(*arrays.values())
    plain_out, caches = rec.rnn_forward_plain(*arrays.values())
    assert relative(out, plain_out) < 1e-13
    for name, g, p in zip(arrays, rec.rnn_backward(dout, cache), rec.rnn_backward_plain(dout, caches), strict=True):
        assert g.shape == p.shape and relative(g, p) < 1e-12, name


@pytest.mark.parametrize("t", [1, 3])
@pytest.mark.parametrize("with_runs", [{"x"}, {"h0"}, {"wx", "wh", "b"}, {"x", "h0", "wx", "wh", "b"}], ids=sorted)
def test_the_plain_rnn_takes_run_axes_too(with_runs, t):
    r = np.random.default_rng(6).standard_normal
    own = {"x": (3, t, 4), "h0": (3, 2), "wx": (4, 2), "wh": (2, 2), "b": (1, 2)}
    arrays = {name: r((5, *shape) if name in with_runs else shape) for name, shape in own.items()}
    arrays["b"] = arrays["b"] if "b" in with_runs else arrays["b"][0]
    dout = r((5, 3, t, 2))
    out, cache = rec.rnn_forward(*arrays.values())
    plain_out, caches = rec.rnn_forward_plain(*arrays.values())
    assert relative(out, plain_out) < 1e-13
    for name, g, p in zip(arrays, rec.rnn_backward(dout, cache), rec.rnn_backward_plain(dout, caches), strict=True):
        assert g.shape == p.shape == arrays[name].shape and relative(g, p) < 1e-12, name


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_that_finite_differences_measure(kind):
    arrays = problem(kind, 2, 3, 3, 2, seed=6)
    dout = np.random.default_rng(7).standard_normal((2, 3, 2))
    gradients = backward(kind, dout, forward(kind, arrays)[1])
    for name, gradient in zip(arrays, gradients, strict=True):
        report = gradient_check(
            lambda a, name=name: (forward(kind, arrays | {name: a})[0] * dout).sum(), arrays[name], gradient, name=name
        )
        assert report, report


@pytest.mark.parametrize("kind", KINDS)
def test_step_gradients_are_those_that_finite_differences_measure(kind):
    arrays = problem(kind, 2, 1, 3, 2, seed=8)
    arrays["x"] = arrays["x"][:, 0]
    step, back = getattr(rec, f"{kind}_step_forward"), getattr(rec, f"{kind}_step_backward")
    r = np.random.default_rng(9).standard_normal
    *outs, cache = step(*arrays.values())
    upstream = [r(out.shape) for out in outs]
    for name, gradient in zip(arrays, back(*upstream, cache), strict=True):

        def loss(a, name=name):
            return sum((o * u).sum() for o, u in zip(step(*(arrays | {name: a}).values()), upstream, strict=False))

        report = gradient_check(loss, arrays[name], gradient, name=name)
        assert report, report


def test_a_gru_with_three_biases_is_one_whose_fourth_is_zero():
    arrays = problem("gru", 3, 5, 4, 6)
    dout = np.random.default_rng(1).standard_normal((3, 5, 6))
    arrays["b"][18:] = 0
    three = arrays | {"b": arrays["b"][:18]}
    out, cache = forward("gru", arrays)
    out3, cache3 = forward("gru", three)
    np.testing.assert_array_equal(out, out3)
    for g, g3 in zip(backward("gru", dout, cache), backward("gru", dout, cache3), strict=True):
        np.testing.assert_array_equal(g[..., : g3.shape[-1]], g3)
    step = {name: a[:, 0] if name == "x" else a for name, a in three.items()}
    out, cache = rec.gru_step_forward(*step.values())
    np.testing.assert_allclose(out, out3[:, 0], rtol=1e-13)
    assert rec.gru_step_backward(dout[:, 0], cache)[-1].shape == (18,)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gru_with_three_biases_takes_run_axes_and_keeps_the_dtype(dtype):
    four = problem("gru", 3, 5, 4, 6, dtype=dtype)
    four["b"] = np.stack([four["b"], -four["b"]])[:, None]
    four["b"][..., 18:] = 0
    three = four | {"b": four["b"][..., :18]}
    for name, x in (("gru_forward", four["x"]), ("gru_step_forward", four["x"][:, 0])):
        out, cache = getattr(rec, name)(*(three | {"x": x}).values())
        assert out.dtype == dtype and len(out) == 2
        np.testing.assert_array_equal(out, getattr(rec, name)(*(four | {"x": x}).values())[0])
        gradients = getattr(rec, name.replace("forward", "backward"))(out, cache)
        assert all(g.dtype == dtype for g in gradients) and gradients[-1].shape == (2, 1, 18)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_in_two_pieces_is_the_sequence(kind):
    arrays = problem(kind, 3, 8, 4, 5)
    whole, _ = forward(kind, arrays)
    first, cache = forward(kind, arrays | {"x": arrays["x"][:, :3]})
    states = {"h0": first[:, -1]} | ({"c0": rec.lstm_last_cell(cache)} if kind == "lstm" else {})
    second, _ = forward(kind, arrays | {"x": arrays["x"][:, 3:]} | states)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, rtol=1e-12)


# Run axes: which arrays have them
RUNS = [
    {"x", "h0", "c0", "wx", "wh", "b"},
    {"wx", "wh", "b"},
    {"x"},
    {"h0"},
    {"c0"},
    {"wh"},
    {"b"},
    {"wx", "c0"},
]


@pytest.mark.parametrize(
    ("kind", "with_runs"),
    [(kind, names) for kind in KINDS for names in RUNS if kind == "lstm" or "c0" not in names or "x" in names],
    ids=lambda value: value if isinstance(value, str) else "+".join(sorted(value)),
)
def test_run_axes_give_what_a_loop_over_runs_gives(kind, with_runs):
    base = problem(kind, 3, 4, 2, 5)
    with_runs = with_runs & set(base)
    runs = (2, 3)
    r = np.random.default_rng(10).standard_normal
    arrays = {
        name: r((*runs, *((1,) if name == "b" else ()), *a.shape)) if name in with_runs else a
        for name, a in base.items()
    }
    out, cache = forward(kind, arrays)
    assert out.shape == (*runs, 3, 4, 5)
    dout = r(out.shape)
    gradients = dict(zip(arrays, backward(kind, dout, cache), strict=True))
    sums = {name: np.zeros_like(a) for name, a in base.items()}
    for run in np.ndindex(runs):
        single = {name: arrays[name][run] if name in with_runs else a for name, a in base.items()}
        single["b"] = single["b"].reshape(-1)
        one, one_cache = forward(kind, single)
        np.testing.assert_allclose(out[run], one, rtol=1e-12, atol=1e-14)
        for name, g in zip(base, backward(kind, dout[run], one_cache), strict=True):
            if name in with_runs:
                np.testing.assert_allclose(gradients[name][run].reshape(g.shape), g, rtol=1e-10, atol=1e-12)
            else:
                sums[name] += g
    for name in set(base) - with_runs:
        assert gradients[name].shape == base[name].shape
        np.testing.assert_allclose(gradients[name], sums[name], rtol=1e-10, atol=1e-11)
    plain_out, plain = loop(kind, arrays, dout) if with_runs >= set(base) else (out, gradients.values())
    np.testing.assert_allclose(plain_out, out, rtol=1e-12, atol=1e-14)
    for g, p in zip(gradients.values(), plain, strict=True):
        assert g.shape == p.shape
        np.testing.assert_allclose(g, p, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_run_axes_that_only_some_have_add_up_in_a_step(kind):
    """A bias for each of 4 runs, weights for 2 x 4: as if each run had its own copy, and their gradients in one."""
    r = np.random.default_rng(11).standard_normal
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    states = ("h", "c") if kind == "lstm" else ("h",)
    own = {"x": (6, 3)} | {name: (6, 2) for name in states}
    own |= {"wx": (2, 4, 3, 2 * gates), "wh": (4, 2, 2 * gates), "b": (4, 1, 2 * gates)}
    arrays = {name: r(shape) for name, shape in own.items()}
    full = {name: np.array(np.broadcast_to(a, (2, 4, *a.shape[-2:]))) for name, a in arrays.items()}
    step, back = getattr(rec, f"{kind}_step_forward"), getattr(rec, f"{kind}_step_backward")
    *outs, cache = step(*arrays.values())
    *full_outs, full_cache = step(*full.values())
    douts = [r(out.shape) for out in outs]
    for out, expected in zip(outs, full_outs, strict=True):
        np.testing.assert_allclose(out, expected, rtol=1e-12)
    for (name, a), g, each in zip(arrays.items(), back(*douts, cache), back(*douts, full_cache), strict=True):
        extra = tuple(range(4 - a.ndim))
        assert g.shape == a.shape, name
        np.testing.assert_allclose(g, each.sum(axis=extra), rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_the_dtype_that_comes_in_goes_out(kind, dtype):
    arrays = problem(kind, 3, 4, 2, 5, dtype=dtype)
    out, cache = forward(kind, arrays)
    assert out.dtype == dtype
    assert all(g.dtype == dtype for g in backward(kind, np.ones_like(out), cache))
    exact, _ = forward(kind, {name: a.astype(np.float64) for name, a in arrays.items()})
    assert relative(out, exact) < 1e-5
    step = arrays | {"x": arrays["x"][:, 0]}
    *outs, cache = getattr(rec, f"{kind}_step_forward")(*step.values())
    assert all(o.dtype == dtype for o in outs)
    assert all(g.dtype == dtype for g in getattr(rec, f"{kind}_step_backward")(*outs, cache))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_was_given_is_changed(kind):
    arrays = problem(kind, 3, 4, 2, 5)
    before = {name: a.copy() for name, a in arrays.items()}
    for a in arrays.values():
        a.flags.writeable = False
    out, cache = forward(kind, arrays)
    dout = np.random.default_rng(0).standard_normal(out.shape)
    dout.flags.writeable = False
    first = backward(kind, dout, cache)
    again = backward(kind, dout, cache)
    for name in arrays:
        np.testing.assert_array_equal(arrays[name], before[name])
    for g, h in zip(first, again, strict=True):
        np.testing.assert_array_equal(g, h)  # the cache serves twice


def test_the_gradient_of_the_last_cell_is_not_changed():
    arrays = problem("lstm", 3, 4, 2, 5)
    out, cache = forward("lstm", arrays)
    dc = np.ones((3, 5))
    rec.lstm_backward(np.ones_like(out), cache, dc)
    assert (dc == 1).all()
    rec.lstm_last_cell(cache)[:] = 7
    assert (rec.lstm_last_cell(cache) != 7).all()


@pytest.mark.parametrize("kind", KINDS)
def test_large_inputs_saturate_without_warnings(kind):
    arrays = problem(kind, 2, 3, 2, 4)
    arrays["x"] *= 1e6
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out, cache = forward(kind, arrays)
        gradients = backward(kind, np.ones_like(out), cache)
    assert np.isfinite(out).all() and all(np.isfinite(g).all() for g in gradients)


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_in_any_memory_order_give_the_same(kind):
    arrays = problem(kind, 3, 4, 2, 5)
    out, cache = forward(kind, arrays)
    odd, odd_cache = forward(kind, {name: np.asfortranarray(a) for name, a in arrays.items()})
    dout = np.random.default_rng(0).standard_normal(out.shape)
    np.testing.assert_allclose(odd, out, rtol=1e-13)
    for g, h in zip(backward(kind, dout, cache), backward(kind, np.asfortranarray(dout), odd_cache), strict=True):
        np.testing.assert_allclose(g, h, rtol=1e-12, atol=1e-14)


def test_without_blas_the_numbers_are_the_same(monkeypatch):
    from coursekit.fast import products

    for kind in KINDS:
        arrays = problem(kind, 3, 4, 2, 5)
        out, cache = forward(kind, arrays)
        dout = np.random.default_rng(1).standard_normal(out.shape)
        gradients = backward(kind, dout, cache)
        with monkeypatch.context() as patch:
            patch.setattr(products, "HAS_BLAS", False)
            browser, cache = forward(kind, arrays)
            np.testing.assert_allclose(browser, out, rtol=1e-13)
            for g, h in zip(backward(kind, dout, cache), gradients, strict=True):
                np.testing.assert_allclose(g, h, rtol=1e-12, atol=1e-14)


# Bad input

BAD = [
    ({"x": [[1.0]]}, DTypeError, "x is a list"),
    ({"x": np.ones((3, 4, 2), int)}, DTypeError, "x is an int64 array"),
    ({"x": np.ones((4, 2))}, ShapeError, r"x has shape \(4, 2\), that is 2 axes; expected at least 3"),
    ({"x": np.ones((3, 0, 2))}, ShapeError, "axis T is empty"),
    ({"x": np.ones((0, 4, 2))}, ShapeError, "axis N is empty"),
    ({"x": np.ones((3, 4, 9))}, ShapeError, r"wx has shape \(2, \d+\), so D=2, but D=9 is needed"),
    ({"h0": np.ones((2, 5))}, ShapeError, r"h0 has shape \(2, 5\), so N=2, but N=3 is needed"),
    ({"h0": np.ones((3, 4))}, ShapeError, "H=5, but H=4 is needed"),
    ({"wh": np.ones((5, 7))}, ShapeError, "G=7, but G="),
    ({"b": np.ones(7)}, ShapeError, r"b has shape \(7,\); with H=5 hidden units expected b \("),
    ({"b": np.float64(0)}, DTypeError, "b is"),
    ({"b": np.array(0.0)}, ShapeError, r"b has shape \(\)"),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD, ids=[m for *_, m in BAD])
@pytest.mark.parametrize("kind", KINDS)
def test_bad_arguments_are_named(kind, change, error, message):
    with pytest.raises(error, match=message) as raised:
        forward(kind, problem(kind, 3, 4, 2, 5) | change)
    assert isinstance(raised.value, CourseError)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": [[1.0]]}, DTypeError, "^x is a list"),
        ({"h0": [[1.0]]}, DTypeError, "^h is a list"),
        ({"c0": [[1.0]]}, DTypeError, "^c is a list"),
        ({"wx": [[1.0]]}, DTypeError, "^wx is a list"),
        ({"wh": [[1.0]]}, DTypeError, "^wh is a list"),
        ({"b": [1.0]}, DTypeError, "^b is a list"),
        ({"x": np.ones(2)}, ShapeError, r"^x has shape \(2,\).*, x \(\.\.\., N, D\) in x \(\.\.\., N, D\), h"),
        ({"h0": np.ones((1, 5))}, ShapeError, r"^h has shape \(1, 5\), so N=1, but N=3 is needed"),
        ({"c0": np.ones((3, 1))}, ShapeError, r"^c has shape \(3, 1\), so H=1, but H=5 is needed"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_bad_arguments_of_a_step_are_named(kind, change, error, message):
    arrays = problem(kind, 3, 1, 2, 5)
    if set(change) <= set(arrays):
        with pytest.raises(error, match=message):
            getattr(rec, f"{kind}_step_forward")(*(arrays | {"x": arrays["x"][:, 0]} | change).values())


@pytest.mark.parametrize("name", ["x", "h0", "c0", "wx", "wh", "b"])
@pytest.mark.parametrize("forward", [rec.rnn_forward, rec.rnn_forward_plain, rec.lstm_forward, rec.gru_forward])
def test_an_argument_that_is_no_array_is_named(forward, name):
    arrays = problem(forward.__name__.split("_")[0], 3, 4, 2, 5)
    if name in arrays:
        with pytest.raises(DTypeError, match=f"^{name} is a list"):
            forward(*(arrays | {name: [1.0]}).values())


def test_weights_for_another_number_of_gates_are_named():
    arrays = problem("lstm", 3, 4, 2, 5)
    del arrays["c0"]
    with pytest.raises(ShapeError, match=r"1 gate it needs 5 columns, wh \(5, 5\)"):
        rec.rnn_forward(*arrays.values())
    with pytest.raises(ShapeError, match="3 gates it needs 15 columns"):
        rec.gru_forward(*arrays.values())
    with pytest.raises(ShapeError, match=r"expected b \(20,\) or \(15,\)"):
        rec.gru_forward(*(problem("gru", 3, 4, 2, 5) | {"b": np.ones(9)}).values())


@pytest.mark.parametrize("kind", KINDS)
def test_run_axes_that_do_not_fit_are_named(kind):
    arrays = problem(kind, 3, 4, 2, 5)
    with pytest.raises(ShapeError, match="run axes do not fit"):
        forward(kind, arrays | {"x": np.ones((2, 3, 4, 2)), "h0": np.ones((7, 3, 5))})
    with pytest.raises(ShapeError, match="with run axes it is"):
        forward(kind, arrays | {"b": np.ones((2, len(arrays["b"])))})


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_of_the_wrong_shape_is_refused(kind):
    arrays = problem(kind, 3, 4, 2, 5)
    _, cache = forward(kind, arrays)
    with pytest.raises(ShapeError, match=r"dout has shape \(3, 5\).*\(3, 4, 5\)"):
        backward(kind, np.ones((3, 5)), cache)
    step = arrays | {"x": arrays["x"][:, 0]}
    *outs, cache = getattr(rec, f"{kind}_step_forward")(*step.values())
    with pytest.raises(ShapeError, match=r"dnext_h has shape \(5,\)"):
        getattr(rec, f"{kind}_step_backward")(np.ones(5), *outs[1:], cache)
    if kind == "rnn":
        with pytest.raises(ShapeError, match="dout has shape"):
            rec.rnn_backward_plain(np.ones((3, 5)), rec.rnn_forward_plain(*arrays.values())[1])
        with pytest.raises(ShapeError, match="expected at least 3"):
            rec.rnn_forward_plain(*step.values())


def test_gradients_of_the_cell_of_the_wrong_shape_are_refused():
    arrays = problem("lstm", 3, 4, 2, 5)
    out, cache = forward("lstm", arrays)
    with pytest.raises(ShapeError, match=r"dc_last has shape \(5,\)"):
        rec.lstm_backward(np.ones_like(out), cache, np.ones(5))
    h, _, cache = rec.lstm_step_forward(*(arrays | {"x": arrays["x"][:, 0]}).values())
    with pytest.raises(ShapeError, match=r"dnext_c has shape \(5,\)"):
        rec.lstm_step_backward(h, np.ones(5), cache)


# Embedding


@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (7,), (2, 3, 4)], ids=str)
def test_the_embedding_is_pytorchs(shape):
    rng = np.random.default_rng(0)
    x, w = rng.integers(0, 6, shape), rng.standard_normal((6, 4))
    dout = rng.standard_normal((*shape, 4))
    table = torch.tensor(w, requires_grad=True)
    expected = torch.nn.functional.embedding(torch.from_numpy(x), table)
    expected.backward(torch.from_numpy(dout))
    out, cache = rec.embedding_forward(x, w)
    np.testing.assert_array_equal(out, expected.detach().numpy())
    np.testing.assert_allclose(rec.embedding_backward(dout, cache), table.grad.numpy(), rtol=1e-12, atol=1e-14)


def test_the_embedding_is_one_hot_rows_times_the_table():
    x, w = np.array([[0, 2], [2, 1]]), np.random.default_rng(0).standard_normal((3, 5))
    np.testing.assert_allclose(rec.embedding_forward(x, w)[0], np.eye(3)[x] @ w)


@pytest.mark.parametrize(
    ("x_runs", "w_runs"),
    [
        *[(x_runs, w_runs) for x_runs in ((), (2, 3)) for w_runs in ((), (2, 3), (2, 1))],
        *[((), (4,)), ((4,), (4,)), ((4,), ()), ((), (2, 1, 2)), ((2, 1, 2), (2, 1, 2))],
    ],
    ids=str,
)
def test_the_embedding_over_runs_is_a_loop(x_runs, w_runs):
    rng = np.random.default_rng(0)
    x, w = rng.integers(0, 6, (*x_runs, 3, 4)), rng.standard_normal((*w_runs, 6, 5))
    out, cache = rec.embedding_forward(x, w)
    runs = np.broadcast_shapes(x_runs, w_runs)
    assert out.shape == (*runs, 3, 4, 5)
    dout = rng.standard_normal(out.shape)
    dw = rec.embedding_backward(dout, cache)
    xs, ws = np.broadcast_to(x, (*runs, 3, 4)), np.broadcast_to(w, (*runs, 6, 5))
    each = np.zeros(ws.shape)
    for run in np.ndindex(runs):
        np.testing.assert_array_equal(out[run], ws[run][xs[run]])
        np.add.at(each[run], xs[run], dout[run])
    if runs and runs != w_runs:
        each = each.sum(axis=1, keepdims=True) if w_runs else each.sum(axis=tuple(range(len(runs))))
    assert dw.shape == w.shape
    np.testing.assert_allclose(dw, each, rtol=1e-12, atol=1e-13)


def test_the_embedding_keeps_dtype_and_input():
    x, w = np.array([[1, 1]], np.uint8), np.ones((3, 2), np.float32)
    out, cache = rec.embedding_forward(x, w)
    out[:] = 9
    assert (w == 1).all()
    assert out.dtype == rec.embedding_backward(out, cache).dtype == np.float32


BAD_SYMBOLS = [
    (np.array([[0, 6]]), LabelError, "x contains 6, but with a table of 6 rows symbols run from 0 to 5"),
    (np.array([[-1, 0]]), LabelError, "x contains -1"),
    (
        np.array([[0.0]]),
        LabelError,
        r"^x is float64 array of shape \(1, 1\), but an embedding takes an array of symbol numbers, from 0 to 5; "
        r"try np\.asarray\(x, dtype=np\.int64\)$",
    ),
    ([[0]], LabelError, "x is a list"),
    (np.zeros((2, 0), int), ShapeError, "it is empty"),
]


@pytest.mark.parametrize(("x", "error", "message"), BAD_SYMBOLS, ids=[m for *_, m in BAD_SYMBOLS])
def test_bad_symbols_are_named(x, error, message):
    with pytest.raises(error, match=message):
        rec.embedding_forward(x, np.ones((6, 4)))


def test_bad_tables_and_gradients_of_an_embedding_are_named():
    x = np.array([[0, 1]])
    with pytest.raises(ShapeError, match="w has shape"):
        rec.embedding_forward(x, np.ones(6))
    with pytest.raises(ShapeError, match=r"axis V is empty; expected w \(\.\.\., V, D\)"):
        rec.embedding_forward(x, np.ones((0, 4)))
    with pytest.raises(DTypeError, match="w is an int64"):
        rec.embedding_forward(x, np.ones((6, 4), int))
    with pytest.raises(ShapeError, match="with run axes in w"):
        rec.embedding_forward(x[0], np.ones((2, 6, 4)))
    with pytest.raises(ShapeError, match="run axes do not fit"):
        rec.embedding_forward(np.zeros((3, 1, 2), int), np.ones((2, 6, 4)))
    _, cache = rec.embedding_forward(x, np.ones((6, 4)))
    with pytest.raises(ShapeError, match=r"dout has shape \(1, 4\).*\(1, 2, 4\)"):
        rec.embedding_backward(np.ones((1, 4)), cache)


@pytest.mark.parametrize("gates", KINDS.values())
def test_the_parameters_of_the_examples_in_docstrings_fit_and_are_small(gates):
    wx, wh, b = rec._ones(3, 4, gates)
    assert (wx.shape, wh.shape, b.shape) == ((3, 4 * gates), (4, 4 * gates), (4 * gates,))
    assert (wx == 0.1).all() and (wh == 0.1).all() and not b.any()
    assert rec._ones(3, 4)[0].shape == (3, 4)


GATES = {"rnn": 1, "lstm": 4, "gru": 3}


@st.composite
def sequences(draw):
    """A kind of network, its arguments in float32 or float64, with or without runs in front of some of them."""
    kind, dtype = draw(st.sampled_from(sorted(GATES))), draw(st.sampled_from([np.float32, np.float64]))
    n, t, d, h = (draw(st.integers(1, high)) for high in (4, 5, 3, 4))
    runs = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    columns = GATES[kind] * h
    shapes = {"x": (n, t, d), "h0": (n, h), "wx": (d, columns), "wh": (h, columns), "b": (columns,)}
    if kind == "lstm":
        shapes = {"x": (n, t, d), "h0": (n, h), "c0": (n, h), "wx": (d, columns), "wh": (h, columns), "b": (columns,)}
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arrays = {}
    for name, shape in shapes.items():
        with_runs = runs if draw(st.booleans()) else ()
        row = (1,) if name == "b" and with_runs else ()
        arrays[name] = rng.standard_normal((*with_runs, *row, *shape)).astype(dtype)
    return kind, dtype, runs, arrays, rng


@settings(max_examples=60, deadline=None)
@given(case=sequences())
def test_sequences_of_any_shape_keep_the_dtype_change_no_input_and_run_as_a_loop_would(case):
    kind, dtype, runs, arrays, rng = case
    forward, backward = getattr(rec, f"{kind}_forward"), getattr(rec, f"{kind}_backward")
    before = {name: a.copy() for name, a in arrays.items()}
    out, cache = forward(*arrays.values())
    dout = rng.standard_normal(out.shape).astype(dtype)
    grads = backward(dout, cache)
    for name, a in arrays.items():
        np.testing.assert_array_equal(a, before[name])
    assert {out.dtype, *(g.dtype for g in grads)} == {np.dtype(dtype)}
    assert [g.shape for g in grads] == [a.shape for a in arrays.values()]

    own = {"x": 3, "h0": 2, "c0": 2, "wx": 2, "wh": 2, "b": 1}
    shared = {name: a.ndim == own[name] for name, a in arrays.items()}
    if all(shared.values()):
        return
    wide = {name: np.broadcast_to(a, runs + a.shape) if shared[name] else a for name, a in arrays.items()}
    totals = [np.zeros(g.shape) for g in grads]
    tolerance = 1e-4 if dtype is np.float32 else 1e-12
    for run in np.ndindex(runs):
        inputs = [wide[name][run].reshape(-1) if name == "b" else wide[name][run] for name in arrays]
        alone, alone_cache = forward(*inputs)
        np.testing.assert_allclose(out[run], alone, rtol=tolerance, atol=tolerance)
        for total, name, g in zip(totals, arrays, backward(dout[run], alone_cache), strict=True):
            if shared[name]:
                total += g
            else:
                total[run] += g
    for total, g in zip(totals, grads, strict=True):
        np.testing.assert_allclose(g, total, rtol=10 * tolerance, atol=10 * tolerance)
