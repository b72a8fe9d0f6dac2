import itertools

import numpy as np
import pytest

from coursekit import data
from coursekit.errors import DTypeError, LabelError, RangeError, ShapeError
from coursekit.layers import GRU, LSTM, RNN, first_states, sequence_cross_entropy, step
from coursekit.optimizers import adam
from coursekit.training import train
from coursekit.zoo import Vocabulary, char_rnn, next_character_examples, write_text


@pytest.mark.parametrize(("cell", "layer"), [("rnn", RNN), ("lstm", LSTM), ("gru", GRU)])
def test_a_character_model_scores_every_character_at_every_step(cell, layer):
    net = char_rnn(9, features=4, hidden=6, layers=2, cell=cell)
    assert [type(part) for part in net.layers[1:3]] == [layer, layer]
    params, state = net.init(np.random.default_rng(0))
    out, _, _ = net.forward(params, state, np.zeros((3, 5), int), training=True)
    assert out.shape == (3, 5, 9)


def test_a_vocabulary_reads_back_what_it_wrote():
    for text in (data.shakespeare()[:5000], data.korean_constitution()):
        vocabulary = Vocabulary.of(text)
        numbers = vocabulary.encode(text)
        assert numbers.dtype == np.int64 and numbers.shape == (len(text),)
        assert set(numbers) == set(range(len(vocabulary)))
        assert vocabulary.decode(numbers) == text


def test_a_vocabulary_is_in_order_whatever_the_texts_order():
    assert Vocabulary.of("zebra crossing").characters == " abceginorsz"
    assert Vocabulary.of("gnissorc arbez") == Vocabulary.of("zebra crossing")


def test_examples_are_pieces_and_what_comes_next():
    numbers = np.arange(100)
    x, y = next_character_examples(numbers, 8)
    assert x.shape == y.shape == (12, 8)
    np.testing.assert_array_equal(x.reshape(-1), numbers[:96])
    np.testing.assert_array_equal(y, x + 1)
    assert next_character_examples(np.arange(9), 8)[0].shape == (1, 8)
    assert next_character_examples(np.arange(16), 8)[0].shape == (1, 8)  # the last one has nothing after it


def trained(cell="lstm"):
    text = "the cat sat on the mat. " * 60
    vocabulary = Vocabulary.of(text)
    x, y = next_character_examples(vocabulary.encode(text), 25)
    net = char_rnn(len(vocabulary), features=8, hidden=32, cell=cell)
    history = train(
        net,
        x,
        y,
        optimizer=adam(0.02),
        epochs=20,
        batch_size=8,
        rng=np.random.default_rng(0),
        loss=sequence_cross_entropy,
        progress=False,
    )
    return net, history, vocabulary


@pytest.fixture(scope="module")
def writer():
    return trained()


def test_a_trained_model_writes_what_it_has_read(writer):
    net, history, vocabulary = writer
    assert history.loss[0] > 2 and history.loss[-1] < 0.3
    written = write_text(
        net, history.params, vocabulary, np.random.default_rng(0), prompt="the c", length=60, temperature=0.2
    )
    assert written == ("the cat sat on the mat. " * 4)[:65]


def test_temperature_makes_text_dull_or_wild(writer):
    net, history, vocabulary = writer

    def wrong(temperature):
        text = write_text(
            net,
            history.params,
            vocabulary,
            np.random.default_rng(1),
            prompt="the ",
            length=300,
            temperature=temperature,
        )
        pairs = {a + b for a, b in zip("the cat sat on the mat. ", "he cat sat on the mat. t", strict=True)}
        return sum(a + b not in pairs for a, b in itertools.pairwise(text))

    assert wrong(0.1) == 0
    assert wrong(0.1) < wrong(3.0)
    assert wrong(3.0) > 20


def test_writing_follows_its_generator_and_starts_with_the_prompt(writer):
    net, history, vocabulary = writer

    def write(seed, **more):
        settings = {"prompt": "cat", "length": 40, "temperature": 2.0} | more
        return write_text(net, history.params, vocabulary, np.random.default_rng(seed), **settings)

    assert write(1) == write(1) != write(2)
    assert write(1).startswith("cat") and len(write(1)) == 43
    assert write(1, length=0) == "cat"


def test_all_of_the_prompt_is_read():
    vocabulary = Vocabulary.of("abc")
    net = char_rnn(3, hidden=8)
    params, _ = net.init(np.random.default_rng(0))
    first, second = (
        write_text(net, params, vocabulary, np.random.default_rng(0), prompt=prompt, length=200, temperature=0.3)
        for prompt in ("aaaab", "ccccb")
    )
    assert first[5:] != second[5:]


def test_the_characters_are_drawn_with_the_models_probabilities():
    vocabulary = Vocabulary.of("ab")
    net = char_rnn(2, features=2, hidden=3)
    params, _ = net.init(np.random.default_rng(3))
    scores, _ = step(net, params, first_states(net, 1), vocabulary.encode("a"))
    tau = 0.5
    p = np.exp(scores[0] / tau) / np.exp(scores[0] / tau).sum()
    rng = np.random.default_rng(0)
    drawn = [write_text(net, params, vocabulary, rng, prompt="a", length=1, temperature=tau)[1] for _ in range(2000)]
    assert abs(drawn.count("b") / 2000 - p[1]) < 0.04
    assert abs(p[1] - 0.5) > 0.06  # else the test says nothing


ERRORS = [
    (lambda: char_rnn(1), RangeError, "symbols is 1"),
    (lambda: char_rnn(5, cell="transformer"), RangeError, "cell is 'transformer', but must be one of 'rnn', 'lstm'"),
    (lambda: char_rnn(5, layers=0), RangeError, "layers is 0"),
    (lambda: char_rnn(5, hidden=0), RangeError, "hidden is 0"),
    (lambda: Vocabulary.of(""), LabelError, "each must occur once"),
    (lambda: Vocabulary("aa"), LabelError, r"Vocabulary\.of\(text\)"),
    (lambda: Vocabulary("ab").encode("abc"), LabelError, "the character 'c' is not among the 2"),
    (lambda: Vocabulary("ab").decode(np.array([2])), LabelError, "numbers contains 2"),
    (lambda: Vocabulary("ab").decode(np.array([0.5])), LabelError, "whole numbers"),
    (lambda: next_character_examples(np.arange(8), 8), ShapeError, r"need at least \(9,\)"),
    (lambda: next_character_examples(np.ones((3, 3), int), 1), ShapeError, r"numbers has shape \(3, 3\)"),
    (lambda: next_character_examples(np.arange(8), 0), RangeError, "steps is 0"),
]


@pytest.mark.parametrize(("f", "error", "message"), ERRORS, ids=[m for *_, m in ERRORS])
def test_bad_arguments_are_named(f, error, message):
    with pytest.raises(error, match=message):
        f()


WRITING = [
    ({"prompt": ""}, ShapeError, "prompt is empty"),
    ({"prompt": "x"}, LabelError, "the character 'x'"),
    ({"temperature": 0}, RangeError, r"temperature is 0, but must be a finite number in \(0"),
    ({"length": -1}, RangeError, "length is -1"),
    ({"rng": 0}, DTypeError, "rng is int 0"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRITING, ids=[m for *_, m in WRITING])
def test_bad_settings_of_writing_are_named(change, error, message):
    net, vocabulary = char_rnn(2, hidden=2), Vocabulary("ab")
    settings = {"rng": np.random.default_rng(0), "prompt": "a", "length": 1, "temperature": 1.0} | change
    with pytest.raises(error, match=message):
        write_text(net, net.init(np.random.default_rng(0))[0], vocabulary, **settings)
