"""A report as one HTML file: styles, script and pictures are inside, and its policy forbids any request.

All that was asked, answered or quoted is untrusted text and is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from eval.attribution import Cited
from eval.facts import contains
from eval.metrics import Result
from eval.questions import GoldQuestion
from eval.reporting.losing import KINDS, Section, against_wanted, worst
from eval.reporting.outcome import OUTCOMES, outcome
from eval.reporting.plots import Plot
from eval.reporting.svg import COLOURS
from eval.reporting.tables import KIND_COLUMNS, by_kind, headline, remarks, settings
from eval.run import Run

_FOLDER = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_RETRIEVED = 5
_LEFT_OUT = "(left out)"
DIFFERS = "differs"
"""An outcome to filter by, where there are several runs."""


def as_html(runs: Sequence[Run], pictures: Sequence[Plot], texts: bool = True, sections: Sequence[Section] = ()) -> str:
    """The whole file. The runs must be over the same questions. Without `texts`, answers and quotes are left out.

    `sections`: what else was measured, told after where the runs lose.
    """
    style, script = ((_FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    body = [
        "<h1>How good the answers are</h1>",
        _list(remarks(runs)),
        _legend(runs),
        *(f"<h2>Where it loses{_of(run, runs)}</h2>{_losing(run)}" for run in runs),
        *(f"<h2>{escape(section.title)}</h2>{_section(section)}" for section in sections),
        f"<h2>All questions</h2><p>With 95% bootstrap intervals.</p>{_headline(runs)}",
        *(f"<h2>By kind{_of(run, runs)}</h2>{_kinds(run)}" for run in runs),
        f'<h2>Plots</h2><div class="plots">{"".join(_picture(plot, runs) for plot in pictures)}</div>',
        f"<h2>Every question</h2>{_filters(runs)}{_questions(runs, texts)}",
        *(f"<h2>What was measured{_of(run, runs)}</h2>{_settings(run)}" for run in runs),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>How good the answers are</title><style>{style}</style></head><body><main>{''.join(body)}</main>"
        f"<script>{script}</script></body></html>\n"
    )


def _of(run: Run, runs: Sequence[Run]) -> str:
    return f": {escape(run.name)}" if len(runs) > 1 else ""


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else "<p>Nothing.</p>"


def _losing(run: Run) -> str:
    wanted = against_wanted(run)
    return f"{_section(wanted) if wanted else ''}<h4>Kinds in which most goes wrong</h4>{_list(worst(run))}"


def _section(section: Section) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in section.heads)
    rows = "".join(f"<tr>{_first(row[0])}{''.join(_cell(cell) for cell in row[1:])}</tr>" for row in section.rows)
    table = f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    return f"{_list(section.lines)}{table}{_list(section.notes) if section.notes else ''}"


def _first(cell: str) -> str:
    return f"<th>{escape(cell)}</th>"


def _cell(cell: str) -> str:
    marked = {"missed": ' class="bad"', "held": ' class="right"'}.get(cell, "")
    return f"<td{marked}>{escape(cell)}</td>"


def _legend(runs: Sequence[Run]) -> str:
    if len(runs) == 1:
        return ""
    keys = [
        f'<span><i style="background:{COLOURS[number % len(COLOURS)]}"></i>{escape(run.name)}</span>' for number, run in enumerate(runs)
    ]
    return f'<p class="legend">{"".join(keys)}</p>'


def _headline(runs: Sequence[Run]) -> str:
    rows = []
    for group in headline(runs):
        rows.append(f'<tr class="group"><th colspan="{len(runs) + 1}">{escape(group.name)}</th></tr>')
        rows += [f"<tr><th>{escape(row[0])}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>" for row in group.rows]
    heads = "".join(f"<th>{escape(run.name)}</th>" for run in runs)
    return f'<div class="wide"><table><thead><tr><th>measure</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _kinds(run: Run) -> str:
    heads = "".join(f"<th>{escape(heading)}</th>" for heading in ("kind", *(heading for _, heading in KIND_COLUMNS)))
    rows = []
    for name, *cells in by_kind(run):
        kind = ' class="all"' if name == "all" else ""
        said = f' title="{escape(KINDS[name])}"' if name in KINDS else ""
        rows.append(f"<tr{kind}><th{said}>{escape(name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _picture(plot: Plot, runs: Sequence[Run]) -> str:
    return f"<figure><figcaption>{escape(plot.title)}</figcaption>{_legend(runs)}{plot.svg}</figure>"


def _settings(run: Run) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in settings(run))
    return f'<div class="wide"><table class="pairs"><tbody>{rows}</tbody></table></div>'


def _filters(runs: Sequence[Run]) -> str:
    kinds = "".join(f"<option>{escape(kind)}</option>" for kind in runs[0].kinds())
    ends = "".join(f"<option>{escape(end)}</option>" for end in (*OUTCOMES, *([DIFFERS] if len(runs) > 1 else [])))
    return (
        '<form class="filters" id="filters"><label>Kind <select name="kind"><option value="">all</option>'
        f'{kinds}</select></label><label>Outcome <select name="outcome"><option value="">all</option>{ends}</select></label>'
        '<label class="text">Text <input name="text" type="search" placeholder="in question, answer or titles"></label>'
        '<output id="count" aria-live="polite"></output></form>'
    )


def _questions(runs: Sequence[Run], texts: bool) -> str:
    return "".join(_question(gold, [(run, run.results[place]) for run in runs], texts) for place, gold in enumerate(runs[0].questions))


def _question(gold: GoldQuestion, given: Sequence[tuple[Run, Result]], texts: bool) -> str:
    ends = [outcome(gold, result) for _, result in given]
    known = "|".join([*dict.fromkeys(ends), *([DIFFERS] if len(set(ends)) > 1 else [])])
    badges = "".join(_badge(end, number, len(ends) > 1) for number, end in enumerate(ends))
    answers = "".join(_answer(gold, result, run.name if len(given) > 1 else "", texts) for run, result in given)
    return (
        f'<details class="q" data-kind="{escape(gold.kind)}" data-outcome="{known}"><summary><span class="id">{escape(gold.id)}</span> '
        f'<span class="kind">{escape(gold.kind)}</span> {badges} <span class="asked">{escape(gold.question)}</span></summary>'
        f"{_gold(gold)}{answers}</details>"
    )


def _badge(end: str, number: int, several: bool) -> str:
    colour = f'<i style="background:{COLOURS[number % len(COLOURS)]}"></i>' if several else ""
    return f'{colour}<b class="{end.replace(" ", "-")}">{end}</b>'


def _gold(gold: GoldQuestion) -> str:
    parts = []
    if gold.history:
        parts.append(f"<h4>Asked before</h4>{_list(gold.history)}")
    titles = _list(gold.gold_titles) if gold.gold_titles else "<p>None: to be declined.</p>"
    parts.append(f"<h4>Gold</h4>{titles}")
    if gold.about_titles:
        parts.append(f"<h4>It is about</h4>{_list(gold.about_titles)}")
    return "".join(parts)


def _answer(gold: GoldQuestion, result: Result, name: str, texts: bool) -> str:
    head = f"<h3>{escape(name)}</h3>" if name else ""
    if result.error:
        return f'{head}<p class="bad">{escape(result.error)}</p>'
    told = f"written by {result.mode}; confidence {result.confidence:.2f}; {result.latency_ms:.0f} ms"
    parts = [
        head,
        f'<h4>Answer</h4><p class="answer">{escape(result.answer if texts else _LEFT_OUT)}</p><p class="told">{escape(told)}</p>',
    ]
    parts.append(_list(result.warnings) if result.warnings else "")
    if gold.facts:
        facts = [f"{'✓' if contains(result.answer, spellings) else '✗'} {' / '.join(spellings)}" for spellings in gold.facts]
        parts.append(f"<h4>Facts asked for</h4>{_list(facts)}")
    if result.citations:
        parts.append(f"<h4>Evidence</h4><ul>{''.join(_evidence(gold, one, texts) for one in result.citations)}</ul>")
    found = [f"{'✓ ' if title in gold.gold_titles else ''}{title}" for title in result.retrieved_titles[:_RETRIEVED]]
    parts.append(f"<h4>Found</h4><ol>{''.join(f'<li>{escape(title)}</li>' for title in found)}</ol>" if found else "")
    return "".join(parts)


def _evidence(gold: GoldQuestion, one: Cited, texts: bool) -> str:
    doubts = [] if one.supported else ["not supported"]
    doubts += [] if one.stands else ["not in the abstract"]
    doubt = f' <span class="bad">{", ".join(doubts)}</span>' if doubts else ""
    mark = "✓ " if one.title in gold.gold_titles else ""
    return f"<li>[{one.marker}] {escape(mark + one.title)}{doubt}<blockquote>{escape(one.quote if texts else _LEFT_OUT)}</blockquote></li>"
