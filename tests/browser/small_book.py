"""A small book for the tests of questions: two chapters with predictions and quizzes, a first page, the review page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAD = """\
---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3, language: python}
---
"""
CELL = """
```{{code-cell}}
:tags: [remove-input]
{code}
```
"""
FIRST = """\
# First page

```{raw} html
<div class="ck-progress"></div><!--ck-progress-->
```

```{toctree}
chapters/05_small
chapters/07_other
review
```
"""
REVIEW = """\
# Review

```{raw} html
<div class="ck-review"></div><!--ck-review-->
```
"""
CONFIGURATION = f"""\
project = "Small"
extensions = ["myst_nb", "coursekit.interactive.sphinx_ext"]
html_theme = "sphinx_book_theme"
html_context = {{"default_mode": "auto"}}
html_favicon = "icon.svg"
nb_execution_mode = "force"
nb_ipywidgets_js = {{}}
root_doc = "intro"
exclude_patterns = ["_build", "jupyter_execute"]
coursekit_cache = {str(ROOT / ".cache")!r}
coursekit_live = ""
"""


def cell(code):
    return CELL.format(code=code)


def chapter(title, imports, *sections):
    """A chapter's text; each section is (heading, cells and sentences)."""
    text = HEAD + f"# {title}\n" + cell(imports)
    for heading, *parts in sections:
        text += f"\n## {heading}\n\n" + "\n".join(parts)
    return text


PAGES = {
    "intro.md": FIRST,
    "review.md": REVIEW,
    "chapters/05_small.md": chapter(
        "Small chapter",
        "from coursekit.explorers import initialization as explore\nimport explorers_demo as demo\n"
        "from coursekit import quiz",
        ("Before", "A sentence before."),
        (
            "Choose",
            "Words in front of the question.",
            cell("explore.predict_zero"),
            "The gradient is **zero**, says this sentence.",
            cell("explore.signal"),
            "### A smaller heading\n\n(below-smaller)=\nText under the smaller heading.",
        ),
        ("Draw", cell("explore.predict_relu"), "A straight line, says this sentence."),
        ("Type", cell("demo.number"), "It is 0.548."),
        ("Quiz", cell('quiz("05")')),
    ),
    "chapters/07_other.md": chapter(
        "Other chapter",
        "from coursekit import quiz",
        ("Line", cell('quiz("06")')),
        ("Order", cell('quiz("01")')),
    ),
}


def build(source: Path) -> Path:
    """Write the small book and build it; returns the folder with its pages."""
    out = source / "_build"
    (source / "conf.py").write_text(CONFIGURATION)
    (source / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    for name, text in PAGES.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text)
    paths = [str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(paths), OPENBLAS_NUM_THREADS="1")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", str(source), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=280)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return out
