"""coursekit.optimizers: torch's paths, what is not changed, run axes, schedules, clipping, and bad input."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coursekit import optimizers as opt
from coursekit import trees
from coursekit.errors import CourseError, DTypeError, RangeError, ShapeError

WD = {"weight_decay": 0.03}
BETAS = {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3}
TORCH_BETAS = {"betas": (0.8, 0.95), "eps": 1e-3}

# name: (ours, torch's class, torch's settings). No setting is at its default, so that none can be ignored.
CASES = {
    "sgd": (opt.sgd(0.07), torch.optim.SGD, {"lr": 0.07}),
    "sgd, decay": (opt.sgd(0.07, **WD), torch.optim.SGD, {"lr": 0.07, **WD}),
    "momentum": (opt.momentum(0.07, 0.6), torch.optim.SGD, {"lr": 0.07, "momentum": 0.6}),
    "momentum, decay": (opt.momentum(0.07, 0.6, **WD), torch.optim.SGD, {"lr": 0.07, "momentum": 0.6, **WD}),
    "nesterov": (
        opt.nesterov(0.07, 0.6, **WD),
        torch.optim.SGD,
        {"lr": 0.07, "momentum": 0.6, "nesterov": True, **WD},
    ),
    "adagrad": (opt.adagrad(0.3, 1e-3, **WD), torch.optim.Adagrad, {"lr": 0.3, "eps": 1e-3, **WD}),
    "rmsprop": (
        opt.rmsprop(0.02, 0.8, 1e-3, **WD),
        torch.optim.RMSprop,
        {"lr": 0.02, "alpha": 0.8, "eps": 1e-3, **WD},
    ),
    "adadelta": (
        opt.adadelta(0.7, 0.8, 1e-3, **WD),
        torch.optim.Adadelta,
        {"lr": 0.7, "rho": 0.8, "eps": 1e-3, **WD},
    ),
    "adam": (opt.adam(0.02, **BETAS), torch.optim.Adam, {"lr": 0.02, **TORCH_BETAS}),
    "adam, decay": (opt.adam(0.02, **BETAS, **WD), torch.optim.Adam, {"lr": 0.02, **TORCH_BETAS, **WD}),
    "amsgrad": (
        opt.amsgrad(0.02, **BETAS, **WD),
        torch.optim.Adam,
        {"lr": 0.02, "amsgrad": True, **TORCH_BETAS, **WD},
    ),
    "adamw": (opt.adamw(0.02, **BETAS, **WD), torch.optim.AdamW, {"lr": 0.02, **TORCH_BETAS, **WD}),
    "nadam": (
        opt.nadam(0.02, **BETAS, momentum_decay=0.1, **WD),
        torch.optim.NAdam,
        {"lr": 0.02, **TORCH_BETAS, "momentum_decay": 0.1, **WD},
    ),
}
DEFAULTS = {
    "momentum": (opt.momentum(0.07), torch.optim.SGD, {"lr": 0.07, "momentum": 0.9}),
    "nesterov": (opt.nesterov(0.07), torch.optim.SGD, {"lr": 0.07, "momentum": 0.9, "nesterov": True}),
    "adagrad": (opt.adagrad(), torch.optim.Adagrad, {}),
    "rmsprop": (opt.rmsprop(), torch.optim.RMSprop, {}),
    "adadelta": (opt.adadelta(), torch.optim.Adadelta, {}),
    "adam": (opt.adam(), torch.optim.Adam, {}),
    "amsgrad": (opt.amsgrad(), torch.optim.Adam, {"amsgrad": True}),
    "adamw": (opt.adamw(), torch.optim.AdamW, {}),
    "nadam": (opt.nadam(), torch.optim.NAdam, {}),
    "nadam without momentum": (opt.nadam(beta1=0), torch.optim.NAdam, {"betas": (0.0, 0.999)}),
}
OURS = {name: case[0] for name, case in CASES.items()}
each_case = pytest.mark.parametrize("name", CASES)


@pytest.fixture
def torch_in_float64():
    """NAdam keeps its product of momenta in torch's default dtype, even for params of float64."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def some_params(rng, dtype=np.float64):
    return {"a": {"w": rng.standard_normal((4, 3)).astype(dtype), "b": rng.standard_normal(3).astype(dtype)}}


def like(params, rng, scale=3.0):
    """Random gradients, of a new scale each time, so that a wrong running mean or maximum shows."""
    scale *= rng.uniform(0.1, 1)
    return {k: like(v, rng) if isinstance(v, dict) else scale * rng.standard_normal(v.shape) for k, v in params.items()}


def flat(tree):
    return np.concatenate([flat(v) if isinstance(v, dict) else v.ravel() for v in tree.values()])


def path(optimizer, params, gradients, **kwargs):
    state = optimizer.init(params)
    for grads in gradients:
        params, state = optimizer.update(params, grads, state, **kwargs)
    return params, state


