"""Build the wheel of coursekit that a browser loads: the tree's own sources without data files and page scripts.

    python live/browser_wheel.py --out FOLDER

The data files stay on the site, and `coursekit.data` reads one when an experiment asks for it. The same contents always
give the same file; its local version label is their digest, so a browser may keep it for ever. With a folder of Pyodide
and Node, what every page imports comes with byte code: compiling it in the page took a tenth of a second and more.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "coursekit"
LIMIT = 1_400_000  # bytes; an eighth of it are the cases of the sheets, with the answers that check() knows
LEFT_OUT = {".npz", ".gz", ".js", ".mjs", ".css", ".pyc"}

# What no browser runs: the grader's jails, the ledger's claims, and what builds the book.
ELSEWHERE = ("grading/sealed/", "ledger/", "interactive/static/", "interactive/sphinx_ext.py", "interactive/frames.py",
             "interactive/cells_html.py", "interactive/progress.py", "interactive/review.py", "grading/cli.py",
             "grading/classroom.py")  # fmt: skip

# What a page imports whatever its chapter; of everything, byte code would take the wheel over its limit.
ON_EVERY_PAGE = """
    __init__ _atomic _checks _erf _half _moved _norms _runs _steps activations attention convolution
    data/__init__ data/_files data/_full data/_images data/_tables data/_text data/_toys dense errors
    experiments/__init__ experiments/_bench explorers/__init__ fast/__init__ fast/dense fast/images
    fast/kernel fast/losses fast/optimizers fast/products fast/sequences initializers interactive/__init__
    interactive/_typography interactive/answers interactive/controls interactive/core interactive/handles
    interactive/live interactive/playing interactive/predict interactive/sketch layers/__init__
    layers/attention layers/base layers/dense layers/image layers/recurrent layers/residual losses model
    normalization optimizers plotting/__init__ plotting/_axis plotting/_narrow plotting/_parts
    plotting/_reading plotting/_style plotting/_svg recurrent regularizers trees
""".split()


def build(out: Path, pyodide: Path | None = None) -> Path:
    """Write the wheel into `out` and return its path; `pyodide` is a folder with Pyodide's files."""
    sources = {
        f"coursekit/{file.relative_to(PACKAGE).as_posix()}": file.read_bytes()
        for file in sorted(PACKAGE.rglob("*"))
        if file.is_file()
        and file.suffix not in LEFT_OUT
        and "__pycache__" not in file.parts
        and not file.relative_to(PACKAGE).as_posix().startswith(ELSEWHERE)
    }
    for file in sorted((ROOT / "exercises" / "tests").glob("*.py")):  # what check() needs; pyproject.toml does the same
        sources[f"coursekit/_exercises/{file.name}"] = file.read_bytes()
    if pyodide and (node := shutil.which("node")):
        often = [f"coursekit/{name}.py" for name in ON_EVERY_PAGE]
        sources |= byte_code(node, pyodide, {name: sources[name] for name in often})
    digest = hashlib.sha256(b"".join(name.encode() + content for name, content in sources.items())).hexdigest()[:8]
    plain = re.search(r'^__version__ = "(.+)"', (PACKAGE / "__init__.py").read_text(encoding="utf-8"), re.M)[1]
    version = f"{plain}+{digest}"
    info = f"coursekit-{version}.dist-info"
    sources[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: coursekit\nVersion: {version}\nLicense-Expression: MIT\n"
        "Requires-Dist: numpy\nRequires-Dist: matplotlib\nRequires-Dist: ipywidgets\n"
    ).encode()
    sources[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: live/browser_wheel.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    sources[f"{info}/licenses/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    record = "".join(f"{name},sha256={_hash(content)},{len(content)}\n" for name, content in sources.items())
    sources[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for name, content in sources.items():
            wheel.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    content = buffer.getvalue()
    if len(content) > LIMIT:
        raise SystemExit(f"the wheel for the browser has {len(content):,} bytes, but {LIMIT:,} are the most")
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"coursekit-{version}-py3-none-any.whl"
    for old in out.glob("coursekit-*.whl"):
        if old != target:
            old.unlink()
    target.write_bytes(content)
    return target


def byte_code(node: str, pyodide: Path, sources: dict[str, bytes]) -> dict[str, bytes]:
    """The .pyc of each source, made by the very Python that will import it."""
    script = Path(__file__).with_name("compile_sources.mjs")
    given = json.dumps({name: content.decode() for name, content in sources.items()})
    ran = subprocess.run([node, script, pyodide], input=given, capture_output=True, text=True, timeout=280)
    if ran.returncode:
        raise SystemExit(f"Pyodide could not compile coursekit in Node: {ran.stderr.strip()}")
    return {name: base64.b64decode(content) for name, content in json.loads(ran.stdout.splitlines()[-1]).items()}


def _hash(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    wheel = build(parser.parse_args().out)
    print(f"{wheel} ({wheel.stat().st_size:,} bytes)")
