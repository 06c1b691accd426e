from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from assistant import Assistant
from assistant.llms.scripted import ScriptedLLM
from index import Library
from index.embedding import ToyEmbedder
from ui.conversation import Conversation, history, messages, stopped
from ui.reader import Options, Reader

QUESTION = "What does TideCache cut, and by how much?"
REPLY = "TideCache cuts time to first token by 2.4x over recomputation [1]. It evicts the least valuable branch first [1]."


@pytest.fixture
def llm() -> ScriptedLLM:
    return ScriptedLLM(replies=[REPLY])


@pytest.fixture
def reader(toy_library: Library, llm: ScriptedLLM) -> Reader:
    return Reader(Assistant(toy_library.home, llm, library=toy_library))


def last(states: Iterator[Conversation]) -> Conversation:
    return list(states)[-1]


def test_text_grows_before_the_answer_is_done(reader: Reader) -> None:
    states = list(reader.ask(QUESTION, (), Options()))
    texts = [state[-1].coming for state in states if state[-1].coming]
    assert len(texts) > 3
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert states[-1][-1].answer is not None
    assert states[-1][-1].coming is None


def test_an_answered_turn_is_history_for_the_next(reader: Reader, llm: ScriptedLLM) -> None:
    first = last(reader.ask(QUESTION, (), Options()))
    second = last(reader.ask("And how does it evict?", first, Options()))
    assert [exchange.question for exchange in second] == [QUESTION, "And how does it evict?"]
    assert second[0] == first[0]
    assert QUESTION in llm.prompts[-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(since="last May"), "is not a date"),
        (Options(llm="no-such:model"), "Unknown LLM"),
    ],
)
def test_a_failure_is_a_notice_and_loses_nothing(reader: Reader, options: Options, words: str) -> None:
    before = last(reader.ask(QUESTION, (), Options()))
    after = last(reader.ask("Again?", before, options))
    assert after[:-1] == before
    assert words in after[-1].shown
    assert 'role="alert"' in after[-1].shown
    assert len(history(after)) == 1


def test_an_error_that_nobody_foresaw_is_told_in_the_page_and_in_full_in_the_log(
    reader: Reader, toy_library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    before = last(reader.ask(QUESTION, (), Options()))
    toy_library.close()
    toy_library.catalogue.papers = None  # type: ignore[assignment,method-assign]
    after = last(reader.ask(QUESTION, before, Options()))
    assert after[:-1] == before
    assert "The program failed on this question" in after[-1].shown
    assert "Traceback" in caplog.text


def test_a_book_pasted_as_a_question_is_refused_in_words(reader: Reader) -> None:
    assert "characters" in last(reader.ask("word " * 20_000, (), Options()))[-1].shown


def test_an_empty_library_says_what_to_do(tmp_path: Path) -> None:
    library = Library(tmp_path / "empty", ToyEmbedder())
    shown = last(Reader(Assistant(library.home, "extractive", library=library)).ask(QUESTION, (), Options()))[-1].shown
    assert "has no papers yet" in shown
    assert "assistant index" in shown
    library.close()


def test_an_llm_that_fails_gives_way_to_quotes_with_a_warning(toy_library: Library) -> None:
    failing = ScriptedLLM(replies=[REPLY], fail_after=13)
    states = list(Reader(Assistant(toy_library.home, failing, library=toy_library)).ask(QUESTION, (), Options()))
    assert any("Quoting the papers instead" in state[-1].shown for state in states)
    assert 'class="pa-warning"' in states[-1][-1].shown
    assert "no part of the answer</summary>" in states[-1][-1].shown


def test_a_reader_who_leaves_stops_an_llm_that_is_silent(toy_library: Library) -> None:
    asked, left = threading.Event(), threading.Event()

    def reply(prompt: str) -> str:
        asked.set()
        left.wait(5)
        return REPLY

    asking = Reader(Assistant(toy_library.home, ScriptedLLM(replies=[reply]), library=toy_library)).ask(QUESTION, (), Options())
    while not asked.is_set():
        next(asking)
    before = {thread for thread in threading.enumerate() if thread.name.startswith("Thread")}
    asking.close()  # type: ignore[attr-defined]
    for thread in before:
        thread.join(3)
    assert not any(thread.is_alive() for thread in before if "run" in thread.name)
    left.set()


def test_the_page_can_go_back_from_an_llm_to_quoting(reader: Reader) -> None:
    answer = last(reader.ask(QUESTION, (), Options(llm=" extractive ")))[-1].answer
    assert answer is not None
    assert answer.mode == "extractive"


def test_conversations_of_two_readers_do_not_mix(reader: Reader) -> None:
    one, two = reader.ask(QUESTION, (), Options()), reader.ask("What does Orchard Sort grade?", (), Options())
    grown: list[Conversation] = [(), ()]
    for grown[0], grown[1] in zip(one, two, strict=False):
        pass
    assert [len(conversation) for conversation in grown] == [1, 1]
    assert grown[0][0].question == QUESTION
    assert grown[1][0].question == "What does Orchard Sort grade?"


def test_a_stopped_answer_stays_to_be_read_but_is_no_history(reader: Reader) -> None:
    coming = next(state for state in reader.ask(QUESTION, (), Options()) if state[-1].coming)
    conversation = stopped(coming)
    assert "Stopped" in conversation[-1].shown
    assert (coming[-1].coming or "?").partition(" [")[0] in conversation[-1].shown
    assert history(conversation) == []


def test_stopping_what_is_done_changes_nothing(reader: Reader) -> None:
    done = last(reader.ask(QUESTION, (), Options()))
    assert stopped(done) == done
    assert stopped(()) == ()


def test_each_exchange_is_a_message_of_either_side(reader: Reader) -> None:
    shown = messages(last(reader.ask(QUESTION, (), Options())))
    assert [message["role"] for message in shown] == ["user", "assistant"]
    assert "TideCache" in shown[0]["content"]
