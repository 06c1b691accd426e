"""Which records tell of one paper, and the paper's id. Pure functions.

Goes in: records, in whatever order. Comes out: the papers that they make, the same in every order. Records that share
an identifier (DOI, arXiv, PubMed) are one paper, unless it is a volume's. Such a set of records (or one without) joins
another by title, where the titles are the same and abstracts agree; only ever with the set that leads a paper, so that
nothing joins by way of a third that merely has the same title, and two papers are not joined by what is cut from both.
Knows nothing of storage; near-linear in the number of records.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from index.paper import Entry, fold, hashed, paper_id_of
from index.repair import repair

_PREPRINT = re.compile(r"10\.(?:48550|1101/\d|26434|31234|31219|31222|31223|31235|21203|2139|20944|36227|22541|5281)")
"""DOIs of arXiv, bioRxiv and medRxiv, ChemRxiv, the OSF's servers, Research Square, SSRN, Preprints.org, TechRxiv, Authorea, Zenodo."""

_SHINGLE = 3
_AGREE = 0.5
"""Share of the shorter abstract's shingles that the longer must hold to tell of the same paper. Published versions of one
abstract share more than half, other abstracts under the same title next to none."""
_SAME = 0.9
"""That share, where other identifiers say that these are two papers."""
_ALIKE = 0.5
"""Share of the shorter title's words, from which on two titles may be versions of one."""
_YEARS_APART = 2
_COMPARED = 32
"""Papers of one title that are compared with one by one; of more, those that share most shingles."""
_NEAREST = 8

_TAG = re.compile(r"</?[A-Za-z][\w:.-]{0,40}(?:\s[^<>]{0,400})?/?>")
_ACCENT = re.compile(r"\\(?:[\"'`^~=.]|[uvHtcdbkr](?=[\s{]))\s{0,4}\{?\\?([A-Za-z])\}?")
_TITLE_PART = re.compile(r"[^\W_]+[+#*]*|[^\w\s]")
_BRACKETED = re.compile(r"[\[(^]([+#*]{1,3})[\])]")
_NO_TOKENS = frozenset("+|~⁄^-")
"""Mathematical symbols to Unicode that are punctuation here; `+` counts where it ends a word."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Record:
    """One entry of one source, as far as it tells which paper it is of."""

    source: str
    starter: bool
    entry: Entry

    @cached_property
    def rank(self) -> tuple[str | int | bool, ...]:
        """For sorting: the fullest record of a paper first. It leads the paper and gives title and abstract.

        The authors' abstract goes before a summary of ours, which goes before none; a longer one before a shorter (which may
        be cut off).
        """
        entry = self.entry
        told = (entry.title, entry.doi or "", entry.arxiv_id or "", entry.pmid or "", entry.date or "", "; ".join(entry.authors))
        return (not entry.abstract, self.starter, -len(entry.abstract), self.source, entry.abstract, *told)

    @cached_property
    def title(self) -> str:
        """See `title_key`."""
        return title_key(self.entry.title)

    @cached_property
    def text(self) -> AbstractText:
        """The abstract, for comparing."""
        return AbstractText(tuple(_WORD.findall(fold(_unmarked(self.entry.abstract)))))

    @cached_property
    def names(self) -> frozenset[str]:
        """Words of the authors' names, initials left out."""
        return frozenset(word for author in self.entry.authors for word in _WORD.findall(fold(author)) if len(word) > 1)

    @property
    def year(self) -> int | None:
        """Of its date, where that tells one."""
        date = self.entry.date or ""
        return int(date[:4]) if date[:4].isdecimal() else None

    @cached_property
    def identifiers(self) -> tuple[str, ...]:
        """See `identifiers`."""
        return identifiers(self.entry)

    @property
    def seen(self) -> tuple[object, ...]:
        """Records of one paper that are alike in this need not be compared each."""
        return (self.title, self.starter, self.text.joined, self.names, self.year)


