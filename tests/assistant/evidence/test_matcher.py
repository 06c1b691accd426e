"""The matcher tells what of a question a paper meets; weights that are not a matcher's are told with what to do."""

from __future__ import annotations

import hashlib
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from assistant.errors import ReaderError
from assistant.evidence import matcher as module
from assistant.evidence.matcher import (
    WINDOW,
    Constants,
    Match,
    Matcher,
    Word,
    pair,
    paper_states,
    paper_windows,
    question_words,
    rareness,
    spelled,
)
from assistant.evidence.readers import shipped
from eval.held_out import ENCODER
from eval.train.matcher_network import WORD_SIGNALS, MatchNetwork, load, save
from index.embedding import MiniLM

FILE = ENCODER.with_name("matcher.safetensors")
COMMON = frozenset("how much does a an the of it when what which we in on is are why do with to and for paper papers".split())
QUESTION = "How much memory does Pebble save when it stores the cache of a language model?"
TITLE = "Pebble: a smaller cache for language models"
SENTENCES = (
    "Language models keep a cache of the tokens that they have read.",
    "We store this cache in two bits for each number.",
    "On three models, Pebble saves 71% of the memory of the cache while the answers stay the same.",
    "We give our code away.",
)
ANSWER = 2
MOTHS = ("Moths at dusk", ("Moths fly towards lamps at dusk.", "We counted moths in a garden for a summer.", "Fewer came at full moon."))


def rarity(word: str) -> float:
    """As of a library of many papers."""
    return 0.1 if word in COMMON else 0.8


@pytest.fixture(scope="module")
def embedder() -> MiniLM:
    return MiniLM(adapter=ENCODER, strength=1.0)


@pytest.fixture(scope="module")
def matcher(embedder: MiniLM) -> Matcher:
    return Matcher(embedder, FILE)


def numbers(match: Match) -> list[float]:
    return [match.met, match.unmet, match.worst, match.answers, match.contradicts, *match.evidence, *match.sentences]


def alike(one: Match, other: Match) -> bool:
    return np.allclose(numbers(one), numbers(other), atol=1e-4)


def whole(match: Match, sentences: int) -> bool:
    """Whether it says something of each sentence and all of it is a number."""
    return len(match.evidence) == len(match.sentences) == sentences and all(map(math.isfinite, numbers(match)))


# What it tells


def test_the_paper_that_answers_is_told_from_one_that_does_not(matcher: Matcher) -> None:
    answering, other = matcher.match(QUESTION, "", TITLE, SENTENCES, rarity), matcher.match(QUESTION, "", *MOTHS, rarity)
    assert answering.answers > other.answers + 1.0
    assert answering.met > other.met + 0.2
    assert answering.unmet < 0.3 < other.unmet
    assert answering.worst < other.worst
    assert max(answering.evidence) > max(other.evidence)


def test_the_sentence_that_answers_is_the_evidence(matcher: Matcher) -> None:
    match = matcher.match(QUESTION, "", TITLE, SENTENCES, rarity)
    assert match.evidence.index(max(match.evidence)) == match.sentences.index(max(match.sentences)) == ANSWER


def test_a_word_that_the_paper_lacks_is_not_met(matcher: Matcher) -> None:
    asked = "How much memory does Pebble save on {}?"
    met, unmet = (matcher.match(asked.format(word), "", TITLE, SENTENCES, rarity) for word in ("models", "volcanoes"))
    assert unmet.met < met.met and unmet.unmet > met.unmet and unmet.worst > met.worst


def test_a_figure_is_sought_by_what_is_asked_for(matcher: Matcher) -> None:
    def figure(asked: str, sentences: tuple[str, ...] = SENTENCES) -> float:
        return matcher.match(asked, "", TITLE, sentences, rarity).figure

    assert figure("How much memory does Pebble save?") > figure("How much electricity does Pebble save?") + 0.2
    assert figure("How much memory does Pebble save?", SENTENCES[:1]) == -1.0  # no figure at all
    assert figure("Does Pebble save memory?") == 0.0  # none asked for
    assert not matcher.match("Does Pebble save memory?", "", TITLE, SENTENCES, rarity).asks


