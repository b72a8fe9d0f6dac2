"""A process of its own, with limits, for all that the grader computes on what a student sent.

To decode an answer, to compare it, and to run a function that a case lends to the student costs memory and time that
the student decides. So it happens in a fork of the grader that may take so much memory and processor time and no
more, and that hands back one JSON text. When it dies, its parent is told how, and goes on.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable

__all__ = ["Ended", "Overrun", "allow", "follow_parent", "run_apart"]

MAX_RESULT = 16 << 20
_PR_SET_PDEATHSIG = 1


class Ended(Exception):
    """The process ended without a result. `.ours` says that a limit of ours ended it, not somebody from outside."""

    def __init__(self, message: str, ours: bool):
        super().__init__(message)
        self.ours = ours


class Overrun(BaseException):
    """The time of `allow` is over; a BaseException, so that no case takes it for an error of the student's function."""


def allow(seconds: float) -> None:
    """From now on this process may compute for so many seconds; then `Overrun` is raised. 0 takes the bound away."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def run_apart(work: Callable[[], dict], *, memory: int, cpu_seconds: float, wall_seconds: float) -> dict:
    """`work()` in a fork of this process; what it returns must be JSON.

    The fork may take `memory` bytes more than this process has, and `cpu_seconds` of processor time. `wall_seconds` is
    for what waits and never ends.
    """
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forks beside threads: the fork uses none of their locks
        pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            _confine(memory, cpu_seconds)
            _send(write, work())
        except BaseException as error:
            with contextlib.suppress(BaseException):
                _send(write, {"raised": f"{type(error).__name__}: {error}"[:400]})
        finally:
            os._exit(0)
    os.close(write)
    try:
        data, late = _receive(read, time.monotonic() + wall_seconds)
    finally:
        os.close(read)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status, _ = os.wait4(pid, 0)
    try:
        result = json.loads(data)
    except ValueError:
        result = None
    if type(result) is not dict:
        ending = -signal.SIGKILL if late else os.waitstatus_to_exitcode(status)
        raise Ended(_words(ending, late), ours=late or ending == -signal.SIGXCPU)
    if "raised" in result:
        raise Ended(result["raised"], ours=True)
    return result


def _words(ending, late):
    if late or ending == -signal.SIGXCPU:
        return "it took too much time"
    return f"its process ended (status {ending})"


def _send(fd, result):
    view = memoryview(json.dumps(result).encode())
    while view:
        view = view[os.write(fd, view) :]


def _receive(fd, deadline):
    data, poll = bytearray(), select.poll()
    poll.register(fd, select.POLLIN)
    while len(data) <= MAX_RESULT:
        left = deadline - time.monotonic()
        if left <= 0:
            return b"", True
        if poll.poll(left * 1000):
            part = os.read(fd, 1 << 16)
            if not part:
                return bytes(data), False
            data += part
    return b"", False


def _confine(memory, cpu_seconds):
    """Limits for this process: memory, processor time, no files. It ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, _over)
    follow_parent()
    if sys.platform == "linux":
        _bound("RLIMIT_AS", _address_space() + memory)
        first_to_go()
    seconds = int(cpu_seconds) + 2
    _bound("RLIMIT_CPU", seconds)
    _bound("RLIMIT_FSIZE", 0)
    _bound("RLIMIT_CORE", 0)


def follow_parent() -> None:
    """From now on this process ends when its parent does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _bound(name, value):
    which = getattr(resource, name)
    hard = resource.getrlimit(which)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses some
        # The soft limit alone: at the hard one of processor time the kernel sends a signal that says nothing.
        resource.setrlimit(which, (value, hard))


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def first_to_go() -> None:
    """Where memory runs out for the whole machine, the kernel takes this process before the grader."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _over(signum, frame):
    raise Overrun
