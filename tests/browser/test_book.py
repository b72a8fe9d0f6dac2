"""The built book in a real browser: every page, every slider, from a server and from the disk.

Pages and explorers are found in the built book, so a new chapter is tested as soon as it is built.
"""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from browser_help import PHONE, SETTLED, answer_all, give_up

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "_build" / "html"
ARTEFACTS = ROOT / "test-artefacts" / "book"
OTHERS = ("_static/", "_modules/", "reports/", "lite/", "index.html", "404.html")
DESK = {"width": 1280, "height": 900}


def pages():
    """Every page that a reader comes to; index.html only sends on to the first one."""
    found = (path.relative_to(BOOK).as_posix() for path in sorted(BOOK.rglob("*.html")))
    return [name for name in found if not name.startswith(OTHERS)]


def pages_with(mark):
    """The pages whose HTML holds a mark."""
    return [name for name in pages() if mark in (BOOK / name).read_text(encoding="utf-8")]


def artefact(name, ending):
    """Where the picture of a page is kept for people to look at."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    return ARTEFACTS / f"{name.removesuffix('.html').replace('/', '-')}{ending}"


def is_prose(name):
    """Tell chapters, sheets and front matter from the pages of the reference."""
    return not name.startswith(("reference/", "genindex", "py-modindex"))


def test_that_there_is_a_book():
    if not pages():
        give_up("BROWSER TESTS OF THE BOOK SKIPPED: there is no book. Build it first: make build")


@pytest.fixture(scope="module")
def roots(serve):
    """The book's address over http, and as files."""
    return {"http": serve(BOOK), "file": BOOK.as_uri() + "/"}


@pytest.fixture
def visit(open_page, roots):
    """visit(page, root="http", **context options) -> page with its predictions unanswered.

    Afterwards it must not have complained, nor asked another host (`open_page` sees to that).
    """

    def start(name, root="http", **options):
        return open_page(roots[root] + name, **{"viewport": DESK, **options})

    return start


def axe_violations(page):
    """What axe-core finds, one line for each rule and place."""
    from axe_playwright_python.sync_playwright import Axe

    # The insides of pictures and formulas are left out: a picture is one `img` with a name, and both have thousands of
    # nodes. Without `preload` axe does not fetch style sheets again (from addresses that it gets wrong).
    context = {"exclude": [[".ck-picture > svg"], ["math"]]}
    found = (
        Axe()
        .run(page, context=context, options={"preload": False, "resultTypes": ["violations"]})
        .response["violations"]
    )
    return [f"{v['id']}: {n['target']} {n['html'][:160]}" for v in found for n in v["nodes"]]


@pytest.mark.parametrize("name", pages())
def test_that_a_page_is_sound_accessible_and_narrow_enough(visit, name):
    page = visit(name, color_scheme="light")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_selector(f"html[data-theme={scheme}]")
        # Colours change slowly.
        page.evaluate(SETTLED)
        if is_prose(name):
            page.screenshot(path=artefact(name, f"-{scheme}.png"), full_page=True)
        assert axe_violations(page) == [], scheme
    page.set_viewport_size(PHONE["viewport"])
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]


def test_that_axe_would_find_something(visit):
    page = visit("glossary.html")
    page.evaluate(
        "document.querySelector('.bd-article').innerHTML += '<img src=\"_static/favicon.svg\"><button></button>'"
    )
    rules = {line.partition(":")[0] for line in axe_violations(page)}
    assert {"image-alt", "button-name"} <= rules


@pytest.mark.parametrize("name", [name for name in pages() if is_prose(name)])
def test_that_a_page_fits_a_phone(visit, name):
    page = visit(name, **PHONE)
    page.screenshot(path=artefact(name, "-phone.png"), full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]


def shown(explorer):
    """The picture that an explorer shows now, and what it says of it."""
    return explorer.locator(".ck-picture").inner_html(), explorer.locator(".ck-alt").inner_text()


def wait_for_change(page, explorer, before):
    """Wait until both the picture and its text are others than before."""
    changed = """([root, picture, text]) => {
        const box = document.getElementById(root);
        return box.querySelector(".ck-picture").innerHTML !== picture
            && box.querySelector(".ck-alt").innerText !== text;
    }"""
    page.wait_for_function(changed, arg=[explorer.get_attribute("id"), *before], timeout=8000)


