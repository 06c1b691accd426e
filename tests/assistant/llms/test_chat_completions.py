"""Servers of OpenAI's chat completions as they are: addresses, refusals, streams, proxies."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage

from assistant.errors import LLMFailedError
from assistant.llms import LLMOptions, RetryPolicy, ask, load_llm
from assistant.llms.chat_stream import Documents
from assistant.llms.client import Piece
from assistant.llms.diagnosis import diagnose
from assistant.llms.endpoints import is_private_network, key_headers, urls
from tests.assistant import openai_server as server
from tests.assistant import wire_servers as wires
from tests.assistant.openai_server import KEY, MODEL, Behaviour, Handler, OpenAIServer

SAID = "Gulls are heavier than terns."
MESSAGES = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="Which is heavier?")]


def asked(spec: str) -> list[Piece]:
    llm = load_llm(spec, LLMOptions(timeout_seconds=5.0))
    assert llm is not None
    return list(ask(llm, spec, MESSAGES, RetryPolicy(retries=0)))


def text_of(spec: str) -> str:
    return "".join(piece.delta for piece in asked(spec))


def failure_of(spec: str) -> str:
    with pytest.raises(LLMFailedError) as raised:
        asked(spec)
    return str(raised.value)


# What is refused


def refuses(wrong: dict[str, Any], then: Behaviour | None = None) -> Behaviour:
    """Refuses a body for each part of it that is wrong, with that part's words; a document instead of words is sent as it is."""

    def behave(handler: Handler) -> None:
        body = handler.request_body
        parts = {*body, *(("system",) if any(turn["role"] == "system" for turn in body["messages"]) else ())}
        if not body.get("stream"):
            parts.discard("stream")
        for part, words in wrong.items():
            if part in parts:
                status, said = words if isinstance(words, tuple) else (400, words)
                document = said if isinstance(said, dict) else {"error": {"message": said}}
                return handler.whole(status, json.dumps(document), "application/json")
        (then or server.says(SAID))(handler)
        return None

    return behave


def whole(document: dict[str, Any]) -> Behaviour:
    return lambda handler: handler.whole(200, json.dumps(document), "application/json")


WHOLE = whole(
    {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": SAID}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 6},
    }
)


@pytest.mark.parametrize(
    ("wrong", "left_out"),
    [
        ({"stream_options": "Unknown parameter: stream_options"}, ["stream_options"]),
        ({"stream_options": (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]})}, ["stream_options"]),  # noqa: E501
        ({"max_tokens": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}, ["max_tokens"]),
        ({"max_tokens": "max_tokens is not allowed", "max_completion_tokens": "nor max_completion_tokens"}, ["max_tokens", "max_completion_tokens"]),  # noqa: E501
        ({"temperature": "`temperature` must be 1 for this model"}, ["temperature"]),
        ({"temperature": {"error": {"message": "Unsupported value", "param": "temperature"}}}, ["temperature"]),
        ({"system": "System role not supported"}, ["system"]),
        ({"system": (500, "Jinja Exception: Conversation roles must alternate user/assistant/user")}, ["system"]),
        ({"system": (422, "messages.0.role: Input should be 'user' or 'assistant'")}, ["system"]),
        ({"stream": "This model does not support streaming"}, ["stream"]),
        ({"stream": (501, "stream=true is not implemented")}, ["stream"]),
        (
            {"stream_options": "no stream_options", "max_tokens": "no max_tokens", "temperature": "no temperature", "system": "no system role"},  # noqa: E501
            ["stream_options", "max_tokens", "temperature", "system"],
        ),
    ],
)  # fmt: skip
def test_what_a_server_refuses_is_left_out_once_and_remembered(
    llm_server: OpenAIServer, wrong: dict[str, Any], left_out: list[str]
) -> None:
    llm_server.behaviour = refuses(wrong, WHOLE if "stream" in wrong else None)
    assert text_of(llm_server.spec) == SAID
    assert len(llm_server.requests) == 1 + len(left_out)
    llm = load_llm(llm_server.spec)
    assert llm is not None and list(llm.left_out) == left_out  # type: ignore[attr-defined]
    last = llm_server.requests[-1]
    assert not set(left_out) - {"system", "stream"} & set(last)
    assert "Be brief." in str(last["messages"]) and "Which is heavier?" in last["messages"][-1]["content"]
    text_of(llm_server.spec)
    assert len(llm_server.requests) == 2 + len(left_out), "it is not tried again"


