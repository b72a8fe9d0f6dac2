"""A network that writes text one character at a time, and what it needs around it.

After A. Karpathy, "The unreasonable effectiveness of recurrent neural networks" (2015): read a text, guess the next
character at every step, and afterwards write by drawing from the guesses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _checks
from ..activations import softmax
from ..errors import LabelError, ShapeError
from ..layers import GRU, LSTM, RNN, Dense, EachStep, Embedding, first_states, step
from ..model import Sequential

__all__ = ["Vocabulary", "char_rnn", "next_character_examples", "write_text"]

_CELLS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def char_rnn(symbols: int, *, features: int = 64, hidden: int = 128, layers: int = 1, cell: str = "lstm") -> Sequential:
    """A character model: embedding, recurrent layers, and scores of the next character at every step.

    Train it with `coursekit.layers.sequence_cross_entropy`. Karpathy's has no embedding but one-hot inputs,
    which is the same with a table that is the identity.

    Parameters
    ----------
    symbols : number V of different characters, `len(vocabulary)`
    features : numbers in the embedding of one
    hidden : units of each recurrent layer
    layers : how many recurrent layers
    cell : "rnn", "lstm" or "gru"

    Returns
    -------
    Sequential from symbol numbers (N, T) to scores (N, T, V)

    >>> net = char_rnn(65, hidden=32)
    >>> params, state = net.init(np.random.default_rng(0))
    >>> net.forward(params, state, np.zeros((4, 10), int), training=True)[0].shape
    (4, 10, 65)
    """
    symbols, features = _checks.whole("symbols", symbols, 2), _checks.whole("features", features)
    hidden, layers = _checks.whole("hidden", hidden), _checks.whole("layers", layers)
    layer = _CELLS[_checks.choice("cell", cell, _CELLS)]
    inputs = [features] + [hidden] * (layers - 1)
    return Sequential(
        [Embedding(symbols, features), *(layer(n, hidden) for n in inputs), EachStep(Dense(hidden, symbols))]
    )


@dataclass(frozen=True)
class Vocabulary:
    """The characters of a text, in their order in Unicode, numbered from 0.

    >>> vocabulary = Vocabulary.of("hello")
    >>> len(vocabulary), vocabulary.characters
    (4, 'ehlo')
    >>> vocabulary.encode("hole")
    array([1, 3, 2, 0])
    >>> vocabulary.decode(np.array([1, 3, 2, 0]))
    'hole'
    """

    characters: str

    def __post_init__(self):
        if not self.characters or len(set(self.characters)) != len(self.characters):
            raise LabelError(f"characters are {self.characters!r}, but each must occur once; use Vocabulary.of(text)")

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        """All characters that occur in a text."""
        return cls("".join(sorted(set(text))))

    def __len__(self):
        return len(self.characters)

    def encode(self, text: str) -> np.ndarray:
        """(T,) int64 numbers of the characters of a text."""
        numbers = {character: i for i, character in enumerate(self.characters)}
        try:
            return np.array([numbers[character] for character in text], dtype=np.int64)
        except KeyError as error:
            raise LabelError(f"the character {error} is not among the {len(self)} of this vocabulary") from None

    def decode(self, numbers: np.ndarray) -> str:
        """The text of (T,) numbers."""
        return "".join(self.characters[i] for i in _checks.labels(numbers, len(self), np.shape(numbers), "numbers"))


def next_character_examples(numbers: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut a text into pieces: inputs of `steps` characters, and at each step the character that comes next.

    Parameters
    ----------
    numbers : (L,) the text, from `Vocabulary.encode`
    steps : length T of a piece

    Returns
    -------
    x, y : (N, T) each; y is x moved on by one. What is left at the end of the text is dropped.

    >>> next_character_examples(np.arange(10), steps=4)
    (array([[0, 1, 2, 3],
           [4, 5, 6, 7]]), array([[1, 2, 3, 4],
           [5, 6, 7, 8]]))
    """
    steps = _checks.whole("steps", steps)
    numbers = np.asarray(numbers)
    if numbers.ndim != 1 or len(numbers) < steps + 1:
        raise ShapeError(f"numbers has shape {numbers.shape}; pieces of {steps} steps need at least ({steps + 1},)")
    n = (len(numbers) - 1) // steps
    return numbers[: n * steps].reshape(n, steps), numbers[1 : n * steps + 1].reshape(n, steps)


def write_text(
    model: Sequential,
    params: dict,
    vocabulary: Vocabulary,
    rng: np.random.Generator,
    *,
    prompt: str,
    length: int,
    temperature: float = 1.0,
) -> str:
    r"""Let a character model write: draw the next character, read it, and so on.

    Character c is drawn with probability $\text{softmax}(s / \tau)_c$ from its score. A temperature $\tau$ below 1
    makes likely characters more likely still, above 1 all more alike.

    Parameters
    ----------
    model, params : from `char_rnn`, trained
    vocabulary : the one it was trained with
    rng : draws the characters
    prompt : the beginning, at least one character; the model reads it first
    length : how many characters to write
    temperature : > 0

    Returns
    -------
    the prompt and what was written

    >>> vocabulary = Vocabulary.of("to be or not to be")
    >>> net = char_rnn(len(vocabulary), hidden=8)
    >>> params, _ = net.init(np.random.default_rng(0))
    >>> len(write_text(net, params, vocabulary, np.random.default_rng(0), prompt="to", length=10))
    12
    """
    rng = _checks.generator("rng", rng)
    length = _checks.whole("length", length, 0)
    temperature = _checks.number("temperature", temperature, 0, open_low=True)
    if not prompt:
        raise ShapeError("prompt is empty; the model needs at least one character to begin with")
    states, written = first_states(model, 1), []
    for number in vocabulary.encode(prompt):
        scores, states = step(model, params, states, np.array([number]))
    for _ in range(length):
        p = softmax(scores[0].astype(np.float64) / temperature)
        written.append(rng.choice(len(p), p=p))
        scores, states = step(model, params, states, np.array(written[-1:]))
    return prompt + vocabulary.decode(np.array(written, dtype=np.int64))
