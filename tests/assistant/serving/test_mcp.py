"""The MCP server as a real client sees it: over stdio, and over streamable HTTP on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters, stdio_client

from tests.assistant.serving.servers import KEY, serving
from tests.conftest import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
QUESTION = "How does TideCache cut time to first token?"


@asynccontextmanager
async def over_stdio(home: Path) -> AsyncIterator[Client]:
    command = StdioServerParameters(command=sys.executable, args=["-m", "assistant", "mcp", "--home", str(home)], env=ENVIRONMENT, cwd=ROOT)
    async with Client(stdio_client(command)) as client:
        yield client


@pytest.fixture(scope="module")
def mcp_server(listings_home: Path) -> Iterator[str]:
    yield from serving("mcp", "--http", "--home", str(listings_home))


def test_a_client_over_stdio_finds_four_reading_tools_with_schemas(listings_home: Path) -> None:
    async def talk() -> None:
        async with over_stdio(listings_home) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert sorted(tools) == ["ask", "paper", "search", "sources"]
            assert all(tool.description and tool.output_schema and tool.annotations for tool in tools.values())
            assert all(tool.annotations.read_only_hint for tool in tools.values() if tool.annotations)
            assert tools["ask"].input_schema["required"] == ["question"]
            assert "citations" in (tools["ask"].output_schema or {})["properties"]
            assert "Cite papers" in (client.instructions or "")

    anyio.run(talk)


def test_a_client_over_stdio_holds_a_conversation_with_sources(listings_home: Path) -> None:
    async def talk() -> None:
        async with over_stdio(listings_home) as client:
            first = await client.call_tool("ask", {"question": QUESTION})
            told = first.structured_content or {}
            assert told["answered"] and "TideCache" in told["citations"][0]["title"]
            assert "TideCache" in first.content[0].text and told["citations"][0]["quote"] in first.content[0].text  # type: ignore[union-attr]
            second = await client.call_tool("ask", {"question": "How much does it raise throughput?", "earlier": [QUESTION]})
            assert "TideCache" in (second.structured_content or {})["retrieved"][0]["title"]
            found = (await client.call_tool("search", {"query": "shared prefixes of prompts", "k": 3})).structured_content or {}
            assert len(found["papers"]) == 3
            record = (await client.call_tool("paper", {"name": told["citations"][0]["title"]})).structured_content or {}
            assert told["citations"][0]["quote"] in record["papers"][0]["abstract"]
            listed = (await client.call_tool("sources", {})).structured_content or {}
            assert 0 < listed["papers"] <= sum(one["papers"] for one in listed["sources"])

    anyio.run(talk)


def test_a_question_that_no_paper_answers_is_declined_and_is_no_error(mcp_server: str) -> None:
    result = called(mcp_server, "ask", {"question": "Who won the 1974 football world cup?"})
    assert not result.is_error and result.structured_content["answered"] is False and result.structured_content["citations"] == []


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("ask", {"question": "  "}, "empty"),
        ("ask", {"question": QUESTION, "since": "soon"}, "is not a date"),
        ("paper", {"name": "A Paper That Nobody Wrote"}, "has no paper"),
        ("search", {"query": "attention", "k": 0}, "greater than or equal to 1"),
    ],
)
def test_a_wrong_call_is_told_what_was_wrong(mcp_server: str, tool: str, arguments: dict[str, Any], says: str) -> None:
    result = called(mcp_server, tool, arguments)
    assert result.is_error and says in result.content[0].text and "Traceback" not in result.content[0].text


def test_an_empty_home_is_told_with_the_way_out(tmp_path: Path) -> None:
    async def talk() -> None:
        async with over_stdio(tmp_path / "none") as client:
            result = await client.call_tool("ask", {"question": QUESTION})
            assert result.is_error and "assistant index" in result.content[0].text  # type: ignore[union-attr]

    anyio.run(talk)


def test_stdout_holds_the_protocol_and_nothing_else(listings_home: Path) -> None:
    command = [sys.executable, "-m", "assistant", "mcp", "--home", str(listings_home)]
    begin = (
        '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},'
        '"clientInfo":{"name":"test","version":"1"}}}\n{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
    )
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin and server.stdout
        server.stdin.write(begin)
        server.stdin.flush()
        first = server.stdout.readline()
        rest, _ = server.communicate(timeout=120)
    assert '"serverInfo"' in first and all(line.startswith('{"jsonrpc"') for line in rest.splitlines())


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost:3000"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_web_page_of_this_machine_may_not_use_the_server(mcp_server: str, headers: dict[str, str]) -> None:
    told = httpx.post(f"{mcp_server}/mcp", json={}, headers=headers, trust_env=False)
    assert told.status_code == 403 and told.headers["content-type"] == "application/problem+json"


def test_another_host_name_is_refused(mcp_server: str) -> None:
    assert httpx.post(f"{mcp_server}/mcp", json={}, headers={"Host": "evil.example"}, trust_env=False).status_code == 421


def test_where_a_key_is_set_it_is_needed(listings_home: Path) -> None:
    for server in serving("mcp", "--http", "--home", str(listings_home), ASSISTANT_API_KEY=KEY):
        told = httpx.post(f"{server}/mcp", json={}, trust_env=False)
        assert told.status_code == 401 and KEY not in told.text
        assert httpx.post(f"{server}/mcp", json={}, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False).status_code != 401


def called(server: str, tool: str, arguments: dict[str, Any]) -> Any:
    """The result of a tool, over HTTP."""

    async def call() -> Any:
        async with Client(f"{server}/mcp") as client:
            return await client.call_tool(tool, arguments)

    return anyio.run(call)
