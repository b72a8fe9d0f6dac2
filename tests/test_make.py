"""What `make` does when a machine is not as it should be: a clear sentence and a failure, never a hang."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def program(folder, name, text):
    """Put a small shell script on a made-up PATH."""
    path = folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return path


def find_python(path, **environment):
    return subprocess.run(
        ["/bin/sh", ROOT / "tools" / "find-python"],
        capture_output=True,
        text=True,
        env={"PATH": str(path), **environment},
    )


# This Python, made to believe that it is another version.
AS_VERSION = f"""exec {sys.executable} -c 'import sys; sys.version_info = (3, %d, 1); exec(sys.argv[1])' "$2"\n"""


def test_that_a_python_that_is_too_old_is_named(tmp_path):
    program(tmp_path, "python3", AS_VERSION % 10)
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "needs Python 3.11 or newer, but python3 is 3.10;" in done.stderr
    assert "make book PYTHON=" in done.stderr


def test_that_a_newer_python_beside_an_old_one_is_taken(tmp_path):
    program(tmp_path, "python3", AS_VERSION % 9)
    newer = program(tmp_path, "python3.13", AS_VERSION % 11)
    assert find_python(tmp_path).stdout.strip() == str(newer)


def test_that_no_python_at_all_is_said(tmp_path):
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert "no Python was found" in done.stderr


def test_that_the_python_that_was_named_is_the_one_that_is_taken(tmp_path):
    program(tmp_path, "python3", "exit 0\n")
    mine = program(tmp_path, "mine", "exit 0\n")
    assert find_python(tmp_path, PYTHON=str(mine)).stdout.strip() == str(mine)
    assert find_python(tmp_path, PYTHON="gone").returncode == 1


@pytest.fixture
def tree(tmp_path):
    """What installing needs of the repository, with a Makefile, in a folder of its own."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "tools"):
        source = ROOT / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name)
    return tmp_path


def make(tree, *goals, **environment):
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    settings = {**kept, "PIP_RETRIES": "1", "PIP_TIMEOUT": "3", **environment}
    return subprocess.run(
        ["make", *goals], cwd=tree, env=settings, capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL
    )


@pytest.mark.slow
def test_that_no_network_is_said_in_a_sentence(tree):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        index = f"http://127.0.0.1:{taken.getsockname()[1]}/simple"
        done = make(tree, "build", PIP_INDEX_URL=index, PIP_CONFIG_FILE=os.devnull, PYTHON=sys.executable)
    assert done.returncode != 0
    assert "Installing failed: the package index could not be reached" in done.stderr
    assert not (tree / ".venv" / ".test").exists()


@pytest.mark.slow
def test_that_a_python_without_venv_is_said_in_a_sentence(tree):
    crippled = tree / "crippled"
    crippled.mkdir()
    (crippled / "venv.py").write_text("def create(*args, **kwargs):\n    raise OSError('ensurepip is not available')\n")
    done = make(tree, "build", PYTHONPATH=str(crippled), PYTHON=sys.executable)
    assert done.returncode != 0
    assert "install python3-venv" in done.stderr
    assert not (tree / ".venv").exists()


def test_that_the_goals_are_listed(tree):
    done = make(tree)
    assert done.returncode == 0
    for goal in (
        "book",
        "build",
        "dev",
        "try",
        "test",
        "claims",
        "notebooks",
        "lab",
        "bench",
        "check",
        "browser",
        "jail",
        "clean",
    ):
        assert f"make {goal} " in done.stdout


@pytest.fixture
def served(tmp_path):
    """Start the server on a small book; give its process and the lines that it printed."""
    (tmp_path / "index.html").write_text("<p>Hello")
    (tmp_path / "worker.mjs").write_text("")
    started = []

    def serve(*arguments):
        command = [sys.executable, "-u", ROOT / "tools" / "serve.py", "--directory", tmp_path, *arguments]
        # A shell starts what runs in its background with Ctrl-C ignored; the server is to be stopped by it.
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        signal.signal(signal.SIGINT, before)
        started.append(process)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "http://" in line:
                break
        return process, "".join(lines)

    yield serve
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_that_the_book_is_served_at_the_printed_address(served):
    port = free_port()
    _, said = served("--port", str(port))
    assert f"The book is at http://127.0.0.1:{port}/" in said
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        assert answer.read() == b"<p>Hello"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/worker.mjs") as answer:
        assert answer.headers["Content-Type"] == "text/javascript"


def test_that_a_wrong_address_gets_the_books_own_page(served, tmp_path):
    (tmp_path / "404.html").write_text('<base href="/course/"><h1>This page is not here</h1>')
    port = free_port()
    served("--port", str(port))
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/chapters/lost.html")
    assert error.value.code == 404
    assert error.value.read() == b'<base href="/"><h1>This page is not here</h1>'


def test_that_a_busy_port_is_said_and_the_next_one_taken(served):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, said = served("--port", str(port))
    assert f"Port {port} is busy, trying {port + 1}." in said
    assert f"http://127.0.0.1:{port}/" not in said
    assert "The book is at http://127.0.0.1:" in said


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_that_a_port_that_is_none_is_refused(served, port):
    process, said = served(f"--port={port}")
    process.wait(10)
    assert process.returncode != 0
    assert "PORT is" in said
    assert "make book PORT=9000" in said


def test_that_serving_before_building_says_what_to_do(tmp_path):
    command = [sys.executable, ROOT / "tools" / "serve.py", "--directory", tmp_path / "nothing"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "Build it first: make build" in done.stderr


def test_that_ctrl_c_ends_the_server_without_a_traceback(served):
    process, _ = served("--port", str(free_port()))
    time.sleep(0.2)
    process.send_signal(2)
    rest = process.stdout.read()
    assert process.wait(10) == 0
    assert "Traceback" not in rest
