"""Cases of exercise sheet 15, transfer learning."""

import itertools

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import Different, expect_true, inspect_value
from coursekit.grading.several import expect_calls, expect_results

TITLE = "Transfer learning"


def network(rng, depth=3):
    """A list of `depth` layers of unlike sizes; most ReLUs let some examples through and stop others."""
    sizes = [int(rng.integers(5, 8)), *(int(n) for n in rng.permutation([8, 9, 10, 11])[: depth - 1]), 4]
    return [
        (rng.normal(0, 0.6, pair), rng.uniform(0.1, 0.5, pair[1]) * rng.choice([-1, 1], pair[1]))
        for pair in itertools.pairwise(sizes)
    ]


def batch(rng, layers, classes=4):
    n = int(rng.integers(12, 16))
    return rng.normal(0.5, 1, (n, layers[0][0].shape[0])), rng.integers(0, classes, n)


def copies(layers):
    return [(w.copy(), b.copy()) for w, b in layers]


def softmax_gradient(s, y):
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return (p - np.eye(s.shape[1])[y]) / len(y)


def forward(layers, x):
    """The input of every layer, and the scores."""
    inputs = [x]
    for w, b in layers[:-1]:
        inputs.append(np.maximum(inputs[-1] @ w + b, 0))
    return inputs, inputs[-1] @ layers[-1][0] + layers[-1][1]


def gradients(layers, x, y, *, mask=None, mean=True, after=None, db=None, stop=None, dw=None):
    """(dw, db) of every layer, right or with a mistake; `after`: rates at which weights move before they are used."""
    inputs, s = forward(layers, x)
    d, found = softmax_gradient(s, y) * (1 if mean else len(y)), []
    for place in reversed(range(len(layers))):
        w, a = layers[place][0], inputs[place]
        found.append((a.T @ d if dw is None else dw(a, d, inputs, place), d.sum(axis=0) if db is None else db(d)))
        w = w if after is None else w - after[place] * a.T @ d
        if stop is None or not stop[place]:
            back = d @ w.T
            d = back * (a > 0) if mask is None else mask(back, a)
        elif d.shape[1] != w.shape[0]:
            d = np.zeros((len(d), w.shape[0]))  # the shapes do not fit: the answer raises
    return found[::-1]


def named_parts(layers):
    """{name: array} of all weights and biases."""
    return {
        f"{part} of layer {i}": value for i, layer in enumerate(layers) for part, value in zip("wb", layer, strict=True)
    }


def expect_layers(got, want, what, mistakes):
    """Compare lists of layers, with mistakes that are lists of layers."""
    got = layers_of(got, len(want), what)
    expect_results(
        [part for layer in got for part in layer],
        named_parts(want),
        what=what,
        mistakes={text: named_parts(layers) for text, layers in mistakes.items() if len(layers) == len(want)},
    )


def moved(layers, grads, rates):
    return [(w - r * dw, b - r * db) for (w, b), (dw, db), r in zip(layers, grads, rates, strict=True)]


def layers_of(result, count, what):
    """A list of `count` pairs, or a message that says what is missing."""
    expect_true(
        type(result) in (list, tuple) and len(result) == count,
        f"{what} gave {inspect_value(result)}, not a list of {count} layers",
        mistake="a return is missing"
        if result is None
        else "weights and biases came one after the other: each layer is a pair (w, b)"
        if type(result) in (list, tuple) and len(result) == 2 * count and all(type(v) is np.ndarray for v in result)
        else "the new head came on top of the old one, not in its place"
        if type(result) in (list, tuple) and len(result) == count + 1
        else None,
    )
    for place, layer in enumerate(result):
        expect_true(
            type(layer) in (list, tuple) and len(layer) == 2,
            f"layer {place} of {what} is {inspect_value(layer)}, not a pair (w, b)",
        )
    return [tuple(layer) for layer in result]


Q1 = question(
    "15.1",
    title="A new head",
    minutes=10,
    hints=[
        "The head's weights are (H, classes), and H is the number of rows of the old head's weights.",
        "The head does not see the images. It sees `features(layers, x)`.",
        "`score_gradient` is divided by the number of examples already: sum over the batch, don't average again.",
    ],
)


@case("new_head: the same body, a head of zeros")
def head_new(new_head, *, rng):
    layers, classes = network(rng), int(rng.integers(5, 8))
    what = f"new_head(layers, {classes})"
    got = layers_of(new_head(copies(layers), classes), len(layers), what)
    width, old = layers[-1][0].shape
    head = got[-1]
    drawn = (
        type(head[0]) is np.ndarray
        and head[0].shape == (width, classes)
        and head[0].dtype.kind == "f"
        and head[0].any()
    )
    zeros = np.zeros((width, classes)), np.zeros(classes)
    wrong = {
        "the old head is still there": layers[-1],
        "the head has the old number of classes": (np.zeros((width, old)), np.zeros(old)),
        "the bias has the old number of classes": (zeros[0], np.zeros(old)),
        "the weights are (classes, H): a layer is x @ w, so they are (H, classes)": (zeros[0].T, zeros[1]),
        "the weights have as many rows as the old head had classes: they have as many as it had inputs, w.shape[0]": (
            np.zeros((old, classes)),
            zeros[1],
        ),
        "the weights are (classes, classes): they have as many rows as the head has inputs, w.shape[0]": (
            np.zeros((classes, classes)),
            zeros[1],
        ),
        "the head starts with ones: zeros are asked for": (zeros[0] + 1, zeros[1]),
        "the biases start with ones: zeros are asked for": (zeros[0], zeros[1] + 1),
        "there is one bias for each input: one for each class is meant": (zeros[0], np.zeros(width)),
        "the biases are a row of a matrix: the shape is (classes,)": (zeros[0], zeros[1][None]),
        "the bias is one number: one for each class is meant": (zeros[0], 0.0),
        "the head was drawn at random: zeros are asked for": (head[0] if drawn else zeros[0] + 2, zeros[1]),
    }
    body = named_parts(layers[:-1])
    names = dict(zip(("w of the head", "b of the head"), zeros, strict=True))
    expect_results(
        [part for layer in got for part in layer],
        body | names,
        what=what,
        mistakes={text: dict(zip(names, pair, strict=True)) for text, pair in wrong.items()}
        | {
            "the body was set to zero as well: it is what was learnt": {name: 0 * value for name, value in body.items()}
        },
    )


