"""The editor of the code cells: the committed bundle is what its pinned sources give, and is small enough."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import coursekit

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "tools" / "editor"
BUNDLE = next(Path(coursekit.__file__).parent.glob("*/static/ck/editor/codemirror.mjs"))


def test_bundle_is_small_enough():
    assert len(gzip.compress(BUNDLE.read_bytes(), 9)) <= 150_000


def test_every_package_is_pinned_by_version_and_hash():
    wanted = json.loads((SOURCE / "package.json").read_text())
    for version in (wanted["dependencies"] | wanted["devDependencies"]).values():
        assert version[0].isdigit(), f"{version} is a range"
    lock = json.loads((SOURCE / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages and all(entry["integrity"].startswith("sha512-") for entry in packages.values())


@pytest.mark.timeout(120)
def test_bundle_is_what_its_sources_give(tmp_path):
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm to build the editor with")
    for name in ("package.json", "package-lock.json", "editor.mjs"):
        shutil.copy(SOURCE / name, tmp_path)
    quiet = ["--silent", "--no-audit", "--no-fund"]
    got = subprocess.run([npm, "ci", *quiet], cwd=tmp_path, capture_output=True, text=True)
    if got.returncode and os.environ.get("CI") != "true":
        pytest.skip(f"the editor's packages could not be had: {got.stderr[-200:]}")
    assert got.returncode == 0, got.stderr[-500:]
    made = subprocess.run([npm, "run", "--silent", "build"], cwd=tmp_path, capture_output=True, check=True).stdout
    assert made == BUNDLE.read_bytes(), "type npm ci && npm run build in tools/editor, and put what it prints there"
