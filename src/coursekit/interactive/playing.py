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
from dataclasses import dataclass

from ..errors import DTypeError

__all__ = ["Time", "until"]


@dataclass(frozen=True)
class Time:
    """A time axis of an explorer: play, pause, one step, any step.

    Attributes
    ----------
    unit : what is counted, "step" or "epoch": the axes of the picture whose x-axis begins with this word are uncovered
        from left to right, and those above them with the same x-axis
    paths : numbers of axes in which a path is walked, one vertex a step
    over : the control that is played through instead

    >>> Time("step", paths=(0,)).spec()
    {'unit': 'step', 'paths': [0], 'over': ''}
    """

    unit: str
    paths: tuple[int, ...] = ()
    over: str = ""

    def check(self, controls: dict) -> None:
        """Complain if it plays a control that is not there, or one without an order."""
        if self.over and (self.over not in controls or not controls[self.over].ordered):
            known = ", ".join(name for name, control in controls.items() if control.ordered) or "none"
            raise DTypeError(f"time plays over {self.over!r}, but must play over a control of rising numbers: {known}")

    def spec(self) -> dict:
        """It as plain data for the page's script."""
        return {"unit": self.unit, "paths": list(self.paths), "over": self.over}


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
