"""Time and handles are declared where the explorer is, and every explorer can be held in the hand somehow."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re

import explorers_demo as demo
import pytest
from abilities import ABILITIES

import coursekit.explorers
from coursekit.errors import DTypeError, RangeError
from coursekit.explorers import Explorer, Handle, Time, explorer
from coursekit.interactive.html import explorer_html
from coursekit.interactive.playing import until
from coursekit.plotting import _style
from coursekit.plotting._svg import to_svg


def declared():
    found = {}
    for module in pkgutil.iter_modules(coursekit.explorers.__path__):
        for name, thing in vars(importlib.import_module(f"coursekit.explorers.{module.name}")).items():
            if isinstance(thing, Explorer):
                found[f"{module.name}:{name}"] = thing
    return found


def abilities(thing):
    time = [f"plays over {thing.time.over}" if thing.time.over else "plays"] if thing.time else []
    return (*time, *(f"grasped: {handle.label}" for handle in thing.handles))


def test_the_table_of_abilities_is_what_is_declared():
    found = {name: abilities(thing) for name, thing in declared().items()}
    assert ABILITIES.keys() <= found.keys()
    assert {name: can for name, can in found.items() if can} == {name: can for name, can in ABILITIES.items() if can}


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"time": Time("shape", over="shape")}, "rising numbers: amplitude, turns"),
        ({"time": Time("x", over="speed")}, "plays over 'speed'"),
        ({"handles": [Handle("dot")]}, "moves nothing"),
        ({"handles": [Handle("dot", x="shape")]}, "can move numbers in order: amplitude, turns"),
        ({"handles": [Handle("dot", x=[1], y="turns")]}, "stands at a list"),
        ({"handles": [Handle("dot", choice="shape", places={"sine": (0, 0)})]}, "no place for square"),
        ({"handles": [Handle("dot", choice="form", places={})]}, "chooses 'form'"),
    ],
)
def test_a_part_that_cannot_move_anything_says_why(parts, says):
    with pytest.raises(DTypeError, match=says):
        explorer(demo.tones, demo.draw_tones, demo.tones_in_words, **demo.wave_shape.controls, **parts)


@pytest.mark.parametrize(("thing", "offered"), [(demo.plain, False), (demo.heat, True), (demo.days, True)])
def test_live_mode_is_offered_only_where_it_adds_something(thing, offered):
    page = explorer_html(thing, {"folder": "f", "packs": 1, "chunk": 0}, {"bytes": 1})
    assert ('"live":null' not in page) is offered
    assert thing.finer is offered


def test_a_place_may_be_any_within_its_limits():
    assert demo.spot.alt(start="(-1.5, 2)") == "A point at (-1.5, 2)."
    with pytest.raises(RangeError, match=r"\(5, 0\), but must lie between"):
        demo.spot.settings(start="(5, 0)")
    with pytest.raises(RangeError, match="'A', 'B'"):
        demo.spot.settings(start="C")


def drawn(time_axis="step"):
    fig, (left, right) = _style.figure(5, 2.5, 1, 2)
    left.plot([0, 3, 1, 2, 0], [0, 1, 2, 3, 4])
    right.plot([0, 1, 2, 3, 4], [1, 3, 2, 4, 0])
    right.set(xlim=(0, 4), xlabel=time_axis)
    return to_svg(fig, "a", readable=True)


def test_a_picture_is_uncovered_and_a_path_is_walked():
    svg, time = drawn(), Time("step", paths=(0,))
    half = until(svg, time, 0.5)
    whole, walked = (re.search(r'<g data-s="0">\n<path d="([^"]+)"', text)[1] for text in (svg, half))
    assert whole.startswith(walked) and (whole.count("L"), walked.count("L")) == (4, 2)
    box = [json.loads(text)["box"] for text in re.findall("<metadata>(.*)</metadata>", svg)][1]
    width = re.search(r'<clipPath id="ck-until-1"><rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"', half)[1]
    assert float(width) == pytest.approx((box[2] - box[0]) / 2, abs=0.01)
    assert 'data-s="1" clip-path="url(#ck-until-1)"' in half


def test_axes_of_another_kind_stay_as_they_are():
    svg = drawn("strength")
    assert until(svg, Time("step"), 0.2).replace("<defs></defs>", "") == svg


def test_in_a_notebook_a_run_plays_and_so_does_a_setting():
    from coursekit.interactive.widget import explorer_widget

    widget = explorer_widget(demo.wave_shape)
    (player,) = (part for part in widget.children if type(part).__name__ == "HBox")
    picture = next(part for part in widget.children if "<svg" in str(getattr(part, "value", "")))
    assert "ck-until" not in picture.value
    player.children[1].value = 30
    assert "ck-until-0" in picture.value
    widget = explorer_widget(demo.days)
    (play,) = (part for part in widget.children if type(part).__name__ == "Play")
    play.value = 2
    assert "Eight bars of 100 images," in widget.children[-1].value
