"""Cases of exercise sheet 12, convolution."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_true, inspect_value

TITLE = "Convolution"


def parts(result, count, what, names):
    """The parts of what came back, or a message that says what is missing."""
    expect_true(
        type(result) in (tuple, list) and len(result) == count,
        f"{what} gave {inspect_value(result)}, not {names}",
        mistake="a return is missing" if result is None else None,
    )
    return result


def correlation(x, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape)
    return np.einsum("pqij,ij->pq", windows, kernel)


ACROSS = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])

Q1 = question(
    "12.1",
    title="Sobel",
    minutes=10,
    hints=[
        "`correlate(x, kernel)` of the worked example does the sliding. The kernels are 3 x 3 arrays.",
        "The second kernel is the first one transposed.",
        "`np.arctan2(gy, gx)` gives the angle in all four quadrants; the downward part comes first.",
    ],
)


def image(rng):
    return rng.normal(0, 1, (int(rng.integers(6, 9)), int(rng.integers(10, 13))))


def asked_sobel(sobel, x):
    return parts(sobel(x.copy()), 2, "sobel(x)", "a pair (strength, angle)")


@case("sobel: strength")
def sobel_strength(sobel, *, rng):
    x = image(rng)
    gx, gy = correlation(x, ACROSS), correlation(x, ACROSS.T)
    flat = np.minimum(np.abs(ACROSS), 1) * np.sign(ACROSS)
    expect_equal(
        asked_sobel(sobel, x)[0],
        np.hypot(gx, gy),
        what="the strength of sobel(x)",
        mistakes={
            "the absolute values were added, not the squares": np.abs(gx) + np.abs(gy),
            "the square root is missing": gx**2 + gy**2,
            "the middle row and column have no factor 2 (that is Prewitt's kernel)": np.hypot(
                correlation(x, flat), correlation(x, flat.T)
            ),
            "only the first kernel was used": np.abs(gx),
            "strength and angle are in the other order": np.arctan2(gy, gx),
            "the image was padded: use only the places where the kernel fits": np.hypot(
                correlation(np.pad(x, 1), ACROSS), correlation(np.pad(x, 1), ACROSS.T)
            ),
        },
    )


@case("sobel: strength, other inputs", hidden=True)
def sobel_strength_again(sobel, *, rng):
    sobel_strength(sobel, rng=rng)


@case("sobel: angle", points=2)
def sobel_angle(sobel, *, rng):
    x = image(rng)
    gx, gy = correlation(x, ACROSS), correlation(x, ACROSS.T)
    expect_equal(
        asked_sobel(sobel, x)[1],
        np.arctan2(gy, gx),
        what="the angle of sobel(x)",
        mistakes={
            "the kernels were flipped: that is convolution, and the arrow points to the dark side": np.arctan2(
                -gy, -gx
            ),
            "the arguments of arctan2 are in the other order": np.arctan2(gx, gy),
            "arctan(gy / gx) was used: it cannot tell left from right": np.arctan(gy / gx),
            "the angle is in degrees": np.degrees(np.arctan2(gy, gx)),
            "the second kernel is upside down: downwards is positive": np.arctan2(-gy, gx),
        },
    )


Q2 = question(
    "12.2",
    title="Convolution, forward",
    minutes=15,
    hints=[
        "`height` and `width` are those of the padded image, so $OH$ is `(height - kh) // stride + 1`.",
        "Under the entry i, j lie `padded[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride]`.",
        "The bias belongs to a kernel, that is to axis 1 of out: `b[:, None, None]`.",
    ],
)


def layer(rng, stride=1, padding=0):
    """x, w, b of a layer in which no two sizes are equal, and a few pixels are left over at the end."""
    n, c, f = 2, 3, int(rng.integers(4, 6))
    kh, kw = (2, 3) if rng.random() < 0.5 else (3, 2)
    h, w = int(rng.integers(7, 9)), int(rng.integers(9, 11))
    return (
        rng.normal(0, 1, (n, c, h, w)),
        rng.normal(0, 1, (f, c, kh, kw)),
        rng.uniform(1, 2, f) * rng.choice([-1, 1], f),
    )


def windows_of(padded, w, stride):
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))
    return windows[:, :, ::stride, ::stride]


def pad(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def forward(x, w, b, stride, padding):
    return np.einsum("ncpqij,fcij->nfpq", windows_of(pad(x, padding), w, stride), w) + b[:, None, None]


def forward_case(conv2d_forward, rng, stride, padding, mistakes):
    x, w, b = layer(rng)
    what = f"conv2d_forward(x, w, b, stride={stride}, padding={padding})"
    result = conv2d_forward(x.copy(), w.copy(), b.copy(), stride, padding)
    out, _ = parts(result, 2, what, "a pair (out, cache)")
    expect_equal(
        out,
        forward(x, w, b, stride, padding),
        what=f"the output of {what} for x {x.shape}, w {w.shape}",
        mistakes={name: wrong(x, w, b) for name, wrong in mistakes.items()},
    )


@case("conv2d_forward: stride 1, no padding", points=2)
def forward_plain(conv2d_forward, *, rng):
    forward_case(
        conv2d_forward,
        rng,
        1,
        0,
        {
            "the bias was left out": lambda x, w, b: forward(x, w, 0 * b, 1, 0),
            "the kernels were flipped: a convolution layer lays them on the image as they are": lambda x, w, b: forward(
                x, w[:, :, ::-1, ::-1], b, 1, 0
            ),
            "only the first channel was used: the sum runs over all of them": lambda x, w, b: forward(
                x[:, :1], w[:, :1], b, 1, 0
            ),
            "a mean was taken where the formula has a sum": lambda x, w, b: forward(x, w / w[0].size, b, 1, 0),
            "the bias was added once for every entry of the kernel": lambda x, w, b: forward(
                x, w, b * w[0, 0].size, 1, 0
            ),
        },
    )


@case("conv2d_forward: padding")
def forward_padding(conv2d_forward, *, rng):
    padding = int(rng.integers(1, 3))
    forward_case(
        conv2d_forward,
        rng,
        1,
        padding,
        {
            "the padding was left out": lambda x, w, b: forward(x, w, b, 1, 0),
            "padding was added on both sides, but only half of it": lambda x, w, b: forward(
                x, w, b, 1, (padding + 1) // 2
            ),
            "the size of x was used, not that of the padded image": lambda x, w, b: forward(x, w, b, 1, padding)[
                :, :, : x.shape[2] - w.shape[2] + 1, : x.shape[3] - w.shape[3] + 1
            ],
        },
    )


@case("conv2d_forward: stride and padding", points=2)
def forward_stride(conv2d_forward, *, rng):
    stride, padding = int(rng.integers(2, 4)), int(rng.integers(0, 2))
    forward_case(
        conv2d_forward,
        rng,
        stride,
        padding,
        {
            "the stride was left out": lambda x, w, b: forward(x, w, b, 1, padding),
            "the stride was used for the number of places, and not for the places themselves": lambda x, w, b: forward(
                x, w, b, 1, padding
            )[
                :,
                :,
                : (x.shape[2] + 2 * padding - w.shape[2]) // stride + 1,
                : (x.shape[3] + 2 * padding - w.shape[3]) // stride + 1,
            ],
        },
    )


Q3 = question(
    "12.3",
    title="Convolution, backward",
    minutes=15,
    hints=[
        "Take the four parts out of the cache, and write the double loop over the entries i, j of the kernel.",
        '`dw[:, :, i, j]` is `np.einsum("nfpq,ncpq->fc", dout, piece)` with the piece of 12.2.',
        'Into the same piece of a zero array `dpadded` goes `+= np.einsum("nfpq,fc->ncpq", dout, w[:, :, i, j])`.',
        "`dpadded[:, :, padding : height - padding, padding : width - padding]` is dx; it works for padding 0 too.",
    ],
)


def input_gradient(dout, shape, w, stride):
    """The gradient of the padded input of this shape."""
    oh, ow = dout.shape[2:]
    dpadded = np.zeros(shape)
    for i, j in np.ndindex(w.shape[2:]):
        rows, columns = slice(i, i + stride * oh, stride), slice(j, j + stride * ow, stride)
        dpadded[:, :, rows, columns] += np.einsum("nfpq,fc->ncpq", dout, w[:, :, i, j])
    return dpadded


def cut(dpadded, padding):
    height, width = dpadded.shape[2:]
    return dpadded[:, :, padding : height - padding, padding : width - padding]


def backward_setting(rng, stride, padding):
    x, w, b = layer(rng)
    padded = pad(x, padding)
    dout = rng.normal(0, 1, forward(x, w, b, stride, padding).shape)
    return x, w, padded, dout, (padded.copy(), w.copy(), stride, padding)


def gradients(conv2d_backward, dout, cache):
    what = f"conv2d_backward(dout, cache) with stride {cache[2]} and padding {cache[3]}"
    return parts(conv2d_backward(dout.copy(), cache), 3, what, "three gradients (dx, dw, db)"), what


@case("conv2d_backward: the bias")
def backward_bias(conv2d_backward, *, rng):
    _, _, _, dout, cache = backward_setting(rng, 1, 0)
    (_, _, db), what = gradients(conv2d_backward, dout, cache)
    expect_equal(
        db,
        dout.sum(axis=(0, 2, 3)),
        what=f"db of {what}",
        mistakes={
            "a mean was taken, not a sum": dout.mean(axis=(0, 2, 3)),
            "only the images were summed: the bias acts at every place": dout.sum(axis=0),
            "the places were summed, but not the images": dout.sum(axis=(2, 3)),
            "the sum was divided by the number of images, which the loss has done": dout.sum(axis=(0, 2, 3))
            / len(dout),
        },
    )


@case("conv2d_backward: the kernels", points=2)
def backward_kernels(conv2d_backward, *, rng):
    stride, padding = int(rng.integers(1, 3)), int(rng.integers(0, 3))
    _, w, padded, dout, cache = backward_setting(rng, stride, padding)
    (_, dw, _), what = gradients(conv2d_backward, dout, cache)
    want = np.einsum("nfpq,ncpqij->fcij", dout, windows_of(padded, w, stride))
    expect_equal(
        dw,
        want,
        what=f"dw of {what}",
        mistakes={
            "the gradient is flipped: entry i, j collects from the pixels that lay under it": want[:, :, ::-1, ::-1],
            "the sum was divided by the number of images, which the loss has done": want / len(dout),
            "only the first image was used": np.einsum(
                "nfpq,ncpqij->fcij", dout[:1], windows_of(padded, w, stride)[:1]
            ),
        },
    )


@case("conv2d_backward: the input, stride 1", points=2)
def backward_input(conv2d_backward, *, rng):
    _, w, padded, dout, cache = backward_setting(rng, 1, 0)
    (dx, _, _), what = gradients(conv2d_backward, dout, cache)
    last = np.zeros(padded.shape)
    oh, ow = dout.shape[2:]
    for i, j in np.ndindex(w.shape[2:]):
        last[:, :, i : i + oh, j : j + ow] = np.einsum("nfpq,fc->ncpq", dout, w[:, :, i, j])
    expect_equal(
        dx,
        input_gradient(dout, padded.shape, w, 1),
        what=f"dx of {what}",
        mistakes={
            "padding 0 was cut off with [0:-0], which leaves nothing": np.zeros((*padded.shape[:2], 0, 0)),
            "the pieces overwrite each other: a pixel collects with += from every place it lay under": last,
            "the kernels were flipped: each entry sends back to the pixel that it was multiplied with": input_gradient(
                dout, padded.shape, w[:, :, ::-1, ::-1], 1
            ),
        },
    )


@case("conv2d_backward: the input, stride and padding", points=2)
def backward_input_settings(conv2d_backward, *, rng):
    stride, padding = int(rng.integers(2, 4)), int(rng.integers(1, 3))
    x, w, padded, dout, cache = backward_setting(rng, stride, padding)
    (dx, _, _), what = gradients(conv2d_backward, dout, cache)
    dpadded = input_gradient(dout, padded.shape, w, stride)
    expect_equal(
        dx,
        cut(dpadded, padding),
        what=f"dx of {what} for x {x.shape}",
        mistakes={
            "the gradient of the padding was not cut off": dpadded,
            "the padding was cut off at the end only": dpadded[:, :, : x.shape[2], : x.shape[3]],
            "the stride was left out": cut(input_gradient(dout, padded.shape, w, 1), padding),
        },
    )


Q4 = question(
    "12.4",
    title="Max pooling, backward",
    minutes=15,
    hints=[
        "`for n, c, p, q in np.ndindex(dout.shape)` visits each window once.",
        "The window begins at row `p * stride` and column `q * stride`.",
        "`np.unravel_index(np.argmax(window), (size, size))` gives i, j; then add to `dx[n, c, p * stride + i, ...]`.",
    ],
)


def pool_backward(dout, x, size, stride, choose="first", collect=True):
    """Max pooling's gradient, and what usual mistakes make of it."""
    dx = np.zeros(x.shape)
    for n, c, p, q in np.ndindex(dout.shape):
        place = (n, c, slice(p * stride, p * stride + size), slice(q * stride, q * stride + size))
        window, mask = x[place], np.zeros((size, size))
        if choose == "first":
            mask.flat[np.argmax(window)] = 1
        elif choose == "last":
            mask.flat[window.size - 1 - np.argmax(window[::-1, ::-1])] = 1
        elif choose == "all":
            mask[window == window.max()] = 1
        elif choose == "share":
            mask[window == window.max()] = 1 / (window == window.max()).sum()
        else:
            mask[:] = 1 / window.size
        if collect:
            dx[place] += dout[n, c, p, q] * mask
        else:
            dx[place] = np.where(mask > 0, dout[n, c, p, q], dx[place])
    return dx


