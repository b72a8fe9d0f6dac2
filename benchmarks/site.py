"""Measure the built book in Chromium: the weight of a page, the answers of its explorers, the start of Python.

    make build && make bench-site          or, for some pages: python benchmarks/site.py 05 12

The book is served as hosts do: compressed, and with long life for what carries a digest in its name. Every explorer of
a page is moved 30 times over its prepared pictures; then "Run live" is clicked, and it is moved 30 times between them.
p95 is the nearest rank: of 30 times the second slowest. At the end training steps are timed in a page, with NumPy's own
inner loops and with ours in turns (page_steps.py; alone: `site.py --steps`), and a chapter is opened in JupyterLite and
run (alone: `site.py --lite`). `site.py --cells` runs every code cell of each chapter in its page (PyTorch's, which need
Colab, and stubs of exercises aside). BOOK=folder measures the book that is built there.
The bound of live answers holds for experiments that take less than 5 ms in CPython on this machine; of the others,
which show their progress and can be stopped, the number and the slowest median are printed.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import json
import math
import os
import random
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import headless  # noqa: E402
import serve  # noqa: E402

BOOK = Path(os.environ.get("BOOK", ROOT / "_build" / "html"))
COMPRESSED = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".xml", ".txt"}

LIGHT = 0.005  # seconds of an experiment, natively
BOUNDS = {"first view, kB": 700, "frames p95, ms": 30, "live p95, ms": 100, "cold start, s": 6, "second visit, s": 4}

CELLS = 60  # seconds for all cells of a chapter, at most

LITE = {"first": 8, "second": 5}  # seconds from the click that opens a notebook to its first output

STEPS = {"MLP": 0.3, "LeNet-5": 0.5, "LSTM": 0.6}  # of the time with NumPy's own loops, at most

RUN = """async (code) => {
  let text = "";
  const request = { do: "run", notebook: "bench", cells: [["cell", code, false]], target: "cell" };
  const heard = (event) => { if (event.type === "text") text += event.text; };
  const answer = await ckPython.ask({ type: "cell", request: JSON.stringify(request) }, heard);
  if (!answer.ok) throw new Error(JSON.stringify(answer));
  return text;
}"""

MOVE = """async ([index, share]) => {
  const root = document.querySelectorAll(".ck-explorer")[index];
  const inputs = [...root.querySelectorAll(".ck-control input[type=range]")];
  const selects = [...root.querySelectorAll(".ck-control select")];
  const shown = new Promise((done, fail) => {
    root.addEventListener("ck:shown", done, { once: true });
    setTimeout(() => fail(new Error(root.querySelector(".ck-status").innerText)), 20000);
  });
  const start = performance.now();
  for (const input of inputs.length ? inputs : selects) {
    if (input.tagName === "SELECT") input.selectedIndex = Math.floor(share * input.options.length);
    else input.value = Number(input.min || 0) + share * (Number(input.max) - Number(input.min || 0));
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
  await shown;
  root.getBoundingClientRect();
  return performance.now() - start;
}"""

START = """async (index) => {
  const root = document.querySelectorAll(".ck-explorer")[index];
  const shown = new Promise((done) => root.addEventListener("ck:shown", () => done(""), { once: true }));
  const start = performance.now();
  root.querySelector(".ck-go").click();
  await Promise.resolve();
  root.querySelector(".ck-start")?.click(); // the first time it tells what it loads
  const failed = await Promise.race([shown, new Promise((done) => setTimeout(() => done("no picture"), 90000))]);
  if (failed) throw new Error(root.querySelector(".ck-status").innerText);
  return performance.now() - start;
}"""


RUN_ALL = """async () => {
  document.querySelector('.cell[data-cell] [data-do="edit"]').click(); // its script is loaded then
  while (!window.ckCells) await new Promise((done) => setTimeout(done, 50));
  const cells = [...document.querySelectorAll(".cell[data-cell]")].map((root) => root.ck)
    .filter((cell) => cell?.runButton && !cell.torch && !cell.known.question && !cell.known.check);
  const rows = [];
  for (const cell of cells) {
    const start = performance.now();
    const answer = await cell.run();
    const error = answer.ok ? "" : answer.error ?? cell.root.querySelector(".ck-said")?.textContent ?? answer.type;
    rows.push({ id: cell.id, code: cell.label(), seconds: (performance.now() - start) / 1000, error });
  }
  return rows;
}"""

# The explorers that offer to run: the others have nothing between their prepared pictures.
RUNS = """() => [...document.querySelectorAll(".ck-explorer")]
  .flatMap((root, index) => (root.querySelector(".ck-go") ? [index] : []))"""

ADDRESS = "(index) => document.querySelectorAll('.ck-explorer')[index].ck.spec.address"


class Handler(serve.Handler):
    """Files as a host sends them: compressed where that helps, and kept for a while."""

    protocol_version = "HTTP/1.1"
    others = "max-age=600"

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            return self.send_error(404)
        content = packed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if path.suffix in COMPRESSED or path.suffix == ".wasm":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        return None


@functools.cache
def packed(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.compress(content, 6) if path.suffix in COMPRESSED or path.suffix == ".wasm" else content


@functools.cache
def native_seconds(address):
    """How long an explorer's experiment takes in CPython: the slowest of six settings that it has not seen."""
    from coursekit.interactive.core import find

    explorer = find(address)
    if explorer.draw is None:
        return 0.0  # it computes and draws in one
    explorer.compute(**explorer.settings())  # reads the data
    times = []
    for settings in random.Random(0).sample(explorer.grid(), min(6, len(explorer.grid()))):
        start = time.perf_counter()
        explorer.compute(**settings)
        times.append(time.perf_counter() - start)
    return max(times)


def percentile(times, share):
    return sorted(times)[math.ceil(share * len(times)) - 1]


def measure(browser, address, name):
    """All rows of one page."""
    rng = random.Random(0)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    received = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(address + name, wait_until="networkidle")
    rows = {"first view, kB": sum(received) / 1000}
    # Answer every prediction, so that what stands behind it can be moved.
    page.evaluate(headless.UNCOVER)
    count = page.evaluate("document.querySelectorAll('.ck-explorer').length")
    frames, live, slow = [], [], []
    for index in range(count):
        times = [page.evaluate(MOVE, [index, rng.random()]) for _ in range(30)]
        frames += times[1:]  # the first one loads its pack
    if count:
        rows["frames p95, ms"] = percentile(frames, 0.95)
    runs = page.evaluate(RUNS)
    if runs:
        rows["cold start, s"] = page.evaluate(START, runs[0]) / 1000
        for index in runs:
            if index != runs[0]:
                page.evaluate(START, index)
            times = [page.evaluate(MOVE, [index, rng.random()]) for _ in range(30)]
            if native_seconds(page.evaluate(ADDRESS, index)) < LIGHT:
                live += times
            else:
                slow.append(median(times))
        if live:
            rows["live p50, ms"], rows["live p95, ms"] = f"{median(live):.0f}", percentile(live, 0.95)
        rows["others"] = f"{len(slow)}, {max(slow):.0f} ms" if slow else "0"
        page.close()
        page = context.new_page()
        page.goto(address + name, wait_until="networkidle")
        page.evaluate(headless.UNCOVER)
        rows["second visit, s"] = page.evaluate(START, runs[0]) / 1000
    context.close()
    return rows


def first_output(browser, address, notebook="chapters/05_initialization.ipynb"):
    """Seconds from the click that opens a notebook in JupyterLite to its cells, and to the first output of all."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    rows = []
    for _ in range(2):  # the second visit has everything in the browser's cache
        page = context.new_page()
        start = time.perf_counter()
        page.goto(f"{address}lite/notebooks/index.html?path={notebook}")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
        opened = time.perf_counter() - start
        page.click(".jp-Notebook .jp-Cell")
        page.click(".lm-MenuBar-item:has-text('Run')")
        page.click(".lm-Menu-item:has-text('Run All Cells') >> nth=0")
        page.wait_for_selector(".jp-OutputArea-output", timeout=90_000)
        rows.append((opened, time.perf_counter() - start))
        page.close()
    context.close()
    return rows


def chapter_cells(browser, address, names):
    """A row for each chapter: how long its cells take in its page, one after the other; how many are over the bound."""
    print("\n| cells of | number | all, s | slowest, s | errors |")
    print("|---|---|---|---|---|")
    missed = 0
    for name in names:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(600_000)
        page.goto(address + name, wait_until="networkidle")
        page.evaluate(headless.UNCOVER)
        rows = page.evaluate(RUN_ALL)
        context.close()
        total, wrong = sum(row["seconds"] for row in rows), [row for row in rows if row["error"]]
        slowest = sorted(rows, key=lambda row: -row["seconds"])[:3]
        slow = "; ".join(
            f"{row['seconds']:.1f} {row['code'].removeprefix('Code that begins with ')}" for row in slowest
        )
        missed += (total > CELLS) + len(wrong)
        over = " **over**" if total > CELLS else ""
        errors = "; ".join(f"{row['code']}: {row['error']}" for row in wrong) or "none"
        print(f"| {name} | {len(rows)} | {total:.0f}{over} | {slow} | {errors} |", flush=True)
    return missed


def training_steps(browser, address, name="chapters/05_initialization.html"):
    """A row for each training step of page_steps.py, made in a page; how many are over their bound."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address + name, wait_until="networkidle")
    page.evaluate(headless.UNCOVER)
    page.evaluate(START, page.evaluate(RUNS)[0])
    rows = json.loads(page.evaluate(RUN, (ROOT / "benchmarks" / "page_steps.py").read_text(encoding="utf-8")))
    context.close()
    print("\n| training step in the page | NumPy's own loops, ms | ours, ms | ratio | losses differ by |")
    print("|---|---|---|---|---|")
    missed = 0
    for step, row in rows.items():
        over = row["ratio"] > STEPS[step.split()[0].rstrip(",")]
        missed += over
        ratio = f"{row['ratio']:.2f}" + (" **over**" if over else "")
        print(f"| {step} | {row['old']:.1f} | {row['new']:.1f} | {ratio} | {row['apart']:.1g} |")
    if not rows:
        print("This browser has no SIMD, so NumPy's own loops are the only ones.")
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("chapters", nargs="*", help="numbers, such as 05; all without one")
    parser.add_argument("--steps", action="store_true", help="only training steps in a page")
    parser.add_argument("--lite", action="store_true", help="only JupyterLite's first output")
    parser.add_argument(
        "--cells", action="store_true", help="only the code cells of the chapters, each run in its page"
    )
    given = parser.parse_args()
    wanted, only = given.chapters, given.steps or given.lite or given.cells
    names = [path.relative_to(BOOK).as_posix() for path in sorted(BOOK.glob("chapters/*.html"))]
    names = [name for name in names if not wanted or any(f"/{number}_" in name for number in wanted)]
    names = names if wanted else ["intro.html", *names]
    there = bool(names) and (BOOK / names[0]).is_file()
    chapters = [name for name in names if name != "intro.html"]
    names = [] if only else names
    if not there:
        sys.exit("There is no book to measure. Build it first: make build")
    from playwright.sync_api import sync_playwright

    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors; bounds: {BOUNDS}")
    if names:
        print("| page | " + " | ".join(BOUNDS) + " | live p50, ms | other experiments, slowest |")
        print("|---|" + "---|" * (len(BOUNDS) + 2))
    missed = 0
    with serve.background(BOOK, Handler) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=headless.executable(), args=headless.ARGUMENTS)
        for name in names:
            rows = measure(browser, address, name)
            cells = []
            for key, bound in BOUNDS.items():
                if key not in rows:
                    cells.append("–")
                    continue
                over = rows[key] > bound
                missed += over
                cells.append(f"{rows[key]:.3g}" + (" **over**" if over else ""))
            cells += [rows.get("live p50, ms", "–"), rows.get("others", "–")]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
        if given.cells or not (wanted or only):
            missed += chapter_cells(browser, address, chapters)
        if given.steps or not (wanted or only):
            missed += training_steps(browser, address)
        if (given.lite or not (wanted or only)) and (BOOK / "lite" / "pyodide-lock.json").is_file():
            print()
            for (visit, bound), (opened, output) in zip(LITE.items(), first_output(browser, address), strict=True):
                over = output > bound
                missed += over
                said = f"first output {output:.1f} s, asked {bound}{' **over**' if over else ''}"
                print(f"JupyterLite, {visit} visit: open {opened:.1f} s after the click, {said}")
        browser.close()
    print(f"\n{missed} figures over their bound." if missed else "\nEvery figure is within its bound.")


if __name__ == "__main__":
    main()
