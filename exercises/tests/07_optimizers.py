"""Cases of exercise sheet 07, optimizers."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question, slips
from coursekit.grading.compare import expect_equal, expect_parts, expect_true, inspect_value
from coursekit.grading.several import expect_results

TITLE = "Optimizers"


def shape_of(rng):
    """(D, M), both different, so that axes cannot be mistaken."""
    return int(rng.integers(2, 5)), int(rng.integers(5, 8))


def arrays(rng, count, shape):
    """Normal draws, none of them near 0."""
    return [np.sign(a) * (np.abs(a) + 0.2) for a in rng.standard_normal((count, *shape))]


Q1 = question(
    "07.1",
    title="Momentum",
    minutes=8,
    hints=[
        "First the velocity, then the weights: the weights move with the new velocity.",
        "The new velocity is `decay` times the old one plus `g`. The rate is not part of it: it comes in with w.",
    ],
)


@case("momentum_step: a first step, with a velocity of zero")
def momentum_first(momentum_step, *, rng):
    w, g = arrays(rng, 2, shape_of(rng))
    lr, decay = rng.uniform(0.05, 0.3), rng.uniform(0.5, 0.9)
    got = momentum_step(w.copy(), g.copy(), np.zeros_like(w), lr, decay)
    expect_parts(got, ("w", "v"), what="momentum_step")
    expect_equal(
        got,
        (w - lr * g, g),
        what="momentum_step(w, g, v, lr, decay) with v = 0",
        mistakes={
            "the weights moved along the gradient, not against it": (w + lr * g, g),
            "the gradient was weighted with 1 - decay: that is a mean, momentum keeps a sum": (
                w - lr * (1 - decay) * g,
                (1 - decay) * g,
            ),
            "the rate stands inside the velocity: right paths, but another v than asked for": (w - lr * g, lr * g),
            "the old velocity moved the weights: use the new one": (w, g),
        },
    )


@case("momentum_step: the velocity is kept")
def momentum_later(momentum_step, *, rng):
    w, g, v = arrays(rng, 3, shape_of(rng))
    lr, decay = rng.uniform(0.05, 0.3), rng.uniform(0.5, 0.9)
    new = decay * v + g
    got = momentum_step(w.copy(), g.copy(), v.copy(), lr, decay)
    expect_parts(got, ("w", "v"), what="momentum_step")
    expect_equal(
        got,
        (w - lr * new, new),
        what="momentum_step(w, g, v, lr, decay)",
        mistakes={
            "the old velocity moved the weights: use the new one": (w - lr * v, new),
            "the velocity was left out: this is gradient descent": (w - lr * g, g),
            "the velocity was not multiplied by decay": (w - lr * (v + g), v + g),
            "the weights moved along the velocity, not against it": (w + lr * new, new),
            "the gradient was weighted with 1 - decay: that is a mean, momentum keeps a sum": (
                w - lr * (decay * v + (1 - decay) * g),
                decay * v + (1 - decay) * g,
            ),
            "this is Nesterov's step: it uses g + decay * v": (w - lr * (g + decay * new), new),
            "the results come in the wrong order: (w, v) is asked for": (new, w - lr * new),
        },
    )


Q2 = question(
    "07.2",
    title="RMSProp",
    minutes=8,
    hints=[
        "$s$ is a running mean of squares: the share `decay` of the old mean plus `1 - decay` of the new square.",
        "`g**2` squares entry by entry. The gradient itself, not its square, moves the weights.",
    ],
)


@case("rmsprop_step: the mean of squares")
def rmsprop_later(rmsprop_step, *, rng):
    w, g, root = arrays(rng, 3, shape_of(rng))
    s = root**2
    lr, decay, eps = rng.uniform(0.05, 0.3), rng.uniform(0.6, 0.9), 1e-12  # too small to be seen here
    new = decay * s + (1 - decay) * g**2
    swapped, total = (1 - decay) * s + decay * g**2, s + g**2
    plain = decay * s + (1 - decay) * g

    def move(mean):
        return w - lr * g / (np.sqrt(mean) + eps)

    mistakes = {
        "decay and 1 - decay are the wrong way round": (move(swapped), swapped),
        "the squares were summed, not averaged: this is AdaGrad": (move(total), total),
        "the square root is missing": (w - lr * g / (new + eps), new),
        "the old mean of squares divided the step: use the new one": (move(s), new),
        "the weights moved along the gradient, not against it": (w + lr * g / (np.sqrt(new) + eps), new),
        "1 - decay is missing before the new square": (move(decay * s + g**2), decay * s + g**2),
        "the results come in the wrong order: (w, s) is asked for": (new, move(new)),
    }
    with np.errstate(invalid="ignore"):
        wrong = move(plain)
    if np.isfinite(wrong).all():
        mistakes["the gradient was averaged, not its square"] = (wrong, plain)
    got = rmsprop_step(w.copy(), g.copy(), s.copy(), lr, decay, eps)
    expect_parts(got, ("w", "s"), what="rmsprop_step")
    expect_equal(
        got,
        (move(new), new),
        what="rmsprop_step(w, g, s, lr, decay, eps)",
        mistakes=mistakes,
    )


@case("rmsprop_step: where eps stands")
def rmsprop_eps(rmsprop_step, *, rng):
    w, g = arrays(rng, 2, (int(rng.integers(3, 7)),))
    lr, decay, eps = 0.1, 0.9, float(rng.uniform(0.3, 0.6))
    new = (1 - decay) * g**2
    got = rmsprop_step(w.copy(), g.copy(), np.zeros_like(w), lr, decay, eps)
    expect_parts(got, ("w", "s"), what="rmsprop_step")
    expect_equal(
        got,
        (w - lr * g / (np.sqrt(new) + eps), new),
        what=f"rmsprop_step(w, g, 0, {lr}, {decay}, eps={eps:.3g})",
        mistakes={
            "eps stands under the square root: PyTorch and this sheet add it outside": (
                w - lr * g / np.sqrt(new + eps),
                new,
            ),
            "eps was left out": (w - lr * g / np.sqrt(new), new),
            "the old mean of squares divided the step: use the new one": (w - lr * g / eps, new),
        },
    )


Q3 = question(
    "07.3",
    title="Adam with bias correction",
    minutes=12,
    hints=[
        "Five lines: `m`, `v`, `m_hat`, `v_hat`, `w`. Each is one of the formulas.",
        "The correction divides by `1 - beta1**t`, a power. At t = 1 that is 1 - beta1.",
        "Return `m` and `v`, not the corrected means: the next step corrects afresh.",
    ],
)


def adam_variants(w, g, m, v, t, lr, b1, b2, eps):
    """What Adam gives, and what its usual mistakes give."""
    new_m, new_v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    m_hat, v_hat = new_m / (1 - b1**t), new_v / (1 - b2**t)

    def move(mean, square):
        return w - lr * mean / (np.sqrt(square) + eps)

    right = (move(m_hat, v_hat), new_m, new_v)
    swapped_m, swapped_v = (1 - b1) * m + b1 * g, (1 - b2) * v + b2 * g**2
    mistakes = {
        "the bias correction was forgotten": (move(new_m, new_v), new_m, new_v),
        "only m was corrected, not v": (move(m_hat, new_v), new_m, new_v),
        "only v was corrected, not m": (move(new_m, v_hat), new_m, new_v),
        "the correction takes 1 - beta, without the power t": (
            move(new_m / (1 - b1), new_v / (1 - b2)),
            new_m,
            new_v,
        ),
        "the corrected means were returned: the next step would correct them twice": (right[0], m_hat, v_hat),
        "the step counts from 0 in the correction: t is 1 at the first step": (
            move(new_m / (1 - b1 ** (t + 1)), new_v / (1 - b2 ** (t + 1))),
            new_m,
            new_v,
        ),
        "the square root is missing": (w - lr * m_hat / (v_hat + eps), new_m, new_v),
        "the gradient moved the weights, not its mean m: this is RMSProp with a correction": (
            move(g, v_hat),
            new_m,
            new_v,
        ),
        "beta and 1 - beta are the wrong way round": (
            move(swapped_m / (1 - b1**t), swapped_v / (1 - b2**t)),
            swapped_m,
            swapped_v,
        ),
        "the weights moved along the gradient, not against it": (2 * w - right[0], new_m, new_v),
        "beta1 and beta2 are swapped": (
            move((b2 * m + (1 - b2) * g) / (1 - b2**t), (b1 * v + (1 - b1) * g**2) / (1 - b1**t)),
            b2 * m + (1 - b2) * g,
            b1 * v + (1 - b1) * g**2,
        ),
        "eps stands under the square root: the paper and this sheet add it outside": (
            w - lr * m_hat / np.sqrt(v_hat + eps),
            new_m,
            new_v,
        ),
    }
    return right, mistakes


@case("adam_step: the first step")
def adam_first(adam_step, *, rng):
    w, g = arrays(rng, 2, shape_of(rng))
    lr, b1, b2, eps = rng.uniform(0.05, 0.3), rng.uniform(0.7, 0.9), rng.uniform(0.91, 0.99), 1e-3
    zero = np.zeros_like(w)
    right, mistakes = adam_variants(w, g, zero, zero, 1, lr, b1, b2, eps)
    got = adam_step(w.copy(), g.copy(), zero.copy(), zero.copy(), 1, lr, b1, b2, eps)
    expect_parts(got, ("w", "m", "v"), what="adam_step")
    expect_equal(
        got,
        right,
        what="adam_step with m = 0, v = 0, t = 1",
        mistakes=mistakes,
    )


@case("adam_step: a later step")
def adam_later(adam_step, *, rng):
    w, g, m, root = arrays(rng, 4, shape_of(rng))
    t = int(rng.integers(3, 9))
    lr, b1, b2, eps = rng.uniform(0.05, 0.3), rng.uniform(0.7, 0.9), rng.uniform(0.91, 0.99), 0.3
    right, mistakes = adam_variants(w, g, m, root**2, t, lr, b1, b2, eps)
    got = adam_step(w.copy(), g.copy(), m.copy(), root**2, t, lr, b1, b2, eps)
    expect_parts(got, ("w", "m", "v"), what="adam_step")
    expect_equal(
        got,
        right,
        what=f"adam_step at t = {t}",
        mistakes=mistakes,
    )


Q4 = question(
    "07.4",
    title="Nadam",
    minutes=15,
    hints=[
        "Start from Adam's five lines in a loop: `for t, g in enumerate(gradients, start=1)`.",
        "Keep the product of all mu so far: multiply it by `mu(t)` in every step. Up to t + 1: times `mu(t + 1)` too.",
        "Collect `w` after every step in a list, and return `np.array(path)`.",
    ],
)


def nadam_path(w, gradients, lr, b1, b2, eps, *, schedule=True, ahead=True, gradient=True, v_hat=True, first=1):
    """Nadam, and what comes of it when a part is changed or left out."""

    def mu(t):
        return b1 * (1 - 0.5 * 0.96 ** (0.004 * (t + first - 1))) if schedule else b1

    m, v, product, path = np.zeros_like(w), np.zeros_like(w), 1.0, []
    for t, g in enumerate(gradients, start=1):
        product = product * mu(t)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        later = product * mu(t + 1)
        m_hat = mu(t + 1) * m / (1 - later) if ahead else mu(t) * m / (1 - product)
        m_hat = m_hat + ((1 - mu(t)) * g / (1 - product) if gradient else 0)
        square = v / (1 - b2**t) if v_hat else v
        w = w - lr * m_hat / (np.sqrt(square) + eps)
        path.append(w)
    return np.array(path)


@case("nadam: shape, and the first step")
def nadam_first(nadam, *, rng):
    w, g = arrays(rng, 2, (int(rng.integers(3, 6)),))
    lr, b1, b2, eps = rng.uniform(0.05, 0.3), rng.uniform(0.7, 0.9), rng.uniform(0.91, 0.99), 1e-3
    setting = (w, g[None], lr, b1, b2, eps)
    expect_equal(
        nadam(w.copy(), g[None].copy(), lr, b1, b2, eps),
        nadam_path(*setting),
        what=f"nadam(w, gradients, ...) with one gradient, w of shape {w.shape}",
        mistakes=nadam_mistakes(*setting),
    )


def nadam_mistakes(w, gradients, lr, b1, b2, eps):
    """The usual mistakes by name."""
    setting = (w, gradients, lr, b1, b2, eps)
    return {
        "the look-ahead uses mu of this step, not of the next": nadam_path(*setting, ahead=False),
        "the gradient's own term is missing in m-hat": nadam_path(*setting, gradient=False),
        "mu was counted from 0: the first gradient belongs to t = 1": nadam_path(*setting, first=0),
        "v was not corrected": nadam_path(*setting, v_hat=False),
        "mu is beta1 throughout: the schedule of mu was left out": nadam_path(*setting, schedule=False),
        "the result is Adam's: the look-ahead is missing": adam_path(*setting),
        "the first weights are part of the result: only those after each step are asked for": np.concatenate(
            [w[None], nadam_path(*setting)]
        ),
        "only the last weights were returned: those after every step are asked for": nadam_path(*setting)[-1],
    }


def adam_path(w, gradients, lr, b1, b2, eps):
    """Adam's path, for comparison."""
    m, v, path = np.zeros_like(w), np.zeros_like(w), []
    for t, g in enumerate(gradients, start=1):
        (w, m, v), _ = adam_variants(w, g, m, v, t, lr, b1, b2, eps)
        path.append(w)
    return np.array(path)


