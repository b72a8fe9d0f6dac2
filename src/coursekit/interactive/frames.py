"""Draw the pictures of explorers ahead of time and pack them for the page.

    python -m coursekit.interactive.frames --out _frames coursekit.explorers.initialization:signal

A pack is a script that hands pictures to `static/explorer.js`; a script tag works on `file://`, where a page may not
fetch. Frames of one explorer share most of their elements, so a pack holds each line of SVG once and a frame is a list
of line numbers. Pack 0 has every picture that is one control away from the default; a large explorer has more packs.
Packs n0, n1, ... have the same for a narrow screen, where they can be laid out for one (`plotting/_narrow.py`).

The cache is keyed by content: the code of every module of the course that was loaded while drawing (not its comments
and docstrings), the files that were read, and the versions of NumPy and Matplotlib (`_digests`). An unchanged explorer
is never drawn twice.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import json
import math
import multiprocessing
import os
import re
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from .. import _digests
from .._atomic import write_atomically
from ..errors import CourseError

if TYPE_CHECKING:
    from ..plotting._narrow import Plan
    from .core import Picture

__all__ = ["build", "draw_frames", "pack_frames", "plan"]

ONE_PACK = 400_000  # bytes; up to here one pack holds all pictures
EACH_PACK = 250_000

# Modules that change how a picture is shown, not what is in it.
_FRONT_ENDS = {"closer", "code", "handles", "html", "playing", "points", "predict", "reading", "sphinx_ext", "widget"}


def build(addresses: list[str], cache: Path, out: Path, workers: int = 0, say=print) -> dict[str, dict]:
    """Draw what is not in the cache, copy all packs to `out`; returns address -> what the page must know.

    `workers` processes draw at the same time, each with one thread; 0 means one for each processor.
    """
    report = {}
    workers = workers or os.cpu_count() or 1
    out.mkdir(parents=True, exist_ok=True)
    for address in addresses:
        entry = _cached(cache, address)
        if entry is None:
            start = time.perf_counter()
            entry = _draw_all(address, cache, workers)
            size = sum(pack["bytes"] for pack in entry["packs"])
            small = sum(pack["gzip"] for pack in entry["packs"])
            say(
                f"{address}: {entry['count']} pictures in {time.perf_counter() - start:.1f} s, "
                f"{len(entry['packs'])} pack(s), {size / 1000:,.0f} kB, {small / 1000:,.0f} kB compressed "
                f"({entry['packs'][0]['gzip'] / 1000:,.0f} kB before the first drag)"
            )
        target = out / entry["folder"]
        if not target.is_dir():
            shutil.copytree(cache / entry["folder"], target)
        report[address] = entry
    kept = {entry["folder"] for entry in report.values()}
    for folder in out.iterdir():
        if folder.name not in kept:
            shutil.rmtree(folder)
    return report


def draw_frames(
    address: str, indices: list[int], layout: Plan | None = None
) -> tuple[list[tuple[int, Picture]], dict[str, str | None]]:
    """Some pictures of an explorer, with their numbers, and the sources that were loaded for them.

    With a `layout` they are also drawn for a narrow screen.
    """
    _digests.watch()
    from .core import find
    from .html import slug

    explorer = find(address)
    grid, prefix, drawn = explorer.grid(), f"ck-{slug(explorer)}", []
    for index in indices:
        try:
            picture = explorer.pictures(prefix, layout, **grid[index])
        except Exception as error:
            raise CourseError(f"{address} fails at {grid[index]}: {type(error).__name__}: {error}") from error
        drawn.append((index, picture))
    front_ends = [f"{__package__}.{name}" for name in _FRONT_ENDS]
    return drawn, _digests.loaded(address, without=front_ends)


def plan(address: str) -> Plan | None:
    """How an explorer's pictures are laid out for a narrow screen, or None."""
    from .core import find

    return find(address).plan()


def pack_frames(frames: dict[int, tuple[str, str]], home: set[int]) -> tuple[list[dict], int]:
    r"""The packs, and how many pictures each pack after the first covers (0 if the first has all of them).

    >>> packs, chunk = pack_frames({0: ("<a>\n<b>", "one"), 1: ("<a>\n<c>", "two")}, {0})
    >>> packs[0]["lines"], packs[0]["frames"], chunk
    (['<a>', '<b>', '<c>'], {0: [0, 1], 1: [0, 2]}, 0)
    """
    everything = _pack(frames)
    size = len(json.dumps(everything))
    if size <= ONE_PACK or len(frames) == len(home):
        return [everything], 0
    chunk = max(4, math.floor(EACH_PACK / (size / len(frames))))
    return _packs(frames, home, chunk), chunk


def _packs(frames, home, chunk):
    """All in one, or without 0 for `chunk` those at home and then so many in each."""
    if not chunk:
        return [_pack(frames)]
    packs = [_pack({index: frames[index] for index in sorted(home)})]
    for first in range(0, max(frames) + 1, chunk):
        packs.append(_pack({k: frames[k] for k in range(first, first + chunk) if k in frames and k not in home}))
    return packs