@case("head_step: the head moves, the body does not")
def head_steps(head_step, *, rng):
    layers = network(rng)
    x, y = batch(rng, layers)
    lr = round(float(rng.uniform(0.2, 0.8)), 2)
    grads = gradients(layers, x, y)
    everything = moved(layers, grads, [lr] * 3)
    (w, b), (dw, db) = layers[-1], grads[-1]
    inputs, _ = forward(layers, x)
    linear = inputs[-2] @ layers[-2][0] + layers[-2][1]
    d = softmax_gradient(linear @ w + b, y)
    n = len(x)

    def with_head(w, b):
        return [*layers[:-1], (w, b)]

    expect_layers(
        head_step(copies(layers), x, y, lr),
        [*layers[:-1], (w - lr * dw, b - lr * db)],
        f"head_step(layers, x, y, {lr})",
        {
            "the body moved: it is frozen here": everything,
            "the step goes uphill: subtract the gradient": with_head(w + lr * dw, b + lr * db),
            "the step of the bias goes uphill: subtract the gradient": with_head(w - lr * dw, b + lr * db),
            "the ReLU of the body's last layer is missing": with_head(w - lr * linear.T @ d, b - lr * d.sum(axis=0)),
            "the gradient was summed over the batch: the loss is a mean": with_head(w - lr * n * dw, b - lr * n * db),
            "it was divided by the batch twice": with_head(w - lr * dw / n, b - lr * db / n),
            "the bias gradient was averaged over the batch: score_gradient has divided by it already": with_head(
                w - lr * dw, b - lr * db / n
            ),
            "the weight gradient was divided by the batch once more": with_head(w - lr * dw / n, b - lr * db),
            "the bias gradient was not summed over the batch": with_head(
                w - lr * dw, b - lr * softmax_gradient(inputs[-1] @ w + b, y)
            ),
            "the bias did not move (was all of ds summed for it? That is 0: each class has its own sum)": with_head(w - lr * dw, b),
            "the weights did not move": with_head(w, b - lr * db),
            "nothing moved": layers,
            "lr was not used": with_head(w - dw, b - db),
            "the gradient came back as the new head: subtract lr times it from the old one": with_head(dw, db),
            "the old head is missing: the new one is w - lr * dw": with_head(-lr * dw, -lr * db),
            "the scores were computed without the bias": with_head(
                w - lr * inputs[-1].T @ softmax_gradient(inputs[-1] @ w, y), b - lr * softmax_gradient(inputs[-1] @ w, y).sum(axis=0)
            ),
        },
    )  # fmt: skip


Q2 = question(
    "15.2",
    title="Fine-tune",
    minutes=15,
    hints=[
        "Walk `layers`, `inputs` and `rates` from the end to the beginning, for example with `[::-1]`.",
        "At each layer: first the gradients of w and b from `d`, then `d` for the layer below.",
        "The `d` for the layer below needs the old `w`, not the one that has just moved.",
    ],
)


def tuning_mistakes(layers, x, y, rates):
    grads, last = gradients(layers, x, y), len(layers) - 1

    def move(**changed):
        return moved(layers, gradients(layers, x, y, **changed), rates)

    right = moved(layers, grads, rates)
    return {
        "the rates are in the wrong order: rates[0] belongs to the first layer": moved(layers, grads, rates[::-1]),
        "all layers moved at the first rate": moved(layers, grads, [rates[0]] * len(layers)),
        "all layers moved at the last rate": moved(layers, grads, [rates[-1]] * len(layers)),
        "all layers moved at the mean rate": moved(layers, grads, [float(np.mean(rates))] * len(layers)),
        "the rates were not used": moved(layers, grads, [1.0] * len(layers)),
        "only the head moved": moved(layers, grads, [0] * last + [rates[-1]]),
        "only the body moved": moved(layers, grads, [*rates[:-1], 0]),
        "layers with rate 0 moved": moved(layers, grads, [r or max(rates) for r in rates]),
        "a layer with rate 0 stopped the gradient: it does not move, but the layers below need what passes through it": moved(
            layers, grads, [0 if 0 in rates[i:] else r for i, r in enumerate(rates)]
        ),
        "the layers came back in reverse order: turn the list round at the end": right[::-1],
        "the mask of the ReLU is missing": move(mask=lambda back, a: back),
        "the mask of the ReLU was made of the gradient (d > 0): it belongs to the input, a > 0": move(
            mask=lambda back, a: back * (back > 0)
        ),
        "the gradient was multiplied with a itself, not with a > 0": move(mask=lambda back, a: back * a),
        "the mask of the ReLU is upside down: gradients pass where a > 0": move(mask=lambda back, a: back * (a <= 0)),
        "the mask of the ReLU is a >= 0, which is everywhere: a > 0": move(mask=lambda back, a: back * (a >= 0)),
        "the gradient went back through weights that had moved already": move(after=rates),
        "the gradient was summed over the batch: the loss is a mean": move(mean=False),
        "the bias gradients were averaged over the batch: score_gradient has divided by it already": move(
            db=lambda d: d.mean(axis=0)
        ),
        "the bias gradients were summed to one number": move(db=lambda d: d.sum()),
        "the biases did not move": move(db=lambda d: 0 * d.sum(axis=0)),
        "the weights did not move": [(w, b) for (w, _), (_, b) in zip(layers, right, strict=True)],
        "the steps were divided by the batch once more": moved(layers, grads, [r / len(x) for r in rates]),
        "the step goes uphill: subtract the gradient": moved(layers, grads, [-r for r in rates]),
        "the gradients came back, not the new layers": grads,
        "nothing moved": layers,
    }  # fmt: skip


def tuning_case(fine_tune_step, rng, depth, rates):
    layers = network(rng, depth=depth)
    x, y = batch(rng, layers)
    what = f"fine_tune_step(layers, x, y, {rates}) with {depth} layers"
    expect_layers(
        fine_tune_step(copies(layers), x, y, list(rates)),
        moved(layers, gradients(layers, x, y), rates),
        what,
        tuning_mistakes(layers, x, y, rates),
    )


@case("fine_tune_step: a rate for each layer")
def fine_tune(fine_tune_step, *, rng):
    rates = [round(float(r), 2) for r in rng.permutation([0.25, 0.5, 0.8]) + rng.uniform(0, 0.1, 3)]
    tuning_case(fine_tune_step, rng, 3, rates)


@case("fine_tune_step: a rate for each layer, other inputs", hidden=True)
def fine_tune_again(fine_tune_step, *, rng):
    fine_tune(fine_tune_step, rng=rng)


@case("fine_tune_step: frozen layers below and above, and another number of layers")
def fine_tune_frozen(fine_tune_step, *, rng):
    a, b, c = (round(float(r), 2) for r in rng.permutation([0.3, 0.55, 0.85]) + rng.uniform(0, 0.1, 3))
    for rates in ([0.0, 0.0, a, b], [a, 0.0, b, c, 0.0], [a, b]):
        tuning_case(fine_tune_step, rng, len(rates), rates)


Q3 = question(
    "15.3",
    title="Really frozen",
    minutes=12,
    hints=[
        "Start both lists with `list(layers[:frozen])` and `list(velocities[:frozen])`.",
        "A layer is a pair: the rule is used twice, for w and for b.",
        "The new velocity comes first; the weights then move along the new one.",
    ],
)


def momentum_problem(rng):
    layers = network(rng, depth=4)
    velocities, grads = ([(rng.normal(0, 1, w.shape), rng.normal(0, 1, b.shape)) for w, b in layers] for _ in range(2))
    settings = {"lr": 0.1, "decay": 0.8, "weight_decay": 0.3}
    return layers, velocities, grads, {k: round(v + float(rng.uniform(0, 0.1)), 3) for k, v in settings.items()}


def stepped(layers, velocities, grads, frozen, lr, decay, weight_decay, *, rule=None, held=None, along=None, part="wb"):
    """The right step, or with a mistake: (layers, velocities). `rule(p, v, g)` is the new velocity, `along` what w moves by."""
    rule = rule or (lambda p, v, g: decay * v + g + weight_decay * p)
    new_layers, new_velocities = [], []
    for place, (layer, velocity, grad) in enumerate(zip(layers, velocities, grads, strict=True)):
        stays = place < frozen if held is None else held(place)
        if stays is True:
            new_layers.append(layer)
            new_velocities.append(velocity)
            continue
        v, p = [], []
        for name, w, old, g in zip("wb", layer, velocity, grad, strict=True):
            if name not in part:
                v.append(old)
                p.append(w)
                continue
            v.append((stays or rule)(w, old, g))
            p.append(w - lr * (v[-1] if along is None else along(w, old, g, v[-1])))
        new_velocities.append(tuple(v))
        new_layers.append(tuple(p))
    return new_layers, new_velocities