@case("nadam: many steps")
def nadam_many(nadam, *, rng):
    steps, size = int(rng.integers(6, 12)), int(rng.integers(3, 6))
    w, gradients = rng.standard_normal(size), rng.standard_normal((steps, size)) + 0.5
    lr, b1, b2, eps = rng.uniform(0.05, 0.3), rng.uniform(0.7, 0.9), rng.uniform(0.91, 0.99), 1e-2
    setting = (w, gradients, lr, b1, b2, eps)
    expect_equal(
        nadam(w.copy(), gradients.copy(), lr, b1, b2, eps),
        nadam_path(*setting),
        what=f"nadam(w, gradients, ...) with {steps} gradients",
        mistakes=nadam_mistakes(*setting),
    )


Q5 = question(
    "07.5",
    title="Which rule was it?",
    minutes=12,
    hints=[
        "A gradient of 1 and then 0: which rules go on moving the weight?",
        "Ten times the gradient: which rules make a step ten times as long, and which make the same step?",
        "Two questions with two answers each tell four rules apart.",
    ],
)


def optimizer(rule, rng, corner=None):
    """A closed optimizer with settings of its own, or with a rate and memories at the ends of their ranges."""
    lr = 10 ** rng.uniform(-3, 0)
    decay, b1, b2 = rng.uniform(0.5, 0.999, 3)
    if corner:
        lr, decay, b1, b2 = corner

    def run(gradients):
        w = v = m = 0.0
        path = []
        for t, g in enumerate(np.asarray(gradients, float).reshape(-1), start=1):
            if rule == "sgd":
                w = w - lr * g
            elif rule == "momentum":
                v = decay * v + g
                w = w - lr * v
            elif rule == "rmsprop":
                v = decay * v + (1 - decay) * g * g
                w = w - lr * g / (np.sqrt(v) + 1e-8)
            else:
                m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
                w = w - lr * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + 1e-8)
            path.append(w)
        return np.array(path)

    return run


