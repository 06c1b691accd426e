"""Keys of services: each goes to the address it was given for, and nowhere else."""

from __future__ import annotations

import os
import sys

import pytest

from assistant import Assistant
from assistant.errors import MissingKeyError, SettingsError
from assistant.llms import LLMOptions, keys, load_llm
from assistant.settings import save_setting
from index import Library

VARIABLE = "OPENAI_LIKE_API_KEY"
HERE = "https://models.example/v1"


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(keys, "_given", {})


def test_a_key_goes_to_the_origin_it_was_given_for_and_to_no_other() -> None:
    keys.give(HERE, " sk-one \n")
    assert keys.key_for("https://MODELS.example:443/v1/chat/completions", VARIABLE) == "sk-one"
    for other in (
        "http://models.example/v1",
        "https://models.example:8443/v1",
        "https://models.example.evil/v1",
        "https://x.models.example",
    ):
        assert keys.key_for(other, VARIABLE) is None
    keys.forget(HERE)
    assert keys.key_for(HERE, VARIABLE) is None and keys.given() == []


def test_a_given_key_goes_before_the_environments_and_ends_with_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "sk-environment")
    assert keys.key_for(HERE, VARIABLE) == "sk-environment"
    keys.give(HERE, "sk-given")
    assert keys.key_for(HERE, VARIABLE) == "sk-given"
    assert not keys.file().exists()


@pytest.mark.skipif(sys.platform == "win32", reason="has no such permissions")
def test_a_kept_key_lies_in_a_file_that_its_owner_alone_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    keys.give(HERE, "sk-kept", keep=True)
    assert keys.file().stat().st_mode & 0o777 == 0o600 and keys.file().parent.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(keys, "_given", {})  # as after a restart
    assert keys.key_for(HERE, VARIABLE) == "sk-kept" and keys.given() == [keys.GivenKey("https://models.example:443", True)]
    assert "sk-kept" not in repr(keys.given())
    keys.forget(HERE)
    assert "sk-kept" not in keys.file().read_text()


def test_the_environments_key_goes_to_no_address_that_only_a_file_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "sk-environment")
    spec, foreign = f"openai-like:m@{HERE}", LLMOptions(by_user=False)
    with pytest.raises(MissingKeyError, match=r"not sent to https://models\.example:443.*assistant llm use") as raised:
        load_llm(spec, foreign)
    assert "sk-environment" not in str(raised.value)
    keys.named(HERE)
    assert load_llm(spec, foreign) is not None


def test_a_home_of_somebody_elses_gets_no_key_and_quotes(toy_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "sk-environment")
    save_setting(toy_library.home, "llm", f"openai-like:m@{HERE}")
    assistant = Assistant(toy_library.home, library=toy_library)
    assert assistant.writer is None and "is not sent to" in assistant.unusable
    assert Assistant(toy_library.home, f"openai-like:m@{HERE}", library=toy_library).writer is not None


@pytest.mark.parametrize("text", ["", "[]", '{"keys": 1, "own": []}', "not json"])
def test_a_damaged_file_of_keys_is_told_with_its_name(text: str) -> None:
    keys.file().parent.mkdir()
    keys.file().write_text(text)
    with pytest.raises(SettingsError, match=r"keys\.json: no file of keys"):
        keys.key_for(HERE, VARIABLE)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="whoever may do all can write anywhere")
def test_a_folder_that_cannot_be_written_is_told() -> None:
    keys.file().parent.mkdir(mode=0o500)
    with pytest.raises(SettingsError, match="cannot be written"):
        keys.give(HERE, "sk-kept", keep=True)


@pytest.mark.parametrize("key", ["", "sk one", "schlüssel", "sk\nx"])
def test_what_cannot_be_a_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(MissingKeyError, match="no key") as raised:
        keys.give(HERE, key)
    assert not key or key not in str(raised.value)


def test_what_is_taken_back_leaves_the_key_that_was_there_before() -> None:
    keys.give(HERE, "sk-good")
    keys.give(HERE, "sk-wrong")()
    assert keys.key_for(HERE, VARIABLE) == "sk-good"
    keys.forget(HERE)
    keys.give(HERE, "sk-wrong")()
    assert keys.given() == []
    take_back = keys.give(HERE, "sk-wrong")
    keys.give(HERE, "sk-since")
    take_back()
    assert keys.key_for(HERE, VARIABLE) == "sk-since"


def test_a_key_kept_by_an_earlier_run_is_not_shown_where_a_server_sends_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    keys.give(HERE, "sk-kept-before", keep=True)
    monkeypatch.setattr(keys, "_given", {})  # as after a restart
    assert keys.without_keys("no such key: sk-kept-before", []) == "no such key: …"
    keys.file().write_text("{")
    assert keys.without_keys("a message", []) == "a message"
