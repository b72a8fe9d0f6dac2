"""The sheets' known answers as an explorer, so that the worker of a page can check them; see browser/test_check.py.

`known_answers.json` beside this file has, for each sheet, the code that an answer needs and the answers. The tests put
both into the wheel that the browser loads.
"""

import json
from pathlib import Path

import numpy as np

from coursekit._chapters import CHAPTERS
from coursekit.explorers import Choice, explorer
from coursekit.grading.check import check
from coursekit.plotting import _style

FILE = Path(__file__).with_name("known_answers.json")
SHEETS = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}


def verdicts(sheet):
    """For each answer: 1 where check() says what it should, 0 where not; and the longest check in seconds."""
    said, seconds = [], 0.0
    for question, definitions, code, message in SHEETS[sheet]:
        names = {}
        exec(definitions, names)
        exec(code, names)
        result = check(question, names)
        seconds = max(seconds, result.seconds)
        text = "\n".join(case.text for case in result.cases)
        said.append(result.passed if message is None else result.points < result.out_of and message in text)
    return {"as_expected": np.array(said), "seconds": np.array(seconds)}


def _nothing(results):
    return _style.figure(1, 1)[0]


answers = explorer(verdicts, _nothing, str, sheet=Choice(*CHAPTERS, label="sheet"))
