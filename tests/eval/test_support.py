"""Minimal edits, trials, and what the check of sentences catches over papers that it was not trained on."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from assistant.fitted import INTERCEPT
from assistant.verification.checker import Checker, Support, Text, shipped
from assistant.verification.rules import RULE_SIGNALS
from eval.cli import app
from eval.held_out import held_out
from eval.support.claims import (
    BY_HAND,
    IN_ANSWERS,
    OTHER,
    STARTER,
    SUPPORTED,
    Held,
    Trial,
    load_claims,
    papers_of,
    trials,
    trials_by_hand,
    trials_in_answers,
    unseen,
)
from eval.support.edits import KINDS, edits, rewordings
from eval.support.judging import ALL_EDITS, judge
from eval.train.fit.check import FALSE_ALARMS, fit_support
from tests.conftest import CORPUS

ABSTRACT = "TideCache cuts latency by 2.4x over vLLM and memory by up to 70% on A100. It does not retrain the model, unlike OrchardNet."
SENTENCE = "TideCache cuts latency by 2.4x over vLLM and memory by up to 70% on A100."


def test_edits_change_a_word_or_two_and_never_give_what_the_abstract_says() -> None:
    made = edits(SENTENCE, ABSTRACT, random.Random(0))
    assert {edit.kind for edit in made} >= {"figure changed", "direction", "negation"}
    assert {edit.kind for edit in made} <= set(KINDS)
    for edit in made:
        assert edit.text != SENTENCE and edit.text not in ABSTRACT
        assert abs(len(edit.text.split()) - len(SENTENCE.split())) <= 4, edit


def test_rewordings_keep_every_figure() -> None:
    for text in rewordings(SENTENCE, random.Random(0)):
        assert text != SENTENCE and "2.4" in text and "70" in text


def test_claims_by_hand_are_pairs_over_papers_that_training_left_out() -> None:
    claims = load_claims()
    assert len(claims) >= 280 and {claim.title for claim in claims} <= held_out()
    supported = {claim.pair for claim in claims if claim.kind is None}
    assert supported == {claim.pair for claim in claims}
    assert {claim.kind for claim in claims} - {None} <= set(KINDS)
    assert len({claim.text for claim in claims}) == len(claims)


def test_sentences_of_answers_stand_over_papers_that_training_left_out() -> None:
    found = trials_in_answers(papers_of([str(STARTER)]))
    right = [trial for trial in found if trial.supported]
    assert len(right) >= 75 and len(found) - len(right) >= 115
    assert {paper.title for trial in found for paper in (trial.paper, *trial.also)} <= held_out()
    assert sum(bool(trial.also) for trial in right) >= 8
    assert {trial.kind.removesuffix(IN_ANSWERS) for trial in found} <= {SUPPORTED, *KINDS}
    assert len({trial.sentence for trial in found}) == len(found)


def test_the_papers_that_weights_are_fitted_on_are_not_judged() -> None:
    assert set(unseen(True)).isdisjoint(unseen(False)) and set(unseen(True)) | set(unseen(False)) == held_out()


class _Doubter(Checker):
    """Doubts what it is told to."""

    def __init__(self, doubted: set[str]) -> None:
        super().__init__(None)
        self.doubted = doubted

    def check(self, sentence: str, papers: object, least: float = 0.5) -> Support:
        return Support(0.0, (sentence not in self.doubted,))


def test_shares_are_counted_by_kind() -> None:
    paper = Held("T", "T", ("A.",))
    asked = [Trial(SUPPORTED, "a", paper), Trial(SUPPORTED, "b", paper), Trial("negation", "c", paper), Trial("scope", "d", paper)]
    asked += [Trial(OTHER, "e", paper), Trial(f"negation{BY_HAND}", "f", paper)]
    found = judge(_Doubter({"b", "c", "e"}), asked)
    assert found.share("false alarms") == 0.5 and found.share(ALL_EDITS) == 0.5
    assert found.share("negation") == 1.0 and found.share("scope") == 0.0 and found.share(OTHER) == 1.0
    assert found.share(f"{ALL_EDITS}{BY_HAND}") == 0.0


@dataclass(frozen=True)
class Floor:
    """What the check must do: a little less than it did when it was measured (docs/LOG.md)."""

    edits: float
    other: float
    by_hand: float
    alarms: float
    alarms_by_hand: float
    alarms_in_answers: float


FLOORS = {
    "starter": Floor(edits=0.93, other=0.98, by_hand=0.52, alarms=0.02, alarms_by_hand=0.17, alarms_in_answers=0.05),
    "real": Floor(edits=0.67, other=0.97, by_hand=0.48, alarms=0.075, alarms_by_hand=0.12, alarms_in_answers=0.06),
}
"""Wanted are 0.70, 0.98 and 0.05, which it reaches over the starter library alone."""


@pytest.mark.long
@pytest.mark.timeout(2700)
@pytest.mark.parametrize("listings", FLOORS)
def test_the_check_catches_what_it_caught(listings: str) -> None:
    if listings == "real" and not CORPUS.exists():
        pytest.skip("the real listings are not beside this checkout")
    floor = FLOORS[listings]
    summaries = papers_of([str(STARTER)])
    library = summaries if listings == "starter" else papers_of([str(CORPUS)])
    asked = trials(library, summaries, unseen(False), 60, 0) + trials_by_hand(library) + trials_in_answers(library)
    found = judge(shipped(), asked)
    assert sum(trial.kind in KINDS for trial in asked) >= 400
    assert found.share(ALL_EDITS) >= floor.edits and found.share(OTHER) >= floor.other, str(found)
    assert found.share(f"{ALL_EDITS}{BY_HAND}") >= floor.by_hand, str(found)
    assert found.share("false alarms") <= floor.alarms and found.share(f"false alarms{BY_HAND}") <= floor.alarms_by_hand, str(found)
    assert found.share(f"false alarms{IN_ANSWERS}") <= floor.alarms_in_answers, str(found)


def test_weights_are_fitted_for_each_signal_and_told_with_what_they_catch() -> None:
    """Over few papers and without the network, which takes minutes."""
    summaries = papers_of([str(STARTER)])
    asked = trials(summaries, summaries, unseen(True), 8, 0)
    section = fit_support([asked, asked[::2]], None)
    assert set(section.weights) == {"rules"} and set(section.weights["rules"]) == {*RULE_SIGNALS, INTERCEPT}
    crossed = [float(each) for line in section.figures for each in re.findall(r"paper, library \d: false alarms ([\d.]+)", line)]
    assert len(crossed) == 2 and max(crossed) <= FALSE_ALARMS + 0.04


def test_the_command_prints_shares_with_their_bounds() -> None:
    result = CliRunner().invoke(app, ["support", "--rules-only", "--a-kind", "2"])
    assert result.exit_code == 0, result.output
    assert "false alarms" in result.stdout and ALL_EDITS in result.stdout and "ms a sentence" in result.stdout


def test_a_text_is_read_whole() -> None:
    assert Text("Title", ("One.", "Two.")).whole == "Title. One. Two."
