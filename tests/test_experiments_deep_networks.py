"""What chapter 13 says about depth, about digits that are moved, and about the pixels that an answer rests on."""

import numpy as np
import pytest

from coursekit import data
from coursekit.experiments import cnn_architectures, deep_networks, moved_digits, saliency
from coursekit.explorers import cnn_architectures as explore
from coursekit.layers import Residual
from coursekit.plotting import cnn_architectures as plot
from coursekit.trees import leaves
from coursekit.zoo import cost


@pytest.mark.parametrize("depth", deep_networks.DEPTHS)
def test_both_kinds_have_the_same_params_and_the_depth_that_they_are_called_by(depth):
    plain, residual = (deep_networks.network(depth, skip) for skip in deep_networks.SKIPS)
    books = [cost(net, (1, 14, 14)) for net in (plain, residual)]
    assert books[0].params == books[1].params and books[0].multiply_adds == books[1].multiply_adds
    params, _ = residual.init(np.random.default_rng(0))
    assert sum(leaf.ndim > 1 for leaf in leaves(params).values()) == depth
    assert sum(isinstance(layer, Residual) for layer in residual.layers) == (depth - 2) // 2
    assert not any(isinstance(layer, Residual) for layer in plain.layers)


def test_the_gradient_of_the_plain_network_grows_on_its_way_back_and_the_residual_one_does_not():
    ends = {}
    for skip in deep_networks.SKIPS:
        norms = deep_networks.gradients(40, skip)
        assert len(norms) == 39
        ends[skip] = norms[0] / norms[-1]
    assert ends["plain"] > 20 and ends["residual"] < 10


def test_the_recorded_losses_are_those_of_the_networks():
    result = deep_networks.depth_and_skip(10, "plain")
    rate = result["rates"]["plain"][10]
    again = deep_networks.fit(10, "plain", rate, seed=0, steps=5).loss  # the schedule differs, the first step does not
    assert again[0] == pytest.approx(result["losses"]["plain"][10][0], rel=1e-3)
    assert {len(loss) for by_depth in result["losses"].values() for loss in by_depth.values()} == {deep_networks.STEPS}


def test_depth_hurts_the_plain_network_only():
    losses = deep_networks.depth_and_skip(40)["losses"]
    end = {skip: {depth: loss[-20:].mean() for depth, loss in by_depth.items()} for skip, by_depth in losses.items()}
    assert end["plain"][40] > end["plain"][20] + 0.3
    assert end["residual"][40] < end["plain"][40] - 0.5


def test_each_image_is_moved_by_its_own_shift_and_keeps_its_pixels():
    image = np.zeros((1, 1, 9, 9))
    image[0, 0, 4, 4] = 1
    moved = moved_digits.randomly_moved(np.repeat(image, 300, axis=0), np.random.default_rng(0), most=2)
    assert moved.shape == (300, 1, 9, 9) and (moved.sum(axis=(1, 2, 3)) == 1).all()
    _, _, rows, columns = np.nonzero(moved)
    assert set(rows) == set(columns) == {2, 3, 4, 5, 6}
    assert len({*zip(rows, columns, strict=True)}) == 25
    np.testing.assert_array_equal(moved_digits.randomly_moved(image, np.random.default_rng(0), most=0), image)


def test_what_is_read_at_a_shift_is_what_moving_the_digits_gives():
    _, w = cnn_architectures.trained("LeNet-5")
    x, y = data.mnist().x_test[:60], data.mnist().y_test[:60]
    by_hand = np.mean(
        [
            (cnn_architectures.scores("LeNet-5", cnn_architectures.moved(x, right, down)).argmax(axis=1) == y).mean()
            for right, down in ((3, 0), (-3, 0), (0, 3), (0, -3))
        ]
    )
    assert moved_digits.read_right("as before", w.params, [0, 3], examples=60)[1] == pytest.approx(by_hand)


