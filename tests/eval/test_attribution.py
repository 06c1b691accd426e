"""Citations sentence by sentence, against figures worked by hand."""

from __future__ import annotations

import pytest

from assistant.verification.citations import UNSUPPORTED
from eval.answer_text import Cited, Statement, precision, recall, statements

ONE = Cited(1, "A", "Prefixes are kept in one tree.", supported=True, stands=True)
TWO = Cited(1, "A", "It doubles throughput on four cards.", supported=False, stands=True)
OTHER = Cited(2, "B", "Keys are pruned by layer.", supported=True, stands=True)


def test_markers_after_a_stop_belong_to_the_sentence_before() -> None:
    assert statements("Prefixes are kept. [1] [2] Keys go [2]. Nothing is said.") == [
        Statement("Prefixes are kept.", (1, 2)),
        Statement("Keys go .", (2,)),
        Statement("Nothing is said.", ()),
    ]


def test_each_line_of_a_list_is_a_statement_of_its_own() -> None:
    assert [one.text for one in statements("- First paper. [1]\n- Second paper. [2]")] == ["First paper.", "Second paper."]


def test_what_the_answer_itself_doubts_is_no_statement_and_supports_nothing() -> None:
    answer = f"Prefixes are kept in one tree. [1] {UNSUPPORTED} Keys are pruned by layer. [2]"
    assert [(one.text, one.doubted) for one in statements(answer)] == [
        ("Prefixes are kept in one tree.", True),
        ("Keys are pruned by layer.", False),
    ]
    assert (precision(answer, [ONE, OTHER]), recall(answer, [ONE, OTHER])) == (0.5, 0.5)


def test_precision_counts_markers_and_recall_sentences() -> None:
    answer = "Prefixes are kept in one tree. [1] [2] It doubles throughput on four cards. [1] Keys are pruned. [2] Nothing else."
    held = [ONE, TWO, OTHER]  # the second sentence fails its check, the last has no citation
    assert precision(answer, held) == pytest.approx(3 / 4)
    assert recall(answer, held) == pytest.approx(2 / 4)


def test_a_quote_that_is_not_in_the_abstract_supports_nothing() -> None:
    invented = Cited(1, "A", "Prefixes are kept in one tree.", supported=True, stands=False)
    assert (precision("Prefixes are kept in one tree. [1]", [invented]), recall("Prefixes are kept in one tree. [1]", [invented])) == (0, 0)


def test_a_marker_without_a_citation_supports_nothing() -> None:
    assert precision("Prefixes are kept in one tree. [3]", [ONE]) == 0.0


def test_nothing_said_is_scored_nowhere() -> None:
    assert precision("", []) is None and recall("", []) is None
    assert precision("No marker here.", []) is None and recall("No marker here.", []) == 0.0
