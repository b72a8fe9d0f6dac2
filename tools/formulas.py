"""Formulas as MathML, so that the browser sets them itself: at once, and without a script.

Pandoc reads the LaTeX; one call converts all formulas of a page. What Pandoc cannot read is a warning, so the build
fails. The font is in `_static`, the rules for it are in `_static/custom.css`.
"""

import html
import json
import re
import subprocess
from functools import cache

import pypandoc
from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)
FORMULA = re.compile(r'<span class="math (?:inline|display)">.*?</span>|(?P<math><math .*?</math>)', re.S)

MENDS = [
    # Only the formula itself.
    (r"<semantics>(.*)<annotation .*</annotation></semantics>", r"\1"),
    # Chromium does not let `text-align: right` move what is in a cell; custom.css goes by the attribute.
    (r' style="text-align: \w+(?:; (padding-\w+: 0))?"', lambda m: f' style="{m[1]}"' if m[1] else ""),
    # Aligned equations are displayed ones.
    (r'<mtable>(?=<mtr><mtd columnalign="right")', '<mtable displaystyle="true">'),
    # \log p has a small space, \log(p) has none.
    (r"<mo>&#8289;</mo></mrow>(?=<(?!/|mo\b|mspace))", '<mspace width="0.167em"></mspace></mrow>'),
    (r"<mo>&#8289;</mo>", ""),
    # A hat is as wide as it is, not as what is under it; the combining sign has no width at all.
    ('<mo accent="true">\u0302', '<mo accent="true" stretchy="false">^'),
    # The bars of a norm are no taller than the letters between them.
    (
        r'<mo stretchy="true" form="prefix">([|‖∥])</mo>((?:<mi[^<]+</mi>)+)<mo stretchy="true" form="postfix">\1<',
        r'<mo stretchy="false" form="prefix">\1</mo>\2<mo stretchy="false" form="postfix">\1<',
    ),
    # A prime is raised by its own shape.
    (
        r"<msup>(<m(?:i|text)[^>]*>\w+</m(?:i|text)>|<mrow>(?:<mi[^>]*>\w+</mi>)+</mrow>)<mo>([′″‴])</mo></msup>",
        r'<mrow>\1<mo lspace="0" rspace="0">\2</mo></mrow>',
    ),
    # All roots of small things are alike: a surd 0.98 em high, which is the smallest one of the font, is filled.
    ("</msqrt>", '<mspace height="0.7em" depth="0.12em"></mspace></msqrt>'),
    (r"<mo>\+</mo><mo>=</mo>", "<mo>+=</mo>"),
]


@cache
def version():
    """The version of the format in which Pandoc wants a document."""
    text = subprocess.run([pypandoc.get_pandoc_path(), "-t", "json"], input="", capture_output=True, text=True)
    return json.loads(text.stdout)["pandoc-api-version"]


def to_mathml(formulas):
    """Return the MathML for each of some (LaTeX, is displayed), None where Pandoc cannot read it, and what it said."""
    kinds = {True: "DisplayMath", False: "InlineMath"}
    blocks = [{"t": "Plain", "c": [{"t": "Math", "c": [{"t": kinds[block]}, latex]}]} for latex, block in formulas]
    document = json.dumps({"pandoc-api-version": version(), "meta": {}, "blocks": blocks})
    command = [pypandoc.get_pandoc_path(), "--from=json", "--to=html", "--mathml", "--wrap=none"]
    done = subprocess.run(command, input=document, capture_output=True, text=True, encoding="utf-8", check=True)
    found = [mended(m["math"]) if m["math"] else None for m in FORMULA.finditer(done.stdout)]
    if len(found) != len(formulas):
        raise RuntimeError(f"Pandoc gave {len(found)} formulas for {len(formulas)}: {done.stdout[:500]}")
    return found, done.stderr


# log₁₀, tanh²: the space belongs behind the small number, not before it.
SPACED = re.compile(
    r'<(?P<kind>msub|msup|msubsup|munder)><mrow>(?P<name><mi[^>]*>[^<]+</mi>)<mspace width="0.167em"></mspace></mrow>'
)


# c Var(x), c² Var(x), ½ log x: the space that LaTeX puts before a function. None after a sign or a bracket.
NAMED = re.compile(r"(?:<(?:msub|msup|msubsup|munder)>)*<mrow><mi[^>]*>[^<]+</mi><mo>&#8289;</mo></mrow>")
TAG = re.compile(r"<(/?)(\w+)[^>]*>([^<]*)")
ROWS = {"math", "semantics", "mrow", "mstyle", "mtd", "msqrt"}
SCRIPTS = {"msub", "msup", "msubsup", "mover", "munder"}


