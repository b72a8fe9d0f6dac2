"""All formulas of the built book on one page, for the engines to set and the tests to measure."""

from __future__ import annotations

import re
from pathlib import Path

FORMULA = re.compile(
    r'<(span|div)[^>]*class="math notranslate[^"]*"[^>]*>\s*(?:<span class="eqno">.*?</span>)?(<math.*?</math>)', re.S
)
PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Formulas</title>
<link rel="stylesheet" href="{style}"></head>
<body><main class="bd-main"><article class="bd-article" style="width: 60rem">{formulas}</article></main></body></html>"""


def formulas(book: Path) -> dict[tuple[str, str], str]:
    """{(span or div, MathML): the first page on which it stands} of all pages of a built book."""
    found: dict[tuple[str, str], str] = {}
    for page in sorted(book.rglob("*.html")):
        name = page.relative_to(book).as_posix()
        if not name.startswith(("_", "lite/", "reports/")):
            for formula in FORMULA.findall(page.read_text(encoding="utf-8")):
                found.setdefault(formula, name)
    return found


def sheet(found: dict[tuple[str, str], str], style: str) -> str:
    """One page with each of these formulas in a line of its own."""
    lines = (
        f'<div data-page="{page}"><{kind} class="math notranslate">{mathml}</{kind}></div>'
        for (kind, mathml), page in found.items()
    )
    return PAGE.format(style=style, formulas="\n".join(lines))


# Two neighbours on each other, roots that are too wide, and primes and powers that stand away from what they raise.
MEASURE = r"""
const wrong = { overlap: [], root: [], script: [] };
const leaves = new Set(["mi", "mn", "mo", "mtext"]);
const ink = (leaf) => { const range = document.createRange(); range.selectNodeContents(leaf); return range.getBoundingClientRect(); };
const surd = document.createElement("p");
surd.innerHTML = "<span class='math'><math><mi>√</mi></math></span>";
document.querySelector("article").append(surd);
const wide = surd.querySelector("mi").getBoundingClientRect().width;
for (const p of document.querySelectorAll("div[data-page]")) {
  const math = p.querySelector("math"), where = `${p.dataset.page}: ${math.textContent.replace(/\s+/g, " ")}`;
  const size = parseFloat(getComputedStyle(math).fontSize);
  const all = [...math.querySelectorAll("mi, mn, mo, mtext")].filter((e) => e.textContent.trim() && !e.querySelector("*"));
  const boxes = all.map((e) => [e, ink(e)]).filter(([, b]) => b.width > 0.5);
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [one, a] = boxes[i], [two, b] = boxes[j];
    const over = (e) => e.closest("mover, munder, munderover") && e.closest("mover, munder, munderover").firstElementChild !== e;
    if (over(one) || over(two)) continue;
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left), y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (x > 0.15 * size && y > 0.45 * Math.min(a.height, b.height)) wrong.overlap.push([where, one.textContent, two.textContent, x, y]);
  }
  for (const root of math.querySelectorAll("msqrt")) {
    const kids = [...root.children].map((e) => e.getBoundingClientRect());
    const inner = Math.max(...kids.map((b) => b.right)) - Math.min(...kids.map((b) => b.left));
    const outer = root.getBoundingClientRect().width;
    const scale = parseFloat(getComputedStyle(root).fontSize) / size;
    wrong.root.push([where, outer - inner - wide * scale, outer, inner, wide]);
  }
  for (const raised of math.querySelectorAll("msup, msubsup")) {
    const [base, up] = [raised.firstElementChild, raised.lastElementChild].map((e) => e.getBoundingClientRect());
    wrong.script.push([where, up.left - base.right, base.bottom - up.bottom, base.height, size]);
  }
}
return wrong;
"""
