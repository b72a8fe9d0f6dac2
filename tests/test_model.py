import os
import signal
import threading
import time

import numpy as np
import pytest
import torch

from coursekit.errors import (
    CourseError,
    DataError,
    DivergedError,
    DTypeError,
    LabelError,
    RangeError,
    ShapeError,
)
from coursekit.layers import Dense, Layer, ReLU, Tanh
from coursekit.losses import mean_squared_error, softmax_cross_entropy
from coursekit.model import Sequential, accuracy, predict, stack_runs
from coursekit.optimizers import adam, momentum, sgd
from coursekit.training import History, minibatches, train

NET = Sequential([Dense(4, 6), Tanh(), Dense(6, 5), ReLU(), Dense(5, 3)])


class Noise(Layer):
    """Adds noise while training: shows whether the generator is resumed."""

    def forward(self, params, state, x, *, training, rng=None):
        if not training:
            return x, None, state
        return x + 0.1 * rng.standard_normal(x.shape).astype(x.dtype), None, {"calls": state.get("calls", 0) + 1}

    def init(self, rng, *, dtype=np.float32):
        return {}, {"calls": 0}

    def backward(self, dout, cache):
        return dout, {}


NOISY = Sequential([Dense(4, 8), Noise(), Tanh(), Dense(8, 3)])


@pytest.fixture
def blobs():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 90)
    x = rng.standard_normal((90, 4)).astype(np.float32)
    x[np.arange(90), y] += 3
    return x, y


def run(blobs, net=NET, epochs=3, seed=1, **settings):
    settings = {"optimizer": adam(1e-2), "batch_size": 20, "progress": False} | settings
    return train(net, *blobs, epochs=epochs, rng=np.random.default_rng(seed), **settings)


def leaves(tree):
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    return [np.asarray(tree)]


def same(a, b):
    pairs = zip(leaves(a), leaves(b), strict=True)
    return all(np.array_equal(x, y) for x, y in pairs)


def test_sequential_equals_pytorch_forward_and_backward(rng):
    params, state = NET.init(rng, dtype=np.float64)
    x, dout = rng.standard_normal((7, 4)), rng.standard_normal((7, 3))
    out, cache, _ = NET.forward(params, state, x, training=True)
    dx, grads = NET.backward(dout, cache)
    tx = torch.from_numpy(x).requires_grad_()
    weights = {n: {k: torch.from_numpy(v).requires_grad_() for k, v in p.items()} for n, p in params.items()}
    h = torch.tanh(tx @ weights["dense_0"]["w"] + weights["dense_0"]["b"])
    h = torch.relu(h @ weights["dense_2"]["w"] + weights["dense_2"]["b"])
    expected = h @ weights["dense_4"]["w"] + weights["dense_4"]["b"]
    expected.backward(torch.from_numpy(dout))
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(dx, tx.grad.numpy(), rtol=1e-11)
    assert list(grads) == list(params)
    for name, group in grads.items():
        for key, g in group.items():
            np.testing.assert_allclose(g, weights[name][key].grad.numpy(), rtol=1e-11)


def test_backward_first_gives_the_same_grads(rng):
    params, state = NET.init(rng, dtype=np.float64)
    out, cache, _ = NET.forward(params, state, rng.standard_normal((7, 4)), training=True)
    dout = rng.standard_normal(out.shape)
    first, (_, grads) = NET.backward_first(dout, cache), NET.backward(dout, cache)
    assert list(first) == list(grads)
    for a, b in zip(leaves(first), leaves(grads), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_sequential_can_be_a_layer(rng):
    nested = Sequential([Sequential([Dense(4, 6), Tanh()]), Dense(6, 3)])
    params, state = nested.init(rng)
    out, cache, state = nested.forward(params, state, np.ones((2, 4), np.float32), training=True)
    _, grads = nested.backward(np.ones_like(out), cache)
    assert grads["sequential_0"]["dense_0"]["w"].shape == (4, 6)


def test_activations_are_the_outputs_of_all_layers(rng):
    params, state = NET.init(rng)
    x = rng.standard_normal((3, 4)).astype(np.float32)
    outputs = NET.activations(params, state, x)
    assert list(outputs) == ["dense_0", "tanh_1", "dense_2", "relu_3", "dense_4"]
    np.testing.assert_array_equal(outputs["dense_4"], NET.forward(params, state, x, training=False)[0])


def test_an_empty_sequential_or_a_class_for_a_layer_is_refused():
    with pytest.raises(ShapeError, match="Sequential got no layers"):
        Sequential([])
    with pytest.raises(DTypeError, match=r"is not a layer; layers are objects such as ReLU\(\), with brackets"):
        Sequential([Dense(2, 2), np.tanh])


def test_minibatches_visit_every_example_once_in_a_new_order_each_epoch():
    x, y = np.arange(10.0)[:, None], np.arange(10)
    rng = np.random.default_rng(0)
    epochs = [list(minibatches(x, y, 4, rng)) for _ in range(2)]
    orders = [np.concatenate([yb for _, yb in epoch]) for epoch in epochs]
    assert [len(yb) for _, yb in epochs[0]] == [4, 4, 2]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert not np.array_equal(*orders)
    assert all(np.array_equal(xb[:, 0], yb) for xb, yb in epochs[0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.ones((3, 2)), np.ones(2), 1, None), ShapeError, "x has 3 examples and y has 2"),
        ((np.ones((0, 2)), np.ones(0), 1, None), ShapeError, "x and y are empty"),
        ((np.ones((3, 2)), np.ones(3), 0, None), RangeError, "batch_size is 0, but must be at least 1"),
        ((np.ones((3, 2)), np.ones(3), 1, 7), DTypeError, "rng is int 7, but must be a generator"),
    ],
)
def test_bad_batches_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        next(minibatches(*arguments))


