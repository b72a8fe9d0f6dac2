"""coursekit: the reference code, experiments and exercises of the course."""
__version__ = "0.1.0"
