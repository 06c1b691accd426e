"""The matcher's network: what padding may not change, and what it learns from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from eval.train.matcher_network import NO_SENTENCE, STATE, WORD_SIGNALS, MatchNetwork, MatchPair, collate


def states(count: int, dice: np.random.Generator) -> np.ndarray:
    found = dice.normal(size=(count, STATE)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def pair(seed: int, pieces: int, tokens: int, sentences: int) -> MatchPair:
    """Three tokens of title, then sentences in order."""
    dice = np.random.default_rng(seed)
    sentence = np.concatenate([np.zeros(3), np.sort(np.arange(tokens - 3) % sentences) + 1]).astype(np.int64)
    signals = dice.random((pieces, WORD_SIGNALS)).astype(np.float32)
    return MatchPair(states(pieces, dice), signals, states(tokens, dice), sentence, sentences)


PAIRS = [pair(1, 9, 40, 5), pair(2, 1, 7, 1), pair(3, 20, 90, 8)]


@pytest.fixture(scope="module")
def network() -> MatchNetwork:
    torch.manual_seed(0)
    return MatchNetwork().eval().requires_grad_(False)


def test_a_pair_alone_is_read_as_in_a_padded_batch(network: MatchNetwork) -> None:
    together, evidence = network(collate(PAIRS))
    assert evidence.shape == (3, 8)
    for row, one in enumerate(PAIRS):
        alone, alone_evidence = network(collate([one]))
        assert torch.allclose(together[row], alone[0], atol=1e-5)
        assert torch.allclose(evidence[row, : one.sentences], alone_evidence[0], atol=1e-5)
    assert not torch.allclose(together[0], together[2], atol=1e-3)


def test_a_sentence_that_is_not_there_has_the_lowest_logit_and_only_it(network: MatchNetwork) -> None:
    whole = PAIRS[0]
    kept = whole.sentence != 2
    _, evidence = network(collate([replace(whole, paper=whole.paper[kept], sentence=whole.sentence[kept])]))
    assert [float(logit) == NO_SENTENCE for logit in evidence[0]] == [False, True, False, False, False]
    _, evidence = network(collate(PAIRS))
    assert (evidence[1, 1:] == NO_SENTENCE).all() and float(evidence[1, 0]) > NO_SENTENCE


def test_a_paper_without_tokens_is_read_with_finite_logits(network: MatchNetwork) -> None:
    empty = replace(PAIRS[1], paper=PAIRS[1].paper[:0], sentence=PAIRS[1].sentence[:0])
    stance, evidence = network(collate([empty, PAIRS[0]]))
    assert stance.isfinite().all() and evidence[0].tolist() == [NO_SENTENCE] * 5


def test_the_signals_and_the_papers_states_tell(network: MatchNetwork) -> None:
    one = PAIRS[0]
    stance, _ = network(collate([one]))
    for other in (replace(one, signals=1.0 - one.signals), replace(one, paper=one.paper[::-1].copy())):
        assert not torch.allclose(network(collate([other]))[0], stance, atol=1e-4)


def test_a_sentence_that_says_what_is_asked_is_evidence_before_training(network: MatchNetwork) -> None:
    one = PAIRS[0]
    paper = one.paper.copy()
    there = np.flatnonzero(one.sentence == 4)
    paper[there] = one.question[: len(there)]
    _, evidence = network(collate([replace(one, paper=paper)]))
    assert int(evidence[0].argmax()) == 3


def test_every_parameter_learns() -> None:
    torch.manual_seed(0)
    network = MatchNetwork(dropout=0.0)
    stance, evidence = network(collate(PAIRS))
    (stance.square().sum() + evidence.square().sum()).backward()
    without = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.abs().sum() > 0]
    assert without == []


def test_a_batch_moves_whole_to_another_device() -> None:
    moved = collate(PAIRS).to("meta")
    assert {value.device.type for value in vars(moved).values()} == {"meta"}
    assert moved.paper.shape == (3, 90, STATE) and moved.held.shape == (3, 90)
