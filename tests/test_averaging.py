"""coursekit.averaging: PyTorch's averages, and that nothing given is changed."""

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from coursekit import averaging
from coursekit.errors import RangeError, ShapeError


@pytest.mark.parametrize(
    "ours, function", [(averaging.ema(0.8), get_ema_multi_avg_fn(0.8)), (averaging.swa(), None)], ids=["ema", "swa"]
)
def test_the_average_is_that_of_torch(ours, function):
    rng, net = np.random.default_rng(0), torch.nn.Linear(3, 2, dtype=torch.float64)
    theirs = AveragedModel(net, multi_avg_fn=function)
    state = ours.init({"w": np.zeros((2, 3)), "b": np.zeros(2)})
    for _ in range(6):
        params = {"w": rng.standard_normal((2, 3)), "b": rng.standard_normal(2)}
        before = {name: a.copy() for name, a in (state["params"] | {"new": params["w"]}).items()}
        kept = state
        state = ours.update(state, params)
        assert all((kept["params"][name] == before[name]).all() for name in params)
        assert (params["w"] == before["new"]).all()
        with torch.no_grad():
            net.weight[:], net.bias[:] = torch.from_numpy(params["w"]), torch.from_numpy(params["b"])
        theirs.update_parameters(net)
    np.testing.assert_allclose(state["params"]["w"], theirs.module.weight.detach().numpy(), rtol=0, atol=1e-14)
    np.testing.assert_allclose(state["params"]["b"], theirs.module.bias.detach().numpy(), rtol=0, atol=1e-14)
    assert state["count"] == 6


def test_the_average_does_not_share_the_arrays_that_training_overwrites():
    w = np.ones(2)
    state = averaging.ema(0.5).update(averaging.ema(0.5).init(w), w)
    w[:] = 7
    assert (state["params"] == 1).all()


def test_bad_input():
    with pytest.raises(RangeError, match="decay"):
        averaging.ema(1.0)
    with pytest.raises(ShapeError):
        averaging.swa().update(averaging.swa().init(np.zeros(2)), np.zeros(3))
