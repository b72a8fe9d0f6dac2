"""Frames between the grader and the jail: what goes in comes out, and nothing else can be built from them."""

import json
import math
import socket
import struct

import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coursekit.grading.sealed.inside import protocol as p
from coursekit.grading.sealed.jail import Limits
from coursekit.grading.sealed.session import Handle, Session, StudentError

numbers = st.none() | st.booleans() | st.integers(-(2**200), 2**200) | st.floats() | st.text(max_size=20)
numbers |= st.complex_numbers()
arrays = hnp.arrays(
    st.sampled_from([np.dtype(t) for t in p.DTYPES]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
keys = st.text(max_size=5) | st.integers(-5, 5) | st.tuples(st.integers(), st.text(max_size=2))
values = st.recursive(
    numbers | arrays,
    lambda v: st.lists(v, max_size=4) | st.tuples(v, v) | st.dictionaries(keys, v, max_size=4),
    max_leaves=12,
)


def travel(value):
    blobs = []
    frame = p.pack({"ok": p.encode(value, blobs)}, blobs)
    header, body = p.sizes(frame[:12])
    head, parts = p.unpack(frame[12 : 12 + header], frame[12 + header :])
    assert len(frame) == 12 + header + body
    return p.decode(head["ok"], parts)


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


@given(values)
@settings(max_examples=examples(300), deadline=None)
def test_what_goes_in_comes_out(value):
    assert same(travel(value), value)


def test_an_array_that_comes_out_is_plain_and_owns_its_memory():
    class Sub(np.ndarray):
        pass

    for array in (np.ones(3).view(Sub), np.ones((4, 4))[::2, ::-1].T, np.ma.masked_all(3), np.arange(3, dtype=">i4")):
        got = travel(array)
        assert type(got) is np.ndarray and got.flags.owndata and got.flags.writeable and got.dtype.isnative
    assert np.array_equal(travel(np.arange(6.0).reshape(2, 3).T), np.arange(6.0).reshape(2, 3).T)
    assert np.array_equal(travel(np.arange(3, dtype=">i4")), np.arange(3))


def test_a_generator_continues_where_it_is():
    rng = np.random.default_rng(3)
    rng.standard_normal(5)
    rng.integers(0, 10, dtype=np.uint32)
    got = travel(rng)
    assert np.array_equal(got.standard_normal(9), rng.standard_normal(9))


def test_bytes_that_are_no_truth_values_become_truth_values():
    got = p.decode({"a": ["|b1", [3], 0]}, [bytes([0, 1, 255])])
    assert got.tolist() == [False, True, True] and got.view(np.uint8).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, np.array([object()]), np.zeros(2, "M8[s]"), np.array(["x"]), print, np.zeros(1, [("a", "f8")])],
)
def test_what_cannot_travel_is_refused_or_referred_to(value):
    with pytest.raises(TypeError):
        p.encode(value, [])
    assert p.encode(value, [], lambda v: {"o": [1, "x"]}) == {"o": [1, "x"]}


def test_limits_are_kept():
    deep = []
    for _ in range(20):
        deep = [deep]
    for value in (deep, 1 << 9000, "x" * (p.MAX_TEXT + 1), np.zeros(p.MAX_BODY // 8 + 1)):
        with pytest.raises(p.TooLarge):
            p.encode(value, [])
    with pytest.raises(p.TooLarge):
        p.pack({"x": ["y" * 1000] * 2000})
    for prefix in (b"XXXX" + bytes(8), struct.pack("<4sII", b"CKG1", p.MAX_HEADER + 1, 0)):
        with pytest.raises(p.Malformed):
            p.sizes(prefix)
    with pytest.raises(p.Malformed):
        p.sizes(struct.pack("<4sII", b"CKG1", 0, p.MAX_BODY + 1))


@pytest.mark.parametrize("shape", [[0, 1 << 25, 1 << 25, 1 << 25], [0] + [1 << 25] * 31])
def test_an_array_of_nothing_has_a_shape_that_numpy_can_hold(shape):
    with pytest.raises(p.Malformed, match="not a shape"):
        p.decode({"a": ["<f8", shape, 0]}, [b""])
    assert p.decode({"a": ["<f8", [0, 3, 1000], 0]}, [b""]).shape == (0, 3, 1000)


@pytest.mark.parametrize(
    "node",
    [
        {"a": ["|O", [1], 0]},
        {"a": ["O", [1], 0]},
        {"a": ["<f8", [-1], 0]},
        {"a": ["<f8", [2], 0]},
        {"a": ["<f8", [True], 0]},
        {"a": ["<f8", [1 << 40, 1 << 40], 0]},
        {"a": ["<f8", [1], 1]},
        {"a": ["<f8", [1], -1]},
        {"a": ["<f8", [1], True]},
        {"a": ["<f8", [1] * 33, 0]},
        {"a": [["<f8"], [1], 0]},
        {"a": 3},
        {"s": ["<f8", [1], 0]},
        {"d": [[{"l": []}, 1]]},
        {"d": [[1, 2, 3]]},
        {"d": [3]},
        {"c": ["1", 2]},
        {"y": "|O"},
        {"o": [1, "x"]},
        {"f": [1, "x"]},
        {"ta": []},
        {"": []},
        {},
        {"l": [], "t": []},
        [1, 2],
        {"g": ["1", "2", "3"]},
        {"g": ["-1", "2", "3", "4"]},
    ],
)
def test_a_node_that_is_no_value_is_malformed(node):
    with pytest.raises(p.Malformed):
        p.decode(node, [bytes(8)])


PLAIN = (type(None), bool, int, float, complex, str, tuple, list, dict, np.ndarray, np.generic, type)

json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from([*p.DTYPES, "|O"]),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.sampled_from([*"altdscgyof"]), v, max_size=2),
    max_leaves=20,
)


