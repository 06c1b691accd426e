from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from assistant import Assistant
from assistant.conversations import ANSWERED, COMING, FAILED, STOPPED, Conversations, Exchange, history
from assistant.llms.scripted import ScriptedLLM
from index import Library
from index.embedding import ToyEmbedder
from ui.conversation import View
from ui.narrowing import Narrowing
from ui.reader import FOLLOW_UPS, Choice, Reader, Shown

QUESTION = "What does TideCache cut, and by how much?"
REPLY = "TideCache cuts time to first token by 2.4x over recomputation [1]. It evicts the least valuable branch first [1]."


@pytest.fixture
def llm() -> ScriptedLLM:
    return ScriptedLLM(replies=[REPLY])


@pytest.fixture
def kept(toy_library: Library) -> Iterator[Conversations]:
    opened = Conversations(toy_library.home)
    yield opened
    opened.close()


@pytest.fixture
def reader(toy_library: Library, llm: ScriptedLLM, kept: Conversations) -> Reader:
    return Reader(Assistant(toy_library.home, llm, library=toy_library), kept)


def asked(reader: Reader, question: str = QUESTION, view: View = View(), choice: Choice = Choice()) -> View:
    """Where the tab is when the answer is there."""
    return last(reader.ask(question, view, choice))[0]


def last(states: Iterator[Shown]) -> Shown:
    return list(states)[-1]


def replies(states: Iterator[Shown]) -> list[str]:
    return [messages[-1]["content"] for _, messages in states]


def exchanges(kept: Conversations, view: View) -> tuple[Exchange, ...]:
    return kept.exchanges(view.conversation_id)


def test_text_grows_before_the_answer_is_done(reader: Reader) -> None:
    shown = replies(reader.ask(QUESTION, View(), Choice()))
    lengths = [len(html) for html in dict.fromkeys(shown) if "pa-coming" in html]
    assert lengths and all(one < other for one, other in pairwise(lengths))
    assert "pa-source" in shown[-1] and "pa-coming" not in shown[-1]


def test_an_answered_turn_is_kept_and_history_for_the_next(reader: Reader, llm: ScriptedLLM, kept: Conversations) -> None:
    view = asked(reader)
    view = asked(reader, "And how does it evict?", view)
    assert [exchange.question for exchange in exchanges(kept, view)] == [QUESTION, "And how does it evict?"]
    assert [one.title for one in kept.listed()] == [QUESTION]
    assert QUESTION in llm.prompts[-1]


def test_after_a_restart_a_follow_up_knows_what_went_before(toy_library: Library, reader: Reader, kept: Conversations) -> None:
    view = asked(reader)
    kept.close()
    again, llm = Conversations(toy_library.home), ScriptedLLM(replies=[REPLY])
    anew = Reader(Assistant(toy_library.home, llm, library=toy_library), again)
    assert len(anew.messages(view)) == 2 and "pa-source-1-1" in anew.messages(view)[1]["content"]
    asked(anew, "And how does it evict?", view)
    assert QUESTION in llm.prompts[-1]
    again.close()


def test_two_tabs_on_one_conversation_see_each_others_turns(reader: Reader, llm: ScriptedLLM, kept: Conversations) -> None:
    first = asked(reader)
    second = View(conversation_id=first.conversation_id)
    asked(reader, "And how does it evict?", second)
    _, messages = last(reader.ask("And the throughput?", first, Choice()))
    assert len(messages) == 6
    assert "how does it evict" in llm.prompts[-1]
    assert len(exchanges(kept, first)) == 3


@pytest.mark.parametrize(
    ("choice", "words"), [(Choice(Narrowing(year=("last May",))), "is not a date"), (Choice(llm="no-such:model"), "Unknown LLM")]
)
def test_a_failure_is_a_notice_is_kept_and_loses_nothing(reader: Reader, kept: Conversations, choice: Choice, words: str) -> None:
    view = asked(reader)
    before = reader.messages(view)
    _, after = last(reader.ask("Again?", view, choice))
    assert after[:2] == before
    assert words in after[-1]["content"] and 'role="alert"' in after[-1]["content"]
    assert [exchange.state for exchange in exchanges(kept, view)] == [ANSWERED, FAILED]
    assert reader.messages(view) == after
    assert len(history(exchanges(kept, view))) == 1


