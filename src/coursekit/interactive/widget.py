"""Explorers and predictions as ipywidgets, for Jupyter, Colab, VS Code and JupyterLite.

The front end holds back slider messages until the last one has been answered and then sends the newest value only, so
the picture never lags behind by more than one drawing.
"""

from __future__ import annotations

from ..errors import CourseError
from .controls import Choice, LogSlider
from .core import Explorer, complaint, escape

__all__ = ["explorer_widget", "prediction_widget", "view"]

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
    picture, problem = w.HTML(), w.HTML()
    reset = w.Button(description="Reset", tooltip="Back to the first settings", layout={"width": "6rem"})
    busy = False

    def show(change=None):
        if busy:
            return
        try:
            drawn = explorer.picture(**{name: control.value for name, control in controls.items()})
        except Exception as error:  # whatever an experiment raises, the reader is told and can go on
            problem.value = f'<p role="alert" style="color:#b3261e">{escape(complaint(error))}</p>'
            return
        problem.value = ""
        picture.value = (
            f'<figure style="margin:0;padding:4px;max-width:44rem;background:#fff;color:#1a1c1e">'
            f'<div role="img" aria-label="{escape(drawn.alt)}">{_fluid(drawn.svg)}</div>'
            f'<figcaption aria-live="polite" style="line-height:1.4">{escape(drawn.alt)}</figcaption></figure>'
        )

    def back(button):
        nonlocal busy
        busy = True
        try:
            for name, control in controls.items():
                control.value = explorer.controls[name].default
        finally:
            busy = False
        show()

    for control in controls.values():
        control.observe(show, "value")
    reset.on_click(back)
    show()
    title = [w.HTML(f"<b>{escape(explorer.title)}</b>")] if explorer.title else []
    return w.VBox([*title, *controls.values(), reset, problem, picture])


def _control(w, name, control):
    unit = f" ({control.unit})" if control.unit else ""
    shared = {
        "description": (control.label or name.replace("_", " ")) + unit,
        "layout": _LAYOUT,
        "style": _STYLE,
        "value": control.default,
    }
    if isinstance(control, Choice):
        return w.Dropdown(options=[(str(option), option) for option in control.values], **shared)
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
    question = w.HTML(f"<b>{prediction.tag}:</b> {escape(prediction.question)}")
    commit = w.Button(description=prediction.button, button_style="primary", disabled=prediction.is_choice)
    reply, shown = w.HTML(), w.VBox([])
    if prediction.is_choice:
        field = w.RadioButtons(
            options=[(text, index) for index, text in enumerate(prediction.texts)],
            value=None,
            layout={"width": "auto"},
        )
        field.observe(lambda change: setattr(commit, "disabled", field.value is None), "value")
    elif prediction.is_curve:
        return _sketch_widget(w, prediction, question, commit, reply, shown)
    else:
        unit = f" ({prediction.unit})" if prediction.unit else ""
        field = w.FloatText(description="Your number" + unit, style=_STYLE)

    def reveal(button):
        commit.disabled = field.disabled = True
        reply.value = f'<div role="status">{prediction.reply(field.value)}</div>'
        if prediction.then is not None:
            shown.children = [_shown(w, prediction.then)]

    commit.on_click(reveal)
    return w.VBox([question, field, commit, reply, shown])


def _sketch_widget(w, prediction, question, commit, reply, shown):
    """Upright sliders under the axes; the reader's line follows them, and the run's is laid over it."""
    curve = prediction.answer
    picture = w.HTML()
    sliders = [
        w.IntSlider(50, 0, 100, orientation="vertical", readout=False, layout={"width": "44px", "height": "120px"})
        for _ in curve.stops
    ]

    def draw(change=None, truth=""):
        lines = curve.axes().replace('class="ck-rule"', 'stroke="#dcdfe4"')
        drawn = curve.points([slider.value for slider in sliders])
        for name, points, colour in (("drawn", drawn, "#0b66b0"), ("truth", truth, "#cf520c")):
            style = f'points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"'
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
