"""Sphinx extension: explorers and predictions in the HTML book.

Add `coursekit.interactive.sphinx_ext` to the extensions. While the book is executed, explorers give HTML only (no
widget state). When the pages are written, each explorer on them is looked up by its address, its pictures are drawn (or
taken from the cache) and copied to `_static/ck/`, and its block in the page is written anew, so that a page can never
show an older picture than its packs. Nothing is added to pages without an explorer or a prediction.

Options: `coursekit_cache` (default `.cache`, relative to the source folder), `coursekit_workers` (0: one for each
processor), `coursekit_live` (default `live`: the folder that holds `prepare.py`; empty: no live mode).
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sphinx.util import logging

from . import cells_html, progress, review
from .core import find
from .html import ADDRESS, explorer_html

__all__ = ["setup"]

STATIC = Path(__file__).parent / "static"
logger = logging.getLogger(__name__)


def setup(app):
    """Register with Sphinx."""
    os.environ["COURSEKIT_BOOK"] = "1"  # the kernels that run the notebooks inherit it
    app.add_config_value("coursekit_cache", ".cache", "", [str])
    app.add_config_value("coursekit_workers", 0, "", [int])
    app.add_config_value("coursekit_live", "live", "", [str])
    app.connect("builder-inited", _add_static)
    app.connect("html-page-context", _add_script)
    app.connect("build-finished", _finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _add_static(app):
    if app.builder.format == "html":
        app.config.html_static_path.append(str(STATIC))


def _add_script(app, pagename, templatename, context, doctree):
    body = context.get("body") or ""

    def load(*scripts):
        for script in ("memory.js", *scripts):  # what this browser remembers, which nearly all of them ask
            app.add_js_file(script, loading_method="defer")

    if "ck-explorer" in body or "ck-predict" in body or "ck-figure" in body:
        app.add_css_file("explorer.css")
    if "ck-predict" in body or "ck-clinic" in body:
        app.add_css_file("predict.css")
        load("predict.js")  # before explorer.js, which scrolls to what a prediction may have to uncover
    if "ck-explorer" in body:
        # What only a few explorers have is loaded where they are; explorer.js begins, so it comes after all parts.
        marks = {"training.js": '"training":', "points.js": '"points"', "closer.js": '"closer"'}
        few = [script for script, mark in marks.items() if mark in body]
        load("python.js", "reading.js", "playing.js", "handles.js", *few, "explorer.js", "code.js")
        app.add_css_file("code.css")
    if "ck-review" in body:
        for style in ("explorer.css", "predict.css"):
            app.add_css_file(style)
        load("predict.js", review.FSRS, "review.js")
    if pagename.startswith(("chapters/", "exercises/")) and "cell_input" in body:
        app.add_css_file("explorer.css")
        app.add_css_file("cells.css")
        load("python.js", "cells.js")
    if "ck-clinic" in body:
        app.add_css_file("clinic.css")
        load("clinic.js")
    if pagename.startswith("chapters/") or "ck-progress" in body:
        app.add_css_file("explorer.css")
        load("progress.js")


def _finish(app, error):
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    chapters = progress.fill(out)
    review.fill(out, chapters)
    pages = {page: page.read_text(encoding="utf-8") for page in sorted(out.rglob("*.html"))}
    pages = {page: text for page, text in pages.items() if "<!--ck:" in text}
    addresses = sorted({match["address"] for text in pages.values() for match in ADDRESS.finditer(text)})
    if not addresses:
        return
    cache = Path(app.srcdir, app.config.coursekit_cache)
    report = _draw(addresses, cache / "frames", out / "_static" / "ck" / "frames", app.config.coursekit_workers)
    if report is None:
        return
    live = _prepare_live(app, cache / "pyodide", out / "_static" / "ck")
    for complaint in cells_html.fill(out, Path(app.srcdir), live):
        logger.warning("cells: %s", complaint)
    pages = {page: page.read_text(encoding="utf-8") for page in pages}
    blocks = {address: _block(address, report[address], live) for address in addresses}
    for page, text in pages.items():
        fresh = with_blocks(text, blocks)
        if fresh != text:
            page.write_text(fresh, encoding="utf-8")


def _prepare_live(app, cache, out):
    """What pages must know for live mode, or None where it is off or Pyodide cannot be had."""
    script = Path(app.srcdir, app.config.coursekit_live, "prepare.py")
    if not app.config.coursekit_live or not script.is_file():
        return None
    command = [sys.executable, str(script), "--out", str(out), "--cache", str(cache)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 3:
        logger.info("explorers: built without live mode, with prepared pictures only. %s", done.stderr.strip())
        return None
    if done.returncode:
        logger.warning("explorers: live mode could not be prepared\n%s", done.stderr.strip())
        return None
    *said, last = done.stdout.strip().split("\n")
    for line in said:
        logger.info("explorers: %s", line)
    return json.loads(last)


def _draw(addresses, cache, out, workers):
    """Run `frames` in a process of its own; its lines become build messages."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "coursekit.interactive.frames", *addresses]
        command += ["--cache", str(cache), "--out", str(out), "--workers", str(workers), "--report", str(report)]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)), OPENBLAS_NUM_THREADS="1")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        ) as process:
            said = []
            for line in process.stdout:
                said.append(line.rstrip())
                if not line.startswith(("error", "Traceback", " ")):
                    logger.info("explorers: %s", line.rstrip())
        if process.returncode:
            logger.warning("explorers: the pictures could not be drawn\n%s", "\n".join(said[-12:]))
            return None
        return json.loads(report.read_text(encoding="utf-8"))


def with_blocks(text: str, blocks: dict[str, str]) -> str:
    """A page with the block of each explorer's address, and its digest.

    A block that stands there with the same digest stays, with all that was mended in it since.
    """

    def block(match):
        start, rest = blocks[match["address"]].split("-->", 1)
        head = f"{start}--><!--drawn:{hashlib.sha256(rest.encode()).hexdigest()[:16]}-->"
        return match[0] if match[0].startswith(head) else head + rest

    return ADDRESS.sub(block, text)


def _block(address, entry, live):
    frames = {"folder": entry["folder"], "packs": len(entry["packs"]), "chunk": entry["chunk"]}
    if entry.get("narrow"):
        frames["narrow"] = entry["narrow"]
    return explorer_html(find(address), frames, live, (entry["svg"], entry["alt"]))