def test_training_learns_and_records(blobs):
    history = run(blobs, epochs=20, validation=blobs)
    assert history.step == len(history.loss) == 20 * 5
    assert history.curve("val_accuracy")[-1] > 0.95
    assert history.curve("epoch").tolist() == list(range(1, 21))
    sizes = [len(xb) for xb, _ in minibatches(*blobs, 20, None)]
    assert history.curve("loss")[-1] == pytest.approx(np.average(history.loss[-5:], weights=sizes))
    assert history.stopped == "finished"


def test_training_equals_pytorch_step_by_step(blobs):
    x, y = blobs
    rng = np.random.default_rng(4)
    params, state = NET.init(rng, dtype=np.float64)
    torch_net = torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)
    ).double()
    with torch.no_grad():
        for layer, name in ((torch_net[0], "dense_0"), (torch_net[2], "dense_2"), (torch_net[4], "dense_4")):
            layer.weight[:], layer.bias[:] = torch.from_numpy(params[name]["w"].T), torch.from_numpy(params[name]["b"])
    opt = torch.optim.SGD(torch_net.parameters(), lr=0.1, momentum=0.8)
    losses = []
    for _ in range(6):
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(torch_net(torch.from_numpy(x).double()), torch.from_numpy(y))
        loss.backward()
        opt.step()
        losses.append(loss.item())
    history = run(
        (x.astype(np.float64), y), optimizer=momentum(0.1, 0.8), params=params, state=state, epochs=6, batch_size=90
    )
    np.testing.assert_allclose(history.loss, losses, rtol=1e-9)


def test_the_seed_decides_everything_and_given_params_are_left_alone(blobs):
    params, state = NET.init(np.random.default_rng(8))
    before = [leaf.copy() for leaf in leaves(params)]
    runs = [run(blobs, params=params, state=state) for _ in range(2)]
    assert same(runs[0].params, runs[1].params)
    assert not same(runs[0].params, params)
    assert all(np.array_equal(a, b) for a, b in zip(before, leaves(params), strict=True))
    assert not same(run(blobs, seed=2, params=params, state=state).params, runs[0].params)


def test_several_runs_train_at_once_as_one_by_one(blobs):
    nets = [NET.init(np.random.default_rng(s), dtype=np.float64)[0] for s in range(3)]
    blobs = blobs[0].astype(np.float64), blobs[1]
    together = run(blobs, params=stack_runs(nets), state={}, optimizer=adam(1e-2))
    for r, net in enumerate(nets):
        alone = run(blobs, params=net, state={}, optimizer=adam(1e-2))
        np.testing.assert_allclose([loss[r] for loss in together.loss], alone.loss, rtol=1e-10)
        np.testing.assert_allclose(together.params["dense_4"]["w"][r], alone.params["dense_4"]["w"], rtol=1e-8)


def test_a_history_saved_and_loaded_goes_on_to_the_same_numbers(blobs, tmp_path):
    whole = run(blobs, NOISY, epochs=4)
    half = run(blobs, NOISY, epochs=2)
    path = half.save(tmp_path / "half")
    assert path.name == "half.npz"
    loaded = History.load(path)
    assert same(loaded.optimizer_state, half.optimizer_state)
    resumed = run(blobs, NOISY, epochs=4, seed=99, resume=loaded)
    assert same(resumed.params, whole.params)
    np.testing.assert_array_equal(resumed.loss, whole.loss)
    assert resumed.state == whole.state == {"noise_1": {"calls": 20}}
    assert resumed.epochs == whole.epochs


