"""The command `assistant` and its subcommands. Parses and prints; the work is done elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.llm import app as llm_app
from assistant.cli.output import (
    EmbeddingBar,
    announce,
    errors_told,
    noticed_lines,
    print_json,
    replace_what_cannot_be_printed,
    tell_what_was_used,
)
from assistant.errors import FilterError

if TYPE_CHECKING:
    from pathlib import Path

    from assistant.engine import Assistant
    from assistant.filters import Filters
    from assistant.settings import Settings
    from index import IndexReport, Library
    from index.embedding import ModelChoice

app = typer.Typer(
    name="assistant",
    help="Ask a stack of papers a question; get a right answer with the papers' titles cited.",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Home = Annotated[
    str | None, typer.Option("--home", metavar="DIR", help="The folder of the library [default: ASSISTANT_HOME, else user data].")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")]
Llm = Annotated[str | None, typer.Option("--llm", metavar="PROVIDER:MODEL", help="The LLM that writes the answer; extractive uses none.")]
InSource = Annotated[str | None, typer.Option("--in-source", metavar="NAME", help="Only papers of sources whose name holds this.")]
Since = Annotated[str | None, typer.Option("--since", metavar="DATE", help="Only papers from this date on: 2024, 2024-05 or 2024-05-01.")]
Until = Annotated[str | None, typer.Option("--until", metavar="DATE", help="Only papers up to this date.")]
Author = Annotated[str | None, typer.Option("--author", metavar="NAME", help="Only papers with an author whose name holds this.")]
Text = Annotated[str | None, typer.Option("--text", metavar="TEXT", help="Only papers that hold this text.")]


def _version(wanted: bool) -> None:
    if wanted:
        from assistant import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    """Ask a stack of papers a question; get a right answer with the papers' titles cited."""
    replace_what_cannot_be_printed()


@app.command()
def index(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE ...]", help="Files, folders or globs of saved listing pages.")
    ] = None,
    starter: Annotated[bool, typer.Option("--starter", help="Add the starter library.")] = False,
    device: Annotated[str, typer.Option("--device", metavar="cpu|cuda", help="Where papers are embedded: cuda is an NVIDIA GPU.")] = "cpu",
    home: Home = None,
    json: Json = False,
) -> None:
    """Add sources to the library; without one, read the known sources again."""
    with errors_told():
        library = _library(home, device)
        bar = EmbeddingBar()
        if library.wanted is not None:
            _tell_switch(library)
        library.switch(bar)
        library.catch_up(bar)
        reports = [library.add_starter(bar)] if starter else []
        if sources:
            reports.append(library.add(sources, bar))
        if not reports:
            if not library.catalogue.sources():
                announce(f"error: {library.home} knows no sources to read again: name some, or use --starter")
                raise typer.Exit(1)
            reports.append(library.refresh(bar))
        report = _together(reports)
        if json:
            keys = ("read", "new", "changed", "unchanged", "seen_before", "papers")
            print_json({**{key: getattr(report, key) for key in keys}, "skipped": [asdict(skip) for skip in report.skipped]})
        else:
            _tell(report, library.home)
        for error in report.failed:
            announce(f"error: {error}")
        if report.failed or not report.read:
            raise typer.Exit(1)


def _choice(home: str | None) -> ModelChoice:
    """The embedding model that a home's settings name."""
    from assistant.settings import load_settings, model_choice
    from index import chosen_home

    return model_choice(load_settings(chosen_home(home)[0]))


def _library(home: str | None, device: str = "cpu") -> Library:
    """The library of a home, with that model."""
    from index import Library, chosen_home

    return Library(chosen_home(home)[0], _choice(home), device)


def _tell_switch(library: Library) -> None:
    """What another embedding model costs, before its work begins."""
    assert library.wanted is not None
    papers, done = library.catalogue.count(), library.switched()
    announce(
        f"Switching from {library.embedder.name} to {library.wanted.name}: {papers - done} of {papers} papers to embed. "
        "The present index answers meanwhile; stopped, this goes on where it was"
    )


