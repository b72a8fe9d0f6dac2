"""Cases of exercise sheet 12, convolution."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_true, inspect_value
from coursekit.grading.several import expect_results

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
    expect_results(
        asked_sobel(sobel, x),
        {"strength": np.hypot(gx, gy), "angle": np.arctan2(gy, gx)},
        what="sobel(x)",
        mistakes=sobel_mistakes(x),
        only="strength",
    )


def sobel_mistakes(x):
    gx, gy = correlation(x, ACROSS), correlation(x, ACROSS.T)
    flat = np.sign(ACROSS)
    px, py = correlation(x, flat), correlation(x, flat.T)
    qx, qy = correlation(np.pad(x, 1), ACROSS), correlation(np.pad(x, 1), ACROSS.T)
    hx, hy = gx / 8, gy / 8
    return {
        "the absolute values were added, not the squares": {"strength": np.abs(gx) + np.abs(gy)},
        "the two correlations were added, not their squares": {"strength": gx + gy},
        "the larger of the two was taken: the strength is the length of the arrow": {"strength": np.maximum(abs(gx), abs(gy))},
        "the square root is missing": {"strength": gx**2 + gy**2},
        "the strength was rounded": {"strength": np.hypot(gx, gy).round(2)},
        "the strength was rounded to one digit": {"strength": np.hypot(gx, gy).round(1)},
        "the strength was rounded to whole numbers": {"strength": np.hypot(gx, gy).round()},
        "the strength was halved": {"strength": np.hypot(gx, gy) / 2},
        "the mean of the squares was taken, not their sum": {"strength": np.sqrt((gx**2 + gy**2) / 2)},
        "the middle row and column have no factor 2 (that is Prewitt's kernel)": {
            "strength": np.hypot(px, py),
            "angle": np.arctan2(py, px),
        },
        "the kernels were divided by 8": {"strength": np.hypot(hx, hy)},
        "the kernels were divided by 4": {"strength": np.hypot(gx, gy) / 4},
        "only the first kernel was used": {"strength": np.abs(gx)},
        "only the second kernel was used": {"strength": np.abs(gy)},
        "the first kernel was used twice: the second is its transpose": {
            "strength": np.hypot(gx, gx),
            "angle": np.arctan2(gx, gx),
        },
        "the second kernel was used twice": {"strength": np.hypot(gy, gy), "angle": np.arctan2(gy, gy)},
        "strength and angle are in the other order": {"strength": np.arctan2(gy, gx), "angle": np.hypot(gx, gy)},
        "the image was padded: use only the places where the kernel fits": {
            "strength": np.hypot(qx, qy),
            "angle": np.arctan2(qy, qx),
        },
        "the kernels were flipped: that is convolution, and the arrow points to the dark side": {
            "angle": np.arctan2(-gy, -gx)
        },
        "the arguments of arctan2 are in the other order, or the two kernels are": {"angle": np.arctan2(gx, gy)},
        "the two kernels are the wrong way round": {"angle": np.arctan2(gx, gy)},
        "arctan(gy / gx) was used: it cannot tell left from right": {"angle": np.arctan(gy / gx)},
        "arctan(gx / gy) was used: the downward part comes first, and arctan2 tells left from right": {"angle": np.arctan(gx / gy)},
        "the angle is in degrees": {"angle": np.degrees(np.arctan2(gy, gx))},
        "the angle runs from 0 to 2 pi: above pi it is to be negative": {"angle": np.arctan2(gy, gx) % (2 * np.pi)},
        "the angle was taken of absolute values: it loses the direction": {"angle": np.arctan2(abs(gy), abs(gx))},
        "the second kernel is upside down: downwards is positive": {"angle": np.arctan2(-gy, gx)},
        "the first kernel is the wrong way round: to the right is positive": {"angle": np.arctan2(gy, -gx)},
        "the angle was computed of the squares": {"angle": np.arctan2(gy**2, gx**2)},
        "the quotient gy / gx came back: its arctan2 is the angle": {"angle": gy / gx},
    }  # fmt: skip


@case("sobel: angle")
def sobel_angle(sobel, *, rng):
    x = image(rng)
    gx, gy = correlation(x, ACROSS), correlation(x, ACROSS.T)
    expect_results(
        asked_sobel(sobel, x),
        {"strength": np.hypot(gx, gy), "angle": np.arctan2(gy, gx)},
        what="sobel(x)",
        mistakes=sobel_mistakes(x),
        only="angle",
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


def forward_mistakes(x, w, b, stride, padding):
    padded, right = pad(x, padding), forward(x, w, b, stride, padding)
    kh, kw = w.shape[2:]
    at = b[:, None, None]
    h, width = (n + 2 * padding - k for n, k in zip(x.shape[2:], (kh, kw), strict=True))
    dense = forward(x, w, b, 1, padding)
    last = np.einsum("ncpq,fc->nfpq", windows_of(padded, w, stride)[..., -1, -1], w[:, :, -1, -1]) + at
    found = {
        "the bias was left out": right - at,
        "the bias was subtracted": right - 2 * at,
        "the bias multiplies: it is added": (right - at) * at,
        "the kernels were flipped: a convolution layer lays them on the image as they are": forward(
            x, w[:, :, ::-1, ::-1], b, stride, padding
        ),
        "only the first channel was used: the sum runs over all of them": forward(x[:, :1], w[:, :1], b, stride, padding),
        "only the last channel was used: the sum runs over all of them": forward(x[:, -1:], w[:, -1:], b, stride, padding),
        "a mean was taken where the formula has a sum": forward(x, w / w[0].size, b, stride, padding),
        "a mean over the channels was taken where the formula has a sum": forward(x, w / w.shape[1], b, stride, padding),
        "a mean over the kernel's entries was taken where the formula has a sum": forward(x, w / (kh * kw), b, stride, padding),
        "the bias was added once for every entry of the kernel": forward(x, w, b * kh * kw, stride, padding),
        "each entry of the kernel overwrites the sum: it collects with += (only the last entry is left)": last,
        "the last row and the last column are missing: the number of places lacks its + 1": right[:, :, :-1, :-1],
        "the axes are (N, OH, OW, F): images come as (N, F, OH, OW)": right.transpose(0, 2, 3, 1),
        "the axes are (F, N, OH, OW): images come as (N, F, OH, OW)": right.swapaxes(0, 1),
        "rows and columns of the kernel are the wrong way round": forward(x, w.swapaxes(2, 3), b, stride, padding),
        "rows and columns of the output are the wrong way round": right.swapaxes(2, 3),
        "the padding was left out": forward(x, w, b, stride, 0),
        "padding was added at the beginning of the axes only": forward(
            np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0))), w, b, stride, 0
        ),
        "padding was added twice": forward(x, w, b, stride, 2 * padding),
        "padding was added on both sides, but only half of it": forward(x, w, b, stride, (padding + 1) // 2),
        "the size of x was used, not that of the padded image": right[
            :, :, : (x.shape[2] - kh) // stride + 1, : (x.shape[3] - kw) // stride + 1
        ],
        "the stride was left out": dense,
        "the stride was used for the number of places, and not for the places themselves": dense[
            :, :, : h // stride + 1, : width // stride + 1
        ],
        "the stride was used for the rows only": dense[:, :, ::stride],
        "the stride was used for the columns only": dense[..., ::stride],
    }  # fmt: skip
    oh, ow = right.shape[2:]
    if stride > 1 and -(-oh // stride) == 1 and -(-ow // stride) == 1:
        broadcast = np.zeros(right.shape)
        for i, j in np.ndindex(kh, kw):
            broadcast += np.einsum("ncpq,fc->nfpq", padded[:, :, i : i + 1, j : j + 1], w[:, :, i, j])
        found["the slices end too early: i : i + stride * oh : stride"] = broadcast + at
    return {text: value for text, value in found.items() if value.shape != right.shape or not np.allclose(value, right)}


def forward_case(conv2d_forward, rng, stride, padding):
    x, w, b = layer(rng)
    what = f"conv2d_forward(x, w, b, stride={stride}, padding={padding})"
    result = conv2d_forward(x.copy(), w.copy(), b.copy(), stride, padding)
    out, _ = parts(result, 2, what, "a pair (out, cache)")
    expect_equal(
        out,
        forward(x, w, b, stride, padding),
        what=f"the output of {what} for x {x.shape}, w {w.shape}",
        mistakes=forward_mistakes(x, w, b, stride, padding),
    )


@case("conv2d_forward: stride 1, no padding")
def forward_plain(conv2d_forward, *, rng):
    forward_case(conv2d_forward, rng, 1, 0)


@case("conv2d_forward: padding")
def forward_padding(conv2d_forward, *, rng):
    forward_case(conv2d_forward, rng, 1, int(rng.integers(1, 3)))


@case("conv2d_forward: stride and padding")
def forward_stride(conv2d_forward, *, rng):
    for stride, padding in ((2, int(rng.integers(0, 2))), (3, int(rng.integers(1, 3)))):
        forward_case(conv2d_forward, rng, stride, padding)


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


def backward_mistakes(x, w, padded, dout, stride, padding):
    """What usual mistakes make of (dx, dw, db)."""
    oh, ow = dout.shape[2:]
    dpadded = input_gradient(dout, padded.shape, w, stride)
    dx, db = cut(dpadded, padding), dout.sum(axis=(0, 2, 3))
    dw = np.einsum("nfpq,ncpqij->fcij", dout, windows_of(padded, w, stride))
    n = len(x)
    overwritten = np.zeros(padded.shape)
    for i, j in np.ndindex(w.shape[2:]):
        rows, columns = slice(i, i + stride * oh, stride), slice(j, j + stride * ow, stride)
        overwritten[:, :, rows, columns] = np.einsum("nfpq,fc->ncpq", dout, w[:, :, i, j])
    dense = np.einsum("nfpq,ncpqij->fcij", dout, windows_of(padded, w, 1)[:, :, :oh, :ow])
    unstrided = cut(input_gradient(dout, padded.shape, w, 1), padding)
    return {
        "a mean was taken for db, not a sum": {"db": dout.mean(axis=(0, 2, 3))},
        "only the images were summed for db: the bias acts at every place": {"db": dout.sum(axis=0)},
        "the places were summed for db, but not the images": {"db": dout.sum(axis=(2, 3))},
        "images and rows were summed for db, but not the columns": {"db": dout.sum(axis=(0, 2))},
        "images and columns were summed for db, but not the rows": {"db": dout.sum(axis=(0, 3))},
        "all of dout was summed for db: each filter has a bias of its own": {"db": float(dout.sum())},
        "db is summed over the filters: each filter has a bias of its own": {"db": dout.sum(axis=(1, 2, 3))},
        "the sum was divided by the number of images, which the loss has done": {"dx": dx / n, "dw": dw / n, "db": db / n},
        "db was divided by the number of images, which the loss has done": {"db": db / n},
        "dw was divided by the number of images, which the loss has done": {"dw": dw / n},
        "dw is flipped: entry i, j collects from the pixels that lay under it": {"dw": dw[:, :, ::-1, ::-1]},
        "only the first image was used for dw": {
            "dw": np.einsum("nfpq,ncpqij->fcij", dout[:1], windows_of(padded, w, stride)[:1])
        },
        "only the last image was used for dw: the sum runs over all of them": {
            "dw": np.einsum("nfpq,ncpqij->fcij", dout[-1:], windows_of(padded, w, stride)[-1:])
        },
        "dw has the axes (C, F, KH, KW)": {"dw": dw.swapaxes(0, 1)},
        "the stride was left out in the pieces of x": {"dw": dense, "dx": unstrided},
        "the stride was left out in the pieces of x, for dw": {"dw": dense},
        "the stride was left out in the pieces that dx collects": {"dx": unstrided},
        "padding 0 was cut off with [0:-0], which leaves nothing": {"dx": np.zeros((*padded.shape[:2], 0, 0))},
        "the pieces overwrite each other: a pixel collects with += from every place it lay under": {"dx": cut(overwritten, padding)},
        "the kernels were flipped: each entry sends back to the pixel that it was multiplied with": {
            "dx": cut(input_gradient(dout, padded.shape, w[:, :, ::-1, ::-1], stride), padding)
        },
        "the gradient of the padding was not cut off": {"dx": dpadded},
        "the padding was cut off at the end only": {"dx": dpadded[:, :, : x.shape[2], : x.shape[3]]},
        "the padding was cut off at the beginning only": {"dx": dpadded[:, :, padding:, padding:]},
        "the padding was cut off the rows only": {"dx": dpadded[:, :, padding : padding + x.shape[2]]},
        "the results come in the order (dw, dx, db): (dx, dw, db) is asked for": {"dx": dw, "dw": dx},
        "the results come in the order (db, dw, dx): (dx, dw, db) is asked for": {"dx": db, "db": dx},
        "the results come in the order (dw, db, dx): (dx, dw, db) is asked for": {"dx": dw, "dw": db, "db": dx},
        "the results come in the order (dx, db, dw): (dx, dw, db) is asked for": {"dw": db, "db": dw},
        "the bias gradient has the shape (1, F, 1, 1)": {"db": db[None, :, None, None]},
        "only the first filter sends back to the pixels": {"dx": cut(input_gradient(dout[:, :1], padded.shape, w[:1], stride), padding)},
    }  # fmt: skip


def backward_case(conv2d_backward, rng, stride, padding, only):
    x, w, padded, dout, cache = backward_setting(rng, stride, padding)
    got, what = gradients(conv2d_backward, dout, cache)
    wrong = backward_mistakes(x, w, padded, dout, stride, padding)
    right = {
        "dx": cut(input_gradient(dout, padded.shape, w, stride), padding),
        "dw": np.einsum("nfpq,ncpqij->fcij", dout, windows_of(padded, w, stride)),
        "db": dout.sum(axis=(0, 2, 3)),
    }
    expect_results(got, right, what=f"{what} for x {x.shape}", mistakes=wrong, only=only)


@case("conv2d_backward: the bias")
def backward_bias(conv2d_backward, *, rng):
    backward_case(conv2d_backward, rng, 1, 0, "db")


@case("conv2d_backward: the kernels")
def backward_kernels(conv2d_backward, *, rng):
    for stride, padding in ((1, 0), (2, int(rng.integers(1, 3)))):
        backward_case(conv2d_backward, rng, stride, padding, "dw")


@case("conv2d_backward: the input, stride 1")
def backward_input(conv2d_backward, *, rng):
    backward_case(conv2d_backward, rng, 1, 0, "dx")


@case("conv2d_backward: the input, stride and padding")
def backward_input_settings(conv2d_backward, *, rng):
    for stride in (2, 3):  # with stride 2 pieces still overlap along one axis
        backward_case(conv2d_backward, rng, stride, int(rng.integers(1, 3)), "dx")


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


def pool_backward(dout, x, size, stride, choose="first", collect=True, step=None, gain=None, offset=True):
    """Max pooling's gradient, and what usual mistakes make of it."""
    dx, step = np.zeros(x.shape), stride if step is None else step
    for n, c, p, q in np.ndindex(dout.shape):
        place = (n, c, slice(p * step, p * step + size), slice(q * step, q * step + size))
        window = x[place]
        if window.shape != (size, size):
            return np.zeros(0)
        mask, top = np.zeros((size, size)), window.max()
        if choose == "first":
            mask.flat[np.argmax(window)] = 1
        elif choose == "columns":
            mask.T.flat[np.argmax(window.T)] = 1
        elif choose == "last":
            mask.flat[window.size - 1 - np.argmax(window[::-1, ::-1])] = 1
        elif choose == "all":
            mask[window == top] = 1
        elif choose == "share":
            mask[window == top] = 1 / (window == top).sum()
        elif choose == "smallest":
            mask.flat[np.argmin(window)] = 1
        elif choose == "absolute":
            mask.flat[np.argmax(np.abs(window))] = 1
        elif choose == "corner":
            mask[0, 0] = 1
        elif choose == "image":
            mask[window == x.max()] = 1
        else:
            mask[:] = 1 / window.size
        value = dout[n, c, p, q] * (1 if gain is None else gain(top))
        if not offset:
            dx[n, c, :size, :size] += value * mask
        elif collect:
            dx[place] += value * mask
        else:
            dx[place] = np.where(mask > 0, value, dx[place])
    return dx


