"""Parts that many pictures are made of."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

from coursekit._chapters import CHAPTERS
from coursekit.plotting import _parts as parts
from coursekit.plotting._style import BLUE, INK, figure

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("chapter", CHAPTERS.values())
def test_what_a_chapter_takes_from_experiments_and_plotting_is_there(chapter):
    """A page that is built takes minutes to say so."""
    (page,) = (ROOT / "chapters").glob(f"*_{chapter}.md")
    text = page.read_text(encoding="utf-8")
    imports = re.findall(
        r"^from coursekit\.(experiments|plotting|explorers) import (\w+) as (\w+)$", text, re.MULTILINE
    )
    assert imports
    for room, name, alias in imports:
        module = importlib.import_module(f"coursekit.{room}.{name}")
        used = set(re.findall(rf"\b{alias}\.([A-Za-z_]\w*)", text))
        assert not {word for word in used if not hasattr(module, word)}, module.__name__


def test_an_edge_lies_on_the_box_and_on_the_line():
    rng = np.random.default_rng(0)
    for _ in range(50):
        centre, towards, half = rng.uniform(-3, 3, 2), rng.uniform(-9, 9, 2), rng.uniform(0.1, 2, 2)
        x, y = parts.edge(centre, towards, half)
        off = np.abs([x - centre[0], y - centre[1]]) / half
        assert off.max() == pytest.approx(1)
        dx, dy = towards - centre
        assert (x - centre[0]) * dy == pytest.approx((y - centre[1]) * dx)
        assert (x - centre[0]) * dx + (y - centre[1]) * dy > 0


@pytest.mark.parametrize("rest", [0.0, 1e-17, -1e-12])
def test_an_edge_straight_above_or_beside_is_the_middle_of_a_side(rest):
    with np.errstate(all="raise"):
        np.testing.assert_allclose(parts.edge((0.0, 0.0), (4.0, rest), (1.0, 0.5)), (1, 0), atol=1e-9)
        np.testing.assert_allclose(parts.edge((0.0, 0.0), (rest, -4.0), (1.0, 0.5)), (0, -0.5), atol=1e-9)


def test_a_label_stands_off_its_point():
    _, ax = figure()
    here = parts.label(ax, "word", (1, 2), BLUE, (7, 3), ha="right", size=9)
    assert (here.get_text(), here.xy, here.xyann) == ("word", (1, 2), (7, 3))
    assert (here.get_va(), here.get_ha(), here.get_size()) == ("center", "right", 9)
    assert to_hex(here.get_color()) == BLUE
    plain = parts.label(ax, "x", (0, 0))
    assert to_hex(plain.get_color()) == INK and plain.xyann == (4, 0)


def test_an_arrow_goes_from_its_start_to_its_end():
    _, ax = figure()
    made = parts.arrow(ax, (0, 1), (2, 3), BLUE, lw=2.5, gap=0, zorder=7, linestyle=":")
    assert made.xy == (2, 3) and made.xyann == (0, 1) and made.get_zorder() == 7
    patch = made.arrow_patch
    assert (patch.shrinkA, patch.shrinkB, patch.get_linewidth(), patch.get_linestyle()) == (0, 0, 2.5, ":")


def test_a_picture_stands_on_bare_axes():
    _, ax = figure()
    parts.picture(ax, np.eye(3), "title", -1, 2, cmap="viridis")
    (image,) = ax.get_images()
    assert image.get_clim() == (-1, 2) and image.get_cmap().name == "viridis"
    assert image.get_interpolation() == "nearest"
    assert ax.get_title(loc="left") == "title" or ax.get_title() == "title"
    assert not len(ax.get_xticks()) and not any(spine.get_visible() for spine in ax.spines.values())
    parts.picture(ax, np.eye(3), photo=True)
    assert ax.get_images()[-1].get_interpolation() == "none"
    assert ax.get_images()[-1].get_clim() == (0, 1)  # the image's own


def test_a_mosaic_has_every_map_at_its_place():
    maps = np.arange(5 * 2 * 3, dtype=float).reshape(5, 2, 3)
    sheet = parts.mosaic(maps, 2, gap=2)
    assert sheet.shape == (3 * 2 + 2 * 2, 2 * 3 + 2)
    for i in range(5):
        row, column = divmod(i, 2)
        np.testing.assert_array_equal(sheet[4 * row : 4 * row + 2, 5 * column : 5 * column + 3], maps[i])
    assert np.isnan(sheet).sum() == sheet.size - maps.size


def test_labels_keep_their_order_and_their_distance():
    heights = [2.0, 0.5, 0.55, 0.52, 5.0]
    placed = parts.apart(heights, 0.2)
    assert np.argsort(placed).tolist() == np.argsort(heights).tolist()
    assert np.diff(sorted(placed)).min() > 0.2 - 1e-12
    assert all(new >= old for new, old in zip(placed, heights, strict=True))
    assert (placed[1], placed[4]) == (0.5, 5.0)
    assert parts.apart([], 1.0) == []


def test_the_ends_of_lines_are_named_in_their_colours():
    _, ax = figure()
    parts.name_ends(ax, 10, [(1.0, "b", INK), (0.95, "a", BLUE)], 0.3, (2, 0), size=8)
    found = {text.get_text(): (text.xy, to_hex(text.get_color()), text.get_size()) for text in ax.texts}
    assert found == {"a": ((10, 0.95), BLUE, 8), "b": ((10, 1.25), INK, 8)}


def test_loss_curves_are_named_at_their_ends():
    falling = {"loss": np.linspace(2, 1, 50)}
    fig = parts.loss_curves({"A": [falling], "B": [falling, {"loss": np.linspace(2, 1.02, 50)}]}, window=10)
    (ax,) = fig.axes
    assert [text.get_text() for text in ax.texts] == ["A", "B"]
    assert len(ax.lines) == 1 + 3
    first, second = (text.xy[1] for text in ax.texts)
    assert second - first >= 0.16 - 1e-9