CORNERS = [(lr, memory, memory, memory) for lr in (0.001, 1.0) for memory in (0.5, 0.999)]


def named(which_rule, rules, rng):
    tried = [(rule, None) for rule in rng.permutation(rules)]
    tried += [(rule, corner) for corner in CORNERS for rule in dict.fromkeys(rules)]
    for rule, corner in tried:
        got = which_rule(optimizer(rule, rng, corner))
        rest = [name for name in ("sgd", "momentum", "rmsprop", "adam") if name != rule]
        mistake = None
        if got is None:
            mistake = "a return is missing"
        elif isinstance(got, str) and got in rest:
            memory, scale = {"momentum", "adam"}, {"sgd", "momentum"}
            if (got in scale) != (rule in scale):
                mistake = "the two that divide by the size of the gradients were mixed up with the two that do not"
            elif (got in memory) != (rule in memory):
                mistake = "the rules that go on when the gradient is 0 were mixed up with those that stop"
        elif isinstance(got, str):
            mistake = "the name is spelt otherwise: sgd, momentum, rmsprop, adam, in lower case"
        said = got if isinstance(got, str) and len(got) < 20 else inspect_value(got)
        expect_true(isinstance(got, str) and got == rule, f"which_rule took {rule} for {said}", mistake=mistake)


@case("which_rule: with a memory of gradients, and without")
def rule_memory(which_rule, *, rng):
    named(which_rule, ["sgd", "momentum", "sgd", "momentum"], rng)


@case("which_rule: with a memory of gradients, and without, other inputs", hidden=True)
def rule_memory_again(which_rule, *, rng):
    rule_memory(which_rule, rng=rng)


@case("which_rule: with a step that knows the gradient's size, and without", points=3)
def rule_scale(which_rule, *, rng):
    named(which_rule, ["sgd", "rmsprop", "rmsprop", "adam"], rng)


@case("which_rule: all four, many settings", points=2)
def rule_all(which_rule, *, rng):
    named(which_rule, ["sgd", "momentum", "rmsprop", "adam"] * 4, rng)


@case("which_rule: all four, many settings, other inputs", points=2, hidden=True)
def rule_all_again(which_rule, *, rng):
    rule_all(which_rule, rng=rng)


Q6 = question(
    "07.6",
    title="Repair: weight decay under Adam",
    minutes=12,
    hints=[
        "What enters `plain_adam` as the gradient is divided by its own size. So the decay must not be part of it.",
        "The pull is `lr * strength * w`, with the w from before the step. It is subtracted beside Adam's step.",
        '`name.endswith(".b")` is True for a bias. A tuple of endings works as well: `name.endswith((".b", ".gamma"))`.',
    ],
)


