"""GPR: turn any catalogue into an open-ended recommender, driven from a browser."""

__version__ = "0.1.0"
