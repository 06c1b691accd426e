"""Names that a question asks about, and whether the library has them.

Goes in: a question's text and the library. Comes out: the text with a misspelt name read as the library's, and the names that no
paper here mentions. A name is told by its look, and looked up however it is spelled (`INT-6`, `int6`; `FlashAttention`, `flash
attention`), its figures exactly: another number is another thing. Knows no particular name.
"""

from __future__ import annotations

import re

from assistant.query.question import Question, names_in
from index import Library

_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_]+")
_MEASURE = re.compile(r"\d+(?:[-–][a-z]+)+")
"""A number with what it counts (`12-week`), which names nothing."""
_INNER = re.compile(r"[a-z][A-Z]|[A-Z]{2,}[a-z]{2}")
_SHORTEST_RESPELLED = 6
_LOOKED_AT = 500
"""Papers with all parts of a name that are searched for the name itself."""
_ABOUT = ("definition", "summary", "how")
"""Intents whose question can be about a name as a whole."""


def with_known_names(text: str, library: Library) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The text with each misspelt name read as the library's word that is few slips away, and the pairs (typed, read)."""
    read = []
    for name in dict.fromkeys(names_in(text)):
        if len(name) < _SHORTEST_RESPELLED or not (name.isascii() and name.isalpha()) or is_held(name, library):
            continue
        found, pairs = library.lexical.respell(name.lower())
        if pairs:
            read.append((name, _as_written(found, library)))
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", read[-1][1], text)
    return text, tuple(read)


def lacking(question: Question, library: Library) -> list[str]:
    """The names a question asks about that no paper here mentions.

    What looks like a product's or a method's name (`GPT-4`, `vLLM`) always counts; a plain capitalised word or an abbreviation, which
    a paper may spell out, only where the question is about nothing else.
    """
    words = set(library.lexical.terms(question.text).words)
    found = []
    for name in dict.fromkeys(names_in(question.text)):
        alone = question.intent.name in _ABOUT and words <= set(re.findall(r"\w+", name.lower()))
        if (is_particular(name) or alone) and not is_held(name, library):
            found.append(name)
    return found


def is_particular(name: str) -> bool:
    """Whether it has letters and figures, or capitals inside it beside small letters, so that it is no plain word."""
    lettered = sum(map(str.isalpha, name)) > 1 and not _MEASURE.fullmatch(name)
    return lettered and (any(map(str.isdigit, name)) or bool(_INNER.search(name)))


def is_held(name: str, library: Library) -> bool:
    """Whether some paper's title or abstract has a name, however it is spelled."""
    parts = _PARTS.findall(name.removesuffix("s") if len(name) > 3 and (name[-2:-1].isupper() or name[-2:-1].isdigit()) else name)
    if not parts:
        return True
    pattern = re.compile(rf"(?<![^\W_]){'[^A-Za-z0-9]?'.join(map(re.escape, parts))}s?(?![^\W_])", re.IGNORECASE)
    lexical = library.lexical
    for form in dict.fromkeys((name, "".join(parts), " ".join(parts), " ".join(re.findall(r"[^\W\d_]+|\d+", name)))):
        papers = library.papers(sorted(lexical.holding(lexical.terms(form)))[:_LOOKED_AT])
        if any(pattern.search(f"{paper.display_title} {paper.abstract}") for paper in papers):
            return True
    return False


def _as_written(word: str, library: Library) -> str:
    """A word as a title writes it, capitals and all; else as it is."""
    papers = library.papers(sorted(library.lexical.holding(library.lexical.terms(word)))[:_LOOKED_AT])
    found = (re.search(rf"(?<!\w){re.escape(word)}(?!\w)", paper.display_title, re.IGNORECASE) for paper in papers)
    return next((match[0] for match in found if match), word)
