"""coursekit.augmentation: what comes out, PyTorch's loss of mixed labels, and bad input."""

import numpy as np
import pytest
import torch

from coursekit import augmentation
from coursekit.errors import RangeError, ShapeError
from coursekit.losses import softmax_cross_entropy


def test_shifts_are_all_windows_of_the_padded_image_and_equally_often():
    image = np.arange(1.0, 13.0).reshape(3, 4)
    padded = np.pad(image, 1)
    windows = [padded[i : i + 3, j : j + 4] for i in range(3) for j in range(3)]
    many = augmentation.random_shift(np.broadcast_to(image, (9000, 3, 4)), 1, np.random.default_rng(0))
    counts = [(many == window).all(axis=(1, 2)).sum() for window in windows]
    assert sum(counts) == 9000 and min(counts) > 850
    twice = augmentation.random_shift(many[:50, None].repeat(2, axis=1), 2, np.random.default_rng(0))
    assert twice.shape == (50, 2, 3, 4) and (twice[:, 0] == twice[:, 1]).all()


def test_half_of_the_images_are_mirrored():
    images = np.random.default_rng(0).random((2000, 2, 3))
    out = augmentation.random_mirror(images, np.random.default_rng(1))
    same = (out == images).all(axis=(1, 2))
    assert ((out == images[..., ::-1]).all(axis=(1, 2)) != same).all() and 900 < same.sum() < 1100


def test_the_mixed_loss_is_torchs_cross_entropy_with_mixed_targets():
    rng = np.random.default_rng(0)
    x, labels, scores = rng.standard_normal((6, 4)), rng.integers(0, 3, 6), rng.standard_normal((6, 3))
    mixed, partner, share = augmentation.mixup(x, 0.4, rng)
    np.testing.assert_allclose(mixed, share * x + (1 - share) * x[partner])
    value, gradient = augmentation.mixup_loss(softmax_cross_entropy, partner, share)(scores, labels)
    targets = share * np.eye(3)[labels] + (1 - share) * np.eye(3)[labels[partner]]
    theirs = torch.tensor(scores, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(theirs, torch.tensor(targets))
    expected.backward()
    assert value == pytest.approx(expected.item(), abs=1e-12)
    np.testing.assert_allclose(gradient, theirs.grad.numpy(), atol=1e-12)


def test_the_share_is_drawn_from_the_beta_distribution():
    shares = np.array([augmentation.mixup(np.zeros((2, 1)), 0.3, np.random.default_rng(s))[2] for s in range(2000)])
    assert shares.mean() == pytest.approx(0.5, abs=0.03) and shares.var() == pytest.approx(0.25 / 1.6, abs=0.01)
    assert augmentation.mixup(np.zeros((2, 1), np.float32), 0.3, np.random.default_rng(0))[0].dtype == np.float32


def test_bad_input():
    rng = np.random.default_rng(0)
    with pytest.raises(ShapeError, match="nothing would be left"):
        augmentation.random_shift(np.ones((2, 3, 3)), 3, rng)
    with pytest.raises(RangeError, match="alpha"):
        augmentation.mixup(np.ones((2, 3)), 0.0, rng)
