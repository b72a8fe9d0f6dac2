"""The browser's inner loops of NumPy: what is committed is what the sources say, and it computes what NumPy does.

`kernel.wasm` runs here in Node, on a memory that this test lays out as NumPy would: arrays, lengths and strides.
In a real browser tests/browser/test_kernel.py compares it with NumPy's own.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from coursekit.fast import kernel

ROOT = Path(__file__).parents[1]
WASM = ROOT / "src" / "coursekit" / "fast" / "kernel.wasm"
spec = importlib.util.spec_from_file_location("kernel_build", ROOT / "live" / "kernel" / "build.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)


def need(found, what):
    """Skip without a tool; with CI=true a skip is a failure."""
    if not found:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{what} is not here")
    return found


# Calls the loops one after the other on a memory that comes in and goes out; each call is a name and three addresses.
HOST = """
const { readFileSync, writeSync } = require("fs");
const [file, work, ...calls] = process.argv.slice(1);
const image = readFileSync(0);
const memory = new WebAssembly.Memory({ initial: Math.ceil(image.length / 65536) });
new Uint8Array(memory.buffer).set(image);
const made = (bytes, env) => new WebAssembly.Instance(new WebAssembly.Module(bytes), { env }).exports;
const table = new WebAssembly.Table({ initial: 2, element: "anyfunc" });
// In the place of NumPy's own loop: a function that leaves 77 where its third argument, the steps, points to.
table.set(1, made(Buffer.from(process.env.OWN, "hex"), { memory }).own);
const loops = made(readFileSync(file), { memory, __indirect_function_table: table });
if (loops.work_bytes() > image.length - Number(work)) throw new Error("too little room to work in");
for (const call of calls) {
  const [name, ...addresses] = call.split(",");
  loops[name](...addresses.map(Number), name.includes("matmul") ? Number(work) : 1);
}
const out = new Uint8Array(memory.buffer).subarray(0, Number(work));
for (let at = 0; at < out.length; ) at += writeSync(1, out, at);
"""


# (module (type (func (param i32 i32 i32 i32))) (import "env" "memory" (memory 1)) (export "own" (func 0))
#   (func (local.get 2) (i32.const 77) (i32.store)))
OWN = (
    "0061736d01000000 01080160047f7f7f7f00 020f0103656e76066d656d6f7279020001 03020100 070701036f776e0000"
    "0a0c010a00200241cd003602000b"
).replace(" ", "")


class Memory:
    """A memory with arrays in it as NumPy would place them, and calls on them."""

    def __init__(self):
        self.bytes = np.full(3 << 20, 0x5A, np.uint8)
        self.end, self.calls, self.outputs = 1 << 17, [], []  # below it a stack of the module's own would lie

    def room(self, shape, dtype):
        """An array in this memory, with some bytes around it."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        array = self.bytes[self.end : self.end + size].view(dtype).reshape(shape)
        self.end = (self.end + size + 71) // 8 * 8
        assert self.end < len(self.bytes)
        return array

    def put(self, values):
        array = self.room(np.shape(values), np.asarray(values).dtype)
        array[...] = values
        return array

    def address(self, array):
        return array.__array_interface__["data"][0] - self.bytes.__array_interface__["data"][0]

    def multiply(self, a, b, c):
        """Note a call of the loop on a stack: a (S, m, n), b (S, n, p), c (S, m, p), views into this memory."""
        places = self.put(np.array([self.address(x) for x in (a, b, c)], np.int32))
        counts = self.put(np.array([len(c), a.shape[1], a.shape[2], b.shape[2]], np.int32))
        steps = [x.strides[0] for x in (a, b, c)] + [step for x in (a, b, c) for step in x.strides[1:]]
        steps = self.put(np.array(steps, np.int32))
        addresses = [self.address(x) for x in (places, counts, steps)]
        self.calls.append(",".join(map(str, [f"np_matmul_{kernel.DTYPES[a.dtype.char]}", *addresses])))
        self.outputs.append((a.copy(), b.copy(), c))

    def apply(self, name, *arrays):
        """Note a call of a ufunc's loop on one row of each array, the last of which gets the result.

        Returns its steps, in which 77 will stand first if the loop has left the work to NumPy's own.
        """
        places = self.put(np.array([self.address(x) for x in arrays], np.int32))
        counts, steps = self.put(np.array([len(arrays[-1])], np.int32)), np.array([x.strides[0] for x in arrays])
        steps = self.put(steps.astype(np.int32))
        addresses = [self.address(x) for x in (places, counts, steps)]
        self.calls.append(",".join(map(str, [f"np_{name}_{kernel.DTYPES[arrays[-1].dtype.char]}", *addresses])))
        return steps

    def run(self, wasm=WASM):
        """Make all calls in Node; the memory is then what they left."""
        node = need(shutil.which("node"), "Node")
        given = self.bytes[: self.end].tobytes() + bytes(1 << 20)
        command = [node, "-e", HOST, "--", str(wasm), str(self.end), *self.calls]
        done = subprocess.run(command, input=given, capture_output=True, timeout=60, env=dict(os.environ, OWN=OWN))
        assert done.returncode == 0, done.stderr.decode()[-1500:]
        self.bytes[: self.end] = np.frombuffer(done.stdout, np.uint8)


