"""Reports: self-contained, escaped, filterable, and saying what was not measured."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from eval.answer_text import Cited
from eval.cli import app
from eval.metrics import Result
from eval.questions import GoldQuestion
from eval.report.error_analysis import OUTCOMES, losses, outcome
from eval.report.plots import growing
from eval.results import Run

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> | `x` [a](javascript:b)"
GOLDS = (
    GoldQuestion("q1", f"What is {HOSTILE}?", "named", (f"T {HOSTILE}",), (("6x",), ("never said",))),
    GoldQuestion("q2", "Unanswerable?", "absent", (), ()),
    GoldQuestion("q3", "Another?", "named", ("V",), ()),
    GoldQuestion("q4", "Last one?", "named", ("V",), (), ("Before?",)),
    GoldQuestion("q5", "Fails?", "absent", (), ()),
)
QUOTE = f"It is 6x {HOSTILE}"
RESULTS = (
    Result((f"T {HOSTILE}", "U"), f"{QUOTE} [1]", (f"T {HOSTILE}",), True, 5.0, None, 0.9, (Cited(1, f"T {HOSTILE}", QUOTE, True, False),),
           "extractive", warnings=(HOSTILE,), first_text_ms=4.0),
    Result(("U",), "It is so. [1]", ("U",), True, 7.0, None, 0.6, (Cited(1, "U", "It is so.", True, True),), "extractive"),
    Result(("U",), "No answer.", (), False, 3.0, reason="nothing near"),
    Result(("V",), "Yes. [1]", ("V",), True, 3.0, None, 0.4, (Cited(1, "V", "Yes.", True, True),), "extractive"),
    Result((), "", (), False, 1.0, "boom"),
)  # fmt: skip
RUN = Run({"llm": "extractive", "retriever": "hybrid", "sources": ["a.txt"]}, GOLDS, RESULTS, 812.0)


def written(tmp_path: Path, *runs: Run, options: tuple[str, ...] = ()) -> tuple[str, str]:
    paths = []
    for number, run in enumerate(runs):
        paths.append(str(tmp_path / f"run{number}.json"))
        Path(paths[-1]).write_text(json.dumps(run.document()))
    result = CliRunner().invoke(app, ["report", *paths, "--out", str(tmp_path / "report"), *options])
    assert result.exit_code == 0, result.output
    return tuple((tmp_path / "report" / name).read_text() for name in ("report.html", "report.md"))  # type: ignore[return-value]


def test_every_question_ends_in_one_way() -> None:
    assert [outcome(*pair) for pair in zip(GOLDS, RESULTS, strict=True)] == ["right", "wrong", "declined wrongly", "right", "failed"]
    assert outcome(GOLDS[1], RESULTS[2]) == "declined rightly" and len(OUTCOMES) == 5
    assert [(loss.kind, loss.wrong, loss.declined) for loss in losses(RUN)] == [("absent", 1, 0), ("named", 0, 1)]


def test_what_is_quoted_is_escaped_and_nothing_is_requested(tmp_path: Path) -> None:
    page, _ = written(tmp_path, RUN)
    assert (
        page.count("<img") == page.count('<img alt="')
        and page.count("<script>") == 1
        and page.count("alert(1)") == page.count("&lt;script&gt;alert(1)")
    )
    assert "default-src 'none'" in page
    asked = re.sub(r'src="data:image/svg\+xml;base64,[\w+/=]+"|src=x', "", page)
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import|https?://""", asked)


