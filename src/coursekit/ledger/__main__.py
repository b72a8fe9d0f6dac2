"""`python -m coursekit.ledger [CHAPTER ...] [--all]`: run claims and record the results (--all: the slow ones too)."""

import sys

from .. import errors
from . import CHAPTERS, claims, read, run, write

chapters = [a for a in sys.argv[1:] if not a.startswith("-")] or list(CHAPTERS)
failed = 0
for chapter in chapters:
    try:
        results = read(chapter)
    except errors.DataError:
        results = {}
    rows = claims(chapter)
    for row in rows:
        if row.slow and "--all" not in sys.argv and row.id in results:
            continue
        print(f"{row.id}: {row.text} ...", flush=True)
        results[row.id] = run(row)
        verdict = "holds" if results[row.id]["holds"] else "DOES NOT HOLD"
        failed += results[row.id]["holds"] != row.reproduces
        print(f"    {results[row.id]['numbers']} {verdict}, {results[row.id]['seconds']} s", flush=True)
    write(chapter, {row.id: results[row.id] for row in rows})
sys.exit(1 if failed else 0)
