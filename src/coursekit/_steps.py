"""How far a training has come, told to whoever shows it: a cell's bar in the page, a line in a notebook.

Only a browser has this, where a training may take many seconds: training.py and experiments/_bench.py put these
functions around their loops there. Elsewhere `train` has its own bar, and experiments are quick.

>>> heard = []
>>> with listening(heard.append), _following(2) as step:
...     step(), step()
(None, None)
>>> heard[-1]
{'done': 2, 'of': 2, 'training': 1}
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import time
from collections.abc import Callable, Iterator

__all__ = ["counted", "listening", "of_descent", "of_training"]

OFTEN, PATIENCE = 0.2, 3.0  # seconds: between two reports; before a notebook prints one

_listeners: list[Callable[[dict], object]] = []
_steps: list[Callable[[], None]] = []  # of the trainings at work, the innermost one last
_begun = [0]


@contextlib.contextmanager
def listening(tell: Callable[[dict], object]) -> Iterator[None]:
    """Call `tell({"done", "of", "training"})` a few times a second while something trains inside of the block."""
    _listeners.append(tell)
    _begun[0] = 0
    try:
        yield
    finally:
        _listeners.remove(tell)


@contextlib.contextmanager
def _following(steps: int, prints: bool = True) -> Iterator[Callable[[], None]]:
    """A function to call after each of so many steps."""
    _begun[0] += 1
    number, done, last = _begun[0], 0, 0.0
    line = _Line(steps) if prints and not _listeners else None

    def step():
        nonlocal done, last
        done += 1
        now = time.perf_counter()
        if now - last < OFTEN and done < steps:
            return
        last = now
        for tell in _listeners:
            tell({"done": done, "of": steps, "training": number})
        if line:
            line.show(done)

    _steps.append(step)
    try:
        yield step
    finally:
        _steps.pop()
        if line:
            line.end(done)


class _Line:
    """A printed line for one training that takes long; a carriage return lets the next one take its place."""

    def __init__(self, steps):
        self.steps, self.began, self.shown = steps, time.perf_counter(), False

    def show(self, done):
        seconds = time.perf_counter() - self.began
        if seconds > PATIENCE:
            self.shown = True
            print(f"\rtraining: step {done} of {self.steps}, {seconds:.0f} s", end="", flush=True)

    def end(self, done):
        if self.shown:
            print(f"\rtrained {done} steps in {time.perf_counter() - self.began:.0f} s   ", flush=True)


def of_descent(descend: Callable) -> Callable:
    """`experiments._bench.descend`, which asks for a batch in each step, with its steps counted."""

    @functools.wraps(descend)
    def told(net, params, sample, rule, *, steps, **more):
        with _following(steps) as step:

            def batch():
                step()
                return sample()

            return descend(net, params, batch, rule, steps=steps, **more)

    return told


def of_training(train: Callable) -> Callable:
    """`training.train` with its steps counted, by `counted` around the function that makes one."""
    signature = inspect.signature(train)

    @functools.wraps(train)
    def told(*args, **keywords):
        try:
            given = signature.bind(*args, **keywords)
            given.apply_defaults()
            epochs, size, x = (given.arguments[name] for name in ("epochs", "batch_size", "x"))
            steps = epochs * -(-len(x) // size)
        except Exception:  # `train` itself says what does not fit
            return train(*args, **keywords)
        with _following(steps, prints=not given.arguments["progress"]):
            return train(*args, **keywords)

    return told


def counted(step: Callable) -> Callable:
    """A function that makes one step of the training at work."""

    @functools.wraps(step)
    def told(*args, **keywords):
        result = step(*args, **keywords)
        if _steps:
            _steps[-1]()
        return result

    return told