def share_of_range(slider):
    """Where a slider stands, from 0 to 1."""
    low, high = float(slider.get_attribute("min") or 0), float(slider.get_attribute("max") or 100)
    return (float(slider.input_value()) - low) / (high - low)


@pytest.mark.parametrize("root", ["http", "file"])
@pytest.mark.parametrize("name", pages_with('class="ck-explorer"'))
def test_that_every_slider_answers_to_the_mouse(visit, name, root):
    page = visit(name, root)
    answer_all(page)
    for explorer in page.locator(".ck-explorer").all():
        sliders = explorer.locator(".ck-control input[type=range]").all()
        assert sliders or explorer.locator(".ck-control select").count()
        for slider in sliders:
            slider.scroll_into_view_if_needed()
            before, value, share = shown(explorer), slider.input_value(), share_of_range(slider)
            box = slider.bounding_box()
            y = box["y"] + box["height"] / 2
            page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), y)
            page.mouse.down()
            page.mouse.move(box["x"] + (0.15 if share > 0.5 else 0.85) * box["width"], y, steps=8)
            page.mouse.up()
            assert slider.input_value() != value
            wait_for_change(page, explorer, before)


@pytest.mark.parametrize("root", ["http", "file"])
@pytest.mark.parametrize("name", pages_with('class="ck-explorer"'))
def test_that_every_slider_and_choice_answers_to_the_keyboard(visit, name, root):
    page = visit(name, root)
    answer_all(page)
    for explorer in page.locator(".ck-explorer").all():
        for slider in explorer.locator(".ck-control input[type=range]").all():
            before, share = shown(explorer), share_of_range(slider)
            slider.focus()
            page.keyboard.press("Home" if share > 0.5 else "End")
            wait_for_change(page, explorer, before)
            assert share_of_range(slider) == (0 if share > 0.5 else 1)
            assert slider.get_attribute("aria-valuetext")
            assert slider.evaluate("e => e.labels.length > 0")
        for choice in explorer.locator(".ck-control select").all():
            before, value = shown(explorer), choice.input_value()
            choice.focus()
            page.keyboard.press("ArrowDown")
            if choice.input_value() == value:
                page.keyboard.press("ArrowUp")
            assert choice.input_value() != value
            wait_for_change(page, explorer, before)


@pytest.mark.parametrize("name", pages_with('class="ck-explorer"'))
def test_that_without_javascript_the_default_pictures_are_there(visit, name):
    page = visit(name, java_script_enabled=False)
    for picture in page.locator(".ck-explorer .ck-picture svg").all():
        assert picture.bounding_box()["width"] > 200


# Texts of a picture of which one lies on another, or touches it from the side.
ON_EACH_OTHER = """() => [...document.querySelectorAll("article svg")].flatMap((picture) => {
  const texts = [...picture.querySelectorAll("text")].filter((text) => text.textContent.trim());
  const boxes = texts.map((text) => [text.textContent.trim(), text.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], i) => boxes.slice(i + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > -1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5).map(([other]) => `${one} | ${other}`));
})"""


@pytest.mark.parametrize("name", pages_with("<svg"))
def test_that_no_text_of_a_picture_touches_another(visit, name):
    page = visit(name)
    answer_all(page)
    assert page.evaluate(ON_EACH_OTHER) == []


@pytest.mark.parametrize("name", pages_with('class="ck-lines"')[:1])
def test_that_a_program_in_a_question_keeps_its_indentation(visit, name):
    kept = visit(name).locator(".ck-lines code").evaluate_all("all => all.map((e) => getComputedStyle(e).whiteSpace)")
    assert set(kept) == {"pre-wrap"}


def test_that_the_search_finds_a_chapter(visit):
    page = visit("search.html?q=symmetry")
    page.wait_for_selector("#search-results li a")


