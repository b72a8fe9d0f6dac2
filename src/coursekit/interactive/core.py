"""`explorer`: settings -> results -> picture, declared once for the notebook, the book and live mode.

>>> from coursekit.explorers import Slider, explorer
>>> from coursekit.plotting import _style
>>> import numpy as np
>>> def wave(turns):
...     x = np.linspace(0, 1, 50)
...     return {"x": x, "y": np.sin(2 * np.pi * turns * x), "turns": turns}
>>> def draw(results):
...     fig, ax = _style.figure()
...     ax.plot(results["x"], results["y"])
...     return fig
>>> def describe(results):
...     return f"A sine wave that turns {results['turns']} times."
>>> waves = explorer(wave, draw, describe, title="A wave", turns=Slider(1, 5, default=2, step=1, label="turns"))
>>> waves.alt(turns=3)
'A sine wave that turns 3 times.'
>>> waves(turns=9)
Traceback (most recent call last):
coursekit.errors.RangeError: turns is 9, but its slider runs from 1 to 5
"""

from __future__ import annotations

import html
import importlib
import inspect
import itertools
import math
import os
import sys
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from .._checks import describe as _words
from ..errors import CourseError, DTypeError, RangeError
from ..plotting import _narrow
from ..plotting._style import STYLE
from ..plotting._svg import to_svg
from ._typography import words as _set
from .controls import Control, Place, Seed

__all__ = ["MOST_PICTURES", "Explorer", "Picture", "explorer", "find"]

MOST_PICTURES = 1500  # more would make the book slow to build and to load


@dataclass(frozen=True)
class Picture:
    """What a front end shows: an SVG, what it shows in words, and if it was asked for the SVG for a narrow screen."""

    svg: str
    alt: str
    narrow: str = ""


def explorer(compute=None, draw=None, describe=None, *, title: str = "", yours=(), time=None, handles=(), **controls):
    """Declare an explorer.

    Parameters
    ----------
    compute : function of the settings, `compute(**settings) -> results`, usually from `coursekit.experiments`
    draw : `draw(results) -> Figure`, usually from `coursekit.plotting`
    describe : `describe(results) -> str`, one or two sentences that say what this picture shows. May be left out if
        `draw` sets the text itself, `fig.alt = "..."`.
    title : a short heading
    yours : `Slot`s, places that functions take which the reader wrote in an exercise
    time : a `Time`, what it is that plays
    handles : `Handle`s, what can be grasped on the picture
    controls : one `Slider`, `LogSlider`, `Choice`, `Place` or `Seed` for each parameter of `compute`

    Returns
    -------
    An `Explorer`; or, called with controls only, a decorator for one function that computes and draws:
    it returns a Figure (with `fig.alt` set) or a pair (Figure, text).

    Raises
    ------
    DTypeError, RangeError
        If the controls do not match the function's parameters, or the grid holds more than 1,500 pictures.
    """
    module = sys._getframe(1).f_globals.get("__name__", "__main__")
    if compute is None:
        if draw is not None or describe is not None:
            raise DTypeError("an explorer with draw= or describe= also needs compute=, the function of the settings")
        return lambda function: Explorer(
            function, None, None, title, controls, function.__module__, yours, time, handles
        )
    if draw is None:
        raise DTypeError("an explorer with compute= also needs draw=, the function from results to a Figure")
    return Explorer(compute, draw, describe, title, controls, module, yours, time, handles)


