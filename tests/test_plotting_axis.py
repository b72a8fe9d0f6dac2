"""coursekit.plotting._axis: the same picture as Matplotlib's own axes give."""

import contextlib
import re

import numpy as np
import pytest
from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.ticker import MultipleLocator, NullLocator

from coursekit.plotting import _axis, _style, _svg

LINE = re.compile(r'M([-\d.]+) ([-\d.]+)L([-\d.]+) ([-\d.]+)(?=[M"])')


@pytest.fixture
def drawn(monkeypatch):
    """Draws a figure twice, each time made anew: what we draw, what Matplotlib draws, how many axes we left to it."""

    def both(dress):
        left = []
        for side in (XAxis, YAxis):
            monkeypatch.setattr(side, "draw", lambda axis, renderer: (left.append(axis), Axis.draw(axis, renderer)))
        ours = contents(picture(dress))
        left_to_matplotlib = len(left)
        monkeypatch.setattr(_svg, "in_strokes", lambda figure: contextlib.nullcontext())
        return ours, contents(picture(dress)), left_to_matplotlib

    return both


def picture(dress):
    figure, ax = _style.figure()
    dress(ax)
    return _svg.to_svg(figure)


def contents(svg):
    """Lines (style, ends) and texts (words, place) of an SVG, wherever they stand in it; marks are lines as well."""
    marks = dict(re.findall(r'<path id="([^"]+)" d="([^"]+)"', svg))
    lines, texts = [], []
    for tag in re.findall(r"<(?:path|use) (?!id=)[^>]*>", svg):
        had = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        style = dict(part.split(":") for part in had["style"].split(";"))
        path, shift = had.get("d"), (0.0, 0.0)
        if path is None:
            path, shift = marks[had["href"].removeprefix("#")], (float(had["x"]), float(had["y"]))
        mark = path != had.get("d") or ("clip-path" not in had and style.get("stroke-linecap") != "square")
        look = (
            ("stroke", "stroke-width")
            if mark
            else ("stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap")
        )
        look = [style.get(name) for name in look] + [None if mark else had.get("clip-path")]
        for ends in LINE.findall(path + '"'):
            lines.append((*look, *(round(float(end) + step, 1) for end, step in zip(ends, shift * 2, strict=True))))
    for place, words in re.findall(r"<text([^>]*)>(.*?)</text>", svg, flags=re.S):
        texts.append((re.sub(r"<[^>]*>", "", words), place))
    return sorted(map(str, lines)), sorted(texts)


def linear(ax):
    ax.set(xlim=(-0.3, 7.7), ylim=(0, 1), xlabel="step", ylabel="loss")


def turned_round(ax):
    ax.set(xlim=(5, -5), ylim=(1, 0), ylabel="row")


def logarithmic(ax):
    ax.set(xscale="log", yscale="log", xlim=(3e-3, 4e2), ylim=(0.5, 20), xlabel="rate")


def minor_marks(ax):
    linear(ax)
    ax.xaxis.set_minor_locator(MultipleLocator(0.5))
    ax.grid(visible=True, which="minor", axis="x", color="#123456", linewidth=2)


def words(ax):
    ax.set(xlim=(-0.5, 2.5), xticks=[0, 1, 2, 9], xticklabels=["a", "", 0, "out of view"], ylabel="count")
    ax.tick_params(labelsize=7, length=6)


def no_marks(ax):
    ax.set(xticks=[], yticks=[], xlabel="close to the axes", ylabel="close as well")


def no_labels(ax):
    linear(ax)
    ax.tick_params(labelbottom=False, labelleft=False)


def no_grid(ax):
    linear(ax)
    ax.grid(visible=False)
    ax.xaxis.set_visible(False)


def placed_by_hand(ax):
    linear(ax)
    ax.xaxis.set_label_coords(0.3, -0.3)


def grid_in_dashes(ax):
    linear(ax)
    ax.grid(linestyle="--", alpha=0.5)


PLAIN = [
    linear, turned_round, logarithmic, minor_marks, words, no_marks, no_labels, no_grid, placed_by_hand, grid_in_dashes
]  # fmt: skip


@pytest.mark.parametrize("dress", PLAIN, ids=lambda f: f.__name__)
def test_an_axis_in_strokes_has_the_lines_and_words_of_matplotlib(drawn, dress):
    (lines, texts), (their_lines, their_texts), left = drawn(dress)
    assert left == 0
    assert texts == their_texts
    assert lines == their_lines


def right_side(ax):
    ax.yaxis.tick_right()


def marks_on_the_right(ax):
    ax.tick_params(right=True)


def labels_on_the_right(ax):
    ax.tick_params(labelright=True)


def label_on_the_right(ax):
    ax.set(ylabel="right")
    ax.yaxis.set_label_position("right")


def one_label_red(ax):
    ax.set(xticks=[0.25, 0.5])
    ax.get_xticklabels()[1].set_color("red")


def turned_labels(ax):
    ax.tick_params(axis="x", labelrotation=30)


def exponent(ax):
    ax.set(ylim=(0, 1e-9))


def marks_inside(ax):
    ax.tick_params(axis="y", direction="in")


MORE = [
    right_side, marks_on_the_right, labels_on_the_right, label_on_the_right,
    one_label_red, turned_labels, exponent, marks_inside,
]  # fmt: skip


@pytest.mark.parametrize("dress", MORE, ids=lambda f: f.__name__)
def test_an_axis_that_asks_for_more_is_left_to_matplotlib(drawn, dress):
    ours, theirs, left = drawn(dress)
    assert left == 1
    assert ours == theirs


def inset(ax):
    ax.inset_axes([0.5, 0.5, 0.4, 0.4]).set(xlim=(0, 3), ylabel="inside")


def test_an_inset_is_drawn_in_strokes_too(drawn):
    ours, theirs, left = drawn(inset)
    assert (ours, left) == (theirs, 0)


def test_after_the_picture_the_axes_draw_as_before():
    figure, ax = _style.figure()
    inset(ax)
    _svg.to_svg(figure)
    assert not any("draw" in vars(axis) for axes in (ax, *ax.child_axes) for axis in (axes.xaxis, axes.yaxis))


def test_an_image_ends_where_an_axis_begins():
    figure, ax = _style.figure()
    ax.pcolormesh(np.arange(12.0).reshape(3, 4), rasterized=True)
    ax.set_axisbelow(False)
    ax.set(xlabel="over the image")
    svg = _svg.to_svg(figure)
    assert svg.index("<image") < svg.index("over the image")
    assert svg.count("<image") == 1


def test_powers_of_ten_are_words_at_their_places():
    _, ax = _style.figure()
    _style.powers(ax.xaxis, -4, 2, 2)
    ax.set(xlim=(1e-5, 1e3))
    assert isinstance(ax.xaxis.get_minor_locator(), NullLocator)
    labels = dict(zip(ax.get_xticks(), (label.get_text() for label in ax.get_xticklabels()), strict=True))
    assert labels == {1e-4: "10⁻⁴", 1e-2: "10⁻²", 1.0: "1", 1e2: "10²"}


def test_without_a_private_part_of_matplotlib_the_picture_is_matplotlibs_own(monkeypatch):
    def dress(ax):
        ax.plot([0, 1], [2, 3])

    with monkeypatch.context() as patch:
        patch.setattr(_svg, "in_strokes", lambda figure: contextlib.nullcontext())
        theirs = picture(dress)

    def gone(self, renderer):
        raise AttributeError("'XAxis' object has no attribute '_autolabelpos'")

    monkeypatch.setattr(_axis._Strokes, "draw", gone)
    assert picture(dress) == theirs
