"""Begin a chapter: `python tools/new_chapter.py 16 averaging "Averaging the weights"`.

Adds the chapter to `src/coursekit/_chapters.py` and makes its files, each short, right and passing its tests: text,
experiment, picture, explorer, claim, quiz, exercise sheet with its cases, test, and the chapter's part of the ledger's
page. Then write: `make try CHAPTER=16` says what is left.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "tools" / "chapter_template"
PACKAGE = "src/coursekit"
FILES = {
    "chapter.md.txt": "chapters/NN_NAME.md",
    "experiment.py.txt": f"{PACKAGE}/experiments/NAME.py",
    "plot.py.txt": f"{PACKAGE}/plotting/NAME.py",
    "explore.py.txt": f"{PACKAGE}/explorers/NAME.py",
    "claims.py.txt": f"{PACKAGE}/ledger/NAME.py",
    "sheet.md.txt": "exercises/NN_NAME.md",
    "cases.py.txt": "exercises/tests/NN_NAME.py",
    "test.py.txt": "tests/test_experiments_NAME.py",
}
LEDGER = """
## {count}. {title}

Claims of [chapter {count}](chapters/{number}_{name}.md).

```{{code-cell}} ipython3
:tags: [remove-input]
Markdown(ledger.table("{number}"))
```
"""


def quiz():
    """Five questions to be written, of three kinds, in the form that a quiz must have."""

    def option(k, i, correct):
        what = "right" if correct else "wrong"
        return {"answer": f"WRITE: {what} answer {k}.{i}", "correct": correct, "feedback": f"WRITE why {i} is {what}."}

    def choice(k, kind, rights):
        answers = [option(k, i, i in rights) for i in (1, 2, 3)]
        return {"question": f"WRITE: question {k}?", "type": kind, "answers": answers}

    order = {
        "question": "WRITE: which steps are to be put in order?",
        "type": "order",
        "items": [f"WRITE: step {i}" for i in (1, 2, 3)],
        "feedback": "WRITE why this is the order.",
    }
    one = [choice(k, "multiple_choice", {k}) for k in (1, 2, 3)]  # the right answer stands in another place each time
    return [*one, choice(4, "many_choice", {1, 3}), order]


def add_to_list(number, name):
    """Add a line to the list of chapters."""
    path = ROOT / PACKAGE / "_chapters.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\n}\n", f'\n    "{number}": "{name}",\n}}\n', 1), encoding="utf-8")


def main(number, name, title):
    """Write everything, run the claim, and say what to do next."""
    sys.path.insert(0, str(ROOT / "src"))
    from coursekit._chapters import CHAPTERS

    following = f"{len(CHAPTERS) + 1:02d}"
    if number != following:
        sys.exit(f"the number is {number!r}; the next chapter is {following}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in CHAPTERS.values():
        sys.exit(f"the name is {name!r}; write one that no chapter has, in small letters, digits and underscores")
    targets = {source: ROOT / target.replace("NN", number).replace("NAME", name) for source, target in FILES.items()}
    targets["quiz"] = ROOT / PACKAGE / "interactive" / "quizzes" / f"{number}.json"
    there = [str(path.relative_to(ROOT)) for path in targets.values() if path.exists()]
    if there:
        sys.exit(f"already there: {', '.join(there)}; take another name, or move them away")
    for source, path in targets.items():
        if source == "quiz":
            text = json.dumps(quiz(), indent=1, ensure_ascii=False) + "\n"
        else:
            text = (TEMPLATE / source).read_text(encoding="utf-8")
            text = text.replace("NN", number).replace("NAME", name).replace("TITLE", title)
            if source == "cases.py.txt":  # the one TITLE that is a name of Python
                text = text.replace(f"\n{title} = ", "\nTITLE = ")
        path.write_text(text, encoding="utf-8")
        print(f"made {path.relative_to(ROOT)}")
    add_to_list(number, name)
    page = ROOT / "ledger.md"
    section = LEDGER.format(count=int(number), number=number, name=name, title=title)
    page.write_text(page.read_text(encoding="utf-8") + section, encoding="utf-8")
    print(f"added chapter {number} to {PACKAGE}/_chapters.py and ledger.md")
    for command in (["-m", "coursekit.ledger", number], ["tools/make_notebooks.py"], ["tools/readme.py"]):
        if subprocess.run([sys.executable, *command], cwd=ROOT).returncode:
            sys.exit(1)
    print(f"\nNow write: search the new files for WRITE. `make try CHAPTER={number}` runs what belongs to the chapter.")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit('type: .venv/bin/python tools/new_chapter.py 16 averaging "Averaging the weights"')
    main(*sys.argv[1:])
