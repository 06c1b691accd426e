"""A test collection, in the field's own words: documents, queries, and judgements (qrels).

Goes in: lines of files. Comes out: frozen records, checked, so that a query or a document that a
judgement names is there. Knows nothing of how any one format is laid out, nor of retrieval.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eval.errors import EvalError

Record = TypeVar("Record", "Doc", "Query")

Qrels = Mapping[str, Mapping[str, int]]
"""For each query's id the grades of the documents judged; above 0 is relevant."""


class CollectionError(EvalError):
    """A test collection cannot be read; the message names file and line."""


@dataclass(frozen=True)
class Doc:
    """A document."""

    id: str
    title: str
    """Empty where the collection gives none."""
    text: str


@dataclass(frozen=True)
class Query:
    """What is searched for."""

    id: str
    text: str


@dataclass(frozen=True)
class Collection:
    """Documents, the queries that were judged, and the judgements."""

    name: str
    docs: tuple[Doc, ...]
    queries: tuple[Query, ...]
    """In the order of the file; those without judgements are left out."""
    qrels: Qrels
    warnings: tuple[str, ...] = ()
    """What does not fit together and does not stop a measurement."""

    @property
    def findable(self) -> tuple[Doc, ...]:
        """The documents that hold any text."""
        return tuple(one for one in self.docs if one.title.strip() or one.text.strip())


def assemble(name: str, docs: Iterable[Doc], queries: Iterable[Query], qrels: Qrels, judged_in: Path) -> Collection:
    """The collection of what three files hold. Raises `CollectionError` where no query is judged."""
    documents = tuple(docs)
    asked = tuple(query for query in queries if query.id in qrels)
    if not asked:
        raise CollectionError(f"{judged_in}: judges none of the queries: are these the judgements of another set of queries?")
    return Collection(
        name, documents, asked, {query.id: qrels[query.id] for query in asked}, tuple(_amiss(documents, asked, qrels, judged_in))
    )


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers. Raises `CollectionError` where the file cannot be read."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except OSError as error:
        raise CollectionError(f"{path}: cannot be read ({error.strerror or error}): check the path") from error
    except UnicodeDecodeError as error:
        raise CollectionError(f"{path}: this is not UTF-8 text ({error.reason}): save it as UTF-8") from error


def records(path: Path, make: Callable[[Any], Record]) -> list[Record]:
    """The records of a JSON-lines file, each id once. Raises `CollectionError` naming the line."""
    found: list[tuple[int, Record]] = []
    for number, line in lines(path):
        try:
            found.append((number, make(json.loads(line))))
        except (ValueError, TypeError) as error:
            raise CollectionError(f"{path}, line {number}: not a record in JSON ({error})") from error
        except KeyError as error:
            raise CollectionError(f"{path}, line {number}: {error} is missing") from error
    return each_once(path, found)


def each_once(path: Path, numbered: Sequence[tuple[int, Record]]) -> list[Record]:
    """The records, of lines with their numbers. Raises `CollectionError` for an id that comes twice, and where there is none."""
    seen: dict[str, int] = {}
    for number, record in numbered:
        if (before := seen.setdefault(record.id, number)) != number:
            raise CollectionError(f"{path}, line {number}: the id “{record.id}” of line {before} again: each must mean one thing")
    if not numbered:
        raise CollectionError(f"{path}: holds nothing")
    return [record for _, record in numbered]


def doc(record: Any) -> Doc:
    """A document of a JSON object with `_id` or `id`, `title` (may be missing) and `text`."""
    return Doc(_id(record), _text(record.get("title") or ""), _text(record["text"] or ""))


def query(record: Any) -> Query:
    """A query of a JSON object with `_id` or `id`, and `text`."""
    if not (text := _text(record["text"])).strip():
        raise ValueError("the query is empty")
    return Query(_id(record), text)


def judged(qrels: dict[str, dict[str, int]], query_id: str, doc_id: str, grade: str) -> None:
    """Adds one judgement. Raises `ValueError` for a grade that is no whole number, or other than one given before."""
    number = int(grade)
    if qrels.setdefault(query_id, {}).setdefault(doc_id, number) != number:
        raise ValueError(f"document {doc_id} was given another grade for query {query_id} before")


def _id(record: Any) -> str:
    if not isinstance(record, dict):
        raise TypeError(f"{record!r} is not an object")
    value = record["_id"] if "_id" in record else record["id"]
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise TypeError(f"{value!r} is not an id")
    return str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _amiss(docs: tuple[Doc, ...], queries: tuple[Query, ...], qrels: Qrels, judged_in: Path) -> Iterator[str]:
    known = {one.id for one in docs}
    if lost := qrels.keys() - {one.id for one in queries}:
        yield f"{judged_in}: queries judged that are not there: {len(lost)} (such as “{min(lost)}”); they are not counted"
    relevant = {doc_id for one in queries for doc_id, grade in qrels[one.id].items() if grade > 0}
    if lost := relevant - known:
        yield f"{judged_in}: relevant documents that the corpus lacks: {len(lost)} (such as “{min(lost)}”); they count as not found"
    if empty := sum(not one.title.strip() and not one.text.strip() for one in docs):
        yield f"documents without any text, which cannot be found: {empty}"
