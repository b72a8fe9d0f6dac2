"""Each layer of the jail holds by itself, as root and as an ordinary user; the probe sees when one is missing."""

import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

from coursekit.errors import CourseError, RangeError
from coursekit.grading.sealed import jail as jails
from coursekit.grading.sealed import probe as probes
from coursekit.grading.sealed.inside import lockdown
from coursekit.grading.sealed.jail import Jail, JailError, Limits, safe_parts, stage
from coursekit.grading.sealed.probe import Probe, choose_tier, probe
from coursekit.grading.sealed.session import Session

ROOT = pathlib.Path(__file__).parents[1]


def works(tier, **layers):
    try:
        with Jail(tier, **layers) as jail, Session(jail, b"") as session:
            session.cells = ["x = 1"]
            with session.question():
                return session.namespace(["x"]) == {"x": 1}
    except JailError:
        return False


needs_bubblewrap = pytest.mark.skipif(not works("bubblewrap"), reason="bubblewrap does not run here")
needs_landlock = pytest.mark.skipif(not works("landlock"), reason="Landlock does not run here")


@needs_bubblewrap
def test_bubblewrap_holds():
    result = probe("bubblewrap")
    assert result.safe and not result.broken and len(result.held) >= 18


@needs_bubblewrap
def test_without_the_filter_the_namespaces_still_hide_network_files_and_processes():
    result = probe("bubblewrap", filter=False)
    must = {
        "reads a file of the grader", "lists the grader's folder", "reads the password file", "connects over TCP",
        "signals the grader", "reads memory of the grader", "mounts a file system",
        "imports a reference", "finds the package",
    }  # fmt: skip
    assert must <= set(result.held), result.broken
    assert "a UDP packet arrived" not in result.broken  # it can be sent, to an empty network
    assert "starts a process" in result.broken and not result.safe  # the probe notices what is missing


@needs_bubblewrap
def test_a_network_that_is_not_cut_is_noticed(monkeypatch):
    build = Jail._bubblewrap
    monkeypatch.setattr(Jail, "_bubblewrap", lambda self: [o for o in build(self) if o != "--unshare-net"])
    result = probe("bubblewrap", filter=False)
    assert {"connects over TCP", "sends over UDP", "a UDP packet arrived"} <= set(result.broken)
    assert not result.safe


@needs_bubblewrap
def test_a_file_system_that_is_not_empty_is_noticed(monkeypatch):
    build = Jail._bubblewrap
    monkeypatch.setattr(Jail, "_bubblewrap", lambda self: ["--ro-bind", "/", "/", *build(self)])
    found = probe("bubblewrap")
    assert found.error or {"reads the password file", "finds the package"} <= set(found.broken)


@needs_landlock
def test_landlock_holds_or_says_why_not():
    result = probe("landlock")
    assert result.safe or "honest code does not run" in result.error


@needs_bubblewrap
def test_nothing_of_the_course_but_the_safe_parts_is_inside():
    with Jail("bubblewrap") as jail, Session(jail, b"") as session:
        session.cells = [
            """
import os, sys
found = sorted(os.path.join(b, n) for b, _, names in os.walk("/") for n in names if n.endswith((".py", ".pyc", ".pth")))
found = [f for f in found if "coursekit" in f or "site-packages" in f or "exercises" in f]
top = sorted(os.listdir("/jail")), sorted(os.listdir("/jail/coursekit"))
user = os.getuid()
fds = [fd for fd in range(64) if not os.path.isfile("/x") and _open(fd)] if False else []
for fd in range(64):
    try: os.fstat(fd); fds.append(fd)
    except OSError: pass
env = dict(os.environ)
"""
        ]
        with session.question():
            names = session.namespace(["found", "top", "user", "fds", "env"])
    assert not session.errors
    assert names["top"] == (
        ["coursekit", "coursekit_jail", "numpy", *(["numpy.libs"] if len(jails._numpy_folders()) > 1 else [])],
        ["__init__.py", "_atomic.py", "_checks.py", "data", "errors.py", "gradcheck.py"],
    )
    allowed = ("/jail/coursekit/data/", "/jail/coursekit_jail/")
    rest = [f for f in names["found"] if not f.startswith(allowed)]
    assert rest == [f"/jail/coursekit/{n}.py" for n in ("__init__", "_atomic", "_checks", "errors", "gradcheck")]
    assert names["user"] != 0 and names["fds"] == [0, 1, 2, 3]
    assert not any("KEY" in name or "SECRET" in name or "PYTHON" in name for name in names["env"])
    assert len(names["env"]) < 10