def test_a_figure_of_the_title_or_of_the_next_sentence_is_not_of_what_is_asked_for(matcher: Matcher) -> None:
    asked, split = "How many gardens were visited?", ("Gardens were visited.", "Moths were counted 12 times.")
    together = matcher.match(asked, "", "Moths", ("We visited 12 gardens.", "Moths were counted."), rarity).figure
    assert together > matcher.match(asked, "", "Moths", split, rarity).figure + 0.2
    assert matcher.match(asked, "", "Moths in 12 gardens", ("Gardens were visited.",), rarity).figure == -1.0


def test_a_word_of_every_paper_weighs_nothing(matcher: Matcher) -> None:
    asked = "How much memory does Pebble save on volcanoes?"
    rare = matcher.match(asked, "", TITLE, SENTENCES, rarity)
    everywhere = matcher.match(asked, "", TITLE, SENTENCES, lambda word: 0.0 if word == "volcanoes" else rarity(word))
    assert everywhere.unmet < rare.unmet - 0.1 and everywhere.worst < rare.worst and everywhere.met > rare.met


def test_where_no_word_weighs_anything_all_are_alike(matcher: Matcher) -> None:
    assert whole(matcher.match(QUESTION, "", TITLE, SENTENCES, lambda word: 0.0), 4)


def test_turns_before_count_less_than_the_question(matcher: Matcher) -> None:
    earlier = "Do volcanoes erupt?"
    questions = ((QUESTION, ""), (QUESTION, earlier), (f"{earlier} {QUESTION}", ""))
    bare, led, asked = (matcher.match(question, before, TITLE, SENTENCES, rarity) for question, before in questions)
    assert bare.together > led.together > asked.together
    assert bare.unmet <= led.unmet < asked.unmet and bare.worst < led.worst < asked.worst and bare.met > led.met > asked.met


def test_the_question_is_read_whatever_stood_before_it(matcher: Matcher) -> None:
    before = "Tell me more of moths and of lamps. " * 60
    answering, other = (matcher.match(question, before, TITLE, SENTENCES, rarity) for question in (QUESTION, "Why do volcanoes erupt?"))
    assert answering.worst < other.worst and not alike(answering, other)


# Whatever it is given


@pytest.mark.parametrize(
    "question", ["Why?", "memory", "?", "Wie groß ist der Speicher für 缓存 – naïve 🦋?", "x" * 500, "memory " * 400, "71"]
)
def test_any_question_is_matched(matcher: Matcher, question: str) -> None:
    assert whole(matcher.match(question, "", TITLE, SENTENCES, rarity), 4)


@pytest.mark.parametrize(
    ("title", "sentences"),
    [
        (TITLE, SENTENCES[2:3]),
        ("A title that is longer than what is kept of one. " * 20, SENTENCES),
        (TITLE, ("memory and cache " * 300,)),
        (TITLE, (SENTENCES[0], "a long sentence of the cache and its bits " * 100, SENTENCES[2])),
        ("", SENTENCES),
        ("Größe – 大小 🦋", ("缓存 é ü 🦋.", "\u200b")),
        (TITLE, tuple(f"Sentence {number} says a word about the garden and its many moths." for number in range(80))),
    ],
)
def test_any_paper_is_matched(matcher: Matcher, title: str, sentences: tuple[str, ...]) -> None:
    assert whole(matcher.match(QUESTION, "", title, sentences, rarity), len(sentences))


def test_a_sentence_of_a_later_window_is_found(matcher: Matcher) -> None:
    sentences = (*(f"Sentence {number} says a word about the garden and its many moths." for number in range(60)), SENTENCES[ANSWER])
    match = matcher.match(QUESTION, "", TITLE, sentences, rarity)
    assert match.evidence.index(max(match.evidence)) == 60


