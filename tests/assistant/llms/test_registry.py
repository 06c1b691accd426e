"""LLMs by name, and the scripted one that testers are given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from llama_index.core.llms import LLM, CompletionResponse, CompletionResponseGen, CustomLLM, LLMMetadata, MockLLM

from assistant import Assistant, Reset
from assistant.errors import UnknownLLMError
from assistant.llms import PROVIDERS, LLMOptions, load_llm
from assistant.llms.scripted import ScriptedLLM
from tests.assistant.conftest import TIDECACHE

With = Callable[[str | LLM], Assistant]


def test_extractive_is_no_llm() -> None:
    assert load_llm("extractive") is None


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("openai-lik:m@http://h/v1", "openai-like"), ("extractiv", "extractive"), ("Openai-Like:m@http://h/v1", "openai-like")],
)
def test_an_unknown_name_suggests_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UnknownLLMError, match=f"did you mean {nearest}"):
        load_llm(name)


def test_an_unknown_name_lists_all_forms() -> None:
    with pytest.raises(UnknownLLMError) as raised:
        load_llm("wolpertinger:m")
    assert "did you mean" not in str(raised.value)
    assert all(provider.form in str(raised.value) for provider in PROVIDERS.values())


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "m",
        "m@",
        "@http://h/v1",
        "m@127.0.0.1:80/v1",
        "m@ftp://h/v1",
        "m@http://",
        "m@http://[::1/v1",
        "m@http://h:port/v1",
        "m@http://h:99999/v1",
    ],
)
def test_a_malformed_address_shows_the_form(rest: str) -> None:
    with pytest.raises(UnknownLLMError, match="openai-like:MODEL@http://host:port/v1"):
        load_llm(f"openai-like:{rest}")


def test_a_model_name_may_hold_an_at_sign_and_colons() -> None:
    llm = load_llm("openai-like:org/m:free@2024@https://host:8443/v1")
    assert llm is not None
    assert (llm.metadata.model_name, llm.address) == ("org/m:free@2024", "https://host:8443/v1")  # type: ignore[attr-defined]


def test_options_reach_the_llm() -> None:
    llm = load_llm("openai-like:m@http://h/v1", LLMOptions(timeout_seconds=7, context_tokens=2000, answer_tokens=300))
    assert llm is not None
    assert (llm.metadata.context_window, llm.metadata.num_output, llm.timeout_seconds) == (2000, 300, 7)  # type: ignore[attr-defined]


@pytest.mark.parametrize("address", ["http://me:secret@host/v1", "https://me@host/v1"])
def test_a_password_in_an_address_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(UnknownLLMError, match="holds a name or password") as raised:
        load_llm(f"openai-like:m@{address}")
    assert "secret" not in str(raised.value)


def test_the_scripted_llm_gives_its_replies_in_turn_and_keeps_the_prompts() -> None:
    llm = ScriptedLLM(replies=["one", "two"])
    assert [llm.complete(prompt).text for prompt in ("a", "b", "c")] == ["one", "two", "two"]
    assert llm.prompts == ["a", "b", "c"]


def test_the_scripted_llm_streams_pieces_that_join_to_its_reply() -> None:
    pieces = [response.delta for response in ScriptedLLM(replies=["abcdefgh"], piece=3).stream_complete("x")]
    assert pieces == ["abc", "def", "gh"]


def test_the_scripted_llm_fails_where_it_is_told(toy_with: With) -> None:
    with pytest.raises(ConnectionError):
        ScriptedLLM(replies=["abc"], fail_after=0).complete("x")
    events = list(
        toy_with(ScriptedLLM(replies=["TideCache evicts the least valuable branch first [1]. It is"], fail_after=8)).stream(TIDECACHE)
    )
    assert any(isinstance(event, Reset) for event in events)


def test_any_llama_index_llm_answers(toy_with: With) -> None:
    """MockLLM repeats its prompt, which is too long an answer or an unsupported one; it is asked all the same."""
    answer = toy_with(MockLLM(max_tokens=20)).answer(TIDECACHE)
    assert answer.answered
    assert answer.citations


class _Whole(CustomLLM):
    """An LLM that cannot stream."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="whole")

    def complete(self, prompt: str, formatted: bool = False, **kwargs: object) -> CompletionResponse:
        return CompletionResponse(text="TideCache evicts the least valuable branch first [1].")

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: object) -> CompletionResponseGen:
        raise NotImplementedError


def test_an_llm_that_cannot_stream_answers_in_one_piece(toy_with: With) -> None:
    answer = toy_with(_Whole()).answer(TIDECACHE)
    assert (answer.mode, answer.warnings) == ("whole", ())