def momentum_mistakes(layers, velocities, grads, frozen, lr, decay, weight_decay):
    given = layers, velocities, grads, frozen, lr, decay, weight_decay

    def zeroed(p, v, g):
        return decay * v + weight_decay * p

    def kept(p, v, g):
        return decay * v

    def right(p, v, g):
        return decay * v + g + weight_decay * p

    count = len(layers)
    found = {
        "only gradients of frozen layers were set to zero: momentum and weight decay go on moving them": stepped(
            *given, held=lambda place: zeroed if place < frozen else False
        ),
        "frozen layers moved along their old velocity": stepped(
            *given, held=lambda place: kept if place < frozen else False
        ),
        "nothing is frozen": stepped(*given, held=lambda place: False),
        "the last layers were frozen, not the first": stepped(*given, held=lambda place: place >= count - frozen),
        "the frozen layers moved, and the others stayed": stepped(*given, held=lambda place: place >= frozen),
        "one layer too many is frozen": stepped(*given, held=lambda place: place <= frozen),
        "one layer too few is frozen": stepped(*given, held=lambda place: place < frozen - 1),
        "only the layer with the number `frozen` is frozen: the first `frozen` of them are": stepped(
            *given, held=lambda place: place == frozen
        ),
        "weight decay is missing": stepped(*given, rule=lambda p, v, g: decay * v + g),
        "the gradient is missing": stepped(*given, rule=lambda p, v, g: decay * v + weight_decay * p),
        "the momentum is missing: decay * v": stepped(*given, rule=lambda p, v, g: g + weight_decay * p),
        "the velocity is not multiplied with decay": stepped(*given, rule=lambda p, v, g: v + g + weight_decay * p),
        "decay covers the gradient too: decay * (v + g)": stepped(
            *given, rule=lambda p, v, g: decay * (v + g) + weight_decay * p
        ),
        "the gradient has the factor 1 - decay, as in Adam: here it has none": stepped(
            *given, rule=lambda p, v, g: decay * v + (1 - decay) * g + weight_decay * p
        ),
        "the gradient with its weight decay has the factor 1 - decay, as in Adam: here it has none": stepped(
            *given, rule=lambda p, v, g: decay * v + (1 - decay) * (g + weight_decay * p)
        ),
        "weight decay was subtracted in the velocity: it is added": stepped(
            *given, rule=lambda p, v, g: decay * v + g - weight_decay * p
        ),
        "the gradient was subtracted in the velocity: it is added": stepped(
            *given, rule=lambda p, v, g: decay * v - g + weight_decay * p
        ),
        "the weight decay is halved: the gradient of lambda/2 w squared is lambda w": stepped(
            *given, rule=lambda p, v, g: decay * v + g + weight_decay / 2 * p
        ),
        "the weight decay is doubled": stepped(*given, rule=lambda p, v, g: decay * v + g + 2 * weight_decay * p),
        "the velocity decays with the wrong factor: 1 - decay": stepped(
            *given, rule=lambda p, v, g: (1 - decay) * v + g + weight_decay * p
        ),
        "the learning rate is in the velocity, v = decay * v - lr * g, as in other books: here it multiplies v in the step": stepped(
            *given, rule=lambda p, v, g: decay * v - lr * (g + weight_decay * p), along=lambda p, v, g, new: -new / lr
        ),
        "the learning rate is in the velocity too, v = decay * v + lr * g": stepped(
            *given, rule=lambda p, v, g: decay * v + lr * (g + weight_decay * p), along=lambda p, v, g, new: new / lr
        ),
        "the weight decay stands beside the momentum (decoupled): here it goes into the velocity": stepped(
            *given, rule=lambda p, v, g: decay * v + g, along=lambda p, v, g, new: new + weight_decay * p
        ),
        "the weight decay stands beside the momentum, without lr: here it goes into the velocity": stepped(
            *given, rule=lambda p, v, g: decay * v + g, along=lambda p, v, g, new: new + weight_decay * p / lr
        ),
        "the weights moved along the old velocity": stepped(*given, along=lambda p, v, g, new: v),
        "the weights moved along the gradient, not along the velocity": stepped(*given, along=lambda p, v, g, new: g),
        "the weights moved along the gradient and the weight decay, not along the velocity": stepped(
            *given, along=lambda p, v, g, new: g + weight_decay * p
        ),
        "the weights made Nesterov's step: they move along the new velocity": stepped(
            *given, along=lambda p, v, g, new: decay * new + g + weight_decay * p
        ),
        "the weights moved uphill: subtract lr times the velocity": stepped(*given, along=lambda p, v, g, new: -new),
        "lr was not used": stepped(*given, along=lambda p, v, g, new: new / lr),
        "the biases stayed as they were: the rule is for both": stepped(*given, part="w"),
        "the weights stayed as they were: the rule is for both": stepped(*given, part="b"),
    }
    new_layers, new_velocities = stepped(*given)
    bias = [
        (w[0], b[1])
        for w, b in zip(new_velocities, stepped(*given, rule=lambda p, v, g: decay * v + g)[1], strict=True)
    ]
    moved_bias = [(w, p - lr * v) for (w, _), (_, p), (_, v) in zip(new_layers, layers, bias, strict=True)]
    found["the biases did not decay: here they follow the same rule"] = (
        [*layers[:frozen], *moved_bias[frozen:]],
        [*velocities[:frozen], *bias[frozen:]],
    )
    found["the velocities of frozen layers were set to zero: they come back as they were"] = (
        new_layers,
        [*((0 * w, 0 * b) for w, b in velocities[:frozen]), *new_velocities[frozen:]],
    )
    found["the old velocities came back"] = (new_layers, velocities)
    found["the frozen layers stay, but their velocities change: both come back as they were"] = (
        new_layers,
        stepped(*given, held=lambda place: False)[1],
    )
    found["the gradients came back in place of the velocities"] = (new_layers, grads)
    found["the velocities of frozen layers changed"] = (
        new_layers,
        [
            *stepped(*given, held=lambda place: zeroed if place < frozen else False)[1][:frozen],
            *new_velocities[frozen:],
        ],
    )
    found["the results come in the wrong order: (layers, velocities) is asked for"] = (new_velocities, new_layers)
    return found


def both_parts(pair):
    layers, velocities = pair
    return named_parts(layers) | {f"the velocity of {name}": value for name, value in named_parts(velocities).items()}


def momentum_case(momentum_step, rng, frozen):
    layers, velocities, grads, settings = momentum_problem(rng)
    lr, decay, weight_decay = settings.values()
    what = f"momentum_step(..., frozen={frozen}, lr={lr}, decay={decay}, weight_decay={weight_decay})"
    result = momentum_step(copies(layers), copies(velocities), copies(grads), frozen, lr, decay, weight_decay)
    expect_true(
        type(result) in (list, tuple) and len(result) == 2,
        f"{what} gave {inspect_value(result)}, not a pair (layers, velocities)",
        mistake="a return is missing"
        if result is None
        else "only the layers came back: the velocities are asked for too"
        if type(result) in (list, tuple) and len(result) == len(layers)
        else None,
    )
    got = [
        part
        for half, name in zip(result, ("layers", "velocities"), strict=True)
        for layer in layers_of(half, len(layers), f"the {name} of {what}")
        for part in layer
    ]
    given = layers, velocities, grads, frozen, lr, decay, weight_decay
    expect_results(
        got,
        both_parts(stepped(*given)),
        what=what,
        mistakes={text: both_parts(pair) for text, pair in momentum_mistakes(*given).items()},
    )