POOLING = {
    "every entry of the window got a share: that is average pooling": {"choose": "average"},
    "every entry of the window got the whole gradient": {"choose": "average", "gain": "size"},
    "the gradient was multiplied with the largest entry": {"gain": lambda top: top},
    "an entry that wins several windows kept the last gradient only: it collects with +=": {"collect": False},
    "the windows were put side by side: they begin every stride pixels": {"step": "size"},
    "the windows begin at every pixel: they begin every stride pixels": {"step": 1},
    "all of the equal entries got the gradient: only the first one does": {"choose": "all"},
    "equal entries shared the gradient: the first one gets all of it": {"choose": "share"},
    "the last of the equal entries got the gradient: the first one does": {"choose": "last"},
    "the first of the equal entries was looked for column by column: row by row": {"choose": "columns"},
    "the smallest entry of the window got the gradient": {"choose": "smallest"},
    "the entry with the largest absolute value got the gradient: the largest one does": {"choose": "absolute"},
    "the first entry of each window got the gradient, whatever its value": {"choose": "corner"},
    "the window's own place was left out: i and j count from the corner of the window": {"offset": False},
    "the entries were compared with the largest of the whole array, not of their window": {"choose": "image"},
}


def pool_mistakes(dout, x, size, stride):
    found = {}
    for text, settings in POOLING.items():
        settings = dict(settings)
        if settings.get("step") == "size":
            settings["step"] = size
        if settings.get("gain") == "size":
            settings["gain"] = lambda top: size**2
        found[text] = pool_backward(dout, x, size, stride, **settings)
    right = pool_backward(dout, x, size, stride)
    found["the winners got ones, not the gradient of their window"] = pool_backward(np.ones_like(dout), x, size, stride)
    found["the gradient of the winners was multiplied with the whole of x"] = right * x
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    found["this is the forward pass: the largest entries came back, not the gradient of x"] = windows.max(axis=(4, 5))
    found["dout came back: each window hands its gradient to one of its entries"] = dout
    found["dx has the shape of dout: it is the gradient of x, and has its shape"] = np.zeros(dout.shape)
    repeated = dout.repeat(size, axis=2).repeat(size, axis=3)
    found["every pixel of a window got its gradient (np.repeat): only the largest entry does"] = repeated
    if repeated.shape[2] <= x.shape[2] and repeated.shape[3] <= x.shape[3]:
        whole = np.zeros(x.shape)
        whole[:, :, : repeated.shape[2], : repeated.shape[3]] = repeated
        found["every pixel of a window got its gradient: only the largest entry does"] = whole
    return {text: value for text, value in found.items() if value.shape != right.shape or not np.allclose(value, right)}


