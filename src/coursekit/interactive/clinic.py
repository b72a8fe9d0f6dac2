"""The clinic: recorded runs to diagnose, mixed, and coming back after growing intervals.

In the book the script `static/clinic.js` asks; what the reader knows stays in the browser (localStorage). In a
notebook the same questions are asked by widgets, for as long as the kernel lives.

The order is that of Leitner's boxes. A case that was answered wrongly comes back after three others. One that was
answered rightly comes back after a day, then after 3, 7, 21 and 60. Among the cases that could be asked, one with
another cause than the last is taken.
"""

from __future__ import annotations

import base64
import json
import os

from ..errors import DataError
from .core import escape

__all__ = ["DAYS", "RETRY", "Clinic"]

DAYS = (1, 3, 7, 21, 60)
RETRY = 3


class Clinic:
    """Questions beside an explorer with one control, `case`, counted from 1; show it at the end of a cell.

    Parameters
    ----------
    name : what the progress is kept under
    explorer : draws a case
    questions : one dict a case: `cause`, `told` (what was done), `options` and `answer` (an index)
    signs : cause -> how it looks
    remedies : cause -> what to do

    Raises
    ------
    DataError
        If the explorer's cases and the questions do not match.
    """

    def __init__(self, name: str, explorer, questions: list[dict], signs: dict[str, str], remedies: dict[str, str]):
        control = explorer.controls.get("case")
        if control is None or list(control.values) != list(range(1, len(questions) + 1)):
            raise DataError(f"the clinic {name!r} has {len(questions)} questions; its explorer's cases must be as many")
        for number, row in enumerate(questions, 1):
            if row["options"][row["answer"]] != row["cause"]:
                raise DataError(f"case {number} of the clinic {name!r}: its answer is not its cause")
            missing = [cause for cause in row["options"] if cause not in signs or cause not in remedies]
            if missing:
                raise DataError(f"case {number} of the clinic {name!r}: no sign or remedy for {missing[0]!r}")
        self.name, self.explorer, self.questions = name, explorer, questions
        self.signs, self.remedies = signs, remedies

    def reply(self, number: int, given: int) -> str:
        """What the reader is told who gave option `given` to case `number`; the page's script says the same."""
        row = self.questions[number - 1]
        cause, chosen = row["cause"], row["options"][given]
        truth = f"{row['told']}. The sign: {self.signs[cause]}. What to do: {self.remedies[cause]}."
        if chosen == cause:
            return f"Right. {truth}"
        return f"Not quite. With \u201c{chosen}\u201d {self.signs[chosen]}. Here it is \u201c{cause}\u201d: {truth}"

    def html(self) -> str:
        """The clinic as HTML; the answers are in it, but not in plain sight."""
        from .html import explorer_html

        secret = {
            "days": DAYS,
            "retry": RETRY,
            "signs": self.signs,
            "remedies": self.remedies,
            "cases": self.questions,
        }
        hidden = base64.b64encode(json.dumps(secret).encode()).decode()
        return (
            f'<div class="ck-clinic" id="ck-clinic-{self.name}" data-name="{self.name}" data-secret="{hidden}">'
            f"{explorer_html(self.explorer)}"
            '<form class="ck-clinic-ask" hidden><fieldset><legend><span class="ck-tag">Diagnose</span> '
            "What is the matter with this run?</legend>"
            '<div class="ck-clinic-options"></div></fieldset>'
            '<p class="ck-actions"><button type="submit" class="ck-main">Check</button></p>'
            '<div class="ck-reply" aria-live="polite"></div></form>'
            '<p class="ck-note ck-clinic-progress" role="status"></p>'
            f"<noscript><p>The {len(self.questions)} cases need JavaScript, which is off in this browser. "
            "In the notebook of this chapter they are asked by Python.</p></noscript></div>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/html": self.html(), "text/plain": f"Clinic of {len(self.questions)} recorded runs"}
        if not os.environ.get("COURSEKIT_BOOK"):
            from .widget import view

            bundle.update(view(self.widget()))
        return bundle

    def widget(self):
        """The clinic for a notebook: picture, four options, Check, Next."""
        from .widget import _fluid, _ipywidgets, mixed

        w = _ipywidgets()
        picture, reply, progress = w.HTML(), w.HTML(), w.HTML()
        field = w.RadioButtons(options=[], layout={"width": "auto"})
        check, following = w.Button(description="Check", button_style="primary"), w.Button(description="Next case")
        queue, done = Queue([row["cause"] for row in self.questions]), []

        def ask(button=None):
            number = queue.next()
            if number is None:
                progress.value = "<b>All cases are solved.</b> Run the cell again to start afresh."
                following.disabled = True
                return
            row = self.questions[number - 1]
            drawn = self.explorer.picture(case=number)
            picture.value = (
                f'<div role="img" aria-label="{escape(drawn.alt)}" style="max-width:44rem;background:#fff">'
                f"{_fluid(drawn.svg)}</div><p>{escape(drawn.alt)}</p>"
            )
            options = row["options"]
            field.options = [(options[index], index) for index in mixed(f"{self.name}-{number}", len(options))]
            field.value, field.disabled, check.disabled, following.disabled = None, False, True, True
            reply.value = ""
            progress.value = f"Case {number}. {len(set(done))} of {len(self.questions)} solved."

        def answer(button):
            number = queue.shown
            row = self.questions[number - 1]
            right = field.value == row["answer"]
            queue.answered(right)
            if right:
                done.append(number)
            reply.value = f'<div role="status">{escape(self.reply(number, field.value))}</div>'
            field.disabled, check.disabled, following.disabled = True, True, False

        field.observe(lambda change: setattr(check, "disabled", field.value is None or field.disabled), "value")
        check.on_click(answer)
        following.on_click(ask)
        ask()
        return w.VBox(
            [picture, w.HTML("<b>What is the matter with this run?</b>"), field, check, reply, following, progress]
        )


class Queue:
    """Which case comes next within one sitting: wrong ones return after `RETRY` others, causes alternate.

    >>> queue = Queue(["a", "a", "b"])
    >>> queue.next()
    1
    >>> queue.answered(True)
    >>> queue.next()  # not 2: it has the same cause as 1
    3
    """

    def __init__(self, causes: list[str]):
        self.causes, self.count = causes, 0
        self.shown: int | None = None
        self.fresh = list(range(1, len(causes) + 1))
        self.again: dict[int, int] = {}  # case -> not before this count

    def next(self) -> int | None:
        """The next case, or None when all are solved."""
        ready = [case for case, after in self.again.items() if after <= self.count]
        waiting = sorted(self.again, key=self.again.__getitem__)
        for group in (ready, self.fresh, waiting):
            if group:
                last = self.causes[self.shown - 1] if self.shown else None
                others = [case for case in group if self.causes[case - 1] != last]
                self.shown = (others or group)[0]
                return self.shown
        return None

    def answered(self, right: bool) -> None:
        """Note the answer to the case that was shown."""
        self.count += 1
        if self.shown is None:
            return
        if self.shown in self.fresh:
            self.fresh.remove(self.shown)
        self.again.pop(self.shown, None)
        if not right:
            self.again[self.shown] = self.count + RETRY
