"""`assistant mcp` and `assistant serve`: the assistant inside other programs."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from assistant.cli.output import announce, errors_told

Home = Annotated[
    str | None, typer.Option("--home", metavar="DIR", help="The folder of the library [default: ASSISTANT_HOME, else user data].")
]
Llm = Annotated[str | None, typer.Option("--llm", metavar="PROVIDER:MODEL", help="The LLM that writes the answers; extractive uses none.")]
Host = Annotated[str, typer.Option("--host", help="Address to listen on; another than this machine's own wants a key.")]


def mcp(
    http: Annotated[bool, typer.Option("--http", help="Serve over streamable HTTP at /mcp instead of stdio.")] = False,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on, with --http.")] = 7862,
    llm: Llm = None,
    home: Home = None,
) -> None:
    """Serve the library to Claude, Cursor, VS Code and others as tools (MCP), over stdio."""
    from assistant.cli.app import open_assistant
    from assistant.serving.access import address, check_address, keys_from_environment, require_keys

    with errors_told():
        if http:
            check_address(host, port, "assistant mcp --http")
            require_keys(host, keys_from_environment())
        from assistant.serving.mcp import PATH, build, serve_http

        _quiet()
        server = build(lambda: open_assistant(home, llm))
        if not http:
            server.run("stdio")
            return
        announce(f"The MCP server is on {address(host, port)}{PATH} (Ctrl-C ends it)")
        serve_http(server, host, port, keys_from_environment())


def serve(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 7861,
    llm: Llm = None,
    home: Home = None,
) -> None:
    """Serve the library over HTTP: an API of its own, described at /docs, and OpenAI's chat completions at /v1."""
    from assistant.cli.app import open_assistant
    from assistant.serving.access import check_address, keys_from_environment, require_keys

    with errors_told():
        check_address(host, port, "assistant serve")
        require_keys(host, keys_from_environment())
        assistant = open_assistant(home, llm)
        from assistant.serving.api import run

        _quiet()
        run(assistant, host, port, keys_from_environment(), announce)


def register(main: typer.Typer) -> None:
    """Adds both."""
    main.command()(mcp)
    main.command()(serve)


def _quiet() -> None:
    """Warnings go to stderr; stdout is the protocol's."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
