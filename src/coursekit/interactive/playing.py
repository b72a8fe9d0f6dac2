"""Time: a picture that is played, step by step.

The curves of a run are in its picture already, from the first step to the last. So time needs no further pictures:
the page uncovers what stands left of the present step, and walks along a path. What is shown at step t is what the run
had reached at step t, since a run does not depend on its later steps. An explorer whose number is a setting (the layer
that is computed, the depth) plays through the pictures of that setting instead.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import DTypeError

__all__ = ["Time", "Training", "until"]


@dataclass(frozen=True)
class Training:
    """A training that goes on where Python runs, while its settings are changed.

    Attributes
    ----------
    go_on : `go_on(results, steps, **settings) -> results`: the run some steps further, from the parameters that it has
        reached; its results are drawn as those of the explorer are, and have the entry that `Time.over` names
    settings : the controls that may change in its midst; if another one changes, a training begins anew
    steps : of one picture

    >>> Training(len, settings=("rate",)).spec()
    {'name': 'len', 'settings': ['rate'], 'steps': 5}
    """

    go_on: Callable
    settings: tuple[str, ...]
    steps: int = 5

    def check(self, controls: dict) -> None:
        """Complain if what may change is no control."""
        unknown = [name for name in self.settings if name not in controls]
        if unknown:
            raise DTypeError(f"a training takes {', '.join(unknown)}, but the controls are {', '.join(controls)}")

    def spec(self) -> dict:
        """It as plain data for the page's script."""
        return {"name": self.go_on.__name__, "settings": list(self.settings), "steps": self.steps}


class Run:
    """The training of an explorer that goes on: `drawn(settings, steps)` is the picture, some steps further.

    It begins with what the explorer shows for the settings. It goes on as long as only those change that may, and
    begins anew when another does.
    """

    def __init__(self, explorer):
        self.explorer, self.training, self.over = explorer, explorer.time.training, explorer.time.over
        self.results = self.anew = None

    @property
    def steps(self) -> int:
        """How far it has come."""
        return int(self.results[self.over])

    def on(self, settings: dict, steps: int) -> None:
        """Some steps further; 0 only begins it, or takes what was changed."""
        settings = self.explorer.settings(**settings)
        if not self._belong(settings):
            self.results, self.anew = self.explorer.compute(**settings), self._beginning(settings)
        given = {name: settings[name] for name in self.training.settings}
        self.results = self.training.go_on(self.results, steps, **given)

    def takes(self, settings: dict) -> bool:
        """Whether it is under way and these settings belong to it, which it then takes; else it ends."""
        if not self._belong(self.explorer.settings(**settings)):
            self.drop()
            return False
        self.on(settings, 0)
        return True

    def drop(self) -> None:
        """End it; the next one begins anew."""
        self.results = self.anew = None

    def _belong(self, settings):
        return self.results is not None and self._beginning(settings) == self.anew

    def _beginning(self, settings):
        return {name: value for name, value in settings.items() if name not in self.training.settings}

    def picture(self, prefix: str = "f", layout=None):
        """What it has reached, drawn as the explorer draws; `layout` as of `Explorer.pictures`."""
        from .core import Explorer  # core knows this module by way of its widget, which plays runs

        again = Explorer(lambda: self.results, self.explorer.draw, self.explorer.describe, "", {}, "__main__")
        return again.pictures(prefix, layout)


@dataclass(frozen=True)
class Time:
    """A time axis of an explorer: play, pause, one step, any step.

    Attributes
    ----------
    unit : what is counted, "step" or "epoch": the axes of the picture whose x-axis begins with this word are uncovered
        from left to right, and those above them with the same x-axis
    paths : numbers of axes in which a path is walked, one vertex a step
    over : the control that is played through instead
    training : where Python runs, a training that goes on from what `over` says

    >>> Time("step", paths=(0,)).spec()
    {'unit': 'step', 'paths': [0], 'over': ''}
    """

    unit: str
    paths: tuple[int, ...] = ()
    over: str = ""
    training: Training | None = None

    def check(self, controls: dict) -> None:
        """Complain if it plays a control that is not there, or one without an order."""
        if self.training:
            if not self.over:
                raise DTypeError(f"a training goes on from a control that counts its {self.unit}s; name it with over=")
            self.training.check(controls)
        if self.over and (self.over not in controls or not controls[self.over].ordered):
            known = ", ".join(name for name, control in controls.items() if control.ordered) or "none"
            raise DTypeError(f"time plays over {self.over!r}, but must play over a control of rising numbers: {known}")

    def spec(self) -> dict:
        """It as plain data for the page's script."""
        plain = {"unit": self.unit, "paths": list(self.paths), "over": self.over}
        return plain | ({"training": self.training.spec()} if self.training else {})


_GROUP = re.compile(r'<g data-s="\d+">\n(?:(?!</g>).*\n)*?<path d="(M([\d.]+) ([\d.]+)[^"]*)"')


def until(svg: str, time: Time, share: float) -> str:
    """The picture with what happened in the first `share` of the time, as the page shows it; for notebooks."""
    axes = [json.loads(html.unescape(text)) for text in re.findall("<metadata>(.*)</metadata>", svg)]
    timed = [known for known in axes if known.get("xlabel", "").startswith(time.unit)]
    spans = [(known["x"], known["box"][0], known["box"][2]) for known in timed]
    clips = {}

    def cut(match):
        x, y = float(match[2]), float(match[3])
        for known in axes:
            left, top, right, bottom = known["box"]
            if not (left - 1 <= x <= right + 1 and top - 1 <= y <= bottom + 1):
                continue
            if known["a"] in time.paths:
                pieces = re.findall("[ML][^ML]+", match[1])
                kept = pieces[: 1 + round(share * (len(pieces) - 1))] if len(pieces) > 2 else pieces
                return match[0].replace(match[1], "".join(kept))
            if (known["x"], left, right) in spans and match[1].count("L") > 1:
                clips[known["a"]] = (
                    f'<rect x="{left}" y="{top}" width="{share * (right - left):.2f}" height="{bottom - top}"/>'
                )
                return match[0].replace('">', f'" clip-path="url(#ck-until-{known["a"]})">', 1)
        return match[0]

    cut_svg = _GROUP.sub(cut, svg)
    holes = "".join(f'<clipPath id="ck-until-{number}">{hole}</clipPath>' for number, hole in clips.items())
    return cut_svg.replace("</svg>", f"<defs>{holes}</defs></svg>")
