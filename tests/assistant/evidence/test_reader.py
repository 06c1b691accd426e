"""The shipped reader reads; weights that are not a reader's are told with what to do."""

from __future__ import annotations

import hashlib
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from assistant.errors import ReaderError
from assistant.evidence import reader_weights
from assistant.evidence.reader import Reader, Reading, Text, shipped
from eval.train.pack import ANSWERS, CONTRADICTS, SILENT
from eval.train.reader_network import MAX_TOKENS, STANCES, Pair, collate

QUESTION = "How much memory does Pebble save when it stores the cache of a language model?"
SEARCH = (0.75, 0.6, 0.55, 0.5)
ANSWERING = Text(
    "Pebble: a smaller cache for language models",
    (
        "Language models keep a cache of the tokens that they have read.",
        "We store this cache in two bits for each number.",
        "On three models, Pebble lowers the memory of the cache by 71% while the answers stay the same.",
        "We give our code away.",
    ),
    SEARCH,
    (0.5, 0.5, 0.55, 0.1),
)
ANSWER = 2
OFF_TOPIC = Text(
    "Moths at dusk",
    ("Moths fly towards lamps at dusk.", "We counted moths in a garden for a summer.", "Fewer came when the moon was up."),
    SEARCH,
    (0.5, 0.5, 0.55),
)
FILE = reader_weights.FILE


@pytest.fixture(scope="module")
def reader() -> Reader:
    return shipped()


def alike(one: Reading, other: Reading) -> bool:
    """Within what padding may change."""
    ours, theirs = ([each.relevance, each.answers, each.contradicts, *each.evidence] for each in (one, other))
    return all(a == b or abs(a - b) < 1e-4 for a, b in zip(ours, theirs, strict=True))


def test_the_paper_that_answers_is_told_from_one_that_does_not(reader: Reader) -> None:
    answering, other = reader.read(QUESTION, "", [ANSWERING, OFF_TOPIC])
    assert answering.answers > 5 * other.answers
    assert answering.relevance > other.relevance
    assert answering.evidence.index(max(answering.evidence)) == ANSWER
    assert answering.answers + answering.contradicts <= 1.0


def test_without_its_evidence_the_paper_answers_less(reader: Reader) -> None:
    kept = [number for number in range(4) if number != ANSWER]
    without = Text(ANSWERING.title, tuple(ANSWERING.sentences[n] for n in kept), SEARCH, tuple(ANSWERING.cosines[n] for n in kept))
    whole, cut = reader.read(QUESTION, "", [ANSWERING, without])
    assert whole.answers > cut.answers + 0.2


def test_several_at_once_are_read_as_one_by_one(reader: Reader) -> None:
    texts = [ANSWERING, OFF_TOPIC, Text("A title alone", ("One sentence.",), (0.1, 0.1, 0.1, 0.0), (0.1,))]
    together = reader.read(QUESTION, "", texts)
    alone = [reader.read(QUESTION, "", [text])[0] for text in texts]
    assert all(map(alike, together, alone))
    assert not alike(together[0], together[1])
    assert [len(reading.evidence) for reading in together] == [4, 3, 1]


def test_turns_before_are_read_too(reader: Reader) -> None:
    bare, led = (reader.read("How much?", before, [ANSWERING])[0] for before in ("", QUESTION))
    assert not alike(bare, led)


def test_no_texts_have_no_readings(reader: Reader) -> None:
    assert reader.read(QUESTION, "", []) == []


def test_what_is_too_long_is_cut_at_the_end_and_marked_as_not_read(reader: Reader) -> None:
    sentences = tuple(f"Sentence number {n} says a word about the garden and its many moths." for n in range(60))
    reading = reader.read(QUESTION, "", [Text("Long", sentences, SEARCH, (0.3,) * 60)])[0]
    read = [math.isfinite(logit) for logit in reading.evidence]
    assert read[0] and not read[-1] and sorted(read, reverse=True) == read
    assert all(logit == -math.inf for logit, was_read in zip(reading.evidence, read, strict=True) if not was_read)
    assert math.isfinite(reading.relevance) and 0 <= reading.answers <= 1


def test_a_row_is_never_longer_than_the_network_reads() -> None:
    batch = collate([Pair([7] * 500, [8] * 30, [[9] * 40] * 30, SEARCH, [0.1] * 30)])
    assert batch.ids.shape == (1, MAX_TOKENS) and batch.ids[0, -1] == 102 and batch.ids[0, 97] == 102
    assert batch.types[0, 97] == 0 and batch.types[0, 98] == 1 and batch.sentence[0, 128] == 1


def test_stances_stand_where_training_puts_them() -> None:
    assert (STANCES[ANSWERS], STANCES[CONTRADICTS], STANCES[SILENT]) == ("answers", "contradicts", "silent")


def test_threads_do_not_disturb_each_other(reader: Reader) -> None:
    texts = [ANSWERING, OFF_TOPIC]
    expected = [reader.read(QUESTION, "", [text])[0] for text in texts]
    fresh = Reader(FILE)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: fresh.read(QUESTION, "", [texts[number % 2]])[0], range(12)))
    assert all(alike(reading, expected[number % 2]) for number, reading in enumerate(found))


def test_the_shipped_file_is_the_one_that_is_named() -> None:
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == reader_weights.SHA256


def test_missing_weights_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"gone\.safetensors: the reader's weights are not there: reinstall paper-assistant"):
        Reader(tmp_path / "gone.safetensors")


def test_other_weights_are_told_at_once(tmp_path: Path) -> None:
    damaged = tmp_path / "reader.safetensors"
    content = bytearray(FILE.read_bytes())
    content[-7] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(ReaderError, match=r"not the reader's weights \(SHA-256 .*expected .*reinstall paper-assistant, or train it anew"):
        Reader(damaged, reader_weights.SHA256)


def test_a_file_that_holds_no_weights_is_told(tmp_path: Path) -> None:
    file = tmp_path / "reader.safetensors"
    file.write_bytes(b"hello" * 100)
    with pytest.raises(ReaderError, match=r"not a reader's weights \(.*reinstall paper-assistant"):
        Reader(file).read(QUESTION, "", [ANSWERING])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("stance.weight", torch.zeros(2, 389), "not a reader's weights"),
        ("bert.encoder.layer.0.output.dense.down", torch.zeros(16, 100), "not a reader's weights"),
        ("bert.encoder.layer.9.output.dense.down", torch.zeros(16, 1536), "not a reader's weights"),
        ("further.weight", torch.zeros(3), "further.weight"),
        ("evidence.weight", None, "evidence.weight"),
    ],
)
def test_an_adapter_of_another_shape_is_told(tmp_path: Path, name: str, value: torch.Tensor | None, message: str) -> None:
    weights = load_file(FILE)
    if value is None:
        del weights[name]
    else:
        weights[name] = value
    file = tmp_path / "reader.safetensors"
    save_file(weights, file)
    with pytest.raises(ReaderError, match=f"{message}.*reinstall paper-assistant, or train it anew"):
        Reader(file).read(QUESTION, "", [ANSWERING])
