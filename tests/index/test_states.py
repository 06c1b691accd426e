"""What is kept of a paper's token states: by hand, and over a real SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index import HomeError
from index.chunking import TITLE, PaperTexts, Piece
from index.embedding import Encoded, MiniLM, projection
from index.states import KEPT, PaperStates, StateStore, fit_moment, moment_of, pool, projected

EYE = np.eye(4, dtype=np.float32)
PAPER = "0123456789ab"


def encoded(text: str, rows: list[int]) -> Encoded:
    """One token for each word, whose state is a direction."""
    starts = np.cumsum([0, *(len(word) + 1 for word in text.split())])[:-1]
    places = np.array([(start, start + len(word)) for start, word in zip(starts, text.split(), strict=True)])
    return Encoded(EYE[0], EYE[rows], places)


TEXTS = PaperTexts(
    PAPER,
    ((0, 3), (4, 11)),
    ("b c", "d e f g"),
    ("a b c d e", "a f g"),
    ((Piece(TITLE, 0, 1), Piece(0, 2, 5), Piece(1, 6, 9)), (Piece(1, 2, 5),)),
)
"""A title of one token, and two sentences, of which the second goes over into another chunk."""


def pooled() -> PaperStates:
    return pool(TEXTS, "digest", [encoded("a b c d e", [0, 1, 2, 3, 3]), encoded("a f g", [0, 1, 3])], EYE)


def test_the_title_comes_once_and_a_sentence_has_the_mean_of_its_tokens_over_chunks() -> None:
    states = pooled()
    assert states.counts.tolist() == [1, 2, 4] and states.chunks == 2 and states.spans == TEXTS.spans
    assert states.tokens == pytest.approx(EYE[[0, 1, 2, 3, 3, 1, 3]], abs=0.01)
    means = np.array([[0, 1, 1, 0], [0, 1, 0, 3]]) / np.array([[2**0.5], [10**0.5]])
    assert states.sentences == pytest.approx(means, abs=0.01)


def test_a_sentence_without_tokens_is_as_the_whole_and_one_encoded_apart_as_it_came() -> None:
    texts = PaperTexts(PAPER, ((0, 1),), ("?",), ("a",), ((Piece(TITLE, 0, 1), Piece(0, 1, 1)),))
    assert pool(texts, "digest", [encoded("a", [2])], EYE).sentences == pytest.approx(EYE[:1], abs=0.01)
    assert pool(texts, "digest", [encoded("a", [2])], EYE, EYE[3:]).sentences == pytest.approx(EYE[3:], abs=0.01)


def test_what_is_kept_comes_back_and_what_is_in_doubt_does_not(tmp_path: Path) -> None:
    store, states = StateStore(tmp_path, "ours", 4), pooled()
    assert store.digests() == {} and store.chunks() == store.sentences() == 0 and not store.path.exists()
    store.put({PAPER: states})
    (found,) = store.fetch([PAPER, "unknown"]).values()
    assert (found.tokens == states.tokens).all() and found.rounded_tokens.dtype == np.int8 and (found.sentences == states.sentences).all()
    assert (found.digest, found.chunks, found.spans, found.counts.tolist()) == ("digest", 2, TEXTS.spans, [1, 2, 4])
    assert (store.chunks(), store.sentences()) == (2, 2)
    store.doubt([PAPER, "another"])
    assert store.digests() == {PAPER: None, "another": None} and store.fetch([PAPER]) == {} and store.chunks() == 0
    store.remove([PAPER])
    assert list(store.digests()) == ["another"]
    store.empty()
    assert store.digests() == {} and not store.path.exists()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_of_the_first_version_is_read_and_made_smaller_where_it_can_be_written(tmp_path: Path, read_only: bool) -> None:
    store, states = StateStore(tmp_path, "ours", 4), pooled()
    store.put({PAPER: states})
    store.close()
    finer = np.rint(states.tokens / states.tokens.max() * 127).astype(np.int8)
    scales = states.scales.copy()
    scales[0] = states.tokens.max() / 127
    with contextlib.closing(sqlite3.connect(store.path)) as db:
        db.execute("UPDATE papers SET tokens = ?, scales = ?", (finer.tobytes(), scales.tobytes()))
        db.execute("PRAGMA user_version = 0")
        for table in ("papers", "projection"):
            db.execute(f"ALTER TABLE {table} RENAME COLUMN sum TO other")
        db.commit()
    again = StateStore(tmp_path, "ours", 4, read_only)
    found = again.fetch([PAPER])[PAPER]
    again.close()
    assert found.tokens == pytest.approx(states.tokens, abs=0.01) and (found.sentences == states.sentences).all()
    with contextlib.closing(sqlite3.connect(store.path)) as db:
        version, size = db.execute("SELECT user_version, length(tokens) FROM pragma_user_version, papers").fetchone()
    assert (version, size) == ((0, finer.size) if read_only else (2, finer.size // 2))


def test_numbers_of_four_bits_come_back(tmp_path: Path) -> None:
    store, states = StateStore(tmp_path, "ours", 4), pooled()
    numbers = np.arange(-7, 7, dtype=np.int8).repeat(2).reshape(7, 4)
    store.put({PAPER: replace(states, rounded_tokens=numbers)})
    assert (store.fetch([PAPER])[PAPER].rounded_tokens == numbers).all()


def test_the_first_projection_stays_and_other_fingerprints_files_go(tmp_path: Path) -> None:
    store, other = StateStore(tmp_path, "ours", 4), StateStore(tmp_path, "theirs", 4)
    assert store.projection is None
    for matrix in (EYE[:, :2], EYE[:, 2:]):
        store.keep_projection(matrix)
    other.keep_projection(EYE)
    other.close()
    store.close()
    again = StateStore(tmp_path, "ours", 4)
    assert again.projection is not None and (again.projection == EYE[:, :2]).all()
    again.drop_others()
    assert not other.path.exists() and again.path.exists()
    again.close()


def test_a_file_that_is_not_ours_is_damaged_and_told(tmp_path: Path) -> None:
    store = StateStore(tmp_path, "ours", 4)
    store.path.write_bytes(b"no database " * 1000)
    assert store.damaged()
    with pytest.raises(HomeError, match=r"token states cannot be read .* makes a damaged file anew"):
        store.fetch([PAPER])
    store.empty()
    assert not store.damaged()


def test_a_page_that_cannot_be_read_is_remembered_until_all_is_made_anew(tmp_path: Path) -> None:
    store, states = StateStore(tmp_path, "ours", 4), pooled()
    many = replace(states, rounded_tokens=np.ones((20_000, 4), dtype=np.int8), counts=np.array([20_000, 0, 0], dtype=np.uint32))
    store.put({PAPER: many})
    store.close()
    with store.path.open("r+b") as file:
        file.seek(6 * 4096)
        file.write(b"\xff" * 4096)
    again = StateStore(tmp_path, "ours", 4)
    assert not again.damaged()  # counting reads no such page
    with pytest.raises(HomeError, match="makes a damaged file anew"):
        again.fetch([PAPER])
    assert again.damaged()
    again.empty()
    assert not again.damaged() and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("column", ["spans", "counts", "scales", "sentences", "tokens", "digest", "chunks"])
def test_a_row_that_is_not_what_was_written_is_left_out_and_put_in_doubt(tmp_path: Path, column: str) -> None:
    store, states = StateStore(tmp_path, "ours", 4), pooled()
    store.put({PAPER: states, "another": states})
    assert store.spoilt() == [] and store.fault() == ""
    spoil(store, column)
    assert store.spoilt() == [PAPER] and store.fault() == "of 1 papers they are not what was written"
    assert list(StateStore(tmp_path, "ours", 4, read_only=True).fetch([PAPER, "another"])) == ["another"]
    assert list(store.fetch([PAPER, "another"])) == ["another"]
    assert store.digests() == {PAPER: None, "another": "digest"} and store.spoilt() == []
    store.put({PAPER: states})
    assert list(store.fetch([PAPER])) == [PAPER] and store.fault() == ""
    store.close()


def spoil(store: StateStore, column: str) -> None:
    """Another byte in a column of the first paper, as a failing disk leaves it."""
    with contextlib.closing(sqlite3.connect(store.path)) as db:
        (value,) = db.execute(f"SELECT {column} FROM papers WHERE paper_id = ?", (PAPER,)).fetchone()
        other: object = value + 1 if isinstance(value, int) else value[:-1] + (b"\x5a" if isinstance(value, bytes) else "~")
        db.execute(f"UPDATE papers SET {column} = ? WHERE paper_id = ?", (other, PAPER))
        db.commit()


def test_a_projection_that_is_not_what_was_written_is_damage(tmp_path: Path) -> None:
    store = StateStore(tmp_path, "ours", 4)
    store.keep_projection(EYE)
    with contextlib.closing(sqlite3.connect(store.path)) as db:
        db.execute("UPDATE projection SET matrix = ?", (np.zeros((4, 4), dtype="<f4").tobytes(),))
        db.commit()
    with pytest.raises(HomeError, match="projection"):
        _ = store.projection
    assert store.damaged()


def test_a_projection_keeps_the_directions_in_which_states_differ() -> None:
    dice = np.random.default_rng(0)
    states = (dice.standard_normal((500, 6)) * np.array([9, 8, 7, 0.01, 0.01, 0.01])).astype(np.float32)
    matrix = fit_moment(moment_of([states[:200], states[200:]]), kept=3)
    assert matrix.shape == (6, 3) and np.abs(matrix[3:]).max() < 0.01
    units = states / np.linalg.norm(states, axis=1, keepdims=True)
    assert projected(states, matrix) @ projected(states, matrix).T == pytest.approx(units @ units.T, abs=0.01)


def test_the_shipped_projection_keeps_cosines_of_tokens(minilm: MiniLM) -> None:
    matrix = projection.shipped()
    assert matrix.shape == (minilm.dimension, KEPT)
    states = [minilm.encode_query(text).states for text in ("sparse attention for long texts", "statins and the risk of a stroke")]
    units = np.concatenate([state / np.linalg.norm(state, axis=1, keepdims=True) for state in states])
    kept = projected(np.concatenate(states), matrix)
    assert np.corrcoef((units @ units.T).ravel(), (kept @ kept.T).ravel())[0, 1] > 0.95
