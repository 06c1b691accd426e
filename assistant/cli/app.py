"""The command `assistant` and its subcommands. Parses and prints; the work is done elsewhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from enum import StrEnum
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli import draft as draft_commands
from assistant.cli import home as home_commands
from assistant.cli import manual
from assistant.cli import serving as serving_commands
from assistant.cli.llm import app as llm_app
from assistant.cli.output import (
    EmbeddingBar,
    announce,
    errors_told,
    noticed_lines,
    print_json,
    print_text,
    replace_what_cannot_be_printed,
    tell_what_was_used,
)
from assistant.errors import FilterError

if TYPE_CHECKING:
    from pathlib import Path

    from assistant.pipeline import Assistant
    from assistant.query.filters import Filters
    from assistant.settings import Settings
    from index import Hints, IndexReport, Library

app = typer.Typer(
    name="assistant",
    help="Ask a stack of papers a question; get a right answer with the papers' titles cited.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class _Format(StrEnum):
    """`index.citing.FORMATS`, which is not loaded for this."""

    BIBTEX = "bibtex"
    RIS = "ris"
    CSL = "csl"
    MARKDOWN = "markdown"


Home = Annotated[
    str | None, typer.Option("--home", metavar="DIR", help="The folder of the library [default: ASSISTANT_HOME, else user data].")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")]
Llm = Annotated[str | None, typer.Option("--llm", metavar="PROVIDER:MODEL", help="The LLM that writes the answer; extractive uses none.")]
InSource = Annotated[str | None, typer.Option("--in-source", metavar="NAME", help="Only papers of sources whose name holds this.")]
Since = Annotated[str | None, typer.Option("--since", metavar="DATE", help="Only papers from this date on: 2024, 2024-05 or 2024-05-01.")]
Until = Annotated[str | None, typer.Option("--until", metavar="DATE", help="Only papers up to this date.")]
Author = Annotated[
    str | None, typer.Option("--author", metavar="NAME", help="Only papers by this author: Family, 'Given Family' or 'Family, Given'.")
]
Text = Annotated[str | None, typer.Option("--text", metavar="TEXT", help="Only papers that hold this text.")]
Venue = Annotated[str | None, typer.Option("--venue", metavar="NAME", help="Only papers of a journal or conference of this name.")]
Tag = Annotated[str | None, typer.Option("--tag", metavar="TAG", help="Only papers with this tag of yours.")]
Format = Annotated[
    _Format | None, typer.Option("--format", case_sensitive=False, help="Print the papers as references for other programs.")
]


_SKIPPED_LINES = 50


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
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE ...]",
            help="Files of any format, folders, globs; arxiv:QUERY, zotero:, openalex:QUERY, hf-papers:DAY are fetched.",
        ),
    ] = None,
    starter: Annotated[bool, typer.Option("--starter", help="Add the starter library.")] = False,
    titles_too: Annotated[bool, typer.Option("--titles-too", help="Keep papers without an abstract, to be found by their titles.")] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option("--columns", metavar="FIELD=NAME,...", help="Of a table: its columns, title=Name,abstract=Summary."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="Fetch at most N papers [default: 1000].")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep these folders in step, until Ctrl-C.")] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make vectors and text index anew; with SOURCES, a lost or damaged catalogue too.")
    ] = False,
    device: Annotated[str, typer.Option("--device", metavar="cpu|cuda", help="Where papers are embedded: cuda is an NVIDIA GPU.")] = "cpu",
    home: Home = None,
    json: Json = False,
) -> None:
    """Add sources to the library; without one, read the known sources again."""
    from index import Hints

    with errors_told():
        hints = Hints(_columns(columns or []), titles_too, limit)
        if watch and (json or not sources):
            announce("error: --watch wants folders to watch, and prints no JSON")
            raise typer.Exit(2)
        if hints != Hints() and not sources:
            announce("error: --titles-too, --columns and --limit tell how sources are read: name the sources")
            raise typer.Exit(2)
        library = library_of(home, begin_anew=rebuild and bool(sources or starter), device=device)
        bar = EmbeddingBar()
        with _kept_when_interrupted(library, bar, watch):
            if library.wanted is not None:
                _tell_switch(library)
            library.switch(bar)
            if rebuild:
                library.rebuild()
            library.catch_up(bar)
            reports = [library.add_starter(bar)] if starter else []
            if watch:
                _watch(library, sources or [], hints, bar)
                return
            if sources:
                reports.append(library.add(sources, bar, hints, bar.stage))
            if not reports:
                if not library.catalogue.sources():
                    announce(f"error: {library.home} knows no sources to read again: name some, or use --starter")
                    raise typer.Exit(1)
                reports.append(library.refresh(bar, bar.stage))
        report = _together(reports)
        if json:
            keys = ("read", "new", "changed", "unchanged", "seen_before", "papers")
            told = {key: [asdict(each) for each in getattr(report, key)] for key in ("skipped", "notes")}
            print_json({**{key: getattr(report, key) for key in keys}, **told})
        else:
            _tell(report, library.home)
        for error in report.failed:
            announce(f"error: {error}")
        if report.failed or not report.read:
            raise typer.Exit(1)


def _columns(told: Sequence[str]) -> dict[str, str]:
    """`title=Name,abstract=Summary` by field. A comma in a column's name is its own where no `field=` follows."""
    found = {}
    for option in told:
        for part in re.split(r",(?=\s*\w+\s*=)", option):
            field, equals, name = part.partition("=")
            if not equals or not field.strip() or not name.strip():
                announce(f"error: --columns {option}: write it as title=Name,abstract=Summary")
                raise typer.Exit(2)
            found[field.strip().casefold()] = name.strip()
    return found


