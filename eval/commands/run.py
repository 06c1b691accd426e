"""`python -m eval`: asks the question set, in one set-up or several, and prints the metrics."""

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
    json_out: Annotated[
        str | None, typer.Option("--json", metavar="OUT", help="Write the whole run as JSON; - for stdout. Stopped half way, it resumes.")
    ] = None,
) -> None:
    """Ask every question of a set and print harm, quality, cost and time by kind."""
    if context.invoked_subcommand is not None:
        return
    from assistant.cli.output import announce
    from assistant.llms import load_llm
    from eval.question_lint import amiss
    from eval.questions import FIXED

    sources, path, named = source or [], questions or FIXED, llm or []
    with mistakes_told():
        _check(sources, retriever, jobs, leave_out_gold, held_out, bool(export_prompts and (answers or named)))
        golds = _chosen(path, kinds, limit, leave_out_gold)
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
            runs = asking.runs(retriever, writers, json_out)
        _show(runs, json_out)
    failed = [result.error for run in runs for result in run.results if result.error]
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

    def runs(self, retriever: str, writers: Sequence[Any], json_out: str | None) -> list[Run]:
        """One run for each set-up, the wanted one first."""
        from eval.configurations import configurations

        chosen = configurations(retriever, writers)
        kept = self._partial(json_out, chosen)
        finished = [self._run(setup, kept) for setup in chosen]
        if kept is not None and json_out:
            _write(finished, Path(json_out))
            kept.done()
        return finished

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

    def _partial(self, json_out: str | None, chosen: Sequence[Configuration]) -> Checkpoint | None:
        from assistant.cli.output import announce
        from eval.results import Checkpoint

        if not json_out or json_out == "-":
            return None
        said = [[setup.name, getattr(setup.llm, "completions", None)] for setup in chosen]
        kept = Checkpoint(Path(json_out), {**self.settings, "questions": repr(self.golds), "setups": repr(said)})
        if len(kept):
            announce(f"{kept.path}: {len(kept)} answers are there from a run that was stopped; asking the rest")
        return kept

    def _run(self, setup: Configuration, kept: Checkpoint | None) -> Run:
        from eval.run import Manner, run
        from eval.without_gold import run_without_gold

        replayed = not isinstance(setup.llm, str)
        varied = setup.of(self.assistant)
        settings = {**self.settings, "retriever": setup.retriever, "llm": varied.mode, "replayed": replayed}
        with asking_bar(setup.name, len(self.golds)) as tick:
            manner = Manner(tick=tick, through=_through(setup, kept), jobs=self.jobs)
            return (run_without_gold if self.leave_out_gold else run)(varied, self.golds, settings, manner)


def _through(setup: Configuration, kept: Checkpoint | None) -> Callable[[Any], Any]:
    """What stands between a run and its asking: the results known, and the completions."""

    def through(ask: Any) -> Any:
        asked = ask if isinstance(setup.llm, str) else setup.llm.through(ask)  # type: ignore[attr-defined]
        return asked if kept is None else kept.through(setup.name, asked)

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
        "reads": assistant.settings.reads,
        "earlier_turns": "extractive",
        "version": __version__,
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
    }


def _chosen(path: Path, kinds: str | None, limit: int | None, leave_out_gold: bool) -> list[GoldQuestion]:
    """The questions to ask. Raises `QuestionSetError`."""
    from eval import questions
    from eval.questions import load

    golds = load(path)
    if kinds is not None:
        golds = questions.of_kinds(golds, [kind.strip() for kind in kinds.split(",")])
    if leave_out_gold:
        golds = questions.with_gold(golds)
    return golds if limit is None else questions.first_of_each_kind(golds, limit)


def _touch(out: str | None) -> None:
    """Raises `EvalError` where the file cannot be written, before anything is asked."""
    from eval.errors import EvalError

    if out and out != "-":
        try:
            Path(out).touch()
        except OSError as error:
            raise EvalError(f"{out}: cannot be written ({error.strerror}): choose another file") from error


def _show(runs: list[Run], json_out: str | None) -> None:
    from rich.console import Console

    from assistant.cli.output import print_json
    from eval.report.screen import table

    if json_out == "-":
        print_json(_document(runs))
    Console(stderr=json_out == "-", highlight=False).print(table(runs))


def _write(runs: list[Run], out: Path) -> None:
    out.write_text(json.dumps(_document(runs), ensure_ascii=False, indent=1), encoding="utf-8")


def _document(runs: list[Run]) -> dict[str, Any]:
    """The first run's, with those of the others `beside` it, where there are any."""
    first, *others = (run.document() for run in runs)
    return {**first, "beside": others} if others else first
