"""Reads a question: whether it can be asked, and what kind of answer it wants.

Goes in: text. Comes out: a `Question`. Knows general English, and nothing of any paper.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from assistant.errors import QuestionError

MAX_CHARACTERS = 4000

_FIGURE = re.compile(
    r"\bhow (?:much|many|fast|far|often|large|big|long|small|well|close|accurate|low|high|cheap|deep|wide|few|little|slow)\b"
    r"|\b(?:what|which) (?:[\w-]+ ){0,3}(?:speed|speedup|accuracy|percentage|percent|share|fraction|throughput|latency|number|"
    r"rate|size|score|gain|reduction|improvement|factor|cost|bitrate|perplexity|error)s?\b"
    r"|\b(?:at|by|to|in) (?:what|how)\b|\bpercent(?:age)?\b|\bnumbers?\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\b(?:papers|methods|approaches|techniques|works|strategies|ways|studies|ideas|directions|options|systems|benchmarks|"
    r"datasets|surveys|frameworks|solutions|algorithms|tricks)\b"
    r"|\boverview\b|\bstate of the art\b|\bwhat is (?:going on|new|known|out there)\b|\bresearch (?:on|in|about)\b|\bresearch\?"
    r"|\bwho (?:works|has worked)\b|\b(?:how|what) (?:do|are) (?:people|researchers|others)\b|\blandscape\b|\bliterature\b",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    r"\bcompar(?:e|ed|es|ing|ison)\b.+\b(?:and|with|to|against)\b|\bvs\.?\b|\bversus\b|\bdifferen(?:ce|t|ces|tly|tiates?)\b.+\b(?:and|from|between)\b"
    r"|\bdiffers? (?:from|between)\b|\badd(?:s|ed)? (?:on top of|to|over)\b|\bwhich (?:one )?is (?:better|faster|cheaper|smaller)\b"
    r"|\bcompared (?:with|to)\b.+\?|\bboth\b.+\band\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Question:
    """A question, as far as its words tell."""

    text: str
    """White space collapsed, control characters gone."""
    wants_figure: bool
    """It asks how much, how many, at what rate."""
    wants_several: bool
    """It asks for what there is on a theme: several papers answer."""
    wants_comparison: bool
    """It asks to hold two things against each other."""


def read_question(text: str) -> Question:
    """Raises `QuestionError` where the text is empty or too long to be a question."""
    plain = " ".join("".join(" " if unicodedata.category(c) in {"Cc", "Cf"} else c for c in text).split())
    if not plain:
        raise QuestionError('the question is empty: ask something, such as: assistant ask "How does speculative decoding work?"')
    if len(plain) > MAX_CHARACTERS:
        raise QuestionError(f"the question has {len(plain):,} characters, at most {MAX_CHARACTERS:,} are read: ask for one thing at a time")
    return Question(
        text=plain,
        wants_figure=bool(_FIGURE.search(plain)),
        wants_several=bool(_SEVERAL.search(plain)),
        wants_comparison=bool(_COMPARE.search(plain)),
    )
