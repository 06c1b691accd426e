"""Conversations, kept in the home: questions, and what became of each; and beside them what each reader means to read.

Goes in: a question as it is asked, its answer when it is there. Comes out: conversations as they were, whatever ended the
program meanwhile; and texts of them for other programs. One SQLite file of its own; one writer at a time, in transactions. One
`Conversations` serves many threads. Knows nothing of how answers are made or shown.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from assistant.answer import Answer, references
from index import HomeError, Paper
from index.citing import escape_markdown
from index.paper import collapse, fold

FILE = "conversations.sqlite"
SCHEMA_VERSION = 2
_MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: (
        "CREATE TABLE conversations (conversation_id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, "
        "begun REAL NOT NULL, changed REAL NOT NULL, deleted REAL)",
        "CREATE INDEX conversations_of_owner ON conversations (owner, changed)",
        "CREATE TABLE exchanges (exchange_id INTEGER PRIMARY KEY, "
        "conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE, "
        "question TEXT NOT NULL, asked REAL NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL, answer TEXT)",
        "CREATE INDEX exchanges_of_conversation ON exchanges (conversation_id, exchange_id)",
    ),
    2: (
        "CREATE TABLE kept (owner TEXT NOT NULL, paper_id TEXT NOT NULL, title TEXT NOT NULL, since REAL NOT NULL, "
        "PRIMARY KEY (owner, paper_id))",
    ),
}
"""For each version, the statements that bring the version before it up to it."""
_LOCK_SECONDS = 10
_LONGEST_TITLE = 80
_KEPT_DELETED = 30 * 24 * 3600.0
"""Seconds in which what was deleted can be had back."""

COMING, ANSWERED, STOPPED, FAILED, REPLACED = "coming", "answered", "stopped", "failed", "replaced"


@dataclass(frozen=True)
class Exchange:
    """A question, and what became of it."""

    exchange_id: int
    question: str
    asked: float
    """Seconds since 1970."""
    state: str
    """`coming` (or broken off by a crash), `answered`, `stopped`, `failed`; those that were `replaced` are not shown."""
    text: str = ""
    """Where there is no answer: what had come of it, or why it failed; else what an LLM had written before it failed."""
    answer: Answer | None = None


@dataclass(frozen=True)
class Conversation:
    """A conversation as a list of them shows it."""

    conversation_id: str
    title: str
    """Its first question, unless it was renamed."""
    begun: float
    changed: float
    """When it was last asked something."""


@dataclass(frozen=True)
class Kept:
    """A paper on a reading list."""

    paper_id: str
    title: str
    """As it was shown when it was put there: the library may have lost it since."""
    since: float
    """Seconds since 1970."""


class Conversations:
    """The conversations of one home, as one owner sees them."""

    def __init__(self, home: Path | None, now: Callable[[], float] = time.time) -> None:
        """Opens the home's file, making or migrating it; without a home they are kept until the program ends.

        Raises `HomeError` where the file cannot be read, written or understood.
        """
        self._now = now
        self._path = None if home is None else home / FILE
        self._owner = ""
        self._lock = threading.RLock()
        with self._told():
            self._db = self._opened()
            self._migrate()
        with self._transaction() as db:
            db.execute("DELETE FROM conversations WHERE deleted < ?", (now() - _KEPT_DELETED,))

    def owned_by(self, owner: str) -> Conversations:
        """The same file, as this user sees it."""
        other = copy(self)
        other._owner = owner
        return other

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._db.close()

    # Writing

    def begin(self, question: str) -> str:
        """Begins a conversation, named by its first question; its id."""
        conversation_id, at = secrets.token_urlsafe(9), self._now()
        with self._transaction() as db:
            row = (conversation_id, self._owner, title_of(question), at, at)
            db.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, ?, NULL)", row)
        return conversation_id

    def ask(self, conversation_id: str, question: str) -> int:
        """Notes a question before anything is done for it; the id of its exchange. Raises `KeyError` for an unknown conversation."""
        at = self._now()
        with self._transaction() as db:
            moved = db.execute(
                "UPDATE conversations SET changed = ? WHERE conversation_id = ? AND owner = ? AND deleted IS NULL",
                (at, conversation_id, self._owner),
            )
            if not moved.rowcount:
                raise KeyError(conversation_id)
            row = (conversation_id, question, at, COMING)
            made = db.execute("INSERT INTO exchanges (conversation_id, question, asked, state, text) VALUES (?, ?, ?, ?, '')", row)
            return int(made.lastrowid or 0)

    def keep(self, exchange_id: int, text: str) -> None:
        """Notes what has come of an answer so far."""
        self._set(exchange_id, "text = ?", text)

    def finish(self, exchange_id: int, answer: Answer, unfinished: str = "") -> None:
        """Notes the answer, and what an LLM had written of another."""
        record = json.dumps(answer.to_dict(), ensure_ascii=True)
        self._set(exchange_id, f"state = '{ANSWERED}', text = ?, answer = ?", unfinished, record)

    def stop(self, exchange_id: int) -> None:
        """Notes that no more will come; nothing where the answer is there already."""
        self._set(exchange_id, f"state = '{STOPPED}'")

    def fail(self, exchange_id: int, why: str) -> None:
        """Notes why there is no answer."""
        self._set(exchange_id, f"state = '{FAILED}', text = ?", why)

    def replace(self, conversation_id: str, exchange_id: int) -> None:
        """Sets an exchange aside, with all after it, for another to take its place; they stay in the file."""
        mine = "(SELECT conversation_id FROM conversations WHERE conversation_id = ? AND owner = ?)"
        with self._transaction() as db:
            query = f"UPDATE exchanges SET state = '{REPLACED}' WHERE exchange_id >= ? AND conversation_id IN {mine}"
            db.execute(query, (exchange_id, conversation_id, self._owner))

    def rename(self, conversation_id: str, title: str) -> None:
        """Gives another title; an empty one changes nothing."""
        if title.strip():
            self._update(conversation_id, "title = ?", title_of(title))

    def delete(self, conversation_id: str) -> None:
        """Hides a conversation; `restore` brings it back for thirty days."""
        self._update(conversation_id, "deleted = ?", self._now())

    def restore(self, conversation_id: str) -> None:
        """Takes a deletion back."""
        self._update(conversation_id, "deleted = NULL")

    # Reading

    def listed(self, search: str = "") -> list[Conversation]:
        """The conversations, the last asked first; only those whose title, questions or answers hold all words of `search`."""
        words = fold(search).split()
        holds = "instr(fold(title || ' ' || (SELECT coalesce(group_concat(question || ' ' || text || ' ' || "
        holds += "coalesce(json_extract(answer, '$.text'), ''), ' '), '') FROM exchanges WHERE exchanges.conversation_id = "
        holds += f"conversations.conversation_id AND state <> '{REPLACED}')), ?)"
        rows = self._rows(
            "SELECT conversation_id, title, begun, changed FROM conversations WHERE owner = ? AND deleted IS NULL "
            + "".join(f" AND {holds}" for _ in words)
            + " ORDER BY changed DESC, rowid DESC",
            (self._owner, *words),
        )
        return [Conversation(*row) for row in rows]

    def conversation(self, conversation_id: str) -> Conversation | None:
        """One that is not deleted; None where there is none of that id, or it is another owner's."""
        rows = self._rows(
            "SELECT conversation_id, title, begun, changed FROM conversations WHERE conversation_id = ? AND owner = ? AND deleted IS NULL",
            (conversation_id, self._owner),
        )
        return Conversation(*rows[0]) if rows else None

    def exchanges(self, conversation_id: str) -> tuple[Exchange, ...]:
        """What was asked in it, in order."""
        rows = self._rows(
            "SELECT exchange_id, question, asked, state, text, answer FROM exchanges JOIN conversations USING (conversation_id) "
            f"WHERE conversation_id = ? AND owner = ? AND deleted IS NULL AND state <> '{REPLACED}' ORDER BY exchange_id",
            (conversation_id, self._owner),
        )
        return tuple(
            Exchange(number, question, asked, state, text, Answer.from_dict(json.loads(answer)) if answer else None)
            for number, question, asked, state, text, answer in rows
        )

    # The reading list

    def keep_papers(self, papers: Sequence[Paper]) -> None:
        """Puts papers on the reading list; those that are there stay where they are."""
        at = self._now()
        with self._transaction() as db:
            rows = [(self._owner, paper.paper_id, paper.display_title, at) for paper in papers]
            db.executemany("INSERT OR IGNORE INTO kept VALUES (?, ?, ?, ?)", rows)

    def drop_paper(self, paper_id: str) -> None:
        """Takes a paper off the reading list."""
        with self._transaction() as db:
            db.execute("DELETE FROM kept WHERE owner = ? AND paper_id = ?", (self._owner, paper_id))

    def kept(self) -> list[Kept]:
        """The reading list, the last put there first."""
        rows = self._rows("SELECT paper_id, title, since FROM kept WHERE owner = ? ORDER BY since DESC, rowid DESC", (self._owner,))
        return [Kept(*row) for row in rows]

    # Inside

    def _set(self, exchange_id: int, what: str, *values: str) -> None:
        """Of an exchange that is still coming: what has ended stays as it is."""
        mine = "conversation_id IN (SELECT conversation_id FROM conversations WHERE owner = ?)"
        with self._transaction() as db:
            query = f"UPDATE exchanges SET {what} WHERE exchange_id = ? AND state = '{COMING}' AND {mine}"
            db.execute(query, (*values, exchange_id, self._owner))

    def _update(self, conversation_id: str, what: str, *values: str | float) -> None:
        with self._transaction() as db:
            query = f"UPDATE conversations SET {what} WHERE conversation_id = ? AND owner = ?"
            db.execute(query, (*values, conversation_id, self._owner))

    def _rows(self, query: str, values: Sequence[str]) -> list[Any]:
        with self._lock, self._told():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors become ours."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            told = f"{self._path}: the conversations cannot be read or written ({error}). Nothing was deleted. "
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                told += "The file is damaged: move it away to begin anew, or bring it back from a backup"
            else:
                told += "Check the disk's space and permissions"
            raise HomeError(told) from error

    def _opened(self) -> sqlite3.Connection:
        if self._path is not None and not self._path.exists():
            with open(self._path, "a", opener=lambda path, flags: os.open(path, flags, 0o600)):
                pass
        db = sqlite3.connect(self._path or ":memory:", timeout=_LOCK_SECONDS, check_same_thread=False, isolation_level=None)
        db.create_function("fold", 1, fold, deterministic=True)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        return db

    def _migrate(self) -> None:
        with self._transaction() as db:
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            if version > SCHEMA_VERSION:
                raise HomeError(
                    f"{self._path}: made by a newer version of this program (schema {version}, known: {SCHEMA_VERSION}). "
                    "Update the program, or use another home"
                )
            for step in range(version + 1, SCHEMA_VERSION + 1):
                for statement in _MIGRATIONS[step]:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def title_of(text: str) -> str:
    """A title in one line, cut at a word."""
    line = collapse(text)
    return line if len(line) <= _LONGEST_TITLE else f"{line[:_LONGEST_TITLE].rsplit(' ', 1)[0]}…"


