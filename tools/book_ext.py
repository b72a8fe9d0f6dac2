"""The book's own Sphinx extension.

* Makes one page of `reference/` for each public module, before Sphinx looks for pages.
* Lets docstrings be written as they are read in a terminal: Markdown's `code`, tables and $formulas$ become reST.
* Complains about a public name without a docstring; warnings are errors, so the build fails.
* Shows code of the package 80 columns wide.
* Links the experiments that a chapter names to their pages in the reference.
* Labels bibliography entries by author and year.
"""

import ast
import base64
import functools
import hashlib
import html
import inspect
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import experiment_links
import finished
import offline
import search_index
import shown_code
import slim_pages
import typography
from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.labels import BaseLabelStyle
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "coursekit"
REFERENCE = ROOT / "reference"
logger = logging.getLogger(__name__)


# Pages of the reference ------------------------------------------------------------------------------------------


@functools.cache
def public_modules():
    """Return {module name: syntax tree} of the modules with a page: none with an underscore but the workbench."""
    modules = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("coursekit", *path.relative_to(PACKAGE).with_suffix("").parts)
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in parts) or ".".join(parts) == experiment_links.WORKBENCH:
            modules[".".join(parts)] = ast.parse(path.read_text(encoding="utf-8"))
    return modules


def exported(tree, module=""):
    """Return the names in a module's `__all__`; an experiment has none, all its functions are to be called."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return list(ast.literal_eval(node.value))
    if not is_experiment(module):
        return []
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def is_experiment(module):
    """Tell whether a module holds the experiments of a chapter."""
    return module.startswith("coursekit.experiments.") and module.count(".") == 2


def imported_from_public(tree, name, modules):
    """Return the names that a module or package takes over from public modules, which have pages themselves."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                source = node.module or alias.name  # seen from the package itself, or from beside the module
                parts = name.split(".")
                homes = (parts[: len(parts) - up] for up in (node.level - 1, node.level))
                if {".".join([*home, source]) for home in homes} & set(modules):
                    names.add(alias.asname or alias.name)
    return names