def test_the_recorded_cures_are_as_the_chapter_says():
    curves = {cure: share.mean(axis=0) for cure, share in moved_digits.curves().items() if cure != "moved"}
    assert curves["as before"][6] < 0.4 < 0.6 < curves["global average pooling"][6]
    assert curves["random shifts"][6] > 0.85
    assert curves["random shifts"][0] < curves["as before"][0]  # what it pays


def test_covering_nothing_costs_nothing_and_a_stroke_something():
    lost = saliency.occlusion(7)
    image = cnn_architectures.one_of_each()[7]
    assert lost.shape == image.shape
    assert lost[0, 0] == pytest.approx(0, abs=1e-9)  # black on black
    assert np.abs(lost[image > 0.5]).max() > 1


def test_the_saliency_map_is_the_measured_gradient():
    image, eps = cnn_architectures.one_of_each()[7], 1e-5
    found = saliency.gradient(7)
    place = np.unravel_index(found.argmax(), found.shape)
    ends = []
    for step in (eps, -eps):
        changed = image.copy()
        changed[place] += step
        ends.append(cnn_architectures.scores("LeNet-5", changed[None])[0, 7])
    assert abs(ends[0] - ends[1]) / (2 * eps) == pytest.approx(found[place], rel=1e-4)


def test_the_figures_have_alternative_text():
    for figure in (plot.cures(moved_digits.curves()), plot.looked_at(saliency.looked_at((7,)))):
        assert len(figure.alt) > 30
    assert len({explore.depth_and_skip.alt(**s) for s in explore.depth_and_skip.grid()}) == 6


def test_grad_cam_splits_the_score_after_global_average_pooling_and_not_before_dense_layers():
    images = cnn_architectures.one_of_each()
    for name, exact in (("global average pooling", True), ("LeNet-5", False)):
        seen = saliency.last_maps(name, images)
        alpha = seen["dmaps"].mean(axis=(2, 3), keepdims=True)
        split = (alpha * seen["maps"]).sum(axis=(1, 2, 3))
        bias = saliency.network(name)[3]
        bias = bias[list(bias)[-1]]["b"][seen["asked"]]
        score = seen["scores"][np.arange(10), seen["asked"]]
        assert np.allclose(split, score - bias) is exact
        np.testing.assert_allclose(saliency.grad_cam(seen["maps"], seen["dmaps"]).min(), 0)
        both = saliency.grad_cam(seen["maps"], seen["dmaps"]), saliency.place_by_place(seen["maps"], seen["dmaps"])
        assert np.allclose(*both) is exact


def test_the_gradient_of_the_last_maps_is_the_measured_one():
    head, head_params = saliency.network("LeNet-5")[2:]
    seen, eps = saliency.last_maps("LeNet-5", cnn_architectures.one_of_each()[[7]]), 1e-6
    counts = np.abs(seen["maps"] * seen["dmaps"])  # at a place that is not 0, where ReLU and pooling have no kink
    place, ends = np.unravel_index(counts.argmax(), counts.shape), []
    for step in (eps, -eps):
        changed = seen["maps"].copy()
        changed[place] += step
        ends.append(head.forward(head_params, {}, changed, training=False)[0][0, seen["asked"][0]])
    assert (ends[0] - ends[1]) / (2 * eps) == pytest.approx(seen["dmaps"][place], rel=1e-4)


def test_what_the_text_says_of_covering_the_peak():
    for name in saliency.LAST_MAPS:
        lost = saliency.covered_at_the_peak(name, 100)
        assert np.median(lost["Grad-CAM"]) < np.median(lost["any ink"])
    image = np.ones((1, 28, 28))
    assert saliency.covered(image, np.array([[14, 14]])).sum() == 28**2 - saliency.SQUARE**2
    assert saliency.peaks(np.eye(28)[None] * (np.arange(28) == 5))[0].tolist() == [5, 5]
    assert len({explore.where_it_looked.alt(**s) for s in explore.where_it_looked.grid()}) == 40