def pool_case(max_pool_backward, x, size, stride, rng, mistakes):
    oh, ow = (x.shape[2] - size) // stride + 1, (x.shape[3] - size) // stride + 1
    dout = rng.normal(0, 1, (*x.shape[:2], oh, ow))
    what = f"max_pool_backward(dout, x, size={size}, stride={stride}) for x {x.shape}"
    expect_equal(
        max_pool_backward(dout.copy(), x.copy(), size, stride),
        pool_backward(dout, x, size, stride),
        what=what,
        mistakes={name: wrong(dout, x) for name, wrong in mistakes.items()},
    )


@case("max_pool_backward: windows side by side", points=2)
def pool_plain(max_pool_backward, *, rng):
    size = int(rng.integers(2, 4))
    x = rng.normal(0, 1, (2, 3, 2 * size + 1, 3 * size + 1))
    pool_case(
        max_pool_backward,
        x,
        size,
        size,
        rng,
        {
            "every entry of the window got a share: that is average pooling": lambda d, x: pool_backward(
                d, x, size, size, "average"
            ),
            "every entry of the window got the whole gradient": lambda d, x: pool_backward(
                d * size**2, x, size, size, "average"
            ),
            "the gradient was multiplied with the largest entry": lambda d, x: pool_backward(d, x, size, size) * x,
            "the winners got ones, not the gradient of their window": lambda d, x: pool_backward(
                np.ones_like(d), x, size, size
            ),
        },
    )


