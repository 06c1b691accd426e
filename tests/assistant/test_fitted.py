"""The file of fitted numbers: what stands in it fits the code, and what does not is told."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from assistant import fitted
from assistant.errors import FittedError
from assistant.evidence import confidence, selection
from assistant.fitted import Logistic, Section, load, logistic, save, threshold
from assistant.retrieval.retriever import JOIN_SIGNALS
from assistant.verification import checker
from assistant.verification.rules import RULE_SIGNALS

READ = (*selection.SIGNALS, *selection.READ_SIGNALS)
WANTED = {
    ("joining", "joined"): JOIN_SIGNALS,
    ("sentences", "sentence"): selection.SIGNALS,
    ("sentences", "sentence_read"): READ,
    ("sentences", "sentence_matched"): (*READ, *selection.MATCH_SIGNALS),
    ("support", "rules"): RULE_SIGNALS,
    ("support", "one_paper"): (*RULE_SIGNALS, *checker.SEEN_SIGNALS),
    ("support", "several_papers"): (*RULE_SIGNALS, *checker.SHARED_SIGNALS),
    ("verdict", "in_domain"): confidence.IN_DOMAIN_SIGNALS,
    ("verdict", "topic_match"): confidence.TOPIC_MATCH_SIGNALS,
    ("verdict", "answerability"): confidence.ANSWERABILITY_SIGNALS,
    ("verdict", "confidence"): confidence.CONFIDENCE_SIGNALS,
    ("verdict", "confidence_unread"): confidence.CONFIDENCE_UNREAD_SIGNALS,
}


def test_the_file_weighs_just_the_signals_of_the_code() -> None:
    assert {(section, model) for section, held in load().items() for model in held.weights} == set(WANTED)
    for (section, model), signals in WANTED.items():
        assert len(logistic(section, model, signals).weights) == len(signals)
    assert threshold("verdict", "answered_from") < 0.0


def test_a_model_weighs_its_signals() -> None:
    model = Logistic((2.0, -1.0), 0.5)
    assert model.log_odds((1.0, 3.0)) == -0.5
    assert model.probability((1.0, 3.0)) == pytest.approx(1 / (1 + math.exp(0.5)))
    assert model.probabilities(np.array([[1.0, 3.0], [1000.0, 0.0]])) == pytest.approx([1 / (1 + math.exp(0.5)), 1.0])
    with pytest.raises(ValueError, match="zip"):
        model.log_odds((1.0,))


def test_a_section_put_in_the_file_leaves_the_others(tmp_path: Path) -> None:
    file = tmp_path / "fitted.json"
    one = Section({"model": {"signal": 1.5, fitted.INTERCEPT: -2.0}}, {"from": 0.25}, {"questions": "ab", "count": 3}, ("right 0.9",))
    save("one", one, file)
    save("other", Section({}), file)
    save("other", Section({}, {"new": 1.0}), file)
    assert load(file) == {"one": one, "other": Section({}, {"new": 1.0})}
    assert [each.name for each in tmp_path.iterdir()] == ["fitted.json"]


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(FittedError, match=r"joining/joined does not fit the code's signals \(.*leans.*eval fit"):
        logistic("joining", "joined", ("another",))
    with pytest.raises(FittedError, match="has no section nothing"):
        logistic("nothing", "joined", ())
    with pytest.raises(FittedError, match="verdict has no threshold nothing"):
        threshold("verdict", "nothing")


@pytest.mark.parametrize("content", ["", "[]", '{"joining": {"weights": {"joined": {"leans": "heavy"}}}}', '{"joining": 1}'])
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    file = tmp_path / "fitted.json"
    with pytest.raises(FittedError, match="cannot be read as fitted numbers"):
        load(file)
    file.write_text(content)
    with pytest.raises(FittedError, match=r"cannot be read as fitted numbers .*reinstall"):
        load(file)