def ends_in_a_quantity(tag, text, parts):
    """Tell whether an element with this text, or these parts (told alike), ends in a letter, a number or a fraction."""
    if tag in SCRIPTS:
        return parts[0]
    return (
        tag in ("mfrac", "msqrt")
        or (tag in ("mi", "mn") and text[-1:].isalnum())
        or (tag in ("mrow", "mstyle") and parts[-1:] == [True])
    )


def with_space_before_names(mathml):
    """Return Pandoc's MathML with a thin space between a letter, a number or what is made of them, and a function."""
    done, copied = [], 0
    around = [("", "", [])]  # the elements that are open: tag, text, for each part whether it ends in a quantity
    for found in TAG.finditer(mathml):
        closes, tag, text = found.groups()
        if closes:
            quantity = ends_in_a_quantity(*around.pop())
            around[-1][2].append(quantity)
            continue
        row, _, parts = around[-1]
        if row in ROWS and parts[-1:] == [True] and NAMED.match(mathml, found.start()):
            done += mathml[copied : found.start()], '<mspace width="0.167em"></mspace>'
            copied = found.start()
        around.append((tag, text, []))
    return "".join(done) + mathml[copied:]


def mended(mathml):
    """Return Pandoc's MathML as browsers set it best."""
    mathml = with_space_before_names(mathml)
    for pattern, replacement in MENDS:
        mathml = re.sub(pattern, replacement, mathml, flags=re.S)
    while m := SPACED.search(mathml):
        kind, end, depth = m["kind"], m.end(), 1
        while depth:
            tag = re.compile(f"<(/?){kind}>").search(mathml, end)
            end, depth = tag.end(), depth + (-1 if tag[1] else 1)
        follows = mathml[end:]
        space = (
            "" if not follows or follows.startswith(("<mo", "</", "<mspace")) else '<mspace width="0.167em"></mspace>'
        )
        mathml = f"{mathml[: m.start()]}<{kind}>{m['name']}{mathml[m.end() : end]}{space}{follows}"
    return mathml


AFTER, BEFORE = re.compile(r"[,.;:!?)\]’”…]+"), re.compile(r"[(\[‘“]+$")


def keep_punctuation(node):
    """Take what must stand on the formula's line, such as a comma after it, out of the words beside it."""
    place, parent = node.parent.index(node), node.parent
    if place + 1 < len(parent) and isinstance(parent[place + 1], nodes.Text) and (m := AFTER.match(parent[place + 1])):
        node["after"] = m[0]
        parent.replace(parent[place + 1], nodes.Text(parent[place + 1][m.end() :]))
    if place and isinstance(parent[place - 1], nodes.Text) and (m := BEFORE.search(parent[place - 1])):
        node["before"] = m[0]
        parent.replace(parent[place - 1], nodes.Text(parent[place - 1][: m.start()]))


def on_doctree_resolved(app, doctree, docname):
    """Convert all formulas of a page."""
    if app.builder.format != "html":
        return
    found = list(doctree.findall(lambda node: isinstance(node, (nodes.math, nodes.math_block))))
    if found:
        convert(found)
        for node in found:
            if isinstance(node, nodes.math):
                keep_punctuation(node)


def convert(found):
    """Give each of these nodes its MathML."""
    converted, said = to_mathml([(node.astext(), isinstance(node, nodes.math_block)) for node in found])
    for node, mathml in zip(found, converted, strict=True):
        if mathml is None:
            logger.warning("Pandoc cannot read the formula %s: %s", node.astext(), said.strip(), location=node)
        node["mathml"] = mathml or f"<code>{html.escape(node.astext())}</code>"


def visit_inline(translator, node):
    """Write a formula that stands in a line."""
    if "mathml" not in node:  # a title's copy in a list of contents
        convert([node])
    formula = f'<span class="math notranslate">{node["mathml"]}</span>'
    before, after = html.escape(node.get("before", "")), html.escape(node.get("after", ""))
    translator.body.append(f'<span class="unbroken">{before}{formula}{after}</span>' if before or after else formula)
    raise nodes.SkipNode


def visit_block(translator, node):
    """Write a formula that stands by itself, with its number."""
    # The theme lets the keyboard reach things of the last class while they are too wide for the page.
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate pst-scrollable-table-container"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(f"{node['mathml']}</div>\n")
    raise nodes.SkipNode


def setup(app):
    """Offer Sphinx the way to write formulas that `html_math_renderer: mathml` names."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("doctree-resolved", on_doctree_resolved)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
