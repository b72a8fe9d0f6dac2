"""What runs behind an explorer: the call for a setting, and the source of the experiment.

In a page both stand in a folded panel under the picture; `static/code.js` keeps the call in step with the controls, and
`static/ck/cells.mjs` opens a copy that can be edited and run. In a notebook the call follows the widgets.
"""

from __future__ import annotations

import ast
import html
import inspect
import json
import textwrap

__all__ = ["call", "code_html", "editable", "runs", "source"]

EXPERIMENTS = "coursekit.experiments."
PLOTTING = "coursekit.plotting."


def call(explorer, **settings) -> str:
    """The code that gives `results` and the picture for these settings; those left out have their default.

    >>> from coursekit.explorers import initialization
    >>> print(call(initialization.signal, std=0.1))
    from coursekit.experiments import initialization as experiment
    from coursekit.plotting import initialization as plot
    <BLANKLINE>
    results = experiment.signal(activation='tanh', std=0.1)
    plot.signal(results)
    """
    head, before, after = _parts(explorer)
    given = ", ".join(f"{name}={value!r}" for name, value in explorer.settings(**settings).items())
    return f"{head}{before}{given}{after}"


def runs(explorer) -> bool:
    """Whether the explorer draws what a function of the experiments gives, so that its call can be shown anywhere."""
    return _of(explorer.compute, EXPERIMENTS) is not None


def _parts(explorer):
    """The call in three parts: what stands before the settings on lines of its own, on their line, and behind them."""
    experiment, plot = _of(explorer.compute, EXPERIMENTS), _of(explorer.draw, PLOTTING)
    if experiment and plot:
        module, name = experiment
        drawn, picture = plot
        head = f"from coursekit.experiments import {module} as experiment\n"
        head += f"from coursekit.plotting import {drawn} as plot\n\n"
        return head, f"results = experiment.{name}(", f")\nplot.{picture}(results)"
    module, _, name = explorer.address.partition(":")
    package, _, last = module.rpartition(".")
    head = f"from {package} import {last} as explore\n\n" if name else ""
    return head, f"explore.{name}(", ")"


def _of(function, package):
    """(module, name) of a function that a module of the package holds, or None."""
    module, name = getattr(function, "__module__", ""), getattr(function, "__name__", "")
    if function is None or not module.startswith(package) or name.startswith("_"):
        return None
    return module.removeprefix(package), name


def source(explorer) -> str:
    """The source of what computes, as the package has it."""
    return textwrap.dedent(inspect.getsource(inspect.unwrap(explorer.compute))).rstrip()


def editable(explorer) -> str:
    """A line that imports what the source uses from its module, and the source: it runs where it is put."""
    function, text = inspect.unwrap(explorer.compute), source(explorer)
    tree = ast.parse(text)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names = sorted(name for name in used & set(function.__globals__) if name != function.__name__)
    return (f"from {function.__module__} import {', '.join(names)}\n\n\n" if names else "") + text


def reference(explorer) -> str | None:
    """The page of the reference on the experiment, seen from a chapter; None for one that has no page.

    A function of the explorers that calls an experiment leads to that.
    """
    experiment = _of(explorer.compute, EXPERIMENTS) or _called(explorer)
    if not experiment:
        return None
    module, name = experiment
    return f"../reference/{EXPERIMENTS}{module}.html#{EXPERIMENTS}{module}.{name}"


def _called(explorer):
    names = inspect.unwrap(explorer.compute).__globals__
    for node in ast.walk(ast.parse(source(explorer))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found = _of(getattr(names.get(node.value.id), node.attr, None), EXPERIMENTS)
            if found:
                return found
    return None


def code_html(explorer, cells: bool = False) -> str:
    """The folded panel of a page of the book. With `cells` the page can run Python."""
    head, before, after = _parts(explorer)
    given = ", ".join(
        f'{name}=<span class="ck-given" data-control="{name}" data-literals="'
        f'{html.escape(json.dumps([repr(value) for value in control.values]))}">{html.escape(repr(control.default))}'
        "</span>"
        for name, control in explorer.controls.items()
    )
    where = reference(explorer)
    link = f' <a href="{where}">Its page in the reference</a>.' if where else ""
    edit = '<button type="button" data-do="code">Edit and run a copy</button>' if cells else ""
    told = "The experiment; what the call leaves out has the value that stands here."
    return (
        '<details class="ck-code"><summary>Code</summary>'
        f'<pre class="ck-call" tabindex="0" aria-label="The call for this setting">{html.escape(head + before)}{given}'
        f"{html.escape(after)}</pre>"
        f"<p>{told}{link} {edit}</p>"
        f'<pre class="ck-source" tabindex="0" aria-label="Source of the experiment">{html.escape(editable(explorer))}'
        "</pre></details>"
    )