def write(path, text):
    """Write a file only when its text changes, so that an unchanged page is not built again."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def write_reference():
    """Write reference/index.md and a page for each public module; remove pages of modules that are gone."""
    REFERENCE.mkdir(exist_ok=True)
    modules = public_modules()
    rows, pages = [], set()
    for name, tree in modules.items():
        docstring = (ast.get_docstring(tree) or "").strip()
        names = [n for n in exported(tree, name) if n not in imported_from_public(tree, name, modules) and n[0] != "_"]
        if not names:
            continue  # nothing in it is for others
        pages.add(f"{name}.md")
        members = f"   :members: {', '.join(names)}\n   :undoc-members:\n   :ignore-module-all:\n"
        write(
            REFERENCE / f"{name}.md",
            f"# {name.removeprefix('coursekit.')}\n\n```{{eval-rst}}\n.. automodule:: {name}\n{members}```\n",
        )
        rows.append(
            f"| [`{name.removeprefix('coursekit.')}`]({name}.md) | {docstring.splitlines()[0] if docstring else ''} |"
        )
    for page in REFERENCE.glob("coursekit*.md"):
        if page.name not in pages:
            page.unlink()
    write(
        REFERENCE / "index.md",
        "# The code: coursekit\n\n"
        "Every function that the chapters use, from its docstring: the formula, the shapes, the errors, an example.\n"
        "The links named *source* show the code itself.\n\n"
        "| module | what is in it |\n|---|---|\n" + "\n".join(rows) + "\n",
    )


# Docstrings: Markdown's inline forms to reST ---------------------------------------------------------------------

INLINE = re.compile(
    r"(?P<keep>``.+?``|:[\w:]+:`[^`]+`|`[^`<]+<[^`>]+>`_{1,2})|`(?P<code>[^`]+)`|(?<!\\)\$(?P<math>[^$]+?)\$"
)
SECTION = re.compile(r"^-{3,}\s*$")


def inline(text, known):
    """Turn `code` and $formulas$ of one line into reST, and keep its plain text from being taken for markup."""
    out, end = [], 0
    for match in INLINE.finditer(text):
        out.append(plain(text[end : match.start()]))
        before = text[match.start() - 1 : match.start()]
        after = text[match.end() : match.end() + 1]
        if match["keep"]:
            piece = match["keep"]
        elif match["code"]:
            target = known.get(match["code"].removesuffix("()"))
            piece = f":py:obj:`{match['code']} <{target}>`" if target else f"``{match['code']}``"
        else:
            piece = f":math:`{match['math']}`"
        out.append(("\\ " if before.isalnum() else "") + piece + ("\\ " if after.isalnum() else ""))
        end = match.end()
    out.append(plain(text[end:]))
    return "".join(out)


def plain(text):
    """Escape what reST would read as a substitution or a reference."""
    return re.sub(r"(?<=\w)_(?=\W|$)", r"\\_", text.replace("|", r"\|"))


def cells(row):
    """Split a Markdown table row at its bars, leaving bars inside formulas and code alone."""
    protected = re.sub(r"`[^`]*`|\$[^$]*\$", lambda m: m[0].replace("|", "\0"), row.strip())
    return [cell.strip().replace("\0", "|").replace(r"\|", "|") for cell in protected.strip("|").split("|")]


def table(rows, known):
    """Turn the lines of a Markdown table into a reST list-table."""
    header, body = cells(rows[0]), [cells(row) for row in rows[2:]]
    out = [".. list-table::", "   :header-rows: 1", ""]
    for row in [header, *body]:
        for position, cell in enumerate(row):
            out.append(("   * - " if position == 0 else "     - ") + inline(cell, known))
    return [*out, ""]


def starts_paragraph(lines):
    """Tell whether an indented line would follow a plain paragraph, so that Markdown takes it for code."""
    last = next((line for line in reversed(lines) if line.strip()), "")
    return not last.startswith((" ", "* ", "- ", "..")) and not re.match(r"\d+\. ", last) and not last.endswith("::")


def to_rest(lines, known):
    """Return a docstring's lines as reST; doctests and numpydoc's section heads stay as they are."""
    out, i, sections = [], 0, False
    while i < len(lines):
        line = lines[i]
        stripped = line.strip()
        if SECTION.match(line) and i and lines[i - 1].strip():
            sections = lines[i - 1].strip() != "Examples"
            out.append(line)
        elif stripped.startswith(">>>"):
            if sections and not line.startswith(" "):
                out += ["Examples", "--------"]
                sections = False
            while i < len(lines) and lines[i].strip():
                out.append(lines[i])
                i += 1
            continue
        elif line.startswith("    ") and not sections and i and not lines[i - 1].strip() and starts_paragraph(out):
            out += ["::", ""]
            while i < len(lines) and (lines[i].startswith("    ") or not lines[i].strip()):
                out.append(lines[i])
                i += 1
            continue
        elif stripped.startswith("```"):
            indent = line[: len(line) - len(line.lstrip())]
            out += [f"{indent}.. code-block:: {stripped[3:] or 'text'}", ""]
            i += 1
            while i < len(lines) and lines[i].strip() != "```":
                out.append("   " + lines[i])
                i += 1
            out.append("")
        elif stripped.startswith("$$"):
            indent = line[: len(line) - len(line.lstrip())]
            body = [stripped[2:]]
            while not body[-1].rstrip().endswith("$$") and i + 1 < len(lines):
                i += 1
                body.append(lines[i].strip())
            body[-1] = body[-1].rstrip().rstrip(".,").removesuffix("$$")
            out += ["", f"{indent}.. math::", "", *(f"{indent}   {part}" for part in body if part.strip()), ""]
        elif stripped.startswith("|") and i + 1 < len(lines) and re.match(r"^\s*\|[\s:|-]+\|\s*$", lines[i + 1]):
            rows = []
            while i < len(lines) and lines[i].strip().startswith("|"):
                rows.append(lines[i])
                i += 1
            out += ["", *table(rows, known)]
            continue
        else:
            out.append(inline(line, known))
        i += 1
    return out


def known_names():
    """Return {short name: full name} of what the reference documents, where the short name is not ambiguous."""
    names, twice = {}, set()
    modules = public_modules()
    for module, tree in modules.items():
        if is_experiment(module):
            continue  # a short name means the mathematics
        names.setdefault(module.removeprefix("coursekit."), module)
        data = assigned(tree)  # an explorer, a prediction: its name may be a word, such as `rate`
        for name in set(exported(tree)) - imported_from_public(tree, module, modules) - data:
            if name in names:
                twice.add(name)
            names[name] = f"{module}.{name}"
    return {short: full for short, full in names.items() if short not in twice}


def on_docstring(app, what, name, obj, options, lines):
    """Check that a public object has a docstring, and turn it into reST."""
    if what in ("module", "class", "exception", "function", "method", "property") and not any(lines):
        logger.warning("%s %s is public and has no docstring", what, name)
    lines[:] = to_rest(lines, names_seen_from(name, obj, app.known_names))


COURSE = {"explorers", "grading", "interactive", "ledger", "plotting"}  # what makes the book, beside the mathematics


def names_seen_from(name, obj, known):
    """Return the names that a docstring means: no parameter of its own, nothing of a room of the course but its own.

    An experiment knows the other experiments of its chapter, and the workbench.
    """
    room = name.split(".")[1] if "." in name else ""
    rooms = {full: full.split(".")[1] for full in known.values() if "." in full}
    seen = {short: full for short, full in known.items() if rooms.get(full) not in COURSE - {room}}
    modules = public_modules()
    home = next((module for module in modules if is_experiment(module) and f"{name}.".startswith(f"{module}.")), None)
    for module in (experiment_links.WORKBENCH, home) if home else ():
        tree = modules[module]
        seen |= {short: f"{module}.{short}" for short in set(exported(tree, module)) - assigned(tree)}
    try:
        own = set(inspect.signature(obj).parameters)
    except (TypeError, ValueError):
        own = set()
    return {short: full for short, full in seen.items() if full != name and short not in own}


def assigned(tree):
    """Return the names that a module gives to data: these are documented where they are used."""
    targets = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def check_that_all_is_documented(app, env):
    """Complain about each public function and class that the reference lacks."""
    modules, documented = public_modules(), env.get_domain("py").objects
    for module, tree in modules.items():
        elsewhere = imported_from_public(tree, module, modules) | assigned(tree)
        for name in exported(tree, module):
            if name not in elsewhere and f"{module}.{name}" not in documented:
                logger.warning("%s.%s is public, but the reference has nothing on it", module, name)


def resolve_short_name(app, env, node, contnode):
    """Find the page of an object that a docstring names without its module."""
    if node.get("refdomain") != "py":
        return None
    target = app.known_names.get(node["reftarget"].rsplit(".", 1)[-1])
    domain = env.get_domain("py")
    if target in domain.objects:
        return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, contnode)
    # A type that a docstring gives in words ("float, (N, D)") is not a reference.
    in_words = node["reftype"] == "class" and not node["reftarget"].startswith("coursekit.")
    return contnode if in_words and node["refdoc"].startswith("reference/") else None


def fit_shown_code(app, doctree):
    """Show the package's code as wide as the page, without the formula that is typeset above it."""
    for block in doctree.findall(nodes.literal_block):
        source = Path(block.get("source", "")).resolve()
        if source.is_relative_to(PACKAGE) and source.suffix == ".py":
            block.children[:] = [nodes.Text(shown_code.fitted(block.astext()))]


