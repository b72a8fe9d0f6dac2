"""Small LSTMs that write Shakespeare and the Korean constitution, letter by letter (chapter 14)."""

from __future__ import annotations

import numpy as np

from ... import optimizers, regularizers, schedules
from ...layers import sequence_cross_entropy
from ...model import predict
from ...training import train as train_model
from .._bench import count
from ..recurrent_networks import bigram_bits, pieces, writer

SETTINGS = {
    "char_rnn_shakespeare": {"epochs": 36, "batch_size": 32, "lr": 5e-3},
    "char_rnn_korean": {"epochs": 50, "batch_size": 8, "lr": 5e-3},
}


def train(name: str):
    """Train on eight tenths of the text, stop by another tenth, measure on the last one; in pieces of 100 letters."""
    settings, seed = SETTINGS[name], 0
    net, vocabulary = writer(name)
    learn, stop, test = pieces(name, vocabulary)
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
    noted = {
        "seed": seed,
        "epochs": history.epoch,
        "best_epoch": best.best_epoch,
        "parameters": count(best.best_params),
        "letters": len(vocabulary),
        "test_bits_per_letter": round(float(nats / np.log(2)), 4),
        "bigram_bits_per_letter": round(bigram_bits(learn, test, len(vocabulary)), 4),
    }
    return best.best_params, {}, noted
