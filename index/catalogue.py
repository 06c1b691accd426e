"""The catalogue: SQLite, the truth about papers, where each came from, and their text index.

Goes in: entries of sources, in transactions. Comes out: papers, and lexical matches. Knows
nothing of vectors and nothing of questions.
One `Catalogue` serves many threads; no two use a connection at once.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from index import browsing, filtering, storing
from index.browsing import Browse, Count, Field
from index.errors import BusyError, HomeError, IndexingError
from index.filtering import PaperFilter, condition
from index.identity import Record
from index.merging import Said, differences
from index.paper import Entry, Paper, Source
from index.storing import Change, OutOfDateError, Plan, Progress, Read, entry_of, no_progress, paper_of, plan, write

SCHEMA_VERSION = 3
_MIGRATIONS: dict[int, str] = {
    2: """
ALTER TABLE sources ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
ALTER TABLE sources ADD COLUMN merged_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entries RENAME TO entries_1;
DROP INDEX entries_of_paper;
CREATE TABLE entries (
    entry_id  INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
    paper_id  TEXT NOT NULL,
    record    TEXT NOT NULL
);
INSERT INTO entries (source_id, paper_id, record)
SELECT source_id, paper_id, record FROM entries_1 ORDER BY source_id, json_extract(record, '$.line'), paper_id;
DROP TABLE entries_1;
CREATE INDEX entries_of_source ON entries (source_id);
CREATE INDEX entries_of_paper ON entries (paper_id, source_id);
CREATE TABLE entry_keys (
    key      INTEGER NOT NULL,
    entry_id INTEGER NOT NULL REFERENCES entries ON DELETE CASCADE,
    PRIMARY KEY (key, entry_id)
) WITHOUT ROWID;
CREATE INDEX keys_of_entry ON entry_keys (entry_id);
INSERT OR IGNORE INTO entry_keys SELECT value, entry_id FROM entries, json_each(keys_of(record));
ALTER TABLE papers ADD COLUMN authors TEXT NOT NULL DEFAULT '';
ALTER TABLE papers ADD COLUMN venue TEXT NOT NULL DEFAULT '';
ALTER TABLE papers ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE papers ADD COLUMN doi TEXT;
ALTER TABLE papers ADD COLUMN arxiv_id TEXT;
UPDATE papers SET authors = json_extract(filter_columns(record), '$[1]'), venue = json_extract(filter_columns(record), '$[2]'),
    tags = json_extract(filter_columns(record), '$[3]'), doi = json_extract(record, '$.doi'),
    arxiv_id = json_extract(record, '$.arxiv_id');
CREATE INDEX papers_filtered ON papers (date, authors, venue, tags, paper_id);
DROP TABLE embedded;
""",
    3: """
