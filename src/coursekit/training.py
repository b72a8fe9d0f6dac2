"""How networks are trained: `minibatches`, `train`, `History`.

The numbers of a network (params, state, optimizer state) are plain dicts that you hold; nothing is hidden in the model.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import _checks, trees
from .errors import CourseError, DataError, DivergedError, NotFiniteError, ShapeError
from .fast.losses import form_of
from .layers import Layer
from .losses import softmax_cross_entropy
from .model import accuracy, predict

__all__ = ["History", "minibatches", "train"]


def minibatches(
    x: np.ndarray, y: np.ndarray, batch_size: int, rng: np.random.Generator | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One epoch: every example once, in an order drawn from `rng` (None: in the order given).

    The last batch is smaller when the batch size does not divide the number of examples.

    >>> x, y = np.arange(5.0)[:, None], np.arange(5)
    >>> [len(xb) for xb, yb in minibatches(x, y, 2, np.random.default_rng(0))]
    [2, 2, 1]
    """
    batch_size = _checks.whole("batch_size", batch_size)
    if len(x) != len(y):
        raise ShapeError(f"x has {len(x)} examples and y has {len(y)}; they must agree")
    if len(x) == 0:
        raise ShapeError("x and y are empty; training needs at least one example")
    order = np.arange(len(x)) if rng is None else _checks.generator("rng", rng).permutation(len(x))
    for i in range(0, len(x), batch_size):
        batch = order[i : i + batch_size]
        yield x[batch], y[batch]


