"""Look at pages of the built book in Chromium, Firefox and WebKit, on a phone and on a desk.

    make look                                  every page but the reference
    python tools/look_at_pages.py --engines webkit --out test-artefacts/look chapters/05 glossary

Each page is opened in each engine at 390 and 1280 px; its predictions are uncovered, its explorers shown. What is
wrong is printed: a page wider than its window, labels of pictures that touch, that leave the window or are too small
for a phone, text that is cut, pictures that are missing, and what the console complains of (WebKit's driver tells
nothing of its console). Pictures of what was seen lie in the folder `--out`.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tools")]
import engines  # noqa: E402
import headless  # noqa: E402
import serve  # noqa: E402

BOOK = ROOT / "_build" / "html"
WIDTHS = (390, 1280)
LEFT_OUT = ("_static", "_modules", "lite", "reference", "index.html", "404.html", "genindex.html", "py-modindex.html")

# Uncover what predictions hide, and have every explorer show its picture for this width.
PREPARE = """
  document.querySelectorAll(".ck-covered, .ck-covering").forEach((e) => e.classList.remove("ck-covered", "ck-covering"));
  document.querySelectorAll("details").forEach((e) => (e.open = true));
  const shows = [...document.querySelectorAll(".ck-explorer")].map((root) => root.ck?.show?.());
  await Promise.race([Promise.all(shows), new Promise((go) => setTimeout(go, 15000))]);
  await new Promise((go) => setTimeout(go, 600));
"""

MEASURE = """
  const found = [];
  const say = (what, where, more = "") => found.push(`${what}: ${where} ${more}`.trim());
  const near = (e) => (e.closest("[id]")?.id ?? "") + " " + JSON.stringify(e.textContent.trim().slice(0, 40));
  const seen = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && e.getClientRects().length;
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth + 1) {
    const wide = [...document.querySelectorAll(".bd-article *")].find((e) => e.getBoundingClientRect().right > innerWidth + 1);
    say("wider than the window", `${page.scrollWidth} > ${innerWidth}`, wide ? `${wide.tagName}.${wide.className} ${near(wide)}` : "");
  }
  for (const image of document.images) if (image.complete && !image.naturalWidth) say("missing picture", image.src);
  const scrolls = (e) => /auto|scroll/.test(getComputedStyle(e).overflowX);
  for (const e of document.querySelectorAll(".bd-article *, .bd-sidebar-primary *")) {
    if (!seen(e) || e.closest("svg, math, .cm-editor") || !e.childElementCount && !e.textContent.trim()) continue;
    const style = getComputedStyle(e);
    const hides = /hidden|clip/.test(style.overflowX) && e.clientWidth > 2;
    if (hides && e.scrollWidth > e.clientWidth + 2 && !/absolute|fixed/.test(style.position)) say("cut", e.className, near(e));
  }
  const within = (svg) => { for (let e = svg.parentElement; e; e = e.parentElement) if (scrolls(e)) return e; return null; };
  for (const svg of document.querySelectorAll(".ck-picture > svg, .ck-figure > svg")) {
    if (!seen(svg) || !svg.getBoundingClientRect().width) continue;
    const box = svg.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    const texts = [...svg.querySelectorAll("text")].filter((e) => e.textContent.trim() && !e.closest("defs"));
    const boxes = texts.map((e) => [e, e.getBoundingClientRect()]);
    const sizes = texts.map((e) => scale * parseFloat(getComputedStyle(e.querySelector("tspan") ?? e).fontSize));
    const least = Math.min(...texts.map((e, k) => (e.querySelector("tspan") ? 99 : sizes[k])));
    if (innerWidth < 500 && least < 10.95) say("small label", least.toFixed(1), near(svg));
    if (innerWidth < 500 && within(svg) && within(svg).scrollWidth > within(svg).clientWidth + 2) say("scrolls", near(svg));
    for (let i = 0; i < boxes.length; i++) {
      const [e, a] = boxes[i];
      const room = within(svg) && within(svg).scrollWidth > within(svg).clientWidth + 2 ? null : innerWidth;
      if (room && (a.right > room + 1 || a.left < -1)) say("label outside", JSON.stringify(e.textContent), near(svg));
      for (let j = i + 1; j < boxes.length; j++) {
        const b = boxes[j][1], gap = 2.5;
        if (a.left + gap < b.right - gap && b.left + gap < a.right - gap && a.top + gap < b.bottom - gap && b.top + gap < a.bottom - gap)
          if (!/rotate\\((?!-?90|-?0)/.test(e.getAttribute("transform") ?? "")) say("labels touch", JSON.stringify([e.textContent, boxes[j][0].textContent]), near(svg));
      }
    }
  }
  return found;
"""


def names():
    """Every page of the book, chapters and sheets first."""
    found = [path.relative_to(BOOK).as_posix() for path in sorted(BOOK.rglob("*.html"))]
    found = [name for name in found if not name.startswith(LEFT_OUT)]
    return sorted(found, key=lambda name: ("/" not in name, name))


def started(name, driver):
    """A tab of an engine."""
    if name != "chromium":
        return {"firefox": engines.Firefox, "webkit": engines.WebKit}[name]()
    tab = engines.Chromium(driver.chromium.launch(executable_path=headless.executable(), args=headless.ARGUMENTS))
    tab.complaints = []
    tab.page.on("console", lambda said: said.type == "error" and tab.complaints.append(said.text))
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    return tab


def look(tab, address, name, width, out):
    """What is wrong with a page."""
    tab.open(address + name)
    tab.run(PREPARE)
    found = tab.run(MEASURE)
    found += [f"console: {text}" for text in getattr(tab, "complaints", ())]
    if getattr(tab, "complaints", None):
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

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(serve.Handler, directory=str(BOOK)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wrong = 0
    with sync_playwright() as driver:
        for engine in given.engines.split(","):
            tab = started(engine, driver)
            for width in WIDTHS:
                tab.size(width, 1000)
                for name in wanted:
                    try:
                        found = look(tab, f"http://127.0.0.1:{server.server_port}/", name, width, given.out)
                    except Exception as error:  # the others are looked at
                        found = [f"could not be looked at: {type(error).__name__}: {str(error)[:200]}"]
                    wrong += bool(found)
                    print(json.dumps([engine, width, name, found], ensure_ascii=False), flush=True)
            tab.close()
    server.shutdown()
    print(
        f"{len(wanted)} pages; something wrong on {wrong} of {len(wanted) * 2 * len(given.engines.split(','))} views."
    )
    sys.exit(min(wrong, 99))


if __name__ == "__main__":
    main()
