"""The command line: what each command prints and where, its JSON, its exit status, and bad input."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rispy
from bibtexparser.entrypoint import parse_string
from click.testing import Result
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from assistant import __version__
from assistant.cli.app import app
from index import Entry, Library, Source
from index.embedding import MiniLM
from tests.assistant.openai_server import OpenAIServer, fails, says
from tests.assistant.test_answer import CITATION_KEYS, KEYS, OFF_TOPIC, RETRIEVED_KEYS, assert_typed
from tests.conftest import LISTINGS, ROOT

ORCHARD = "How many apples a second does Orchard Sort handle?"
COMMANDS = ["index", "ask", "chat", "search", "papers", "status", "remove", "check-home", "backup", "restore", "ui", "eval"]


@pytest.fixture(autouse=True)
def one_model(minilm: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in this process share the model that is loaded already."""
    monkeypatch.setattr(MiniLM, "shipped", lambda *choice, **more: (minilm, ""))


@pytest.fixture
def home(own_home: Path, listings_home: Path) -> Path:
    """A copy of the small home, which is also the one in the environment."""
    shutil.copytree(listings_home, own_home)
    return own_home


def run(*arguments: str, stdin: str | None = None, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, arguments, input=stdin)
    assert result.exit_code == exit_code, (result.stdout, result.stderr, result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def run_json(*arguments: str, exit_code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", exit_code=exit_code).stdout)


def refused(*arguments: str, exit_code: int = 1, stdin: str | None = None) -> str:
    """The one message of a command that ends with an error and prints no data."""
    result = run(*arguments, exit_code=exit_code, stdin=stdin)
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return lines[0]


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, as users run it."""
    return subprocess.run(
        [sys.executable, "-m", "assistant", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=240,
        check=False,
    )


def count(home: Path) -> int:
    return len(run_json("papers", "--home", str(home)))


# Help


def test_version_is_printed() -> None:
    assert run("--version").stdout.strip() == __version__


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    for option in ("-h", "--help"):
        assert command in run(command, option).stdout


def test_help_names_every_command() -> None:
    told = run("-h").stdout
    assert all(re.search(rf"^  {command} ", told, re.MULTILINE) for command in COMMANDS)


def test_no_command_shows_the_help() -> None:
    assert "Usage" in run(exit_code=2).output


@pytest.mark.parametrize("arguments", ["frobnicate", "ask", "ask a b", "search x -k 0", "search x -k many", "ask x --no-such", "remove"])
def test_wrong_usage_ends_with_2(arguments: str) -> None:
    result = run(*arguments.split(), exit_code=2)
    assert result.stdout == ""
    assert "Error" in result.stderr


# What each command gives


def test_index_reports_what_it_did(own_home: Path, tmp_path: Path) -> None:
    document = run_json("index", str(LISTINGS))
    assert list(document) == ["read", "new", "changed", "unchanged", "seen_before", "papers", "skipped", "notes"]
    assert document["read"] == document["new"] + document["seen_before"]
    assert document["papers"] == document["new"] == count(own_home)
    assert document["skipped"] == []
    again = run_json("index")
    assert (again["new"], again["changed"], again["papers"]) == (0, 0, document["papers"])
    told = run("index", str(LISTINGS / "compact.txt"))
    assert "papers in" in told.stdout and str(own_home) in told.stdout


def test_index_tells_what_it_skipped_by_file_and_line(home: Path, tmp_path: Path) -> None:
    listing = tmp_path / "half.txt"
    listing.write_text((LISTINGS / "compact.txt").read_text() + "\nA Title With No Abstract\n")
    document = run_json("index", str(listing))
    [skipped] = document["skipped"]
    assert list(skipped) == ["source", "line", "reason"]
    assert skipped["source"] == str(listing)
    assert isinstance(skipped["line"], int)


def test_ask_gives_the_answer(home: Path) -> None:
    document = run_json("ask", ORCHARD)
    assert_typed(document, KEYS)
    assert document["answered"]
    for citation in document["citations"]:
        assert_typed(citation, CITATION_KEYS)
    assert document["citations"][0]["title"].startswith("Orchard Sort")
    told = run("ask", ORCHARD)
    assert told.stdout.startswith(document["text"])
    assert f"[1] {document['citations'][0]['display_title']}" in told.stdout
    assert told.stderr == ""


def test_a_declined_question_ends_with_0(home: Path) -> None:
    document = run_json("ask", OFF_TOPIC)
    assert not document["answered"]
    assert document["reason"] and document["retrieved"] and document["citations"] == []


def test_ask_takes_every_filter(home: Path) -> None:
    lantern = "How does Lantern denoise video on phones?"
    filters = ["--since", "2023", "--until", "2023-12", "--in-source", "dated", "--text", "noisy video"]
    document = run_json("ask", lantern, *filters)
    assert [paper["title"].split(":")[0] for paper in document["retrieved"]] == ["Lantern"]
    for filter in (["--since", "2024"], ["--until", "2022"], ["--in-source", "compact"], ["--text", "pebbles"], ["--author", "Nobody"]):
        titles = [paper["title"] for paper in run_json("ask", lantern, *filter)["retrieved"]]
        assert not any(title.startswith("Lantern") for title in titles)


def test_search_lists_papers(home: Path) -> None:
    found = run_json("search", "sorting fruit", "-k", "3")
    assert len(found) == 3
    for paper in found:
        assert_typed(paper, RETRIEVED_KEYS)
    assert found[0]["title"].startswith("Orchard Sort")
    lines = run("search", "sorting fruit", "-k", "3").stdout.splitlines()
    assert [paper["display_title"] in line for paper, line in zip(found, lines, strict=True)] == [True] * 3
    assert run_json("search", "sorting fruit", "--since", "2023", "--text", "noisy")[0]["title"].startswith("Lantern")


def test_papers_lists_the_library(home: Path) -> None:
    found = run_json("papers")
    assert all(list(paper) == PAPER_KEYS for paper in found)
    assert len(run("papers").stdout.splitlines()) == len(found)


PAPER_KEYS = (
    "paper_id title display_title abstract authors venue date date_inferred doi arxiv_id pmid url keywords tags note sources told"
).split()


@pytest.fixture
def cited_home(own_home: Path, minilm: MiniLM) -> Path:
    """A home of two papers whose sources tell all that can be told, and differ in a date."""
    kettles = Entry(
        "Kettle Bands",
        "Kettle Bands sorts 15 kettles a second by their sound. It listens for the whistle.",
        1,
        date="2024-05-01",
        authors=("Müller, Änne", "Reed, Bo"),
        doi="10.1000/kettles",
        venue="Journal of Tea & Time",
        tags=("to read",),
    )
    lamps = Entry(
        "Lamp Moths",
        "Moths turn their backs to a lamp. This keeps them near it.",
        2,
        date="2020",
        authors=("Moss, Ada",),
        arxiv_id="2001.1",
    )
    library = Library(own_home, minilm)
    library.add_entries(Source("/papers.bib", "/papers.bib"), [kettles, lamps])
    library.add_entries(Source("/papers.ris", "/papers.ris"), [replace(kettles, date="2023")])
    library.close()
    return own_home


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        (["--author", "muller"], ["Kettle Bands"]),
        (["--author", "anne müller"], ["Kettle Bands"]),
        (["--venue", "journal of tea"], ["Kettle Bands"]),
        (["--tag", "TO READ"], ["Kettle Bands"]),
        (["--until", "2020"], ["Lamp Moths"]),
        (["--in-source", "ris"], ["Kettle Bands"]),
        (["--text", "THEIR BACKS"], ["Lamp Moths"]),
        (["--author", "moss", "--since", "2021"], []),
    ],
)
def test_every_command_takes_the_filters(cited_home: Path, filter: list[str], found: list[str]) -> None:
    assert [paper["title"] for paper in run_json("papers", *filter)] == found
    assert [paper["title"] for paper in run_json("search", "kettles and lamps", *filter)] == found
    assert [paper["title"] for paper in run_json("ask", "How many kettles a second?", *filter)["retrieved"]] == found
    cites = "[1] Kettle Bands" in run("chat", *filter, stdin="How many kettles a second does Kettle Bands sort?\n").stdout
    assert cites == ("Kettle Bands" in found)


def test_papers_tell_where_they_are_and_what_each_source_said(cited_home: Path) -> None:
    kettles, lamps = run_json("papers")
    assert (kettles["url"], lamps["url"]) == ("https://doi.org/10.1000/kettles", "https://arxiv.org/abs/2001.1")
    assert (kettles["date"], kettles["authors"], kettles["tags"]) == ("2024-05-01", ["Müller, Änne", "Reed, Bo"], ["to read"])
    assert kettles["told"] == {"date": [{"source": "/papers.bib", "value": "2024-05-01"}, {"source": "/papers.ris", "value": "2023"}]}
    assert lamps["told"] == {}


def test_papers_and_answers_are_cited_for_other_programs(cited_home: Path) -> None:
    assert [entry.key for entry in parse_string(run("papers", "--format", "bibtex").stdout).entries] == [
        entry["id"] for entry in json.loads(run("papers", "--format", "csl").stdout)
    ]
    assert len(rispy.loads(run("papers", "--format", "ris", "--author", "moss").stdout)) == 1
    assert run("papers", "--format", "markdown", "--tag", "to read").stdout.startswith("- Müller, Änne; Reed, Bo. [Kettle Bands](<https")
    asked = run("ask", "How many kettles a second does Kettle Bands sort?", "--format", "ris")
    (cited,) = rispy.loads(asked.stdout)
    assert (cited["doi"], cited["authors"]) == ("10.1000/kettles", ["Müller, Änne", "Reed, Bo"])
    assert "15 kettles a second" in asked.stderr


def test_two_forms_of_output_are_one_too_many(cited_home: Path) -> None:
    for command in (["papers"], ["ask", "How many kettles?"]):
        assert "choose one" in run(*command, "--json", "--format", "ris", exit_code=2).stderr


def test_status_is_one_object(home: Path) -> None:
    document = run_json("status")
    assert document["home"] == str(home)
    assert document["papers"] == count(home)
    assert document["stale"] == 0
    assert {source["source"].rsplit("/")[-1] for source in document["sources"]} == {"compact.txt", "dated.txt", "spaced.txt"}
    assert document["settings"]["llm"] == "extractive"
    told = run("status").stdout
    assert str(home) in told and "extractive" in told


def test_remove_forgets_a_source_and_its_papers(home: Path) -> None:
    before = count(home)
    document = run_json("remove", str(LISTINGS / "compact.txt"))
    assert document["removed"] > 0
    assert document["papers"] == before - document["removed"] == count(home)
    assert "Orchard" not in run("papers").stdout


def test_remove_says_when_a_folder_that_stays_a_source_will_bring_the_file_back(home: Path) -> None:
    assert f"{LISTINGS} is still a source" in run("remove", str(LISTINGS / "compact.txt")).stderr
    assert "still a source" not in run("remove", str(LISTINGS)).stderr


def test_chat_keeps_its_context_and_ends_at_an_empty_line(home: Path) -> None:
    result = run("chat", stdin=f"{ORCHARD}\nAnd how many parameters does its network have?\n\nnever read\n")
    answers = result.stdout.split("\n\n")
    assert result.stdout.count("[1] Orchard Sort") == 2, answers
    assert "never read" not in result.stdout


def test_chat_goes_on_after_a_bad_question_and_ends_at_the_end_of_input(home: Path) -> None:
    result = run("chat", stdin=f"{'x' * 100_000}\n{ORCHARD}\n")
    assert result.stderr.count("error: ") == 1
    assert result.stdout.count("[1] Orchard Sort") == 1


def test_ask_uses_the_llm_it_is_told_to(home: Path, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = says("Orchard Sort handles about 15 apples a second [1].")
    document = run_json("ask", ORCHARD, "--llm", llm_server.spec)
    assert document["mode"] == llm_server.spec
    assert document["usage"] == {"prompt_tokens": 321, "completion_tokens": 12, "cost": None, "retries": 0, "estimated": False}


def test_what_an_llm_used_and_cost_is_told_on_stderr(home: Path, llm_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_LLM_PRICE_IN", "2")
    monkeypatch.setenv("ASSISTANT_LLM_PRICE_OUT", "10")
    llm_server.behaviour = says("Orchard Sort handles about 15 apples a second [1].")
    told = run("ask", ORCHARD, "--llm", llm_server.spec)
    assert "LLM: 321 + 12 tokens, cost 0.00076, first text after" in told.stderr
    assert "tokens" not in told.stdout
    assert "LLM:" not in run("ask", ORCHARD).stderr


def test_an_llm_that_fails_is_a_warning_and_still_an_answer(home: Path, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = fails(404)
    document = run_json("ask", ORCHARD, "--llm", llm_server.spec)
    assert (document["mode"], document["answered"], len(document["warnings"])) == ("extractive", True, 1)
    assert "! " in run("ask", ORCHARD, "--llm", llm_server.spec).stdout


# Bad input


@pytest.fixture
def bad_files(tmp_path: Path) -> dict[str, Path]:
    """A file of each bad kind."""
    contents = {
        "empty.txt": b"",
        "blank.txt": b" \n\n",
        "binary.txt": b"a title\0\1\2\3",
        "paper.pdf": b"%PDF-1.7\n",
        "latin.txt": "Café\n".encode("latin-1"),
        "nothing.txt": b"Daily Papers\n\nSubscribe\n",
        "page.html": b"<!doctype html><html></html>",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in [*contents, "missing.txt"]}


def test_bad_files_are_refused_by_name_and_nothing_stored_is_lost(home: Path, bad_files: dict[str, Path]) -> None:
    before = count(home)
    for name, path in bad_files.items():
        message = refused("index", str(path))
        assert name in message
        assert ": " in message.removeprefix("error: ")
    assert count(home) == before


def test_good_sources_beside_a_bad_one_are_indexed_and_the_status_is_1(own_home: Path, bad_files: dict[str, Path]) -> None:
    result = run("index", str(bad_files["paper.pdf"]), str(LISTINGS / "compact.txt"), "--json", exit_code=1)
    document = json.loads(result.stdout)
    assert document["new"] > 0
    assert [skip["source"] for skip in document["skipped"]] == [str(bad_files["paper.pdf"])]
    assert "PDF" in result.stderr


@pytest.mark.parametrize("question", ["", "   ", "x" * 100_000], ids=["empty", "blank", "overlong"])
@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_question_that_cannot_be_read_is_refused(home: Path, command: str, question: str) -> None:
    assert len(refused(command, question)) < 300


def test_bytes_that_are_no_text_are_read_past(home: Path) -> None:
    assert run_json("search", "sorting fruit \udcff\udcfe", "-k", "1")[0]["title"].startswith("Orchard Sort")
    assert "text" in refused("search", "fruit", "--text", "caf\udce9", exit_code=2)


@pytest.mark.parametrize("name", ["openai-lik:x", "extractiv"])
def test_an_unknown_llm_is_refused_with_the_nearest(home: Path, name: str) -> None:
    assert "did you mean" in refused("ask", ORCHARD, "--llm", name, exit_code=2)
    assert "did you mean" in refused("chat", "--llm", name, exit_code=2)


def test_a_malformed_address_is_refused_with_the_form(home: Path) -> None:
    assert "openai-like:MODEL@http://host:port/v1" in refused("ask", ORCHARD, "--llm", "openai-like:m@localhost:8000", exit_code=2)


@pytest.mark.parametrize(
    "command", [["ask", ORCHARD], ["search", "x"], ["chat"], ["papers"], ["status"], ["index", str(LISTINGS)], ["remove", "x"]]
)
def test_a_home_below_a_file_is_refused(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "file").write_text("")
    message = refused(*command, "--home", str(tmp_path / "file" / "home"))
    assert "file/home" in message and "--home" in message


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "--home" in refused("ask", ORCHARD, "--home", str(tmp_path / "locked" / "home"))


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a file system that nobody can write")
def test_a_home_on_a_read_only_file_system_is_refused() -> None:
    assert "--home" in refused("ask", ORCHARD, "--home", "/proc/home")


@pytest.mark.parametrize("command", [["ask", ORCHARD], ["search", "x"]])
def test_an_empty_home_says_so_and_what_to_do(own_home: Path, command: list[str]) -> None:
    message = refused(*command)
    assert "has no papers yet" in message
    assert "assistant index" in message and "--starter" in message


def test_an_empty_home_lists_nothing_and_knows_nothing_to_refresh(own_home: Path) -> None:
    assert run_json("papers") == []
    assert "no papers yet" in run("papers").stderr
    assert "--starter" in refused("index")
    assert run_json("status")["papers"] == 0


def test_an_unknown_source_is_refused_with_the_known_ones(home: Path) -> None:
    before = count(home)
    message = refused("remove", "no-such-page.txt")
    assert "no-such-page.txt" in message and "compact.txt" in message
    assert count(home) == before


@pytest.mark.parametrize("command", [["ask", ORCHARD], ["search", "x"]])
@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_date_of_no_calendar_is_wrong_usage(home: Path, command: list[str], option: str) -> None:
    assert "2024-05-01" in refused(*command, option, "2024-13", exit_code=2)


@pytest.mark.parametrize("text", ["llm = ", "colour = 1", "port = 0"])
def test_broken_settings_are_refused_with_their_file(home: Path, text: str) -> None:
    (home / "settings.toml").write_text(text)
    for command in (["ask", ORCHARD], ["chat"], ["status"]):
        assert str(home / "settings.toml") in refused(*command)


# In processes of their own


def test_a_process_prints_one_document_and_nothing_on_stderr(listings_home: Path) -> None:
    done = process("ask", ORCHARD, "--json", "--home", str(listings_home))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["answered"]


def test_a_process_that_fails_ends_with_1_and_one_line(tmp_path: Path) -> None:
    done = process("ask", "How?", "--home", str(tmp_path / "empty"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1


def test_a_terminal_without_unicode_still_gets_its_text(listings_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "Café"
    shutil.copytree(listings_home, home)
    environment = {"PYTHONIOENCODING": "iso8859-5", "PYTHONUTF8": "0"}
    told = process("status", "--home", str(home), **environment)
    assert (told.returncode, told.stderr) == (0, "")
    assert "Caf?" in told.stdout
    document = process("papers", "--json", "--home", str(home), **environment)
    assert any("×" in paper["abstract"] for paper in json.loads(document.stdout))


def test_a_reader_who_stops_reading_gets_no_traceback(listings_home: Path) -> None:
    command = f"{sys.executable} -m assistant papers --json --home {listings_home} | head -c 20"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, timeout=240, check=False)
    assert len(done.stdout) == 20
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def heavy_after(code: str) -> set[str]:
    """The heavy packages that a fresh process has loaded after running this."""
    heavy = ["torch", "gradio", "transformers", "chromadb", "llama_index.core", "sentence_transformers", "openai"]
    script = f"import sys\n{code}\nprint(*set({heavy}) & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True, timeout=240)
    return set(done.stdout.split())


@pytest.mark.parametrize("modules", ["assistant", "assistant.cli.app", "assistant.llms", "index, ui.command, eval.cli"])
def test_importing_is_light(modules: str) -> None:
    assert heavy_after(f"import {modules}") == set()


def test_asking_loads_neither_the_page_nor_an_llm_client(listings_home: Path) -> None:
    ask = f"assert CliRunner().invoke(app, ['ask', {ORCHARD!r}, '--home', {str(listings_home)!r}]).exit_code == 0"
    loaded = heavy_after(f"from typer.testing import CliRunner\nfrom assistant.cli.app import app\n{ask}")
    assert not loaded & {"gradio", "openai"}


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_default_home_never_used_gets_the_starter_library_and_says_so(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    environment.pop("ASSISTANT_HOME", None)
    command = [sys.executable, "-m", "assistant", "ask", "How does speculative decoding work?", "--json"]
    first = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=800, check=False)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["answered"]
    assert "First use: indexing the starter library" in first.stderr
    second = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120, check=False)
    assert (second.returncode, second.stderr) == (0, "")
    assert json.loads(second.stdout)["text"] == json.loads(first.stdout)["text"]


def test_a_search_that_no_paper_passes_says_so(home: Path) -> None:
    result = run("search", "apples", "--in-source", "nosuch")
    assert result.stdout == "" and "source nosuch" in result.stderr


# A home's health


def test_a_sound_home_is_said_to_be_so_part_by_part(home: Path) -> None:
    document = run_json("check-home")
    assert (document["home"], document["ok"]) == (str(home), True)
    assert all(list(finding) == ["part", "ok", "found", "advice"] for finding in document["findings"])
    lines = run("check-home").stdout.splitlines()
    assert len(lines) == len(document["findings"]) and all(line.startswith("ok    ") for line in lines)


def test_what_is_wrong_with_a_home_ends_with_1_and_the_advice_helps(home: Path) -> None:
    shutil.rmtree(home / "vectors")
    (home / "settings.toml").write_text("nonsense = 1")
    home.chmod(0o755)
    told = run("check-home", exit_code=1).stdout
    assert (
        "WRONG settings: " in told and "WRONG vectors: gone. `assistant index` makes them anew" in told and "check-home --private" in told
    )
    (home / "settings.toml").unlink()
    run("index")
    assert run_json("check-home", "--private")["ok"]


def test_a_backup_comes_back(home: Path, tmp_path: Path) -> None:
    file, papers = tmp_path / "saved.zip", count(home)
    assert run_json("backup", str(file))["papers"] == papers
    assert "is there already" in refused("backup", str(file))
    assert "--force" in refused("restore", str(file))
    shutil.copy(file, tmp_path / "other.zip")
    document = run_json("restore", str(tmp_path / "other.zip"), "--home", str(tmp_path / "back"))
    assert document == {"home": str(tmp_path / "back"), "papers": papers, "aside": None}
    assert run_json("ask", ORCHARD, "--home", str(tmp_path / "back"))["answered"]
    done = run("restore", str(file), "--force")
    assert f"{papers} papers in {home}" in done.stdout and "before-restore-" in done.stderr


def test_a_lost_catalogue_stops_every_command_until_it_is_begun_anew(home: Path) -> None:
    for file in home.glob("catalogue.sqlite*"):
        file.unlink()
    for command in (["ask", "x"], ["search", "x"], ["papers"], ["status"], ["index"], ["index", str(LISTINGS)], ["index", "--rebuild"]):
        assert "the catalogue is gone" in refused(*command)
    assert (home / "vectors").exists()
    assert run_json("index", str(LISTINGS), "--rebuild")["new"] == count(home) > 0
    assert run_json("check-home")["ok"]


def test_a_rebuild_makes_vectors_and_text_index_anew(home: Path) -> None:
    generation = run_json("status")["manifest"]["generation"]
    run("index", "--rebuild")
    document = run_json("status")
    assert document["stale"] == 0 and document["manifest"]["generation"] > generation
    assert run_json("ask", ORCHARD)["answered"]


def test_papers_are_listed_whatever_the_vectors_look_like_and_status_says_it(home: Path) -> None:
    papers = count(home)
    shutil.rmtree(home / "vectors")
    (home / "vectors").write_text("a file")
    assert count(home) == papers
    document = run_json("status")
    assert document["stale"] is None and "a file lies where the folder of the vectors should be" in document["fault"]
    assert "a file lies where" in refused("ask", ORCHARD)


def test_a_chroma_server_that_is_not_there_is_said_and_so_is_an_address_that_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_CHROMA", "http://127.0.0.1:9")
    assert "the Chroma server http://127.0.0.1:9/default_tenant/default_database does not answer" in refused("ask", ORCHARD)
    assert count(home) > 0
    monkeypatch.setenv("ASSISTANT_CHROMA", "localhost:9")
    assert "the setting chroma: 'localhost:9' is no address" in refused("papers")


def test_the_manual_page_tells_every_command_and_option() -> None:
    page = run("man").stdout
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert page.startswith(".TH ASSISTANT 1") and "\n.SS assistant llm check\n" in page
    for name, command in group.commands.items():
        assert "\n.SS assistant " + name.replace("-", "\\-") + "\n" in page
        options = [option for one in command.params for option in one.opts if option.startswith("--")]
        assert all(option.replace("-", "\\-") in page for option in options)