def pool_case(max_pool_backward, x, size, stride, rng):
    oh, ow = (x.shape[2] - size) // stride + 1, (x.shape[3] - size) // stride + 1
    dout = rng.normal(0, 1, (*x.shape[:2], oh, ow))
    expect_equal(
        max_pool_backward(dout.copy(), x.copy(), size, stride),
        pool_backward(dout, x, size, stride),
        what=f"max_pool_backward(dout, x, size={size}, stride={stride}) for x {x.shape}",
        mistakes=pool_mistakes(dout, x, size, stride),
    )


@case("max_pool_backward: windows side by side")
def pool_plain(max_pool_backward, *, rng):
    size = int(rng.integers(2, 4))
    pool_case(max_pool_backward, rng.normal(0, 1, (2, 3, 2 * size + 1, 4 * size + 1)), size, size, rng)


@case("max_pool_backward: windows that overlap, or leave pixels out")
def pool_overlap(max_pool_backward, *, rng):
    pool_case(max_pool_backward, rng.normal(0, 1, (3, 2, 7, 9)), 2, 3, rng)
    pool_case(max_pool_backward, rng.normal(0, 1, (3, 2, 7, 9)), 3, 2, rng)


@case("max_pool_backward: equal entries")
def pool_ties(max_pool_backward, *, rng):
    x = np.maximum(rng.integers(-3, 2, (3, 2, 8, 10)), 0).astype(float)
    x[0, 0, :2, :2] = [[0, 1], [1, 1]]  # row by row the first largest is not that of the columns
    pool_case(max_pool_backward, x, 2, 2, rng)