@case("momentum_step: frozen layers stay, the others follow the rule", points=2)
def momentum_frozen(momentum_step, *, rng):
    momentum_case(momentum_step, rng, int(rng.integers(2, 4)))


@case("momentum_step: nothing frozen")
def momentum_free(momentum_step, *, rng):
    momentum_case(momentum_step, rng, 0)


Q4 = question(
    "15.4",
    title="Did it help?",
    minutes=10,
    hints=[
        "The same seed has the same examples, so take the difference first and its spread then.",
        "`difference.std(axis=1, ddof=1)` is the spread over the seeds of each size.",
        "Compare with 2e on both sides: `1 if m > 2 * e else -1 if m < -2 * e else 0`.",
    ],
)


def judged(
    scratch,
    transfer,
    *,
    factor=2.0,
    ddof=1,
    root=None,
    take=np.mean,
    spread=None,
    sign=1,
    axis=1,
    sides=(1, -1),
    vote=None,
):
    """1, -1 or 0 for each size, and what comes of it when a part is changed."""
    d = sign * (transfer - scratch)
    if vote:
        return [vote[0] if won > 0.5 else vote[1] for won in (d > 0).mean(axis=1).tolist()]
    count = d.shape[axis]
    mean = take(d, axis=axis)
    std = d.std(axis=axis, ddof=ddof) if spread is None else spread(scratch, transfer)
    error = std / (np.sqrt(count) if root is None else root(d))
    return [
        (1 if m > 0 else -1) if abs(m) > factor * e and (m > 0) * 2 - 1 in sides else 0
        for m, e in zip(mean.tolist(), np.broadcast_to(error, mean.shape).tolist(), strict=True)
    ]


VERDICTS = {
    "helps and hurts are the wrong way round: the difference is transfer - scratch": {"sign": -1},
    "the standard deviation was used: the error of a mean is smaller by the root of the number of seeds": {"root": lambda d: 1},
    "the deviation was divided by the number of seeds, not by its root": {"root": lambda d: d.shape[1]},
    "the deviation was divided by the root of the number of sizes, not of seeds": {"root": lambda d: np.sqrt(len(d))},
    "the deviation was divided by the root of seeds - 1: the - 1 belongs into the deviation only": {
        "root": lambda d: np.sqrt(d.shape[1] - 1)
    },
    "the deviation was divided by the root of all differences, not of the seeds": {"root": lambda d: np.sqrt(d.size)},
    "the spread has N in its denominator: use ddof=1": {"ddof": 0},
    "the variance was used, not the standard deviation": {"spread": lambda s, t: (t - s).var(axis=1, ddof=1)},
    "only the sign of the mean was looked at": {"factor": 0.0},
    "one standard error was used, not two": {"factor": 1.0},
    "1.96 standard errors were used, not 2": {"factor": 1.96},
    "three standard errors were used, not two": {"factor": 3.0},
    "2.5 or more standard errors were used, not two": {"factor": 2.5},
    "the spreads of both were added: with the same examples take the differences first": {
        "spread": lambda s, t: np.sqrt(s.var(axis=1, ddof=1) + t.var(axis=1, ddof=1))
    },
    "the standard deviations of both were added: with the same examples take the differences first": {
        "spread": lambda s, t: s.std(axis=1, ddof=1) + t.std(axis=1, ddof=1)
    },
    "the spread of transfer alone was used: take that of the differences": {"spread": lambda s, t: t.std(axis=1, ddof=1)},
    "the spread of scratch alone was used: take that of the differences": {"spread": lambda s, t: s.std(axis=1, ddof=1)},
    "one spread was used for all sizes: each has its own": {"spread": lambda s, t: (t - s).std(ddof=1)},
    "the median of the differences was taken, not their mean": {"take": np.median},
    "the differences were added up, not averaged": {"take": np.sum},
    "the largest difference was taken, not the mean": {"take": np.max},
    "it goes along the sizes: seeds are axis 1": {"axis": 0},
    "the seeds were counted in which transfer wins: mean and standard error decide": {"vote": (1, -1)},
    "the seeds were counted in which transfer wins, against those in which it loses: mean and standard error decide": {"vote": (1, 0)},
    "what hurts was not looked for: -1 if m < -2e": {"sides": (1,)},
    "what helps was not looked for: 1 if m > 2e": {"sides": (-1,)},
}  # fmt: skip


def accuracies(rng, ratio, seeds):
    """Scratch and transfer whose paired mean difference is `ratio` (one number a size) standard errors."""
    sizes = len(ratio)
    noise = rng.exponential(1, (sizes, seeds))  # mean and median differ
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, ddof=1, keepdims=True)
    scratch = rng.uniform(0.4, 0.8, (sizes, seeds))
    step = 0.01 * rng.uniform(0.7, 1.4, (sizes, 1))
    difference = step * (noise + np.asarray(ratio)[:, None] / np.sqrt(seeds))
    return scratch, scratch + difference


def verdict_case(verdict, problems, what):
    def asked(scratch, transfer):
        got = verdict(scratch.copy(), transfer.copy())
        if type(got) is np.ndarray and got.ndim == 1 and got.dtype.kind in "iu":
            return got.tolist()  # an array of whole numbers says the same
        words = type(got) in (list, tuple) and any(type(v) is str for v in got)
        floats = type(got) in (list, tuple) and any(type(v) in (float, np.float64) for v in got)
        floats = floats or (type(got) is np.ndarray and got.dtype.kind == "f")
        number = type(got) in (int, float, np.int64, np.float64)
        pairs = type(got) is tuple and len(got) == 2
        expect_true(
            not (words or floats or number or pairs),
            f"verdict(scratch, transfer) gave {inspect_value(got)}, not a list with a whole number for each size",
            mistake="words came back: 1, -1 and 0 are asked for"
            if words
            else "one verdict for all sizes came back: each size has its own"
            if number
            else "mean and error came back, not the verdicts"
            if pairs
            else "the verdicts are floats: whole numbers are asked for, int(...)",
        )
        if type(got) in (list, tuple) and len(got) == scratch.shape[1] != len(scratch):
            expect_true(
                False, "verdict gave one number for each seed", mistake="it goes along the sizes: seeds are axis 1"
            )
        return got

    expect_calls(
        asked,
        problems,
        judged,
        what=lambda scratch, transfer: (
            f"verdict(scratch, transfer) for {len(scratch)} sizes and {scratch.shape[1]} seeds{what}"
        ),
        mistakes={
            text: lambda s, t, settings=settings: judged(s, t, **settings) for text, settings in VERDICTS.items()
        },
    )


# Multiples of the standard error: on both sides of 2, and on both sides of what other rules would ask for.
RATIOS = [
    -9.0,
    -3.4,
    -2.6,
    -2.3,
    -2.03,
    -1.98,
    -1.9,
    -1.4,
    -1.08,
    0.005,
    0.3,
    0.95,
    1.08,
    1.4,
    1.9,
    1.98,
    2.03,
    2.3,
    2.6,
    3.4,
    9.0,
]


def exactly_two(rng):
    """Accuracies of four seeds in binary fractions, whose mean difference is exactly 2 or -2 standard errors, or nearly."""
    unit = 2.0 ** -int(rng.integers(6, 9))
    steps = np.array([[5, 1, 1, 1], [-1, -1, -5, -1], [1, 5, 1, 2], [-5, -1, -1, -2]])
    return np.full((4, 4), 0.5), 0.5 + unit * steps


@case("verdict: helps, hurts, cannot tell", points=2)
def verdicts(verdict, *, rng):
    problems = [accuracies(rng, rng.permutation(RATIOS), int(rng.integers(5, 8))) for _ in range(2)]
    verdict_case(verdict, [*problems, exactly_two(rng)], "")


