"""`assistant check-home`, `backup` and `restore`: whether a home is in order, a copy of it, and back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.output import announce, errors_told, print_json

if TYPE_CHECKING:
    from index.chroma import ChromaServer
    from index.health import Finding

Home = Annotated[
    str | None, typer.Option("--home", metavar="DIR", help="The folder of the library [default: ASSISTANT_HOME, else user data].")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")]


def check_home(
    private: Annotated[bool, typer.Option("--private", help="First take the home from all but its owner.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Look through the home: catalogue, text index, vectors, permissions. Exit status 1 where something is wrong."""
    from index import chosen_home
    from index.health import check, make_private

    with errors_told():
        path, _ = chosen_home(home)
        if private:
            make_private(path)
        settings, chroma = _settings(path)
        findings = [settings]
        if not json:
            _tell(settings)
        for finding in check(path, chroma):
            findings.append(finding)
            if not json:
                _tell(finding)
        sound = all(finding.ok for finding in findings)
        if json:
            print_json({"home": str(path), "ok": sound, "findings": [asdict(finding) for finding in findings]})
        if not sound:
            raise typer.Exit(1)


def _tell(finding: Finding) -> None:
    typer.echo(f"{'ok   ' if finding.ok else 'WRONG'} {finding.part}: {finding.found}" + (f". {finding.advice}" if finding.advice else ""))


def _settings(home: Path) -> tuple[Finding, ChromaServer | None]:
    from assistant.errors import SettingsError
    from assistant.settings import chroma_server, load_settings
    from index.health import Finding

    try:
        settings = load_settings(home)
        return Finding("settings", True, f"understood; answers by {settings.llm}"), chroma_server(settings)
    except SettingsError as error:
        return Finding("settings", False, str(error)), None


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The zip file to write; it must not be there yet.")],
    with_vectors: Annotated[bool, typer.Option("--with-vectors", help="The vectors too, which could be made anew.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write all that the library holds to one file."""
    from index import archive, chosen_home

    with errors_told():
        made = archive.backup(chosen_home(home)[0], Path(file).expanduser(), with_vectors)
        if json:
            print_json({"file": str(made.file), "papers": made.papers, "files": made.files, "bytes": made.size})
        else:
            typer.echo(f"{made.papers} papers, {made.files} files, {made.size / 1e6:.1f} MB unpacked, in {made.file}")


def restore(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What `assistant backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Set aside what the home holds now.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a home of a backup: an empty one, or with --force any."""
    from index import archive, chosen_home

    with errors_told():
        done = archive.restore(Path(file).expanduser(), chosen_home(home)[0], force)
        if json:
            print_json({"home": str(done.home), "papers": done.papers, "aside": str(done.aside) if done.aside else None})
        else:
            typer.echo(f"{done.papers} papers in {done.home}")
        if done.aside:
            announce(f"note: what was there before is in {done.aside}; delete it when it is no longer wanted")


def register(main: typer.Typer) -> None:
    """Adds the three commands."""
    main.command(name="check-home")(check_home)
    main.command(name="backup")(backup)
    main.command(name="restore")(restore)
