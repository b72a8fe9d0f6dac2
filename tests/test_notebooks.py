"""Notebooks: plain Markdown from MyST, the same bytes from the same source, in step with their sources."""
# ruff: noqa: E501

import json
import pathlib
import re
import sys

import nbformat
import pytest

from coursekit.errors import CourseError

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import make_notebooks as notebooks  # noqa: E402
from make_notebooks import build, main, plain, sources  # noqa: E402

HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""
CONFIG = "repository: {url: https://example.org/course}\nhtml: {baseurl: https://example.org/book/}\n"
BIB = """
@article{one2010, author = {Glorot, Xavier}, title = {Training {Deep} Nets}, journal = {Nets}, year = {2010}, doi = {10.1/x}}
@inproceedings{two2015, author = {He, Kaiming and van der Berg, Jo}, title = {Two}, booktitle = {Conf}, year = {2015}}
@article{many2020, author = {A, B and C, D and E, F}, title = {Many}, year = {2020}, url = {https://example.org/many}}
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "_config.yml").write_text(CONFIG)
    (tmp_path / "references.bib").write_text(BIB)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "exercises").mkdir()
    (tmp_path / "code.py").write_text(
        "import x\n\n@deco\ndef f():\n    # start\n    return 1\n    # stop\n\nclass A:\n    def g(self):\n        pass\n"
    )
    return tmp_path


@pytest.fixture
def say(root):
    return lambda text: plain(text, root / "chapters" / "01_x.md", root)


def made(root, text, name="01_x"):
    path = root / "chapters" / f"{name}.md"
    path.write_text(HEAD + text)
    return nbformat.reads(build(path, root), 4).cells


@pytest.mark.parametrize(
    ("myst", "markdown"),
    [
        ("Plain *text*, `code`, $x$.", "Plain *text*, `code`, $x$."),
        ("```{note}\nA\n\nB\n```", "> **Note**\n>\n> A\n>\n> B"),
        (":::{warning}\nA\n:::", "> **Warning**\n>\n> A"),
        ("```{tip} One line.\n```", "> **Tip**\n>\n> One line."),
        ("```{admonition} My $x$ title\n:class: tip\n* a\n* b\n```", "> **My $x$ title**\n>\n> * a\n> * b"),
        ("```{admonition} T\n---\nclass: tip\n---\nA\n```", "> **T**\n>\n> A"),
        ("````{note}\n```{tip}\nin\n```\n````", "> **Note**\n>\n> > **Tip**\n> >\n> > in"),
        (
            "```{admonition} More\n:class: dropdown\nA\n```",
            "<details>\n<summary>More</summary>\n\nA\n\n</details>",
        ),
        ("```{dropdown} More\nA\n```", "<details>\n<summary>More</summary>\n\nA\n\n</details>"),
        ("```{exercise} Do it\n:label: x\nA\n```", "> **Exercise: Do it**\n>\n> A"),
        ("```{figure} a.png\n:alt: a curve\n:name: fig\nThe {math}`y`.\n```", "![a curve](a.png)\n\n*The $y$.*"),
        ("```{image} a.png\n:alt: a\n```", "![a](a.png)"),
        ("```{math}\n:label: e1\nx = 1\n```\nSee {eq}`e1`.", "$$\nx = 1 \\tag{1}\n$$\nSee (1)."),
        ("$$a$$ (e1)\n\n$$\nb\n$$ (e2)\n\n{eq}`e2`, {eq}`e1`", "$$a \\tag{1}$$\n\n$$\nb \\tag{2}$$\n\n(2), (1)"),
        ("```{code-block} bash\nls\n```", "```bash\nls\n```"),
        ("```python\n# {note} and (label)=\n```", "```python\n# {note} and (label)=\n```"),
        ("(label)=\n## Title\n% comment\nText", "## Title\nText"),
        ("{ref}`the title <label>`, {ref}`some-label`, {doc}`here <x/y>`", "the title, some label, here"),
        ("{term}`fan-in`, {py:func}`~a.b.c`, {py:func}`a.b`", "fan-in, `c`, `a.b`"),
        ("{math}`x_1`{sub}`2`", "$x_1$<sub>2</sub>"),
        ("{cite:p}`one2010,two2015`", "(Glorot, 2010; He and van der Berg, 2015)"),
        ("{cite:t}`many2020` and {cite}`one2010`", "A et al. (2020) and (Glorot, 2010)"),
        ("{cite:t}`one2010,\ntwo2015`", "Glorot (2010) and He and van der Berg (2015)"),
        ("loss {glue:text}`he_loss:.2f`, {glue}`he_loss`", "loss `he_loss`, `he_loss`"),
        ("```{literalinclude} ../code.py\n:pyobject: f\n```", "```python\n@deco\ndef f():\n    # start\n    return 1\n```"),
        ("```{literalinclude} ../code.py\n:pyobject: A.g\n```", "```python\n    def g(self):\n        pass\n```"),
        ("```{literalinclude} ../code.py\n:start-after: start\n:end-before: stop\n```", "```python\n    return 1\n```"),
        ("```{literalinclude} ../code.py\n:lines: 1, 9-\n:language: text\n```", "```text\nimport x\nclass A:\n    def g(self):\n        pass\n```"),
        ("[a](../ledger.md) [b](02_y.md#part) [c](../exercises/02_y.md)", "[a](https://example.org/book/ledger.html) [b](02_y.ipynb#part) [c](../exercises/02_y.ipynb)"),
        ("learns {row}`05.deep-relu`.", "learns [<sup>ledger</sup>](https://example.org/book/ledger.html#05.deep-relu)."),
        ("[d](https://example.org/x.md) [e](#here) [f](mailto:a@b.md)", "[d](https://example.org/x.md) [e](#here) [f](mailto:a@b.md)"),
        ("* item\n\n  ```{note}\n  A\n  ```\n* two", "* item\n\n  > **Note**\n  >\n  > A\n* two"),
        ("```{bibliography}\n```\nA", "A"),
        ("```{raw} html\n<b>x</b>\n```", "<b>x</b>"),
    ],
)  # fmt: skip
def test_what_only_the_book_can_render_becomes_plain_markdown(say, myst, markdown):
    assert say(myst) == markdown


@pytest.mark.parametrize(
    ("myst", "words"),
    [
        ("```{unheard-of}\n```", "unheard-of"),
        ("{unheard-of}`x`", "unheard-of"),
        ("```{note}\nnever closed", "never closed"),
        (":::\nx\n:::", "no directive"),
        ("{eq}`nowhere`", "no equation nowhere"),
        ("{cite:p}`nobody1999`", "no entry nobody1999"),
        ("```{literalinclude} ../nothing.py\n```", "no file"),
        ("```{literalinclude} ../code.py\n:pyobject: nothing\n```", "defines no nothing"),
        ("```{literalinclude} ../code.py\n:start-after: nothing\n```", "no line with"),
        ("```{literalinclude} ../code.py\n:dedent:\n```", "dedent"),
    ],
)
def test_what_has_no_plain_form_is_an_error_that_names_it(say, root, myst, words):
    with pytest.raises(CourseError, match=words):
        say(myst)
    with pytest.raises(CourseError, match=r"01_x\.md"):
        made(root, f"# T\n\n{myst}\n")


CODE = "```{code-cell} ipython3\n:tags: [remove-input]\nimport coursekit\n```\n"


def test_a_notebook_has_no_outputs_and_the_metadata_that_jupyterlite_needs(root):
    path = root / "chapters" / "01_x.md"
    path.write_text(HEAD + "# T\n\n" + CODE)
    notebook = json.loads(build(path, root))
    assert notebook["metadata"] == notebooks.METADATA
    assert notebook["metadata"]["language_info"]["name"] == "python"
    assert all(
        not cell["outputs"] and cell["execution_count"] is None
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    )


def test_the_first_code_cell_installs_coursekit_where_it_is_missing_and_only_there(root):
    cells = made(root, "# T\n\n" + CODE)
    assert [c.cell_type for c in cells] == ["markdown", "code", "code"]
    install = cells[1].source
    assert "git+https://example.org/course" in install
    assert "numpy" not in install
    assert "torch" not in install
    exec(install, {})  # coursekit is here: get_ipython is not asked for
    called = []

    class Shell:
        def run_line_magic(self, *args):
            called.append(args)

    def no_coursekit(name, *args):
        raise ImportError(name)

    exec(install, {"__builtins__": {"__import__": no_coursekit, "ImportError": ImportError}, "get_ipython": Shell})
    assert called == [("pip", "install -q 'coursekit @ git+https://example.org/course'")]
    assert [c.cell_type for c in made(root, "# T\n\n```{code-cell} ipython3\nx = 1\n```\n")] == ["markdown", "code"]


def test_cells_whose_code_the_book_leaves_out_are_folded(root):
    assert made(root, "# T\n\n" + CODE)[2].metadata == {"tags": ["remove-input"], "jupyter": {"source_hidden": True}}


def test_what_is_cited_is_listed_at_the_end_and_glued_names_are_explained(root):
    cells = made(root, "# T\n\n{glue:text}`loss:.1f` {cite:p}`two2015` {cite:p}`one2010`\n")
    assert cells[0].source.endswith(
        "*In this notebook a number that a cell computes stands under its name, as `loss`.*"
    )
    assert cells[-1].source == (
        "## References\n\n* Glorot (2010). Training Deep Nets. Nets. https://doi.org/10.1/x\n"
        "* He and van der Berg (2015). Two. Conf"
    )


def test_ids_depend_on_the_cell_alone_and_never_repeat(root):
    one = made(root, "# T\n\n" + CODE * 3)
    assert len({cell.id for cell in one}) == len(one)
    more = made(root, "# New\n\n" + CODE + "\nText\n\n" + CODE * 2)
    assert {cell.id for cell in one if cell.cell_type == "code"} == {
        cell.id for cell in more if cell.cell_type == "code"
    }


def test_equations_are_numbered_through_the_whole_page(root):
    cells = made(root, "# T\n\n{eq}`b`\n\n$$x$$ (a)\n\n```{code-cell} ipython3\n1\n```\n\n$$y$$ (b)\n")
    assert cells[0].source.startswith("# T\n\n(2)")


@pytest.fixture
def tell(root):
    def tell(*arguments):
        said = []
        return main([*map(str, arguments), "--root", str(root)], said.append), "\n".join(said)

    return tell


def test_the_command_writes_what_is_out_of_step_and_nothing_else(root, tell):
    path = root / "chapters" / "01_x.md"
    path.write_text(HEAD + "# T\n\n" + CODE)
    assert tell("--check")[0] == 1
    assert not path.with_suffix(".ipynb").exists()
    code, said = tell()
    assert code == 0
    assert "wrote" in said
    assert "01_x.ipynb" in said
    assert tell("--check") == (0, "")
    assert tell() == (0, "")
    path.write_text(HEAD + "# Other\n\n" + CODE)
    code, said = tell("--check")
    assert code == 1
    assert "out of step" in said
    assert not list(root.glob("chapters/.*"))


def test_a_source_at_fault_does_not_stop_the_others_and_leaves_its_notebook(root, tell):
    for name in ("01_a", "02_b"):
        (root / "chapters" / f"{name}.md").write_text(HEAD + "# T\n")
    tell()
    before = (root / "chapters" / "01_a.ipynb").read_bytes()
    (root / "chapters" / "01_a.md").write_text(HEAD + "{odd}`x`\n")
    (root / "chapters" / "02_b.md").write_text(HEAD + "# New\n")
    code, said = tell()
    assert code == 2
    assert "01_a.md: the role {odd}" in said
    assert (root / "chapters" / "01_a.ipynb").read_bytes() == before
    assert "# New" in (root / "chapters" / "02_b.ipynb").read_text()


def test_a_notebook_without_a_source_is_told(root, tell):
    (root / "chapters" / "09_old.ipynb").write_text("{}")
    code, said = tell("--check")
    assert code == 2
    assert "09_old.ipynb has no source" in said


def test_elsewhere_the_command_says_where_to_go(tmp_path):
    said = []
    assert main(["--root", str(tmp_path / "nowhere")], said.append) == 2
    assert "no _config.yml" in said[0]


def test_sheets_with_solutions_go_to_their_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(["--solutions", str(tmp_path)], print) == 0
    for path in sorted((ROOT / "exercises").glob("*.md")):
        text = (tmp_path / f"{path.stem}.ipynb").read_text()
        assert "NotImplementedError" not in text
        assert "SOLUTION" not in text


@pytest.mark.parametrize("path", sources(ROOT), ids=lambda path: path.stem)
def test_every_notebook_is_in_step_and_holds_no_directive(path):
    text = build(path, ROOT)
    assert path.with_suffix(".ipynb").read_text(encoding="utf-8") == text, "run: python tools/make_notebooks.py"
    for cell in nbformat.reads(text, 4).cells:
        if cell.cell_type == "markdown":
            outside = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
            assert not re.search(r"\{[\w:.-]+\}`|^\s*[`:]{3,}\{|^\([\w-]+\)=$", outside, re.MULTILINE)
