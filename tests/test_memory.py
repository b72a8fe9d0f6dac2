"""How much memory the image functions take besides what they are given, at the highest point."""

import tracemalloc

import numpy as np
import pytest

from coursekit.convolution import conv2d_backward, conv2d_forward, max_pool2d_backward, max_pool2d_forward
from coursekit.normalization import batch_norm2d_backward, batch_norm2d_forward


def peak(function, *arguments):
    """(result, bytes at the highest point above those before)."""
    function(*arguments)  # imports, tables
    tracemalloc.start()
    try:
        result = function(*arguments)
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def array(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


LAYERS = {  # x, w, padding
    "LeNet-5 layer 1": ((64, 1, 28, 28), (6, 1, 5, 5), 2),
    "LeNet-5 layer 2": ((64, 6, 14, 14), (16, 6, 5, 5), 0),
    "VGG block": ((32, 32, 32, 32), (32, 32, 3, 3), 1),
    "one image": ((1, 16, 64, 64), (16, 16, 3, 3), 1),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_convolution_takes_three_activations_and_its_unfolded_input_at_most(layer):
    x_shape, w_shape, padding = LAYERS[layer]
    x, w, b = array(*x_shape), array(*w_shape), array(w_shape[0])
    (out, cache), forward = peak(lambda: conv2d_forward(x, w, b, padding=padding))
    _, backward = peak(conv2d_backward, array(*out.shape), cache)
    largest = max(x.nbytes, out.nbytes)
    unfolded = out.nbytes // w_shape[0] * int(np.prod(w_shape[1:]))
    sizes = {"forward": forward, "backward": backward, "the unfolded input": unfolded}
    print(f"\n{layer}, in activations:", ", ".join(f"{part} {size / largest:.1f}" for part, size in sizes.items()))
    assert max(forward, backward) <= 3 * largest + unfolded
    assert max(forward, backward) <= 6 * largest  # it goes by blocks of rows: the whole is never unfolded


@pytest.mark.parametrize("name", ["max pooling", "batch norm"])
def test_pooling_and_batch_norm_take_three_activations_at_most(name):
    x = array(32, 32, 32, 32)
    if name == "max pooling":
        (out, cache), forward = peak(lambda: max_pool2d_forward(x, 2))
        _, backward = peak(max_pool2d_backward, array(*out.shape), cache)
    else:
        running = {"mean": np.zeros(32, np.float32), "var": np.ones(32, np.float32)}
        gamma, beta = np.ones(32, np.float32), np.zeros(32, np.float32)
        (out, cache, _), forward = peak(lambda: batch_norm2d_forward(x, gamma, beta, running, training=True))
        _, backward = peak(batch_norm2d_backward, array(*out.shape), cache)
    print(f"\n{name}: {forward / x.nbytes:.1f} and {backward / x.nbytes:.1f} activations")
    assert max(forward, backward) <= 3 * x.nbytes
