"""Look at pages of the built book in Chromium, Firefox and WebKit, on a phone and on a desk.

    make look                                  every page but the reference
    python tools/look_at_pages.py --engines webkit --out test-artefacts/look chapters/05 glossary

Each page is opened in each engine at 390 and 1280 px; its predictions are uncovered, its explorers shown. What is
wrong is printed: a page wider than its window, labels of pictures that touch, that leave the window or are too small
for a phone, text that is cut, pictures that are missing, and what the console complains of (WebKit's driver tells
nothing of its console). Pictures of what was seen lie in the folder `--out`.
BOOK=folder looks at the book that is built there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tools")]
import engines  # noqa: E402
import headless  # noqa: E402
import serve  # noqa: E402

BOOK = Path(os.environ.get("BOOK", ROOT / "_build" / "html"))
WIDTHS = (390, 1280)
LEFT_OUT = ("_static", "_modules", "lite", "reference", "index.html", "404.html", "genindex.html", "py-modindex.html")

PREPARE, MEASURE = re.split("// -{9,}\n", (ROOT / "tools" / "look_at_pages.js").read_text(encoding="utf-8"))


def names():
    """Every page of the book, chapters and sheets first."""
    found = [path.relative_to(BOOK).as_posix() for path in sorted(BOOK.rglob("*.html"))]
    found = [name for name in found if not name.startswith(LEFT_OUT)]
    return sorted(found, key=lambda name: ("/" not in name, name))


def started(name, driver):
    """A tab of an engine."""
    if name != "chromium":
        return {"firefox": engines.Firefox, "webkit": engines.WebKit}[name]()
    return engines.Chromium(driver.chromium.launch(executable_path=headless.executable(), args=headless.ARGUMENTS))


def look(tab, address, name, width, out):
    """What is wrong with a page."""
    tab.open(address + name)
    tab.run(PREPARE)
    found = tab.run(MEASURE)
    found += [f"console: {text}" for text in tab.complaints]
    tab.complaints.clear()
    if out:
        out.mkdir(parents=True, exist_ok=True)
        tab.picture(out / f"{name.replace('/', '-').removesuffix('.html')}-{width}-{tab.name}.png")
    return found


def main():
    """Print what is wrong; the number of pages with something wrong is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="*", help="beginnings of names, such as chapters/05; all without one")
    parser.add_argument("--engines", default="chromium,firefox,webkit")
    parser.add_argument("--out", type=Path, help="a folder for pictures")
    given = parser.parse_args()
    wanted = [name for name in names() if not given.pages or name.startswith(tuple(given.pages))]
    if not wanted:
        sys.exit("There is no such page. Build the book first: make build")
    from playwright.sync_api import sync_playwright

    wrong = 0
    with serve.background(BOOK) as address, sync_playwright() as driver:
        for engine in given.engines.split(","):
            tab = started(engine, driver)
            for width in WIDTHS:
                tab.size(width, 1000)
                for name in wanted:
                    try:
                        found = look(tab, address, name, width, given.out)
                    except Exception as error:  # the others are looked at
                        found = [f"could not be looked at: {type(error).__name__}: {str(error)[:200]}"]
                    wrong += bool(found)
                    print(json.dumps([engine, width, name, found], ensure_ascii=False), flush=True)
            tab.close()
    print(
        f"{len(wanted)} pages; something wrong on {wrong} of {len(wanted) * 2 * len(given.engines.split(','))} views."
    )
    sys.exit(min(wrong, 99))


if __name__ == "__main__":
    main()
