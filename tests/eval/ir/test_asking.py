"""A collection asked of the product's retrieval, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import pytrec_eval
from typer.testing import CliRunner

from assistant.cli.app import app as assistant_app
from eval.cli import app
from eval.ir.asking import ask, fill
from eval.ir.beir import read
from eval.ir.collection import Collection, Doc, Query
from index import Library
from index.embedding import ToyEmbedder, embed


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "documents", ToyEmbedder())


def test_documents_of_equal_or_no_title_stay_apart(library: Library, beir: Path) -> None:
    fill(library, read(beir))
    papers = library.papers()
    assert len(papers) == 5 == len({paper.paper_id for paper in papers})
    assert [paper.title for paper in papers].count("On bread") == 2 and [paper.title for paper in papers].count("") == 2


def test_a_document_without_title_is_embedded_as_its_text_alone(library: Library, beir: Path) -> None:
    fill(library, read(beir))
    library.reopen_if_moved()
    nearest = library.search_vectors("chunks", embed(library.embedder, [read(beir).docs[1].text])[0], 1)
    assert nearest[0].score == pytest.approx(1.0, abs=1e-5)


def test_the_measures_are_trec_evals_over_the_run_that_is_written(library: Library, beir: Path) -> None:
    collection = read(beir)
    fill(library, collection)
    measured = ask(library, collection)
    run: dict[str, dict[str, float]] = {}
    for line in measured.trec_run("ours"):
        query_id, _, doc_id, _, score, _ = line.split()
        run.setdefault(query_id, {})[doc_id] = float(score)
    theirs = pytrec_eval.RelevanceEvaluator(collection.qrels, {"ndcg_cut.10", "recall.100"}).evaluate(run)
    metrics = measured.metrics()
    assert metrics["ndcg@10"] == pytest.approx(sum(one["ndcg_cut_10"] for one in theirs.values()) / 2, abs=1e-6)
    assert metrics["recall@100"] == pytest.approx(sum(one["recall_100"] for one in theirs.values()) / 2, abs=1e-6)
    assert metrics["n"] == 2 and metrics["fewest_found"] == 5


def test_a_document_with_the_querys_own_id_is_left_out(library: Library) -> None:
    docs = (Doc("a", "Bread", "Salt slows yeast."), Doc("b", "Bread", "Yeast likes warmth."))
    collection = Collection("own", docs, (Query("a", "salt slows yeast"),), {"a": {"b": 1}})
    fill(library, collection)
    assert ask(library, collection).rankings[0].doc_ids == ("b",)


def test_a_ranking_that_ends_early_is_not_filled_up(library: Library) -> None:
    docs = tuple(Doc(str(number), "", f"Loaf number {number} rose. " * 30) for number in range(300))
    collection = Collection("loaves", docs, (Query("q", "loaf"),), {"q": {str(number): 1 for number in range(300)}})
    fill(library, collection)
    measured = ask(library, collection)
    found = len(measured.rankings[0].doc_ids)
    assert found <= 100 and measured.metrics()["fewest_found"] == found
    assert measured.metrics()["recall@100"] == pytest.approx(found / 300)


@pytest.mark.parametrize("of_ir", [[], ["ir"]])
def test_the_command_measures_a_collection_in_a_home_of_its_own(beir: Path, own_home: Path, tmp_path: Path, of_ir: list[str]) -> None:
    run = tmp_path / "ours.run"
    result = CliRunner().invoke(app, [*of_ir, "--beir", str(beir), "--json", "-", "--run", str(run)])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["metrics"]["ndcg@10"] == 1.0 and document["metrics"]["recall@100"] == 1.0
    assert document["queries"][0]["found"][0] == "d-1" and document["settings"]["documents"] == 6
    assert run.read_text().startswith("q1 Q0 d-1 1 ")
    assert not own_home.exists()


def test_it_prints_figures_with_intervals_and_says_what_is_amiss(beir: Path) -> None:
    result = CliRunner().invoke(assistant_app, ["eval", "--beir", str(beir)])
    assert result.exit_code == 0, result.output
    assert "kitchen, test: 2 queries over 6 documents" in result.stdout and "ndcg@10    1.0000 [" in result.stdout
    assert "without any text" in result.stderr


def test_the_ways_of_searching_are_measured_side_by_side(beir: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--beir", str(beir), "--retriever", "all", "--json", "-", "--run", str(tmp_path / "ours.run")])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    hybrid, dense, lexical = document, *document["beside"]
    assert [one["settings"]["retriever"] for one in (hybrid, dense, lexical)] == ["hybrid", "dense", "lexical"]
    assert lexical["queries"][1]["found"] == ["3"] and len(dense["queries"][1]["found"]) == 5
    lines = {name: (tmp_path / f"ours.{name}.run").read_text().splitlines() for name in ("hybrid", "dense", "lexical")}
    assert len(lines["lexical"]) < len(lines["dense"]) == len(lines["hybrid"])


def test_one_way_of_searching_is_named_or_mistaken(beir: Path) -> None:
    result = CliRunner().invoke(app, ["--beir", str(beir), "--retriever", "lexical"])
    assert result.exit_code == 0 and "ndcg@10" in result.stdout and "the shortest ranking holds" in result.stdout
    result = CliRunner().invoke(app, ["--beir", str(beir), "--retriever", "lexcal"])
    assert result.exit_code == 1 and "did you mean lexical?" in result.stderr


def test_a_mistake_is_told_without_a_traceback(beir: Path) -> None:
    (beir / "corpus.jsonl").write_text("{")
    for arguments, message in [
        (["--beir", str(beir)], "corpus.jsonl, line 1"),
        (["--trec", "/none", str(beir), str(beir)], "/none: cannot be read"),
        (["ir"], "name a collection"),
    ]:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 1 and message in result.stderr and "Traceback" not in result.output
