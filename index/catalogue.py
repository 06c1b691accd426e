"""The catalogue: SQLite, the truth about papers, where each came from, and their text index.

Goes in: entries of sources, in transactions. Comes out: papers, and lexical matches. Knows
nothing of vectors and nothing of questions.
One `Catalogue` serves many threads; no two use a connection at once.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import BusyError, HomeError, IndexingError
from index.merging import combine, merge
from index.paper import Entry, Paper, Source

SCHEMA_VERSION = 1
_MIGRATIONS: dict[int, str] = {}
"""For each version, the SQL that brings the version before it up to it."""

_LOCK_SECONDS = 30

Spans = tuple[tuple[int, int], ...]


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


@dataclass(frozen=True)
class PaperFilter:
    """Which papers may be used; what is None does not filter."""

    since: str | None = None
    """Earliest date, `2024`, `2024-05` or `2024-05-01`; papers without a year are left out."""
    until: str | None = None
    """Latest date, inclusive, in the same forms."""
    source: str | None = None
    """A part of a source's name."""
    author: str | None = None
    """A part of an author's name."""
    text: str | None = None
    """A part of the title or the abstract."""


class Catalogue:
    """Papers and their sources in one SQLite file."""

    def __init__(self, path: Path) -> None:
        """Opens the file, creating or migrating it. Raises `HomeError` where it cannot."""
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._prepare()

    def close(self) -> None:
        """Closes the connections; the next call opens one again."""
        while self._idle:
            self._idle.pop().close()

    # Writing

    def put_sources(self, read: Sequence[tuple[Source, Sequence[Entry]]]) -> Change:
        """Stores all entries of these sources, replacing what each held before, in one transaction."""
        told: dict[str, None] = {}  # in the sources' order, which papers are then embedded in
        held: dict[str, None] = {}
        with self._transaction() as db:
            for source, entries in read:
                before, now = _put(db, source, entries)
                held |= dict.fromkeys(before)
                told |= dict.fromkeys(now)
            outcomes = [_rebuild(db, paper_id) for paper_id in told]
            gone = [_rebuild(db, paper_id) for paper_id in held.keys() - told.keys()].count("gone")
        repeats = sum(len(entries) for _, entries in read) - len(told)
        return Change(outcomes.count("new"), outcomes.count("changed"), outcomes.count("unchanged"), repeats, gone)

    def remove_source(self, name: str) -> int:
        """Forgets a source; papers that no other source tells go with it. Their number."""
        with self._transaction() as db:
            ids = [row[0] for row in db.execute("SELECT paper_id FROM entries JOIN sources USING (source_id) WHERE name = ?", (name,))]
            db.execute("DELETE FROM sources WHERE name = ?", (name,))
            return [_rebuild(db, paper_id) for paper_id in ids].count("gone")

    # Reading

    def count(self) -> int:
        """The number of papers."""
        return int(self._rows("SELECT count(*) FROM papers")[0][0])

    def papers(self, paper_ids: Sequence[str] | None = None) -> list[Paper]:
        """The papers of these ids, in that order, unknown ones left out; all, by title, without."""
        if paper_ids is None:
            rows = self._rows("SELECT record FROM papers")
            return sorted((_paper(row[0]) for row in rows), key=lambda paper: paper.display_title.casefold())
        wanted = (json.dumps(list(paper_ids)),)
        found = self._rows("SELECT paper_id, record FROM papers WHERE paper_id IN (SELECT value FROM json_each(?))", wanted)
        by_id = {paper_id: _paper(record) for paper_id, record in found}
        return [by_id[paper_id] for paper_id in paper_ids if paper_id in by_id]

    def sources(self) -> list[tuple[Source, int]]:
        """The sources by name, each with its number of papers."""
        rows = self._rows(
            "SELECT name, root, starter, count(paper_id) FROM sources LEFT JOIN entries USING (source_id) GROUP BY source_id ORDER BY name"
        )
        return [(Source(name, root, bool(starter)), count) for name, root, starter, count in rows]

    def match(self, expression: str, title_weight: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The numbers of all papers that match an FTS5 expression, and their BM25 scores."""
        rows = self._rows("SELECT rowid, -bm25(papers_text, ?, 1.0) FROM papers_text WHERE papers_text MATCH ?", (title_weight, expression))
        found = np.array(rows, dtype=np.float64).reshape(-1, 2)
        return found[:, 0].astype(np.int64), found[:, 1]

    def allowed(self, wanted: PaperFilter) -> set[str]:
        """Ids of the papers that pass a filter."""
        clauses, values = ["1"], []
        if wanted.since:
            clauses.append("date >= ?")
            values.append(wanted.since)
        if wanted.until:
            clauses.append("date <= ?")
            values.append(wanted.until + "\uffff")  # 2024 holds all of 2024-…
        if wanted.source:
            clauses.append(f"paper_id IN (SELECT paper_id FROM entries JOIN sources USING (source_id) WHERE {_holds('name')})")
            values.append(wanted.source)
        if wanted.author:
            clauses.append(f"EXISTS (SELECT 1 FROM json_each(record, '$.authors') WHERE {_holds('value')})")
            values.append(wanted.author)
        if wanted.text:
            clauses.append(_holds("json_extract(record, '$.display_title') || ' ' || json_extract(record, '$.abstract')"))
            values.append(wanted.text)
        return {row[0] for row in self._rows(f"SELECT paper_id FROM papers WHERE {' AND '.join(clauses)}", values)}

    def vocabulary(self) -> dict[str, int]:
        """Every stemmed term, with the number of papers that hold it."""
        return dict(self._rows("SELECT term, doc FROM temp.terms_row"))

    def term_counts(self) -> tuple[list[bytes], NDArray[np.int64]]:
        """Every stemmed term, in order, and how often it occurs in all."""
        rows = self._rows("SELECT term, cnt FROM temp.terms_row")
        return [term.encode() for term, _ in rows], np.fromiter((count for _, count in rows), dtype=np.int64, count=len(rows))

    def occurrences(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """For every one of so many occurrences, term by term in order: the paper's number, rising, and whether it is in the title."""
        with self._connection() as db:
            rows = db.execute("SELECT doc * 2 + (col = 'title') FROM temp.terms_instance")
            found = np.fromiter((row[0] for row in rows), dtype=np.int64, count=count)
        return found >> 1, (found & 1).astype(bool)

    def ids(self, numbers: Sequence[int]) -> dict[int, str]:
        """The ids of papers of these numbers, unknown ones left out."""
        query = "SELECT number, paper_id FROM papers WHERE number IN (SELECT value FROM json_each(?))"
        return dict(self._rows(query, (json.dumps(list(numbers)),)))

    def holders(self, term: str) -> NDArray[np.int64]:
        """The numbers of the papers that hold a stemmed term, rising."""
        rows = self._rows("SELECT DISTINCT doc FROM temp.terms_instance WHERE term = ? ORDER BY doc", (term,))
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def numbers(self, paper_ids: Sequence[str]) -> dict[str, int]:
        """The numbers of these papers, as `holders` tells them; unknown ones left out."""
        query = "SELECT paper_id, number FROM papers WHERE paper_id IN (SELECT value FROM json_each(?))"
        return dict(self._rows(query, (json.dumps(list(paper_ids)),)))

    def text_holding(self, term: str, papers: int) -> str:
        """Titles and abstracts of up to so many papers that hold a stemmed term, in one text."""
        query = (
            "SELECT title || ' ' || abstract FROM (SELECT DISTINCT doc FROM temp.terms_instance WHERE term = ? LIMIT ?) "
            "JOIN papers_text ON papers_text.rowid = doc"
        )
        return " ".join(row[0] for row in self._rows(query, (term, papers)))

    def digests(self) -> dict[str, str]:
        """For every paper, the digest of what is to be embedded of it."""
        return dict(self._rows("SELECT paper_id, digest FROM papers"))

    # Connections

    def _rows(self, query: str, values: Sequence[str | int | float] = ()) -> list[Any]:
        with self._connection() as db:
            return db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that no other thread uses meanwhile. SQLite's errors become ours."""
        db: sqlite3.Connection | None = None
        try:
            db = self._idle.pop() if self._idle else self._opened()
            yield db
        except sqlite3.Error as error:
            raise self._translated(error) from error
        finally:
            if db is not None:
                self._idle.append(db)

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=_LOCK_SECONDS, check_same_thread=False, isolation_level=None)
        db.create_function("casefold", 1, str.casefold, deterministic=True)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        for kind in ("row", "instance"):  # FTS5's own views of the text index
            db.execute(f"CREATE VIRTUAL TABLE temp.terms_{kind} USING fts5vocab(main, papers_text, {kind})")
        return db

    def _translated(self, error: sqlite3.Error) -> IndexingError:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            return BusyError(f"{self.path}: another process is writing to this home: wait until it is done, then try again")
        return HomeError(
            f"{self.path}: the catalogue cannot be read or written ({error}). Check the disk's space and permissions; "
            "if the file is damaged, move it away and index again."
        )

    def _prepare(self) -> None:
        """Brings the file to this program's schema, in one transaction."""
        if self._version(self._rows("PRAGMA user_version")) == SCHEMA_VERSION:
            return
        with self._transaction() as db:
            version = self._version(db.execute("PRAGMA user_version").fetchall())
            if version == 0:
                _run(db, resources.files("index").joinpath("schema.sql").read_text())
            for step in range(max(version, 1) + 1, SCHEMA_VERSION + 1):
                _run(db, _MIGRATIONS[step])
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _version(self, rows: list[Any]) -> int:
        version = int(rows[0][0])
        if version > SCHEMA_VERSION:
            raise HomeError(
                f"{self.path}: made by a newer version of this program (schema {version}, known: {SCHEMA_VERSION}). "
                "Update the program, or use another home."
            )
        return version


