"""Data sets: real, small and shipped with the package; none of these functions touches the network by itself.

| function | what | full=True |
|---|---|---|
| `mnist()` | handwritten digits, 28x28 | 70,000 images |
| `fashion_mnist()` | clothes, 28x28 | 70,000 images |
| `digits()` | handwritten digits, 8x8 | |
| `emoji()` | small colour pictures, four kinds | |
| `photos()` | five photographs | |
| `shakespeare()` | plays | all works |
| `names()` | first names and surnames | |
| `korean_constitution()`, `korean_nouns()` | Korean text and words | |
| `series(name)` | time series: sunspots, CO2, weather, ... | |
| `tables(name)` | tables: iris, wine, penguins, ... | |
| `spirals(rng)`, `moons(rng)` | points in the plane, drawn from a generator | |

`full=True` gives the full set. It is looked for in the cache folder, the environment variable COURSEKIT_CACHE or
~/.cache/coursekit, and downloaded into it if it is not there: once, checked by sha256, resumed after an interruption.
Downloads need `pip install "coursekit[data]"`.

Sources and licences are in each docstring and in LICENSES-DATA.md.
"""

from ._files import fetch_from
from ._full import cache_folder
from ._images import Dataset, digits, emoji, fashion_mnist, mnist, photos
from ._tables import Series, Table, series, tables
from ._text import korean_constitution, korean_nouns, names, shakespeare
from ._toys import moons, spirals

__all__ = [
    "Dataset",
    "Series",
    "Table",
    "cache_folder",
    "digits",
    "emoji",
    "fashion_mnist",
    "fetch_from",
    "korean_constitution",
    "korean_nouns",
    "mnist",
    "moons",
    "names",
    "photos",
    "series",
    "shakespeare",
    "spirals",
    "tables",
]
