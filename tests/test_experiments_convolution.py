"""What chapter 12 says about its experiments."""

import numpy as np
import pytest
import torch

from coursekit import data, filters
from coursekit.convolution import conv2d_backward, conv2d_forward
from coursekit.errors import RangeError
from coursekit.experiments import convolution as experiment
from coursekit.explorers import convolution as explore
from coursekit.initializers import he_normal
from coursekit.plotting import convolution as plot


@pytest.fixture(scope="module")
def learnt():
    return experiment.learn_filter()


def test_the_dense_layer_knows_only_where_it_has_learnt(learnt):
    assert learnt["dense"]["left"] < 0.02
    assert learnt["dense"]["right"] > 0.99
    assert max(learnt["conv"].values()) < 1e-9


def test_the_kernel_that_is_learnt_is_sobels(learnt):
    np.testing.assert_allclose(learnt["kernel"], filters.sobel_x, atol=1e-9)


def test_four_of_the_systems_are_linear_and_time_invariant_and_these_are_convolutions():
    table = experiment.systems()
    lti = [max(row["linear"], row["invariant"]) < 1e-9 for row in table.values()]
    predicted = [row["predicted"] < 1e-9 for row in table.values()]
    assert lti == predicted == [True] * 4 + [False] * 4
    only_invariant = [row["linear"] > 0.01 and row["invariant"] < 1e-9 for row in table.values()]
    only_linear = [row["linear"] < 1e-9 and row["invariant"] > 0.01 for row in table.values()]
    assert only_invariant == [False] * 4 + [True] * 2 + [False] * 2
    assert only_linear == [False] * 6 + [True] * 2


def test_a_mean_over_the_period_removes_the_cycle_and_a_wider_one_need_not():
    for series, period, left in (("CO2", 12, 0.01), ("sunspots", 11, 0.05)):
        kept = [experiment.running_mean(series, width)["kept"] for width in range(1, 25)]
        assert kept[period - 1] < left
        assert kept[period + 5] > 0.15 > kept[period - 1]  # wider, and the cycle is back
        np.testing.assert_allclose(kept, experiment.gain(np.arange(1, 25), period), atol=0.05)
    assert experiment.running_mean("CO2", 6)["kept"] == pytest.approx(2 / 3, abs=0.05)  # the prediction's words


def test_each_mean_stands_in_the_middle_of_its_window():
    result = experiment.running_mean("CO2", 5)
    assert result["mean_time"][0] == pytest.approx(result["time"][2])
    assert result["mean"][0] == pytest.approx(result["values"][:5].mean())
    assert len(result["mean"]) == len(result["values"]) - 4


def test_convolution_stamps_the_kernel_and_correlation_the_turned_one():
    result = experiment.stamps()
    # Around the point (4, 4); four columns have no middle one, so the two lie a column apart.
    np.testing.assert_array_equal(result["convolution"][2:7, 3:7], experiment.LETTER)
    turned = result["correlation"][2:7, 2:6]
    np.testing.assert_array_equal(turned, experiment.LETTER[::-1, ::-1])


def test_kernels_are_divided_by_their_sum_unless_it_is_0():
    same = experiment.filtered(0.0, 3.0, 0.0, "cross")
    np.testing.assert_allclose(same["after"], same["before"])
    assert experiment.filtered(1.0, 2.0, 1.0)["kernel"].sum() == pytest.approx(1)
    edges = experiment.filtered(-1.0, 4.0, -1.0, "cross")
    assert edges["kernel"].sum() == 0
    assert edges["kernel"][1, 1] == 4
    sharp, blurred = (experiment.filtered(a, c, a, "cross")["after"].std() for a, c in ((-1.0, 5.0), (1.0, 1.0)))
    assert sharp > same["before"].std() > blurred


@pytest.mark.parametrize("size", [3, 7, 15, 31])
def test_two_passes_make_the_same_blur_with_fewer_products(size):
    result = experiment.blur(size)
    assert result["difference"] < 1e-12
    assert (result["products_at_once"], result["products_in_two"]) == (size**2, 2 * size)


def test_ranks_tell_which_kernels_are_separable():
    assert experiment.rank(filters.gaussian_kernel(7, 1.2)) == experiment.rank(filters.sobel_x) == 1
    assert experiment.rank(experiment.kernel_of(-1, 4, -1, "cross")) == 2


def test_sobels_angle_is_exact_on_a_ramp_and_near_on_an_edge():
    off = experiment.sobel_error()
    assert off["ramp"] < 1e-9
    assert 0.5 < off["edge"] < 2


