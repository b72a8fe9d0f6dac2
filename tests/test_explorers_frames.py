"""Drawing frames ahead of time, packing them, and not drawing them twice."""

from __future__ import annotations

import json
import shutil
import sys

import explorers_demo as demo
import pytest

from coursekit.errors import CourseError
from coursekit.interactive import frames


def read_pack(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("window.ckPack&&ckPack(")
    return json.loads("[" + text.removeprefix("window.ckPack&&ckPack(").rstrip().removesuffix(");") + "]")


@pytest.fixture
def built(tmp_path):
    said = []

    def build(address="explorers_demo:heat", workers=1):
        return frames.build([address], tmp_path / "cache", tmp_path / "out", workers, said.append)[address], said

    return build


def test_packs_hold_every_picture_and_its_text(built, tmp_path):
    entry, said = built()
    folder, number, pack = read_pack(tmp_path / "out" / entry["folder"] / "0.js")
    assert (folder, number) == (entry["folder"], 0)
    for index, settings in enumerate(demo.heat.grid()):
        native = demo.heat.picture("ck-heat", **settings)
        assert "\n".join(pack["lines"][k] for k in pack["frames"][str(index)]) == native.svg
        assert pack["alts"][str(index)] == native.alt
    assert (entry["svg"], entry["alt"]) == (demo.heat.picture("ck-heat").svg, demo.heat.alt())
    assert "5 pictures" in said[0] and "compressed" in said[0]


def test_packs_for_a_narrow_screen_have_the_same_pictures_laid_out_anew(built, tmp_path):
    entry, _ = built("explorers_demo:days")
    _, number, pack = read_pack(tmp_path / "out" / entry["folder"] / "n0.js")
    wide = read_pack(tmp_path / "out" / entry["folder"] / "0.js")[2]
    assert number == "n0" and pack["alts"] == wide["alts"] and set(pack["frames"]) == set(wide["frames"])
    shapes = {pack["lines"][lines[0]] for lines in pack["frames"].values()}
    assert len(shapes) == 1 and 'class="ck-narrow"' in shapes.pop(), "all are as large as the default"
    assert 0.3 < entry["narrow"] < 3
    heat, _ = built()
    assert heat["narrow"] is None and not (tmp_path / "out" / heat["folder"] / "n0.js").exists(), "narrow already"


def test_several_processes_draw_the_same_as_one(built, monkeypatch, tmp_path):
    one, _ = built("explorers_demo:wave_shape", workers=1)
    first = (tmp_path / "out" / one["folder"] / "0.js").read_bytes()
    shutil.rmtree(tmp_path / "cache")
    shutil.rmtree(tmp_path / "out")
    two, _ = built("explorers_demo:wave_shape", workers=2)
    assert (tmp_path / "out" / two["folder"] / "0.js").read_bytes() == first


def test_an_unchanged_explorer_is_not_drawn_again(built, monkeypatch):
    entry, said = built()
    monkeypatch.setattr(frames, "draw_frames", lambda *given: pytest.fail("drawn again"))
    again, _ = built()
    assert again == entry and len(said) == 1


def test_a_changed_source_is_drawn_again_under_another_name(tmp_path, monkeypatch):
    source = tmp_path / "changing.py"
    text = (
        "from coursekit.explorers import Slider, explorer\nfrom coursekit.plotting import _style\n\n\n"
        "@explorer(n=Slider(1, 2, step=1))\ndef one(n):\n    return _style.figure(2, 2)[0], f'WORD {n}'\n"
    )
    source.write_text(text.replace("WORD", "before"))
    monkeypatch.syspath_prepend(str(tmp_path))
    cache, out = tmp_path / "cache", tmp_path / "out"
    first = frames.build(["changing:one"], cache, out, 1, str)["changing:one"]
    source.write_text(text.replace("WORD", "after, and longer"))
    sys.modules.pop("changing")
    second = frames.build(["changing:one"], cache, out, 1, str)["changing:one"]
    assert (first["alt"], second["alt"]) == ("before 2", "after, and longer 2")
    assert first["folder"] != second["folder"]
    assert [path.name for path in out.iterdir()] == [second["folder"]]
    assert not (cache / first["folder"]).exists()


@pytest.mark.parametrize("name", ["coursekit.plotting._svg", "coursekit.interactive.controls", "explorers_demo:heat"])
def test_what_a_picture_is_made_of_is_part_of_its_key(built, name):
    entry, _ = built()
    assert name in entry["sources"] and "coursekit.interactive.widget" not in entry["sources"]


def test_a_damaged_cache_is_drawn_again(built, tmp_path):
    entry, _ = built()
    (tmp_path / "cache" / "explorers_demo.heat.json").write_text("{")
    assert built()[0] == entry


def test_a_setting_that_fails_stops_the_build_and_is_named(monkeypatch, tmp_path):
    (tmp_path / "failing.py").write_text(
        "from coursekit.explorers import Slider, explorer\nfrom coursekit.plotting import _style\n\n\n"
        "@explorer(n=Slider(1, 2, step=1))\ndef one(n):\n    1 / (n - 1)\n    return _style.figure(2, 2)[0], 'fine'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CourseError, match=r"failing:one fails at \{'n': 1\}: ZeroDivisionError: division by zero"):
        frames.build(["failing:one"], tmp_path / "cache", tmp_path / "out", 2, str)
    assert not list((tmp_path / "cache").glob("*.json"))


def test_a_large_explorer_is_split_with_its_neighbourhood_first(monkeypatch):
    monkeypatch.setattr(frames, "ONE_PACK", 3000)
    monkeypatch.setattr(frames, "EACH_PACK", 1000)
    pictures = {k: (f"<svg>\n<path {k} {'x' * 100}>\n</svg>", f"picture {k}") for k in range(64)}
    home = {3, 11, 24, 25}
    packs, chunk = frames.pack_frames(pictures, home)
    assert set(packs[0]["frames"]) == home and chunk >= 4
    for number, pack in enumerate(packs[1:]):
        assert set(pack["frames"]) == set(range(number * chunk, min(64, (number + 1) * chunk))) - home
    assert sum(len(pack["frames"]) for pack in packs) == 64


def test_the_command_line_reports_an_error_in_a_sentence(capsys, tmp_path):
    assert frames.main(["--out", str(tmp_path), "--cache", str(tmp_path), "explorers_demo:tones"]) == 1
    assert "error: explorers_demo:tones is a function, but must be an explorer" in capsys.readouterr().err