@dataclass(frozen=True)
class AbstractText:
    """An abstract's words, folded."""

    words: tuple[str, ...]

    @cached_property
    def joined(self) -> str:
        """One text of them."""
        return " ".join(self.words)

    @cached_property
    def shingles(self) -> frozenset[str]:
        """All runs of three words."""
        return frozenset(map(" ".join, zip(self.words, self.words[1:], self.words[2:], strict=False)))

    def is_cut_of(self, other: AbstractText) -> bool:
        """Whether this is the other's beginning, or a long piece of it."""
        if len(self.words) < 2 * _SHINGLE:
            return bool(self.words) and self.words == other.words[: len(self.words)]
        return other.joined.startswith(self.joined) or f" {self.joined} " in f" {other.joined} "

    def shared(self, other: AbstractText) -> float:
        """The share of this one's shingles that the other holds."""
        return len(self.shingles & other.shingles) / max(1, len(self.shingles))

    def agrees(self, other: AbstractText, same: bool = False) -> bool:
        """Whether both are versions of one abstract; `same`: not even a figure of the shorter may differ."""
        short, long = sorted((self, other), key=lambda text: len(text.words))
        if short.is_cut_of(long):
            return True
        if not same:
            return short.shared(long) >= _AGREE
        return short.shared(long) >= _SAME and {word for word in short.words if not word.isalpha()} <= set(long.words)


@dataclass(frozen=True)
class Told:
    """One paper, and the records that tell of it."""

    paper_id: str
    records: tuple[int, ...]
    """Their places among those given, the fullest first."""


def keys_of(entry: Entry) -> tuple[str, ...]:
    """What this entry may share with others of the same paper, or of the same id; where none is shared, there is nothing to compare."""
    if entry.key is not None:
        return (f"key {entry.key}",)
    return (f"title {title_key(entry.title)}", f"id {paper_id_of(entry.title)}", *identifiers(entry))


def identifiers(entry: Entry) -> tuple[str, ...]:
    """The entry's identifiers, each with its kind; arXiv's own DOI is its arXiv id."""
    doi = (entry.doi or "").lower()
    arxiv = entry.arxiv_id or doi.removeprefix("10.48550/arxiv.") * doi.startswith("10.48550/arxiv.")
    arxiv = re.sub(r"v\d{1,3}$", "", arxiv.strip().lower())
    found = []
    if arxiv:
        found.append(f"arxiv {arxiv}")
    if doi.startswith("10.") and not doi.startswith("10.48550/arxiv."):
        found.append(f"doi {doi}")
    if entry.pmid and entry.pmid.strip("0"):
        found.append(f"pmid {entry.pmid}")
    return tuple(found)


def is_preprint(doi: str) -> bool:
    """Whether a DOI is a preprint server's."""
    return bool(_PREPRINT.match(doi))


def title_key(title: str) -> str:
    """The title for comparing: neither case, accents, punctuation, white space, Unicode form, LaTeX nor HTML count;
    symbols do that end a word (`C++`, `A*`) or stand for a relation (`=`, `≠`)."""
    plain = fold(unicodedata.normalize("NFKD", _unmarked(title)).replace("\u0338", "¬").replace("♯", "#"))  # U+0338 strikes through: `≠`
    parts = [part for part in _TITLE_PART.findall(_BRACKETED.sub(r"\1", plain)) if _counts(part)]
    return " ".join(parts) or title


def papers_of(records: Sequence[Record]) -> list[Told]:
    """The papers that these records make, with their ids; they must be all that share a key with one another."""
    if len(records) == 1:
        return [Told(records[0].entry.paper_id, (0,))]
    keyed: dict[str, list[int]] = defaultdict(list)
    titled: list[int] = []
    for number in sorted(range(len(records)), key=lambda each: records[each].rank):
        key = records[number].entry.key
        (titled if key is None else keyed[key]).append(number)
    papers = [Told(records[numbers[0]].entry.paper_id, tuple(numbers)) for numbers in keyed.values()]
    grouped = _joined_by_title(records, _joined_by_identifier(records, titled))
    return papers + _with_ids(records, grouped)


def _unmarked(text: str) -> str:
    """Without HTML and LaTeX."""
    if "<" in text or "&" in text:
        text = html.unescape(_TAG.sub("", text))
    if "\\" in text or "$" in text or "{" in text:
        text = re.sub(r"[${}]", "", repair(_ACCENT.sub(r"\1", text)))
    return text


