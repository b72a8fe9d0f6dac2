"""Declaring explorers and predictions, and showing them in a notebook and as HTML."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys

import explorers_demo as demo
import numpy as np
import pytest
from matplotlib.figure import Figure

from coursekit.errors import CourseError, DTypeError, RangeError
from coursekit.explorers import Choice, LogSlider, Slider, explorer, predict
from coursekit.interactive.core import find
from coursekit.interactive.html import ADDRESS, explorer_html
from coursekit.interactive.widget import explorer_widget, prediction_widget
from coursekit.plotting import _style
from coursekit.plotting._svg import to_svg

# ---------------------------------------------------------------- controls


@pytest.mark.parametrize(
    ("options", "ordered"),
    [
        ((1, 4, 16), True),
        ((0.0, 0.5, 0.99), True),
        (("0.9", "0.99", "0.999"), True),
        ((1, 4, 16, "all"), True),
        ((6, 0, 2, 5), False),
        ((1, 3), False),
        ((1, 3, "all"), False),
        ((False, True), False),
        (("tanh", "relu", "elu"), False),
    ],
)
def test_three_numbers_that_rise_are_a_slider(options, ordered):
    control = Choice(*options)
    assert control.ordered is ordered
    assert control.spec("a")["ordered"] is ordered


def test_whole_numbers_make_a_slider_of_whole_numbers():
    control = Slider(2, 30, default=10, step=4)
    assert control.values == (2, 6, 10, 14, 18, 22, 26, 30)
    assert control.spec("depth")["whole"] and control.between == 4
    assert control.check("depth", 7.0) == 7 and isinstance(control.check("depth", np.int64(7)), int)
    with pytest.raises(RangeError, match="whole numbers only"):
        control.check("depth", 7.5)


def test_a_slider_of_floats_has_clean_stops():
    assert Slider(0.0, 1.0, step=0.1).values == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    assert Slider(0, 1, default=0.5, step=0.25).values == (0.0, 0.25, 0.5, 0.75, 1.0)


def test_a_log_slider_keeps_its_ends_and_rounds_the_rest():
    assert LogSlider(0.123456, 10, steps=3).values == (0.123456, 1.11, 10.0)


def test_left_out_the_default_is_in_the_middle():
    assert Slider(0, 4, step=1).default == 2
    assert LogSlider(0.01, 1, steps=3).default == 0.1


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Slider(1, 1), RangeError, "low must be less than high"),
        (lambda: Slider(0, 10, step=3), RangeError, "must divide the range"),
        (lambda: Slider(0, 10, step=-1), RangeError, "must divide the range"),
        (lambda: Slider(0, 10, step=20), RangeError, "must divide the range"),
        (lambda: Slider(0, 10, default=11, step=1), RangeError, "runs from 0 to 10"),
        (lambda: Slider(0, 10, default=3, step=2), RangeError, "use default=2|use default=4"),
        (lambda: Slider("0", 1), DTypeError, "low is str '0'"),
        (lambda: Slider(0, float("nan")), DTypeError, "finite"),
        (lambda: Slider(True, 3), DTypeError, "low is bool"),
        (lambda: LogSlider(0, 1), RangeError, "0 < low < high"),
        (lambda: LogSlider(0.1, 10, default=2, steps=5), RangeError, "use default="),
        (lambda: LogSlider(0.1, 10, steps=1), RangeError, "2 or more"),
        (lambda: LogSlider(1, 1.001, steps=50), RangeError, "use fewer"),
        (lambda: Choice(), RangeError, "without options"),
        (lambda: Choice("a", "a"), RangeError, "twice"),
        (lambda: Choice("a", "b", default="c"), RangeError, "'a', 'b'"),
        (lambda: Choice(None, "b"), DTypeError, "an option is"),
    ],
)
def test_a_control_that_cannot_work_says_why(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_a_choice_tells_true_from_one_and_takes_one_for_1_0():
    control = Choice(1.0, 2.0)
    assert control.check("x", 1) == 1.0
    with pytest.raises(RangeError, match=r"must be one of 1\.0, 2\.0"):
        control.check("x", True)


# ---------------------------------------------------------------- declarations


def test_settings_make_results_make_a_picture():
    figure = demo.wave_shape(turns=5)
    assert isinstance(figure, Figure)
    assert figure.alt == "A sine of amplitude 0.548 that turns 5 times."
    x, y = figure.axes[0].lines[0].get_data()
    np.testing.assert_allclose(y, 0.548 * np.sin(2 * np.pi * 5 * x))
    np.testing.assert_array_equal(demo.wave_shape.arrays(turns=5)["y"], y)


def test_a_function_that_draws_is_an_explorer_too():
    assert demo.heat.alt(width=0.25) == "A bump of width 0.25."
    assert demo.heat.arrays()["axes0.values0"].shape == (40, 40)
    assert demo.heat.__doc__.startswith("The other way")


def test_a_function_may_return_the_figure_and_its_text():
    @explorer(n=Slider(1, 3, step=1))
    def pair(n):
        return _style.figure()[0], f"n is\n {n}"

    assert pair.alt(n=2) == "n is 2"


def test_an_explorer_knows_where_it_lives():
    assert demo.wave_shape.address == "explorers_demo:wave_shape"
    assert demo.heat.address == "explorers_demo:heat"
    assert find("explorers_demo:wave_shape") is demo.wave_shape
    with pytest.raises(DTypeError, match="must be an explorer"):
        find("explorers_demo:tones")


def test_the_grid_has_every_combination_with_the_last_control_fastest():
    grid = demo.wave_shape.grid()
    assert len(grid) == 9 * 7 * 2
    assert [point["shape"] for point in grid[:3]] == ["sine", "square", "sine"]
    assert [point["turns"] for point in grid[:3]] == [1, 1, 2]


def _nothing(a, b=1):
    return {}


@pytest.mark.parametrize(
    ("declare", "error", "says"),
    [
        (lambda: explorer(_nothing, _nothing, b=Slider(0, 1)), DTypeError, r"_nothing\(a, b\) has no control for a"),
        (lambda: explorer(_nothing, _nothing, a=Slider(0, 1), c=Slider(0, 1)), DTypeError, "does not take c"),
        (lambda: explorer(_nothing, _nothing, a=3), DTypeError, "a is int 3, but must be a control"),
        (lambda: explorer(_nothing, a=Slider(0, 1)), DTypeError, "needs draw="),
        (lambda: explorer(draw=_nothing, a=Slider(0, 1)), DTypeError, "needs compute="),
        (lambda: explorer(_nothing, "draw", a=Slider(0, 1)), DTypeError, "draw is str 'draw'"),
        (
            lambda: explorer(_nothing, _nothing, a=Slider(0, 99, step=1), b=Slider(0, 99, step=1)),
            RangeError,
            r"10,000 pictures \(a 100, b 100\)",
        ),
    ],
)
def test_a_declaration_that_cannot_work_says_why(declare, error, says):
    with pytest.raises(error, match=says):
        declare()


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"turns": 8}, RangeError, "turns is 8, but its slider runs from 1 to 7"),
        ({"turns": "3"}, DTypeError, "turns is str '3'"),
        ({"shape": "saw"}, RangeError, "'sine', 'square'"),
        ({"speed": 1}, DTypeError, "speed is not a control of this explorer; it has amplitude, turns, shape"),
    ],
)
def test_a_setting_off_the_controls_says_why(settings, error, says):
    with pytest.raises(error, match=says):
        demo.wave_shape(**settings)


def test_a_picture_needs_alternative_text():
    silent = explorer(demo.tones, demo.draw_tones, **demo.wave_shape.controls)
    with pytest.raises(DTypeError, match="no alternative text"):
        silent()
    blank = explorer(demo.tones, demo.draw_tones, lambda results: "  ", **demo.wave_shape.controls)
    with pytest.raises(DTypeError, match="no alternative text"):
        blank()


def test_what_does_not_return_a_figure_is_refused():
    with pytest.raises(DTypeError, match="returned a dict, but must return a Matplotlib Figure"):
        explorer(_nothing, lambda results: {}, lambda results: "x", a=Slider(0, 1))()


def test_drawing_leaves_the_global_style_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    demo.wave_shape.picture()
    assert dict(matplotlib.rcParams) == before


# ---------------------------------------------------------------- SVG


def test_the_svg_reaches_nothing_outside_itself_and_is_the_same_each_time():
    svg = demo.wave_shape.picture("abc").svg
    assert svg == demo.wave_shape.picture("abc").svg
    assert "<style" not in svg and "rdf:RDF" not in svg and "font-family" not in svg
    assert re.findall(r' id="(?!abc-)', svg) == []
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids)) > 0
    assert {target for target in re.findall(r'(?:url\(|href=")#([^")]+)', svg)} <= set(ids)


def test_the_scales_stand_beside_the_curves():
    svg = demo.wave_shape.picture("abc").svg
    known = json.loads(html.unescape(re.search("<metadata>(.*)</metadata>", svg)[1]))
    assert known["names"] == {"0": "sine", "1": "absolute"} and known["ylabel"] == "level"
    left, _, right, _ = known["box"]
    path = re.search(r'<g data-s="0">\n<path d="M([\d.]+) ([\d.]+)L', svg)
    share = (float(path[1]) - left) / (right - left)
    assert known["x"][0] + share * (known["x"][1] - known["x"][0]) == pytest.approx(0.0, abs=1e-3)
    assert "<metadata" not in to_svg(demo.wave_shape())


def test_ticks_that_say_another_number_than_their_place_are_told():
    fig, ax = _style.figure()
    _style.marks(ax.yaxis, [1, 2, 3], ["a", "b", "c"])
    _style.marks(ax.xaxis, [0, 10, 20], ["0", "100", "200"])
    svg = to_svg(fig, readable=True)
    assert '"xticks":[[0.0,0.0],[10.0,100.0],[20.0,200.0]],"yticks":[[1.0,"a"],[2.0,"b"],[3.0,"c"]]' in svg


def test_the_colours_of_the_style_become_variables_and_others_stay():
    fig, ax = _style.figure()
    ax.plot([0, 1], color=_style.CYCLE[3])
    ax.plot([1, 0], color="#123456")
    svg = to_svg(fig)
    assert f"stroke:var(--ck-3,{_style.CYCLE[3]})" in svg and "stroke:#123456" in svg
    assert f"var(--ck-ink,{_style.INK})" in svg


def test_numbers_in_drawings_are_short_and_numbers_in_words_are_untouched():
    fig, ax = _style.figure()
    ax.text(0.5, 0.5, "0.123456 < 1 & é")
    ax.plot([0, 1 / 3], [0, 2 / 3])
    svg = to_svg(fig)
    assert ">0.123456 &lt; 1 &amp; é</text>" in svg
    assert not re.search(r'(?: d|x|y)="[^"]*\.\d{3}', svg)


def test_formulas_are_words_in_reading_order():
    fig, ax = _style.figure()
    ax.set_xlabel(r"weight $w_{ij}$ of $x$")
    spans = re.findall(r"<tspan [^>]*>([^<]*)</tspan>", to_svg(fig))
    assert "".join(spans).replace("\u00a0", " ") == "weight wij of x"
    assert len(spans) == 5


def test_dense_artists_become_an_image_inside_the_svg(rng):
    fig, ax = _style.figure()
    ax.scatter(*rng.standard_normal((2, 3000)))
    svg = to_svg(fig)
    assert svg.count("<image") == 1 and "<text" in svg
    assert len(svg) < 60_000


def test_an_image_of_few_colours_keeps_every_pixel():
    import io

    from PIL import Image

    fig, ax = _style.figure(2, 2)
    values = np.arange(64).reshape(8, 8)
    ax.imshow(values, cmap="gray", interpolation="nearest")
    data = re.search(r'data:image/(\w+);base64,([^"]+)"', to_svg(fig))
    image = Image.open(io.BytesIO(base64.b64decode(data[2]))).convert("RGB")
    assert len(image.getcolors()) == 64


# ---------------------------------------------------------------- notebook


def test_the_bundle_has_a_widget_and_html(monkeypatch):
    monkeypatch.delenv("COURSEKIT_BOOK", raising=False)
    for thing in (demo.wave_shape, demo.guess):
        bundle = thing._repr_mimebundle_()
        assert set(bundle) == {"text/html", "text/plain", "application/vnd.jupyter.widget-view+json"}
    monkeypatch.setenv("COURSEKIT_BOOK", "1")
    assert set(demo.wave_shape._repr_mimebundle_()) == {"text/html", "text/plain"}


def test_a_widget_follows_its_sliders_and_reset_draws_once():
    drawn = []

    def compute(**settings):
        drawn.append(settings)
        return demo.tones(**settings)

    counted = explorer(compute, demo.draw_tones, demo.tones_in_words, **demo.wave_shape.controls)
    amplitude, turns, shape, reset, problem, picture = explorer_widget(counted).children[:6]
    assert "amplitude 0.548" in picture.value and 'role="img" aria-label="A sine' in picture.value
    turns.value = 6
    shape.value = "square"
    assert "A square of amplitude 0.548 that turns 6 times." in picture.value and "<svg" in picture.value
    assert len(amplitude.options) > 100 and {value for _, value in amplitude.options} > set(
        counted.controls["amplitude"].values
    )
    before = len(drawn)
    reset.click()
    assert len(drawn) == before + 1 and "turns 3 times" in picture.value and problem.value == ""


def test_an_error_is_one_sentence_and_the_sliders_go_on(monkeypatch):
    monkeypatch.setenv("HEAT_FAILS", "yes")
    _, width, _, problem, picture = explorer_widget(demo.heat).children[:5]
    before = picture.value
    width.value = 1.0
    assert "This setting did not work (ValueError: width 1 is broken)." in problem.value
    assert 'role="alert"' in problem.value and picture.value == before
    width.value = 0.0
    assert problem.value == "" and "width 0." in picture.value


# ---------------------------------------------------------------- HTML


def test_the_html_is_small_and_holds_the_default_picture_and_its_settings():
    text = explorer_html(demo.wave_shape)
    assert len(text) < 20_000 and text.count("<svg") == 1
    assert ADDRESS.fullmatch(text)["address"] == "explorers_demo:wave_shape"
    assert "Shown for amplitude 0.548 V, turns 3, shape sine." in text
    spec = json.loads(re.search(r'class="ck-spec">(.*?)</script>', text, re.S)[1])
    assert [control["label"] for control in spec["controls"]] == ["amplitude", "turns", "shape"]
    assert spec["frames"] is None and spec["live"] is None


def test_text_from_outside_cannot_break_out_of_the_page():
    evil = '</script><script>alert("x")</script>'
    sly = explorer(demo.tones, demo.draw_tones, lambda r: evil, title=evil, **demo.wave_shape.controls)
    text = explorer_html(sly)
    assert "<script>alert" not in text and text.count("</script>") == 1
    assert "<" not in re.search(r'class="ck-spec">(.*)</script>', text, re.S)[1]
    question = predict("a-b", question=evil, options={evil: evil, "b": "c"}, answer="b", explanation=evil)
    assert "<script>alert" not in question.html() + question.reply(0)


# ---------------------------------------------------------------- predictions


def test_a_choice_is_answered_with_its_own_feedback():
    assert demo.guess.reply(0) == "<p><strong>As you predicted.</strong> The default is 3.</p>"
    assert demo.guess.reply(1).startswith("<p><strong>Not what happens.</strong> That is the right end")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (0.548, "As you predicted."),
        (0.50, "As you predicted."),
        (0.49, "1.1 times too small."),
        (54.8, "100 times too large."),
        (5480, "more than 1,000 times too large."),
        (0, "off by 0.55."),
        (-0.548, "off by 1.1."),
    ],
)
def test_a_number_is_told_how_far_off_it_is(given, says):
    assert says in demo.number.reply(given) and "The run gives 0.548 V." in demo.number.reply(given)


def test_a_prediction_keeps_its_answer_out_of_plain_sight():
    text = demo.number.html()
    plain = re.sub(
        r'<div class="ck-print">.*?</div>|<noscript>.*?</noscript>|data-secret="[^"]*"', "", text, flags=re.S
    )
    assert "0.548" not in plain
    secret = json.loads(base64.b64decode(re.search('data-secret="([^"]*)"', text)[1]))
    assert secret["answer"] == 0.548


def test_a_prediction_in_a_notebook_reveals_only_after_commit():
    _, field, commit, reply, shown = prediction_widget(demo.guess).children
    assert commit.disabled and reply.value == "" and not shown.children
    field.value = 1
    assert not commit.disabled
    commit.click()
    assert "Not what happens." in reply.value and len(shown.children) == 1 and field.disabled


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"name": "05 zero"}, RangeError, "like '05-zero'"),
        ({"question": " "}, DTypeError, "must be a sentence"),
        ({"options": {"a": "b"}}, DTypeError, "at least two"),
        ({"options": {"a": "b", "c": ""}}, DTypeError, "option 'c' needs a feedback"),
        ({"answer": "z"}, RangeError, "'z', but must be one of 'a', 'b'"),
        ({"options": None}, DTypeError, "must be a finite number"),
        ({"options": None, "answer": float("nan")}, DTypeError, "must be a finite number"),
        ({"tolerance": 2}, RangeError, "relative error"),
        ({"then": "figure"}, DTypeError, "must be an explorer or a Matplotlib Figure"),
    ],
)
def test_a_prediction_that_cannot_work_says_why(given, error, says):
    with pytest.raises(error, match=says):
        predict(**{"name": "a-b", "question": "?", "options": {"a": "x", "b": "y"}, "answer": "a", **given})


def test_explorers_import_without_what_only_a_notebook_needs():
    code = (
        "import sys, coursekit.interactive.live; "
        "unwanted = {'ipywidgets', 'IPython', 'sphinx', 'torch', 'matplotlib.pyplot'}; "
        "print(sorted(unwanted & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_errors_are_the_course_s_own():
    assert issubclass(RangeError, CourseError) and issubclass(DTypeError, CourseError)


def test_a_block_of_the_same_pictures_stays_with_what_was_mended_in_it():
    from coursekit.interactive.sphinx_ext import with_blocks

    (address, first), (_, second) = [
        (
            demo.wave_shape.address,
            f"<!--ck:{demo.wave_shape.address}--><p>{words}</p><!--/ck:{demo.wave_shape.address}-->",
        )
        for words in ("one", "two")
    ]
    page = with_blocks(f"<h1>9</h1>{first}<p>end</p>", {address: first})
    mended = page.replace("<p>one", "<p style=mended>one")
    assert mended != page and ADDRESS.search(mended)["address"] == address
    assert with_blocks(mended, {address: first}) == mended
    other = with_blocks(mended, {address: second})
    assert "<p>two</p>" in other and "one" not in other and other.count("<!--drawn:") == 1
    written_anew = with_blocks(f"<h1>9</h1>{first}<p>end</p>", {address: second})
    assert written_anew == other


def test_a_control_may_be_called_as_anything_that_is_drawn_with():
    def compute(prefix, layout):
        return demo.tones(turns=prefix, amplitude=1.0, shape="sine"), layout

    def draw(result):
        return demo.draw_tones(result[0])

    named = explorer(
        compute, draw, lambda result: "A sine.", prefix=Slider(1, 7, default=3, step=1), layout=Choice("a", "b")
    )
    assert named.picture("p", prefix=5, layout="b").svg != named.picture("p").svg
    assert named.pictures("p", None, prefix=5, layout="b").svg == named.picture("p", prefix=5, layout="b").svg
