"""Put JupyterLite beside the book: every chapter and exercise as a notebook that runs in the reader's browser.

    python live/build_lite.py --site _build/html [--cache .cache/lite]

It shares Pyodide, the wheel of coursekit and the data files with the pages' live mode, where `prepare.py` has put them.
A second lock file names the wheels that notebooks need besides, so that `import coursekit` works with no install cell
and nothing is asked of another host. An unchanged site is left alone. Exit status 3 means that Pyodide or a wheel
could not be had; the site then gets a page that says so where the buttons lead.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import notebook_bundle
from fetch_pyodide import NotToBeHad, pip_download, python
from packaging.utils import parse_wheel_filename

HERE = Path(__file__).parent
ROOT = HERE.parent
WHEELS = HERE / "lite-wheels.txt"
LITE = HERE / "lite"
"""What is added to JupyterLite's own pages."""
KERNEL = "@jupyterlite/pyodide-kernel-extension"
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", KERNEL]
ASKED_FOR = ["micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi"]
"""What the kernel asks for when it starts, besides IPython; named in FIRST, it is not searched for."""
FIRST = [*ASKED_FOR, notebook_bundle.NAME, "coursekit"]
SORRY = """<!doctype html><html lang="en-GB"><meta charset="utf-8"><title>No notebooks in this copy of the book</title>
<p>This copy of the book was built where the files of JupyterLite could not be fetched, so its notebooks do not run in
the browser. Open the page in Colab, or run <code>make lab</code> in a copy of the repository.</p></html>
"""


def build(site: Path, cache: Path, say=print) -> Path:
    """Build `site`/lite and return it."""
    shared = site / "_static" / "ck"
    pyodide = next(iter(sorted(shared.glob("pyodide-*/pyodide.mjs"))), None)
    coursekit = next(iter(sorted(shared.glob("coursekit-*.whl"))), None)
    if pyodide is None or coursekit is None:
        raise NotToBeHad(f"the site has no Pyodide in {shared}; it was built without live mode")
    out = site / "lite"
    notebooks = sorted([*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("exercises/*.ipynb")])
    scripts = [Path(__file__), Path(notebook_bundle.__file__), *sorted(LITE.iterdir())]
    print_of_all = fingerprint([*scripts, WHEELS, *notebooks], pyodide.parent.name, coursekit.name)
    if stamp(out) == print_of_all:
        say("JupyterLite: unchanged")
        return out
    wheels = download(cache, say)
    with tempfile.TemporaryDirectory() as folder:
        lite = Path(folder)
        for notebook in notebooks:
            target = lite / "contents" / notebook.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(notebook, target)
        settings(lite, pyodide.parent.name)
        fresh = lite / "out"
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--output-dir", str(fresh)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=lite)
        if done.returncode:
            raise SystemExit(f"jupyter lite build failed:\n{(done.stdout + done.stderr)[-3000:]}")
        leave_arrows_to_sliders(fresh)
        wheels += list((fresh / "extensions" / KERNEL / "static" / "pypi").glob("*.whl"))
        loaded = lock(fresh / "pyodide-lock.json", wheels, pyodide.parent, coursekit)
        loaded += [pyodide.parent / name for name in ("pyodide.asm.wasm", "pyodide.asm.mjs", "python_stdlib.zip")]
        say_what_is_loading(fresh, sum(file.stat().st_size for file in loaded), loaded[0].relative_to(fresh))
        (fresh / "fingerprint").write_text(print_of_all)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(fresh, out)
    say(f"JupyterLite: {len(notebooks)} notebooks in {out}")
    return out


def settings(lite: Path, pyodide: str) -> None:
    """Write what JupyterLite reads: for its build, and in the browser."""
    config = {
        "apps": ["notebooks", "lab", "tree"],
        "contents": ["contents"],
        # Only these two extensions, whatever else is installed beside them.
        "ignore_sys_prefix": ["federated_extensions"],
        "federated_extensions": [f"{sys.prefix}/share/jupyter/labextensions/{name}" for name in EXTENSIONS],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
    }
    (lite / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": config}))
    # Cells out of sight stay in the page: sliders keep their place, and the browser's search finds text.
    overrides = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "defer"}}
    (lite / "overrides.json").write_text(json.dumps(overrides))
    kernel = {
        "pyodideUrl": f"./../_static/ck/{pyodide}/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {
            "lockFileURL": "pyodide-lock.json",
            "packages": FIRST,
            # Seen from the kernel's own script, extensions/@jupyterlite/pyodide-kernel-extension/static/.
            "env": {"COURSEKIT_DATA_URL": "../../../../../_static/ck/data/", "OPENBLAS_NUM_THREADS": "1"},
        },
    }
    data = {
        "appName": "Training Neural Networks",
        "contentsStorageName": "Training Neural Networks",
        "defaultKernelName": "python",
        "faviconUrl": "./../_static/favicon.svg",
        "litePluginSettings": {f"{KERNEL}:kernel": kernel},
    }
    (lite / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": data}, indent=1)
    )