@case("verdict: a few seeds, where the denominators matter")
def verdict_ddof(verdict, *, rng):
    problems = [accuracies(rng, rng.permutation([*RATIOS, 1.75, -1.75, 2.2, -2.2]), 3) for _ in range(2)]
    verdict_case(verdict, problems, " (few of them)")


Q5 = question(
    "15.5",
    title="Diagnose: what moved a layer?",
    minutes=10,
    hints=[
        "Go through the three lists at once with `zip`. A layer has two parts, and each test is for both: `all(...)`.",
        "The first word that fits: a layer that is frozen with gradients of zero has made the step -lr * 0 as well.",
        "`np.array_equal(a, b)` is exact, `np.allclose` allows for rounding.",
    ],
)


def audited(before, after, grads, lr, *, same=np.array_equal, close=np.allclose, order=("frozen", "step", "drift"), parts="wb",
            joined=all, up=1, still=None):  # fmt: skip
    """The words of an audit, and what comes of them when a part is changed."""
    words = []
    for old, new, grad in zip(before, after, grads, strict=True):
        rows = [row for name, row in zip("wb", zip(old, new, grad, strict=True), strict=True) if name in parts]
        fits = {
            "frozen": joined(same(a, b) for a, b, g in rows),
            "step": joined(close(b, a - up * lr * g) for a, b, g in rows),
            "drift": joined(not g.any() for a, b, g in rows) if still is None else still(rows),
        }
        words.append(next((word for word in order if fits[word]), "other"))
    return words


AUDITS = {
    "the biases were not looked at: a layer is its weights and its bias": {"parts": "w"},
    "the biases were not looked at, and np.allclose takes a small step for none": {"parts": "w", "same": np.allclose},
    "the weights were not looked at: a layer is its weights and its bias": {"parts": "b"},
    "one part of a layer was enough (any): weights and bias have to fit (all)": {"joined": any},
    "nearly equal was taken for unchanged: a layer that moved a little is not frozen": {
        "same": lambda a, b: np.allclose(a, b, rtol=1e-3, atol=1e-4)
    },
    "np.allclose was asked whether anything changed: it takes a small step for none, np.array_equal does not": {"same": np.allclose},
    "the step was compared exactly: it is rounded, use np.allclose": {"close": np.array_equal},
    "the step was taken uphill: it is -lr * g": {"up": -1},
    "the step was compared without its learning rate": {"up": "no lr"},
    "drift was looked for before the step: the table goes from top to bottom": {"order": ("frozen", "drift", "step")},
    "drift was looked for first: the table goes from top to bottom": {"order": ("drift", "frozen", "step")},
    "the step was looked for before frozen: the table goes from top to bottom": {"order": ("step", "frozen", "drift")},
    "drift was never found": {"still": lambda rows: False},
    "whatever is no step was called drift: only where all gradients are zero": {"still": lambda rows: True},
    "one gradient of zero was enough for drift: all of them have to be zero": {
        "still": lambda rows: any((g == 0).any() for a, b, g in rows)
    },
}  # fmt: skip


def audit_problem(rng):
    """(before, after, grads, lr): layers of each kind, and layers of which only one part moved."""
    layers = network(rng, depth=4) + network(rng, depth=4) + network(rng)
    lr = round(float(rng.uniform(0.05, 0.2)), 3)
    kinds = list(rng.permutation(["frozen", "frozen with a gradient", "step", "drift", "tiny drift", "other", "half step", "half frozen",
                                  "other, one gradient zero", "step, a zero gradient in it", "tiny step"]))  # fmt: skip
    after, grads = [], []
    for kind, (w, b) in zip(kinds, layers, strict=True):
        g = [rng.normal(0, 1, part.shape) for part in (w, b)]
        noise = [rng.normal(0, 0.3, part.shape) for part in (w, b)]
        new = [w - lr * g[0], b - lr * g[1]]
        if kind == "frozen":
            g, new = [0 * w, 0 * b], [w, b]
        elif kind == "frozen with a gradient":
            new = [w, b]
        elif kind == "drift":
            g, new = [0 * w, 0 * b], [w + noise[0], b + noise[1]]
        elif kind == "tiny drift":
            g, new = [0 * w, 0 * b], [w * (1 + 1e-4), b * (1 + 1e-4)]
        elif kind == "other":
            g[0].flat[0] = g[1].flat[0] = 0.0  # some entries of the gradients are zero, not all
            new = [w + noise[0], b + noise[1]]
        elif kind == "half step":
            new = [new[0], b + noise[1]] if rng.random() < 0.5 else [w + noise[0], new[1]]
        elif kind == "half frozen":
            new = [w, b + noise[1]]
        elif kind == "other, one gradient zero":
            g, new = [g[0], 0 * b], [w + noise[0], b + noise[1]]
        elif kind == "tiny step":  # smaller than what np.allclose takes for nothing
            g = [1e-8 * g[0], 1e-8 * g[1]]
            new = [w - lr * g[0], b - lr * g[1]]
        else:
            g[0].flat[0] = 0.0
            new = [w - lr * g[0], b - lr * g[1]]
        after.append(tuple(new))
        grads.append(tuple(g))
    return layers, after, grads, lr


def audit_calls(audit, rng, count):
    problems = [audit_problem(rng) for _ in range(count)]
    got = [audit(copies(before), copies(after), copies(grads), lr) for before, after, grads, lr in problems]
    for words in got:
        bad = type(words) not in (list, tuple) or any(type(word) is not str for word in words) or len(words) != 11
        expect_true(
            not bad,
            f"audit(before, after, grads, lr) gave {inspect_value(words)}, not a list with a word for each of 11 layers",
            mistake="a return is missing"
            if words is None
            else "one word for all layers came back"
            if type(words) is str
            else None,
        )

    def changed(settings):
        settings = dict(settings)
        if settings.get("up") == "no lr":
            return [audited(b, a, g, lr, up=1 / lr) for b, a, g, lr in problems]
        return [audited(*problem, **settings) for problem in problems]

    fits = [text for text, settings in AUDITS.items() if changed(settings) == [list(words) for words in got]]
    for words, problem in zip(got, problems, strict=True):
        for i, (came, right) in enumerate(zip(words, audited(*problem), strict=True)):
            if came != right:
                facts = [("layer", str(i)), ("came", came[:20]), ("expected", right)]
                raise Different("audit has the wrong word for a layer", facts, fits[0] if fits else None)


@case("audit: frozen, a step, and what is neither", points=2)
def audits(audit, *, rng):
    audit_calls(audit, rng, 2)


@case("audit: the first word that fits", points=2)
def audits_more(audit, *, rng):
    audit_calls(audit, rng, 4)


Q6 = question(
    "15.6",
    title="Measure: a fair comparison",
    minutes=15,
    hints=[
        "Collect the results of one arm in an array (rates, seeds, 2), then go to the next arm.",
        "`results[:, :, 0].mean(axis=1).argmax()` is the place of the best rate. Which column decides, and which is reported?",
        "The differences are taken seed by seed, before mean and spread.",
    ],
)