class Explorer:
    """Settings with controls, and the picture that belongs to them; made by `explorer`.

    Shown at the end of a notebook cell it is a set of sliders over a picture. Called with settings it gives the
    Matplotlib figure. Settings that are left out have their default.
    """

    def __init__(self, compute, draw, describe, title, controls, module, yours=(), time=None, handles=()):
        for role, function in (("compute", compute), ("draw", draw), ("describe", describe)):
            if function is not None and not callable(function):
                raise DTypeError(f"{role} is {_words(function)}, but must be a function")
        for name, control in controls.items():
            if not isinstance(control, Control):
                raise DTypeError(f"{name} is {_words(control)}, but must be a control, such as {name}=Slider(0, 10)")
        _match(compute, controls)
        count = math.prod(len(control.values) for control in controls.values())
        if count > MOST_PICTURES:
            sizes = ", ".join(f"{name} {len(control.values)}" for name, control in controls.items())
            raise RangeError(
                f"these controls make {count:,} pictures ({sizes}), but {MOST_PICTURES:,} are the most; "
                "give the controls fewer stops (the values between them stay open to live mode)"
            )
        self.compute, self.draw, self.describe = compute, draw, describe
        self.controls, self.module = dict(controls), module
        self.title, self.yours = title, tuple(yours)
        self.time, self.handles = time, tuple(handles)
        for part in filter(None, (time, *self.handles)):
            part.check(self.controls)
        if draw is None:
            self.__doc__ = compute.__doc__

    @property
    def name(self) -> str:
        """The name under which its module knows it; "" if there is none."""
        for name, value in vars(sys.modules.get(self.module, None) or object).items():
            if value is self:
                return name
        return self.compute.__name__ if self.draw is None else ""

    @property
    def address(self) -> str:
        """`module:name`, or "" for an explorer that no module holds (one that was written in a notebook cell)."""
        return f"{self.module}:{self.name}" if self.name and self.module != "__main__" else ""

    def settings(self, **given) -> dict:
        """All settings: those given, checked, and the defaults of the others."""
        unknown = [name for name in given if name not in self.controls]
        if unknown:
            raise DTypeError(
                f"{', '.join(unknown)} is not a control of this explorer; it has {', '.join(self.controls)}"
            )
        return {
            name: control.check(name, given[name]) if name in given else control.default
            for name, control in self.controls.items()
        }

    @property
    def finer(self) -> bool:
        """Whether Python that runs shows more than the book's pictures: values between, other seeds, other places."""
        return any(control.between > 1 or isinstance(control, (Place, Seed)) for control in self.controls.values())

    def with_yours(self, *functions) -> Explorer:
        """Take a function that you wrote among the choices: `valley.with_yours(adam_step)`."""
        from .slots import with_yours

        return with_yours(self, *functions)

    def grid(self) -> list[dict]:
        """The settings that the book draws; the last control varies fastest."""
        values = (control.values for control in self.controls.values())
        return [dict(zip(self.controls, point, strict=True)) for point in itertools.product(*values)]

    def results(self, **settings):
        """What the experiment computes, before it is drawn."""
        return self.compute(**self.settings(**settings))

    def arrays(self, **settings) -> dict[str, np.ndarray]:
        """The numbers behind the picture, flat: {"losses": array, "runs.0.mean": array, ...}.

        An explorer made by the decorator has no results of its own; its arrays are read from the figure's lines,
        bars, points and images.
        """
        if self.draw is None:
            return _drawn(self._draw(self.settings(**settings))[0])
        return dict(_flat("", self.results(**settings)))

    def __call__(self, **settings) -> Figure:
        """The Matplotlib figure at these settings, with its alternative text in `.alt`."""
        figure, alt = self._draw(self.settings(**settings))
        figure.alt = alt
        return figure

    def alt(self, **settings) -> str:
        """The alternative text of the picture at these settings."""
        return self._draw(self.settings(**settings))[1]

    def picture(self, prefix: str = "f", /, **settings) -> Picture:
        """The picture at these settings; `prefix` begins the ids inside the SVG."""
        figure, alt = self._draw(self.settings(**settings))
        return Picture(to_svg(figure, prefix, readable=True), alt)

    def plan(self):
        """How the default picture is laid out for a narrow screen, or None; the others follow it."""
        return _narrow.plan(self())

    def pictures(self, prefix: str, layout, /, **settings) -> Picture:
        """`picture`, also for a narrow screen; without one where `layout` is None or does not fit this picture."""
        figure, alt = self._draw(self.settings(**settings))
        svg, narrow = to_svg(figure, prefix, readable=True), ""
        if layout:
            with _narrow.narrowed(figure, layout) as done:
                if done:
                    narrow = _narrow.marked(to_svg(figure, prefix, readable=True))
        return Picture(svg, alt, narrow)

    def text(self, **settings) -> str:
        """The settings in words: "gain 1, depth 10"."""
        return ", ".join(
            f"{self.controls[name].label or name.replace('_', ' ')} {self.controls[name].text(value)}"
            for name, value in self.settings(**settings).items()
        )

    def _draw(self, settings):
        walked = self.time is not None and self.time.paths  # each vertex of a path is a step: none may be left out
        with matplotlib.rc_context(STYLE | ({"path.simplify": False} if walked else {})):
            if self.draw is None:
                drawn = self.compute(**settings)
                figure, alt = drawn if isinstance(drawn, tuple) and len(drawn) == 2 else (drawn, None)
            else:
                results = self.compute(**settings)
                figure = self.draw(results)
                alt = self.describe(results) if self.describe else None
        if not isinstance(figure, Figure):
            raise DTypeError(f"the drawing function returned {_words(figure)}, but must return a Matplotlib Figure")
        alt = getattr(figure, "alt", "") if alt is None else alt
        if not isinstance(alt, str) or not alt.strip():
            raise DTypeError(
                "this picture has no alternative text; give describe=, a function from results to a sentence, or set "
                'fig.alt = "..." where it is drawn'
            )
        return figure, _set(" ".join(alt.split()))

    def _repr_mimebundle_(self, include=None, exclude=None):
        # An explorer shows itself in a notebook, so it must find its views, which are made for explorers.
        from .html import explorer_html

        bundle = {"text/html": explorer_html(self), "text/plain": repr(self)}
        if not os.environ.get("COURSEKIT_BOOK"):
            from .widget import explorer_widget, view  # as above; and only a notebook has ipywidgets

            bundle.update(view(explorer_widget(self)))
        return bundle

    def __repr__(self):
        return f"<explorer {self.name or self.title or 'without a name'}: {', '.join(self.controls)}>"


