"""Reports of runs: one HTML file that asks nothing of any network, and one Markdown file with its plots beside it.

Goes in: runs over the same questions, and what else was measured. Comes out: the files. All that was asked, answered or quoted is
untrusted text: the templates escape it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eval.report.error_analysis import Section
    from eval.results import Run

_PLOTS = "plots"
_RETRIEVED = 5
DIFFERS = "differs"
"""An outcome to filter by, where there are several runs."""


def write_report(
    runs: Sequence[Run], out: Path, texts: bool = True, sections: Sequence[Section] = (), first: Sequence[Section] = ()
) -> list[Path]:
    """`report.html`, `report.md` and its plots in `out`; the first two are returned.

    Without `texts` no answer and no quote is in them, for papers whose abstracts must not be passed on.
    `sections`: what else was measured, told after where the runs lose; `first`: told before all else.
    Raises `ComparingError` for runs over different questions, `EvalError` where `out` cannot be written.
    """
    from eval.compare import check_same_questions
    from eval.errors import EvalError
    from eval.report.plots import plots
    from eval.report.rendering import html, markdown

    for run in runs[1:]:
        check_same_questions(runs[0], run)
    pictures, given = plots(runs), {**_given(runs, sections), "first": first}
    inside = [(plot.title, b64encode(plot.svg.encode()).decode()) for plot in pictures]
    files = {
        out / "report.html": html("report.html.jinja", **given, plots=inside, texts=texts, shown=_RETRIEVED),
        out / "report.md": markdown("report.md.jinja", **given, plots=[(plot.title, f"{_PLOTS}/{plot.name}.svg") for plot in pictures]),
    }
    try:
        (out / _PLOTS).mkdir(parents=True, exist_ok=True)
        for path, text in {**files, **{out / _PLOTS / f"{plot.name}.svg": plot.svg for plot in pictures}}.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EvalError(f"{out}: cannot be written ({error.strerror}): choose another folder for --out") from error
    return list(files)


def _given(runs: Sequence[Run], sections: Sequence[Section]) -> dict[str, Any]:
    """What both templates are filled with."""
    from eval.answer_text import contains
    from eval.report import cells
    from eval.report.error_analysis import FAILED, KINDS, OUTCOMES, WRONG, WRONGLY_DECLINED, outcome, targets_section, worst
    from eval.report.plots import COLOURS

    outcomes = [[outcome(gold, result) for gold, result in zip(run.questions, run.results, strict=True)] for run in runs]
    return {
        "runs": runs,
        "several": len(runs) > 1,
        "remarks": cells.remarks(runs),
        "losses": [(targets_section(run), worst(run)) for run in runs],
        "sections": sections,
        "headline": cells.headline(runs),
        "kind_heads": ["kind", *(heading for _, heading in cells.KIND_COLUMNS)],
        "by_kind": [cells.by_kind(run) for run in runs],
        "kinds": KINDS,
        "settings": [cells.settings(run) for run in runs],
        "outcomes": outcomes,
        "outcome_names": [*OUTCOMES, *([DIFFERS] if len(runs) > 1 else [])],
        "went_wrong": {WRONG, WRONGLY_DECLINED, FAILED},
        "differs": DIFFERS,
        "colours": [COLOURS[number % len(COLOURS)] for number in range(len(runs))],
        "contains": contains,
    }
