from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant import Answer, Assistant
from assistant.conversations import ANSWERED, COMING, FILE, STOPPED, Conversations, history, to_json, to_markdown
from index import HomeError, Library
from tests.conftest import ROOT
from tests.ui.records import answer, citation, paper

QUESTION = "How fast is TideKettle?"
GIVEN = answer(citations=(citation(paper(), authors=("Moss, Ada",), doi="10.1000/kettle"),))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Conversations]:
    opened = Conversations(tmp_path)
    yield opened
    opened.close()


def asked(kept: Conversations, question: str = QUESTION, given: Answer | None = GIVEN) -> str:
    conversation_id = kept.begin(question)
    exchange_id = kept.ask(conversation_id, question)
    if given:
        kept.finish(exchange_id, given)
    return conversation_id


def test_a_conversation_is_there_again_after_a_restart_its_answer_the_same_to_the_last_field(tmp_path: Path, kept: Conversations) -> None:
    conversation_id = asked(kept)
    kept.close()
    again = Conversations(tmp_path)
    [exchange] = again.exchanges(conversation_id)
    assert (exchange.question, exchange.state, exchange.answer) == (QUESTION, ANSWERED, GIVEN)
    assert history([exchange]) == [(QUESTION, GIVEN)]
    again.close()


def test_an_answer_of_the_engine_comes_back_from_its_record(toy_library: Library) -> None:
    given = Assistant(toy_library.home, "extractive", library=toy_library).answer("What does TideCache cut, and by how much?")
    assert given.citations and Answer.from_dict(json.loads(json.dumps(given.to_dict()))) == given


def test_what_a_newer_version_told_of_an_answer_beside_is_left_out() -> None:
    record = GIVEN.to_dict()
    record["mood"] = record["citations"][0]["colour"] = "blue"
    assert Answer.from_dict(record) == GIVEN


def test_a_crash_in_the_middle_of_an_answer_keeps_the_question_and_what_had_come(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from assistant.conversations import Conversations; "
        f"kept = Conversations(Path(sys.argv[1])); one = kept.begin({QUESTION!r}); number = kept.ask(one, {QUESTION!r}); "
        "kept.keep(number, 'TideKettle boils'); print(one, flush=True); os.kill(os.getpid(), 9)"
    )
    died = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    again = Conversations(tmp_path)
    [exchange] = again.exchanges(died.stdout.strip())
    assert (exchange.question, exchange.state, exchange.text) == (QUESTION, COMING, "TideKettle boils")
    again.close()


def test_what_has_ended_stays_as_it_is(kept: Conversations) -> None:
    conversation_id = kept.begin(QUESTION)
    exchange_id = kept.ask(conversation_id, QUESTION)
    kept.keep(exchange_id, "TideKettle")
    kept.stop(exchange_id)
    kept.finish(exchange_id, GIVEN)
    kept.fail(exchange_id, "no")
    [exchange] = kept.exchanges(conversation_id)
    assert (exchange.state, exchange.text, exchange.answer) == (STOPPED, "TideKettle", None)


