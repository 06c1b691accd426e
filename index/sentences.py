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
_LAST_TOKEN = re.compile(r"(\S+)$")
_STARTS_SENTENCE = re.compile(r"""["'“‘(\[{]*[A-Z0-9~≈$\\α-ωΑ-Ω]""")
_STARTS_LOWER = re.compile(r"""["'“‘(\[]*[a-z]+[A-Z0-9]""")  # a name such as `vLLM`, `mT5`, `iPhone`


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of `text`; together they hold every character but white space."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BREAK.finditer(text):
        if not _ends_sentence(text, start, match):
            continue
        if _LABEL.fullmatch(text[start : match.end()]):
            continue  # `2.` or `(3).` belongs to what it numbers
        spans.append((start, match.end()))
        start = match.end() + len(text[match.end() :]) - len(text[match.end() :].lstrip())
    if text[start:].strip():
        spans.append((start, len(text.rstrip())))
    return spans


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    rest = text[match.end() :].lstrip()
    if not rest:
        return True
    if text[start : match.end()].count("(") > text[start : match.end()].count(")") and ")" in rest[:200]:
        return False  # inside brackets
    plain_stop = match[0] == "."
    if not _STARTS_SENTENCE.match(rest) and not (plain_stop and _STARTS_LOWER.match(rest)):
        return False
    if not plain_stop:
        return True
    token = _LAST_TOKEN.search(text[start : match.start()])
    word = token[1].lstrip("([{\"'“‘").casefold() if token else ""
    if word in _NEVER_LAST:
        return False
    if word in _ABBREVIATIONS:  # `et al. We ...` ends; `et al. (2020)`, `etc. 3` do not
        return bool(re.match(r"[A-Z][a-z]*[ ,]", rest))
    # An initial, when another follows (`J. R. Smith`); a lone letter is a symbol that closes a clause.
    return not (len(word) == 1 and re.match(r"[A-Z]\.", rest))