def _together(reports: Sequence[IndexReport]) -> IndexReport:
    """Several runs as one."""
    added = ("read", "new", "changed", "unchanged", "seen_before")
    return replace(
        reports[-1],
        **{key: sum(getattr(report, key) for report in reports) for key in added},
        skipped=tuple(skip for report in reports for skip in report.skipped),
        failed=tuple(error for report in reports for error in report.failed),
    )


def _tell(report: IndexReport, home: Path) -> None:
    """What a run did, and what it skipped without being told to fail for it."""
    if report.read or not report.failed:
        typer.echo(
            f"{report.read} entries read: {report.new} new, {report.changed} changed, {report.unchanged} unchanged, "
            f"{report.seen_before} seen before. {report.papers} papers in {home}"
        )
    told = {error.source for error in report.failed}
    for skip in report.skipped:
        if skip.source not in told:
            announce(f"skipped: {skip.source}{'' if skip.line is None else f', line {skip.line}'}: {skip.reason}")


@app.command()
def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION")],
    llm: Llm = None,
    in_source: InSource = None,
    since: Since = None,
    until: Until = None,
    author: Author = None,
    text: Text = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Answer a question from the library, citing titles."""
    with errors_told():
        filters = _filters(since, until, in_source, author, text)
        answer = open_assistant(home, llm).answer(question, filters=filters)
        if json:
            print_json(answer.to_dict())
        else:
            typer.echo(str(answer))
            tell_what_was_used(answer)


@app.command()
def chat(llm: Llm = None, home: Home = None) -> None:
    """Hold a conversation in the terminal. Empty line or Ctrl-D ends it."""
    from assistant.answer import Answer
    from assistant.errors import QuestionError
    from assistant.llms import EXTRACTIVE
    from assistant.llms.noticed import Looking

    with errors_told():
        looking = Looking()
        bot = open_assistant(home, llm)
        if bot.mode == EXTRACTIVE:
            for line in noticed_lines(looking.found()):
                announce(line)
        announce("Ask about the papers. An empty line ends the conversation.")
        history: list[tuple[str, Answer]] = []
        while True:
            try:
                question = input("> " if sys.stdin.isatty() else "").strip()
            except (EOFError, KeyboardInterrupt):
                break
            if not question:
                break
            try:
                answer = bot.answer(question, history)
            except QuestionError as error:
                announce(f"error: {error}")
                continue
            typer.echo(f"{answer}\n")
            tell_what_was_used(answer)
            history.append((question, answer))


@app.command()
def search(
    query: Annotated[str, typer.Argument(metavar="QUERY")],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many papers.")] = 10,
    in_source: InSource = None,
    since: Since = None,
    until: Until = None,
    author: Author = None,
    text: Text = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List the papers nearest to a query, without an answer."""
    with errors_told():
        filters = _filters(since, until, in_source, author, text)
        found = open_assistant(home, "extractive").search(query, k, filters)
        if not found:
            announce(f"no paper passes the filter ({filters.in_words()}); `assistant status` lists the sources")
        if json:
            print_json([asdict(paper) for paper in found])
        else:
            for paper in found:
                typer.echo(f"{paper.score:5.2f}  {paper.display_title}" + (f"  ({paper.date})" if paper.date else ""))


@app.command()
def papers(home: Home = None, json: Json = False) -> None:
    """List the papers of the library."""
    from index import open_library

    with errors_told():
        library = open_library(home, _choice(home), EmbeddingBar(), announce)
        found = library.papers()
        if json:
            keys = ("paper_id", "title", "display_title", "abstract", "date", "date_inferred", "arxiv_id", "url", "sources")
            print_json([{key: getattr(paper, key) for key in keys} for paper in found])
            return
        for paper in found:
            typer.echo(paper.display_title + (f"  ({paper.date})" if paper.date else ""))
        if not found:
            announce(f"{library.home} has no papers yet: add some with `assistant index FILE` or `assistant index --starter`")


