"""Writes a report's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.comparing import check_same_questions
from eval.errors import EvalError
from eval.reporting.html import as_html
from eval.reporting.losing import Section
from eval.reporting.markdown import as_markdown
from eval.reporting.plots import plots
from eval.run import Run

_PLOTS = "plots"


def write_report(runs: Sequence[Run], out: Path, texts: bool = True, sections: Sequence[Section] = ()) -> list[Path]:
    """`report.html`, `report.md` and its plots in `out`; the first two are returned.

    Without `texts` no answer and no quote is in them, for papers whose abstracts must not be passed on.
    `sections`: what else was measured.
    Raises `ComparingError` for runs over different questions, `EvalError` where `out` cannot be written.
    """
    for run in runs[1:]:
        check_same_questions(runs[0], run)
    pictures = plots(runs)
    files = {
        out / "report.html": as_html(runs, pictures, texts, sections),
        out / "report.md": as_markdown(runs, pictures, _PLOTS, sections),
    }
    try:
        (out / _PLOTS).mkdir(parents=True, exist_ok=True)
        for path, text in {**files, **{out / _PLOTS / f"{plot.name}.svg": plot.svg for plot in pictures}}.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EvalError(f"{out}: cannot be written ({error.strerror}): choose another folder for --out") from error
    return list(files)
