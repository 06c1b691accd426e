"""Prompts are exported, and completions to them scored as a live LLM's would be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assistant import Assistant
from assistant.llms.scripted import ScriptedLLM
from eval.cli import app
from eval.questions import load
from eval.replay import ReplayLLM, fingerprint, load_completions
from eval.run import Manner, run
from index import Library
from tests.conftest import LISTINGS

GOLD = "TideCache: Reusing Prompt Prefixes Across Chat Sessions"
ASKED = [
    {"id": "a", "question": "How does TideCache cut time to first token?", "kind": "named", "gold_titles": [GOLD], "facts": [["2.4x"]]},
    {"id": "b", "question": "and by how much is its throughput raised?", "kind": "follow_up", "history": ["What is TideCache?"],
     "gold_titles": [GOLD], "facts": [["38%"]]},
    {"id": "c", "question": "zebra crossing quandary?", "kind": "offtopic", "gold_titles": [], "facts": []},
]  # fmt: skip
REPLY = "TideCache cuts the time to first token by 2.4x. [1]"


@pytest.fixture
def asked(tmp_path: Path) -> str:
    path = tmp_path / "asked.jsonl"
    path.write_text("\n".join(map(json.dumps, ASKED)))
    return str(path)


@pytest.fixture
def exported(asked: str, tmp_path: Path) -> list[dict[str, Any]]:
    out = tmp_path / "prompts.jsonl"
    result = CliRunner().invoke(app, ["--source", str(LISTINGS), "--questions", asked, "--export-prompts", str(out)])
    assert result.exit_code == 0, result.output
    assert "2 prompts; 1 questions are settled before an LLM is asked" in result.stderr
    return [json.loads(line) for line in out.read_text().splitlines()]


def replayed(asked: str, tmp_path: Path, rows: list[dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    answers, out = tmp_path / "some-model.jsonl", tmp_path / "out.json"
    answers.write_text("\n".join(map(json.dumps, rows)))
    given = ["--source", str(LISTINGS), "--questions", asked, "--answers", str(answers), "--json", str(out)]
    result = CliRunner().invoke(app, given)
    return result, json.loads(out.read_text() or "{}")


def test_a_prompt_is_what_a_live_llm_is_asked(exported: list[dict[str, Any]], toy_library: Library) -> None:
    assert [row["id"] for row in exported] == ["a", "b"] and exported[1]["history"] == ["What is TideCache?"]
    assert [message["role"] for message in exported[0]["messages"]] == ["system", "user"]
    assert ASKED[0]["question"] in exported[0]["messages"][1]["content"]
    assert "Earlier questions in this conversation: What is TideCache?" in exported[1]["messages"][1]["content"]
    assert all(row["sha256"] == fingerprint(row["messages"]) for row in exported)


def test_completions_are_scored_as_if_the_model_had_answered(exported: list[dict[str, Any]], asked: str, tmp_path: Path) -> None:
    rows = [{"id": "a", "completion": REPLY, "sha256": exported[0]["sha256"]}, {"id": "b", "completion": "NOT IN THE SOURCES"}]
    result, document = replayed(asked, tmp_path, rows)
    assert result.exit_code == 0, result.output
    assert "completions replayed" in result.stdout
    first, second, third = document["questions"]
    assert (first["mode"], first["answer"], first["cited_titles"]) == ("some-model", REPLY, [GOLD])
    assert first["citations"][0]["supported"] and first["citations"][0]["stands"]
    assert not second["answered"] and "found no answer" in second["reason"] and not third["answered"]
    assert document["settings"]["replayed"] and document["beside"][0]["settings"]["llm"] == "extractive"


def test_a_replay_gives_what_a_live_llm_gives(asked: str, toy_library: Library) -> None:
    golds = [one for one in load(Path(asked)) if not one.history]
    whole = Assistant(toy_library.home, library=toy_library)
    live = run(whole.varied(ScriptedLLM(replies=[REPLY])), golds, {})
    recorder = ReplayLLM(name="scripted", context_window=8192, completions=load_completions(_file(Path(asked).parent, [("a", REPLY)])))
    again = run(whole.varied(recorder), golds, {}, Manner(through=recorder.through))
    kept = ("answer", "answered", "cited_titles", "citations", "mode", "retrieved_titles", "confidence", "warnings")
    assert [[getattr(one, name) for name in kept] for one in live.results] == [
        [getattr(one, name) for name in kept] for one in again.results
    ]


def test_a_missing_completion_is_told_and_scored_as_a_failure(asked: str, tmp_path: Path) -> None:
    result, document = replayed(asked, tmp_path, [{"id": "a", "completion": REPLY}, {"id": "z", "completion": "?"}])
    assert result.exit_code == 1 and "some-model has no completion for it" in result.stderr and "first: z" in result.stderr
    row = document["questions"][1]
    assert not row["answered"] and "no completion" in row["error"]


def test_a_completion_to_another_prompt_is_refused(asked: str, tmp_path: Path) -> None:
    rows = [{"id": "a", "completion": REPLY, "sha256": "0" * 64}, {"id": "b", "completion": REPLY}]
    result, document = replayed(asked, tmp_path, rows)
    assert result.exit_code == 1 and "export the prompts again" in document["questions"][0]["error"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [("{", "line 1"), ('{"id": "a"}', "'completion' is missing"), ('{"id": "a", "completion": "x"}\n' * 2, "two completions for “a”")],
)
def test_a_file_that_does_not_fit_is_told(asked: str, tmp_path: Path, lines: str, told: str) -> None:
    (tmp_path / "bad.jsonl").write_text(lines)
    result = CliRunner().invoke(app, ["--source", str(LISTINGS), "--questions", asked, "--answers", str(tmp_path / "bad.jsonl")])
    assert result.exit_code == 1 and told in result.stderr and "Traceback" not in result.output


def _file(folder: Path, said: list[tuple[str, str]]) -> Path:
    path = folder / "said.jsonl"
    path.write_text("\n".join(json.dumps({"id": name, "completion": text}) for name, text in said))
    return path
