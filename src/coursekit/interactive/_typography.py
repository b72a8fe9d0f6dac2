"""Numbers as English books print them: 11%, −0.25, 5.9 × 10⁻⁵, 3 × 3, 0–4, CO₂.

Sources and runs write them as a keyboard has them. Captions and controls of explorers are set here, wherever they are
made: in the book, by Python in a page, in a notebook. `tools/typography.py` sets the text of finished pages with the
same rules. What has been set once stays as it is.
"""

from __future__ import annotations

import math
import re

__all__ = ["PERCENT", "in_three_digits", "raised", "words"]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

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
    power = f"10{raised(sign.strip('+') + exponent)}"
    return power if number == "1" else f"{number}\u00a0×\u00a0{power}"


def raised(exponent: int | str) -> str:
    """A whole number as an exponent.

    >>> raised(-12)
    '⁻¹²'
    """
    return str(exponent).translate(_RAISED)


def in_three_digits(value: float) -> str:
    """A number with three digits, as people write it.

    >>> in_three_digits(0.1234), in_three_digits(-1234567.0), in_three_digits(0)
    ('0.123', '−1.23 × 10⁶', '0')
    """
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if not size or 1e-3 <= size < 1e6:
        return f"{float(f'{value:.3g}'):,.10g}".replace("-", "−")
    digits, power = f"{value:.2e}".split("e")
    return f"{digits} × 10{raised(int(power))}".replace("-", "−")


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
