"""What the vectors of each paper are pooled from: its token states, made small, and its sentences' vectors.

Goes in: what one run of the encoder gave for a paper's chunks. Comes out: for each paper the states of its tokens,
projected onto the directions in which they differ most and rounded (Khattab and Zaharia, ColBERT, 2020;
Santhanam et al., ColBERTv2, 2022), and the vectors of its sentences, each the mean of its tokens' states (late
chunking: Günther et al., 2024). One SQLite file beside the vectors, for one fingerprint; it also says which papers
the vectors hold, so both are marked in one step. Derived from the catalogue, and made anew when lost.
Knows no question, and no text but by its places.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.catalogue import Spans, address_of
from index.chunking import PaperTexts
from index.embedding import Encoded, Vectors
from index.errors import BusyError, HomeError, IndexingError

FILE = "states-{}.sqlite"
KEPT = 64
"""Dimensions of a stored token state; of 384, 128 rank as well, 32 a little worse (docs/LOG.md)."""
_LOCK_SECONDS = 30
_STEPS = 127
"""To either side of zero, of a number of a sentence's vector."""
_TOKEN_STEPS = 7
"""The same of a token's state: 4 bits, two numbers a byte. Of 1,000 questions 73.7% found their paper first so, with 8 bits 73.3%."""
_VERSION = 2
"""Of the file; in version 0 each number of a token's state took a byte, in version 1 rows had no checksum."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS papers (
    paper_id  TEXT PRIMARY KEY,
    digest    TEXT,      -- of what was embedded; NULL: the vectors may be there or not
    chunks    INTEGER NOT NULL DEFAULT 0,
    spans     TEXT NOT NULL DEFAULT '[]',
    counts    BLOB,      -- uint32: tokens of the title, then of each sentence
    scales    BLOB,      -- float32: of the tokens, then of each sentence's vector
    sentences BLOB,      -- int8, row by row
    tokens    BLOB,      -- 4 bits each, row by row, of two in a byte the first below
    sum       INTEGER    -- CRC-32 of all columns from the digest on
);
CREATE TABLE IF NOT EXISTS projection (width INTEGER NOT NULL, matrix BLOB NOT NULL, sum INTEGER);
"""
_COLUMNS = "digest, chunks, spans, counts, scales, sentences, tokens"

Rounded = NDArray[np.int8]


@dataclass(frozen=True)
class PaperStates:
    """What is kept of one paper."""

    digest: str
    """Of what was embedded."""
    chunks: int
    """How many vectors it has."""
    spans: Spans
    """Of its sentences, in the abstract."""
    counts: NDArray[np.uint32]
    """How many tokens the title has, and each sentence, shape (1 + sentences,)."""
    scales: Vectors
    """What the rounded numbers are to be multiplied with: the tokens', then each sentence's."""
    rounded_sentences: Rounded
    """Shape (sentences, dimension)."""
    rounded_tokens: Rounded
    """Shape (tokens, kept dimensions), whole numbers from -7 to 7."""

    @property
    def sentences(self) -> Vectors:
        """The sentences' vectors, shape (sentences, dimension), of length 1 but for rounding."""
        return self.rounded_sentences.astype(np.float32) * self.scales[1:, None]

    @property
    def tokens(self) -> Vectors:
        """The tokens' states, shape (tokens, kept dimensions), of length 1 but for rounding."""
        scaled: Vectors = self.rounded_tokens.astype(np.float32) * self.scales[0]
        return scaled


def moment_of(states: Iterable[Vectors]) -> Vectors:
    """The mean of each token state with itself, shape (dimension, dimension), each taken at length 1."""
    total, count = np.zeros((1, 1)), 0
    for some in states:
        unit = unit_rows(some).astype(np.float64)
        total, count = total + unit.T @ unit, count + len(unit)
    return np.asarray(total / max(1, count), dtype=np.float32)


def fit_moment(moment: Vectors, kept: int = KEPT) -> Vectors:
    """The directions in which states of such a moment differ most from zero, shape (dimension, at most `kept`)."""
    _, directions = np.linalg.eigh(moment.astype(np.float64))
    return np.ascontiguousarray(directions[:, ::-1][:, :kept], dtype=np.float32)


def projected(states: Vectors, projection: Vectors) -> Vectors:
    """States onto fewer dimensions, each of length 1."""
    return unit_rows(states @ projection)


def unit_rows(rows: Vectors) -> Vectors:
    """Each row at length 1; one of zeros stays."""
    found: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return found


