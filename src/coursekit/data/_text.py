"""Text: Shakespeare, names, the Korean constitution, Korean nouns."""

from __future__ import annotations

from . import _files, _full


def shakespeare(*, full: bool = False) -> str:
    """Plays of Shakespeare as one string: six plays (0.8 million characters), or all 42 works (5.1 million).

    Parameters
    ----------
    full : all works. Downloaded once (5.4 MB) into the cache folder, see `coursekit.data`.

    Raises
    ------
    DataError
        If the full text is neither in the cache nor to be had, or a file is damaged.

    Notes
    -----
    Public domain; texts of the Python package shakespeare 0.6, punctuation mapped to ASCII.

    >>> text = shakespeare()
    >>> len(text), len(set(text)), text[:16]
    (821559, 73, 'ROMEO AND JULIET')
    """
    return _full.load(_full.SHAKESPEARE) if full else _files.read_text("shakespeare_small.txt.gz")


def names() -> dict[str, tuple[str, ...]]:
    """Names from the US census of 1990: "female", "male", "surname", each a tuple of names.

    Notes
    -----
    US Census Bureau, public domain; the copy of the Python package names 0.3.0.

    >>> {kind: (len(group), group[0]) for kind, group in names().items()}
    {'female': (4275, 'Mary'), 'male': (1219, 'James'), 'surname': (5000, 'Smith')}
    """
    groups: dict[str, list[str]] = {}
    for line in _files.read_text("names_us_census1990.csv.gz").splitlines()[1:]:
        name, kind = line.split(",")
        groups.setdefault(kind, []).append(name)
    return {kind: tuple(group) for kind, group in groups.items()}


def korean_constitution() -> str:
    """The constitution of the Republic of Korea, in Korean: a text whose alphabet has 380 characters.

    Notes
    -----
    A law text, not protected (Korean Copyright Act, article 7).

    >>> text = korean_constitution()
    >>> len(text), len(set(text)), text[:6]
    (18884, 380, '대한민국헌법')
    """
    return _files.read_text("korean_constitution.txt.gz")


def korean_nouns() -> tuple[str, ...]:
    """Common Korean nouns, one to a few syllables each.

    Notes
    -----
    npm package pd-korean-noun-list-for-wordles 0.4.0, CC0.

    >>> korean_nouns()[:3]
    ('가게', '가격', '가구')
    """
    return tuple(_files.read_text("korean_nouns_common.txt.gz").split())