def copies(tree):
    return {k: copies(v) if isinstance(v, dict) else v.copy() for k, v in tree.items()}


@pytest.mark.parametrize(
    "ours, theirs, settings",
    [*CASES.values(), *DEFAULTS.values()],
    ids=[*CASES, *(f"{name}, defaults" for name in DEFAULTS)],
)
def test_the_path_is_that_of_torch(torch_in_float64, ours, theirs, settings):
    rng = np.random.default_rng(0)
    params = some_params(rng)
    tensors = {k: torch.nn.Parameter(torch.from_numpy(v.copy())) for k, v in params["a"].items()}
    reference = theirs(tensors.values(), **settings)
    state = ours.init(params)
    for _ in range(25):
        grads = like(params, rng)
        params, state = ours.update(params, grads, state)
        for k, tensor in tensors.items():
            tensor.grad = torch.from_numpy(grads["a"][k])
        reference.step()
        for k, tensor in tensors.items():
            np.testing.assert_allclose(params["a"][k], tensor.detach().numpy(), rtol=0, atol=1e-12)


def test_nadam_follows_torch_after_thousands_of_steps(torch_in_float64):
    """Its product of momenta is cut off where it no longer shows."""
    rng = np.random.default_rng(0)
    ours, w = opt.nadam(0.01, beta1=0.99), rng.standard_normal(2)
    tensor = torch.nn.Parameter(torch.from_numpy(w.copy()))
    reference, state = torch.optim.NAdam([tensor], lr=0.01, betas=(0.99, 0.999)), ours.init(w)
    for _ in range(6000):
        g = rng.standard_normal(2)
        w, state = ours.update(w, g, state)
        tensor.grad = torch.from_numpy(g)
        reference.step()
    np.testing.assert_allclose(w, tensor.detach().numpy(), rtol=0, atol=1e-11)


@each_case
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_params_is_kept_even_with_other_gradients(name, dtype):
    rng = np.random.default_rng(0)
    params = some_params(rng, dtype)
    new, state = path(OURS[name], params, [like(params, rng), like(params, rng)])
    arrays = [*new["a"].values(), *(a for slot in OURS[name].slots for a in state[slot]["a"].values())]
    assert {a.dtype for a in arrays} == {np.dtype(dtype)}


@each_case
def test_nothing_given_is_changed(name):
    rng = np.random.default_rng(0)
    params = some_params(rng)
    params, state = path(OURS[name], params, [like(params, rng)])
    grads = like(params, rng)
    before = copies({"p": params, "g": grads} | {k: v for k, v in state.items() if k != "step"})
    step = state["step"]
    OURS[name].update(params, grads, state)
    after = {"p": params, "g": grads} | {k: v for k, v in state.items() if k != "step"}
    assert (flat(before) == flat(after)).all() and state["step"] == step


@each_case
def test_in_place_gives_the_same_numbers_in_the_arrays_it_was_given(name):
    rng = np.random.default_rng(0)
    params = some_params(rng)
    gradients = [like(params, rng) for _ in range(4)]
    expected, expected_state = path(OURS[name], params, gradients)
    w, state = params["a"]["w"], OURS[name].init(params)
    slots = [state[slot]["a"]["w"] for slot in OURS[name].slots]
    kept = copies({"g": gradients[0]})
    for grads in gradients:
        new, new_state = OURS[name].update(params, grads, state, inplace=True)
    assert new is params and new_state is state and new["a"]["w"] is w
    assert all(state[slot]["a"]["w"] is array for slot, array in zip(OURS[name].slots, slots, strict=True))
    rounding = (
        1e-13 if type(OURS[name]).step in opt._IN_PLACE else 0
    )  # tests/test_fast.py compares the fast forms further
    np.testing.assert_allclose(flat(new), flat(expected), rtol=rounding)
    for slot in OURS[name].slots:
        np.testing.assert_allclose(flat(state[slot]), flat(expected_state[slot]), rtol=rounding)
    assert (flat({"g": gradients[0]}) == flat(kept)).all()


@each_case
def test_the_rule_that_is_taught_gives_the_numbers_that_update_gives(name):
    rng = np.random.default_rng(0)
    optimizer, w = OURS[name], rng.standard_normal((4, 3))
    gradients = [rng.standard_normal((4, 3)) for _ in range(5)]
    expected, state = path(optimizer, w, gradients)
    slots = [np.zeros((4, 3)) for _ in optimizer.slots]
    for t, g in enumerate(gradients, 1):
        decayed = g if name == "adamw" else g + optimizer.weight_decay * w
        w, *slots = optimizer.step(w, decayed, optimizer.lr, t, *slots)
    np.testing.assert_array_equal(w, expected)
    for slot, array in zip(optimizer.slots, slots, strict=True):
        np.testing.assert_array_equal(array, state[slot])


