"""Settings: option before environment before file; mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant import Assistant
from assistant.errors import SettingsError
from assistant.llms import keys
from assistant.settings import Settings, load_settings
from index import Library
from tests.assistant.openai_server import OpenAIServer

LLM = "openai-like:m@http://127.0.0.1:1/v1"


def write(home: Path, text: str) -> Path:
    home.mkdir(exist_ok=True)
    path = home / "settings.toml"
    path.write_text(text)
    return path


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    for home in (tmp_path, tmp_path / "missing", tmp_path / "missing" / "below"):
        assert load_settings(home).model_dump() == Settings().model_dump()


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "port = 1111\npapers_in_prompt = 3\n")
    assert load_settings(tmp_path).port == 1111
    monkeypatch.setenv("ASSISTANT_PORT", "2222")
    loaded = load_settings(tmp_path)
    assert (loaded.port, loaded.papers_in_prompt) == (2222, 3)


def test_an_option_goes_before_the_environment(toy_library: Library, monkeypatch: pytest.MonkeyPatch, llm_server: OpenAIServer) -> None:
    write(toy_library.home, 'llm = "openai-like:file@http://127.0.0.1:1/v1"\n')
    keys.named("http://127.0.0.1:1/v1")  # so that the environment's key may go there
    assert Assistant(toy_library.home, library=toy_library).mode == "openai-like:file@http://127.0.0.1:1/v1"
    monkeypatch.setenv("ASSISTANT_LLM", LLM)
    assert Assistant(toy_library.home, library=toy_library).mode == LLM
    assert Assistant(toy_library.home, "extractive", library=toy_library).mode == "extractive"


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('llms = "extractive"', "llms"),
        ("port = 0", "port"),
        ('port = "seven"', "port"),
        ("papers_in_prompt = 21", "papers_in_prompt"),
        ("reads = 4", "reads: it is papers_read now: rename it"),
        ("llm_timeout = -1", "llm_timeout"),
        ("port = ", "not a TOML file"),
        ("\x00", "not a TOML file"),
        ("[llm]\nname = 1", "llm"),
    ],
)
def test_a_mistake_names_the_file_and_the_setting(tmp_path: Path, text: str, named: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SettingsError) as raised:
        load_settings(tmp_path)
    assert str(path) in str(raised.value)
    assert named in str(raised.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b"llm = '\xff\xfe'")
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        load_settings(tmp_path)


def test_a_mistake_in_the_environment_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_PORT", "http")
    with pytest.raises(SettingsError, match="port"):
        load_settings(tmp_path)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1