def settled_adam(w, g, m, v, t, lr):
    """Adam's step with the settings of the sheet."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def every_name(name):
    return True


def only_weights(name):
    return name.endswith(".w")


def beside(w, moved, root, lr, strength):
    return moved - lr * strength * w


def decoupled(params, grads, state, t, lr, strength, *, decays=only_weights, pull=beside, inside=False, twice=False):
    """The step, and what comes of it when a part is changed."""
    new, kept = {}, {}
    for name, w in params.items():
        g, decay = grads[name], decays(name)
        moved, m, v = settled_adam(w, g + strength * w if twice or (inside and decay) else g, *state[name], t, lr)
        root = np.sqrt(v / (1 - 0.999**t)) + 1e-8
        new[name], kept[name] = pull(w, moved, root, lr, strength) if decay and not inside else moved, (m, v)
    return {"params": new, "state": kept}


DECAYS = {
    "nothing was repaired: the decay is in the gradient, and everything decays": {"inside": True, "decays": every_name},
    "the decay is still in the gradient: there it is divided by the size of the gradients, and gets into m and v": {
        "inside": True
    },
    "biases, scales and shifts decay as well": {"decays": every_name},
    "scales and shifts of norms decay: biases alone were left out": {"decays": lambda name: not name.endswith(".b")},
    "biases decay: scales and shifts alone were left out": {
        "decays": lambda name: not name.endswith((".gamma", ".beta"))
    },
    "a letter was looked for anywhere in the name: it is the ending that counts": {
        "decays": lambda name: only_weights(name) and "b" not in name
    },
    "the letter b was looked for in the whole name: embed has one too, and gamma has none": {
        "decays": lambda name: "b" not in name
    },
    "the decay is there twice: in the gradient, and beside the step": {"twice": True},
    "nothing decays: the decay was left out": {"decays": lambda name: False},
    "the wrong ones decay: it is the weights that do": {"decays": lambda name: not only_weights(name)},
    "the decay was not multiplied by lr": {"pull": lambda w, moved, root, lr, strength: moved - strength * w},
    "the decay was not multiplied by strength": {"pull": lambda w, moved, root, lr, strength: moved - lr * w},
    "the decay took its share of the new weight: of the one before the step": {
        "pull": lambda w, moved, root, lr, strength: (1 - lr * strength) * moved
    },
    "the decay has the wrong sign: the weights grow": {
        "pull": lambda w, moved, root, lr, strength: moved + lr * strength * w
    },
    "the decay was divided by the root of v as well": {
        "pull": lambda w, moved, root, lr, strength: moved - lr * strength * w / root
    },
    "the weight was replaced by its decayed value: Adam's step is lost": {
        "pull": lambda w, moved, root, lr, strength: (1 - lr * strength) * w
    },
}


def a_network(rng, names):
    """The arguments of a step that is not the first."""
    matrix, vector = (int(rng.integers(2, 4)), int(rng.integers(4, 6))), (int(rng.integers(3, 6)),)

    def drawn():
        return {name: arrays(rng, 1, matrix if name.endswith(".w") else vector)[0] for name in names}

    params, grads, roots, means = (drawn() for _ in range(4))
    state = {name: (0.3 * means[name], roots[name] ** 2) for name in names}
    t, lr, strength = int(rng.integers(3, 30)), float(rng.uniform(0.05, 0.2)), float(rng.uniform(0.3, 0.6))
    return params, grads, state, t, lr, strength


def adamw_case(adamw, rng, names, what):
    params, grads, state, t, lr, strength = given = a_network(rng, names)
    copies = [{name: a.copy() for name, a in part.items()} for part in (params, grads)]
    right = decoupled(*given)
    weights = {part: {name: v for name, v in values.items() if only_weights(name)} for part, values in right.items()}
    expect_results(
        adamw(*copies, {name: (m.copy(), v.copy()) for name, (m, v) in state.items()}, t, lr, strength),
        right,
        what=f"adamw(params, grads, state, t={t}, lr={lr:.3g}, strength={strength:.3g}) {what}",
        mistakes={says: decoupled(*given, **changed) for says, changed in DECAYS.items()}
        | {"only the weights came back: all parameters move": weights},
    )


@case("adamw: the weights lose their share beside Adam's step", points=2)
def decay_of_weights(adamw, *, rng):
    adamw_case(adamw, rng, ("dense1.w", "dense2.w"), "with weights only")


@case("adamw: biases, scales and shifts do not decay", points=2)
def decay_of_some(adamw, *, rng):
    names = ("norm1.gamma", "norm1.beta", "dense1.b", "embed1.w", "dense1.w")
    adamw_case(adamw, rng, names, "with weights, biases and norms")


@case("adamw: biases, scales and shifts do not decay, other inputs", hidden=True)
def decay_of_some_again(adamw, *, rng):
    decay_of_some(adamw, rng=rng)


MODELS = {  # the answers of the sheet, as its source has them
    "07.1": """
def momentum_step(w, g, v, lr, decay):
    v = decay * v + g
    w = w - lr * v
    return (w, v)
""",
    "07.2": """
def rmsprop_step(w, g, s, lr, decay, eps):
    s = decay * s + (1 - decay) * g ** 2
    w = w - lr * g / (np.sqrt(s) + eps)
    return (w, s)
""",
    "07.3": """
