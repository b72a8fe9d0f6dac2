"""Cases of exercise sheet 15, transfer learning."""

import itertools

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_true, inspect_value

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


def gradients(layers, x, y, *, relu=True, mean=True, after=None):
    """(dw, db) of every layer, right or with a mistake; `after`: rates at which weights move before they are used."""
    inputs, s = forward(layers, x)
    d, found = softmax_gradient(s, y) * (1 if mean else len(y)), []
    for place in reversed(range(len(layers))):
        w, a = layers[place][0], inputs[place]
        found.append((a.T @ d, d.sum(axis=0)))
        w = w if after is None else w - after[place] * a.T @ d
        d = (d @ w.T) * ((a > 0) if relu else 1)
    return found[::-1]


def moved(layers, grads, rates):
    return [(w - r * dw, b - r * db) for (w, b), (dw, db), r in zip(layers, grads, rates, strict=True)]


def layers_of(result, count, what):
    """A list of `count` pairs, or a message that says what is missing."""
    expect_true(
        type(result) in (list, tuple) and len(result) == count,
        f"{what} gave {inspect_value(result)}, not a list of {count} layers",
        mistake="a return is missing"
        if result is None
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
    expect_equal(
        got[:-1],
        layers[:-1],
        what=f"the body of {what}",
        mistakes={"the body was set to zero as well: it is what was learnt": [(0 * w, 0 * b) for w, b in layers[:-1]]},
    )
    width = layers[-1][0].shape[0]
    expect_equal(
        got[-1],
        (np.zeros((width, classes)), np.zeros(classes)),
        what=f"the head of {what}",
        mistakes={
            "the old head is still there": layers[-1],
            "the head has the old number of classes": (np.zeros(layers[-1][0].shape), np.zeros(layers[-1][1].shape)),
            "the weights are (classes, H): a layer is x @ w, so they are (H, classes)": (
                np.zeros((classes, width)),
                np.zeros(classes),
            ),
        },
    )


@case("head_step: the head moves, the body does not")
def head_steps(head_step, *, rng):
    layers = network(rng)
    x, y = batch(rng, layers)
    lr = round(float(rng.uniform(0.2, 0.8)), 2)
    what = f"head_step(layers, x, y, {lr})"
    got = layers_of(head_step(copies(layers), x, y, lr), len(layers), what)
    grads = gradients(layers, x, y)
    everything = moved(layers, grads, [lr] * 3)
    expect_equal(
        got[:-1],
        layers[:-1],
        what=f"the body after {what}",
        mistakes={"the body moved: it is frozen here": everything[:-1]},
    )
    (w, b), (dw, db) = layers[-1], grads[-1]
    inputs, _ = forward(layers, x)
    linear = inputs[-2] @ layers[-2][0] + layers[-2][1]
    d = softmax_gradient(linear @ w + b, y)
    expect_equal(
        got[-1],
        (w - lr * dw, b - lr * db),
        what=f"the head after {what}",
        mistakes={
            "the step goes uphill: take the gradient off": (w + lr * dw, b + lr * db),
            "the ReLU of the body's last layer is missing": (w - lr * linear.T @ d, b - lr * d.sum(axis=0)),
            "the gradient was summed over the batch: the loss is a mean": (w - lr * len(x) * dw, b - lr * len(x) * db),
            "it was divided by the batch twice": (w - lr * dw / len(x), b - lr * db / len(x)),
            "the bias did not move": (w - lr * dw, b),
            "lr was not used": (w - dw, b - db),
        },
    )


@case("head_step: the head moves, the body does not, other inputs", hidden=True)
def head_steps_again(head_step, *, rng):
    head_steps(head_step, rng=rng)


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


@case("fine_tune_step: a rate for each layer", points=3)
def fine_tune(fine_tune_step, *, rng):
    layers = network(rng)
    x, y = batch(rng, layers)
    rates = [round(float(r), 2) for r in rng.permutation([0.25, 0.5, 0.8]) + rng.uniform(0, 0.1, 3)]
    what = f"fine_tune_step(layers, x, y, {rates})"
    got = layers_of(fine_tune_step(copies(layers), x, y, list(rates)), 3, what)
    grads = gradients(layers, x, y)
    expect_equal(
        got,
        moved(layers, grads, rates),
        what=f"the layers after {what}",
        mistakes={
            "the rates are in the wrong order: rates[0] belongs to the first layer": moved(layers, grads, rates[::-1]),
            "all layers moved at the first rate": moved(layers, grads, [rates[0]] * 3),
            "all layers moved at the last rate": moved(layers, grads, [rates[-1]] * 3),
            "only the head moved": moved(layers, grads, [0, 0, rates[-1]]),
            "the mask of the ReLU is missing": moved(layers, gradients(layers, x, y, relu=False), rates),
            "the gradient went back through weights that had moved already": moved(
                layers, gradients(layers, x, y, after=rates), rates
            ),
            "the gradient was summed over the batch: the loss is a mean": moved(
                layers, gradients(layers, x, y, mean=False), rates
            ),
            "the step goes uphill: take the gradient off": moved(layers, grads, [-r for r in rates]),
        },
    )


@case("fine_tune_step: frozen layers, and another number of layers")
def fine_tune_frozen(fine_tune_step, *, rng):
    layers = network(rng, depth=int(rng.integers(4, 6)))
    x, y = batch(rng, layers)
    rates = [0.0, 0.0, *(round(float(r), 2) for r in rng.uniform(0.2, 0.8, len(layers) - 2))]
    what = f"fine_tune_step(layers, x, y, {rates}) with {len(layers)} layers"
    got = layers_of(fine_tune_step(copies(layers), x, y, list(rates)), len(layers), what)
    grads = gradients(layers, x, y)
    expect_equal(
        got,
        moved(layers, grads, rates),
        what=f"the layers after {what}",
        mistakes={
            "the mask of the ReLU is missing": moved(layers, gradients(layers, x, y, relu=False), rates),
            "layers with rate 0 moved": moved(layers, grads, [r or max(rates) for r in rates]),
        },
    )


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


def stepped(layers, velocities, grads, frozen, lr, decay, weight_decay, *, zeroed=False, plain=False, bias=True):
    """The right step, or with a mistake: `zeroed` sets frozen gradients to 0 only."""
    new_layers, new_velocities = [], []
    for place, (layer, velocity, grad) in enumerate(zip(layers, velocities, grads, strict=True)):
        if place < frozen and not zeroed:
            new_layers.append(layer)
            new_velocities.append(velocity)
            continue
        g = [0 * part for part in grad] if place < frozen else grad
        shrink = [0 if plain and place < frozen else weight_decay, weight_decay if bias else 0]
        if plain and place < frozen:
            shrink = [0, 0]
        v = [decay * v + part + s * p for p, v, part, s in zip(layer, velocity, g, shrink, strict=True)]
        new_velocities.append(tuple(v))
        new_layers.append(tuple(p - lr * part for p, part in zip(layer, v, strict=True)))
    return new_layers, new_velocities


@case("momentum_step: frozen layers stay, the others follow the rule", points=3)
def momentum_frozen(momentum_step, *, rng):
    layers, velocities, grads, settings = momentum_problem(rng)
    frozen = int(rng.integers(1, 4))
    lr, decay, weight_decay = settings.values()
    what = f"momentum_step(..., frozen={frozen}, lr={lr}, decay={decay}, weight_decay={weight_decay})"
    result = momentum_step(copies(layers), copies(velocities), copies(grads), frozen, lr, decay, weight_decay)
    expect_true(
        type(result) in (list, tuple) and len(result) == 2,
        f"{what} gave {inspect_value(result)}, not a pair (layers, velocities)",
        mistake="a return is missing" if result is None else None,
    )
    given = layers, velocities, grads
    right, right_velocities = stepped(*given, frozen, **settings)

    def old_velocity(layer, velocity):
        return tuple(p - lr * v for p, v in zip(layer, velocity, strict=True))

    expect_equal(
        layers_of(result[0], 4, f"the layers of {what}"),
        right,
        what=f"the layers of {what}",
        mistakes={
            "only gradients of frozen layers were set to zero: momentum and weight decay go on moving them": stepped(
                *given, frozen, **settings, zeroed=True
            )[0],
            "frozen layers moved along their old velocity": stepped(
                *given, frozen, **settings, zeroed=True, plain=True
            )[0],
            "nothing is frozen": stepped(*given, 0, **settings)[0],
            "the last layers were frozen, not the first": [
                *stepped(*given, 0, **settings)[0][: 4 - frozen],
                *layers[4 - frozen :],
            ],
            "weight decay is missing": stepped(*given, frozen, lr, decay, 0.0)[0],
            "the biases did not decay: here they follow the same rule": stepped(*given, frozen, **settings, bias=False)[
                0
            ],
            "the weights moved along the old velocity": [
                *layers[:frozen],
                *(old_velocity(*pair) for pair in list(zip(layers, velocities, strict=True))[frozen:]),
            ],
        },
    )
    expect_equal(
        layers_of(result[1], 4, f"the velocities of {what}"),
        right_velocities,
        what=f"the velocities of {what}",
        mistakes={
            "the velocities of frozen layers were set to zero: they come back as they were": [
                *((0 * w, 0 * b) for w, b in velocities[:frozen]),
                *right_velocities[frozen:],
            ],
            "the velocities of frozen layers changed": stepped(*given, frozen, **settings, zeroed=True)[1],
            "the old velocities came back": velocities,
        },
    )


@case("momentum_step: nothing frozen")
def momentum_free(momentum_step, *, rng):
    layers, velocities, grads, settings = momentum_problem(rng)
    got = momentum_step(copies(layers), copies(velocities), copies(grads), 0, *settings.values())
    expect_equal(
        got,
        stepped(layers, velocities, grads, 0, **settings),
        what="momentum_step(layers, velocities, grads, frozen=0, ...)",
    )


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


def words(mean, error):
    """1 for helps, -1 for hurts, 0 for cannot tell."""
    return [1 if m > 2 * e else -1 if m < -2 * e else 0 for m, e in zip(mean, error, strict=True)]


def accuracies(rng, ratio, seeds, sizes=8):
    """Scratch and transfer whose paired mean difference is `ratio` (one number a size) standard errors."""
    noise = rng.standard_normal((sizes, seeds))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, ddof=1, keepdims=True)
    scratch = rng.uniform(0.4, 0.8, (sizes, seeds))
    step = 0.01
    difference = step * (noise + np.asarray(ratio)[:, None] / np.sqrt(seeds))
    return scratch, scratch + difference


