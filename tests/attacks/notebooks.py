"""The sample notebook, and the attacks and honest controls that are tried in it."""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).parent

RIGHT = """
def softmax(x):
    p = np.exp(x - x.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)
"""

HONEST = [
    "import numpy as np",
    "def double(x):\n    return 2 * x",
    RIGHT,
    """
class Counter:
    def __init__(self, step):
        self.step, self.value = step, 0
    def advance(self):
        self.value += self.step
""",
    "def apply_twice(f, x):\n    return f(f(x))",
]

# Frames as the worker would write them, for those who try to answer in its place.
FORGE = """
import json, os, struct
def frame(head, body=b"", lengths=None):
    data = json.dumps({**head, "lengths": [len(body)] if lengths is None else lengths}).encode()
    return struct.pack("<4sII", b"CKG1", len(data), len(body)) + data + body
def forge(data):
    for fd in range(64):
        try: os.write(fd, data)
        except OSError: pass
def last_id():
    import gc
    return next((d["id"] for d in gc.get_objects() if type(d) is dict and "op" in d and "id" in d), "0")
"""


def _blocks(name, mark):
    text = (HERE / name).read_text(encoding="utf-8")
    return dict(re.findall(rf"^{mark} ([^\n]+)\n```python\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL))


ATTACKS = {name: (FORGE if "forge(" in code else "") + code for name, code in _blocks("attacks.md", "###").items()}
LENT = {name: (FORGE if "forge(" in code else "") + code for name, code in _blocks("attacks.md", "####").items()}
CONTROLS = {
    name: code.replace("# the right answer", RIGHT.strip()) for name, code in _blocks("controls.md", "##").items()
}


def notebook(*sources, **extra):
    """A notebook file with these code cells."""
    cells = [
        {"cell_type": "code", "source": s, "metadata": {}, "outputs": [], "execution_count": None} for s in sources
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **extra}).encode()


def with_lent(code):
    """The honest notebook with this cell in place of `apply_twice`."""
    return notebook(*HONEST[:-1], code)


def with_answer(code):
    """The honest notebook with this cell in place of the answer to 99.2."""
    return notebook(*(code if source == RIGHT else source for source in HONEST))


def instructor_cells(id):
    """The code cells of a real sheet with its solutions."""
    import jupytext

    from coursekit.grading import cases, sheets

    (source,) = (HERE.parents[1] / "exercises").glob(f"{id}_*.md")
    book = jupytext.read(source)
    sheets.instructor(book, cases.load_sheet(id))
    return [cell.source for cell in book.cells if cell.cell_type == "code"]