@case("max_pool_backward: windows that overlap")
def pool_overlap(max_pool_backward, *, rng):
    x = rng.normal(0, 1, (2, 2, 7, 9))
    pool_case(
        max_pool_backward,
        x,
        3,
        2,
        rng,
        {
            "an entry that wins several windows kept the last gradient only: it collects with +=": (
                lambda d, x: pool_backward(d, x, 3, 2, collect=False)
            ),
            "the windows were put side by side: they begin every stride pixels": lambda d, x: pool_backward(
                d[:, :, :2, :3], x, 3, 3
            ),
        },
    )


@case("max_pool_backward: windows that overlap, other inputs", hidden=True)
def pool_overlap_again(max_pool_backward, *, rng):
    pool_overlap(max_pool_backward, rng=rng)


@case("max_pool_backward: equal entries")
def pool_ties(max_pool_backward, *, rng):
    x = np.maximum(rng.integers(-3, 2, (2, 2, 6, 8)), 0).astype(float)
    pool_case(
        max_pool_backward,
        x,
        2,
        2,
        rng,
        {
            "all of the equal entries got the gradient: only the first one does": lambda d, x: pool_backward(
                d, x, 2, 2, "all"
            ),
            "equal entries shared the gradient: the first one gets all of it": lambda d, x: pool_backward(
                d, x, 2, 2, "share"
            ),
            "the last of the equal entries got the gradient: the first one does": lambda d, x: pool_backward(
                d, x, 2, 2, "last"
            ),
        },
    )