def test_an_error_that_nobody_foresaw_is_told_in_the_page_and_in_full_in_the_log(
    reader: Reader, toy_library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    view = asked(reader)
    toy_library.lexical = None  # type: ignore[assignment]
    _, after = last(reader.ask(QUESTION, view, Choice()))
    assert "The program failed on this question" in after[-1]["content"]
    assert "Traceback" in caplog.text


def test_a_book_pasted_as_a_question_is_refused_in_words(reader: Reader) -> None:
    assert "characters" in replies(reader.ask("word " * 20_000, View(), Choice()))[-1]


def test_an_empty_library_says_what_to_do(tmp_path: Path) -> None:
    library = Library(tmp_path / "empty", ToyEmbedder())
    asking = Reader(Assistant(library.home, "extractive", library=library), Conversations(None)).ask(QUESTION, View(), Choice())
    shown = replies(asking)[-1]
    assert "has no papers yet" in shown and "assistant index" in shown
    library.close()


def test_an_llm_that_fails_gives_way_to_quotes_with_a_warning_also_after_a_reload(toy_library: Library, kept: Conversations) -> None:
    failing = Reader(Assistant(toy_library.home, ScriptedLLM(replies=[REPLY], fail_after=13), library=toy_library), kept)
    states = list(failing.ask(QUESTION, View(), Choice()))
    assert any("Quoting the papers instead" in messages[-1]["content"] for _, messages in states)
    shown = failing.messages(states[-1][0])[-1]["content"]
    assert 'class="pa-warning"' in shown and "no part of the answer</summary>" in shown
    assert shown == states[-1][1][-1]["content"]


def test_a_reader_who_leaves_stops_an_llm_that_is_silent(toy_library: Library, kept: Conversations) -> None:
    reached, left = threading.Event(), threading.Event()

    def reply(prompt: str) -> str:
        reached.set()
        left.wait(5)
        return REPLY

    asking = Reader(Assistant(toy_library.home, ScriptedLLM(replies=[reply]), library=toy_library), kept).ask(QUESTION, View(), Choice())
    while not reached.is_set():
        view, _ = next(asking)
    before = {thread for thread in threading.enumerate() if thread.name.startswith("Thread")}
    asking.close()  # type: ignore[attr-defined]
    for thread in before:
        thread.join(3)
    assert not any(thread.is_alive() for thread in before if "run" in thread.name)
    assert [exchange.state for exchange in exchanges(kept, view)] == [STOPPED]
    left.set()


def test_the_page_can_go_back_from_an_llm_to_quoting(reader: Reader, kept: Conversations) -> None:
    [exchange] = exchanges(kept, asked(reader, choice=Choice(llm=" extractive ")))
    assert exchange.answer is not None and exchange.answer.mode == "extractive"


def test_conversations_of_two_readers_do_not_mix(reader: Reader, kept: Conversations) -> None:
    one, two = reader.ask(QUESTION, View("ada"), Choice()), reader.ask("What does Orchard Sort grade?", View("bo"), Choice())
    views = [View(), View()]
    for (views[0], _), (views[1], _) in zip(one, two, strict=False):
        pass
    list(one), list(two)
    for owner, view, question in zip(("ada", "bo"), views, (QUESTION, "What does Orchard Sort grade?"), strict=True):
        assert [exchange.question for exchange in kept.owned_by(owner).exchanges(view.conversation_id)] == [question]


def test_a_stopped_answer_stays_to_be_read_but_is_no_history(reader: Reader, kept: Conversations) -> None:
    asking = reader.ask(QUESTION, View(), Choice())
    view, _ = next(state for state in asking if "TideCache" in state[1][-1]["content"])
    asking.close()  # type: ignore[attr-defined]
    reader.stop(view)
    [exchange] = exchanges(kept, view)
    assert exchange.state == STOPPED and "TideCache" in exchange.text
    assert "Stopped" in reader.messages(view)[-1]["content"] and exchange.text.split()[0] in reader.messages(view)[-1]["content"]
    assert history([exchange]) == []


def test_stopping_what_is_done_changes_nothing(reader: Reader, kept: Conversations) -> None:
    view = asked(reader)
    reader.stop(view)
    reader.stop(View())
    assert [exchange.state for exchange in exchanges(kept, view)] == [ANSWERED]


def test_a_question_is_kept_before_it_is_answered_and_shown_in_other_tabs_as_being_answered(reader: Reader, kept: Conversations) -> None:
    asking = reader.ask(QUESTION, View(), Choice())
    view, _ = next(asking)
    assert [exchange.state for exchange in exchanges(kept, view)] == [COMING]
    assert "another tab" in reader.messages(View(conversation_id=view.conversation_id))[-1]["content"]
    list(asking)
    assert "another tab" not in reader.messages(view)[-1]["content"]


def test_a_conversation_that_was_deleted_meanwhile_is_begun_anew(reader: Reader, kept: Conversations) -> None:
    view = asked(reader)
    kept.delete(view.conversation_id)
    again = asked(reader, "And how does it evict?", view)
    assert again.conversation_id != view.conversation_id
    assert [exchange.question for exchange in exchanges(kept, again)] == ["And how does it evict?"]


@pytest.mark.parametrize("name", ["source", "author", "venue", "tag"])
def test_every_filter_of_the_page_reaches_the_library(reader: Reader, name: str) -> None:
    choice = Choice(Narrowing(**{name: ("nowhere",)}), "extractive")
    assert f"no paper passes the filter ({name} nowhere)" in replies(reader.ask(QUESTION, View(), choice))[-1]


def test_a_question_takes_the_place_of_another_and_of_those_after_it(reader: Reader, kept: Conversations, llm: ScriptedLLM) -> None:
    view = asked(reader)
    first = exchanges(kept, view)[0]
    view = asked(reader, "And how does it evict?", view)
    view, messages = last(reader.ask("What does TideCache keep?", replace(view, replacing=first.exchange_id), Choice()))
    assert [exchange.question for exchange in exchanges(kept, view)] == ["What does TideCache keep?"]
    assert [one.title for one in kept.listed()] == ["What does TideCache keep?"]
    assert len(messages) == 2 and view.replacing == 0 and QUESTION not in llm.prompts[-1]


def test_quoting_answers_wait_for_no_llm_and_whoever_waits_is_told_for_how_many(
    toy_library: Library, kept: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.reader._WRITING_AT_ONCE", 1)
    monkeypatch.setattr("ui.reader._PULSE_SECONDS", 0.02)
    reader = Reader(Assistant(toy_library.home, ScriptedLLM(replies=[REPLY]), library=toy_library), kept)
    first, second = reader.ask(QUESTION, View(), Choice()), reader.ask(QUESTION, View(), Choice())
    next(first), next(first)  # now inside, and not asked for more
    next(second)
    assert "Waiting for 1 question before yours" in next(second)[1][-1]["content"]
    assert "pa-source" in replies(reader.ask(QUESTION, View(), Choice(llm="extractive")))[-1]
    list(first)
    assert "pa-source" in replies(second)[-1]


def test_what_is_offered_next_has_an_answer_that_was_not_given_yet(starter: Assistant) -> None:
    kept = Conversations(None)
    reader = Reader(starter, kept)
    view = asked(reader, "How does Hydragen handle a shared prefix?")
    [exchange] = exchanges(kept, view)
    assert exchange.answer
    quoted = {one.quote for one in exchange.answer.citations}
    for question in reader.follow_ups(view, Choice()):
        answer = starter.answer(question, history([exchange]))
        assert question in FOLLOW_UPS and answer.answered and not quoted & {one.quote for one in answer.citations}
    assert reader.follow_ups(View(), Choice()) == []
    kept.close()
