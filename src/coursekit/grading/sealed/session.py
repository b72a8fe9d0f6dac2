"""One student's notebook behind glass: children in the jail that run it, and stand-ins for what it defines.

    with Session(jail, data) as session:                # data: the bytes of the notebook file
        session.read_cells()
        with session.question():                        # a fresh child; the cells are run again
            relu = session.namespace(["relu"])["relu"]  # a stand-in: it sends arrays over and gets copies back
            relu(np.ones(3))

The student's code is never in this process. What comes back is built by `inside.protocol.decode`: exact arrays,
numbers, strings and containers of these; everything else stays in the child and is seen here as a `Handle`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import secrets
import select
import time
from collections.abc import Callable, Iterator

from .inside import protocol
from .jail import Jail, JailError

__all__ = ["Gone", "Handle", "NotANotebook", "Session", "StudentError"]

MAX_KILLED_CELLS = 4
MAX_RESTARTS = 3
MAX_CALLBACKS = 20_000
MAX_ITEMS = 10_000
MAX_HANDLES = 20_000
START_SECONDS = 30.0
TICKS = os.sysconf("SC_CLK_TCK")
# Where a child never gets a processor, the clock on the wall ends the question at last.
PATIENCE = 10


class StudentError(AssertionError):
    """The student's code raised an exception; the message says which, and in which line."""

    kind = "error"


class Gone(StudentError):
    """The student's process is no more: time, memory, a crash, or a forged answer. `.kind` says which."""

    def __init__(self, message: str, kind: str = "died"):
        super().__init__(message)
        self.kind = kind


class NotANotebook(ValueError):
    """The submitted file cannot be read; the message is for the student."""


