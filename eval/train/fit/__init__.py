"""Fits the numbers of search, evidence, verdict and check on training questions: `python -m eval fit`.

Goes in: a library that holds the training papers, embedded by the encoder that has seen none of the
papers used here (`eval/held_out/`), as it will have seen none of a user's. Comes out: sections of `assistant/fitted.json`, with
figures on the questions they were fitted on, cross-validated by paper. The papers are those that the fixed question set asks about:
encoder, reader and matcher were trained on the others. The fixed questions stay unseen.
"""

from __future__ import annotations
