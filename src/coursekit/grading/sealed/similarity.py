"""How much of two notebooks' code is the same: advice for a conversation, never a mark.

Winnowing (Schleimer, Wilkerson and Aiken 2003): names and numbers are replaced by their kind, every run of K tokens
is hashed, and of each W neighbours the smallest hash is kept. Renaming variables and reordering functions changes
nothing. What most of the class shares (the sheet's own code) is left out before counting.
"""

from __future__ import annotations

import collections
import itertools
import keyword
import re
import zlib

__all__ = ["fingerprint", "similar_pairs"]

K, WINDOW, MOST, LONGEST = 12, 6, 4000, 40_000
_TOKEN = re.compile(r"#[^\n]*|'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|\"[^\"\n]*\"|[A-Za-z_]\w*|\d[\w.]*|[^\s\w]", re.S)


def fingerprint(cells: list[str]) -> list[int]:
    """The winnowed hashes of a notebook's code."""
    tokens = [kind for cell in cells for match in _TOKEN.finditer(cell) if (kind := _kind(match[0]))]
    tokens = tokens[:LONGEST]
    hashes = [zlib.crc32(" ".join(tokens[i : i + K]).encode()) for i in range(len(tokens) - K + 1)]
    kept = {min(hashes[i : i + WINDOW]) for i in range(max(0, len(hashes) - WINDOW + 1))}
    return sorted(kept)[:MOST]


def _kind(token):
    if token.startswith("#"):
        return ""
    if token[0] in "'\"":
        return "s"
    if token[0].isdigit():
        return "n"
    return token if not (token[0].isalpha() or token[0] == "_") or keyword.iskeyword(token) else "v"


def similar_pairs(
    prints: dict[str, list[int]], given: list[int] = (), threshold: float = 0.6, least: int = 8
) -> list[tuple]:
    """Pairs (student, student, share, common) whose own code is alike, the most alike first.

    `share` is the common part of the smaller one. What is `given` with the sheet does not count, nor what a fifth of
    the class has (five people at least).
    """
    count = collections.Counter(h for hashes in prints.values() for h in hashes)
    common = max(5, len(prints) / 5)
    own = {who: {h for h in hashes if count[h] < common} - set(given) for who, hashes in prints.items()}
    holders = collections.defaultdict(list)
    for who, hashes in own.items():
        for h in hashes:
            holders[h].append(who)
    shared = collections.Counter(pair for who in holders.values() for pair in itertools.combinations(sorted(who), 2))
    pairs = []
    for (a, b), n in shared.items():
        share = n / min(len(own[a]), len(own[b]))
        if n >= least and share >= threshold:
            pairs.append((a, b, round(share, 3), n))
    return sorted(pairs, key=lambda p: (-p[2], -p[3], p[:2]))