def compared(
    table,
    rates,
    seeds,
    *,
    choose=0,
    report=1,
    shared=None,
    paired=True,
    pick=np.argmax,
    root=np.sqrt,
    ddof=1,
    sign=1,
    twice=1,
):
    """(rate of scratch, rate of transfer, gain, error) from {arm: (rates, seeds, 2)}, and what comes of changed parts."""
    place = {arm: int(pick(table[arm][:, :, choose].mean(axis=1))) for arm in table}
    if shared:
        both = {"scratch": place["scratch"], "transfer": place["transfer"]}
        both["joint"] = int(np.argmax(sum(table[arm][:, :, choose].mean(axis=1) for arm in table)))
        place = dict.fromkeys(table, both[shared])
    test = {arm: table[arm][place[arm], :, report] for arm in table}
    gain = sign * (test["transfer"] - test["scratch"])
    spread = gain.std(ddof=ddof)
    if not paired:
        spread = np.sqrt(test["transfer"].var(ddof=ddof) + test["scratch"].var(ddof=ddof))
    error = twice * spread / root(len(seeds))
    return rates[place["scratch"]], rates[place["transfer"]], float(gain.mean()), float(error)


COMPARISONS = {
    "both arms ran at the rate that is best for scratch: each has its own": {"shared": "scratch"},
    "both arms ran at the rate that is best for transfer: each has its own": {"shared": "transfer"},
    "both arms ran at one rate, the best for the two together: each has its own": {"shared": "joint"},
    "the rates were chosen on the test accuracies: the validation accuracies decide": {"choose": 1},
    "the validation accuracies were reported: the test accuracies are asked for": {"report": 0},
    "the rates were chosen on the test accuracies, and the validation accuracies reported": {"choose": 1, "report": 0},
    "the rates with the lowest accuracy were chosen": {"pick": np.argmin},
    "the spreads of both arms were added: with the same seeds take the differences first": {"paired": False},
    "the standard deviation came back: the error of a mean is smaller by the root of the number of seeds": {"root": lambda n: 1},
    "the deviation was divided by the number of seeds, not by its root": {"root": lambda n: n},
    "the spread has N in its denominator: use ddof=1": {"ddof": 0},
    "two standard errors came back: one is asked for": {"twice": 2},
    "the difference is transfer - scratch: it is the wrong way round": {"sign": -1},
}  # fmt: skip


def comparison(rng):
    """Results of both arms for which each mistake of COMPARISONS gives something else."""
    names = ("the rate of scratch", "the rate of transfer", "the mean difference", "its standard error")
    while True:
        rates = [round(float(r), 4) for r in np.sort(10 ** rng.uniform(-3, 0, 6))]
        rates = [rates[i] for i in rng.permutation(6)]
        if len(set(rates)) < 6:
            continue
        seeds = [int(s) for s in rng.choice(1000, int(rng.integers(4, 7)), replace=False)]
        table = {}
        for arm in ("scratch", "transfer"):
            level = rng.uniform(0.5, 0.7, (6, 1, 1))
            table[arm] = level + rng.normal(0, 0.04, (6, len(seeds), 2))
            table[arm][:, :, 0] += rng.normal(0, 0.08, (6, 1))
        right = compared(table, rates, seeds)
        wrong = {text: compared(table, rates, seeds, **settings) for text, settings in COMPARISONS.items()}
        if len({right, *wrong.values()}) == len(wrong) + 1:
            return table, rates, seeds, names, right, wrong


@case("compare: each arm at its own best rate", points=2)
def compares(compare, *, rng):
    compare_case(compare, rng, None)


@case("compare: equal validation accuracies")
def compares_ties(compare, *, rng):
    compare_case(compare, rng, "ties")


@case("compare: equal validation accuracies, other inputs", hidden=True)
def compares_ties_again(compare, *, rng):
    compares_ties(compare, rng=rng)


def compare_case(compare, rng, ties):
    table, rates, seeds, names, right, wrong = comparison(rng)
    while ties:  # a later rate with the same validation accuracies as the best one, and other test accuracies
        taken = None  # the arms share no such rate: it would be the best for the two together, and the last of both
        for arm, rate in (("scratch", right[0]), ("transfer", right[1])):
            place = rates.index(rate)
            other = taken = next(i for i in range(5, -1, -1) if i not in (place, taken))
            table[arm][[place, other], :, 0] = table[arm][place, :, 0]
        right = compared(table, rates, seeds)
        late = compared(table, rates, seeds, pick=lambda means: len(means) - 1 - np.argmax(means[::-1]))
        wrong = {"of equal rates the last was taken: the first is asked for": late}
        wrong |= {text: compared(table, rates, seeds, **settings) for text, settings in COMPARISONS.items()}
        if len({right, *wrong.values()}) == len(wrong) + 1:
            break
        table, rates, seeds, names, right, wrong = comparison(rng)

    def run(arm, rate, seed):
        values = table[str(arm)][rates.index(float(rate)), seeds.index(int(seed))]
        return float(values[0]), float(values[1])

    expect_results(
        compare(run, list(rates), list(seeds)),
        dict(zip(names, right, strict=True)),
        what="compare(run, rates, seeds)",
        mistakes={text: dict(zip(names, values, strict=True)) for text, values in wrong.items()},
    )


GIVEN = """
def features(layers, x):
    for w, b in layers[:-1]:
        x = np.maximum(x @ w + b, 0)
    return x

def score_gradient(s, y):
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)
"""


def _head(
    new="[*layers[:-1], (np.zeros((len(layers[-1][0]), classes)), np.zeros(classes))]",
    h="features(layers, x)",
    dw="h.T @ ds",
    db="ds.sum(axis=0)",
    after="[*layers[:-1], (w - lr * dw, b - lr * db)]",
):
    return (
        GIVEN
        + f"""
def new_head(layers, classes):
    return {new}

def head_step(layers, x, y, lr):
    w, b = layers[-1]
    h = {h}
    ds = score_gradient(h @ w + b, y)
    dw, db = {dw}, {db}
    return {after}
"""
    )


def _tune(rates="rates[::-1]", d="(d @ w.T) * (a > 0)", step="w - rate * a.T @ d, b - rate * d.sum(axis=0)"):
    return (
        GIVEN
        + f"""
def fine_tune_step(layers, x, y, rates):
    inputs = [x]
    for w, b in layers[:-1]:
        inputs.append(np.maximum(inputs[-1] @ w + b, 0))
    d = score_gradient(inputs[-1] @ layers[-1][0] + layers[-1][1], y)
    after = []
    for (w, b), a, rate in zip(layers[::-1], inputs[::-1], {rates}):
        after.append(({step}))
        d = {d}
    return after[::-1]
"""
    )


def _momentum(g="g", held="place < frozen", v="decay * v + g + weight_decay * p", along="moved", kept="velocity"):
    return f"""
def momentum_step(layers, velocities, grads, frozen, lr, decay, weight_decay):
    out, speeds = [], []
    for place, (layer, velocity, grad) in enumerate(zip(layers, velocities, grads)):
        if {held}:
            out.append(layer)
            speeds.append({kept})
            continue
        moved = tuple({v} for p, v, g in zip(layer, velocity, grad))
        speeds.append(moved)
        out.append(tuple(p - lr * v for p, v in zip(layer, {along})))
    return out, speeds
"""


def _verdict(difference="transfer - scratch", std="d.std(axis=1, ddof=1)", error="std / np.sqrt(d.shape[1])", factor=2):
    return f"""
def verdict(scratch, transfer):
    d = {difference}
    std = {std}
    error = {error}
    return [1 if m > {factor} * e else -1 if m < -{factor} * e else 0 for m, e in zip(d.mean(axis=1), error)]
"""


def _audit(same="np.array_equal(a, b)", step="a - lr * g", still="not g.any()", joined="all", parts="2"):
    return f"""
def audit(before, after, grads, lr):
    words = []
    for layer in zip(before, after, grads):
        rows = list(zip(*layer))[:{parts}]
        if {joined}({same} for a, b, g in rows):
            words.append("frozen")
        elif {joined}(np.allclose(b, {step}) for a, b, g in rows):
            words.append("step")
        elif {joined}({still} for a, b, g in rows):
            words.append("drift")
        else:
            words.append("other")
    return words
"""


