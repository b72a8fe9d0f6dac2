"""What README.md takes from the book, so that it cannot grow old: `python tools/readme.py [--check | --pictures]`.

The table of chapters comes from their titles and explorers. With --pictures the pictures are taken anew, in a browser,
from the built book: a chapter in light and in dark, an explorer as it moves, and what a check answers.
"""

import argparse
import importlib
import io
import re
import sys
import tempfile
from pathlib import Path

import headless
import numpy as np
import yaml
from serve import BOOK, background

from coursekit._chapters import CHAPTERS
from coursekit.grading.cases import load_sheet
from coursekit.grading.check import check
from coursekit.interactive.core import Explorer

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PICTURES = ROOT / ".github" / "pictures"
TABLE = re.compile(r"(<!-- chapters -->\n).*?(<!-- end of chapters -->)", re.S)
CHAPTER, SHEET, QUESTION = "chapters/05_initialization", "05", "05.2"
WIDTH = 900


def titles(number):
    """The title of a chapter, and those of its explorers in the order of their module."""
    name = CHAPTERS[number]
    text = (ROOT / "chapters" / f"{number}_{name}.md").read_text(encoding="utf-8")
    module = importlib.import_module(f"coursekit.explorers.{name}")
    found = [value.title for value in vars(module).values() if isinstance(value, Explorer) and value.title]
    return re.search(r"^# (.+)$", text, re.M)[1], list(dict.fromkeys(found))


def table():
    """The chapters as Markdown: where each is read and run, and what can be moved in it."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    book, repository = config["html"]["baseurl"].rstrip("/"), config["repository"]["url"]
    colab = f"https://colab.research.google.com/github{repository.removeprefix('https://github.com')}/blob/main"
    rows = ["| | chapter | what moves when you drag | open |", "|---|---|---|---|"]
    for number, name in CHAPTERS.items():
        stem = f"chapters/{number}_{name}"
        title, shown = titles(number)
        lite = f"{book}/lite/notebooks/index.html?path={stem}.ipynb"
        opened = f"[browser]({lite}) · [Colab]({colab}/{stem}.ipynb)"
        rows.append(f"| {number} | [{title}]({book}/{stem}.html) | {'; '.join(shown[:3])} | {opened} |")
    return "\n".join(rows) + "\n"


def with_table(text):
    """README's text with today's table."""
    return TABLE.sub(lambda match: match[1] + table() + match[2], text)


def answer():
    """A known wrong answer's check, as HTML."""
    question = next(each for each in load_sheet(SHEET).questions if each.id == QUESTION)
    pages, names = [], {"np": np}
    exec(question.wrong[0].code, names)
    module = sys.modules["coursekit.grading.check"]
    shown, module._Display.show = module._Display.show, lambda self, text, page: pages.append(page)
    try:
        check(QUESTION, names)
    finally:
        module._Display.show = shown
    return pages[-1]


def take_pictures():
    """Take all pictures of README from the built book."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    if not (BOOK / f"{CHAPTER}.html").is_file():
        sys.exit("There is no book to take pictures of. Build it first: make build")
    PICTURES.mkdir(parents=True, exist_ok=True)

    def image(shot):
        picture = Image.open(io.BytesIO(shot)).convert("RGB")
        return picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)

    with background(BOOK) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=headless.executable(), args=headless.ARGUMENTS)
        for scheme in ("light", "dark"):
            page = browser.new_page(
                bypass_csp=True, color_scheme=scheme, viewport={"width": 1200, "height": 800}, device_scale_factor=1.5
            )
            page.goto(f"{address}{CHAPTER}.html")
            page.wait_for_selector(".ck-explorer .ck-control", state="attached")
            page.evaluate(headless.UNCOVER)
            explorer = page.locator(".ck-explorer").first
            explorer.evaluate("element => scrollTo(0, element.getBoundingClientRect().top + scrollY - 230)")
            page.wait_for_timeout(500)
            image(page.screenshot()).save(PICTURES / f"chapter-{scheme}.webp", quality=80)
            if scheme == "light":
                frames = [image(shot) for shot in _moved(page, explorer)]
                height = max(frame.height for frame in frames)  # the sentence below may take another line
                frames = [_on_white(frame, height) for frame in frames]
                frames += frames[-2:0:-1]
                moving = {"save_all": True, "append_images": frames[1:], "duration": 160, "loop": 0}
                frames[0].save(PICTURES / "explorer.webp", quality=60, **moving)
            page.close()
        page = browser.new_page(viewport={"width": 780, "height": 400}, device_scale_factor=1.5)
        with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as file:
            file.write(f'<meta charset="utf-8"><body style="font:15px sans-serif;background:#fff">{answer()}')
            file.flush()
            page.goto(f"file://{file.name}")
            image(page.locator(".coursekit-check").screenshot()).save(PICTURES / "check.webp", quality=80)
        browser.close()
    for path in sorted(PICTURES.iterdir()):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


def _moved(page, explorer):
    """Move the first slider from one end to the other; a picture of each stop that was shown."""
    explorer.evaluate("element => { window.ckShown = 0; element.addEventListener('ck:shown', () => ckShown++) }")
    slider = explorer.locator("input[type=range]").first
    slider.press("Home")
    page.wait_for_timeout(3000)  # the packs of pictures are loaded when a slider is first touched
    yield explorer.screenshot()
    while slider.input_value() != slider.get_attribute("max"):
        before = page.evaluate("ckShown")
        slider.press("ArrowRight")
        page.wait_for_function(f"ckShown > {before}")
        yield explorer.screenshot()


def _on_white(frame, height):
    from PIL import Image

    whole = Image.new("RGB", (frame.width, height), "white")
    whole.paste(frame)
    return whole


def main():
    """Write the table, check it, or take the pictures too."""
    parser = argparse.ArgumentParser(description="What README.md takes from the book.")
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the table is up to date")
    parser.add_argument("--pictures", action="store_true", help="take the pictures from the built book")
    given = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    fresh = with_table(text)
    if given.check:
        sys.exit(
            "README.md has an old table of chapters; renew it with: .venv/bin/python tools/readme.py"
            if fresh != text
            else 0
        )
    if fresh != text:
        README.write_text(fresh, encoding="utf-8")
    if given.pictures:
        take_pictures()


if __name__ == "__main__":
    main()