def same(array):
    return array


def transposed(array):
    return np.ascontiguousarray(array.swapaxes(-1, -2)).swapaxes(-1, -2)


def with_gaps(array):
    wide = np.full((*array.shape[:-2], 2 * array.shape[-2], 3 * array.shape[-1]), np.nan, array.dtype)
    wide[..., ::2, ::3] = array
    return wide[..., ::2, ::3]


def backwards(array):
    return np.ascontiguousarray(array[..., ::-1, ::-1])[..., ::-1, ::-1]


LAYOUTS = [same, transposed, with_gaps, backwards]
# Around the edges of tiles (4 rows, 4 or 8 columns), panels (64 columns, 128 rows) and blocks (256 terms).
SIZES = [(1, 1, 1), (2, 3, 2), (4, 8, 8), (5, 7, 9), (3, 33, 17), (1, 40, 33), (33, 40, 1), (40, 1, 40), (7, 257, 65),
         (129, 20, 63), (131, 256, 10), (9, 513, 66), (16, 150, 130), (100, 64, 100), (4, 0, 5)]  # fmt: skip


def place(memory, array, layout):
    """A copy of the array in the memory, in this layout."""
    laid = layout(array)
    if not laid.size:
        return memory.room(laid.shape, laid.dtype)
    owner = laid if laid.base is None else laid.base
    inside = memory.put(owner)
    offset = laid.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    return np.ndarray(laid.shape, laid.dtype, inside.data.cast("B"), offset, laid.strides)


def check_all(memory, guard):
    """Every product is right to rounding, and no byte outside of the results has changed."""
    for a, b, c in memory.outputs:
        right = np.matmul(a.astype(np.float64), b.astype(np.float64))
        bound = np.matmul(np.abs(a).astype(np.float64), np.abs(b).astype(np.float64))
        assert np.all(np.abs(c - right) <= 4 * np.sqrt(a.shape[2] + 1) * np.finfo(c.dtype).eps * bound), a.shape
        c[...] = 0
    np.testing.assert_array_equal(memory.bytes[: memory.end], guard)


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_layout_of_both_factors_and_of_the_result(rng, dtype, size):
    memory, (m, n, p) = Memory(), size
    for to_a, to_b, to_c in [(x, y, same) for x in LAYOUTS for y in LAYOUTS] + [(same, same, z) for z in LAYOUTS]:
        if memory.end > 2 << 20:
            break
        a, b = rng.standard_normal((1, m, n)).astype(dtype), rng.standard_normal((1, n, p)).astype(dtype)
        c = place(memory, np.zeros((1, m, p), dtype), to_c)
        memory.multiply(place(memory, a, to_a), place(memory, b, to_b), c)
    guard = memory.bytes[: memory.end].copy()
    for _, _, c in memory.outputs:
        c[...] = np.nan  # every entry is to be written
    memory.run()
    check_all(memory, guard)