def test_the_safe_parts_need_nothing_else_of_the_course():
    folder = stage()
    try:
        code = (
            f"import sys; sys.path.insert(0, {folder!r}); import coursekit, coursekit.errors, coursekit.gradcheck, "
            "coursekit.data as d; d.digits(); d.moons; "
            "print(sorted(m for m in sys.modules if m.startswith('coursekit')), coursekit.__file__)"
        )
        for name in ("numpy", "numpy.libs"):
            shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
        out = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
        assert out.returncode == 0, out.stderr
        loaded = out.stdout
        assert folder in loaded
        assert not any(
            f"coursekit.{part}'" in loaded for part in ("activations", "dense", "losses", "grading", "plotting")
        )
    finally:
        shutil.rmtree(folder)


def test_a_safe_part_that_holds_the_answer_of_a_sheet_is_withheld():
    assert safe_parts(["numerical_gradient"]) == {"gradcheck.py"}
    assert safe_parts(["spirals"]) == {"data"}
    assert safe_parts(["relu_forward"]) == set()
    folder = stage(frozenset({"gradcheck.py"}))
    try:
        assert not os.path.exists(f"{folder}/coursekit/gradcheck.py") and os.path.exists(
            f"{folder}/coursekit/errors.py"
        )
    finally:
        shutil.rmtree(folder)


def test_no_jail_means_no_marks(monkeypatch):
    monkeypatch.setattr(probes, "probe", lambda tier: Probe(tier, error="not here"))
    with pytest.raises(CourseError, match="allow-weak-jail"):
        choose_tier()
    assert choose_tier(allow_weak=True)[0] == "limits"
    monkeypatch.setattr(probes, "probe", lambda tier: Probe(tier, ("a",), ("sends over UDP",)))
    with pytest.raises(CourseError, match="sends over UDP"):
        choose_tier()
    monkeypatch.setattr(
        probes, "probe", lambda tier: Probe(tier, ("a",)) if tier == "landlock" else Probe(tier, error="x")
    )
    assert choose_tier()[0] == "landlock"


def test_a_missing_bubblewrap_is_named(monkeypatch):
    monkeypatch.setattr(jails.shutil, "which", lambda name: None if name == "bwrap" else "/usr/bin/" + name)
    assert "not installed" in probe("bubblewrap").error


def test_an_unknown_tier_is_refused():
    with pytest.raises(RangeError, match="bubblewrap"):
        Jail("paper")


def test_a_child_that_cannot_lock_never_runs_a_cell():
    if not works("bubblewrap"):
        pytest.skip("bubblewrap does not run here")
    with Jail("bubblewrap", landlock=["/nowhere"], filter="yes") as jail:
        pass
    with Jail("bubblewrap", uid="nobody") as jail, Session(jail, b"") as session:  # a uid that is no number
        session.cells = ["raise SystemExit"]
        with pytest.raises(JailError, match="does not lock"), session.question():
            session.namespace(["x"])


def test_the_weak_tier_still_ends_what_hangs():
    with Jail("limits", Limits(cell_seconds=0.5)) as jail, Session(jail, b"") as session:
        session.cells = ["while True: pass", "y = 2"]
        with session.question():
            assert session.namespace(["y"]) == {"y": 2}
        assert "did not end in time" in session.killed[1]


def run_filter(program, number, arguments=(), architecture=0xC000003E):
    """What the kernel would do: a small interpreter of the filter's instructions."""
    data = {0: number, 4: architecture}
    for i, value in enumerate(arguments):
        data[16 + 8 * i] = value & 0xFFFFFFFF
    accumulator, i = 0, 0
    while True:
        code, true, false, k = program[i]
        if code == lockdown.LOAD:
            accumulator, i = data.get(k, 0), i + 1
        elif code == lockdown.RETURN:
            return k
        else:
            hit = {
                lockdown.JEQ: accumulator == k,
                lockdown.JGE: accumulator >= k,
                lockdown.JSET: bool(accumulator & k),
            }[code]
            i += 1 + (true if hit else false)


