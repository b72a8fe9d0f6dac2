"""Explorers for the tests: quick to draw, and with numbers that are easy to check."""

import os

import numpy as np

from coursekit.explorers import Choice, Handle, LogSlider, Place, Seed, Slider, Time, explorer, predict
from coursekit.interactive.closer import Closer
from coursekit.interactive.playing import Training
from coursekit.interactive.points import Points
from coursekit.plotting import _style


def tones(amplitude, turns, shape):
    x = np.linspace(0, 1, 200)
    phase = 2 * np.pi * turns * x
    y = amplitude * (np.sin(phase) if shape == "sine" else np.sign(np.sin(phase)))
    return {"x": x, "y": y, "amplitude": amplitude, "turns": turns, "shape": shape}


@_style.styled
def draw_tones(results):
    fig, ax = _style.figure(5.6, 2.9)
    ax.plot(results["x"], results["y"], label=results["shape"])
    ax.plot(results["x"], np.abs(results["y"]), label="absolute")
    ax.set_ylim(-3.2, 3.2)
    ax.set_xlabel("time (s)")
    ax.set_ylabel("level")
    ax.legend(loc="upper right")
    return fig


def tones_in_words(results):
    return f"A {results['shape']} of amplitude {results['amplitude']:.3g} that turns {results['turns']} times."


wave_shape = explorer(
    tones,
    draw_tones,
    tones_in_words,
    title="A wave",
    time=Time("time"),
    handles=[
        Handle("crest", x=0.25, y="amplitude"),
        Handle("shape", choice="shape", places={"sine": (0.6, 2.5), "square": (0.9, 2.5)}),
    ],
    amplitude=LogSlider(0.1, 3, default=0.548, steps=9, label="amplitude", unit="V"),
    turns=Slider(1, 7, default=3, step=1, label="turns"),
    shape=Choice("sine", "square", label="shape"),
)


@explorer(title="A heat map", width=Slider(0.0, 1.0, default=0.5, step=0.25, label="width"))
def heat(width):
    """The other way to declare one: a function that returns a Figure."""
    if width == 1.0 and os.environ.get("HEAT_FAILS"):
        raise ValueError("width 1 is broken")
    fig, ax = _style.figure(4, 3)
    x = np.linspace(-1, 1, 40)
    ax.imshow(np.exp(-(x[:, None] ** 2 + x**2) / (width + 0.1)))
    ax.grid(False)
    fig.alt = f"A bump of width {width:.3g}."
    return fig


def _counted(images, seed):
    return {"images": images, "seed": seed, "height": np.roll(np.arange(8.0), seed)}


@_style.styled
def _draw_counted(results):
    fig, ax = _style.figure(4.6, 4.6)
    _style.bars(ax, np.arange(8), results["height"], color=_style.CYCLE[0])
    ax.set(xlim=(-1, 8), ylim=(0, 8), xlabel="day", ylabel="count")
    return fig


days = explorer(
    _counted,
    _draw_counted,
    lambda results: f"Eight bars of {results['images']} images, seed {results['seed']}.",
    title="A number in order",
    time=Time("image", over="images"),
    images=Choice(1, 10, 100, "all", label="images"),
    seed=Seed(3),
)

plain = explorer(_counted, _draw_counted, lambda results: "Bars.", images=Choice(1, 2, 3), seed=Choice(0))


def _spot(start):
    words = {"A": "-2 -1", "B": "2 1"}.get(start, start)
    return {"start": np.array(words.strip("()").replace(",", " ").split(), dtype=float)}


@_style.styled
def _draw_spot(results):
    fig, ax = _style.figure(4, 2.4)
    ax.plot(*np.linspace(results["start"], 0, 11).T, marker="o")
    ax.set(xlim=(-3, 3), ylim=(-2, 2), xlabel="x", ylabel="y")
    return fig


spot = explorer(
    _spot,
    _draw_spot,
    lambda results: "A point at ({:g}, {:g}).".format(*results["start"]),
    title="A point",
    start=Place("A", "B", low=(-3, -2), high=(3, 2), label="start"),
    handles=[Handle("point", choice="start", places={"A": (-2, -1), "B": (2, 1)})],
    time=Time("step", paths=(0,)),
)


def _pull(units=2, rate=0.1, steps=10, added="none"):
    start = {"units": units, "steps": 0, "at": np.arange(1.0, 1 + units), "passed": np.zeros(0)}
    return _pull_on(start, steps, rate=rate, added=added)


def _pull_on(result, steps, rate=0.1, added="none"):
    """Each unit's number comes nearer to the mean of the points' x by the share `rate` in every step."""
    points = [[float(n) for n in part.strip("()").split(", ")] for part in added.split("; ")] if added != "none" else []
    goal = np.mean([x for x, *_ in points]) if points else 0.0
    at, passed = result["at"], [*result["passed"]]
    for _ in range(steps):
        passed.append(at[0])
        at = at + rate * (goal - at)
    return {
        "units": result["units"], "steps": result["steps"] + steps, "at": at, "passed": np.array(passed), "goal": goal,
        "points": points,
    }  # fmt: skip


@_style.styled
def _draw_pull(result):
    fig, (left, right) = _style.figure(5.6, 2.9, 1, 2)
    left.imshow(np.full((4, 4), 0.5), extent=(-2, 2, -2, 2), vmin=0, vmax=1)
    for x, y, kind in result["points"]:
        left.plot(x, y, "o", color=_style.CYCLE[int(kind)])
    tiles = np.full((5, 17), np.nan)
    for k, value in enumerate(result["at"]):
        tiles[:, 6 * k : 6 * k + 5] = value
        right.plot([6 * k, 6 * k + 4], [2, 2], color=_style.INK, label=f"unit {k + 1} is {value:.3f}")
    right.imshow(tiles, vmin=-2, vmax=2, cmap="RdBu_r")
    return fig


pull = explorer(
    _pull,
    _draw_pull,
    lambda r: f"Step {r['steps']}, goal {r['goal']:.2f}, at {r['at'][0]:.4f}, {len(r['points'])} points.",
    title="Pulled",
    time=Time("step", over="steps", training=Training(_pull_on, settings=("rate", "added"), steps=2)),
    handles=[Closer("unit", axes=1, grid=(1, 3), count="units")],
    units=Slider(1, 3, default=2, step=1, label="units"),
    rate=LogSlider(0.001, 0.1, default=0.01, steps=3, label="rate"),
    steps=Choice(0, 10, 100, default=10, label="steps"),
    added=Points("blue", "orange", low=(-2, -2), high=(2, 2)),
)

guess = predict(
    "demo-guess",
    question="How often does the first wave turn?",
    options={"Three times": "The default is 3.", "Seven times": "That is the right end of the slider."},
    answer="Three times",
    then=heat,
)

number = predict(
    "demo-number",
    question="What is the amplitude that the slider starts with?",
    answer=0.548,
    unit="V",
    explanation="It is the middle of the slider, on a logarithmic scale.",
)
