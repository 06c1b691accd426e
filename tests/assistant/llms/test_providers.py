"""The clients of OpenAI, Anthropic and Ollama against servers that speak their wire formats."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from llama_index.core.llms import ChatMessage

from assistant import Assistant, Done, Text
from assistant.errors import LLMError, LLMFailedError, MissingExtraError, MissingKeyError
from assistant.llms import LLMOptions, RetryPolicy, ask, load_llm
from assistant.llms.client import Piece
from assistant.llms.registry import PROVIDERS
from index import Library
from tests.assistant import wire_servers as wires
from tests.assistant.conftest import TIDECACHE
from tests.assistant.wire_servers import AnthropicWire, OllamaWire, OpenAIWire, Wire, WireServer

GOOD = "TideCache cuts time to first token by 2.4 times over recomputation [1]."
HALF = "TideCache cuts time to first"
WIRES = [OpenAIWire, AnthropicWire, OllamaWire]


@pytest.fixture(params=WIRES, ids=lambda wire: wire.name)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[WireServer]:
    """One provider's server; its address and the right key are in the environment."""
    wire: type[Wire] = request.param
    for found in wires.serving(wire):
        monkeypatch.setenv(wire.base, found.address)
        monkeypatch.setenv(wire.key_variable, wires.KEY)
        yield found


def asked(spec: str, **options: float) -> list[Piece]:
    """The pieces of an answer to a short question."""
    llm = load_llm(spec, LLMOptions(**{"timeout_seconds": 5.0, **options}))  # type: ignore[arg-type]
    assert llm is not None
    messages = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="What does TideCache cut?")]
    return list(ask(llm, spec, messages, RetryPolicy(pause_seconds=0.01)))


def refused(spec: str, **options: float) -> str:
    with pytest.raises(LLMFailedError) as raised:
        asked(spec, **options)
    assert wires.KEY not in str(raised.value)
    return str(raised.value)


def test_an_answer_streams_with_its_counts(server: WireServer) -> None:
    server.behaviour = wires.says(GOOD)
    pieces = asked(server.spec)
    assert "".join(piece.delta for piece in pieces) == GOOD
    assert sum(bool(piece.delta) for piece in pieces) == len(wires.pieces(GOOD))
    assert (pieces[-1].usage.prompt_tokens, pieces[-1].usage.completion_tokens) == (wires.PROMPT_TOKENS, wires.COMPLETION_TOKENS)
    assert not any(piece.cut for piece in pieces)
    assert len(server.questions()) == 1


def test_a_whole_question_is_answered_by_it(server: WireServer, toy_library: Library) -> None:
    server.behaviour = wires.says(f"{GOOD} It evicts the least valuable branch first [1].")
    events = list(Assistant(toy_library.home, server.spec, library=toy_library).stream(TIDECACHE))
    assert isinstance(events[-1], Done)
    answer = events[-1].answer
    assert (answer.mode, answer.answered) == (server.spec, True)
    assert answer.usage is not None and answer.usage.prompt_tokens == wires.PROMPT_TOKENS
    assert sum(isinstance(event, Text) for event in events) > 3


def test_the_server_is_asked_for_a_stream_without_chance_and_with_a_limit(server: WireServer) -> None:
    server.behaviour = wires.says(GOOD)
    asked(server.spec, answer_tokens=77)
    [body] = server.questions()
    assert (body["model"], body["stream"]) == (server.wire.model, True)
    limits = {"openai": body.get("max_completion_tokens"), "anthropic": body.get("max_tokens"), "ollama": body.get("options", {})}
    limit = limits[server.wire.name]
    assert limit == 77 or limit["num_predict"] == 77


def test_instructions_and_question_are_both_sent(server: WireServer) -> None:
    server.behaviour = wires.says(GOOD)
    asked(server.spec)
    assert "Be brief." in str(server.questions()[0])
    assert "What does TideCache cut?" in str(server.questions()[0]["messages"])


def test_a_length_limit_is_told(server: WireServer) -> None:
    server.behaviour = wires.says(GOOD, cut=True)
    assert asked(server.spec)[-1].cut


