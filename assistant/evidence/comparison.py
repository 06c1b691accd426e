"""Holds papers against each other: what is compared, by what, and what each paper says of it.

Goes in: a comparison, the papers found for its sides, and what looks into a paper. Comes out: a table, a row for each side, a column
for each thing that is asked of it; a cell is evidence, or none where the abstract does not say. Sides are names joined by a word that
compares, or the phrases on either side of one; columns are what is left of the question. Knows general English, and no paper.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.evidence.selection import Evidence, choose
from assistant.evidence.sources import Source
from assistant.query.intent import shipped
from assistant.query.question import names_in
from index import Library

SIDES_AT_MOST = 3
COLUMNS_AT_MOST = 3
WHOLE_WORDS = 85
WHOLE_SENTENCES = 3
"""Of what a row says besides what is asked of all."""
STATED = 0.5
"""Share of the weight of what a column asks, from which a sentence is taken to state it."""
_READ_AS_STATED = 0.9
"""The reader's probability from which one without these words is. By hand, and high: a cell left empty misleads less than a wrong one."""
_OPENS_WITHIN = 25
"""Characters within which a sentence has its subject's name."""
_BETWEEN_WORDS = 6
"""At most, of what stands between two names that are compared (`the older and the newer of`)."""
_COMPARES = re.compile(
    r"\b(?:vs|versus|against|or|and|than|compared?|over|next to|on top of|rather than|instead of|differs?|different|relative|beats?)\b"
    r"|/|\bthe paper (?:that|which)\b",
    re.IGNORECASE,
)
_SPLITS = re.compile(
    r"\s*(?:,\s*)?(?:\bvs\b\.?|\bversus\b|\bagainst\b|\bcompared (?:to|with)\b|\bas opposed to\b|\brather than\b|\binstead of\b|\bor\b|"
    r"\bnext to\b|\bdiffers? from\b|\bdifferent from\b|(?:\b(?:more|less|better|worse|\w+er)\s+)?\bthan\b)\s*",
    re.IGNORECASE,
)
_ADDS = re.compile(r",?\s*(?:and|or|vs\.?|versus|,)\s+(?:the )?")
"""What stands between a side and a further one."""
_BETWEEN = re.compile(r"\b(?:between|compare|contrast|comparing|both)\s+(.{3,80}?)\s+(?:and|with|to)\s+([^,.?:;]{3,80})", re.IGNORECASE)
_BOUNDS = re.compile(r"[,.?:;()]|\b(?:in|for|at|on|when|if|by|with respect to|regarding|concerning)\b", re.IGNORECASE)
_LEADS = re.compile(
    r"^(?:.*\b(?:is|are|was|were|do|does|did|can|should|would|will|better|the difference|differences?|comparison|compare|of|how|which|"
    r"who|what)\b)\s+",
    re.IGNORECASE,
)
_COMPARING = frozenset(
    "compare compared compares comparing comparison contrast differ differs different differently difference differences versus vs better "
    "worse best worst or and than rather instead against between both either each other one two which whichever prefer choose pick "
    "advantage advantages pros cons trade trade-off similar same unlike numbers figures please way ways report reports reported claim "
    "claims respectively paper papers work works method methods approach approaches there gain gained add adds top".split()
)
"""Words that compare, and name nothing that is compared."""
_PHRASES = re.compile(r"[,;:?.()]|\b(?:and|or)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_](?:[\w+./'’-]*[\w+])?")
_NAME_PHRASE = 3
"""Words of a name, at most."""


@dataclass(frozen=True)
class Row:
    """One side of a comparison."""

    side: str
    """As the question calls it; empty where the paper was only found near."""
    source: Source | None
    """Its paper; None where the library has none by that name."""
    cells: tuple[tuple[Evidence, ...], ...] = ()
    """For each column what the abstract says of it, empty where it does not; last what else it says to the question."""


@dataclass(frozen=True)
class Table:
    """A comparison."""

    columns: tuple[str, ...]
    """What is asked of each, and at least one states."""
    rows: tuple[Row, ...]


Cells = tuple[tuple[Evidence, ...], ...]
Look = Callable[[str, Source], tuple[Source, float]]
"""Looks into a paper for a question: its sentences with their odds to answer that, and how likely it answers."""


def sides_of(text: str) -> tuple[str, ...]:
    """What a comparison holds against each other, as it names them; empty where that is not plain."""
    return _named_sides(text) or _phrase_sides(text)


def columns_of(text: str, sides: Sequence[str], library: Library) -> tuple[str, ...]:
    """What a comparison asks of its sides: `throughput`, `number GPUs`; empty where it asks nothing particular."""
    for side in sides:
        text = re.sub(rf"(?<![\w-]){re.escape(side)}(?![\w-])", " , ", text, flags=re.IGNORECASE)
    ignored = _COMPARING | shipped().asking
    columns: list[str] = []
    for phrase in _PHRASES.split(text):
        words = [word for word in _WORD.findall(phrase) if word.lower() not in ignored]
        content = set(library.lexical.terms(" ".join(words)).words)
        kept = [word for word in words if set(re.findall(r"\w+", word.lower())) & content]
        if kept and " ".join(kept).lower() not in {column.lower() for column in columns}:
            columns.append(" ".join(kept[:5]))
    return tuple(columns[:COLUMNS_AT_MOST])