def _pack(frames):
    numbers: dict[str, int] = {}
    pictures = {
        index: [numbers.setdefault(line, len(numbers)) for line in svg.split("\n")]
        for index, (svg, _) in sorted(frames.items())
    }
    return {"lines": list(numbers), "frames": pictures, "alts": {k: alt for k, (_, alt) in sorted(frames.items())}}


def _draw_all(address, cache, workers):
    from .core import find
    from .html import slug

    explorer = find(address)
    grid = explorer.grid()
    defaults = explorer.settings()
    home = {k for k, point in enumerate(grid) if sum(point[n] != defaults[n] for n in point) <= 1}
    order = sorted(home) + [k for k in range(len(grid)) if k not in home]
    size = max(1, min(16, math.ceil(len(order) / (4 * workers))))
    batches = [order[k : k + size] for k in range(0, len(order), size)]
    pictures, sources = {}, {}
    with _one_thread(), ProcessPoolExecutor(min(workers, len(batches)), mp_context=_fresh()) as pool:
        layout = pool.submit(plan, address).result()
        tasks = [pool.submit(draw_frames, address, batch, layout) for batch in batches]
        try:
            for task in tasks:
                drawn, loaded = task.result()
                pictures.update(drawn)
                sources.update(loaded)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    key = hashlib.sha256(json.dumps([address, sources, _digests.versions()], sort_keys=True).encode()).hexdigest()[:12]
    name = slug(explorer)
    folder = f"{name}-{key}"
    packs, chunk = pack_frames({index: (each.svg, each.alt) for index, each in pictures.items()}, home)
    scratch = cache / f"{folder}.{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    sizes = [_write(scratch, folder, number, pack) for number, pack in enumerate(packs)]
    narrow = all(each.narrow for each in pictures.values())
    if narrow:
        slim = {index: (each.narrow, each.alt) for index, each in pictures.items()}
        for number, pack in enumerate(_packs(slim, home, chunk)):
            _write(scratch, folder, f"n{number}", pack)
    if (cache / folder).is_dir():
        shutil.rmtree(scratch)
    else:
        scratch.rename(cache / folder)
    shown = pictures[grid.index(defaults)]
    entry = {
        "address": address,
        "folder": folder,
        "count": len(grid),
        "chunk": chunk,
        "packs": sizes,
        "sources": sources,
        "versions": _digests.versions(),
        "svg": shown.svg,
        "alt": shown.alt,
        "narrow": _shape(shown.narrow) if narrow else None,
    }
    manifest = cache / f"{_file_name(address)}.json"
    if manifest.is_file():
        _forget(cache, manifest, folder)
    write_atomically(manifest, json.dumps(entry))
    return entry


def _write(scratch, folder, number, pack):
    """Write a pack; returns its sizes."""
    body = json.dumps(pack, ensure_ascii=False, separators=(",", ":"))
    data = f"window.ckPack&&ckPack({json.dumps(folder)},{json.dumps(number)},{body});\n".encode()
    (scratch / f"{number}.js").write_bytes(data)
    return {"bytes": len(data), "gzip": len(gzip.compress(data, 6))}


def _shape(svg):
    """The height of a picture, as a share of its width."""
    width, height = map(float, re.findall(r'width="([\d.]+)" height="([\d.]+)"', svg)[0])
    return round(height / width, 4)


def _fresh():
    """Processes that know nothing of the course, so that only what an explorer needs counts as its source.

    Where the system can, they start as copies of one that has loaded NumPy and Matplotlib, which takes a second.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["numpy", "matplotlib.pyplot", "matplotlib.backends.backend_svg"])
    return context


@contextlib.contextmanager
def _one_thread():
    """One BLAS thread for each of the processes that are started meanwhile."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _forget(cache, manifest, folder):
    """Delete the pictures of an older source."""
    try:
        older = json.loads(manifest.read_text(encoding="utf-8"))["folder"]
    except (json.JSONDecodeError, KeyError):
        return
    if older != folder:
        shutil.rmtree(cache / older, ignore_errors=True)


def _cached(cache, address):
    manifest = cache / f"{_file_name(address)}.json"
    try:
        entry = json.loads(manifest.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if entry["versions"] != _digests.versions() or not (cache / entry["folder"]).is_dir():
        return None
    return entry if _digests.unchanged(entry["sources"]) else None


def _file_name(address):
    return address.replace(":", ".")


def main(arguments: list[str] | None = None) -> int:
    """Command line: draw, copy, and write a report for the Sphinx extension."""
    parser = argparse.ArgumentParser(prog="python -m coursekit.interactive.frames", description=__doc__.split("\n")[0])
    parser.add_argument("addresses", nargs="*", help="explorers, as module:name")
    parser.add_argument("--cache", type=Path, default=Path(".cache/frames"))
    parser.add_argument("--out", type=Path, required=True, help="the folder that gets the packs")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--report", type=Path, help="where to write a JSON report")
    given = parser.parse_args(arguments)
    try:
        report = build(given.addresses, given.cache, given.out, given.workers, lambda line: print(line, flush=True))
    except (CourseError, ModuleNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if given.report:
        given.report.write_text(json.dumps(report), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
