"""Every experiment that a chapter names leads to its page in the reference."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import book_ext  # noqa: E402
import experiment_links  # noqa: E402

CHAPTERS = sorted((ROOT / "chapters").glob("*.md"))
MODULES = book_ext.public_modules()
CODE = '<span class="n">experiment</span><span class="o">.</span><span class="n">{}</span>'
PAGE = (
    f"<pre>{CODE.format('signal')}<span class='p'>(</span>{CODE.format('SCHEMES')}</pre>"
    '<code class="docutils literal notranslate"><span class="pre">experiment.signal</span></code>'
)
NAMES = {"experiment": "coursekit.experiments.initialization"}
DOCUMENTED = {"coursekit.experiments.initialization.signal"}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_each_name_of_a_chapter_has_a_target(chapter):
    text = chapter.read_text(encoding="utf-8")
    names = experiment_links.aliases(text)
    assert names, "the chapter imports its experiments"
    for short, module in names.items():
        tree = MODULES[module]
        bench = {each.name for each in MODULES[experiment_links.WORKBENCH].body if isinstance(each, ast.FunctionDef)}
        known = set(book_ext.exported(tree, module)) | book_ext.assigned(tree) | bench
        used = set(re.findall(rf"\b{short}\.([A-Za-z]\w*)", text))
        assert used <= known, f"{short}.{used - known}"


def test_an_experiment_needs_no_all():
    tree = ast.parse("def a(): pass\ndef _b(): pass\nC = 1\nclass D: pass\n")
    assert book_ext.exported(tree, "coursekit.experiments.losses") == ["a", "D"]
    assert book_ext.exported(tree, "coursekit.experiments") == book_ext.exported(tree, "coursekit.losses") == []
    assert not set(book_ext.known_names().values()) & {
        f"{module}.{name}" for module, tree in MODULES.items() if book_ext.is_experiment(module)
        for name in book_ext.exported(tree, module)
    }  # fmt: skip


def test_code_and_words_become_links_once():
    page = experiment_links.linked(PAGE, NAMES, DOCUMENTED)
    start = '<a class="ck-source-link" href="../reference/coursekit.experiments.initialization.html#'
    assert page.count(start + 'coursekit.experiments.initialization.signal">') == 2
    assert page.count("<a ") == 2  # a table of settings is not documented
    assert re.sub("<[^>]+>", "", page) == re.sub("<[^>]+>", "", PAGE)
    assert experiment_links.linked(page, NAMES, DOCUMENTED) == page
    assert experiment_links.linked(page, NAMES, set()) == PAGE


def test_both_ways_to_import_are_read():
    text = "from coursekit.experiments import losses as experiment\nfrom coursekit.experiments import clinic\n"
    assert experiment_links.aliases(text) == {
        "experiment": "coursekit.experiments.losses",
        "clinic": "coursekit.experiments.clinic",
    }