def test_what_is_left_out_is_told_by_the_check(llm_server: OpenAIServer) -> None:
    llm_server.behaviour = refuses({"temperature": "temperature is not supported"})
    *_, last = diagnose(llm_server.spec, LLMOptions(timeout_seconds=5.0))
    assert last.ok and "without temperature, which the server refuses" in last.told


def test_a_server_that_refuses_whatever_it_is_sent_is_not_asked_for_ever(llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.fails(400, message="system role, stream, stream_options, temperature, max_tokens, max_completion_tokens")
    assert "did not accept the question" in failure_of(llm_server.spec)
    assert len(llm_server.requests) <= 8


@pytest.mark.parametrize("said", ["maximum context length is 512 tokens, you asked for max_tokens 2048", "the prompt is too long"])
def test_a_prompt_too_long_is_no_refusal_of_a_parameter(llm_server: OpenAIServer, said: str) -> None:
    llm_server.behaviour = server.fails(400, message=said)
    assert "takes no prompt this long" in failure_of(llm_server.spec)
    assert len(llm_server.requests) == 1


# What is sent


def event(delta: Any, finish: str | None = None, **fields: Any) -> str:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish}], **fields})}"


@pytest.mark.parametrize(
    "behaviour",
    [
        WHOLE,
        whole({"choices": [{"message": {"content": SAID}}]}),
        whole({"choices": [{"message": {"content": [{"type": "text", "text": SAID[:9]}, {"type": "text", "text": SAID[9:]}]}}]}),
        whole({"choices": [{"message": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": SAID}]}}]}),  # noqa: E501
        whole({"choices": [{"text": SAID, "finish_reason": "stop"}]}),
        lambda handler: handler.whole(200, json.dumps({"choices": [{"message": {"content": SAID}}]}, indent=2), "text/event-stream"),
        server.raw_events(event({"content": SAID}), "data: [DONE]"),
        server.raw_events(event({"content": SAID}), event({}, "stop")),
        server.raw_events(event({"content": SAID}, "stop"), event({}, None, usage={"prompt_tokens": 1, "completion_tokens": 2})),
        server.raw_events(": waiting", ": waiting", event({"role": "assistant", "content": None}), event({"content": SAID}), "data: [DONE]"),  # noqa: E501
        server.raw_events('data: {"choices": [], "prompt_filter_results": []}', event({"content": SAID}), "data: [DONE]"),
        server.raw_events('event: ping\ndata: {"type": "ping"}', event({"content": SAID}), "data: [DONE]"),
        server.raw_events(event({"content": [{"type": "text", "text": SAID}]}), "data: [DONE]"),
        server.raw_events(event({"reasoning_content": "Hm."}), event({"reasoning": "Hm."}), event({"content": SAID}), "data: [DONE]"),
        server.raw_events(event({"content": SAID}).replace("data: ", "data:"), "data:[DONE]"),
        server.raw_events(event({"content": SAID}) + "\n" + event({}, "stop") + "\ndata: [DONE]"),
        server.raw_events("\ufeff" + event({"content": SAID}), "data: [DONE]"),
        server.raw_events(event({"content": SAID}).replace("\n", "\r\n") + "\r", "data: [DONE]\r"),
        server.raw_events(json.dumps({"choices": [{"delta": {"content": SAID}}]}), json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]})),  # noqa: E501
        server.raw_events(event({"content": SAID, "tool_calls": None, "function_call": None}), event({"content": "x"}).replace('"index": 0', '"index": 1'), "data: [DONE]"),  # noqa: E501
    ],
    ids=[
        *("whole", "whole without an end", "parts", "a part that thinks", "text", "indented", "done only", "finish only", "usage last", "comments"),  # noqa: E501
        *("no choices first", "ping", "parts in events", "reasoning fields", "no space", "no blank lines", "byte order mark", "line ends of Windows"),  # noqa: E501
        *("lines of JSON", "another choice"),
    ],
)  # fmt: skip
def test_an_answer_in_any_shape_is_read(llm_server: OpenAIServer, behaviour: Behaviour) -> None:
    llm_server.behaviour = behaviour
    assert text_of(llm_server.spec) == SAID


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (whole({"error": {"message": "No endpoints found", "code": 404}}), "404: No endpoints found"),
        (whole({"error": "model is loading"}), "model is loading"),
        (whole({"object": "error", "message": "worker died", "code": 50001}), "worker died"),
        (whole({"detail": "not today"}), "not today"),
        (whole({"success": False, "errors": [{"message": "no capacity"}]}), "no capacity"),
        (server.raw_events('data: {"error": {"message": "overloaded", "code": 503}}'), "503: overloaded"),
        (server.raw_events('event: error\ndata: {"message": "out of memory"}'), "out of memory"),
        (server.raw_events(event({"content": "Gulls"}), event({}, "content_filter"), "data: [DONE]"), "content filter"),
        (server.raw_events(event({"content": "Gulls"})), "broke off"),
        (server.fails(403, message="Your country is not supported"), "403: Your country is not supported"),
        (server.fails(429, message="You exceeded your current quota"), "check the account's plan and credit"),
        (server.fails(429, headers={"Retry-After": "43"}), "wait 43 seconds"),
        (server.fails(308, headers={"Location": "https://elsewhere.example/v1/chat/completions"}), "name that address"),
    ],
)
def test_a_failure_is_told_in_the_servers_own_words(llm_server: OpenAIServer, behaviour: Behaviour, said: str) -> None:
    llm_server.behaviour = behaviour
    assert said in failure_of(llm_server.spec)