Q5 = question(
    "12.5",
    title="Which kernel was it?",
    minutes=14,
    hints=[
        "The unknowns are the KH * KW entries of the kernel. Write down the equation of `out[0, 0]`, then that of `out[0, 1]`.",
        "The column of entry i, j holds the pixels that lie under it: the piece `x[i : i + oh, j : j + ow]` of the worked example.",
        "`np.stack(columns, axis=1)` makes the matrix, `out.ravel()` the right side; reshape the solution.",
    ],
)


def fitted(x, out, shape, flip=False):
    oh, ow = out.shape
    columns = [x[i : i + oh, j : j + ow].ravel() for i, j in np.ndindex(*shape)]
    kernel = np.linalg.lstsq(np.stack(columns, axis=1), out.ravel(), rcond=None)[0].reshape(shape)
    return kernel[::-1, ::-1] if flip else kernel


def kernel_case(find_kernel, rng, noise, what):
    shape = (2, 4) if rng.random() < 0.5 else (4, 3)
    x, kernel = rng.normal(0.3, 1, (int(rng.integers(9, 12)), int(rng.integers(13, 16)))), rng.normal(0, 1, shape)
    out = correlation(x, kernel)
    out = out + noise * rng.standard_normal(out.shape)
    right = fitted(x, out, shape)
    oh, ow = out.shape
    once = np.linalg.lstsq(
        np.stack([x[i : i + oh, j : j + ow].ravel()[: right.size] for i, j in np.ndindex(*shape)], axis=1),
        out.ravel()[: right.size],
        rcond=None,
    )[0].reshape(shape)
    expect_equal(
        find_kernel(x.copy(), out.copy(), shape),
        right,
        rtol=1e-4,
        atol=1e-6,
        what=f"find_kernel(x, out, {shape}) {what}",
        mistakes={
            "the kernel is flipped: that is the kernel of a convolution": right[::-1, ::-1],
            "rows and columns of the kernel are the wrong way round": right.T,
            "the entries are in the wrong order: those of a row come first": right.ravel().reshape(shape[::-1]).T,
            "the entries came back in a row: reshape them to the kernel": right.ravel(),
            "the entries came back as a column: reshape them to the kernel": right.reshape(-1, 1),
            "only as many equations as unknowns were used: with noise all of them are needed": once,
            "this is the correlation of x with out: it is the gradient of the kernel, not the kernel": correlation(x, out),
            "the sign is the wrong way round": -right,
        },
    )  # fmt: skip


