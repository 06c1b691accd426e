"""TREC's layout, read and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.ir.collection import CollectionError, Query
from eval.ir.trec import qrels, read, read_topics
from tests.eval.ir.conftest import DOCS

TAGGED = """
<top>

<num> Number: 301
<title> slow sourdough &amp; warm kitchens

<desc> Description:
Why is a young starter slow?
</top>
<top><num>302</num><title>salt in
dough</title><narr>Anything on salt.</narr></top>
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "docs.jsonl"
    path.write_text("\n".join(json.dumps({"id": doc["_id"], "contents": doc["text"]}) for doc in DOCS))
    return path


def written(tmp_path: Path, name: str, text: str) -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_tagged_topics_are_read_whether_their_tags_are_closed_or_not(tmp_path: Path) -> None:
    topics = read_topics(written(tmp_path, "topics", TAGGED))
    assert topics == [Query("301", "slow sourdough & warm kitchens"), Query("302", "salt in dough")]


def test_topics_between_tabs_are_read(tmp_path: Path) -> None:
    assert read_topics(written(tmp_path, "topics", "1\tslow bread\n\n2\ta\tb\n")) == [Query("1", "slow bread"), Query("2", "a\tb")]


def test_the_three_files_make_a_collection(tmp_path: Path, corpus: Path) -> None:
    judgements = written(tmp_path, "qrels", "301 0 d-1 2\n301 0 3 -2\n302 Q0 3 1\n")
    collection = read(written(tmp_path, "topics", TAGGED), judgements, corpus)
    assert [query.id for query in collection.queries] == ["301", "302"]
    assert collection.qrels["301"] == {"d-1": 2, "3": -2}
    assert collection.docs[3].text == DOCS[3]["text"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<top>\n<num> 1\n<title> a\n", "line 1: this <top> is not closed"),
        ("<top>\n<num> 1\n<title> a\n<top>\n</top>", "line 1: this <top> is not closed before the next, on line 4"),
        ("\n<top>\n<num> 1\n</top>", "line 2: this topic has no <title>"),
        ("<top>\n<title> a\n</top>", "line 1: this topic has no <num>"),
        ("</top>", "line 1: this </top> closes nothing"),
        ("<top><num>1<title>a</top>\n<top><num>1<title>b</top>", "line 2: the id “1” of line 1 again"),
        ("1\ta\n2 b\n", "line 2: not a topic"),
        ("", "holds nothing"),
    ],
)
def test_bad_topics_are_refused_naming_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CollectionError, match=message):
        read_topics(written(tmp_path, "topics", text))


@pytest.mark.parametrize(
    ("text", "message"), [("1 0 a\n", "line 1: not query, iteration"), ("1 0 a 1\n1 0 b x", "line 2: not query"), ("\n", "no judgement")]
)
def test_bad_judgements_are_refused_naming_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CollectionError, match=message):
        qrels(written(tmp_path, "qrels", text))
