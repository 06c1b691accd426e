"""The README says what is true: its code runs, its answer is the real one, nothing is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from assistant import Assistant
from assistant.cli.app import app
from assistant.settings import Settings
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)


def test_the_python_runs_as_written(starter_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(starter_home))
    names: dict[str, object] = {}
    code = [text for language, text in BLOCKS if language == "python"]
    assert len(code) >= 2
    for text in code:
        exec(compile(text, "README.md", "exec"), names)
    said = capsys.readouterr().out
    assert "Hydragen" in said and "Done" in said and "Prefixes are computed once." in said


def test_the_answer_shown_is_the_real_one(starter: Assistant) -> None:
    (shown,) = (text for language, text in BLOCKS if language == "console" and "assistant ask" in text and text.startswith("$"))
    command, _, expected = shown.partition("\n")
    question = re.search(r'ask "(.+)"', command)
    assert question and str(starter.answer(question[1])) == expected.strip()


def test_every_command_is_in_the_table() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    assert commands == set(re.findall(r"^\| `assistant ([\w-]+)", README, re.MULTILINE))


def test_every_setting_is_in_the_table_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", README, re.MULTILINE))
    assert rows == {name: str(field.default).join('""') if isinstance(field.default, str) else str(field.default)
                    for name, field in Settings.model_fields.items()}  # fmt: skip


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_its_map_names_only_what_is_there() -> None:
    (tree,) = (text for language, text in BLOCKS if not language and "engine.py" in text)
    folder = ""
    for line in tree.splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = name
        assert (ROOT / (name if name == folder else folder + name)).exists(), line
