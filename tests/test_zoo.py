"""The zoo: published counts, ledgers against real params, and networks that learn what PyTorch's learn."""

import numpy as np
import pytest
import torch

from coursekit import data, zoo
from coursekit.errors import DTypeError, RangeError, ShapeError
from coursekit.layers import (
    GRU,
    LSTM,
    RNN,
    AvgPool2d,
    BatchNorm,
    BatchNorm2d,
    Conv2d,
    Dense,
    EachStep,
    Embedding,
    Flatten,
    GlobalAvgPool2d,
    GroupNorm,
    LastStep,
    LastSteps,
    Layer,
    LayerNorm,
    LookBack,
    Maxout,
    MaxPool2d,
    ReLU,
    ReLU6,
    Residual,
    RMSNorm,
    Tanh,
)
from coursekit.losses import softmax_cross_entropy
from coursekit.model import Sequential, accuracy, predict
from coursekit.optimizers import adam
from coursekit.training import train
from coursekit.zoo.costs import costs_of


def count(params):
    return sum(count(p) if isinstance(p, dict) else p.size for p in params.values())


def test_alexnet_has_the_published_61_million_params():
    book = zoo.cost(zoo.alexnet(), (3, 227, 227))
    convolutions = [row for row in book.rows if row.name.startswith("conv")]
    assert [row.output for row in convolutions] == [
        (96, 55, 55),
        (256, 27, 27),
        (384, 13, 13),
        (384, 13, 13),
        (256, 13, 13),
    ]
    assert book.params == 60_965_224
    assert book.multiply_adds == 724_406_816
    assert book.flops == 2 * 724_406_816


def test_vgg16_has_the_published_138_million_params():
    book = zoo.cost(zoo.vgg16(), (3, 224, 224))
    assert len([row for row in book.rows if row.params]) == 16
    assert book.params == 138_357_544
    assert book.multiply_adds == 15_470_264_320


def test_lenet5_has_its_layers():
    book = zoo.cost(zoo.lenet5(), (1, 28, 28))
    assert [row.params for row in book.rows if row.params] == [156, 2416, 48120, 10164, 850]
    assert book.params == 61_706


SMALL = {
    "lenet5": (zoo.lenet5(7), (1, 28, 28), 7),
    "alexnet_mini": (zoo.alexnet_mini(), (1, 28, 28), 10),
    "alexnet_mini, colour": (zoo.alexnet_mini(5, (3, 32, 40)), (3, 32, 40), 5),
    "alexnet_mini, smallest": (zoo.alexnet_mini(5, (2, 15, 15)), (2, 15, 15), 5),
    "vgg_mini": (zoo.vgg_mini(), (1, 28, 28), 10),
    "vgg_mini, colour": (zoo.vgg_mini(4, (3, 8, 17)), (3, 8, 17), 4),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_network_runs_and_costs_what_its_ledger_says(name):
    net, image, classes = SMALL[name]
    rng = np.random.default_rng(0)
    params, state = net.init(rng)
    x = rng.normal(size=(2, *image)).astype(np.float32)
    book = zoo.cost(net, image)
    outputs = net.activations(params, state, x)
    assert [row.name for row in book.rows] == list(outputs)
    assert [row.output for row in book.rows] == [out.shape[1:] for out in outputs.values()]
    assert book.params == count(params)
    scores, cache, _ = net.forward(params, state, x, training=True, rng=rng)
    assert scores.shape == (2, classes) and scores.dtype == np.float32
    dx, grads = net.backward(np.ones_like(scores), cache)
    assert dx.shape == x.shape
    assert count(grads) == book.params


def test_multiply_adds_are_counted_by_pytorch_too():
    from torch.utils.flop_counter import FlopCounterMode

    t = torch.nn
    net = t.Sequential(
        *(t.Conv2d(1, 6, 5, padding=2), t.ReLU(), t.MaxPool2d(2), t.Conv2d(6, 16, 5), t.ReLU(), t.MaxPool2d(2)),
        *(t.Flatten(), t.Linear(400, 120), t.ReLU(), t.Linear(120, 84), t.ReLU(), t.Linear(84, 10)),
    )
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, 1, 28, 28))
    assert zoo.cost(zoo.lenet5(), (1, 28, 28)).flops == counter.get_total_flops()


