"""Compile the inner loops that NumPy gets in the browser: products.c, entries.c -> src/coursekit/fast/kernel.wasm.

    python live/kernel/build.py            # after a change of the C; commit both
    python live/kernel/build.py --check    # compile, and compare with what is committed

It needs clang and lld with the target wasm32 (`tools/get-clang` gets Debian's). The file says in a section of its own
from which sources and by which compiler it was made, so that a test without a compiler sees when it is out of step.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "src" / "coursekit" / "fast" / "kernel.wasm"
UNITS = ("products.c", "entries.c")
SOURCES = (*UNITS, "products.h", "entries.h")
UFUNCS = ("matmul", "add", "subtract", "multiply", "divide", "maximum", "minimum", "sqrt", "square", "exp", "tanh")
EXPORTS = ("work_bytes", *(f"np_{name}_{dtype}" for name in UFUNCS for dtype in ("float", "double")))
FLAGS = ("--target=wasm32 -O2 -fno-unroll-loops -msimd128 -ffp-contract=off -fno-builtin -nostdlib -Wall -Wextra "
         "-Werror -Wl,--no-entry -Wl,--import-memory -Wl,--import-table -Wl,--strip-all").split()  # fmt: skip
SECTION = b"made"


def compiler() -> str | None:
    """The clang to use: $CLANG, or the one on the path; None where there is none that makes WebAssembly."""
    for name in filter(None, (os.environ.get("CLANG"), "clang")):
        if (found := shutil.which(name)) and (shutil.which("wasm-ld") or "CLANG" in os.environ):
            return found
    return None


def compiled(clang: str) -> bytes:
    """The module that `clang` makes of the sources, with a section that says so."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "kernel.wasm")
        command = [clang, *FLAGS, *(f"-Wl,--export={name}" for name in EXPORTS), "-o", str(out), *UNITS]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise SystemExit(f"{clang} could not compile the loops:\n{done.stderr.strip()}")
        module = out.read_bytes()
    text = json.dumps({"sources": sources(), "compiler": version(clang)}).encode()
    body = bytes([len(SECTION)]) + SECTION + text
    return module + b"\x00" + _leb128(len(body)) + body  # 0: a section that whoever runs the module passes over


def version(clang: str) -> str:
    """Which compiler this is."""
    return subprocess.run([clang, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def sources() -> str:
    """What identifies the sources and how they are compiled."""
    digest = hashlib.sha256(" ".join((*FLAGS, *EXPORTS)).encode())
    for name in SOURCES:
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def sections(module: bytes) -> dict[int | str, bytes]:
    """The sections of a module by number, those of number 0 by name."""
    found, at = {}, 8
    while at < len(module):
        number, (length, at) = module[at], _read(module, at + 1)
        body, at = module[at : at + length], at + length
        if number == 0:
            letters, start = _read(body, 0)
            found[body[start : start + letters].decode()] = body[start + letters :]
        else:
            found[number] = body
    return found


def made(module: bytes) -> dict[str, str]:
    """What a module says of its making: digest of the sources, and the compiler."""
    return json.loads(sections(module)[SECTION.decode()])


def _leb128(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _read(data, at):
    """A number in LEB128, and where it ends."""
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return number, at


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed file; write nothing")
    given = parser.parse_args(arguments)
    clang = compiler()
    if clang is None:
        print("no clang with wasm-ld here: sh tools/get-clang, or set CLANG", file=sys.stderr)
        return 2
    module = compiled(clang)
    if given.check:
        same = TARGET.is_file() and TARGET.read_bytes() == module
        print(f"{TARGET.name} is {'what' if same else 'not what'} {version(clang)} makes of its sources")
        return 0 if same else 1
    TARGET.write_bytes(module)
    print(f"{TARGET} ({len(module):,} bytes, {version(clang)})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
