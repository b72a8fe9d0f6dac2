"""The numbers of finished pages as English books print them (interactive/_typography.py); never in code or pictures.

`tools/book_ext.py` calls `typeset`; what has been set once stays as it is.
"""

import re

from coursekit.interactive._typography import PERCENT, words

# The outermost of these; what is in it is code, a formula, a picture, or read by a script.
KEPT = re.compile(
    r"<(?P<tag>script|style|pre|code|svg|math|textarea|button|title|head|option|select|kbd|samp|dt)\b[^>]*>.*?</(?P=tag)>",
    re.S,
)
TAG = re.compile(r"<[^>]*>")
LABEL = re.compile(r'(?<=role="img" aria-label=")[^"]*')


def prose(html):
    """Words between tags; tags that hold none of the above pass."""
    out, last = [], 0
    for tag in TAG.finditer(html):
        out += [words(html[last : tag.start()]), tag[0]]
        last = tag.end()
    text = "".join([*out, words(html[last:])])
    return PERCENT[0].sub(PERCENT[1], text)


def typeset(html):
    """A page with its numbers set."""
    start = html.find("<article")
    end = html.find("</article>", start)
    if start < 0 or end < 0:
        return html
    out, last, article = [], 0, html[start:end]
    for kept in KEPT.finditer(article):
        out += [prose(article[last : kept.start()]), kept[0]]
        last = kept.end()
    article = "".join([*out, prose(article[last:])])
    article = LABEL.sub(lambda match: words(match[0]), article)
    return html[:start] + article + html[end:]
