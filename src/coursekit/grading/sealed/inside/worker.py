"""Serves one question: runs a notebook's cells, then calls the student's functions. Knows nothing about the cases.

It reads requests from one socket and answers each with one frame. Everything here shares a process with the student's
code, so nothing here is trusted: the grader checks every frame and compares values on its own side.
"""

import sys
import types

import numpy as np

from . import cells, notebook, protocol, standins

MAX_OBJECTS = 100_000


class Channel:
    """Frames over a socket."""

    def __init__(self, sock):
        self.sock = sock

    def read(self):
        """The next frame: (header, blobs)."""
        header, body = protocol.sizes(self._exactly(protocol.PREFIX.size))
        return protocol.unpack(self._exactly(header), self._exactly(body))

    def write(self, header, blobs=()):
        """Send a frame."""
        self.sock.sendall(protocol.pack(header, blobs))

    def _exactly(self, count):
        data = bytearray(count)
        view = memoryview(data)
        while view:
            got = self.sock.recv_into(view)
            if not got:
                raise EOFError
            view = view[got:]
        return data


class Worker:
    """The state of one child: the student's names and the objects that the grader holds references to."""

    def __init__(self, sock):
        self.channel = Channel(sock)
        self.objects = {}
        self.missing = []
        main = types.ModuleType("__main__")
        main.__builtins__ = __builtins__
        self.names = main.__dict__
        sys.modules["__main__"] = main
        self.names.update(display=standins.NOTHING, get_ipython=standins.NOTHING, exit=sys.exit, quit=sys.exit)
        standins.install()

    def serve(self):
        """Say that the locks are on, then answer requests until the grader hangs up."""
        self.channel.write({"id": "locked"})
        while True:
            try:
                head, blobs = self.channel.read()
            except EOFError:
                return
            try:
                value, extra = getattr(self, "do_" + head["op"])(head, blobs), {}
                out = []
                answer = {"id": head["id"], "ok": protocol.encode(value, out, self.keep), **extra}
                frame = protocol.pack(answer, out)
            except BaseException as error:
                frame = protocol.pack({"id": head["id"], "error": describe(error)})
            self.channel.sock.sendall(frame)

    def keep(self, value):
        """A reference for something that cannot be copied."""
        if len(self.objects) >= MAX_OBJECTS:
            raise protocol.TooLarge(f"more than {MAX_OBJECTS} objects were returned")
        number = len(self.objects)
        self.objects[number] = value
        name = type(value).__name__
        if isinstance(value, np.ndarray):
            name = f"NumPy array of dtype {value.dtype}"
        return {"o": [number, str(name)[:80]]}

    def value(self, node, blobs):
        """What the grader sent."""
        return protocol.decode(
            node, blobs, {"o": lambda number, _: self.objects[number], "f": lambda number, _: Callback(self, number)}
        )

    def do_open(self, head, blobs):
        """The code cells of a notebook file."""
        try:
            return ["cells", notebook.code_cells(bytes(blobs[0]))]
        except notebook.BadNotebook as error:
            return ["bad", str(error)]

    def do_links(self, head, blobs):
        """For each cell the names that it sets, those that it uses, and its functions with a loop that cannot end."""
        return [[*cells.links(source), cells.endless(source)] for source in head["sources"]]

    def do_cell(self, head, blobs):
        """Run one cell; returns the imports that failed in it."""
        self.missing.clear()
        cells.run(head["source"], self.names, f"<cell {head['number']}>", self.missing)
        return list(self.missing)

    def do_names(self, head, blobs):
        """For each name: None when it is not defined, else [its value]."""
        return [[self.names[n]] if n in self.names else None for n in head["names"]]

    def do_call(self, head, blobs):
        """Call an object. It must leave its arguments as they are, as it must for the student's own check."""
        args, kwargs = self.value(head["args"], blobs)
        before, before_kwargs = self.value(head["args"], blobs)
        out = self.objects[head["object"]](*args, **kwargs)
        for name, old, new in [
            *zip(range(1, 99), before, args, strict=False),
            *((k, before_kwargs[k], kwargs[k]) for k in kwargs),
        ]:
            if not same(old, new):
                raise ChangedArgument(f"argument {name} was changed in place (+=, *=, x[...] =): make a new array")
        return out

    def do_get(self, head, blobs):
        """An attribute of an object."""
        return getattr(self.objects[head["object"]], head["name"])

    def do_next(self, head, blobs):
        """[the next item] of an iterator, or [] at its end."""
        for item in self.objects[head["object"]]:
            return [item]
        return []

    def do_iter(self, head, blobs):
        """An iterator over an object."""
        return [Iterator(iter(self.objects[head["object"]]))]


class Iterator:
    """Keeps an iterator from being copied as a value."""

    def __init__(self, iterator):
        self.iterator = iterator

    def __iter__(self):
        return self.iterator


class Callback:
    """A function that lives in the grader: a call is a frame there and a frame back."""

    def __init__(self, worker, number):
        self._worker, self._number = worker, number

    def __call__(self, *args, **kwargs):
        """Ask the grader."""
        out = []
        args = protocol.encode((args, kwargs), out, self._worker.keep)
        self._worker.channel.write({"callback": self._number, "args": args}, out)
        head, blobs = self._worker.channel.read()
        if "error" in head:
            raise RuntimeError(head["error"])
        return self._worker.value(head["ok"], blobs)


class ChangedArgument(ValueError):
    """An answer worked in place on what it was given."""


def same(one, other):
    """Whether two copies of an argument are still equal."""
    if isinstance(one, np.ndarray):
        if not isinstance(other, np.ndarray) or one.shape != other.shape or one.dtype != other.dtype:
            return False
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (bool, int, float, complex, str, np.generic)):  # one in a list can be replaced
        return type(one) is type(other) and bool(one == other or (one != one and other != other))
    return True  # a generator is meant to change


def describe(error):
    """An exception as [type, message, cell, line]: the last line of the student's own code that it went through."""
    where = None
    if isinstance(error, SyntaxError) and error.filename == "<cell>":
        where = (None, error.lineno)
    trace = error.__traceback__
    for _ in range(5000):
        if trace is None:
            break
        name = trace.tb_frame.f_code.co_filename
        if name.startswith("<cell "):
            where = (int(name[6:-1]), trace.tb_lineno)
        trace = trace.tb_next
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:
        text = "(its message cannot be shown)"
    cell, line = where or (None, None)
    return [str(type(error).__name__)[:80], str(text)[:500], cell, line]
