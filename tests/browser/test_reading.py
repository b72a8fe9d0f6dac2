"""The built book as it is met: no network, no storage, colours of the system, a phone, a translation."""

import json
import re
from pathlib import Path

import pytest
from browser_help import answer_all, give_up, lift_covers
from test_questions import BLOCKED, FULL

BOOK = Path(__file__).resolve().parents[2] / "_build" / "html"
CHAPTER = "chapters/05_initialization.html"
PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def book(serve):
    """The book's address."""
    if not (BOOK / "intro.html").is_file():
        give_up("TESTS OF READING SKIPPED: there is no book. Build it first: make build")
    return serve(BOOK)


def move(page):
    """Move the first slider of the page; tells whether its picture became another."""
    return page.evaluate("""async () => {
      const root = document.querySelector(".ck-explorer:has(input[type=range])");
      const picture = root.querySelector(".ck-picture"), before = picture.innerHTML;
      root.scrollIntoView();
      const slider = root.querySelector("input[type=range]");
      slider.value = slider.value === slider.min ? slider.max : slider.min;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      slider.dispatchEvent(new Event("change", { bubbles: true }));
      for (let wait = 0; wait < 80 && picture.innerHTML === before; wait++)
        await new Promise((go) => setTimeout(go, 100));
      return picture.innerHTML !== before;
    }""")


# ---------------------------------------------------------------- without a network

KEPT = """async (part) => {
  const names = [];
  for (const name of await caches.keys())
    for (const { url } of await (await caches.open(name)).keys()) names.push(url);
  return names.filter((url) => url.includes(part)).length;
}"""


def wait_for(page, part, count):
    """Wait until so many files whose names have this part are kept on the device."""
    until(page, KEPT, part, count, f"files with {part} are kept")


def until(page, code, given, value, what):
    """Wait until some code gives a value; a page's policy may forbid what `wait_for_function` does."""
    for _ in range(300):
        if page.evaluate(code, given) == value:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"{page.evaluate(code, given)} {what}, not {value}")


def test_that_what_was_read_and_the_next_chapter_are_there_without_a_network(open_page, book):
    page = open_page(book + CHAPTER, complaints=False, service_workers="allow")
    page.wait_for_load_state("networkidle")
    old = "_static/ck/frames/signal-0000/0.js"
    page.evaluate("async (old) => (await caches.open('pages')).put(old, new Response('old'))", book + old)
    assert page.evaluate("navigator.serviceWorker.controller === null"), "who does nothing has nothing kept"
    lift_covers(page)
    page.mouse.move(700, 400)
    page.mouse.wheel(0, 300)
    wait_for(page, "06_batch_normalization.html", 1)
    for name in (CHAPTER, "chapters/06_batch_normalization.html"):
        for spec in specs(name):
            wait_for(page, f"/frames/{spec['frames']['folder']}/", spec["frames"]["packs"])
    assert page.evaluate(KEPT, "signal-0000") == 0, "the copy of an older build is gone"
    page.context.set_offline(True)
    page.goto(book + "chapters/06_batch_normalization.html")
    assert "Batch normalization" in page.title()
    lift_covers(page)
    assert move(page)
    page.goto(book + "chapters/12_convolution.html")
    assert page.locator("h1").inner_text() == "This page is not on this device"
    assert page.get_by_role("link", name="Initialization").count()


def specs(name):
    """What the explorers of a page declare."""
    text = (BOOK / name).read_text(encoding="utf-8")
    parts = text.split('class="ck-spec">')[1:]
    return [json.loads(part.partition("</script>")[0]) for part in parts]


LIVE = """async () => {
  const root = document.querySelector("#ck-signal"), said = root.querySelector(".ck-status");
  root.querySelector(".ck-go").click();
  await Promise.resolve();
  root.querySelector(".ck-start")?.click(); // the first time it tells what it loads
  const shown = new Promise((done) => root.addEventListener("ck:shown", ({ detail }) => done(detail.mode)));
  const failed = new Promise((done) => setTimeout(() => done(said.innerText), 100000));
  return Promise.race([shown, failed]);
}"""


