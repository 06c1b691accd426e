"""From what sources tell to rows of the catalogue: planned without a lock, then written in one transaction.

Goes in: a connection, and sources with their entries. Comes out: what changed. Comparing, merging, repair and JSON
happen in planning, which keeps what it makes in temporary tables, so that neither a lock nor much memory is held
meanwhile. Only papers that share a key with what is told, or was, are made anew. Knows nothing of who else writes:
`write` says when the plan is out of date.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from index import filtering
from index.identity import Record, keys_of, papers_of
from index.merging import VERSION, merge
from index.paper import Entry, Paper, Source

Progress = Callable[[int, int], None]
Read = Sequence[tuple[Source, Sequence[Entry]]]

_SAME = {"display_title": "title", "raw_abstract": "abstract"}
"""Fields of a paper that mostly are as another, and then are not written."""
_AT_ONCE = 500
"""Groups of records, and rows, that are handled together."""

_TEMPORARY = """
CREATE TEMP TABLE staged (number INTEGER PRIMARY KEY, source TEXT, record TEXT);
CREATE TEMP TABLE staged_keys (key INTEGER, number INTEGER);
CREATE TEMP TABLE assigned (number INTEGER PRIMARY KEY, paper_id TEXT);
CREATE TEMP TABLE made (
    paper_id TEXT UNIQUE, record TEXT, digest TEXT, date TEXT, authors TEXT, venue TEXT, tags TEXT, folded_title TEXT,
    doi TEXT, arxiv_id TEXT, title TEXT, abstract TEXT
);
CREATE TEMP TABLE vanished (paper_id TEXT);
CREATE TEMP TABLE replaced (source_id INTEGER PRIMARY KEY);
CREATE TEMP TABLE probe (value PRIMARY KEY);
"""


@dataclass(frozen=True)
class Change:
    """What adding sources did, in numbers of entries; the first four add up to the sources' entries."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    """The same as what the library already held."""
    seen_before: int = 0
    """Repeats of a paper that came earlier in the same run."""
    gone: int = 0
    """Papers that these sources told before and that no source tells now."""


class OutOfDateError(Exception):
    """Another connection wrote after the plan was made."""


@dataclass
class Plan:
    """What is to be written, most of it in the connection's temporary tables."""

    sources: list[Source]
    """Those told, to be stored."""
    dropped: list[str] = field(default_factory=list)
    """Names of those to be forgotten."""
    version: int = 0
    """The state of the file that this was made from."""
    told: dict[str, str] = field(default_factory=dict)
    """Papers that the sources tell now, each with its outcome."""
    gone: int = 0
    entries: int = 0
    rows: int = 0
    """Papers to be written."""

    def change(self) -> Change:
        """In numbers."""
        outcomes = list(self.told.values())
        new, changed, unchanged = (outcomes.count(outcome) for outcome in ("new", "changed", "unchanged"))
        return Change(new, changed, unchanged, self.entries - len(outcomes), self.gone)


def plan(db: sqlite3.Connection, read: Read, dropped: Sequence[str], progress: Progress) -> Plan:
    """What is to be done so that the catalogue holds what these sources tell, and forgets those dropped."""
    made = Plan([source for source, _ in read], list(dropped), entries=sum(len(entries) for _, entries in read))
    db.execute("BEGIN")
    try:
        _clear(db)
        made.version = _version(db)
        _Planner(db, made).run(read, progress)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return made


def split(db: sqlite3.Connection) -> None:
    """Takes apart, within a transaction, what was held for one paper and is several; each paper keeps its id."""
    _clear(db)
    shared = "SELECT json_group_array(entry_id) FROM entries GROUP BY paper_id HAVING count(*) > 1"
    groups = [json.loads(row[0]) for row in db.execute(shared)]
    made = Plan([])
    planner = _Planner(db, made)
    for first in range(0, len(groups), _AT_ONCE):
        planner.make(groups[first : first + _AT_ONCE])
    _write_papers(db, made.rows, no_progress)


