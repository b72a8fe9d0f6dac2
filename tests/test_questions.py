"""All questions of the book, quizzes and predictions: they are of several kinds, and cannot be guessed."""

from __future__ import annotations

import importlib
import json
import math
import re
from collections import Counter, defaultdict
from fractions import Fraction
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from coursekit.interactive.answers import Choice, Line, Number, Order, Several, short
from coursekit.interactive.course import quiz
from coursekit.interactive.numbers_typed import readings
from coursekit.interactive.predict import Prediction
from coursekit.surrogates import hyperband

QUIZZES = sorted(
    f.name[:-5] for f in (resources.files("coursekit.interactive") / "quizzes").iterdir() if f.name.endswith(".json")
)
CHAPTERS = sorted(path.stem[3:] for path in (Path(__file__).parents[1] / "chapters").glob("*.md"))
ABSOLUTE = re.compile(
    r"\b(always|never|all|every|each|must|cannot|only|no|not|none|nothing|neither|any|both|ever|exactly|alone)\b", re.I
)
CAREFUL = re.compile(r"\b(about|mostly|usually|may|often|nearly|almost|some|can|roughly|a little)\b", re.I)
SMALL = {"the", "and", "for", "with", "are", "its", "from", "than", "not", "each", "all"}
CLOSE = 0.05  # how far from chance a way to guess may be


@pytest.fixture(scope="module")
def questions():
    return [question for chapter in QUIZZES for question in quiz(chapter).questions]


@pytest.fixture(scope="module")
def predictions():
    found = []
    for chapter in CHAPTERS:
        module = importlib.import_module(f"coursekit.explorers.{chapter}")
        found += [value for value in vars(module).values() if isinstance(value, Prediction)]
    return found


@pytest.fixture(scope="module")
def choices(questions, predictions):
    """(texts, index of the right one) of each question with one right option."""
    asked = [question for question in questions + predictions if question.is_choice]
    assert len(asked) > 100
    return [(question.texts, question.texts.index(question.answer)) for question in asked]


def chance(choices):
    return float(np.mean([1 / len(texts) for texts, _ in choices]))


def rate(choices, score):
    """How often one is right who takes the option with the highest score, and draws among equals."""
    hits = []
    for texts, right in choices:
        scores = [score(text, place) for place, text in enumerate(texts)]
        best = [place for place, value in enumerate(scores) if value == max(scores)]
        hits.append((right in best) / len(best))
    return float(np.mean(hits))


