"""Execute the chapters whose outputs are not at hand, several at a time: `python tools/execute_chapters.py [NN]`.

The outputs lie in jupyter-cache, which looks at a chapter's own cells only. Beside them is kept what the run loaded:
modules of coursekit, files, versions. When one of these has changed, the outputs are forgotten, and so is the page
that Sphinx made of them. Sphinx executes what the cache lacks, one chapter after the other; what is put there by this
script it finds. A chapter that fails is left to Sphinx, which says where; it is tried again at the next build.
"""

import hashlib
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async

from coursekit import _digests

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "_build" / ".jupyter_cache"
DOCTREES = ROOT / "_build" / ".doctrees"
TIMEOUT = 180  # seconds for one cell, as in _config.yml

BEFORE = "__import__('coursekit._digests')._digests.watch()"
AFTER = "print(__import__('json').dumps(__import__('coursekit._digests')._digests.loaded()))"


class Client(NotebookClient):
    """Executes a notebook and notes what of the course it loaded; its cells and their numbers know nothing of it."""

    def __init__(self, notebook, **options):
        super().__init__(notebook, **options)
        self.sources = None
        self.on_notebook_start = self._watch

    async def _silently(self, code):
        said = []

        def keep(message):
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                said.append(message["content"]["text"])

        done = self.kc.execute_interactive(code, store_history=False, output_hook=keep, timeout=60)
        reply = await ensure_async(done)
        return "".join(said) if reply["content"]["status"] == "ok" else ""

    async def _watch(self, notebook):
        await self._silently(BEFORE)

    async def async_execute_cell(self, cell, *arguments, **options):
        """Execute a cell, and after the last one ask the kernel what it loaded."""
        cell = await super().async_execute_cell(cell, *arguments, **options)
        if cell is self.nb.cells[-1]:
            self.sources = json.loads(await self._silently(AFTER) or "null")
        return cell


def read(path):
    """Read a text notebook as Sphinx does."""
    text = path.read_text(encoding="utf-8")
    return read_myst_markdown_notebook(text, config=MdParserConfig(), add_source_map=True, path=str(path))


def versions():
    """What else a run depends on: Python, NumPy, Matplotlib ... and the set of tested versions."""
    constraints = hashlib.sha256((ROOT / "constraints.txt").read_bytes()).hexdigest()
    return {**_digests.versions(), "constraints": constraints}


def known(cache, notebook, now):
    """Tell whether the cache holds the outputs of these cells, and what they depend on has not changed since."""
    try:
        record = cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    data = record.data or {}
    if data.get("versions") == now and _digests.unchanged(data.get("sources")):
        return True
    cache.remove_cache(record.pk)
    return False


def forget_page(path):
    """Have Sphinx read a page anew, although its text is the same."""
    (DOCTREES / path.relative_to(ROOT)).with_suffix(".doctree").unlink(missing_ok=True)


def executed(notebook, path):
    """Execute in place: the digests of what was loaded and the seconds, or None if a cell failed."""
    start = time.monotonic()
    options = {"timeout": TIMEOUT, "allow_errors": False, "record_timing": False}  # times would be part of the key
    client = Client(notebook, **options, resources={"metadata": {"path": str(path.parent)}})
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError):
        return None
    return {"sources": client.sources, "execution_seconds": time.monotonic() - start}


def notebooks():
    """All text notebooks of the book: {path: notebook}."""
    paths = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("chapters/*.md"))]
    return {path: read(path) for path in paths if "```{code-cell}" in path.read_text(encoding="utf-8")}


def main(chapter=""):
    """Execute what is not known, of one chapter ("08") or of all; keep what went well."""
    cache = get_cache(CACHE)
    all_of_them = notebooks()
    now = versions()
    todo = {
        path: notebook
        for path, notebook in all_of_them.items()
        if path.name.startswith(chapter) and not known(cache, notebook, now)
    }
    os.environ["COURSEKIT_BOOK"] = "1"  # what the Sphinx extension sets: explorers show their HTML, not a widget

    def run(path):
        forget_page(path)
        data = executed(todo[path], path)
        verdict = f"{data['execution_seconds']:.0f} s" if data else "failed; the build will say where"
        print(f"executed {path.relative_to(ROOT)}: {verdict}", flush=True)
        return path, data

    start = time.monotonic()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for path, data in pool.map(run, todo):
            if data:
                bundle = CacheBundleIn(todo[path], str(path), data={**data, "versions": now})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    if todo:
        print(f"executed {len(todo)} of {len(all_of_them)} notebooks in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
