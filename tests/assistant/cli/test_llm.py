"""`assistant llm` and `assistant llm check`, against servers on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from assistant import Assistant
from assistant.cli.app import app
from assistant.errors import UnknownLLMError
from assistant.llms import PROVIDERS, diagnosis, discovery, recommended
from assistant.settings import load_settings
from index import Library
from tests.assistant import wire_servers as wires
from tests.assistant.conftest import TIDECACHE
from tests.assistant.wire_servers import AnthropicWire, OllamaWire, OpenAIWire, Wire, WireServer

SAID = "Two kilograms of lead."


@pytest.fixture(params=[OpenAIWire, AnthropicWire, OllamaWire], ids=lambda wire: wire.name)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[WireServer]:
    wire: type[Wire] = request.param
    for found in wires.serving(wire):
        monkeypatch.setenv(wire.base, found.address)
        monkeypatch.setenv(wire.key_variable, wires.KEY)
        found.behaviour = wires.says(SAID)
        yield found


def check(spec: str) -> tuple[dict[str, Any], int]:
    """The document of `assistant llm check --json`, and the exit status."""
    result = CliRunner().invoke(app, ["llm", "check", spec, "--json"])
    return json.loads(result.stdout), result.exit_code


def failed(spec: str) -> tuple[str, str]:
    """(step, words) of the one that failed, which is the last."""
    document, status = check(spec)
    assert status == 1 and not document["ok"]
    assert [step["ok"] for step in document["steps"]] == [True] * (len(document["steps"]) - 1) + [False]
    last = document["steps"][-1]
    return last["name"], last["told"]


def test_every_provider_is_listed_with_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "candidates", lambda: ())
    monkeypatch.setenv("OPENAI_API_KEY", wires.KEY)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    listed = CliRunner().invoke(app, ["llm"]).stdout
    assert all(provider.form in listed for provider in PROVIDERS.values())
    assert "OPENAI_API_KEY is set" in listed and "ANTHROPIC_API_KEY is not set, and is needed" in listed
    assert wires.KEY not in listed
    assert "assistant llm use openai:" in listed
    rows = {row["name"]: row for row in json.loads(CliRunner().invoke(app, ["llm", "--json"]).stdout)["providers"]}
    assert rows["openai"]["key_set"] and not rows["anthropic"]["key_set"]
    assert all(row["install"] == f'pip install -e ".[{name}]"' for name, row in rows.items())


def test_a_running_server_is_listed_with_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    class Open(OllamaWire):
        def has_key(self) -> bool:
            return True

    for server in wires.serving(Open):
        monkeypatch.setattr(discovery, "candidates", lambda at=server.address: (discovery.Candidate("Ollama", "ollama", at),))
        listed = CliRunner().invoke(app, ["llm"]).stdout
        assert f"running at {server.address}" in listed and f"assistant llm use {server.spec}" in listed
        assert server.requests == []


def test_what_works_is_told_step_by_step(server: WireServer) -> None:
    document, status = check(server.spec)
    assert status == 0 and document["ok"]
    assert [step["name"] for step in document["steps"]] == ["name", "package", "key", "server", "model", "answer"]
    last = document["steps"][-1]
    assert SAID in last["told"] and 0 <= last["first_text_ms"] <= last["total_ms"]
    assert (last["prompt_tokens"], last["completion_tokens"]) == (wires.PROMPT_TOKENS, wires.COMPLETION_TOKENS)


def test_in_words_too(server: WireServer) -> None:
    result = CliRunner().invoke(app, ["llm", "check", server.spec])
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()][-1] == ["ok", "answer"]
    assert "first text after" in result.stdout and wires.KEY not in result.stdout


def test_an_unknown_model_suggests_the_nearest(server: WireServer) -> None:
    step, told = failed(server.spec[:-1])
    assert step == "model" and f"did you mean {server.wire.model}" in told
    assert ("ollama pull" in told) is (server.wire is OllamaWire)
    assert server.questions() == []


def test_a_wrong_key_names_its_variable(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(server.wire.key_variable, "sk-wrong-key")
    step, told = failed(server.spec)
    assert step == "server" and server.wire.key_variable in told and "sk-wrong" not in told


@pytest.mark.parametrize("wire", [OpenAIWire, AnthropicWire], ids=lambda wire: wire.name)
def test_a_missing_key_is_told_before_any_request(wire: type[Wire], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(wire.key_variable, raising=False)
    monkeypatch.setenv(wire.base, "http://127.0.0.1:9")
    assert failed(f"{wire.name}:m") == ("key", f"{wire.name} needs a key: set {wire.key_variable} in the environment")


@pytest.mark.parametrize("behaviour", [wires.fails(500), wires.breaks_off(SAID), wires.says("")], ids=["500", "broken off", "empty"])
def test_an_answer_that_fails_is_told(server: WireServer, behaviour: wires.Behaviour) -> None:
    server.behaviour = behaviour
    step, told = failed(server.spec)
    assert step == "answer" and server.spec in told and ": " in told


def test_a_server_that_is_not_there_is_told() -> None:
    step, told = failed("openai-like:m@http://127.0.0.1:9/v1")
    assert step == "server" and "refuses connections" in told and "check the address" in told


@pytest.mark.parametrize(("spec", "told"), [("opnai:m", "did you mean openai?"), ("ollama:", "write ollama:MODEL"), ("", "unknown LLM")])
def test_a_name_that_says_nothing_is_told(spec: str, told: str) -> None:
    step, words = failed(spec)
    assert step == "name" and told in words


def test_a_missing_package_names_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "installed", lambda modules: False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", wires.KEY)
    assert failed("anthropic:m") == ("package", 'anthropic is not installed: pip install -e ".[anthropic]"')


def test_answering_without_an_llm_is_nothing_to_check() -> None:
    result = CliRunner().invoke(app, ["llm", "check", "extractive"])
    assert result.exit_code == 1 and "nothing to check" in result.stderr


# Choosing one


def use(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["llm", "use", *arguments])


def test_what_works_is_saved_and_the_rest_of_the_settings_stays(server: WireServer, own_home: Path) -> None:
    own_home.mkdir()
    file = own_home / "settings.toml"
    file.write_text("# mine\npapers_in_prompt = 7  # more\n")
    result = use(server.spec)
    assert result.exit_code == 0 and server.spec in result.stdout and str(file) in result.stdout
    assert file.read_text().startswith("# mine\npapers_in_prompt = 7  # more\n")
    assert (load_settings(own_home).llm, load_settings(own_home).papers_in_prompt) == (server.spec, 7)
    assert use("extractive").exit_code == 0 and load_settings(own_home).llm == "extractive"


def test_what_fails_its_check_is_not_saved_unless_forced(own_home: Path) -> None:
    spec = "openai-like:m@http://127.0.0.1:9/v1"
    refused = use(spec)
    assert refused.exit_code == 1 and "--force" in refused.stderr and not (own_home / "settings.toml").exists()
    assert use(spec, "--force").exit_code == 0 and load_settings(own_home).llm == spec


def test_a_name_of_no_llm_is_never_saved(own_home: Path) -> None:
    refused = use("opnai:m", "--force")
    assert refused.exit_code == 2 and "did you mean openai" in refused.stderr and not own_home.exists()


def test_settings_that_are_no_toml_are_left_as_they_are(server: WireServer, own_home: Path) -> None:
    own_home.mkdir()
    (own_home / "settings.toml").write_text("sources = = 7")
    assert use(server.spec).exit_code == 1
    assert (own_home / "settings.toml").read_text() == "sources = = 7"


def test_with_nothing_set_up_what_fits_the_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "candidates", lambda: ())
    monkeypatch.setattr(recommended, "this_machine", lambda: recommended.Memory(16.0))
    listed = CliRunner().invoke(app, ["llm"]).stdout
    best = recommended.best_for(recommended.Memory(16.0))
    assert best is not None and f"ollama pull {best.name} && assistant llm use ollama:{best.name}" in listed
    assert json.loads(CliRunner().invoke(app, ["llm", "--json"]).stdout)["recommended"]["name"] == f"ollama:{best.name}"


@pytest.mark.parametrize("memory", [recommended.Memory(size, card) for size in (4, 8, 16, 32, 64, 128) for card in (0, 8, 24)])
def test_what_is_recommended_fits(memory: recommended.Memory) -> None:
    best = recommended.best_for(memory)
    assert best is None or best.needs_gb <= memory.usable_gb
    assert best is None or not memory.gpu_gb or best.needs_gb <= memory.gpu_gb


def test_a_machine_too_small_for_any_model_is_told_so() -> None:
    assert recommended.best_for(recommended.Memory(4.0)) is None


# What cannot be used never stops an answer


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("openai:gpt-x", "set OPENAI_API_KEY"),
        ("huggingface:/no/such/folder", "no such folder"),
        ("openai-like:m@http://127.0.0.1:9/v1", "connection refused"),
    ],
)
def test_an_llm_that_cannot_be_used_is_told_beside_the_quotes(
    spec: str, said: str, toy_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    answer = Assistant(toy_library.home, spec, library=toy_library).answer(TIDECACHE)
    assert (answer.answered, answer.mode) == (True, "extractive") and answer.citations
    [warning] = answer.warnings
    assert said in warning and warning.endswith("This answer quotes the papers instead")


def test_a_name_of_no_llm_is_a_mistake_in_usage(toy_library: Library) -> None:
    with pytest.raises(UnknownLLMError):
        Assistant(toy_library.home, "opnai:m", library=toy_library)
    assert CliRunner().invoke(app, ["ask", "What?", "--llm", "opnai:m"]).exit_code == 2
