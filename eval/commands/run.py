"""`python -m eval`: asks the question set, in one configuration or several, and prints the metrics."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.commands.opening import asking_bar, assistant_over, mistakes_told, unseeing_assistant

if TYPE_CHECKING:
    from assistant import Assistant
    from eval.configurations import Configuration
    from eval.questions import GoldQuestion
    from eval.replay import ReplayLLM
    from eval.results import Checkpoint, Run


def evaluate(
    context: typer.Context,
    questions: Annotated[Path | None, typer.Option(metavar="FILE", help="JSON lines or CSV [default: the fixed set of 340].")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH ...", help="Measure over a fresh temporary home built from these [default: the current home]."),
    ] = None,
    llm: Annotated[
        list[str] | None,
        typer.Option(metavar="PROVIDER:MODEL", help="The LLM that writes the answers; several times for several, side by side."),
    ] = None,
    retriever: Annotated[str, typer.Option(metavar="hybrid|dense|lexical|all", help="How papers are found; all: side by side.")] = "hybrid",
    home: Annotated[str | None, typer.Option(metavar="DIR", help="The home to measure, where no --source is given.")] = None,
    kinds: Annotated[str | None, typer.Option(metavar="A,B", help="Only the questions of these kinds.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N questions of each kind.")] = None,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="How many questions to ask at once; latency is then under that load.")] = 1,
    leave_out_gold: Annotated[
        bool,
        typer.Option("--leave-out-gold", help="Ask each question without the papers that answer it, so that all are to be declined."),
    ] = False,
    held_out: Annotated[
        bool,
        typer.Option(
            "--held-out",
            help="Measure with the encoder and the matcher that have not seen the fixed set's papers. The shipped ones were trained on "
            "some of them, with other questions, and find these better than they find a user's. Needs --source.",
        ),
    ] = False,
    export_prompts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what an LLM would be asked, as JSON lines, and measure nothing.")
    ] = None,
    answers: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Score what any model said to the exported prompts: JSON lines with id and completion."),
    ] = None,
    fields: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Then measure other fields' libraries, one in each folder of DIR, and tell them side by side."),
    ] = None,
    json_out: Annotated[
        str | None, typer.Option("--json", metavar="OUT", help="Write the whole run as JSON; - for stdout. Stopped half way, it resumes.")
    ] = None,
) -> None:
    """Ask every question of a set and print harm, quality, cost and time by kind."""
    if context.invoked_subcommand is not None:
        return
    from assistant.cli.output import announce
    from assistant.llms import load_llm
    from eval.fields import load_fields
    from eval.question_lint import amiss
    from eval.questions import FIXED, first_of_each_kind, load

    sources, path, named = source or [], questions or FIXED, llm or []
    with mistakes_told():
        _check(sources, retriever, jobs, leave_out_gold, held_out, bool(export_prompts and (answers or named)))
        golds = _chosen(load(path), kinds, limit, leave_out_gold)
        others = load_fields(fields) if fields else []
        for spec in named:
            load_llm(spec)  # a wrong name is told before papers are embedded
        _touch(json_out)
        _touch(str(export_prompts) if export_prompts else None)
        first = named[0] if named else "extractive" if answers or export_prompts else None
        with unseeing_assistant(sources, first) if held_out else assistant_over(sources, home, first) as assistant:
            for remark in amiss(path, [paper.title for paper in assistant.library.papers()]):
                announce(f"warning: {remark}")
            asking = _Asking(
                assistant=assistant,
                golds=golds,
                settings=_settings(assistant, path, golds, sources, limit, jobs, leave_out_gold, held_out),
                jobs=jobs,
                leave_out_gold=leave_out_gold,
            )
            if export_prompts:
                asking.export(retriever, export_prompts)
                return
            writers = [*asking.replays(answers or []), *named] or [assistant.mode]
            runs, kept = asking.runs(retriever, writers, json_out)
        elsewhere = []
        for field in others:
            asked = list(field.questions) if limit is None else first_of_each_kind(field.questions, limit)
            over = [str(field.papers)]
            with unseeing_assistant(over, first) if held_out else assistant_over(over, None, first) as assistant:
                settings = _settings(assistant, field.papers, asked, over, limit, jobs, leave_out_gold, held_out)
                asking = _Asking(assistant, asked, {**settings, "label": field.name}, jobs, leave_out_gold)
                elsewhere.append(asking.runs(retriever, [assistant.mode], None)[0][0])
        _show(runs, elsewhere, json_out)
        if kept is not None:
            kept.done()
    failed = [result.error for run in (*runs, *elsewhere) for result in run.results if result.error]
    if failed:
        announce(f"error: {len(failed)} questions failed, first: {failed[0]}")
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Asking:
    """One assistant and what it is to be asked."""

    assistant: Assistant
    golds: list[GoldQuestion]
    settings: dict[str, Any]
    jobs: int
    leave_out_gold: bool

    def runs(self, retriever: str, writers: Sequence[Any], json_out: str | None) -> tuple[list[Run], Checkpoint | None]:
        """One run for each configuration, the wanted one first; and what is to go once their document is written."""
        from eval.configurations import configurations

        chosen = configurations(retriever, writers)
        kept = self._checkpoint(json_out, chosen)
        return [self._run(configuration, kept) for configuration in chosen], kept

    def export(self, retriever: str, out: Path) -> None:
        """Writes the prompts of all questions that an LLM would be asked."""
        from assistant.cli.output import announce
        from eval.configurations import RETRIEVERS, Configuration
        from eval.replay import ReplayLLM, as_lines

        recorder = ReplayLLM(name="export", context_window=self.assistant.settings.llm_context)
        self._run(Configuration(retriever if retriever in RETRIEVERS else "hybrid", recorder), None)
        out.write_text(as_lines(recorder.prompts, self.golds), encoding="utf-8")
        without = len(self.golds) - len(recorder.prompts)
        announce(f"{out}: {len(recorder.prompts)} prompts; {without} questions are settled before an LLM is asked")

    def replays(self, answers: Sequence[Path]) -> list[ReplayLLM]:
        """The models whose completions are at hand. Raises `QuestionSetError` or `ReplayError`."""
        from assistant.cli.output import announce
        from eval.replay import ReplayLLM, load_completions

        found = []
        for path in answers:
            completions = load_completions(path)
            strange = sorted(completions.keys() - {gold.id for gold in self.golds})
            if strange:
                announce(f"warning: {path}: {len(strange)} completions are of no question asked here, first: {strange[0]}")
            found.append(ReplayLLM(name=path.stem, context_window=self.assistant.settings.llm_context, completions=completions))
        return found

    def _checkpoint(self, json_out: str | None, chosen: Sequence[Configuration]) -> Checkpoint | None:
        from assistant.cli.output import announce
        from eval.results import Checkpoint

        if not json_out or json_out == "-":
            return None
        said = [[configuration.name, getattr(configuration.llm, "completions", None)] for configuration in chosen]
        kept = Checkpoint(Path(json_out), {**self.settings, "questions": repr(self.golds), "configurations": repr(said)})
        if len(kept):
            announce(f"{kept.path}: {len(kept)} answers are there from a run that was stopped; asking the rest")
        return kept

    def _run(self, configuration: Configuration, kept: Checkpoint | None) -> Run:
        from eval.run import Manner, run
        from eval.without_gold import run_without_gold

        replayed = not isinstance(configuration.llm, str)
        varied = configuration.of(self.assistant)
        settings = {**self.settings, "retriever": configuration.retriever, "llm": varied.mode, "replayed": replayed}
        with asking_bar(configuration.name, len(self.golds)) as tick:
            manner = Manner(tick=tick, through=_through(configuration, kept), jobs=self.jobs)
            return (run_without_gold if self.leave_out_gold else run)(varied, self.golds, settings, manner)


def _through(configuration: Configuration, kept: Checkpoint | None) -> Callable[[Any], Any]:
    """What stands between a run and its asking: the results known, and the completions."""

    def through(ask: Any) -> Any:
        asked = ask if isinstance(configuration.llm, str) else configuration.llm.through(ask)  # type: ignore[attr-defined]
        return asked if kept is None else kept.through(configuration.name, asked)

    return through


def _check(sources: list[str], retriever: str, jobs: int, leave_out_gold: bool, held_out: bool, both: bool) -> None:
    """Raises `EvalError` for options that do not go together."""
    from eval.configurations import retrievers
    from eval.errors import EvalError

    retrievers(retriever)
    if held_out and not sources:
        raise EvalError("--held-out embeds papers anew with another encoder: name them with --source")
    if leave_out_gold and jobs > 1:
        raise EvalError("--leave-out-gold asks one question at a time: leave out --jobs")
    if both:
        raise EvalError("--export-prompts only writes prompts: leave out --llm and --answers")


def _settings(
    assistant: Assistant,
    path: Path,
    golds: list[GoldQuestion],
    sources: list[str],
    limit: int | None,
    jobs: int,
    leave_out_gold: bool,
    held_out: bool,
) -> dict[str, Any]:
    import platform

    from assistant import __version__
    from eval.questions import shown

    papers = assistant.library.papers()
    texts = "\n".join(sorted(f"{paper.paper_id} {paper.title} {paper.abstract}" for paper in papers))
    return {
        "questions": shown(path),
        "kinds": list(dict.fromkeys(gold.kind for gold in golds)),
        "limit": limit,
        "jobs": jobs,
        "leave_out_gold": leave_out_gold,
        "held_out": held_out,
        "sources": sources,
        "papers": len(papers),
        "library_sha256": hashlib.sha256(texts.encode()).hexdigest(),
        "embedding_model": assistant.library.embedder.name,
        "papers_read": assistant.settings.papers_read,
        "earlier_turns": "extractive",
        "version": __version__,
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
    }


def _chosen(golds: list[GoldQuestion], kinds: str | None, limit: int | None, leave_out_gold: bool) -> list[GoldQuestion]:
    """The questions to ask. Raises `QuestionSetError`."""
    from eval.questions import first_of_each_kind, of_kinds, with_gold

    if kinds is not None:
        golds = of_kinds(golds, [kind.strip() for kind in kinds.split(",")])
    if leave_out_gold:
        golds = with_gold(golds)
    return golds if limit is None else first_of_each_kind(golds, limit)


def _touch(out: str | None) -> None:
    """Raises `EvalError` where the file cannot be written, before anything is asked."""
    from eval.errors import EvalError

    if out and out != "-":
        try:
            Path(out).touch()
        except OSError as error:
            raise EvalError(f"{out}: cannot be written ({error.strerror}): choose another file") from error


def _show(runs: list[Run], elsewhere: list[Run], json_out: str | None) -> None:
    """`elsewhere`: over other fields' libraries."""
    from dataclasses import replace

    from rich.console import Console

    from assistant.cli.output import print_json
    from eval.fields import OWN, side_by_side
    from eval.report.screen import libraries, table
    from eval.results import document_of

    if json_out:
        document = document_of(runs, elsewhere)
        if json_out == "-":
            print_json(document)
        else:
            Path(json_out).write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    console = Console(stderr=json_out == "-", highlight=False)
    if elsewhere:
        own = replace(runs[0], settings={**runs[0].settings, "label": OWN})
        console.print(libraries(side_by_side([own, *elsewhere])))
    console.print(table(runs))
