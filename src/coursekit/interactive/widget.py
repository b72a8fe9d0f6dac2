"""Explorers and predictions as ipywidgets, for Jupyter, Colab, VS Code and JupyterLite.

The front end holds back slider messages until the last one has been answered and then sends the newest value only, so
the picture never lags behind by more than one drawing.
"""

from __future__ import annotations

import random
import uuid
from types import SimpleNamespace

from ..errors import CourseError
from .closer import Closer, closer
from .code import call, runs
from .controls import Choice, LogSlider, Seed
from .core import Explorer, complaint, escape
from .numbers_typed import readings
from .playing import Run, until
from .points import Points
from .reading import axes_of, titled, values

__all__ = ["explorer_widget", "mixed", "prediction_widget", "view"]

_LAYOUT = {"width": "min(100%, 30rem)"}
_STYLE = {"description_width": "9rem"}


def _ipywidgets():
    try:
        import ipywidgets
    except ModuleNotFoundError:
        raise CourseError("sliders in a notebook need ipywidgets; install it: pip install ipywidgets") from None
    return ipywidgets


def view(widget) -> dict:
    """The mime bundle of a widget."""
    bundle = widget._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    return {kind: data for kind, data in bundle.items() if kind.startswith("application/")}


def explorer_widget(explorer: Explorer):
    """Sliders over a picture; an error is shown as one sentence and the last picture stays."""
    w = _ipywidgets()
    controls = {name: _control(w, name, control) for name, control in explorer.controls.items()}
    picture, problem, code = w.HTML(), w.HTML(), w.HTML()
    player, reached = _player(w, explorer, controls)
    train, run = _training(w, explorer)
    look, looks = _looks(w, explorer)
    reader, read = _reader(w)
    reset = w.Button(description="Reset", tooltip="Back to the first settings", layout={"width": "6rem"})
    busy = False
    shown = SimpleNamespace(svg="", alt="")

    def show(change=None):
        if busy:
            return
        settings = {name: control.value for name, control in controls.items()}
        try:
            code.value = f"<pre>{escape(call(explorer, **settings))}</pre>"
            drawn = run.picture() if run and run.takes(settings) else explorer.picture(**settings)
        except Exception as error:  # whatever an experiment raises, the reader is told and can go on
            problem.value = f'<p role="alert" style="color:#b3261e">{escape(complaint(error))}</p>'
            return
        problem.value = ""
        shown.svg, shown.alt = drawn.svg, drawn.alt
        put()

    def put(change=None):
        svg = until(shown.svg, explorer.time, reached.value / 100) if reached and reached.value < 100 else shown.svg
        read(svg)
        svg = titled(svg)
        if small := look and look.at(controls[look.by].value if look.by else None):
            svg = closer(svg, small, looks.value, f"ck-closer-{id(looks)}")
        picture.value = (
            f'<figure style="margin:0;padding:4px;max-width:44rem;background:#fff;color:#1a1c1e">'
            f'<div role="img" aria-label="{escape(shown.alt)}">{_fluid(svg)}</div>'
            f'<figcaption aria-live="polite" style="line-height:1.4">{escape(shown.alt)}</figcaption></figure>'
        )

    def on(change):
        if change["new"] == 0:
            run.drop()
        else:
            run.on({name: control.value for name, control in controls.items()}, explorer.time.training.steps)
        show()

    def back(button):
        nonlocal busy
        busy = True
        if run:
            run.drop()
        try:
            for name, control in controls.items():
                control.value = explorer.controls[name].default
        finally:
            busy = False
        show()

    for control in controls.values():
        control.observe(show, "value")
    if reached:
        reached.observe(put, "value")
    if run:
        train.children[1].observe(on, "value")
    if look:
        looks.observe(put, "value")
    reset.on_click(back)
    show()
    title = [w.HTML(f"<b>{escape(explorer.title)}</b>")] if explorer.title else []
    parts = {"Read values": reader} | ({"Code": code} if runs(explorer) else {})
    folded = [w.Accordion(children=[part], titles=(name,), selected_index=None) for name, part in parts.items()]
    more = [part for part in (train, looks) if part is not None]
    return w.VBox([*title, *controls.values(), *player, *more, reset, problem, picture, *folded])


def _player(w, explorer, controls):
    """Play buttons, and the slider of the time in hundredths; that is None where they play a control through."""
    time = explorer.time
    if time is None:
        return [], None
    play = w.Play(min=0, max=100, step=2, value=100, interval=150, show_repeat=False)
    if not time.over:
        reached = w.IntSlider(100, 0, 100, description=f"{time.unit}, % of all", layout=_LAYOUT, style=_STYLE)
        w.jslink((play, "value"), (reached, "value"))
        return [w.HBox([play, reached])], reached
    values = explorer.controls[time.over].values
    play.max, play.step, play.interval, play.value = len(values) - 1, 1, 400, values.index(controls[time.over].value)
    play.observe(lambda change: setattr(controls[time.over], "value", values[change["new"]]), "value")
    return [play], None


