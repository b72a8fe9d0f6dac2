"""Layers for images: each against PyTorch's module, through params, state, training and eval."""

import numpy as np
import pytest
import torch

from coursekit import layers
from coursekit.errors import DTypeError, RangeError, ShapeError
from coursekit.initializers import xavier_uniform
from coursekit.layers import (
    AvgPool2d,
    BatchNorm,
    BatchNorm2d,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool2d,
    GroupNorm,
    LayerNorm,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Residual,
    RMSNorm,
)
from coursekit.model import Sequential, stack_runs

T = torch.nn

# layer, PyTorch's, shape of x
PAIRS = {
    "conv": (Conv2d(4, 6, (3, 2), (2, 1), (1, 0)), T.Conv2d(4, 6, (3, 2), (2, 1), (1, 0)), (3, 4, 7, 6)),
    "grouped conv": (Conv2d(4, 6, 3, padding=1, groups=2), T.Conv2d(4, 6, 3, padding=1, groups=2), (3, 4, 5, 6)),
    "depthwise conv": (Conv2d(4, 4, 3, groups=4), T.Conv2d(4, 4, 3, groups=4), (1, 4, 5, 6)),
    "depthwise conv, all settings": (
        Conv2d(4, 4, (3, 2), (2, 1), (1, 0), groups=4),
        T.Conv2d(4, 4, (3, 2), (2, 1), (1, 0), groups=4),
        (3, 4, 7, 6),
    ),
    "depthwise conv, two kernels a channel": (Conv2d(3, 6, 3, groups=3), T.Conv2d(3, 6, 3, groups=3), (2, 3, 5, 6)),
    "1 x 1 conv": (Conv2d(4, 6, 1), T.Conv2d(4, 6, 1), (3, 4, 5, 6)),
    "global average pool": (GlobalAvgPool2d(), T.Sequential(T.AdaptiveAvgPool2d(1), T.Flatten()), (3, 4, 7, 6)),
    "max pool": (MaxPool2d(3, 2), T.MaxPool2d(3, 2), (3, 4, 7, 6)),
    "max pool of pairs": (MaxPool2d(), T.MaxPool2d(2), (3, 4, 7, 6)),
    "average pool": (AvgPool2d((2, 3)), T.AvgPool2d((2, 3)), (3, 4, 7, 6)),
    "flatten": (Flatten(), T.Flatten(), (3, 4, 2, 5)),
    "batch norm": (BatchNorm(5, momentum=0.3, eps=1e-3), T.BatchNorm1d(5, momentum=0.3, eps=1e-3), (7, 5)),
    "batch norm 2d": (BatchNorm2d(4, momentum=0.3, eps=1e-3), T.BatchNorm2d(4, momentum=0.3, eps=1e-3), (3, 4, 2, 5)),
    "rms norm": (RMSNorm(5, eps=1e-3), T.RMSNorm(5, eps=1e-3), (7, 5)),
    "group norm": (GroupNorm(6, 3, eps=1e-3), T.GroupNorm(3, 6, eps=1e-3), (2, 6, 3, 4)),
    "instance norm": (GroupNorm(4, 4, eps=1e-3), T.InstanceNorm2d(4, eps=1e-3, affine=True), (2, 4, 3, 5)),
    "layer norm": (LayerNorm(5, eps=1e-3), T.LayerNorm(5, eps=1e-3), (7, 5)),
    "local response norm": (LocalResponseNorm(3, 0.2, 0.6, 1.5), T.LocalResponseNorm(3, 0.6, 0.6, 1.5), (2, 6, 3, 4)),
}
NAMES = {"w": "weight", "b": "bias", "gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}


def close(ours, theirs):
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    assert np.abs(ours - theirs).max() <= 1e-12 * max(1.0, np.abs(theirs).max())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", PAIRS)
def test_a_layer_equals_pytorchs(name, training):
    layer, module, shape = PAIRS[name]
    rng = np.random.default_rng(1)
    params, state = layer.init(rng, dtype=np.float64)
    params = {key: p + rng.normal(size=p.shape) for key, p in params.items()}  # nothing is at its first value
    state = {key: s + rng.uniform(0.1, 0.5, s.shape) for key, s in state.items()}
    module = module.double().train(training)
    for key, value in {**params, **state}.items():
        getattr(module, NAMES[key]).data = torch.tensor(value)
    x = rng.normal(size=shape)
    tx = torch.from_numpy(x).requires_grad_()
    expected = module(tx)
    dout = rng.normal(size=expected.shape)
    module.zero_grad()
    expected.backward(torch.from_numpy(dout))

    out, cache, new_state = layer.forward(params, state, x, training=training)
    dx, grads = layer.backward(dout, cache)
    close(out, expected)
    close(dx, tx.grad)
    assert grads.keys() == params.keys() and new_state.keys() == state.keys()
    for key, g in grads.items():
        close(g, getattr(module, NAMES[key]).grad)
    for key, s in new_state.items():
        close(s, getattr(module, NAMES[key]))
    first = layer.backward_first(dout, cache)
    assert first.keys() == grads.keys()
    for key, g in first.items():
        close(g, grads[key])


def test_init_gives_every_layer_its_params_in_the_dtype_asked_for():
    rng = np.random.default_rng(2)
    for name, (layer, _, _) in PAIRS.items():
        for dtype in (np.float32, np.float64):
            params, state = layer.init(rng, dtype=dtype)
            assert {a.dtype for a in (*params.values(), *state.values())} <= {np.dtype(dtype)}, name
    params, _ = Conv2d(32, 64, (3, 5)).init(rng)
    assert params["w"].std() == pytest.approx((2 / (32 * 15)) ** 0.5, rel=0.02)
    assert not params["b"].any()
    params, _ = Conv2d(32, 64, 3, groups=2).init(rng)
    assert params["w"].std() == pytest.approx((2 / (16 * 9)) ** 0.5, rel=0.02)
    params, _ = Conv2d(4, 6, 3, weights=xavier_uniform).init(rng)
    assert abs(params["w"]).max() <= (6 / (4 * 9 + 6 * 9)) ** 0.5
    params, state = BatchNorm2d(3).init(rng)
    assert (params["gamma"] == 1).all() and not params["beta"].any()
    assert (state["var"] == 1).all() and not state["mean"].any()


def test_the_gradient_of_flatten_lies_in_memory_as_its_input_did():
    # Batch-last, as convolution hands it on.
    x = np.random.default_rng(2).normal(size=(4, 3, 5, 7)).transpose(3, 0, 1, 2)
    layer = Flatten()
    out, cache, _ = layer.forward({}, {}, x, training=True)
    dx, _ = layer.backward(out, cache)
    assert (dx == x).all() and dx.strides == x.strides


def network():
    return Sequential(
        [
            *(Conv2d(2, 4, 3, padding=1), BatchNorm2d(4), ReLU(), MaxPool2d(2), LocalResponseNorm(3, 0.5)),
            *(Conv2d(4, 6, 2, groups=2), ReLU(), AvgPool2d(2, 1)),
            *(Conv2d(6, 6, 3, padding=1, groups=6), GlobalAvgPool2d()),
            *(Dense(6 * 1 * 1, 5), BatchNorm(5), LayerNorm(5), Dense(5, 3)),
        ]
    )


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shared_input", [True, False])
def test_a_network_with_run_axes_is_a_loop_over_networks(shared_input, training):
    net, rng = network(), np.random.default_rng(3)
    nets = [net.init(np.random.default_rng(seed), dtype=np.float64) for seed in range(4)]
    x = rng.normal(size=(7, 2, 6, 6) if shared_input else (4, 7, 2, 6, 6))
    params, state = stack_runs([p for p, _ in nets]), stack_runs([s for _, s in nets])
    out, cache, new_state = net.forward(params, state, x, training=training)
    dout = rng.normal(size=out.shape)
    dx, grads = net.backward(dout, cache)
    total = 0
    for run, (p, s) in enumerate(nets):
        one, one_cache, one_state = net.forward(p, s, x if shared_input else x[run], training=training)
        one_dx, one_grads = net.backward(dout[run], one_cache)
        close(out[run], one)
        total = total + one_dx
        if not shared_input:
            close(dx[run], one_dx)
        for name, part in one_grads.items():
            for key, g in part.items():
                close(grads[name][key][run].reshape(g.shape), g)
        for name, part in one_state.items():
            for key, value in part.items():
                close(new_state[name][key][run].reshape(value.shape), value)
    if shared_input:
        close(dx, total)


def test_backward_first_of_a_network_spares_the_input_gradient_only():
    net, rng = network(), np.random.default_rng(4)
    params, state = net.init(rng, dtype=np.float64)
    out, cache, _ = net.forward(params, state, rng.normal(size=(7, 2, 6, 6)), training=True)
    dout = rng.normal(size=out.shape)
    _, grads = net.backward(dout, cache)
    first = net.backward_first(dout, cache)
    for name, part in grads.items():
        for key, g in part.items():
            close(first[name][key], g)


def test_images_stay_batch_last_from_layer_to_layer():
    pools = [MaxPool2d(), MaxPool2d(2, 1), AvgPool2d(2, 1)]
    net = Sequential([Conv2d(2, 4, 3), BatchNorm2d(4), ReLU(), *pools, Conv2d(4, 4, 2), AvgPool2d()])
    params, state = net.init(np.random.default_rng(5))
    x = np.ones((8, 2, 12, 12), np.float32)
    for name, out in net.activations(params, state, x, training=True).items():
        assert out.transpose(1, 2, 3, 0).flags.c_contiguous, name


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: Conv2d(0, 4, 3), RangeError, "inputs is 0"),
        (lambda: Conv2d(1, 4, 0), RangeError, "size is 0"),
        (lambda: Conv2d(1, 4, (3, 3, 3)), ShapeError, "a pair"),
        (lambda: Conv2d(1, 4, 3, stride=0), RangeError, "stride is 0"),
        (lambda: Conv2d(1, 4, 3, padding=-1), RangeError, "padding is -1"),
        (lambda: Conv2d(1, 4, 3, padding="same"), DTypeError, "padding"),
        (lambda: Conv2d(4, 6, 3, groups=4), RangeError, r"groups is 4.*inputs \(4\) and outputs \(6\)"),
        (lambda: Conv2d(3, 6, 3, groups=2), RangeError, "groups is 2"),
        (lambda: MaxPool2d(0), RangeError, "size is 0"),
        (lambda: AvgPool2d(2, 0), RangeError, "stride is 0"),
        (lambda: BatchNorm(0), RangeError, "features is 0"),
        (lambda: BatchNorm2d(3, momentum=2), RangeError, "momentum is 2"),
        (lambda: LayerNorm(3, eps=-1), RangeError, "eps is -1"),
        (lambda: LayerNorm(2.5), DTypeError, "whole number"),
    ],
)
def test_bad_settings_are_refused_when_the_layer_is_made(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize(
    "layer, shape, words",
    [
        (Conv2d(2, 4, 3), (1, 3, 5, 5), "C=2"),
        (Conv2d(2, 4, 3, groups=2), (1, 3, 5, 5), "x has shape"),
        (Conv2d(2, 4, 3), (2, 5, 5), "4 axes"),
        (BatchNorm2d(2), (2, 3, 5, 5), "C="),
        (Flatten(), (5, 5), "4 axes"),
        (MaxPool2d(6), (1, 1, 5, 5), "the kernel is 6 long"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_with_words(layer, shape, words):
    params, state = layer.init(np.random.default_rng(0))
    with pytest.raises(ShapeError, match=words):
        layer.forward(params, state, np.ones(shape, np.float32), training=True)


@pytest.mark.parametrize("name", PAIRS)
def test_an_upstream_gradient_of_another_shape_is_refused(name):
    layer, _, shape = PAIRS[name]
    params, state = layer.init(np.random.default_rng(0))
    out, cache, _ = layer.forward(params, state, np.ones(shape, np.float32), training=True)
    with pytest.raises(ShapeError, match="dout"):
        layer.backward(np.ones((*out.shape[:-1], out.shape[-1] + 1), np.float32), cache)


def test_layers_offers_every_layer_of_this_file():
    from coursekit.layers import image

    assert set(image.__all__) <= set(layers.__all__)


# --- residual blocks --------------------------------------------------------------------------------------------------


class Block(T.Module):
    """PyTorch's side of a residual block with a shortcut of 1 x 1 and a stride."""

    def __init__(self, shortcut):
        super().__init__()
        stride = 2 if shortcut else 1
        self.block = T.Sequential(
            *(T.Conv2d(4, 6 if shortcut else 4, 3, stride, 1), T.BatchNorm2d(6 if shortcut else 4), T.ReLU()),
            T.Conv2d(6 if shortcut else 4, 6 if shortcut else 4, 3, 1, 1),
        )
        self.shortcut = T.Conv2d(4, 6, 1, 2) if shortcut else None

    def forward(self, x):
        return (self.shortcut(x) if self.shortcut else x) + self.block(x)


def residual(shortcut):
    wide, stride = (6, 2) if shortcut else (4, 1)
    block = [Conv2d(4, wide, 3, stride, 1), BatchNorm2d(wide), ReLU(), Conv2d(wide, wide, 3, 1, 1)]
    return Residual(Sequential(block), Conv2d(4, 6, 1, 2) if shortcut else None)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shortcut", [False, True])
def test_a_residual_block_equals_pytorchs(shortcut, training):
    layer, twin, rng = residual(shortcut), Block(shortcut).double().train(training), np.random.default_rng(4)
    params, state = layer.init(rng, dtype=np.float64)
    state["block"]["batchnorm2d_1"]["var"] = state["block"]["batchnorm2d_1"]["var"] + 0.5
    pairs = [(*params["block"]["conv2d_0"].items(),), (*params["block"]["batchnorm2d_1"].items(),),
             (*params["block"]["conv2d_3"].items(),)]  # fmt: skip
    modules = [twin.block[0], twin.block[1], twin.block[3]]
    if shortcut:
        pairs, modules = [*pairs, (*params["shortcut"].items(),)], [*modules, twin.shortcut]
    for items, module in zip(pairs, modules, strict=True):
        for key, value in items:
            getattr(module, NAMES[key]).data = torch.tensor(value)
    twin.block[1].running_var.data = torch.tensor(state["block"]["batchnorm2d_1"]["var"])
    x = rng.normal(size=(3, 4, 6, 7))
    tx = torch.from_numpy(x).requires_grad_()
    expected = twin(tx)
    dout = rng.normal(size=expected.shape)
    expected.backward(torch.from_numpy(dout))

    out, cache, new_state = layer.forward(params, state, x, training=training)
    dx, grads = layer.backward(dout, cache)
    close(out, expected)
    close(dx, tx.grad)
    close(new_state["block"]["batchnorm2d_1"]["var"], twin.block[1].running_var)
    assert list(grads) == list(params)
    for part, module in (("conv2d_0", twin.block[0]), ("batchnorm2d_1", twin.block[1]), ("conv2d_3", twin.block[3])):
        for key, g in grads["block"][part].items():
            close(g, getattr(module, NAMES[key]).grad)
    if shortcut:
        for key, g in grads["shortcut"].items():
            close(g, getattr(twin.shortcut, NAMES[key]).grad)


def test_a_residual_block_refuses_what_cannot_be_added():
    with pytest.raises(DTypeError, match=r"block is .*, but must be a layer: Residual\(Sequential"):
        Residual(ReLU)
    with pytest.raises(DTypeError, match="shortcut is"):
        Residual(ReLU(), "1 x 1")
    x = np.ones((2, 4, 6, 6))
    for layer, words in (
        (Residual(Conv2d(4, 6, 1)), "give it a shortcut that does the same"),
        (Residual(Conv2d(4, 6, 1), Conv2d(4, 5, 1)), "its shortcut must do the same"),
    ):
        params, state = layer.init(np.random.default_rng(0), dtype=np.float64)
        with pytest.raises(ShapeError, match=words):
            layer.forward(params, state, x, training=True)


def test_a_residual_block_with_nothing_to_train_has_no_params():
    layer = Residual(ReLU())
    assert layer.init(np.random.default_rng(0)) == ({}, {})
    out, cache, _ = layer.forward({}, {}, np.array([[-1.0, 2.0]]), training=True)
    np.testing.assert_array_equal(out, [[-1.0, 4.0]])
    dx, grads = layer.backward(np.array([[1.0, 1.0]]), cache)
    np.testing.assert_array_equal(dx, [[1.0, 2.0]])
    assert grads == {}


def test_a_residual_block_with_run_axes_is_a_loop_over_blocks():
    layer, rng = residual(True), np.random.default_rng(5)
    drawn = [layer.init(np.random.default_rng(seed), dtype=np.float64) for seed in range(3)]
    params, state = (stack_runs([part[k] for part in drawn]) for k in (0, 1))
    x, x_shape = rng.normal(size=(3, 2, 4, 6, 7)), (2, 4, 6, 7)
    out, cache, _ = layer.forward(params, state, x, training=True)
    dout = rng.normal(size=out.shape)
    dx, grads = layer.backward(dout, cache)
    for run, (p, s) in enumerate(drawn):
        one, one_cache, _ = layer.forward(p, s, x[run], training=True)
        one_dx, one_grads = layer.backward(dout[run], one_cache)
        assert one_dx.shape == x_shape
        close(out[run], one)
        close(dx[run], one_dx)
        close(grads["shortcut"]["w"][run], one_grads["shortcut"]["w"])
        close(grads["block"]["conv2d_3"]["b"][run, 0], one_grads["block"]["conv2d_3"]["b"])