def test_lenet5_trains_to_the_same_numbers_as_pytorchs():
    rng = np.random.default_rng(1)
    net = zoo.lenet5()
    params, state = net.init(rng, dtype=np.float64)
    t = torch.nn
    twin = t.Sequential(
        *(t.Conv2d(1, 6, 5, padding=2), t.ReLU(), t.MaxPool2d(2), t.Conv2d(6, 16, 5), t.ReLU(), t.MaxPool2d(2)),
        *(t.Flatten(), t.Linear(400, 120), t.ReLU(), t.Linear(120, 84), t.ReLU(), t.Linear(84, 10)),
    ).double()
    ours = [params[name] for name in net.names if name in params]
    theirs = [layer for layer in twin if hasattr(layer, "weight")]
    for p, layer in zip(ours, theirs, strict=True):
        w = p["w"] if p["w"].ndim == 4 else p["w"].T
        layer.weight.data, layer.bias.data = torch.tensor(w), torch.tensor(p["b"])
    optimizer, torch_optimizer = adam(1e-2), torch.optim.Adam(twin.parameters(), 1e-2)
    optimizer_state = optimizer.init(params)
    for _ in range(4):
        x, y = rng.normal(size=(5, 1, 28, 28)), rng.integers(0, 10, 5)
        scores, cache, state = net.forward(params, state, x, training=True)
        loss, dscores = softmax_cross_entropy(scores, y)
        grads = net.backward_first(dscores, cache)
        params, optimizer_state = optimizer.update(params, grads, optimizer_state)
        torch_optimizer.zero_grad()
        torch_loss = t.functional.cross_entropy(twin(torch.from_numpy(x)), torch.from_numpy(y))
        torch_loss.backward()
        torch_optimizer.step()
        assert abs(loss - torch_loss.item()) < 1e-9
    for name, layer in zip([n for n in net.names if n in params], theirs, strict=True):
        w = params[name]["w"] if params[name]["w"].ndim == 4 else params[name]["w"].T
        assert np.abs(w - layer.weight.detach().numpy()).max() < 1e-9


@pytest.mark.parametrize("net, enough", [(zoo.lenet5(), 0.7), (zoo.alexnet_mini(), 0.35), (zoo.vgg_mini(), 0.35)])
def test_a_network_learns_digits(net, enough):
    digits = data.mnist()
    x, y, test = digits.x_train[:800, None], digits.y_train[:800], digits.x_test[:400, None]
    rng = np.random.default_rng(0)
    history = train(net, x, y, optimizer=adam(1e-3), epochs=2, batch_size=16, rng=rng, progress=False)
    scores = predict(net, history.params, history.state, test)
    assert accuracy(scores, digits.y_test[:400]) > enough  # guessing reaches 0.1


@pytest.mark.parametrize(
    "net, example",
    [
        (Sequential([Dense(3, 8), BatchNorm(8), Maxout(4), LayerNorm(2), RMSNorm(2), Tanh()]), (3,)),
        (
            Sequential(
                [
                    Conv2d(4, 6, (3, 2), (2, 1), (0, 1), groups=2),
                    BatchNorm2d(6),
                    GroupNorm(6, 2),
                    AvgPool2d(2),
                    Flatten(),
                ]
            ),
            (4, 7, 6),
        ),
        (
            Sequential(
                [
                    *(Conv2d(2, 4, 3, groups=2), Conv2d(4, 4, 3, groups=4), Conv2d(4, 6, 1), ReLU6()),
                    *(Residual(Sequential([Conv2d(6, 6, 3, padding=1), BatchNorm2d(6)])),),
                    *(Residual(Conv2d(6, 8, 3, 2, 1), Conv2d(6, 8, 1, 2)), GlobalAvgPool2d()),
                ]
            ),
            (2, 9, 7),
        ),
        (Sequential([Sequential([Dense(3, 4), ReLU()]), Dense(4, 2)]), (3,)),
        (Sequential([RNN(3, 5), GRU(5, 4), LSTM(4, 2), EachStep(Dense(2, 7))]), (6, 3)),
        (Sequential([LSTM(3, 5), LastSteps(2), EachStep(Dense(5, 4))]), (6, 3)),
        (Sequential([LSTM(3, 5), LookBack(2, 5, 4), EachStep(Dense(10, 4))]), (6, 3)),
        (Sequential([RNN(3, 5), LastStep(), Dense(5, 4)]), (6, 3)),
    ],
)
def test_the_ledger_knows_every_layer(net, example):
    params, state = net.init(np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(2, *example)).astype(np.float32)
    book = zoo.cost(net, example)
    assert book.params == count(params)
    assert [row.output for row in book.rows] == [a.shape[1:] for a in net.activations(params, state, x).values()]