ALTER TABLE papers ADD COLUMN folded_title TEXT NOT NULL DEFAULT '';
UPDATE papers SET folded_title = json_extract(filter_columns(record), '$[4]');
DROP INDEX papers_filtered;
CREATE INDEX papers_listed ON papers (date, folded_title, authors, venue, tags, paper_id);
CREATE INDEX papers_by_title ON papers (folded_title);
CREATE INDEX papers_by_venue ON papers (trim(venue) = '', venue, folded_title);
""",
}
"""For each version, the SQL that brings the version before it up to it."""

_AFTERWARDS: dict[int, Callable[[sqlite3.Connection], None]] = {2: storing.split}
"""For some versions, what is to be done with the rows once all columns are there."""

_ATTEMPTS = 5
_LOCK_SECONDS = 30

Spans = tuple[tuple[int, int], ...]


class Catalogue:
    """Papers and their sources in one SQLite file."""

    def __init__(self, path: Path, read_only: bool = False) -> None:
        """Opens the file, creating or migrating it where it may be written. Raises `HomeError` where it cannot."""
        self.path = path
        self._read_only = read_only
        self._idle: list[sqlite3.Connection] = []
        self._prepare()

    def close(self) -> None:
        """Closes the connections; the next call opens one again."""
        while self._idle:
            self._idle.pop().close()

    # Writing

    def put_sources(self, read: Read, progress: Progress = no_progress) -> Change:
        """Stores all entries of these sources, replacing what each held before, in one transaction.

        `progress` is told of papers made, then of papers written.
        """
        return self._carry_out(read, (), progress).change()

    def remove_source(self, name: str) -> int:
        """Forgets a source; papers that no other source tells go with it. Their number."""
        return self._carry_out((), (name,), no_progress).gone

    def _carry_out(self, read: Read, dropped: Sequence[str], progress: Progress) -> Plan:
        for _ in range(_ATTEMPTS):
            with self._connection() as db:
                planned = plan(db, read, dropped, progress)
                try:
                    with _transaction(db):
                        write(db, planned, progress)
                    return planned
                except OutOfDateError:
                    continue
        raise BusyError(f"{self.path}: other processes keep writing to this home: wait until they are done, then try again")

    def rebuild_text(self) -> None:
        """Makes the text index anew from what it holds of the papers."""
        with self._transaction() as db:
            db.execute("INSERT INTO papers_text (papers_text) VALUES ('rebuild')")

    # Reading

    def is_blank(self) -> bool:
        """Whether it knows nothing: no papers, no sources."""
        query = "SELECT EXISTS (SELECT 1 FROM papers) + EXISTS (SELECT 1 FROM sources)"
        return not self._rows(query)[0][0]

    def faults(self) -> list[str]:
        """What SQLite finds wrong in the file: pages, indexes, references. Reads all of it."""
        found = [str(row[0]) for row in self._rows("PRAGMA integrity_check(10)")]
        loose = [f"{table}: a row refers to a {parent} that is not there" for table, _, parent, _ in self._rows("PRAGMA foreign_key_check")]
        return [*(fault for fault in found if fault != "ok"), *loose[:10]]

    def text_fault(self) -> str:
        """How the text index differs from the papers; empty: not at all, as far as can be seen."""
        papers, texts = self.count(), int(self._rows("SELECT count(*) FROM papers_text")[0][0])
        if papers != texts:
            return f"holds {texts} papers of {papers}"
        if self._read_only:
            return ""
        try:
            self._rows("INSERT INTO papers_text (papers_text) VALUES ('integrity-check')")  # FTS5's way to ask
        except HomeError as error:
            return str(error.__cause__)
        return ""

    def copy_to(self, file: Path) -> None:
        """Copies all of it, as of one moment, to a new SQLite file."""
        with self._connection() as db, closing(sqlite3.connect(file)) as copy:
            db.backup(copy)

    def count(self) -> int:
        """The number of papers."""
        return int(self._rows("SELECT count(*) FROM papers")[0][0])

    def papers(self, paper_ids: Sequence[str] | None = None) -> list[Paper]:
        """The papers of these ids, in that order, unknown ones left out; all, by title, without."""
        if paper_ids is None:
            rows = self._rows("SELECT record FROM papers")
            return by_title(paper_of(row[0]) for row in rows)
        wanted = (json.dumps(list(paper_ids)),)
        found = self._rows("SELECT paper_id, record FROM papers WHERE paper_id IN (SELECT value FROM json_each(?))", wanted)
        by_id = {paper_id: paper_of(record) for paper_id, record in found}
        return [by_id[paper_id] for paper_id in paper_ids if paper_id in by_id]

    def page(self, wanted: Browse, limit: int, offset: int = 0) -> tuple[list[Paper], int]:
        """A page of the table of papers, and how many the table has."""
        query, values = browsing.list_query(wanted)
        if wanted.is_narrow:  # all that fit must be looked for anyway, to count them
            numbers = [row[0] for row in self._rows(query, values)]
            total, numbers = len(numbers), numbers[offset : offset + limit]
        else:
            total, numbers = self.count(), [row[0] for row in self._rows(f"{query} LIMIT ? OFFSET ?", (*values, limit, offset))]
        rows = self._rows("SELECT record FROM json_each(?) JOIN papers ON number = value ORDER BY json_each.key", (json.dumps(numbers),))
        return [paper_of(row[0]) for row in rows], total

    def counts(self, field: Field, wanted: Browse = Browse(), limit: int = 50) -> list[Count]:
        """How many papers there are of each year, venue, tag, author or source, the commonest first; years in order, the latest
        first. Counted among the papers wanted, but for what they are narrowed to by this very field."""
        held, example = Counter[str](), dict[str, int]()
        for line, papers, number in self._rows(*browsing.count_query(field, wanted)):
            for value in dict.fromkeys(line.split("\n")) if field in ("tag", "author") else (line,):
                held[value] += papers
                example.setdefault(value, number)
        if field == "year":
            return [Count(value, value, held[value]) for value in sorted(held, reverse=True)[:limit]]
        commonest = sorted(held, key=lambda value: (-held[value], value))[:limit]
        numbers = json.dumps([example[value] for value in commonest])
        found = self._rows("SELECT number, record FROM papers WHERE number IN (SELECT value FROM json_each(?))", (numbers,))
        papers_of = {number: paper_of(record) for number, record in found}
        return [Count(value, _as_written(field, value, papers_of.get(example[value])), held[value]) for value in commonest]

    def told(self, paper_ids: Sequence[str]) -> dict[str, dict[str, list[Said]]]:
        """What each source says of these papers, field by field, where they differ; papers without a difference are left out."""
        rows = self._rows(
            "SELECT paper_id, name, starter, record FROM entries JOIN sources USING (source_id) "
            "WHERE paper_id IN (SELECT value FROM json_each(?)) "
            "AND paper_id IN (SELECT paper_id FROM entries GROUP BY paper_id HAVING count(*) > 1)",
            (json.dumps(list(paper_ids)),),
        )
        records: dict[str, list[Record]] = defaultdict(list)
        for paper_id, name, starter, record in rows:
            records[paper_id].append(Record(name, bool(starter), entry_of(record)))
        return {paper_id: differing for paper_id, of in records.items() if (differing := differences(of))}

    def sources(self) -> list[tuple[Source, int]]:
        """The sources by name, each with its number of papers."""
        rows = self._rows(
            "SELECT name, root, starter, options, count(DISTINCT paper_id) FROM sources LEFT JOIN entries USING (source_id) "
            "GROUP BY source_id ORDER BY name"
        )
        return [(Source(name, root, bool(starter), options), count) for name, root, starter, options, count in rows]

    def told_by(self, name: str) -> list[Entry]:
        """What one source tells."""
        rows = self._rows("SELECT record FROM entries JOIN sources USING (source_id) WHERE name = ?", (name,))
        return [entry_of(record) for (record,) in rows]

    def sharing(self, entry: Entry) -> list[str]:
        """Ids of the papers that one of whose records shares its title or an identifier with this one; those by identifier first."""
        keys = storing.hashed_keys(entry)
        rows = self._rows(
            "SELECT value, paper_id FROM json_each(?) JOIN entry_keys ON entry_keys.key = value JOIN entries USING (entry_id) "
            "ORDER BY json_each.key DESC, paper_id",
            (json.dumps(keys),),
        )
        return list(dict.fromkeys(paper_id for _, paper_id in rows))

    def match(self, expression: str, title_weight: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The numbers of all papers that match an FTS5 expression, and their BM25 scores."""
        rows = self._rows("SELECT rowid, -bm25(papers_text, ?, 1.0) FROM papers_text WHERE papers_text MATCH ?", (title_weight, expression))
        found = np.array(rows, dtype=np.float64).reshape(-1, 2)
        return found[:, 0].astype(np.int64), found[:, 1]

    def allowed(self, wanted: PaperFilter) -> set[str]:
        """Ids of the papers that pass a filter."""
        clauses, values = condition(wanted)
        return {row[0] for row in self._rows(f"SELECT paper_id FROM papers WHERE {clauses}", values)}

    def count_known(self, field: Literal["authors", "venue", "date"]) -> int:
        """For how many papers a field is known; a date with its year."""
        return int(self._rows(f"SELECT count(*) FROM papers WHERE trim(coalesce({field}, '')) != ''")[0][0])

    def venues(self) -> set[str]:
        """Every venue's words, folded as filters fold them."""
        return {row[0].strip() for row in self._rows("SELECT DISTINCT venue FROM papers")} - {""}

    def vocabulary(self) -> dict[str, int]:
        """Every stemmed term, with the number of papers that hold it."""
        return dict(self._rows("SELECT term, doc FROM temp.terms_row"))

    def term_counts(self) -> tuple[list[bytes], NDArray[np.int64]]:
        """Every stemmed term, in order, and how often it occurs in all."""
        rows = self._rows("SELECT term, cnt FROM temp.terms_row")
        return [term.encode() for term, _ in rows], np.fromiter((count for _, count in rows), dtype=np.int64, count=len(rows))

    def occurrences(self, count: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """For every one of so many occurrences, term by term in order: the paper's number, rising, and whether it is in the title."""
        with self._connection() as db:
            rows = db.execute("SELECT doc * 2 + (col = 'title') FROM temp.terms_instance")
            found = np.fromiter((row[0] for row in rows), dtype=np.int32, count=count)
        of_title = (found & 1).astype(bool)
        found >>= 1
        return found, of_title

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
        with self._connection() as db, _transaction(db):
            yield db

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that no other thread uses meanwhile. SQLite's errors become ours."""
        db: sqlite3.Connection | None = None
        try:
            db = self._idle.pop() if self._idle else self._opened()
            yield db
        except (sqlite3.Error, OSError) as error:
            raise self._translated(error) from error
        finally:
            if db is not None:
                self._idle.append(db)

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            address_of(self.path, self._read_only), uri=True, timeout=_LOCK_SECONDS, check_same_thread=False, isolation_level=None
        )
        filtering.prepare(db)
        storing.prepare(db)
        if not self._read_only:
            db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        for kind in ("row", "instance"):  # FTS5's own views of the text index
            db.execute(f"CREATE VIRTUAL TABLE temp.terms_{kind} USING fts5vocab(main, papers_text, {kind})")
        return db

    def _translated(self, error: sqlite3.Error | OSError) -> IndexingError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return HomeError(
                f"{self.path}: the catalogue is damaged ({error}). Nothing was deleted. "
                "Bring it back with `assistant restore FILE --force` from a backup, or index what you had once more: "
                "`assistant index SOURCES --rebuild` sets the damaged file aside"
            )
        if code == sqlite3.SQLITE_BUSY:
            return BusyError(f"{self.path}: another process is writing to this home: wait until it is done, then try again")
        return HomeError(f"{self.path}: the catalogue cannot be read or written ({error}). Check the disk's space and permissions")

    def _prepare(self) -> None:
        """Brings the file to this program's schema, in one transaction."""
        if self._version(self._rows("PRAGMA user_version")) == SCHEMA_VERSION:
            return
        if self._read_only:
            raise HomeError(f"{self.path}: made by an older version of this program: open it once where it may be written")
        with self._transaction() as db:
            version = self._version(db.execute("PRAGMA user_version").fetchall())
            if version == 0:
                _run(db, resources.files("index").joinpath("schema.sql").read_text())
            steps = range(max(version, 1) + 1, SCHEMA_VERSION + 1)
            for step in steps:
                _run(db, _MIGRATIONS[step])
            for step in steps:
                _AFTERWARDS.get(step, _nothing)(db)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _version(self, rows: list[Any]) -> int:
        version = int(rows[0][0])
        if version > SCHEMA_VERSION:
            raise HomeError(
                f"{self.path}: made by a newer version of this program (schema {version}, known: {SCHEMA_VERSION}). "
                "Update the program, or use another home."
            )
        return version


