"""What a reader may type where a number is asked for: `0.5`, `1/2`, `50 %`, `ln 10`, `1,216`, `−3`, `2·10^-4`.

The page's script (`static/predict.js`) reads the same grammar; `tests/browser/test_questions.py` compares the two.

>>> readings("1/2"), readings("50 %"), readings("0,5"), readings("5e-1")
([0.5], [0.5], [0.5], [0.5])
>>> [round(number, 3) for number in readings("ln 10")]
[2.303]
>>> readings("1,216")  # thousands, or a decimal comma: both are tried
[1216.0, 1.216]
>>> readings("about two")
[]
"""

from __future__ import annotations

import math
import re

__all__ = ["readings"]

LONGEST = 60
CONSTANTS = {"e": math.e, "pi": math.pi}
FUNCTIONS = {"ln": math.log, "log": math.log10, "log10": math.log10, "sqrt": math.sqrt, "exp": math.exp}
SIGNS = {"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", ":": "/", "π": "pi", "√": "sqrt", "**": "^", "²": "^2"}
TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|([a-z]+(?:10)?)|([-+*/^()%]))")


def readings(text: str) -> list[float]:
    """Every number that `text` can mean; none if it is no number."""
    text = text.strip().lower()
    if not text or len(text) > LONGEST:
        return []
    for sign, plain in SIGNS.items():
        text = text.replace(sign, plain)
    text = re.sub(r"(?<=\d)[\s'\u2009\u202f\u00a0](?=\d{3}(?!\d))", "", text)
    spellings = [text]
    if "," in text:
        thousands = re.sub(r"(?<![\d.])([1-9]\d{0,2})((?:,\d{3})+)(?!\d)", lambda m: m[0].replace(",", ""), text)
        spellings = [thousands, text.replace(",", ".")] if "," not in thousands else [text.replace(",", ".")]
    found = []
    for spelling in spellings:
        number = _value(spelling)
        if number is not None and number not in found:
            found.append(number)
    return found


def _value(text):
    tokens, place = [], 0
    while place < len(text.rstrip()):
        match = TOKEN.match(text, place)
        if not match:
            return None
        tokens.append(match[0].strip())
        place = match.end()
    try:
        number, rest = _sum(tokens)
    except (ValueError, IndexError, ZeroDivisionError, OverflowError, TypeError):
        return None
    return number if not rest and isinstance(number, float) and math.isfinite(number) else None


def _sum(tokens):
    number, tokens = _product(tokens)
    while tokens and tokens[0] in "+-":
        sign, (other, tokens) = tokens[0], _product(tokens[1:])
        number = number + other if sign == "+" else number - other
    return number, tokens


def _product(tokens):
    number, tokens = _signed(tokens)
    while tokens and tokens[0] in "*/":
        sign, (other, tokens) = tokens[0], _signed(tokens[1:])
        number = number * other if sign == "*" else number / other
    return number, tokens


def _signed(tokens):
    if tokens[0] in "+-":
        number, rest = _signed(tokens[1:])
        return (-number if tokens[0] == "-" else number), rest
    return _power(tokens)


def _power(tokens):
    number, tokens = _atom(tokens)
    if tokens and tokens[0] == "^":
        other, tokens = _signed(tokens[1:])
        number = number**other
    while tokens and tokens[0] == "%":
        number, tokens = number / 100, tokens[1:]
    return number, tokens


def _atom(tokens):
    first, rest = tokens[0], tokens[1:]
    if first == "(":
        number, rest = _sum(rest)
        if rest[0] != ")":
            raise ValueError(first)
        return number, rest[1:]
    if first in CONSTANTS:
        return CONSTANTS[first], rest
    if first in FUNCTIONS:
        number, rest = _power(rest) if rest[0] != "(" else _atom(rest)
        return FUNCTIONS[first](number), rest
    return float(first), rest
