"""`python -m coursekit.experiments.recipes [NAME ...]`: train the shipped weights again (without a name: all)."""

import sys

from ...data.weights import record
from . import RECIPES, make

if any(argument.startswith("-") for argument in sys.argv[1:]):
    sys.exit(f"{__doc__}\nThe names are: {', '.join(RECIPES)}")
for name in sys.argv[1:] or list(RECIPES):
    print(f"{name} ...", flush=True)
    path = make(name)
    print(f"    {path} ({path.stat().st_size:,} bytes): {record(name)}", flush=True)
