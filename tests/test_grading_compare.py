"""The comparator: right answers pass, wrong ones are told what is wrong, and nothing that comes can harm it."""

import collections
import sys

import numpy as np
import pytest

from coursekit.grading.compare import (
    Different,
    expect_draws,
    expect_equal,
    expect_seeded,
    expect_shape,
    expect_true,
    inspect_value,
)


def said(got, want, **options):
    with pytest.raises(Different) as caught:
        expect_equal(got, want, what="dx", **options)
    return str(caught.value)


WANT = np.arange(12.0).reshape(3, 4) - 5


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (WANT.copy(), WANT),
        (WANT.astype(np.float32), WANT),
        (np.asfortranarray(WANT), WANT),
        (WANT.astype(">f8"), WANT),
        (WANT * (1 + 1e-8), WANT),
        (WANT, WANT.astype(np.float32)),
        (3, 3),
        (np.int64(3), 3),
        (np.array(3), 3),
        (np.uint8(3), 3),
        (2, 2.0),
        (np.float32(0.1), 0.1),
        (True, True),
        (np.bool_(True), True),
        ([WANT, 1], (WANT, 1)),
        ((WANT, 1), [WANT, 1]),
        ({"w": WANT, "b": [1.0]}, {"b": [1.0], "w": WANT}),
        (np.array([np.nan, np.inf, 1]), np.array([np.nan, np.inf, 1])),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (1 + 2j, 1 + 2j),
        (None, None),
        (np.arange(3, dtype=np.uint8), np.arange(3)),
    ],
)
def test_a_right_answer_passes(got, want):
    expect_equal(got, want)


class Sub(np.ndarray):
    def __array_function__(self, *args, **kwargs):
        return True

    def __eq__(self, other):
        return np.True_


class Equal:
    shape, dtype, size, ndim = (3, 4), np.dtype(float), 12, 2

    def __eq__(self, other):
        return True

    def __array__(self, *args, **kwargs):
        return WANT

    def __getattr__(self, name):
        raise AttributeError if name.startswith("_") else RuntimeError("was looked at")


class Bomb:
    def _explode(self, *args):
        raise RuntimeError("was looked at")

    __eq__ = __float__ = __sub__ = __abs__ = __bool__ = _explode
    __hash__ = object.__hash__


class LyingFloat(float):
    def __sub__(self, other):
        return 0.0