@case("find_kernel: from a clean output")
def kernel_clean(find_kernel, *, rng):
    kernel_case(find_kernel, rng, 0.0, "from a clean output")


@case("find_kernel: from a clean output, other inputs", hidden=True)
def kernel_clean_again(find_kernel, *, rng):
    kernel_clean(find_kernel, rng=rng)


@case("find_kernel: from an output with noise", points=3)
def kernel_noisy(find_kernel, *, rng):
    kernel_case(find_kernel, rng, 0.3, "from an output with noise")


Q6 = question(
    "12.6",
    title="Measure a receptive field",
    minutes=14,
    hints=[
        "Copy `x`, change one pixel of the copy, and compare `net(copy)[place]` with `net(x)[place]`.",
        "`np.ndindex(x.shape)` visits every pixel. Collect those that make a difference.",
        "Of the rows that you collected, `min` is the top and `max` the bottom.",
    ],
)


def black_box(rng):
    """A network of two correlations and a stride, and what an output depends on: (net, x, place, rows, columns)."""
    kh, kw, sh, sw, k2 = (int(rng.integers(*span)) for span in ((2, 4), (3, 5), (1, 3), (2, 4), (2, 4)))
    first, second = rng.uniform(0.5, 1, (kh, kw)), rng.uniform(0.5, 1, (k2, k2 - 1))

    def net(x):
        return np.tanh(0.05 * correlation(correlation(x, first)[::sh, ::sw], second))

    x = rng.uniform(-1, 1, (12, 17))
    x[0, 0] = 1e-12 * x[0, 1]  # does not come back when a nudge is added and subtracted again
    rows, columns = net(x).shape
    place = int(rng.integers(1, rows)), int(rng.integers(1, columns))
    top, left = place[0] * sh, place[1] * sw
    down, across = (k2 - 1) * sh + kh - 1, (k2 - 2) * sw + kw - 1
    used = 0, (rows - 1) * sh + down, 0, (columns - 1) * sw + across
    return net, x, place, (top, top + down), (left, left + across), used