def _run(db: sqlite3.Connection, script: str) -> None:
    """Runs the statements of a script (`executescript` would commit the open transaction)."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            db.execute(pending)
            pending = ""


def _holds(expression: str) -> str:
    """SQL: whether a text holds the next value, whatever the case."""
    return f"instr(casefold({expression}), casefold(?))"


def _put(db: sqlite3.Connection, source: Source, entries: Sequence[Entry]) -> tuple[list[str], list[str]]:
    """Stores what one source tells. The papers that it told before, and those that it tells now."""
    told: dict[str, Entry] = {}
    for entry in entries:
        paper_id = entry.paper_id
        told[paper_id] = combine(told[paper_id], entry) if paper_id in told else entry
    db.execute(
        "INSERT INTO sources (name, root, starter) VALUES (?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET starter = excluded.starter, "
        "root = CASE WHEN excluded.root = excluded.name THEN root ELSE excluded.root END",  # a folder is not forgotten for its file
        (source.name, source.root, source.starter),
    )
    (source_id,) = db.execute("SELECT source_id FROM sources WHERE name = ?", (source.name,)).fetchone()
    held = [row[0] for row in db.execute("SELECT paper_id FROM entries WHERE source_id = ?", (source_id,))]
    db.execute("DELETE FROM entries WHERE source_id = ?", (source_id,))
    db.executemany(
        "INSERT INTO entries VALUES (?, ?, ?)",
        [(source_id, paper_id, json.dumps(asdict(entry))) for paper_id, entry in told.items()],
    )
    return held, list(told)


def _rebuild(db: sqlite3.Connection, paper_id: str) -> str:
    """Makes a paper anew from its entries: `new`, `changed`, `unchanged` or `gone`."""
    before = db.execute("SELECT number, record FROM papers WHERE paper_id = ?", (paper_id,)).fetchone()
    told = [
        (Source(name, root, bool(starter)), _entry(record))
        for name, root, starter, record in db.execute(
            "SELECT name, root, starter, record FROM entries JOIN sources USING (source_id) WHERE paper_id = ?", (paper_id,)
        )
    ]
    if not told:
        if before:
            db.execute("DELETE FROM papers WHERE paper_id = ?", (paper_id,))
            db.execute("DELETE FROM papers_text WHERE rowid = ?", (before[0],))
        return "gone"
    paper = merge(paper_id, told)
    record = json.dumps(asdict(paper))
    digest = hashlib.sha256(f"{paper.display_title}\n{paper.abstract}".encode()).hexdigest()
    date = paper.date_inferred if paper.date is None or paper.date.startswith("--") else paper.date
    if before is None:
        number = db.execute(
            "INSERT INTO papers (paper_id, record, date, digest) VALUES (?, ?, ?, ?)", (paper_id, record, date, digest)
        ).lastrowid
    else:
        number = before[0]
        if before[1] == record:
            return "unchanged"
        db.execute("UPDATE papers SET record = ?, date = ?, digest = ? WHERE paper_id = ?", (record, date, digest, paper_id))
        db.execute("DELETE FROM papers_text WHERE rowid = ?", (number,))
    db.execute("INSERT INTO papers_text (rowid, title, abstract) VALUES (?, ?, ?)", (number, paper.display_title, paper.abstract))
    if before is None:
        return "new"
    return "changed" if _without_sources(before[1]) != _without_sources(record) else "unchanged"


def _entry(record: str) -> Entry:
    return Entry(**_with_tuples(record))


def _paper(record: str) -> Paper:
    return Paper(**_with_tuples(record))


def _with_tuples(record: str) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(record).items()}


def _without_sources(record: str) -> dict[str, object]:
    known: dict[str, object] = json.loads(record)
    del known["sources"]
    return known