# ---------------------------------------------------------------- guessing
WAYS = {
    "the first": lambda text, place: place == 0,
    "the second": lambda text, place: place == 1,
    "the third": lambda text, place: place == 2,
    "the longest": lambda text, place: len(text),
    "the shortest": lambda text, place: -len(text),
    "the one with most words": lambda text, place: len(text.split()),
    "the one with fewest words": lambda text, place: -len(text.split()),
    "one without absolute words": lambda text, place: not ABSOLUTE.search(text),
    "one with absolute words": lambda text, place: bool(ABSOLUTE.search(text)),
    "one with a reason": lambda text, place: bool(re.search(r"[:,]|\bbecause\b|\bfor\b", text)),
    "one without a reason": lambda text, place: not re.search(r"[:,]|\bbecause\b|\bfor\b", text),
    "one with a number": lambda text, place: bool(re.search(r"\d", text)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_guess_is_no_better_than_chance(choices, way):
    assert rate(choices, WAYS[way]) == pytest.approx(chance(choices), abs=CLOSE)


def content(text):
    """The words of a text that carry meaning."""
    return {word for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in SMALL}


def common(text, texts, question):
    return sum(len(content(text) & content(other)) for other in texts if other is not text)


def from_the_middle(text, texts, question):
    """How near the middle of the options' numbers an option's number is; 0 where not each has one of its own."""
    found = [re.search(r"\d[\d,.]*", other) for other in texts]
    numbers = [float(m[0].replace(",", "").rstrip(".")) if m else None for m in found]
    if None in numbers or len(set(numbers)) < len(numbers):
        return 0
    return -abs(sorted(numbers).index(numbers[texts.index(text)]) - (len(numbers) - 1) / 2)


BESIDE_OTHERS = {
    "the one with most words of the question": lambda text, texts, question: len(content(text) & content(question)),
    "the one with fewest words of the question": lambda text, texts, question: -len(content(text) & content(question)),
    "the one most like the others": common,
    "the one least like the others": lambda *given: -common(*given),
    "the number in the middle": from_the_middle,
    "a number not in the middle": lambda *given: -from_the_middle(*given),
    "the careful one": lambda text, texts, question: bool(CAREFUL.search(text)),
    "the one with the longest word": lambda text, texts, question: max(map(len, text.split())),
}


@pytest.mark.parametrize("way", BESIDE_OTHERS)
def test_nothing_is_learnt_from_the_words_of_question_and_options(questions, predictions, way):
    hits, chances = [], []
    for asked in questions + predictions:
        if asked.is_choice:
            scores = [BESIDE_OTHERS[way](text, asked.texts, asked.question) for text in asked.texts]
            best = [text for text, score in zip(asked.texts, scores, strict=True) if score == max(scores)]
            hits.append((asked.answer in best) / len(best))
            chances.append(1 / len(asked.texts))
    assert np.mean(hits) == pytest.approx(np.mean(chances), abs=CLOSE)


def test_no_first_word_gives_the_right_option_away(choices):
    """Also not its opposite: nothing is learnt from a question's first words in the other questions."""
    wins, seen = Counter(), Counter()
    for texts, right in choices:
        for place, text in enumerate(texts):
            word = text.split()[0].lower().strip(",:.")
            seen[word] += 1
            wins[word] += place == right
    assert not seen["yes"] and seen["no"] <= 2, "an option that begins with yes or no answers before it is read"
    # Leave one question out, learn from the others which first words win, and choose by that.
    hits = []
    for texts, right in choices:
        words = [text.split()[0].lower().strip(",:.") for text in texts]
        scores = []
        for place, word in enumerate(words):
            count, won = seen[word] - words.count(word), wins[word] - (words[right] == word)
            scores.append((won + 1) / (count + 3) if place >= 0 else 0)
        best = [place for place, score in enumerate(scores) if score == max(scores)]
        hits.append((right in best) / len(best))
    assert np.mean(hits) == pytest.approx(chance(choices), abs=CLOSE)


def test_options_are_of_like_length(choices):
    for texts, _ in choices:
        lengths = [len(text) for text in texts]
        assert max(lengths) - min(lengths) <= max(17, 0.5 * min(lengths)), (
            f"the longest option may have 17 letters, or half as many, more than the shortest, not {lengths}: {texts}"
        )


def test_of_several_right_answers_about_half_are_right(questions):
    kinds = [question.kind for question in questions if isinstance(question.kind, Several)]
    share = sum(len(kind.marks) for kind in kinds) / sum(len(kind.options) for kind in kinds)
    assert 0.35 < share < 0.65
    longer = [np.mean([len(t) for t in k.answers]) > np.mean([len(t) for t in k.options]) for k in kinds]
    assert 0.2 < np.mean(longer) < 0.8


# ---------------------------------------------------------------- kinds
def test_a_third_of_all_questions_ask_for_more_than_a_choice(questions, predictions):
    every = questions + predictions
    more = [question for question in every if not question.is_choice or getattr(question, "drawn", None)]
    assert Fraction(len(more), len(every)) >= Fraction(1, 3), (
        f"{len(more)} of {len(every)} ask for more than a choice of words: make a new question a number, an order, "
        "a line of code, several answers, or give it a picture"
    )
    kinds = Counter(type(question.kind) for question in questions)
    assert min(kinds[kind] for kind in (Number, Order, Several, Line)) >= 5
    assert sum(bool(question.drawn) for question in questions) >= 5
    assert sum(question.is_curve for question in predictions) >= 10


@pytest.mark.parametrize("chapter", QUIZZES)
def test_each_quiz_asks_in_several_kinds(chapter):
    kinds = Counter(question.kind.kind for question in quiz(chapter).questions)
    assert len(kinds) >= 3 and kinds["choice"] <= 0.7 * sum(kinds.values()), (
        f"quizzes/{chapter}.json has {dict(kinds)}; write questions of three types or more, at most 70 % of them "
        "multiple_choice"
    )


def test_every_question_answers_each_answer(questions, predictions):
    for question in questions + predictions:
        kind = question.kind
        if isinstance(kind, (Choice, Several)):
            assert len(set(kind.options.values())) == len(kind.options), (
                f"{question.name}: two options have one feedback; write for each what is right or wrong in it"
            )
            short = [text for text in kind.options.values() if len(text) <= 20]
            assert not short, f"{question.name}: this feedback explains nothing: {short}"
        elif isinstance(kind, Number):
            assert kind.explanation or question.explanation, f"{question.name}: write how one gets to the number"
            for number, text in kind.mistakes.items():
                assert not kind.is_right(number), (question.name, number)
                assert text in kind.told(number)
        elif isinstance(kind, Line):
            assert kind.is_right(kind.answer) and question.reply(0)
        elif isinstance(kind, Order):
            assert kind.is_right(list(range(len(kind.items))))
            assert "In order" in question.reply(list(range(len(kind.items)))[::-1])


def test_names_are_unique(questions, predictions):
    names = [question.name for question in questions + predictions]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"give each question another name: {sorted(twice)}"


# ---------------------------------------------------------------- what quizzes say in numbers
def numbers():
    e = np.exp
    return {
        "A central difference is off": 4e-6 / 100,
        "A network has 1,000 inputs": 10,
        "The largest entry of an array is 14": 448 / 14,
        "A network has two inputs and one hidden": 1 + 5 + 5 * 4 / 2,
        "Along one direction the slope": -2 / -4,
        "A hidden layer has 5 units": math.factorial(5),
        "The best strength of an L2": 0.02 * 500 / 2000,
        "A network trains at rate 0.1": 2 / 0.1,
        "The labels of ten classes are smoothed": (1 - 0.1) + 0.1 / 10,
        "A gated unit has the value 3": 3 / (1 + e(0)),
        "A linear classifier learns from centred": 0.8 * 0.25**2,
        "Each of 16 residual blocks": 2**16,
        "With the hinge loss": 0.0,
        "A classifier for 100 classes": np.log(100),
        "A dense layer of 50 inputs feeds": 3 * 20 * (50 + 1),
        "What share of a gradient can": 0.25**6,
        "Two features have correlation": (1 + 0.99) / (1 - 0.99),
        "A dense layer maps 400 inputs": np.sqrt(2 / 400),
        "A 30-layer ReLU net": 0.5**30,
        "You draw weights from a uniform": np.sqrt(3 * 2 / (300 + 300)),
        "A feature has the values 1, 1, 1": (5 - 2) / np.std([1, 1, 1, 5]),
        "The running mean starts at 0": 5 * (1 - 0.9**2),
        "A loss is a bowl": 2 / 8,
        "Momentum with decay 0.9": 0.1 * 2 / (1 - 0.9),
        "Adam with beta1 = 0.9": (1 - 0.9) / np.sqrt(1 - 0.999),
        "A network has 10 million": 2 * 10e6 * 4 / 1e6,
        "Batches of 32 give": 0.8 / np.sqrt(512 / 32),
        "With batches of 32 rate 0.5": 0.5 * 1024 / 32,
        "A cosine schedule starts": 0.4 * (1 + np.cos(np.pi * 250 / 1000)) / 2,
        "The loss of one weight w": 1 - 2 / 4,
        "A layer is trained with inverted": 1 / (1 - 0.75),
        "Validation losses by epoch": 5,
        "Penalties are drawn uniformly": 100 * (1000 - 100) / (1000 - 0.001),
        "Three settings, 64 trials": round(64 ** (1 / 3)),
        "5-fold cross-validation": 100 - 100 / 5,
        "A layer has weights of norm 20": 0.1 * 0.4 / 20,
        "The weights before a batch norm": 10 * 10,
        "A Gaussian blur": 21 * 21 / (21 + 21),
        "An image of 32 x 32": (32 + 2 * 2 - 5) // 2 + 1,
        "A layer takes 3 channels": 64 * (3 * 3 * 3 + 1),
        "Two layers of 3 x 3": 1 + 2 + 2 * 2,
        "A convolution has 3 input": 16 * (3 * 5 * 5 + 1),
        "AlexNet's second convolution": 256 * (96 // 2) * 25,
        "A recurrent layer with 3 inputs": 3 * 16 + 16 * 16 + 16,
        "One step back multiplies": 1.1**100,
        "An LSTM starts with": (1 / (1 + e(0))) ** 10,
        "Over four seeds": np.std([1, 2, 4, 5], ddof=1) / np.sqrt(4),
        "A frozen body gives 512": 512 * 5 + 5,
        "A gradient is rounded to float16": 3e-8 / 1024,
        "A bracket of Hyperband": sum(settings * epochs for settings, epochs in hyperband(81)[0]),
        "With He's start and Adam": 0.004 * 64 / 512,
    }


def test_the_numbers_of_the_quizzes_are_computed(questions):
    asked = {q.question: q.answer for q in questions if isinstance(q.kind, Number)}
    for start, number in numbers().items():
        found = [answer for question, answer in asked.items() if question.startswith(start)]
        assert found == [pytest.approx(number, rel=1e-6)], start
    left = [question for question in asked if not question.startswith(tuple(numbers()))]
    assert not left, (
        "compute the answer of each in numbers() of tests/test_questions.py, in a line that begins with the question's "
        f"first words: {left}"
    )
    assert len(asked) == len(numbers())


def test_the_orders_of_the_quizzes(questions):
    orders = {q.question: q.kind.items for q in questions if isinstance(q.kind, Order)}
    variances = [1 / 400, 2 / 500, 2 / 400, 2 / 100]
    assert variances == sorted(variances)
    lenet = next(items for question, items in orders.items() if "LeNet-5" in question)
    counts = {
        "first convolution": 6 * (25 + 1),
        "last dense": 84 * 10 + 10,
        "second convolution": 16 * (6 * 25 + 1),
        "second dense": 120 * 84 + 84,
        "first dense": 400 * 120 + 120,
    }
    assert sum(counts.values()) == 61706
    found = [next(count for name, count in counts.items() if item.startswith(name)) for item in lenet]
    assert found == sorted(counts.values())


# ---------------------------------------------------------------- typed numbers
@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("0.5", [0.5]),
        ("1/2", [0.5]),
        ("50 %", [0.5]),
        ("0,5", [0.5]),
        ("−3", [-3]),
        ("- 3", [-3]),
        ("1,216", [1216, 1.216]),
        ("1 216", [1216]),
        ("307,200", [307200, 307.2]),
        ("1,000,000", [1e6]),
        ("2·10^-4", [2e-4]),
        ("2 × 10^−4", [2e-4]),
        ("1e-10", [1e-10]),
        ("sqrt(2/400)", [np.sqrt(2 / 400)]),
        ("√2", [np.sqrt(2)]),
        ("ln 10", [np.log(10)]),
        ("log(100)", [2]),
        ("2^-30", [2.0**-30]),
        ("(1 + 2) * 3", [9]),
        ("", []),
        ("two", []),
        ("1/0", []),
        ("9^9^9^9", []),
        ("1..2", []),
        ("()", []),
        ("__import__('os')", []),
        ("1" * 61, []),
    ],
)
def test_a_number_may_be_typed_in_many_ways(typed, numbers):
    assert readings(typed) == pytest.approx(numbers)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.00097, "0.00097"),
        (1.23e-7, "1.2e-7"),
        (1568, "1568"),
        (54.8, "55"),
        (1234.5, "1230"),
        (0, "0"),
        (-0.5, "-0.5"),
    ],
)
def test_short_numbers(number, text):
    assert short(number) == text


def test_the_files_are_json_in_one_form():
    for chapter in QUIZZES:
        file = resources.files("coursekit.interactive") / "quizzes" / f"{chapter}.json"
        for row in json.loads(file.read_text(encoding="utf-8")):
            known = {"question", "type", "answers", "unit", "tolerance", "items", "feedback", "code", "answer", "notes"}
            known |= {"picture", "explanation"}
            assert set(row) <= known, f"{row['question']!r} has {set(row) - known}; a question may have {sorted(known)}"


def test_stats_for_the_eye(choices, capsys):
    """`pytest -s -k stats` prints the rates."""
    lines = [f"chance {chance(choices):.3f} over {len(choices)} questions"]
    lines += [f"{name}: {rate(choices, way):.3f}" for name, way in WAYS.items()]
    words = defaultdict(lambda: [0, 0])
    for texts, right in choices:
        for place, text in enumerate(texts):
            row = words[text.split()[0].lower().strip(",:.")]
            row[0] += 1
            row[1] += place == right
    lines += [f"{word}: {won} of {count}" for word, (count, won) in sorted(words.items()) if count > 5]
    print("\n".join(lines))
