"""BEIR's layout, read and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.ir.beir import read
from eval.ir.collection import CollectionError, Doc, Query


def test_documents_queries_and_grades_are_read(beir: Path) -> None:
    collection = read(beir)
    assert len(collection.docs) == 6
    assert collection.docs[2] == Doc("3", "On bread", "Salt slows yeast and firms the dough.")
    assert collection.queries == (Query("q1", "why does a young sourdough starter rise slowly"), Query("q2", "what does salt do to dough"))
    assert collection.qrels == {"q1": {"d-1": 2, "3": 1, "4": 0}, "q2": {"3": 1, "d_1": 0}}
    assert collection.name == "kitchen, test" and collection.warnings == ("documents without any text, which cannot be found: 1",)


def test_the_test_split_is_read_where_there_are_several_and_another_on_demand(beir: Path) -> None:
    (beir / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq3\t4\t1\n")
    assert [query.id for query in read(beir).queries] == ["q1", "q2"]
    assert [query.id for query in read(beir, "dev").queries] == ["q3"]
    with pytest.raises(CollectionError, match=r"no split “train”.*--split: dev, test"):
        read(beir, "train")


def test_which_split_is_asked_where_none_is_usual(beir: Path) -> None:
    (beir / "qrels" / "test.tsv").rename(beir / "qrels" / "dev.tsv")
    assert read(beir).name == "kitchen, dev"
    (beir / "qrels" / "train.tsv").write_text("q3\t4\t1\n")
    with pytest.raises(CollectionError, match=r"which split.*dev, train"):
        read(beir)


def test_qrels_without_a_heading_lose_no_line(beir: Path) -> None:
    (beir / "qrels" / "test.tsv").write_text("q3\t4\t1\n")
    assert read(beir).qrels == {"q3": {"4": 1}}


def test_what_does_not_fit_together_is_told(beir: Path) -> None:
    with (beir / "qrels" / "test.tsv").open("a") as file:
        file.write("q9\t3\t1\nq2\tgone\t1\n")
    warnings = " ".join(read(beir).warnings)
    assert "queries judged that are not there: 1 (such as “q9”)" in warnings
    assert "relevant documents that the corpus lacks: 1 (such as “gone”)" in warnings


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("corpus.jsonl", '{"_id": "a", "text": "b"}\n{', r"corpus.jsonl, line 2: not a record in JSON"),
        ("corpus.jsonl", '{"_id": "a", "title": "b"}', r"corpus.jsonl, line 1: 'text' is missing"),
        ("corpus.jsonl", '{"title": "a", "text": "b"}', r"corpus.jsonl, line 1: 'id' is missing"),
        ("corpus.jsonl", "[1]", r"corpus.jsonl, line 1: .* is not an object"),
        ("corpus.jsonl", '{"_id": "a", "text": "b"}\n\n{"_id": "a", "text": "c"}', r"corpus.jsonl, line 3: the id “a” of line 1 again"),
        ("corpus.jsonl", "", r"corpus.jsonl: holds nothing"),
        ("queries.jsonl", '{"_id": "q1", "text": " "}', r"queries.jsonl, line 1: .*the query is empty"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\t3\n", r"test.tsv, line 2: not query, document and grade"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\t3\t0.5\n", r"test.tsv, line 2: not query, document and grade"),
        ("qrels/test.tsv", "q1\t3\t1\nq1\t3\t2\n", r"test.tsv, line 2: .*another grade"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", r"test.tsv: holds no judgement"),
        ("qrels/test.tsv", "q7\t3\t1\n", r"test.tsv: judges none of the queries"),
    ],
)
def test_a_bad_file_is_refused_naming_the_line(beir: Path, file: str, text: str, message: str) -> None:
    (beir / file).write_text(text)
    with pytest.raises(CollectionError, match=message):
        read(beir)


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl"])
def test_a_missing_file_is_told(beir: Path, file: str) -> None:
    (beir / file).unlink()
    with pytest.raises(CollectionError, match=f"{file}: cannot be read"):
        read(beir)


def test_missing_judgements_and_a_missing_folder_are_told(beir: Path, tmp_path: Path) -> None:
    (beir / "qrels" / "test.tsv").unlink()
    with pytest.raises(CollectionError, match="qrels: holds no judgements"):
        read(beir)
    with pytest.raises(CollectionError, match="there is no such folder"):
        read(tmp_path / "nowhere")


def test_a_file_of_another_encoding_is_told(beir: Path) -> None:
    (beir / "corpus.jsonl").write_bytes(b'{"_id": "a", "text": "caf\xe9"}')
    with pytest.raises(CollectionError, match=r"corpus.jsonl: this is not UTF-8"):
        read(beir)