@contextmanager
def _kept_when_interrupted(library: Library, bar: EmbeddingBar, watches: bool) -> Iterator[None]:
    """Ctrl-C ends the command and says what is kept. The status is 130, or 0 where the command `watches` and nothing is left to do."""
    try:
        yield
    except (KeyboardInterrupt, ImportError) as error:
        if not _is_interrupt(error):
            raise
        bar.close()
        stale = library.stale()
        left = f", {stale:,} of them still to embed" if stale else ""
        announce(f"stopped. What was done is kept: {library.catalogue.count():,} papers{left}. The same command goes on from here")
        raise typer.Exit(0 if watches and not stale else 130) from error
    finally:
        bar.close()


def _is_interrupt(error: BaseException | None) -> bool:
    """Also where it came while a compiled module was loading, which then fails as one that cannot be imported."""
    return error is not None and (isinstance(error, KeyboardInterrupt) or _is_interrupt(error.__cause__ or error.__context__))


def _watch(library: Library, folders: Sequence[str], hints: Hints, bar: EmbeddingBar) -> None:
    """Tells of every step until Ctrl-C."""
    from index.watching import Watch

    watch = Watch(library, folders, hints, bar, bar.stage)
    announce(f"watching {', '.join(folders)}: Ctrl-C ends it")
    for step in watch.steps():
        for name, papers in step.removed:
            typer.echo(f"{name} is gone: {papers} papers removed, {library.catalogue.count()} remain")
        if step.report is not None:
            _tell(step.report, library.home)
            for error in step.report.failed:
                announce(f"error: {error}")


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
        notes=tuple(note for report in reports for note in report.notes),
    )


def _tell(report: IndexReport, home: Path) -> None:
    """What a run did, and what it skipped without being told to fail for it."""
    if report.read or not report.failed:
        typer.echo(
            f"{report.read} entries read: {report.new} new, {report.changed} changed, {report.unchanged} unchanged, "
            f"{report.seen_before} seen before. {report.papers} papers in {home}"
        )
    for note in report.notes:
        announce(f"note: {note.source}: {note.text}")
    told = {error.source for error in report.failed}
    skipped = [skip for skip in report.skipped if skip.source not in told]
    for skip in skipped[:_SKIPPED_LINES]:
        announce(f"skipped: {skip.source}{'' if skip.line is None else f', line {skip.line}'}: {skip.reason}")
    if len(skipped) > _SKIPPED_LINES:
        announce(f"skipped: {len(skipped) - _SKIPPED_LINES:,} more (all of them with --json)")


@app.command()
def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION")],
    llm: Llm = None,
    in_source: InSource = None,
    since: Since = None,
    until: Until = None,
    author: Author = None,
    text: Text = None,
    venue: Venue = None,
    tag: Tag = None,
    form: Format = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Answer a question from the library, citing titles. With --format, the cited papers on stdout, the answer on stderr."""
    with errors_told():
        _one_form(form, json)
        filters = _filters(since, until, in_source, author, text, venue, tag)
        answer = open_assistant(home, llm).answer(question, filters=filters)
        if json:
            print_json(answer.to_dict())
        elif form:
            announce(str(answer))
            print_text(answer.bibliography(form.value))
        else:
            typer.echo(str(answer))
            tell_what_was_used(answer)


@app.command()
def chat(
    llm: Llm = None,
    in_source: InSource = None,
    since: Since = None,
    until: Until = None,
    author: Author = None,
    text: Text = None,
    venue: Venue = None,
    tag: Tag = None,
    home: Home = None,
) -> None:
    """Hold a conversation in the terminal. Empty line or Ctrl-D ends it."""
    from assistant.answer import Answer
    from assistant.errors import QuestionError
    from assistant.llms import EXTRACTIVE
    from assistant.llms.discovery import Discovery

    with errors_told():
        filters = _filters(since, until, in_source, author, text, venue, tag)
        discovery = Discovery()
        bot = open_assistant(home, llm)
        if bot.mode == EXTRACTIVE:
            for line in noticed_lines(discovery.found()):
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
                answer = bot.answer(question, history, filters)
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
    venue: Venue = None,
    tag: Tag = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List the papers nearest to a query, without an answer."""
    with errors_told():
        filters = _filters(since, until, in_source, author, text, venue, tag)
        found = open_assistant(home, "extractive").search(query, k, filters)
        if not found:
            announce(f"no paper passes the filter ({filters.in_words()}); `assistant status` lists the sources")
        if json:
            print_json([asdict(paper) for paper in found])
        else:
            for paper in found:
                typer.echo(f"{paper.score:5.2f}  {paper.display_title}" + (f"  ({paper.date})" if paper.date else ""))


