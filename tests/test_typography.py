"""Numbers as books print them."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import typography  # noqa: E402


def article(text):
    return f"<p>11 %</p><article>{text}</article>"


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("It is 11 % of it.", "It is 11% of it."),
        ('<span class="pasted-text">11</span> % of', '<span class="pasted-text">11</span>% of'),
        ("from -0.25 to (-1)", "from −0.25 to (−1)"),
        ("at 1e-05 and 5.9e-05 and 2e+3", "at 10⁻⁵ and 5.9\u00a0×\u00a010⁻⁵ and 2\u00a0×\u00a010³"),
        ("a 3 x 3 kernel, 8×8", "a 3\u00a0×\u00a03 kernel, 8\u00a0×\u00a08"),
        ("digits 0-4", "digits 0–4"),
        ("CO2", "CO₂"),
    ],
)
def test_numbers_are_set_once(typed, printed):
    assert typography.typeset(article(typed)) == article(printed)
    assert typography.typeset(article(printed)) == article(printed)


@pytest.mark.parametrize(
    "text",
    [
        "<code>x = -1  # 1e-05, 11 %</code>",
        "<pre>a -1</pre>",
        "<svg><text>-1</text></svg>",
        '<a href="x-1-2.html#-1">LeNet-5, GPT-2, 2-3-1, 2015-12-01, pre-2015, 10.1109/5.726791, 978-0-262</a>',
        "<math><mo>-</mo><mn>1</mn></math>",
        '<script type="application/json">{"a": -1, "b": "1e-05"}</script>',
        '<p class="sd-1e-5">&#8212;1 &#x27;-</p>',
    ],
)
def test_code_pictures_addresses_and_names_are_left(text):
    assert typography.typeset(article(text)) == article(text)


def test_what_a_picture_is_called_is_set_too():
    page = (
        '<article><div role="img" aria-label="ends at y = -1.56, 5.9e-05"><svg aria-label="-1"></svg></div></article>'
    )
    assert 'aria-label="ends at y = −1.56, 5.9\u00a0×\u00a010⁻⁵"' in typography.typeset(page)


def test_captions_and_controls_of_explorers_are_set_by_the_same_rules():
    from coursekit.interactive import Slider, explorer
    from coursekit.plotting import _style

    moved = explorer(
        lambda rate: {"rate": rate},
        lambda results: _style.figure()[0],
        lambda results: f"At {results['rate']} it falls by 11 % on 3 x 3 pixels, to {-results['rate']}.",
        title="Numbers",
        rate=Slider(-0.25, 0.25, default=-0.25, step=0.25),
    )
    assert moved.alt() == "At −0.25 it falls by 11% on 3\u00a0×\u00a03 pixels, to 0.25."
    assert moved.picture(rate=0.25).alt.endswith("to −0.25.")
    assert moved.text() == "rate −0.25"
    assert typography.typeset(article(moved.alt())) == article(moved.alt())
