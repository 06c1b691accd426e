"""Measuring side by side: by hand with searchers made up, and the command."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from eval.baselines import llamaindex, ours, registry
from eval.baselines.base import Given, Judged, Material, Place, Ranked
from eval.baselines.measure import measure
from eval.baselines.table import table
from eval.cli import app
from eval.questions import GoldQuestion
from tests.conftest import LISTINGS


class Ordered:
    """Gives papers in the library's order, or from its end."""

    what = "made up"

    def __init__(self, place: Place, backwards: bool) -> None:
        self.name = "backwards" if backwards else "forwards"
        self.backwards = backwards
        self.log: list[str] = []
        LOG.append(self)

    def index(self, material: Material) -> None:
        self.ids = [paper.paper_id for paper in material.papers][:: -1 if self.backwards else 1]
        self.log.append(f"index {len(material.papers)}")

    def search(self, question: str, k: int) -> Sequence[Ranked]:
        self.log.append(question)
        return [Ranked(paper_id, 1.0) for paper_id in self.ids[:k]]

    def close(self) -> None:
        self.log.append("close")


class Answering(Ordered):
    """Answers all that does not say `nothing`, and is tuned."""

    def tune(self, material: Material, training: Sequence[Judged]) -> None:
        self.log.append(f"tune {len(training)}")

    def answer(self, question: str) -> Given:
        return Given("", (), False) if "nothing" in question else Given("2x", (self.ids[0],), True)


LOG: list[Ordered] = []


@pytest.fixture(autouse=True)
def emptied() -> None:
    LOG.clear()


@pytest.fixture
def asked(material: Material) -> list[GoldQuestion]:
    first, last = material.papers[0].title, material.papers[-1].title
    return [
        GoldQuestion("a", "first?", "named", (first,), (("2x",),)),
        GoldQuestion("b", "last?", "named", (last,), ()),
        GoldQuestion("c", "another first?", "named", (first,), ()),
        GoldQuestion("d", "and nothing?", "absent", (), ()),
        GoldQuestion("e", "and then?", "follow_up", (first,), (), history=("first?",)),
    ]


def test_figures_by_hand(place: Place, material: Material, asked: list[GoldQuestion]) -> None:
    makes = [lambda where: Answering(where, False), lambda where: Ordered(where, True)]
    measured = measure(makes, place, material, asked, [Judged("?", "x")])
    forwards, backwards = measured.rows
    assert [one.id for one in measured.questions] == ["a", "b", "c", "d"]
    assert measured.quality(forwards).metrics["hit@1"] == pytest.approx(2 / 3)
    assert measured.quality(backwards).metrics["hit@1"] == pytest.approx(1 / 3)
    gain, (low, high) = measured.gain(backwards, "hit@1")
    assert gain == pytest.approx(1 / 3) and low <= gain <= high
    answering = measured.answering(forwards)
    assert answering is not None and answering.metrics["harm"] == 0.25 and answering.metrics["fact_recall"] == 1.0
    assert measured.coverage(forwards) == 1.0
    assert measured.answering(backwards) is None and measured.coverage(backwards) is None
    assert forwards.papers_per_s > 0


def test_each_is_warmed_tuned_indexed_asked_in_turn_and_closed(place: Place, material: Material, asked: list[GoldQuestion]) -> None:
    measure([lambda where: Answering(where, False)], place, material, asked, [Judged("?", "x")])
    warm, counted = LOG
    assert warm.log == ["index 3", "first?", "close"]
    assert counted.log == [
        "tune 1",
        f"index {len(material.papers)}",
        "first?",
        "first?",
        "last?",
        "another first?",
        "and nothing?",
        "close",
    ]


def test_all_are_closed_where_one_fails(place: Place, material: Material, asked: list[GoldQuestion]) -> None:
    class Failing(Ordered):
        def index(self, material: Material) -> None:
            if len(material.papers) > 3:
                raise RuntimeError("full")
            super().index(material)

    with pytest.raises(RuntimeError, match="full"):
        measure([lambda where: Ordered(where, False), lambda where: Failing(where, True)], place, material, asked, [])
    assert all(one.log[-1:] == ["close"] for one in LOG)


def test_the_table_fits_80_columns(place: Place, material: Material, asked: list[GoldQuestion]) -> None:
    measured = measure([lambda where: Answering(where, False), lambda where: Ordered(where, True)], place, material, asked, [])
    console = Console(width=80, file=io.StringIO())
    with console.capture() as captured:
        console.print(table(measured))
    text = captured.get()
    assert max(map(len, text.splitlines())) <= 80
    assert "than backwards: hit@1 +0.33" in text and "harm" in text and "…" not in text


def test_the_command_measures_over_sources_and_writes_everything(tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BASELINES", (ours.untuned, llamaindex.stock))
    questions = tmp_path / "asked.csv"
    questions.write_text(
        "question,gold_titles\n"
        "How does TideCache cut time to first token?,TideCache: Reusing Prompt Prefixes Across Chat Sessions\n"
        "Which cheese goes with pears?,\n"
    )
    result = CliRunner().invoke(app, ["baseline", "--source", str(LISTINGS), "--questions", str(questions), "--json", "-"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [system["name"] for system in document["systems"]] == ["ours, untuned", "LlamaIndex, as it comes"]
    assert all(system["metrics"]["hit@1"] == 1.0 and system["papers_per_s"] > 0 for system in document["systems"])
    assert document["settings"]["training_questions"] == 0 and "nothing is tuned" in result.stderr
    assert not own_home.exists()
