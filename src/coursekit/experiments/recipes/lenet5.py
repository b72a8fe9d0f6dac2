"""LeNet-5 on the 60,000 digits of MNIST, and a dense network with as many parameters to compare it with (chapter 13).

Both get the same plan, fixed beforehand: Adam, one cycle of the rate, images as they come, nothing added and nothing
turned. The test images are looked at once, after the last step.
"""

from __future__ import annotations

import time

import numpy as np

from ... import data, zoo
from ...layers import Dense, ReLU
from ...model import Sequential, accuracy, predict
from ...optimizers import adam
from ...schedules import one_cycle
from ...training import train as fit

EPOCHS, BATCH, RATE = 10, 64, 3e-3


def mlp(hidden: int = 77) -> Sequential:
    """784 inputs, one hidden layer of ReLU units, 10 scores: 61,225 params, against LeNet-5's 61,706."""
    return Sequential([Dense(784, hidden), ReLU(), Dense(hidden, 10)])


NETS = {"lenet5_mnist": zoo.lenet5, "mlp_mnist": mlp}


def inputs(name: str, images: np.ndarray) -> np.ndarray:
    """Images (N, 28, 28) as the network takes them: with a channel axis, or as rows."""
    return images[:, None] if name == "lenet5_mnist" else images.reshape(len(images), -1)


def train(name: str, seed: int = 0, epochs: int = EPOCHS, mnist: data.Dataset | None = None) -> tuple[dict, dict, dict]:
    """Train one of `NETS`: its params, its state, and a record of the run."""
    mnist = data.mnist(full=True) if mnist is None else mnist
    model = NETS[name]()
    x, x_test = inputs(name, mnist.x_train), inputs(name, mnist.x_test)
    start, start_cpu = time.perf_counter(), time.process_time()
    history = fit(
        model,
        x,
        mnist.y_train,
        optimizer=adam(one_cycle(RATE, steps=epochs * -(-len(x) // BATCH))),
        epochs=epochs,
        batch_size=BATCH,
        rng=np.random.default_rng(seed),
        progress=False,
    )
    wall, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    scores = predict(model, history.params, history.state, x_test)
    noted = {
        "data": f"{mnist.name}: {len(x):,} images to train, {len(x_test):,} to test",
        "seed": seed,
        "epochs": epochs,
        "batch_size": BATCH,
        "optimizer": f"adam(one_cycle({RATE}))",
        "train_loss_last_epoch": round(float(history.epochs[-1]["loss"]), 5),
        "test_accuracy": round(float(accuracy(scores, mnist.y_test)), 4),
        "test_errors": int((scores.argmax(axis=1) != mnist.y_test).sum()),
        "seconds_per_epoch": round(wall / epochs, 2),
        "cpu_seconds_per_epoch": round(cpu / epochs, 2),
    }
    return history.params, history.state, noted