def test_the_filter_refuses_what_it_should_and_nothing_else(monkeypatch):
    for machine, column, arch in (("x86_64", 0, 0xC000003E), ("aarch64", 1, 0xC00000B7)):
        monkeypatch.setattr(lockdown.platform, "machine", lambda machine=machine: machine)
        program = lockdown.seccomp_program(pid=7)
        assert all(0 <= t < 256 and 0 <= f < 256 for _, t, f, _ in program) and len(program) < 4096
        refused, absent, allow = lockdown.ERRNO | 1, lockdown.ERRNO | 38, lockdown.ALLOW
        special = {n[column] for n in lockdown.SPECIAL.values()}
        numbers = {n[column] for n in lockdown.REFUSED.values()}
        for number in range(lockdown.NEWEST + 1):
            if number not in special:
                assert run_filter(program, number, architecture=arch) == (refused if number in numbers else allow), (
                    number
                )
        assert run_filter(program, lockdown.NEWEST + 1, architecture=arch) == absent
        call = {name: n[column] for name, n in lockdown.SPECIAL.items()}

        def result(name, *args, program=program, call=call, arch=arch):
            return run_filter(program, call[name], args, arch)

        assert result("clone3", 0) == absent
        assert result("clone", 0x3D0F00) == allow  # a thread
        assert result("clone", 17) == refused and result("clone", 0x4111) == refused  # fork, vfork
        assert result("clone", 0x10000000 | 0x10000) == refused  # a thread in a user namespace
        assert result("kill", 7) == allow and result("kill", 8) == refused and result("kill", -1) == refused
        assert result("tgkill", 7, 9) == allow and result("tgkill", 8, 9) == refused
        assert result("prlimit64", 0) == allow and result("prlimit64", 7) == refused
        assert result("ioctl", 0, 0x5412) == refused and result("ioctl", 0, 0x5401) == allow
        assert run_filter(program, 0, architecture=0x40000003) == lockdown.KILL  # another machine's calls
    monkeypatch.setattr(lockdown.platform, "machine", lambda: "x86_64")
    assert run_filter(lockdown.seccomp_program(7), 0x40000000) == lockdown.KILL  # x32


def as_ordinary_user(*command):
    """A command as user 1000, with Python readable although it may lie under /root."""
    home = pathlib.Path(sys.base_prefix)
    see = []
    if home.parts[1] == "root":
        see = ["--perms", "0755", "--tmpfs", "/root"]
        for folder in [*home.parents][-3::-1]:
            see += ["--perms", "0755", "--dir", str(folder)]
        see += ["--ro-bind", str(home), str(home)]
    return [
        "bwrap", "--dev-bind", "/", "/", *see, "setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups",
        "--bounding-set=-all", "--inh-caps=-all", "env", "HOME=/tmp", *command,
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(os.geteuid() != 0, reason="we are an ordinary user already")
@needs_bubblewrap
@pytest.mark.parametrize("part", ["bubblewrap", "landlock", "bare"])
def test_all_attacks_again_as_an_ordinary_user(part):
    command = [sys.executable, "-m", "pytest", "tests/attacks", "-q", "-p", "no:cacheprovider"]
    command += ["-x", "-k", part, "--basetemp", "/tmp/coursekit-attacks-1000"]
    done = subprocess.run(as_ordinary_user(*command), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "passed" in done.stdout


def test_a_grader_that_gets_no_processor_costs_nobody_time(monkeypatch):
    """Between two looks at the child it is itself without a processor for longer than a call may take."""
    from coursekit.grading.sealed import session as sessions

    stolen, real, started = [0.0], sessions._ready, []

    def ready(sock, event, seconds):
        found = real(sock, event, seconds)
        if started:
            time.sleep(0.15)
            stolen[0] += 0.15
        return found

    monkeypatch.setattr(sessions, "_ready", ready)
    monkeypatch.setattr(sessions, "_own_delay", lambda: stolen[0])
    with Jail("limits", Limits(call_seconds=0.1, cell_seconds=0.1)) as jail, Session(jail, b"") as session:
        session.cells = ["def f(x): return x"]
        with session.question():
            f = session.namespace(["f"])["f"]
            started.append(True)
            assert f(3) == 3
