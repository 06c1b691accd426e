"""The catalogue: SQLite, the truth about papers, where each came from, and their text index.

Goes in: entries of sources, in transactions. Comes out: papers, and lexical matches. Knows
nothing of vectors but a table that says which papers they hold, and nothing of questions.
One `Catalogue` serves many threads, each on a connection of its own.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

from index.errors import HomeError
from index.paper import SUMMARY_NOTE, Entry, Paper, paper_id_of
from index.repair import repair

SCHEMA_VERSION = 1
_MIGRATIONS: dict[int, str] = {}
"""For each version, the SQL that brings the version before it up to it."""

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Source:
    """One file that papers came from."""

    name: str
    root: str
    starter: bool = False


@dataclass(frozen=True)
class Change:
    """What adding one source did, in numbers of entries; they add up to its entries."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    """The same as what the library already held."""
    seen_before: int = 0
    """Repeats of a paper that came earlier in the same run."""

    def __add__(self, other: Change) -> Change:
        return Change(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.seen_before + other.seen_before,
        )


@dataclass(frozen=True)
class Embedded:
    """What the vectors hold of one paper."""

    fingerprint: str
    digest: str | None
    sentences: Spans


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
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise HomeError(f"{path}: the catalogue cannot be opened ({error}). If it is damaged, move it away and index again.") from error

    def close(self) -> None:
        """Closes the connections of all threads."""
        while self._connections:
            self._connections.pop().close()
        self._local = threading.local()

    # Writing

    def put_sources(self, read: Sequence[tuple[Source, Sequence[Entry]]]) -> Change:
        """Stores all entries of these sources, replacing what each held before, in one transaction."""
        total = Change()
        seen: set[str] = set()
        with self._transaction() as db:
            for source, entries in read:
                total += _put(db, source, entries, seen)
        return total

    def remove_source(self, name: str) -> int:
        """Forgets a source; papers that no other source tells go with it. Their number."""
        with self._transaction() as db:
            ids = [row[0] for row in db.execute("SELECT paper_id FROM entries JOIN sources USING (source_id) WHERE name = ?", (name,))]
            db.execute("DELETE FROM sources WHERE name = ?", (name,))
            return [_rebuild(db, paper_id) for paper_id in ids].count("gone")

    def mark_embedded(self, states: dict[str, Embedded]) -> None:
        """Records what the vectors hold (or, with digest None, are about to)."""
        rows = [(key, state.fingerprint, state.digest, json.dumps(state.sentences)) for key, state in states.items()]
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO embedded VALUES (?, ?, ?, ?)", rows)

    def forget_embedded(self, paper_ids: Iterable[str]) -> None:
        """Records that the vectors hold nothing of these papers."""
        with self._transaction() as db:
            db.executemany("DELETE FROM embedded WHERE paper_id = ?", [(paper_id,) for paper_id in paper_ids])

    # Reading

    def count(self) -> int:
        """The number of papers."""
        return int(self._db().execute("SELECT count(*) FROM papers").fetchone()[0])

    def papers(self, paper_ids: Sequence[str] | None = None) -> list[Paper]:
        """The papers of these ids, in that order, unknown ones left out; all, by title, without."""
        if paper_ids is None:
            rows = self._db().execute("SELECT record FROM papers").fetchall()
            return sorted((_paper(row[0]) for row in rows), key=lambda paper: paper.display_title.casefold())
        found = self._db().execute(
            "SELECT paper_id, record FROM papers WHERE paper_id IN (SELECT value FROM json_each(?))", (json.dumps(list(paper_ids)),)
        )
        by_id = {paper_id: _paper(record) for paper_id, record in found}
        return [by_id[paper_id] for paper_id in paper_ids if paper_id in by_id]

    def sources(self) -> list[tuple[Source, int]]:
        """The sources by name, each with its number of papers."""
        rows = self._db().execute(
            "SELECT name, root, starter, count(paper_id) FROM sources LEFT JOIN entries USING (source_id) GROUP BY source_id ORDER BY name"
        )
        return [(Source(name, root, bool(starter)), count) for name, root, starter, count in rows]

    def match(self, expression: str, limit: int, title_weight: float) -> list[tuple[str, float]]:
        """Papers that match an FTS5 expression, with their BM25 scores, best (highest) first."""
        rows = self._db().execute(
            "SELECT paper_id, -bm25(papers_text, ?, 1.0) AS score FROM papers_text JOIN papers ON number = papers_text.rowid "
            "WHERE papers_text MATCH ? ORDER BY score DESC, paper_id LIMIT ?",
            (title_weight, expression, limit),
        )
        return [(paper_id, float(score)) for paper_id, score in rows]

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
            clauses.append("paper_id IN (SELECT paper_id FROM entries JOIN sources USING (source_id) WHERE instr(lower(name), lower(?)))")
            values.append(wanted.source)
        if wanted.author:
            clauses.append("instr(lower(json_extract(record, '$.authors')), lower(?))")
            values.append(wanted.author)
        if wanted.text:
            clauses.append("instr(lower(json_extract(record, '$.display_title') || ' ' || json_extract(record, '$.abstract')), lower(?))")
            values.append(wanted.text)
        query = f"SELECT paper_id FROM papers WHERE {' AND '.join(clauses)}"
        return {row[0] for row in self._db().execute(query, values)}

    def document_frequency(self, term: str) -> int:
        """The number of papers that hold a stemmed term."""
        db = self._db()
        db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab(main, papers_text, row)")
        row = db.execute("SELECT doc FROM temp.terms WHERE term = ?", (term,)).fetchone()
        return int(row[0]) if row else 0

    def confirmed(self, fingerprint: str) -> dict[str, str]:
        """Papers whose vectors are up to date, each with the digest of what was embedded."""
        query = "SELECT paper_id, digest FROM papers JOIN embedded USING (paper_id, digest) WHERE fingerprint = ?"
        return dict(self._db().execute(query, (fingerprint,)).fetchall())

    def digests(self) -> dict[str, str]:
        """For every paper, the digest of what is to be embedded of it."""
        return dict(self._db().execute("SELECT paper_id, digest FROM papers").fetchall())

    def embedded(self, paper_ids: Sequence[str] | None = None) -> dict[str, Embedded]:
        """What the vectors hold, by paper: of these papers, or of all."""
        query, values = "SELECT * FROM embedded", tuple[str, ...]()
        if paper_ids is not None:
            query += " WHERE paper_id IN (SELECT value FROM json_each(?))"
            values = (json.dumps(list(paper_ids)),)
        return {
            paper_id: Embedded(fingerprint, digest, tuple((start, end) for start, end in json.loads(sentences)))
            for paper_id, fingerprint, digest, sentences in self._db().execute(query, values)
        }

    # Connections

    def _db(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=30, check_same_thread=False, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._db()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def _prepare(self) -> None:
        with self._transaction() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise HomeError(
                    f"{self.path}: made by a newer version of this program (schema {version}, known: {SCHEMA_VERSION}). "
                    "Update the program, or use another home."
                )
            if version == SCHEMA_VERSION:
                return
            steps = [resources.files("index").joinpath("schema.sql").read_text()] if version == 0 else [
                _MIGRATIONS[step] for step in range(version + 1, SCHEMA_VERSION + 1)
            ]  # fmt: skip
            for statement in _statements("\n".join(steps)):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script (`executescript` would commit the open transaction)."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _put(db: sqlite3.Connection, source: Source, entries: Sequence[Entry], seen: set[str]) -> Change:
    """Stores one source; `seen` holds the papers that this run has met, and gains these."""
    first_of: dict[str, Entry] = {}
    for entry in entries:
        first_of.setdefault(paper_id_of(entry.title), entry)
    db.execute(
        "INSERT INTO sources (name, root, starter) VALUES (?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET root = excluded.root, starter = excluded.starter",
        (source.name, source.root, source.starter),
    )
    (source_id,) = db.execute("SELECT source_id FROM sources WHERE name = ?", (source.name,)).fetchone()
    held = {row[0] for row in db.execute("SELECT paper_id FROM entries WHERE source_id = ?", (source_id,))}
    db.execute("DELETE FROM entries WHERE source_id = ?", (source_id,))
    db.executemany(
        "INSERT INTO entries VALUES (?, ?, ?)",
        [(source_id, paper_id, json.dumps(asdict(entry))) for paper_id, entry in first_of.items()],
    )
    outcomes = [_rebuild(db, paper_id) for paper_id in first_of if paper_id not in seen]
    for paper_id in (held - set(first_of)) | (seen & set(first_of)):
        _rebuild(db, paper_id)
    seen.update(first_of)
    return Change(outcomes.count("new"), outcomes.count("changed"), outcomes.count("unchanged"), len(entries) - len(outcomes))


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


def merge(paper_id: str, told: Sequence[tuple[Source, Entry]]) -> Paper:
    """One paper from all that its sources tell, in whatever order they came.

    The authors' abstract goes before a summary of ours, a longer one before a shorter (which
    may be cut off); other facts come from the first source, by name, that tells them.
    """
    ranked = sorted(told, key=lambda pair: (pair[0].starter, -len(pair[1].abstract), pair[0].name))
    entries = [entry for _, entry in ranked]
    best_source, best = ranked[0]
    dated = next((entry for entry in entries if entry.date and not entry.date.startswith("--")), None) or next(
        (entry for entry in entries if entry.date), best
    )
    return Paper(
        paper_id=paper_id,
        title=best.title,
        display_title=repair(best.title),
        abstract=repair(best.abstract),
        raw_abstract=best.abstract,
        date=dated.date,
        date_inferred=dated.date_inferred,
        author_count=next((entry.author_count for entry in entries if entry.author_count is not None), None),
        authors=next((entry.authors for entry in entries if entry.authors), ()),
        comment_count=next((entry.comment_count for entry in entries if entry.comment_count is not None), None),
        arxiv_id=next((entry.arxiv_id for entry in entries if entry.arxiv_id), None),
        url=next((entry.url for entry in entries if entry.url), None),
        note=SUMMARY_NOTE if best_source.starter else best.note,
        sources=tuple(sorted({source.name for source, _ in told})),
    )


def _entry(record: str) -> Entry:
    fields = json.loads(record)
    return Entry(**{**fields, "authors": tuple(fields["authors"])})


def _paper(record: str) -> Paper:
    fields = json.loads(record)
    return Paper(**{**fields, "authors": tuple(fields["authors"]), "sources": tuple(fields["sources"])})


def _without_sources(record: str) -> dict[str, object]:
    fields: dict[str, object] = json.loads(record)
    del fields["sources"]
    return fields
