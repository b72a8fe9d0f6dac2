"""The package as a whole: what importing it needs and does, what it exports, and the wheel."""

import ast
import importlib
import importlib.metadata
import inspect
import pkgutil
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import coursekit

ROOT = Path(__file__).resolve().parent.parent
# Only the book's build may need more than NumPy, Matplotlib and ipywidgets.
NEED_MORE = {"coursekit.interactive.sphinx_ext"}

# Graders that our cases also run under: tested where they are installed.
OPTIONAL = {"otter"}


def modules():
    """Names of all modules of the package, private ones included."""
    return ["coursekit", *(m.name for m in pkgutil.walk_packages(coursekit.__path__, "coursekit."))]


def public_modules():
    """Names of the modules without an underscore in their path; `__main__` is run, not imported."""
    return [name for name in modules() if not any(part.startswith("_") for part in name.split("."))]


def run(code, *args, **kwargs):
    """Run Python code in a process of its own and give what it printed."""
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, timeout=240, **kwargs)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def requirements(distribution, seen):
    """Add to `seen` the names of a distribution and of all that it needs."""
    name = re.sub(r"[-_.]+", "-", distribution).lower()
    if name in seen:
        return
    try:
        needs = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return
    seen.add(name)
    for need in needs:
        if "extra ==" not in need:
            requirements(re.match(r"[\w.-]+", need)[0], seen)


def forbidden_packages():
    """Top-level names of everything installed that NumPy, Matplotlib and ipywidgets do not bring along."""
    allowed = {"coursekit"}
    for name in ("numpy", "matplotlib", "ipywidgets"):
        requirements(name, allowed)
    return sorted(
        top
        for top, owners in importlib.metadata.packages_distributions().items()
        if not any(re.sub(r"[-_.]+", "-", owner).lower() in allowed for owner in owners)
    )


BLOCK = """
import sys
forbidden = set(sys.argv[1].split(","))
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in forbidden:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked by the test)", name=name)
sys.meta_path.insert(0, Finder())
"""


def test_that_importing_it_needs_numpy_matplotlib_and_ipywidgets_only():
    forbidden = forbidden_packages()
    assert {"torch", "jupytext", "tqdm", "pooch", "optuna", "nbformat"} <= set(forbidden)  # or the test says nothing
    names = [name for name in public_modules() if name not in NEED_MORE and not name.endswith("__main__")]
    code = BLOCK + "import importlib\nfor name in sys.argv[2].split(','):\n    importlib.import_module(name)\n"
    run(code, ",".join(forbidden), ",".join(names))


def test_that_importing_it_loads_nothing_else_until_it_is_used():
    code = "import sys, coursekit; print(*(m for m in sys.modules if m.partition('.')[0] in ('numpy', 'matplotlib')))"
    assert run(code).strip() == ""


def test_that_importing_it_starts_no_process_no_thread_and_no_connection():
    code = """
import importlib, sys
import numpy, matplotlib.pyplot, ipywidgets
watched = {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.fork"}
watched.add("_thread.start_new_thread")
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event in watched else None)
for name in sys.argv[1].split(","):
    importlib.import_module(name)
print(*seen)
"""
    names = [name for name in public_modules() if name not in NEED_MORE and not name.endswith("__main__")]
    assert run(code, ",".join(names)).strip() == ""


@pytest.mark.parametrize("name", [name for name in public_modules() if name not in NEED_MORE])
def test_that_every_public_name_is_listed_and_has_a_docstring(name):
    if name.endswith("__main__"):
        return
    module = importlib.import_module(name)
    assert inspect.getdoc(module), f"{name} has no docstring"
    exported = getattr(module, "__all__", [])
    assert len(exported) == len(set(exported)), f"a name stands twice in {name}.__all__"
    for export in exported:
        thing = getattr(module, export)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), f"{name}.{export} has no docstring"
        if inspect.isclass(thing):
            for attribute, value in vars(thing).items():
                if not attribute.startswith("_") and inspect.isfunction(value):
                    assert inspect.getdoc(getattr(thing, attribute)), f"{name}.{export}.{attribute} has no docstring"


def test_that_every_name_promised_at_the_top_can_be_had():
    for name in dir(coursekit):
        assert getattr(coursekit, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = coursekit.no_such_name


def test_that_package_installation_and_changelog_agree_on_the_version():
    assert importlib.metadata.version("coursekit") == coursekit.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)[0] == coursekit.__version__