# Pages -----------------------------------------------------------------------------------------------------------


# What axe-core finds in the theme's and docutils' HTML, mended in the finished pages.
MENDS = [
    # The title stands outside every landmark.
    (re.compile(r'(?<=<div class="sidebar-primary-item")>(?=\s*<a class="navbar-brand)'), ' role="banner">'),
    # The arrow that opens a part of the contents has no name.
    (re.compile(r'<summary>(?=<span class="toctree-toggle")'), '<summary aria-label="Show the pages of this part">'),
    # The page of a sheet is made from the generated notebook; what one edits is its source.
    (re.compile(r'(/edit/[^"]*/exercises/\w+)\.ipynb'), r"\1.md"),
    # Roles that are deprecated, or that their place does not allow.
    (re.compile(r' role="doc-biblioentry"| role="list"(?= class="citation-list")'), ""),
]


# The theme loads its search index on every page, for a search as one types, which is off. Ours is search_index.py.
SEARCH_SCRIPTS = (search_index.ENGINE, "sections.js", "search_page.js")
SEARCH = re.compile(
    r'\s*<script (?:defer )?src="(?:\.\./)*'
    r'(?:_static/searchtools|_static/language_data|searchindex)\.js[^"]*"></script>'
)

POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'unsafe-hashes' {hashes}; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'"
)
OLD_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?')
INLINE_SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<code>.*?)</script>", re.S)
HANDLER = re.compile(r'\son(?:click|load|change)="([^"]*)"')