def test_that_the_search_icon_does_not_lie_on_what_one_types(visit):
    page = visit("search.html?q=symmetry")
    right, begins = page.evaluate("""() => {
      const input = document.querySelector("article form.bd-search input, main form.bd-search input");
      const icon = input.parentElement.querySelector("i, svg").getBoundingClientRect();
      return [icon.right, input.getBoundingClientRect().left + parseFloat(getComputedStyle(input).paddingLeft)];
    }""")
    assert right < begins


def test_that_the_first_page_is_found_at_the_root(open_page, roots):
    page = open_page(roots["http"])
    page.wait_for_selector(".bd-article h1")


def test_that_the_page_for_a_wrong_address_works_at_any_depth(open_page, serve, tmp_path):
    base = urlsplit(yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["html"]["baseurl"]).path
    site = tmp_path / base.strip("/")
    (site / "deeper").mkdir(parents=True)
    for part in BOOK.iterdir():
        (site / part.name).symlink_to(part)
    (site / "deeper" / "lost.html").write_bytes((BOOK / "404.html").read_bytes())
    page = open_page(serve(tmp_path) + base.lstrip("/") + "deeper/lost.html")
    assert page.locator("h1:visible").inner_text() == "This page is not here"
    page.get_by_text("Start from the first page").click()
    page.wait_for_selector(".bd-article h1:has-text('Training Neural Networks')")


def test_that_dark_and_light_can_be_chosen_and_are_kept(visit):
    page = visit("glossary.html", color_scheme="light")
    seen = set()
    for _ in range(3):
        page.locator(".bd-header-article .theme-switch-button").click()
        seen.add(page.evaluate("document.documentElement.dataset.theme"))
    assert seen == {"light", "dark"}
    kept = page.evaluate("document.documentElement.dataset.mode")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.mode") == kept


@pytest.mark.parametrize("name", [name for name in pages() if name.startswith("chapters/")])
def test_that_a_chapter_prints(visit, name):
    page = visit(name)
    page.emulate_media(media="print")
    for around in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer"):
        assert not page.locator(around).is_visible()
    assert page.locator("h1:visible").count() > 0
    path = artefact(name, ".pdf")
    page.pdf(path=path, format="A4")
    assert path.read_bytes().count(b"/Type /Page\n") > 2


def test_that_a_page_runs_no_script_that_is_not_its_own(chromium, roots):
    page = chromium.new_page()
    page.goto(roots["http"] + "intro.html")
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.intruder = 1";
        document.head.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.intruder = 2'>");
    }""")
    page.wait_for_timeout(300)
    assert page.evaluate("window.intruder") is None
    page.close()


# A picture as it is seen: its markup, with what is uncovered and where its handles are.
SEEN = """(root) => root.querySelector(".ck-picture").innerHTML + [...root.querySelectorAll(".ck-handle")].map(
  (each) => each.style.left + each.style.top + each.getAttribute("aria-label")).join()"""


@pytest.mark.parametrize("name", pages_with('class="ck-explorer"'))
def test_that_every_explorer_plays_is_grasped_and_is_read_off(visit, name):
    page = visit(name)
    answer_all(page)
    for explorer in page.locator(".ck-explorer").all():
        explorer.scroll_into_view_if_needed()
        play = explorer.locator(".ck-play")
        if play.count():
            before = explorer.evaluate(SEEN)
            play.click()
            page.wait_for_function(
                f"([id, before]) => ({SEEN})(document.getElementById(id)) !== before",
                arg=[explorer.get_attribute("id"), before],
                timeout=8000,
            )
            explorer.get_by_role("button", name="Reset").click()
        for handle in explorer.locator(".ck-handle").all():
            handle.focus()
            before = explorer.evaluate(SEEN)
            moved = []
            for key in ("ArrowUp", "ArrowDown", "ArrowRight", "ArrowLeft"):
                page.keyboard.press(key)
                page.wait_for_timeout(60)
                moved.append(explorer.evaluate(SEEN) != before)
            assert any(moved), handle.get_attribute("aria-label")
        reader = explorer.locator(".ck-read")
        reader.focus()
        told = set()
        for key in ("Home", *["ArrowRight"] * 4, *["ArrowDown"] * 4, "PageDown", "ArrowRight"):
            page.keyboard.press(key)
            told.add(reader.get_attribute("aria-valuetext"))
        assert len(told) > 2
