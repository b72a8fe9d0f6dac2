"""Make .venv and install the course into it: `python tools/install.py EXTRA [EXTRA ...]`.

Only the standard library is used, because nothing else is there yet. The versions are those of constraints.txt, one
set that was tested together; `make ... CONSTRAINTS=` takes the newest ones instead. Every failure ends in one sentence
that says what to do, and in a non-zero exit.
"""

import os
import shutil
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

# PyTorch is installed first and alone, so that nothing else can pull in another build of it. PyPI's Linux build carries
# CUDA (some 3 GB); PyTorch's own index has the CPU build (200 MB), which is all that the course needs.
WITHOUT_TORCH = {"grading", "cluster"}  # extras that never use it
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

NO_NETWORK = (
    "NewConnectionError",
    "NameResolutionError",
    "Temporary failure",
    "ConnectTimeout",
    "ProxyError",
    "timed out",
)


def say(text):
    """Print one line of progress at once, also when the output is a file."""
    print(text, flush=True)


def stop(text):
    """End with a sentence that says what is wrong and what to do."""
    sys.exit("\n" + text)


def pip(*args):
    """Run pip in .venv, showing its progress; on failure say which of the usual reasons it was."""
    command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *args]
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    errors = []
    for line in process.stderr:
        errors.append(line)
        sys.stderr.write(line)
    if process.wait() == 0:
        return
    text = "".join(errors)
    if any(word in text for word in NO_NETWORK):
        stop(
            "Installing failed: the package index could not be reached. Is this machine online? Behind a proxy, set "
            "HTTPS_PROXY; then run the same command again (what was fetched is kept)."
        )
    if "No space left" in text:
        stop("Installing failed: the disk is full. The environment needs about 2 GB in .venv.")
    stop(
        "Installing failed: pip's message above says why. Nothing else was changed; run the same command again when it "
        "is mended, or `make clean` first to start afresh. (Python here: {}.{}.)".format(*sys.version_info[:2])
    )


def reachable(url):
    """Tell whether a page can be fetched within a few seconds."""
    try:
        with urllib.request.urlopen(url + "/torch/", timeout=6):
            return True
    except (OSError, ValueError):
        return False


def works():
    """Tell whether .venv holds a Python with pip that runs and is new enough."""
    if not PYTHON.exists():
        return False
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([str(PYTHON), "-c", check], capture_output=True).returncode == 0


def make_venv():
    """Create .venv, or make it anew if it was left unusable (a Python that is gone, an interrupted install)."""
    if works():
        return
    if VENV.exists():
        say("The environment in .venv does not run any more: making it anew.")
        shutil.rmtree(VENV)
    say("[1/3] Making .venv with Python {}.{}.{}".format(*sys.version_info[:3]))
    try:
        venv.create(VENV, with_pip=True)
    except (subprocess.CalledProcessError, OSError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        stop(
            f"Python could not make a virtual environment ({error}). On Debian and Ubuntu its venv module is a package "
            "of its own: install python3-venv, then run the same command again."
        )
    if not works():
        shutil.rmtree(VENV, ignore_errors=True)
        stop(
            "Python made a virtual environment without pip. On Debian and Ubuntu install python3-venv, then run the "
            "same command again."
        )


def torch_pin(constraints):
    """Return `torch==...` as the constraints file pins it, or `torch` when there is no pin."""
    lines = (ROOT / constraints).read_text().splitlines() if constraints else []
    return next((line.strip() for line in lines if line.startswith("torch==")), "torch")


def has(pin):
    """Tell whether .venv already holds that package in that version (a suffix such as +cpu does not count)."""
    name, _, version = pin.partition("==")
    check = f"import importlib.metadata as m; print(m.version({name!r}).split('+')[0])"
    done = subprocess.run([str(PYTHON), "-c", check], capture_output=True, text=True)
    return done.returncode == 0 and version in ("", done.stdout.strip())


def main(extras):
    """Make the environment, then install PyTorch, then the course with these extras."""
    constraints = os.environ.get("CONSTRAINTS", "constraints.txt")
    pins = ["-c", ROOT / constraints] if constraints else []
    make_venv()
    pip("pip>=24")  # older ones search for hours, and fetch gigabytes, where two pins cannot both be had
    torch = torch_pin(constraints)
    if set(extras) - WITHOUT_TORCH and not has(torch):
        say(f"[2/3] Installing {torch} (the largest part: 200 MB where its CPU build can be had)")
        index = ["--extra-index-url", TORCH_CPU_INDEX] if sys.platform == "linux" and reachable(TORCH_CPU_INDEX) else []
        pip(torch, *pins, *index)
    say(f"[3/3] Installing the course and what it needs (extras: {', '.join(extras)})")
    pip("-e", f"{ROOT}[{','.join(extras)}]", *pins)


if __name__ == "__main__":
    main(sys.argv[1:] or ["book"])