def _training(w, explorer):
    """A button that lets a training go on, a few steps a picture, and the run; None where there is no training."""
    if explorer.time is None or explorer.time.training is None:
        return None, None
    play = w.Play(min=0, max=100_000, value=0, interval=300, show_repeat=False, description="Train on")
    return w.HBox([w.HTML("Train on"), play]), Run(explorer)


def _looks(w, explorer):
    """A list of the small maps that can be shown large."""
    look = next((handle for handle in explorer.handles if isinstance(handle, Closer)), None)
    if look is None:
        return None, None
    count = max(rows * columns for rows, columns, _ in look.grids())
    options = [("the whole picture", 0), *((f"{look.label} {k}", k) for k in range(1, count + 1))]
    return look, w.Dropdown(options=options, value=0, description="look at", layout=_LAYOUT, style=_STYLE)


def _reader(w):
    """Two sliders that go through a panel of the picture, the values there in words, and what gives it a picture."""
    panel = w.Dropdown(description="panel", layout=_LAYOUT, style=_STYLE)
    across = w.IntSlider(50, 0, 100, description="across, %", layout=_LAYOUT, style=_STYLE)
    up = w.IntSlider(50, 0, 100, description="up, %", layout=_LAYOUT, style=_STYLE)
    told = w.HTML()
    shown = SimpleNamespace(svg="", titles=None)

    def say(change=None):
        if panel.value is not None:
            place, *lines = values(shown.svg, panel.value, across.value / 100, up.value / 100)
            rows = "".join(f"<li>{escape(line)}</li>" for line in lines)
            told.value = f'<div aria-live="polite"><b>{escape(place)}</b><ul>{rows}</ul></div>'

    def read(svg):
        shown.svg = svg
        titles = [axes.title for axes in axes_of(svg)]
        if titles != shown.titles:
            chosen = panel.value if panel.value is not None and panel.value < len(titles) else (0 if titles else None)
            shown.titles, panel.options = titles, [(title, k) for k, title in enumerate(titles)]
            panel.value = chosen
        say()

    for one in (panel, across, up):
        one.observe(say, "value")
    return w.VBox([panel, across, up, told]), read


def _control(w, name, control):
    unit = f" ({control.unit})" if control.unit else ""
    shared = {
        "description": (control.label or name.replace("_", " ")) + unit,
        "layout": _LAYOUT,
        "style": _STYLE,
        "value": control.default,
    }
    if isinstance(control, Points):
        kinds = ", ".join(f"{k} {name}" for k, name in enumerate(control.classes))
        return w.Text(**shared, continuous_update=False, placeholder=f"(x, y, class); {kinds}")
    if isinstance(control, Choice) and control.ordered:
        return w.SelectionSlider(options=[(control.text(option), option) for option in control.values], **shared)
    if isinstance(control, Choice):
        return w.Dropdown(options=[(str(option), option) for option in control.values], **shared)
    if isinstance(control, Seed):
        return w.BoundedIntText(min=control.low, max=control.high, **shared)
    if control._whole():
        return w.IntSlider(min=int(control.low), max=int(control.high), continuous_update=True, **shared)
    span = {"continuous_update": True, "readout_format": ".3g"}
    stops = (len(control.values) - 1) * control.between
    if isinstance(control, LogSlider):
        stops = [control.low * (control.high / control.low) ** (k / stops) for k in range(stops + 1)]
        stops = sorted({float(f"{stop:.3g}") for stop in stops} | set(control.values))
        return w.SelectionSlider(options=[(f"{stop:.3g}", stop) for stop in stops], continuous_update=True, **shared)
    return w.FloatSlider(min=control.low, max=control.high, step=(control.high - control.low) / stops, **span, **shared)


def _fluid(svg):
    return svg.replace("<svg ", '<svg class="ck-svg" ', 1).replace(
        'style="', 'style="max-width:100%;height:auto;font-family:sans-serif;', 1
    )


