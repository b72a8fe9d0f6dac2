"""Values read off a picture in a notebook, against the numbers that it was drawn from."""

from __future__ import annotations

import re

import explorers_demo as demo
import numpy as np
import pytest

from coursekit.interactive.reading import axes_of, titled, values
from coursekit.plotting import _style
from coursekit.plotting._svg import to_svg


def number(text):
    """The last number of a line."""
    return float(re.findall(r"−?[\d.]+", text)[-1].replace("−", "-"))


def test_each_curve_is_read_at_its_place():
    svg, results = demo.wave_shape.picture().svg, demo.wave_shape.results()
    for share in (0.21, 0.5, 0.83):
        place, *lines = values(svg, 0, share, 0.5)
        x = number(place.split(",")[0])
        expected = np.interp(x, results["x"], results["y"])
        assert [line.split()[0] for line in lines] == ["sine", "absolute"]
        assert [number(line) for line in lines] == pytest.approx([expected, abs(expected)], abs=0.05)
        assert place.startswith("time (s)")


def test_a_bar_is_read_and_only_the_one_that_is_there():
    svg = demo.days.picture().svg
    (place, *lines), heights = values(svg, 0, 0.5, 0.1), demo.days.results()["height"]
    assert place.startswith("day 3.5")
    assert lines == []  # between two bars
    (_, line), x = values(svg, 0, 4 / 9, 0.1), 3
    assert number(line) == heights[x]


def test_points_pixels_and_logarithmic_axes():
    fig, (left, right) = _style.figure(6, 3, 1, 2)
    left.plot([1, 3], [2, 4], "o", label="seen")
    left.set(xlim=(0, 4), ylim=(1, 100), yscale="log")
    right.imshow(np.arange(16.0).reshape(4, 4), cmap="viridis", vmin=0, vmax=15)
    svg = to_svg(fig, "a", readable=True)
    up = np.log(2) / np.log(100)
    place, line = values(svg, 0, 0.25, up)
    assert "x 1, y 2" in place and line.startswith("seen point at x 1, y 2")
    assert values(svg, 0, 0.6, 0.9)[1:] == []
    assert [number(values(svg, 1, (k + 0.5) / 4, 0.375)[-1]) for k in range(4)] == pytest.approx(range(8, 12), abs=0.1)


def test_tooltips_say_what_the_sliders_say():
    svg = demo.days.picture().svg
    told = titled(svg)
    assert told.startswith(svg.removesuffix("</svg>"))
    heights = demo.days.results()["height"]
    found = [float(text) for text in re.findall("<rect [^>]*><title>([^<]+)</title>", told)]
    assert found == [height for height in heights if height]
    curves = re.findall("<title>sine: time [^<]*</title>", titled(demo.wave_shape.picture().svg))
    assert 40 <= len(curves) <= 80


def test_every_kind_of_scale_is_there_for_every_axes():
    for thing in (demo.wave_shape, demo.heat, demo.days, demo.spot, demo.pull):
        for k, axes in enumerate(axes_of(thing.picture().svg)):
            assert values(thing.picture().svg, k, 0.3, 0.3)[0] and axes.title


def test_in_a_notebook_sliders_read_and_follow_the_settings():
    from coursekit.interactive.widget import explorer_widget

    widget = explorer_widget(demo.wave_shape)
    reader = next(part for part in widget.children if getattr(part, "titles", ()) == ("Read values",)).children[0]
    _, across, _, told = reader.children
    across.value = 25
    amplitude = next(part for part in widget.children if getattr(part, "description", "").startswith("amplitude"))
    before = told.value
    amplitude.value = 3.0
    assert told.value != before
    result = demo.wave_shape.results(amplitude=3.0)
    read = number(re.search("<li>sine ([^<]*)</li>", told.value)[1])
    assert read == pytest.approx(
        np.interp(number(told.value.split("</b>")[0].split(",")[0]), result["x"], result["y"]), abs=0.05
    )