def holds_side(text: str, side: str, library: Library) -> bool:
    """Whether a text has a side: a name as such, its figures exactly; a phrase by all its words."""
    if not names_in(f"a {side}"):
        terms = set(library.lexical.terms(side).weights)
        return bool(terms) and terms <= library.lexical.terms_in(text)
    name = r"[\W_]?".join(map(re.escape, re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W_]", side)))
    return bool(re.search(rf"(?<![^\W_]){name}s?(?![^\W_]|[-.]?\d| \d+(?![\w%×.-]))", text, re.IGNORECASE))


def table_of(columns: Sequence[str], rows: Sequence[tuple[str, Source | None]], look: Look, library: Library) -> Table:
    """The table of these sides. What a paper says of another side, at the beginning of a sentence, is not told of it."""
    sides = [side for side, _ in rows if side]

    def row(side: str, source: Source | None) -> Row:
        return Row(side, source, _cells(columns, side, source, [other for other in sides if other != side], look, library))

    full = [row(*each) for each in rows]
    stated = [place for place in range(len(columns)) if any(one.cells[place] for one in full if one.cells)]
    kept = tuple(replace(one, cells=tuple(one.cells[place] for place in (*stated, -1))) if one.cells else one for one in full)
    return Table(tuple(columns[place] for place in stated), kept)


def _cells(columns: Sequence[str], side: str, source: Source | None, others: Sequence[str], look: Look, library: Library) -> Cells:
    if source is None:
        return ()
    own = tuple(one for one in source.sentences if not any(holds_side(one.text[:_OPENS_WITHIN], other, library) for other in others))
    source = replace(source, sentences=own or source.sentences)
    cells = tuple(_cell(column, side, source, look, library) for column in columns)
    shown = {one.position for cell in cells for one in cell}
    rest = [one for one in source.sentences if one.position not in shown]
    return (*cells, tuple(choose(rest, WHOLE_WORDS, WHOLE_SENTENCES)))


def _cell(column: str, side: str, source: Source, look: Look, library: Library) -> tuple[Evidence, ...]:
    """The sentence that states what a column asks, by its words or by what the reader says of it."""
    weights = library.lexical.terms(column).weights
    total = sum(weights.values()) or 1.0
    seen, answers = look(f"{column} of {side}" if side else column, source)
    told = {one.position for one in source.sentences}

    def share(one: Evidence) -> float:
        return sum(weight for term, weight in weights.items() if term in library.lexical.terms_in(one.text)) / total

    able = [one for one in seen.sentences if one.position in told and not one.text.rstrip().endswith("?")]
    best = max(able, key=lambda one: (share(one) + one.score, -one.position), default=None)
    return (best,) if best is not None and (share(best) >= STATED or answers >= _READ_AS_STATED) else ()


def _named_sides(text: str) -> tuple[str, ...]:
    names = list(dict.fromkeys(names_in(f"- {text}")))
    spans = sorted((match.start(), match.end()) for name in names for match in re.finditer(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text))
    phrases: list[tuple[int, int]] = []
    for start, end in spans:
        if phrases and text[phrases[-1][1] : start] == " " and len(text[phrases[-1][0] : end].split()) <= _NAME_PHRASE:
            phrases[-1] = (phrases[-1][0], end)
        else:
            phrases.append((start, end))
    for first, second in itertools.pairwise(phrases):
        if not _joined(text, first, second):
            continue
        sides = [first, second]
        for further in phrases[phrases.index(second) + 1 :]:
            if len(sides) == SIDES_AT_MOST or not _ADDS.fullmatch(text[sides[-1][1] : further[0]]):
                break
            sides.append(further)
        told = tuple(dict.fromkeys(text[start:end] for start, end in sides))
        if len(told) > 1:
            return told
    return ()


def _joined(text: str, first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether a word that compares stands between two names, and little else."""
    gap = text[first[1] : second[0]]
    return len(gap.split()) <= _BETWEEN_WORDS and "?" not in gap and bool(_COMPARES.search(gap) or gap.strip() in {",", "/"})


def _phrase_sides(text: str) -> tuple[str, ...]:
    if found := _BETWEEN.search(text):
        return _both(found[1], _BOUNDS.split(found[2])[0])
    if not (found := _SPLITS.search(text)):
        return ()
    before = re.split(r"[,.?:;()]", text[: found.start()])[-1]
    return _both(_LEADS.sub("", before), _BOUNDS.split(text[found.end() :])[0])


def _both(one: str, other: str) -> tuple[str, ...]:
    sides = tuple(" ".join(side.split()).strip(" ,.;:?") for side in (one, other))
    named = all(re.search(r"[^\W\d_]{2}", side) and len(side.split()) <= _BETWEEN_WORDS for side in sides)
    return sides if named and sides[0].lower() != sides[1].lower() else ()