@case("field: the pixels that an output depends on")
def field_of(field, *, rng):
    net, x, place, (top, bottom), (left, right), used = black_box(rng)
    while len({top, bottom, left, right}) < 4:
        net, x, place, (top, bottom), (left, right), used = black_box(rng)
    expect_equal(
        field(net, x.copy(), place),
        (top, bottom, left, right),
        what=f"field(net, x, {place}) for x {x.shape}",
        mistakes={
            "bottom and right are one too large: the last row and column belong to the rectangle": (top, bottom + 1, left, right + 1),
            "height and width came back, not the rectangle": (bottom - top + 1, right - left + 1),
            "height and width came back in place of bottom and right": (top, bottom - top + 1, left, right - left + 1),
            "the order is (top, bottom, left, right)": (top, left, bottom, right),
            "columns came before rows: (top, bottom, left, right)": (left, right, top, bottom),
            "all of the output was looked at: only the output at `place` counts": used,
            "the output at (0, 0) was looked at, not the one at `place`": (0, bottom - top, 0, right - left),
        },
    )  # fmt: skip


@case("field: the pixels that an output depends on, other inputs", hidden=True)
def field_of_again(field, *, rng):
    field_of(field, rng=rng)


@case("field: a hole in the middle, and pixels that only weaken the output")
def field_holes(field, *, rng):
    x = rng.uniform(0.5, 1, (8, 11))
    top, left, height, width = (int(n) for n in rng.integers([1, 1, 3, 4], [3, 4, 5, 6]))
    place = int(rng.integers(8)), int(rng.integers(11))

    def net(x):
        y = np.zeros(
            x.shape
        )  # the output falls with the one corner, rises with the other, and no pixel between them counts
        y[place] = x[top + height, left] - 2 * x[top, left + width]
        return y

    expect_equal(
        field(net, x.copy(), place),
        (top, top + height, left, left + width),
        what=f"field(net, x, {place}) where two single pixels count",
        mistakes={
            "only pixels that raise the output were counted: any change counts": (top + height, top + height, left, left),
            "only pixels that lower the output were counted: any change counts": (top, top, left + width, left + width),
            "the rectangle runs from the first pixel that counts to the last: take the smallest and the largest of rows and columns": (
                top, top + height, left + width, left,
            ),
        },
    )  # fmt: skip
    for corner in ((0, 0), (7, 10)):
        expect_equal(
            field(lambda x: 2 * x, x.copy(), corner),
            (corner[0], corner[0], corner[1], corner[1]),
            what=f"field(net, x, {corner}) where each output sees its own pixel only",
        )