def test_bytes_cut_anywhere_give_the_same_documents() -> None:
    sent = (": hello\r\n\r\n" + event({"content": "naïve \u2028 😀"}) + "\r\n\r\n" + event({}, "stop") + "\n\ndata: [DONE]\n\n").encode()

    def documents(size: int) -> list[Any]:
        reader = Documents()
        found = [each for start in range(0, len(sent), size) for each in reader.feed(sent[start : start + size])]
        assert reader.done
        return [*found, *reader.end()]

    assert all(documents(size) == documents(len(sent)) for size in range(1, 12))
    assert documents(1)[0]["choices"][0]["delta"]["content"] == "naïve \u2028 😀"


# Addresses


@pytest.mark.parametrize(
    ("address", "first"),
    [
        ("http://h:8000", "http://h:8000/v1/chat/completions"),
        ("http://h:8000/v1", "http://h:8000/v1/chat/completions"),
        ("http://h:8000/v1/", "http://h:8000/v1/chat/completions"),
        ("http://h:8000/v1/chat/completions", "http://h:8000/v1/chat/completions"),
        ("https://h/api/v1", "https://h/api/v1/chat/completions"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai/chat/completions"),
        ("http://h/v1?api-version=2", "http://h/v1/chat/completions?api-version=2"),
        ("https://r.openai.azure.com?api-version=2", "https://r.openai.azure.com/openai/deployments/m/chat/completions?api-version=2"),
        ("https://r.openai.azure.com/", "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/openai/v1/", "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/openai/deployments/d?api-version=2", "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2"),
    ],
)  # fmt: skip
def test_an_address_may_be_written_in_many_ways(address: str, first: str) -> None:
    assert urls(address, "m")[0] == first


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/chat/completions", "/v1?x=1"])
def test_a_server_is_found_with_or_without_the_version(llm_server: OpenAIServer, path: str) -> None:
    llm_server.behaviour = lambda handler: (
        server.says(SAID) if handler.path.partition("?")[0] == "/v1/chat/completions" else server.html(200)
    )(handler)
    if "?" in path:
        llm_server.behaviour = lambda handler: (
            server.raw_events(event({"content": SAID}), "data: [DONE]")(handler) if handler.path.endswith("?x=1") else None
        )
    assert text_of(llm_server.spec.replace("/v1", path)) == SAID


@pytest.mark.parametrize(
    "wrong", [lambda handler: handler.fail(404), lambda handler: handler.fail(405), server.html(200)], ids=["404", "405", "a page"]
)
def test_a_second_place_is_tried_where_the_first_is_wrong_and_remembered(llm_server: OpenAIServer, wrong: Behaviour) -> None:
    llm_server.behaviour = lambda handler: (
        server.raw_events(event({"content": SAID}), "data: [DONE]") if handler.path == "/llm/v1/chat/completions" else wrong
    )(handler)
    spec = llm_server.spec.replace("/v1", "/llm")
    assert [text_of(spec), text_of(spec)] == [SAID, SAID]
    assert len(llm_server.requests) == 3


def test_the_key_of_a_deployment_goes_into_its_own_header(llm_server: OpenAIServer) -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    def behave(handler: Handler) -> None:
        seen.append((handler.path, handler.headers["api-key"], handler.headers["Authorization"]))
        server.raw_events(event({"content": SAID}), "data: [DONE]")(handler)

    llm_server.behaviour = behave
    assert text_of(llm_server.spec.replace("/v1", "/openai/deployments/d?api-version=2024-10-21")) == SAID
    assert seen == [("/openai/deployments/d/chat/completions?api-version=2024-10-21", KEY, None)]
    assert key_headers("http://h/v1", KEY) == {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("url", "near"),
    [
        *(("http://127.0.0.1:8000/v1", True), ("http://localhost/v1", True), ("http://[::1]:80/v1", True), ("http://192.168.1.7/v1", True)),
        *(
            ("http://10.1.2.3/v1", True),
            ("http://172.20.0.2/v1", True),
            ("http://100.64.0.9/v1", True),
            ("http://[::ffff:10.0.0.1]/v1", True),
        ),
        *(("http://gpu-box:8000/v1", True), ("http://host.docker.internal/v1", True), ("http://nas.local/v1", True)),
        *(
            ("https://api.openai.com/v1", False),
            ("http://8.8.8.8/v1", False),
            ("http://10.example.com/v1", False),
            ("http://172.32.0.1/v1", False),
        ),
    ],
)
def test_what_is_near_is_told_by_its_address(url: str, near: bool) -> None:
    assert is_private_network(url) is near


# Proxies


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a proxy was asked for, which the environment names for everything."""
    asked_for: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            asked_for.append(self.requestline)
            self.send_error(502)

        do_GET = do_POST = do_CONNECT = handle_any

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{listening.server_address[1]}")
        for variable in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(variable, raising=False)
        yield asked_for
        listening.shutdown()


@pytest.mark.parametrize("wire", [wires.OpenAIWire, wires.AnthropicWire, wires.OllamaWire], ids=lambda wire: wire.name)
def test_what_is_asked_of_this_machine_goes_past_the_proxy(
    wire: type[wires.Wire], proxy: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for found in wires.serving(wire):
        monkeypatch.setenv(wire.base, found.address)
        monkeypatch.setenv(wire.key_variable, wires.KEY)
        found.behaviour = wires.says(SAID)
        assert all(step.ok for step in diagnose(found.spec, LLMOptions(timeout_seconds=5.0)))
        assert proxy == []


def test_a_server_elsewhere_is_reached_through_the_proxy(proxy: list[str]) -> None:
    assert "502" in failure_of("openai-like:m@http://llm.example.com/v1")
    assert proxy == ["POST http://llm.example.com/v1/chat/completions HTTP/1.1"]


# As a LlamaIndex LLM


def test_it_answers_in_every_way_of_a_llama_index_llm(llm_server: OpenAIServer) -> None:
    llm_server.behaviour = server.says(SAID)
    llm = load_llm(llm_server.spec)
    assert llm is not None and llm.metadata.model_name == MODEL
    assert llm.chat(MESSAGES).message.content == llm.complete("Which is heavier?").text == SAID
    assert [*llm.stream_chat(MESSAGES)][-1].message.content == [*llm.stream_complete("Which?")][-1].text == SAID
    assert KEY not in repr(llm) and KEY not in str(llm.to_dict())