@pytest.mark.parametrize("dtype", ["f", "d"])
def test_stacks_step_through_each_array_and_stay_where_one_is_shared(rng, dtype):
    memory = Memory()
    a, b = rng.standard_normal((6, 5, 20)).astype(dtype), rng.standard_normal((6, 20, 11)).astype(dtype)
    a, b = memory.put(a), memory.put(b)
    for left, right in (
        (a, b),
        (np.broadcast_to(a[:1], a.shape), b),
        (a, np.broadcast_to(b[2:3], b.shape)),
        (a[::-2], b[1::2]),
    ):
        memory.multiply(left, right, memory.put(np.zeros((len(left), 5, 11), dtype)))
    guard = memory.bytes[: memory.end].copy()
    memory.run()
    check_all(memory, guard)


def test_infinities_and_nans_go_where_they_go_in_numpy():
    memory = Memory()
    a = np.ones((1, 9, 30), "f")
    b = np.ones((1, 30, 10), "f")
    a[0, 2, 3], a[0, 5, 1], b[0, 4, 7] = np.nan, np.inf, -np.inf
    c = memory.put(np.zeros((1, 9, 10), "f"))
    memory.multiply(memory.put(a), memory.put(b), c)
    memory.run()
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(c, a @ b)


SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 3.0, -3.0]
BINARY, UNARY = kernel.UFUNCS[1:7], kernel.UFUNCS[7:]


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("name", [*BINARY, "sqrt", "square"])
def test_arithmetic_gives_the_bits_of_numpy(rng, name, dtype):
    ufunc, memory, expected = getattr(np, name), Memory(), []
    for n in (1, 7, 16, 67, 500):
        rows = [memory.put(rng.choice([*SPECIAL, *rng.standard_normal(20)], n).astype(dtype)) for _ in range(4)]
        rows[0][-1] = rows[2][-1] = -0.0  # also behind the last whole register
        one, zero = (np.broadcast_to(memory.put(np.array([x], dtype)), n) for x in (rng.standard_normal(), -0.0))
        scalars = [[rows[0], one], [one, rows[0]], [rows[1], zero], [zero, rows[1]]]
        calls = [rows[:2], *scalars] if name in BINARY else [rows[:1]]
        for inputs in calls:
            out = memory.put(np.zeros(n, dtype))
            expected.append((memory.apply(name, *inputs, out), out, [x.copy() for x in inputs]))
        inputs = rows[2:] if name in BINARY else rows[2:3]  # into the first operand itself
        expected.append((memory.apply(name, *inputs, rows[2]), rows[2], [x.copy() for x in inputs]))
    memory.run()
    for steps, out, before in expected:
        if steps[0] == 77:
            assert name in BINARY and len(out) < 16
            continue
        with np.errstate(all="ignore"):
            right = ufunc(*before)
        np.testing.assert_array_equal(out, right)
        if name not in ("maximum", "minimum"):  # where NumPy's own loops differ in which zero they take
            sure = ~np.isnan(right)
            np.testing.assert_array_equal(np.signbit(out[sure]), np.signbit(right[sure]))


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("name", ["exp", "tanh"])
def test_exp_and_tanh_are_right_to_two_units_of_the_last_place(name, dtype):
    ufunc, memory, info = getattr(np, name), Memory(), np.finfo(dtype)
    ends = np.log([float(info.smallest_subnormal), float(info.tiny), float(info.max)])
    x = np.concatenate([np.linspace(-20, 20, 4001), np.geomspace(1e-30, 800, 999), -np.geomspace(1e-30, 800, 999)])
    x = np.concatenate([x, np.add.outer([-1, -0.01, 0, 0.01, 1], ends).ravel(), SPECIAL, [0.625, -0.625, 89, 710]])
    x = x.astype(dtype)
    given, out = memory.put(x), memory.put(np.zeros(len(x), dtype))
    steps = memory.apply(name, given, out)
    memory.run()
    assert steps[0] != 77
    with np.errstate(all="ignore"):
        right = ufunc(x.astype(np.longdouble))
        rounded = right.astype(dtype)
    fine = np.isfinite(rounded)
    np.testing.assert_array_equal(out[~fine], rounded[~fine])
    np.testing.assert_array_equal(np.signbit(out[fine]), np.signbit(rounded[fine]))
    units = np.abs(out[fine] - right[fine]) / np.spacing(np.abs(rounded[fine]))
    assert units.max() < 2, (x[fine][units.argmax()], units.max())