def test_a_turned_kernel_finds_what_its_angle_says():
    across, down, back = (experiment.steered(angle)["after"] for angle in (0, 90, 180))
    image = experiment.photo()[24:162, 62:200]
    np.testing.assert_allclose(across, filters.correlate2d(image, filters.sobel_x, "valid") / 8)
    np.testing.assert_allclose(down, filters.correlate2d(image, filters.sobel_y, "valid") / 8, atol=1e-12)
    np.testing.assert_allclose(back, -across, atol=1e-12)


@pytest.mark.parametrize("settings", explore.stack.grid()[::5])
def test_the_stack_has_torchs_lengths_and_the_gradients_field(settings):
    result = explore.stack.results(**settings)
    x = torch.zeros(1, 1, 16, dtype=torch.float64, requires_grad=True)
    y = x
    w = torch.ones(1, 1, settings["size"], dtype=torch.float64)
    for length in result["lengths"][1:]:
        y = torch.nn.functional.conv1d(y, w, stride=settings["stride"], padding=settings["padding"])
        assert y.shape[-1] == length
    y[0, 0, result["seen"][-1][0]].backward()
    moved = np.flatnonzero(x.grad[0, 0].numpy())
    first, last = result["seen"][0]
    if settings["stride"] <= settings["size"]:
        assert list(moved) == list(range(max(first, 0), min(last, 15) + 1))
    if not result["fits"]:
        assert result["lengths"][-1] + 2 * settings["padding"] < settings["size"]


def test_the_shape_that_is_predicted():
    assert experiment.stack(size=3, stride=2, padding=1, layers=1)["lengths"] == [16, 8]


def test_the_orange_kernel_is_blind_to_grey():
    result = experiment.colours()
    grey = np.full((1, 3, 9, 9), 0.7)
    out, _ = conv2d_forward(grey, result["w"], np.zeros(3))
    np.testing.assert_allclose(out[0, 1:], 0, atol=1e-12)
    np.testing.assert_allclose(out[0, 0], 0.7)


def test_of_each_window_one_pixel_wins():
    result = experiment.pooled(8)
    assert result["winners"].sum() == result["max"].size == result["image"].size // 64
    np.testing.assert_allclose(result["average"].mean(), result["image"].mean())


def test_pooling_softens_a_shift_and_does_not_remove_it():
    table = experiment.shifts()
    assert table["convolution"] == {1: 0, 2: 0}
    assert all(row[2] == 0 for row in table.values())
    changes = [table[name][1] for name in ("stride 2", "max pooling 2", "max pooling 2, blurred")]
    assert 1 > changes[0] > changes[1] > changes[2] > 0.2


def test_the_backward_pass_to_the_input_is_a_true_convolution():
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((1, 1, 5, 8)), rng.standard_normal((1, 1, 2, 3))
    out, cache = conv2d_forward(x, w, np.zeros(1))
    dout = rng.standard_normal(out.shape)
    dx, dw, _ = conv2d_backward(dout, cache)
    np.testing.assert_allclose(dx[0, 0], filters.convolve2d(dout[0, 0], w[0, 0], "full"))
    np.testing.assert_allclose(dw[0, 0], filters.correlate2d(x[0, 0], dout[0, 0], "valid"))


@pytest.mark.parametrize("layer", experiment.LAYERS)
def test_feature_maps_have_lenets_shapes_and_every_digit_is_read(layer):
    shape = {"conv 1": (6, 28, 28), "pool 1": (6, 14, 14), "conv 2": (16, 10, 10), "pool 2": (16, 5, 5)}[layer]
    for digit in range(10):
        result = experiment.feature_maps(digit, layer)
        assert result["maps"].shape == shape
        assert result["guess"] == digit
        assert result["maps"].min() == 0
    assert result["field"] == {"conv 1": 5, "pool 1": 6, "conv 2": 14, "pool 2": 16}[layer]


def test_the_effective_field_is_smaller_and_grows_with_the_root_of_the_depth():
    for kind in experiment.KINDS[1:]:
        grown = experiment.field_growth((3, 6, 12, 24), kind)
        assert 0.4 < grown["power"] < 0.6
        assert (grown["effective"][1:] < grown["theoretical"][1:]).all()
        deep = experiment.effective_field(19, kind)  # the prediction's settings
        assert 0.15 < (deep["effective"] / deep["theoretical"]) ** 2 < 0.27