class Session:
    """A submission in a jail, one child a question."""

    def __init__(self, jail: Jail, data: bytes):
        self.jail, self.limits = jail, jail.limits
        self.cells: list[str] | None = None
        self.killed: dict[int, str] = {}  # cells that hang or kill their process: skipped from then on
        self.suspected: dict[int, str] = {}  # cells during which a forged frame came: skipped in this question
        self.errors: dict[int, str] = {}  # what a cell raised when it last ran
        self.missing: dict[int, str] = {}  # imports that failed
        self.cpu = 0.0
        self.peak_kb = 0
        self._data, self._child = data, None
        self._generation = self._deadline = self._restarts = 0
        self._links: list[tuple[set[str], set[str]]] | None = None
        self._ran = False
        self._without: frozenset[int] = frozenset()
        self._seconds = self.limits.call_seconds
        self.endless: list[
            set[str]
        ] = []  # for each cell, functions with a loop that cannot end; "" for the cell itself
        self.slow: set[str] = set()  # names of the student's functions that did not end in time
        self._clock = Clock(lambda: None)
        self._hard = float("inf")
        self._handles = 0
        self._shared = 1.0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    @contextlib.contextmanager
    def question(self, without: frozenset[int] = frozenset(), seconds: float | None = None) -> Iterator[Session]:
        """A fresh child for one question, with time of its own; `without` are the numbers of cells to leave out."""
        self._open(self.limits.question_seconds if seconds is None else seconds)
        self._restarts, self._without, self._handles = 0, without, 0
        self.suspected.clear()
        try:
            yield self
        finally:
            self.stop()

    def _open(self, seconds):
        self._clock = Clock(getattr(self.jail, "child_pid", lambda: None))
        self._deadline = seconds
        self._hard = time.monotonic() + PATIENCE * seconds + START_SECONDS

    @property
    def spent(self) -> float:
        """Seconds of this question so far."""
        return self._clock.total

    def hurry(self, names) -> None:
        """A case begins that asks for `names`; its calls get less time where a function that hung has a part in it."""
        self._shared = 0.1 if self._lean_on(names) else 1.0

    def _lean_on(self, names) -> bool:
        if self._links is None:
            return False
        left_out = self.not_needed(names)
        doubtful = self.slow.union(*self.endless)
        return any(number not in left_out and doubtful & sets for number, (sets, _) in enumerate(self._links, 1))

    def contents(self) -> dict:
        """The cells as `read_cells` found them; JSON."""
        links = self._links
        found = None if links is None else [(sorted(sets), sorted(uses)) for sets, uses in links]
        return {"cells": self.cells, "links": found, "endless": [sorted(names) for names in self.endless]}

    def take_contents(self, contents: dict) -> None:
        """Take over what `contents` gave in another process."""
        self.cells = contents["cells"]
        links = contents["links"]
        self._links = links and [(set(sets), set(uses)) for sets, uses in links]
        self.endless = [set(names) for names in contents["endless"]]

    def remember(self) -> dict:
        """What later questions need to know; JSON, because each question has a process of its own."""
        return {
            "killed": {str(number): text for number, text in self.killed.items()},
            "slow": sorted(self.slow),
            "cpu": self.cpu,
            "peak_kb": self.peak_kb,
        }

    def recall(self, memory: dict) -> None:
        """Take over what `remember` gave in another process."""
        self.killed = {int(number): text for number, text in memory["killed"].items()}
        self.slow = set(memory["slow"])
        self.cpu, self.peak_kb = memory["cpu"], memory["peak_kb"]

    def namespace(self, names) -> dict:
        """What the notebook defines of `names`: values as copies, functions and objects as handles."""
        self._running()
        found = self.ask({"op": "names", "names": list(names)}, "the notebook")
        if (
            type(found) is not list
            or len(found) != len(names)
            or any(v is not None and type(v) is not list for v in found)
        ):
            raise self._gone("the notebook gave an answer that makes no sense", "forged")
        return {
            name: _renamed(value[0], name)
            for name, value in zip(names, found, strict=True)
            if value is not None and value
        }

    def trouble(self) -> str:
        """What went wrong in the cells, in words for the student; empty when nothing did."""
        parts = [*self.killed.values(), *self.suspected.values(), *self.errors.values(), *self.missing.values()]
        return "; ".join(parts)

    # --- the child --------------------------------------------------------------------------------------------------

    def stop(self) -> dict:
        """End the child, with all that it started."""
        if self._child is None:
            return {}
        self._child.close()
        self._child = None
        end = self.jail.reap()
        self.cpu += end.get("cpu", 0.0)
        self.peak_kb = max(self.peak_kb, end.get("peak_kb", 0))
        return end

    def _spawn(self):
        self._child = self.jail.spawn()
        self._child.setblocking(False)
        self._generation += 1
        self._ran = False
        before = self._clock.total
        # Before it answers anything the child says that it is locked. No code of the student has run until then.
        head, _ = self._receive(before + START_SECONDS, "starting the process")
        if head.get("id") != "locked":
            self.stop()
            raise JailError(f"the jail does not lock: {str(head.get('failed'))[:400]}")
        self._clock.watch(before)

    def read_cells(self) -> list[str]:
        """The code cells, read by a child, because a notebook file can be a bomb."""
        self._open(self.limits.question_seconds)
        self._spawn()
        try:
            answer = self.ask({"op": "open"}, "reading the notebook", [self._data], self.limits.cell_seconds)
        except StudentError as error:
            self.stop()
            raise NotANotebook(f"the file cannot be read: {error}") from None
        if type(answer) is not list or len(answer) != 2 or answer[0] not in ("cells", "bad"):
            raise NotANotebook("the file cannot be read")
        if answer[0] == "bad":
            self.stop()
            raise NotANotebook(str(answer[1]))
        self.cells = [str(source) for source in answer[1]]
        try:
            links = self.ask({"op": "links", "sources": self.cells}, "reading the notebook")
            self._links = [(set(map(str, sets)), set(map(str, uses))) for sets, uses, _ in links]
            self.endless = [set(map(str, names)) for _, _, names in links]
        except (StudentError, TypeError, ValueError):  # such as a cell that kills even the parser
            self._links = None
        return self.cells

    def not_needed(self, names) -> frozenset[int]:
        """The numbers of the cells that nothing in `names` depends on, as far as can be seen without running them."""
        links = self._links
        if links is None or len(links) != len(self.cells or ()):
            return frozenset()
        wanted = set(names)
        needed: set[int] = set()
        while True:
            more = {i for i, (sets, _) in enumerate(links, 1) if i not in needed and ("*" in sets or wanted & sets)}
            if not more:
                return frozenset(range(1, len(links) + 1)) - needed
            needed |= more
            for i in more:
                wanted.update(links[i - 1][1])

    def _running(self):
        """A child in which the cells have run."""
        if self._child is not None and self._ran:
            return
        if self._restarts >= MAX_RESTARTS:
            raise Gone(f"the notebook's process ended {MAX_RESTARTS} times in this question", "died")
        self._restarts += 1
        while True:
            if self._child is None:
                self._spawn()
            if self._run_cells():
                self._ran = True
                return

    def _run_cells(self):
        """Run every cell that is not known to kill its process; False when one of them did."""
        self._ran = False
        self.errors.clear()
        self.missing.clear()
        for number, source in enumerate(self.cells, 1):
            bad = {**self.killed, **self.suspected}
            if number in bad or number in self._without:
                continue
            if len(bad) >= MAX_KILLED_CELLS and number > max(bad):
                break
            try:
                stuck = len(self.endless) >= number and "" in self.endless[number - 1]
                seconds = self.limits.cell_seconds * (0.1 if stuck else 1.0)
                failed = self.ask({"op": "cell", "number": number, "source": source}, f"cell {number}", (), seconds)
            except Gone as error:
                if self._clock.total >= self._deadline:
                    raise
                # A forged frame may come from an earlier cell's thread, so that verdict does not outlast the question.
                found = self.suspected if error.kind == "forged" else self.killed
                found[number] = f"{error} (the cell is skipped)"
                return False
            except StudentError as error:
                self.errors[number] = str(error)
            else:
                if type(failed) is list and failed:
                    self.missing[number] = "; ".join(str(text)[:200] for text in failed[:5])
        return True

    # --- requests ---------------------------------------------------------------------------------------------------

    def ask(self, request: dict, what: str, blobs=(), seconds: float | None = None, callbacks: tuple = ()):
        """Send a request to the child and decode its answer; `callbacks` are the functions that it may call."""
        if self._child is None:
            raise Gone("the notebook's process has ended", "died")
        seconds = self._seconds = self.limits.call_seconds * self._shared if seconds is None else seconds
        deadline = min(self._deadline, self._clock.total + seconds)
        nonce = secrets.token_hex(8)
        self._send(protocol.pack({**request, "id": nonce}, blobs), deadline, what)
        calls = 0
        while True:
            try:
                head, body = self._receive(deadline, what)
                if "callback" not in head:
                    break
                number = head["callback"]
                calls += 1
                if type(number) is not int or not 0 <= number < len(callbacks) or calls > MAX_CALLBACKS:
                    raise protocol.Malformed("no such function")
                args, kwargs = self._decode(head.get("args"), body)
                del body
                if not all(type(key) is str for key in kwargs):
                    raise protocol.Malformed("not arguments")
            except (
                protocol.Malformed,
                TypeError,
                ValueError,
                AttributeError,
                OverflowError,
                RecursionError,
                MemoryError,
            ):
                raise self._gone(f"{what}: the answer is not one that our worker writes", "forged") from None
            self._send(_answer(callbacks[number], args, kwargs), deadline, what)
        if head.get("id") != nonce:
            raise self._gone(f"{what}: the answer does not belong to the question", "forged")
        if "error" in head:
            raise self._raised(what, head["error"])
        try:
            return self._decode(head["ok"], body)
        except (protocol.Malformed, KeyError, TypeError, ValueError, OverflowError, RecursionError, MemoryError):
            raise self._gone(f"{what}: the answer is not one that our worker writes", "forged") from None

    def _raised(self, what, error):
        """The exception that the student's code raised, with its line, in the words of `check`."""
        text = _error_text(error, self.cells or ())
        found = StudentError(f"{what} raised {text}")
        if text.startswith("NotImplementedError") and not what.startswith("cell "):
            found = StudentError(f"{what.removesuffix('()')} is not written yet.")
            found.kind = "unwritten"
        elif text.startswith("NameError") and not what.startswith("cell ") and (trouble := self.trouble()):
            found = StudentError(f"{what} raised {text}\nThe notebook had trouble: {trouble}")
        return found

    def call(self, target: int, generation: int, what: str, args, kwargs):
        """Call an object of the child."""
        self._alive(generation)
        blobs: list[bytes] = []
        callbacks: list = []

        def reference(value):
            if isinstance(value, Handle):
                self._alive(value._generation)
                return {"o": [value._number, ""]}
            if callable(value):
                callbacks.append(value)
                return {"f": [len(callbacks) - 1, ""]}
            raise TypeError(f"a case passes a {type(value).__name__} to {what}, which cannot be sent into the jail")

        tree = protocol.encode((tuple(args), kwargs), blobs, reference)
        return self.ask({"op": "call", "object": target, "args": tree}, what, blobs, None, tuple(callbacks))

    def _alive(self, generation):
        if self._child is None or generation != self._generation:
            raise Gone("the notebook's process has ended, and with it this object", "died")

    def _decode(self, tree, blobs):
        return protocol.decode(tree, blobs, {"o": self._handle})

    def _handle(self, number, name):
        self._handles += 1
        if self._handles > MAX_HANDLES:
            raise protocol.Malformed("too many objects")
        return Handle(self, self._generation, number, name)

    def _send(self, data, deadline, what):
        view = memoryview(data)
        while view:
            if not self._wait(deadline, write=True):
                raise self._gone(f"{what} did not end in time", "time")
            try:
                view = view[self._child.send(view[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._gone(f"{what} ended the process") from None

    def _receive(self, deadline, what):
        try:
            header, body = protocol.sizes(self._exactly(protocol.PREFIX.size, deadline, what))
            return protocol.unpack(self._exactly(header, deadline, what), self._exactly(body, deadline, what))
        except protocol.Malformed:
            raise self._gone(f"{what}: the answer is not one that our worker writes", "forged") from None

    def _exactly(self, count, deadline, what):
        data = bytearray()
        while len(data) < count:  # grows with what really comes, not with what is announced
            if not self._wait(deadline):
                raise self._gone(f"{what} did not end in time", "time")
            try:
                part = self._child.recv(min(1 << 20, count - len(data)))
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            if not part:
                raise self._gone(f"{what} ended the process")
            data += part
        return data

    def _wait(self, deadline, write=False):
        """Whether the child's socket is ready before the clock says `deadline`."""
        event = select.POLLOUT if write else select.POLLIN
        begin, late = time.monotonic(), _own_delay()
        while True:
            left = deadline - self._clock.total
            if self._child is None or left <= 0 or begin > self._hard:
                return False
            ready = _ready(self._child, event, min(left, STEP))
            now, delay = time.monotonic(), _own_delay()
            # What the grader itself waited for a processor, with the answer there perhaps, is not the student's time.
            self._clock.waited(max(0.0, now - begin - (delay - late)), not ready)
            if ready:
                return True
            begin, late = now, delay

    def _gone(self, message, kind="died"):
        """End the child and say why in words."""
        end = self.stop()
        if kind == "died":
            message += ": " + _end_text(end.get("status"))
        elif kind == "time":
            message += f" (at most {self._seconds:g} s, and {self.limits.question_seconds:g} s for the whole question)"
            if root := re.match(r"[A-Za-z_]\w*(?=[.(])", message):
                self.slow.add(root[0])
        return Gone(message, kind)


STEP = 0.2


class Clock:
    """How long a child has worked or slept. What it waited for a processor that others had does not count."""

    def __init__(self, find: Callable[[], int | None]):
        self.total = 0.0
        self._find, self._last = find, None
        self._pid: int | None = None
        self._counted = self._since = 0.0

    def watch(self, total: float) -> None:
        """A new child has started. What its start took is not the student's time: the clock stands at `total` again."""
        with contextlib.suppress(OSError, AttributeError):
            self._pid = self._find()
        self._last = self._usage()
        self.total = self._counted = total
        self._since = 0.0

    def waited(self, seconds: float, look: bool) -> None:
        """We have waited for the child; `look` at what it did meanwhile, which costs a little."""
        self._since += seconds
        if look or seconds > 0.02:
            now = self._usage()
            if now is not None and self._last is not None:
                cpu, delay = now[0] - self._last[0], now[1] - self._last[1]
                self._counted += cpu if now[2] else max(cpu, self._since - delay)
            else:
                self._counted += self._since
            self._last, self._since = now, 0.0
        self.total = self._counted + self._since

    def _usage(self):
        """Processor seconds of the process, seconds that its main thread waited for one, whether it waits now.

        It may wait for a processor (R) or for the disk (D), as when a busy machine reads a library in again.
        """
        if self._pid is None:
            return None
        try:
            with open(f"/proc/{self._pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            delay = _delay(self._pid)
        except (OSError, ValueError, IndexError):
            return None
        return (int(fields[11]) + int(fields[12])) / TICKS, delay, fields[0] in "RD"


class Handle:
    """An object that stays in the student's process. It can be called, asked for attributes, iterated, passed back."""

    def __init__(self, session: Session, generation: int, number: int, name: str):
        self._session, self._generation, self._number, self._name = session, generation, number, name
        # the comparator names the type of what came: let it be the student's
        self.__class__ = _handle_class(_printable(name))

    def __call__(self, *args, **kwargs):
        """Call it there; arguments are copied, so the student cannot change ours."""
        return self._session.call(self._number, self._generation, f"{self._name}()", args, kwargs)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        self._session._alive(self._generation)
        request = {"op": "get", "object": self._number, "name": name}
        return _renamed(self._session.ask(request, f"{self._name}.{name}"), f"{self._name}.{name}")

    def __iter__(self):
        self._session._alive(self._generation)
        found = self._session.ask({"op": "iter", "object": self._number}, f"iterating over {self._name}")
        for _ in range(MAX_ITEMS):
            self._session._alive(self._generation)
            request = {"op": "next", "object": found[0]._number}
            item = self._session.ask(request, f"iterating over {self._name}")
            if type(item) is not list or not item:
                return
            yield item[0]
        raise StudentError(f"iterating over {self._name} gave more than {MAX_ITEMS} items")

    def __repr__(self):
        return f"<{self._name} in the jail>"


@functools.lru_cache(maxsize=64)
def _handle_class(name):
    return type(name, (Handle,), {})


def _own_delay() -> float:
    """Seconds that this thread has waited for a processor so far; 0 where the kernel does not say."""
    try:
        return _delay("thread-self")
    except (OSError, ValueError, IndexError):
        return 0.0


def _delay(task) -> float:
    """Seconds that a process's main thread, or "thread-self", has waited for a processor so far."""
    with open(f"/proc/{task}/schedstat") as file:
        return int(file.read().split()[1]) / 1e9


def _ready(sock, event, seconds) -> bool:
    poll = select.poll()
    poll.register(sock, event)
    return bool(poll.poll(seconds * 1000))


def _renamed(value, name):
    if isinstance(value, Handle):
        value._name = name
    return value


def _printable(name: str) -> str:
    return "".join(c for c in name if c.isprintable())[:80] or "object"


def _answer(function: Callable, args, kwargs) -> bytes:
    """The frame that answers a call of a function that a case lent to the student."""
    try:
        blobs: list[bytes] = []
        return protocol.pack({"ok": protocol.encode(function(*args, **kwargs), blobs)}, blobs)
    except Exception as error:  # the arguments are the student's: whatever goes wrong is an answer
        return protocol.pack({"error": f"{type(error).__name__}: {str(error)[:200]}"})


def _error_text(error, cells=()) -> str:
    if type(error) is not list or len(error) != 4:
        return "an exception"
    kind, text, cell, line = error
    where = f" (cell {cell}, line {line})" if type(cell) is int and type(line) is int else ""
    where = where or (f" (line {line})" if type(line) is int else "")
    if type(cell) is int and type(line) is int and 0 < cell <= len(cells):
        lines = cells[cell - 1].split("\n")
        where += f":  {_printable(lines[line - 1].strip())}" if 0 < line <= len(lines) else ""
    words = str(text)[:500].encode("utf-8", "replace").decode()  # a lone surrogate can be written nowhere
    return f"{_printable(str(kind))}: {words}{where}"


def _end_text(status) -> str:
    known = {
        0: "it called exit",
        -9: "it was killed, or used too much memory or processor time",
        -11: "it crashed (segmentation fault)",
        -6: "it aborted",
        -24: "it used too much processor time",
        -31: "it made a forbidden system call",
    }
    if type(status) is not int:
        return "it ended"
    return known.get(status, f"it ended with exit status {status}")
