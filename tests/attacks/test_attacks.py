"""Every attack earns nothing, harms nobody and leaves nothing behind; every honest notebook earns its points."""

import json
import os
import pathlib
import socket
import time

import pytest
from files import FILES
from notebooks import ATTACKS, CONTROLS, FORGE, HONEST, LENT, RIGHT, notebook, with_answer, with_lent

from coursekit.grading import cases
from coursekit.grading.sealed.grade import grade_bytes, public_message
from coursekit.grading.sealed.jail import Jail, Limits
from coursekit.grading.sealed.probe import probe

HERE = pathlib.Path(__file__).parent
KEY = b"a key of at least sixteen bytes"
LIMITS = Limits(call_seconds=0.6, cell_seconds=0.6, question_seconds=8.0)


def sample_sheet():
    path = HERE / "99_sample.py"
    return cases._read_sheet("99", path, path.stat().st_mtime_ns)


def points(record):
    return [record["questions"][f"99.{i}"]["points"] for i in (1, 2, 3)]


def descendants(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


JAILS = {"bubblewrap": ("bubblewrap", {}), "landlock": ("landlock", {}), "bare": ("landlock", {"namespaces": ""})}


def jails():
    """The jails that run here; "bare" is Landlock where the kernel gives us no namespaces, as in most containers."""
    return [name for name, (tier, layers) in JAILS.items() if probe(tier, **layers).safe] or ["bubblewrap"]


@pytest.fixture(scope="module", params=jails())
def jail(request):
    tier, layers = JAILS[request.param]
    with Jail(tier, LIMITS, **layers) as running:
        yield running


@pytest.fixture(scope="module")
def sheet():
    return sample_sheet()


@pytest.fixture(scope="module")
def listeners():
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        yield tcp, udp


def grade(jail, sheet, data):
    return grade_bytes(jail, data, sheet, KEY)


def test_an_honest_notebook_earns_all_points(jail, sheet):
    assert points(grade(jail, sheet, notebook(*HONEST))) == [3, 5, 3]


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_earns_nothing_and_harms_nobody(jail, sheet, listeners, name):
    tcp, udp = listeners
    code = ATTACKS[name].replace("TCP_PORT", str(tcp.getsockname()[1])).replace("UDP_PORT", str(udp.getsockname()[1]))
    server = jail._process.pid
    before = len(descendants(server))
    started = time.monotonic()
    record = grade(jail, sheet, with_answer(code))
    assert points(record) == [3, 0, 3], record["questions"]["99.2"]["cases"]
    assert time.monotonic() - started < 30
    json.dumps(record, ensure_ascii=False).encode()  # no lone surrogates
    for case in record["questions"]["99.2"]["cases"]:
        assert case["status"] != "passed" and len(case["message"]) > 5
        if case["hidden"]:
            assert public_message(case).startswith(("A hidden case", "Your code"))
            assert len(public_message(case)) < 80
    assert len(descendants(server)) == before, "something is left running"
    honest = grade(jail, sheet, notebook(*HONEST))
    assert points(honest) == [3, 5, 3], f"a classmate was harmed: {honest['questions']['99.2']['cases']}"
    assert jail._process.pid == server and jail._process.poll() is None, "the jail had to be started again"
    with pytest.raises(BlockingIOError):
        udp.recv(100)
    assert os.path.isdir("/tmp")


@pytest.mark.parametrize("name", LENT)
def test_a_lent_function_harms_nobody(jail, sheet, name):
    server = jail._process.pid
    before = len(descendants(server))
    record = grade(jail, sheet, with_lent(LENT[name]))
    assert points(record) == [3, 5, 2], record["questions"]["99.3"]["cases"]
    assert len(descendants(server)) == before, "something is left running"
    honest = grade(jail, sheet, notebook(*HONEST))
    assert points(honest) == [3, 5, 3], f"a classmate was harmed: {honest['questions']['99.2']['cases']}"
    assert jail._process.pid == server and jail._process.poll() is None, "the jail had to be started again"


@pytest.mark.parametrize("name", FILES)
def test_a_file_made_to_harm_its_reader_gets_a_clear_record(jail, sheet, name):
    data, earned, word = FILES[name]
    started, server = time.monotonic(), jail._process.pid
    record = grade(jail, sheet, data)
    assert points(record) == earned and time.monotonic() - started < 30
    text = json.dumps(record, ensure_ascii=False)
    text.encode()  # no lone surrogates
    assert word in text, "nothing says why"
    assert jail._process.pid == server and jail._process.poll() is None, "the jail had to be started again"


def test_after_them_a_classmate_has_all_points(jail, sheet):
    assert points(grade(jail, sheet, notebook(*HONEST))) == [3, 5, 3] and not descendants(jail._process.pid)[2:]


@pytest.mark.parametrize("name", CONTROLS)
def test_honest_control_earns_all_points(jail, sheet, name):
    if name == "files" and jail._layers:
        pytest.skip("without a mount namespace there is no place to write")
    record = grade(jail, sheet, with_answer(CONTROLS[name]))
    assert points(record) == [3, 5, 3], (record["notes"], record["questions"]["99.2"]["cases"])


def test_an_argument_changed_in_place_is_named_as_check_names_it(jail, sheet):
    code = CONTROLS["in place, on a copy"].replace("    x = x.copy()\n", "")
    record = grade(jail, sheet, with_answer(code))
    assert points(record) == [3, 0, 3]
    assert all("was changed in place" in case["message"] for case in record["questions"]["99.2"]["cases"])


def test_extra_and_reordered_cells_are_tolerated(jail, sheet):
    data = notebook("# notes", "", HONEST[0], *HONEST[:0:-1], "extra = 1", "   ")
    assert points(grade(jail, sheet, data)) == [3, 5, 3]


def test_a_killed_cell_is_skipped_and_named(jail, sheet):
    # the wrong answer makes the grader try again with all cells
    cells = [c if c != RIGHT else "def softmax(x): return x" for c in HONEST]
    record = grade(jail, sheet, notebook(*cells, "while True: pass", "import os; os._exit(1)", "late = 1"))
    assert points(record) == [3, 0, 3]
    assert "cell 6 did not end in time" in record["notes"][0] and "cell 7 ended the process" in record["notes"][1]


def test_many_hanging_cells_end(jail, sheet):
    started = time.monotonic()
    record = grade(jail, sheet, notebook(*HONEST[:2], *["while True: pass"] * 100, *HONEST[2:]))
    assert points(record) == [3, 5, 3]
    record = grade(jail, sheet, notebook(*HONEST[:2], *["while True: pass"] * 100))
    assert points(record) == [3, 0, 0] and time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("answers with nonsense", "is not one that our worker writes"),
        ("answers one byte at a time", "in time"),
        ("says that the jail failed", "does not belong to the question"),
        ("announces a huge answer", "is not one that our worker writes"),
        ("calls the grader's functions", "is not one that our worker writes"),
    ],
)
def test_a_forged_frame_is_named(jail, sheet, name, words):
    code = ATTACKS[name].replace("forge(frame({'id': 'start', 'failed': 'stop everything'}))\ndef", "def")
    record = grade(jail, sheet, with_answer(code))
    assert all(words in case["message"] for case in record["questions"]["99.2"]["cases"])