@each_case
@pytest.mark.parametrize("inplace", [False, True])
def test_entries_are_matched_by_name_whatever_their_order(name, inplace):
    rng = np.random.default_rng(0)
    params = {"a": rng.standard_normal(3), "b": rng.standard_normal(3)}
    gradients = [like(params, rng) for _ in range(3)]
    expected, _ = path(OURS[name], params, gradients, inplace=inplace)

    def turned(tree):
        return dict(reversed(tree.items()))

    state = OURS[name].init(params)
    for grads in gradients:
        params, state = OURS[name].update(params, turned(grads), state, inplace=inplace)
        params = turned(params)
        state |= {slot: turned(state[slot]) for slot in OURS[name].slots[1:]}
    assert all((params[k] == expected[k]).all() for k in "ab")


@each_case
@pytest.mark.parametrize("inplace", [False, True])
def test_large_and_transposed_arrays_go_the_same_way_as_small_ones(name, inplace):
    """Large arrays are updated block by block, arrays that are not contiguous in one piece."""
    rng = np.random.default_rng(0)
    n = opt.BLOCK_BYTES // 8
    for shape in ((n,), (n + 1,), (2, n - 5)):
        w = rng.standard_normal(shape)
        gradients = [rng.standard_normal(shape) for _ in range(3)]
        some = np.linspace(0, w.size - 1, 50).astype(int)
        expected, _ = path(OURS[name], w.ravel()[some], [g.ravel()[some] for g in gradients])
        turned, _ = path(OURS[name], w.copy().T, [g.T for g in gradients], inplace=inplace)
        new, _ = path(OURS[name], w.copy(), gradients, inplace=inplace)
        np.testing.assert_allclose(new.ravel()[some], expected, rtol=1e-14)
        np.testing.assert_allclose(turned.T, new, rtol=1e-14)


@each_case
def test_runs_in_one_pass_are_the_runs_one_by_one(name):
    rng = np.random.default_rng(0)
    params = {"w": rng.standard_normal((5, 4, 3)), "b": rng.standard_normal((5, 1, 3))}
    gradients = [like(params, rng) for _ in range(6)]
    together, _ = path(OURS[name], params, gradients)
    for r in range(5):
        alone, _ = path(
            OURS[name], {k: v[r] for k, v in params.items()}, [{k: v[r] for k, v in g.items()} for g in gradients]
        )
        for k, v in alone.items():
            np.testing.assert_allclose(together[k][r], v, rtol=0, atol=1e-12)


@each_case
@pytest.mark.parametrize("shape", [(5,), (5, 1, 1)])
def test_each_run_can_have_its_own_rate(name, shape):
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.01, 0.2, 5)
    params = {"w": rng.standard_normal((5, 2, 3, 4)), "b": rng.standard_normal((5, 1, 3))}
    gradients = [like(params, rng) for _ in range(6)]
    together, _ = path(replace(OURS[name], lr=rates.reshape(shape)), params, gradients)
    for r in range(5):
        alone = replace(OURS[name], lr=rates[r])
        alone, _ = path(
            alone, {k: v[r] for k, v in params.items()}, [{k: v[r] for k, v in g.items()} for g in gradients]
        )
        for k, v in alone.items():
            np.testing.assert_allclose(together[k][r], v, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [opt.momentum, opt.nesterov, opt.rmsprop, opt.adadelta])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_heat_map_of_rates_and_momenta_is_one_pass(kind, dtype):
    rng = np.random.default_rng(0)
    rates, decays = rng.uniform(0.01, 0.2, (3, 1)), rng.uniform(0, 0.9, (1, 4))
    w = rng.standard_normal((3, 4, 2)).astype(dtype)
    gradients = [rng.standard_normal((3, 4, 2)).astype(dtype) for _ in range(6)]
    together, _ = path(kind(rates, decays), w, gradients)
    assert together.dtype == dtype
    for i, j in np.ndindex(3, 4):
        alone, _ = path(kind(rates[i, 0], decays[0, j]), w[i, j], [g[i, j] for g in gradients])
        np.testing.assert_allclose(together[i, j], alone, rtol=0, atol=1e-12 if dtype == np.float64 else 1e-5)


def test_each_run_can_have_its_own_momentum_and_all_the_same_rate():
    w, gradients = np.zeros((3, 2)), [np.ones((3, 2))] * 2
    w, _ = path(opt.momentum(1.0, np.array([0.0, 0.25, 0.5])), w, gradients)
    np.testing.assert_array_equal(w, [[-2.0] * 2, [-2.25] * 2, [-2.5] * 2])


def test_a_run_that_diverges_leaves_the_others_alone_and_does_not_warn():
    w, optimizer = np.full((2, 1), 1.0, np.float32), opt.momentum(np.array([1e30, 0.1]))
    state = optimizer.init(w)
    for _ in range(10):
        w, state = optimizer.update(w, 2 * np.clip(w, -1e38, 1e38), state)
    assert not np.isfinite(w[0]) and np.isfinite(w[1])