def say_what_is_loading(fresh: Path, size: int, wheel: Path) -> None:
    """Add our script and style to the page of a notebook: they tell what the reader waits for.

    The browser fetches the largest file while the page itself starts, not only when Python asks for it.
    """
    for file in LITE.iterdir():
        shutil.copyfile(file, fresh / "notebooks" / file.name)
    page = fresh / "notebooks" / "index.html"
    text = page.read_text(encoding="utf-8")
    script = f'<script src="loading.js" data-megabytes="{size / 1e6:.0f}"></script>'
    early = f'<link rel="prefetch" href="../{wheel.as_posix()}">'
    ours = f'<link rel="stylesheet" href="loading.css">{early}{script}</head>'
    page.write_text(text.replace("</head>", ours, 1), encoding="utf-8")


def leave_arrows_to_sliders(fresh: Path) -> None:
    """Let an arrow key move the slider that has the focus, instead of choosing another cell."""
    for path in (fresh / "build" / "schemas").rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        if '"jupyter.lab.shortcuts"' in text:
            everything = json.loads(text)
            for entry in everything if isinstance(everything, list) else [{"schema": everything}]:
                for shortcut in entry["schema"].get("jupyter.lab.shortcuts", []):
                    if re.fullmatch("Arrow(Left|Right|Up|Down)", " ".join(shortcut["keys"])):
                        shortcut["selector"] = re.sub(":focus$", ":focus:not([role=slider])", shortcut["selector"])
            path.write_text(json.dumps(everything), encoding="utf-8")


def lock(path: Path, wheels: list[Path], pyodide: Path, coursekit: Path) -> list[Path]:
    """Write the lock file: one wheel with everything, coursekit, and empty ones for the other names asked for.

    Returns the wheels that are not empty.
    """
    whole = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
    packages = [pyodide / entry["file_name"] for _, entry in sorted(whole["packages"].items())]
    folder = path.parent / "wheels"
    everything = notebook_bundle.write(folder, packages, wheels, pyodide)
    entries = [describe(everything, f"wheels/{everything.relative_to(folder).as_posix()}", [])]
    entries.append(describe(coursekit, f"../_static/ck/{coursekit.name}", [notebook_bundle.NAME]))
    for name in ASKED_FOR:
        wheel = notebook_bundle.empty(folder, name)
        entries.append(describe(wheel, f"wheels/{wheel.name}", [notebook_bundle.NAME]))
    whole["packages"] = {entry["name"]: entry for entry in entries}
    path.write_text(json.dumps(whole, separators=(",", ":")), encoding="utf-8")
    return [everything, coursekit]


def describe(wheel: Path, address: str, depends: list[str]) -> dict:
    """Return the lock file's entry for a wheel."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    return {
        "name": name,
        "version": str(version),
        "file_name": address,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": notebook_bundle.modules(wheel),
        "depends": depends,
        "unvendored_tests": False,
    }


def download(cache: Path, say=print) -> list[Path]:
    """Fetch the wheels of the list, each checked by its hash, unless the cache has them."""
    wanted = re.findall(r"^([\w.-]+)==(\S+)", WHEELS.read_text(), re.M)
    folder = cache / fingerprint([WHEELS])[:12]
    if len(found := sorted(folder.glob("*.whl"))) == len(wanted):
        return found
    say(f"JupyterLite: fetching {len(wanted)} wheels from PyPI")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pure = ["--python-version", python(), "--implementation", "py", "--abi", "none", "--platform", "any"]
    try:
        return pip_download(folder, "--require-hashes", *pure, "-r", str(WHEELS))
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotToBeHad(f"the wheels of {WHEELS.name} could not be fetched: {error}") from error


def fingerprint(files: list[Path], *words: str) -> str:
    """One number for the contents of files and for some words."""
    digest = hashlib.sha256("\0".join(words).encode())
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def stamp(out: Path) -> str:
    """The fingerprint that the last build left."""
    return (out / "fingerprint").read_text() if (out / "fingerprint").is_file() else ""


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".cache/lite"))
    given = parser.parse_args(arguments)
    try:
        build(given.site.resolve(), given.cache)
    except NotToBeHad as error:
        page = given.site / "lite" / "notebooks" / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(SORRY, encoding="utf-8")
        print(f"JupyterLite is left out: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
