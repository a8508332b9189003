"""The engine: everything that is not a front end."""

__version__ = "0.1.0"