def _counts(part: str) -> bool:
    return part[0].isalnum() or (unicodedata.category(part) == "Sm" and part not in _NO_TOKENS)


# By identifier


def _joined_by_identifier(records: Sequence[Record], numbers: Sequence[int]) -> list[list[int]]:
    """Sets of records that share identifiers, each in the given order, ordered by their first."""
    holders: dict[str, list[int]] = defaultdict(list)
    for number in numbers:
        for identifier in records[number].identifiers:
            holders[identifier].append(number)
    parent = {number: number for number in numbers}

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number

    for of_one in holders.values():
        if not _is_volume([records[number] for number in of_one]):
            for number in of_one[1:]:
                parent[root(number)] = root(of_one[0])
    sets: dict[int, list[int]] = defaultdict(list)
    for number in numbers:
        sets[root(number)].append(number)
    return list(sets.values())


def _is_volume(records: Sequence[Record]) -> bool:
    """Whether the identifier of these is a volume's, or a placeholder: what one source gives to two records, or several
    sources to three, that share neither title nor abstract. Two sources may tell of one paper in other words."""
    told: list[tuple[Record, set[str]]] = []
    for record in records:
        sources = next((sources for first, sources in told if _alike(first, record)), None)
        if sources is None:
            if len(told) == 2:
                return True
            told.append((record, sources := set()))
        sources.add(record.source)
    return len(told) == 2 and bool(told[0][1] & told[1][1])


def _alike(one: Record, other: Record) -> bool:
    """Whether two records may tell of one paper, by half of the shorter title's words or by abstract."""
    words, others = set(one.title.split()), set(other.title.split())
    return len(words & others) >= _ALIKE * min(len(words), len(others)) or one.text.agrees(other.text)


# By title


@dataclass(frozen=True)
class _Set:
    """Records that are one paper already."""

    numbers: tuple[int, ...]
    shown: tuple[Record, ...]
    """Those that differ in what is compared."""
    identifiers: frozenset[str]

    def contradicts(self, other: _Set) -> bool:
        """Whether both have an identifier of one kind, and none in common; a preprint's DOI contradicts no journal's."""
        kinds = [(self._of(kind), other._of(kind)) for kind in ("doi", "pmid", "arxiv")]
        return any(mine and theirs and not mine & theirs for mine, theirs in kinds)

    def _of(self, kind: str) -> set[str]:
        return {each for each in self.identifiers if each.startswith(f"{kind} ") and not is_preprint(each.removeprefix("doi "))}


class _Shelf:
    """Sets of one title that further ones are compared with, by what these may be found with."""

    def __init__(self) -> None:
        self._anchors: list[_Set] = []
        self._indexed = 0
        self._by_text: dict[str, int] = {}
        self._by_part: dict[str, list[int]] = defaultdict(list)

    def add(self, anchor: _Set) -> None:
        self._anchors.append(anchor)

    def near(self, one: _Set) -> list[_Set]:
        """All of a few; of many, those that share most of the abstract, or an author where there is none."""
        if len(self._anchors) <= _COMPARED:
            return self._anchors
        self._index()
        near = Counter[int]()
        for record in one.shown:
            for part in record.text.shingles or record.names:
                near.update(self._by_part.get(part, ())[:_COMPARED])
        same = {self._by_text[record.text.joined] for record in one.shown if record.text.joined in self._by_text}
        ranked = sorted(near, key=lambda place: (-near[place], place))[:_NEAREST]
        return [self._anchors[place] for place in sorted(same.union(ranked, range(_NEAREST)))]

    def _index(self) -> None:
        for place in range(self._indexed, len(self._anchors)):
            for record in self._anchors[place].shown:
                self._by_text.setdefault(record.text.joined, place)
                for part in (*record.text.shingles, *record.names):
                    self._by_part[part].append(place)
        self._indexed = len(self._anchors)


