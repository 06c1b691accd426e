"""The HTTP API by requests, over the small listings; and OpenAI's paths by its own client, on a served home."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from openai import APIStatusError, OpenAI

from assistant import Answer, Assistant
from assistant.answer import NO_ANSWER, Citation
from assistant.errors import AssistantError
from assistant.serving.access import Guard, ListenError, require_keys
from assistant.serving.api import create
from assistant.serving.openai import annotations, pieces, written
from index import Library
from index.embedding import ToyEmbedder
from tests.assistant.conftest import TIDECACHE
from tests.assistant.serving.servers import KEY, serving
from tests.conftest import LISTINGS

UNKNOWN = "Who won the 1974 football world cup?"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    library = Library(tmp_path_factory.mktemp("api"), ToyEmbedder())
    library.add([str(LISTINGS)])
    yield Assistant(library.home, "extractive", library=library)
    library.close()


def client_of(assistant: Assistant, *keys: str, **headers: str) -> TestClient:
    guard = Guard(create(assistant), "127.0.0.1", keys)
    return TestClient(guard, base_url="http://127.0.0.1:7861", headers=headers, raise_server_exceptions=False)


@pytest.fixture
def api(small: Assistant) -> TestClient:
    return client_of(small)


def test_an_answer_is_what_python_gives(api: TestClient, small: Assistant) -> None:
    told = api.post("/v1/answer", json={"question": TIDECACHE}).json()
    mine = json.loads(json.dumps(small.answer(TIDECACHE).to_dict()))
    assert {key: told[key] for key in ("text", "citations", "retrieved", "answered")} == {
        key: mine[key] for key in ("text", "citations", "retrieved", "answered")
    }
    assert set(told) == set(mine) and told["citations"]


def test_a_follow_up_is_read_with_the_answer_before(api: TestClient) -> None:
    first = api.post("/v1/answer", json={"question": TIDECACHE}).json()
    asked = {"question": "And what does it do to memory?", "history": [{"question": TIDECACHE, "answer": first}]}
    assert api.post("/v1/answer", json=asked).json()["retrieved"][0]["title"] == first["citations"][0]["title"]


def test_a_stream_ends_with_the_whole_answer(api: TestClient) -> None:
    told = api.post("/v1/answer", json={"question": TIDECACHE, "stream": True})
    assert told.headers["content-type"].startswith("text/event-stream")
    events = [(event, json.loads(data)) for event, data in re.findall(r"event: (\w+)\ndata: (.*)\n\n", told.text)]
    assert events[0][0] == "retrieved" and events[-1][0] == "done" and "text" in dict(events)
    assert events[-1][1]["citations"]


def test_papers_are_listed_filtered_named_and_cited(api: TestClient, small: Assistant) -> None:
    count = small.library.catalogue.count()
    whole = api.get("/v1/papers")
    assert len(whole.json()) == count == int(whole.headers["x-total-count"])
    assert len(api.get("/v1/papers", params={"limit": 2, "offset": count - 1}).json()) == 1
    one = whole.json()[0]
    assert api.get(f"/v1/papers/{one['paper_id']}").json() == [one] == api.get(f"/v1/papers/{one['title']}").json()
    assert api.get("/v1/papers", params={"format": "bibtex", "limit": 1}).text.startswith("@")
    assert api.get("/v1/papers", params={"source": "no such source"}).json() == []
    assert sum(source["papers"] for source in api.get("/v1/sources").json()) >= count
    assert len(api.get("/v1/search", params={"q": "prompt prefixes", "k": 2}).json()) == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("POST", "/v1/answer", {"question": "   "}, 422, "empty"),
        ("POST", "/v1/answer", {"question": TIDECACHE, "filters": {"since": "soon"}}, 422, "not a date"),
        ("POST", "/v1/answer", {"question": TIDECACHE, "filter": {}}, 422, "filter"),
        ("POST", "/v1/answer", {"question": "  ", "stream": True}, 422, "empty"),
        ("GET", "/v1/papers?format=word", None, 422, "choose one of"),
        ("GET", "/v1/papers/unheard-of", None, 404, "has no paper"),
        ("GET", "/v1/nothing", None, 404, "Not Found"),
        ("GET", "/v1/search?q=x&k=0", None, 422, "k:"),
        ("POST", "/v1/chat/completions", {"model": "gpt-5", "messages": [{"role": "user", "content": "x"}]}, 404, "paper-assistant"),
        ("POST", "/v1/chat/completions", {"model": "paper-assistant", "messages": []}, 422, "the user's question"),
    ],
)
def test_errors_are_problem_documents(api: TestClient, method: str, path: str, body: Any, status: int, says: str) -> None:
    told = api.request(method, path, json=body)
    assert told.status_code == told.json()["status"] == status and says in told.json()["detail"]
    assert told.headers["content-type"] == "application/problem+json" and told.json()["error"]["message"] == told.json()["detail"]


def test_a_fault_of_ours_is_told_without_a_traceback(small: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    api = client_of(small)
    monkeypatch.setattr(Assistant, "search", lambda *_: 1 / 0)
    told = api.get("/v1/search", params={"q": "x"})
    assert told.status_code == 500 and "division" not in told.text and told.json()["title"] == "The server failed"


def test_an_empty_library_is_told_with_the_way_out(tmp_path: Any) -> None:
    library = Library(tmp_path / "none", ToyEmbedder())
    told = client_of(Assistant(library.home, library=library)).post("/v1/answer", json={"question": TIDECACHE})
    assert told.status_code == 409 and "assistant index" in told.json()["detail"]


def test_docs_load_nothing_from_elsewhere(api: TestClient) -> None:
    page = api.get("/docs")
    assert page.status_code == 200 and "swagger-ui" in page.text
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page.text)
    scripts = re.findall(r"(?:src|href)=\"(/[^\"]+)\"", page.text)
    assert scripts and all(api.get(script).status_code == 200 for script in scripts)
    paths = api.get("/openapi.json").json()["paths"]
    assert {"/v1/answer", "/v1/search", "/v1/papers", "/v1/sources", "/v1/chat/completions", "/v1/models", "/health"} <= set(paths)


def test_metrics_count_answers_and_hold_no_question(api: TestClient) -> None:
    api.post("/v1/answer", json={"question": TIDECACHE})
    api.post("/v1/answer", json={"question": UNKNOWN})
    told = api.get("/metrics").text
    assert 'assistant_answers_total{mode="extractive",outcome="answered"} 1.0' in told
    assert 'outcome="declined"} 1.0' in told and 'path="/v1/answer"' in told and "TideCache" not in told


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "papers.example:7861"}, 421),
        ({"Origin": "http://127.0.0.1:7861", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Host": "[::1]:7861"}, 200),
    ],
)
def test_only_programs_of_this_machine_and_its_own_page_may_ask(api: TestClient, headers: dict[str, str], status: int) -> None:
    assert api.get("/v1/sources", headers=headers).status_code == status


def test_a_key_opens_what_is_locked(small: Assistant) -> None:
    locked = client_of(small, "one", KEY)
    assert locked.get("/v1/sources").status_code == locked.get("/metrics").status_code == 401
    assert locked.get("/v1/sources", headers={"Authorization": "Bearer two"}).status_code == 401
    assert locked.get("/v1/sources", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
    assert locked.get("/v1/sources", headers={"X-API-Key": "one"}).status_code == 200
    assert locked.get("/health").status_code == 200


def test_elsewhere_than_on_loopback_a_key_is_required() -> None:
    require_keys("127.0.0.1", ())
    require_keys("0.0.0.0", (KEY,))
    with pytest.raises(ListenError, match="ASSISTANT_API_KEY"):
        require_keys("0.0.0.0", ())


def test_a_request_too_long_or_of_unknown_length_is_refused(api: TestClient) -> None:
    assert api.post("/v1/answer", content=b"x" * (4 * 1024 * 1024 + 1)).status_code == 413
    assert api.post("/v1/answer", content=iter([b"{}"])).status_code == 411


def test_an_annotation_stands_where_its_marker_stands() -> None:
    cited = Citation(1, "a1", "Kelp Beds", "Kelp Beds", "q", 0, 1, 1.0, True, url=None)
    answer = Answer("q", "Kelp grows [1]. It is [2] green.", True, "extractive", 1.0, citations=(cited,))
    text = written(answer)
    (one,) = annotations(answer, text)
    place = one["url_citation"]
    assert text[place["start_index"] : place["end_index"]] == "[1]" and place["title"] == "Kelp Beds" and "a1" in place["url"]
    assert "".join(pieces(text)) == text and text.endswith("[1] Kelp Beds")


def test_an_openai_client_holds_a_conversation_with_sources(listings_home: Path) -> None:
    for server in serving("serve", "--home", str(listings_home), ASSISTANT_API_KEY=KEY):
        client = OpenAI(base_url=f"{server}/v1", api_key=KEY, max_retries=0, http_client=httpx.Client(trust_env=False, timeout=60))
        (model,) = [one.id for one in client.models.list()]
        messages: list[Any] = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": TIDECACHE},
        ]
        first = client.chat.completions.create(model=model, messages=messages)
        said = first.choices[0].message
        assert said.annotations and "TideCache" in said.annotations[0].url_citation.title and "Sources:\n[1] " in (said.content or "")
        messages += [{"role": "assistant", "content": said.content}, {"role": "user", "content": "How much does it raise throughput?"}]
        chunks = list(client.chat.completions.create(model=model, messages=messages, stream=True, stream_options={"include_usage": True}))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert "TideCache" in text and chunks[-1].usage is not None and chunks[-2].choices[0].finish_reason == "stop"
        asked = [{"role": "user", "content": UNKNOWN}]
        declined = client.chat.completions.create(model=model, messages=asked).choices[0].message.content or ""  # type: ignore[arg-type]
        assert declined.startswith(NO_ANSWER) and "Sources:" not in declined
        asked += [{"role": "assistant", "content": declined}, {"role": "user", "content": "And who lost it?"}]
        after = client.chat.completions.create(model=model, messages=asked).choices[0].message.content or ""  # type: ignore[arg-type]
        assert after.startswith(NO_ANSWER)
        with pytest.raises(APIStatusError, match="invalid_api_key"):
            client.with_options(api_key="wrong").models.list()
        with pytest.raises(APIStatusError, match="no model"):
            client.chat.completions.create(model="gpt-5", messages=messages)


def test_errors_of_the_assistant_are_all_told_by_one_handler(small: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise AssistantError("the tide is out: wait for it")

    monkeypatch.setattr(Assistant, "search", fails)
    told = client_of(small).get("/v1/search", params={"q": "x"})
    assert told.status_code == 503 and told.json()["detail"] == "the tide is out: wait for it"
