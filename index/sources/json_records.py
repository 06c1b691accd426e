"""Reads JSON and JSON lines that hold papers with a title and an abstract under their usual names.

Goes in: the text. Comes out: an entry for each record, wherever in the document it stands: an object with a title that lies
in no other such object. A broken line costs itself, and a broken document what cannot be read of it. Knows the names that
programs use, and no program; CSL-JSON and Zotero's JSON are read elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from index.paper import Entry, Skipped
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.encoding import lines_of
from index.sources.named import FIELDS_OF, NAMES, entry_of, folded, text_of

_START = re.compile(r"\s*(?:\{\s*(?:\"|\})|(?:\[\s*)+(?:[{\"]|\]\s*(?:\Z|[\],]))|\[\s*\[\s*-?\d)")
_BRACES = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|\{', re.DOTALL)
_RECORDS = re.compile(r"\[\s*(?=\{)")
_NEXT = re.compile(r"\}\s*,?\s*(?=\{)")
_SPACE = re.compile(r"[\s,]*")
_MOST_BREAKS = 100
"""Places at which a broken document is taken up again."""

_INNER = ("paper", "content", "attributes", "info", "source", "work", "fields", "bibjson", "document", "item", "node")
"""Names of objects within a record that tell of the paper, before what the record itself tells."""
_OUTER = ("details", "metadata", "meta", "data", "properties", "abstracts")
"""Names of those that tell what the record itself does not."""
_OTHERS = frozenset(["references", "citations", "citedby", "related", "relatedworks", "similar", "recommendations", "children"])
"""Names of lists of papers that belong to a paper."""
_EVIDENCE = ("authors", "doi", "arxiv_id", "pmid", "venue", "date")
"""What an entry without an abstract of that name has at least one of."""
_IDS = frozenset(["paperid", "corpusid", "corduid", "openalexid", "pmcid", "forum"])
_BEIR = ("_id", "doc_id", "docid", "docno")
_WEAK = frozenset(["summary", "description", "descriptions", "text"])
"""Names of abstracts that other things have, too."""


def recognise(text: str) -> bool:
    """Begins as JSON does; whether papers are in it is said when it is read."""
    return bool(_START.match(text.lstrip("\ufeff")))


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of all records. Raises `SourceError` where the text holds none."""
    text = text.lstrip("\ufeff")
    found = _of_lines(text, source) if _is_lines(text) else _of_document(text, source)
    return sorted_out(source, found, "object with a title and an abstract")


def records_of(text: str, source: str, line: int) -> list[Entry | Skipped]:
    """The records of JSON that stands on one line of another text; none where it is no JSON."""
    try:
        return [one for _, one in _records(_loads(text), source, line)]
    except ValueError:
        return []


def _is_lines(text: str) -> bool:
    """Whether every line is an object of its own: of the first ten lines that are not blank, most look so."""
    start = [line.strip() for line in lines_of(text[:1_000_000])][:10]
    lines = [line for line in start if line]
    whole = sum(line.startswith("{") and line.rstrip(",").endswith("}") for line in lines)
    return bool(lines) and lines[0].startswith("{") and (2 * whole > len(lines) or (len(lines) == 1 and len(text) > 1_000_000))


def _of_lines(text: str, source: str) -> Iterator[Entry | Skipped]:
    for number, line in enumerate(lines_of(text), 1):
        if not line.strip(" \t\r\n,"):
            continue
        try:
            document = _loads(line.strip(" \t\r\n,"))
        except ValueError as error:
            yield Skipped(source, number, f"this line is broken JSON ({error})")
            continue
        found = [one for _, one in _records(document, source, number)]
        yield from found or [Skipped(source, number, "this line holds no paper: no title, or nothing else of one")]


def _of_document(text: str, source: str) -> Iterator[Entry | Skipped]:
    try:
        document = _loads(text)
    except ValueError:
        yield from _of_broken(text, source)
        return
    found = list(_records(document, source))
    lines = _lines(text, [index for index, _ in found])
    for (_, one), line in zip(found, lines, strict=True):
        yield replace(one, line=line)


def _loads(text: str) -> Any:
    """The value; `NaN`, raw line ends in strings and lone surrogates pass. Raises `ValueError`."""
    try:
        return orjson.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(text, strict=False)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg}, column {error.colno}") from error


def _of_broken(text: str, source: str) -> Iterator[Entry | Skipped]:
    """What can be read of a document that is cut off or broken somewhere, list by list, object by object."""
    decoder = json.JSONDecoder(strict=False)
    at = _beginning(text, decoder)
    line, counted, breaks = 1, 0, 0
    while at < len(text):
        line, counted = line + text.count("\n", counted, at), at
        try:
            document, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            yield Skipped(source, line, f"this object is broken JSON ({reason})")
            following = _NEXT.search(text, at + 1)
        else:
            yield from (one for _, one in _records(document, source, line))
            at = _after(text, end)
            if text[at : at + 1] in ("{", ""):
                continue
            following = (_RECORDS.search(text, at) if text[at] in "]}" else None) or _NEXT.search(text, at)
            if following and text[at] not in "]}":
                yield Skipped(source, line, "this object is broken JSON (it ends before it should)")
        breaks += 1
        if following is None:
            return
        if breaks == _MOST_BREAKS:
            yield Skipped(source, line, "this JSON is broken in too many places: what follows is not read")
            return
        at = following.end()


def _after(text: str, end: int) -> int:
    """The next place that holds something, after spaces and commas."""
    found = _SPACE.match(text, end)
    return found.end() if found else end


