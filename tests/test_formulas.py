"""LaTeX to MathML as browsers set it best."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
formulas = pytest.importorskip("formulas", reason="the book's tools are not installed")


def mathml(latex, block=False):
    (found,), _ = formulas.to_mathml([(latex, block)])
    return re.sub(r"^<math [^>]*>|</math>$", "", found)


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("x", "<mi>x</mi>"),
        ("f'", '<mrow><mi>f</mi><mo lspace="0" rspace="0">′</mo></mrow>'),
        ("a +b", "<mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow>"),
    ],
)
def test_a_formula_is_only_itself(latex, expected):
    assert mathml(latex) == expected


def test_a_function_has_a_space_before_a_name_and_none_before_a_bracket():
    assert 'log</mi><mspace width="0.167em"></mspace></mrow><mi>p' in mathml(r"\log p")
    assert 'log</mi></mrow><mo stretchy="false" form="prefix">(' in mathml(r"\log(p)")


def test_equations_are_aligned_and_set_large_and_a_matrix_is_neither():
    aligned = mathml(r"\begin{aligned} a &= \frac12 \\ b &= c \end{aligned}", True)
    assert aligned.startswith('<mtable displaystyle="true"><mtr><mtd columnalign="right" style="padding-right: 0">')
    matrix = mathml(r"\begin{pmatrix} a & b \end{pmatrix}", True)
    assert "displaystyle" not in matrix and "style=" not in matrix


def test_a_hat_does_not_stretch_and_plus_equals_is_one_sign():
    assert '<mo accent="true" stretchy="false">^' in mathml(r"\hat{y}")
    assert "<mo>+=</mo>" in mathml(r"x \mathrel{+}= y")


@pytest.mark.parametrize(
    "latex",
    [
        r"\lVert w \rVert",
        r"\lVert \Delta W \rVert",
        r"\left| x \right|",
        r"\lVert \mathbf{w} \rVert_2",
        r"c\lVert w \rVert^2",
    ],
)
def test_the_bars_around_letters_do_not_stretch(latex):
    assert mathml(latex).count('<mo stretchy="false" form="p') == 2


def test_the_bars_around_what_is_taller_stretch():
    for latex in (r"\lVert w_i \rVert", r"\left| \frac ab \right|"):
        assert mathml(latex).count('<mo stretchy="true" form="p') == 2, latex


def test_what_cannot_be_read_is_named_and_the_others_are_there():
    found, said = formulas.to_mathml([("x", False), (r"\frac{", False), (r"\nosuchthing", True), ("y", True)])
    assert [one is None for one in found] == [False, True, True, False]
    assert r"\frac{" in said and "nosuchthing" in said


def test_primes_of_named_functions_stand_as_those_of_letters():
    for latex in (r"\tanh'", r"\operatorname{ReLU}'", r"\mathrm{GELU}'", r"\Phi'", "f''"):
        assert "<msup>" not in mathml(latex) and 'rspace="0">' in mathml(latex), latex


def test_the_space_after_a_function_stands_behind_its_small_number():
    assert mathml(r"\tanh^2 z").endswith('<mn>2</mn></msup><mspace width="0.167em"></mspace><mi>z</mi></mrow>')
    assert "mspace" not in mathml(r"\tanh^2(z)")
    nested = mathml(r"\log_{a_b} x")
    assert nested.endswith('</msub></msub><mspace width="0.167em"></mspace><mi>x</mi></mrow>')


THIN = '<mspace width="0.167em"></mspace>'


@pytest.mark.parametrize(
    "latex",
    [
        r"c\operatorname{Var}(x)",
        r"1.5\operatorname{round}(x)",
        r"c^2\operatorname{Var}(x)",
        r"n_i\tanh(x)",
        r"\hat y\max(x)",
        r"\tfrac12\operatorname{Var}(x)",
        r"c\tanh'(x)",
        r"c\tanh^2(x)",
        r"c\operatorname*{argmax}\nolimits_i (x)",
    ],
)
def test_a_function_stands_clear_of_what_it_is_multiplied_by(latex):
    written = mathml(latex)
    assert written.count(THIN) == 1
    after = written.split(THIN)[1]
    assert re.match(r'(?:<m(?:row|sup|sub)>)*<mi mathvariant="normal">\w\w', after)


def test_a_function_has_a_space_on_both_sides_between_letters():
    assert (
        mathml(r"q\log p")
        == f'<mrow><mi>q</mi>{THIN}<mrow><mi mathvariant="normal">log</mi>{THIN}</mrow><mi>p</mi></mrow>'
    )
    both = mathml(r"q\tanh^2 z")
    assert both.startswith(f"<mrow><mi>q</mi>{THIN}<msup>") and both.endswith(f"</msup>{THIN}<mi>z</mi></mrow>")
    assert mathml(r"q\,\log(p)").count(THIN) == 1, "where a space stands already there is none more"


@pytest.mark.parametrize(
    "latex",
    [
        r"\operatorname{Var}(x)",
        r"(\operatorname{Var}(x))",
        r"a = \operatorname{Var}(x)",
        r"-\operatorname{Var}(x)",
        r"\sum_i\operatorname{Var}(x)",
    ],
)
def test_a_function_has_no_space_after_a_sign_or_a_bracket(latex):
    assert "mspace" not in mathml(latex)


def test_an_index_that_is_a_function_stays_the_second_part_of_its_letter():
    assert mathml(r"v_{\max}^2").startswith("<msubsup><mi>v</mi><mrow>")


def test_what_follows_a_formula_stays_on_its_line():
    from docutils import nodes

    line = nodes.paragraph("", "", nodes.Text("Take ("), nodes.math("", "x"), nodes.Text("), and go."))
    formulas.keep_punctuation(line[1])
    assert (line[1]["before"], line[1]["after"]) == ("(", "),")
    assert [part.astext() for part in line] == ["Take ", "x", " and go."]