@app.command()
def papers(
    in_source: InSource = None,
    since: Since = None,
    until: Until = None,
    author: Author = None,
    text: Text = None,
    venue: Venue = None,
    tag: Tag = None,
    form: Format = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List the papers of the library, or cite them for other programs."""
    from assistant.serving.records import filtered, paper_records
    from assistant.settings import chroma_server, load_settings, model_choice
    from index import bibliography, chosen_home, open_library

    with errors_told():
        _one_form(form, json)
        filters = _filters(since, until, in_source, author, text, venue, tag)
        settings = load_settings(chosen_home(home)[0])
        library = open_library(home, model_choice(settings), EmbeddingBar(), announce, chroma_server(settings), vectors=False)
        found = filtered(library, filters)
        if json:
            print_json([asdict(record) for record in paper_records(found, library)])
        elif form:
            print_text(bibliography(found, form.value))
        else:
            for paper in found:
                typer.echo(paper.display_title + (f"  ({paper.date})" if paper.date else ""))
        if not library.catalogue.count():
            announce(f"{library.home} has no papers yet: add some with `assistant index FILE` or `assistant index --starter`")
        elif not found:
            announce(f"no paper passes the filter ({filters.in_words()}); `assistant status` lists the sources")


@app.command()
def status(home: Home = None, json: Json = False) -> None:
    """Say what is in the library, what is on, and what is stale."""
    from assistant.llms.discovery import Discovery
    from assistant.settings import load_settings

    with errors_told():
        discovery = Discovery()
        library = library_of(home)
        path = library.home
        settings = load_settings(path)
        noticed = discovery.found()
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
        for note in (library.fault, library.note, document["fault"]):
            if note:
                announce(f"note: {note}")


def _state(library: Library, settings: Settings) -> dict[str, Any]:
    from assistant import __version__
    from index import HomeError

    manifest = library.manifest()
    stale, fault = None, ""
    try:
        stale = library.stale()
    except HomeError as error:
        fault = str(error)
    return {
        "version": __version__,
        "home": str(library.home),
        "papers": library.catalogue.count(),
        "stale": stale,
        "fault": fault,
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
    from assistant.evidence.readers import shipped
    from index.embedding import MiniLM

    if not settings.papers_read:
        return "off (the setting papers_read is 0)"
    readers = shipped(library.embedder)
    if readers.reader is None:
        return f"off ({readers.fault or 'it needs the tuned embedding model'})"
    calibrated = "" if isinstance(library.embedder, MiniLM) else "; its confidence was fitted to the shipped embedding model"
    return f"on, looks into up to {settings.papers_read} papers a question{calibrated}"


@app.command()
def remove(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A source as `assistant status` names it, or as it was added.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Forget a source, and the papers that no other source holds."""
    with errors_told():
        library = library_of(home)
        gone = library.remove(source)
        if json:
            print_json({"removed": gone, "papers": library.catalogue.count()})
        else:
            typer.echo(f"{gone} papers removed, {library.catalogue.count()} remain")
        for root in library.read_again(source):
            announce(f"note: {root} is still a source, so the next `assistant index` reads {source} again: move the file out of it")


def library_of(home: str | None, begin_anew: bool = False, device: str = "cpu") -> Library:
    """The library of a home, with the model and the vectors' place that its settings say."""
    from assistant.settings import chroma_server, load_settings, model_choice
    from index import Library, chosen_home

    path, _ = chosen_home(home)
    settings = load_settings(path)
    return Library(path, model_choice(settings), chroma_server(settings), begin_anew, device)


def open_assistant(home: str | None, llm: str | None = None) -> Assistant:
    """The assistant of a home, telling on stderr of indexing that takes long."""
    from assistant.pipeline import Assistant

    return Assistant(home, llm, progress=EmbeddingBar(), announce=announce)


def _one_form(form: _Format | None, json: bool) -> None:
    """Ends the command where two forms of output were asked for."""
    if form and json:
        announce("error: --format and --json both say what is printed: choose one")
        raise typer.Exit(2)


def _filters(
    since: str | None, until: str | None, source: str | None, author: str | None, text: str | None, venue: str | None, tag: str | None
) -> Filters:
    from assistant.query.filters import Filters

    try:
        return Filters(since, until, source, author, text, venue, tag)
    except FilterError as error:
        announce(f"error: {error}")
        raise typer.Exit(2) from error


def _add_commands_of_others() -> None:
    """Commands of packages that build on this one (`ui`, `eval`), which it does not know: each
    names a function in the entry point group `assistant.commands` that adds them."""
    for point in sorted(entry_points(group="assistant.commands"), key=lambda point: point.name, reverse=True):
        point.load()(app)


home_commands.register(app)
serving_commands.register(app)
draft_commands.register(app)
manual.register(app)
app.add_typer(llm_app)
_add_commands_of_others()