def _as_written(field: Field, value: str, paper: Paper | None) -> str:
    """A folded value as one paper that has it writes it."""
    if paper is None:
        return value
    written = {"venue": (paper.venue or "",), "tag": paper.tags, "author": paper.authors}.get(field, ())
    return next((one for one in written if filtering.words_of(one) == value.strip()), value)


def by_title(papers: Iterable[Paper]) -> list[Paper]:
    """In the order that people list papers in."""
    return sorted(papers, key=lambda paper: (paper.display_title.casefold(), paper.paper_id))


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _nothing(db: sqlite3.Connection) -> None:
    """Where a version's SQL is all."""


def address_of(path: Path, read_only: bool) -> str:
    """How SQLite is to open a file, made for its owner alone where it is not there.

    Where nothing can be written, one that nobody has open is taken as it is: SQLite wants to lock it otherwise.
    """
    address = path.absolute().as_uri()
    if not read_only:
        if not path.exists():
            with open(path, "a", opener=lambda file, flags: os.open(file, flags, 0o600)):
                pass
        return address
    return f"{address}?mode=ro" if path.with_name(f"{path.name}-wal").exists() else f"{address}?mode=ro&immutable=1"


def is_database_sound(file: Path) -> bool:
    """Whether SQLite finds all pages of a file in order."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as db:
            return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def _run(db: sqlite3.Connection, script: str) -> None:
    """Runs the statements of a script (`executescript` would commit the open transaction)."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            db.execute(pending)
            pending = ""
