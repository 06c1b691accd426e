"""`assistant ui`, also `python -m ui`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def ui(
    llm: Annotated[str | None, typer.Option("--llm", metavar="PROVIDER:MODEL", help="The LLM that writes the answers.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on [default: 127.0.0.1, this machine only].")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Port to listen on [default: 7860].")] = None,
    auth: Annotated[Path | None, typer.Option("--auth", metavar="FILE", help="Users who must log in, as htpasswd -B writes them.")] = None,
    add_user: Annotated[str | None, typer.Option("--add-user", metavar="NAME", help="Add a user to FILE, and end.")] = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Everyone who can reach the page may use it.")] = False,
    root_path: Annotated[str, typer.Option("--root-path", metavar="/PATH", help="Where a reverse proxy shows the page.")] = "",
    allowed_hosts: Annotated[str, typer.Option("--allowed-hosts", metavar="NAMES", help="Names that a proxy asks by: a,b.")] = "",
    home: Annotated[str | None, typer.Option("--home", metavar="DIR", help="The folder of the library.")] = None,
) -> None:
    """Open the chat page on http://127.0.0.1:7860."""
    from assistant.cli.app import open_assistant
    from assistant.cli.output import announce, errors_told
    from ui.serve import Access, serve

    with errors_told():
        if add_user is not None:
            _add_user(auth, add_user)
            return
        hosts = tuple(name.strip() for name in allowed_hosts.split(",") if name.strip())
        access = Access(auth, no_auth, root_path.rstrip("/"), hosts)
        serve(open_assistant(home, llm), host, port, announce, access)


def _add_user(file: Path | None, name: str) -> None:
    from assistant.cli.output import announce
    from ui.users import UsersError, add_user

    if file is None:
        raise UsersError("--add-user needs the file of users: --auth FILE --add-user NAME")
    add_user(file, name, typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    announce(f"{name} may now log in: assistant ui --auth {file}")


def register(main: typer.Typer) -> None:
    """Adds `assistant ui`."""
    main.command(name="ui")(ui)