def test_a_frame_that_nobody_asked_for_is_named(jail, sheet):
    code = FORGE + "forge(frame({'id': '0', 'ok': 3}) * 2)"
    wrong = [c if c != RIGHT else "def softmax(x): return x" for c in HONEST]
    record = grade(jail, sheet, notebook(*wrong, code, "late = 1"))
    assert points(record) == [3, 0, 3]
    assert any("does not belong to the question" in note for note in record["notes"])
    thread = "import threading, time\ndef late():\n    time.sleep(0.1)\n    forge(frame({'id': '0', 'ok': 3}))\n"
    thread += "threading.Thread(target=late).start()\n"
    slow = notebook(*wrong, FORGE + thread, "import time\ntime.sleep(0.3)", "last = 1")
    assert points(grade(jail, sheet, slow)) == [3, 0, 3]


HOG = "import threading\nfor _ in range(8): threading.Thread(target=lambda: sum(range(10**12)), daemon=True).start()"
BUSY = "t = time.process_time()\nwhile time.process_time() - t < 0.2: pass"
HUNG = {
    "a loop": ["def softmax(x):\n    while True: pass"],
    "loops in many cells": ["while len([1]): pass"] * 6,
    "sleep in many cells": ["import time", *["time.sleep(0.25)"] * 20],
    "work in many cells": ["import time", *[BUSY] * 20],
    "threads beside sleep": [HOG, "import time", *["time.sleep(0.2)"] * 9],
    "a sleeping answer": ["import time\ndef softmax(x): time.sleep(0.25)"],
    "processes that end": ["import os\ndef softmax(x): os._exit(1)"],
}


