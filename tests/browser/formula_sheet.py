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
<body><main class="bd-main"><article class="bd-article" style="width: 60rem">
{formulas}
</article></main></body></html>"""


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


# What is wrong: neighbours on each other; roots wider than surd and radicand; scripts that stand away from their base,
# or a prime that is raised twice; a thin space inside of what is raised.
MEASURE = r"""
const wrong = { formulas: 0, roots: 0, overlap: [], root: [], script: [], prime: [] };
const ink = (leaf) => {
  const range = document.createRange();
  range.selectNodeContents(leaf);
  return range.getBoundingClientRect();
};
const surd = document.createElement("p");
surd.innerHTML = "<span class='math'><math><mi>√</mi></math></span>";
document.querySelector("article").append(surd);
const wide = surd.querySelector("mi").getBoundingClientRect().width;
for (const line of document.querySelectorAll("div[data-page]")) {
  const math = line.querySelector("math"), where = `${line.dataset.page}: ${math.textContent.replace(/\s+/g, " ")}`;
  const size = parseFloat(getComputedStyle(math).fontSize);
  wrong.formulas++;
  const limits = (e) => e.closest("mover, munder, munderover");
  const boxes = [...math.querySelectorAll("mi, mn, mo, mtext")]
    .filter((e) => e.textContent.trim() && !e.children.length)
    .filter((e) => !limits(e) || limits(e).firstElementChild === e)
    .map((e) => [e.textContent, e.matches("mo:not([stretchy=false])") ? e.getBoundingClientRect() : ink(e)])
    .filter(([, b]) => b.width > 0.5);
  boxes.forEach(([one, a], i) => boxes.slice(i + 1).forEach(([two, b]) => {
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (x > 0.2 * size && y > 0.45 * Math.min(a.height, b.height)) wrong.overlap.push(`${where}: ${one} | ${two}`);
  }));
  for (const root of math.querySelectorAll("msqrt")) {
    wrong.roots++;
    const inside = [...root.children].map((e) => e.getBoundingClientRect());
    const inner = Math.max(...inside.map((b) => b.right)) - Math.min(...inside.map((b) => b.left));
    const scale = parseFloat(getComputedStyle(root).fontSize) / size;
    const more = root.getBoundingClientRect().width - inner - wide * scale;
    if (more > 2) wrong.root.push(`${where}: ${more.toFixed(1)} px`);
  }
  for (const raised of math.querySelectorAll("msup, msubsup, msub")) {
    const [base, up] = [raised.firstElementChild, raised.lastElementChild];
    const away = up.getBoundingClientRect().left - base.getBoundingClientRect().right;
    const gap = base.querySelector("mspace") && base.lastElementChild.tagName === "mspace";
    if (away > 0.3 * size || gap) wrong.script.push(`${where}: ${away.toFixed(1)} px`);
    if (/^[′″‴]$/.test(up.textContent.trim())) wrong.prime.push(where);
  }
}
surd.remove();
return wrong;
"""

# Where a comma, a full stop or a closing bracket stands on another line than the formula before it.
LONELY = r"""
return [...document.querySelectorAll("article .math > math")].flatMap((math) => {
  const walker = document.createTreeWalker(math.closest("article"), NodeFilter.SHOW_TEXT);
  walker.currentNode = math.parentElement;
  let next = walker.nextNode();
  while (next && math.contains(next)) next = walker.nextNode();
  if (!next || math.closest("div.math") || !/^[,.;:!?)\]’”…]/.test(next.data)) return [];
  const range = document.createRange();
  range.setStart(next, 0);
  range.setEnd(next, 1);
  const mark = range.getBoundingClientRect(), formula = math.getBoundingClientRect();
  const lonely = mark.width && mark.left < formula.left && mark.top > formula.top;
  return lonely ? [math.textContent + next.data.slice(0, 12)] : [];
});
"""