def _sobel(kernel="[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]", tail="return np.sqrt(gx**2 + gy**2), np.arctan2(gy, gx)"):
    return f"""
def sobel(x):
    k = np.array({kernel}, dtype=float)
    gx, gy = correlate(x, k), correlate(x, k.T)
    {tail}
"""


PADDED = "np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))"
PIECE = "padded[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride]"
SIZE = "(height - kh) // stride + 1, (width - kw) // stride + 1"


def _forward(size=SIZE, padded=PADDED, product="w[:, :, i, j]", end="out += b[:, None, None]", piece=PIECE):
    return f"""
def conv2d_forward(x, w, b, stride=1, padding=0):
    padded = {padded}
    n, c, height, width = padded.shape
    f, c, kh, kw = w.shape
    oh, ow = {size}
    out = np.zeros((n, f, oh, ow))
    for i in range(kh):
        for j in range(kw):
            piece = {piece}
            out += np.einsum("ncpq,fc->nfpq", piece, {product})
    {end}
    return out, (padded, w, stride, padding)
"""


def _backward(dw='np.einsum("nfpq,ncpq->fc", dout, padded[:, :, rows, columns])', add="+=", entry="w[:, :, i, j]",
              db="dout.sum(axis=(0, 2, 3))", dx="dpadded[:, :, padding : height - padding, padding : width - padding]",
              target="dw[:, :, i, j]"):  # fmt: skip
    return f"""
def conv2d_backward(dout, cache):
    padded, w, stride, padding = cache
    oh, ow = dout.shape[2:]
    height, width = padded.shape[2:]
    dpadded, dw = np.zeros(padded.shape), np.zeros(w.shape)
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            rows, columns = slice(i, i + stride * oh, stride), slice(j, j + stride * ow, stride)
            {target} = {dw}
            dpadded[:, :, rows, columns] {add} np.einsum("nfpq,fc->ncpq", dout, {entry})
    return {dx}, dw, {db}
"""


