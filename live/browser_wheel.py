"""Build the wheel of coursekit that a browser loads: the tree's own sources without data files and page scripts.

    python live/browser_wheel.py --out FOLDER

The data files stay on the site, and `coursekit.data` reads one when an experiment asks for it. The same sources always
give the same file; its local version label is their digest, so a browser may keep it for ever.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import re
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "coursekit"
LIMIT = 1_000_000  # bytes
LEFT_OUT = {".npz", ".gz", ".js", ".mjs", ".css", ".pyc"}


def build(out: Path) -> Path:
    """Write the wheel into `out` and return its path."""
    sources = {
        f"coursekit/{file.relative_to(PACKAGE).as_posix()}": file.read_bytes()
        for file in sorted(PACKAGE.rglob("*"))
        if file.is_file() and file.suffix not in LEFT_OUT and "__pycache__" not in file.parts
    }
    for file in sorted((ROOT / "exercises" / "tests").glob("*.py")):  # what check() needs; pyproject.toml does the same
        sources[f"coursekit/_exercises/{file.name}"] = file.read_bytes()
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


def _hash(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    wheel = build(parser.parse_args().out)
    print(f"{wheel} ({wheel.stat().st_size:,} bytes)")
