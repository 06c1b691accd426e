"""Training the matcher, on a toy of a model and toy papers: whether it learns, and what it may see."""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel
from typer.testing import CliRunner

from assistant.evidence.matcher import Constants, Matcher, PaperStates
from eval.cli import app
from eval.commands import train as command
from eval.held_out import ENCODER
from eval.train import matcher as module
from eval.train.encoder import base_model, token_states
from eval.train.matcher import MatcherRecipe, train
from eval.train.matcher_network import NO_SENTENCE, STATE, MatchNetwork, collate, load, save
from eval.train.pack import ANSWERS, CONTRADICTS, SILENT, Example, Pack, TokenisedPaper, TrainingError
from eval.train.pipeline import MATCHER, Plan, Stages, spelling, train_matcher
from index.embedding import MiniLM
from index.embedding.minilm import installed

WORDS = 2000
PAPERS = 12
WHOLE = MatcherRecipe(emptied=0.0, thinned=0.0)
RECIPE = MatcherRecipe(epochs=40, questions=6, nearest=4)


@pytest.fixture(scope="module")
def encoder() -> BertModel:
    """A small untrained BERT."""
    torch.manual_seed(0)
    config = BertConfig(vocab_size=30522, hidden_size=STATE, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
    return BertModel(config, add_pooling_layer=False).eval()


def pieces(ids: object) -> list[str]:
    """A toy of a spelling: a word for each id."""
    return [f"w{token}" for token in ids]  # type: ignore[attr-defined]


def paper(number: int) -> TokenisedPaper:
    """Four sentences of three words that no other paper has, and one that all have."""
    start = WORDS + 100 * number
    return TokenisedPaper([start + 90], [[start + 10 * sentence + word for word in range(3)] + [500] for sentence in range(4)], [])


def about(number: int) -> list[Example]:
    """Three questions about a paper: one for each stance."""
    sentences = paper(number).sentences
    return [
        Example(f"a{number}", [600, *sentences[1][:3]], [], number, ANSWERS, [1], True),
        Example(f"c{number}", [601, *sentences[2][:3]], [], number, CONTRADICTS, [2], False),
        Example(f"s{number}", [602, WORDS + 100 * number + 90, 5000 + number], [], number, SILENT, [], False),
    ]


@pytest.fixture(scope="module")
def pack() -> Pack:
    examples = [one for number in range(PAPERS) for one in about(number)]
    examples += [Example("n", [700], [], None, SILENT, [], False), Example("f", [2030], [600, 2031], 0, ANSWERS, [3], False)]
    coverage = np.full((len(examples), PAPERS), 0.1, dtype=np.float16)
    for row, one in enumerate(examples):
        coverage[row, one.paper or 0] = 0.9
    return Pack([paper(number) for number in range(PAPERS)], examples, coverage)


@pytest.fixture(scope="module")
def prepared(encoder: BertModel, pack: Pack) -> tuple[Constants, module._Material]:
    return module._prepared(encoder, pack, pieces, RECIPE)


@pytest.fixture(scope="module")
def trained(encoder: BertModel, pack: Pack) -> tuple[MatchNetwork, Constants, list[float]]:
    told: list[str] = []
    network, constants = train(encoder, pack, pieces, RECIPE, told.append)
    return network, constants, [float(re.findall(r"loss ([\d.]+)", line)[0]) for line in told]


def read(material: module._Material, pack: Pack, name: str, recipe: MatcherRecipe) -> list[tuple[module.MatchPair, module._Label]]:
    number = [one.id for one in pack.examples].index(name)
    return list(module._read(material, pack, number, recipe, random.Random(0)))


# What is learnt from


def test_states_are_those_that_the_matcher_is_used_with() -> None:
    minilm = MiniLM(adapter=None)
    ids = minilm.token_ids(["How much memory does it take?", "A cache.", ""])
    bert = base_model(installed())
    ours, theirs = token_states(bert, ids, at_once=2), minilm.token_states(ids)
    assert [len(states) for states in ours] == [7, 3, 0]
    assert all(np.allclose(one, other, atol=1e-3) for one, other in zip(ours, theirs, strict=True))


def test_ids_are_spelled_as_the_embedding_model_spells_them() -> None:
    minilm = MiniLM(adapter=None)
    (ids,) = minilm.token_ids(["Pebbles of quantisation 71% 缓存"])
    assert spelling(installed())(ids) == minilm.pieces(ids)


def test_states_are_centred_and_projected(prepared: tuple[Constants, module._Material], encoder: BertModel, pack: Pack) -> None:
    constants, material = prepared
    states = np.concatenate([each.vectors for each in module._encoded(encoder, pack, pieces)]).astype(np.float32)
    assert np.allclose(constants.centre, states.mean(axis=0), atol=1e-4)
    assert np.allclose(constants.projection.T @ constants.projection, np.eye(STATE), atol=1e-4)
    assert np.allclose(np.linalg.norm(material.papers[3].vectors, axis=1), 1.0, atol=1e-5)
    assert material.papers[3].sentence.tolist() == [0, *([1] * 4), *([2] * 4), *([3] * 4), *([4] * 4)]


def test_words_weigh_by_papers_and_by_questions(prepared: tuple[Constants, module._Material], pack: Pack) -> None:
    constants, material = prepared
    assert constants.questions == len(pack.examples) == 38
    assert constants.asked == {"w600": 12, "w601": 12, "w602": 12}
    (_, words) = material.asked[0]
    assert [word.text for word in words] == ["w600", "w2010", "w2011", "w2012"]
    assert words[0].weight == pytest.approx(6.463 * np.log(39 / 13) / np.log(39))
    assert words[1].weight == pytest.approx(6.463 * np.log(13 / 2) / np.log(13))
    follow_up = material.asked[-1][1]
    assert [(word.text, word.own) for word in follow_up] == [("w600", False), ("w2031", False), ("w2030", True)]


def test_a_word_of_all_papers_weighs_nothing(encoder: BertModel, pack: Pack) -> None:
    asked = replace(pack, examples=[replace(pack.examples[0], question=[500, 2010])], coverage=pack.coverage[:1])
    _, material = module._prepared(encoder, asked, pieces, RECIPE)
    assert [word.weight for word in material.asked[0][1]] == pytest.approx([0.0, 6.463 * np.log(13 / 2) / np.log(13)])


def test_the_own_paper_comes_first_and_others_are_silent(prepared: tuple[Constants, module._Material], pack: Pack) -> None:
    for one in pack.examples:
        found = read(prepared[1], pack, one.id, WHOLE)
        own = [label for _, label in found if label.weight == 1.0]
        others = [label for _, label in found if label.weight == 0.25]
        assert len(own) == (one.paper is not None) and len(others) in (2, 3) and len(own) + len(others) == len(found)
        assert all((label.stance, label.evidence) == (SILENT, ()) for label in others)
        if one.paper is not None:
            assert found[0][1] is own[0] and (own[0].stance, list(own[0].evidence)) == (one.stance, one.evidence)
            assert np.array_equal(found[0][0].paper, prepared[1].papers[one.paper].vectors)
            assert all(not np.array_equal(each.paper, found[0][0].paper) for each, _ in found[1:])


def test_a_paper_without_its_evidence_is_silent_where_the_question_is_specific(
    prepared: tuple[Constants, module._Material], pack: Pack
) -> None:
    emptied = replace(WHOLE, emptied=1.0)
    made, label = read(prepared[1], pack, "a1", emptied)[0]
    assert (label.stance, label.evidence, made.sentences) == (SILENT, (), 4) and set(made.sentence) == {0, 1, 3, 4}
    made, label = read(prepared[1], pack, "c1", replace(emptied, lost=0.0))[0]
    assert (label.stance, label.evidence) == (CONTRADICTS, (2,)) and set(made.sentence) == {0, 1, 2, 3, 4}


def test_a_thinned_paper_keeps_its_evidence_and_title(prepared: tuple[Constants, module._Material], pack: Pack) -> None:
    made, label = read(prepared[1], pack, "a1", replace(WHOLE, thinned=1.0, lost=1.0))[0]
    assert (label.stance, label.evidence) == (ANSWERS, (1,)) and set(made.sentence) == {0, 2}


def test_other_papers_are_near_ones(prepared: tuple[Constants, module._Material], pack: Pack) -> None:
    near = prepared[1].near
    assert {len(papers) for papers in near} == {RECIPE.nearest}
    assert np.mean([one.paper in papers for one, papers in zip(pack.examples, near, strict=True) if one.paper is not None]) > 0.9


def test_near_is_by_best_sentence_and_coverage() -> None:
    axes = np.eye(STATE, dtype=np.float32)
    papers = [PaperStates(axes[[5, *places]], np.array([0, 1, 2]), frozenset(), frozenset()) for places in ((0, 1), (2, 3), (4, 6))]
    coverage = np.array([[0.0, 0.5, 1.0]], dtype=np.float16)
    assert module._near(papers, [axes[[1, 1]]], coverage, 3) == [[0, 2, 1]]
    assert module._near(papers, [axes[[5, 5]]], coverage, 2) == [[2, 1]]


def test_every_epoch_asks_every_question_once_in_an_order_of_its_own() -> None:
    flat = [number for numbers, _ in module._batches(20, replace(RECIPE, epochs=2)) for number in numbers]
    assert sorted(flat[:20]) == sorted(flat[20:]) == list(range(20)) and flat[:20] != flat[20:]


def test_right_logits_have_a_lower_loss_than_wrong_ones() -> None:
    reads = [[module._Label(ANSWERS, 1.0, (1,)), module._Label()], [module._Label()]]
    stance = torch.tensor([[6.0, 0.0, 0.0], [0.0, 0.0, 6.0], [0.0, 0.0, 6.0]])
    evidence = torch.tensor([[-6.0, 6.0], [-6.0, NO_SENTENCE], [-6.0, -6.0]])
    plain = replace(RECIPE, smoothing=0.0)
    right = float(module._loss(stance, evidence, reads, plain))
    assert 0 <= right < 0.05
    assert float(module._loss(stance.flip(1), evidence, reads, plain)) > 2.0
    assert float(module._loss(stance, evidence * torch.tensor([-1.0, 1.0]), reads, plain)) > 1.0
    swapped = stance[[1, 0, 2]]
    assert float(module._ranking(swapped, reads)) > 5.0 > 0.1 > float(module._ranking(stance, reads))
    assert float(module._ranking(stance[2:], reads[1:])) == 0.0


# Learning


def test_the_loss_falls_and_the_own_paper_is_told_from_others(
    trained: tuple[MatchNetwork, Constants, list[float]], prepared: tuple[Constants, module._Material], pack: Pack
) -> None:
    network, _, losses = trained
    assert len(losses) > 1 and losses[-1] < 0.75 * losses[0]
    asked = [read(prepared[1], pack, f"a{number}", WHOLE) for number in range(PAPERS)]
    with torch.inference_mode():
        own, evidence = network(collate([found[0][0] for found in asked]))
        others, _ = network(collate([found[1][0] for found in asked]))
    assert float((own[:, ANSWERS] - own[:, SILENT]).mean()) > float((others[:, ANSWERS] - others[:, SILENT]).mean()) + 1.0
    assert float((evidence.argmax(1) == 1).float().mean()) > 0.7


def test_what_is_saved_loads_as_a_matchers_weights(trained: tuple[MatchNetwork, Constants, list[float]], tmp_path: Path) -> None:
    network, constants, _ = trained
    save(network, constants, tmp_path / MATCHER)
    again, told = load(tmp_path / MATCHER)
    assert (told.questions, told.asked) == (constants.questions, constants.asked)
    assert np.allclose(told.projection, constants.projection, atol=1e-3)
    assert all(torch.allclose(value, again.state_dict()[name], atol=2e-2) for name, value in network.state_dict().items())


def test_the_seed_makes_it_again(encoder: BertModel, pack: Pack) -> None:
    one, two, three = (train(encoder, pack, pieces, replace(RECIPE, epochs=1, seed=seed))[0].whole for seed in (3, 3, 4))
    assert torch.equal(one, two) and not torch.equal(one, three)


def test_a_pack_of_nothing_is_told(encoder: BertModel, pack: Pack) -> None:
    with pytest.raises(TrainingError, match="0 questions over 12 papers"):
        train(encoder, pack.about([]), pieces)


def test_an_adapter_of_another_model_is_told(encoder: BertModel, pack: Pack, tmp_path: Path) -> None:
    encoder.save_pretrained(tmp_path / "base")
    plan = Plan(tmp_path / "base", tmp_path)
    matrices = {"encoder.layer.9.output.dense.down": torch.zeros(4, 8), "encoder.layer.9.output.dense.up": torch.zeros(8, 4)}
    with pytest.raises(TrainingError, match="of another model"):
        train_matcher(pack, matrices, plan, Stages(lambda line: None))


@pytest.mark.parametrize("given", [["--only", "reader"], ["--only", "matcher"], ["--encoder", "encoder.safetensors"]])
def test_only_the_matcher_is_trained_alone_and_for_an_encoder(given: list[str]) -> None:
    found = CliRunner().invoke(app, ["train", "--source", "papers.txt", *given])
    assert found.exit_code == 1 and "--only matcher --encoder FILE" in found.stderr


def test_an_encoder_that_is_none_is_told_before_papers_are_read(tmp_path: Path) -> None:
    (tmp_path / "encoder.safetensors").write_text("hello")
    for name in ("encoder.safetensors", "gone.safetensors"):
        given = ["train", "--source", "papers.txt", "--only", "matcher", "--encoder", str(tmp_path / name)]
        found = CliRunner().invoke(app, given)
        assert found.exit_code == 1 and name in found.stderr and "not an adapter" in found.stderr


def test_the_command_trains_a_matcher_for_an_encoder(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_pack", lambda *given: pack)
    given = ["train", "--source", "papers.txt", "--only", "matcher", "--encoder", str(ENCODER), "--out", str(tmp_path), "--device", "cpu"]
    found = CliRunner().invoke(app, given)
    assert found.exit_code == 0, found.output
    file = tmp_path / MATCHER
    assert [each.name for each in tmp_path.glob("*.safetensors")] == [MATCHER]
    assert f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file}" in found.stdout
    match = Matcher(MiniLM(adapter=ENCODER), file).match("What is met?", "", "A title", ("One sentence.", "Another."), lambda word: 0.5)
    assert len(match.evidence) == 2 and -1.0 <= match.met <= 1.0