PICTURE = re.compile(
    r'(?P<box><div class="ck-figure(?: ck-both)?"|<figure class="ck-view")(?: style="(?P<style>[^"]*)")?'
    r'(?P<rest>[^>]*>(?:<div class="ck-picture"[^>]*>)?)(?P<svg>\s*<svg [^>]*viewBox="0 0 (?P<width>[\d.]+) .*?</svg>)',
    re.S,
)
SMALLEST_LABEL = 11.2  # px on a phone


def readable(match):
    """A picture that says how wide it must be, for its smallest label to be read on a phone."""
    sizes = [float(size) for size in re.findall(r"font-size[:=]\"?([\d.]+)", match["svg"])]
    if not sizes or "--phone" in (match["style"] or ""):
        return match[0]
    width = round(float(match["width"]) * SMALLEST_LABEL / min(sizes))
    return f'{match["box"]} style="{match["style"] or ""};--phone:{width}px"{match["rest"]}{match["svg"]}'


def as_cards(text):
    """A page whose tables become cards on a phone: each cell says what stands at the head of its column."""

    def table(match):
        heads = [
            html.escape(re.sub("<[^>]+>", "", head).strip())
            for head in re.findall(r"<th[^>]*>(.*?)</th>", match[0], re.S)
        ]

        def row(match):
            places = iter(heads)
            return re.sub("<td(?! data-head)", lambda _: f'<td data-head="{next(places, "")}"', match[0])

        cards = match[0].replace('<table class="table"', '<table class="table cards"')
        return re.sub(r"<tr[^>]*>.*?</tr>", row, cards, flags=re.S)

    return re.sub(r'<table class="table">.*?</table>', table, text, flags=re.S)


CITED = re.compile(
    r"(?P<first>[A-Z][\w’-]+)(?P<others> and colleagues| and [A-Z][\w’-]+|)"
    r'(?P<open>\s+<span class="bibtex-citation"[^>]*>\[<a [^>]*>)(?P<who>[^<]*?), (?P<year>\d{4}[a-z]?)</a>\]</span>'
)


def named_once(match):
    """A citation after the names of its authors, which gives the year only: "He and colleagues [2015]"."""
    theirs = match["first"] + match["others"].replace(" and colleagues", " et al.")
    if match["who"] not in (theirs, match["first"]):
        return match[0]
    return f"{match['first']}{match['others']}{match['open']}{match['year']}</a>]</span>"


HEADING = re.compile(r'<h(?P<level>[1-5])\b|<p class="ck-title"(?! role)')


def titles_as_headings(text):
    """A page whose explorers have titles that a screen reader finds among the headings, one below the last one."""
    level = 1

    def change(match):
        nonlocal level
        if match["level"]:
            level = int(match["level"])
            return match[0]
        return f'<p class="ck-title" role="heading" aria-level="{level + 1}"'

    return HEADING.sub(change, text)


TITLE = re.compile(r"<title>(.*?)</title>", re.S)
NOT_PROSE = ("reference/", "_modules/", "genindex", "py-modindex", "bibliography")
GUARD = re.compile(r"\n?<script data-guard>.*?</script>", re.S)


@functools.cache
def storage_guard():
    """The first script of every page, without its comment."""
    code = Path(__file__).with_name("storage_guard.js").read_text(encoding="utf-8")
    return f"<script data-guard>{re.sub(r'/[*].*?[*]/', '', code, flags=re.S).strip()}</script>"


def titled(match, name):
    """The title of a window: the cover's once, a chapter's with its number."""
    here, _, book = match[1].partition(" &#8212; ")
    number = re.match(r"chapters/(\d+)_", name)
    if number and not here[0].isdigit():
        here = f"{int(number[1])} {here}"
    return f"<title>{here if here == book or not book else f'{here} &#8212; {book}'}</title>"