def with_extras(distribution, extras, seen):
    """Add to `seen` the names of a distribution with some of its extras, and of all that it needs."""
    for need in importlib.metadata.requires(distribution):
        wanted = re.search(r"extra == [\"']([\w-]+)", need)
        if wanted and wanted[1] not in extras:
            continue
        name, inner = re.match(r"([\w.-]+)(?:\[([^]]*)\])?", need).groups()
        if name == "coursekit":
            with_extras(name, set(re.split(r",\s*", inner)), seen)
        else:
            requirements(name, seen)


@pytest.mark.parametrize(("folder", "extra"), [("tests", "test"), ("tools", "test"), ("benchmarks", "test")])
def test_that_what_tests_and_tools_import_is_installed_with_them(folder, extra):
    brought = set()
    with_extras("coursekit", {extra}, brought)
    owners = importlib.metadata.packages_distributions()
    folders = ("tests", "tools", "benchmarks", "live")
    here = {path.stem for name in folders for path in (ROOT / name).rglob("*.py")} | {*folders, "coursekit"}
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for top in {name.partition(".")[0] for name in names} - here - set(sys.stdlib_module_names):
                dists = {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners.get(top, [])}
                assert dists & brought or top in OPTIONAL, f"{path.name} imports {top}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without network by the hatchling that is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    command = ["pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-q", "-w", str(folder), str(ROOT)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    (path,) = folder.glob("*.whl")
    return path


def test_that_the_wheel_holds_the_package_and_the_licences_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"coursekit", f"coursekit-{coursekit.__version__}.dist-info"}
    for licence in ("LICENSE", "LICENSE-TEXT", "LICENSES-DATA.md"):
        assert any(name.endswith(f"/licenses/{licence}") for name in names)
    here = {f"coursekit/{path.relative_to(ROOT / 'src/coursekit')}" for path in (ROOT / "src/coursekit").rglob("*.py")}
    assert here <= set(names)


def test_that_the_wheel_works_in_an_environment_of_its_own(wheel, tmp_path):
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--no-deps", "--no-index", "-q", wheel]
    subprocess.run(install, check=True, capture_output=True, timeout=240)
    # What it needs is not fetched again: the new environment looks into this one's packages, after its own.
    (site,) = (tmp_path / "env").rglob("site-packages")
    (site / "borrowed.pth").write_text(str(Path(importlib.metadata.distribution("numpy").locate_file("")).resolve()))
    code = (
        "import coursekit, numpy as np; print(coursekit.__file__); print(coursekit.__version__);"
        "print(coursekit.data.mnist().x_train.shape[1:]);"
        "print(coursekit.activations.relu_forward(np.array([-1.0, 2.0]))[0])"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=240, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    where, version, shape, relu = done.stdout.splitlines()
    assert str(tmp_path) in where
    assert version == coursekit.__version__
    assert shape == "(28, 28)"
    assert relu == "[0. 2.]"


UNTOUCHED = """
import importlib, pkgutil, sys
import matplotlib, matplotlib.figure, matplotlib.textpath, matplotlib.axis, matplotlib.backends.backend_svg
import matplotlib.pyplot
def state():
    found = {("rcParams", key): repr(value) for key, value in matplotlib.rcParams.items()}
    found["colormaps"] = sorted(matplotlib.colormaps)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "matplotlib" or module is None:
            continue
        for key, value in vars(module).items():
            found[name, key] = id(value)
            if isinstance(value, type) and value.__module__.startswith("matplotlib"):
                found |= {(name, key, part): id(what) for part, what in vars(value).items() if callable(what)}
    return found
before = state()
import coursekit
for package in ("plotting", "experiments", "explorers", "interactive"):
    for module in pkgutil.iter_modules(importlib.import_module("coursekit." + package).__path__):
        if module.name not in ("sphinx_ext", "recipes"):
            importlib.import_module(f"coursekit.{package}.{module.name}")
from coursekit.plotting import _style, _svg
figure, ax = _style.figure()
ax.set(xlabel="$x^2$", yscale="log")
DRAW
after = state()
gone = [key for key in before if after.get(key) != before[key]]
print(gone)
assert not gone, gone
"""


@pytest.mark.parametrize("draw", ["", "_svg.to_svg(figure)"], ids=["imported", "drawn"])
def test_nothing_of_matplotlib_is_changed(draw):
    assert run(UNTOUCHED.replace("DRAW", draw)).strip() == "[]"
