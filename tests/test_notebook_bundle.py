"""The one wheel that a notebook in the browser loads, and the empty ones for the names that its kernel asks for."""

import hashlib
import json
import sys
import zipfile
from pathlib import Path

import pytest

LIVE = Path(__file__).parents[1] / "live"
sys.path.insert(0, str(LIVE))
import build_lite  # noqa: E402
import notebook_bundle  # noqa: E402


def wheel(folder, name, version, files):
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in (
            files | {f"{info}/METADATA": f"Name: {name}\n", f"{info}/licenses/LICENSE": "MIT"}
        ).items():
            archive.writestr(inside, text)
    return path


@pytest.fixture
def given(tmp_path):
    """Pyodide's wheels, those of the notebook, and a folder for the result."""
    packages = [
        wheel(
            tmp_path, "numpy", "2.0", {"numpy/__init__.py": "x = 1", "numpy/__pycache__/__init__.cpython-314.pyc": "c"}
        )
    ]
    wheels = [
        wheel(
            tmp_path, "ipython", "9.1", {"IPython/__init__.py": "", "IPython/core/tests/test_x.py": "", "one.py": ""}
        ),
        wheel(tmp_path, "pygments", "2.1", {"pygments/lexers/python.py": "", "pygments/lexers/cobol.py": ""}),
        wheel(tmp_path, "jedi", "0.2", {"jedi/__init__.py": ""}),
        wheel(tmp_path, "ipywidgets", "8.1", {"ipywidgets/__init__.py": "", "ipywidgets-8.1.data/data/x.js": ""}),
    ]
    return packages, wheels


def test_one_wheel_has_what_a_notebook_imports_and_every_licence(given, tmp_path, monkeypatch):
    compiled = {}

    def byte_code(node, pyodide, sources):
        compiled.update(sources)
        return {"IPython/__pycache__/__init__.cpython-314.pyc": b"code"}

    monkeypatch.setattr(notebook_bundle.shutil, "which", lambda name: "node")
    monkeypatch.setattr(notebook_bundle, "byte_code", byte_code)
    made = notebook_bundle.write(tmp_path / "out", *given, tmp_path)
    assert made.name == "ipython-9.1-py3-none-any.whl"
    with zipfile.ZipFile(made) as archive:
        names = set(archive.namelist())
        record = archive.read("ipython-9.1.dist-info/RECORD").decode()
    assert {"numpy/__init__.py", "numpy/__pycache__/__init__.cpython-314.pyc", "pygments/lexers/cobol.py"} <= names
    assert "IPython/__pycache__/__init__.cpython-314.pyc" in names
    assert not [name for name in names if name.startswith("jedi") or "/tests/" in name or ".data/" in name]
    # Pyodide takes a wheel with one folder .dist-info; Python reads the other kind too.
    assert {name.split("/")[0] for name in names if ".dist-info/" in name} == {"ipython-9.1.dist-info"}
    assert {"numpy-2.0.egg-info/METADATA", "ipywidgets-8.1.egg-info/licenses/LICENSE"} <= names
    assert sorted(line.split(",")[0] for line in record.split()) == sorted(names - {"ipython-9.1.dist-info/RECORD"})
    assert sorted(compiled) == ["IPython/__init__.py", "ipywidgets/__init__.py", "one.py", "pygments/lexers/python.py"]
    assert notebook_bundle.modules(made) == ["IPython", "ipywidgets", "numpy", "one", "pygments"]


def test_its_folder_is_named_by_its_content(given, tmp_path, monkeypatch):
    monkeypatch.setattr(notebook_bundle.shutil, "which", lambda name: None)
    first, again = (notebook_bundle.write(tmp_path / name, *given, tmp_path) for name in ("a", "b"))
    assert first.parent.name == again.parent.name and first.read_bytes() == again.read_bytes()
    other = wheel(tmp_path, "more", "1", {"more.py": ""})
    third = notebook_bundle.write(tmp_path / "c", given[0], [*given[1], other], tmp_path)
    assert third.parent.name != first.parent.name


def test_the_lock_names_each_file_with_its_hash_and_all_that_the_kernel_asks_for(given, tmp_path, monkeypatch):
    monkeypatch.setattr(notebook_bundle.shutil, "which", lambda name: None)
    packages, wheels = given
    pyodide, fresh = tmp_path / "pyodide", tmp_path / "lite"
    pyodide.mkdir()
    fresh.mkdir()
    packages[0].rename(pyodide / packages[0].name)
    known = {"info": {"python": "3.14.0"}, "packages": {"numpy": {"file_name": packages[0].name}}}
    (pyodide / "pyodide-lock.json").write_text(json.dumps(known))
    coursekit = wheel(tmp_path, "coursekit", "0.1+ab", {"coursekit/__init__.py": ""})
    loaded = build_lite.lock(fresh / "pyodide-lock.json", wheels, pyodide, coursekit)
    found = json.loads((fresh / "pyodide-lock.json").read_text())["packages"]
    assert set(build_lite.FIRST) == set(found)
    for name, entry in found.items():
        path = coursekit if name == "coursekit" else fresh / entry["file_name"]
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert entry["depends"] == ([] if name == "ipython" else ["ipython"])
    assert loaded == [fresh / found["ipython"]["file_name"], coursekit]
    assert "numpy" in found["ipython"]["imports"] and found["jedi"]["imports"] == []


def test_the_page_of_a_notebook_says_what_it_loads(tmp_path):
    (tmp_path / "notebooks").mkdir()
    page = tmp_path / "notebooks" / "index.html"
    page.write_text("<html><head><title>x</title></head><body></body></html>")
    build_lite.say_what_is_loading(tmp_path, 31_400_000, Path("wheels/ab/ipython-9.whl"))
    text = page.read_text()
    assert 'data-megabytes="31"' in text and 'href="../wheels/ab/ipython-9.whl"' in text
    assert (tmp_path / "notebooks" / "loading.js").is_file() and (tmp_path / "notebooks" / "loading.css").is_file()
