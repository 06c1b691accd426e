"""What became of a question, in one word, and where a run loses. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from eval.metrics import Result, false_refusal, harm
from eval.questions import GoldQuestion
from eval.run import Run

RIGHT = "right"
WRONG = "wrong"
RIGHTLY_DECLINED = "declined rightly"
WRONGLY_DECLINED = "declined wrongly"
FAILED = "failed"
OUTCOMES = (RIGHT, WRONG, RIGHTLY_DECLINED, WRONGLY_DECLINED, FAILED)


@dataclass(frozen=True)
class Loss:
    """A kind of question in which a run does badly."""

    kind: str
    n: int
    wrong: int
    """Answered, and wrong."""
    declined: int
    """Declined, though a paper answers."""

    @property
    def share(self) -> float:
        """Of the kind's questions, what went wrong in either way."""
        return (self.wrong + self.declined) / self.n


def outcome(gold: GoldQuestion, result: Result) -> str:
    """One of `OUTCOMES`; right is an answer that does no harm."""
    if result.error:
        return FAILED
    if result.answered:
        return WRONG if harm(gold, result) else RIGHT
    return WRONGLY_DECLINED if false_refusal(gold, result) else RIGHTLY_DECLINED


def losses(run: Run) -> list[Loss]:
    """The kinds in which anything went wrong, the worst first."""
    found = []
    for kind in run.kinds():
        ends = [outcome(gold, result) for gold, result in zip(run.questions, run.results, strict=True) if gold.kind == kind]
        found.append(Loss(kind, len(ends), ends.count(WRONG), ends.count(WRONGLY_DECLINED)))
    return sorted((one for one in found if one.share), key=lambda one: -one.share)
