"""The browser's matrix products: what is committed is what the sources say, and it multiplies as NumPy does.

`products.wasm` runs here in Node, on a memory that this test lays out as NumPy would: arrays, lengths and strides.
In real browsers tests/browser/test_products.py compares it with NumPy's own.
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
WASM = ROOT / "src" / "coursekit" / "fast" / "products.wasm"
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
const loops = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { env: { memory } }).exports;
if (loops.work_bytes() > image.length - Number(work)) throw new Error("too little room to work in");
for (const call of calls) {
  const [name, ...addresses] = call.split(",");
  loops[name](...addresses.map(Number), Number(work));
}
const out = new Uint8Array(memory.buffer).subarray(0, Number(work));
for (let at = 0; at < out.length; ) at += writeSync(1, out, at);
"""


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
        self.calls.append(",".join(map(str, [kernel.LOOPS[a.dtype.char], *addresses])))
        self.outputs.append((a.copy(), b.copy(), c))

    def run(self, wasm=WASM):
        """Make all calls in Node; the memory is then what they left."""
        node = need(shutil.which("node"), "Node")
        given = self.bytes[: self.end].tobytes() + bytes(1 << 20)
        done = subprocess.run(
            [node, "-e", HOST, "--", str(wasm), str(self.end), *self.calls],
            input=given,
            capture_output=True,
            timeout=60,
        )
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


class Heap:
    """What kernel.py sees of Pyodide, with `np.matmul` as it lies in Pyodide's memory."""

    def __init__(self, name=b"matmul", wrong=False):
        self.memory, self.functions, self.wrong = object(), [], wrong
        self.HEAPU8 = np.zeros(4096, np.uint8)
        self.HEAPU32 = self.HEAPU8.view(np.uint32)
        self.ufunc, self.name, self.types, self.loops, self.data = 256, 512, 600, 1024, 1280
        self.HEAPU8[self.name : self.name + len(name)] = list(name)
        numbers = [np.dtype(dtype).num for dtype in "?ifld"]
        self.HEAPU8[self.types : self.types + 15] = np.repeat(numbers, 3)
        fields = {kernel.NIN: 2, kernel.NOUT: 1, kernel.FUNCTIONS: self.loops, kernel.DATA: self.data,
                  kernel.NTYPES: 5, kernel.NAME: self.name, kernel.TYPES: self.types}  # fmt: skip
        for place, word in fields.items():
            self.HEAPU32[(self.ufunc + place) // 4] = word
        self.HEAPU32[self.loops // 4 : self.loops // 4 + 5] = [11, 12, 13, 14, 15]

    def _malloc(self, size):
        return 2048

    def addFunction(self, function, signature):
        assert signature == "viiii"
        self.functions.append(function)
        return 100 + len(self.functions)


def pyodide(monkeypatch, heap, simd=True):
    """Modules that stand in for Pyodide's."""
    loops = types.SimpleNamespace(matmul_float="float", matmul_double="double", work_bytes=lambda: 1000)

    def module(content):
        if not simd:
            raise RuntimeError("CompileError: wasm validation error: SIMD unsupported")
        return content

    assembly = types.SimpleNamespace(
        Module=types.SimpleNamespace(new=module),
        Instance=types.SimpleNamespace(new=lambda module, imports: types.SimpleNamespace(exports=loops)),
    )
    js = types.SimpleNamespace(WebAssembly=assembly, Object=types.SimpleNamespace(fromEntries=dict))
    monkeypatch.setitem(sys.modules, "js", js)
    monkeypatch.setitem(sys.modules, "pyodide_js", types.SimpleNamespace(_module=heap))
    ffi = types.SimpleNamespace(to_js=lambda value, **options: value)
    monkeypatch.setitem(sys.modules, "pyodide", types.SimpleNamespace(ffi=ffi))
    monkeypatch.setitem(sys.modules, "pyodide.ffi", ffi)
    monkeypatch.setattr(kernel, "id", lambda thing: heap.ufunc, raising=False)


def test_the_loops_of_two_dtypes_are_replaced_and_no_other(monkeypatch):
    heap = Heap()
    pyodide(monkeypatch, heap)
    assert kernel.install()
    assert heap.functions == ["float", "double"]
    assert heap.HEAPU32[heap.loops // 4 : heap.loops // 4 + 5].tolist() == [11, 12, 101, 14, 102]
    assert heap.HEAPU32[heap.data // 4 : heap.data // 4 + 5].tolist() == [0, 0, 2048, 0, 2048]


@pytest.mark.parametrize(
    ("options", "simd"), [({"name": b"matvec"}, True), ({}, False)], ids=["another ufunc", "no SIMD"]
)
def test_where_it_cannot_be_nothing_is_changed(monkeypatch, options, simd):
    heap = Heap(**options)
    before = heap.HEAPU8.copy()
    pyodide(monkeypatch, heap, simd)
    assert not kernel.install()
    np.testing.assert_array_equal(heap.HEAPU8, before)


def test_a_wrong_product_puts_numpys_own_back(monkeypatch):
    heap = Heap()
    before = heap.HEAPU8.copy()
    pyodide(monkeypatch, heap)
    monkeypatch.setattr(kernel.np, "matmul", lambda a, b: np.einsum("ij,jk->ik", a, b) + 1)
    assert not kernel.install()
    np.testing.assert_array_equal(heap.HEAPU8, before)


def test_outside_a_browser_it_says_no():
    assert not kernel.install()
