"""Time series and tables of measurements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import _files


@dataclass(frozen=True, eq=False)
class Series:
    """Measurements in the order of time.

    Attributes
    ----------
    time : (T,) datetime64 of months, days or years
    values : (T,) float32; (T, K) where several quantities were measured
    unit : the unit, one a column where there are several
    name, source : what it is and where it is from
    """

    time: np.ndarray
    values: np.ndarray
    unit: str | tuple[str, ...]
    name: str
    source: str

    def __repr__(self):
        return f"Series({self.name!r}: values {self.values.shape} {self.unit}, {self.time[0]} to {self.time[-1]})"


@dataclass(frozen=True, eq=False)
class Table:
    """A table: one row a specimen.

    Attributes
    ----------
    x : (N, D) float32 measurements
    y : (N,) int64 class numbers; float32 for diabetes, whose target is a quantity
    features : the name of each column of x, with unit
    classes : the name of each class; empty where y is a quantity
    name, source : what it is and where it is from
    """

    x: np.ndarray
    y: np.ndarray
    features: tuple[str, ...]
    classes: tuple[str, ...]
    name: str
    source: str

    def __repr__(self):
        target = f"{len(self.classes)} classes" if self.classes else "y a quantity"
        return f"Table({self.name!r}: x {self.x.shape}, {target})"


_STATSMODELS = "public domain; the copy of statsmodels 0.15.0"
_WEATHER = ("maximum °C", "minimum °C", "precipitation mm", "wind m/s")
_SERIES = {
    "sunspots": ("Wolf number, mean of the month", _STATSMODELS),
    "sunspots_year": ("Wolf number, mean of the year", _STATSMODELS),
    "co2": ("ppm", "Scripps CO2 Program, Mauna Loa, CC BY 4.0"),
    "airline": ("thousand passengers", "Box and Jenkins 1976; the copy of aeon 1.6.0"),
    "temperature": ("°C above the mean of 1951-1980", "NASA GISS, US government"),
    "seattle": (_WEATHER, "NOAA, US government"),
    "nile": ("10^8 m^3, annual flow at Aswan", _STATSMODELS),
}


def series(name: str) -> Series:
    """A measured time series: sunspots, sunspots_year, co2, airline, temperature, seattle, nile.

    | name | what | T |
    |---|---|---|
    | sunspots | monthly sunspot number from 1749 | 3120 |
    | sunspots_year | yearly sunspot number from 1700 | 309 |
    | co2 | monthly CO2 in the air over Mauna Loa from 1958 | 741 |
    | airline | international airline passengers a month, 1949 to 1960 | 144 |
    | temperature | global surface temperature a year from 1880 | 144 |
    | seattle | daily weather, 4 columns, 2012 to 2015 | 1461 |
    | nile | flow of the Nile a year, 1871 to 1970 | 100 |

    Sources and licences are in the result's `source` and in LICENSES-DATA.md.

    Raises
    ------
    DataError
        If there is no such series.

    >>> co2 = series("co2")
    >>> co2
    Series('co2': values (741,) ppm, 1958-03 to 2020-04)
    >>> co2.values[:3]
    array([315.7 , 317.46, 317.51], dtype=float32)
    """
    unit, source = _SERIES[_files.choose("series", name, _SERIES)]
    a = _files.read_npz("series.npz")
    if name == "sunspots":
        start = np.datetime64(str(a["sunspots_month_start"]).strip(), "M")
        time, values = start + np.arange(len(a["sunspots_month"])), a["sunspots_month"]
    elif name == "co2":
        time, values = a["co2_month"].astype("datetime64[M]"), a["co2_ppm"]
    elif name == "airline":
        time, values = a["airline_month"].astype("datetime64[M]"), a["airline_passengers"]
    elif name == "seattle":
        time, values = a["seattle_date"].astype("datetime64[D]"), a["seattle"]
    else:
        years, values = a["global_temp" if name == "temperature" else name].T
        time, values = np.array([str(int(year)) for year in years], "datetime64[Y]"), np.ascontiguousarray(values)
    return Series(time, values, unit, name, source)


_BREAST = tuple(
    f"{kind} {what}"
    for kind in ("mean", "error of", "worst")
    for what in (
        *("radius", "texture", "perimeter", "area", "smoothness"),
        *("compactness", "concavity", "concave points", "symmetry", "fractal dimension"),
    )
)
_TABLES = {
    "iris": (
        tuple(f"{part} {size} (cm)" for part in ("sepal", "petal") for size in ("length", "width")),
        ("setosa", "versicolor", "virginica"),
        "R. A. Fisher 1936, UCI; the copy of scikit-learn (BSD-3)",
    ),
    "wine": (
        (
            *("alcohol", "malic acid", "ash", "alkalinity of ash", "magnesium", "total phenols", "flavanoids"),
            *("nonflavanoid phenols", "proanthocyanins", "colour intensity", "hue", "OD280/OD315", "proline"),
        ),
        ("cultivar 0", "cultivar 1", "cultivar 2"),
        "M. Forina et al. 1988, UCI; the copy of scikit-learn (BSD-3)",
    ),
    "breast": (
        _BREAST,
        ("malignant", "benign"),
        "W. H. Wolberg et al. 1995, breast cancer Wisconsin (diagnostic), UCI; the copy of scikit-learn (BSD-3)",
    ),
    "diabetes": (
        (
            *("age (years)", "sex", "body mass index (kg/m^2)", "blood pressure", "total cholesterol"),
            *("LDL", "HDL", "total cholesterol / HDL", "log triglycerides", "glucose"),
        ),
        (),
        "B. Efron et al. 2004; the copy of scikit-learn (BSD-3); y is the disease's progression after a year",
    ),
    "penguins": (
        ("bill length (mm)", "bill depth (mm)", "flipper length (mm)", "body mass (g)"),
        ("Adelie", "Chinstrap", "Gentoo"),
        "K. Gorman, Palmer Station LTER, CC0; rows with missing values dropped",
    ),
}


def tables(name: str) -> Table:
    """A table of measurements: iris, wine, breast, diabetes, penguins.

    | name | N, D | y |
    |---|---|---|
    | iris | 150, 4 | 3 species of iris |
    | wine | 178, 13 | 3 cultivars of one region |
    | breast | 569, 30 | tumour malignant (0) or benign (1) |
    | diabetes | 442, 10 | progression of the disease, a quantity |
    | penguins | 342, 4 | 3 species of penguin |

    Columns are as measured, neither centred nor scaled. Rows of iris, wine and penguins are sorted by class: shuffle
    before you split. Sources and licences are in the result's `source` and in LICENSES-DATA.md.

    Raises
    ------
    DataError
        If there is no such table.

    >>> penguins = tables("penguins")
    >>> penguins
    Table('penguins': x (342, 4), 3 classes)
    >>> penguins.features[3], penguins.x[0, 3]
    ('body mass (g)', np.float32(3750.0))
    """
    features, classes, source = _TABLES[_files.choose("table", name, _TABLES)]
    a = _files.read_npz("tabular.npz")
    y = a[f"{name}_y"]
    return Table(a[f"{name}_x"], y.astype(np.int64) if classes else y, features, classes, name, source)