def test_two_tabs_asking_at_once_lose_no_turn(tmp_path: Path, kept: Conversations) -> None:
    conversation_id, other = kept.begin(QUESTION), Conversations(tmp_path)

    def ask_many(tab: Conversations, name: str) -> None:
        for number in range(20):
            tab.finish(tab.ask(conversation_id, f"{name} {number}?"), GIVEN)

    threads = [threading.Thread(target=ask_many, args=(tab, name)) for tab, name in ((kept, "a"), (kept, "b"), (other, "c"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    exchanges = kept.exchanges(conversation_id)
    assert len(exchanges) == 60 and all(exchange.answer == GIVEN for exchange in exchanges)
    other.close()


def test_conversations_are_listed_by_their_last_question_and_named_by_their_first(tmp_path: Path) -> None:
    clock = iter(range(1000, 2000))
    kept = Conversations(tmp_path, now=lambda: float(next(clock)))
    first, second = asked(kept, "Which plug?"), asked(kept, f"{'very ' * 40}long?")
    assert [one.conversation_id for one in kept.listed()] == [second, first]
    kept.ask(first, "And which kettle?")
    assert kept.listed()[0].title == "Which plug?"
    assert len(kept.listed()[1].title) <= 80 and kept.listed()[1].title.endswith("very…")
    kept.close()


def test_a_search_needs_every_word_somewhere_and_no_accent_or_case(kept: Conversations) -> None:
    found, _ = asked(kept, "Who was Poincaré?"), asked(kept, "Which plug?", answer("None is needed."))
    assert [one.conversation_id for one in kept.listed("POINCARE boils")] == [found]
    assert kept.listed("poincare needed") == []
    assert kept.listed("% _ ' \" *") == []


def test_renamed_deleted_and_brought_back(kept: Conversations) -> None:
    conversation_id = asked(kept)
    kept.rename(conversation_id, "  My   kettles ")
    kept.rename(conversation_id, " ")
    assert kept.listed()[0].title == "My kettles"
    kept.delete(conversation_id)
    assert kept.listed() == [] and kept.conversation(conversation_id) is None and kept.exchanges(conversation_id) == ()
    with pytest.raises(KeyError):
        kept.ask(conversation_id, "More?")
    kept.restore(conversation_id)
    assert [one.title for one in kept.listed()] == ["My kettles"] and len(kept.exchanges(conversation_id)) == 1


def test_what_was_deleted_goes_for_good_after_thirty_days(tmp_path: Path) -> None:
    kept = Conversations(tmp_path, now=lambda: 1000.0)
    conversation_id = asked(kept)
    kept.delete(conversation_id)
    kept.close()
    for days, there in ((29, True), (31, False)):
        later = Conversations(tmp_path, now=lambda days=days: 1000.0 + days * 86400.0)  # type: ignore[misc]
        rows = sqlite3.connect(tmp_path / FILE).execute("SELECT count(*) FROM exchanges").fetchone()[0]
        assert bool(rows) is there
        later.close()


def test_each_user_sees_and_changes_only_his_own(kept: Conversations) -> None:
    ada, bo = kept.owned_by("ada"), kept.owned_by("bo")
    conversation_id = asked(ada)
    coming = ada.ask(conversation_id, "And then?")
    bo.rename(conversation_id, "mine")
    bo.delete(conversation_id)
    bo.finish(coming, GIVEN)
    assert bo.listed() == [] and bo.conversation(conversation_id) is None and bo.exchanges(conversation_id) == ()
    with pytest.raises(KeyError):
        bo.ask(conversation_id, "More?")
    assert [one.title for one in ada.listed()] == [QUESTION]
    assert [exchange.state for exchange in ada.exchanges(conversation_id)] == [ANSWERED, COMING]


def test_the_markdown_has_questions_answers_references_and_bibtex_of_what_was_cited(kept: Conversations) -> None:
    conversation_id = asked(kept)
    kept.stop(kept.ask(conversation_id, "# Why *so* <b>slow</b>?"))
    conversation = kept.conversation(conversation_id)
    assert conversation is not None
    text = to_markdown(conversation, kept.exchanges(conversation_id))
    assert f"## {QUESTION}\n\nTideKettle boils water 3x faster. [1]\n\n1. Moss, Ada. [TideKettle: Faster Tea]" in text
    assert r"## \# Why \*so\* \<b\>slow\</b\>?" in text and "Stopped before the answer was there" in text
    assert text.count("@misc{moss2024tidekettle") == 1 and "doi = {10.1000/kettle}" in text


def test_a_title_cannot_end_the_markdowns_fence(kept: Conversations) -> None:
    hostile = paper(display_title="Kettles ```` <script>alert(1)</script>")
    conversation_id = asked(kept, given=answer(citations=(citation(hostile),)))
    conversation = kept.conversation(conversation_id)
    assert conversation is not None
    text = to_markdown(conversation, kept.exchanges(conversation_id))
    assert "`````bibtex\n" in text and text.rstrip().endswith("\n`````")
    assert "<script>" not in text.partition("## BibTeX")[0]


def test_the_json_has_every_exchange_with_its_answer(kept: Conversations) -> None:
    conversation_id = asked(kept)
    kept.fail(kept.ask(conversation_id, "Why?"), "the LLM was silent")
    conversation = kept.conversation(conversation_id)
    assert conversation is not None
    record = json.loads(to_json(conversation, kept.exchanges(conversation_id)))
    assert [exchange["state"] for exchange in record["exchanges"]] == ["answered", "failed"]
    assert record["exchanges"][0]["answer"] == GIVEN.to_dict()
    assert record["exchanges"][1]["text"] == "the LLM was silent"


def test_markdown_of_an_answer_numbers_its_references_as_its_markers() -> None:
    other = replace(paper(), paper_id="p2", display_title="Slow Cups")
    given = answer("Fast. [1]\n- It has **no** plug. [2] [1]", (citation(other, marker=2), citation(paper())))
    assert given.to_markdown() == (
        "Fast. [1]\n- It has \\*\\*no\\*\\* plug. [2] [1]\n\n"
        "1. TideKettle: Faster Tea. 2024. (summary in our own words, not the authors' abstract).\n"
        "2. Slow Cups. 2024. (summary in our own words, not the authors' abstract)."
    )


@pytest.mark.parametrize("spoil", ["no database at all" * 100, None])
def test_a_damaged_or_newer_file_is_told_and_kept(tmp_path: Path, spoil: str | None) -> None:
    if spoil:
        (tmp_path / FILE).write_text(spoil)
    else:
        with sqlite3.connect(tmp_path / FILE) as db:
            db.execute("PRAGMA user_version = 99")
    with pytest.raises(HomeError, match="damaged: move it away" if spoil else "newer version"):
        Conversations(tmp_path)
    assert (tmp_path / FILE).stat().st_size > 0


def test_the_file_is_its_owners_alone(tmp_path: Path, kept: Conversations) -> None:
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_without_a_home_conversations_last_as_long_as_the_program(tmp_path: Path) -> None:
    kept = Conversations(None)
    assert len(kept.exchanges(asked(kept))) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_reading_list_is_kept_and_each_has_his_own(tmp_path: Path, kept: Conversations) -> None:
    kettle, cup = paper(), replace(paper(), paper_id="cup", display_title="Cups")
    kept.keep_papers([kettle, cup])
    kept.keep_papers([kettle])
    kept.owned_by("ada").keep_papers([cup])
    kept.close()
    again = Conversations(tmp_path)
    assert [(one.paper_id, one.title) for one in again.kept()] == [("cup", "Cups"), (kettle.paper_id, kettle.display_title)]
    again.drop_paper("cup")
    assert [one.paper_id for one in again.kept()] == [kettle.paper_id]
    assert [one.paper_id for one in again.owned_by("ada").kept()] == ["cup"]
    again.close()


def test_conversations_of_version_1_are_all_there_with_an_empty_reading_list(tmp_path: Path, kept: Conversations) -> None:
    conversation_id = asked(kept)
    kept.close()
    with sqlite3.connect(tmp_path / FILE) as db:
        db.executescript("DROP TABLE kept; PRAGMA user_version = 1")
    again = Conversations(tmp_path)
    assert again.kept() == [] and len(again.exchanges(conversation_id)) == 1
    again.close()
