"""Pictures that questions of the quizzes ask about, each from a run; a question names its function as `picture`.

The alternative texts say what is to be seen, not what follows from it: a reader who hears them is asked the same.
"""

from __future__ import annotations

import numpy as np

from ..experiments import activations, initialization, learning_rate_and_batch_size, losses, regularization
from ..plotting import questions as plot

__all__ = [
    "correlated_cloud",
    "range_test",
    "slope_of_sigmoid",
    "three_losses",
    "three_rates",
    "three_starts",
    "two_losses",
]


def three_losses():
    """Hinge (A), cross-entropy (B), squared error after a sigmoid (C)."""
    run = losses.shapes(points=161)
    named = {"A": "hinge", "B": "cross-entropy", "C": "MSE after sigmoid"}
    return plot.lettered(
        run["score"],
        {letter: run["losses"][name] for letter, name in named.items()},
        xlabel="score of the true class",
        ylabel="loss",
        at={"A": 40, "B": 118, "C": 12},
        alt="Three losses against a score from −4 to 4. A falls in a straight line from 5 to 0, which it reaches "
        "at score 1, and stays at 0. B falls from 4.0 and bends, to 0.3 at score 1 and 0.02 at score 4. C "
        "falls from nearly 1 on the left, where it is flat, to nearly 0 on the right, where it is flat too.",
    )


def slope_of_sigmoid():
    """The slope of one activation function."""
    run = activations.shape("sigmoid", low=-8.0, high=8.0)
    return plot.curve(
        run["x"],
        run["slope"],
        xlabel="input",
        ylabel="slope",
        alt="A slope against the input. It rises from 0 at −8 to 0.25 at 0 and falls to 0 again at 8.",
    )


def correlated_cloud():
    """Two standardized features with a correlation of 0.95."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 150))
    points = np.stack([a, 0.95 * a + np.sqrt(1 - 0.95**2) * b], axis=1)
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    return plot.cloud(
        points,
        xlabel="feature 1, standardized",
        ylabel="feature 2, standardized",
        alt="A cloud of 150 points along the diagonal: both features run from about −3 to 3, and go together. "
        "Along the diagonal the standard deviation is 1.4, across it 0.22.",
    )


def three_starts():
    """ReLU layers after starts with weights too large (A), of He's size (B) and of Xavier's (C)."""
    starts = {"A": 0.2, "B": np.sqrt(2 / 100), "C": 0.1}
    runs = {
        letter: initialization.signal(std=float(std), activation="relu", depth=20, width=100)["std"]
        for letter, std in starts.items()
    }
    return plot.lettered(
        np.arange(1, 21),
        runs,
        xlabel="layer",
        ylabel="std of the outputs",
        at=dict.fromkeys(runs, 14),
        log=True,
        alt="Size of the outputs of 20 layers on a logarithmic axis. A rises in a straight line, about 1000-fold. "
        "B stays about level. C falls in a straight line, about 1000-fold.",
    )


def range_test():
    """The smoothed loss of a range test, with four rates."""
    run = learning_rate_and_batch_size.range_test()
    shown = np.isfinite(run["smooth"]) & (run["lr"] > 1e-3)
    steepest, lowest = run["steepest"], run["lowest"]
    marks = {"A": 0.003, "B": steepest / 3, "C": lowest, "D": 4 * lowest}
    return plot.marked(
        run["lr"][shown],
        {"smoothed loss": run["smooth"][shown]},
        marks,
        xlabel="learning rate",
        ylabel="smoothed loss",
        xlog=True,
        ylim=(0.5, 4.0),
        alt="The smoothed loss while the rate grows. At rate A it has hardly left 2.4. At rate B it falls "
        "quickly. At rate C it is lowest. At rate D it has left the picture at the top.",
    )


def two_losses():
    """Training and validation loss by epoch, with three epochs."""
    curves = regularization.validation_curves()
    train, held = curves["train"][:, 0], curves[300][:, 0]
    epochs = np.arange(1, len(train) + 1)
    best = int(np.argmin(held)) + 1
    return plot.marked(
        epochs,
        {"training loss": train, "validation loss": held},
        {"A": 3, "B": best, "C": int(epochs[-2])},
        xlabel="epoch",
        ylabel="loss",
        ylim=(0, 1.8),
        alt="Training and validation loss by epoch. At epoch A both fall. At epoch B the validation loss is "
        "lowest, and the training loss goes on falling. At epoch C the training loss is near its lowest, and "
        "the validation loss has risen.",
    )


def three_rates():
    """The loss of one network at a small (A), a middling (B) and a large rate (C)."""
    rates = {"A": 0.01, "B": 0.3, "C": 3.0}
    kernel = np.ones(10) / 10
    runs = {
        letter: np.convolve(learning_rate_and_batch_size.rate(value)["loss"], kernel, "valid")
        for letter, value in rates.items()
    }
    return plot.lettered(
        np.arange(len(runs["A"])),
        runs,
        xlabel="step",
        ylabel="loss (mean of 10 steps)",
        at={"A": 90, "B": 90, "C": 18},
        ylim=(0, 2.6),
        alt="Three curves of the loss over 140 steps. A falls slowly and evenly from 2.4 to 2.0. B falls to 0.7 "
        "within 60 steps and to 0.5 in the end. C begins at 2, jumps up to 2.4, and then goes up and down between "
        "1.6 and 2.",
    )
