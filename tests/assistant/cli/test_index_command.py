"""`assistant index` with its options, `--watch` and Ctrl-C, and the same from Python."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant import Assistant
from assistant.cli.app import app
from index import Hints, Library
from index.embedding import MiniLM, ToyEmbedder
from tests.assistant.cli.test_app import refused, run, run_json
from tests.conftest import ROOT

LISTING = "Gravel beds slow the erosion of streams\nWe measured erosion in twelve streams. Gravel slowed it by 40 percent.\n"
RIS = """TY  - JOUR
TI  - Gravel beds slow the erosion of mountain streams
AB  - We measured erosion in twelve mountain streams. Gravel beds slowed erosion by 40 percent.
ER  -

TY  - JOUR
TI  - Basalt dust as a fertiliser of vineyards
ER  -
"""
TABLE = "Heading,Gist\nGravel roads,Gravel roads hold. They are cheap.\n"


@pytest.fixture(autouse=True)
def one_model(minilm: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in this process share the model that is loaded already."""
    monkeypatch.setattr(MiniLM, "shipped", lambda *choice, **more: (minilm, ""))


# Options


def test_records_without_an_abstract_are_one_line_and_come_in_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "lib.ris").write_text(RIS)
    told = run("index", str(tmp_path / "lib.ris"))
    assert told.stderr.splitlines() == [
        f"skipped: {tmp_path}/lib.ris: 1 record without an abstract was left out (--titles-too keeps their titles findable)"
    ]
    assert run_json("index", str(tmp_path / "lib.ris"), "--titles-too")["new"] == 1
    found = run_json("search", "basalt dust for vineyards")
    assert found[0]["title"] == "Basalt dust as a fertiliser of vineyards"


def test_a_paper_known_by_its_title_alone_is_never_quoted_and_no_other_answers_for_it(tmp_path: Path) -> None:
    (tmp_path / "lib.ris").write_text(RIS)
    run("index", str(tmp_path / "lib.ris"), "--titles-too")
    for question in ("Summarize Basalt dust as a fertiliser of vineyards", "Does basalt dust fertilise vineyards?"):
        answer = run_json("ask", question)
        assert not answer["answered"] and answer["citations"] == []
        assert answer["reason"] == "of “Basalt dust as a fertiliser of vineyards” only the title is here, no abstract"
    answer = run_json("ask", "By how much do gravel beds slow the erosion of mountain streams?")
    assert answer["answered"] and "40 percent" in answer["text"]


def test_columns_of_a_table_can_be_told(tmp_path: Path) -> None:
    (tmp_path / "roads.csv").write_text(TABLE)
    report = run_json("index", str(tmp_path / "roads.csv"), "--columns", "title=Heading,abstract=Gist")
    assert report["new"] == 1 and any("Heading" in note["text"] for note in report["notes"])
    assert "Gust" in refused("index", str(tmp_path / "roads.csv"), "--columns", "title=Heading", "--columns", "abstract=Gust")
    assert "title=Name" in refused("index", str(tmp_path / "roads.csv"), "--columns", "Heading", exit_code=2)


