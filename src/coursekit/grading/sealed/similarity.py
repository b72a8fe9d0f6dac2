"""How much of two notebooks' code is the same: advice for a conversation, never a mark.

Winnowing (Schleimer, Wilkerson and Aiken 2003): names and numbers are replaced by their kind, every run of K tokens
is hashed, and of each W neighbours the smallest hash is kept. Renaming variables and reordering functions changes
nothing. What most of the class shares (the sheet's own code) is left out before counting. Pairs that are alike make
groups; the published solution is one of the suspects.
"""

from __future__ import annotations

import collections
import itertools
import keyword
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["PUBLISHED", "Group", "fingerprint", "normal_lines", "similar_groups", "similar_pairs"]

K, WINDOW, MOST, LONGEST = 12, 6, 12_000, 200_000
PUBLISHED = "the published solution"
_TOKEN = re.compile(r"#[^\n]*|'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|\"[^\"\n]*\"|[A-Za-z_]\w*|\d[\w.]*|[^\s\w]", re.S)


def fingerprint(cells: list[str]) -> list[int]:
    """The winnowed hashes of a notebook's code."""
    tokens = [kind for cell in cells for kind in _tokens(cell)][:LONGEST]
    hashes = [zlib.crc32(" ".join(tokens[i : i + K]).encode()) for i in range(len(tokens) - K + 1)]
    kept = {min(hashes[i : i + WINDOW]) for i in range(max(0, len(hashes) - WINDOW + 1))}
    return sorted(kept)[:MOST]


def normal_lines(code: str) -> list[str]:
    """Each line of a program with the kinds of its names and numbers in place of these."""
    return [" ".join(_tokens(line)) for line in code.split("\n")]


def _tokens(code, depth=0):
    for match in _TOKEN.finditer(code):
        text = match[0].strip("'\"")
        if depth < 2 and match[0][0] in "'\"" and "(" in text and len(text) > 40:  # code for exec
            yield from _tokens(text.replace("\\n", "\n"), depth + 1)
        elif kind := _kind(match[0]):
            yield kind


def _kind(token):
    if token.startswith("#"):
        return ""
    if token[0] in "'\"":
        return "s"
    if token[0].isdigit():
        return "n"
    return token if not (token[0].isalpha() or token[0] == "_") or keyword.iskeyword(token) else "v"


def similar_pairs(
    prints: dict[str, list[int]], given: Sequence[int] = (), threshold: float = 0.6, least: int = 8
) -> list[tuple]:
    """Pairs (student, student, share, common) whose own code is alike, the most alike first.

    `share` is the common part of the smaller one. What is `given` with the sheet does not count, nor what a third of
    the class has (eight people at least).
    """
    count = collections.Counter(h for hashes in prints.values() for h in hashes)
    common = max(8, len(prints) / 3)
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


@dataclass(frozen=True)
class Group:
    """People whose code is alike: the least share and count of the pairs that link them."""

    students: tuple[str, ...]
    share: float
    common: int
    note: str


def similar_groups(prints: dict[str, list[int]], files: dict[str, str], given=(), published=()) -> list[Group]:
    """Groups that pairs link, the most alike first. `files` are digests: equal ones are one file."""
    everybody = {**prints, PUBLISHED: list(published)} if published else prints
    pairs = [(a, b, share, n) for a, b, share, n in similar_pairs(everybody, given)]
    same = collections.defaultdict(list)
    for who, digest in files.items():
        same[digest].append(who)
    pairs += [(group[0], other, 1.0, 0) for group in same.values() for other in group[1:]]
    parent = {who: who for pair in pairs for who in pair[:2]}

    def root(who):
        while parent[who] != who:
            parent[who] = who = parent[parent[who]]
        return who

    for a, b, *_ in pairs:
        if PUBLISHED not in (a, b):  # two who copied the book need not know each other
            parent[root(a)] = root(b)
    members: dict[str, set[str]] = collections.defaultdict(set)
    links = collections.defaultdict(list)
    book = set()
    for a, b, share, n in pairs:
        if PUBLISHED in (a, b):
            book.add((b if a == PUBLISHED else a, share, n))
            continue
        members[root(a)] |= {a, b}
        links[root(a)].append((share, n))
    found = []
    for key, those in members.items():
        shares, counts = zip(*links[key], strict=True)
        one_file = len({files.get(w) for w in those}) == 1
        note = "the same file" if one_file else ""
        found.append(Group(tuple(sorted(those)), min(shares), min(counts), note))
    found += [Group((PUBLISHED, who), share, n, "like the solution that is in the package") for who, share, n in book]
    return sorted(found, key=lambda g: (PUBLISHED in g.students, -g.share, -len(g.students), g.students))
