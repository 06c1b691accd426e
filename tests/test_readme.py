"""README and docs say what is true: their code runs, the answer shown is the real one, no command or setting is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from assistant import Assistant
from assistant.cli.app import app
from assistant.settings import Settings
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *(page for page in (ROOT / "docs").glob("*.md") if page.name != "LOG.md"), *ROOT.glob("CONTRIBUTING.md")]
README, COMMANDS, PYTHON = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/commands.md", "docs/python.md"))


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return [code for name, code in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL) if name == language]


def test_the_python_runs_as_written(starter_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(starter_home))
    names: dict[str, object] = {}
    code = [text for text in blocks(PYTHON, "python") if "retriever=" not in text]  # which tests/assistant/test_pipeline.py runs
    assert len(code) >= 2
    for text in code:
        exec(compile(text, "docs/python.md", "exec"), names)
    said = capsys.readouterr().out
    assert "Hydragen" in said and "Done" in said and "Prefixes are computed once." in said


def test_the_answer_shown_is_the_real_one(starter: Assistant) -> None:
    (shown,) = (text for text in blocks(README, "console") if "assistant ask" in text and text.startswith("$"))
    command, _, expected = shown.partition("\n")
    question = re.search(r'ask "(.+)"', command)
    assert question and str(starter.answer(question[1])) == expected.strip()


def test_every_command_is_in_the_table() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    assert commands == set(re.findall(r"^\| `assistant ([\w-]+)", COMMANDS, re.MULTILINE))


def test_every_setting_is_in_the_table_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", COMMANDS, re.MULTILINE))
    assert rows == {name: str(field.default).join('""') if isinstance(field.default, str) else str(field.default)
                    for name, field in Settings.model_fields.items()}  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_page_of_docs_is_reached_from_the_readme() -> None:
    told = set(re.findall(r"\(docs/([\w-]+\.md)", README))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= told