def _pool(inner, after=""):
    return f"""
def max_pool_backward(dout, x, size, stride):
    dx = np.zeros(x.shape)
    for n, c, p, q in np.ndindex(dout.shape):
        window = x[n, c, p * stride : p * stride + size, q * stride : q * stride + size]
        part = dx[n, c, p * stride : p * stride + size, q * stride : q * stride + size]
        d = dout[n, c, p, q]
        i, j = np.unravel_index(np.argmax(window), window.shape)
        {inner}
    return dx{after}
"""


WRONG = [
    Wrong("12.1", _sobel(tail="return abs(gx) + abs(gy), np.arctan2(gy, gx)"), "absolute values were added"),
    Wrong("12.1", _sobel(tail="return gx**2 + gy**2, np.arctan2(gy, gx)"), "the square root is missing"),
    Wrong("12.1", _sobel("[[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]"), "Prewitt's kernel"),
    Wrong("12.1", _sobel("[[1, 0, -1], [2, 0, -2], [1, 0, -1]]"), "points to the dark side"),
    Wrong("12.1", _sobel(tail="return np.hypot(gx, gy), np.arctan2(gx, gy)"), "in the other order"),
    Wrong("12.1", _sobel(tail="return np.hypot(gx, gy), np.arctan(gy / gx)"), "cannot tell left from right"),
    Wrong("12.1", _sobel(tail="return np.hypot(gx, gy), np.degrees(np.arctan2(gy, gx))"), "in degrees"),
    Wrong("12.1", _sobel().replace("sobel(x):", "sobel(x):\n    x = np.pad(x, 1)"), "the image was padded"),
    Wrong("12.2", _forward(end="pass"), "the bias was left out"),
    Wrong("12.2", _forward(product="w[:, :, kh - 1 - i, kw - 1 - j]"), "the kernels were flipped"),
    Wrong("12.2", _forward(piece="padded[:, :1, i : i + stride * oh : stride, j : j + stride * ow : stride]",
                           product="w[:, :1, i, j]"), "only the first channel was used"),
    Wrong("12.2", _forward(padded="x"), "the padding was left out"),
    Wrong("12.2", _forward(piece="padded[:, :, i : i + oh, j : j + ow]"), "and not for the places themselves"),
    Wrong("12.2", _forward(size="height - kh + 1, width - kw + 1",
                           piece="padded[:, :, i : i + oh, j : j + ow]"), "the stride was left out"),
    Wrong("12.2", _forward().replace('j])\n', 'j]) + b[:, None, None]\n').replace("    out += b", "    0 * b"),
          "once for every entry of the kernel"),
    Wrong("12.3", _backward(db="dout.mean(axis=(0, 2, 3))"), "a mean was taken, not a sum"),
    Wrong("12.3", _backward(db="dout.sum(axis=0)"), "the bias acts at every place"),
    Wrong("12.3", _backward(target="dw[:, :, -1 - i, -1 - j]"), "the gradient is flipped"),
    Wrong("12.3", _backward(dw='np.einsum("nfpq,ncpq->fc", dout, padded[:, :, rows, columns]) / len(dout)'),
          "divided by the number of images"),
    Wrong("12.3", _backward(add="="), "the pieces overwrite each other"),
    Wrong("12.3", _backward(entry="w[:, :, -1 - i, -1 - j]"), "the kernels were flipped"),
    Wrong("12.3", _backward(dx="dpadded[:, :, padding:-padding, padding:-padding]"), "[0:-0], which leaves nothing"),
    Wrong("12.3", _backward(dx="dpadded"), "the gradient of the padding was not cut off"),
    Wrong("12.4", _pool("part += d / part.size"), "that is average pooling"),
    Wrong("12.4", _pool("part += d"), "got the whole gradient"),
    Wrong("12.4", _pool("part[i, j] = d"), "it collects with +="),
    Wrong("12.4", _pool("part += d * (window == window.max())"), "all of the equal entries got the gradient"),
    Wrong("12.4", _pool("part += d * (window == window.max()) / (window == window.max()).sum()"),
          "equal entries shared the gradient"),
    Wrong("12.4", _pool("part[i, j] += 1"), "the winners got ones"),
    Wrong("12.4", _pool("part[i, j] += d", " * x"), "multiplied with the largest entry"),
]  # fmt: skip

