"""Fits the weights of search, evidence and confidence on training questions: `python -m eval fit`.

Goes in: a library that holds the training papers, embedded by the encoder that has seen none of the
papers used here (`eval/held_out/`), as it will have seen none of a user's. Comes out: weights to be
written into the modules of `assistant/` that each section names, with figures on the questions they were
fitted on and cross-validated by paper. The papers are those that the fixed question set asks about:
encoder, reader and matcher were trained on the others. The fixed questions stay unseen.
"""

from eval.fitting.all import fit_all

__all__ = ["fit_all"]
