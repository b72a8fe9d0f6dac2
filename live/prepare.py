"""Put everything that live mode needs into the site: Pyodide, the wheel of coursekit, the data files.

    python live/prepare.py --out _build/html/_static/ck [--cache .cache/pyodide]

The last line of its output is JSON for the pages: where these files are, relative to `--out`. Exit status 3 means that
Pyodide could not be had; the sentence on standard error says why.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import browser_wheel
import bundle
import fetch_pyodide


def prepare(out: Path, cache: Path, say=print) -> dict:
    """Fill `out`; returns what the pages must know."""
    wanted = fetch_pyodide.fetch(cache, say)
    folder = fetch_pyodide.compiled(wanted, cache, say)
    pyodide = f"pyodide-{wanted['version']}-{folder.name[-12:]}"
    for old in out.glob("pyodide-*"):
        if old.name != pyodide:
            shutil.rmtree(old)
    fetch_pyodide.copy(folder, out / pyodide)
    wheel = browser_wheel.build(out, folder)
    data = out / "data"
    data.mkdir(exist_ok=True)
    for file in (browser_wheel.PACKAGE / "data").iterdir():
        if file.suffix in (".npz", ".gz"):
            target = data / file.name
            if not target.is_file() or target.read_bytes() != file.read_bytes():
                shutil.copyfile(file, target)
    loaded = [wheel, *(folder / name for name in (*wanted["core"], "pyodide-lock.json", bundle.NAME))]
    size = sum(file.stat().st_size for file in loaded)
    return {"pyodide": f"{pyodide}/", "wheel": wheel.name, "data": "data/", "bytes": size}


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".cache/pyodide"))
    given = parser.parse_args(arguments)
    try:
        print(json.dumps(prepare(given.out, given.cache)))
    except fetch_pyodide.NotToBeHad as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
