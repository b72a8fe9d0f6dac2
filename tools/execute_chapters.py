"""Execute the chapters that jupyter-cache does not know yet, several at a time: `python tools/execute_chapters.py`.

Sphinx executes them too, but one after the other. What is put into the cache here it finds there; a chapter that fails
is left to Sphinx, which says where.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "_build" / ".jupyter_cache"
TIMEOUT = 180  # seconds for one cell, as in _config.yml


def read(path):
    """Read a text notebook as Sphinx does."""
    text = path.read_text(encoding="utf-8")
    return read_myst_markdown_notebook(text, config=MdParserConfig(), add_source_map=True, path=str(path))


def known(cache, notebook):
    """Tell whether the cache holds the outputs of these code cells."""
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def main():
    """Execute, and keep what went well."""
    cache = get_cache(CACHE)
    paths = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("chapters/*.md"))]
    notebooks = {path: read(path) for path in paths if "```{code-cell}" in path.read_text(encoding="utf-8")}
    todo = {path: notebook for path, notebook in notebooks.items() if not known(cache, notebook)}
    os.environ["COURSEKIT_BOOK"] = "1"  # what the Sphinx extension sets: explorers show their HTML, not a widget

    def run(path):
        result = single_nb_execution(todo[path], cwd=str(path.parent), allow_errors=False, timeout=TIMEOUT)
        verdict = "failed; the build will say where" if result.err else f"{result.time:.0f} s"
        print(f"executed {path.relative_to(ROOT)}: {verdict}", flush=True)
        return path, result

    start = time.monotonic()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for path, result in pool.map(run, todo):
            if result.err is None:
                bundle = CacheBundleIn(todo[path], str(path), data={"execution_seconds": result.time})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    if todo:
        print(f"executed {len(todo)} of {len(notebooks)} notebooks in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
