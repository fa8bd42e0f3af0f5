"""Run Python functions on Globus Compute endpoints."""

__version__ = "0.1.0"
