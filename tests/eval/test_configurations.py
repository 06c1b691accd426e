"""Ways of searching, alone and together, and LLMs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant import Assistant
from assistant.llms.scripted import ScriptedLLM
from eval.cli import app
from eval.configurations import RETRIEVERS, Configuration, configurations
from index import Library
from tests.conftest import LISTINGS

NAMED = {"id": "a", "question": "How does TideCache cut time to first token?", "kind": "named",
         "gold_titles": ["TideCache: Reusing Prompt Prefixes Across Chat Sessions"], "facts": [["2.4x"]]}  # fmt: skip


def test_each_way_searches_by_what_it_is_called() -> None:
    dense, lexical, hybrid = (RETRIEVERS[name] for name in ("dense", "lexical", "hybrid"))
    assert dense.chunk > 0 and not dense.lexical
    assert lexical.lexical > 0 and not lexical.chunk
    assert hybrid.chunk > 0 and hybrid.lexical > 0


def test_by_words_alone_only_papers_with_the_words_are_found(toy_library: Library) -> None:
    whole = Assistant(toy_library.home, library=toy_library)
    found = {
        name: [one.title for one in Configuration(name, "extractive").of(whole).search("TideCache prefixes", 50)] for name in RETRIEVERS
    }
    assert found["lexical"][0].startswith("TideCache")
    holders = {paper.title for paper in toy_library.papers() if {"tidecach", "prefix"} & toy_library.lexical.terms_in(
        f"{paper.display_title} {paper.abstract}")}  # fmt: skip
    assert set(found["lexical"]) <= holders < set(found["hybrid"])


def test_by_meaning_alone_words_do_not_count(toy_library: Library) -> None:
    whole = Assistant(toy_library.home, library=toy_library)
    dense = Configuration("dense", "extractive").of(whole).search("TideCache prefixes", 50)
    vector = toy_library.embedder.embed_queries(["TideCache prefixes"])[0]
    chunks = {hit.paper_id: hit.score for hit in reversed(toy_library.search_vectors("chunks", vector, 100))}
    assert [one.paper_id for one in dense] == sorted(chunks, key=lambda one: (-chunks[one], one))


def test_the_assistant_that_is_varied_stays_as_it_was(toy_library: Library) -> None:
    whole = Assistant(toy_library.home, library=toy_library)
    varied = whole.varied(ScriptedLLM(replies=["x"]), RETRIEVERS["dense"])
    assert (whole.mode, varied.mode) == ("extractive", "scripted")
    assert whole.weights == RETRIEVERS["hybrid"] and varied.library is whole.library


def test_answering_without_an_llm_always_stands_beside() -> None:
    llm = ScriptedLLM(replies=["x"])
    assert [one.name for one in configurations("hybrid", [llm])] == ["hybrid, scripted", "hybrid, extractive"]
    assert [one.name for one in configurations("all", ["extractive"])] == ["hybrid, extractive", "dense, extractive", "lexical, extractive"]


@pytest.fixture
def asked(tmp_path: Path) -> str:
    path = tmp_path / "asked.jsonl"
    path.write_text(json.dumps(NAMED))
    return str(path)


def test_retrievers_are_written_beside_the_first(asked: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    chosen = ["--retriever", "all", "--jobs", "2", "--json", str(out)]
    result = CliRunner().invoke(app, ["--source", str(LISTINGS), "--questions", asked, *chosen], env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    assert "A: hybrid, extractive; B: dense, extractive" in result.stdout and max(map(len, result.stdout.splitlines())) <= 80
    document = json.loads(out.read_text())
    assert [one["settings"]["retriever"] for one in [document, *document["beside"]]] == ["hybrid", "dense", "lexical"]
    assert document["settings"]["jobs"] == 2 and not list(tmp_path.glob("*.checkpoint"))


def test_an_unknown_retriever_names_the_nearest(asked: str) -> None:
    result = CliRunner().invoke(app, ["--source", str(LISTINGS), "--questions", asked, "--retriever", "dence"])
    assert result.exit_code == 1 and "did you mean dense?" in result.stderr


def test_an_unknown_llm_is_told_before_papers_are_embedded(asked: str) -> None:
    result = CliRunner().invoke(app, ["--source", str(LISTINGS), "--questions", asked, "--llm", "extractive", "--llm", "openai-lik:x"])
    assert result.exit_code == 2 and "did you mean openai-like" in result.stderr and "Embedding" not in result.stderr


def test_a_run_that_was_stopped_resumes(asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.json"
    two = tmp_path / "two.jsonl"
    two.write_text("\n".join(json.dumps({**NAMED, "id": name, "question": f"{NAMED['question']} {name}"}) for name in "ab"))
    given = ["--source", str(LISTINGS), "--questions", str(two), "--json", str(out)]
    answer = Assistant.answer

    def stopped(self: Assistant, question: str, *rest: object) -> object:
        if question.endswith("b"):
            raise KeyboardInterrupt
        return answer(self, question, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Assistant, "answer", stopped)
    assert CliRunner().invoke(app, given).exit_code != 0
    monkeypatch.setattr(
        Assistant, "answer", lambda self, question, *rest: answer(self, question, *rest) if question.endswith("b") else 1 / 0
    )
    resumed = CliRunner().invoke(app, given)
    assert resumed.exit_code == 0 and "1 answers are there" in resumed.stderr
    assert [row["id"] for row in json.loads(out.read_text())["questions"]] == ["a", "b"] and not list(tmp_path.glob("*.checkpoint"))