def pool(texts: PaperTexts, digest: str, encoded: Sequence[Encoded], projection: Vectors, apart: Vectors | None = None) -> PaperStates:
    """What is kept of a paper, from what the encoder gave for each of its chunks.

    `apart`: its sentences' vectors, where they are not to be pooled.
    """
    parts: list[Vectors] = []
    width = encoded[0].states.shape[1]
    counts = np.zeros(1 + len(texts.spans), dtype=np.int64)
    sums = np.zeros((len(texts.spans), width), dtype=np.float32)
    for one, pieces in zip(encoded, texts.pieces, strict=True):
        starts = one.places[:, 0]
        for piece in pieces:
            first, last = np.searchsorted(starts, (piece.start, piece.end))
            if last > first:
                parts.append(one.states[first:last])
                counts[1 + piece.sentence] += last - first
                if piece.sentence >= 0:
                    sums[piece.sentence] += one.states[first:last].sum(axis=0)
    if apart is None:
        sums[counts[1:] == 0] = encoded[0].vector  # a sentence of nothing that the model has a token for is as the whole
    states = np.concatenate(parts) if parts else np.zeros((0, width), dtype=np.float32)
    tokens, token_scale = _rounded(projected(states, projection), _TOKEN_STEPS)
    sentences, scales = _rounded_rows(unit_rows(sums if apart is None else apart))
    return PaperStates(
        digest, len(encoded), texts.spans, counts.astype(np.uint32), np.append(token_scale, scales).astype(np.float32), sentences, tokens
    )


def _rounded(rows: Vectors, steps: int) -> tuple[Rounded, np.float32]:
    scale = np.float32(np.abs(rows).max(initial=0.0) / steps or 1.0)
    return np.rint(rows / scale).astype(np.int8), scale


def _packed(rounded: Rounded) -> bytes:
    """Two numbers of 4 bits in each byte."""
    flat = rounded.ravel().view(np.uint8) & 0x0F
    if len(flat) % 2:
        flat = np.append(flat, np.uint8(0))
    return bytes((flat[::2] | (flat[1::2] << 4)).tobytes())


def _unpacked(packed: bytes, rows: int) -> Rounded:
    """The inverse of `_packed`, for an even number of numbers in each row."""
    if not rows:
        return np.zeros((0, 0), dtype=np.int8)
    both = np.frombuffer(packed, dtype=np.uint8)
    flat = np.empty(2 * len(both), dtype=np.int8)
    flat[::2] = both << 4  # to the upper half, from where the sign is carried down
    flat[1::2] = both & 0xF0
    flat >>= 4
    width = len(flat) // rows
    return flat[: rows * width].reshape(rows, width)


def _rounded_rows(rows: Vectors) -> tuple[Rounded, Vectors]:
    scales = np.abs(rows).max(axis=1, initial=0.0).astype(np.float32) / _STEPS
    scales[scales == 0.0] = 1.0
    return np.rint(rows / scales[:, None]).astype(np.int8), scales


