"""Lighthouse's four scores for the built book on a phone: `make build && make lighthouse`.

    python benchmarks/lighthouse.py 05 12        only these chapters

The book is served compressed, as hosts do. Lighthouse comes from npm by npx, in the version named here, and simulates
its usual phone: a slow processor and a slow network. What keeps a score below the bound is printed under it. The last
column is Lighthouse's own measure of this machine: its slowing by four is meant for 1,500 and more. With much less (the
machine is busy, or slow) performance says nothing but which audits cost most.
BOOK=folder measures the book that is built there.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import headless  # noqa: E402
import serve  # noqa: E402

VERSION = "12.8.2"
BOUND = 95
KINDS = ("performance", "accessibility", "best-practices", "seo")
PAGES = ("intro", "01", "05", "12", "14")


def beside(name):
    """A module of this folder, whatever Python calls by the same name."""
    spec = importlib.util.spec_from_file_location(f"course_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command():
    """How Lighthouse is started: the one that LIGHTHOUSE names, or npm's."""
    own = os.environ.get("LIGHTHOUSE")
    if own:
        return [own]
    if not shutil.which("npx"):
        sys.exit("Lighthouse comes from npm, and there is no npx here. Install Node.js: apt-get install nodejs npm")
    return ["npx", "--yes", f"lighthouse@{VERSION}"]


def measure(address):
    """Lighthouse's report on one page."""
    flags = " ".join(["--headless=new", *headless.ARGUMENTS])
    options = ["--quiet", "--output=json", "--output-path=stdout", f"--only-categories={','.join(KINDS)}"]
    environment = {**os.environ, "CHROME_PATH": headless.executable() or ""}
    done = subprocess.run(
        [*command(), address, *options, f"--chrome-flags={flags}"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    if done.returncode:
        sys.exit(f"Lighthouse failed on {address}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def lost(report, kind):
    """The audits that cost this kind points, the dearest first."""
    audits = report["audits"]
    cost = {
        ref["id"]: ref["weight"] * (1 - audits[ref["id"]]["score"])
        for ref in report["categories"][kind]["auditRefs"]
        if audits[ref["id"]]["score"] is not None
    }
    return [
        f"{name} {audits[name].get('displayValue', '')}".strip()
        for name in sorted(cost, key=cost.get, reverse=True)
        if cost[name] > 0
    ]


def main():
    """Print a row for each page; the number of scores below the bound is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="*", default=PAGES, help="numbers of chapters, such as 05, and intro")
    parser.add_argument("--reports", type=Path, help="a folder for the whole reports")
    given = parser.parse_args()
    site = beside("site")
    names = {}
    for page in given.pages:
        found = sorted(site.BOOK.glob(f"chapters/{page}_*.html")) or sorted(site.BOOK.glob(f"{page}.html"))
        if not found:
            sys.exit(f"There is no page {page} in {site.BOOK}. Build the book first: make build")
        names[page] = found[0].relative_to(site.BOOK).as_posix()
    print(f"Lighthouse {VERSION}, phone, load {os.getloadavg()[0]:.1f}; at least {BOUND} each")
    print(f"| page | {' | '.join(KINDS)} | this machine |\n|---|{'---|' * len(KINDS)}---|")
    below = 0
    with serve.background(site.BOOK, site.Handler) as address:
        for page, name in names.items():
            report = measure(address + name)
            if given.reports:
                given.reports.mkdir(parents=True, exist_ok=True)
                (given.reports / f"{page}.json").write_text(json.dumps(report), encoding="utf-8")
            scores = {kind: round(100 * report["categories"][kind]["score"]) for kind in KINDS}
            quick = report["environment"]["benchmarkIndex"]
            print(f"| {page} | {' | '.join(map(str, scores.values()))} | {quick:.0f} |", flush=True)
            for kind, score in scores.items():
                if score < BOUND:
                    below += 1
                    print(f"  {kind} {score}: {'; '.join(lost(report, kind)[:8])}", flush=True)
    print(f"{below} scores below {BOUND}." if below else "Every score is within its bound.")
    sys.exit(min(below, 99))


if __name__ == "__main__":
    main()
