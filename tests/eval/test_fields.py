"""Other fields' libraries beside our own: the worst is told first."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.errors import EvalError
from eval.fields import load_fields, side_by_side
from eval.held_out import held_out
from eval.train import data
from tests.conftest import LISTINGS
from tests.eval.test_report import RESULTS, RUN

ASKED = {"id": "a", "question": "How does TideCache cut time to first token?", "kind": "named",
         "gold_titles": ["TideCache: Reusing Prompt Prefixes Across Chat Sessions"], "facts": [["2.4x"]]}  # fmt: skip


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    """One field with a question set of its own."""
    (tmp_path / "fields" / "caching").mkdir(parents=True)
    shutil.copy(LISTINGS / "compact.txt", tmp_path / "fields" / "caching" / "library.txt")
    (tmp_path / "fields" / "caching" / "questions.jsonl").write_text(json.dumps(ASKED))
    return tmp_path / "fields"


def test_a_field_without_a_question_set_is_asked_what_the_held_out_models_never_saw(fields: Path) -> None:
    (fields / "chemistry").mkdir()
    (fields / "chemistry" / "papers.jsonl").write_text("")
    own, chemistry = load_fields(fields)
    assert (own.name, len(own.questions)) == ("caching", 1)
    asked = {one.id: one for one in chemistry.questions}
    known = {one.id: one for one in data.load_fields() if one.field == "chemistry"}
    about = [known[name] for name in asked if name in known]
    assert about and {one.title for one in about} <= held_out()
    assert all(asked[one.id].gold_titles == (() if one.kind == data.UNSTATED else (one.title,)) for one in about)
    assert {"absent", "missing_detail", "false_premise", "paraphrase"} <= {one.kind for one in chemistry.questions}


def test_what_is_lacking_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="no such folder"):
        load_fields(tmp_path / "none")
    with pytest.raises(EvalError, match="holds no field"):
        load_fields(tmp_path)
    (tmp_path / "astrology").mkdir()
    (tmp_path / "astrology" / "papers.jsonl").write_text("")
    with pytest.raises(EvalError, match="no training questions of a field called astrology"):
        load_fields(tmp_path)


def test_the_worst_library_stands_first_and_is_named() -> None:
    own = replace(RUN, settings={"label": "own"}, results=tuple(replace(one, answered=False) for one in RESULTS))
    section = side_by_side([own, replace(RUN, settings={"label": "caching"})])
    assert [row[0] for row in section.rows] == ["caching", "own"]
    assert section.lines[0].startswith("Most wrong answers: caching, 0.20 [0.00, 0.60]; fewest: own, 0.00")
    assert "Worst in declined, no paper here: caching, 0.50." in section.lines


def test_the_command_measures_them_and_the_report_leads_with_them(fields: Path, tmp_path: Path) -> None:
    asked, out = tmp_path / "asked.jsonl", tmp_path / "out.json"
    asked.write_text(json.dumps(ASKED))
    given = ["--source", str(LISTINGS), "--questions", str(asked), "--fields", str(fields), "--json", str(out)]
    result = CliRunner().invoke(app, given, env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Other fields beside our own:") and max(map(len, result.stdout.splitlines())) <= 80
    document = json.loads(out.read_text())
    assert [one["settings"]["label"] for one in document["fields"]] == ["caching"] and "beside" not in document
    result = CliRunner().invoke(app, ["report", str(out), "--out", str(tmp_path / "report")])
    assert result.exit_code == 0, result.output
    for name in ("report.html", "report.md"):
        text = (tmp_path / "report" / name).read_text()
        assert text.index("Other fields beside our own") < text.index("Where it loses")
