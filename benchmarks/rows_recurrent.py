"""Recurrent networks: 50 steps, 128 hidden units, batch 32, 64 inputs."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.rows import row
from benchmarks.rows_image import array, backward, torch_training_step, training_step
from coursekit import recurrent
from coursekit.layers import LSTM, Dense, LastStep
from coursekit.model import Sequential

N, T, D, H = 32, 50, 64, 128


def layer(name):
    def make():
        forward, back = getattr(recurrent, f"{name}_forward"), getattr(recurrent, f"{name}_backward")
        gates, biases, states = {"rnn": (1, 1, 1), "gru": (3, 4, 1), "lstm": (4, 4, 2)}[name]
        x, dout = array(N, T, D), array(N, T, H)
        first = [np.zeros((N, H), np.float32) for _ in range(states)]
        wx, wh, b = array(D, gates * H) / 8, array(H, gates * H) / 12, array(biases * H)

        def ours():
            _, cache = forward(x, *first, wx, wh, b)
            return back(dout, cache)

        module = getattr(torch.nn, name.upper())(D, H, batch_first=True)
        tx, tdout = torch.tensor(x, requires_grad=True), torch.tensor(dout)
        return ours, lambda: backward(lambda: module(tx)[0], tdout, tx, *module.parameters())

    return make


for _name, _bound in {"rnn": 1.0, "gru": 1.0, "lstm": (2.2, 1.6)}.items():
    row(f"{_name.upper()}, T {T}, hidden {H}, batch {N}, forward + backward", at_most=_bound)(layer(_name))


class TorchLSTM(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(D, H, batch_first=True)
        self.dense = torch.nn.Linear(H, 10)

    def forward(self, x):
        return self.dense(self.lstm(x)[0][:, -1])


@row("training step, LSTM, the same, Adam", at_most=(2.2, 1.6))
def lstm_step():
    x, y = array(N, T, D), np.random.default_rng(0).integers(0, 10, N)
    net = Sequential([LSTM(D, H), LastStep(), Dense(H, 10)])
    return training_step(net, x, y), torch_training_step(TorchLSTM(), x, y)
