"""The reader of untrusted notebooks, and the reader of their cells."""

import gzip
import io
import json
import zipfile

import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.grading.sealed.inside import cells
from coursekit.grading.sealed.inside import notebook as nb


def notebook(*sources):
    return json.dumps({"cells": [{"cell_type": "code", "source": s} for s in sources]}).encode()


def zipped(**members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_ipynb", ".ipynb"), content)
    return data.getvalue()


def test_code_cells_come_in_order_and_the_rest_is_ignored():
    data = json.dumps(
        {
            "nbformat": 4,
            "cells": [
                {"cell_type": "markdown", "source": "x = 1"},
                {"cell_type": "code", "source": ["a = 1\n", "b = 2"], "outputs": [{"text": "100 %"}]},
                "nonsense",
                {"cell_type": "code"},
                {"cell_type": "code", "source": {"not": "text"}},
                {"cell_type": "code", "source": ["c", 3, None, "d\r\ne"]},
            ],
        }
    )
    assert nb.code_cells(data.encode()) == ["a = 1\nb = 2", "", "", "cd\ne"]


def test_other_encodings_and_old_formats_are_read():
    text = notebook("x = 'é'").decode()
    for data in (text.encode(name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")):
        assert nb.code_cells(data) == ["x = 'é'"]
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["y = 1"]}]}, 3]}
    assert nb.code_cells(json.dumps(old).encode()) == ["y = 1"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"hello", "not a notebook"),
        (b"\xff\xfa\x00", "not UTF-8"),
        (b"[" * 10**6, "nested too deeply"),
        (b'{"cells": ' + b'[{"a": ' * 10**5, "nested too deeply"),
        (gzip.compress(notebook("x"), mtime=0), "packed with gzip"),
        (b"7z\xbc\xaf\x27\x1c...", "a 7-Zip archive"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        ("<html>".encode("utf-16-le"), "a web page"),
        (b"[]", "no list of cells"),
        (b'{"cells": {}}', "no list of cells"),
        (b'{"cells": 3', "not a notebook"),
        (b'{"cells": [' + b"9" * 10**6 + b"]}", "not a notebook"),
        (notebook(*["x"] * 501), "501 code cells"),
        (notebook("x" * 10**6), "1000000 characters"),
        (b" " * (nb.MAX_BYTES + 1), "20 MB"),
        (b"PK\x03\x04 nonsense", "cannot be read"),
        (zipped(a_txt="x"), "0 notebooks"),
        (zipped(a_ipynb=notebook("x"), b_ipynb=notebook("y")), "2 notebooks"),
        (zipped(a_ipynb=b" " * (nb.MAX_BYTES + 100)), "20 MB"),
        (zipped(**{f"n{i}": "x" for i in range(2001)}), "2001 members"),
        (zipped(a_ipynb=zipped(b_ipynb=notebook("x"))), "not UTF-8"),
    ],
)
def test_what_is_no_notebook_is_refused_in_words(data, words):
    with pytest.raises(nb.BadNotebook, match=words):
        nb.code_cells(data)


def test_a_zip_file_with_one_notebook_is_read_and_its_paths_are_ignored():
    data = zipped(**{"..__..__etc__x_ipynb": notebook("x = 1"), "__MACOSX__.a": "", ".ipynb_checkpoints__x_ipynb": "y"})
    assert nb.code_cells(data) == ["x = 1"]


def test_a_symbolic_link_in_a_zip_file_is_no_notebook():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        link = zipfile.ZipInfo("a.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(nb.BadNotebook, match="0 notebooks"):
        nb.code_cells(data.getvalue())


def test_a_damaged_zip_file_is_refused():
    data = bytearray(zipped(a_ipynb=notebook("x = 1" * 100)))
    data[60] ^= 0xFF
    with pytest.raises(nb.BadNotebook):
        nb.code_cells(bytes(data))


@given(st.binary(max_size=300))
@settings(max_examples=examples(500), deadline=None)
def test_any_bytes_are_cells_or_refused(data):
    for start in (b"", b"PK\x03\x04", b'{"cells": ['):
        try:
            assert all(type(c) is str for c in nb.code_cells(start + data))
        except nb.BadNotebook as error:
            assert str(error)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just("code"),
    lambda v: (
        st.lists(v, max_size=4)
        | st.dictionaries(st.sampled_from(["cells", "cell_type", "source", "input", "worksheets", "x"]), v, max_size=4)
    ),
    max_leaves=25,
)


@given(json_like)
@settings(max_examples=examples(1000), deadline=None)
def test_any_json_is_cells_or_refused(tree):
    try:
        assert all(type(c) is str for c in nb.code_cells(json.dumps({"cells": tree}).encode()))
        nb.code_cells(json.dumps(tree).encode())
    except nb.BadNotebook as error:
        assert str(error)


