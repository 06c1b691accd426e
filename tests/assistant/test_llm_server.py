"""The `openai-like` provider against a real HTTP server that misbehaves on purpose."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

import pytest

from assistant import Answer, Assistant, Done, Event, Reset, Text
from assistant.settings import Settings
from index import Library
from tests.assistant import openai_server as server
from tests.assistant.conftest import TIDECACHE
from tests.assistant.openai_server import Behaviour, OpenAIServer

GOOD = "TideCache cuts time to first token by 2.4 times over recomputation [1]."
HALF = "TideCache cuts time to first"


@dataclass
class Run:
    """What a reader saw."""

    events: list[Event]

    @property
    def answer(self) -> Answer:
        last = self.events[-1]
        assert isinstance(last, Done)
        return last.answer

    @property
    def resets(self) -> int:
        return sum(isinstance(event, Reset) for event in self.events)


def ask(library: Library, spec: str, timeout: float = 5.0) -> Run:
    assistant = Assistant(library.home, spec, settings=Settings(llm_timeout=timeout), library=library)
    return Run(list(assistant.stream(TIDECACHE)))


def assert_quotes_instead(run: Run, *said: str) -> None:
    """The extractive answer, with one plain warning."""
    answer = run.answer
    assert (answer.answered, answer.mode) == (True, "extractive")
    assert answer.citations
    assert len(answer.warnings) == 1
    warning = answer.warnings[0]
    assert warning.endswith("This answer quotes the papers instead")
    assert all(part in warning for part in said), warning
    assert "<" not in warning and "Traceback" not in warning and len(warning) < 400
    assert answer.usage is not None


def test_a_good_answer_streams_with_its_usage(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.says(GOOD)
    run = ask(toy_library, llm_server.spec)
    streamed = "".join(event.delta for event in run.events if isinstance(event, Text))
    assert streamed == GOOD
    assert sum(isinstance(event, Text) for event in run.events) > 3
    assert run.answer.mode == llm_server.spec
    assert [citation.marker for citation in run.answer.citations] == [1]
    assert run.answer.citations[0].title.startswith("TideCache")
    assert run.answer.warnings == ()
    usage = run.answer.usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.retries) == (321, 12, 0)


def test_the_request_carries_instructions_first_and_the_question_last(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.says(GOOD)
    ask(toy_library, llm_server.spec)
    [request] = llm_server.requests
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert request["messages"][-1]["content"].endswith(TIDECACHE)
    assert request["stream"] is True


def test_a_wrong_key_names_the_variable(toy_library: Library, llm_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_LIKE_API_KEY", "wrong")
    llm_server.behaviour = server.says(GOOD)
    assert_quotes_instead(ask(toy_library, llm_server.spec), "401", "OPENAI_LIKE_API_KEY")
    assert len(llm_server.requests) == 1


@pytest.mark.parametrize("change", [("little-model", "other-model"), ("/v1", "/v2")])
def test_an_unknown_model_or_path_says_so(toy_library: Library, llm_server: OpenAIServer, change: tuple[str, str]) -> None:
    llm_server.behaviour = server.says(GOOD)
    assert_quotes_instead(ask(toy_library, llm_server.spec.replace(*change)), "404", "/v1")
    assert len(llm_server.requests) == 1


def test_a_refused_connection_says_that_the_server_is_not_there(toy_library: Library) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = ask(toy_library, f"openai-like:m@http://127.0.0.1:{port}/v1")
    assert_quotes_instead(run, "cannot be reached", "refused", "check the address")
    assert run.resets == 0


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_is_tried_three_times(toy_library: Library, llm_server: OpenAIServer, status: int) -> None:
    llm_server.behaviour = server.fails(status, headers={"Retry-After": "0.05"})
    run = ask(toy_library, llm_server.spec)
    assert_quotes_instead(run, str(status), "after 2 retries")
    assert len(llm_server.requests) == 3
    assert run.answer.usage is not None and run.answer.usage.retries == 2


def test_a_server_that_recovers_answers_and_the_retry_is_counted(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.fails(503, times=1, then=GOOD)
    run = ask(toy_library, llm_server.spec)
    assert run.answer.mode == llm_server.spec
    assert run.answer.usage is not None and run.answer.usage.retries == 1


def test_a_long_retry_after_is_not_waited_for(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.fails(429, headers={"Retry-After": "3600"})
    assert_quotes_instead(ask(toy_library, llm_server.spec), "429", "wait")
    assert len(llm_server.requests) == 1


def test_a_rejected_question_gives_the_servers_own_words(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.fails(400)
    assert_quotes_instead(ask(toy_library, llm_server.spec), "400: failed with 400", "llm_context")


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (server.html(200), "/v1"),
        (server.html(502), "502"),
        (server.invalid_json, "/v1"),
        (server.says(""), "empty answer"),
        (server.says("  \n "), "empty answer"),
        (server.says("<think>What is asked? Let me see"), "only thought"),
    ],
    ids=["html", "html-502", "invalid-json", "empty", "white-space", "thoughts-only"],
)
def test_what_is_no_answer_is_told(toy_library: Library, llm_server: OpenAIServer, behaviour: Behaviour, said: str) -> None:
    llm_server.behaviour = behaviour
    run = ask(toy_library, llm_server.spec)
    assert_quotes_instead(run, said)
    assert run.resets == 0


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (server.cut_politely(HALF), "broke off"),
        (server.cut_rudely(HALF), "broke off"),
        (server.fails_inside_the_stream(HALF), "CUDA out of memory"),
        (server.endless("and so on "), "did not stop"),
    ],
    ids=["cut-politely", "cut-rudely", "error-event", "endless"],
)
def test_a_failure_after_text_resets_the_reader(toy_library: Library, llm_server: OpenAIServer, behaviour: Behaviour, said: str) -> None:
    llm_server.behaviour = behaviour
    run = ask(toy_library, llm_server.spec)
    assert_quotes_instead(run, said)
    assert run.resets == 1
    kinds = [type(event) for event in run.events]
    since = run.events[kinds.index(Reset) + 1 :]
    assert "".join(event.delta for event in since if isinstance(event, Text)) == run.answer.text
    assert len(llm_server.requests) == 1, "once text has come, nothing is tried again"


@pytest.mark.parametrize("text", ["", HALF], ids=["before the first token", "between tokens"])
def test_a_stall_ends_after_the_timeout(toy_library: Library, llm_server: OpenAIServer, text: str) -> None:
    llm_server.behaviour = server.stalls(text)
    started = time.monotonic()
    run = ask(toy_library, llm_server.spec, timeout=0.3)
    assert time.monotonic() - started < 2.5
    assert_quotes_instead(run, "did not answer in time", "llm_timeout")
    assert run.resets == (1 if text else 0)


def test_a_trickle_ends_at_five_times_the_timeout(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.endless("", pause=0.05)
    assert_quotes_instead(ask(toy_library, llm_server.spec, timeout=0.2), "not done after 1 seconds")


def test_an_answer_cut_at_its_length_is_told(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.reached_its_limit(f"{GOOD} It also")
    answer = ask(toy_library, llm_server.spec).answer
    assert answer.mode == llm_server.spec
    assert any("length limit" in warning for warning in answer.warnings)


def test_a_reader_who_leaves_ends_the_request(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.endless("word ", pause=0.01)
    assistant = Assistant(toy_library.home, llm_server.spec, library=toy_library)
    events = assistant.stream(TIDECACHE)
    next(event for event in events if isinstance(event, Text))
    events.close()  # type: ignore[attr-defined]
    assert llm_server.hung_up.wait(3)
