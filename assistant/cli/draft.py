"""`assistant check`: every sentence of one's own draft against the library and the papers it cites."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.output import announce, errors_told, print_json

if TYPE_CHECKING:
    from assistant.drafts.reading import Draft
    from assistant.drafts.review import Finding

_SUFFIXES = (".md", ".markdown", ".qmd", ".rmd", ".tex", ".txt")


def check(
    draft: Annotated[Path, typer.Argument(metavar="DRAFT", help=f"Your text: {', '.join(_SUFFIXES)}.")],
    bib: Annotated[
        list[Path] | None, typer.Option("--bib", metavar="FILE", help="A BibTeX file for its keys, beside those it names.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail for sentences that were not found, too.")] = False,
    home: Annotated[str | None, typer.Option("--home", metavar="DIR", help="The folder of the library.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")] = False,
) -> None:
    """Check each sentence of your draft against the papers it cites, or the library. Exit status 1 where one is contradicted."""
    from assistant.cli.app import open_assistant
    from assistant.drafts.review import References, bibliographies, review
    from assistant.verification import Verdict

    with errors_told():
        read = _read(draft)
        assistant = open_assistant(home, "extractive")
        named = bibliographies(read, draft.parent)
        for absent in (file for file in named if not file.is_file()):
            announce(f"note: {absent} is not there, so its keys are looked for in the library alone")
        references = References(assistant, read, [*(file for file in named if file.is_file()), *(bib or ())])
        findings = []
        for finding in review(assistant, read, references):
            findings.append(finding)
            if not json:
                _tell(draft, finding)
        if json:
            keys = ("line", "sentence", "verdict", "title", "quote", "cites", "unknown")
            print_json([{key: asdict(finding)[key] for key in keys} for finding in findings])
        counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
        announce(f"{len(findings)} sentences: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
        if counts[Verdict.CONTRADICTED] or (strict and counts[Verdict.NOT_FOUND]):
            raise typer.Exit(1)


def register(main: typer.Typer) -> None:
    """Adds the command."""
    main.command()(check)


def _read(path: Path) -> Draft:
    """The draft. Raises `index.SourceError` where it cannot be read."""
    from assistant.drafts.reading import read_draft
    from index import SourceError
    from index.sources.encoding import decode

    if path.suffix.lower() not in _SUFFIXES:
        raise SourceError(str(path), f"a draft is one of {', '.join(_SUFFIXES)}: save it as one of these")
    try:
        text, _ = decode(path.read_bytes(), str(path))
    except OSError as error:
        raise SourceError(str(path), f"it cannot be read ({error.strerror}): check its name and permissions") from error
    draft = read_draft(text, path.suffix)
    if not draft.sentences:
        raise SourceError(str(path), "it holds no sentence to check: only headings, code, mathematics, tables or references were found")
    return draft


def _tell(path: Path, finding: Finding) -> None:
    typer.echo(f"{path}:{finding.line}: {finding.verdict}: {finding.sentence}")
    if finding.quote is not None:
        typer.echo(f"    “{finding.quote}” ({finding.title})")
    elif finding.title is not None:
        typer.echo(f"    not in the abstract of: {finding.title}")
    if finding.unknown:
        typer.echo(f"    not in the library: {', '.join(finding.unknown)}")
