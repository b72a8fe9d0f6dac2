"""Interactive figures and predictions: declared once, shown in a notebook, in the HTML book, and live in the page.

The engine. It knows no chapter: what the chapters show is declared in `coursekit.explorers`.
"""

from .controls import Choice, LogSlider, Place, Seed, Slider
from .core import Explorer, explorer
from .handles import Handle
from .playing import Time
from .predict import predict

__all__ = ["Choice", "Explorer", "Handle", "LogSlider", "Place", "Seed", "Slider", "Time", "explorer", "predict"]
