"""LeNet-5 on the 60,000 digits of MNIST, and a dense network with as many parameters to compare it with (chapter 13).

Both get the same plan, fixed beforehand: Adam, one cycle of the rate, images as they come, nothing added and nothing
turned. The test images are looked at once, after the last step.
"""

from __future__ import annotations

import time

from ... import data
from ...model import accuracy, predict
from ..cnn_architectures import BATCH, RATE, fit, inputs

EPOCHS = 10


def train(name: str, seed: int = 0, epochs: int = EPOCHS, mnist: data.Dataset | None = None) -> tuple[dict, dict, dict]:
    """Train a network of `cnn_architectures.BUILD`: its params, its state, and a record of the run."""
    mnist = data.mnist(full=True) if mnist is None else mnist
    start, start_cpu = time.perf_counter(), time.process_time()
    net, history = fit(name, mnist, seed, epochs)
    wall, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    scores = predict(net, history.params, history.state, inputs(name, mnist.x_test))
    noted = {
        "data": f"{mnist.name}: {len(mnist.x_train):,} images to train, {len(mnist.x_test):,} to test",
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
