"""Cuts an abstract into whole sentences, by rules for scientific English.

Goes in: repaired text. Comes out: spans (start, end) of the text, in order, without the white
space between them. Knows no vocabulary but abbreviations.
"""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    "e.g i.e eg ie etc cf vs al fig figs eq eqs tab no nos approx resp ref refs dr prof mr "
    "mrs ms st jr sr inc ltd co corp dept univ w.r.t a.k.a aka i.i.d incl ca viz ph.d u.s".split()
)
_NEVER_LAST = frozenset("e.g i.e eg ie cf vs fig figs eq eqs dr prof mr mrs ms w.r.t resp viz incl approx".split())
"""Abbreviations that another word always follows."""

_BREAK = re.compile(r"""[.!?]+["'”’)\]]*(?=\s+)""")
_LABEL = re.compile(r"[(\[]?\w{1,3}[)\]]?[.)]")
_SPACE = re.compile(r"\s*")
_STARTS_SENTENCE = re.compile(r"""["'“‘(\[{]*[A-Z0-9~≈$\\α-ωΑ-Ω]""")
_STARTS_LOWER = re.compile(r"""["'“‘(\[]*[a-z]+[A-Z0-9]""")  # a name such as `vLLM`, `mT5`, `iPhone`

_OPENS_PROSE = re.compile(r"[A-Z][a-z]*[ ,]")
_INITIAL = re.compile(r"[A-Z]\.")
_BRACKET_REACH = 200
"""Characters within which a bracket must close to be taken as one."""


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of `text`; together they hold every character but white space."""
    spans: list[tuple[int, int]] = []
    start = _after_space(text, 0)
    for match in _BREAK.finditer(text):
        if not _ends_sentence(text, start, match):
            continue
        if _LABEL.fullmatch(text, start, match.end()):
            continue  # `2.` or `(3).` belongs to what it numbers
        spans.append((start, match.end()))
        start = _after_space(text, match.end())
    end = len(text.rstrip())
    if start < end:
        spans.append((start, end))
    return spans


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    assert match is not None  # it matches nothing, too
    return match.end()


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    following = _after_space(text, match.end())
    if following == len(text):
        return True
    in_brackets = text.count("(", start, match.end()) > text.count(")", start, match.end())
    if in_brackets and text.find(")", following, following + _BRACKET_REACH) >= 0:
        return False
    plain_stop = match[0] == "."
    if not _STARTS_SENTENCE.match(text, following) and not (plain_stop and _STARTS_LOWER.match(text, following)):
        return False
    if not plain_stop:
        return True
    before = text[start : match.start()].rsplit(maxsplit=2)
    word = before[-1].lstrip("([{\"'“‘").casefold() if before else ""
    if word in _NEVER_LAST:
        return False
    if word in _ABBREVIATIONS:  # `et al. We ...` ends; `et al. (2020)`, `etc. 3` do not
        return bool(_OPENS_PROSE.match(text, following))
    # Initials (`J. R. Smith`); a lone letter is a symbol that closes a clause.
    return not (len(word) == 1 and (_INITIAL.match(text, following) or _INITIAL.fullmatch(before[-2] if len(before) > 1 else "")))