@app.command()
def status(home: Home = None, json: Json = False) -> None:
    """Say what is in the library, what is on, and what is stale."""
    from assistant.llms.noticed import Looking
    from assistant.settings import load_settings

    with errors_told():
        looking = Looking()
        library = _library(home)
        path = library.home
        settings = load_settings(path)
        noticed = looking.found()
        document = {**_state(library, settings), "noticed": [asdict(offer) for offer in noticed.offers()]}
        if json:
            print_json(document)
            return
        typer.echo(f"home       {path}")
        typer.echo(f"papers     {document['papers']}" + (f", {document['stale']} still to embed" if document["stale"] else ""))
        for source in document["sources"]:
            typer.echo(f"source     {source['source']}: {source['papers']} papers")
        made = document["manifest"]
        typer.echo(
            f"embedding  {document['embedding_model']}" + (f", {made['chunks']} chunks, {made['sentences']} sentences" if made else "")
        )
        if library.wanted is not None:
            typer.echo(f"           to be {library.wanted.name}: {document['switched']} papers done, `assistant index` goes on")
        typer.echo(f"reader     {document['reader']}")
        typer.echo(f"reranker   {settings.reranker or 'none'}")
        typer.echo(f"LLM        {settings.llm}")
        for line in noticed_lines(noticed):
            typer.echo(f"           {line}")
        if library.fault:
            announce(f"note: {library.fault}")


def _state(library: Library, settings: Settings) -> dict[str, Any]:
    from assistant import __version__

    manifest = library.manifest()
    return {
        "version": __version__,
        "home": str(library.home),
        "papers": library.catalogue.count(),
        "stale": library.stale(),
        "sources": [{"source": source.name, "papers": count, "starter": source.starter} for source, count in library.catalogue.sources()],
        "embedding_model": library.embedder.name,
        "embedding_wanted": library.wanted.name if library.wanted is not None else library.embedder.name,
        "switched": library.switched(),
        "reader": _readers_state(library, settings),
        "manifest": None if manifest is None else asdict(manifest),
        "settings": settings.model_dump(),
    }


def _readers_state(library: Library, settings: Settings) -> str:
    """Whether papers are read, or why not."""
    from assistant.reading import shipped
    from index.embedding import MiniLM

    if not settings.reads:
        return "off (the setting reads is 0)"
    readers = shipped(library.embedder)
    if readers.reader is None:
        return f"off ({readers.fault or 'it needs the tuned embedding model'})"
    calibrated = "" if isinstance(library.embedder, MiniLM) else "; its confidence was fitted to the shipped embedding model"
    return f"on, looks into up to {settings.reads} papers a question{calibrated}"


@app.command()
def remove(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A source as `assistant status` names it, or as it was added.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Forget a source, and the papers that no other source holds."""
    with errors_told():
        library = _library(home)
        gone = library.remove(source)
        if json:
            print_json({"removed": gone, "papers": library.catalogue.count()})
        else:
            typer.echo(f"{gone} papers removed, {library.catalogue.count()} remain")
        for root in library.read_again(source):
            announce(f"note: {root} is still a source, so the next `assistant index` reads {source} again: move the file out of it")


def open_assistant(home: str | None, llm: str | None = None) -> Assistant:
    """The assistant of a home, telling on stderr of indexing that takes long."""
    from assistant.engine import Assistant

    return Assistant(home, llm, progress=EmbeddingBar(), announce=announce)


def _filters(since: str | None, until: str | None, source: str | None, author: str | None, text: str | None) -> Filters:
    from assistant.filters import Filters

    try:
        return Filters(since, until, source, author, text)
    except FilterError as error:
        announce(f"error: {error}")
        raise typer.Exit(2) from error


def _add_commands_of_others() -> None:
    """Commands of packages that build on this one (`ui`, `eval`), which it does not know: each
    names a function in the entry point group `assistant.commands` that adds them."""
    for point in sorted(entry_points(group="assistant.commands"), key=lambda point: point.name, reverse=True):
        point.load()(app)


app.add_typer(llm_app)
_add_commands_of_others()