def mended(name, text):
    """Return a page without what axe-core finds in it, with its title, and with our search instead of the theme's.

    `name` is its address from the root of the book.
    """
    for pattern, replacement in MENDS:
        text = pattern.sub(replacement, text)
    text = PICTURE.sub(readable, text)
    text = titles_as_headings(CITED.sub(named_once, text))
    if name == "ledger.html":
        text = as_cards(text)
    if "/" not in name:
        text = text.replace('href="../reference/', 'href="reference/')  # an explorer takes its page for a chapter
    if not name.startswith(NOT_PROSE):
        text = typography.typeset(text)
    text = TITLE.sub(lambda match: titled(match, name), text, count=1)
    text = GUARD.sub("", text).replace('<meta charset="utf-8" />', f'<meta charset="utf-8" />\n{storage_guard()}', 1)
    if name == "search.html" and "search_page.js" not in text:
        scripts = "".join(f'<script defer src="_static/search/{script}"></script>\n' for script in SEARCH_SCRIPTS)
        text = text.replace("</head>", f"{scripts}</head>", 1)
    return SEARCH.sub("", text)


def with_policy(text):
    """Return a page that runs no script but its own: a Content-Security-Policy that names each inline one by its hash.

    On a `file:` page the browser takes 'self' for files too. Headers that a host sends may only be stricter.
    """
    text = OLD_POLICY.sub("", text)
    codes = [m["code"] for m in INLINE_SCRIPT.finditer(text) if not re.search(r"\bsrc=|json", m["attributes"])]
    codes += [html.unescape(code) for code in HANDLER.findall(text)]
    codes.append("window.print()")  # the search page reads others, with their button, to show where it found a word
    digests = {base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in codes}
    policy = POLICY.format(hashes=" ".join(f"'sha256-{digest}'" for digest in sorted(digests)))
    return text.replace("<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)


def not_found_page(app):
    """Yield the page that a host shows for an address that is not there; at any depth its links start at the root."""
    body = (
        "<h1>This page is not here</h1><p>It may have moved, or the address has a slip in it. "
        '<a href="intro.html">Start from the first page</a>, or <a href="search.html">search the course</a>.</p>'
    )
    base = urlsplit(app.config.html_baseurl).path or "/"
    yield "404", {"title": "Not found", "body": body, "metatags": f'<base href="{base}">'}, "page.html"


FIRST_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={first}">
<link rel="canonical" href="{base}{first}">
<link rel="icon" href="_static/{icon}">
</head>
<body><p><a href="{first}">{title}</a></p></body>
</html>
"""


def first_page(config):
    """Return the page at the root, which leads to the cover; it names an icon, or browsers ask for favicon.ico."""
    icon = Path(config.html_favicon).name
    return FIRST_PAGE.format(
        title=html.escape(config.html_title), first=f"{config.root_doc}.html", base=config.html_baseurl, icon=icon
    )


def list_sources_anew(app, env, added, changed, removed):
    """Drop the listings of source code when a page came or went: each shows the contents, and Sphinx keeps them."""
    if added or removed:
        shutil.rmtree(Path(app.outdir) / "_modules", ignore_errors=True)
    return []


def references_anew(app, env, added, changed, removed):
    """Have the reference read again when a public name came or went: docstrings link to each other by short names."""
    before, env.course_names = getattr(env, "course_names", app.known_names), app.known_names
    return [page for page in env.found_docs if page.startswith("reference/")] if before != app.known_names else []


def only_notebooks_launch(app, pagename, templatename, context, doctree):
    """Take the buttons that open a notebook from pages that have none beside them."""
    if not pagename.startswith(("chapters/", "exercises/")):
        buttons = context.get("header_buttons", [])
        buttons[:] = [button for button in buttons if button.get("label") != "launch-buttons"]


def on_build_finished(app, error):
    """Mend the pages, and empty Font Awesome's script of 1.5 MB: a font of 5 KB has the icons (_static/custom.css)."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    script = out / "_static" / "scripts" / "fontawesome.js"
    if script.is_file():
        write(script, "/* The icons come from _static/custom.css. */\n")
        script.with_suffix(".js.map").unlink(missing_ok=True)
    for folder in ("chapters", "exercises", "reference"):
        for page in (out / folder).glob("*.html"):
            if f"{folder}/{page.stem}" not in app.env.found_docs:
                page.unlink()  # its source is gone
    kept = finished.Kept(Path(app.doctreedir) / "finished.json")
    if kept.is_finished(out):
        return
    write(out / "index.html", first_page(app.config))
    paths = [page for page in out.rglob("*.html") if page.relative_to(out).parts[0] not in ("_static", "lite")]
    before = {page: page.read_text(encoding="utf-8") for page in paths}
    pages = {page: mended(page.relative_to(out).as_posix(), text) for page, text in before.items()}
    documented = set(app.env.get_domain("py").objects)
    for page in pages:
        chapter = Path(app.srcdir, "chapters", f"{page.stem}.md")
        if page.parent == out / "chapters" and chapter.is_file():
            names = experiment_links.aliases(chapter.read_text(encoding="utf-8"))
            pages[page] = experiment_links.linked(pages[page], names, documented)
    search_index.copy_scripts(out)
    pages = {page: with_policy(text) for page, text in slim_pages.slim(out, pages).items()}
    for page, text in pages.items():
        if text != before[page]:
            page.write_text(text, encoding="utf-8")
    by_name = {page.relative_to(out).as_posix(): text for page, text in pages.items()}
    searched = search_index.write(out, by_name, kept.searched())
    offline.finish(out)
    kept.keep(out, searched)


# Bibliography ----------------------------------------------------------------------------------------------------


class AuthorYearLabels(BaseLabelStyle):
    """Labels such as `He et al. 2015`, with a letter where two would be the same."""

    def format_labels(self, sorted_entries):
        """Yield one label for each entry."""
        seen = {}
        for entry in sorted_entries:
            people = entry.persons.get("author") or entry.persons.get("editor") or []
            last = [" ".join(person.prelast_names + person.last_names) for person in people]
            who = last[0] + " et al." if len(last) > 2 else " and ".join(last) or entry.fields.get("title", entry.key)
            label = f"{who} {entry.fields.get('year', '')}".strip()
            count = seen[label] = seen.get(label, -1) + 1
            yield label + (chr(ord("a") + count) if count else "")


class CourseStyle(PlainStyle):
    """The plain style under those labels."""

    default_label_style = AuthorYearLabels


def turn_off_thebe(app):
    """Take back what sphinx_thebe, which Jupyter Book always loads, would add to every page (it asks another host)."""
    for listeners in app.events.listeners.values():
        listeners[:] = [each for each in listeners if each.handler.__module__ != "sphinx_thebe"]
    app.registry.css_files[:] = [each for each in app.registry.css_files if "thebe" not in str(each[0])]


def count_no_figures(app, config):
    """Turn numfig off: no figure has a number, equations count by page, and each build would read every page for it."""
    config.numfig = False  # sphinx-jupyterbook-latex turns it on


class LedgerRow(SphinxRole):
    """`{row}` and the id of a claim: a small link to its row on the ledger's page."""

    def run(self):
        """The link."""
        up = "../" * self.env.docname.count("/")
        name = f"ledger {self.text}"
        link = nodes.reference(
            "", "", nodes.superscript("", "ledger"), refuri=f"{up}ledger.html#{self.text}", reftitle=name
        )
        return [link], []


def setup(app):
    """Connect everything to Sphinx."""
    turn_off_thebe(app)
    write_reference()
    app.known_names = known_names()
    register_plugin("pybtex.style.formatting", "course", CourseStyle)
    app.add_role("row", LedgerRow())
    app.connect("config-inited", count_no_figures, priority=900)
    app.connect("autodoc-process-docstring", on_docstring, priority=100)
    app.connect("doctree-read", fit_shown_code)
    app.connect("env-check-consistency", check_that_all_is_documented)
    app.connect("missing-reference", resolve_short_name, priority=100)
    app.connect("env-get-outdated", list_sources_anew)
    app.connect("env-get-outdated", references_anew)
    app.connect("html-collect-pages", not_found_page)
    app.connect("html-page-context", only_notebooks_launch, priority=900)
    # Last of all: the style sheet keeps what the finished pages can use, explorers and progress included.
    app.connect("build-finished", on_build_finished, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
