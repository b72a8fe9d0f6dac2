"""How networks are trained: `minibatches`, `train`, `History`.

The numbers of a network (params, state, optimizer state) are plain dicts that you hold; nothing is hidden in the model.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import _checks, trees
from ._atomic import write_atomically
from .errors import CourseError, DataError, DivergedError, DTypeError, NotFiniteError, ShapeError
from .fast.losses import form_of
from .layers import Layer
from .losses import softmax_cross_entropy
from .model import accuracy, not_its_params, predict

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
    _examples("x", x, "y", y)
    if rng is not None:
        _checks.generator("rng", rng)
    return _batches(x, y, batch_size, rng)


def _batches(x, y, batch_size, rng):
    order = np.arange(len(x)) if rng is None else rng.permutation(len(x))
    for i in range(0, len(x), batch_size):
        batch = order[i : i + batch_size]
        yield x[batch], y[batch]


def _examples(name, x, other, y):
    """Refuse inputs and targets that are not arrays with the same number of examples, at least one."""
    for label, array in ((name, x), (other, y)):
        if not isinstance(array, np.ndarray):
            raise DTypeError(f"{label} is {_checks.describe(array)}, but must be a NumPy array: np.asarray({label})")
        if array.ndim == 0:
            raise ShapeError(f"{label} is a single number; expected one entry an example, {label} (N, ...)")
    if len(x) != len(y):
        raise ShapeError(f"{name} has {len(x)} examples and {other} has {len(y)}; they must agree")
    if len(x) == 0:
        raise ShapeError(f"{name} and {other} are empty; training needs at least one example")
    for label, array in ((name, x), (other, y)):
        if array.dtype.kind == "f":
            _checks.finite(label, array)


_SAVED = ("params", "state", "optimizer_state", "epochs", "best", "resume")  # what holds arrays


@dataclass
class History:
    """What a training run did, and all the numbers that are needed to go on with it.

    Attributes
    ----------
    params, state, optimizer_state : the numbers that were learnt
    step : updates made so far
    epoch : epochs finished so far
    loss : the loss of every step, in order; with run axes an array a step
    epochs : one dict an epoch: `epoch`, `step`, mean `loss` of its examples (before the updates of their steps) and,
        with validation data, `val_loss` and `val_accuracy`
    stopped : why training ended: "finished", "interrupted" (Ctrl-C), what a callback said, or the error that ended it
    best : what callbacks keep of the best epoch, such as the params that `EarlyStopping` would choose
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
    best: dict = field(default_factory=dict, repr=False)

    def __repr__(self):
        last = f", last loss {np.asarray(self.loss[-1])}" if self.loss else ""
        return f"History({self.epoch} epochs, {self.step} steps{last}, {self.stopped})"

    def curve(self, name: str) -> np.ndarray:
        """One column of `epochs` as an array, for example `curve("val_accuracy")`."""
        known = ", ".join(dict.fromkeys(column for row in self.epochs for column in row))
        if not any(name in row for row in self.epochs):
            raise DataError(
                f"the history has no column {name!r}; it has {known or 'nothing yet: no epoch is finished'}"
            )
        if missing := [row["epoch"] for row in self.epochs if name not in row]:
            raise DataError(f"{name!r} was not measured in epoch {missing[0]}; leave that part out: history.epochs")
        return np.array([row[name] for row in self.epochs])

    def save(self, path: str | os.PathLike) -> Path:
        """Write everything to one .npz file without pickle; the file is replaced in one move or not at all."""
        arrays: dict = {}
        meta: dict = {}
        for part in _SAVED:
            meta[part] = trees.flatten(getattr(self, part), part, arrays)
        arrays["loss"] = np.array(self.loss)
        meta |= {"step": self.step, "epoch": self.epoch, "stopped": self.stopped}
        arrays["meta"] = np.array(json.dumps(meta))
        path = _path(path)
        path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
        if not path.parent.is_dir():
            raise DataError(f"there is no folder {str(path.parent)!r} to write {path.name!r} into; make it first")
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type]
        write_atomically(path, content.getvalue())
        return path

    @classmethod
    def load(cls, path: str | os.PathLike) -> History:
        """Read what `save` wrote; `train(..., resume=history)` goes on to the same numbers."""
        path = _path(path)
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            meta = json.loads(str(arrays["meta"]))
            parts = {p: trees.unflatten(meta[p], arrays) for p in _SAVED}
            return cls(
                **parts,
                step=meta["step"],
                epoch=meta["epoch"],
                loss=list(arrays["loss"]),
                stopped=meta["stopped"],
            )
        except FileNotFoundError:
            raise DataError(f"there is no file {os.fspath(path)!r}; History.save writes one") from None
        except (ValueError, KeyError, TypeError, OSError, EOFError) as error:
            raise DataError(f"{os.fspath(path)!r} is not a file that History.save wrote ({error})") from None
        except Exception as error:  # zipfile.BadZipFile and what damaged archives raise besides
            raise DataError(f"{os.fspath(path)!r} is damaged ({error})") from None


