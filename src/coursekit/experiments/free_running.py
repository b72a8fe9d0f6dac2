"""Chapter 14: trained on true letters, the network reads its own when it writes. Do its mistakes grow?"""

from __future__ import annotations

import unicodedata

import numpy as np

from .. import _checks
from ..activations import softmax
from ..recurrent import lstm_step_forward
from ._bench import shared
from .recurrent_networks import PIECE, TEXTS, _words, _writer, pieces

PARTS = 5  # pieces of 100 letters that it writes after the true ones


@shared()
def spelling(texts: int = 100, seed: int = 0, source: str = "Shakespeare") -> dict:
    """Let the shipped network go on from `texts` true pieces of the test part, at temperature 1.

    Returns
    -------
    known : (PARTS,) share of the words in each hundred letters that occur in the text it was trained on
    true : the same share in the true pieces
    """
    _checks.whole("texts", texts, 1)
    net, vocabulary, params, words = _writer(source)
    embedding, cell, head = (params[name] for name in net.names)
    _, _, (true, _) = pieces(TEXTS[source], vocabulary)
    rng = np.random.default_rng(seed)
    true = true[rng.permutation(len(true))[:texts]]
    zeros = np.zeros((len(true), cell["wh"].shape[0]))
    h, c = _last_states(embedding, cell, true[:, :-1], zeros)
    letters, wrote = true[:, -1], []
    for _ in range(PARTS * PIECE):
        h, c, _ = lstm_step_forward(embedding["w"][letters], h, c, cell["wx"], cell["wh"], cell["b"])
        p = softmax(h @ head["w"] + head["b"])
        letters = (p.cumsum(axis=1) > rng.random((len(p), 1))).argmax(axis=1)
        wrote.append(letters)
    wrote = np.stack(wrote, axis=1).reshape(len(true), PARTS, PIECE)
    return {
        "known": np.array([_known(wrote[:, part], vocabulary, words) for part in range(PARTS)]),
        "true": _known(true, vocabulary, words),
    }


def _last_states(embedding, cell, letters, zeros):
    h = c = zeros
    for t in range(letters.shape[1]):
        h, c, _ = lstm_step_forward(embedding["w"][letters[:, t]], h, c, cell["wx"], cell["wh"], cell["b"])
    return h, c


def _known(letters, vocabulary, words) -> float:
    """Share of the words of the rows that occur in the training text; the first and the last of a row may be cut."""
    texts = [unicodedata.normalize("NFC", vocabulary.decode(row)) for row in letters]
    found = [word for text in texts for word in _words(text)[1:-1]]
    return float(np.mean([word in words for word in found]))