def test_a_wrong_key_names_its_variable(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(server.wire.key_variable, "sk-wrong-key")
    server.behaviour = wires.says(GOOD)
    told = refused(server.spec)
    assert "401" in told and server.wire.key_variable in told and "sk-wr" not in told
    assert len(server.questions()) == 1


def test_an_unknown_model_suggests_the_nearest_that_is_served(server: WireServer) -> None:
    server.behaviour = wires.says(GOOD)
    told = refused(server.spec.replace("9", "8"))
    assert "404" in told and f"did you mean {server.wire.model}" in told
    assert ("ollama pull" in told) is (server.wire is OllamaWire)
    assert len(server.questions()) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_tried_three_times_by_us_alone(server: WireServer, status: int) -> None:
    server.behaviour = wires.fails(status, {"Retry-After": "0.01"})
    told = refused(server.spec)
    assert str(status) in told and "after 2 retries" in told
    assert len(server.questions()) == 3


def test_a_stream_that_ends_too_soon_is_no_answer(server: WireServer) -> None:
    server.behaviour = wires.breaks_off(HALF)
    assert "broke off" in refused(server.spec)


def test_an_error_inside_the_stream_gives_the_servers_words(server: WireServer) -> None:
    server.behaviour = wires.fails_inside(HALF, "the model ran out of memory")
    assert "ran out of memory" in refused(server.spec)


@pytest.mark.parametrize("text", ["", HALF], ids=["before the first token", "between tokens"])
def test_a_silent_server_is_left_after_the_timeout(server: WireServer, text: str) -> None:
    server.behaviour = wires.stalls(text)
    llm = load_llm(server.spec, LLMOptions(timeout_seconds=0.3))
    assert llm is not None
    with pytest.raises(LLMFailedError, match="did not answer in time"):
        list(ask(llm, server.spec, [ChatMessage(role="user", content="?")], RetryPolicy(retries=0, longest_seconds=2.0)))


def test_a_server_that_is_not_there_is_told(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(server.wire.base, "http://127.0.0.1:9" + server.wire.root)
    assert "cannot be reached" in refused(server.spec)


@pytest.mark.parametrize("wire", [OpenAIWire, AnthropicWire], ids=lambda wire: wire.name)
def test_a_model_that_the_client_does_not_know_holds_what_the_options_say(wire: type[Wire], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(wire.key_variable, wires.KEY)
    llm = load_llm(f"{wire.name}:{wire.model}", LLMOptions(context_tokens=5000, answer_tokens=300))
    assert llm is not None
    assert (llm.metadata.context_window, llm.metadata.num_output) == (5000, 300)


@pytest.mark.parametrize("spec", ["openai:gpt-4o", "anthropic:claude-3-5-haiku-latest"])
def test_a_model_that_the_client_knows_holds_what_it_holds(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for wire in WIRES:
        monkeypatch.setenv(wire.key_variable, wires.KEY)
    llm = load_llm(spec, LLMOptions(context_tokens=5000))
    assert llm is not None and llm.metadata.context_window > 100_000


@pytest.mark.parametrize(("wanted", "given"), [(2000, 2000), (8192, OllamaWire.holds)], ids=["less", "more"])
def test_ollama_is_asked_for_as_much_context_as_is_wanted_and_the_model_holds(
    monkeypatch: pytest.MonkeyPatch, wanted: int, given: int
) -> None:
    for server in wires.serving(OllamaWire):
        monkeypatch.setenv("OLLAMA_HOST", server.address.removeprefix("http://"))
        monkeypatch.setenv("OLLAMA_API_KEY", wires.KEY)
        server.behaviour = wires.says(GOOD)
        llm = load_llm(server.spec, LLMOptions(context_tokens=wanted))
        assert llm is not None and llm.metadata.context_window == given
        asked(server.spec, context_tokens=wanted)
        assert server.questions()[0]["options"]["num_ctx"] == given


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("box:8", "http://box:8"),
        ("https://box/llm/", "https://box:443/llm"),
        ("[::1]", "http://[::1]:11434"),
    ],
)
def test_ollamas_variable_may_lack_scheme_and_port(monkeypatch: pytest.MonkeyPatch, named: str, address: str) -> None:
    service = PROVIDERS["ollama"].service
    monkeypatch.setenv("OLLAMA_HOST", named)
    assert service is not None and service.address("m") == address


@pytest.mark.parametrize("wire", [OpenAIWire, AnthropicWire], ids=lambda wire: wire.name)
def test_a_missing_key_names_its_variable_before_any_request(wire: type[Wire], monkeypatch: pytest.MonkeyPatch) -> None:
    for server in wires.serving(wire):
        monkeypatch.setenv(wire.base, server.address)
        monkeypatch.delenv(wire.key_variable, raising=False)
        with pytest.raises(MissingKeyError, match=f"set {wire.key_variable}"):
            load_llm(server.spec)
        assert server.requests == []


@pytest.mark.parametrize("key", ["sk-one two", "sk-one\nsk-two", "schlüssel"])
def test_what_cannot_be_a_key_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY holds something that is no key") as raised:
        load_llm("openai:gpt-4o")
    assert key not in str(raised.value)


def test_white_space_around_a_key_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    for server in wires.serving(OpenAIWire):
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        monkeypatch.setenv("OPENAI_API_KEY", f"{wires.KEY}\n")
        server.behaviour = wires.says(GOOD)
        assert "".join(piece.delta for piece in asked(server.spec)) == GOOD


@pytest.mark.parametrize("name", ["anthropic", "huggingface"])  # llamacpp: in test_in_process.py
def test_a_provider_without_its_extra_names_the_pip_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", wires.KEY)
    monkeypatch.setitem(sys.modules, PROVIDERS[name].modules[0], None)
    with pytest.raises(MissingExtraError) as raised:
        load_llm(f"{name}:m")
    assert f'pip install -e ".[{name}]"' in str(raised.value)
    assert isinstance(raised.value.__cause__, ImportError)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_name_without_a_model_shows_the_form(name: str) -> None:
    with pytest.raises(LLMError) as raised:
        load_llm(f"{name}:")
    assert PROVIDERS[name].form in str(raised.value)


def test_every_provider_that_needs_a_package_is_an_extra() -> None:
    import tomllib

    from tests.conftest import ROOT

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {name for name, provider in PROVIDERS.items() if provider.modules} == set(extras) - {"dev", "baselines", "eval", "langchain"}