def adam_step(w, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g ** 2
    m_hat = m / (1 - beta1 ** t)
    v_hat = v / (1 - beta2 ** t)
    w = w - lr * m_hat / (np.sqrt(v_hat) + eps)
    return (w, m, v)
""",
    "07.4": """
def nadam(w, gradients, lr, beta1, beta2, eps):

    def mu(t):
        return beta1 * (1 - 0.5 * 0.96 ** (0.004 * t))
    m, v, product, path = (np.zeros_like(w), np.zeros_like(w), 1.0, [])
    for t, g in enumerate(gradients, start=1):
        product = product * mu(t)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g ** 2
        ahead = mu(t + 1) * m / (1 - product * mu(t + 1))
        m_hat = ahead + (1 - mu(t)) * g / (1 - product)
        v_hat = v / (1 - beta2 ** t)
        w = w - lr * m_hat / (np.sqrt(v_hat) + eps)
        path.append(w)
    return np.array(path)
""",
    "07.5": """
def which_rule(run):
    once, large = (run(np.array([1.0, 0.0])), run(np.array([10.0, 0.0])))
    coasts = abs(once[1] - once[0]) > 1e-06 * abs(once[0])
    grows = abs(large[0]) > 5 * abs(once[0])
    if grows:
        return 'momentum' if coasts else 'sgd'
    return 'adam' if coasts else 'rmsprop'
""",
}

SLIPS = [
    *slips(
        "07.1",
        MODELS["07.1"],
        {
            ("decay * v + g", "decay * v - lr * g", "w - lr * v", "w + v"): (
                "this is the form of CS231n's and Saito's books, v = decay v - lr g and w = w + v: the paths are the same, "
                "but here v is the sum of gradients, and the rate comes in with w"
            ),
            ("decay * v + g", "decay * v + lr * g", "w - lr * v", "w - v"): (
                "the rate stands inside the velocity: the path is right, but another v than asked for"
            ),
            (
                "decay * v + g",
                "decay * (v + g)",
            ): "decay multiplies the new gradient too: it belongs to the old velocity alone",
            (
                "decay * v + g",
                "(1 - decay) * v + decay * g",
            ): "decay and 1 - decay weigh a mean, the wrong way round too: momentum keeps a sum",
            (
                "decay * v + g",
                "decay * v + (1 - decay) * g",
            ): "the gradient was weighted with 1 - decay: that is a mean, momentum keeps a sum",
            ("w - lr * v", "w - lr * g - decay * v"): (
                "the velocity moved the weights without the rate: w - lr v, with the new v, is the whole step"
            ),
            (
                "w - lr * v",
                "w - lr * (g + decay * v)",
            ): "this is Nesterov's step: the plain one uses the new velocity alone",
            ("    v = decay * v + g\n    w = w - lr * v\n", ""): "nothing happens: w and v come back as they were",
            ("w - lr * v", "w - lr * g"): "the velocity was left out of the step: this is gradient descent",
            ("    v = decay * v + g\n    w = w - lr * v", "    w = w - lr * v\n    v = decay * v + g"): (
                "the weights moved before the velocity was renewed: first v, then w"
            ),
            ("decay * v + g", "v + decay * g"): "decay multiplies the gradient: it belongs to the old velocity",
        },
    ),
    *slips(
        "07.2",
        MODELS["07.2"],
        {
            (
                "lr * g / (np.sqrt(s) + eps)",
                "lr * g / np.sqrt(s) + eps",
            ): "brackets are missing: eps is added to w, not to the root",
            ("lr * g / (np.sqrt(s) + eps)", "lr * g ** 2 / (np.sqrt(s) + eps)"): (
                "the squared gradient moved the weights: the square belongs in s alone"
            ),
            (
                "lr * g / (np.sqrt(s) + eps)",
                "lr * g / np.sqrt(s + eps)",
            ): "eps stands under the square root: PyTorch and this sheet add it outside",
            ("lr * g / (np.sqrt(s) + eps)", "lr * g / np.sqrt(s)"): "eps was left out",
            ("(1 - decay) * g ** 2", "(1 - decay) * g"): "the gradient was averaged, not its square",
            (
                "(1 - decay) * g ** 2",
                "(1 - decay) * np.mean(g ** 2)",
            ): "one mean was taken over all weights: each has its own s",
            ("(1 - decay) * g ** 2", "((1 - decay) * g) ** 2"): "1 - decay was squared too",
            (
                "decay * s + (1 - decay) * g ** 2",
                "s + g ** 2",
            ): "the squares were summed, not averaged: this is AdaGrad",
            (
                "decay * s + (1 - decay) * g ** 2",
                "decay * s + g ** 2",
            ): "1 - decay is missing before the new square",
            (
                "decay * s + (1 - decay) * g ** 2",
                "(1 - decay) * s + decay * g ** 2",
            ): "decay and 1 - decay are the wrong way round",
        },
    ),
    *slips(
        "07.3",
        MODELS["07.3"],
        {
            ("(1 - beta2) * g ** 2", "(1 - beta2) * np.abs(g)"): (
                "v took the size of the gradient, |g|: it takes its square"
            ),
            (
                "(1 - beta1 ** t)",
                "(1 - beta1 * t)",
                "(1 - beta2 ** t)",
                "(1 - beta2 * t)",
            ): "beta was multiplied by t: the correction has a power, beta**t",
            ("(1 - beta1 ** t)", "(1 - beta1 ** (t - 1))", "(1 - beta2 ** t)", "(1 - beta2 ** (t - 1))"): (
                "the power is t - 1: t counts from 1 already, so at the first step that divides by 0"
            ),
            (
                "(1 - beta1 ** t)",
                "(1 - beta1 ** (t + 1))",
                "(1 - beta2 ** t)",
                "(1 - beta2 ** (t + 1))",
            ): "the power is t + 1: t counts from 1 already",
            (
                "(1 - beta2) * g ** 2",
                "(1 - beta2) * m ** 2",
            ): "v took the square of the mean m: it takes the square of the gradient g",
            ("(1 - beta2) * g ** 2", "(1 - beta2) * g"): "v took the gradient itself: it takes its square",
            ("(np.sqrt(v_hat) + eps)", "np.sqrt(v_hat)"): "eps was left out",
            (
                "(np.sqrt(v_hat) + eps)",
                "np.sqrt(v_hat + eps)",
            ): "eps stands under the square root: the paper and this sheet add it outside",
            (
                "lr * m_hat / (np.sqrt(v_hat) + eps)",
                "lr * m_hat / np.sqrt(v_hat) + eps",
            ): "brackets are missing: eps is added to w, not to the root",
            (
                "lr * m_hat / (np.sqrt(v_hat) + eps)",
                "lr * np.sqrt(1 - beta2 ** t) / (1 - beta1 ** t) * m / (np.sqrt(v) + eps)",
            ): (
                "the correction stands in the rate, as in the paper's short form and in Saito's book: there eps counts for more "
                "(it is not corrected with v)"
            ),
            ("m / (1 - beta1 ** t)", "m * (1 - beta1 ** t)", "v / (1 - beta2 ** t)", "v * (1 - beta2 ** t)"): (
                "the correction was multiplied, not divided: the means are too small at first"
            ),
            ("    w = w - lr * m_hat", "    m, v = m_hat, v_hat\n    w = w - lr * m_hat"): (
                "the corrected means were returned: the next step would correct them twice"
            ),
            (
                "m_hat = m / (1 - beta1 ** t)",
                "m_hat = m",
                "v_hat = v / (1 - beta2 ** t)",
                "v_hat = v",
            ): "the bias correction was forgotten",
        },
    ),
    *slips(
        "07.4",
        MODELS["07.4"],
        {
            (
                "    m, v, product",
                "    w = w.copy()\n    m, v, product",
                "w = w - lr",
                "w -= lr",
            ): "every row of the path is one and the same array, which each step changes in place: keep copies",
            (
                "(1 - product * mu(t + 1))",
                "(1 - product)",
            ): "mu(t + 1) is missing in the first denominator: its product runs to t + 1",
            ("(1 - mu(t)) * g", "(1 - beta1) * g"): "1 - beta1 weighs the gradient in m-hat: there it is 1 - mu(t)",
            (
                "(1 - mu(t)) * g / (1 - product)",
                "(1 - mu(t)) * g",
            ): "the gradient's own term is not divided by 1 minus the product",
            ("0.96 ** (0.004 * t)", "0.96 * (0.004 * t)"): "0.96 was multiplied by 0.004 t: that is its power",
            ("0.96 ** (0.004 * t)", "0.96 ** 0.004 * t"): "brackets are missing around the power 0.004 t",
            ("start=1", "start=0"): "the steps count from 0: the first gradient belongs to t = 1",
            ("mu(t + 1) * m", "mu(t) * m"): "the look-ahead uses mu of this step, not of the next",
            ("v_hat = v / (1 - beta2 ** t)", "v_hat = v"): "v was not corrected",
            (
                "m_hat = ahead + (1 - mu(t)) * g / (1 - product)",
                "m_hat = ahead",
            ): "the gradient's own term is missing in m-hat",
            (
                "product = product * mu(t)",
                "product = mu(t)",
            ): "the product is mu of this step alone: the earlier ones were forgotten",
            (
                "product = product * mu(t)",
                "product = mu(t) ** t",
            ): "a power of mu was taken: the product has a different mu for each step",
            ("product = product * mu(t)", "product = beta1 ** t"): "beta1**t was taken for the product of all mu",
            (
                "m = beta1 * m + (1 - beta1) * g",
                "m = mu(t) * m + (1 - mu(t)) * g",
            ): "m fades with mu(t): it is Adam's, and fades with beta1",
        },
    ),
    *slips(
        "07.5",
        MODELS["07.5"],
        {
            (
                "return 'momentum' if coasts else 'sgd'",
                "return 'sgd' if coasts else 'momentum'",
            ): "sgd and momentum are the wrong way round",
            (
                "return 'adam' if coasts else 'rmsprop'",
                "return 'rmsprop' if coasts else 'adam'",
            ): "rmsprop and adam are the wrong way round",
        },
    ),
]


def _momentum(*lines, back="w, v"):
    body = "\n    ".join(lines)
    return f"def momentum_step(w, g, v, lr, decay):\n    {body}\n    return {back}"


def _rmsprop(s, w, back="w, s"):
    return f"def rmsprop_step(w, g, s, lr, decay, eps):\n    old = s\n    s = {s}\n    w = {w}\n    return {back}"


def _adam(
    m_hat="m / (1 - beta1**t)",
    v_hat="v / (1 - beta2**t)",
    m="beta1 * m + (1 - beta1) * g",
    v="beta2 * v + (1 - beta2) * g**2",
    w="w - lr * m_hat / (np.sqrt(v_hat) + eps)",
    back="w, m, v",
):
    return f"""
def adam_step(w, g, m, v, t, lr, beta1, beta2, eps):
    m = {m}
    v = {v}
    m_hat = {m_hat}
    v_hat = {v_hat}
    w = {w}
    return {back}
"""


def _nadam(
    mu="beta1 * (1 - 0.5 * 0.96 ** (0.004 * t))",
    m_hat="mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)",
    v_hat="v / (1 - beta2**t)",
    start=1,
    path="[]",
    back="np.array(path)",
    w="w = w - lr * m_hat / (np.sqrt(v_hat) + eps)",
):
    return f"""
def nadam(w, gradients, lr, beta1, beta2, eps):
    def mu(t):
        return {mu}
    m, v, product, path = np.zeros_like(w), np.zeros_like(w), 1.0, {path}
    for t, g in enumerate(gradients, start={start}):
        product = product * mu(t)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = {m_hat}
        v_hat = {v_hat}
        {w}
        path.append(w)
    return {back}
"""


def _rule(coasts="abs(a[1] - a[0]) > 1e-6 * abs(a[0])", grows="abs(b[0]) > 5 * abs(a[0])", adam="adam"):
    return f"""
def which_rule(run):
    a, b = run(np.array([1.0, 0.0])), run(np.array([10.0, 0.0]))
    coasts, grows = {coasts}, {grows}
    return ("momentum" if coasts else "sgd") if grows else "{adam}" if coasts else "rmsprop"
"""


def _adamw(keep='not name.endswith((".b", ".gamma", ".beta"))', pull="moved - lr * strength * w", g="grads[name]"):
    return f"""
def adamw(params, grads, state, t, lr, strength):
    new, kept = {{}}, {{}}
    for name, w in params.items():
        moved, m, v = plain_adam(w, {g}, *state[name], t, lr)
        if {keep}:
            moved = {pull}
        new[name], kept[name] = moved, (m, v)
    return new, kept
"""


WRONG = [
    Wrong("07.6", _adamw("False", g="grads[name] + strength * w"), "nothing was repaired"),
    Wrong(
        "07.6",
        _adamw("False", g='grads[name] + (strength * w if name.endswith(".w") else 0)'),
        "the decay is still in the gradient",
    ),
    Wrong("07.6", _adamw('"b" not in name'), "the letter b was looked for"),
    Wrong("07.6", _adamw(g="grads[name] + strength * w"), "the decay is there twice"),
    Wrong(
        "07.6",
        _adamw().replace("        new[name], kept", "            new[name], kept"),
        "only the weights came back",
    ),
    Wrong("07.6", _adamw("True"), "biases, scales and shifts decay as well"),
    Wrong("07.6", _adamw('not name.endswith(".b")'), "biases alone were left out"),
    Wrong("07.6", _adamw('not name.endswith((".gamma", ".beta"))'), "scales and shifts alone were left out"),
    Wrong("07.6", _adamw('"b" not in name and not name.endswith("gamma")'), "it is the ending that counts"),
    Wrong("07.6", _adamw("False"), "the decay was left out"),
    Wrong("07.6", _adamw('name.endswith((".b", ".gamma", ".beta"))'), "the wrong ones decay"),
    Wrong("07.6", _adamw(pull="moved - strength * w"), "not multiplied by lr"),
    Wrong("07.6", _adamw(pull="moved - lr * w"), "not multiplied by strength"),
    Wrong("07.6", _adamw(pull="(1 - lr * strength) * moved"), "of the one before the step"),
    Wrong("07.6", _adamw(pull="moved + lr * strength * w"), "the weights grow"),
    Wrong(
        "07.6",
        _adamw(pull="moved - lr * strength * w / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)"),
        "divided by the root of v as well",
    ),
    Wrong("07.6", _adamw(pull="(1 - lr * strength) * w"), "Adam's step is lost"),
    Wrong("07.6", _adamw().replace("return new, kept", "return kept, new"), "the results come in the wrong order"),
    Wrong("07.5", _rule(coasts="abs(a[1]) < 0.01"), "go on when the gradient is 0"),
    Wrong("07.5", _rule(grows="abs(a[0]) > 0.3"), "divide by the size of the gradients"),
    Wrong("07.5", _rule(adam="Adam"), "the name is spelt otherwise"),
    Wrong("07.5", "def which_rule(run):\n    return 'sgd'", "were mixed up"),
    Wrong("07.1", _momentum("v = decay * v + g", "w = w + lr * v"), "along the gradient, not against it"),
    Wrong("07.1", _momentum("v = decay * v + (1 - decay) * g", "w = w - lr * v"), "momentum keeps a sum"),
    Wrong("07.1", _momentum("v = decay * v + lr * g", "w = w - v"), "the rate stands inside the velocity"),
    Wrong("07.1", _momentum("w = w - lr * v", "v = decay * v + g"), "the old velocity moved the weights"),
    Wrong("07.1", _momentum("v = g", "w = w - lr * v"), "this is gradient descent"),
    Wrong("07.1", _momentum("v = v + g", "w = w - lr * v"), "the velocity was not multiplied by decay"),
    Wrong("07.1", _momentum("v = decay * v + g", "w = w - lr * (g + decay * v)"), "this is Nesterov's step"),
    Wrong("07.1", _momentum("v = decay * v + g", "w = w - lr * v", back="v, w"), "the wrong order"),
    Wrong("07.1", _momentum("v = decay * v + g", "w = w - lr * v", back="w"), "asked for are 2, (w, v)"),
    Wrong(
        "07.2",
        _rmsprop("(1 - decay) * s + decay * g**2", "w - lr * g / (np.sqrt(s) + eps)"),
        "decay and 1 - decay are the wrong way round",
    ),
    Wrong("07.2", _rmsprop("s + g**2", "w - lr * g / (np.sqrt(s) + eps)"), "this is AdaGrad"),
    Wrong("07.2", _rmsprop("decay * s + (1 - decay) * g**2", "w - lr * g / (s + eps)"), "the square root is missing"),
    Wrong(
        "07.2",
        _rmsprop("decay * s + (1 - decay) * g**2", "w - lr * g / (np.sqrt(old) + eps)"),
        "the old mean of squares divided the step",
    ),
    Wrong(
        "07.2",
        _rmsprop("decay * s + (1 - decay) * g**2", "w + lr * g / (np.sqrt(s) + eps)"),
        "along the gradient, not against it",
    ),
    Wrong("07.2", _rmsprop("decay * s + g**2", "w - lr * g / (np.sqrt(s) + eps)"), "1 - decay is missing"),
    Wrong(
        "07.2",
        _rmsprop("decay * s + (1 - decay) * g**2", "w - lr * g / np.sqrt(s + eps)"),
        "eps stands under the square root",
    ),
    Wrong("07.2", _rmsprop("decay * s + (1 - decay) * g**2", "w - lr * g / np.sqrt(s)"), "eps was left out"),
    Wrong(
        "07.2",
        _rmsprop("decay * s + (1 - decay) * g**2", "w - lr * g / (np.sqrt(s) + eps)", back="s, w"),
        "the wrong order",
    ),
    Wrong("07.3", _adam("m", "v"), "the bias correction was forgotten"),
    Wrong("07.3", _adam(v_hat="v"), "only m was corrected"),
    Wrong("07.3", _adam(m_hat="m"), "only v was corrected"),
    Wrong("07.3", _adam("m / (1 - beta1)", "v / (1 - beta2)"), "without the power t"),
    Wrong("07.3", _adam(back="w, m_hat, v_hat"), "the next step would correct them twice"),
    Wrong("07.3", _adam("m / (1 - beta1**(t + 1))", "v / (1 - beta2**(t + 1))"), "t is 1 at the first step"),
    Wrong("07.3", _adam(w="w - lr * m_hat / (v_hat + eps)"), "the square root is missing"),
    Wrong("07.3", _adam(w="w - lr * g / (np.sqrt(v_hat) + eps)"), "this is RMSProp with a correction"),
    Wrong(
        "07.3",
        _adam(m="(1 - beta1) * m + beta1 * g", v="(1 - beta2) * v + beta2 * g**2"),
        "beta and 1 - beta are the wrong way round",
    ),
    Wrong("07.3", _adam(w="w + lr * m_hat / (np.sqrt(v_hat) + eps)"), "along the gradient, not against it"),
    Wrong("07.3", _adam(w="w - lr * m_hat / np.sqrt(v_hat + eps)"), "eps stands under the square root"),
    Wrong("07.4", _nadam(mu="beta1"), "the schedule of mu was left out"),
    Wrong(
        "07.4",
        _nadam(m_hat="mu(t) * m / (1 - product) + (1 - mu(t)) * g / (1 - product)"),
        "the look-ahead uses mu of this step",
    ),
    Wrong("07.4", _nadam(m_hat="mu(t + 1) * m / (1 - product * mu(t + 1))"), "the gradient's own term is missing"),
    Wrong("07.4", _nadam(v_hat="v"), "v was not corrected"),
    Wrong("07.4", _nadam(m_hat="m / (1 - beta1**t)"), "the look-ahead is missing"),
    Wrong("07.4", _nadam(path="[w]"), "the first weights are part of the result"),
    Wrong("07.4", _nadam(back="w"), "only the last weights were returned"),
]

RIGHT = [
    Right(
        "07.6",
        """
def adamw(params, grads, state, t, lr, strength):
    params, state = dict(params), dict(state)
    for name in list(params):
        w = params[name] * (1 - lr * strength) if params[name].ndim > 1 else params[name]
        params[name], *means = plain_adam(w, grads[name], state[name][0], state[name][1], t, lr)
        state[name] = tuple(means)
    return params, state
""",
    ),
    Right(
        "07.5",
        """
def which_rule(run):
    a, b = run([1.0] + [0.0] * 5), run([4.0] + [0.0] * 5)
    linear, still = np.isclose(b[0], 4 * a[0]), np.isclose(a[1], a[0], rtol=1e-7)
    return {(1, 1): "sgd", (1, 0): "momentum", (0, 1): "rmsprop", (0, 0): "adam"}[int(linear), int(still)]
""",
    ),
    Right("07.1", _momentum("new = g + decay * v", "return w - lr * new, new")),
    Right("07.1", "def momentum_step(w, g, v, lr, decay):\n    v = v * decay\n    v += g\n    return [w - v * lr, v]"),
    Right(
        "07.2",
        "def rmsprop_step(w, g, s, lr, decay, eps):\n    s = s + (1 - decay) * (g * g - s)\n"
        "    return w - lr / (s**0.5 + eps) * g, s",
    ),
    Right(
        "07.3",
        """
def adam_step(w, g, m, v, t, lr, beta1, beta2, eps):
    m = m + (1 - beta1) * (g - m)
    v = v + (1 - beta2) * (np.square(g) - v)
    scale = np.sqrt(1 - beta2**t)
    return w - lr * scale / (1 - beta1**t) * m / (np.sqrt(v) + eps * scale), m, v
""",
    ),
    Right(
        "07.4",
        """
def nadam(w, gradients, lr, beta1, beta2, eps):
    T = len(gradients)
    mus = beta1 * (1 - 0.5 * 0.96 ** (0.004 * np.arange(1, T + 2)))
    products = np.cumprod(mus)
    path = np.empty(gradients.shape)
    m = v = 0
    for k in range(T):
        m = beta1 * m + (1 - beta1) * gradients[k]
        v = beta2 * v + (1 - beta2) * gradients[k] ** 2
        m_hat = mus[k + 1] * m / (1 - products[k + 1]) + (1 - mus[k]) * gradients[k] / (1 - products[k])
        w = w - lr * m_hat / (np.sqrt(v / (1 - beta2 ** (k + 1))) + eps)
        path[k] = w
    return path
""",
    ),
]

SENTENCES = {  # of the task, and the cases that test it
    "07.1": {
        "Momentum keeps a velocity $v$, a sum of all gradients so far in which old ones fade": [
            "momentum_step: the velocity is kept"
        ],
        r"w \leftarrow w - \eta v.$$": [
            "momentum_step: a first step, with a velocity of zero",
            "momentum_step: the velocity is kept",
        ],
        "The new weights and the new velocity, (w, v).": ["momentum_step: the velocity is kept"],
    },
    "07.2": {
        r"The mean $s$ forgets with $\gamma$": ["rmsprop_step: the mean of squares"],
        r"$\varepsilon$ stands beside the root": ["rmsprop_step: where eps stands"],
    },
    "07.3": {
        "a mean of the gradients and a mean of their squares": ["adam_step: a later step"],
        "The bias correction makes up for it, with $t$ counted from 1": [
            "adam_step: the first step",
            "adam_step: a later step",
        ],
        "What goes from step to step is $m$ and $v$, not the corrected means.": ["adam_step: a later step"],
    },
    "07.4": {
        "the momentum that the *next* step would use is applied already now, beside the gradient itself": [
            "nadam: many steps"
        ],
        "It returns the weights after each step, `(T, D)`.": ["nadam: shape, and the first step", "nadam: many steps"],
        "Steps count from 1; the first gradient belongs to $t = 1$.": ["nadam: shape, and the first step"],
    },
    "07.5": {
        'It returns `"sgd"`, `"momentum"`, `"rmsprop"` or `"adam"`, as these rules are defined on this sheet.': [
            "which_rule: all four, many settings"
        ],
        "You know neither the rate nor the other settings": ["which_rule: all four, many settings"],
        "what does each do when the gradient is 0 all of a sudden": [
            "which_rule: with a memory of gradients, and without"
        ],
        "and when it is ten times as large?": ["which_rule: with a step that knows the gradient's size, and without"],
        "The rates lie between 0.001 and 1, every memory": ["which_rule: all four, many settings"],
    },
    "07.6": {
        "It returns two dicts, like the function above.": ["adamw: the weights lose their share beside Adam's step"],
        "Each weight loses the share `lr * strength` of the value that it had before the step": [
            "adamw: the weights lose their share beside Adam's step"
        ],
        "The means in `state` know nothing of the decay.": ["adamw: the weights lose their share beside Adam's step"],
        "Biases, scales and shifts, whose names end in `.b`, `.gamma` and `.beta`, do not decay.": [
            "adamw: biases, scales and shifts do not decay"
        ],
    },
}

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "07.4": {
        "zeros of another shape broadcast to the same": [
            "beta1 was used where w is meant, in m",
            "beta1 was used where w is meant, in v",
            "beta2 was used where w is meant, in m",
            "beta2 was used where w is meant, in v",
            "eps was used where w is meant, in m",
            "eps was used where w is meant, in v",
            "lr was used where w is meant, in m",
            "lr was used where w is meant, in v",
        ],
    },
    "07.5": {
        "other gradients and limits tell the rules apart as well": [
            ">= stands where > is meant: abs(large[0]) > 5 * abs(once[0])",
            ">= stands where > is meant: abs(once[1] - once[0]) > 1e-06 * abs(once[0])",
            "large was used where once is meant, in coasts",
            "np.array is missing in large",
            "np.array is missing in once",
            "the difference is the wrong way round, once[0] - once[1], in coasts",
            "the factor abs(once[0]) is missing in coasts",
            "the number 0 stands where 1e-06 is meant, in coasts",
            "the number 1 stands where 0 is meant, in coasts",
            "the number 1 stands where 0 is meant, in grows",
            "the number 1 stands where 0 is meant, in large",
            "the number 1.1e-06 stands where 1e-06 is meant, in coasts",
            "the number 11 stands where 10 is meant, in large",
            "the number 20 stands where 10 is meant, in large",
            "the number 2e-06 stands where 1e-06 is meant, in coasts",
            "the number 4 stands where 5 is meant, in grows",
            "the number 5e-07 stands where 1e-06 is meant, in coasts",
            "the number 6 stands where 5 is meant, in grows",
            "the number 9 stands where 10 is meant, in large",
            "the number 9e-07 stands where 1e-06 is meant, in coasts",
        ],
    },
}
