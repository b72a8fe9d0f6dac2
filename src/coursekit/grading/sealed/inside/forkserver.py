r"""Starts one locked child a question. Runs in the outer jail, has imported NumPy already, never runs a student's code.

    grader --- control socket --- fork server --- keeper (new namespaces, one a question)
       \                                            |
        ------------ channel socket -------------- child (locked down, then the worker)

Starting Python and NumPy takes 0.15 s, a fork a few milliseconds: that is why there is a server. The child cannot
reach it: it has a process namespace of its own, no inherited file but the channel, another user when the grader is
root, and no system call that could touch another process.
"""

import json
import os
import signal
import socket
import sys

CHANNEL = 3
LINUX = sys.platform == "linux"


def main(control_fd):
    """Serve spawn and reap requests until the grader hangs up."""
    control = socket.socket(fileno=control_fd)
    config = json.loads(control.recv(1 << 18))
    sys.path[:0] = config["path"]
    import numpy  # noqa: F401  the children start with it

    from . import cells, worker  # noqa: F401

    if LINUX:
        from . import lockdown  # noqa: F401
    warm()
    import gc

    gc.collect()
    gc.freeze()
    control.send(json.dumps({"ready": os.getpid(), "interfaces": interfaces()}).encode())
    keeper = None
    while True:
        message, fds, _, _ = socket.recv_fds(control, 1 << 16, 1)
        if not message:
            stop(keeper)
            os._exit(0)
        # A request carries a token that its answer repeats: who asked may have died before it read the answer.
        word, _, token = message.decode().partition(" ")
        if word == "spawn":
            stop(keeper)
            keeper = spawn(config, fds[0], control)
            os.close(fds[0])
            control.send(json.dumps({"for": token}).encode())
        elif word == "reap":
            control.send(json.dumps({**stop(keeper), "for": token}).encode())
            keeper = None


def warm():
    """Do once, before the fork, what the first call of a child would do."""
    import asyncio.runners  # noqa: F401
    import encodings.idna  # noqa: F401
    import linecache  # noqa: F401

    import numpy as np
    import numpy.linalg
    import numpy.random

    from . import protocol

    out = []
    node = protocol.encode((np.random.default_rng(0), np.eye(2) @ np.eye(2), {"a": [1, 2.0]}), out)
    protocol.decode(
        *protocol.unpack(protocol.pack({"n": node}, out)[12:][: -sum(map(len, out))], b"".join(out))[0].values(), out
    )


def interfaces():
    """The network interfaces that can be seen from here."""
    return [name for _, name in socket.if_nameindex()]


def spawn(config, channel, control):
    """Start a child; returns (pid of its keeper, the pipe that the keeper reports through)."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return pid, read
    try:
        os.close(read)
        keep(config, channel, control, write)
    except BaseException as error:
        failed(channel, error)
    finally:
        os._exit(97)


def keep(config, channel, control, report):
    """The keeper: makes the namespaces, starts the child in them, reports its pid and how it ended."""
    control.close()
    os.setsid()
    lock = None
    if LINUX:
        from . import lockdown as lock

        lock.die_with_parent()
    scratch = bool(config["namespaces"]) and make_namespaces(lock, config)
    pid = os.fork()
    if pid == 0:
        try:
            os.close(report)
            child(lock, config, channel, scratch)
        except BaseException as error:
            failed(channel, error)
        finally:
            os._exit(97)
    os.close(channel)
    os.write(report, pid.to_bytes(4, "little"))
    _, status, usage = os.wait4(pid, 0)
    answer = {
        "status": os.waitstatus_to_exitcode(status),
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_kb": usage.ru_maxrss,
    }
    os.write(report, json.dumps(answer).encode())
    os._exit(0)


def make_namespaces(lock, config):
    """A process namespace and an empty /tmp of one's own; without bubblewrap around, a network namespace too.

    Whether it worked; where the kernel does not let us, the filter and Landlock do without, and there is no /tmp.
    """
    flags = lock.NEWNS | lock.NEWPID | lock.NEWIPC | lock.NEWUTS
    if config["namespaces"] == "try":
        uid, gid = os.getuid(), os.getgid()
        try:
            lock.unshare(flags | lock.NEWNET | (lock.NEWUSER if uid else 0))
        except OSError:
            return False
        if uid:
            lock.map_user(uid, gid)
    else:
        lock.unshare(flags)
    lock.private_tmp(config["scratch"], config["inodes"])
    return True


def child(lock, config, channel, scratch):
    """Lock down for good, then serve the worker's requests."""
    os.setsid()
    os.dup2(channel, CHANNEL)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.closerange(CHANNEL + 1, 4096)
    try:
        os.chdir("/tmp")
    except OSError:
        os.chdir("/")
    if config["uid"] is not None:
        lock.become(config["uid"])
    if lock:
        lock.die_with_parent()  # again: becoming another user has undone it
        lock.limit(**limits(config))
        if config["locked"]:
            lock.drop_capabilities()
        if config["landlock"] is not None:
            lock.landlock(config["landlock"], ["/dev/null", *(["/tmp"] if scratch else [])])
        if config["filter"]:
            lock.seccomp(os.getpid())
    else:
        weak_limits(config)
    from . import worker

    worker.Worker(socket.socket(fileno=CHANNEL)).serve()
    os._exit(0)


def limits(config):
    """The resource limits of the configuration; the bound on tasks counts what the user runs already."""
    wanted = dict(config["limits"])
    if config["count_tasks"]:
        wanted["tasks"] += own_tasks()
    return wanted


def own_tasks():
    """How many tasks this user has, where there is no user of the child's own to bound."""
    count = 0
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                if os.stat(f"/proc/{entry}").st_uid == os.getuid():
                    count += len(os.listdir(f"/proc/{entry}/task"))
            except OSError:
                pass
    return count


def weak_limits(config):
    """Resource limits alone: what is left where there is no Linux."""
    import resource

    for name, key in (
        ("RLIMIT_AS", "memory"),
        ("RLIMIT_CPU", "cpu_seconds"),
        ("RLIMIT_FSIZE", "file_size"),
        ("RLIMIT_NOFILE", "files"),
    ):
        try:
            resource.setrlimit(getattr(resource, name), (config["limits"][key],) * 2)
        except (ValueError, OSError):
            pass  # macOS refuses some


def failed(channel, error):
    """Tell the grader why there is no child."""
    from . import protocol

    try:
        text = f"{type(error).__name__}: {error}"[:400]
        os.write(channel, protocol.pack({"id": "start", "failed": text}))
    except OSError:
        pass


def stop(keeper):
    """Kill the child, and all that it started, if it is still there; says how it ended."""
    if keeper is None:
        return {}
    pid, report = keeper
    data = os.read(report, 4)
    if len(data) == 4:
        try:
            os.kill(int.from_bytes(data, "little"), signal.SIGKILL)
        except ProcessLookupError:
            pass
    text = b""
    while part := os.read(report, 4096):
        text += part
    os.close(report)
    os.waitpid(pid, 0)
    return json.loads(text) if text else {"status": 97}


if __name__ == "__main__":
    main(int(sys.argv[1]))
