"""Interactive figures and predictions: declared once, shown in a notebook, in the HTML book, and live in the page.

The modules of the chapters (`coursekit.explorers.initialization`, ...) hold declarations only. What they compute is in
`coursekit.experiments`, how it is drawn in `coursekit.plotting`.
"""

from .controls import Choice, LogSlider, Slider
from .core import Explorer, explorer
from .predict import predict

__all__ = ["Choice", "Explorer", "LogSlider", "Slider", "explorer", "predict"]