def write(db: sqlite3.Connection, made: Plan, progress: Progress) -> None:
    """Writes a plan, within a transaction. Raises `OutOfDateError`, having written nothing, where the file has changed since."""
    if _version(db) != made.version:
        raise OutOfDateError
    for source in made.sources:
        db.execute(
            "INSERT INTO sources (name, root, starter, options, merged_by) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET starter = excluded.starter, options = excluded.options, merged_by = excluded.merged_by, "
            "root = CASE WHEN excluded.root = excluded.name THEN root ELSE excluded.root END",  # a folder is not forgotten for its file
            (source.name, source.root, source.starter, source.options, VERSION),
        )
    (last,) = db.execute("SELECT coalesce(max(entry_id), 0) FROM entries").fetchone()
    db.execute("DELETE FROM entries WHERE source_id IN (SELECT source_id FROM replaced)")
    db.execute(
        "INSERT INTO entries (entry_id, source_id, paper_id, record) SELECT ? - number, source_id, paper_id, staged.record "
        "FROM staged JOIN assigned USING (number) JOIN sources ON name = source",
        (last,),
    )
    db.execute("INSERT OR IGNORE INTO entry_keys (key, entry_id) SELECT key, ? - number FROM staged_keys", (last,))
    db.executemany("DELETE FROM sources WHERE name = ?", [(name,) for name in made.dropped])
    _write_papers(db, made.rows, progress)


def _write_papers(db: sqlite3.Connection, rows: int, progress: Progress) -> None:
    """Writes the papers of the temporary tables, and where stored entries belong now."""
    db.execute("UPDATE entries SET paper_id = assigned.paper_id FROM assigned WHERE entry_id = number")
    changed = "SELECT number FROM papers WHERE paper_id IN (SELECT paper_id FROM made UNION ALL SELECT paper_id FROM vanished)"
    db.execute(f"DELETE FROM papers_text WHERE rowid IN ({changed})")
    db.execute("DELETE FROM papers WHERE paper_id IN (SELECT paper_id FROM vanished)")
    columns = ("record", "digest", "date", "authors", "venue", "tags", "folded_title", "doi", "arxiv_id")
    for first in range(0, rows, _AT_ONCE):
        progress(first, rows)
        within = (first, first + _AT_ONCE)
        db.execute(
            f"INSERT INTO papers (paper_id, {', '.join(columns)}) SELECT paper_id, {', '.join(columns)} FROM made "
            "WHERE made.rowid > ? AND made.rowid <= ? ORDER BY made.rowid "
            f"ON CONFLICT (paper_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns)}",
            within,
        )
        db.execute(
            "INSERT INTO papers_text (rowid, title, abstract) SELECT number, title, abstract FROM made JOIN papers USING (paper_id) "
            "WHERE made.rowid > ? AND made.rowid <= ? ORDER BY number",
            within,
        )
    if rows:
        progress(rows, rows)


def prepare(db: sqlite3.Connection) -> None:
    """Gives a connection the temporary tables and functions that planning needs."""
    db.executescript(_TEMPORARY)
    db.create_function("keys_of", 1, lambda record: json.dumps(hashed_keys(entry_of(record))), deterministic=True)
    db.create_function("filter_columns", 1, lambda record: json.dumps(filtering.columns(paper_of(record))), deterministic=True)


def entry_of(record: str) -> Entry:
    """An entry from its JSON."""
    return Entry(**_with_tuples(record))


def paper_of(record: str) -> Paper:
    """A paper from its JSON."""
    told = _with_tuples(record)
    return Paper(**{"display_title": told["title"], "raw_abstract": told["abstract"], **told})


def record_of(known: Entry | Paper) -> str:
    """The JSON of an entry or a paper, without what is not told, and what repair left as it was."""
    told = {name: value for name, value in vars(known).items() if value not in (None, ())}
    if isinstance(known, Paper):
        told = {name: value for name, value in told.items() if _SAME.get(name) is None or value != told[_SAME[name]]}
    return json.dumps(told)


def records_of(db: sqlite3.Connection, entry_ids: Iterable[int]) -> dict[int, tuple[str, Record]]:
    """Stored entries, each with the id of its paper."""
    rows = db.execute(
        "SELECT entry_id, paper_id, name, starter, record FROM entries JOIN sources USING (source_id) "
        "WHERE entry_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(entry_ids)),),
    )
    return {number: (paper_id, Record(name, bool(starter), entry_of(record))) for number, paper_id, name, starter, record in rows}