def _joined_by_title(records: Sequence[Record], sets: Iterable[Sequence[int]]) -> list[list[int]]:
    """Papers as lists of records, from sets in the order of their fullest record.

    The first set of a paper leads it; one that joins it and has identifiers for a title of its own leads it for that title.
    Two papers that stand already are not joined by a third that fits both: it goes to the nearer.
    """
    papers: list[list[int]] = []
    paper_of: dict[int, int] = {}
    titles_of: list[set[str]] = []
    shelves: dict[str, _Shelf] = defaultdict(_Shelf)
    for numbers in sets:
        one = _set(records, numbers)
        titles = {record.title for record in one.shown}
        near = {id(anchor): anchor for title in sorted(titles) for anchor in shelves[title].near(one)}
        fitting = [anchor for anchor in near.values() if _same_paper(one, anchor)]
        if fitting:
            nearest = max(fitting, key=lambda anchor: (_closeness(one, anchor), -paper_of[anchor.numbers[0]]))
            paper = paper_of[nearest.numbers[0]]
        else:
            paper = len(papers)
            papers.append([])
            titles_of.append(set())
        papers[paper].extend(numbers)
        paper_of[numbers[0]] = paper
        for title in sorted(titles - titles_of[paper]):
            shelves[title].add(one)
        titles_of[paper] |= titles
    return [sorted(numbers, key=lambda number: records[number].rank) for numbers in papers]


def _set(records: Sequence[Record], numbers: Sequence[int]) -> _Set:
    shown = {records[number].seen: records[number] for number in reversed(numbers)}
    return _Set(tuple(numbers), tuple(reversed(shown.values())), frozenset(each for n in numbers for each in records[n].identifiers))


def _same_paper(one: _Set, leader: _Set) -> bool:
    contradicts = one.contradicts(leader)
    return any(_same_title(a, b, contradicts) for a in one.shown for b in leader.shown if a.title == b.title)


def _same_title(one: Record, other: Record, contradicts: bool) -> bool:
    """Whether two records of one title are of one paper."""
    if one.starter or other.starter:  # a summary in other words
        return True
    if one.text.words and other.text.words:
        return one.text.agrees(other.text, same=contradicts)
    return not contradicts and not _apart(one, other)


def _apart(one: Record, other: Record) -> bool:
    """Whether authors or years say that these are two."""
    if one.names and other.names and not one.names & other.names:
        return True
    return one.year is not None and other.year is not None and abs(one.year - other.year) > _YEARS_APART


def _closeness(one: _Set, leader: _Set) -> tuple[float, int, bool]:
    """For choosing among several papers that fit."""
    pairs = [(a, b) for a in one.shown for b in leader.shown if a.title == b.title]
    return max((a.text.shared(b.text), len(a.names & b.names), a.year is not None and a.year == b.year) for a, b in pairs)


# Ids


def _with_ids(records: Sequence[Record], papers: Sequence[Sequence[int]]) -> list[Told]:
    """The id of a paper is its title's. Of several whose titles have the same id, that with the fullest record
    has it, as ever; the others' ids are made of what tells them from it."""
    clashing: dict[str, list[Sequence[int]]] = defaultdict(list)
    for numbers in papers:
        clashing[paper_id_of(records[numbers[0]].entry.title)].append(numbers)
    told = []
    for paper_id, those in clashing.items():
        those.sort(key=lambda numbers: records[numbers[0]].rank)
        titles = Counter(records[numbers[0]].title for numbers in those)
        given = {paper_id}
        told.append(Told(paper_id, tuple(those[0])))
        for numbers in those[1:]:
            record = records[numbers[0]]
            own = _derived(record, titles[record.title] == 1, given)
            given.add(own)
            told.append(Told(own, tuple(numbers)))
    return told


def _derived(record: Record, unique: bool, given: set[str]) -> str:
    """An id made of the title with its symbols, where that tells, else of the abstract too, else of all that is told."""
    texts = [f"title {record.title}"]
    texts.append(f"{texts[0]}\n{record.text.joined}")
    texts.append(f"{texts[1]}\n{record.identifiers} {sorted(record.names)} {record.year}")
    for text in texts if unique else texts[1:]:
        paper_id = hashed(text)
        if paper_id not in given:
            return paper_id
    return hashed(f"{texts[-1]}\n{len(given)}")
