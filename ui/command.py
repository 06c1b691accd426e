"""`assistant ui`, also `python -m ui`."""

from __future__ import annotations

from typing import Annotated

import typer


def ui(
    llm: Annotated[str | None, typer.Option("--llm", metavar="PROVIDER:MODEL", help="The LLM that writes the answers.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on [default: 127.0.0.1, this machine only].")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Port to listen on [default: 7860].")] = None,
    home: Annotated[str | None, typer.Option("--home", metavar="DIR", help="The folder of the library.")] = None,
) -> None:
    """Open the chat page on http://127.0.0.1:7860."""
    from assistant.cli.app import open_assistant
    from assistant.cli.output import announce, errors_told
    from ui.serve import serve

    with errors_told():
        serve(open_assistant(home, llm), host, port, announce)


def register(main: typer.Typer) -> None:
    """Adds `assistant ui`."""
    main.command(name="ui")(ui)
