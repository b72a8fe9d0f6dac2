"""Chapter 13: LeNet-5, AlexNet and VGG: what they compute, what they cost, and what they gain."""

from __future__ import annotations

import itertools
import time

import numpy as np

from .. import _checks, data, zoo
from ..data import weights
from ..errors import CourseError
from ..filters import receptive_field
from ..layers import AvgPool2d, Conv2d, Dense, Flatten, LocalResponseNorm, MaxPool2d, ReLU, Tanh
from ..losses import softmax_cross_entropy
from ..model import Sequential, accuracy, predict
from ..normalization import local_response_norm_forward
from ..optimizers import adam
from ..schedules import one_cycle
from ..training import History, train
from ._bench import mlp, shared

NETS = {"LeNet-5": "lenet5_mnist", "MLP": "mlp_mnist"}
# The dense network has 61,225 params, against LeNet-5's 61,706.
BUILD = {"lenet5_mnist": zoo.lenet5, "mlp_mnist": lambda: mlp([784, 77, 10])}

BATCH, RATE = 64, 3e-3  # of the shipped weights

# The layers at whose outputs the chapter looks, by the reader's names for them.
STAGES = {
    "convolution 1": "relu_1",
    "pooling 1": "maxpool2d_2",
    "convolution 2": "relu_4",
    "pooling 2": "maxpool2d_5",
    "dense 1": "relu_8",
    "dense 2": "relu_10",
    "scores": "dense_11",
}

# Table I of LeCun et al. 1998: which of the 6 maps of S2 each of the 16 maps of C3 sees.
C3_SEES = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


@shared()
def trained(name: str) -> tuple[Sequential, weights.Weights]:
    """A network of `NETS` and its shipped weights, in float64: so a browser gives the same digits as this machine."""
    _checks.choice("name", name, NETS)
    return BUILD[NETS[name]](), weights.load(NETS[name], np.float64)


def inputs(name: str, images: np.ndarray) -> np.ndarray:
    """Images (N, 28, 28) as the network of `BUILD` takes them: with a channel axis, or as rows."""
    return images[:, None] if name == "lenet5_mnist" else images.reshape(len(images), -1)


