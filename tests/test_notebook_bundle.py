"""What a notebook in the browser loads besides the pages' packages, and the scripts that start its Python."""

import gzip
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
def wheels(tmp_path):
    """The wheels of a notebook."""
    return [
        wheel(
            tmp_path,
            "ipython",
            "9.1",
            {"IPython/__init__.py": "a = 1", "IPython/core/tests/test_x.py": "", "one.py": ""},
        ),
        wheel(tmp_path, "pygments", "2.1", {"pygments/lexers/python.py": "", "pygments/lexers/cobol.py": ""}),
        wheel(tmp_path, "jedi", "0.2", {"jedi/__init__.py": ""}),
        wheel(tmp_path, "ipywidgets", "8.1", {"ipywidgets/__init__.py": "", "ipywidgets-8.1.data/data/x.js": ""}),
    ]


@pytest.fixture
def pyodide(tmp_path):
    folder = tmp_path / "pyodide-1"
    folder.mkdir()
    (folder / "pyodide-lock.json").write_text('{"info": {"python": "3.14.0"}, "packages": {"numpy": {}}}')
    for name in ("pyodide.asm.wasm", "pyodide.asm.mjs", "python_stdlib.zip", "packages.bin"):
        (folder / name).write_bytes(b"0123456789")
    return folder


@pytest.fixture
def fresh(tmp_path):
    """A folder as `jupyter lite build` leaves it, of which only what is touched stands here."""
    static = tmp_path / "lite" / "extensions" / build_lite.KERNEL / "static"
    static.mkdir(parents=True)
    (static / "comlink.worker.ab12.js").write_text("")
    page = tmp_path / "lite" / "notebooks" / "index.html"
    page.parent.mkdir()
    page.write_text("<html>\n<head>\n<title>x</title></head><body></body></html>")
    (page.parent / "jupyter-lite.json").write_text('{"jupyter-config-data": {"appUrl": "/notebooks"}}')
    return tmp_path / "lite"


def unpacked(path):
    """Its contents by name, read as static/ck/unpack.mjs reads them."""
    line, _, rest = gzip.decompress(path.read_bytes()).partition(b"\n")
    contents, at = {}, 0
    for name, size in json.loads(line):
        contents[name] = rest[at : at + size]
        at += size
    assert at == len(rest)
    return contents


def test_one_file_has_what_a_notebook_imports_and_every_licence(wheels, pyodide, tmp_path, monkeypatch):
    compiled = {}

    def byte_code(node, pyodide, sources):
        compiled.update(sources)
        return {"IPython/__pycache__/__init__.cpython-314.pyc": b"code"}

    monkeypatch.setattr(notebook_bundle.shutil, "which", lambda name: "node")
    monkeypatch.setattr(notebook_bundle, "byte_code", byte_code)
    contents = unpacked(notebook_bundle.write(tmp_path, wheels, pyodide))
    place = "/lib/python3.14/site-packages/"
    assert all(name.startswith(place) for name in contents)
    names = {name.removeprefix(place) for name in contents}
    assert contents[f"{place}IPython/__init__.py"] == b"a = 1"
    assert contents[f"{place}IPython/__pycache__/__init__.cpython-314.pyc"] == b"code"
    assert {"pygments/lexers/cobol.py", "ipywidgets-8.1.dist-info/METADATA"} <= names
    assert "ipywidgets-8.1.dist-info/licenses/LICENSE" in names
    assert not [name for name in names if name.startswith("jedi") or "/tests/" in name or ".data/" in name]
    assert sorted(compiled) == ["IPython/__init__.py", "ipywidgets/__init__.py", "one.py", "pygments/lexers/python.py"]


def test_it_is_named_by_its_content(wheels, pyodide, tmp_path, monkeypatch):
    monkeypatch.setattr(notebook_bundle.shutil, "which", lambda name: None)
    for name in "abc":
        (tmp_path / name).mkdir()
    first, again = (notebook_bundle.write(tmp_path / name, wheels, pyodide) for name in "ab")
    assert first.name == again.name and first.read_bytes() == again.read_bytes()
    other = wheel(tmp_path, "more", "1", {"more.py": ""})
    assert notebook_bundle.write(tmp_path / "c", [*wheels, other], pyodide).name != first.name


def test_python_is_started_from_the_files_of_this_build(wheels, pyodide, fresh, tmp_path, monkeypatch):
    monkeypatch.setattr(notebook_bundle.shutil, "which", lambda name: None)
    coursekit = wheel(tmp_path, "coursekit", "0.1+ab", {"coursekit/__init__.py": ""})
    loaded = build_lite.start_python(fresh, wheels, pyodide, coursekit)
    (bundle,) = fresh.glob("notebook-*.bin")
    assert {*loaded} == {bundle, coursekit, *(pyodide / name for name in ("pyodide.asm.wasm", "pyodide.asm.mjs")),
                         pyodide / "python_stdlib.zip", pyodide / "packages.bin"}  # fmt: skip
    script = (fresh / "python.mjs").read_text()
    for address in ("pyodide-1/", "pyodide-1/packages.bin", coursekit.name):
        assert f'"../_static/ck/{address}"' in script
    assert f'"{bundle.name}"' in script
    assert (
        f'import "./extensions/{build_lite.KERNEL}/static/comlink.worker.ab12.js"' in (fresh / "early.mjs").read_text()
    )
    assert not [file for file in fresh.glob("*.mjs") if "@PYODIDE@" in file.read_text() or "@W" in file.read_text()]
    # No package is left for the kernel to look for.
    assert json.loads((fresh / "pyodide-lock.json").read_text()) == {"info": {"python": "3.14.0"}, "packages": {}}


def test_another_kernel_is_noticed_when_the_book_is_built(fresh, pyodide, tmp_path, wheels, monkeypatch):
    monkeypatch.setattr(notebook_bundle.shutil, "which", lambda name: None)
    next(fresh.rglob("comlink.worker.*")).rename(fresh / "another.js")
    with pytest.raises(SystemExit, match="0 files comlink"):
        build_lite.start_python(fresh, wheels, pyodide, tmp_path / "coursekit.whl")


def test_the_page_of_a_notebook_starts_python_first_and_says_what_it_loads(fresh):
    build_lite.say_what_is_loading(fresh, 31_400_000)
    build_lite.leave_out_what_is_idle(fresh / "notebooks" / "jupyter-lite.json")
    text = (fresh / "notebooks" / "index.html").read_text()
    assert 'data-megabytes="31"' in text and '<head><script src="early.js">' in text
    assert {file.name for file in (fresh / "notebooks").iterdir()} >= {*build_lite.PAGE}
    found = json.loads((fresh / "notebooks" / "jupyter-lite.json").read_text())["jupyter-config-data"]
    assert found["appUrl"] == "/notebooks" and "@jupyterlab/terminal-extension" in found["disabledExtensions"]