class StateStore:
    """The states of one fingerprint. Safe to call from several threads; no two use a connection at once."""

    def __init__(self, home: Path, fingerprint: str, dimension: int, read_only: bool = False) -> None:
        """Nothing is opened yet, and nothing made before something is written. `read_only`: the home cannot be written."""
        self._read_only = read_only
        self.path = home / FILE.format(fingerprint)
        self._dimension = dimension
        self._idle: list[sqlite3.Connection] = []
        self._projection: Vectors | None = None
        self._version = _VERSION
        """Of the file as it is read; an older one stays where the home cannot be written."""

    def close(self) -> None:
        """Closes the connections; the next call opens one again."""
        while self._idle:
            self._idle.pop().close()

    # Writing

    def doubt(self, paper_ids: Iterable[str]) -> None:
        """Records that the vectors of these papers may be there or not."""
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO papers (paper_id) VALUES (?) ON CONFLICT (paper_id) DO UPDATE SET digest = NULL",
                [(paper_id,) for paper_id in paper_ids],
            )

    def put(self, states: Mapping[str, PaperStates]) -> None:
        """Keeps the states of these papers; from now on the vectors are said to hold them."""
        rows = [(paper_id, *row, _sum(row)) for paper_id, one in states.items() for row in [_row(one)]]
        with self._transaction() as db:
            db.executemany(f"INSERT OR REPLACE INTO papers (paper_id, {_COLUMNS}, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def remove(self, paper_ids: Iterable[str]) -> None:
        """Forgets these papers."""
        with self._transaction() as db:
            db.executemany("DELETE FROM papers WHERE paper_id = ?", [(paper_id,) for paper_id in paper_ids])

    def empty(self) -> None:
        """Forgets all, with whatever of the file cannot be read."""
        self.close()
        self._projection = None
        for ending in ("", "-wal", "-shm", "-damaged"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    def keep_projection(self, matrix: Vectors) -> None:
        """Keeps what the states are projected with, where the model brings none; the first one stays."""
        row = (len(matrix), matrix.astype("<f4").tobytes())
        with self._transaction() as db:
            db.execute("INSERT INTO projection SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM projection)", (*row, _sum(row)))

    def drop_others(self) -> None:
        """Removes the files of other fingerprints."""
        for file in self.path.parent.glob(FILE.format("*") + "*"):
            if not file.name.startswith(self.path.name):
                file.unlink(missing_ok=True)

    # Reading

    @property
    def projection(self) -> Vectors | None:
        """What `keep_projection` kept; None before. Raises `HomeError` where it is not what was written: then all is made anew."""
        if self._projection is None:
            rows = self._rows(f"SELECT width, matrix, {'sum' if self._summed() else 'NULL'} FROM projection")
            if rows:
                if not _is_whole(rows[0][:-1], rows[0][-1]):
                    self._mark_damaged()
                    raise HomeError(f"{self.path}: the projection of the token states is damaged; `assistant index` makes the file anew")
                self._projection = np.frombuffer(rows[0][1], dtype="<f4").reshape(rows[0][0], -1).astype(np.float32)
        return self._projection

    def digests(self) -> dict[str, str | None]:
        """Papers of which the vectors hold anything, with the digest of what was embedded; None: in doubt."""
        return dict(self._rows("SELECT paper_id, digest FROM papers"))

    def chunks(self) -> int:
        """The number of vectors that are there for sure."""
        return int(self._rows("SELECT coalesce(sum(chunks), 0) FROM papers WHERE digest IS NOT NULL")[0][0])

    def sentences(self) -> int:
        """The number of sentences of these papers."""
        return int(self._rows("SELECT coalesce(sum(length(counts) / 4 - 1), 0) FROM papers WHERE digest IS NOT NULL")[0][0])

    def fetch(self, paper_ids: Sequence[str]) -> dict[str, PaperStates]:
        """What is kept of these papers; those in doubt and unknown ones are left out.

        So is one whose row is not what was written: it is put in doubt, and embedded anew by the next `catch_up`.
        """
        found = self._rows(self._whole_rows("paper_id IN (SELECT value FROM json_each(?))"), (json.dumps(list(paper_ids)),))
        spoilt = [row[0] for row in found if not _is_whole(row[1:-1], row[-1])]
        if spoilt and not self._read_only:
            with suppress(BusyError):  # who writes there will see it as well
                self.doubt(spoilt)
        return {row[0]: self._states(*row[1:-1]) for row in found if row[0] not in spoilt}

    def spoilt(self) -> list[str]:
        """Papers whose rows are not what was written. Reads all of the file."""
        if not self.path.exists():
            return []
        query = self._whole_rows("TRUE")
        with self._connection() as db:
            return [row[0] for row in db.execute(query) if not _is_whole(row[1:-1], row[-1])]

    def _whole_rows(self, where: str) -> str:
        return f"SELECT paper_id, {_COLUMNS}, {'sum' if self._summed() else 'NULL'} FROM papers WHERE digest IS NOT NULL AND {where}"

    def _summed(self) -> bool:
        """Whether the file has checksums: an older one stays as it is where the home cannot be written."""
        if not self.path.exists():
            return True
        with self._connection():
            return self._version >= 2

    def damaged(self) -> bool:
        """Whether there is a file that is none of ours, or cannot be read; only `empty` then helps."""
        if self._marker.exists():
            return True
        try:
            self._rows("SELECT count(*) FROM papers")
        except HomeError:
            return True
        return False

    @property
    def _marker(self) -> Path:
        """A file that says that a page of the states could not be read, which to count papers does not find out."""
        return self.path.with_name(f"{self.path.name}-damaged")

    def _mark_damaged(self) -> None:
        if not self._read_only:
            with suppress(OSError):
                self._marker.touch()

    def fault(self) -> str:
        """What SQLite finds wrong in the file; empty: nothing. Reads all of it."""
        try:
            found = [str(row[0]) for row in self._rows("PRAGMA quick_check(10)")]
            faults = [one for one in found if one != "ok"]
            spoilt = [] if faults else self.spoilt()
        except HomeError as error:
            return str(error.__cause__)
        return "; ".join(faults) or (f"of {len(spoilt)} papers they are not what was written" if spoilt else "")

    def _states(self, digest: str, chunks: int, spans: str, counts: bytes, scales: bytes, sentences: bytes, tokens: bytes) -> PaperStates:
        lengths = np.frombuffer(counts, dtype="<u4")
        total = int(lengths.sum())
        return PaperStates(
            digest,
            chunks,
            tuple((start, end) for start, end in json.loads(spans)),
            lengths,
            np.frombuffer(scales, dtype="<f4"),
            np.frombuffer(sentences, dtype=np.int8).reshape(len(lengths) - 1, self._dimension),
            _unpacked(tokens, total) if self._version else _bytes_of(tokens, total),
        )

    # Connections

    def _rows(self, query: str, values: Sequence[str] = ()) -> list[Any]:
        if not self.path.exists():  # to look must not make it
            return [(0,)] if query.startswith(("SELECT count", "SELECT coalesce")) else []
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
        db = sqlite3.connect(
            address_of(self.path, self._read_only), uri=True, timeout=_LOCK_SECONDS, check_same_thread=False, isolation_level=None
        )
        if not self._read_only:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)
            if _version(db) < _VERSION:
                _migrate(db)
        self._version = _version(db)
        return db

    def _translated(self, error: sqlite3.Error) -> IndexingError:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            return BusyError(f"{self.path}: another process is writing to this home: wait until it is done, then try again")
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT:
            self._mark_damaged()
        return HomeError(
            f"{self.path}: the token states cannot be read or written ({error}). Check the disk's space and permissions; "
            "`assistant index` makes a damaged file anew"
        )


def _row(one: PaperStates) -> tuple[Any, ...]:
    """The columns of `_COLUMNS`."""
    return (
        one.digest,
        one.chunks,
        json.dumps(one.spans, separators=(",", ":")),
        one.counts.astype("<u4").tobytes(),
        one.scales.astype("<f4").tobytes(),
        one.rounded_sentences.tobytes(),
        _packed(one.rounded_tokens),
    )


def _sum(row: Sequence[Any]) -> int:
    """The checksum of a row."""
    total = 0
    for one in row:
        total = zlib.crc32(one if isinstance(one, bytes) else str(one).encode(errors="surrogateescape"), total)
    return total


def _is_whole(row: Sequence[Any], kept: int | None) -> bool:
    """Whether a row is what was written; one of an older file cannot be told."""
    return kept is None or _sum(row) == kept


def _bytes_of(tokens: bytes, rows: int) -> Rounded:
    """What a file of version 0 holds."""
    return np.frombuffer(tokens, dtype=np.int8).reshape(rows, len(tokens) // rows if rows else 0)


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _migrate(db: sqlite3.Connection) -> None:
    """Rounds what a file of version 0 holds to 4 bits, and adds checksums. Nothing is embedded for it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if _version(db) < 1:
            held = "SELECT rowid, counts, scales, tokens FROM papers WHERE tokens IS NOT NULL AND rowid > ? ORDER BY rowid LIMIT 1"
            row = db.execute(held, (-1,)).fetchone()
            while row is not None:
                number, counts, scales, tokens = row
                total = int(np.frombuffer(counts, dtype="<u4").sum())
                scale = np.frombuffer(scales, dtype="<f4").copy()
                rounded, scale[0] = _rounded(_bytes_of(tokens, total).astype(np.float32) * scale[0], _TOKEN_STEPS)
                db.execute("UPDATE papers SET scales = ?, tokens = ? WHERE rowid = ?", (scale.tobytes(), _packed(rounded), number))
                row = db.execute(held, (number,)).fetchone()
        if _version(db) < _VERSION:
            db.create_function("sum_of", -1, lambda *row: _sum(row))
            for table, columns in (("papers", _COLUMNS), ("projection", "width, matrix")):
                if not db.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = 'sum'", (table,)).fetchone():
                    db.execute(f"ALTER TABLE {table} ADD COLUMN sum INTEGER")
                db.execute(f"UPDATE {table} SET sum = sum_of({columns})")
            db.execute(f"PRAGMA user_version = {_VERSION}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
