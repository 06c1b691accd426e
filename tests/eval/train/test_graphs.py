"""What answers questions on ONNX Runtime gives what torch trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from transformers import BertConfig, BertModel

from assistant.evidence import matcher, reader_weights
from assistant.evidence.pairs import NO_SENTENCE, STATE, WORD_SIGNALS, MatchPair, Pair, row
from assistant.verification import weights
from assistant.verification.support_run import Tokens
from eval.train import claims_network, matcher_network, reader_network
from eval.train.claims_network import SupportNetwork
from eval.train.encoder import base_model, with_weights
from eval.train.graphs import encoder_graph
from eval.train.matcher_network import MatchNetwork
from eval.train.reader_network import ReaderNetwork
from index.embedding import bert, minilm
from index.embedding.onnx import Network


def reader_pair(seed: int, asked: int, sentences: int, tokens: int) -> Pair:
    dice = np.random.default_rng(seed)
    ids = [dice.integers(1000, 20000, size=tokens).tolist() for _ in range(sentences)]
    scores = dice.random(4).tolist()
    return Pair(dice.integers(1000, 20000, size=asked).tolist(), [2054, 2003], ids, scores, dice.random(sentences).tolist())


def test_the_reader_reads_as_it_was_trained() -> None:
    pairs = [reader_pair(1, 9, 5, 20), reader_pair(2, 120, 1, 7), reader_pair(3, 20, 30, 30)]
    ours = reader_weights.load(reader_weights.FILE, minilm.installed())
    network = with_weights(ReaderNetwork(base_model(minilm.installed())), reader_weights.FILE)
    for pair in pairs:
        made = row(pair)
        search, cosines = (np.array([scores], dtype=np.float32) for scores in (pair.search, pair.cosines))
        said = ours.run([made.ids], [made.asked], sentence=np.array([made.places]), search=search, cosines=cosines)
        with torch.inference_mode():
            theirs = network(reader_network.collate([pair]))
        for one, other in zip(said, (theirs.relevance, theirs.stance, theirs.evidence), strict=True):
            assert np.allclose(one, other, atol=1e-4)
    assert np.isinf(said[2]).any() and np.isfinite(said[2]).any()  # the last pair is longer than is read


def test_the_check_checks_as_it_was_trained() -> None:
    dice = np.random.default_rng(0)
    texts = [dice.integers(1000, 3000, size=size).tolist() for size in (12, 160, 40, 200, 600, 5)]
    tokens = [Tokens(ids, [piece // 2 for piece in ids]) for ids in texts]
    run = weights.load(weights.FILE, minilm.installed())
    network = with_weights(SupportNetwork(base_model(minilm.installed())), weights.FILE)
    with torch.inference_mode():
        for sentence, paper in zip(tokens[:3], tokens[3:], strict=True):
            logit, wrong = run.look(sentence, paper)
            theirs, their_wrong = network(claims_network.collate([(sentence, paper)]))
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
def test_the_matcher_matches_as_it_was_trained(shipped: bool) -> None:
    torch.manual_seed(0)
    network = matcher_network.load(matcher.FILE)[0] if shipped else MatchNetwork().eval().requires_grad_(False)
    run = Network(matcher.GRAPH, {name: value.numpy() for name, value in network.state_dict().items()})
    for pair in (match_pair(1, 9, 40, 5), match_pair(2, 1, 7, 1), match_pair(3, 40, 250, 12), match_pair(4, 9, 60, 4, missing=2)):
        stance, evidence = matcher.matched(run, pair)
        with torch.inference_mode():
            theirs, their_evidence = network(matcher_network.collate([pair]))
        assert np.allclose(stance, theirs[0], atol=1e-4) and np.allclose(evidence, their_evidence[0], atol=1e-4)
    assert evidence[1] == NO_SENTENCE and evidence[0] > NO_SENTENCE


def test_a_paper_without_tokens_is_matched_with_finite_logits() -> None:
    pair = match_pair(1, 9, 40, 5)
    empty = MatchPair(pair.question, pair.signals, pair.paper[:0], pair.sentence[:0], 5)
    stance, evidence = matcher.matched(matcher.load(matcher.FILE)[0], empty)
    assert np.isfinite(stance).all() and evidence.tolist() == [NO_SENTENCE] * 5


def test_an_encoder_of_another_shape_runs_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = BertConfig(vocab_size=200, hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=48)
    model = BertModel(config, add_pooling_layer=False).eval()
    (tmp_path / "other.onnx").write_bytes(encoder_graph(config).SerializeToString())
    named = {name: value.numpy() for name, value in model.state_dict().items()}
    ours = bert.Bert(named, graph=tmp_path / "other.onnx").states([[5, 6, 7, 8]])
    with torch.inference_mode():
        theirs = model(input_ids=torch.tensor([[5, 6, 7, 8]])).last_hidden_state.numpy()
    assert abs(ours - theirs).max() < 1e-5
    with pytest.raises(ValueError, match=r"bert\.onnx cannot run with these weights"):
        bert.Bert(named)


def test_the_shipped_encoder_is_what_the_command_writes_and_tells_of_no_file() -> None:
    graph = encoder_graph(BertConfig.from_pretrained(minilm.installed(), local_files_only=True))
    assert onnx.load_model_from_string(bert.GRAPH.read_bytes()) == graph
    for file in (reader_weights.GRAPH, weights.GRAPH, matcher.GRAPH):
        assert b"/work" not in file.read_bytes() and b".py" not in file.read_bytes()
