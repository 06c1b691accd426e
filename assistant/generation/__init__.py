"""Answers made of evidence: one generator quotes, one asks an LLM. Both make a `Draft` from a `Request`."""
