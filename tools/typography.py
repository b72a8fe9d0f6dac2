"""Numbers as English books print them: 11%, −0.25, 5.9 × 10⁻⁵, 3 × 3, 0–4, CO₂; never in code or pictures.

Sources and runs write them as a keyboard has them. `tools/book_ext.py` calls `typeset` on the finished pages; what has
been set once stays as it is.
"""

import re

# The outermost of these; what is in it is code, a formula, a picture, or read by a script.
KEPT = re.compile(
    r"<(?P<tag>script|style|pre|code|svg|math|textarea|button|title|head|option|select|kbd|samp|dt)\b[^>]*>.*?</(?P=tag)>",
    re.S,
)
TAG = re.compile(r"<[^>]*>")
LABEL = re.compile(r'(?<=role="img" aria-label=")[^"]*')
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
# An end of a tag may stand between a number that a run gave and what follows it.
RULES = (
    (re.compile(r"(\d(?:</span>)?)[ \u00a0\u202f]%"), r"\1%"),
    (re.compile(r"(?<![\w.&;#/-])(?:(\d+(?:\.\d+)?))e([+-]?)0*(\d+)(?![\w.]\d)\b"), "power"),
    (re.compile(r"(^|[\s(\[>=,±–])-(?=\d)"), "\\1\u2212"),
    (re.compile(r"(?<![\w.,-])(\d{1,3})-(\d{1,3})(?![\w-])(?!\.\d)"), "\\1\u2013\\2"),
    (re.compile(r"(?<=\d)\s?[x×]\s?(?=\d)"), "\u00a0×\u00a0"),
    (re.compile(r"\bCO2\b"), "CO₂"),
)


def power(match):
    """A power of ten: 1e-05 is 10⁻⁵, 5.9e-05 is 5.9 × 10⁻⁵."""
    number, sign, exponent = match.groups()
    raised = "10" + ((sign if sign == "-" else "") + exponent).translate(RAISED)
    return raised if number == "1" else f"{number}\u00a0×\u00a0{raised}"


def words(text):
    """Some words, which may hold the tags around a number."""
    for pattern, replacement in RULES:
        text = pattern.sub(power if replacement == "power" else replacement, text)
    return text


def prose(html):
    """Words between tags; tags that hold none of the above pass."""
    out, last = [], 0
    for tag in TAG.finditer(html):
        out += [words(html[last : tag.start()]), tag[0]]
        last = tag.end()
    text = "".join([*out, words(html[last:])])
    return RULES[0][0].sub(RULES[0][1], text)


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