def test_threads_do_not_disturb_each_other(matcher: Matcher, embedder: MiniLM) -> None:
    papers = [(TITLE, SENTENCES), MOTHS]
    expected = [matcher.match(QUESTION, "", *each, rarity) for each in papers]
    fresh = Matcher(embedder, FILE)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: fresh.match(QUESTION, "", *papers[number % 2], rarity), range(12)))
    assert all(alike(match, expected[number % 2]) for number, match in enumerate(found))
    assert abs(expected[0].answers - expected[1].answers) > 1.0


# Its parts


def test_rareness_goes_from_0_to_1() -> None:
    assert rareness(640, 640) == 0.0 and rareness(640, 0) == 1.0
    assert rareness(8, 2) == pytest.approx(0.5)


def test_a_words_weight_is_of_the_rarer_nowhere() -> None:
    constants = Constants(np.zeros(3), np.eye(3), 8, {"study": 8, "cache": 2})
    weigh = {word: constants.weight(word, lambda word: 0.25) for word in ("study", "cache", "pebble", "?")}
    assert weigh == pytest.approx({"study": 0.0, "cache": 0.25 * 6.463, "pebble": 0.25 * 6.463, "?": 0.0})
    assert constants.weight("cache", lambda word: 1.0) == pytest.approx(0.5 * 6.463)


def test_pieces_make_words() -> None:
    assert spelled(["peb", "##ble", "saves", "?"]) == [("pebble", (0, 1)), ("saves", (2,)), ("?", (3,))]
    assert spelled(["##ble", "saves"]) == [("ble", (0,)), ("saves", (1,))]
    words = question_words(["which", "peb", "##ble"], 1, lambda word: float(len(word)))
    assert words == [Word("which", (0,), 5.0, False), Word("pebble", (1, 2), 6.0, True)]


def test_every_window_begins_with_the_title_and_holds_whole_sentences() -> None:
    sentences = [[10 + number] * 100 for number in range(4)]
    windows = paper_windows([7] * 80, sentences)
    assert [len(window.ids) for window in windows] == [160, 160, 160, 160]
    assert all(window.ids[:60] == [7] * 60 for window in windows)
    assert [set(window.sentence) for window in windows] == [{0, 1}, {-1, 2}, {-1, 3}, {-1, 4}]
    (cut,) = paper_windows([7], [[8] * 500])
    assert len(cut.ids) == WINDOW and cut.sentence == [0] + [1] * (WINDOW - 1)


def test_of_the_title_only_the_first_windows_states_are_kept() -> None:
    windows = paper_windows([7, 8], [[9] * 200, [10] * 100])
    states = [np.full((len(window.ids), 2), number, dtype=np.float32) for number, window in enumerate(windows)]
    paper = paper_states(windows, states, lambda ids: [f"word{token}" for token in ids])
    assert len(paper.vectors) == 302 and paper.sentence.tolist() == [0] * 2 + [1] * 200 + [2] * 100
    assert paper.vectors[:202].max() == 0 and paper.vectors[202:].min() == 1
    assert paper.title == {"word7", "word8"} and paper.words == {"word7", "word8", "word9", "word10"}


def test_a_long_question_keeps_its_last_pieces_with_their_own_signals() -> None:
    paper = paper_states(paper_windows([1], [[2]]), [np.zeros((2, 3), dtype=np.float32)], lambda ids: [f"w{token}" for token in ids])
    words = question_words([*(f"old{number}" for number in range(45)), "w1", "12", "w2", "new", "new2"], 45, lambda word: 3.0)
    states = np.arange(50, dtype=np.float32)[:, None]
    made = pair(states, words, paper, 1)
    assert made.question[:, 0].tolist() == list(range(10, 50)) and made.signals.shape == (40, WORD_SIGNALS)
    assert made.signals[-6:].tolist() == [
        [0.5, 0, 0, 0, 0],
        [0.5, 1, 1, 0, 1],
        [0.5, 0, 0, 1, 1],
        [0.5, 1, 0, 0, 1],
        [0.5, 0, 0, 0, 1],
        [0.5, 0, 0, 0, 1],
    ]


