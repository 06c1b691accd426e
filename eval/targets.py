"""What is wanted of the default set-up on the fixed questions, to be told beside what it gives.

Goes in: a run. Comes out: each figure that is wanted and that the run can show, and whether it holds. A target is
not what is expected (`expected.py`): it may be missed, and then the report says so first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.questions import FALSE_PREMISE, SINGLE_PAPER
from eval.results import Run

SEVERAL = ("multi", "overview")


@dataclass(frozen=True)
class Target:
    """One target."""

    what: str
    metric: str
    bound: float
    kinds: tuple[str, ...] = ()
    """Of these kinds; empty: of all questions."""
    at_most: bool = False
    """Whether less is better."""


@dataclass(frozen=True)
class Outcome:
    """A target beside what a run gives."""

    target: Target
    value: float
    bounds: tuple[float, float] | None

    @property
    def held(self) -> bool:
        """Whether it is as good as wanted."""
        return self.value <= self.target.bound if self.target.at_most else self.value >= self.target.bound


TARGETS = (
    Target("wrong answers, of all questions", "harm", 0.15, at_most=True),
    Target("declined, though a paper answers", "false_refusal", 0.05, at_most=True),
    Target("right paper first, one paper answers", "hit@1", 0.82, SINGLE_PAPER),
    Target("right paper within five, one paper answers", "recall@5", 0.96, SINGLE_PAPER),
    Target("facts asked for, one paper answers", "fact_recall", 0.82, SINGLE_PAPER),
    Target("words of an answer, one paper answers", "answer_words", 90.0, SINGLE_PAPER, at_most=True),
    Target("right paper first, paraphrases", "hit@1", 0.65, ("paraphrase",)),
    Target("right paper first, follow-ups", "hit@1", 0.88, ("follow_up",)),
    Target("facts asked for, follow-ups", "fact_recall", 0.75, ("follow_up",)),
    Target("papers within ten, several answer", "recall@10", 0.85, SEVERAL),
    Target("right papers cited, several answer", "citation_recall", 0.65, SEVERAL),
    Target("cited papers right, several answer", "citation_precision", 0.75, SEVERAL),
    Target("facts asked for, two papers compared", "fact_recall", 0.70, ("compare",)),
    Target("declined, other fields", "refusal_rate", 0.95, ("offtopic",)),
    Target("declined, this field but no paper here", "refusal_rate", 0.50, ("absent",)),
    Target("declined, a detail not stated", "refusal_rate", 0.65, ("missing_detail",)),
    Target("declined, a last turn that nothing answers", "refusal_rate", 0.75, ("refused_follow_up",)),
    Target("wrong answers, false premises", "harm", 0.20, (FALSE_PREMISE,), at_most=True),
)


def against_targets(run: Run, targets: Sequence[Target] = TARGETS) -> list[Outcome]:
    """The targets that this run can show: those whose questions it asked, all of them with a figure."""
    if run.settings.get("leave_out_gold"):
        return []
    found = []
    for one in targets:
        summary = run.of_kinds(one.kinds) if one.kinds else run.overall()
        value = summary.metrics[one.metric] if set(one.kinds) <= set(run.kinds()) else None
        if value is not None:
            found.append(Outcome(one, value, summary.intervals[one.metric]))
    return found
