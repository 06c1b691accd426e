"""A question set of the user's own: CSV, and what is amiss in a set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.question_lint import amiss
from eval.questions import GoldQuestion, QuestionSetError, load, numbered
from tests.conftest import LISTINGS

TIDE = "TideCache: Reusing Prompt Prefixes Across Chat Sessions"
TITLES = [TIDE, "MothNet: Sparse Networks Inspired by the Olfactory System", "Gravel"]


def csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my.CSV"
    path.write_bytes(text.encode("utf-8-sig"))
    return path


def test_a_table_is_read_as_json_lines_would_be(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "Question,gold_titles,facts,kind,id,history\r\n"
        '"How fast, really?",A | B,2.4x;2.4 times|38%,named,q,first turn|second turn\r\n'
        "\r\n"
        "Nothing here?,,,,,\r\n",
    )
    assert load(path) == [
        GoldQuestion("q", "How fast, really?", "named", ("A", "B"), (("2.4x", "2.4 times"), ("38%",)), ("first turn", "second turn")),
        GoldQuestion("line-4", "Nothing here?", "absent", (), ()),
    ]


def test_a_row_is_known_by_the_line_it_begins_on(tmp_path: Path) -> None:
    path = csv(tmp_path, 'question,gold_titles\n"two\nlines",A\nnext,A\n')
    assert [(number, one.id, one.kind) for number, one in numbered(path)] == [(2, "line-2", "own"), (4, "line-4", "own")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the column “question” is missing"),
        ("question\n", "holds no question"),
        ("gold_titles\nA\n", "line 1: the column “question” is missing"),
        ("question,gold_title\nA,B\n", "line 1: there is no column “gold_title” .did you mean “gold_titles”"),
        ("question;facts\nA;B\n", "line 1: there is no column “question;facts”.*between commas"),
        ("question,question\nA,B\n", "line 1: the column “question” is there twice"),
        ("question,facts\n\nHow fast, really?,2x,b\n", "line 3: 4 cells, 2 in the heading: a cell that holds a comma stands in quotes"),
        ("question,facts\n ,2x\n", "line 2: the question is empty"),
        ('question,facts\n"a,2x\n', "line 2: not CSV"),
    ],
)
def test_a_bad_table_is_refused_naming_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(QuestionSetError, match=message):
        load(csv(tmp_path, text))


def test_an_unknown_title_is_told_with_the_nearest(tmp_path: Path) -> None:
    path = csv(tmp_path, f"question,gold_titles\na,Tidecache - reusing prompt prefixes across chat sesions\nb,{TIDE}\nc,Entirely Other\n")
    told = amiss(path, TITLES)
    assert len(told) == 2
    assert told[0].startswith(f"{path}, line 2: no paper of the library is called “Tidecache") and f"did you mean “{TIDE}”?" in told[0]
    assert "line 4" in told[1] and "“Entirely Other”" in told[1] and "did you mean" not in told[1]


def test_many_unknown_titles_are_counted(tmp_path: Path) -> None:
    path = csv(tmp_path, "question,gold_titles\n" + "".join(f"q{number},Unknown {number}\n" for number in range(25)))
    told = amiss(path, [])
    assert len(told) == 11 and "line 12 and on: 15 more gold titles" in told[-1]


def test_repeats_and_empty_facts_are_told_with_their_lines(tmp_path: Path) -> None:
    base = {"question": "How fast?", "kind": "named", "gold_titles": ["Gravel"], "facts": [["2x"]]}
    rows = [
        {**base, "id": "a"},
        {**base, "id": "a", "question": "How small?", "facts": [[]]},
        {**base, "id": "b", "question": " how  FAST?"},
        {**base, "id": "c", "history": ["What is Gravel?"], "facts": [["2x", " "]]},
        {**base, "id": "d", "question": "How cheap?", "facts": [["2x"], [""]]},
        {**base, "id": "e", "question": "Who paid?", "gold_titles": []},
    ]
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [remark.removeprefix(f"{path}, ").split(":")[0:2] for remark in amiss(path, TITLES)] == [
        ["line 2", " the id “a” of line 1 again"],
        ["line 3", " the question of line 1 again"],
        ["line 2", " a fact is empty"],
        ["line 4", " a fact has an empty spelling"],
        ["line 5", " a fact is empty"],
        ["line 6", " facts without a gold title"],
    ]


def test_the_fixed_set_has_nothing_amiss_over_the_starter_library(starter_home: Path) -> None:
    from eval.questions import FIXED
    from index import Library

    assert amiss(FIXED, [paper.title for paper in Library(starter_home).papers()]) == []


def test_the_command_asks_a_table_and_tells_what_is_amiss(tmp_path: Path) -> None:
    path = csv(tmp_path, f"question,gold_titles,facts\nHow does TideCache cut time to first token?,{TIDE},2.4x\nWhat is Gravl?,Gravl,\n")
    result = CliRunner().invoke(app, ["--source", str(LISTINGS), "--questions", str(path), "--json", "-"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [row["kind"] for row in document["questions"]] == ["own", "own"] and document["by_kind"]["own"]["hit@1"] == 0.5
    assert f"warning: {path}, line 3: no paper of the library is called “Gravl”" in result.stderr
