"""The reader's functions in two experiments, and the code of a third, in a real browser."""

from __future__ import annotations

import json

import pytest
from test_book import artefact, axe_violations
from test_cells import LONG, address, check, open_exercise, run, stub, type_anew, visit  # noqa: F401

pytestmark = pytest.mark.timeout(600)

FAN_IN = """def fan_in(shape):
    return shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))"""
HE = """def he_normal(rng, shape):
    return np.sqrt(2 / fan_in(shape)) * rng.standard_normal(shape)"""
CONV = """def conv2d_forward(x, w, b, stride=1, padding=0):
    import time
    {}
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("ncpqij,fcij->nfpq", windows, w) + b[:, None, None], None"""
PUT = "([code]) => localStorage.setItem('coursekit:work:12.2', JSON.stringify({ conv2d_forward: code }))"


def written(page):
    """Begin as a reader whose convolution has passed its check."""
    code = json.dumps(json.dumps({"conv2d_forward": CONV.format("")}))
    page.add_init_script(
        f"if (!localStorage.getItem('coursekit:work:12.2')) localStorage.setItem('coursekit:work:12.2', {code});"
        "localStorage.setItem('coursekit:check:12.2', '{\"right\": true}')"
    )


def say(explorer, code, key):
    """Change the function, move a slider, and wait for what is said."""
    page = explorer.page
    page.evaluate(PUT, [CONV.format(code)])
    explorer.locator("input[type=range]").first.focus()
    page.keyboard.press(key)


def test_a_function_with_a_box_of_its_own(visit):  # noqa: F811
    page = visit("chapters/12_convolution.html", before=written)
    explorer = page.locator("#ck-feature-maps")
    box = explorer.get_by_label("your conv2d", exact=True)
    box.check(timeout=LONG)
    words = explorer.locator(".ck-words")
    words.wait_for(timeout=LONG)
    assert "Yours and the course's conv2d agree" in words.inner_text()
    assert explorer.locator(".ck-picture svg").count() == 2
    assert "your conv2d" in explorer.locator(".ck-settings").inner_text()
    explorer.scroll_into_view_if_needed()
    page.screenshot(path=artefact("slots-box", ".png"))
    assert axe_violations(page) == []

    say(explorer, "b = b * np.nan", "ArrowRight")
    explorer.get_by_text("gives NaN").wait_for(timeout=LONG)
    say(explorer, "return missing", "ArrowRight")
    explorer.locator(".ck-status.ck-wrong", has_text="name 'missing' is not defined").wait_for(timeout=LONG)
    say(explorer, "time.sleep(1.5)", "ArrowLeft")
    explorer.locator(".ck-words", has_text="With yours it took").wait_for(timeout=LONG)
    say(explorer, "while True: pass", "ArrowLeft")
    explorer.get_by_role("button", name="Stop", exact=True).click()
    explorer.locator(".ck-status.ck-wrong", has_text="Stopped.").wait_for()
    box.uncheck()
    page.wait_for_function("() => !document.querySelector('#ck-feature-maps .ck-words')")
    assert explorer.locator(".ck-picture svg").count() == 1
    assert "your conv2d" not in explorer.locator(".ck-settings").inner_text()


def test_a_function_in_place_of_a_slider(visit):  # noqa: F811
    page = visit("chapters/05_initialization.html")
    exercise = open_exercise(page, "05.2")
    type_anew(page, stub(exercise, "fan_in"), FAN_IN)
    type_anew(page, stub(exercise, "he_normal"), HE)
    assert check(page, exercise, "05.2")["report"]["right"]
    exercise.get_by_role("button", name="See your he_normal in “Gain, depth").click()
    explorer = page.locator("#ck-training-curve")
    explorer.locator(".ck-words").wait_for(timeout=LONG)
    assert "Yours and He's gain, 1.41 agree" in explorer.locator(".ck-words").inner_text()
    gain = explorer.get_by_label("gain", exact=True)
    assert gain.is_disabled()
    page.screenshot(path=artefact("slots-slider", ".png"))
    explorer.get_by_text("Code", exact=True).click()
    assert "explore.training_curve.with_yours(he_normal)(depth=2," in explorer.locator(".ck-call").inner_text()
    explorer.get_by_role("button", name="Reset").click()
    page.wait_for_function("() => !document.querySelector('#ck-training-curve .ck-words')")
    assert gain.is_enabled()
    assert "results = experiment.training_curve(gain=1.0," in explorer.locator(".ck-call").inner_text()


def test_the_code_of_an_experiment_follows_and_runs(visit):  # noqa: F811
    page = visit("chapters/05_initialization.html")
    explorer = page.locator("#ck-signal")
    call = explorer.locator(".ck-call")
    assert not call.is_visible()
    explorer.get_by_text("Code", exact=True).click()
    assert "std=0.01)" in call.inner_text() and "def signal(" in explorer.locator(".ck-source").inner_text()
    explorer.locator("input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('#ck-signal .ck-call').textContent.includes('std=0.0133)')")
    explorer.get_by_role("button", name="Edit and run a copy").click()
    copy = explorer.locator(".cell[data-cell=code-ck-signal]")
    copy.locator(".cm-content").wait_for(timeout=LONG)
    assert run(copy)["ok"]
    assert copy.locator(".ck-out svg, .ck-out img").count() == 1
    page.screenshot(path=artefact("code-copy", ".png"))
    assert axe_violations(page) == []
    named = page.locator("a.ck-source-link", has_text="compare_on_mnist").first
    named.click()
    page.wait_for_load_state()
    assert page.locator("[id='coursekit.experiments.initialization.compare_on_mnist']").is_visible()
