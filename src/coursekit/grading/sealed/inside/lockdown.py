"""The locks of the jail, in the order in which a child puts them on. Linux only, through ctypes: nothing to install.

Namespaces hide other processes, networks and files; Landlock allows a list of files; seccomp takes away the system
calls for processes, sockets, namespaces, tracing and signals to others; resource limits bound the rest. Whatever a
tier asks for and the kernel refuses is an error: a child that is not locked never runs a student's code.
"""

import ctypes
import errno
import os
import platform
import resource
import struct

LIBC = ctypes.CDLL(None, use_errno=True)

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
NAMESPACES = NEWNS | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET | 0x2000000 | 0x80  # and cgroup, time
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38


def _check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


# --- namespaces ---------------------------------------------------------------------------------------------------


def unshare(flags):
    """Leave namespaces; children go to new ones."""
    _check(LIBC.unshare(flags), "unshare")


def private_tmp(size, inodes):
    """An empty /tmp in memory that only this mount namespace sees."""
    _check(LIBC.mount(b"none", b"/", None, 0x4000 | 0x40000, None), "mount private")
    options = f"size={size},nr_inodes={inodes},mode=1777".encode()
    _check(LIBC.mount(b"tmpfs", b"/tmp", b"tmpfs", 2 | 4 | 8, options), "mount /tmp")


def map_user(uid, gid):
    """Keep one's ids in a new user namespace."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as f:
            f.write(text)


# --- users and capabilities ---------------------------------------------------------------------------------------


def become(uid):
    """Be an unprivileged user for good."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def drop_capabilities():
    """Give up every capability, and any way to get one back."""
    for capability in range(64):
        if LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break  # EPERM: has none to drop; EINVAL: past the last one
    header = struct.pack("<Ii", 0x20080522, 0)
    _check(LIBC.capset(header, bytes(24)), "capset")
    _check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    data = ctypes.create_string_buffer(24)
    _check(LIBC.capget(ctypes.create_string_buffer(header, 8), data), "capget")
    if any(data.raw):
        raise OSError(errno.EPERM, "capabilities are left")


def die_with_parent():
    """Be killed when the parent ends."""
    _check(LIBC.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "pdeathsig")


# --- resource limits ----------------------------------------------------------------------------------------------


def limit(memory, cpu_seconds, file_size, files, tasks):
    """Resource limits, where the system has them."""
    wanted = {
        "RLIMIT_AS": memory,
        "RLIMIT_CPU": cpu_seconds,
        "RLIMIT_FSIZE": file_size,
        "RLIMIT_NOFILE": files,
        "RLIMIT_NPROC": tasks,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_SIGPENDING": 64,
    }
    for name, value in wanted.items():
        which = getattr(resource, name, None)
        if which is not None and value is not None:
            hard = resource.getrlimit(which)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(which, (value, value))


# --- Landlock -----------------------------------------------------------------------------------------------------

READ = (1 << 0) | (1 << 2) | (1 << 3)  # execute (map), read a file, read a directory
FILE_RIGHTS = (1 << 0) | (1 << 1) | (1 << 2) | (1 << 14) | (1 << 15)


def landlock_version():
    """The version of the kernel's Landlock; 0 when there is none."""
    return max(0, LIBC.syscall(444, None, 0, 1))


def landlock(readable, writable):
    """From now on only these files and directories can be opened, and no TCP port used."""
    version = landlock_version()
    if version < 1:
        raise OSError(errno.ENOSYS, "this kernel has no Landlock")
    rights = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    network = 3 if version >= 4 else 0
    scope = 3 if version >= 6 else 0  # abstract sockets and signals to processes outside
    attributes = struct.pack("<QQQ", rights, network, scope)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = _check(LIBC.syscall(444, attributes, len(attributes), 0), "landlock ruleset")
    try:
        for paths, access in ((readable, READ), (writable, rights)):
            for path in paths:
                try:
                    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
                except OSError:
                    continue  # what is not there cannot be opened either
                try:
                    allowed = access & rights & (rights if os.path.isdir(path) else FILE_RIGHTS)
                    rule = struct.pack("<Qi", allowed, fd)
                    _check(LIBC.syscall(445, ruleset, 1, rule, 0), f"landlock rule for {path}")
                finally:
                    os.close(fd)
        _check(LIBC.syscall(446, ruleset, 0), "landlock")
    finally:
        os.close(ruleset)