@pytest.mark.parametrize("kind", experiment.KINDS[1:])
def test_the_measured_field_is_torchs_gradient(kind):
    depth, c = 3, 4
    rng = np.random.default_rng(5)
    x = torch.tensor(rng.standard_normal((c, c, 7, 7)), requires_grad=True)
    y = x
    for _ in range(depth):
        w = torch.tensor(he_normal(rng, (c, c, 3, 3), dtype=np.float64))
        y = torch.nn.functional.conv2d(y, w, padding=1)
        y = torch.relu(y) if "ReLU" in kind else y
    sum(y[i, i, 3, 3] for i in range(c)).backward()
    squared = (x.grad.numpy() ** 2).sum(axis=(0, 1))
    measured = experiment.effective_field(depth, kind, nets=1, seed=5)["share"]
    np.testing.assert_allclose(measured, squared / squared.sum(), rtol=1e-9)


def test_equal_weights_give_the_bell_of_the_formula():
    gradient = np.sqrt(experiment.effective_field(12, "equal weights")["share"])
    line = gradient.sum(axis=0) / gradient.sum()
    x = np.arange(len(line)) - len(line) // 2
    assert (line * x**2).sum() == pytest.approx(12 * (3**2 - 1) / 12)


def test_the_field_of_one_layer_is_all_of_it():
    one = experiment.effective_field(1)
    assert one["theoretical"] == one["effective"] == 3
    assert one["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "run", [experiment.systems, experiment.learn_filter, lambda **k: experiment.effective_field(4, **k)]
)
def test_the_seed_decides_everything(run):
    def flat(result):
        return np.concatenate([np.ravel(v).astype(float) for v in _leaves(result)])

    one, again, other = flat(run()), flat(run()), flat(run(seed=1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def _leaves(value):
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _leaves(part)]
    return [] if isinstance(value, str) else [value]


def test_unknown_names_are_refused():
    with pytest.raises(RangeError, match="kind is 'linear', but must be one of"):
        experiment.effective_field(2, "linear")
    with pytest.raises(RangeError, match="layout is 'rows', but must be one of"):
        experiment.kernel_of(1, 2, 3, "rows")
    with pytest.raises(RangeError, match="series is 'nile', but must be one of"):
        experiment.running_mean("nile")


@pytest.mark.parametrize("name", ["running_mean", "filtered", "steered", "stack", "feature_maps", "effective_field"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    some = explorer.grid()[:: max(1, len(explorer.grid()) // 6)]
    assert len({explorer.alt(**settings) for settings in some}) == len(some)


def test_every_picture_of_the_chapter_has_words(learnt):
    pictures = [
        plot.learnt(learnt),
        plot.responses(experiment.systems()),
        plot.stamps(experiment.stamps()),
        plot.blurs([experiment.blur(7), experiment.blur(15)]),
        plot.edges(experiment.edges()),
        plot.colours(experiment.colours()),
        plot.pooled(experiment.pooled()),
        plot.growth(experiment.field_growth((2, 4))),
    ]
    assert all(len(figure.alt) > 40 for figure in pictures)


def test_photographs_in_colour_become_grey():
    assert all(experiment.photo(name).ndim == 2 for name in data.photos())


def test_the_hand_made_convolution_is_the_layers():
    from coursekit import convolution

    image, kernel, dout = experiment.BY_HAND, experiment.BY_HAND_KERNEL, experiment.BY_HAND_DOUT
    out, cache = convolution.conv2d_forward(image[None, None], kernel[None, None], np.zeros(1))
    dx, _, _ = convolution.conv2d_backward(dout[None, None], cache)
    last = experiment.by_hand(8)
    np.testing.assert_array_equal(last["out"], out[0, 0])
    np.testing.assert_array_equal(last["dx"], dx[0, 0])
    for place in range(9):
        now = experiment.by_hand(place)
        assert now["products"].sum() == now["out"][now["row"], now["column"]]
        assert np.isnan(now["out"]).sum() == 8 - place


def test_a_box_convolved_with_itself_nears_the_bell_of_the_same_variance():
    found = experiment.bells()
    far = [np.abs(r["kernel"] - r["normal"]).max() for r in found]
    assert far == sorted(far, reverse=True) and far[-1] < 0.004
    for r in found:
        assert (r["kernel"] * r["at"] ** 2).sum() == pytest.approx(r["std"] ** 2)


def test_one_product_leaves_nothing_of_a_separable_kernel():
    from coursekit import filters

    assert np.abs(experiment.one_product(filters.sobel_x)[1]).max() < 1e-12
    assert np.abs(experiment.one_product(experiment.kernel_of(-1, 4, -1, "cross"))[1]).max() > 0.1
