"""Matrix products and functions of each entry at speed in the browser, where NumPy has neither BLAS nor SIMD.

A ufunc such as `np.matmul` (and with it `@`), `np.add` or `np.tanh` takes its innermost loop from a table of
functions, one for each dtype. `install` puts those of `kernel.wasm` (their source is in live/kernel) there for float32
and float64. All else stays NumPy's: shapes, stacks, dtypes, `out=`, arrays that overlap, errors. So it holds for
coursekit and for what a reader types, and results are NumPy's to rounding; all but products, `exp` and `tanh` are the
same bits.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np

UFUNCS = ("matmul", "add", "subtract", "multiply", "divide", "maximum", "minimum", "sqrt", "square", "exp", "tanh")
DTYPES = {"f": "float", "d": "double"}

# Where a ufunc of NumPy keeps what is read here, in bytes from its address (struct _tagPyUFuncObject, wasm32).
NIN, NOUT, FUNCTIONS, DATA, NTYPES, NAME, TYPES = 8, 12, 24, 28, 32, 40, 44

installed: Loops | None = None


def install() -> bool:
    """Give NumPy the loops of kernel.wasm; False, and nothing is changed, where that cannot be.

    That is a browser without SIMD, or a NumPy that keeps its ufuncs in another way than the one that we know.
    """
    global installed
    try:
        loops = Loops(files(__package__).joinpath("kernel.wasm").read_bytes())
    except Exception:  # whatever a browser refuses: the course goes on with NumPy's own loops
        return False
    expected = _samples()
    loops.use()
    if not _agree(_samples(), expected):
        loops.undo()
        return False
    installed = loops
    return True


class Loops:
    """The places of the ufuncs' loops in Python's memory, what stands there, and what shall."""

    def __init__(self, module: bytes):
        import js
        import pyodide_js
        from pyodide.ffi import to_js

        self.heap = pyodide_js._module
        places = {(name, dtype): self._places(getattr(np, name), dtype) for name in UFUNCS for dtype in DTYPES}
        shared = {"memory": self.heap.memory, "__indirect_function_table": self.heap.wasmTable}
        imports = to_js({"env": shared}, dict_converter=js.Object.fromEntries)
        kernel = js.WebAssembly.Instance.new(js.WebAssembly.Module.new(to_js(module)), imports).exports
        work = int(self.heap._malloc(kernel.work_bytes()))
        self.new = {}
        for (name, dtype), (function, data) in places.items():
            loop = getattr(kernel, f"np_{name}_{DTYPES[dtype]}")
            self.new[function] = int(self.heap.addFunction(loop, "viiii"))
            # What NumPy hands to the loop besides the arrays: room for a product, and to the others NumPy's own loop.
            self.new[data] = work if name == "matmul" else self._word(function)
        self.old = {address: self._word(address) for address in self.new}

    def _places(self, ufunc: np.ufunc, dtype: str) -> tuple[int, int]:
        """The addresses of the loop for this dtype, and of what it gets besides the arrays."""
        at, name = id(ufunc), ufunc.__name__.encode()
        found = self._word(at + NIN), self._word(at + NOUT), self._bytes(self._word(at + NAME), len(name) + 1)
        if found != (ufunc.nin, ufunc.nout, name + b"\0"):
            raise LookupError(f"{ufunc} does not lie in memory as expected: {found}")
        types = self._word(at + TYPES)
        wanted = bytes([np.dtype(dtype).num] * ufunc.nargs)
        known = self._bytes(types, ufunc.nargs * self._word(at + NTYPES))
        row = [known[k : k + ufunc.nargs] for k in range(0, len(known), ufunc.nargs)].index(wanted)
        function, data = self._word(at + FUNCTIONS) + 4 * row, self._word(at + DATA) + 4 * row
        if self._word(data):
            raise LookupError(f"the loop of {ufunc} for {dtype!r} already gets something besides the arrays")
        return function, data

    def _word(self, address: int) -> int:
        return int(self.heap.HEAPU32[address // 4])

    def _bytes(self, address: int, count: int) -> bytes:
        return self.heap.HEAPU8.slice(address, address + count).to_bytes()

    def use(self) -> None:
        """Let NumPy run the loops of the kernel."""
        for address, word in self.new.items():
            self.heap.HEAPU32[address // 4] = word

    def undo(self) -> None:
        """Let NumPy run its own loops."""
        for address, word in self.old.items():
            self.heap.HEAPU32[address // 4] = word


def _samples() -> list[np.ndarray]:
    """What NumPy gives now for each of the ufuncs and dtypes; the products have no rounding."""
    results = []
    for dtype in DTYPES:
        a = np.arange(7 * 11, dtype=dtype).reshape(7, 11)
        results += [np.matmul(a, a[:, ::-1].T - 60)]
        x, y = np.linspace(-3, 3, 37, dtype=dtype), np.linspace(2, 5, 37, dtype=dtype)
        results += [getattr(np, name)(x, y) for name in UFUNCS[1:7]]
        results += [getattr(np, name)(y - 2 if name == "sqrt" else x) for name in UFUNCS[7:]]
    return results


def _agree(found, expected) -> bool:
    return all(
        np.max(np.abs(one - other)) <= 4 * np.finfo(one.dtype).eps * np.max(np.abs(other))
        for one, other in zip(found, expected, strict=True)
    )
