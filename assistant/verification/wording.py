"""Words as the check compares them: one spelling of figures, and a key that like words share.

Goes in: a text. Comes out: its words, and what each is known by. Knows no grammar.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TIMES = re.compile(r"(?<=\d)(?:\s*-?\s*(?:\\?times|×|fold)|\s?x)(?![A-Za-z0-9])")
_PERCENT = re.compile(r"(?<=\d)\s*(?:\\?%|per ?cent(?:age points?)?\b)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+(?:['’][^\W\d_]+)?|\S")
_ENDINGS = re.compile(r"(?:ations?|ational|ings?|edly|ments?|ised|ized|ises|izes|ers?|ors?|ies|ive|ed|es|ly|al|s|e|y)$")
_SHORTEST = 4
"""Letters that are left of a word where an ending is cut off."""


def normalise(text: str) -> str:
    """One spelling of figures: `2.4x`, `15%`, `1500`."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    return _PERCENT.sub("%", _TIMES.sub("x", _THOUSANDS.sub("", text)))


def words(text: str) -> list[str]:
    """Words, figures and signs of a text, in order."""
    return _WORD.findall(normalise(text))


@lru_cache(20_000)
def key(word: str) -> str:
    """What a word is known by: lower case, its ending cut off."""
    plain = word.casefold()
    cut = _ENDINGS.sub("", plain)
    return cut if len(cut) >= _SHORTEST else plain
