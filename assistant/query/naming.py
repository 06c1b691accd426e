"""Names that a question asks about, and whether the library has them.

Goes in: a question's text and the library. Comes out: the text with a misspelt name read as the library's, and the names that no
paper here mentions. A name is told by its look, or as a word that neither the library nor the language has, and looked up however it
is spelled (`INT-6`, `int6`; `FlashAttention`, `flash attention`), its figures exactly: another number is another thing. Knows no
particular name.
"""

from __future__ import annotations

import re

from assistant.query.question import Question, names_in, summarized
from index import Library

_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_]+|\++")
_MEASURE = re.compile(r"\d+(?:[-–][a-z]+)+")
"""A number with what it counts (`12-week`), which names nothing."""
_INNER = re.compile(r"[a-z][A-Z]|[A-Z]{2,}[a-z]{2}")
_COMPOUND = re.compile(r"(?<![\w-])[A-Za-z\d]+(?:-[A-Za-z\d]+)*(?![\w-])")
_PLAIN_WORD = re.compile(r"(?<![\w-])[a-z]+(?![\w-])")
_SHORTEST_RESPELLED = 6
_SHORTEST_ACRONYM = 3
_LOOKED_AT = 500
"""Papers with all parts of a name that are searched for the name itself."""
_ABOUT = ("definition", "summary", "how")
"""Intents whose question can be about a name as a whole."""
_COMMON = 0.4
"""Rarity up to which a word beside a name (`trial`, `method`) says only what kind of thing it is: of 1,000 papers 60 have it."""


def with_known_names(text: str, library: Library) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The text with each misspelt name read as the library's word that is few slips away, and each that the library spells
    otherwise as the library does; and the pairs (typed, read)."""
    pairs = [(name, read) for name in dict.fromkeys(names_in(text)) if (read := _meant(name, library))]
    known = {name for name, _ in pairs}
    pairs += [(name, read) for name in dict.fromkeys(_COMPOUND.findall(text)) if name not in known and (read := _respelt(name, library))]
    for name, read in pairs:
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", read, text)
    return text, tuple(pairs)


def lacking(question: Question, library: Library) -> list[str]:
    """The names a question asks about that no paper here mentions.

    What looks like a product's or a method's name (`GPT-4`, `vLLM`) always counts; a plain capitalised word or an abbreviation, which
    a paper may spell out, and a word that no language has only where the question is about nothing else.
    """
    named = dict.fromkeys(names_in(question.text))
    found = []
    for name in [*named, *_unheard_of(question.text, library)]:
        alone = question.intent.name in _ABOUT and is_about(question, [name], library)
        if (alone or (name in named and is_particular(name))) and not is_held(name, library):
            found.append(name)
    return found


def is_about(question: Question, names: list[str], library: Library) -> bool:
    """Whether a question is about these names and nothing else: its other words only ask for a summary, or are common ones."""
    own = {word for name in names for word in re.findall(r"\w+", name.lower())}
    words = library.lexical.terms(summarized(question) or question.text).words
    return all(word in own or library.lexical.rarity(word) <= _COMMON for word in words)


def introduces(title: str, name: str) -> bool:
    """Whether a title begins with a name, before a colon: so a paper introduces what it names."""
    head, colon, _ = title.partition(":")
    return bool(colon) and head.casefold() == name.casefold()


def is_particular(name: str) -> bool:
    """Whether it has letters and figures, or capitals inside it beside small letters, so that it is no plain word."""
    lettered = sum(map(str.isalpha, name)) > 1 and not _MEASURE.fullmatch(name)
    return lettered and (any(map(str.isdigit, name)) or bool(_INNER.search(name)))


def is_held(name: str, library: Library) -> bool:
    """Whether some paper's title or abstract has a name, however it is spelled."""
    return not _PARTS.findall(name) or held_as(name, library) is not None


def held_as(name: str, library: Library) -> str | None:
    """A name as some paper's title or abstract spells it; None where none has it, an abbreviation where all have but the plain word."""
    for form in dict.fromkeys((name, name[:-1] if len(name) > _SHORTEST_ACRONYM and re.search(r"[^\Ws]s$", name) else name)):
        if found := _spelled(form, library):
            return found
    return None


def _spelled(name: str, library: Library) -> str | None:
    parts = _PARTS.findall(name)
    if not parts:
        return None
    pattern = re.compile(rf"(?<![^\W_]){'[^A-Za-z0-9]?'.join(map(re.escape, parts))}s?(?![^\W_])", re.IGNORECASE)
    acronym = name.isupper() and name.isalpha() and len(name) >= _SHORTEST_ACRONYM
    lexical = library.lexical
    for form in dict.fromkeys((name, "".join(parts), " ".join(parts), "-".join(re.findall(r"[^\W\d_]+|\d+", name)))):
        papers = library.papers(sorted(lexical.holding(lexical.terms(form)))[:_LOOKED_AT])
        spelled = (match[0] for paper in papers for match in pattern.finditer(f"{paper.display_title} {paper.abstract}"))
        if found := next((one for one in spelled if not (acronym and one.islower())), None):
            return found
    return None


def _meant(name: str, library: Library) -> str | None:
    """The library's name that is few slips from one that it lacks; another capital or figure at its end makes another name."""
    if len(name) < _SHORTEST_RESPELLED or not (name.isascii() and name.isalpha()) or is_held(name, library):
        return None
    found, pairs = library.lexical.respell(name.lower())
    if not pairs or (name.lower().startswith(found) and name[len(found) :].isupper()):
        return None
    return _as_written(found, library)


def _respelt(name: str, library: Library) -> str | None:
    """How the library spells a name that search would not find as it is typed."""
    if not library.lexical.terms(name).unknown or not re.search(r"-|\d", name) or _MEASURE.fullmatch(name):
        return None
    spelled = held_as(name, library)
    return spelled if spelled and spelled.lower() != name.lower() else None


def _unheard_of(text: str, library: Library) -> list[str]:
    """The small-lettered words that neither the library nor the language has."""
    return [word for word in dict.fromkeys(_PLAIN_WORD.findall(text)) if library.lexical.is_unheard_of(word)]


def _as_written(word: str, library: Library) -> str:
    """A word as a title writes it, capitals and all; else as it is."""
    papers = library.papers(sorted(library.lexical.holding(library.lexical.terms(word)))[:_LOOKED_AT])
    found = (re.search(rf"(?<!\w){re.escape(word)}(?!\w)", paper.display_title, re.IGNORECASE) for paper in papers)
    return next((match[0] for match in found if match), word)
