"""What the chapters show to hold in the hand (`coursekit.explorers.initialization`, ...): declarations only.

What they compute is in `coursekit.experiments`, how it is drawn in `coursekit.plotting`, and what makes sliders and
pages of them in `coursekit.interactive`.
"""

from ..interactive import Choice, Explorer, Handle, LogSlider, Place, Seed, Slider, Time, explorer, predict

__all__ = ["Choice", "Explorer", "Handle", "LogSlider", "Place", "Seed", "Slider", "Time", "explorer", "predict"]
