"""MobileNetV2's trunk against PyTorch and against its weights before rounding, and what chapter 15 says of it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from coursekit import data, zoo
from coursekit.errors import RangeError
from coursekit.experiments import block_rates, pretrained
from coursekit.explorers import transfer_learning as explore
from coursekit.layers import Conv2d, Residual
from coursekit.model import Sequential, predict

# Of the first 40 test emoji: features of torchvision's weights in float64, batch norm folded, before rounding.
FLOAT = Path(__file__).parent / "data" / "mobilenetv2_float_features.npz"


def torch_trunk(x, params):
    """The same network by PyTorch's functions."""
    f, net = torch.nn.functional, zoo.mobilenetv2_trunk()

    def convolution(layer, p, x):
        w, b = (torch.from_numpy(p[k]) for k in "wb")
        return f.conv2d(x, w, b, layer.stride, layer.padding, groups=layer.groups)

    def run(net, params, x):
        for name, layer in zip(net.names, net.layers, strict=True):
            if isinstance(layer, Conv2d):
                x = convolution(layer, params[name], x)
            elif isinstance(layer, Residual):
                x = x + run(layer.block, params[name]["block"], x)
            elif hasattr(layer, "layers"):
                x = run(layer, params[name], x)
            else:
                x = f.relu6(x)
        return x

    return run(net, params, torch.from_numpy(x)).numpy()


def test_the_trunk_equals_pytorchs():
    params = zoo.mobilenetv2_params(np.float64)
    x = zoo.prepare_for_mobilenetv2(data.emoji().x_test[:6].astype(np.float64))
    ours, theirs = predict(zoo.mobilenetv2_trunk(), params, {}, x), torch_trunk(x, params)
    assert ours.shape == (6, 96, 2, 2)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_rounding_to_8_bits_changes_the_features_by_six_percent():
    with np.load(FLOAT) as kept:
        before, everywhere = kept["features"], float(kept["all_rms"])
    x = zoo.prepare_for_mobilenetv2(data.emoji().x_test[:40])
    after = predict(zoo.mobilenetv2_trunk(), zoo.mobilenetv2_params(), {}, x).mean(axis=(2, 3))
    assert np.sqrt(((before - after) ** 2).mean() / (before**2).mean()) == pytest.approx(everywhere, abs=0.015)
    assert everywhere == pytest.approx(0.06, abs=0.005)  # "about 6 %"


def test_enlarging_is_pytorchs_bilinear_one():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4))
    theirs = torch.nn.functional.interpolate(torch.from_numpy(x), scale_factor=2, mode="bilinear")
    np.testing.assert_allclose(pretrained.enlarged(x), theirs.numpy(), rtol=1e-12, atol=1e-14)


def test_pictures_that_choose_are_never_trained_on():
    y = pretrained.pictures()["y"]
    for seed in range(3):
        chosen, held = pretrained.draw(5, np.random.default_rng(seed))
        assert not set(chosen) & set(held)
        assert (np.bincount(y[chosen]) == 5).all() and (np.bincount(y[held]) == pretrained.VALIDATION).all()
    with pytest.raises(RangeError, match="n is 51, but there are 50 pictures of each class"):
        pretrained.draw(51, np.random.default_rng(0))


def test_the_late_blocks_start_as_the_linear_probe():
    chosen, _ = pretrained.draw(5, np.random.default_rng(0))
    y = pretrained.pictures()["y"][chosen]
    net, params = pretrained.late_blocks(chosen, y, np.random.default_rng(0))
    scores = predict(net, params, {}, pretrained.maps(13 - pretrained.LATE)["x"][chosen])
    assert (scores.argmax(axis=1) == y).mean() > 0.9  # it knows what it was trained on before a block has moved


def test_the_recorded_comparison_is_as_the_chapter_says():
    kept = pretrained.by_size()
    at = list(pretrained.SIZES).index(5)
    gain = kept["accuracy"]["linear probe"][at] - kept["accuracy"]["from scratch"][at]
    assert gain.mean() - 2 * gain.std(ddof=1) / len(gain) ** 0.5 > 0.05
    assert kept["accuracy"]["linear probe"].shape == (len(pretrained.SIZES), pretrained.SEEDS)
    assert explore.emoji_by_size.alt(way="linear probe", n=5).startswith("5 pictures of each of four classes")


def test_the_probe_of_64_pixels_is_the_linear_probe_of_the_chapter_and_other_sizes_are_not():
    assert pretrained.probe(0.03, 64, 5, 3) == pytest.approx(pretrained.train("linear probe", 0.03, 5, 3), abs=0.02)
    assert [a.shape for a in pretrained.features_at(32)] == [a.shape for a in pretrained.features_at(64)]
    assert not np.allclose(pretrained.features_at(32)[0], pretrained.features_at(64)[0], atol=0.1)
    with pytest.raises(RangeError, match="pixels"):
        pretrained.probe(0.03, 48)


def test_rates_by_block_fall_and_the_late_blocks_are_those_of_the_whole_body():
    falling = block_rates.rates("falling rates", 0.01, ["a", "b", "c", "head"])
    assert falling == pytest.approx({"a": 0.01 / 2.6**2, "b": 0.01 / 2.6, "c": 0.01, "head": 0.1})
    assert block_rates.rates("one rate", 0.01, ["a", "b", "head"]) == pytest.approx({"a": 0.01, "b": 0.01, "head": 0.1})
    rng = np.random.default_rng(0)
    chosen, _ = pretrained.draw(2, rng)
    net, params = block_rates.late_blocks(chosen, pretrained.pictures()["y"][chosen], rng)
    early = Sequential(zoo.mobilenetv2_trunk().layers[: -block_rates.BLOCKS])
    images = pretrained.prepared(pretrained.pictures()["x_test"][:2])
    maps = predict(early, zoo.mobilenetv2_params(), {}, images)
    whole = predict(zoo.mobilenetv2_trunk(), zoo.mobilenetv2_params(), {}, images).mean(axis=(2, 3))
    head = params[net.names[-1]]
    np.testing.assert_allclose(predict(net, params, {}, maps), whole @ head["w"] + head["b"], rtol=1e-3, atol=1e-3)