@case("verdict: helps, hurts, cannot tell")
def verdicts(verdict, *, rng):
    seeds = int(rng.integers(5, 8))
    # Multiples of the standard error: some between 1 and 2, some beyond 2 but within what other rules would ask for.
    ratio = rng.permutation([-9.0, -3.4, -2.6, -1.4, 0.3, 1.4, 2.6, 9.0])
    scratch, transfer = accuracies(rng, ratio, seeds)
    difference = transfer - scratch
    mean, std = difference.mean(axis=1), difference.std(axis=1, ddof=1)
    error = std / np.sqrt(seeds)
    spread = np.sqrt((scratch.var(axis=1, ddof=1) + transfer.var(axis=1, ddof=1)) / seeds)
    got = verdict(scratch.copy(), transfer.copy())
    expect_equal(
        got,
        words(mean, error),
        what=f"verdict(scratch, transfer) for {len(mean)} sizes and {seeds} seeds",
        mistakes={
            "helps and hurts are the wrong way round: the difference is transfer - scratch": words(-mean, error),
            "the standard deviation was used: the error of a mean is smaller by the root of the number of seeds": words(
                mean, std
            ),
            "only the sign of the mean was looked at": words(mean, 0 * mean),
            "one standard error was used, not two": words(mean, error / 2),
            "the spreads of both were added: with the same examples take the differences first": words(mean, spread),
            "it goes along the sizes: seeds are axis 1": words(
                difference.mean(axis=0), difference.std(axis=0, ddof=1) / np.sqrt(len(difference))
            ),
        },
    )


@case("verdict: helps, hurts, cannot tell, other inputs", hidden=True)
def verdicts_again(verdict, *, rng):
    verdicts(verdict, rng=rng)


@case("verdict: the denominator of the spread")
def verdict_ddof(verdict, *, rng):
    # With three seeds N and N - 1 differ by a factor of 0.82 in the error: 1.8 errors would pass for 2.2.
    ratio = rng.permutation([1.8, -1.8, 1.85, 0.5, 4.0])
    scratch, transfer = accuracies(rng, ratio, 3, 5)
    difference = transfer - scratch
    mean = difference.mean(axis=1)
    expect_equal(
        verdict(scratch, transfer),
        words(mean, difference.std(axis=1, ddof=1) / np.sqrt(3)),
        what="verdict(scratch, transfer) for 3 seeds",
        mistakes={
            "the spread has N in its denominator: use ddof=1": words(mean, difference.std(axis=1) / np.sqrt(3)),
        },
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
]
