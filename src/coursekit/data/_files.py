"""Finding and reading the files that are shipped with the package.

Outside the browser they lie beside this module. In the browser (Pyodide) the wheel may leave them out; then they are
read from the book's own site, once a session, from the address given with `fetch_from`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ..errors import DataError

SHA256 = {
    "emoji_small.npz": "c7320d0ce688a30326f492b3f3917e56d5f5143480fa4f585a15216a34d89fdc",
    "fashion_small.npz": "4ba5ff99f06952fafd3ee0c2d6b3580d149cbe4d126e9bce28b0d1e288d6fbf5",
    "korean_constitution.txt.gz": "e4f607778364cd35617b2722831cbbfdd51384d89f089c918e5bdd8b5aff9502",
    "korean_nouns_common.txt.gz": "5b826873074934e90aa85f60ed12411efb3401370f488f9b8e7146450c9cde2c",
    "mobilenetv2_trunk_int8.npz": "c7abcef52af539b1b47bc97968f828ad1937bdaf5f757177adafe6e3a9088719",
    "mnist_small.npz": "ba03d260d633f6cf9cb6ae5871587b42471278b97f97f0df9048fac0ae334f4a",
    "names_us_census1990.csv.gz": "7bdcd6657c2bcdd55e51eaaa11b0798a2fd0b9591003861d9050490913069bd3",
    "photos.npz": "0dfe2a707824f7a480b03e73abd022dc56e9f7cd6023f0c18f851250e375e09c",
    "series.npz": "133ef0456a404cb0e800284e9900fb2e37920bdf783d0c8a8f5167a2028a0ec3",
    "shakespeare_small.txt.gz": "6e382ac89eb2da29e7599ecc7017544f78b70c05b4dd5d0780f9b048c9617b6d",
    "tabular.npz": "85d84393ff648196ee36d31d0106685b14e1b9d67131ae55cf7a0b6cb4d69909",
}
"""Every shipped file and its checksum."""

FOLDER = Path(__file__).parent
BASE_URL: str | None = os.environ.get("COURSEKIT_DATA_URL")
"""Where the book's site keeps these files; only used in the browser. JupyterLite's settings give it in the
environment, live mode with `fetch_from`."""

_fetched: dict[str, bytes] = {}


def fetch_from(url: str) -> None:
    """In the browser: read shipped files that the wheel left out from the folder at `url`.

    The code that starts Python in a page calls this once. Outside the browser it has no effect: nothing is fetched.
    """
    global BASE_URL
    BASE_URL = url.rstrip("/") + "/"


def _path(name: str) -> Path:
    """Where the shipped file `name` lies (in the browser it may be absent there)."""
    if name not in SHA256:
        raise DataError(f"{name!r} is not a shipped data file; these are: {', '.join(SHA256)}")
    return FOLDER / name


def read_bytes(name: str, sha256: str | None = None) -> bytes:
    """The shipped file `name`, from the package or, in the browser, from the book's site.

    Trained weights bring their own `sha256`; that of the data sets is in the list.
    """
    path = FOLDER / name if sha256 else _path(name)
    sha256 = sha256 or SHA256[name]
    if path.exists():
        content, where, remedy = path.read_bytes(), str(path), "reinstall coursekit"
    elif sys.platform == "emscripten":
        if name not in _fetched:
            _fetched[name] = _fetch(name)
        content, where, remedy = _fetched[name], f"{BASE_URL}{name}", "reload the page"
    else:
        raise DataError(f"the data file {name} is missing; looked for {path}. Reinstall coursekit")
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        _fetched.pop(name, None)
        raise DataError(
            f"the data file {where} is damaged: {len(content)} bytes with sha256 {found[:12]}..., "
            f"expected {sha256[:12]}...; {remedy}"
        )
    return content


def _fetch(name: str) -> bytes:
    """Read one file with a synchronous request; a web worker may do that, a page may not."""
    if BASE_URL is None:
        raise DataError(
            f"the data file {name} is not in this wheel and the page has not said where it is; "
            "it should call coursekit.data.fetch_from(url)"
        )
    import js  # only there in Pyodide

    request = js.XMLHttpRequest.new()
    request.open("GET", BASE_URL + name, False)
    request.responseType = "arraybuffer"
    try:
        request.send()
    except Exception as error:
        raise DataError(f"the data file {BASE_URL}{name} could not be read: {error}; is the site reachable?") from error
    if request.status != 200:
        raise DataError(f"the data file {BASE_URL}{name} could not be read: the server answered {request.status}")
    return request.response.to_bytes()


def read_npz(name: str, sha256: str | None = None) -> dict[str, np.ndarray]:
    """All arrays of a shipped .npz file."""
    return npz_arrays(read_bytes(name, sha256), name)


def read_text(name: str) -> str:
    """A shipped .gz text file, UTF-8."""
    return gzip_text(read_bytes(name), name)


def npz_arrays(content: bytes, where: str) -> dict[str, np.ndarray]:
    """Unpack .npz bytes; never unpickles."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except (
        ValueError,
        EOFError,
        OSError,
        KeyError,
        AttributeError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(f"{where} is not a readable .npz file: {error}") from error


def gzip_text(content: bytes, where: str) -> str:
    """Unpack .gz bytes into text."""
    try:
        return gzip.decompress(content).decode("utf-8")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{where} is not a readable .gz text file: {error}") from error


def choose(what: str, name: str, known) -> str:
    """`name`, if it is one of `known`."""
    if name not in known:
        raise DataError(f"there is no {what} {name!r}; choose one of {', '.join(map(repr, known))}")
    return name
