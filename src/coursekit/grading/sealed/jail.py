"""Jails for a student's code: three tiers, chosen by really running one and trying to break out of it.

1. `bubblewrap`: an empty file system with Python, NumPy and a few files of coursekit in it, namespaces for processes,
   network, IPC and mounts, no capabilities, a system call filter, resource limits.
2. `landlock`: where bubblewrap is missing or forbidden (most containers). The same filter, Landlock for files and
   TCP, namespaces where the kernel lets us; without them there is no place to write.
3. `limits`: resource limits only. Nothing stops code that means harm. Refused for marks unless the instructor insists.

    with Jail(tier, Limits()) as jail:
        child = jail.spawn()        # a socket to a fresh, locked process that has NumPy imported
        ...
        jail.reap()                 # kills it with all that it started; says how it ended
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import os
import pathlib
import random
import secrets
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ... import __version__
from ...errors import CourseError, RangeError

__all__ = ["TIERS", "Jail", "JailError", "Limits", "safe_parts", "stage"]

TIERS = ("bubblewrap", "landlock", "limits")
HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]
# The parts of coursekit that a notebook may import while it is graded, as they are in the package.
SAFE = ("errors.py", "_checks.py", "_atomic.py", "gradcheck.py", "data")
START_SECONDS = 60.0
_PREFIX = "coursekit-jail-"

_INIT = '''"""coursekit while a notebook is graded: only errors, gradcheck and data are real."""
__version__ = "{version}"


def __getattr__(name):
    if name == "check":
        from coursekit_jail.standins import NOTHING

        return NOTHING
    import importlib

    try:
        return importlib.import_module("coursekit." + name)
    except ModuleNotFoundError as error:
        raise AttributeError(str(error)) from None
'''


class JailError(CourseError, OSError):
    """A jail cannot be built, or does not hold."""


@dataclass(frozen=True)
class Limits:
    """What one student's code may use. Sizes are bytes.

    Times are seconds of processor time and of sleep: the time in which a process waits for a processor that others use
    does not count. `case_memory` is for the grader's side of a question, which reads and compares the answers.
    """

    call_seconds: float = 2.0
    cell_seconds: float = 10.0
    question_seconds: float = 36.0
    memory: int = 2 << 30
    case_memory: int = 384 << 20
    scratch: int = 32 << 20
    inodes: int = 2048
    files: int = 64
    tasks: int = 32


class Jail:
    """An outer jail with a fork server in it; one child at a time."""

    def __init__(self, tier: str, limits: Limits | None = None, withhold: frozenset[str] = frozenset(), **layers):
        if tier not in TIERS:
            raise RangeError(f"tier is {tier!r}; the tiers are {', '.join(TIERS)}")
        self.tier, self.limits, self.withhold = tier, limits or Limits(), frozenset(withhold)
        self._layers = layers  # tests take single layers away, to see that the others hold
        self._process: Any = None  # as the next two, until it has been started
        self._control: Any = None
        self._stage: Any = None
        self.interfaces: list[str] = []

    @property
    def running(self) -> bool:
        """Whether the fork server is up."""
        return self._control is not None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.close()

    def start(self) -> None:
        """Start the fork server; raises JailError with the reason when it does not come up."""
        self.close()
        root = os.geteuid() == 0
        self._stage = stage(self.withhold, links=self.tier != "bubblewrap")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        errors = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                self._command(theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env={
                    "PATH": "/usr/bin:/bin",
                    "HOME": "/tmp",
                    "LANG": "C.UTF-8",
                    "OPENBLAS_NUM_THREADS": "1",
                    "OMP_NUM_THREADS": "1",
                },
                cwd="/",
            )
            theirs.close()
            self._control = ours
            ours.settimeout(START_SECONDS)
            ours.send(json.dumps(self._config(root)).encode())
            ready = self._answer(None)
            self.interfaces = ready["interfaces"]
        except (OSError, ValueError) as error:
            ours.close()
            theirs.close()
            self.close()
            errors.seek(0)
            text = errors.read(2000).decode(errors="replace").strip()
            raise JailError(f"the {self.tier} jail does not start: {text or error}") from None
        finally:
            errors.close()

    def _config(self, root):
        limits = asdict(self.limits)
        strong = self.tier != "limits"
        config = {
            "path": [],
            "namespaces": {"bubblewrap": "yes", "landlock": "try", "limits": ""}[self.tier],
            "locked": strong,
            "filter": strong,
            "landlock": None,
            "uid": _free_uid() if root and strong else None,
            "scratch": limits["scratch"],
            "inodes": limits["inodes"],
            "count_tasks": not strong or (self.tier == "landlock" and not root),
            "limits": {
                "memory": limits["memory"],
                "cpu_seconds": int(limits["question_seconds"]) + 5,
                "file_size": limits["scratch"],
                "files": limits["files"],
                "tasks": limits["tasks"],
            },
        }
        if self.tier == "landlock":
            python = runtime()
            numpy = [str(p) for p in _numpy_folders()]
            config["landlock"] = [*python.files, *python.entries, *numpy, self._stage, "/dev/urandom", "/dev/zero"]
        return {**config, **self._layers}

    def _command(self, control: int) -> list[str]:
        stage = "/jail" if self.tier == "bubblewrap" else self._stage
        start = (
            f"import sys; sys.path.insert(0, {stage!r}); from coursekit_jail.forkserver import main; main({control})"
        )
        python = [runtime().executable, "-I", "-S", "-X", "utf8", "-c", start]
        if self.tier != "bubblewrap":
            return [*_FIRST_TO_GO, *python]
        program = shutil.which("bwrap")
        if not program:
            raise JailError("bubblewrap is not installed: apt-get install bubblewrap (or dnf, pacman)")
        return [*_FIRST_TO_GO, program, *self._bubblewrap(), *python]

    def _bubblewrap(self) -> list[str]:
        python = runtime()
        root = os.geteuid() == 0
        options = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        options += [] if root else ["--unshare-user"]
        options += ["--die-with-parent", "--new-session", "--hostname", "jail"]
        # The fork server makes namespaces for each child and then becomes another user; the child has no capability.
        for capability in ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP"):
            options += ["--cap-add", f"CAP_{capability}"]
        folders = {"/tmp": "1777"}
        for path in (*python.files, *python.folders, "/jail/x"):
            for parent in reversed(pathlib.PurePath(path).parents):
                if str(parent) != "/":
                    folders.setdefault(str(parent), "0755")
        for path, mode in folders.items():
            options += ["--perms", mode, "--dir", path]
        for path in (*python.folders, *python.files):
            options += ["--ro-bind", os.path.realpath(path), path]
        for masked in python.masked:
            options += ["--perms", "0755", "--tmpfs", masked, "--remount-ro", masked]
        options += ["--ro-bind", self._stage, "/jail"]
        for folder in _numpy_folders():
            options += ["--ro-bind", str(folder), f"/jail/{folder.name}"]
        for device in ("null", "zero", "urandom", "random"):
            options += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
        return [*options, "--remount-ro", "/", "--chdir", "/"]

    def _answer(self, token: str | None) -> dict:
        while True:  # answers to those who died before they read them are passed over
            data = self._control.recv(1 << 16)
            if not data:
                raise OSError("the fork server ended")
            answer = json.loads(data)
            if answer.pop("for", None) == token:
                return answer

    def spawn(self) -> socket.socket:
        """A fresh child; the socket to its worker."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            token = secrets.token_hex(8)
            socket.send_fds(self._control, [f"spawn {token}".encode()], [theirs.fileno()])
            self._answer(token)
        except (OSError, ValueError) as error:
            ours.close()
            raise JailError(f"the fork server of the {self.tier} jail failed: {error}") from None
        finally:
            theirs.close()
        return ours

    def reap(self) -> dict:
        """Kill the child and all that it started; its exit status, CPU seconds and peak memory."""
        try:
            token = secrets.token_hex(8)
            self._control.send(f"reap {token}".encode())
            return self._answer(token)
        except (OSError, ValueError) as error:
            raise JailError(f"the fork server of the {self.tier} jail failed: {error}") from None

    def child_pid(self) -> int | None:
        """The process id, as we see it, of the child that runs: the last in the line of processes below ours."""
        pid, found = self._process.pid, None
        while pid is not None:
            found, pid = pid, next(iter(_children(pid)), None)
        return found

    def close(self) -> None:
        """End the fork server and with it everything in the jail."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._stage is not None:
            shutil.rmtree(self._stage, ignore_errors=True)
            self._stage = None


# Where memory runs out for the whole machine, the kernel takes the jail before the grader.
_FIRST_TO_GO = ("/bin/sh", "-c", 'echo 1000 2>/dev/null >/proc/self/oom_score_adj; exec "$@"', "sh")


def _children(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            yield from map(int, task.read_text().split())


def _free_uid() -> int:
    """A user that owns nothing: from the range that systemd keeps for services with a user of their own."""
    return random.SystemRandom().randrange(61184, 65520)


# --- what is in the jail --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Runtime:
    """The files that Python needs to run, and not one more."""

    executable: str
    files: tuple[str, ...]  # the executable, shared libraries
    folders: tuple[str, ...]  # the standard library
    masked: tuple[str, ...]  # folders in it that must not be seen: whatever else is installed
    entries: tuple[str, ...]  # all of the standard library but those


@functools.cache
def runtime() -> Runtime:
    """Python's own files: the executable, the standard library without site-packages, their shared libraries."""
    executable = os.path.realpath(sys.executable)
    library = {os.path.realpath(sysconfig.get_path(name, vars=_base())) for name in ("stdlib", "platstdlib")}
    library.add(os.path.dirname(os.path.realpath(os.__file__)))
    inside = [os.path.join(folder, entry) for folder in sorted(library) for entry in sorted(os.listdir(folder))]
    masked = [p for p in inside if os.path.basename(p) in ("site-packages", "dist-packages", "test")]
    extensions = [str(p) for folder in sorted(library) for p in pathlib.Path(folder).glob("lib-dynload/*.so")]
    extensions = [p for p in extensions if not os.path.basename(p).startswith(("_tkinter", "_test", "_xx"))]
    extensions += [str(p) for folder in _numpy_folders() for p in folder.rglob("*.so*")]
    files = [executable, *_shared_libraries([executable, *extensions])]
    if os.path.exists("/etc/ld.so.cache"):
        files.append("/etc/ld.so.cache")
    numpy = tuple(str(p) + os.sep for p in _numpy_folders())
    return Runtime(
        executable,
        tuple(dict.fromkeys(f for f in files if not os.path.realpath(f).startswith(numpy))),
        tuple(sorted(library)),
        tuple(p for p in masked if os.path.isdir(p)),
        tuple(p for p in inside if p not in masked),
    )