def test_a_markdown_cell_holds_no_markup(tmp_path: Path) -> None:
    _, text = written(tmp_path, replace(RUN, questions=(GOLDS[0],), results=(RESULTS[1],)))
    assert "<script>" not in text and "<img" not in text
    (row,) = (line for line in text.splitlines() if line.startswith("| q1"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 6 and "\\[a\\](javascript" in row


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    page, text = written(tmp_path, RUN)
    for said in (page, text):
        assert "Answers written by an LLM: not measured" in said
        assert re.search(r"money a question(?:</th><td>| \| )not measured", said)


def test_where_it_loses_is_said_first_and_plainly(tmp_path: Path) -> None:
    page, text = written(tmp_path, RUN)
    for said in (page, text.replace("\\", "")):
        assert "absent (of this field, but no paper here answers): of 2 questions 1 answered, and wrong (50%)" in said
        assert re.search(r"wrong answers, of all questions\W.*?at most 0.15.*?0.20 \[0.00, 0.60\].*?missed", said)
        assert "Missed: " in said and said.index("missed") < said.index("held")
        assert "facts asked for, two papers compared" not in said  # no such question was asked
        assert said.index("Where it loses") < said.index("All questions")


def test_others_that_are_better_and_ratios_that_are_missed_are_named(tmp_path: Path) -> None:
    (tmp_path / "others.json").write_text(json.dumps({"systems": [system("ours", 0.9, 4.7), system("BM25", 0.75, 5653.0)]}))
    missed = {"what": "search / bare", "value": 1.64, "cpu": 1.1, "wanted": 1.5, "at_most": True, "held": False}
    (tmp_path / "bench.json").write_text(json.dumps({"parts": [{"ratios": [missed, {**missed, "wanted": None}]}]}))
    options = ("--baselines", str(tmp_path / "others.json"), "--bench", str(tmp_path / "bench.json"))
    for said in written(tmp_path, RUN, options=options):
        assert "Others are better in papers indexed a second: ours 4.7; BM25 5,653." in said and "in right paper first" not in said
        assert "Missed: search / bare, 1.64 by the clock, 1.10 by the processor" in said and said.count("at most 1.5") == 2


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(RUN.document()))
    for option in ("--baselines", "--bench"):
        result = CliRunner().invoke(app, ["report", str(tmp_path / "run.json"), option, str(tmp_path / "run.json"), "--out", str(tmp_path)])
        assert result.exit_code == 1 and "not what --json of" in result.stderr and "Traceback" not in result.output


def system(name: str, hit: float, rate: float) -> dict[str, Any]:
    metrics = {"hit@1": hit, "recall@10": 0.9, "ndcg@10": 0.9, "latency_ms_p50": 20.0, "latency_ms_p95": 30.0}
    return {"name": name, "what": "made so", "metrics": metrics, "papers_per_s": rate, "memory_mb": None, "answers": None}


def test_the_plots_are_sound_svg_and_the_markdown_finds_them(tmp_path: Path) -> None:
    _, text = written(tmp_path, RUN, replace(RUN, results=RESULTS[::-1]))
    named = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert {"plots/harm-by-kind.svg", "plots/quality-latency.svg", "plots/reliability.svg"} <= set(named)
    for name in named:
        assert ElementTree.parse(tmp_path / "report" / name).getroot().tag.endswith("svg")


def test_growth_is_drawn_from_nothing_so_that_little_looks_like_little() -> None:
    drawn = growing("Growth", [(1000.0, 7.0), (10_000.0, 7.0), (100_000.0, 10.0)], "papers", "ms")
    assert ElementTree.fromstring(drawn).tag.endswith("svg") and "100,000" in drawn
    heights = sorted(float(one) for one in re.findall(r'<use xlink:href="#m\w+" x="[\d.]+" y="([\d.]+)" style="fill: #2f6fb3', drawn))
    zero = max(float(one) for one in re.findall(r' y="([\d.]+)" style="stroke: #000000', drawn))
    assert (zero - heights[1]) / (zero - heights[0]) == pytest.approx(0.7, abs=0.01)


def test_texts_can_be_left_out_and_figures_stay(tmp_path: Path) -> None:
    whole, _ = written(tmp_path, RUN)
    page, text = written(tmp_path, RUN, options=("--without-texts",))
    assert "It is so." in whole and "It is so." not in page and "It is so." not in text
    assert "✓ 6x" in page and page.count("<td>") == whole.count("<td>")


def test_runs_of_one_name_are_told_apart_by_their_files(tmp_path: Path) -> None:
    page, text = written(tmp_path, RUN, replace(RUN, results=RESULTS[::-1]))
    assert "run0: hybrid, extractive" in page and "run1: hybrid, extractive" in text


def test_a_live_run_and_a_replayed_one_stand_side_by_side(tmp_path: Path) -> None:
    replayed = replace(RUN, settings={"llm": "some-model", "retriever": "hybrid", "replayed": True})
    page, _ = written(tmp_path, RUN, replayed)
    assert "completions replayed; the model&#39;s own time and cost are not measured" in page
    assert "Answers written by an LLM: not measured" not in page
    assert "in 3 answers the LLM failed" in page


def test_runs_over_other_questions_are_refused(tmp_path: Path) -> None:
    for name, run in (("a", RUN), ("b", replace(RUN, questions=GOLDS[:2], results=RESULTS[:2]))):
        (tmp_path / f"{name}.json").write_text(json.dumps(run.document()))
    result = CliRunner().invoke(app, ["report", str(tmp_path / "a.json"), str(tmp_path / "b.json"), "--out", str(tmp_path)])
    assert result.exit_code == 1 and "different questions" in result.stderr


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium here: apt-get install chromium")
    written(tmp_path, RUN)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page(viewport={"width": 390, "height": 844})
        opened.goto((tmp_path / "report" / "report.html").as_uri())
        yield opened
        browser.close()


@pytest.mark.browser
def test_questions_are_filtered_by_kind_outcome_and_text(page: Any) -> None:
    shown = lambda: page.locator("details.q:not([hidden]) .id").all_inner_texts()  # noqa: E731
    assert shown() == ["q1", "q2", "q3", "q4", "q5"]
    page.select_option("select[name=kind]", "absent")
    assert shown() == ["q2", "q5"]
    page.select_option("select[name=outcome]", "wrong")
    assert shown() == ["q2"] and page.locator("#count").inner_text() == "1 of 5"
    page.select_option("select[name=kind]", "")
    page.select_option("select[name=outcome]", "")
    page.fill("input[name=text]", "last ONE")
    assert shown() == ["q4"]


@pytest.mark.browser
def test_nothing_runs_off_a_phones_side_and_nothing_hostile_runs_at_all(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("img:not([src^='data:image/svg'])").count() == 0
