"""A Gradescope autograder: one zip file with setup.sh, run_autograder, this package, the sheet's cases and the key.

Gradescope unpacks it in /autograder/source of an Ubuntu container, runs setup.sh once as root with network, and then
run_autograder for each submission, which lies in /autograder/submission. The student's code is jailed there as
anywhere else: bubblewrap where the container allows it, else Landlock.
"""

from __future__ import annotations

import io
import json
import pathlib
import sys
import zipfile

from ..._atomic import write_atomically
from ...errors import DataError
from ..cases import load_sheet
from .books import gradescope_results
from .collect import find_submissions
from .grade import grade_bytes, own_key, sheet_version
from .inside.notebook import BadNotebook
from .jail import PACKAGE, Jail, Limits, safe_parts
from .probe import choose_tier
from .submissions import read_bytes

__all__ = ["build", "run"]

_SETUP = """#!/usr/bin/env bash
set -euo pipefail
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv bubblewrap
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "This image has $(python3 --version); Python 3.11 or newer is needed: choose Ubuntu 24.04 as base image." >&2
    exit 1
fi
python3 -m venv /opt/coursekit
# Your version of NumPy where this Python has it, else the newest that it has.
/opt/coursekit/bin/pip install --quiet "numpy=={numpy}" || /opt/coursekit/bin/pip install --quiet "numpy>=1.26"
/opt/coursekit/bin/pip install --quiet matplotlib ipywidgets click rich charset-normalizer
cp -r /autograder/source/coursekit "$(/opt/coursekit/bin/python -c 'import site; print(site.getsitepackages()[0])')/"
# Students' code runs as another user; it must not read the key, the cases or this package.
chmod -R go-rwx /autograder/source
"""
_RUN = """#!/usr/bin/env bash
mkdir -p /autograder/results
exec /opt/coursekit/bin/python -m coursekit.grading.sealed.gradescope \\
    {sheet} /autograder/source/key /autograder/submission /autograder/results/results.json
"""


def build(sheet: str, key: bytes, out) -> None:
    """Write the autograder.zip of a sheet."""
    import numpy as np

    load_sheet(sheet)  # says which sheets there are
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name, text, mode=0o644):
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.external_attr = (0o100000 | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text)

        add("setup.sh", _SETUP.format(numpy=np.__version__), 0o755)
        add("run_autograder", _RUN.format(sheet=sheet), 0o755)
        add("key", key, 0o600)
        for path in sorted(PACKAGE.rglob("*")):
            part = path.relative_to(PACKAGE)
            if path.is_file() and "__pycache__" not in part.parts and part.parts[0] != "_exercises":
                add(f"coursekit/{part.as_posix()}", path.read_bytes())
        cases = _case_file(sheet)
        add(f"coursekit/_exercises/{cases.name}", cases.read_bytes())
    write_atomically(out, data.getvalue())


def _case_file(sheet) -> pathlib.Path:
    return pathlib.Path(load_sheet(sheet).cases[0].function.__code__.co_filename)


def run(sheet: str, key: bytes, folder, out) -> None:
    """Grade the one submission in `folder`; writes Gradescope's results.json, whatever happens."""
    try:
        tier, _ = choose_tier()
        the_sheet = load_sheet(sheet)
        try:
            files = find_submissions(folder, sheet)
        except DataError:
            files = []
        if len(files) != 1:
            raise BadNotebook(f"expected one notebook, found {len(files)}: hand in the notebook of sheet {sheet} alone")
        data = read_bytes(files[0].path)
        withhold = safe_parts(name for q in the_sheet.questions for name in q.names)
        with Jail(tier, Limits(), withhold) as jail:
            record = grade_bytes(jail, data, the_sheet, own_key(key, _people(folder), data))
        record["points"] = sum(q["points"] for q in record["questions"].values())
        results = gradescope_results(record)
        results["extra_data"] = {"sheet_version": sheet_version(the_sheet)}
    except (BadNotebook, ValueError) as error:
        results = {"score": 0, "output": str(error), "visibility": "visible"}
    except Exception as error:  # an unfinished run must be seen, and must not look like a mark
        results = {"output": f"The grader failed, please tell your instructor: {type(error).__name__}: {error}"}
    write_atomically(out, json.dumps(results, indent=1))


def _people(folder) -> str:
    """Who handed in, as Gradescope's list beside the submission says it; empty where there is none."""
    try:
        users = json.loads(pathlib.Path(folder).with_name("submission_metadata.json").read_text())["users"]
        return " ".join(sorted(str(user.get("email") or user.get("id")) for user in users))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


if __name__ == "__main__":
    run(sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes().strip(), sys.argv[3], sys.argv[4])
