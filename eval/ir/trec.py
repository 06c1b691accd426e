"""Reads a collection in TREC's layout: topics, qrels, and a corpus in JSON lines.

Topics are TREC's tagged text (`<top> <num> Number: 301 <title> ... </top>`, tags closed or not), of
which the title is asked, or lines of id and text between a tab. A line of the qrels is query, iteration
(not used), document and grade. A line of the corpus is `{"id", "title", "text"}`, as in BEIR; `contents`
does for `text`.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from eval.ir.collection import Collection, CollectionError, Doc, Qrels, Query, assemble, doc, each_once, judged, lines, records

_TOP = re.compile(r"<top>|</top>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)(\w+)>", re.IGNORECASE)
_LABEL = re.compile(r"^\s*(?:Number|Topic)\s*:\s*", re.IGNORECASE)


def read(topics: Path, judgements: Path, corpus: Path) -> Collection:
    """The collection of these three files. Raises `CollectionError` naming file and line."""
    asked, graded = read_topics(topics), qrels(judgements)
    return assemble(f"{topics.name}, {judgements.name}", records(corpus, _doc), asked, graded, judgements)


def read_topics(path: Path) -> list[Query]:
    """Topics, tagged or between tabs. Raises `CollectionError` naming the line."""
    numbered = list(lines(path))
    tagged = any(_TOP.search(line) for _, line in numbered)
    return each_once(path, _tagged(path, numbered) if tagged else [(number, _tabbed(path, number, line)) for number, line in numbered])


def qrels(path: Path) -> Qrels:
    """Judgements: query, iteration, document, grade. Raises `CollectionError` naming the line."""
    found: dict[str, dict[str, int]] = {}
    for number, line in lines(path):
        try:
            query_id, _, doc_id, grade = line.split()
            judged(found, query_id, doc_id, grade)
        except ValueError as error:
            raise CollectionError(f"{path}, line {number}: not query, iteration, document and grade ({error})") from error
    if not found:
        raise CollectionError(f"{path}: holds no judgement")
    return found


def _doc(record: Any) -> Doc:
    if isinstance(record, dict) and "text" not in record and "contents" in record:
        record = {**record, "text": record["contents"]}
    return doc(record)


def _tabbed(path: Path, number: int, line: str) -> Query:
    query_id, tab, text = line.partition("\t")
    if not tab or not query_id.strip() or not text.strip():
        raise CollectionError(
            f"{path}, line {number}: not a topic: neither <top> stands in the file, nor an id and a text between a tab here"
        )
    return Query(query_id.strip(), text.strip())


def _tagged(path: Path, numbered: list[tuple[int, str]]) -> list[tuple[int, Query]]:
    """One query for each `<top>`; a field ends where the next tag begins."""
    found: list[tuple[int, Query]] = []
    begun, held = 0, list[str]()
    for number, line in numbered:
        for piece in re.split(r"(</?top>)", line, flags=re.IGNORECASE):
            if piece.lower() == "<top>":
                if begun:
                    raise CollectionError(f"{path}, line {begun}: this <top> is not closed before the next, on line {number}")
                begun, held = number, []
            elif piece.lower() == "</top>":
                if not begun:
                    raise CollectionError(f"{path}, line {number}: this </top> closes nothing: <top> is missing")
                found.append((begun, _topic(path, begun, "\n".join(held))))
                begun = 0
            elif begun:
                held.append(piece)
    if begun:
        raise CollectionError(f"{path}, line {begun}: this <top> is not closed: </top> is missing")
    return found


def _topic(path: Path, number: int, text: str) -> Query:
    fields: dict[str, str] = {}
    pieces = _TAG.split(text)
    for closing, tag, body in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        if not closing:
            fields.setdefault(tag.lower(), " ".join(html.unescape(_LABEL.sub("", body)).split()))
    for wanted in ("num", "title"):
        if not fields.get(wanted):
            raise CollectionError(f"{path}, line {number}: this topic has no <{wanted}>")
    return Query(fields["num"], fields["title"])