@given(json_like, st.binary(max_size=64))
@settings(max_examples=examples(1000), deadline=None)
def test_any_json_gives_a_plain_value_or_is_malformed(tree, blob):
    try:
        value = p.decode(tree, [blob])
    except p.Malformed:
        return
    assert isinstance(value, (*PLAIN, np.random.Generator))
    assert type(value) in PLAIN or isinstance(value, (np.generic, np.random.Generator))


@given(st.binary(max_size=200))
@settings(max_examples=examples(500), deadline=None)
def test_any_bytes_are_a_frame_or_malformed(data):
    try:
        header, _ = p.sizes(data[:12].ljust(12, b"\0"))
        p.unpack(data[12 : 12 + header], data[12 + header :])
    except p.Malformed:
        pass


@given(st.lists(st.integers(-5, 5), max_size=4) | st.text(max_size=3) | st.none(), st.binary(max_size=8))
def test_lengths_that_do_not_fit_are_malformed(lengths, body):
    header = json.dumps({"lengths": lengths}).encode()
    if isinstance(lengths, list) and all(n >= 0 for n in lengths) and sum(lengths) == len(body):
        assert [len(b) for b in p.unpack(header, body)[1]] == lengths
    else:
        with pytest.raises(p.Malformed):
            p.unpack(header, body)


class FakeJail:
    """Its children have said all that they will ever say, and do not listen."""

    tier, limits = "fake", Limits(call_seconds=0.3, cell_seconds=0.3, question_seconds=0.3)

    def __init__(self, said):
        self.said = said

    def spawn(self):
        ours, theirs = socket.socketpair()
        theirs.sendall(p.pack({"id": "locked"}) + self.said)
        theirs.shutdown(socket.SHUT_WR)
        self.kept = theirs
        return ours

    def reap(self):
        self.kept.close()
        return {"status": 0}


frames = st.builds(
    lambda head, blob: p.pack(head, [blob]),
    st.dictionaries(st.sampled_from(["id", "ok", "error", "callback", "args", "x"]), json_like, max_size=4),
    st.binary(max_size=40),
)


@given(st.lists(frames | st.binary(max_size=60), max_size=3).map(b"".join))
@settings(max_examples=examples(500), deadline=None)
def test_whatever_a_child_says_the_grader_goes_on(said):
    session = Session(FakeJail(said), b"")
    session.cells = []
    with session.question():
        session._spawn()
        try:
            value = session.ask({"op": "call"}, "f()", callbacks=(lambda x: x,))
        except StudentError as error:
            assert len(str(error)) < 1000
        else:
            raise AssertionError(f"an answer without the right id was taken: {value!r}")


@given(json_like, st.binary(max_size=40))
@settings(max_examples=examples(500), deadline=None)
def test_an_answer_with_the_right_id_is_a_plain_value_or_an_error(tree, blob):
    from coursekit.grading.sealed import session as module

    said = p.pack({"id": "known", "ok": tree}, [blob])
    session = Session(FakeJail(said), b"")
    keep, module.secrets.token_hex = module.secrets.token_hex, lambda n: "known"
    try:
        with session.question():
            session._spawn()
            try:
                value = session.ask({"op": "call"}, "f()")
            except StudentError:
                return
        assert isinstance(value, (*PLAIN, Handle, np.random.Generator))
    finally:
        module.secrets.token_hex = keep