# Its file


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    network, constants = load(FILE)
    save(network, replace(constants, asked={"größe": 9}, questions=77), tmp_path / "again.safetensors")
    again, told = load(tmp_path / "again.safetensors")
    assert (told.asked, told.questions) == ({"größe": 9}, 77)
    assert np.array_equal(told.centre, constants.centre) and np.array_equal(told.projection, constants.projection)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in network.state_dict().items())
    assert not again.training


def test_the_same_weights_are_the_same_bytes(tmp_path: Path) -> None:
    network, constants = load(FILE)
    turned = replace(constants, asked=dict(reversed(constants.asked.items())))
    for number, each in enumerate((constants, turned, replace(constants, questions=1))):
        save(network, each, tmp_path / str(number))
    one, two, three = ((tmp_path / str(number)).read_bytes() for number in range(3))
    assert one == two != three


def test_the_shipped_file_is_the_one_that_is_named() -> None:
    assert hashlib.sha256(module.FILE.read_bytes()).hexdigest() == module.SHA256
    assert shipped(MiniLM()).matcher is not None


def test_missing_weights_are_told_at_once(embedder: MiniLM, tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"gone\.safetensors: .* not there: reinstall paper-assistant"):
        Matcher(embedder, tmp_path / "gone.safetensors")


def test_other_weights_are_told_at_once(embedder: MiniLM, tmp_path: Path) -> None:
    right = hashlib.sha256(FILE.read_bytes()).hexdigest()
    damaged = tmp_path / "matcher.safetensors"
    content = bytearray(FILE.read_bytes())
    content[-7] ^= 1
    damaged.write_bytes(content)
    Matcher(embedder, FILE, right)
    with pytest.raises(ReaderError, match=r"SHA-256 .*expected .*reinstall paper-assistant, or train it anew"):
        Matcher(embedder, damaged, right)


def parts() -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safe_open(FILE, "pt") as opened:
        return {name: opened.get_tensor(name) for name in opened.keys()}, opened.metadata()  # noqa: SIM118 - not a mapping


@pytest.mark.parametrize("name", ["centre", "projection", "ask.weight"])
def test_a_file_that_lacks_a_part_is_told(embedder: MiniLM, tmp_path: Path, name: str) -> None:
    weights, told = parts()
    del weights[name]
    save_file(weights, tmp_path / "matcher.safetensors", told)
    with pytest.raises(ReaderError, match=f"not a matcher's weights (?s:.*){name}(?s:.*)reinstall paper-assistant"):
        Matcher(embedder, tmp_path / "matcher.safetensors")


@pytest.mark.parametrize("told", [None, {"questions": "5"}, {"questions": "many", "words": "{}"}, {"questions": "5", "words": "{"}])
def test_a_file_without_its_word_counts_is_told(embedder: MiniLM, tmp_path: Path, told: dict[str, str] | None) -> None:
    save_file(parts()[0], tmp_path / "matcher.safetensors", told)
    with pytest.raises(ReaderError, match="not a matcher's weights"):
        Matcher(embedder, tmp_path / "matcher.safetensors")


def test_a_file_of_other_weights_is_told(embedder: MiniLM, tmp_path: Path) -> None:
    (tmp_path / "text.safetensors").write_bytes(b"hello" * 100)
    save_file({"ask.weight": torch.zeros(2, 2)}, tmp_path / "small.safetensors")
    for file in (tmp_path / "text.safetensors", tmp_path / "small.safetensors", ENCODER):
        with pytest.raises(ReaderError, match="not a matcher's weights"):
            Matcher(embedder, file)


def test_a_fresh_network_is_of_the_shape_that_ships() -> None:
    weights, _ = parts()
    assert {name: value.shape for name, value in MatchNetwork().state_dict().items()} == {
        name: value.shape for name, value in weights.items() if name not in {"centre", "projection"}
    }
