"""What answers questions without torch gives what was trained with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from assistant.evidence import matcher as matcher_module
from assistant.evidence import reader_weights
from assistant.evidence.matcher_inference import MatcherRun, shapes
from assistant.evidence.matcher_network import MatchNetwork
from assistant.evidence.matcher_network import collate as match_collate
from assistant.evidence.pairs import NO_SENTENCE, STATE, WORD_SIGNALS, MatchPair, Pair
from assistant.evidence.reader_network import collate
from assistant.verification import network as support
from assistant.verification import weights
from assistant.verification.support_run import Tokens
from index.embedding import minilm


def reader_pair(seed: int, asked: int, sentences: int, tokens: int) -> Pair:
    dice = np.random.default_rng(seed)
    ids = [dice.integers(1000, 20000, size=tokens).tolist() for _ in range(sentences)]
    scores = dice.random(4).tolist()
    return Pair(dice.integers(1000, 20000, size=asked).tolist(), [2054, 2003], ids, scores, dice.random(sentences).tolist())


def test_the_reader_is_its_twin() -> None:
    pairs = [reader_pair(1, 9, 5, 20), reader_pair(2, 120, 1, 7), reader_pair(3, 20, 30, 30)]
    logits = reader_weights.load_run(reader_weights.FILE, minilm.installed()).read(pairs)
    network = reader_weights.load_network(reader_weights.FILE, minilm.installed())
    with torch.inference_mode():
        for pair, ours in zip(pairs, logits, strict=True):
            theirs = network(collate([pair]))
            assert ours.relevance == pytest.approx(float(theirs.relevance[0]), abs=1e-4)
            assert np.allclose(ours.stance, theirs.stance[0], atol=1e-4)
            assert np.allclose(ours.evidence, theirs.evidence[0], atol=1e-4)
    assert np.isinf(logits[2].evidence).any() and np.isfinite(logits[2].evidence).any()


def test_the_check_is_its_twin() -> None:
    dice = np.random.default_rng(0)
    texts = [dice.integers(1000, 3000, size=size).tolist() for size in (12, 160, 40, 200, 600, 5)]
    tokens = [Tokens(ids, [piece // 2 for piece in ids]) for ids in texts]
    run, network = weights.load_run(weights.FILE, minilm.installed()), weights.load_network(weights.FILE, minilm.installed())
    with torch.inference_mode():
        for sentence, paper in zip(tokens[:3], tokens[3:], strict=True):
            logit, wrong = run.look(sentence, paper)
            theirs, their_wrong = network(support.collate([(sentence, paper)]))
            assert logit == pytest.approx(float(theirs[0]), abs=1e-3)
            assert np.allclose(wrong, their_wrong[0, 1 : len(sentence.ids) + 1], atol=1e-3)


def match_pair(seed: int, pieces: int, tokens: int, sentences: int, missing: int = 0) -> MatchPair:
    dice = np.random.default_rng(seed)
    sentence = np.sort(np.arange(tokens) % (sentences + 1)).astype(np.int64)
    sentence[sentence == missing] = 0
    states = [dice.normal(size=(count, STATE)).astype(np.float32) for count in (pieces, tokens)]
    question, paper = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in states)
    return MatchPair(question, dice.random((pieces, WORD_SIGNALS)).astype(np.float32), paper, sentence, sentences)


@pytest.mark.parametrize("shipped", [True, False])
def test_the_matcher_is_its_twin(shipped: bool) -> None:
    torch.manual_seed(0)
    network = matcher_module.load(matcher_module.FILE)[0] if shipped else MatchNetwork().eval().requires_grad_(False)
    run = MatcherRun({name: value.numpy() for name, value in network.state_dict().items()})
    for pair in (match_pair(1, 9, 40, 5), match_pair(2, 1, 7, 1), match_pair(3, 40, 250, 12), match_pair(4, 9, 60, 4, missing=2)):
        stance, evidence = run.match(pair)
        with torch.inference_mode():
            theirs, their_evidence = network(match_collate([pair]))
        assert np.allclose(stance, theirs[0], atol=1e-4) and np.allclose(evidence, their_evidence[0], atol=1e-4)
    assert evidence[1] == NO_SENTENCE and evidence[0] > NO_SENTENCE


def test_a_paper_without_tokens_is_matched_with_finite_logits() -> None:
    pair = match_pair(1, 9, 40, 5)
    empty = MatchPair(pair.question, pair.signals, pair.paper[:0], pair.sentence[:0], 5)
    network = matcher_module.load(matcher_module.FILE)[0]
    stance, evidence = MatcherRun({name: value.numpy() for name, value in network.state_dict().items()}).match(empty)
    assert np.isfinite(stance).all() and evidence.tolist() == [NO_SENTENCE] * 5


def test_the_shapes_are_those_of_the_network() -> None:
    assert shapes() == {name: tuple(value.shape) for name, value in MatchNetwork().state_dict().items()}