def _base():
    return {"base": sys.base_prefix, "platbase": sys.base_exec_prefix, "installed_base": sys.base_prefix,
            "installed_platbase": sys.base_exec_prefix}  # fmt: skip


def _shared_libraries(paths) -> list[str]:
    """What the dynamic linker loads for these files, by its own word."""
    if not shutil.which("ldd"):
        raise JailError("the program ldd is needed to find Python's shared libraries, and is not there")
    result = subprocess.run(["ldd", *paths], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    found = set()
    for line in result.stdout.splitlines():
        words = line.strip().split()
        path = words[2] if len(words) > 2 and words[1] == "=>" else words[0] if words else ""
        if path.startswith("/") and not path.endswith(":") and os.path.exists(path):
            found.add(os.path.normpath(path))
    return sorted(found)


def _numpy_folders() -> list[pathlib.Path]:
    folder = pathlib.Path(np.__file__).resolve().parent
    return [p for p in (folder, folder.with_name("numpy.libs")) if p.is_dir()]


def safe_parts(names) -> frozenset[str]:
    """The safe modules that a sheet must do without, because they define a name that it asks the student for."""
    wanted, withheld = set(names), set()
    for part in SAFE:
        path = PACKAGE / part
        for file in path.glob("*.py") if path.is_dir() else [path]:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            if any(isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name in wanted for n in tree.body):
                withheld.add(part)
    return frozenset(withheld)


def _sweep(place):
    """Remove what graders that were killed have left."""
    for path in pathlib.Path(place).glob(f"{_PREFIX}*"):
        pid = path.name[len(_PREFIX) :].split("-")[0]
        with contextlib.suppress(OSError):
            if path.lstat().st_uid == os.getuid() and pid.isdecimal() and not _alive(int(pid)):
                shutil.rmtree(path, ignore_errors=True)


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stage(withhold: frozenset[str] = frozenset(), links: bool = False) -> str:
    """A new folder with all that is ours in the jail: the worker, and coursekit without any reference answer."""
    # With links the child sees this very folder, and an empty /tmp above any that lay there: so not in /tmp.
    place = "/var/tmp" if links and os.access("/var/tmp", os.W_OK) else None
    _sweep(place or tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place)
    os.chmod(folder, 0o755)
    shutil.copytree(HERE / "inside", f"{folder}/coursekit_jail", ignore=shutil.ignore_patterns("__pycache__"))
    package = pathlib.Path(folder, "coursekit")
    package.mkdir()
    (package / "__init__.py").write_text(_INIT.format(version=__version__), encoding="utf-8")
    for part in SAFE:
        if part in withhold:
            continue
        source = PACKAGE / part
        if source.is_dir():
            shutil.copytree(source, package / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, package / part)
    for numpy in _numpy_folders():
        if links:
            os.symlink(numpy, f"{folder}/{numpy.name}")
        else:
            os.mkdir(f"{folder}/{numpy.name}")
    for base, folders, names in os.walk(folder):
        for name in folders:
            path = os.path.join(base, name)
            if not os.path.islink(path):
                os.chmod(path, 0o755)
        for name in names:
            os.chmod(os.path.join(base, name), 0o644)
    return folder
