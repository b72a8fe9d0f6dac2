"""Pictures of every prediction, every question and the review page, on a desktop and a phone, light and dark.

    python tools/look_at_questions.py                         the whole book, into test-artefacts/questions
    python tools/look_at_questions.py --only phone-dark 05 11

Each prediction and question is seen before and after an answer. For each setting and chapter there are contact sheets:
the columns hold pairs, before on the left and after on the right. `review-*.png` are the review page for a reader with
nothing to review, with a question to answer, and after the answer. What is wider than the window is printed.
BOOK=folder looks at the book that is built there.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools")]
import headless  # noqa: E402
import serve  # noqa: E402

BOOK = Path(os.environ.get("BOOK", ROOT / "_build" / "html"))
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}
SETTINGS = {f"{place}-{theme}": (size, theme) for place, size in (("desktop", DESKTOP), ("phone", PHONE))
            for theme in ("light", "dark")}  # fmt: skip
HEIGHT, PAIRS = 1600, {"desktop": 1, "phone": 2}  # of a contact sheet: its height, and how many pairs lie side by side

ALONE = """() => {
  const items = [...document.querySelectorAll("article .ck-predict")], kept = new Set();
  for (const item of items) for (let e = item; e; e = e.parentElement) kept.add(e);
  for (const e of document.querySelectorAll("body *"))
    if (!kept.has(e) && !e.closest(".ck-predict")) e.style.setProperty("display", "none", "important");
  for (const e of kept) e.style.setProperty("visibility", "visible", "important");
  return items.length;
}"""
BOXES = """() => [...document.querySelectorAll("article .ck-predict")].map((item) => {
  const { left, top, width, height } = item.getBoundingClientRect();
  const wide = [...item.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1);
  const [x, y] = [left + scrollX, top + scrollY];
  return { name: item.dataset.name, box: [x, y, x + width, y + height], wide: wide.length > 0 };
})"""
ANSWER = """() => { for (const item of document.querySelectorAll("article .ck-predict")) {
  const form = item.querySelector("form"), secret = JSON.parse(new TextDecoder().decode(
    Uint8Array.from(atob(item.dataset.secret), (letter) => letter.charCodeAt(0))));
  if (secret.kind === "curve") item.ck.kind.fill(secret.levels.map(() => 50));
  for (const kind of ["radio", "checkbox"]) form.querySelector(`input[type=${kind}]`)?.click();
  for (const field of form.querySelectorAll("input[type=text], input:not([type])")) field.value = "1/2";
  form.requestSubmit();
} }"""
KEPT = """() => { for (const [name, right] of [["05-quiz-1", false], ["08-quiz-2", true]])
  localStorage.setItem(`coursekit:predict:${name}`, JSON.stringify(
    { answer: 0, right, when: new Date(Date.now() - 20 * 86400000).toISOString() })); }"""


def pieces(page, boxes):
    """A picture of each prediction and question, cut from one of the page."""
    whole = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    return [whole.crop(tuple(round(side) for side in found["box"])) for found in boxes]


def look(page, address):
    """(name, picture before, picture after) of each prediction and question of a page, and what is too wide."""
    page.goto(address)
    page.wait_for_function("[...document.querySelectorAll('article .ck-predict')].every((item) => item.ck)")
    page.evaluate(ALONE)
    page.wait_for_timeout(400)
    boxes = page.evaluate(BOXES)
    before, wide = pieces(page, boxes), [found["name"] for found in boxes if found["wide"]]
    page.evaluate(ANSWER)
    page.wait_for_timeout(700)
    boxes = page.evaluate(BOXES)
    wide += [f"{found['name']} with its reply" for found in boxes if found["wide"]]
    names = [found["name"] for found in boxes]
    return list(zip(names, before, pieces(page, boxes), strict=True)), wide


def sheets(pairs, columns, ground):
    """Contact sheets: each pair in the column that has most room."""
    width = max(before.width + after.width for _, before, after in pairs) + 24
    made, ends = [], []
    for _, before, after in pairs:
        height = max(before.height, after.height) + 12
        if not made or min(ends) + height > max(HEIGHT, height):
            made.append(Image.new("RGB", (width * columns, max(HEIGHT, height)), ground))
            ends = [0] * columns
        column = ends.index(min(ends))
        made[-1].paste(before, (column * width, ends[column]))
        made[-1].paste(after, (column * width + before.width + 8, ends[column]))
        ends[column] += height
    return made


def look_at_review(page, address, out, setting):
    """The review page: nothing to review, a question, its answer."""
    page.goto(address + "intro.html")
    page.evaluate("localStorage.clear()")
    page.goto(address + "review.html")
    page.wait_for_selector(".ck-review :visible")
    page.screenshot(path=out / f"review-{setting}-1.png")
    page.evaluate(KEPT)
    page.reload()
    page.wait_for_selector(".ck-review .ck-predict")
    page.screenshot(path=out / f"review-{setting}-2.png")
    page.locator(".ck-review .ck-predict input").first.check()
    page.locator(".ck-review .ck-predict button[type=submit]").click()
    page.wait_for_timeout(500)
    page.screenshot(path=out / f"review-{setting}-3.png")


def main():
    """Make the pictures and print what is too wide; the number of such findings is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("chapters", nargs="*", help="two digits each, and review; all without one")
    parser.add_argument("--only", action="append", choices=SETTINGS, help="a setting; all four without one")
    parser.add_argument("--out", type=Path, default=ROOT / "test-artefacts" / "questions")
    given = parser.parse_args()
    names = sorted(path.name for path in (BOOK / "chapters").glob("[0-9][0-9]_*.html"))
    names = [name for name in names if not given.chapters or name[:2] in given.chapters]
    if not names and given.chapters != ["review"]:
        sys.exit(f"There is no such chapter in {BOOK}. Build the book first: make build")
    given.out.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    wrong = 0
    with serve.background(BOOK) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=headless.executable(), args=headless.ARGUMENTS)
        for setting in given.only or SETTINGS:
            size, theme = SETTINGS[setting]
            context = browser.new_context(**size, color_scheme=theme, reduced_motion="reduce", service_workers="block")
            context.add_init_script(f"localStorage.mode = localStorage.theme = '{theme}'")
            page = context.new_page()
            page.set_default_timeout(120_000)
            for name in names:
                pairs, wide = look(page, f"{address}chapters/{name}")
                wrong += len(wide)
                ground = {"light": "#fff", "dark": "#14181e"}[theme]
                for number, sheet in enumerate(sheets(pairs, PAIRS[setting.split("-")[0]], ground), 1):
                    sheet.save(given.out / f"{name[:2]}-{setting}-{number}.png")
                print(json.dumps([setting, name, len(pairs), wide]), flush=True)
            if not given.chapters or "review" in given.chapters:
                look_at_review(page, address, given.out, setting)
            context.close()
        browser.close()
    sys.exit(min(wrong, 99))


if __name__ == "__main__":
    main()