def test_that_python_once_loaded_runs_without_a_network(open_page, book):
    page = open_page(book + CHAPTER, complaints=False, service_workers="allow")
    page.mouse.move(700, 400)
    page.mouse.wheel(0, 300)
    until(page, "() => navigator.serviceWorker.controller !== null", None, True, "is whether a worker serves the page")
    python = next(path for path in (BOOK / "_static" / "ck").iterdir() if path.name.startswith("pyodide-")).name
    assert page.evaluate(KEPT, python) == 0, "nobody asked for Python yet"
    lift_covers(page)
    assert page.evaluate(LIVE) == "live"
    wait_for(page, CHAPTER, 1)
    page.context.set_offline(True)
    page.goto(book + CHAPTER)
    lift_covers(page)
    assert page.evaluate(LIVE) == "live"
    assert move(page), "a setting between the prepared ones is computed"


def keep(page):
    """Begin to read a page that counts (COUNT), and wait until it and the next one are kept."""
    page.mouse.move(700, 400)
    page.mouse.wheel(0, 300)
    until(page, "() => window.kept > 0", None, True, "is whether the pages are kept")


COUNT = "window.kept = 0; addEventListener('kept', () => window.kept++)"


def test_that_the_first_page_says_what_is_kept_and_removes_it(open_page, book):
    page = open_page(book + "intro.html", service_workers="allow")
    page.add_init_script(COUNT)
    page.reload()
    keep(page)
    said = page.locator(".ck-offline [role=status]")
    said.get_by_text(re.compile("On this device: [1-9]")).wait_for()
    assert page.evaluate(KEPT, "intro.html") == 1
    assert "MB)" in page.locator(".ck-offline label").inner_text()
    page.locator(".ck-offline input").uncheck()
    python = next(path for path in (BOOK / "_static" / "ck").iterdir() if path.name.startswith("coursekit-")).name
    page.reload()
    page.evaluate("name => fetch(name)", f"_static/ck/{python}")
    page.wait_for_timeout(500)
    assert page.evaluate(KEPT, python.replace("+", "%2B")) + page.evaluate(KEPT, python) == 0, "the switch is off"
    keep(page)
    page.get_by_role("button", name="Remove the copies").click()
    said.get_by_text("On this device: 0 pages").wait_for()


def test_that_the_copy_holds_the_pages_and_their_pictures():
    import zipfile

    with zipfile.ZipFile(BOOK / "training-neural-networks.zip") as archive:
        names = {name.removeprefix("training-neural-networks/") for name in archive.namelist()}
    assert {"index.html", "intro.html", CHAPTER, "search.html", "_static/search/sections.js"} <= names
    for spec in specs(CHAPTER):
        assert f"_static/ck/frames/{spec['frames']['folder']}/0.js" in names
    assert not [name for name in names if "pyodide-" in name or name.startswith("lite/")]
    assert "MB" in (BOOK / "intro.html").read_text(encoding="utf-8").partition('ck-copy-size">')[2][:12]


# ---------------------------------------------------------------- storage


@pytest.mark.parametrize("trouble", [BLOCKED, FULL], ids=["blocked", "full"])
def test_that_a_page_works_where_nothing_can_be_kept(open_page, book, trouble):
    page = open_page(book + CHAPTER, before=lambda page: page.add_init_script(trouble))
    page.wait_for_load_state()
    themes = set()
    for _ in range(3):
        page.locator(".bd-header-article .theme-switch-button").click()
        themes.add(page.evaluate("document.documentElement.dataset.theme"))
    assert themes == {"light", "dark"}
    form = page.locator(".ck-predict form:has(input[type=radio])").first
    form.locator("input[type=radio]").first.check()
    form.locator("button[type=submit]").click()
    page.get_by_text("This browser keeps nothing for this page").wait_for()
    page.goto(book + "search.html?q=momentum")
    assert page.locator("#search-results li").count() > 3


def test_that_two_tabs_keep_the_answers_of_both(open_page, book):
    one = open_page(book + CHAPTER)
    two = one.context.new_page()
    two.goto(book + CHAPTER)
    for page, place in ((one, 0), (two, -1)):
        page.evaluate("document.querySelectorAll('.ck-cover button').forEach((button) => button.click())")
        forms = page.locator(".ck-predict form:has(input[type=radio])")
        form = forms.nth(place if place >= 0 else forms.count() - 1)
        form.locator("input[type=radio]").first.check()
        form.locator("button[type=submit]").click()
    kept = "Object.keys(localStorage).filter((key) => key.startsWith('coursekit:predict:')).length"
    assert one.evaluate(kept) == two.evaluate(kept) == 2


# ---------------------------------------------------------------- what is seen

