"""Experiments: settings in, arrays out. Seeded, NumPy only, nothing drawn here. One module a chapter."""