def find(address: str) -> Explorer:
    """The explorer at `module:name`."""
    module, _, name = address.partition(":")
    found = getattr(importlib.import_module(module), name, None)
    if not isinstance(found, Explorer):
        raise DTypeError(f"{address} is {_words(found)}, but must be an explorer")
    return found


def complaint(error: Exception) -> str:
    """One sentence for a reader whose setting did not work."""
    reason = str(error).strip().rstrip(".") or type(error).__name__
    if not isinstance(error, CourseError):
        reason = f"{type(error).__name__}: {reason}"
    return f"This setting did not work ({reason}). The picture is the last one that did; try another value."


def escape(text) -> str:
    """Text for HTML."""
    return html.escape(str(text), quote=True)


def _match(function, controls):
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    names = [parameter.name for parameter in parameters]
    needed = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
    missing = [name for name in needed if name not in controls]
    extra = [name for name in controls if name not in names]
    if missing or extra:
        problem = f"has no control for {', '.join(missing)}" if missing else f"does not take {', '.join(extra)}"
        raise DTypeError(
            f"{getattr(function, '__name__', 'the function')}({', '.join(names)}) {problem}; there must be one control "
            f"for each parameter, and these are given: {', '.join(controls) or 'none'}"
        )


def _flat(path, value):
    if isinstance(value, dict):
        items = value.items()
    elif hasattr(value, "__dataclass_fields__"):
        items = vars(value).items()
    elif isinstance(value, (list, tuple)) and not all(isinstance(entry, (int, float, np.number)) for entry in value):
        items = enumerate(value)
    else:
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            yield path or "result", array
        return
    for key, entry in items:
        yield from _flat(f"{path}.{key}" if path else str(key), entry)


def _drawn(figure):
    found = {}
    for a, axes in enumerate(figure.axes):
        parts = [("line", artist.get_xydata()) for artist in axes.lines]
        parts += [("points", artist.get_offsets()) for artist in axes.collections]
        parts += [("values", artist.get_array()) for artist in (*axes.collections, *axes.images)]
        parts += [("patch", artist.get_path().vertices) for artist in axes.patches]
        parts += [("place", artist.get_window_extent().bounds) for artist in axes.patches]
        for k, (kind, values) in enumerate(parts):
            if values is not None:
                found[f"axes{a}.{kind}{k}"] = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
    return found
