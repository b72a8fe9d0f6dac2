"""Try to break out of a jail: the way to know that it holds on this machine.

Code that a cheating student could write runs in a real child, as a student's code would. A tier may be used for
marks when every attempt failed. The attempts do no harm where they succeed, but the tier without locks is never tried.
"""

from __future__ import annotations

import os
import pathlib
import secrets
import socket
import tempfile
from dataclasses import dataclass, replace

from ...errors import CourseError
from .jail import TIERS, Jail, JailError, Limits
from .session import Session, StudentError

__all__ = ["Probe", "choose_tier", "probe"]

# An `import x` that fails is noted and skipped by the worker, so each attempt ends in a use of what it imported.
_C = """import ctypes
c = ctypes.CDLL(None, use_errno=True)
def refused(result):
    if result < 0 and ctypes.get_errno() in (1, 3, 13, 38): raise OSError("refused")
"""
_ATTEMPTS = {
    "reads a file of the grader": "open({secret!r}).read()",
    "lists the grader's folder": "import os; os.listdir({folder!r})",
    "reads the password file": "open('/etc/passwd').read()",
    "writes a file of the grader": "open({secret!r}, 'a').write('x')",
    "connects over TCP": "import socket; socket.create_connection(('127.0.0.1', {tcp}), 1)",
    "sends over UDP": """import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {udp}))""",
    "starts a process": "import os\nif os.fork() == 0: os._exit(0)",
    "starts a program": "import subprocess; subprocess.run(['/bin/true'], check=True)",
    "signals the grader": "import os; os.kill({pid}, 0)",
    "signals everybody": "import os; os.kill(-1, 0)",
    "reads memory of the grader": _C
    + """v = (ctypes.c_uint64 * 2)({address}, 8)
b = (ctypes.c_uint64 * 2)(ctypes.addressof(v), 8)
refused(c.process_vm_readv({pid}, b, 1, v, 1, 0))""",
    "makes a user namespace": _C + "refused(c.unshare(0x10000000))",
    "mounts a file system": _C + "refused(c.mount(b'x', b'/', b'nothing', 0, None))",
    "takes 4 GB of memory": "x = bytearray(4 << 30)",
    "fills the disk": """for i in range(64):
    with open(f'/tmp/{{i}}', 'wb') as f: f.write(bytes(1 << 20))""",
    "imports a reference": "import coursekit.dense as d\nd.affine_forward",
    "imports a graded case": """import coursekit.grading.cases as c
if type(c).__name__ == 'Quiet': raise ImportError
c.load_sheet('05')""",
    "finds the package": """import sys
sys.path[:0] = {paths!r}
for m in [m for m in sys.modules if m.startswith('coursekit')]: del sys.modules[m]
from coursekit.dense import affine_forward
affine_forward""",
}
# Each import is used: one that fails is noted and skipped, and a probe that skips cannot fail.
_HONEST = """
import decimal, json, statistics
import numpy as np
from coursekit import data
x = data.digits(), statistics.mean([1]), decimal.Decimal(1), json.dumps(1)
y = np.unique([1, 2]), np.median([1.0]), np.fft.fft([1.0]), np.ma.masked_array([1]), np.linalg.inv(np.eye(2))
z = np.polynomial.Polynomial([1, 2])(3), np.random.default_rng(0).normal(), np.char.upper(["a"])
"""
_WITHOUT = (
    "honest code does not run in it: its user cannot read all of Python and NumPy. They are installed where only you "
    "can enter, or under the temporary folder, which is another one inside: install them elsewhere"
)


@dataclass(frozen=True)
class Probe:
    """What was tried in a tier: `broken` are the attempts that succeeded, `error` says why it does not even start."""

    tier: str
    held: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    error: str = ""

    @property
    def safe(self) -> bool:
        """Whether the tier may be used for marks."""
        return not self.error and not self.broken and bool(self.held)


def probe(tier: str, **layers) -> Probe:
    """Run a jail and try to break out of it."""
    if tier == "limits":
        return Probe(tier, broken=("is not stopped by anything but resource limits",))
    package = pathlib.Path(__file__).resolve().parents[3]
    limits = replace(Limits(), cell_seconds=20.0)
    with tempfile.TemporaryDirectory() as folder, _listener("tcp") as tcp, _listener("udp") as udp:
        os.chmod(folder, 0o755)
        secret = pathlib.Path(folder, secrets.token_hex(8))
        secret.write_text("secret")
        secret.chmod(0o666)
        facts = {
            "secret": str(secret),
            "folder": folder,
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "pid": os.getpid(),
            "address": id(secret),
            "paths": [str(package), *(p for p in __import__("sys").path if p)],
        }
        held: list[str] = []
        broken: list[str] = []
        try:
            with Jail(tier, limits, **layers) as jail:
                if _stopped(jail, _HONEST):
                    return Probe(tier, error=_WITHOUT)
                for name, code in _ATTEMPTS.items():
                    (held if _stopped(jail, code.format(**facts)) else broken).append(name)
                if tier == "bubblewrap" and jail.interfaces not in (["lo"], []):
                    broken.append("sees a network interface")
        except (JailError, OSError) as error:
            return Probe(tier, error=str(error))
        if udp_arrived(udp):
            broken.append("a UDP packet arrived")
        return Probe(tier, tuple(held), tuple(broken))


def _stopped(jail, code):
    """Whether an attempt raised an exception or killed its process; it counts as a success when it got to its end."""
    done = "broke_out_" + secrets.token_hex(4)
    with Session(jail, b"") as session:
        session.cells = [f"{code}\n{done} = True"]
        with session.question():
            try:
                return not session.namespace([done])
            except StudentError:
                return True


def udp_arrived(udp) -> bool:
    """Whether a packet is waiting at the socket."""
    udp.setblocking(False)
    try:
        return bool(udp.recv(10))
    except BlockingIOError:
        return False


def _listener(kind):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    if kind == "tcp":
        sock.listen()
    return sock


def choose_tier(allow_weak: bool = False) -> tuple[str, list[Probe]]:
    """The strongest tier that holds here, and what was tried; CourseError when none does and weak ones are refused."""
    tried = []
    for tier in TIERS[:2]:
        tried.append(probe(tier))
        if tried[-1].safe:
            return tier, tried
    if allow_weak:
        return "limits", tried
    why = "; ".join(f"{p.tier}: {p.error or 'code ' + ', '.join(p.broken)}" for p in tried)
    raise CourseError(
        f"no jail holds on this machine ({why}). Install bubblewrap (apt-get install bubblewrap), or grade in a Linux "
        "container. With --allow-weak-jail there are resource limits only: never for code that you do not trust"
    )