def test_options_of_sources_want_sources() -> None:
    assert "name the sources" in refused("index", "--titles-too", exit_code=2)
    assert "wants folders" in refused("index", "--watch", exit_code=2)
    assert "prints no JSON" in refused("index", "--watch", "x", "--json", exit_code=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.txt").write_text(LISTING)
    return folder


def test_what_a_folder_holds_beside_is_one_line(folder: Path) -> None:
    for name in ("a.pdf", "b.pdf", "c.docx"):
        (folder / name).write_bytes(b"x")
    assert run("index", str(folder)).stderr == f"note: {folder}: left out: 3 files of other kinds (.pdf 2, .docx 1)\n"


def test_a_pdf_named_directly_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 ...")
    assert "this is a PDF: papers are read from lists of titles and abstracts" in refused("index", str(tmp_path / "a.pdf"))


def test_many_that_are_skipped_do_not_flood_the_screen(folder: Path) -> None:
    for number in range(60):
        (folder / f"{number}.txt").write_bytes(b"%PDF-")
    lines = run("index", str(folder)).stderr.splitlines()
    assert len(lines) == 51 and lines[-1] == "skipped: 10 more (all of them with --json)"
    assert len(run_json("index", str(folder))["skipped"]) == 60


# Ctrl-C


def started(*arguments: str) -> subprocess.Popen[str]:
    """A command in a process of its own, which Ctrl-C reaches even where the tests run in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "assistant", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_ctrl_c_keeps_what_is_done_and_says_so(tmp_path: Path, own_home: Path) -> None:
    words = ["gravel", "sand", "clay", "loam", "basalt", "granite", "slate"]
    lines = [
        f"Road {number} of {words[number % 7]}\n" + " ".join(f"It holds {word} {number + k} years." for k, word in enumerate(words)) + "\n"
        for number in range(1500)
    ]
    (tmp_path / "a.txt").write_text("".join(lines))
    command = started("index", str(tmp_path / "a.txt"))
    end = time.monotonic() + 120
    while time.monotonic() < end and command.poll() is None:
        if (own_home / "manifest.json").exists():  # embedding begins
            time.sleep(0.5)
            command.send_signal(signal.SIGINT)
            break
        time.sleep(0.02)
    stdout, stderr = command.communicate(timeout=120)
    assert (command.returncode, stdout) == (130, ""), stderr
    assert "stopped. What was done is kept: 1,500 papers" in stderr and "Traceback" not in stderr
    library = Library(own_home, ToyEmbedder())
    assert library.catalogue.count() == 1500
    library.close()


def test_ctrl_c_while_a_compiled_module_loads_is_ctrl_c(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error

    monkeypatch.setattr(Library, "add", interrupted)
    assert "stopped. What was done is kept: 0 papers" in run("index", str(folder), exit_code=130).stderr
    monkeypatch.setattr(Library, "add", lambda *_, **__: __import__("no_such_module"))
    with pytest.raises(ImportError, match="no_such_module"):
        CliRunner().invoke(app, ["index", str(folder)], catch_exceptions=False)


def test_watching_follows_a_folder_until_ctrl_c(folder: Path) -> None:
    command = started("index", "--watch", str(folder))
    assert command.stdout is not None
    assert command.stdout.readline().startswith("1 entries read: 1 new")
    (folder / "b.txt").write_text("Get trending papers in your email inbox!\nSand\nIt is soft. It is warm.\n")
    assert command.stdout.readline().startswith("1 entries read: 1 new")
    (folder / "b.txt").unlink()
    assert command.stdout.readline() == f"{folder}/b.txt is gone: 1 papers removed, 1 remain\n"
    command.send_signal(signal.SIGINT)
    _, stderr = command.communicate(timeout=60)
    assert command.returncode == 0 and "Traceback" not in stderr


# From Python


def test_an_assistant_indexes_paths_and_knows_the_papers_at_once(tmp_path: Path, minilm: MiniLM) -> None:
    (tmp_path / "lib.ris").write_text(RIS)
    (tmp_path / "a.txt").write_text(
        "Get trending papers in your email inbox!\nSlate roofs\nSlate roofs last for ninety years. They are heavy.\n"
    )
    told: list[tuple[int, int]] = []
    bot = Assistant(tmp_path / "home", embedder=minilm)
    assert bot.index(tmp_path / "a.txt", progress=lambda done, total: told.append((done, total))).new == 1
    assert told[0] == (0, 1) and told[-1] == (1, 1)
    assert bot.index([str(tmp_path / "lib.ris")], hints=Hints(titles_too=True)).new == 2
    answer = bot.answer("How long do slate roofs last?")
    assert answer.answered and "ninety years" in answer.text
    report = bot.index([tmp_path / "missing.bib"])
    assert "there is no such file" in str(report.failed[0])
    bot.close()


def test_the_report_as_json_has_what_scripts_hold_on_to(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(LISTING)
    report = json.loads(run("index", str(tmp_path), "--json").stdout)
    assert set(report) == {"read", "new", "changed", "unchanged", "seen_before", "papers", "skipped", "notes"}