def _path(path: str | os.PathLike) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise DTypeError(f"path is {_checks.describe(path)}, but must be the name of a file, such as 'run.npz'")
    return Path(path)


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
    epochs, batch_size : passes over the data; examples a step. Where `batch_size` does not divide N, the last step of
        an epoch takes what is left, and its loss weighs less in the epoch's mean
    rng : draws the first params (unless given), the order of the examples and the layers' noise
    loss : `loss(out, yb) -> (value, dout)`
    params, state : start from these instead of drawing new ones; they are copied, not changed
    validation : (x, y) on which loss and accuracy are measured after every epoch, in eval mode
    callbacks : functions called as `callback(history)` after every epoch; one that returns a string stops training,
        and the string becomes `history.stopped`. One that has a method `check(columns)` is told before the first step
        which columns the history will have
    progress : show a bar (tqdm if installed, plain lines if not)
    threads : BLAS threads; one is the fastest for networks of this size (needs threadpoolctl to take effect)
    resume : a History to go on with; `epochs` is the total, and the numbers are the same as without the break. It is
        copied, not changed

    Returns
    -------
    History. Ctrl-C ends training after the step at work and returns what was learnt, `stopped="interrupted"`.

    Raises
    ------
    DivergedError
        If the loss becomes NaN or infinite; the message says at which step.
    CourseError
        If an argument does not fit: before the first step, by a forward pass in eval mode.

    Notes
    -----
    Whatever is raised after the first step has the run so far as `error.history`, which `resume` takes.

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
    callbacks = check_arguments(model, optimizer, loss, x, y, validation, callbacks)
    history = _start(model, optimizer, params, state, rng, resume)
    _check_resume(history, optimizer, len(x), batch_size)
    order_rng, noise_rng = (_generator(history.resume[name]) for name in ("order", "noise"))
    batches = -(-len(x) // batch_size)
    weights = np.array([min(batch_size, len(x) - i) for i in range(0, len(x), batch_size)]) / len(x)
    with _threads(threads), _interruptible() as interrupted, _bar(progress, epochs * batches, history) as bar:
        try:
            if history.epoch < epochs:
                rehearse(model, loss, history, x, y, batch_size, validation, callbacks)
            while history.epoch < epochs or "called" in history.resume:
                if "called" not in history.resume:
                    start = history.resume["batch"]
                    for i, (xb, yb) in enumerate(minibatches(x, y, batch_size, order_rng)):
                        if i < start:
                            continue
                        _step(model, optimizer, loss, history, xb, yb, noise_rng)
                        history.resume |= {"batch": i + 1, "noise": noise_rng.bit_generator.state}
                        bar(history)
                        if interrupted():
                            raise KeyboardInterrupt
                    row = _epoch_row(model, loss, history, weights, validation)
                    history.epoch += 1
                    history.epochs.append(row)
                    history.resume |= {"batch": 0, "order": order_rng.bit_generator.state, "called": 0}
                reasons = _call(callbacks, history)
                if reasons:
                    history.stopped = reasons[0]
                    return history
                if interrupted():
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            history.stopped = "interrupted"
            return history
        except Exception as error:
            if history.stopped != "diverged":
                history.stopped = f"{type(error).__name__}: {error}"
            error.history = history  # type: ignore[attr-defined]
            raise
    history.stopped = "finished"
    return history


def _call(callbacks, history):
    """Call the callbacks that have not been called after this epoch; returns the reasons to stop."""
    reasons = []
    for callback in callbacks[history.resume["called"] :]:
        reason = callback(history)
        history.resume["called"] += 1
        if isinstance(reason, str):
            reasons.append(reason)
    del history.resume["called"]
    return reasons


def check_arguments(model, optimizer, loss, x, y, validation=None, callbacks=()):
    """Everything that can be seen without a pass; returns the callbacks as a tuple."""
    if isinstance(model, type) or not all(hasattr(model, name) for name in ("init", "forward", "backward_first")):
        raise DTypeError(
            f"model is {_checks.describe(model)}, but must be a layer such as Sequential([Dense(784, 10)])"
        )
    if isinstance(optimizer, type) or not all(hasattr(optimizer, name) for name in ("init", "update")):
        raise DTypeError(f"optimizer is {_checks.describe(optimizer)}, but must be one such as optimizers.adam(1e-3)")
    if not callable(loss):
        raise DTypeError(f"loss is {_checks.describe(loss)}, but must be a function such as softmax_cross_entropy")
    _examples("x", x, "y", y)
    if validation is not None:
        if not isinstance(validation, (tuple, list)) or len(validation) != 2:
            raise DTypeError(f"validation is {_checks.describe(validation)}, but must be a pair: validation=(x, y)")
        _examples("validation[0]", validation[0], "validation[1]", validation[1])
        for i, (held, seen, name) in enumerate(zip(validation, (x, y), "xy", strict=True)):
            if held.shape[1:] != seen.shape[1:]:
                raise ShapeError(
                    f"validation[{i}] has shape {held.shape}, but {name} has shape {seen.shape}; all axes but "
                    "the first must agree"
                )
    if callable(callbacks) or not isinstance(callbacks, (tuple, list)):
        raise DTypeError(f"callbacks is {_checks.describe(callbacks)}, but must be a list of functions: callbacks=[f]")
    for i, callback in enumerate(callbacks):
        if not callable(callback):
            raise DTypeError(f"callbacks[{i}] is {_checks.describe(callback)}, but must be a function of the history")
        if isinstance(callback, type):
            raise DTypeError(f"callbacks[{i}] is the class {callback.__name__}; make one: {callback.__name__}(...)")
    return tuple(callbacks)


def _check_resume(history, optimizer, examples, batch_size):
    """A history goes on with the same optimizer, and in the middle of an epoch with the same batches."""
    wanted, found = (
        {str(path): np.shape(leaf) for path, leaf in trees.leaves(tree).items()}
        for tree in (optimizer.init(history.params), history.optimizer_state)
    )
    if wanted != found:
        raise ShapeError(
            f"resume holds the state of another optimizer than {optimizer!r}: "
            f"{', '.join(map(str, history.optimizer_state)) or 'nothing'}; go on with the one that it was made with"
        )
    before = history.resume.get("batches_of"), history.resume.get("examples")
    if history.resume["batch"] and before != (batch_size, examples):
        raise CourseError(
            f"the run was interrupted in the middle of an epoch of {before[1]} examples in batches of {before[0]}; it "
            f"cannot go on with {examples} examples in batches of {batch_size}"
        )
    history.resume |= {"batches_of": batch_size, "examples": examples}


def rehearse(model, loss, history, x, y, batch_size, validation=None, callbacks=()):
    """Find before the first step what would go wrong later: one pass of a batch, the smallest batch, all labels."""
    out, value = _answer(model, loss, history, x[:batch_size], y[:batch_size], "x")
    left = len(x) % batch_size
    if left:
        try:
            model.forward(
                history.params, history.state, x[:left], training=True, rng=_generator(history.resume["noise"])
            )
        except CourseError as error:
            raise type(error)(
                f"batch_size={batch_size} leaves a last batch of {left} of the {len(x)} examples, which the network "
                f"cannot be trained on: {error}. Take another batch size, or leave {left} out"
            ) from None
    columns = {"epoch": 0, "step": 0, "loss": value}
    if loss is softmax_cross_entropy:
        _checks.labels(y, out.shape[-1], (*out.shape[:-2], len(y)), "y")
    if validation is not None:
        vx, vy = validation
        _, columns["val_loss"] = _answer(model, loss, history, vx[:batch_size], vy[:batch_size], "validation[0]")
        if loss is softmax_cross_entropy:
            _checks.labels(vy, out.shape[-1], (*out.shape[:-2], len(vy)), "validation[1]")
            columns["val_accuracy"] = value
    for callback in callbacks:
        if hasattr(callback, "check"):
            callback.check(columns)


def _answer(model, loss, history, x, y, name):
    """The network's answer to some examples and its loss, in eval mode."""
    try:
        out = model.forward(history.params, history.state, x, training=False)[0]
    except CourseError as error:
        raise type(error)(f"the network does not take {name}, of shape {x.shape}: {error}") from None
    except KeyError:
        raise not_its_params(model, history.params) from None
    with contextlib.suppress(NotFiniteError):  # a run that starts with an infinite loss says so at its first step
        return out, _checked_loss(loss, out, y)
    return out, np.nan


def _checked_loss(loss, out, y):
    """The value of a loss that returns what training needs."""
    result = loss(out, y)
    if not (isinstance(result, tuple) and len(result) == 2):
        raise DTypeError(
            f"loss returned {_checks.describe(result)}, but must return a pair, (value, gradient with respect to the "
            "network's output); write return value, dout"
        )
    value, dout = result
    if np.ndim(value) and out.ndim == 2:
        raise ShapeError(
            f"loss returned a value of shape {np.shape(value)}, but must return one number (an array only with run "
            "axes); is a .mean() missing?"
        )
    _checks.gradient(dout, out.shape, "the gradient that loss returned")
    return value


def _start(model, optimizer, params, state, rng, resume):
    if resume is not None:
        if not isinstance(resume, History):
            raise DTypeError(f"resume is {_checks.describe(resume)}, but must be a History: History.load(path)")
        if params is not None or state is not None:
            raise CourseError("give either resume= or params= and state=, not both")
        return copy.deepcopy(resume)
    for name, given in (("params", params), ("state", state)):
        if given is not None and not isinstance(given, dict):
            raise DTypeError(f"{name} is {_checks.describe(given)}, but must be the dict that model.init(rng) gives")
    if params is None:
        params, drawn = model.init(rng)
    else:
        drawn = model.init(copy.deepcopy(rng))[1]  # batch norm's statistics need a start, and no random numbers
    if state is not None and state.keys() != drawn.keys():
        has, wanted = (", ".join(map(str, s)) or "nothing" for s in (state, drawn))
        raise ShapeError(f"state holds {has}, but the state of this network holds {wanted}; give what model.init gave")
    state = drawn if state is None else state
    params, state = copy.deepcopy(params), copy.deepcopy(state)
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


def _epoch_row(model, loss, history, weights, validation):
    losses = np.array(history.loss[-len(weights) :])
    mean = np.tensordot(weights.astype(losses.dtype), losses, axes=1)
    row = {"epoch": history.epoch + 1, "step": history.step, "loss": mean[()]}
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


if sys.platform == "emscripten":
    from . import _steps

    _step, train = _steps.counted(_step), _steps.of_training(train)
