from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from assistant.conversations import COMING, FAILED, STOPPED, Conversation, Exchange
from tests.ui.records import answer, citation, paper
from tests.ui.test_render import HOSTILE, Page
from ui.conversation import conversations_html, messages, paper_ids

DONE = Exchange(1, "How fast?", 0.0, "answered", "", answer(citations=(citation(paper()),)))


def listed(conversation_id: str, day: date, title: str = "Kettles") -> Conversation:
    at = datetime(day.year, day.month, day.day, 12).timestamp()
    return Conversation(conversation_id, title, at, at)


def test_of_very_many_conversations_the_last_are_listed_and_the_others_counted() -> None:
    many = [listed(str(number), date(2026, 3, 10)) for number in range(1234)]
    html = conversations_html(many, "0", date(2026, 3, 10))
    assert html.count("<li>") == 100 and "and 1,134 older: search for them above" in html


def test_conversations_stand_under_their_days_and_the_open_one_is_marked() -> None:
    today = date(2026, 3, 10)
    html = conversations_html(
        [listed("a", today), listed("b", today), listed("c", date(2026, 3, 9)), listed("d", date(2025, 12, 24))], "b", today
    )
    page = Page(html)
    assert page.text == "TodayKettlesKettlesYesterdayKettles24 Dec 2025Kettles"
    links = [attributes for name, attributes in page.elements if name == "a"]
    assert [link["href"] for link in links] == ["?c=a", "?c=b", "?c=c", "?c=d"]
    assert [link["data-open"] for link in links if "aria-current" in link] == ["b"]


def test_no_conversation_and_none_found_are_told_apart() -> None:
    assert "will be listed" in conversations_html([], "", date.today())
    assert "holds these words" in conversations_html([], "", date.today(), searched=True)


def test_a_hostile_name_stays_text_in_the_list() -> None:
    for title in HOSTILE:
        page = Page(conversations_html([listed("a", date.today(), title)], "a", date.today()))
        assert {name for name, _ in page.elements} == {"nav", "h3", "ul", "li", "a"}
        assert {name for _, attributes in page.elements for name in attributes} <= {
            "class", "aria-label", "aria-current", "data-current", "data-open", "href", "title",
        }  # fmt: skip


def test_each_exchange_is_a_message_of_either_side_and_anchors_differ_by_turn() -> None:
    shown = messages([DONE, DONE], {"p1": paper()})
    assert [message["role"] for message in shown] == ["user", "assistant"] * 2
    assert 'id="pa-source-1-1"' in shown[1]["content"] and 'id="pa-source-2-1"' in shown[3]["content"]


def test_what_has_no_answer_says_why() -> None:
    crashed = replace(DONE, answer=None, state=COMING, text="It boils")
    assert "Stopped" in messages([crashed], {})[1]["content"] and "It boils" in messages([crashed], {})[1]["content"]
    assert "another tab" in messages([crashed], {}, live={1})[1]["content"]
    assert "Stopped" in messages([replace(crashed, state=STOPPED)], {})[1]["content"]
    assert 'role="alert"' in messages([replace(crashed, state=FAILED, text="No LLM")], {})[1]["content"]


def test_the_abstracts_needed_are_of_cited_papers_and_of_the_nearest_to_a_decline() -> None:
    assert paper_ids([DONE, replace(DONE, answer=None)]) == ["p1"]
