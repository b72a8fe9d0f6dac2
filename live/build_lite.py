"""Put JupyterLite beside the book: every chapter and exercise as a notebook that runs in the reader's browser.

    python live/build_lite.py --site _build/html [--cache .cache/lite]

It shares Pyodide, its packages, the wheel of coursekit and the data files with the pages' live mode, where `prepare.py`
has put them. What notebooks need besides stands in one file, so that `import coursekit` works with no install cell and
nothing is asked of another host. An unchanged site is left alone. Exit status 3 means that Pyodide or a wheel could not
be had; the site then gets a page that says so where the buttons lead.
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

import bundle
import notebook_bundle
from fetch_pyodide import NotToBeHad, pip_download, python

HERE = Path(__file__).parent
ROOT = HERE.parent
WHEELS = HERE / "lite-wheels.txt"
LITE = HERE / "lite"
"""What is added to JupyterLite's own pages."""
KERNEL = "@jupyterlite/pyodide-kernel-extension"
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", KERNEL]
THERE = ["micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython"]
"""What the kernel looks for when it starts; named here, it is not searched for."""
IDLE = """
    @jupyter-notebook/console-extension @jupyter-notebook/tree-extension @jupyterlab/audio-extension
    @jupyterlab/celltags-extension @jupyterlab/console-extension @jupyterlab/csvviewer-extension
    @jupyterlab/fileeditor-extension @jupyterlab/htmlviewer-extension @jupyterlab/imageviewer-extension
    @jupyterlab/inspector-extension:consoles @jupyterlab/json-extension @jupyterlab/launcher-extension
    @jupyterlab/lsp-extension @jupyterlab/markdownviewer-extension @jupyterlab/mermaid-extension
    @jupyterlab/metadataform-extension @jupyterlab/notebook-extension:active-cell-tool
    @jupyterlab/notebook-extension:code-console @jupyterlab/notebook-extension:language-server
    @jupyterlab/notebook-extension:metadata-editor @jupyterlab/notebook-extension:tools
    @jupyterlab/notebook-extension:update-raw-mimetype @jupyterlab/pdf-extension @jupyterlab/terminal-extension
    @jupyterlab/tooltip-extension:consoles @jupyterlab/tooltip-extension:files
    @jupyterlab/vega5-extension @jupyterlab/video-extension @jupyterlab/workspaces-extension
    @jupyterlite/application-extension:lsp-connection-manager @jupyterlite/repl-extension
""".split()
"""Parts of JupyterLab that start with the page of one notebook and do nothing there; the other pages keep them."""
PAGE = ("loading.js", "loading.css", "early.js")
"""What stands beside the page of a notebook."""
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
    made_by = [Path(module.__file__) for module in (bundle, notebook_bundle)]
    scripts = [Path(__file__), *made_by, *sorted(LITE.iterdir())]
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
        settings(lite)
        fresh = lite / "out"
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--output-dir", str(fresh)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=lite)
        if done.returncode:
            raise SystemExit(f"jupyter lite build failed:\n{(done.stdout + done.stderr)[-3000:]}")
        leave_arrows_to_sliders(fresh)
        leave_out_what_is_idle(fresh / "notebooks" / "jupyter-lite.json")
        wheels += list((fresh / "extensions" / KERNEL / "static" / "pypi").glob("*.whl"))
        loaded = start_python(fresh, wheels, pyodide.parent, coursekit)
        say_what_is_loading(fresh, sum(file.stat().st_size for file in loaded))
        (fresh / "fingerprint").write_text(print_of_all)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(fresh, out)
    say(f"JupyterLite: {len(notebooks)} notebooks in {out}")
    return out


def settings(lite: Path) -> None:
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
    # Python comes from our own script, which takes nothing but its outputs from the kernel (lite/python.mjs).
    kernel = {
        "pyodideUrl": "./python.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": THERE},
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


def say_what_is_loading(fresh: Path, size: int) -> None:
    """Add our scripts and style to the page of a notebook: Python's start, and what the reader waits for."""
    for name in PAGE:
        shutil.copyfile(LITE / name, fresh / "notebooks" / name)
    page = fresh / "notebooks" / "index.html"
    text = page.read_text(encoding="utf-8")
    first = '<head><script src="early.js"></script>'
    script = f'<script src="loading.js" data-megabytes="{size / 1e6:.0f}"></script>'
    last = f'<link rel="stylesheet" href="loading.css">{script}</head>'
    page.write_text(text.replace("<head>", first, 1).replace("</head>", last, 1), encoding="utf-8")


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


def leave_out_what_is_idle(path: Path) -> None:
    """Name in a page's settings the parts of JupyterLab that it need not start."""
    everything = json.loads(path.read_text(encoding="utf-8"))
    everything["jupyter-config-data"]["disabledExtensions"] = IDLE
    path.write_text(json.dumps(everything, indent=1), encoding="utf-8")


def start_python(fresh: Path, wheels: list[Path], pyodide: Path, coursekit: Path) -> list[Path]:
    """Write what starts a notebook's Python, and begins to while JupyterLab itself is loading; returns what it loads.

    The lock names no package: all are there before the kernel asks.
    """
    whole = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
    (fresh / "pyodide-lock.json").write_text(json.dumps(whole | {"packages": {}}), encoding="utf-8")
    bundles = [pyodide / bundle.NAME, notebook_bundle.write(fresh, wheels, pyodide)]
    worker = one_of(fresh / "extensions" / KERNEL / "static", "comlink.worker.*.js")
    shared = f"../_static/ck/{pyodide.name}/"
    replace(
        fresh / "python.mjs",
        PYODIDE=shared,
        BUNDLES=json.dumps([f"{shared}{bundle.NAME}", bundles[1].name]),
        WHEEL=f"../_static/ck/{coursekit.name}",
    )
    replace(fresh / "early.mjs", WORKER=worker.relative_to(fresh).as_posix())
    core = [pyodide / name for name in ("pyodide.asm.wasm", "pyodide.asm.mjs", "python_stdlib.zip")]
    return [*core, *bundles, coursekit]


def one_of(folder: Path, pattern: str) -> Path:
    """The one file of a name that carries a digest."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise SystemExit(
            f"{folder} has {len(found)} files {pattern}, expected one; is JupyterLite's kernel another one?"
        )
    return found[0]


def replace(target: Path, **words: str) -> None:
    """Copy a script of `lite/` to `target`, with words in the place of their names between two @."""
    text = (LITE / target.name).read_text(encoding="utf-8")
    for name, word in words.items():
        text = text.replace(f"@{name}@", word)
    target.write_text(text, encoding="utf-8")


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