@case("field: an output that depends on nothing")
def field_of_nothing(field, *, rng):
    x, value = rng.uniform(-1, 1, (6, 8)), float(rng.uniform(-1, 1))
    got = field(lambda x: np.full((3, 4), value), x.copy(), (int(rng.integers(3)), int(rng.integers(4))))
    expect_true(
        got is None,
        f"field gave {inspect_value(got)} for an output that is the same whatever x is, expected None",
        mistake="a rectangle came back although no pixel counts",
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


def _find(piece="x[i : i + oh, j : j + ow].ravel()", back="u.reshape(shape)", rows="slice(None)"):
    return f"""
def find_kernel(x, out, shape):
    oh, ow = out.shape
    a = np.stack([{piece} for i, j in np.ndindex(*shape)], axis=1)
    u = np.linalg.lstsq(a[{rows}], out.ravel()[{rows}], rcond=None)[0]
    return {back}
"""


def _field(changes="y[place] != before", back="min(rows), max(rows), min(columns), max(columns)", none="None"):
    return f"""
def field(net, x, place):
    before, seen = net(x)[place], []
    for at in np.ndindex(x.shape):
        changed = x.copy()
        changed[at] += 0.1
        y = net(changed)
        if {changes}:
            seen.append(at)
    if not seen:
        return {none}
    rows, columns = zip(*seen)
    return {back}
"""


SENTENCES = {  # of the task, and the cases that test it
    "12.1": {
        "the strength of the edge is the arrow's length": ["sobel: strength"],
        "its angle is that of the arrow": ["sobel: angle"],
    },
    "12.2": {
        "F kernels that each go through all C channels": ["conv2d_forward: stride 1, no padding"],
        "$x$ has got `padding` rows and columns of zeros on each side first": ["conv2d_forward: padding"],
        "Here $s$ is the stride": ["conv2d_forward: stride and padding"],
    },
    "12.3": {
        "Each product of the forward pass sends something to both of its factors": [
            "conv2d_backward: the kernels",
            "conv2d_backward: the bias",
        ],
        "collects from all of them: `+=`": ["conv2d_backward: the input, stride 1"],
        "the gradient of the padding itself is cut off at the end": ["conv2d_backward: the input, stride and padding"],
        "It returns `(dx, dw, db)`, of the shapes of x, w and b.": [
            "conv2d_backward: the input, stride 1",
            "conv2d_backward: the kernels",
            "conv2d_backward: the bias",
        ],
    },
    "12.4": {
        "Only this entry has moved the output, so only it gets the window's gradient.": [
            "max_pool_backward: windows side by side"
        ],
        "If several are equally large, the first one gets it, row by row": ["max_pool_backward: equal entries"],
        "If windows overlap, an entry may win several of them, and collects.": [
            "max_pool_backward: windows that overlap, or leave pixels out"
        ],
        "It returns `dx`.": ["max_pool_backward: windows side by side"],
    },
    "12.5": {
        "Return the kernel.": ["find_kernel: from a clean output"],
        "the answer should be the kernel with the least mean squared error": ["find_kernel: from an output with noise"],
    },
    "12.6": {
        "which pixels of `x` the output at `place`, a pair (row, column), depends on": [
            "field: the pixels that an output depends on"
        ],
        "Return the smallest rectangle that holds all of these pixels": [
            "field: the pixels that an output depends on",
            "field: a hole in the middle, and pixels that only weaken the output",
        ],
        "If the output does not depend on `x` at all, return `None`.": ["field: an output that depends on nothing"],
        "takes an image (H, W) and returns an image, smaller or not": ["field: the pixels that an output depends on"],
    },
}

WRONG = [
    Wrong("12.1", _sobel().replace("correlate(x, k.T)", "correlate(x, k)"), "the first kernel was used twice"),
    Wrong("12.1", _sobel(tail="return np.hypot(gx, gy).round(2), np.arctan2(gy, gx)"), "the strength was rounded"),
    Wrong("12.1", _sobel(tail="return np.hypot(gx, gy), np.arctan2(abs(gy), abs(gx))"), "it loses the direction"),
    Wrong("12.2", _forward().replace("out += np.einsum", "out = np.einsum"), "it collects with += (only the last entry is left)"),
    Wrong("12.2", _forward(end="out = (out + b[:, None, None]).transpose(0, 2, 3, 1)"), "the axes are (N, OH, OW, F)"),
    Wrong("12.2", _forward(size="(height - kh) // stride, (width - kw) // stride"), "lacks its + 1"),
    Wrong("12.3", _backward().replace("return dpadded[:, :, padding : height - padding, padding : width - padding], dw",
                                      "return dw, dpadded[:, :, padding : height - padding, padding : width - padding]"),
          "(dx, dw, db) is asked for"),
    Wrong("12.3", _backward(db="dout.sum(axis=(0, 2))"), "but not the columns"),
    Wrong("12.3", _backward(dw='np.einsum("fpq,cpq->fc", dout[-1], padded[-1][:, rows, columns])'), "only the last image"),
    Wrong("12.4", "def max_pool_backward(dout, x, size, stride):\n    return dout.repeat(size, axis=2).repeat(size, axis=3)",
          "(np.repeat): only the largest entry does"),
    Wrong("12.4", "def max_pool_backward(dout, x, size, stride):\n    out = np.zeros(dout.shape)\n"
          "    for n, c, p, q in np.ndindex(out.shape):\n"
          "        out[n, c, p, q] = x[n, c, p * stride : p * stride + size, q * stride : q * stride + size].max()\n"
          "    return out", "this is the forward pass"),
    Wrong("12.4", _pool("i, j = np.unravel_index(np.argmax(abs(window)), window.shape); part[i, j] += d"),
          "the largest absolute value"),
    Wrong("12.4", _pool("dx[n, c, i, j] += d"), "from the corner of the window"),
    Wrong("12.4", _pool("j, i = np.unravel_index(np.argmax(window.T), window.T.shape); part[i, j] += d"), "column by column"),
    Wrong("12.5", _find(back="u.reshape(shape)[::-1, ::-1]"), "the kernel is flipped"),
    Wrong("12.5", _find(back="u"), "the entries came back in a row"),
    Wrong("12.5", _find(rows="slice(0, shape[0] * shape[1])"), "only as many equations as unknowns"),
    Wrong("12.5", "def find_kernel(x, out, shape):\n    return correlate(x, out)", "it is the gradient of the kernel"),
    Wrong("12.6", _field(back="min(rows), max(rows) + 1, min(columns), max(columns) + 1"), "one too large"),
    Wrong("12.6", _field(back="min(rows), min(columns), max(rows), max(columns)"), "the order is (top, bottom, left, right)"),
    Wrong("12.6", _field("(y != net(x)).any()"), "only the output at `place` counts"),
    Wrong("12.6", _field("y[place] > before"), "that raise the output were counted"),
    Wrong("12.6", _field(none="0, 0, 0, 0"), "although no pixel counts"),
    Wrong("12.6", _field(back="seen[0][0], seen[-1][0], seen[0][1], seen[-1][1]"), "from the first pixel that counts to the last"),
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
    Wrong("12.3", _backward(db="dout.mean(axis=(0, 2, 3))"), "a mean was taken for db, not a sum"),
    Wrong("12.3", _backward(db="dout.sum(axis=0)"), "the bias acts at every place"),
    Wrong("12.3", _backward(target="dw[:, :, -1 - i, -1 - j]"), "dw is flipped"),
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
    Right("12.5", _find()),
    Right(
        "12.5",
        """
def find_kernel(x, out, shape):
    n = shape[0] * shape[1]
    a, b = np.zeros((n, n)), np.zeros(n)
    for p in range(out.shape[0]):
        for q in range(out.shape[1]):
            window = x[p : p + shape[0], q : q + shape[1]].ravel()
            a += np.outer(window, window)
            b += out[p, q] * window
    return np.linalg.solve(a, b).reshape(shape)
""",
    ),
    Right("12.6", _field()),
    Right(
        "12.6",
        """
def field(net, x, place):
    count = np.zeros(x.shape, bool)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            bump = np.zeros(x.shape)
            bump[i, j] = 1e-3
            count[i, j] = abs(net(x + bump)[place] - net(x - bump)[place]) > 1e-9
    if not count.any():
        return None
    rows, columns = np.flatnonzero(count.any(axis=1)), np.flatnonzero(count.any(axis=0))
    return [int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])]
""",
    ),
]

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "12.2": {
        "it is 0": [
            "the sign of out is the wrong way round",
        ],
    },
    "12.3": {
        "only the shape counts": [
            "dpadded was used where padded is meant, in (height, width)",
        ],
        "every entry is written later": [
            "ones was taken where zeros is meant, in dw",
        ],
    },
    "12.4": {
        "it is 0": [
            "the sign of dx is the wrong way round",
        ],
    },
    "12.6": {
        "a change of another size shows the same pixels": [
            "-= stands where += is meant, for changed[at]",
            "= stands where += is meant, for changed[at]",
            "the number 0.05 stands where 0.1 is meant, in changed[at]",
            "the number 0.09 stands where 0.1 is meant, in changed[at]",
            "the number 0.11 stands where 0.1 is meant, in changed[at]",
            "the number 0.2 stands where 0.1 is meant, in changed[at]",
            "the number 1 stands where 0.1 is meant, in changed[at]",
        ],
    },
}
