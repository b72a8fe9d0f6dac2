"""Small convolutional networks that chapter 15 takes their features from, and a table of what fine-tuning gave.

All are trained on the shipped samples: 10,000 digits, of which about half are 0 to 4, and 3,000 clothes.
"""

from __future__ import annotations

import numpy as np

from ...model import accuracy, predict
from ...optimizers import momentum
from ...schedules import cosine
from ...training import train as fit
from .. import transfer_learning as experiment

BATCH, RATE, STEPS = 50, 0.05, 1000
TRAINED_ON = {file: source for source, file in experiment.SOURCES.items()}


def train(name: str, seed: int = 0) -> tuple[dict, dict, dict]:
    """Train the network of this name: its params, its state, and a record of the run."""
    if name == "transfer_table":
        return table()
    source = TRAINED_ON[name]
    x, y, x_test, y_test = experiment.problem(source)
    net = experiment.network(int(y.max()) + 1)
    epochs = STEPS * BATCH // len(x)
    steps = epochs * -(-len(x) // BATCH)
    history = fit(
        net,
        x,
        y,
        optimizer=momentum(cosine(RATE, steps), 0.9),
        epochs=epochs,
        batch_size=BATCH,
        rng=np.random.default_rng(seed),
        progress=False,
    )
    return (
        history.params,
        history.state,
        {
            "data": f"{source}: {len(x):,} images to train, {len(x_test):,} to test, 14 x 14 pixels",
            "seed": seed,
            "epochs": epochs,
            "optimizer": f"momentum(cosine({RATE}), 0.9)",
            "test_accuracy": round(float(accuracy(predict(net, history.params, {}, x_test), y_test)), 4),
        },
    )


def table() -> tuple[dict, dict, dict]:
    """Accuracy from scratch and with each number of frozen layers, by size of the target, for `TASKS` of chapter 15."""
    params = {}
    for task in experiment.TASKS:
        result = experiment.compare(task, frozen=experiment.FROZEN, seeds=experiment.SEEDS)
        params[task] = {"scratch": result["scratch"], "transfer": result["transfer"]}
    noted = {
        "data": "accuracies on the test images of the shipped samples",
        "sizes": list(experiment.SIZES),
        "frozen": list(experiment.FROZEN),
        "seeds": experiment.SEEDS,
    }
    return params, {}, noted