def test_a_schedule_is_asked_for_the_steps_from_zero():
    asked = []

    def schedule(step):
        asked.append(step)
        return 0.1 * (step + 1)

    w, _ = path(opt.sgd(schedule), np.array([0.0]), [np.array([1.0])] * 3)
    assert asked == [0, 1, 2]
    np.testing.assert_allclose(w, -0.6)


def test_rates_may_have_as_many_axes_as_a_parameter_has():
    params = {"s": np.zeros(3), "w": np.zeros((3, 2))}
    new, _ = path(opt.sgd(np.array([1.0, 2.0, 3.0])), params, [{"s": np.ones(3), "w": np.ones((3, 2))}])
    np.testing.assert_array_equal(new["s"], [-1, -2, -3])
    rates = np.arange(6.0).reshape(2, 3, 1)
    new, _ = path(opt.sgd(rates), np.zeros((2, 3, 4)), [np.ones((2, 3, 4))])
    np.testing.assert_array_equal(new, np.broadcast_to(-rates, (2, 3, 4)))
    new, _ = path(opt.sgd(np.array([0.5])), np.zeros((2, 3)), [np.ones((2, 3))])
    np.testing.assert_array_equal(new, np.full((2, 3), -0.5))


def test_a_schedule_may_give_each_run_its_own_rate():
    w = np.zeros((2, 3))
    w, _ = path(opt.sgd(lambda step: np.array([1.0, 10.0]) * (step + 1)), w, [np.ones((2, 3))] * 2)
    np.testing.assert_allclose(w, [[-3.0] * 3, [-30.0] * 3])


def test_the_ends_of_the_settings_are_allowed():
    for optimizer in (opt.adam(0, 0, 0, 0, weight_decay=0), opt.nadam(0, 0, 0, 0, 0), opt.rmsprop(0, 0, 0)):
        w, _ = path(optimizer, np.ones(2), [np.ones(2)])
        np.testing.assert_array_equal(w, 1)
    assert opt.sgd(np.array(0.5)) == opt.sgd(0.5)  # an array of one number is a number


def test_a_schedule_in_numpy_numbers_does_not_change_the_dtype():
    w, _ = path(opt.sgd(lambda step: np.float64(0.1)), np.ones(2, np.float32), [np.ones(2, np.float32)])
    assert w.dtype == np.float32


def test_the_state_goes_through_npz(tmp_path):
    rng = np.random.default_rng(0)
    params = {"w": rng.standard_normal(3)}
    gradients = [like(params, rng) for _ in range(5)]
    expected, _ = path(opt.nadam(), params, gradients)
    half, state = path(opt.nadam(), params, gradients[:3])
    np.savez(tmp_path / "state.npz", step=state["step"], m=state["m"]["w"], v=state["v"]["w"])
    with np.load(tmp_path / "state.npz") as file:
        state = {"step": file["step"], "m": {"w": file["m"]}, "v": {"w": file["v"]}}
    for grads in gradients[3:]:
        half, state = opt.nadam().update(half, grads, state)
    assert (half["w"] == expected["w"]).all()


def test_lists_tuples_and_single_arrays_are_params_too():
    optimizer, ones = opt.adam(0.1), np.ones(2)
    for params in (ones, [ones, (ones,)], {"a": [ones]}, np.array(1.0)):
        new, state = optimizer.update(params, params, optimizer.init(params))
        assert type(new) is type(params) and type(state["m"]) is type(params)
    np.testing.assert_allclose(new, 0.9)


@given(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        elements=st.floats(-10, 10, width=16),
    ),
    st.sampled_from(sorted(OURS)),
)
@settings(max_examples=150, deadline=None)
def test_any_shape_and_dtype_comes_back(w, name):
    new, state = path(OURS[name], {"w": w}, [{"w": w}, {"w": np.asarray(-w)}])
    assert new["w"].shape == w.shape and new["w"].dtype == w.dtype and state["step"] == 2
    assert np.isfinite(new["w"]).all()


# ---------------------------------------------------------------------------------------------------- clipping


def test_clipping_is_that_of_torch():
    rng = np.random.default_rng(0)
    for scale in (0.01, 1.0, 100.0):
        grads = {"a": {"w": scale * rng.standard_normal((3, 2))}, "b": scale * rng.standard_normal(4)}
        tensors = [torch.nn.Parameter(torch.zeros(g.shape)) for g in (grads["a"]["w"], grads["b"])]
        for tensor, g in zip(tensors, (grads["a"]["w"], grads["b"]), strict=True):
            tensor.data = tensor.data.double()
            tensor.grad = torch.from_numpy(g.copy())
        norm = torch.nn.utils.clip_grad_norm_(tensors, 0.8)
        before = copies(grads)
        clipped = opt.global_norm_clip(0.8)(grads)
        np.testing.assert_allclose(opt.global_norm(grads), norm.item(), rtol=1e-14)
        np.testing.assert_allclose(clipped["a"]["w"], tensors[0].grad.numpy(), rtol=1e-13)
        np.testing.assert_allclose(clipped["b"], tensors[1].grad.numpy(), rtol=1e-13)
        assert (flat(grads) == flat(before)).all()


