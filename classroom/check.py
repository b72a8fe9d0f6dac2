"""Run each notebook of this repository and print what its checks said, as Markdown. Exit 1 when one is not right."""

import pathlib
import re
import sys

import nbformat
from nbclient import NotebookClient

all_right = True
for path in sorted(pathlib.Path().glob("[0-9][0-9]_*.ipynb")):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, allow_errors=True).execute()
    print(f"## {path.name}\n")
    for cell in notebook.cells:
        asked = re.findall(r"check\([\"'](\d\d\.\d+)[\"']\)", cell.source) if cell.cell_type == "code" else []
        for question in asked:
            said = "".join(
                output.get("text") or output.get("data", {}).get("text/plain", "")
                for output in cell.outputs
                if output.output_type in ("stream", "display_data", "execute_result")
            )
            points = re.search(r"(\d+(?:\.\d+)?) of (\d+(?:\.\d+)?) points", said)
            right = points is not None and points[1] == points[2]
            all_right = all_right and right
            print(f"<details{'' if right else ' open'}><summary>{'✅' if right else '❌'} {question}</summary>\n")
            print("```text\n" + said.strip().replace("```", "'''")[:4000] + "\n```\n</details>\n")
sys.exit(not all_right)