def test_ctrl_c_keeps_what_was_learnt_and_resumes_in_the_middle_of_an_epoch(blobs):
    handler = signal.getsignal(signal.SIGINT)
    whole = run(blobs, NOISY, epochs=3)
    calls = []

    def loss(scores, labels):
        calls.append(1)
        if len(calls) == 9:  # the third batch of the second epoch; the first call of all is the rehearsal's
            os.kill(os.getpid(), signal.SIGINT)
        return softmax_cross_entropy(scores, labels)

    stopped = run(blobs, NOISY, epochs=3, loss=loss)
    assert (stopped.stopped, stopped.step, stopped.epoch) == ("interrupted", 8, 1)
    resumed = run(blobs, NOISY, epochs=3, resume=stopped)
    assert same(resumed.params, whole.params)
    assert resumed.stopped == "finished"
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_second_ctrl_c_interrupts_a_step_that_hangs(blobs):
    def hang(scores, labels):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

    start = time.monotonic()
    history = run(blobs, loss=hang)
    assert history.stopped == "interrupted"
    assert history.step == 0
    assert time.monotonic() - start < 10


def test_training_works_outside_the_main_thread(blobs):
    found = []
    thread = threading.Thread(target=lambda: found.append(run(blobs)))
    thread.start()
    thread.join()
    assert found[0].stopped == "finished"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_diverged_run_says_which_step_and_what_to_try(blobs):
    with pytest.raises(
        DivergedError, match=r"training diverged at step \d+ .*learning rate ten times smaller"
    ) as caught:
        run(blobs, Sequential([Dense(4, 50), Dense(50, 3)]), optimizer=sgd(1e30), epochs=20)
    history = caught.value.history
    assert history.stopped == "diverged"
    assert f"at step {history.step + 1} " in str(caught.value)


def test_a_callback_can_stop_training(blobs):
    history = run(blobs, epochs=9, callbacks=[lambda h: "enough" if h.epoch == 2 else None])
    assert (history.stopped, history.epoch) == ("enough", 2)


def test_other_losses_work(blobs):
    x, _ = blobs
    net = Sequential([Dense(4, 2), Dense(2, 4)])
    history = run((x, x), net, loss=mean_squared_error, validation=(x, x), epochs=5)
    assert history.loss[-1] < history.loss[0]
    assert list(history.epochs[0]) == ["epoch", "step", "loss", "val_loss"]


def test_resume_and_params_together_are_refused(blobs):
    history = run(blobs, epochs=1)
    with pytest.raises(CourseError, match="give either resume= or params= and state=, not both"):
        run(blobs, resume=history, params=history.params)


def test_a_column_that_is_not_there_is_named(blobs):
    with pytest.raises(DataError, match="no column 'val_loss'; it has epoch, step, loss"):
        run(blobs, epochs=1).curve("val_loss")


def test_saving_is_all_or_nothing(blobs, tmp_path, monkeypatch):
    history = run(blobs, epochs=1)
    path = history.save(tmp_path / "run.npz")
    good = path.read_bytes()
    monkeypatch.setattr(np, "savez", lambda file, **k: file.write(b"half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        history.save(path)
    assert path.read_bytes() == good
    assert [f.name for f in tmp_path.iterdir()] == ["run.npz"]


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.npz"):
        History.load(path)
    with pytest.raises(DataError, match="there is no file"):
        History.load(tmp_path / "none.npz")


def test_files_with_pickles_are_refused(tmp_path):
    np.savez(tmp_path / "evil.npz", meta=np.array([object()], dtype=object), loss=np.ones(1))
    with pytest.raises(DataError, match="is not a file that History"):
        History.load(tmp_path / "evil.npz")


def test_accuracy_counts_the_largest_score():
    scores = np.array([[[1.0, 2.0], [3.0, 0.0]], [[5.0, 1.0], [0.0, 1.0]]])
    np.testing.assert_array_equal(accuracy(scores, np.array([1, 1])), [0.5, 0.5])
    with pytest.raises(LabelError, match="labels contains 2, but with 2 classes labels run from 0 to 1"):
        accuracy(scores, np.array([1, 2]))


def test_predict_in_batches_gives_what_one_pass_gives(rng):
    params, state = NET.init(rng)
    x = rng.standard_normal((7, 4)).astype(np.float32)
    np.testing.assert_allclose(
        predict(NET, params, state, x, batch_size=3), NET.forward(params, state, x, training=False)[0], rtol=1e-6
    )


def test_the_bar_shows_without_tqdm(blobs, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
    run(blobs, progress=True, epochs=2)
    assert "step 10 of 10, loss" in capsys.readouterr().out