def test_each_run_is_clipped_by_itself():
    rng = np.random.default_rng(0)
    grads = {"w": rng.standard_normal((3, 4, 2)), "b": rng.standard_normal((3, 1, 2))}
    grads["w"][1] *= 100
    together = opt.global_norm_clip(2.0, run_axes=1)(grads)
    for r in range(3):
        alone = opt.global_norm_clip(2.0)({k: g[r] for k, g in grads.items()})
        for k in grads:
            np.testing.assert_allclose(together[k][r], alone[k], rtol=1e-12)


def test_clipping_keeps_the_dtype_and_survives_gradients_whose_square_overflows():
    clipped = opt.global_norm_clip(1.0)({"w": np.array([3e30, 4e30], np.float32)})["w"]
    assert clipped.dtype == np.float32
    np.testing.assert_allclose(clipped, [0.6, 0.8], rtol=1e-6)


def test_the_norm_may_be_one_a_run_and_infinite_without_a_warning():
    grads = {"w": np.array([[3.0], [0.0]]), "s": np.array([-4.0, 2.0])}  # s is one number a run
    np.testing.assert_array_equal(opt.global_norm(grads, run_axes=1), [5.0, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert opt.global_norm(np.array([np.inf])) == np.inf
        assert opt.global_norm({"w": np.array([3e200]), "b": np.array([4e200])}) == pytest.approx(5e200)


def test_an_infinite_gradient_is_not_hidden_by_clipping():
    assert np.isnan(opt.global_norm_clip(1.0)({"w": np.array([np.inf])})["w"]).all()


def test_a_chain_clips_and_then_steps():
    chain = opt.chain(opt.global_norm_clip(1.0), lambda g: {"w": -g["w"]}, opt.sgd(1.0))
    w = {"w": np.zeros(2)}
    new, state = chain.update(w, {"w": np.array([30.0, 40.0])}, chain.init(w), inplace=True)
    assert new is w and state == {"step": 1}
    np.testing.assert_allclose(w["w"], [0.6, 0.8], rtol=1e-6)
    again, _ = chain.update(w, {"w": np.array([3.0, 4.0])}, state)
    assert again is not w and w["w"][0] == new["w"][0] and state == {"step": 1}
    np.testing.assert_allclose(again["w"], [1.2, 1.6], rtol=1e-6)


def test_a_chain_can_be_typed_from_its_repr():
    chain = opt.chain(opt.global_norm_clip(2.0, run_axes=1), opt.sgd(0.5))
    text = "chain(global_norm_clip(max_norm=2.0, run_axes=1), sgd(lr=0.5, weight_decay=0.0))"
    assert repr(chain) == repr(eval(text, vars(opt))) == text


# --------------------------------------------------------------------------------------------------- bad input

ONE = {"w": np.ones(2)}


def step_with(optimizer=None, params=ONE, grads=ONE, state=None, **kwargs):
    optimizer = optimizer or opt.adam()
    return optimizer.update(params, grads, optimizer.init(ONE) if state is None else state, **kwargs)


BAD = {
    "a negative rate": (lambda: opt.sgd(-0.1), RangeError, r"lr is -0\.1, but must be a finite number in \[0, inf\)"),
    "an infinite rate": (lambda: opt.adam(float("inf")), RangeError, "lr is inf, but must be a finite number"),
    "a rate in words": (lambda: opt.adam("fast"), DTypeError, "lr is str 'fast', but must be a number"),
    "momentum of 1": (lambda: opt.momentum(0.1, 1.0), RangeError, r"decay is 1\.0, .* in \[0, 1\)"),
    "a beta above 1": (lambda: opt.adam(beta2=1.5), RangeError, r"beta2 is 1\.5, .* in \[0, 1\)"),
    "a beta for each run": (lambda: opt.adam(beta1=np.ones(3)), DTypeError, "beta1 is float64 array of shape"),
    "a negative eps": (lambda: opt.nadam(eps=-1e-8), RangeError, "eps is -1e-08"),
    "a negative decay of weights": (lambda: opt.adamw(weight_decay=-1), RangeError, "weight_decay is -1"),
    "a negative rate in one run": (lambda: opt.sgd(np.array([0.1, -0.2])), RangeError, r"lr, one a run, is .*-0\.2"),
    "NaN as one run's rate": (lambda: opt.sgd(np.array([0.1, np.nan])), RangeError, "lr, one a run, is .*nan"),
    "whole numbers as rates": (lambda: opt.sgd(np.array([1, 2])), DTypeError, "lr is an int64 array"),
    "rates without runs": (
        lambda: step_with(opt.sgd(np.ones(3))),
        ShapeError,
        r"^lr has shape \(3,\), but a parameter has shape \(2,\); with one lr a run, \(R,\), every parameter needs a "
        r"run axis in front, \(R, \.\.\.\): see coursekit\.model\.stack_runs$",
    ),
    "momenta without runs": (
        lambda: step_with(opt.momentum(0.1, np.array([0.1, 0.2, 0.3]))),
        ShapeError,
        r"^decay has shape \(3,\), but a parameter has shape \(2,\); with one decay a run, \(R,\), every parameter",
    ),
    "a schedule that ends in NaN": (
        lambda: step_with(opt.sgd(lambda step: float("nan"))),
        RangeError,
        "the schedule .* gave a useless rate at step 0: lr is nan",
    ),
    "a schedule without return": (lambda: step_with(opt.sgd(lambda step: None)), DTypeError, "step 0: lr is NoneType"),
    "no params": (lambda: opt.adam().init({}), ShapeError, "params is empty"),
    "params of whole numbers": (
        lambda: opt.adam().init({"w": np.ones(2, int)}),
        DTypeError,
        r"params\['w'\] is an int64 array .*astype",
    ),
    "an update of whole numbers": (
        lambda: step_with(params={"w": np.ones(2, int)}),
        DTypeError,
        r"^params\['w'\] is an int64 array",
    ),
    "params in a list of numbers": (lambda: opt.adam().init([1.0]), DTypeError, r"params\[0\] is float 1\.0"),
    "decays of 1 in one run": (
        lambda: opt.momentum(0.1, np.array([0.5, 1.0])),
        RangeError,
        r"^decay, one a run, is .*1\.0.*, but must be a finite number in \[0, 1\)$",
    ),
    "a schedule that falls below 0": (
        lambda: step_with(opt.sgd(lambda step: np.array([0.1, -0.5]))),
        RangeError,
        r"^the schedule .* gave a useless rate at step 0: lr, one a run, is .*-0\.5",
    ),
    "a momentum decay below 0": (lambda: opt.nadam(momentum_decay=-1), RangeError, "^momentum_decay is -1, but must"),
    "a missing gradient": (
        lambda: step_with(params={"w": np.ones(2), "b": np.ones(1)}),
        ShapeError,
        r"^grads must hold the same entries as params: grads\['b'\] missing$",
    ),
    "a gradient too many": (
        lambda: step_with(grads={"w": np.ones(2), "b": {"c": np.ones(1)}}),
        ShapeError,
        r"grads\['b'\]\['c'\] too many",
    ),
    "a gradient of another shape": (
        lambda: step_with(grads={"w": np.ones((1, 2))}),
        ShapeError,
        r"grads\['w'\] has shape \(1, 2\), but params\['w'\] has shape \(2,\)",
    ),
    "a gradient that is a list": (lambda: step_with(grads={"w": [1.0, 2.0]}), ShapeError, r"grads\['w'\]\[0\]"),
    "another optimizer's state": (
        lambda: step_with(state=opt.sgd(1.0).init(ONE)),
        ShapeError,
        r"^state is a dict with 'step', but adam needs 'step', 'm', 'v'; "
        r"make it with state = optimizer\.init\(params\)$",
    ),
    "the state of momentum": (
        lambda: step_with(state=opt.momentum(1.0).init(ONE)),
        ShapeError,
        r"^state is a dict with 'step', 'v', but adam needs",
    ),
    "no state": (lambda: step_with(state=0), ShapeError, "state is int 0, but adam needs"),
    "another net's state": (
        lambda: step_with(state=opt.adam().init({"w": np.ones(3)})),
        ShapeError,
        r"^state\['m'\]\['w'\] has shape \(3,\), but params\['w'\] has shape \(2,\)",
    ),
    "a step of 1.5": (
        lambda: step_with(opt.sgd(1.0), state={"step": 1.5}),
        DTypeError,
        r"^state\['step'\] is float 1\.5, but must be a whole number$",
    ),
    "a step before 0": (
        lambda: step_with(opt.sgd(1.0), state={"step": -1}),
        RangeError,
        r"^state\['step'\] is -1, but must be at least 0$",
    ),
    "no room to clip to": (lambda: opt.global_norm_clip(0), RangeError, r"^max_norm is 0, .* in \(0, inf\)$"),
    "clipping of run axes below 0": (lambda: opt.global_norm_clip(1.0, run_axes=-1), RangeError, "^run_axes is -1"),
    "run axes that are not there": (
        lambda: opt.global_norm(ONE, run_axes=2),
        ShapeError,
        r"grads\['w'\] has shape \(2,\), but run_axes=2",
    ),
    "half a run axis": (lambda: opt.global_norm_clip(1.0, run_axes=0.5), DTypeError, "run_axes is float 0.5"),
    "run axes below 0": (lambda: opt.global_norm(ONE, run_axes=-1), RangeError, "^run_axes is -1, but must be at"),
    "the norm of nothing": (lambda: opt.global_norm({}), ShapeError, "^grads is empty"),
    "the norm of a whole number": (lambda: opt.global_norm(np.ones(2, int)), DTypeError, "^grads is an int64 array"),
    "an empty chain": (lambda: opt.chain(), DTypeError, "the last part of a chain is an optimizer, but NoneType"),
    "a chain the wrong way round": (
        lambda: opt.chain(opt.adam(), opt.global_norm_clip(1.0)),
        DTypeError,
        r"^the last part of a chain is an optimizer, but a global_norm_clip arrived; "
        r"write chain\(global_norm_clip\(1\.0\), adam\(1e-3\)\)$",
    ),
    "a number in a chain": (
        lambda: opt.chain(1.0, opt.adam()),
        DTypeError,
        r"^float 1\.0 is no function of the gradient; write chain\(global_norm_clip\(1\.0\), adam\(1e-3\)\)$",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    call, error, message = BAD[name]
    with pytest.raises(error, match=message):
        call()


def test_read_only_params_are_refused_in_place_before_anything_is_written():
    params = {"a": np.ones(2), "b": np.ones(2)}
    params["b"].flags.writeable = False
    state = opt.adam().init(params)
    with pytest.raises(
        CourseError, match=r"^params\['b'\] is read-only, so it cannot .* in place; leave inplace=True out$"
    ):
        opt.adam().update(params, params, state, inplace=True)
    assert (params["a"] == 1).all() and state["step"] == 0 and not state["m"]["a"].any()
    opt.adam().update(params, params, state)
    state["v"]["a"].flags.writeable = False
    with pytest.raises(CourseError, match=r"^state\['v'\]\['a'\] is read-only"):
        opt.adam().update({"a": np.ones(2), "b": np.ones(2)}, params, state, inplace=True)


def test_a_failed_update_in_place_leaves_everything_as_it_was():
    params = {"a": np.ones((3, 1)), "b": np.ones(2)}
    optimizer = opt.adam(np.ones(3))
    state = optimizer.init(params)
    with pytest.raises(ShapeError, match=r"lr has shape \(3,\)"):
        optimizer.update(params, params, state, inplace=True)
    assert (params["a"] == 1).all() and state["step"] == 0


def test_an_optimizer_holds_settings_only_and_says_which():
    assert repr(opt.adam(0.1)) == "adam(lr=0.1, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.0)"
    with pytest.raises(AttributeError):
        opt.adam().lr = 1.0


@pytest.mark.parametrize("inplace", [False, True])
def test_a_subclass_with_its_own_rule_follows_it(inplace):
    class still(opt.sgd):
        def step(self, w, g, lr, t):
            return (w + 1.0,)

    optimizer, w = still(0.1), np.zeros(3)
    w, _ = optimizer.update(w, np.ones(3), optimizer.init(w), inplace=inplace)
    np.testing.assert_array_equal(w, np.ones(3))


# The newer ones, and those that combine others.


def test_lion_is_algorithm_2_of_its_paper():
    rng, lr, decay = np.random.default_rng(0), 0.02, 0.3
    w = theta = rng.standard_normal(6)
    m, ours = np.zeros(6), opt.lion(lr, 0.8, 0.95, weight_decay=decay)
    state = ours.init(w)
    for _ in range(25):
        g = rng.standard_normal(6)
        w, state = ours.update(w, g, state)
        c = 0.8 * m + 0.2 * g  # the paper: interpolate, sign, decay; then remember
        theta = theta - lr * (np.sign(c) + decay * theta)
        m = 0.95 * m + 0.05 * g
    np.testing.assert_allclose(w, theta, rtol=0, atol=1e-12)
    assert (opt.lion().lr, opt.lion().beta1, opt.lion().beta2) == (1e-4, 0.9, 0.99)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_muon_is_torchs_without_its_rounding_to_bfloat16(monkeypatch, shape):
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    rng, w = np.random.default_rng(0), np.random.default_rng(1).standard_normal(shape)
    tensor = torch.nn.Parameter(torch.from_numpy(w.T.copy()))  # PyTorch's weights are (out, in)
    theirs = torch.optim.Muon([tensor], lr=0.05, momentum=0.8, weight_decay=0.2)
    ours = opt.muon(0.05, 0.8, weight_decay=0.2)
    state = ours.init(w)
    for _ in range(10):
        g = rng.standard_normal(shape)
        w, state = ours.update(w, g, state)
        tensor.grad = torch.from_numpy(g.T.copy())
        theirs.step()
    np.testing.assert_allclose(w.T, tensor.detach().numpy(), rtol=0, atol=1e-9)
    defaults = torch.optim.Muon([tensor]).defaults
    assert (opt.muon().lr, opt.muon().decay, opt.muon().weight_decay) == tuple(
        defaults[name] for name in ("lr", "momentum", "weight_decay")
    )


def test_newton_schulz_brings_singular_values_near_1_and_keeps_the_directions():
    g = np.random.default_rng(0).standard_normal((3, 8, 5))
    u, _, vh = np.linalg.svd(g, full_matrices=False)
    inner = u.swapaxes(-1, -2) @ opt.orthogonalized(g) @ vh.swapaxes(-1, -2)
    diagonal = np.diagonal(inner, axis1=-2, axis2=-1)
    assert np.abs(inner - diagonal[..., None] * np.eye(5)).max() < 1e-12
    assert 0.6 < diagonal.min() and diagonal.max() < 1.25


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e15, 1e30])
def test_orthogonalized_does_not_hang_on_the_size_of_a_gradient(scale):
    g = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    result = opt.orthogonalized(np.float32(scale) * g)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, opt.orthogonalized(g), atol=2e-4)
    np.testing.assert_array_equal(opt.orthogonalized(0 * g), 0 * g)


def test_muon_with_run_axes_is_a_loop_over_runs_also_for_large_matrices():
    rng = np.random.default_rng(0)
    w, g = rng.standard_normal((2, 300, 200)), rng.standard_normal((2, 300, 200))
    rates = np.array([0.1, 0.3])
    both = opt.muon(rates).update(w, g, opt.muon(rates).init(w))[0]
    for run, rate in enumerate(rates.tolist()):
        one, rule = w[run].copy(), opt.muon(rate)
        assert rule.update(one, g[run], rule.init(one), inplace=True)[0] is one
        np.testing.assert_allclose(both[run], one, rtol=0, atol=1e-9)


def test_muon_refuses_a_bias_and_says_what_to_type():
    w = {"w": np.ones((2, 2)), "b": np.ones(2)}
    with pytest.raises(ShapeError, match="by_name"):
        opt.muon().update(w, w, opt.muon().init(w))


@pytest.mark.parametrize("inplace", [False, True])
def test_by_name_is_torchs_parameter_groups(inplace):
    rng = np.random.default_rng(0)
    params = {"dense_0": {"w": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)}, "gamma": np.ones(3)}
    tensors = {path: torch.nn.Parameter(torch.tensor(a)) for path, a in trees.leaves(params).items()}
    decays = {
        True: [t for p, t in tensors.items() if p[-1] == "w"],
        False: [t for p, t in tensors.items() if p[-1] != "w"],
    }
    theirs = torch.optim.AdamW(
        [{"params": decays[True], "weight_decay": 0.3}, {"params": decays[False], "weight_decay": 0.0}], lr=0.05
    )
    ours = opt.by_name(("b", "gamma"), opt.adamw(0.05, weight_decay=0.0), rest=opt.adamw(0.05, weight_decay=0.3))
    state, first = ours.init(params), copies(params)
    given = params
    for _ in range(10):
        grads = trees.map_leaves(lambda a: rng.standard_normal(a.shape), params)
        params, state = ours.update(params, grads, state, inplace=inplace)
        for path, g in trees.leaves(grads).items():
            tensors[path].grad = torch.tensor(g)
        theirs.step()
    for path, a in trees.leaves(params).items():
        np.testing.assert_allclose(a, tensors[path].detach().numpy(), rtol=0, atol=1e-12)
    assert state["step"] == 10 and list(params["dense_0"]) == ["w", "b"]
    assert (flat(given) == flat(first)).all() != inplace
    with pytest.raises(DTypeError, match="tuple of names"):
        opt.by_name("b", opt.sgd(1.0), rest=opt.sgd(1.0))
    with pytest.raises(DTypeError, match="no optimizer"):
        opt.by_name(("b",), 0.1, rest=opt.sgd(1.0))


@pytest.mark.parametrize("rule", [opt.sgd(0.1), opt.adam(0.01), opt.momentum(lambda step: 0.1 / (1 + step))])
def test_accumulated_batches_are_one_large_batch(rule):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 12, 3)), rng.standard_normal((5, 12))
    large = small = rng.standard_normal(3)
    several = opt.accumulate(rule, every=4)
    large_state, small_state = rule.init(large), several.init(small)

    def gradient(w, x, y):
        return x.T @ (x @ w - y) / len(y)

    for batch, target in zip(x, y, strict=True):
        large, large_state = rule.update(large, gradient(large, batch, target), large_state)
        start = small
        for part in np.split(np.arange(12), 4):
            assert (small == start).all()
            small, small_state = several.update(small, gradient(small, batch[part], target[part]), small_state)
        np.testing.assert_allclose(small, large, rtol=0, atol=1e-13)
    assert small_state["step"] == 20 and small_state["optimizer"]["step"] == 5
