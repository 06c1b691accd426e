"""Whether a text contains a fact, by the rules of the question set."""

from __future__ import annotations

import pytest

from eval.answer_text import contains, normalise, share


@pytest.mark.parametrize(
    ("text", "fact", "held"),
    [
        ("cut by 2.4 times", "2.4x", True),
        ("cut by 2.4times", "2.4x", True),
        (r"cut by 2.4\times", "2.4 times", True),
        ("cut by 2.4×", "2.4x", True),
        ("a 3-fold gain", "3x", True),
        ("a gain of 1.3x", "3x", False),
        ("85% of them", "85", True),
        (r"85\% of them", "85%", True),
        ("185% of them", "85%", False),
        ("some 125,510 images", "125510", True),
        ("some 125510 images", "125,510", True),
        ("three layers", "layer", True),
        ("relayered", "layer", False),
        ("uses {\\em PIE} here", "pie", True),
        ("in 1.35 hours", "1.3", False),
        ("exactly 1.3.", "1.3", True),
        ("uses PIE here", "pie", True),
        ("$O(1/K)$ at best", "O(1/K)", True),
        ("ﬁne tuning", "fine tuning", True),
        ("float8_e5m2", "e5m2", True),
        ("", "x", False),
    ],
)
def test_a_fact_is_found_as_the_rules_say(text: str, fact: str, held: bool) -> None:
    assert contains(text, [fact]) is held


def test_one_spelling_of_several_is_enough() -> None:
    assert contains("six point nine times: 6.9x", ["6.9 fold", "nine"])
    assert not contains("6.9x", ["7x", ""])


def test_the_share_counts_facts_not_spellings() -> None:
    assert share("85% and 2x", [["85%", "85 %"], ["3x"]]) == 0.5


def test_normalising_twice_changes_nothing() -> None:
    text = r"Up to {1,024} \times faster, 2.4 Times, 38\%"
    assert normalise(normalise(text)) == normalise(text)
