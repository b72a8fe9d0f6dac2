"""Explorers and predictions in a real browser."""

from __future__ import annotations

import base64
import importlib
import json
import os
import pickle
import pkgutil
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import explorers_demo
import numpy as np
import pytest
from browser_help import PHONE, give_up, go_live

import coursekit.explorers
from coursekit.explorers import Explorer

WAVE, HEAT = "#ck-wave-shape", "#ck-heat"

# Set a control and wait for the picture: what a drag does, timed.
SET = """async ([root, name, value]) => {
  const explorer = document.querySelector(root);
  const input = explorer.querySelector(`${root}-${name}`);
  const shown = new Promise((done, fail) => {
    explorer.addEventListener("ck:shown", (e) => done(e.detail), { once: true });
    setTimeout(() => fail(new Error("no picture: " + explorer.querySelector(".ck-status").innerText)), 10000);
  });
  const start = performance.now();
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  const detail = await shown;
  explorer.getBoundingClientRect();
  return { ...detail, total: performance.now() - start };
}"""


def picture(page, root=WAVE):
    return page.locator(f"{root} .ck-picture").inner_html()


def alt(page, root=WAVE):
    return page.locator(f"{root} .ck-alt").inner_text()


def drag(page, selector, to):
    box = page.locator(selector).bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * to, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()


def uncover(page):
    """Answer the prediction that the second explorer stands behind."""
    page.get_by_label("Three times").check()
    page.locator("#ck-predict-demo-guess button[type=submit]").click()


def start_live(page):
    page.locator(f"{WAVE} .ck-go").click()
    page.locator(f"{WAVE} .ck-start").click()


def file_address(site):
    return (site / "index.html").as_uri()


@pytest.mark.parametrize("control", ["amplitude", "turns"])
def test_dragging_with_the_mouse_changes_the_picture_and_its_text(open_page, demo, control):
    page = open_page(demo)
    before = picture(page), alt(page)
    drag(page, f"{WAVE}-{control}", 0.98)
    page.wait_for_function("text => document.querySelector('#ck-wave-shape .ck-alt').innerText !== text", arg=before[1])
    assert picture(page) != before[0]
    assert {"amplitude": "amplitude 3 ", "turns": "turns 7 "}[control] in alt(page)


def test_the_picture_is_the_one_that_python_draws(open_page, demo):
    page = open_page(demo)
    page.evaluate(SET, [WAVE, "turns", 4])
    native = explorers_demo.wave_shape.picture("ck-wave-shape", turns=5)
    page.evaluate("svg => { window.native = document.createElement('div'); native.innerHTML = svg }", native.svg)
    assert picture(page) == page.evaluate("native.innerHTML")
    assert alt(page) == native.alt


def test_every_control_works_by_keyboard_and_reads_out_its_value(open_page, demo):
    page = open_page(demo)
    slider = page.get_by_role("slider", name="amplitude")
    assert slider.get_attribute("aria-valuetext") == "0.548 V"
    slider.focus()
    for key, told in [("ArrowRight", "0.838 V"), ("Home", "0.1 V"), ("End", "3 V"), ("ArrowLeft", "1.96 V")]:
        page.keyboard.press(key)
        assert slider.get_attribute("aria-valuetext") == told
        page.wait_for_function(
            "text => document.querySelector('#ck-wave-shape .ck-alt').innerText.includes(text)", arg=told.split()[0]
        )
    page.get_by_role("combobox", name="shape").select_option("square")
    page.wait_for_function("document.querySelector('#ck-wave-shape .ck-alt').innerText.includes('square')")
    page.get_by_role("button", name="Reset").first.click()
    page.wait_for_function(
        "document.querySelector('#ck-wave-shape .ck-alt').innerText.includes('sine of amplitude 0.548')"
    )


