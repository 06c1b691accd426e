"""A run over a small library: the document, failures, and the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assistant import Assistant
from eval.cli import app
from eval.questions import GoldQuestion, load
from eval.run import run
from index import Library
from tests.conftest import LISTINGS

ASKED = [
    {"id": "a", "question": "How does TideCache cut time to first token?", "kind": "named",
     "gold_titles": ["TideCache: Reusing Prompt Prefixes Across Chat Sessions"], "facts": [["2.4x"]]},
    {"id": "b", "question": "and by how much is throughput raised?", "kind": "follow_up", "history": ["What is TideCache?"],
     "gold_titles": ["TideCache: Reusing Prompt Prefixes Across Chat Sessions"], "facts": [["38%"]]},
    {"id": "c", "question": "zebra crossing quandary?", "kind": "brand_new_kind", "gold_titles": [], "facts": []},
]  # fmt: skip


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    path = tmp_path / "asked.jsonl"
    path.write_text("\n".join(map(json.dumps, ASKED)))
    return path


def test_the_document_has_the_keys_of_the_contract(toy_library: Library, asked: Path) -> None:
    document = run(Assistant(toy_library.home, library=toy_library), load(asked), {"llm": "extractive"}).document()
    assert set(document) == {"settings", "metrics", "by_kind", "intervals", "calibration", "questions"}
    wanted = {"n", "hit@1", "recall@5", "recall@10", "mrr@10", "ndcg@10", "fact_recall", "citation_precision", "citation_recall",
              "refusal_rate", "harm", "latency_ms_p50", "latency_ms_p95"}  # fmt: skip
    assert wanted < set(document["metrics"]) == set(document["intervals"]["metrics"])
    assert list(document["by_kind"]) == ["named", "follow_up", "brand_new_kind"]
    row: dict[str, Any] = document["questions"][0]
    assert {"id", "kind", "question", "retrieved_titles", "answer", "cited_titles", "answered", "latency_ms", "confidence"} < set(row)
    calibration = document["calibration"]
    assert (
        calibration["n"] == sum(one["answered"] for one in document["questions"]) == sum(one["count"] for one in calibration["reliability"])
    )
    assert json.loads(json.dumps(document)) == document


def test_a_row_holds_the_answers_own_confidence(toy_library: Library, asked: Path) -> None:
    assistant = Assistant(toy_library.home, library=toy_library)
    questions = [one for one in load(asked) if not one.history]
    given = [assistant.answer(one.question).confidence for one in questions]
    assert [row["confidence"] for row in run(assistant, questions, {}).document()["questions"]] == given
    assert len(set(given)) > 1


def test_earlier_turns_are_asked_first(toy_library: Library, asked: Path) -> None:
    finished = run(Assistant(toy_library.home, library=toy_library), load(asked), {})
    assert finished.results[1].retrieved_titles[0].startswith("TideCache")


def test_a_question_that_fails_is_told_and_the_others_count(toy_library: Library) -> None:
    questions = [GoldQuestion("a", "x" * 9999, "named", ("T",), ()), GoldQuestion("b", "apples", "named", ("T",), ())]
    finished = run(Assistant(toy_library.home, library=toy_library), [questions[1], questions[0]], {})
    assert finished.results[0].error is None
    assert finished.results[1].error and "9,999" in finished.results[1].error
    assert finished.document()["questions"][1]["error"]


@pytest.mark.parametrize("sources", [["--source", "{0}", "{1}"], ["--source", "{0}", "--source", "{1}"]])
def test_sources_are_measured_in_a_home_of_their_own(sources: list[str], asked: Path, own_home: Path, tmp_path: Path) -> None:
    paths = [str(LISTINGS / "compact.txt"), str(LISTINGS / "spaced.txt")]
    out = tmp_path / "out.json"
    given = [part.format(*paths) for part in sources]
    result = CliRunner().invoke(app, [*given, "--questions", str(asked), "--json", str(out)])
    assert result.exit_code == 0, result.output
    assert json.loads(out.read_text())["settings"]["papers"] == 3
    assert not own_home.exists()


def test_json_to_stdout_is_one_document_and_nothing_else(asked: Path) -> None:
    result = CliRunner().invoke(app, ["--source", str(LISTINGS), "--questions", str(asked), "--json", "-"])
    assert json.loads(result.stdout)["metrics"]["n"] == 3


def test_a_bad_question_set_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{")
    result = CliRunner().invoke(app, ["--questions", str(tmp_path / "bad.jsonl")])
    assert result.exit_code == 1 and "line 1" in result.stderr and "Traceback" not in result.output


def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(asked: Path) -> None:
    result = CliRunner().invoke(app, ["--questions", str(asked), "--source", str(LISTINGS), "--json", "/nowhere/at/all.json"])
    assert result.exit_code == 1 and "/nowhere/at/all.json" in result.stderr and "Asking" not in result.stderr


def test_an_empty_question_is_a_row_with_its_error(toy_library: Library) -> None:
    finished = run(Assistant(toy_library.home, library=toy_library), [GoldQuestion("a", "", "named", ("T",), ())], {})
    assert "empty" in (finished.results[0].error or "")


def test_a_source_that_is_not_there_is_told(asked: Path) -> None:
    result = CliRunner().invoke(app, ["--source", "/nowhere/at/all", "--questions", str(asked)])
    assert result.exit_code == 1 and "/nowhere/at/all" in result.stderr


def test_the_table_fits_80_columns_and_cuts_nothing_off(asked: Path) -> None:
    result = CliRunner().invoke(app, ["--source", str(LISTINGS), "--questions", str(asked)], env={"COLUMNS": "80"})
    assert result.exit_code == 0 and "brand_new_kind" in result.stdout and "refusal_rate" in result.stdout
    assert "confidence of" in result.stdout and "share right" in result.stdout
    assert "…" not in result.stdout and max(map(len, result.stdout.splitlines())) <= 80


def test_kinds_and_limit_choose_what_is_asked(asked: Path, tmp_path: Path) -> None:
    twice = tmp_path / "twice.jsonl"
    twice.write_text(asked.read_text() + "\n" + asked.read_text())
    chosen = ["--kinds", "named, brand_new_kind", "--limit", "1", "--json", "-"]
    result = CliRunner().invoke(app, ["--source", str(LISTINGS), "--questions", str(twice), *chosen])
    document = json.loads(result.stdout)
    assert [row["id"] for row in document["questions"]] == ["a", "c"]
    assert document["settings"]["kinds"] == ["named", "brand_new_kind"] and document["settings"]["limit"] == 1
    assert document["settings"]["leave_out_gold"] is False


def test_an_unknown_kind_is_told_before_anything_is_asked(asked: Path) -> None:
    result = CliRunner().invoke(app, ["--questions", str(asked), "--source", str(LISTINGS), "--kinds", "nmaed"])
    assert result.exit_code == 1 and "named, follow_up, brand_new_kind" in result.stderr and "Traceback" not in result.output


def test_leaving_gold_out_asks_only_what_has_gold_and_says_so(asked: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    result = CliRunner().invoke(app, ["--source", str(LISTINGS), "--questions", str(asked), "--leave-out-gold", "--json", str(out)])
    assert result.exit_code == 0 and "without the papers that answer" in result.stdout
    document = json.loads(out.read_text())
    assert document["settings"]["leave_out_gold"] is True and [row["id"] for row in document["questions"]] == ["a", "b"]
    gold = ASKED[0]["gold_titles"]
    assert all(row["retrieved_titles"] and gold[0] not in row["retrieved_titles"] for row in document["questions"])  # type: ignore[index]


def test_leaving_gold_out_where_there_is_none_is_told(asked: Path) -> None:
    chosen = ["--kinds", "brand_new_kind", "--leave-out-gold"]
    result = CliRunner().invoke(app, ["--questions", str(asked), "--source", str(LISTINGS), *chosen])
    assert result.exit_code == 1 and "has gold to leave out" in result.stderr
