"""What is noticed on this machine, and that it is offered and never used unasked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread

import pytest
from typer.testing import CliRunner

from assistant import Assistant
from assistant.cli.app import app
from assistant.llms import discovery
from assistant.llms.discovery import Candidate, Discovered, Server, candidates, discover
from index import Library
from tests.assistant import wire_servers as wires
from tests.assistant.conftest import TIDECACHE
from tests.assistant.wire_servers import OllamaWire, OpenAIWire, Wire, WireServer


class OpenOllama(OllamaWire):
    """Wants no key, as one on this machine."""

    def has_key(self) -> bool:
        assert self.headers["Authorization"] is None, "a key was sent unasked"
        return True


class OpenServer(OpenAIWire):
    def has_key(self) -> bool:
        assert self.headers["Authorization"] is None, "a key was sent unasked"
        return True


@pytest.fixture(params=[OpenOllama, OpenServer], ids=["ollama", "openai-like"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[WireServer]:
    """A server that wants no key; keys that are none of its business are in the environment."""
    monkeypatch.setenv("OPENAI_LIKE_API_KEY", wires.KEY)
    monkeypatch.setenv("OLLAMA_API_KEY", wires.KEY)
    wire: type[Wire] = request.param
    yield from wires.serving(wire)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(variable, raising=False)


def place(server: WireServer) -> Candidate:
    provider = "ollama" if server.wire.name == "ollama" else "openai-like"
    return Candidate("It", provider, server.address)


def name(server: WireServer) -> str:
    """The whole name that a reader is offered."""
    return server.spec if server.wire.name == "ollama" else f"openai-like:{server.wire.model}@{server.address}"


def test_a_server_is_offered_with_its_models_but_those_that_embed(server: WireServer) -> None:
    (offer,) = discover([place(server)], 5.0).offers()
    assert (offer.name, offer.why, offer.first) == (name(server), f"It runs at {server.address}", None)


def test_the_usual_ports_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert [each.address for each in candidates()] == [
        "http://127.0.0.1:11434", "http://127.0.0.1:8000/v1", "http://127.0.0.1:1234/v1", "http://127.0.0.1:8080/v1",
    ]  # fmt: skip


def test_what_was_noticed_is_not_used(server: WireServer, toy_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "candidates", lambda: (place(server),))
    assert discover(seconds=5.0).offers()
    answer = Assistant(toy_library.home, library=toy_library).answer(TIDECACHE)
    assert answer.mode == "extractive" and server.requests == []


def test_other_machines_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(discovery, "ollama_models", lambda address, key, seconds: asked.append(address))
    monkeypatch.setenv("OLLAMA_HOST", "gpu.example:11434")
    discover(candidates()[:1], 0.5)
    assert asked == []


@pytest.mark.parametrize("said", ["<html>Hello</html>", "[]", '{"data": 5}', ""])
def test_a_web_server_at_such_a_port_is_no_llm(said: str) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Page) as page:
        Thread(target=page.handle_request, daemon=True).start()
        assert discover([Candidate("It", "openai-like", f"http://127.0.0.1:{page.server_address[1]}/v1")], 5.0) == Discovered()


def test_a_server_that_is_silent_holds_nobody_up() -> None:
    class Mute(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            over.wait(30)

    over = Event()
    with HTTPServer(("127.0.0.1", 0), Mute) as mute:
        answering = Thread(target=mute.handle_request, daemon=True)
        answering.start()
        started = time.monotonic()
        assert discover([Candidate("It", "openai-like", f"http://127.0.0.1:{mute.server_address[1]}/v1")], 0.3) == Discovered()
        assert time.monotonic() - started < 10
        over.set()
        answering.join()


@pytest.mark.parametrize(("variable", "provider"), [("OPENAI_API_KEY", "openai"), ("ANTHROPIC_API_KEY", "anthropic")])
def test_a_key_offers_its_provider_and_stands_nowhere(monkeypatch: pytest.MonkeyPatch, variable: str, provider: str) -> None:
    monkeypatch.setenv(variable, "sk-very-secret-key")
    (offer,) = discover([]).offers()
    assert offer.name.startswith(f"{provider}:") and offer.why == f"{provider} has a key (hosted: what you ask leaves this machine)"
    assert "secret" not in repr(discover([]))


def test_without_its_package_an_llm_is_offered_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "installed", lambda modules: False)
    found = Discovered((Server("Ollama", "ollama", "http://127.0.0.1:11434", ("ollama:m",)),))
    assert [offer.first for offer in found.offers()] == ['pip install -e ".[ollama]"']


def test_the_command_line_offers_it_in_one_step(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "candidates", lambda: (place(server),))
    status = CliRunner().invoke(app, ["status"])
    assert f"--llm {name(server)}" in status.stdout
    document = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert [offer["name"] for offer in document["noticed"]] == [name(server)]
    assert document["settings"]["llm"] == "extractive" and server.requests == []


def test_a_chat_without_an_llm_offers_it_and_quotes(server: WireServer, toy_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.cli import app as commands

    monkeypatch.setattr(discovery, "candidates", lambda: (place(server),))
    monkeypatch.setattr(commands, "open_assistant", lambda home, llm: Assistant(toy_library.home, library=toy_library))
    chat = CliRunner().invoke(app, ["chat"], input=f"{TIDECACHE}\n\n")
    assert chat.exit_code == 0, chat.output
    assert f"--llm {name(server)}" in chat.stderr and "TideCache" in chat.stdout and server.requests == []