RIGHT = [
    Right(
        "12.1",
        """
def sobel(x):
    smooth_down = x[:-2] + 2 * x[1:-1] + x[2:]
    smooth_across = x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]
    gx = smooth_down[:, 2:] - smooth_down[:, :-2]
    gy = smooth_across[2:] - smooth_across[:-2]
    return np.hypot(gx, gy), np.angle(gx + 1j * gy)
""",
    ),
    Right(
        "12.2",
        """
def conv2d_forward(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("ncpqij,fcij->nfpq", windows, w) + b[None, :, None, None], (padded, w, stride, padding)
""",
    ),
    Right(
        "12.2",
        """
def conv2d_forward(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    f, c, kh, kw = w.shape
    oh = 1 + (padded.shape[2] - kh) // stride
    ow = 1 + (padded.shape[3] - kw) // stride
    out = np.empty((len(x), f, oh, ow))
    for n, k, p, q in np.ndindex(out.shape):
        window = padded[n, :, p * stride : p * stride + kh, q * stride : q * stride + kw]
        out[n, k, p, q] = (window * w[k]).sum() + b[k]
    return out, (padded, w, stride, padding)
""",
    ),
    Right(
        "12.3",
        """
def conv2d_backward(dout, cache):
    padded, w, stride, padding = cache
    kh, kw = w.shape[2:]
    dpadded, dw, db = np.zeros_like(padded), np.zeros_like(w), np.zeros(len(w))
    for n, f, p, q in np.ndindex(dout.shape):
        at = (n, slice(None), slice(p * stride, p * stride + kh), slice(q * stride, q * stride + kw))
        dpadded[at] += dout[n, f, p, q] * w[f]
        dw[f] += dout[n, f, p, q] * padded[at]
        db[f] += dout[n, f, p, q]
    if padding:
        dpadded = dpadded[:, :, padding:-padding, padding:-padding]
    return dpadded, dw, db
""",
    ),
    Right(
        "12.4",
        """
def max_pool_backward(dout, x, size, stride):
    dx = np.zeros_like(x)
    oh, ow = dout.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    first = windows.reshape(*dout.shape, -1).argmax(axis=-1)
    for place in range(size * size):
        i, j = divmod(place, size)
        dx[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride] += dout * (first == place)
    return dx
""",
    ),
]