def fit(name: str, mnist: data.Dataset, seed: int, epochs: int) -> tuple[Sequential, History]:
    """Train a network of `BUILD` by the plan of the shipped weights: Adam, one cycle of the rate, batches of 64."""
    net, x = BUILD[name](), inputs(name, mnist.x_train)
    return net, train(
        net,
        x,
        mnist.y_train,
        optimizer=adam(one_cycle(RATE, steps=epochs * -(-len(x) // BATCH))),
        epochs=epochs,
        batch_size=BATCH,
        rng=np.random.default_rng(seed),
        progress=False,
    )


def scores(name: str, images: np.ndarray) -> np.ndarray:
    """What a trained network says of images (N, 28, 28): scores (N, 10)."""
    net, w = trained(name)
    return predict(net, w.params, w.state, inputs(NETS[name], images.astype(np.float64)))


@shared()
def one_of_each() -> np.ndarray:
    """The first test image of each digit, (10, 28, 28)."""
    mnist = data.mnist()
    images = np.stack([mnist.x_test[(mnist.y_test == digit).argmax()] for digit in range(10)]).astype(np.float64)
    return images


def moved(images: np.ndarray, right: int = 0, down: int = 0) -> np.ndarray:
    """Images (..., H, W) moved by whole pixels; black comes in, what leaves is lost."""
    out = np.zeros_like(images)
    h, w = images.shape[-2:]
    to = (slice(max(0, down), h + min(0, down)), slice(max(0, right), w + min(0, right)))
    source = (slice(max(0, -down), h - max(0, down)), slice(max(0, -right), w - max(0, right)))
    out[(..., *to)] = images[(..., *source)]
    return out


MOVED = 400  # test digits that are moved


@shared()
def accuracy_when_moved(most: int = 8, examples: int = MOVED) -> dict:
    """Share of test digits that each network still reads when all are moved to the right by -most .. most pixels.

    Returns `{"right": (2 most + 1,), "LeNet-5": shares, "MLP": shares}`.
    """
    mnist = data.mnist()
    x, y = mnist.x_test[:examples], mnist.y_test[:examples]
    right = np.arange(-most, most + 1)
    return {"right": right} | {
        name: np.array([accuracy(scores(name, moved(x, int(r))), y) for r in right]) for name in NETS
    }


def shift(digit: int = 7, right: int = 3) -> dict:
    """Move one test digit and ask both networks.

    Returns
    -------
    image : (28, 28)
    probabilities : {network: (10,)}
    curves : as `accuracy_when_moved`
    """
    image = moved(one_of_each()[digit], right)
    probabilities = {}
    for name in NETS:
        s = scores(name, image[None])[0]
        e = np.exp(s - s.max())
        probabilities[name] = e / e.sum()
    return {
        "image": image,
        "digit": digit,
        "moved": right,
        "probabilities": probabilities,
        "curves": accuracy_when_moved(),
    }


def equivariance(digit: int = 6, shifts=(1, 2, 3, 4)) -> dict[str, dict]:
    """Do LeNet-5's maps move along with the image?

    One step of a map is as wide as all strides before it together: 1, 2, 2 and 4 pixels. Where that divides the shift,
    the maps of the moved image are compared with the moved maps of the image, on the columns that both have.

    Returns `{stage: {"step": pixels, shift: largest difference over the largest entry, or None}}`.
    """
    net, w = trained("LeNet-5")
    image = one_of_each()[digit][None, None]
    rest = net.activations(w.params, w.state, image)
    steps = {"convolution 1": 1, "pooling 1": 2, "convolution 2": 2, "pooling 2": 4}
    result = {stage: {"step": step} for stage, step in steps.items()}
    for right in shifts:
        after = net.activations(w.params, w.state, moved(image, right))
        for stage, step in steps.items():
            a, b, k = rest[STAGES[stage]], after[STAGES[stage]], right // step
            difference = float(np.abs(b[..., k:] - a[..., : a.shape[-1] - k]).max() / a.max())
            result[stage][right] = None if right % step else difference
    return result


def misread(most: int = 12) -> dict:
    """Test digits of the sample that the trained LeNet-5 reads wrongly: images, labels, answers, and how many."""
    mnist = data.mnist()
    answers = scores("LeNet-5", mnist.x_test).argmax(axis=1)
    wrong = np.flatnonzero(answers != mnist.y_test)
    some = wrong[:most]
    return {
        "images": mnist.x_test[some],
        "labels": mnist.y_test[some],
        "answers": answers[some],
        "wrong": len(wrong),
        "of": len(answers),
    }


def trained_on_few(seed: int, epochs: int = 2) -> dict:
    """Both networks trained on the shipped 10,000 digits, then tried on 1,000 test digits moved by 3 pixels.

    Returns `{network: {"at rest": share, "moved": share}}`, the latter a mean over right, left, down and up.
    """
    mnist = data.mnist()
    x, y = mnist.x_test[:1000], mnist.y_test[:1000]
    result = {}
    for name, key in NETS.items():
        net, history = fit(key, mnist, seed, epochs)

        def share(images, net=net, history=history, key=key):
            return float(accuracy(predict(net, history.params, history.state, inputs(key, images)), y))

        by = [share(moved(x, right, down)) for right, down in ((3, 0), (-3, 0), (0, 3), (0, -3))]
        result[name] = {"at rest": share(x), "moved": float(np.mean(by))}
    return result


def feature_maps(digit: int = 7, stage: str = "convolution 1") -> dict:
    """What one stage of the trained LeNet-5 puts out for one test digit.

    Returns
    -------
    image : (28, 28)
    maps : (C, H, W), or (D,) for a dense stage
    zeros : share of exact zeros
    answer : the digit that the network reads
    """
    _checks.choice("stage", stage, STAGES)
    image = one_of_each()[digit]
    net, w = trained("LeNet-5")
    outputs = net.activations(w.params, w.state, image[None, None])
    maps = outputs[STAGES[stage]][0]
    return {
        "image": image,
        "digit": digit,
        "stage": stage,
        "maps": maps,
        "zeros": float((maps == 0).mean()),
        "answer": int(outputs["dense_11"][0].argmax()),
    }


def first_filters(digit: int = 7) -> dict:
    """The six 5 x 5 kernels of LeNet-5's first layer, (6, 5, 5), and the maps that they make of a digit."""
    _, w = trained("LeNet-5")
    result = feature_maps(digit, "convolution 1")
    return {"kernels": w.params["conv2d_0"]["w"][:, 0], "image": result["image"], "maps": result["maps"]}


def probe(examples: int = 1000, penalty: float = 300.0) -> dict[str, float]:
    """How well one linear layer reads the digits from each stage's output: share of 1,000 test digits.

    The linear layer is fitted to targets of +1 and -1 by least squares, with a penalty on its squared weights.
    """
    mnist = data.mnist()
    net, _ = trained("LeNet-5")
    x, y = mnist.x_train[:examples, None], mnist.y_train[:examples]
    x_test, y_test = mnist.x_test[:1000, None], mnist.y_test[:1000]
    w = weights.load(NETS["LeNet-5"])  # float32 will do here, in half the time
    inside, outside = (net.activations(w.params, w.state, images) for images in (x, x_test))
    features = {"pixels": (x, x_test)} | {
        stage: (inside[name], outside[name]) for stage, name in STAGES.items() if stage != "scores"
    }
    targets = 2.0 * (y[:, None] == np.arange(10)) - 1
    result = {}
    for stage, pair in features.items():
        a, b = (part.reshape(len(part), -1) for part in pair)
        mean, std = a.mean(axis=0), a.std()
        a, b = (a - mean) / std, (b - mean) / std
        # Fewer examples than features: solve for one number an example, the weights are a.T times these.
        alpha = np.linalg.solve(a @ a.T + penalty * np.eye(examples), targets - targets.mean(axis=0))
        result[stage] = float(accuracy(b @ (a.T @ alpha) + targets.mean(axis=0), y_test))
    return result


def lenet5_of_1998() -> list[dict]:
    """LeNet-5 as the paper has it, layer by layer: output, params that are trained, and connections.

    A connection is a multiplication or a bias, counted once for every place at which it is used. Subsampling adds up
    four pixels, multiplies the sum with one coefficient and adds one bias, both trained, for each map.
    """
    rows = []

    def add(name, output, params, connections):
        rows.append({"layer": name, "output": output, "params": params, "connections": connections})

    add("C1", (6, 28, 28), 6 * (25 + 1), 28 * 28 * 6 * (25 + 1))
    add("S2", (6, 14, 14), 6 * 2, 14 * 14 * 6 * (4 + 1))
    c3 = sum(25 * len(maps) + 1 for maps in C3_SEES)
    add("C3", (16, 10, 10), c3, 10 * 10 * c3)
    add("S4", (16, 5, 5), 16 * 2, 5 * 5 * 16 * (4 + 1))
    add("C5", (120,), 120 * (16 * 25 + 1), 120 * (16 * 25 + 1))
    add("F6", (84,), 84 * (120 + 1), 84 * (120 + 1))
    add("output", (10,), 0, 10 * 84)  # distances to ten fixed pictures of 7 x 12 pixels
    return rows


def lenet(activation=ReLU, pool=MaxPool2d, size=2, norm=()) -> Sequential:
    """LeNet-5 with another activation or pooling, or with a layer after each convolution's activation."""
    features = [
        *(Conv2d(1, 6, 5, padding=2), activation(), *norm, pool(size, 2)),
        *(Conv2d(6, 16, 5), activation(), *norm, pool(size, 2)),
        Flatten(),
    ]
    flat = zoo.cost(Sequential(features), (1, 28, 28)).rows[-1].output[0]
    dense = [Dense(flat, 120), activation(), Dense(120, 84), activation(), Dense(84, 10)]
    return Sequential(features + dense)


VARIANTS = {
    "today": lenet,
    "tanh": lambda: lenet(activation=Tanh),
    "mean pool": lambda: lenet(pool=AvgPool2d),
    "overlapping pool": lambda: lenet(size=3),
    "LRN": lambda: lenet(norm=(LocalResponseNorm(),)),
}


def variant(name="today", examples=5000, epochs=2, lr=4e-3, batch_size=50, seed=0) -> dict:
    """Train one of `VARIANTS` on a part of MNIST.

    Returns `{"loss": (steps,), "test_accuracy": float}`.
    """
    _checks.choice("name", name, VARIANTS)
    mnist = data.mnist()
    history = train(
        VARIANTS[name](),
        mnist.x_train[:examples, None],
        mnist.y_train[:examples],
        optimizer=adam(lr),
        epochs=epochs,
        batch_size=batch_size,
        rng=np.random.default_rng(seed),
        progress=False,
    )
    out = predict(VARIANTS[name](), history.params, history.state, mnist.x_test[:, None])
    return {"loss": np.array(history.loss), "test_accuracy": float(accuracy(out, mnist.y_test))}


def steps_until(loss: np.ndarray, level: float, window: int = 10) -> int:
    """After how many steps the mean of the last `window` losses is first below `level`; one more than all if never."""
    below = np.convolve(loss, np.ones(window) / window, "valid") < level
    return int(below.argmax() + window) if below.any() else len(loss) + 1


def who_sees_whom(seed: int = 0) -> list[np.ndarray]:
    """For each convolution of a small AlexNet, which input channels (C) each output channel (F) sees: (F, C) bools.

    Measured: one pixel of one input channel is set to 1, and the output channels that answer are noted.
    """
    rng, tables = np.random.default_rng(seed), []
    for layer in zoo.alexnet_mini(image=(3, 28, 28)).layers:
        if isinstance(layer, Conv2d):
            params, state = layer.init(rng, dtype=np.float64)
            x = np.zeros((layer.inputs, layer.inputs, 7, 7))  # example c has its impulse in channel c
            x[np.arange(layer.inputs), np.arange(layer.inputs), 3, 3] = 1
            out, _, _ = layer.forward(params, state, x, training=False)
            tables.append(np.abs(out).max(axis=(2, 3)).T > 0)
    return tables


def single_tower(net: Sequential) -> Sequential:
    """The same network without groups: every channel sees all channels of the layer before it."""
    layers = []
    for layer in net.layers:
        if isinstance(layer, Conv2d):
            layer = Conv2d(layer.inputs, layer.outputs, layer.size, layer.stride, layer.padding)
        layers.append(layer)
    return Sequential(layers)


def costs(net: Sequential, example: tuple[int, int, int]) -> dict:
    """A network's ledger in two parts: params and multiply-adds of its convolutions, and of its dense layers."""
    parts = {"convolutions": {"params": 0, "multiply_adds": 0}, "dense layers": {"params": 0, "multiply_adds": 0}}
    for row in zoo.cost(net, example).rows:
        part = parts["convolutions" if row.name.startswith("conv") else "dense layers"]
        part["params"] += row.params
        part["multiply_adds"] += row.multiply_adds
    return parts


def lrn(scale: float = 1.0, channels: int = 16, seed: int = 3) -> dict:
    """AlexNet's local response normalization on the responses of neighbouring channels at one pixel.

    Responses are normal numbers through ReLU, one of them three times as strong as the largest, all times `scale`.

    Returns
    -------
    before, after : (channels,)
    factor : (channels,) what each was multiplied by
    """
    rng = np.random.default_rng(seed)
    x = np.abs(rng.standard_normal(channels))
    x[channels // 2] = 3 * x.max()
    x = scale * x / x.max()
    out, _ = local_response_norm_forward(x.reshape(1, channels, 1, 1))
    return {"before": x, "after": out.ravel(), "factor": out.ravel() / x, "scale": scale}


def stacked(size: int = 7, inputs: int = 64, outputs: int = 64, seed: int = 0) -> dict:
    """One convolution of size x size against a stack of 3 x 3 that sees as far.

    Returns
    -------
    layers : number of 3 x 3 convolutions
    params_one, params_stack : with biases, from the ledger
    work_one, work_stack : multiply-adds for each output pixel
    field_one, field_stack : (13, 13) mean size of the gradient of one output with respect to each input pixel, largest
        1, for 64 random kernels of one channel with ReLU between
    """
    count = (size - 1) // 2
    pad = size // 2
    one = Sequential([Conv2d(inputs, outputs, size, padding=pad)])
    widths = [inputs] + [outputs] * count
    stack = Sequential([Conv2d(c, f, 3, padding=1) for c, f in itertools.pairwise(widths)])
    books = [zoo.cost(net, (inputs, 1, 1)) for net in (one, stack)]
    narrow = [Conv2d(1, 8, 3, padding=1), ReLU()] + [Conv2d(8, 8, 3, padding=1), ReLU()] * (count - 1)
    return {
        "size": size,
        "inputs": inputs,
        "outputs": outputs,
        "layers": count,
        "field": receptive_field([(3, 1)] * count),
        "params_one": books[0].params,
        "params_stack": books[1].params,
        "work_one": books[0].multiply_adds,
        "work_stack": books[1].multiply_adds,
        "field_one": _field(Sequential([Conv2d(1, 8, size, padding=pad)]), seed),
        "field_stack": _field(Sequential(narrow[:-1]), seed),
    }


def _field(net, seed, draws=8, width=13):
    """Mean absolute gradient of the centre pixel of all output channels with respect to the input, largest 1."""
    rng = np.random.default_rng(seed)
    total = np.zeros((width, width))
    for _ in range(draws):
        params, state = net.init(rng, dtype=np.float64)
        x = rng.standard_normal((8, 1, width, width))
        out, cache, _ = net.forward(params, state, x, training=True)
        dout = np.zeros_like(out)
        dout[:, :, width // 2, width // 2] = rng.standard_normal(out.shape[:2])
        dx, _ = net.backward(dout, cache)
        total += np.abs(dx).mean(axis=(0, 1))
    return total / total.max()


def against_pytorch(turns: int = 10, steps: int = 10, batch_size: int = 64, seed: int = 0) -> dict:
    """Time training steps of LeNet-5 here and in PyTorch, some steps each in turns, on the same digits, with Adam.

    Both start from the same weights. Run it with one thread: OPENBLAS_NUM_THREADS=1.

    Returns
    -------
    ours, theirs : (turns,) seconds of processor time of a step, mean over the steps of a turn
    ratio : median of ours / theirs
    difference : largest difference of the two losses in the first turn (later on, rounding grows from step to step)
    """
    try:
        import torch
    except ImportError:
        raise CourseError("this needs PyTorch; install it with: pip install torch") from None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _in_turns(torch, turns, steps, batch_size, seed)
    finally:
        torch.set_num_threads(threads)


def torch_lenet5(torch, params):
    """The same network in PyTorch, with these weights."""
    t = torch.nn
    net = t.Sequential(
        *(t.Conv2d(1, 6, 5, padding=2), t.ReLU(), t.MaxPool2d(2), t.Conv2d(6, 16, 5), t.ReLU(), t.MaxPool2d(2)),
        *(t.Flatten(), t.Linear(400, 120), t.ReLU(), t.Linear(120, 84), t.ReLU(), t.Linear(84, 10)),
    )
    layers = [layer for layer in net if hasattr(layer, "weight")]
    with torch.no_grad():
        for layer, p in zip(layers, params.values(), strict=True):
            w = p["w"] if p["w"].ndim == 4 else p["w"].T  # (D, M) here, (M, D) there
            layer.weight[:], layer.bias[:] = torch.tensor(w), torch.tensor(p["b"])
    return net


def _in_turns(torch, turns, steps, batch_size, seed):
    mnist, rng = data.mnist(), np.random.default_rng(seed)
    net = zoo.lenet5()
    params, state = net.init(rng)
    twin = torch_lenet5(torch, params)
    ours, theirs = adam(1e-3), torch.optim.Adam(twin.parameters(), 1e-3)
    numbers = [params, ours.init(params)]

    def our_step(x, y):
        out, cache, _ = net.forward(numbers[0], state, x, training=True)
        loss, dout = softmax_cross_entropy(out, y)
        grads = net.backward_first(dout, cache)
        numbers[:] = ours.update(numbers[0], grads, numbers[1], inplace=True)
        return float(loss)

    def their_step(x, y):
        theirs.zero_grad()
        loss = torch.nn.functional.cross_entropy(twin(x), y)
        loss.backward()
        theirs.step()
        return loss.item()

    spent, differences = [], []
    for _ in range(turns + 1):
        picks = rng.integers(0, len(mnist.x_train), (steps, batch_size))
        batches = [(mnist.x_train[pick, None], mnist.y_train[pick]) for pick in picks]
        tensors = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in batches]
        start = time.process_time()
        losses = [our_step(*batch) for batch in batches]
        between = time.process_time()
        their_losses = [their_step(*batch) for batch in tensors]
        spent.append(((between - start) / steps, (time.process_time() - between) / steps))
        differences.append(np.abs(np.subtract(losses, their_losses)).max())
    ours, theirs = np.array(spent[1:]).T  # the first turn warms up
    return {
        "ours": ours,
        "theirs": theirs,
        "ratio": float(np.median(ours / theirs)),
        "difference": float(differences[0]),
    }


def variant_at(name: str, rate: float, seed: int = 0, examples: int = 5000, epochs: int = 2) -> tuple[float, float]:
    """Train one of `VARIANTS` as `variant` does, at a rate.

    Returns the accuracy on 2,000 other training digits, which chooses the rate, and on the test digits.
    """
    _checks.choice("name", name, VARIANTS)
    mnist, net = data.mnist(), VARIANTS[name]()
    x, y = mnist.x_train[:, None], mnist.y_train
    history = train(
        net,
        x[:examples],
        y[:examples],
        optimizer=adam(rate),
        epochs=epochs,
        batch_size=50,
        rng=np.random.default_rng(seed),
        progress=False,
    )
    left = slice(examples, examples + 2000)
    pairs = (x[left], y[left]), (mnist.x_test[:, None], mnist.y_test)
    return tuple(float(accuracy(predict(net, history.params, history.state, a), b)) for a, b in pairs)
