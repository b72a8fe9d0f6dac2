"""Processes that grade, forked from the grader: each takes one piece of work at a time and gives back one JSON text."""

from __future__ import annotations

import contextlib
import gc
import json
import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable
from multiprocessing import connection

from ...errors import CourseError
from .apart import follow_parent

__all__ = ["Workers"]

MAX_RESULT = 16 << 20
_FORK = multiprocessing.get_context("fork")


class Workers:
    """`count` forks of this process. They call `work(number)` for what they are sent, and `close` at the end."""

    def __init__(self, work: Callable[[int], dict], close: Callable[[], None], count: int):
        self._work, self._close = work, close
        self._all = [self._start() for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for worker in self._all:
            worker.stop()

    def give(self, number: int) -> bool:
        """Send a number to a worker that has nothing to do; False when there is none."""
        for worker in self._all:
            if worker.job is None:
                worker.job = number
                worker.pipe.send_bytes(str(number).encode())
                return True
        return False

    def next(self) -> tuple[int, dict | None]:
        """The next number that is done, with its result: None when its worker has died (another takes its place)."""
        ready = connection.wait([w.pipe for w in self._all if w.job is not None])
        place = next(i for i, w in enumerate(self._all) if w.pipe in ready)
        worker = self._all[place]
        number, worker.job = worker.job, None
        try:
            result = json.loads(worker.pipe.recv_bytes(MAX_RESULT))
        except (EOFError, OSError, ValueError):
            worker.stop()
            self._all[place] = self._start()
            return number, None
        if "failed" in result:
            raise CourseError(result["failed"])
        return number, result["result"]

    def _start(self):
        ours, theirs = _FORK.Pipe()
        process = _FORK.Process(target=_serve, args=(theirs, ours, self._work, self._close), daemon=True)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # forks beside threads: a worker uses none of their locks
            process.start()
        theirs.close()
        return _Worker(process, ours)


class _Worker:
    def __init__(self, process, pipe):
        self.process, self.pipe, self.job = process, pipe, None

    def stop(self):
        if self.job is not None:
            self.process.kill()  # in the middle of something: its jail ends with it
        else:
            with contextlib.suppress(OSError):
                self.pipe.send_bytes(b"stop")
        self.pipe.close()
        self.process.join(5)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()


def _serve(pipe, other_end, work, close):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the grader ends us
    follow_parent()
    other_end.close()
    gc.freeze()  # what is here already stays shared with the grader
    try:
        while True:
            message = pipe.recv_bytes(20)
            if message == b"stop":
                break
            try:
                answer = {"result": work(int(message))}
            except CourseError as error:
                answer = {"failed": str(error)}
            pipe.send_bytes(json.dumps(answer).encode())
    except (EOFError, OSError):
        pass
    finally:
        close()
        os._exit(0)
