"""Drawing: results in, Matplotlib figure out. Nothing is computed here. One module a chapter."""