def _compare(
    choose="0", report="1", arm="arm", place="int(np.argmax(means))", error="gain.std(ddof=1) / np.sqrt(len(seeds))"
):
    return f"""
def compare(run, rates, seeds):
    table = {{a: np.array([[run(a, r, s) for s in seeds] for r in rates]) for a in ("scratch", "transfer")}}
    best, test = {{}}, {{}}
    for arm in table:
        means = table[{arm}][:, :, {choose}].mean(axis=1)
        place = {place}
        best[arm], test[arm] = rates[place], table[arm][place, :, {report}]
    gain = test["transfer"] - test["scratch"]
    return best["scratch"], best["transfer"], gain.mean(), {error}
"""


SENTENCES = {  # of the task, and the cases that test it
    "15.1": {
        "the same body, and a head of zeros for `classes` classes": ["new_head: the same body, a head of zeros"],
        "makes one step of gradient descent with a frozen body": ["head_step: the head moves, the body does not"],
        "It returns a new list in which only the head has changed.": ["head_step: the head moves, the body does not"],
    },
    "15.2": {
        "with `rates[l]` as the learning rate of layer $l$": ["fine_tune_step: a rate for each layer"],
        "A rate of 0 freezes a layer.": ["fine_tune_step: frozen layers below and above, and another number of layers"],
        "all gradients belong to the weights *before* the step": ["fine_tune_step: a rate for each layer"],
        "It works for any number of layers.": [
            "fine_tune_step: frozen layers below and above, and another number of layers"
        ],
    },
    "15.3": {
        "The first `frozen` layers and their velocities come back as they were": [
            "momentum_step: frozen layers stay, the others follow the rule"
        ],
        "weights *and* biases follow the rule above": [
            "momentum_step: frozen layers stay, the others follow the rule",
            "momentum_step: nothing frozen",
        ],
        "It returns the new `(layers, velocities)`.": ["momentum_step: frozen layers stay, the others follow the rule"],
    },
    "15.4": {
        "take the differences transfer − scratch over the seeds": ["verdict: helps, hurts, cannot tell"],
        "1 (it helps) if $m > 2e$, −1 (it hurts) if $m < -2e$, else 0 (cannot tell)": [
            "verdict: helps, hurts, cannot tell",
            "verdict: a few seeds, where the denominators matter",
        ],
        "Return a list with a whole number for each size": ["verdict: helps, hurts, cannot tell"],
    },
    "15.5": {
        "nothing has changed": ["audit: frozen, a step, and what is neither"],
        "the first that fits; a layer is its weights *and* its bias": ["audit: the first word that fits"],
        "it has changed although all its gradients are zero": ["audit: the first word that fits"],
    },
    "15.6": {
        "For each arm choose the rate whose mean **validation** accuracy over the seeds is highest": [
            "compare: each arm at its own best rate"
        ],
        "(of equal ones the first)": ["compare: equal validation accuracies"],
        "take the differences of the **test** accuracies, transfer − scratch, seed by seed": [
            "compare: each arm at its own best rate"
        ],
        "trains once and returns two accuracies, on the validation and on the test images": [
            "compare: each arm at its own best rate"
        ],
        "Return four numbers: the rate of scratch, the rate of transfer, the mean difference, and its standard error as in 15.4.": [
            "compare: each arm at its own best rate"
        ],
    },
}

WRONG = [
    Wrong("15.1", _head(new="list(layers)"), "the old head is still there"),
    Wrong(
        "15.1", _head(new="[*layers, (np.zeros((layers[-1][0].shape[1], classes)), np.zeros(classes))]"), "on top of"
    ),
    Wrong(
        "15.1",
        _head(new="[*layers[:-1], (np.zeros((classes, len(layers[-1][0]))), np.zeros(classes))]"),
        "so they are (H, classes)",
    ),
    Wrong("15.1", _head(dw="len(x) * h.T @ ds", db="len(x) * ds.sum(axis=0)"), "the loss is a mean"),
    Wrong("15.1", _head(dw="h.T @ ds / len(x)", db="ds.mean(axis=0)"), "divided by the batch twice"),
    Wrong("15.1", _head(h="features(layers[:-1], x) @ layers[-2][0] + layers[-2][1]"), "ReLU of the body's last layer"),
    Wrong("15.1", _head(after="[*layers[:-1], (w + lr * dw, b + lr * db)]"), "uphill"),
    Wrong("15.1", _head(after="[*layers[:-1], (w - lr * dw, b)]"), "the bias did not move"),
    Wrong("15.2", _tune(rates="rates"), "the rates are in the wrong order"),
    Wrong("15.2", _tune(rates="[rates[0]] * len(rates)"), "all layers moved at the first rate"),
    Wrong("15.2", _tune(rates="[rates[-1]] * len(rates)"), "all layers moved at the last rate"),
    Wrong("15.2", _tune(d="d @ w.T"), "the mask of the ReLU is missing"),
    Wrong("15.2", _tune(d="(d @ (w - rate * a.T @ d).T) * (a > 0)"), "weights that had moved already"),
    Wrong("15.2", _tune(rates="[rates[-1]] + [0] * (len(rates) - 1)"), "only the head moved"),
    Wrong("15.2", _tune(step="w + rate * a.T @ d, b + rate * d.sum(axis=0)"), "uphill"),
    Wrong(
        "15.3",
        _momentum(held="False", v="decay * v + (g if place >= frozen else 0 * g) + weight_decay * p"),
        "momentum and weight decay go on",
    ),
    Wrong(
        "15.3",
        _momentum(held="False", v="decay * v + ((g + weight_decay * p) if place >= frozen else 0 * g)"),
        "along their old velocity",
    ),
    Wrong("15.3", _momentum(held="False"), "nothing is frozen"),
    Wrong("15.3", _momentum(held="place >= len(layers) - frozen"), "the last layers were frozen"),
    Wrong("15.3", _momentum(v="decay * v + g"), "weight decay is missing"),
    Wrong("15.3", _momentum(along="velocity"), "the weights moved along the old velocity"),
    Wrong("15.3", _momentum(kept="tuple(0 * v for v in velocity)"), "they come back as they were"),
    Wrong("15.3", _momentum().replace("return out, speeds", "return out"), "not a pair (layers, velocities)"),
    Wrong(
        "15.1",
        _head(new="[*layers[:-1], (np.ones((len(layers[-1][0]), classes)), np.zeros(classes))]"),
        "starts with ones",
    ),
    Wrong(
        "15.1",
        _head(new="[*layers[:-1], (np.zeros((layers[-1][0].shape[1], classes)), np.zeros(classes))]"),
        "w.shape[0]",
    ),
    Wrong("15.1", _head(db="ds.mean(axis=0)"), "the bias gradient was averaged"),
    Wrong("15.1", _head(db="ds.sum()"), "was all of ds summed for it?"),
    Wrong("15.2", _tune(d="(lambda v: v * (v > 0))(d @ w.T)"), "it belongs to the input, a > 0"),
    Wrong("15.2", _tune(d="(d @ w.T) * a"), "multiplied with a itself"),
    Wrong("15.2", _tune().replace("return after[::-1]", "return after"), "in reverse order"),
    Wrong("15.3", _momentum(v="decay * v + (1 - decay) * g + weight_decay * p"), "as in Adam"),
    Wrong("15.3", _momentum(held="place >= frozen"), "the frozen layers moved, and the others stayed"),
    Wrong("15.3", _momentum(along="grad"), "along the gradient, not along the velocity"),
    Wrong(
        "15.3",
        _momentum(v="decay * v + g").replace(
            "tuple(p - lr * v for p, v in zip(layer, moved))",
            "tuple(p - lr * v - lr * weight_decay * p for p, v in zip(layer, moved))",
        ),
        "(decoupled)",
    ),
    Wrong("15.4", _verdict(error="std / np.sqrt(d.shape[1] - 1)"), "the root of seeds - 1"),
    Wrong("15.4", _verdict(factor=1.96), "1.96 standard errors"),
    Wrong("15.4", _verdict(error="std / d.shape[1]"), "by the number of seeds, not by its root"),
    Wrong("15.4", _verdict().replace("d.mean(axis=1)", "np.median(d, axis=1)"), "the median of the differences"),
    Wrong("15.4", _verdict().replace("return [1 if m", "return ['helps' if m"), "words came back"),
    Wrong("15.5", _audit(parts="1"), "the biases were not looked at"),
    Wrong("15.5", _audit(joined="any"), "one part of a layer was enough"),
    Wrong("15.5", _audit(same="np.allclose(a, b, atol=1e-3)"), "nearly equal was taken for unchanged"),
    Wrong("15.5", _audit(same="np.allclose(a, b)"), "it takes a small step for none"),
    Wrong("15.5", _audit(step="a + lr * g"), "the step was taken uphill"),
    Wrong("15.5", _audit(still="True"), "whatever is no step was called drift"),
    Wrong("15.6", _compare(choose="1"), "chosen on the test accuracies"),
    Wrong("15.6", _compare(report="0"), "the validation accuracies were reported"),
    Wrong("15.6", _compare(arm="'scratch'"), "the rate that is best for scratch"),
    Wrong(
        "15.6",
        _compare(error="np.sqrt((test['transfer'].var(ddof=1) + test['scratch'].var(ddof=1)) / len(seeds))"),
        "with the same seeds take the differences first",
    ),
    Wrong("15.6", _compare(error="gain.std() / np.sqrt(len(seeds))"), "use ddof=1"),
    Wrong(
        "15.6",
        _compare(place="max(range(len(means)), key=lambda i: (means[i], i))"),
        "of equal rates the last was taken",
    ),
    Wrong("15.4", _verdict("scratch - transfer"), "the wrong way round"),
    Wrong("15.4", _verdict(error="std"), "the error of a mean is smaller"),
    Wrong("15.4", _verdict(std="d.std(axis=1)"), "use ddof=1"),
    Wrong("15.4", _verdict(factor=1), "one standard error was used"),
    Wrong("15.4", _verdict(factor=0), "only the sign of the mean"),
    Wrong(
        "15.4",
        _verdict(std="np.sqrt(scratch.var(axis=1, ddof=1) + transfer.var(axis=1, ddof=1))"),
        "take the differences first",
    ),
]

