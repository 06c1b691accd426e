"""Measures speed, memory and growth, as ratios to what the bare model takes: `python -m eval bench`."""