# --- seccomp ------------------------------------------------------------------------------------------------------

# Numbers of the system calls that are refused: (x86_64, aarch64). None: that machine has no such call.
REFUSED = {
    # new processes and programs; clone is looked at below, clone3 hides its flags
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    # sockets; a pair of connected ones stays possible (asyncio needs it)
    "socket": (41, 198), "bind": (49, 200), "connect": (42, 203), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242),
    # namespaces, mounts, roots
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "tkill": (200, 130), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # memory and objects that outlive or escape the limits
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180), "userfaultfd": (323, 282), "mlock": (149, 228),
    "mlock2": (325, 284), "mlockall": (151, 230), "remap_file_pages": (216, 234),
    # the kernel's larger doors
    "bpf": (321, 280), "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "syslog": (103, 116), "acct": (163, 89), "swapon": (167, 224),
    "swapoff": (168, 225), "reboot": (169, 142), "quotactl": (179, 60), "personality": (135, 92),
    "modify_ldt": (154, None), "iopl": (172, None), "ioperm": (173, None), "lookup_dcookie": (212, 18),
    "vmsplice": (278, 75), "fanotify_init": (300, 262), "prctl": (157, 167), "seccomp": (317, 277),
    "landlock_restrict_self": (446, 446), "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145),
    "setresuid": (117, 147), "setresgid": (119, 149), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "sethostname": (170, 161),
}  # fmt: skip
SPECIAL = {"clone": (56, 220), "clone3": (435, 435), "kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261),
           "ioctl": (16, 29)}  # fmt: skip
NEWEST = 462  # calls that came later are unknown here, so they do not exist here
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
TIOCSTI, TIOCLINUX = 0x5412, 0x541C

LOAD, JEQ, JGE, JSET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


def seccomp_program(pid):
    """The filter, as instructions (code, jump if true, jump if false, constant), for the process `pid`."""
    column, architecture = ARCHITECTURES[platform.machine()]
    refuse, absent = (RETURN, 0, 0, ERRNO | errno.EPERM), (RETURN, 0, 0, ERRNO | errno.ENOSYS)
    allow = (RETURN, 0, 0, ALLOW)
    program = [(LOAD, 0, 0, 4), (JEQ, 1, 0, architecture), (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)]
    program += [(JGE, 0, 1, 0x40000000), (RETURN, 0, 0, KILL)]  # the x32 interface
    program += [(JGE, 0, 1, NEWEST + 1), absent]
    for numbers in REFUSED.values():
        if numbers[column] is not None:
            program += [(JEQ, 0, 1, numbers[column]), refuse]
    number = {name: numbers[column] for name, numbers in SPECIAL.items()}
    program += [(JEQ, 0, 1, number["clone3"]), absent]  # the C library then uses clone
    # clone: threads only (CLONE_THREAD set, no namespace flag)
    program += [(JEQ, 0, 5, number["clone"]), (LOAD, 0, 0, 16), (JSET, 1, 0, NAMESPACES), (JSET, 1, 0, 0x10000)]
    program += [refuse, allow]
    for name in ("kill", "tgkill"):  # only itself
        program += [(JEQ, 0, 4, number[name]), (LOAD, 0, 0, 16), (JEQ, 1, 0, pid), refuse, allow]
    program += [(JEQ, 0, 4, number["prlimit64"]), (LOAD, 0, 0, 16), (JEQ, 1, 0, 0), refuse, allow]
    program += [(JEQ, 0, 5, number["ioctl"]), (LOAD, 0, 0, 24), (JEQ, 1, 0, TIOCSTI), (JEQ, 0, 1, TIOCLINUX)]
    program += [refuse, allow]
    return [*program, allow]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def seccomp(pid):
    """Put the filter on, for this process and its threads, for good."""
    code = b"".join(struct.pack("<HBBI", *line) for line in seccomp_program(pid))
    program = _Program(len(code) // 8, code)
    _check(LIBC.prctl(22, 2, ctypes.byref(program), 0, 0), "seccomp")