def history(exchanges: Sequence[Exchange]) -> list[tuple[str, Answer]]:
    """What a follow-up may refer to: the questions that were answered, with their answers."""
    return [(exchange.question, exchange.answer) for exchange in exchanges if exchange.answer]


def to_markdown(conversation: Conversation, exchanges: Sequence[Exchange]) -> str:
    """The conversation for a notebook: each question with its answer and references, at last BibTeX of all that was cited."""
    asked = datetime.fromtimestamp(conversation.begun).strftime("%Y-%m-%d %H:%M")
    parts = [f"# {escape_markdown(conversation.title)}", f"Asked of the papers from {asked}."]
    for exchange in exchanges:
        parts.append(f"## {escape_markdown(exchange.question)}")
        parts.append(exchange.answer.to_markdown() if exchange.answer else f"*{_without_answer(exchange)}*")
    cited = [citation for exchange in exchanges if exchange.answer for citation in exchange.answer.citations]
    if bibtex := references(cited, "bibtex"):
        fence = "`" * max(3, 1 + max(map(len, "".join(char if char == "`" else " " for char in bibtex).split()), default=0))
        parts += ["## BibTeX", f"{fence}bibtex\n{bibtex}{fence}"]
    return "\n\n".join(parts) + "\n"


def to_json(conversation: Conversation, exchanges: Sequence[Exchange]) -> str:
    """The conversation for a program: answers as `Answer.to_dict` tells them."""
    record = {
        "conversation_id": conversation.conversation_id,
        "title": conversation.title,
        "begun": _instant(conversation.begun),
        "exchanges": [
            {
                "question": exchange.question,
                "asked": _instant(exchange.asked),
                "state": exchange.state,
                "text": exchange.text or None,
                "answer": exchange.answer.to_dict() if exchange.answer else None,
            }
            for exchange in exchanges
        ],
    }
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def _without_answer(exchange: Exchange) -> str:
    if exchange.state == FAILED:
        return escape_markdown(exchange.text)
    return "Stopped before the answer was there." + (f" Until then, unchecked: {escape_markdown(exchange.text)}" if exchange.text else "")


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")
