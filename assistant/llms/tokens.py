"""How many tokens a text is for an LLM.

Goes in: an LLM and a text. Comes out: a count, by the tokenizer that the LLM brings, or an
estimate that is rather too high than too low. Nothing is downloaded for it: a tokenizer that an
LLM only knows the name of is not used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

Count = Callable[[str], int]

_WORDS = re.compile(r"[A-Za-z ]+")
_LETTERS_A_TOKEN = 3
"""Fewer than English has for any common tokenizer."""


def counter(llm: object) -> Count:
    """What counts tokens for this LLM."""
    encode = _own(llm)
    return estimate if encode is None else lambda text: len(encode(text))


def estimate(text: str) -> int:
    """At most so many tokens, for tokenizers that split digits and signs and know no script but Latin."""
    letters = sum(len(run) for run in _WORDS.findall(text))
    others = len(text.encode("utf-8", "replace")) - letters
    return -(-letters // _LETTERS_A_TOKEN) + others


def _own(llm: object) -> Callable[[str], Sequence[Any]] | None:
    """The encoder of an LLM that runs in this process, or that was given a tokenizer."""
    private: dict[str, Any] = getattr(llm, "__pydantic_private__", None) or {}
    for tokenizer in (private.get("_tokenizer"), getattr(llm, "tokenizer", None)):
        if encode := getattr(tokenizer, "encode", None):
            return None if isinstance(tokenizer, str) else encode
    tokenize = getattr(private.get("_model"), "tokenize", None)  # llama.cpp's, which takes bytes
    return None if tokenize is None else lambda text: tokenize(text.encode("utf-8", "replace"))
