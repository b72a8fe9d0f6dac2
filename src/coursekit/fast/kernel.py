"""Matrix products at speed in the browser, where NumPy has no BLAS.

`np.matmul`, and with it `@`, takes its innermost loop from a table of functions, one for each dtype. `install` puts
those of `products.wasm` (its source is live/kernel/products.c) there for float32 and float64. All else stays NumPy's:
shapes, stacks, dtypes, `out=`, arrays that overlap, errors. So it holds for coursekit and for what a reader types, and
the results are NumPy's to rounding.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np

LOOPS = {"f": "matmul_float", "d": "matmul_double"}  # dtype -> its loop in products.wasm

# Where a ufunc of NumPy keeps what is read here, in bytes from its address (struct _tagPyUFuncObject, wasm32).
NIN, NOUT, FUNCTIONS, DATA, NTYPES, NAME, TYPES = 8, 12, 24, 28, 32, 40, 44


def install() -> bool:
    """Give `np.matmul` the loops of products.wasm; False, and nothing is changed, where that cannot be.

    That is a browser without SIMD, or a NumPy that keeps its ufuncs in another way than the one that we know.
    """
    try:
        loops = _Loops(files(__package__).joinpath("products.wasm").read_bytes())
    except Exception:  # whatever a browser refuses: the course goes on with NumPy's own loops
        return False
    loops.use()
    if _is_right():
        return True
    loops.undo()
    return False


class _Loops:
    """The places of `np.matmul`'s loops in Python's memory, what stands there, and what shall."""

    def __init__(self, module: bytes):
        import js
        import pyodide_js
        from pyodide.ffi import to_js

        self.heap = pyodide_js._module
        ufunc = id(np.matmul)
        signature = self.word(ufunc + NIN), self.word(ufunc + NOUT), self.text(self.word(ufunc + NAME))
        if signature != (2, 1, b"matmul"):
            raise LookupError(f"np.matmul looks unlike what is known: {signature}")
        types = self.word(ufunc + TYPES)
        known = [self.bytes(types + 3 * k, 3) for k in range(self.word(ufunc + NTYPES))]
        rows = {dtype: known.index(bytes([np.dtype(dtype).num] * 3)) for dtype in LOOPS}

        imports = to_js({"env": {"memory": self.heap.memory}}, dict_converter=js.Object.fromEntries)
        kernel = js.WebAssembly.Instance.new(js.WebAssembly.Module.new(to_js(module)), imports).exports
        work = self.heap._malloc(kernel.work_bytes())
        functions, data = self.word(ufunc + FUNCTIONS), self.word(ufunc + DATA)
        self.new = {}
        for dtype, row in rows.items():
            self.new[functions + 4 * row] = int(self.heap.addFunction(getattr(kernel, LOOPS[dtype]), "viiii"))
            self.new[data + 4 * row] = int(work)
        self.old = {address: self.word(address) for address in self.new}

    def word(self, address: int) -> int:
        return int(self.heap.HEAPU32[address // 4])

    def bytes(self, address: int, count: int) -> bytes:
        return bytes(int(self.heap.HEAPU8[address + k]) for k in range(count))

    def text(self, address: int) -> bytes:
        return self.bytes(address, 8).partition(b"\0")[0]

    def use(self) -> None:
        for address, word in self.new.items():
            self.heap.HEAPU32[address // 4] = word

    def undo(self) -> None:
        for address, word in self.old.items():
            self.heap.HEAPU32[address // 4] = word


def _is_right() -> bool:
    """Whether a product of whole numbers, which has no rounding, is the one that the sum says."""
    for dtype in LOOPS:
        a = np.arange(7 * 11, dtype=dtype).reshape(7, 11)
        b = np.arange(11 * 13, dtype=dtype).reshape(11, 13) - 60
        if not np.array_equal(np.matmul(a, b), np.einsum("ij,jk->ik", a, b)):
            return False
    return True