class _Planner:
    """Plans one change. Entries have numbers: stored ones their id; those told now -1, -2 and so on."""

    def __init__(self, db: sqlite3.Connection, made: Plan) -> None:
        self._db = db
        self._made = made
        self._staged: list[tuple[Source, Entry]] = []
        self._names = {source.name for source in made.sources}
        self._groups = _Groups()
        self._former: set[str] = set()
        """Ids that papers had which are made anew."""
        self._kept: set[str] = set()
        """Of those, the ids of papers that a source tells which is not replaced."""
        self._given: set[str] = set()
        """Ids that papers have now."""

    def run(self, read: Read, progress: Progress) -> None:
        """Fills the plan and the temporary tables."""
        changed = [(source, entries) for source, entries in read if not self._is_stored(source, entries)]
        self._replace([source.name for source, _ in changed] + self._made.dropped)
        for source, entries in changed:
            self._stage(source, entries)
        self._reach()
        groups = self._groups.all()
        for first in range(0, len(groups), _AT_ONCE):
            progress(first, len(groups))
            self.make(groups[first : first + _AT_ONCE])
        if groups:
            progress(len(groups), len(groups))
        self._vanish()

    def _is_stored(self, source: Source, entries: Sequence[Entry]) -> bool:
        """Whether the catalogue holds just this; its papers then count as told."""
        known = self._db.execute("SELECT source_id, starter, merged_by FROM sources WHERE name = ?", (source.name,)).fetchone()
        if known is None or known[1:] != (source.starter, VERSION):
            return False
        rows = self._db.execute("SELECT record, paper_id FROM entries WHERE source_id = ? ORDER BY entry_id", known[:1])
        papers: dict[str, str] = {}
        for entry in entries:
            row = rows.fetchone()
            if row is None or (row[0] != record_of(entry) and entry_of(row[0]) != entry):  # an older version wrote it longer
                return False
            papers[row[1]] = "unchanged"
        if rows.fetchone() is not None:
            return False
        self._made.told |= papers
        return True

    def _replace(self, names: Sequence[str]) -> None:
        self._db.executemany("INSERT OR IGNORE INTO replaced SELECT source_id FROM sources WHERE name = ?", [(name,) for name in names])
        rows = self._db.execute("SELECT DISTINCT paper_id FROM entries WHERE source_id IN (SELECT source_id FROM replaced)")
        self._former.update(row[0] for row in rows)

    def _stage(self, source: Source, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._staged.append((source, entry))
            number = -len(self._staged)
            keys = hashed_keys(entry)
            self._db.execute("INSERT INTO staged VALUES (?, ?, ?)", (number, source.name, record_of(entry)))
            self._db.executemany("INSERT INTO staged_keys VALUES (?, ?)", [(key, number) for key in keys])
            self._groups.add(number, keys)

    def _reach(self) -> None:
        """Adds all stored entries that share a key with what is told now, or was, or with one that does."""
        replaced = "source_id IN (SELECT source_id FROM replaced)"
        was = self._db.execute(f"SELECT DISTINCT key FROM entries JOIN entry_keys USING (entry_id) WHERE {replaced}")
        keys = self._groups.keys() | {row[0] for row in was}
        known, seen = set(keys), set[int]()
        while keys:
            self._probe(keys)
            holders = f"SELECT entry_id FROM probe JOIN entry_keys ON key = value JOIN entries USING (entry_id) WHERE NOT {replaced}"
            fresh = {row[0] for row in self._db.execute(holders)} - seen
            seen |= fresh
            self._probe(fresh)
            keys_of_entry: dict[int, list[int]] = defaultdict(list)
            for entry_id, key in self._db.execute("SELECT entry_id, key FROM probe JOIN entry_keys ON entry_id = value"):
                keys_of_entry[entry_id].append(key)
            for entry_id in sorted(keys_of_entry):
                self._groups.add(entry_id, keys_of_entry[entry_id])
            keys = {key for of in keys_of_entry.values() for key in of} - known
            known |= keys

    def _probe(self, values: Iterable[int]) -> None:
        self._db.execute("DELETE FROM probe")
        self._db.executemany("INSERT INTO probe VALUES (?)", ((value,) for value in values))

    def make(self, groups: Sequence[Sequence[int]]) -> None:
        """Makes the papers of groups of entries."""
        stored = records_of(self._db, (number for group in groups for number in group if number > 0))
        self._kept.update(paper_id for paper_id, _ in stored.values())
        papers: list[tuple[Paper, bool]] = []
        for group in groups:
            records = [stored[number][1] if number > 0 else self._record(number) for number in group]
            for told in papers_of(records):
                numbers = [group[place] for place in told.records]
                self._db.executemany("INSERT INTO assigned VALUES (?, ?)", [(number, told.paper_id) for number in numbers])
                of_paper = [records[place] for place in told.records]
                papers.append((merge(told.paper_id, of_paper), any(record.source in self._names for record in of_paper)))
        self._compare(papers)

    def _record(self, number: int) -> Record:
        source, entry = self._staged[-number - 1]
        return Record(source.name, source.starter, entry)

    def _compare(self, papers: Sequence[tuple[Paper, bool]]) -> None:
        """Keeps those that differ from what is stored."""
        ids = json.dumps([paper.paper_id for paper, _ in papers])
        query = "SELECT paper_id, record FROM papers WHERE paper_id IN (SELECT value FROM json_each(?))"
        before = dict(self._db.execute(query, (ids,)))
        for paper, is_told in papers:
            record = record_of(paper)
            was = before.get(paper.paper_id)
            self._given.add(paper.paper_id)
            if is_told:
                self._made.told[paper.paper_id] = _outcome(was, record)
            if was is None or (was != record and paper_of(was) != paper):
                self._made.rows += 1
                row = (self._made.rows, paper.paper_id, record, digest(paper), *filtering.columns(paper))
                self._db.execute(
                    "INSERT INTO made (rowid, paper_id, record, digest, date, authors, venue, tags, folded_title, "
                    f"doi, arxiv_id, title, abstract) VALUES ({', '.join('?' * 13)})",
                    (*row, paper.doi, paper.arxiv_id, paper.display_title, paper.abstract),
                )

    def _vanish(self) -> None:
        """Forgets the ids that no paper has any more. A paper that became another's is not gone."""
        vanished = (self._former | self._kept) - self._given
        self._db.executemany("INSERT INTO vanished VALUES (?)", [(paper_id,) for paper_id in vanished])
        for paper_id in vanished:
            self._made.told.pop(paper_id, None)
        told = {entry.paper_id for _, entry in self._staged} if vanished else set()
        self._made.gone = len(vanished - self._kept - told)


class _Groups:
    """Entries that share keys, directly or by way of others."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._holder: dict[int, int] = {}

    def add(self, number: int, keys: Iterable[int]) -> None:
        """Adds an entry with its keys."""
        self._parent.setdefault(number, number)
        for key in keys:
            holder = self._holder.setdefault(key, number)
            self._parent[self._root(number)] = self._root(holder)

    def keys(self) -> set[int]:
        """All keys so far."""
        return set(self._holder)

    def all(self) -> list[list[int]]:
        """The groups, in the order of their first entries."""
        groups: dict[int, list[int]] = defaultdict(list)
        for number in self._parent:
            groups[self._root(number)].append(number)
        return list(groups.values())

    def _root(self, number: int) -> int:
        parent = self._parent
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number


def digest(paper: Paper) -> str:
    """Of what is embedded of a paper."""
    return hashlib.sha256(f"{paper.display_title}\n{paper.abstract}".encode()).hexdigest()


def hashed_keys(entry: Entry) -> list[int]:
    """What `keys_of` names, as the catalogue stores it."""
    hashes = [hashlib.blake2b(key.encode(), digest_size=8).digest() for key in keys_of(entry)]
    return [int.from_bytes(each, "big", signed=True) for each in hashes]


def _outcome(before: str | None, record: str) -> str:
    if before is None:
        return "new"
    return "unchanged" if before == record or _without_sources(before) == _without_sources(record) else "changed"


def _without_sources(record: str) -> dict[str, object]:
    known: dict[str, object] = vars(paper_of(record))
    return {name: value for name, value in known.items() if name != "sources"}


def _with_tuples(record: str) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(record).items()}


def no_progress(done: int, total: int) -> None:
    """Nobody is told."""


def _version(db: sqlite3.Connection) -> int:
    db.execute("SELECT 1 FROM sources LIMIT 1").fetchone()  # so that a transaction sees one state from here on
    return int(db.execute("PRAGMA data_version").fetchone()[0])


def _clear(db: sqlite3.Connection) -> None:
    for table in ("staged", "staged_keys", "assigned", "made", "vanished", "replaced"):
        db.execute(f"DELETE FROM {table}")
