"""Minimal edits of supported sentences, by rule and by hand, and what judges and trains the check with them."""
