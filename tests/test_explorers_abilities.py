"""Time and handles are declared where the explorer is, and every explorer can be held in the hand somehow."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re

import explorers_demo as demo
import numpy as np
import pytest
from abilities import ABILITIES

import coursekit.explorers
from coursekit.errors import DTypeError, RangeError
from coursekit.explorers import Explorer, Handle, Time, explorer
from coursekit.interactive.closer import Closer, closer
from coursekit.interactive.html import explorer_html
from coursekit.interactive.playing import Run, Training, until
from coursekit.interactive.points import Points
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
    trains = ["trains on"] if thing.time and thing.time.training else []
    points = [f"points: {name}" for name, control in thing.controls.items() if isinstance(control, Points)]
    kinds = ("looked at" if isinstance(handle, Closer) else "grasped" for handle in thing.handles)
    return (
        *time,
        *trains,
        *points,
        *(f"{kind}: {handle.label}" for kind, handle in zip(kinds, thing.handles, strict=True)),
    )


def test_the_table_of_abilities_is_what_is_declared():
    found = {name: abilities(thing) for name, thing in declared().items()}
    gone = ABILITIES.keys() - found.keys()
    assert not gone, f"tests/abilities.py: there is no such explorer: {sorted(gone)}"
    lines = [f'    "{name}": {can!r},' for name, can in found.items() if can != ABILITIES.get(name, ())]
    assert not lines, "write these lines into ABILITIES of tests/abilities.py:\n" + "\n".join(lines)


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
        ({"handles": [Closer("unit", axes=1, grid=(1, 2), count="shape")]}, "rising numbers: amplitude, turns"),
        (
            {"handles": [Closer("unit", axes=1, grid={"sine": (1, 2, 1)})]},
            "goes with by=, the control's name: amplitude",
        ),
        ({"handles": [Closer("unit", axes=1, grid=(1, 2), by="shape")]}, "goes with by="),
        ({"handles": [Closer("unit", axes=1, grid={"tent": (1, 2, 1)}, by="shape")]}, "names 'tent', but shape is one"),
        ({"time": Time("step", training=Training(len, settings=()))}, "name it with over="),
        ({"time": Time("step", over="turns", training=Training(len, settings=("rate",)))}, "takes rate, but"),
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
    assert demo.spot.alt(start="(-1.5, 2)") == "A point at (−1.5, 2)."
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
    picture = next(part for part in widget.children if "<svg" in str(getattr(part, "value", "")))
    assert "Eight bars of 100 images," in picture.value


# ---------------------------------------------------------------- a training that goes on, points, a closer look


def test_a_training_goes_on_from_its_parameters_with_the_settings_of_the_moment():
    run, settings = Run(demo.pull), demo.pull.settings(rate=0.01)
    run.on(settings, 5)
    run.on(settings | {"rate": 0.1, "added": "(1, 0, 0)"}, 20)
    by_hand = demo._pull_on(demo._pull(rate=0.01, steps=15), 20, rate=0.1, added="(1, 0, 0)")
    assert run.steps == 35 and run.results["at"] == pytest.approx(by_hand["at"], rel=1e-12)
    assert run.picture().alt.startswith("Step 35, goal 1.00")
    run.on(settings | {"units": 3}, 1)  # other parameters: it begins anew
    assert run.steps == 11 and len(run.results["at"]) == 3


def test_a_network_that_is_trained_in_pieces_is_the_one_that_is_trained_at_once():
    from coursekit.experiments.activations import divide, train_on

    whole = divide(activation="relu", units=2, rate=0.3, steps=60)
    pieces = train_on(train_on(divide(activation="relu", units=2, rate=0.3, steps=20), 15, rate=0.3), 25, rate=0.3)
    assert pieces["steps"] == 60
    for name in ("loss", "chance", "hidden", "weights", "says"):
        np.testing.assert_array_equal(pieces[name], whole[name])
    other = train_on(divide(activation="relu", units=2, rate=0.3, steps=20), 40, rate=3.0)
    assert not np.array_equal(other["loss"], whole["loss"])


def test_points_are_checked():
    points = demo.pull.controls["added"]
    assert points.check("added", "(1, -0.5, 0); (0, 0, 1)") == "(1, -0.5, 0); (0, 0, 1)"
    for wrong, says in (
        ("(1, 2)", "or points such as"),
        (3, "or points such as"),
        ("(0, 0, 2)", "classes are 0 to 1"),
        ("(9, 0, 0)", r"lie between"),
        ("; ".join(["(0, 0, 0)"] * 51), "51 points"),
    ):
        with pytest.raises(RangeError, match=says):
            points.check("added", wrong)


def test_in_a_notebook_a_training_goes_on_points_are_typed_and_a_map_is_looked_at():
    from coursekit.interactive.widget import explorer_widget

    widget = explorer_widget(demo.pull)
    train = next(part for part in widget.children if type(part).__name__ == "HBox").children[1]
    rate, steps, added = (
        part for part in widget.children if getattr(part, "description", "") in ("rate", "steps", "your points")
    )
    looks = next(part for part in widget.children if getattr(part, "description", "") == "look at")
    picture = next(part for part in widget.children if "<svg" in str(getattr(part, "value", "")))
    train.value = 1
    train.value = 2
    assert "Step 14, goal 0.00" in picture.value
    rate.value, added.value = 0.1, "(1, 0, 0)"
    assert "Step 14, goal 1.00" in picture.value
    train.value = 3
    assert "Step 16, goal 1.00" in picture.value
    assert "ck-closer-" not in picture.value
    looks.value = 2
    assert "#ck-closer-" in picture.value
    steps.value = 100
    assert "Step 100," in picture.value
    train.value = 0
    assert "Step 100," in picture.value


def test_a_closer_look_draws_the_right_part_of_the_picture():
    svg = demo.pull.picture().svg
    look = demo.pull.handles[0]
    large = closer(svg, look, 2)
    view = [float(n) for n in re.findall(r'viewBox="([^"]+)"', large)[1].split()]
    box = [json.loads(text)["box"] for text in re.findall("<metadata>(.*)</metadata>", svg)][1]
    pixel = (box[2] - box[0]) / 17
    assert view == pytest.approx([box[0] + 6 * pixel, box[1], 5 * pixel, box[3] - box[1]], abs=0.02)
    assert closer(svg, look, 0) == svg


@pytest.mark.parametrize("address", ["cnn_architectures:feature_maps", "convolution:feature_maps"])
def test_a_grid_that_follows_a_control_lies_on_the_maps(address):
    module, _, name = address.partition(":")
    thing = getattr(importlib.import_module(f"coursekit.explorers.{module}"), name)
    (look,) = thing.handles
    for value in thing.controls[look.by].values:
        settings = thing.settings(**{look.by: value})
        maps, now = np.asarray(thing.compute(**settings)["maps"]), look.at(value)
        assert (now is None) == (maps.ndim == 1)
        if now is None:
            continue
        svg = thing.picture(**settings).svg
        known = {each["a"]: each for each in map(json.loads, re.findall("<metadata>(.*)</metadata>", svg))}[look.axes]
        assert now.grid[0] * now.grid[1] == len(maps)
        for pixels, n, count in (("y", now.grid[0], maps.shape[1]), ("x", now.grid[1], maps.shape[2])):
            assert abs(known[pixels][1] - known[pixels][0]) == pytest.approx(n * count + (n - 1) * now.gap)
        assert closer(svg, now, len(maps)) != svg
        if "largest value" in (said := thing.picture(**settings).alt):
            assert said.endswith(f"map {maps.max(axis=(1, 2)).argmax() + 1}.")  # numbered as where it is looked at
        assert closer(svg, now, len(maps) + 1) == svg  # chosen where there were more of them


def test_in_a_notebook_a_map_is_looked_at_where_there_are_maps():
    from coursekit.explorers.cnn_architectures import feature_maps
    from coursekit.interactive.widget import explorer_widget

    widget = explorer_widget(feature_maps)
    looks = next(part for part in widget.children if getattr(part, "description", "") == "look at")
    stage = next(part for part in widget.children if getattr(part, "description", "") == "stage")
    picture = next(part for part in widget.children if "<svg" in str(getattr(part, "value", "")))
    stage.value, looks.value = "convolution 2", 16
    assert "#ck-closer-" in picture.value
    stage.value = "scores"
    assert "#ck-closer-" not in picture.value
    stage.value = "pooling 1"  # six maps
    assert "#ck-closer-" not in picture.value
