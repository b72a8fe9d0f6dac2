"""The ledger's command; see `python -m coursekit.ledger --help`."""

import argparse
import sys

from .. import errors
from . import CHAPTERS, claims, fresh_seeds, read, run, write


def main(arguments=None) -> int:
    """Run claims; 1 if one does not come out as it says, or cannot be run."""
    parser = argparse.ArgumentParser(
        prog="python -m coursekit.ledger", description="Run claims and record what they give."
    )
    parser.add_argument("what", nargs="*", help="chapters (06) or claims (06.rates); all if none is named")
    parser.add_argument("--all", action="store_true", help="also claims that take more than a minute")
    parser.add_argument(
        "--fresh-seeds",
        type=int,
        metavar="K",
        help="use at least K new seeds, record nothing, and say which verdicts stay",
    )
    args = parser.parse_args(arguments)
    try:
        rows = _rows(args.what)
        rows = [r for r in rows if args.all or not r.slow or r.id in args.what or r.id not in _known(r.id[:2])]
        return _again(rows, args.fresh_seeds) if args.fresh_seeds else _record(rows)
    except errors.CourseError as error:
        print(error, file=sys.stderr)
        return 1


def _rows(what):
    for name in what:
        if name not in [c.id for c in claims(name[:2])] + [name[:2]]:
            raise errors.DataError(
                f"the ledger has no claim {name!r}; those of chapter {name[:2]}: "
                + ", ".join(c.id for c in claims(name[:2]))
            )
    return [row for name in what or CHAPTERS for row in claims(name[:2]) if name in (row.id, row.id[:2])]


def _known(chapter):
    try:
        return read(chapter)
    except errors.DataError:
        return {}


def _record(rows):
    failed = 0
    for row in rows:
        print(f"{row.id}: {row.text} ...", flush=True)
        result = run(row)
        for name, value in (
            result.get("arms", {}) | result["numbers"] | {"difference": result.get("difference")}
        ).items():
            print(f"    {name}: {value}", flush=True)
        failed += result["verdict"] != row.verdict
        expected = "" if result["verdict"] == row.verdict else f", but the claim says {row.verdict!r}"
        print(f"    {result['verdict'].upper()}{expected}; {result['seconds']} s", flush=True)
        known, ids = _known(row.id[:2]), {c.id for c in claims(row.id[:2])}
        write(row.id[:2], {id: record for id, record in (known | {row.id: result}).items() if id in ids})
    return 1 if failed else 0


def _again(rows, count):
    moved = []
    for row in rows:
        result = fresh_seeds(row, count)
        if result is None:
            print(f"{row.id}: no seeds", flush=True)
            continue
        stays = result["verdict"] == row.verdict
        moved += [] if stays else [row.id]
        found = result.get("difference", "")
        print(f"{row.id}: {row.verdict} -> {result['verdict']}{'' if stays else '   MOVED'} {found}", flush=True)
    print(f"{len(rows)} rows, {len(moved)} verdicts moved with fresh seeds{': ' if moved else ''}{', '.join(moved)}")
    return 1 if moved else 0


if __name__ == "__main__":
    sys.exit(main())