RIGHT = [
    Right("15.1", _head()),
    Right(
        "15.1",
        GIVEN
        + """
def new_head(layers, classes):
    new = [tuple(layer) for layer in layers]
    new[-1] = np.zeros((new[-2][0].shape[1], classes)), np.zeros(classes)
    return new

def head_step(layers, x, y, lr):
    h = np.hstack([features(layers, x), np.ones((len(x), 1))])
    w = np.vstack([layers[-1][0], layers[-1][1]])
    w = w - lr * np.einsum("nh,nc->hc", h, score_gradient(h @ w, y))
    return layers[:-1] + [(w[:-1], w[-1])]
""",
    ),
    Right("15.2", _tune()),
    Right(
        "15.2",
        GIVEN
        + """
def fine_tune_step(layers, x, y, rates):
    def back(rest, a):
        (w, b), rate = rest[0]
        out = a @ w + b
        if len(rest) == 1:
            d, below = score_gradient(out, y), []
        else:
            below, d = back(rest[1:], out * (out > 0))
            d = d * (out > 0)
        return [(w - rate * (a.T @ d), b - rate * d.sum(0))] + below, d @ w.T
    return back(list(zip(layers, rates)), x)[0]
""",
    ),
    Right("15.3", _momentum()),
    Right(
        "15.3",
        """
def momentum_step(layers, velocities, grads, frozen, lr, decay, weight_decay):
    layers, velocities = list(layers), list(velocities)
    for k in range(frozen, len(layers)):
        (w, b), (vw, vb), (dw, db) = layers[k], velocities[k], grads[k]
        vw, vb = decay * vw + (dw + weight_decay * w), decay * vb + (db + weight_decay * b)
        layers[k], velocities[k] = (w - lr * vw, b - lr * vb), (vw, vb)
    return layers, velocities
""",
    ),
    Right("15.4", _verdict()),
    Right(
        "15.4",
        """
def verdict(scratch, transfer):
    out = []
    for a, b in zip(scratch, transfer):
        d = b - a
        m = sum(d) / len(d)
        e = (sum((d - m) ** 2) / (len(d) - 1) / len(d)) ** 0.5
        out.append(0 if abs(m) <= 2 * e else (1 if m > 0 else -1))
    return out
""",
    ),
    Right("15.5", _audit()),
    Right(
        "15.5",
        """
def audit(before, after, grads, lr):
    def word(old, new, grad):
        old, new, grad = (np.concatenate([part.ravel() for part in layer]) for layer in (old, new, grad))
        if (old == new).all():
            return "frozen"
        if np.abs(new - old + lr * grad).max() < 1e-9:
            return "step"
        return "other" if np.count_nonzero(grad) else "drift"
    return [word(*layer) for layer in zip(before, after, grads)]
""",
    ),
    Right("15.6", _compare()),
    Right(
        "15.6",
        """
def compare(run, rates, seeds):
    def best(arm):
        found = None
        for rate in rates:
            results = [run(arm, rate, seed) for seed in seeds]
            mean = np.mean([validation for validation, _ in results])
            if found is None or mean > found[0]:
                found = mean, rate, np.array([test for _, test in results])
        return found[1:]
    (one, a), (other, b) = best("scratch"), best("transfer")
    n = len(seeds)
    m = sum(b - a) / n
    return [one, other, m, (sum((b - a - m) ** 2) / (n - 1) / n) ** 0.5]
""",
    ),
]

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "15.2": {
        "ReLU's output is not negative": [
            "the absolute value was compared: np.abs(a)",
        ],
    },
    "15.3": {
        "refused as work in place, or another container: this test does not look at that": [
            "list is missing in new_layers",
            "list is missing in new_velocities",
            "tuple is missing in the function",
        ],
    },
    "15.4": {
        "only the length counts": [
            "scratch was used where difference is meant, in error",
            "transfer was used where difference is meant, in error",
        ],
    },
    "15.5": {
        "0 has no sign": [
            "the absolute value was compared: np.abs(g)",
        ],
        "a drift smaller than np.allclose can see is not drawn": [
            "the condition all(((g == 0).all() for g in grad)) is asked before all((np.allclose(b, a - lr * g) for a, b, g i…, which comes first",
        ],
    },
    "15.6": {
        "only the length counts": [
            "gain was used where seeds is meant, in value 4 of what is returned",
        ],
        "one axis is left": [
            "mean runs along axis 0 only, where all entries are meant, in value 3 of what is returned",
            "std runs along axis 0 only, where all entries are meant, in value 4 of what is returned",
        ],
        "the place of the largest sum is that of the largest mean": [
            "sum was taken where mean is meant, in place",
        ],
    },
}