CONTRAST = """() => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map(Number).slice(0, 3).map((c) => c / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.querySelectorAll(".ck-picture > svg, .ck-figure > svg")].map((svg) => {
    const ground = light(getComputedStyle(svg).backgroundColor);
    const ink = light(getComputedStyle(svg.querySelector("text")).fill);
    return (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_that_pictures_are_read_in_the_colours_of_the_system(open_page, book, scheme):
    page = open_page(book + CHAPTER, color_scheme=scheme, forced_colors="active")
    found = page.evaluate(CONTRAST)
    assert found and min(found) > 4.5


LABELS = """() => [...document.querySelectorAll(".ck-picture > svg, .ck-figure > svg")]
  .filter((svg) => svg.getBoundingClientRect().width).map((svg) => {
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
  return scale * Math.min(...texts.map((text) => parseFloat(getComputedStyle(text).fontSize)));
})"""
HINTS = """() => [...document.querySelectorAll(".bd-article :is(pre, .ck-view, .ck-figure)")]
  .filter((box) => box.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }))
  .filter((box) => box.scrollWidth > box.clientWidth + 2)
  .filter((box) => !box.matches(".more-behind") || !box.hasAttribute("tabindex"))
  .map((box) => box.className + ": " + box.textContent.slice(0, 40))"""


@pytest.mark.parametrize("name", ["chapters/04_preprocessing.html", "chapters/12_convolution.html", "ledger.html"])
def test_that_a_phone_shows_labels_large_enough_and_where_there_is_more(open_page, book, name):
    page = open_page(book + name, **PHONE)
    page.evaluate("document.querySelectorAll('.ck-cover button').forEach((button) => button.click())")
    page.wait_for_timeout(1000)  # editors come after the page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert min(page.evaluate(LABELS), default=11) >= 11
    assert page.evaluate(HINTS) == []


NARROW = """async () => {
  await Promise.all([...document.querySelectorAll(".ck-explorer")].map((root) => root.ck.show()));
  const shown = [...document.querySelectorAll("svg.ck-narrow")].filter((svg) => svg.getBoundingClientRect().width);
  return {
    figures: shown.filter((svg) => svg.closest(".ck-figure")).length,
    explorers: shown.filter((svg) => svg.closest(".ck-explorer")).length,
    twice: [...document.querySelectorAll(".ck-both > svg:not(.ck-narrow)")].filter((svg) => svg.getClientRects().length)
      .length,
    wide: shown.filter((svg) => {
      const box = svg.closest(".ck-view, .ck-figure");
      return box.scrollWidth > box.clientWidth + 2 || svg.getBoundingClientRect().right > innerWidth;
    }).length,
  };
}"""


def test_that_a_phone_shows_pictures_laid_out_for_it(open_page, book):
    page = open_page(book + "chapters/12_convolution.html", **PHONE)
    lift_covers(page)
    found = page.evaluate(NARROW)
    assert found["figures"] > 3 and found["explorers"] > 3 and not found["twice"] and not found["wide"], found
    assert min(page.evaluate(LABELS)) >= 11
    assert move(page), "the pictures of a slider are laid out too"
    assert page.evaluate(NARROW)["wide"] == 0
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_function("() => !document.querySelector('.ck-explorer svg.ck-narrow')")


BROKEN = """() => [...document.querySelectorAll(".bd-article table.table :is(td, th)")].flatMap((cell) => {
  const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) for (const word of walker.currentNode.data.matchAll(/[\\p{L}]{3,14}/gu)) {
    const range = document.createRange();
    range.setStart(walker.currentNode, word.index);
    range.setEnd(walker.currentNode, word.index + word[0].length);
    const tops = new Set([...range.getClientRects()].filter((r) => r.width).map((r) => Math.round(r.top)));
    if (tops.size > 1) found.push(word[0]);
  }
  return found;
})"""


@pytest.mark.parametrize("name", ["intro.html", "chapters/09_regularization.html", "notation.html"])
def test_that_no_table_breaks_a_word_on_a_phone(open_page, book, name):
    page = open_page(book + name, **PHONE)
    assert page.evaluate(BROKEN) == []


def test_that_twice_the_size_leaves_everything_in_reach(open_page, book):
    page = open_page(book + CHAPTER, viewport={"width": 640, "height": 360}, device_scale_factor=2)
    lift_covers(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    assert move(page)


def test_that_a_translated_page_still_works(open_page, book):
    page = open_page(book + CHAPTER)
    page.wait_for_load_state()
    page.evaluate("""() => {
      const walker = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT), texts = [];
      while (walker.nextNode()) texts.push(walker.currentNode);
      for (const text of texts.filter((text) => text.data.trim() && !text.parentElement.closest("script, svg, math"))) {
        const font = document.createElement("font");
        font.textContent = text.data.toUpperCase();
        text.replaceWith(font);
      }
    }""")
    answer_all(page)
    lift_covers(page)
    assert move(page)


def test_that_numbers_of_runs_are_not_loud_and_the_first_visit_has_the_books_face(open_page, book):
    page = open_page(book + CHAPTER)
    page.evaluate("document.fonts.ready")
    weights = page.evaluate("""() => [...document.querySelectorAll(".bd-article p > .pasted-text")].map(
      (number) => [getComputedStyle(number).fontWeight, getComputedStyle(number.parentElement).fontWeight])""")
    assert weights and all(own == around for own, around in weights)
    loaded = "[...document.fonts].some((f) => f.family.includes('Source Serif') && f.status === 'loaded')"
    assert page.evaluate(loaded)
    rules = "[...document.fonts].filter((f) => f.family.includes('Source Serif')).map((f) => f.display)"
    assert set(page.evaluate(rules)) == {"swap"}, "with `optional` a slow first visit stays in another face"


# ---------------------------------------------------------------- paper


def test_that_paper_has_the_answers_at_its_end_and_no_half_empty_pages(open_page, book, tmp_path):
    page = open_page(book + CHAPTER)
    page.wait_for_load_state()
    page.emulate_media(media="print")
    assert page.locator(".ck-print:visible").count(), "without the event they stand under their questions"
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert not page.locator(".ck-predict .ck-print:visible").count()
    answers = page.locator(".print-answers li:visible").count()
    assert answers == page.locator(".ck-predict").count() > 3
    page.pdf(path=tmp_path / "chapter.pdf", format="A4")
    pages = (tmp_path / "chapter.pdf").read_bytes().count(b"/Type /Page\n")
    # As many as the text fills, and one for what cannot break.
    height = page.evaluate("document.querySelector('.bd-article').getBoundingClientRect().height")
    assert pages <= height / 720, (pages, height)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert not page.locator(".print-answers").count()


# ---------------------------------------------------------------- finding

QUESTIONS = {
    "momentum": "07",
    "nestrov": "07",
    "why does my loss go nan": "11|02|08",
    "softmaxx": "02",
    "cross entropy": "02",
    "dying relu": "03",
    "why standardize inputs": "04",
    "whitening": "04",
    "xavier initialization": "05",
    "batchnorm": "06",
    "difference between adam and adamw": "07|09",
    "learning rate warmup": "08",
    "how to choose batch size": "08",
    "dropout at test time": "09",
    "early stoping": "09",
    "random search vs grid search": "10",
    "stride and padding": "12",
    "what is a residual connection": "13",
    "lstm forget gate": "14",
    "fine tuning pretrained": "15",
}


def test_that_twenty_questions_lead_to_the_right_chapter(open_page, book):
    page = open_page(book + "search.html")
    page.wait_for_function("() => window.courseSearch && window.courseSections")
    found = page.evaluate(
        """(questions) => {
          const ask = courseSearch(courseSections);
          return questions.map((question) => ask(question).map(({ at }) => at));
        }""",
        list(QUESTIONS),
    )
    places = {}
    for (question, right), pages in zip(QUESTIONS.items(), found, strict=True):
        chapters = tuple(f"chapters/{number}_" for number in right.split("|"))
        places[question] = next((k for k, at in enumerate(pages) if at.startswith(chapters)), 99)
    assert max(places.values()) < 3, places
    assert sum(place == 0 for place in places.values()) >= 16, places


def test_that_the_search_shows_where_the_words_stand(open_page, book):
    page = open_page(book + "search.html?q=momentum")
    first = page.locator("#search-results li").first
    assert first.locator("a").get_attribute("href").startswith("chapters/07_")
    assert "momentum" in first.locator("mark").first.inner_text().lower()
    page.goto(book + "search.html?q=softmaxx")
    assert "words like softmax" in page.locator(".search-said").inner_text()
    page.goto(book + "search.html?q=zzzzqqqq")
    assert "Nothing was found" in page.locator(".search-said").inner_text()
