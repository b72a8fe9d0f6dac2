"""Numbers as English books print them: 11%, −0.25, 5.9 × 10⁻⁵, 3 × 3, 0–4, CO₂.

Sources and runs write them as a keyboard has them. Captions and controls of explorers are set here, wherever they are
made: in the book, by Python in a page, in a notebook. `tools/typography.py` sets the text of finished pages with the
same rules. What has been set once stays as it is.
"""

from __future__ import annotations

import re

__all__ = ["PERCENT", "words"]

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

# An end of a tag may stand between a number that a run gave and what follows it.
PERCENT = re.compile(r"(\d(?:</span>)?)[ \u00a0\u202f]%"), r"\1%"
_POWER = re.compile(r"(?<![\w.&;#/-])(?:(\d+(?:\.\d+)?))e([+-]?)0*(\d+)(?![\w.]\d)\b")
_RULES = (
    (re.compile(r"(^|[\s(\[>=,±–])-(?=\d)"), "\\1\u2212"),
    (re.compile(r"(?<![\w.,-])(\d{1,3})-(\d{1,3})(?![\w-])(?!\.\d)"), "\\1\u2013\\2"),
    (re.compile(r"\u2212(0(?:\.0+)?)(?!\.?\d)"), "\\1"),  # a rounded zero has no sign
    (re.compile(r"(?<=\d)\s?[x×]\s?(?=\d)"), "\u00a0×\u00a0"),
    (re.compile(r"\bCO2\b"), "CO₂"),
)


def _power(match):
    """A power of ten: 1e-05 is 10⁻⁵, 5.9e-05 is 5.9 × 10⁻⁵."""
    number, sign, exponent = match.groups()
    raised = "10" + ((sign if sign == "-" else "") + exponent).translate(_RAISED)
    return raised if number == "1" else f"{number}\u00a0×\u00a0{raised}"


def words(text: str) -> str:
    r"""Some words, which may hold the tags around a number, with their numbers set.

    >>> words("11 % at -0.25, 5.9e-05")
    '11% at −0.25, 5.9\xa0×\xa010⁻⁵'
    >>> words("(-0.00, -0.0001)")
    '(0.00, −0.0001)'
    """
    text = _POWER.sub(_power, PERCENT[0].sub(PERCENT[1], text))
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
