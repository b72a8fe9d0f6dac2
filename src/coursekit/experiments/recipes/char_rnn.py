"""Small LSTMs that write Shakespeare and the Korean constitution, letter by letter (chapter 14)."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from ... import data, optimizers, regularizers, schedules
from ...layers import sequence_cross_entropy
from ...model import predict
from ...training import train as train_model
from ...zoo import Vocabulary, char_rnn, next_character_examples

STEPS = 100
SETTINGS = {
    "char_rnn_shakespeare": {"features": 24, "hidden": 120, "epochs": 36, "batch_size": 32, "lr": 5e-3},
    "char_rnn_korean": {"features": 24, "hidden": 96, "epochs": 50, "batch_size": 8, "lr": 5e-3},
}


def text(name: str) -> str:
    """The text that the weights `name` are trained on.

    Korean is written in blocks of two or three letters. The network reads and writes the letters (Unicode's NFD
    form): 380 different blocks are too many to learn from 18,000 of them, the letters are some 70.
    """
    if name == "char_rnn_shakespeare":
        return data.shakespeare()
    return unicodedata.normalize("NFD", re.sub(" +", " ", data.korean_constitution()))


def model(name: str):
    """The network and the vocabulary of the weights `name`."""
    vocabulary = Vocabulary.of(text(name))
    settings = SETTINGS[name]
    return char_rnn(len(vocabulary), features=settings["features"], hidden=settings["hidden"]), vocabulary


def split(name: str, vocabulary: Vocabulary) -> list[tuple[np.ndarray, np.ndarray]]:
    """The text in pieces of `STEPS` letters, (x, y) each: to learn from (eight of ten), to stop by, to test on."""
    x, y = next_character_examples(vocabulary.encode(text(name)), STEPS)
    tenth = np.arange(len(x)) % 10
    return [(x[part], y[part]) for part in (tenth < 8, tenth == 8, tenth == 9)]


def train(name: str):
    """Train on eight tenths of the text, stop by another tenth, measure on the last one; in pieces of 100 letters."""
    settings, seed = SETTINGS[name], 0
    net, vocabulary = model(name)
    learn, stop, test = split(name, vocabulary)
    best = regularizers.EarlyStopping(patience=4)
    updates = settings["epochs"] * -(-len(learn[0]) // settings["batch_size"])
    history = train_model(
        net,
        *learn,
        optimizer=optimizers.chain(
            optimizers.global_norm_clip(1.0), optimizers.adam(schedules.cosine(settings["lr"], updates))
        ),
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        rng=np.random.default_rng(seed),
        loss=sequence_cross_entropy,
        validation=stop,
        callbacks=(best,),
        progress=False,
    )
    scores = predict(net, best.best_params, {}, test[0])
    nats = float(sequence_cross_entropy(scores, test[1])[0])
    params = sum(p.size for layer in best.best_params.values() for p in layer.values())
    noted = {
        "seed": seed,
        "epochs": history.epoch,
        "best_epoch": best.best_epoch,
        "parameters": params,
        "letters": len(vocabulary),
        "test_bits_per_letter": round(float(nats / np.log(2)), 4),
        "bigram_bits_per_letter": round(bigram_bits(learn, test, len(vocabulary)), 4),
    }
    return best.best_params, {}, noted


def bigram_bits(learn, test, letters: int) -> float:
    """Bits per letter on `test` of a table of pairs counted in `learn`, each pair counted once more than seen."""
    counts = np.ones((letters, letters))
    np.add.at(counts, learn, 1)
    p = counts / counts.sum(axis=1, keepdims=True)
    return float(-np.log2(p[test]).mean())