def test_no_question_takes_two_seconds_more_than_it_may(jail, sheet):
    """In seconds of processor time and sleep, those of the grader with them; the largest is printed."""
    limits = Limits(call_seconds=0.3, cell_seconds=0.3, question_seconds=1.0)
    over = {}
    with Jail(jail.tier, limits, **jail._layers) as tight:
        for name, cells in HUNG.items():
            record = grade_bytes(tight, notebook(*HONEST[:1], *cells), sheet, KEY, ["99.2"])
            over[name] = record["questions"]["99.2"]["spent"] - limits.question_seconds
    print("\nseconds over the limit of a question:", {name: round(s, 2) for name, s in over.items()})
    assert max(over.values()) < 2
    assert over["sleep in many cells"] > -0.3 < over["work in many cells"], "they do not reach the limit"


BY_HAND = "_p(x)", "def _p(x):\n    p = np.exp(x)\n    return p / p.sum(-1, keepdims=True)"
UNSEEN = {
    "globals": ["globals()['softmax'] = lambda x: " + BY_HAND[0], BY_HAND[1]],
    "exec": ["exec(" + repr(RIGHT) + ")"],
    "a table": ["rule = {}", "def softmax(x): return rule['f'](x)", BY_HAND[1], "def put(): rule['f'] = _p", "put()"],
}


@pytest.mark.parametrize("cells", UNSEEN.values(), ids=UNSEEN)
def test_what_cannot_be_seen_in_the_cells_is_found_by_running_them_all(jail, sheet, cells):
    record = grade(jail, sheet, notebook(*[c for c in HONEST if c != RIGHT], *cells))
    assert points(record) == [3, 5, 3]


def test_demonstrations_that_no_answer_needs_are_not_run(jail, sheet):
    started = time.monotonic()
    assert points(grade(jail, sheet, notebook(*HONEST, *["import time; time.sleep(0.5)"] * 20))) == [3, 5, 3]
    assert time.monotonic() - started < 5


def test_a_hidden_case_cannot_speak_through_a_visible_one(jail, sheet):
    spy = "seen = []\ndef softmax(x):\n    seen.append(x.tolist())\n    raise ValueError(repr(seen))"
    record = grade(jail, sheet, with_answer(spy))
    spoken = [public_message(c) for c in record["questions"]["99.2"]["cases"]]
    hidden = next(c for c in record["questions"]["99.2"]["cases"] if c["hidden"])["message"]
    numbers = {n for n in hidden.replace("[", " ").replace("]", " ").replace(",", " ").split() if n.count(".") == 1}
    visible = " ".join(c["message"] for c in record["questions"]["99.2"]["cases"] if not c["hidden"])
    secret = {n for n in numbers if n not in visible}
    assert secret, "the hidden case was not even called"
    assert not any(n in text for n in secret for text in spoken)


def test_the_key_decides_the_inputs(jail, sheet):
    def inputs(key):
        spy = "def double(x): raise ValueError(repr(x.tolist()))"
        data = notebook(HONEST[0], spy)
        return grade_bytes(jail, data, sheet, key, ["99.1"])["questions"]["99.1"]["cases"][0]["message"]

    assert inputs(KEY) == inputs(KEY) != inputs(b"another key of enough bytes")