def prediction_widget(prediction):
    """A question, a place to answer, and what is revealed after that."""
    w = _ipywidgets()
    question = w.HTML(f"<b>{prediction.tag}:</b> {escape(prediction.question)}{prediction.picture()}")
    commit = w.Button(description=prediction.button, button_style="primary")
    reply, shown = w.HTML(), w.VBox([])
    if prediction.is_curve:
        return _sketch_widget(w, prediction, question, commit, reply, shown)
    field, given = _FIELDS[prediction.kind.kind](w, prediction)
    commit.disabled = prediction.is_choice
    if prediction.is_choice:
        field.observe(lambda change: setattr(commit, "disabled", field.value is None), "value")

    def reveal(button):
        answer = given()
        if answer is None:
            reply.value = '<div role="status"><p>Please give an answer first.</p></div>'
            return
        commit.disabled = True
        for one in (field, *getattr(field, "children", ())):
            one.disabled = True
        reply.value = f'<div role="status">{prediction.reply(answer)}</div>'
        if prediction.then is not None:
            shown.children = [_shown(w, prediction.then)]

    commit.on_click(reveal)
    return w.VBox([question, field, commit, reply, shown])


def mixed(name: str, count: int) -> list[int]:
    """The order of the options on this machine, the same each time: nothing can be learnt from a place."""
    places = list(range(count))
    random.Random(f"{uuid.getnode()}:{name}").shuffle(places)
    return places


def _choice_field(w, prediction):
    texts = prediction.texts
    options = [(texts[index], index) for index in mixed(prediction.name, len(texts))]
    field = w.RadioButtons(options=options, value=None, layout={"width": "auto"})
    return field, lambda: field.value


def _line_field(w, prediction):
    options = [(f"{number}  {text}", number - 1) for number, text in enumerate(prediction.kind.code, 1)]
    field = w.RadioButtons(options=options, value=None, layout={"width": "auto"})
    return field, lambda: field.value


def _several_field(w, prediction):
    texts = prediction.texts
    boxes = {
        index: w.Checkbox(description=texts[index], indent=False, layout={"width": "auto"})
        for index in mixed(prediction.name, len(texts))
    }

    def given():
        return sorted(index for index, box in boxes.items() if box.value) or None

    return w.VBox(list(boxes.values())), given


def _number_field(w, prediction):
    unit = f" ({prediction.kind.unit})" if prediction.kind.unit else ""
    field = w.Text(description="Your number" + unit, style=_STYLE, placeholder="0.5, 1/2, 50 %, ln 10, 3e-4")

    def given():
        text = field.value.strip().removesuffix("%") if prediction.kind.unit == "%" else field.value
        found = readings(text)
        return next((number for number in found if prediction.kind.is_right(number)), found[0] if found else None)

    return field, given


def _order_field(w, prediction):
    items = prediction.kind.items
    places = {
        index: w.Dropdown(
            description=items[index],
            options=[("place", None), *((str(place), place) for place in range(1, len(items) + 1))],
            layout={"width": "auto"},
            style={"description_width": "auto"},
        )
        for index in mixed(prediction.name, len(items))
    }

    def given():
        taken = {index: box.value for index, box in places.items()}
        if sorted(filter(None, taken.values())) != list(range(1, len(items) + 1)):
            return None
        return sorted(taken, key=taken.get)

    return w.VBox(list(places.values())), given


_FIELDS = {
    "choice": _choice_field,
    "line": _line_field,
    "several": _several_field,
    "number": _number_field,
    "order": _order_field,
}


def _sketch_widget(w, prediction, question, commit, reply, shown):
    """Upright sliders under the axes; the reader's line follows them, and the run's is laid over it."""
    curve = prediction.answer
    picture = w.HTML()
    sliders = [
        w.IntSlider(50, 0, 100, orientation="vertical", readout=False, layout={"width": "44px", "height": "120px"})
        for _ in range(curve.count)
    ]

    def draw(change=None, truth=""):
        lines = curve.axes().replace('class="ck-rule"', 'stroke="#dcdfe4"')
        drawn = curve.points([slider.value for slider in sliders])
        for name, points, colour in (("drawn", drawn, "#0b66b0"), ("truth", truth, "#cf520c")):
            style = f'fill="none" stroke="{colour}" stroke-width="2.5"'
            lines = lines.replace(f'<polyline class="ck-{name}"', f'<polyline points="{points}" {style}')
            lines = lines.replace(f'class="ck-{name}"', style)
        picture.value = lines.replace("<svg ", '<svg style="max-width:480px;font:12px sans-serif" fill="#5d646f" ', 1)

    def reveal(button):
        commit.disabled = True
        for slider in sliders:
            slider.disabled = True
        draw(truth=curve.points())
        reply.value = f'<div role="status">{prediction.reply([slider.value for slider in sliders])}</div>'
        if prediction.then is not None:
            shown.children = [_shown(w, prediction.then)]

    for slider in sliders:
        slider.observe(draw, "value")
    commit.on_click(reveal)
    draw()
    return w.VBox([question, picture, w.HBox(sliders), commit, reply, shown])


def _shown(w, thing):
    if isinstance(thing, Explorer):
        return explorer_widget(thing)
    from ..plotting._svg import figure_html

    return w.HTML(figure_html(thing, getattr(thing, "alt", "")))