def _beginning(text: str, decoder: json.JSONDecoder) -> int:
    """Where the first object of a broken document stands: at its beginning where it is one of several, else in the first list."""
    at = len(text) - len(text.lstrip())
    try:
        decoder.raw_decode(text, at)
    except (ValueError, RecursionError):
        found = _RECORDS.search(text)
        return found.end() if found else at
    return at


def _records(document: Any, source: str, line: int = 1) -> Iterator[tuple[int, Entry | Skipped]]:
    """The records of a document, each with its number among all objects as they stand in the text."""
    stack: list[tuple[Any, bool]] = [(document, False)] if isinstance(document, dict | list) else []
    index = -1
    while stack:
        node, inside = stack.pop()
        if isinstance(node, list):
            stack.extend((one, inside) for one in reversed(node) if isinstance(one, dict | list))
            continue
        index += 1
        if not inside and (rows := _rows_of_columns(node)):
            inside = True
            yield from ((index, one) for row in rows if (one := _record(row, source, line)) is not None)
        elif not inside:
            one = _record(node, source, line)
            if one is not None:
                inside = True
                yield index, one
        stack.extend((one, inside) for one in reversed(node.values()) if isinstance(one, dict | list))


def _record(node: dict[str, Any], source: str, line: int) -> Entry | Skipped | None:
    """The entry that an object tells, if it is a record: it has a title and tells of a paper, or has an abstract and no title."""
    found, strong = _found(node)
    titled = any(map(text_of, found.get("title", ())))
    if not titled:
        return Skipped(source, line, "this record has no title") if strong and not _holds_records(node) else None
    if not strong and _holds_records(node):
        return None
    entry = entry_of(found, line)
    evident = any(getattr(entry, field) for field in _EVIDENCE) or not _IDS.isdisjoint(map(folded, node))
    if not (strong or evident) or (_is_reply(node) and not strong):
        return None
    return entry if entry.title else Skipped(source, line, "this record has no title")


def _is_reply(node: dict[str, Any]) -> bool:
    """Whether it belongs to a paper's discussion, as OpenReview keeps reviews and comments."""
    return bool(node.get("replyto")) and node.get("replyto") != node.get("id")


def _rows_of_columns(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of a table written column by column, as lists or as objects by the row's number; none where it is no such table."""
    columns = {key: list(value.values()) if isinstance(value, dict) else value for key, value in node.items()}
    columns = {key: column for key, column in columns.items() if isinstance(column, list) and len(column) > 1}
    titles = next((column for key, column in columns.items() if folded(key) == "title"), [])
    abstracts = next((column for key, column in columns.items() if folded(key) in NAMES["abstract"]), [])
    if not titles or len(titles) != len(abstracts) or not all(isinstance(title, str | None) for title in titles):
        return []
    whole = {key: column for key, column in columns.items() if len(column) == len(titles)}
    return [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]


def _found(node: dict[str, Any]) -> tuple[dict[str, list[object]], bool]:
    """The values of each field, the likeliest first, and whether an abstract is among them by a name that nothing else has."""
    ranked: dict[str, list[tuple[int, int, object]]] = {}
    strong = False
    for depth, layer in enumerate(_layers(node)):
        names = {folded(key): value for key, value in layer.items() if value not in (None, "", [], {})}
        for name, value in names.items():
            for field, rank in FIELDS_OF.get(name, ()):
                ranked.setdefault(field, []).append((depth, rank, value))
                strong = strong or (field == "abstract" and name not in _WEAK)
        if isinstance(names.get("text"), str) and "title" in names and not layer.keys().isdisjoint(_BEIR):
            strong = True
            ranked.setdefault("abstract", []).append((depth, len(FIELDS_OF), names["text"]))
        if isinstance(names.get("forum"), str) and isinstance(layer.get("content"), dict):
            ranked.setdefault("url", []).append((depth, len(FIELDS_OF), f"https://openreview.net/forum?id={names['forum']}"))
    by_rank = {field: [value for *_, value in sorted(values, key=lambda one: one[:2])] for field, values in ranked.items()}
    return by_rank, strong


def _layers(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that together tell of one paper, the one that is believed first before the others."""
    inner = [value for key, value in node.items() if isinstance(value, dict) and folded(key) in _INNER and _is_titled(value)]
    outer = [value for key, value in node.items() if isinstance(value, dict) and folded(key) in _OUTER]
    return [*inner, node, *outer]


def _is_titled(node: dict[str, Any]) -> bool:
    return any(folded(key) in ("title", "titles") for key in node)


def _holds_records(node: dict[str, Any]) -> bool:
    """Whether it is rather the envelope of a list of papers."""
    return any(
        isinstance(value, list) and folded(key) not in _OTHERS and any(isinstance(one, dict) and _is_titled(one) for one in value[:3])
        for key, value in node.items()
    )


def _lines(text: str, indices: list[int]) -> list[int]:
    """The lines of the objects with these numbers (ascending)."""
    lines: list[int] = []
    line, counted, index = 1, 0, -1
    if "\n" not in text.strip():
        return [1 + text[: len(text) - len(text.lstrip())].count("\n")] * len(indices)
    for brace in _BRACES.finditer(text):
        if len(lines) == len(indices):
            break
        if brace[0] != "{":
            continue
        index += 1
        if index == indices[len(lines)]:
            line, counted = line + text.count("\n", counted, brace.start()), brace.start()
            lines.append(line)
    return lines + [line] * (len(indices) - len(lines))


FORMAT = Format("JSON or JSON lines", (".json", ".jsonl", ".ndjson", ".jsonlines"), recognise, parse)
