"""Reads words that the library does not know as the words that were probably meant.

Goes in: a question. Comes out: the question respelled with the library's own words, and what was
read as what. Only plain lower-case words of some length are touched, by few slips of the keyboard
(Damerau 1964), and never their first letter: names, acronyms and figures are left alone, since
another name is another thing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from index.catalogue import Catalogue

_WORD = re.compile(r"(?<![\w-])[a-z]+(?![\w-])")
_SHORTEST = 6
"""Letters; below, another word is too often one slip away."""
_TWO_SLIPS_FROM = 9
"""Letters of a word in which two slips are still recognised."""

TermsOf = Callable[[str], set[str]]
"""From a text to its stemmed terms."""


class Speller:
    """Knows the words of one catalogue, as they stood when it was made."""

    def __init__(self, catalogue: Catalogue, terms_of: TermsOf) -> None:
        self._catalogue = catalogue
        self._terms_of = terms_of
        self._frequency: dict[str, int] = {}
        self._known: dict[str, str | None] = {}

    def respell(self, text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The text with unknown words replaced by near known ones, and the pairs (typed, read)."""
        read: dict[str, str] = {}
        for typed in dict.fromkeys(_WORD.findall(text)):
            if len(typed) >= _SHORTEST and (known := self._meant(typed)):
                read[typed] = known
        if not read:
            return text, ()
        return _WORD.sub(lambda match: read.get(match[0], match[0]), text), tuple(read.items())

    def _meant(self, typed: str) -> str | None:
        """The library's word for one that it does not hold; None where it holds it, or nothing is near."""
        if typed not in self._known:
            self._known[typed] = self._nearest(typed)
        return self._known[typed]

    def _nearest(self, typed: str) -> str | None:
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        if not self._frequency:
            self._frequency = self._catalogue.vocabulary()
        terms = self._terms_of(typed)
        if any(term in self._frequency for term in terms):
            return None
        slips = 2 if len(typed) >= _TWO_SLIPS_FROM else 1
        near = [
            (distance, -self._frequency[term], term)
            for typed_term in terms
            for term, distance, _ in process.extract(typed_term, list(self._frequency), scorer=OSA.distance, score_cutoff=slips, limit=20)
            if term[0] == typed_term[0]
        ]
        return self._word_of(min(near)[2]) if near else None

    def _word_of(self, term: str) -> str | None:
        """A whole word of the library that has this term."""
        text = self._catalogue.text_holding(term).lower()
        words = Counter(word for word in re.findall(r"[a-z]+", text) if term in self._terms_of(word))
        return words.most_common(1)[0][0] if words else None