def test_the_ledger_knows_char_rnn():
    net = zoo.char_rnn(11, features=5, hidden=7, layers=2)
    book = zoo.cost(net, (9,))
    assert book.params == count(net.init(np.random.default_rng(0))[0])
    assert book.rows[-1].output == (9, 11)
    assert book.multiply_adds == 9 * (4 * (5 + 7) * 7 + 4 * (7 + 7) * 7 + 7 * 11)
    assert zoo.cost(Sequential([Embedding(11, 5)]), (9,)).rows[0].output == (9, 5)


def test_a_single_layer_has_a_ledger():
    assert zoo.cost(Dense(3, 2), (3,)).params == 8


def test_the_ledger_prints_as_text_and_as_markdown():
    book = zoo.cost(Sequential([Dense(784, 100), ReLU()]), (784,))
    assert str(book).splitlines() == [
        "layer      output  params  multiply-adds",
        "dense_0    100     78,500         78,400",
        "relu_1     100          0              0",
        "total              78,500         78,400",
    ]
    assert book._repr_markdown_().splitlines()[2:] == [
        "| dense_0 | 100 | 78,500 | 78,400 |",
        "| relu_1 | 100 | 0 | 0 |",
        "| total |  | 78,500 | 78,400 |",
    ]


class Strange(Layer):
    def init(self, rng, *, dtype=np.float32):
        return {"w": np.ones(3, dtype)}, {}


@pytest.mark.parametrize(
    "call, error, words",
    [
        (
            lambda: zoo.cost(zoo.lenet5(), (3, 28, 28)),
            ShapeError,
            "conv2d_0 does not take .*expected 1 channels, got 3",
        ),
        (lambda: zoo.cost(zoo.lenet5(), (1, 32, 32)), ShapeError, "dense_7 .*expected 400 features"),
        (lambda: zoo.cost(zoo.lenet5(), (1, 6, 6)), ShapeError, "conv2d_3 .*the kernel is 5 long"),
        (lambda: zoo.cost(zoo.lenet5(), (784,)), ShapeError, r"expected images \(C, H, W\)"),
        (lambda: zoo.cost(zoo.lenet5(), (0, 28, 28)), RangeError, r"example\[0\] is 0"),
        (lambda: zoo.cost(Sequential([BatchNorm2d(3)]), (4, 5, 5)), ShapeError, "expected 3 channels, got 4"),
        (lambda: zoo.cost(Sequential([Maxout(3)]), (4,)), ShapeError, "a multiple of 3"),
        (lambda: zoo.cost(Sequential([RNN(3, 4)]), (3,)), ShapeError, r"\(steps, 3\)"),
        (lambda: zoo.cost(Sequential([MaxPool2d(3)]), (1, 2, 5)), ShapeError, "the kernel is 3 long"),
        (lambda: zoo.cost(Sequential([Strange()]), (3,)), DTypeError, "what Strange costs"),
        (lambda: zoo.alexnet_mini(10, (28, 28)), ShapeError, "channels, height, width"),
        (lambda: zoo.alexnet_mini(10, (1, 14, 28)), RangeError, "height of image is 14"),
        (lambda: zoo.vgg_mini(10, (1, 28, 7)), RangeError, "width of image is 7"),
        (lambda: zoo.lenet5(0), RangeError, "outputs is 0"),
    ],
)
def test_what_cannot_be_is_refused_with_words(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_layer_of_ones_own_says_what_it_costs():
    class Own(Strange):
        pass

    class Derived(Own):
        pass

    @costs_of(Own)
    def _(layer, shape):
        return (*shape, 2), 3, 5

    rows = zoo.cost(Sequential([Dense(4, 3), Derived()]), (4,)).rows
    assert (rows[1].output, rows[1].params, rows[1].multiply_adds) == ((3, 2), 3, 5)
    with pytest.raises(DTypeError, match=r"Strange costs; say it in a function under @costs_of\(Strange\)"):
        zoo.cost(Strange(), (4,))


def test_a_recurrent_layer_costs_what_its_arrays_say_and_draws_none():
    def no_draw(rng, shape, *, dtype):
        raise AssertionError("drawn")

    for kind, gates, biases in ((RNN, 1, 1), (GRU, 3, 4), (LSTM, 4, 4)):
        (row,) = zoo.cost(kind(6, 5, no_draw, no_draw), (7, 6)).rows
        products = gates * (6 + 5) * 5
        assert (row.params, row.multiply_adds) == (products + biases * 5, 7 * products)
