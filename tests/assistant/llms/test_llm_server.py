"""The `openai-like` provider against a real HTTP server that misbehaves on purpose."""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from assistant import Answer, Assistant, Done, Event, Reset, Text, Usage
from assistant.errors import StoppedError
from assistant.settings import Settings
from index import Library
from tests.assistant import openai_server as server
from tests.assistant.conftest import TIDECACHE
from tests.assistant.openai_server import Behaviour, Handler, OpenAIServer

GOOD = "TideCache cuts time to first token by 2.4 times over recomputation [1]."
HALF = f"{GOOD} It evicts the least"
"""A whole sentence, which is shown as soon as the next begins, and a half."""


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


def ask(library: Library, spec: str, timeout: float = 5.0, context: int = 8192) -> Run:
    assistant = Assistant(library.home, spec, settings=Settings(llm_timeout=timeout, llm_context=context), library=library)
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
    llm_server.behaviour = server.says(f"{HALF} valuable branch first [1].")
    run = ask(toy_library, llm_server.spec)
    streamed = "".join(event.delta for event in run.events if isinstance(event, Text))
    assert streamed == f"{HALF} valuable branch first [1]."
    assert sum(isinstance(event, Text) for event in run.events) > 3
    assert run.answer.mode == llm_server.spec
    assert [citation.marker for citation in run.answer.citations] == [1, 1]
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


def test_a_retry_after_may_be_a_date(toy_library: Library, llm_server: OpenAIServer) -> None:
    later = email.utils.formatdate(time.time() + 3600, usegmt=True)
    llm_server.behaviour = server.fails(429, headers={"Retry-After": later})
    assert_quotes_instead(ask(toy_library, llm_server.spec), "429")
    assert len(llm_server.requests) == 1