@pytest.mark.parametrize("dtype", ["f", "d"])
def test_what_does_not_lie_in_one_piece_is_left_to_numpy(dtype):
    memory = Memory()
    row, out = memory.put(np.arange(100, dtype=dtype)), memory.put(np.zeros(40, dtype))
    still = np.broadcast_to(out[:1], 40)
    left = [
        ("add", row[:80:2], row[:40], out),  # gaps
        ("add", row[:40], row[39::-1], out),  # backwards
        ("add", still, row[:40], still),  # a sum
        ("add", row[:40], row[40:80], row[1:41]),  # a running sum: each result is the next one's operand
        ("add", np.broadcast_to(row[5:6], 40), row[40:80], row[:40]),  # the scalar is overwritten
        ("exp", row[:80:2], out),
        ("tanh", row[:40], row[1:41]),
    ]
    before = memory.bytes[: memory.end].copy()
    steps = [memory.apply(name, *arrays) for name, *arrays in left]
    memory.run()
    assert [step[0] for step in steps] == [77] * len(left)
    np.testing.assert_array_equal(memory.bytes[: len(before)], before)


def test_the_committed_file_is_made_of_these_sources():
    assert build.made(WASM.read_bytes())["sources"] == build.sources(), "make kernel, and commit what it makes"


def test_the_module_brings_no_data_into_pythons_memory():
    """A static variable would lie on top of Python's; so would a stack, which the guard of `check_all` would notice."""
    data, start = 11, 8
    assert not {data, start} & set(build.sections(WASM.read_bytes()))


def test_a_compiler_makes_the_committed_file_or_one_that_multiplies_the_same(rng, tmp_path):
    clang = need(build.compiler(), "a clang for WebAssembly (tools/get-clang)")
    module = build.compiled(clang)
    if build.made(WASM.read_bytes())["compiler"] == build.version(clang):
        assert module == WASM.read_bytes()
    (tmp_path / "again.wasm").write_bytes(module)
    results = []
    a, b = rng.standard_normal((1, 37, 300)).astype("f"), rng.standard_normal((1, 300, 45)).astype("f")
    for wasm in (WASM, tmp_path / "again.wasm"):
        memory = Memory()
        for dtype in "fd":
            memory.multiply(*(memory.put(x.astype(dtype)) for x in (a, b)), memory.put(np.zeros((1, 37, 45), dtype)))
        memory.run(wasm)
        results.append([c.copy() for _, _, c in memory.outputs])
    for committed, again in zip(*results, strict=True):
        np.testing.assert_array_equal(again, committed)


class Bytes(np.ndarray):
    """A typed array of JavaScript, as far as kernel.py uses it."""

    def slice(self, start, stop):
        return types.SimpleNamespace(to_bytes=lambda: self[start:stop].tobytes())


