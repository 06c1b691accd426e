"""Reads misspelt words as the words of the library that were probably meant.

Goes in: a question. Comes out: the question respelled with the library's own words, and what was
read as what. Only plain lower-case words are touched that neither the library holds nor the
embedding model knows as a word, by few slips of the keyboard (Damerau 1964), and never in their
first letter: names, acronyms and figures are left alone, since another name is another thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from index.catalogue import Catalogue

_WORD = re.compile(r"(?<!\w)[a-z]+(?!\w)")
_SHORTEST = 6
"""Letters; in fewer, another word is too often one slip away."""
_TWO_SLIPS_FROM = 9
"""Letters of a word in which two slips are still recognised."""
_LONGEST_ENDING = 6
_TERMS_LOOKED_AT = 20
_PAPERS_LOOKED_AT = 20

TermsOf = Callable[[str], set[str]]
"""From a text to its stemmed terms."""
IsWord = Callable[[str], bool]
"""Whether a word is a word of the language, whatever the library holds."""


class Speller:
    """Knows the words of one catalogue, as they stood when it was made."""

    def __init__(self, catalogue: Catalogue, terms_of: TermsOf, is_word: IsWord) -> None:
        self._catalogue = catalogue
        self._terms_of = terms_of
        self._is_word = is_word
        self._frequency: dict[str, int] = {}
        self._by_letter: dict[str, list[str]] = {}
        self._meant: dict[str, str | None] = {}

    def respell(self, text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The text with misspelt words replaced, and the pairs (typed, read)."""
        read: dict[str, str] = {}
        for typed in dict.fromkeys(_WORD.findall(text)):
            if typed not in self._meant:
                self._meant[typed] = self._nearest(typed)
            if known := self._meant[typed]:
                read[typed] = known
        if not read:
            return text, ()
        return _WORD.sub(lambda match: read.get(match[0], match[0]), text), tuple(read.items())

    def _nearest(self, typed: str) -> str | None:
        """The library's word within few slips of a misspelt one; None where it is none, or nothing is near."""
        if len(typed) < _SHORTEST or self._is_word(typed):
            return None
        if not self._frequency:
            self._learn()
        stems = self._terms_of(typed)
        if any(stem in self._frequency for stem in stems):
            return None
        slips = 2 if len(typed) >= _TWO_SLIPS_FROM else 1
        near = {pair for term in self._near_terms(typed, stems, slips) for pair in self._words_near(term, typed, slips)}
        return min(near, default=(0, None))[1]

    def _learn(self) -> None:
        frequency = self._catalogue.vocabulary()
        by_letter: dict[str, list[str]] = {}
        for term in frequency:
            by_letter.setdefault(term[0], []).append(term)
        self._by_letter, self._frequency = by_letter, frequency  # in this order: other threads look at the latter

    def _near_terms(self, typed: str, stems: set[str], slips: int) -> list[str]:
        """Terms near a misspelt word, the nearest first: near its stems, or near its beginning, since stemming
        has cut off the terms' endings and does not know a misspelt one."""
        from rapidfuzz.distance import OSA

        found = []
        for term in self._by_letter.get(typed[0], ()):
            if len(typed) - _LONGEST_ENDING <= len(term) <= len(typed) + slips:
                distance = min(OSA.distance(form, term, score_cutoff=slips) for form in (typed[: len(term)], *stems))
                if distance <= slips:
                    found.append((distance, -self._frequency[term], term))
        return [term for _, _, term in sorted(found)[:_TERMS_LOOKED_AT]]

    def _words_near(self, term: str, typed: str, slips: int) -> list[tuple[int, str]]:
        """Whole words with this term, in some papers that hold it, that are so few slips from what was typed; with how many."""
        from rapidfuzz.distance import OSA

        text = self._catalogue.text_holding(term, _PAPERS_LOOKED_AT).lower()
        alike = {word for word in re.findall(r"[a-z]+", text) if word[0] == typed[0] and abs(len(word) - len(typed)) <= slips}
        near = [(distance, word) for word in alike if (distance := OSA.distance(typed, word)) <= slips]
        return [pair for pair in near if term in self._terms_of(pair[1])]