@given(st.text(alphabet="%!?=x 1\n\\'\"([{)]}:abdef#", max_size=60))
@settings(max_examples=examples(1000), deadline=None)
def test_any_cell_is_parsed_or_a_syntax_error(source):
    try:
        cells.parse(source)
    except (SyntaxError, ValueError) as error:
        assert not isinstance(error, ValueError) or "null" in str(error) or isinstance(error, SyntaxError)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("%matplotlib inline\nx = 1", {"x": 1}),
        ("x = 1\n!ls -l 'a b\ny = 2", {"x": 1, "y": 2}),
        ("!pip install a \\\n  b c\ny = 2", {"y": 2}),
        ("files = !ls\nx = 1", {"files": None, "x": 1}),
        ("t = %timeit -o 3\nx = 1", {"t": None, "x": 1}),
        ("%time x = 3", {"x": 3}),
        ("for i in range(2):\n    %time x = i\n    !echo\n", {"i": 1, "x": 1}),
        ("?len\nlen?\nlen??\nx = 1", {"x": 1}),
        ("%%time\nx = 1", {"x": 1}),
        ("%%capture out\nx = 1", {"x": 1}),
        ("\n%%bash\nrm -rf / (", {}),
        ("%%html\n<b>", {}),
        ("x = 7\\\n% 4", {"x": 3}),
        ("x = '''\n%magic\n!ls\n'''", {"x": "\n%magic\n!ls\n"}),
        ("import not_there\nx = 1", {"x": 1}),
        ("from not_there import a as b\nx = 1", {"x": 1}),
        ("", {}),
        ("# only words", {}),
    ],
)
def test_ipython_lines_are_left_out_and_the_rest_runs(source, names):
    namespace, missing = {}, []
    cells.run(source, namespace, "<cell 1>", missing)
    namespace.pop("__builtins__", None)
    assert namespace == names
    assert bool(missing) == ("not_there" in source)


@pytest.mark.parametrize("magic", ["%%python3", "%%python", "%%script python3 -"])
def test_a_cell_that_ipython_runs_in_another_process_defines_nothing_and_is_noted(magic):
    namespace, missing = {}, []
    cells.run(f"{magic}\nx = 1", namespace, "<cell 1>", missing)
    assert "x" not in namespace
    assert "in another process" in missing[0]
    assert cells.links(f"{magic}\nx = 1") == ([], [])


def test_line_numbers_stay_after_a_magic():
    with pytest.raises(ZeroDivisionError) as error:
        cells.run("%matplotlib inline\n\n1 / 0", {}, "<cell 1>", [])
    assert error.traceback[-1].lineno + 1 == 3


def test_a_real_syntax_error_stays_one():
    for source in ("def f(:", "x = = 1", "if True:\nx", "%time (", "'unclosed"):
        with pytest.raises(SyntaxError):
            cells.run(source, {}, "<cell 1>", [])


@pytest.mark.parametrize(
    ("source", "sets", "uses"),
    [
        ("import numpy as np", {"np"}, set()),
        ("def f(x):\n    def g(): return h(x)\n    return g", {"f"}, {"h"}),
        ("x = y\nx += 1", {"x"}, {"x", "y"}),
        ("%matplotlib inline\na, b = c", {"a", "b"}, {"c"}),
        ("Net.step = f", {"Net", "f"}, {"Net", "f"}),
        ("table['a'] = 1", {"table"}, {"table"}),
        ("for i in range(3): total = i", {"i", "total"}, {"range", "i"}),
        ("await f()", set(), {"f"}),
        ("x = [k for k in z]", {"x"}, {"z"}),
        ("def f(:", set(), set()),
        ("class A(B):\n    c = d\n    def e(self): return g", {"A"}, {"B", "d", "g", "__name__"}),
    ],
)
def test_what_a_cell_sets_and_uses(source, sets, uses):
    found = cells.links(source)
    assert set(found[0]) == sets
    assert uses <= set(found[1]) | {"__name__"}


def test_a_star_import_may_set_anything():
    assert "*" in cells.links("from numpy import *")[0]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(x):\n    while True: pass", ["f"]),
        ("def f(x):\n    while 1:\n        x = g(x) + 1", ["f"]),
        ("def f(x):\n    i = 0\n    while i < 10:\n        x += i", ["f"]),
        ("while True:\n    pass", [""]),
        ("def f(x):\n    while True:\n        if x: break", []),
        ("def f(x):\n    while True:\n        return x", []),
        ("def f(x):\n    while x < 3: x += 1", []),
        ("def f(x):\n    while x: x.pop()", []),
        ("def f(x):\n    while x: take(x)", []),
        ("def f(x):\n    while g(): pass", []),
        ("def f(x):\n    while x[0] < 3: x[0] += 1", []),
        ("def f(x):\n    while False: pass", []),
        ("def f(:", []),
    ],
)
def test_a_loop_without_a_way_out_is_seen(source, names):
    assert cells.endless(source) == names