@pytest.mark.parametrize("said", ["soon", "-5", "nan", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_an_odd_retry_after_does_no_harm(toy_library: Library, llm_server: OpenAIServer, said: str) -> None:
    llm_server.behaviour = server.fails(503, times=1, then=GOOD, headers={"Retry-After": said})
    assert ask(toy_library, llm_server.spec).answer.mode == llm_server.spec


def test_a_busy_server_that_does_not_say_how_long_is_tried_again_too(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.fails(429)
    assistant = Assistant(toy_library.home, llm_server.spec, settings=Settings(llm_timeout=5), library=toy_library)
    assert assistant.writer is not None
    assistant.writer = replace(assistant.writer, policy=replace(assistant.writer.policy, pause_seconds=0.01))
    assert_quotes_instead(Run(list(assistant.stream(TIDECACHE))), "429", "after 2 retries", "limits")
    assert len(llm_server.requests) == 3


def test_retries_end_with_the_time_for_the_whole_answer(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.fails(503, headers={"Retry-After": "5"})
    assert_quotes_instead(ask(toy_library, llm_server.spec, timeout=0.3), "503")
    assert len(llm_server.requests) == 1


def test_an_unknown_host_says_so(toy_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    run = ask(toy_library, "openai-like:m@http://no-such-host.invalid/v1")
    assert_quotes_instead(run, "cannot be reached", "no host of that name", "check the address")
    assert run.answer.usage == Usage()


def test_a_key_in_a_servers_message_is_not_shown(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.fails(400, message=f"bad key {server.KEY} \x1b[31m<b>now</b> see https://pay.example/x")
    answer = ask(toy_library, llm_server.spec).answer
    assert server.KEY not in str(answer) and "\x1b" not in str(answer) and "https" not in str(answer)


def test_a_web_page_as_an_error_is_not_quoted(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.html(418)
    assert_quotes_instead(ask(toy_library, llm_server.spec), "418: it sent a web page")


def test_a_prompt_too_long_for_the_server_is_asked_again_with_fewer_papers(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.takes_at_most(1900, then=GOOD)
    answer = ask(toy_library, llm_server.spec, context=2400).answer
    assert answer.mode == llm_server.spec
    assert "left out" in answer.warnings[0]
    first, *_, last = [request["messages"][-1]["content"].count("</source ") for request in llm_server.requests]
    assert 1 <= last < first
    llm_server.behaviour = server.takes_at_most(10, then=GOOD)
    assert_quotes_instead(ask(toy_library, llm_server.spec, context=8192), "maximum context length", "llm_context")


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
        (server.says("\u200b\ufeff\u2060"), "empty answer"),
        (server.says("<|im_end|>"), "empty answer"),
        (server.whole_json({"answer": GOOD}), "/v1"),
        (server.whole_json({"error": "model is loading"}), "model is loading"),
        (server.whole_json([]), "/v1"),
        (server.raw_events('data: {"hello": 1}'), "/v1"),
        (server.raw_events("data: null"), "/v1"),
        (server.raw_events('data: {"choices": [{"index": 0}]}'), "/v1"),
        (server.raw_events("data: [1, 2"), "/v1"),
        (server.raw_events(b"data: \xff\xfe\x00\x01"), "/v1"),
        (server.garbage_instead_of_http, "/v1"),
        (server.hangs_up, "hung up without an answer"),
    ],
    ids=[
        *("html", "html-502", "invalid-json", "empty", "white-space", "thoughts-only", "hidden-only", "template-only"),
        *("other-json", "error-json", "list-json", "other-event", "null-event", "no-delta", "half-json", "no-utf-8", "no-http", "hung-up"),
    ],
)
def test_what_is_no_answer_is_told(toy_library: Library, llm_server: OpenAIServer, behaviour: Behaviour, said: str) -> None:
    llm_server.behaviour = behaviour
    run = ask(toy_library, llm_server.spec)
    assert_quotes_instead(run, said)
    assert run.resets == 0


@pytest.mark.parametrize(
    ("behaviour", "said", "resets"),
    [
        (server.cut_politely(HALF), "broke off", 1),
        (server.cut_rudely(HALF), "broke off", 1),
        (server.fails_inside_the_stream(HALF), "CUDA out of memory", 1),
        (server.says(HALF, finish="content_filter"), "content filter", 1),
        (server.says(HALF, finish="error"), "broke off", 1),
        (server.endless("and {} so on "), "did not stop", 0),
        (server.endless("and so on "), "repeating itself", 0),
        (server.endless("The cache holds the states of prefixes that many sessions share. "), "repeating itself", None),
        (server.says(f"{GOOD} " + "It falls by half. " * 400), "repeating itself", 1),
        (server.says("qwxz vrmblk 8841 zzkt plonk frbl. " + "Gnarl thrumpet osk 9913 vuu."), "supported by the papers", 0),
    ],
    ids=[
        *("cut-politely", "cut-rudely", "error-event", "content-filter", "error-finish", "endless", "repeats", "repeats-sentences"),
        *("repeats-to-its-end", "garbage"),
    ],
)
def test_a_failure_resets_whoever_was_shown_text(
    toy_library: Library, llm_server: OpenAIServer, behaviour: Behaviour, said: str, resets: int | None
) -> None:
    llm_server.behaviour = behaviour
    run = ask(toy_library, llm_server.spec)
    assert_quotes_instead(run, said)
    found = [event for event in run.events if isinstance(event, Reset)]
    assert resets is None or len(found) == resets
    assert all(reset.unfinished and said in reset.reason for reset in found)
    kinds = [type(event) for event in run.events]
    since = run.events[kinds.index(Reset) + 1 :] if found else run.events
    assert "".join(event.delta for event in since if isinstance(event, Text)) == run.answer.text
    assert len(llm_server.requests) == 1, "once text has come, nothing is tried again"


@pytest.mark.parametrize(
    ("behaviour", "resets"),
    [(server.stalls(""), 0), (server.stalls(HALF), 1), (server.silent, 0), (server.stalls_with_comments, 0), (server.drips, 0)],
    ids=["before the first token", "between tokens", "before the status", "with comments that keep it alive", "headers byte by byte"],
)
def test_a_stall_ends_after_the_timeout_and_so_does_the_request(
    toy_library: Library, llm_server: OpenAIServer, behaviour: Behaviour, resets: int
) -> None:
    ask(toy_library, llm_server.spec)  # loads the client, which may take longer than the timeout
    llm_server.hung_up.clear()
    llm_server.behaviour = behaviour
    run = ask(toy_library, llm_server.spec, timeout=0.8)
    assert_quotes_instead(run, "did not answer in time", "llm_timeout")
    assert run.resets == resets
    assert llm_server.hung_up.wait(2)


def test_a_trickle_ends_at_five_times_the_timeout(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.endless("", pause=0.05)
    assert_quotes_instead(ask(toy_library, llm_server.spec, timeout=0.2), "not done after 1 seconds")


def test_an_answer_cut_at_its_length_is_told(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.says(f"{GOOD} It also", finish="length")
    answer = ask(toy_library, llm_server.spec).answer
    assert answer.mode == llm_server.spec
    assert any("length limit" in warning for warning in answer.warnings)
    assert "It also" not in answer.text


@pytest.mark.parametrize(("text", "said"), [("TideCache cuts", "within its first sentence"), ("<think>TideCache", "on thoughts")])
def test_an_answer_cut_before_it_says_anything_is_none(toy_library: Library, llm_server: OpenAIServer, text: str, said: str) -> None:
    llm_server.behaviour = server.says(text, finish="length")
    assert_quotes_instead(ask(toy_library, llm_server.spec), said)


def test_a_reader_who_leaves_ends_the_request(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.endless(f"{GOOD} word {{}} ", pause=0.01)
    assistant = Assistant(toy_library.home, llm_server.spec, library=toy_library)
    events = assistant.stream(TIDECACHE)
    next(event for event in events if isinstance(event, Text))
    events.close()  # type: ignore[attr-defined]
    assert llm_server.hung_up.wait(3)


@pytest.mark.parametrize("behaviour", [server.silent, server.stalls(""), server.stalls(HALF)], ids=["no status", "no token", "half"])
def test_stopping_ends_the_request_of_a_server_that_is_silent(toy_library: Library, llm_server: OpenAIServer, behaviour: Behaviour) -> None:
    llm_server.behaviour = behaviour
    stop = threading.Event()
    events = Assistant(toy_library.home, llm_server.spec, library=toy_library).stream(TIDECACHE, stop=stop)
    threading.Thread(target=lambda: (llm_server.asked.wait(5), time.sleep(0.05), stop.set())).start()
    with pytest.raises(StoppedError):
        list(events)
    assert llm_server.hung_up.wait(2)


def test_stopping_ends_the_wait_for_a_retry(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.fails(503, headers={"Retry-After": "9"})
    stop = threading.Event()
    events = Assistant(toy_library.home, llm_server.spec, library=toy_library).stream(TIDECACHE, stop=stop)
    threading.Thread(target=lambda: (llm_server.asked.wait(5), time.sleep(0.05), stop.set())).start()
    with pytest.raises(StoppedError):
        list(events)
    assert len(llm_server.requests) == 1


def test_a_server_that_failed_is_asked_again_with_the_next_question(toy_library: Library, llm_server: OpenAIServer) -> None:
    """What broke in one request does not stay with the client."""
    assistant = Assistant(toy_library.home, llm_server.spec, settings=Settings(llm_timeout=0.3), library=toy_library)
    for behaviour in (server.stalls(HALF), server.cut_rudely(HALF), server.garbage_instead_of_http):
        llm_server.behaviour = behaviour
        assert assistant.answer(TIDECACHE).mode == "extractive"
        llm_server.behaviour = server.says(GOOD)
        assert assistant.answer(TIDECACHE).mode == llm_server.spec


def test_many_readers_at_once_each_get_their_answer(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.says(GOOD)
    assistant = Assistant(toy_library.home, llm_server.spec, library=toy_library)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(assistant.answer, [TIDECACHE] * 16))
    assert {(answer.mode, answer.text) for answer in answers} == {(llm_server.spec, answers[0].text)}


# What it used


def test_a_stream_that_broke_off_counts_as_estimated(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.cut_rudely(HALF)
    usage = ask(toy_library, llm_server.spec).answer.usage
    assert usage is not None and usage.estimated
    assert (usage.prompt_tokens or 0) > 200
    assert usage.completion_tokens and usage.completion_tokens < 60


def test_an_llm_that_refused_the_question_used_nothing(toy_library: Library, llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.fails(500, headers={"Retry-After": "0"})
    assert ask(toy_library, llm_server.spec).answer.usage == Usage(retries=2)


def test_a_price_gives_the_cost_failed_calls_included(toy_library: Library, llm_server: OpenAIServer) -> None:
    priced = Settings(llm_price_in=2.0, llm_price_out=10.0)
    assistant = Assistant(toy_library.home, llm_server.spec, settings=priced, library=toy_library)
    llm_server.behaviour = server.says(GOOD)
    assert assistant.answer(TIDECACHE).usage == Usage(321, 12, cost=(321 * 2 + 12 * 10) / 1e6)
    llm_server.behaviour = server.cut_rudely(HALF)
    failed = assistant.answer(TIDECACHE)
    assert failed.mode == "extractive"
    assert failed.usage is not None and failed.usage.cost and failed.usage.estimated


def test_history_is_condensed_in_a_call_that_is_counted(toy_library: Library, llm_server: OpenAIServer) -> None:
    standalone = "What does TideCache do to throughput over recomputation?"

    def behave(handler: Handler) -> None:
        server.says(standalone if len(llm_server.requests) == 1 else GOOD)(handler)

    llm_server.behaviour = behave
    assistant = Assistant(toy_library.home, llm_server.spec, library=toy_library)
    answer = assistant.answer("What does it do to throughput?", [TIDECACHE])
    condensing, asking = llm_server.requests
    assert TIDECACHE in condensing["messages"][-1]["content"]
    assert asking["messages"][-1]["content"].endswith(f"Question: {standalone}")
    assert answer.usage == Usage(642, 24)
    assert answer.question == "What does it do to throughput?"
    assert f"read as “{standalone}”" in answer.warnings


@pytest.mark.parametrize("behaviour", [server.fails(500), server.hangs_up, server.html(200), server.cut_rudely("What")])
def test_a_condensing_that_fails_costs_nothing(toy_library: Library, llm_server: OpenAIServer, behaviour: Behaviour) -> None:
    def behave(handler: Handler) -> None:
        (behaviour if len(llm_server.requests) == 1 else server.says(GOOD))(handler)

    llm_server.behaviour = behave
    answer = Assistant(toy_library.home, llm_server.spec, library=toy_library).answer("And how?", [TIDECACHE])
    assert (answer.mode, answer.warnings) == (llm_server.spec, ())
    assert f"Earlier questions in this conversation: {TIDECACHE}" in llm_server.requests[1]["messages"][-1]["content"]
