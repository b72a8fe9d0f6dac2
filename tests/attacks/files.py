"""Files handed in to harm whoever reads them: {name: (bytes, points of 99.1 to 99.3, words of the record)}."""

import io
import json
import zipfile

from notebooks import HONEST, RIGHT, notebook


def _with(cell="", **extra):
    """The honest notebook, with a cell in place of the answer to 99.2, and with this around its cells."""
    return notebook(*(cell if source == RIGHT and cell else source for source in HONEST), **extra)


def _nested(depth):
    return b'{"nested": ' + b"[" * depth + b"]" * depth + b", " + _with()[1:]


def _outputs(count):
    output = {"output_type": "stream", "name": "stdout", "text": ["<script>\ud800\u202e\n" * 50] * count}
    cells = json.loads(_with("def softmax(x): return x"))["cells"]
    return json.dumps({"cells": [{**cell, "outputs": [output]} for cell in cells]}).encode()


def _zip(members, prefix=b""):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return prefix + data.getvalue()


def _two_names():
    """The directory calls it x.ipynb, the member itself y.ipynb."""
    data = bytearray(_zip({"y.ipynb": _with()}))
    place = data.rindex(b"y.ipynb")
    data[place : place + 1] = b"x"
    return bytes(data)


WRONG = [3, 0, 3]
NOTHING = [0, 0, 0]
FILES = {
    "outputs of ten megabytes": (_outputs(2000), WRONG, "softmax"),
    "lists nested a hundred thousand deep beside the cells": (_nested(100_000), NOTHING, "nested too deeply"),
    "a million numbers that JSON does not have": (
        b'{"x": [' + b"NaN, -Infinity, 1e999, " * 300_000 + b"0], " + _with("def softmax(x): return x")[1:],
        WRONG,
        "softmax",
    ),
    "letters of Latin-1": (_with("# \u00fc").replace(b"\\u00fc", b"\xfc"), NOTHING, "not UTF-8"),
    "half a letter of UTF-16": (_with().decode().encode("utf-16") + b"\x00", NOTHING, "not UTF-8 text"),
    "letters of UTF-32": (_with("def softmax(x): return x").decode().encode("utf-32"), WRONG, "softmax"),
    "a cell of zero bytes": (_with("def softmax(x):\n    return x\0" + "\0" * 1000), WRONG, "null bytes"),
    "a cell of lone surrogates": (_with("def softmax(x):\n    return '\ud800'  # \udfff"), WRONG, "softmax"),
    "a cell that says it is UTF-7": (_with("# coding: utf-7\ndef softmax(x):\n    return x+-"), WRONG, "softmax"),
    "a cell of ninety thousand sums": (_with("x = " + "1+" * 90_000 + "1"), WRONG, "softmax"),
    "a cell of a hundred thousand signs": (_with("x = " + "-" * 100_000 + "1"), WRONG, "softmax"),
    "a cell of text within text, begun ten thousand times": (_with("x = " + 'f"{' * 10_000), WRONG, "softmax"),
    "cells of every kind but text": (
        b'{"cells": [{"cell_type": ["code"]}, {"cell_type": "code", "source": [1, null, {}, "x"]}, {"cell_type": {}}]}',
        NOTHING,
        "softmax",
    ),
    "a notebook with a zip file at its end": (_with() + _zip({"x.ipynb": _with()}), NOTHING, "not UTF-8"),
    "a zip file with a right answer in front, where no reader looks": (
        _zip({"x.ipynb": _with("def softmax(x): return x")}, b"PK\x03\x04" + _with()), WRONG, "softmax",
    ),
    "a zip file whose directory gives another name": (_two_names(), NOTHING, "zip file cannot be read"),
    "a zip file with a right answer beside": (
        _zip({"a.ipynb": _with("def softmax(x): return x"), "a.py": RIGHT, "numpy.py": "1", "../softmax.py": RIGHT}),
        WRONG,
        "softmax",
    ),
    "an answer under a name of letters that look alike": (
        _with("def s\u043eftmax(x): return x\ndef softmax\u200b(x): return x"), WRONG, "softmax",
    ),
}  # fmt: skip