class Heap:
    """What kernel.py sees of Pyodide: a memory with ufuncs, each with loops for some dtypes."""

    def __init__(self, rename=None, busy=False):
        self.memory, self.wasmTable, self.functions = object(), object(), []
        self.HEAPU8 = np.zeros(1 << 14, np.uint8).view(Bytes)
        self.HEAPU32 = self.HEAPU8.view(np.uint32)
        self.at = {name: 1024 * k for k, name in enumerate(kernel.UFUNCS, 1)}
        for name, at in self.at.items():
            ufunc, written = getattr(np, name), (rename or {}).get(name, name).encode()
            loops, data, kinds, place = at + 128, at + 256, at + 384, at + 512
            self.HEAPU8[place : place + len(written)] = list(written)
            numbers = np.repeat([np.dtype(dtype).num for dtype in "?ifld"], ufunc.nargs)
            self.HEAPU8[kinds : kinds + len(numbers)] = numbers
            fields = {kernel.NIN: ufunc.nin, kernel.NOUT: 1, kernel.FUNCTIONS: loops, kernel.DATA: data,
                      kernel.NTYPES: 5, kernel.NAME: place, kernel.TYPES: kinds}  # fmt: skip
            for where, word in fields.items():
                self.HEAPU32[(at + where) // 4] = word
            self.words(loops)[:] = range(at, at + 5)
            self.words(data)[2] = busy

    def words(self, address):
        return self.HEAPU32[address // 4 : address // 4 + 5]

    def _malloc(self, size):
        return 9999

    def addFunction(self, function, signature):
        assert signature == "viiii"
        self.functions.append(function)
        return 100_000 + len(self.functions)


def pyodide(monkeypatch, heap, simd=True):
    """Modules that stand in for Pyodide's."""

    class Exports:
        def __getattr__(self, name):
            return (lambda: 1000) if name == "work_bytes" else name

    def module(content):
        if not simd:
            raise RuntimeError("CompileError: wasm validation error: SIMD unsupported")
        return content

    def instance(module, imports):
        assert imports == {"env": {"memory": heap.memory, "__indirect_function_table": heap.wasmTable}}
        return types.SimpleNamespace(exports=Exports())

    new = types.SimpleNamespace
    assembly = new(Module=new(new=module), Instance=new(new=instance))
    ffi = new(to_js=lambda value, **options: value)
    monkeypatch.setitem(sys.modules, "js", new(WebAssembly=assembly, Object=new(fromEntries=dict)))
    monkeypatch.setitem(sys.modules, "pyodide_js", new(_module=heap))
    monkeypatch.setitem(sys.modules, "pyodide", new(ffi=ffi))
    monkeypatch.setitem(sys.modules, "pyodide.ffi", ffi)
    monkeypatch.setattr(kernel, "id", lambda ufunc: heap.at[ufunc.__name__], raising=False)
    monkeypatch.setattr(kernel, "installed", None)


def test_the_loops_of_two_dtypes_are_replaced_and_no_other(monkeypatch):
    heap = Heap()
    pyodide(monkeypatch, heap)
    before = heap.HEAPU8.copy()
    assert kernel.install()
    for name, at in heap.at.items():
        new, data = heap.words(at + 128), heap.words(at + 256)
        assert new[[0, 1, 3]].tolist() == [at, at + 1, at + 3]
        assert [heap.functions[word - 100_001] for word in new[[2, 4]]] == [f"np_{name}_float", f"np_{name}_double"]
        # A product gets room to work in, the others the loop to which they leave what they cannot do.
        assert data.tolist() == ([0, 0, 9999, 0, 9999] if name == "matmul" else [0, 0, at + 2, 0, at + 4])
    kernel.installed.undo()
    np.testing.assert_array_equal(heap.HEAPU8, before)


@pytest.mark.parametrize(
    ("options", "simd"),
    [
        ({"rename": {"matmul": "matvec"}}, True),
        ({"rename": {"tanh": "tanhf"}}, True),
        ({"busy": True}, True),
        ({}, False),
    ],
    ids=["another ufunc", "a longer name", "a loop with data", "no SIMD"],
)
def test_where_it_cannot_be_nothing_is_changed(monkeypatch, options, simd):
    heap = Heap(**options)
    before = heap.HEAPU8.copy()
    pyodide(monkeypatch, heap, simd)
    assert not kernel.install() and kernel.installed is None
    np.testing.assert_array_equal(heap.HEAPU8, before)


@pytest.mark.parametrize("place", [0, 10, 21])
def test_a_wrong_result_puts_numpys_own_back(monkeypatch, place):
    heap = Heap()
    before = heap.HEAPU8.copy()
    pyodide(monkeypatch, heap)
    right = kernel._samples()
    assert len(right) == 2 * len(kernel.UFUNCS)

    def samples():
        return [x + (k == place and np.any(heap.HEAPU8 != before)) for k, x in enumerate(right)]

    monkeypatch.setattr(kernel, "_samples", samples)
    assert not kernel.install() and kernel.installed is None
    np.testing.assert_array_equal(heap.HEAPU8, before)


def test_outside_a_browser_it_says_no():
    assert not kernel.install()