LOOP = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    "got",
    [
        None,
        np.zeros((0, 4)),
        np.zeros(0),
        np.zeros((3, 1)),
        np.zeros(()),
        5,
        "text",
        b"bytes",
        [[1.0] * 4] * 3,
        WANT.tolist(),
        WANT.astype(object),
        np.array([[Bomb()] * 4] * 3, dtype=object),
        WANT.view(Sub),
        np.ma.masked_array(WANT, mask=True),
        WANT.astype(int),
        WANT.astype(complex),
        WANT.astype(str),
        WANT.astype(np.float16),
        WANT.astype("M8[s]"),
        WANT.astype(">f8").view("V8"),
        WANT * np.nan,
        WANT + np.inf,
        -WANT,
        WANT.T,
        np.broadcast_to(np.float64(1), (10**6, 10**6)),
        Equal(),
        Equal,
        sys,
        lambda: WANT,
        (WANT,),
        [WANT],
        {"dx": WANT},
        LOOP,
        WANT > 0,
        iter([1]),
        np.random.default_rng(0),
        collections.UserList([1]),
        10**5000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_else_comes_for_an_array_is_refused_in_words(got):
    assert said(got, WANT).startswith("dx")


@pytest.mark.parametrize(
    "got",
    [None, "3", 3.5, np.array([3.0]), np.zeros(0), LyingFloat(3), np.array(3.0, object), float("nan"), True, 3j, LOOP,
     10**5000, np.timedelta64(3), Equal(), [3], np.array("3")],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_whatever_else_comes_for_a_number_is_refused_in_words(got):
    assert said(got, 3.0).startswith("dx")


class Tuple(tuple):
    pass


@pytest.mark.parametrize(
    "got",
    [None, (), (WANT,), (WANT, 2), (WANT + 1, 1), Tuple((WANT, 1)), {0: WANT, 1: 1}, LOOP, WANT, (WANT, LOOP)],
    ids=lambda value: type(value).__name__,
)
def test_whatever_else_comes_for_a_tuple_is_refused_in_words(got):
    assert said(got, (WANT, 1)).startswith("dx")


@pytest.mark.parametrize(
    "got", [{}, {"w": WANT}, {"w": WANT, "c": 1}, {"w": WANT, Bomb(): 1}, [1, 2], {"w": 1, "b": 1}]
)
def test_whatever_else_comes_for_a_dict_is_refused_in_words(got):
    assert said(got, {"w": WANT, "b": 1}).startswith("dx")


def test_whole_numbers_are_compared_exactly_and_floats_do_not_count_as_whole():
    assert "first difference" in said(np.array([1, 2**62 + 1]), np.array([1, 2**62]))
    assert "floats, not whole numbers" in said(3.0, 3)
    assert "booleans" in said(True, 1)


def test_the_first_difference_is_told_with_both_values():
    got = WANT.copy()
    got[1, 2] += 0.25
    got[2, 0] = 9
    text = said(got, WANT)
    assert "index [1, 2]: came 1.25, expected 1" in text
    assert "2 of 12 entries" in text


def test_the_first_nan_is_told_with_its_place():
    got = WANT.copy()
    got[2, 3] = np.nan
    assert "not finite" in said(got, WANT)
    assert "nan at index [2, 3]" in said(got, WANT)


def test_nan_must_stand_where_it_is_expected():
    want = np.array([np.nan, 1.0])
    assert "wrong value" in said(np.array([1.0, np.nan]), want)
    assert "wrong value" in said(np.array([1.0, 1.0]), want)


def test_the_place_in_a_nested_answer_is_told():
    assert said({"a": (WANT, WANT + 1)}, {"a": (WANT, WANT)}).startswith("dx['a'][1] has a wrong value")


def test_a_named_mistake_is_recognised_by_its_values_and_by_its_shape(rng):
    x = rng.standard_normal((4, 4))
    mistakes = {"you summed over the wrong axis": x.sum(0), "you kept the axis": x.sum(1, keepdims=True)}
    assert "you summed over the wrong axis" in said(x.sum(0), x.sum(1), mistakes=mistakes)
    assert "you kept the axis" in said(x.sum(1, keepdims=True), x.sum(1), mistakes=mistakes)
    assert "looks as if" not in said(x[0], x.sum(1), mistakes=mistakes)


def test_mistakes_that_show_in_any_answer_are_named(rng):
    x = rng.standard_normal((5, 5))
    assert "sign is the wrong way round" in said(-x, x)
    assert "transposed" in said(x.T, x)
    assert "transposed" in said(x[:3].T, x[:3])
    assert "looks as if" not in said(5 * x, x)  # a factor is named by `diagnose`, which knows the problem's numbers
    assert "a return is missing" in said(None, x)
    assert "np.array" in said(x.tolist(), x)
    assert "whole numbers came back" in said(x.astype(int), x)


def test_float32_gets_a_tolerance_that_it_can_meet_and_float64_does_not(rng):
    x = rng.standard_normal((50, 50))
    expect_equal((x.astype(np.float32) @ x.astype(np.float32)), x @ x)
    said((x.astype(np.float32) @ x.astype(np.float32)).astype(np.float64), x @ x)
    said(x.astype(np.float32) * np.float32(1.001), x)


def test_the_tolerance_is_the_one_that_was_asked_for():
    expect_equal(np.array([1.05]), np.array([1.0]), rtol=0.1)
    said(np.array([1.05]), np.array([1.0]), rtol=0.01)
    expect_equal(np.array([0.05]), np.array([0.0]), atol=0.1)
    said(np.array([0.05]), np.array([0.0]), atol=0.01)


def test_an_expectation_that_cannot_be_compared_is_the_authors_error():
    with pytest.raises(TypeError, match="cannot compare"):
        expect_equal("a", "a")


def test_shape_checks_kind_and_finite_too():
    expect_shape(np.zeros((2, 3)), (2, 3), what="w")
    expect_shape(np.zeros(2, int), (2,), what="w", kind="i")
    for got, words in [
        (np.zeros((3, 2)), "transposed"),
        (np.zeros((2, 3), int), "whole numbers"),
        (np.full((2, 3), np.nan), "not finite"),
        (None, "return is missing"),
    ]:
        with pytest.raises(Different, match=words):
            expect_shape(got, (2, 3), what="w")
    with pytest.raises(Different, match="channels first"):
        expect_shape(np.zeros((4, 1)), (2, 3), what="w", mistakes={"channels first": (4, 1)})


def test_expect_true_refuses_with_its_message():
    expect_true(True, "no")
    with pytest.raises(Different, match="too many layers"):
        expect_true(False, "too many layers")


SHAPE = (60, 90)


@pytest.mark.parametrize("seed", range(200))
def test_right_draws_pass_whatever_the_seed(seed):
    rng = np.random.default_rng(seed)
    expect_draws(rng.normal(0, 0.3, SHAPE).astype(np.float32), shape=SHAPE, std=0.3)
    expect_draws(rng.uniform(-0.3, 0.3, SHAPE), shape=SHAPE, std=0.3 / 3**0.5, uniform=True)


@pytest.mark.parametrize(
    ("draw", "uniform", "words"),
    [
        (lambda g: g.normal(0, 0.33, SHAPE), False, "spread is wrong"),
        (lambda g: g.normal(0, 0.09, SHAPE), False, "root is missing"),
        (lambda g: g.normal(0.05, 0.3, SHAPE), False, "not centred"),
        (lambda g: g.uniform(-0.5196, 0.5196, SHAPE), False, "they are uniform"),
        (lambda g: g.normal(0, 0.3, SHAPE), True, "they are normal"),
        (lambda g: g.choice([-0.3, 0.3], SHAPE), False, "entries repeat"),
        (lambda g: np.repeat(g.normal(0, 0.3, (60, 1)), 90, axis=1), False, "entries repeat"),
        (lambda g: np.full(SHAPE, 0.3), False, "all entries are equal"),
        (lambda g: np.zeros(SHAPE), False, "all entries are equal"),
        (lambda g: g.normal(0, 0.3, SHAPE[::-1]), False, "wrong shape"),
        (lambda g: np.zeros((0, 90)), False, "wrong shape"),
        (lambda g: g.normal(0, 0.3, SHAPE) * np.nan, False, "not finite"),
        (lambda g: g.integers(-1, 2, SHAPE), False, "whole numbers"),
    ],
)
def test_wrong_draws_are_told_what_is_wrong(draw, uniform, words, rng):
    with pytest.raises(Different, match=words):
        expect_draws(draw(rng), shape=SHAPE, std=0.3, uniform=uniform, mistakes={"the root is missing": 0.09, "x": 0.2})


def test_the_nearest_mistake_is_named(rng):
    with pytest.raises(Different, match="looks as if near"):
        expect_draws(rng.normal(0, 0.2, SHAPE), shape=SHAPE, std=0.3, mistakes={"far": 0.21, "near": 0.2})


def test_draws_must_come_from_the_generator_that_is_given(rng):
    fixed = np.random.default_rng(3)
    expect_seeded(lambda g: g.normal(size=9), rng=rng)
    expect_seeded(lambda g: [(g.normal(size=9), np.zeros(2))], rng=rng)
    with pytest.raises(Different, match="global generator"):
        expect_seeded(lambda g: fixed.normal(size=9), rng=rng)
    with pytest.raises(Different, match="fixed seed"):
        expect_seeded(lambda g: np.random.default_rng(0).normal(size=9), rng=rng)
    for strange in (None, LOOP, Equal(), "x"):
        with pytest.raises(Different):
            expect_seeded(lambda g, strange=strange: strange, rng=rng)


def test_a_value_is_described_in_few_words_whatever_it_is():
    for value in [WANT, None, 3, LOOP, Equal(), Equal, 10**5000, "x" * 10**6, type("n" * 10**5, (), {})()]:
        assert len(inspect_value(value)) < 120