def test_the_focused_control_has_a_visible_ring(open_page, demo):
    page = open_page(demo)
    page.get_by_role("slider", name="amplitude").focus()
    page.keyboard.press("ArrowRight")
    style = page.get_by_role("slider", name="amplitude").evaluate(
        "e => { const s = getComputedStyle(e); return [s.outlineStyle, s.outlineWidth] }"
    )
    assert style == ["solid", "3px"]


def test_touch_works_and_nothing_is_wider_than_a_phone(open_page, demo, tmp_path):
    page = open_page(demo, **PHONE)
    box = page.locator(f"{WAVE}-turns").bounding_box()
    assert box["height"] >= 44
    page.touchscreen.tap(box["x"] + box["width"] - 6, box["y"] + box["height"] / 2)
    page.wait_for_function("document.querySelector('#ck-wave-shape .ck-alt').innerText.includes('turns 7 ')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    svg = page.locator(f"{WAVE} .ck-picture svg").bounding_box()
    assert svg["x"] >= 0 and svg["x"] + svg["width"] <= 375 and svg["width"] >= 320


def test_frames_answer_in_under_30_ms(open_page, demo):
    page = open_page(demo)
    uncover(page)
    page.locator(HEAT).hover()
    times = []
    for k in range(25):
        times.append(page.evaluate(SET, [WAVE, "turns", k % 7])["total"])
        times.append(page.evaluate(SET, [HEAT, "width", k % 5])["total"])
    times = sorted(times[2:])  # the first of each loads its pack
    p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    print(f"\nframes: p50 {p50:.1f} ms, p95 {p95:.1f} ms of {len(times)}; load {os.getloadavg()[0]:.1f}")
    assert p95 < 30


def test_packs_are_loaded_only_when_they_are_wanted(open_page, demo):
    asked = []
    page = open_page(demo, before=lambda page: page.on("request", lambda request: asked.append(request.url)))
    page.evaluate(SET, [WAVE, "turns", 1])
    assert any("/frames/wave-shape" in url for url in asked)
    assert not any("/frames/heat" in url for url in asked)  # it is behind a prediction
    assert len(page.content()) < 120_000
    uncover(page)
    page.evaluate(SET, [HEAT, "width", 1])
    assert any("/frames/heat" in url for url in asked)


def test_it_works_from_a_disk_and_live_says_that_it_needs_a_server(open_page, demo_site):
    page = open_page(file_address(demo_site))
    page.evaluate(SET, [WAVE, "turns", 0])
    assert "turns 1 times" in alt(page)
    live = page.locator(f"{WAVE} .ck-go")
    if live.count():
        live.click()
        assert "needs a web server" in page.locator(f"{WAVE} .ck-status").inner_text()
        page.evaluate(SET, [WAVE, "turns", 1])
        assert "turns 2 times" in alt(page)


def test_without_javascript_the_default_picture_and_the_answers_are_there(open_page, demo):
    page = open_page(demo, java_script_enabled=False)
    assert page.locator(f"{WAVE} .ck-picture svg").is_visible()
    assert "turns 3 times" in alt(page)
    assert "Shown for amplitude 0.548 V, turns 3, shape sine." in page.locator(f"{WAVE} .ck-settings").inner_text()
    assert "need JavaScript" in page.locator(f"{WAVE} .ck-note").inner_text()
    assert page.locator(f"{HEAT} .ck-picture svg").is_visible()
    page.locator("#ck-predict-demo-guess summary", has_text="Show the answer").click()
    assert "Three times" in page.locator("#ck-predict-demo-guess > noscript details").inner_text()


def test_a_missing_pack_is_said_and_the_picture_stays(open_page, demo):
    page = open_page(
        demo, complaints=False, before=lambda p: p.route("**/frames/wave-shape*/*.js", lambda r: r.abort())
    )
    before = picture(page)
    page.get_by_role("slider", name="amplitude").focus()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('#ck-wave-shape .ck-status').innerText.includes('missing')")
    assert picture(page) == before
    page.unroute("**/frames/wave-shape*/*.js")
    page.evaluate(SET, [WAVE, "turns", 6])
    assert "turns 7 times" in alt(page)
    assert page.locator(f"{WAVE} .ck-status").inner_text() == ""


def test_the_state_is_in_the_address_for_several_explorers(open_page, demo):
    page = open_page(demo)
    uncover(page)
    page.evaluate(SET, [WAVE, "turns", 5])
    page.evaluate(SET, [WAVE, "shape", 1])
    page.evaluate(SET, [HEAT, "width", 1])
    page.wait_for_function("location.hash.includes('heat.width=0.25')")
    address = page.url
    assert "wave-shape.turns=6" in address and "wave-shape.shape=square" in address
    again = open_page(address)
    again.wait_for_function("document.querySelector('#ck-wave-shape .ck-alt').innerText.includes('turns 6 times')")
    assert alt(again) == "A square of amplitude 0.548 that turns 6 times."
    again.locator(f"{WAVE} button", has_text="Reset").click()
    again.wait_for_function("!location.hash.includes('wave-shape')")
    assert "heat.width=0.25" in again.url


def test_nonsense_in_the_address_is_ignored(open_page, demo):
    page = open_page(demo + "#wave-shape.turns=99&wave-shape.amplitude=x&wave-shape.shape=%E0%A4%A&heat.width=")
    assert page.locator(f"{WAVE}-turns").input_value() == "2"
    page.evaluate(SET, [WAVE, "turns", 0])
    assert "turns 1 times" in alt(page)


def test_copy_link_gives_an_address_that_opens_this_state(open_page, demo):
    page = open_page(demo, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(SET, [WAVE, "turns", 5])
    page.locator(f"{WAVE} button", has_text="Copy link").click()
    page.wait_for_function("document.querySelector('#ck-wave-shape .ck-status').innerText.includes('copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("#ck-wave-shape&wave-shape.turns=6")
    again = open_page(link)
    again.wait_for_function("document.querySelector('#ck-wave-shape .ck-alt').innerText.includes('turns 6 times')")


@pytest.mark.parametrize(("scheme", "ink"), [("light", "rgb(26, 28, 30)"), ("dark", "rgb(232, 234, 237)")])
def test_letters_follow_the_theme(open_page, demo, scheme, ink):
    page = open_page(demo, color_scheme=scheme)
    for figure in (f"{WAVE} svg", ".ck-figure svg"):
        letters = page.locator(f"{figure} text").first
        assert letters.evaluate("e => getComputedStyle(e).fill") == ink
    ground = page.locator(WAVE).evaluate(
        "e => { while (getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)') e = e.parentElement;"
        " return getComputedStyle(e).backgroundColor }"
    )
    shades = [int(n) for n in re.findall(r"\d+", ground)[:3]]
    assert all(n > 240 for n in shades) if scheme == "light" else all(n < 40 for n in shades)


def test_on_paper_there_are_no_controls_but_the_settings_and_the_answers(open_page, demo):
    page = open_page(demo, color_scheme="dark")
    page.evaluate(SET, [WAVE, "turns", 4])
    page.emulate_media(media="print")
    assert not page.locator(f"{WAVE} .ck-controls").is_visible()
    assert not page.locator(f"{WAVE} button").first.is_visible()
    assert "turns 5" in page.locator(f"{WAVE} .ck-settings").inner_text()
    assert page.locator(f"{WAVE} svg text").first.evaluate("e => getComputedStyle(e).fill") == "rgb(26, 28, 30)"
    assert "Three times" in page.locator("#ck-predict-demo-guess .ck-print").inner_text()
    assert page.locator(f"{HEAT} .ck-picture svg").is_visible()


def test_ids_are_unique_in_the_page(open_page, demo):
    page = open_page(demo)
    twice = "(() => { const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);"
    assert page.evaluate(twice + " return ids.filter((id, k) => ids.indexOf(id) !== k) })()") == []


def test_the_same_explorer_twice_on_a_page_works_twice(open_page, demo_site, serve):
    text = (demo_site / "index.html").read_text(encoding="utf-8")
    block = re.search(r"<!--ck:explorers_demo:wave_shape-->.*?<!--/ck:explorers_demo:wave_shape-->", text, re.S)[0]
    (demo_site / "twice.html").write_text(text.replace(block, block + block), encoding="utf-8")
    page = open_page(serve(demo_site) + "twice.html")
    first = picture(page)
    page.evaluate(SET, [f"{WAVE}-2", "turns", 5])
    assert "turns 6 times" in alt(page, f"{WAVE}-2")
    assert picture(page) == first and "turns 3 times" in alt(page)
    page.wait_for_function("location.hash.includes('wave-shape-2.turns=6')")
    clip = page.locator(f"{WAVE}-2 [clip-path]").first.get_attribute("clip-path")
    assert page.locator(f"{WAVE}-2 {re.search('#[^)]+', clip)[0]}").count() == 1


# ---------------------------------------------------------------- predictions


def test_a_prediction_reveals_nothing_before_it_is_made(open_page, demo):
    page = open_page(demo)
    assert not page.locator(HEAT).is_visible()
    shown = page.locator("#ck-predict-demo-guess").inner_text()
    assert "The default is 3." not in shown and "Answer" not in shown
    assert "0.548" not in page.locator("#ck-predict-demo-number").inner_text()
    page.locator("#ck-predict-demo-guess button[type=submit]").click()  # nothing chosen
    assert not page.locator(HEAT).is_visible()


def test_a_prediction_is_answered_kept_and_can_be_given_again(open_page, demo):
    page = open_page(demo)
    page.get_by_label("Seven times").check()
    page.locator("#ck-predict-demo-guess button[type=submit]").click()
    reply = page.locator("#ck-predict-demo-guess .ck-reply")
    assert reply.inner_text().startswith("Not what happens. That is the right end of the slider.")
    assert page.locator(HEAT).is_visible()
    page.reload()
    assert reply.inner_text().startswith("Not what happens.")
    page.locator("#ck-predict-demo-guess button", has_text="Answer again").click()
    assert reply.inner_text() == "" and not page.locator(HEAT).is_visible()
    page.reload()
    assert reply.inner_text() == ""


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ("0,55", "As you predicted."),
        ("5.48", "Your number is 10 times too large."),
        ("-1", "Your number is off by 1.5."),
        ("two", "Please give a number"),
    ],
)
def test_a_number_is_told_how_far_off_it_is(open_page, demo, given, verdict):
    page = open_page(demo)
    page.locator("#ck-predict-demo-number input").fill(given)
    page.keyboard.press("Enter")
    said = page.locator("#ck-predict-demo-number .ck-reply").inner_text()
    assert said.startswith(verdict)
    assert ("0.548 V" in said) == (given != "two")
    if given != "two":
        value = float(given.replace(",", "."))
        assert page.evaluate(
            "s => new DOMParser().parseFromString(s, 'text/html').body.innerText", explorers_demo.number.reply(value)
        ).startswith(verdict)


def test_a_prediction_works_where_storage_is_blocked(open_page, demo):
    blocked = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    page = open_page(demo, complaints=False, before=lambda page: page.add_init_script(blocked))
    uncover(page)
    assert "As you predicted." in page.locator("#ck-predict-demo-guess .ck-reply").inner_text()


# ---------------------------------------------------------------- live


@pytest.fixture(scope="session")
def live_site(demo, demo_site):
    if not list((demo_site / "_static" / "ck").glob("pyodide-*")):
        give_up("Pyodide could not be had, so there is no live mode to test")
    return demo


@pytest.fixture
def live_page(open_page, live_site):
    page = open_page(live_site)
    page.began = go_live(page)
    assert page.began["detail"], page.began["said"][-1]
    return page


@pytest.fixture(scope="module")
def worker(chromium, live_site):
    """A page whose worker runs, for tests that only ask it for numbers."""
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(live_site)
        assert go_live(page)["detail"]
        yield page


def test_live_starts_with_progress_and_shows_values_in_between(live_page):
    began = live_page.began
    print(f"\nlive: {began['ms'] / 1000:.1f} s from the click to the first picture; load {os.getloadavg()[0]:.1f}")
    assert any("Loading Python" in said and "MB" in said for said in began["said"])
    shown = live_page.evaluate(SET, [WAVE, "amplitude", 61])
    assert shown["mode"] == "live"
    assert shown["values"]["amplitude"] not in explorers_demo.wave_shape.controls["amplitude"].values
    assert f"amplitude {shown['values']['amplitude']:.3g} " in alt(live_page)
    live_page.get_by_role("button", name="Stop live").click()
    assert live_page.locator(f"{WAVE}-amplitude").get_attribute("max") == "8"
    assert live_page.evaluate(SET, [WAVE, "amplitude", 8])["mode"] == "frames"


def every_explorer():
    """The explorers of the tests and of every chapter."""
    modules = [explorers_demo]
    for found in pkgutil.iter_modules(coursekit.explorers.__path__):
        source = Path(coursekit.explorers.__path__[0], f"{found.name}.py").read_text(encoding="utf-8")
        if "explorer(" in source and found.name not in ("core", "widget", "html"):
            modules.append(importlib.import_module(f"coursekit.explorers.{found.name}"))
    return {
        thing.address: thing for module in modules for thing in vars(module).values() if isinstance(thing, Explorer)
    }


def two_settings(explorer):
    return [{}, {name: control.values[-1] for name, control in explorer.controls.items()}]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """elsewhere(address, k) -> the same arrays, computed here with the matrix products of an older processor.

    Training at a wild setting multiplies the last digit's rounding until nothing of it is left, in any precision. Where
    two processors do not agree to 1e-6, Pyodide and this one need not either.
    """
    file = tmp_path_factory.mktemp("elsewhere") / "arrays.pickle"
    code = (
        "import pickle, sys\nimport test_explorers as t\n"
        "found = {a: [e.arrays(**s) for s in t.two_settings(e)] for a, e in t.every_explorer().items()}\n"
        "pickle.dump(found, open(sys.argv[1], 'wb'))"
    )
    folders = [str(Path(__file__).parent), str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    environment = dict(os.environ, OPENBLAS_CORETYPE="Nehalem", PYTHONPATH=os.pathsep.join(filter(None, folders)))
    subprocess.run([sys.executable, "-c", code, str(file)], env=environment, check=True, timeout=250)
    found = pickle.loads(file.read_bytes())
    return lambda address, k: found[address][k]


def furthest(found, array):
    """The largest distance of entries that are finite in both, relative to the largest number if that is above 1."""
    found, array = np.asarray(found, float), np.asarray(array, float)  # booleans cannot be subtracted
    both = np.isfinite(found) & np.isfinite(array)
    found, array = found[both], array[both]
    return np.max(np.abs(found - array), initial=0) / max(1, np.max(np.abs(array), initial=0))


# Explorers whose wildest setting multiplies rounding a hundred thousand times, although two processors happen to agree.
WILD = {
    "coursekit.explorers.batch_normalization:scale_curve",
    "coursekit.explorers.learning_rate_and_batch_size:range_test",  # 23 trainings, up to rates that diverge
    "coursekit.explorers.learning_rate_and_batch_size:schedule",  # a rate of 1.6, held for most of the training
}


# Shares of examples, after ten steps at a rate of 1.4 that multiply rounding: an example at a border changes sides.
AFTER_A_BURST = {("coursekit.explorers.activations:burst", "on"): 0.02}


@pytest.mark.parametrize("explorer", every_explorer().values(), ids=every_explorer())
def test_live_arrays_equal_native_ones(worker, elsewhere, explorer):
    for k, settings in enumerate(two_settings(explorer)):
        if k and explorer.address in WILD:
            continue
        answer = worker.evaluate(
            "([address, settings]) => ckPython.ask({ type: 'arrays', address, settings })",
            [explorer.address, json.dumps(settings)],
        )
        native = explorer.arrays(**settings)
        assert native and answer.get("arrays", answer).keys() == native.keys()
        chaotic = []
        for name, array in native.items():
            found = np.array(answer["arrays"][name]["values"], dtype=float).reshape(answer["arrays"][name]["shape"])
            assert found.shape == array.shape
            if furthest(elsewhere(explorer.address, k)[name], array) > 1e-6:
                chaotic.append(name)
                continue
            np.testing.assert_array_equal(np.isfinite(found), np.isfinite(array), err_msg=name)
            assert furthest(found, array) <= AFTER_A_BURST.get((explorer.address, name), 1e-6), (name, settings)
        if chaotic:
            print(f"\n{explorer.address} {settings}: no two processors agree on {', '.join(chaotic)}")
        assert len(chaotic) < len(native)


def native_milliseconds(explorer):
    """What a picture takes here and now without a browser."""
    times = []
    for point in explorer.grid()[:20]:
        start = time.perf_counter()
        explorer.picture("native", **point)
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times)[10]


def test_live_is_quick_newest_wins_and_the_page_stays_responsive(live_page):
    times = sorted(live_page.evaluate(SET, [WAVE, "amplitude", 2 * k + 1])["total"] for k in range(30))
    p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    native = native_milliseconds(explorers_demo.wave_shape)
    drag = live_page.evaluate("""async () => {
      const root = document.querySelector("#ck-wave-shape");
      const input = root.querySelector("#ck-wave-shape-amplitude");
      let pictures = 0, gap = 0, last = performance.now();
      root.addEventListener("ck:shown", () => pictures++);
      for (let k = 0; k < 60; k++) {
        input.value = k;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((done) => setTimeout(done, 16));
        gap = Math.max(gap, performance.now() - last);
        last = performance.now();
      }
      const wanted = JSON.stringify(root.ck.values());
      const start = performance.now();
      await new Promise((done, fail) => {
        root.addEventListener("ck:shown", (e) => JSON.stringify(e.detail.values) === wanted && done());
        setTimeout(() => fail(new Error("the newest setting was not drawn")), 10000);
      });
      return { pictures, gap, settled: performance.now() - start, alt: root.querySelector(".ck-alt").innerText };
    }""")
    print(
        f"\nlive: p50 {p50:.0f} ms, p95 {p95:.0f} ms, {p50 / native:.1f} times native; "
        f"60 events in a row: {drag['pictures']} pictures, settled after {drag['settled']:.0f} ms, "
        f"longest pause of the page {drag['gap']:.0f} ms; load {os.getloadavg()[0]:.1f}"
    )
    assert drag["pictures"] < 60
    value = live_page.evaluate("document.querySelector('#ck-wave-shape').ck.values().amplitude")
    assert f"amplitude {value:.3g} " in drag["alt"]
    # 100 ms, as before; a machine that is slow at the same picture without a browser has six times what it takes there.
    assert p95 < max(100 * max(1, os.getloadavg()[0] / 1.5), 6 * native)
    assert p50 < 6 * native


def test_a_setting_that_fails_is_said_and_live_goes_on(live_page):
    live_page.evaluate("document.querySelector('#ck-wave-shape').ck.spec.address = 'explorers_demo:nothing'")
    live_page.get_by_role("slider", name="turns").focus()
    live_page.keyboard.press("End")
    live_page.wait_for_function(
        "document.querySelector('#ck-wave-shape .ck-status').innerText.includes('did not work')"
    )
    live_page.evaluate("document.querySelector('#ck-wave-shape').ck.spec.address = 'explorers_demo:wave_shape'")
    assert live_page.evaluate(SET, [WAVE, "turns", 1])["mode"] == "live"


def test_live_mode_tells_what_it_loads_before_the_first_start(open_page, live_site):
    page = open_page(live_site)
    page.locator(f"{WAVE} .ck-go").click()
    assert re.search(r"loads \d+ MB", page.locator(f"{WAVE} .ck-status").inner_text())
    page.locator(f"{WAVE} .ck-status button", has_text="Not now").click()
    assert page.evaluate("ckPython.worker") is None and page.locator(f"{WAVE} .ck-status").inner_text() == ""


def test_an_ordered_number_is_a_slider_that_stops_at_each(open_page, demo):
    page = open_page(demo)
    days = page.locator("#ck-days-images")
    assert days.get_attribute("type") == "range"
    days.focus()
    told = []
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
        told.append(days.get_attribute("aria-valuetext"))
    assert told == ["1", "10", "100", "all"]
    page.wait_for_function("document.querySelector('#ck-days .ck-alt').innerText.includes('all images')")


def test_controls_and_the_whole_picture_share_a_screen(open_page, demo):
    page = open_page(demo, viewport={"width": 1280, "height": 720})
    for explorer in page.locator(".ck-explorer").all():
        if explorer.is_visible():
            assert explorer.bounding_box()["height"] <= 560


def test_live_can_be_cancelled_while_it_starts(open_page, live_site):
    page = open_page(live_site, complaints=False)
    start_live(page)
    page.locator(f"{WAVE} .ck-go", has_text="Cancel").click()
    assert page.locator(f"{WAVE} .ck-go").inner_text() == "Run live"
    assert page.evaluate("ckPython.worker") is None
    assert page.evaluate(SET, [WAVE, "turns", 1])["mode"] == "frames"


def test_a_damaged_file_says_that_python_did_not_start(open_page, live_site):
    """Half of the packages: the browser notices when it unpacks them."""

    def halve(route):
        whole = route.fetch().body()
        route.fulfill(body=whole[: len(whole) // 2], content_type="application/octet-stream")

    page = open_page(live_site, complaints=False, before=lambda page: page.context.route("**/packages.bin", halve))
    start_live(page)
    page.wait_for_function(
        "document.querySelector('#ck-wave-shape .ck-status').innerText.includes('did not start')", timeout=60_000
    )
    assert page.evaluate(SET, [WAVE, "turns", 1])["mode"] == "frames"


@pytest.mark.skipif(not shutil.which("node"), reason="byte code is made with Node, which is not here")
def test_what_every_page_imports_comes_with_byte_code(demo_site, live_site):
    (wheel,) = (demo_site / "_static" / "ck").glob("coursekit-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        compiled = [name for name in archive.namelist() if name.endswith(".pyc")]
    assert len(compiled) > 30
    assert all("/__pycache__/" in name and name.endswith(".cpython-314.pyc") for name in compiled)


@pytest.mark.parametrize(
    "lost", ["pyodide.asm.wasm", "packages.bin", "coursekit-*.whl", "pyodide.mjs", "worker.mjs", "unpack.mjs"]
)
def test_a_failed_start_says_why_and_frames_go_on(open_page, live_site, lost):
    page = open_page(
        live_site, complaints=False, before=lambda page: page.context.route(f"**/{lost}", lambda route: route.abort())
    )
    start_live(page)
    page.wait_for_function(
        "document.querySelector('#ck-wave-shape .ck-status').innerText.includes('did not start')", timeout=60_000
    )
    assert "could not be loaded" in page.locator(f"{WAVE} .ck-status").inner_text()
    assert page.evaluate(SET, [WAVE, "turns", 1])["mode"] == "frames"
    assert page.locator(f"{WAVE} .ck-go").inner_text() == "Run live"


def test_the_secret_of_a_prediction_is_not_plain_text():
    page = explorers_demo.guess.html()
    secret = re.search('data-secret="([^"]+)"', page)[1]
    assert "The default is 3." not in page.split('class="ck-print"')[0]
    assert "The default is 3." in json.loads(base64.b64decode(secret))["told"][0]