@dataclass
class History:
    """What a training run did, and all the numbers that are needed to go on with it.

    Attributes
    ----------
    params, state, optimizer_state : the numbers that were learnt
    step : updates made so far
    epoch : epochs finished so far
    loss : the loss of every step, in order; with run axes an array a step
    epochs : one dict an epoch: `epoch`, `step`, mean `loss` of its steps and, with validation data, `val_loss` and
        `val_accuracy`
    stopped : why training ended: "finished", "interrupted" (Ctrl-C) or what a callback said
    """

    params: dict
    state: dict
    optimizer_state: dict
    step: int = 0
    epoch: int = 0
    loss: list = field(default_factory=list)
    epochs: list = field(default_factory=list)
    stopped: str = "finished"
    resume: dict = field(default_factory=dict, repr=False)

    def __repr__(self):
        last = f", last loss {np.asarray(self.loss[-1])}" if self.loss else ""
        return f"History({self.epoch} epochs, {self.step} steps{last}, {self.stopped})"

    def curve(self, name: str) -> np.ndarray:
        """One column of `epochs` as an array, for example `curve("val_accuracy")`."""
        if not self.epochs or name not in self.epochs[0]:
            known = ", ".join(self.epochs[0]) if self.epochs else "nothing yet: no epoch is finished"
            raise DataError(f"the history has no column {name!r}; it has {known}")
        return np.array([row[name] for row in self.epochs])

    def save(self, path: str | os.PathLike) -> Path:
        """Write everything to one .npz file without pickle; the file is replaced in one move or not at all."""
        arrays, meta = {}, {}
        for part in ("params", "state", "optimizer_state"):
            meta[part] = trees.flatten(getattr(self, part), part, arrays)
        arrays["loss"] = np.array(self.loss)
        meta |= {"step": self.step, "epoch": self.epoch, "stopped": self.stopped, "resume": self.resume}
        meta["epochs"] = [{k: np.asarray(v).tolist() for k, v in row.items()} for row in self.epochs]
        arrays["meta"] = np.array(json.dumps(meta))
        path = Path(path)
        path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        return path

    @classmethod
    def load(cls, path: str | os.PathLike) -> History:
        """Read what `save` wrote; `train(..., resume=history)` goes on to the same numbers."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            meta = json.loads(str(arrays["meta"]))
            parts = {p: trees.unflatten(meta[p], arrays) for p in ("params", "state", "optimizer_state")}
            return cls(
                **parts,
                step=meta["step"],
                epoch=meta["epoch"],
                loss=list(arrays["loss"]),
                epochs=meta["epochs"],
                stopped=meta["stopped"],
                resume=meta["resume"],
            )
        except FileNotFoundError:
            raise DataError(f"there is no file {os.fspath(path)!r}; History.save writes one") from None
        except (ValueError, KeyError, TypeError, OSError, EOFError) as error:
            raise DataError(f"{os.fspath(path)!r} is not a file that History.save wrote ({error})") from None
        except Exception as error:  # zipfile.BadZipFile and what damaged archives raise besides
            raise DataError(f"{os.fspath(path)!r} is damaged ({error})") from None


def train(
    model: Layer,
    x: np.ndarray,
    y: np.ndarray,
    *,
    optimizer,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    loss: Callable = softmax_cross_entropy,
    params: dict | None = None,
    state: dict | None = None,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    callbacks: tuple[Callable, ...] = (),
    progress: bool = True,
    threads: int = 1,
    resume: History | None = None,
) -> History:
    """Train a network by mini-batch gradient descent.

    Each step is forward, loss, backward, update::

        out, cache, state = model.forward(params, state, xb, training=True, rng=rng)
        value, dout = loss(out, yb)
        grads = model.backward_first(dout, cache)
        params, optimizer_state = optimizer.update(params, grads, optimizer_state)

    Parameters
    ----------
    model : a layer, mostly a `Sequential`
    x, y : (N, ...) training inputs, (N,) or (N, ...) what `loss` compares with
    optimizer : see `coursekit.optimizers`
    epochs, batch_size : passes over the data; examples a step
    rng : draws the first params (unless given), the order of the examples and the layers' noise
    loss : `loss(out, yb) -> (value, dout)`
    params, state : start from these instead of drawing new ones; they are copied, not changed
    validation : (x, y) on which loss and accuracy are measured after every epoch, in eval mode
    callbacks : functions called as `callback(history)` after every epoch; one that returns a string stops training,
        and the string becomes `history.stopped`
    progress : show a bar (tqdm if installed, plain lines if not)
    threads : BLAS threads; one is the fastest for networks of this size (needs threadpoolctl to take effect)
    resume : a History to go on with; `epochs` is the total, and the numbers are the same as without the break

    Returns
    -------
    History. Ctrl-C ends training after the step at work and returns what was learnt, `stopped="interrupted"`.

    Raises
    ------
    DivergedError
        If the loss becomes NaN or infinite; the message says at which step, and `error.history` holds the run so far.

    >>> from coursekit.layers import Dense
    >>> from coursekit.model import Sequential
    >>> from coursekit.optimizers import sgd
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 2)); y = (x[:, 0] > x[:, 1]).astype(int)
    >>> net = Sequential([Dense(2, 2)])
    >>> history = train(net, x, y, optimizer=sgd(0.5), epochs=20, batch_size=20, rng=rng, progress=False)
    >>> bool(accuracy(predict(net, history.params, history.state, x), y) > 0.97)
    True
    """
    epochs = _checks.whole("epochs", epochs, 0)
    batch_size = _checks.whole("batch_size", batch_size)
    rng = _checks.generator("rng", rng)
    next(minibatches(x, y, batch_size, None))  # checks x and y
    history = _start(model, optimizer, params, state, rng, resume)
    order_rng, noise_rng = (_generator(history.resume[name]) for name in ("order", "noise"))
    batches = -(-len(x) // batch_size)
    with _threads(threads), _interruptible() as interrupted, _bar(progress, epochs * batches, history) as bar:
        try:
            while history.epoch < epochs:
                start = history.resume["batch"]
                for i, (xb, yb) in enumerate(minibatches(x, y, batch_size, order_rng)):
                    if i < start:
                        continue
                    _step(model, optimizer, loss, history, xb, yb, noise_rng)
                    history.resume |= {"batch": i + 1, "noise": noise_rng.bit_generator.state}
                    bar(history)
                    if interrupted():
                        raise KeyboardInterrupt
                history.epoch += 1
                history.resume |= {"batch": 0, "order": order_rng.bit_generator.state}
                history.epochs.append(_epoch_row(model, loss, history, batches, validation))
                reasons = [reason for callback in callbacks if isinstance(reason := callback(history), str)]
                if reasons:
                    history.stopped = reasons[0]
                    return history
                if interrupted():
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            history.stopped = "interrupted"
            return history
    history.stopped = "finished"
    return history


def _start(model, optimizer, params, state, rng, resume):
    if resume is not None:
        if params is not None or state is not None:
            raise CourseError("give either resume= or params= and state=, not both")
        return copy.deepcopy(resume)
    if params is None:
        params, drawn = model.init(rng)
        state = drawn if state is None else state
    params, state = copy.deepcopy(params), copy.deepcopy(state or {})
    order, noise = rng.spawn(2)
    resume = {"batch": 0, "order": order.bit_generator.state, "noise": noise.bit_generator.state}
    return History(params, state, optimizer.init(params), resume=resume)


def _generator(state):
    bits = getattr(np.random, state["bit_generator"])()
    bits.state = state
    return np.random.Generator(bits)


def _step(model, optimizer, loss, history, xb, yb, rng):
    out, cache, state = model.forward(history.params, history.state, xb, training=True, rng=rng)
    try:
        value, dout = form_of(loss)(out, yb)
    except NotFiniteError as error:
        raise _diverged(history, str(error)) from None
    if not np.any(np.isfinite(value)):
        raise _diverged(history, f"the loss is {value}")
    grads = model.backward_first(dout, cache)
    history.params, history.optimizer_state = optimizer.update(
        history.params, grads, history.optimizer_state, inplace=True
    )
    history.state = state
    history.step += 1
    history.loss.append(value)


def _diverged(history, what):
    lately = ", ".join(f"{np.asarray(v).min():.4g}" for v in history.loss[-3:])
    error = DivergedError(
        f"training diverged at step {history.step + 1} (epoch {history.epoch + 1}): {what}. "
        + (f"The losses before it: {lately}. " if lately else "It is the first step: look at the inputs. ")
        + "Try a learning rate ten times smaller, coursekit.optimizers.global_norm_clip, or inputs of about unit size"
    )
    history.stopped = "diverged"
    error.history = history
    return error


def _epoch_row(model, loss, history, batches, validation):
    row = {"epoch": history.epoch, "step": history.step, "loss": np.mean(history.loss[-batches:], axis=0)}
    if validation is not None:
        x, y = validation
        out = predict(model, history.params, history.state, x)
        try:
            row["val_loss"] = loss(out, y)[0]
        except NotFiniteError as error:
            raise _diverged(history, f"on the validation data {error}") from None
        if loss is softmax_cross_entropy:
            row["val_accuracy"] = accuracy(out, y)
    return row


@contextlib.contextmanager
def _interruptible():
    """Turn the first Ctrl-C into a flag, so that no update is left half made; the second one interrupts at once."""
    import signal
    import threading

    seen = []
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGINT"):
        yield lambda: False
        return
    old = signal.getsignal(signal.SIGINT)

    def handler(number, frame):
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    try:
        signal.signal(signal.SIGINT, handler)
    except (ValueError, OSError):
        yield lambda: False
        return
    try:
        yield lambda: bool(seen)
    finally:
        signal.signal(signal.SIGINT, old)


@contextlib.contextmanager
def _threads(threads):
    threads = _checks.whole("threads", threads)
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    with threadpool_limits(threads, user_api="blas"):
        yield


@contextlib.contextmanager
def _bar(show, total, history):
    """A function to call after each step, and the bar that it moves."""
    if not show:
        yield lambda history: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield _plain_lines(total)
        return
    with tqdm(total=total, initial=history.step, unit="step") as bar:

        def advance(history):
            bar.update(1)
            if history.step % 10 == 0:
                bar.set_postfix(epoch=history.epoch + 1, loss=f"{np.mean(history.loss[-10:]):.4f}", refresh=False)

        yield advance


def _plain_lines(total):
    every = max(1, total // 10)

    def advance(history):
        if history.step % every == 0:
            print(f"step {history.step} of {total}, loss {np.mean(history.loss[-every:]):.4f}", flush=True)

    return advance
