"""Links from `experiment.signal` in a chapter, in its code and in its words, to the page of the reference on it."""

import re

WORKBENCH = "coursekit.experiments._bench"  # its data sets and networks are named as `experiment.mlp`
IMPORT = re.compile(r"^from coursekit\.experiments import (\w+)(?: as (\w+))?$", re.M)
LINK = re.compile(r'<a class="ck-source-link"[^>]*>(.*?)</a>', re.S)


def aliases(chapter):
    """Return {name in the chapter's code: module} from the chapter's text."""
    return {short or module: f"coursekit.experiments.{module}" for module, short in IMPORT.findall(chapter)}


def linked(page, names, documented):
    """Return a page whose experiments are links; linking it again changes nothing.

    `names` are what `aliases` gave, `documented` the full names that the reference has.
    """
    page = LINK.sub(r"\1", page)
    for short, module in names.items():
        in_code = rf'<span class="n">{short}</span><span class="o">\.</span><span class="n">(?P<name>\w+)</span>'
        in_words = rf'<span class="pre">{short}\.(?P<name>\w+)(?:\(\))?</span>'
        for pattern in (in_code, in_words):
            page = re.sub(pattern, lambda match, module=module: _link(match, module, documented), page)
    return page


def _link(match, module, documented):
    for home in (module, WORKBENCH):
        full = f"{home}.{match['name']}"
        if full in documented:
            return f'<a class="ck-source-link" href="../reference/{home}.html#{full}">{match[0]}</a>'
    return match[0]
