"""`assistant man`: the manual page, made of the commands' own help."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import typer


def man() -> None:
    """Print the manual page: `assistant man | man -l -`, or save it as share/man/man1/assistant.1."""
    from assistant import __version__
    from assistant.cli.app import app

    root = typer.Context(typer.main.get_command(app), info_name="assistant")
    typer.echo("\n".join(_page(root, __version__)))


def register(main: typer.Typer) -> None:
    """Adds the command."""
    main.command()(man)


def _page(root: typer.Context, version: str) -> Iterator[str]:
    """Lines of roff (man(7)): each command a subsection with its options."""
    yield f'.TH ASSISTANT 1 "" "paper-assistant {version}" "User commands"'
    yield ".SH NAME\nassistant \\- ask a stack of papers; get answers with the papers' titles cited"
    yield ".SH SYNOPSIS\n.B assistant\n.I COMMAND\n[\\fIOPTIONS\\fR]"
    yield from _told(root, ".SH DESCRIPTION")
    yield ".SH COMMANDS"
    for context in _commands(root):
        yield from _told(context, f".SS {_plain(context.command_path)}")
    yield ".SH EXIT STATUS\n0: answered, or declined; 1: a failure, told on standard error; 2: a wrong option."


def _commands(parent: typer.Context) -> Iterator[typer.Context]:
    """All commands, those of groups after the group."""
    group = parent.command
    assert isinstance(group, typer.core.TyperGroup)
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        if command is not None and not command.hidden:
            context = typer.Context(command, info_name=name, parent=parent)
            yield context
            if isinstance(command, typer.core.TyperGroup):
                yield from _commands(context)


def _told(context: typer.Context, heading: str) -> Iterator[str]:
    command = context.command
    yield heading
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"\\fB{_plain(context.command_path)}\\fR {_plain(usage)}\n.PP\n{_plain(inspect.cleandoc(command.help or ''))}"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield f".TP\n.B {_plain(record[0])}\n{_plain(record[1])}"


def _plain(text: str) -> str:
    """As roff shows it and does not obey it."""
    kept = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in kept.splitlines() if line.strip())
