"""A curve to be drawn: levels on linear and logarithmic axes, verdicts, the HTML, and what is refused."""

import numpy as np
import pytest

from coursekit import errors
from coursekit.interactive import predict
from coursekit.interactive.sketch import POINTS, Curve

X = np.arange(0, 9)


def curve(y=X / 8, **more):
    return Curve(X, y, **({"xlabel": "step", "ylabel": "loss", "ylim": (0, 1)} | more))


def test_levels_are_shares_of_the_axis_and_value_undoes_them():
    np.testing.assert_allclose(curve().levels, np.linspace(0, 100, POINTS))
    logarithmic = curve(y=10.0**-X, ylim=(1e-8, 1), log=True)
    np.testing.assert_allclose(logarithmic.levels, np.linspace(100, 0, POINTS), atol=1e-9)
    for level in (0, 37, 100):
        assert np.isclose(logarithmic._level(logarithmic.value(level)), level)
        assert np.isclose(curve()._level(curve().value(level)), level)


def test_a_drawing_is_right_within_a_tenth_of_the_axis():
    asked = curve()
    assert asked.verdict(asked.levels + 9.9).startswith("You drew what the run gives: 9 of 9")
    assert asked.verdict(asked.levels + np.r_[10.1, -10.1, np.zeros(7)]).startswith("7 of your 9")


def test_each_slider_says_where_it_stands_and_the_answer_is_not_in_plain_sight():
    asked = predict("00-draw", question="Draw it.", answer=curve(), explanation="It grows.")
    html = asked.html()
    assert html.count('type="range"') == POINTS
    assert 'aria-label="loss at step 4"' in html
    assert asked.answer.points() not in html
    assert "It grows." in asked.reply([50] * POINTS) and "1 of your 9" in asked.reply([50] * POINTS)


def test_the_widget_draws_the_run_over_the_readers_line_once_it_is_committed():
    from coursekit.interactive.widget import prediction_widget

    asked = predict("00-draw", question="Draw it.", answer=curve())
    _, picture, sliders, commit, reply, _ = prediction_widget(asked).children
    sliders.children[2].value = 90
    assert asked.answer.points() not in picture.value
    commit.click()
    assert asked.answer.points() in picture.value and sliders.children[0].disabled
    assert "of your 9 points" in reply.value


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"y": X[:-1] / 8}, errors.ShapeError, "same N"),
        ({"y": X / 4}, errors.RangeError, "must be increasing and hold y"),
        ({"ylim": (0, 1), "log": True}, errors.RangeError, "positive"),
        ({"y": np.full(9, np.nan)}, errors.RangeError, "finite"),
    ],
)
def test_what_cannot_be_drawn_is_refused(more, error, words):
    with pytest.raises(error, match=words):
        curve(**more)


def test_ticks_are_round_numbers_and_reach_both_ends():
    tall = Curve(np.geomspace(1e-15, 1, 9), np.full(9, 1e-3), "step", "error", (1e-14, 10), log=True, xlog=True)
    assert np.log10(tall._yticks()).round().tolist() == [-14, -11, -8, -5, -2, 1]
    assert np.log10(tall._xticks()).round().tolist() == [-15, -12, -9, -6, -3, 0]
    assert 'font-size="75%">−14</tspan>' in tall.axes()
    months = Curve(np.arange(1, 25), np.ones(24), "months", "share", (0, 100))
    assert all(float(tick).is_integer() for tick in months._xticks())
    assert months._yticks() == [0, 25, 50, 75, 100]
