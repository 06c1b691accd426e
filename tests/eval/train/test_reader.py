"""Training the reader and the encoder, on a toy of a model and toy papers: whether it learns, and what it may see."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel
from typer.testing import CliRunner

from eval import held_out
from eval.cli import app
from eval.questions import FIXED, load
from eval.train import __main__ as command
from eval.train import data
from eval.train import reader as module
from eval.train.encoder import EncoderRecipe, Scores, base_model, search, with_weights
from eval.train.matcher import MatcherRecipe
from eval.train.matcher_network import load as load_matcher
from eval.train.pack import ANSWERS, CONTRADICTS, SILENT, Example, Pack, TokenisedPaper, TrainingError, build
from eval.train.pipeline import ENCODER, MATCHER, READER, Plan, Stages, blended, chosen_device, parts, run, tuned, writable
from eval.train.reader import ReaderRecipe, ask, pair, train, trained_weights
from eval.train.reader_network import ReaderNetwork, collate
from index import Library
from index.embedding import ToyEmbedder
from index.embedding.minilm import installed
from index.embedding.tokens import SEP

WORDS = 1000
PAPERS = 6
RECIPE = ReaderRecipe(rank=4, learning_rate=5e-3, epochs=6, questions=6, near=2, nearest=3, dropout=0.0)
ENCODING = EncoderRecipe(rank=4, learning_rate=5e-3, epochs=2, questions=6, nearest=3)
MATCHING = MatcherRecipe(epochs=1, questions=6, nearest=3)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a small untrained BERT."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("base")
    config = BertConfig(vocab_size=30522, hidden_size=128, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    shutil.copy(installed() / "vocab.txt", folder)
    return folder


def paper(number: int) -> TokenisedPaper:
    """Four sentences of three words that no other paper has."""
    sentences = [[WORDS + 100 * number + 10 * sentence + word for word in range(3)] for sentence in range(4)]
    return TokenisedPaper(
        [WORDS + 100 * number + 90], sentences, [[WORDS + 100 * number + 90, *(word for sentence in sentences for word in sentence)]]
    )


def about(number: int) -> list[Example]:
    """Three questions about a paper: one for each stance."""
    third = paper(number).sentences
    return [
        Example(f"a{number}", third[1], [], number, ANSWERS, [1], True),
        Example(f"c{number}", [*third[2], 500], [], number, CONTRADICTS, [2], True),
        Example(f"s{number}", [600 + number, 601], [], number, SILENT, [], False),
    ]


@pytest.fixture(scope="module")
def pack() -> Pack:
    examples = [one for number in range(PAPERS) for one in about(number)]
    examples += [Example("n", [700], [], None, SILENT, [], False), Example("f", [701], [702, 703], 0, ANSWERS, [3], False)]
    coverage = np.full((len(examples), PAPERS), 0.1, dtype=np.float16)
    for row, one in enumerate(examples):
        coverage[row, one.paper or 0] = 0.9
    return Pack([paper(number) for number in range(PAPERS)], examples, coverage)


@pytest.fixture(scope="module")
def scores(base: Path, pack: Pack) -> Scores:
    return search(base_model(base), pack)


def batches(pack: Pack, scores: Scores, **changed: float) -> module._Batches:
    return module._Batches(pack, scores, replace(RECIPE, **{"followed": 0.0, "emptied": 0.0, "thinned": 0.0, **changed}))  # type: ignore[arg-type]


def reads(pack: Pack, scores: Scores, **changed: float) -> list[tuple[Example, list[module.Pair], module._Labels]]:
    """What an epoch reads of each question."""
    drawn = batches(pack, scores, epochs=1, **changed)
    dice = module.random.Random(0)
    return [(pack.examples[number], *drawn._read(number, dice)) for numbers in drawn._order for number in numbers]


# The pack


def test_a_pack_comes_back_as_it_was_saved(tmp_path: Path, pack: Pack) -> None:
    pack.save(tmp_path / "pack.npz")
    found = Pack.load(tmp_path / "pack.npz")
    assert (found.papers, found.examples) == (pack.papers, pack.examples)
    assert np.array_equal(found.coverage, pack.coverage) and found.coverage.dtype == np.float16


def test_a_pack_about_some_papers_keeps_their_rows(pack: Pack) -> None:
    some = pack.about([2, None])
    assert [one.id for one in some.examples] == ["a2", "c2", "s2", "n"]
    assert np.array_equal(some.coverage, pack.coverage[[6, 7, 8, 18]]) and some.papers == pack.papers


def with_version(pack: Pack) -> Pack:
    """The pack with a second version of its paper 1, about which `v` asks."""
    coverage = np.concatenate([pack.coverage, pack.coverage[:, 1:2]], axis=1)
    asked = Example("v", [800], [], PAPERS, ANSWERS, [0], False)
    return Pack([*pack.papers, paper(1)], [*pack.examples, asked], np.concatenate([coverage, coverage[3:4]]), [1])


def test_a_second_version_is_kept_apart_from_first_ones(pack: Pack, tmp_path: Path) -> None:
    more = with_version(pack)
    more.save(tmp_path / "pack.npz")
    found = Pack.load(tmp_path / "pack.npz")
    assert found.version_of == [1] and found.first_versions == PAPERS and [found.same(number) for number in (0, 1, PAPERS)] == [0, 1, 1]
    first = found.without_versions()
    assert (first.papers, first.examples, first.version_of) == (pack.papers, pack.examples, [])
    assert np.array_equal(first.coverage, pack.coverage)


def test_no_version_of_a_paper_is_read_as_one_that_says_nothing(base: Path, pack: Pack) -> None:
    more = with_version(pack)
    drawn = batches(more, search(base_model(base), more), near=PAPERS, nearest=PAPERS + 1, far=2, epochs=3)
    dice = module.random.Random(0)
    for numbers in drawn._order:
        for number in numbers:
            if more.examples[number].paper in {1, PAPERS}:
                pairs, _ = drawn._read(number, dice)
                assert all(pair.sentences != paper(1).sentences for pair in pairs[1:])


# What is learnt from


def test_each_question_has_its_own_paper_first_with_its_evidence(pack: Pack, scores: Scores) -> None:
    for one, pairs, labels in reads(pack, scores):
        assert len(pairs) == len(labels.stances) and set(labels.stances[labels.has_paper :]) <= {SILENT}
        assert labels.has_paper == (one.paper is not None)
        if one.paper is None:
            assert labels.evidence is None
            continue
        assert pairs[0].sentences == pack.papers[one.paper].sentences and labels.stances[0] == one.stance
        assert all(other.sentences != pairs[0].sentences for other in pairs[1:])
        expected = tuple(number in one.evidence for number in range(4)) if one.evidence else None
        assert labels.evidence == expected


def test_a_paper_without_its_evidence_is_silent_where_the_question_is_specific(pack: Pack, scores: Scores) -> None:
    read = {one.id: (pairs, labels) for one, pairs, labels in reads(pack, scores, emptied=1.0)}
    pairs, labels = read["a1"]
    assert pairs[0].sentences == [sentence for number, sentence in enumerate(paper(1).sentences) if number != 1]
    assert len(pairs[0].cosines) == 3 and labels.stances[0] == SILENT and labels.evidence is None
    pairs, labels = read["f"]
    assert len(pairs[0].sentences) == 4 and labels.stances[0] == ANSWERS and labels.evidence == (False, False, False, True)


def test_a_thinned_paper_keeps_its_evidence(pack: Pack, scores: Scores) -> None:
    lost = 0
    for one, pairs, labels in reads(pack, scores, thinned=1.0):
        if one.paper is None or one.stance == SILENT:
            continue
        lost += 4 - len(pairs[0].sentences)
        assert labels.stances[0] == one.stance and labels.evidence is not None and sum(labels.evidence) == 1
        assert pairs[0].sentences[labels.evidence.index(True)] == pack.papers[one.paper].sentences[one.evidence[0]]
    assert lost > 0


def test_a_question_may_follow_another_and_a_follow_up_keeps_its_own_turns(pack: Pack, scores: Scores) -> None:
    read = {one.id: pairs for one, pairs, _ in reads(pack, scores, followed=1.0)}
    assert list(read["f"][0].question) == [702, 703, SEP, 701]
    asked = list(read["a1"][0].question)
    assert asked[asked.index(SEP) + 1 :] == paper(1).sentences[1] and asked.index(SEP) > 0
    assert list({one.id: pairs for one, pairs, _ in reads(pack, scores)}["a1"][0].question) == paper(1).sentences[1]


def test_every_epoch_asks_every_question_once_in_an_order_of_its_own(pack: Pack, scores: Scores) -> None:
    order = batches(pack, scores, epochs=2)._order
    flat = [number for numbers in order for number in numbers]
    count = len(pack.examples)
    assert sorted(flat[:count]) == sorted(flat[count:]) == list(range(count)) and flat[:count] != flat[count:]


def test_a_batch_is_drawn_by_its_number_alone(pack: Pack, scores: Scores) -> None:
    ours, theirs = (batches(pack, scores, thinned=0.5, followed=0.5) for _ in range(2))
    theirs[0]
    assert torch.equal(ours[1][1].ids, theirs[1][1].ids) and ours[1][0] == theirs[1][0]


def test_right_outputs_have_a_lower_loss_than_wrong_ones(pack: Pack, scores: Scores) -> None:
    labels, batch = batches(pack, scores)[0]
    starts = np.cumsum([0, *(len(one.stances) for one in labels)])[:-1].tolist()
    right, wrong = ([torch.zeros(len(batch.ids)), torch.zeros(len(batch.ids), 3), torch.zeros(batch.cosines.shape)] for _ in range(2))
    for sign, (relevance, stance, evidence) in ((1, right), (-1, wrong)):
        evidence -= 4.0 * sign
        for start, one in zip(starts, labels, strict=True):
            relevance[start] = 5.0 * sign if one.has_paper else 0.0
            for row, place in enumerate(one.stances):
                stance[start + row, place] = 5.0 * sign
            for row, held in enumerate(one.evidence or ()):
                evidence[start, row] = 4.0 * sign if held else -4.0 * sign
    losses = [float(module._loss(module.Outputs(*logits), labels, RECIPE)) for logits in (right, wrong)]
    assert losses[0] < 0.5 and losses[1] > 5.0


# Learning


def watched_training(base: Path, pack: Pack, scores: Scores, monkeypatch: pytest.MonkeyPatch) -> tuple[list[float], ReaderNetwork]:
    """The loss of each step, and the network."""
    seen: list[float] = []
    loss = module._loss

    def watched(*given: object) -> torch.Tensor:
        found = loss(*given)  # type: ignore[arg-type]
        seen.append(float(found.detach()))
        return found

    monkeypatch.setattr(module, "_loss", watched)
    return seen, train(base_model(base), pack, scores, replace(RECIPE, epochs=25))


def test_the_loss_falls_and_what_is_kept_gives_the_trained_network(
    base: Path, pack: Pack, scores: Scores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, network = watched_training(base, pack, scores, monkeypatch)
    assert np.mean(seen[-8:]) < 0.75 * np.mean(seen[:8])
    weights = trained_weights(network)
    assert {value.dtype for value in weights.values()} == {torch.float16}
    save_file(weights, tmp_path / READER)
    again = with_weights(ReaderNetwork(base_model(base)), tmp_path / READER)
    pairs = [pair(pack, scores, number, number // 3) for number in range(9)]
    ours, theirs = (list(ask(one, pairs)) for one in (network, again))
    for (relevance, stance, evidence), (kept_relevance, kept_stance, kept_evidence) in zip(ours, theirs, strict=True):
        assert np.allclose([relevance, *stance, *evidence], [kept_relevance, *kept_stance, *kept_evidence], atol=0.05)
    untrained = ReaderNetwork(base_model(base)).eval()
    assert abs(np.array([stance for _, stance, _ in ask(untrained, pairs)]) - [stance for _, stance, _ in ours]).max() > 0.5


def test_pairs_of_any_lengths_are_asked_in_their_order(base: Path, pack: Pack, scores: Scores) -> None:
    network = ReaderNetwork(base_model(base)).eval()
    pairs = [pair(pack, scores, number, number % PAPERS) for number in range(7)]
    pairs[2] = replace(pairs[2], sentences=pairs[2].sentences[:1], cosines=pairs[2].cosines[:1])
    with torch.inference_mode():
        expected = network(collate(pairs))
    found = list(ask(network, pairs, at_once=2))
    assert np.allclose([relevance for relevance, _, _ in found], expected.relevance, atol=1e-4)
    assert [len(evidence) for _, _, evidence in found] == [4, 4, 1, 4, 4, 4, 4]


# The pipeline


def test_parts_hold_every_paper_once_and_are_drawn_by_the_seed() -> None:
    found = parts(range(10), 0)
    assert sorted(map(len, found)) == [3, 3, 4] and set.union(*found) == set(range(10))
    assert found == parts(range(10), 0) != parts(range(10), 1)


def test_blended_scores_are_the_others_in_some_rows() -> None:
    ones, twos = (Scores(np.full((3, 2), n), np.full((3, 2), n), np.zeros((3, 2)), [np.full((3, 4), n)] * 2) for n in (1.0, 2.0))
    found = blended(ones, twos, np.array([False, True, False]))
    for part in (found.chunk, found.sentence, *found.cosines):
        assert part[0].tolist() == part[2].tolist() == [1.0] * part.shape[1] and part[1].tolist() == [2.0] * part.shape[1]
    assert ones.chunk.max() == 1.0


def test_one_run_writes_all_files_and_the_seed_makes_it_again(base: Path, pack: Pack, tmp_path: Path) -> None:
    told: list[str] = []
    stages = Stages(told.append)
    files = [
        run(pack, Plan(base, tmp_path / folder, seed=seed, encoder=ENCODING, reader=replace(RECIPE, epochs=1), matcher=MATCHING), stages)
        for folder, seed in (("one", 3), ("two", 3), ("three", 4))
    ]
    assert [file.name for file in files[0]] == [ENCODER, READER, MATCHER]
    for one, two, three in zip(*files, strict=True):
        assert one.read_bytes() == two.read_bytes() != three.read_bytes()
    assert list(stages.seconds) == ["encoder", "encoders for unseen scores", "reader", "matcher"] and "without 2 papers" in " ".join(told)
    changed = search(tuned(base, load_file(files[0][0])), pack).chunk - search(base_model(base), pack).chunk
    assert abs(changed).max() > 1e-3
    with_weights(ReaderNetwork(base_model(base)), files[0][1])
    assert load_matcher(files[0][2])[1].questions == len(pack.examples)


def test_scores_that_the_reader_learns_from_have_not_seen_the_questions_paper(
    base: Path, pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eval.train import pipeline

    tuned_on: list[set[int | None]] = []
    tune = pipeline.tune

    def watched(folder: Path, part: Pack, *given: object) -> BertModel:
        tuned_on.append({one.paper for one in part.examples})
        return tune(folder, part, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "tune", watched)
    run(
        pack,
        Plan(base, tmp_path, encoder=replace(ENCODING, epochs=1), reader=replace(RECIPE, epochs=1), matcher=MATCHING),
        Stages(lambda line: None),
    )
    whole, *others = tuned_on
    assert whole == set(range(PAPERS)) and [len(each) for each in others] == [4, 4, 4]
    assert set.union(*(whole - each for each in others)) == whole


def test_too_few_papers_are_told(base: Path, pack: Pack, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"2 of the training papers .* \(--source\)"):
        run(pack.about([0, 1, None]), Plan(base, tmp_path), Stages(lambda line: None))


def test_what_cannot_be_used_is_told_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=r"cannot be written .*--out"):
        writable(tmp_path / "file" / "folder")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device(None) == chosen_device("cpu") == "cpu"
    with pytest.raises(TrainingError, match="finds no GPU here: leave --device out"):
        chosen_device("cuda")
    with pytest.raises(TrainingError, match="choose one of cpu, cuda"):
        chosen_device("tpu")


def test_the_command_tells_what_is_no_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pack.npz").write_text("hello")
    for file in ("pack.npz", "gone.npz"):
        assert command.main([str(tmp_path / file), str(tmp_path / "out")]) == 1
        assert f"{file}: not a pack" in capsys.readouterr().err


# From a library


TITLES = ("Gravel: Caches in Two Bits", "Pebble: Smaller Caches for Language Models", "Tarn: A Still Smaller Cache")
PEBBLE, TARN = TITLES[1:]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Three papers, of which the fixed set asks about the first, and a training question of each kind about each."""
    listing = tmp_path / "papers.txt"
    text = "We store the caches of language models in two bits a number. Memory falls by 71% on three models. All of our code is free."
    listing.write_text("Get trending papers in your email inbox!\n" + "".join(f"{title}\n{text}\n" for title in TITLES))
    library = Library(tmp_path / "library", ToyEmbedder())
    library.add([str(listing)])
    start = text.index("Memory")
    span = ((start, text.index(" All of")),)
    kinds = ("detail", "paraphrase", data.PREMISE, data.UNSTATED)
    questions = [
        data.TrainingQuestion(f"{kind}-{number}", f"How much memory, {kind}?", kind, title, () if kind == data.UNSTATED else span)
        for number, title in enumerate((*TITLES, "Nowhere"))
        for kind in kinds
    ]
    other = [data.TrainingQuestion("moved", "Which?", "detail", PEBBLE, ((400, 500),))]
    follow = [
        data.FollowUp("f1", ("About Pebble.", "And?"), "How much?", PEBBLE, span, ""),
        data.FollowUp("f2", ("Hm.",), "So?", None, (), ""),
        data.FollowUp("f3", ("About Pebble.",), "On a phone?", PEBBLE, (), ""),
    ]
    made: dict[str, Callable[[], object]] = {
        "load": lambda: questions,
        "load_more": lambda: other,
        "load_hard": list,
        "load_fields": list,
        "load_absent_fields": list,
        "load_followups": lambda: follow,
        "load_absent": lambda: ["Who won?"],
        "load_offtopic": lambda: ["What is for dinner?"],
    }
    for name, loader in made.items():
        monkeypatch.setattr(data, name, loader)
    return library


def token_ids(texts: object) -> list[list[int]]:
    """A toy of a tokeniser: a number for each word."""
    return [[sum(map(ord, word)) for word in text.split()] for text in texts]  # type: ignore[attr-defined]


def test_a_pack_is_built_of_the_questions_about_the_wanted_papers(asked: Library) -> None:
    pack = build(asked, token_ids, {PEBBLE, TARN})
    papers = [one.title for one in asked.papers()]
    found = {one.id: one for one in pack.examples}
    assert len(pack.papers) == 3 and len(pack.papers[0].sentences) == 3 and pack.coverage.shape == (len(found), 3)
    about_papers = {f"{kind}-{number}" for kind in ("detail", "paraphrase", "premise", "unstated") for number in (1, 2)}
    assert set(found) == about_papers | {"f1", "f2", "f3", "absent-1", "offtopic-1"}
    assert (found["detail-1"].paper, found["detail-1"].stance, found["detail-1"].evidence) == (papers.index(PEBBLE), ANSWERS, [1])
    assert [found[f"{kind}-1"].specific for kind in ("detail", "paraphrase", "premise", "unstated")] == [True, False, True, False]
    assert (found["premise-2"].stance, found["unstated-2"].stance, found["unstated-2"].evidence) == (CONTRADICTS, SILENT, [])
    assert found["f1"].before == token_ids(["About Pebble. And?"])[0] and found["f1"].evidence == [1] and not found["f1"].specific
    assert (found["f3"].paper, found["f3"].stance, found["f3"].evidence) == (papers.index(PEBBLE), SILENT, [])
    assert all(found[name].paper is None and found[name].stance == SILENT for name in ("f2", "absent-1", "offtopic-1"))
    asked.close()


def test_summaries_become_second_versions_with_what_they_answer_and_leave_open(
    asked: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = tmp_path / "summaries.txt"
    told = "Two bits for each number of a cache. Over three models, memory drops by 71%."
    listing.write_text(f"Get trending papers in your email inbox!\n{PEBBLE}\n{told}\n{TARN}\nA still smaller cache, told briefly.\n")
    summaries = Library(tmp_path / "summaries", ToyEmbedder())
    summaries.add([str(listing)])
    questions = [replace(one, answer="71%" if one.evidence else "") for one in data.load()]
    monkeypatch.setattr(data, "load", lambda: questions)
    pack = build(asked, token_ids, {PEBBLE, TARN}, summaries)
    papers = [one.title for one in asked.papers()]
    assert len(pack.papers) == 5 and sorted(pack.version_of) == sorted([papers.index(PEBBLE), papers.index(TARN)])
    added = {one.id: one for one in pack.examples if one.id.endswith(" summary")}
    assert set(added) == {"detail-1 summary", "paraphrase-1 summary", "unstated-1 summary", "unstated-2 summary"}
    assert pack.same(added["detail-1 summary"].paper or 0) == papers.index(PEBBLE)
    assert added["detail-1 summary"].evidence == [1] and added["unstated-1 summary"].stance == SILENT
    assert pack.coverage.shape == (len(pack.examples), 5)
    asked.close()
    summaries.close()


def test_questions_are_spelled_as_the_search_reads_them(asked: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked.lexical, "respell", lambda text: (text.replace("much", "many"), ()))
    pack = build(asked, token_ids, {PEBBLE})
    assert {one.id: one for one in pack.examples}["detail-1"].question == token_ids(["How many memory, detail?"])[0]
    asked.close()


def test_coverage_is_the_share_that_the_search_gives(asked: Library) -> None:
    pack = build(asked, token_ids, {PEBBLE})
    row = [one.id for one in pack.examples].index("f1")
    ids = [one.paper_id for one in asked.papers()]
    shares = asked.lexical.coverage(asked.lexical.terms("About Pebble. And? How much?"), ids)
    assert pack.coverage[row].tolist() == pytest.approx([shares[each] for each in ids], abs=1e-3)
    assert pack.coverage[row].max() > pack.coverage[row].min()
    asked.close()


def test_the_fixed_sets_papers_are_those_held_out() -> None:
    held = held_out.held_out()
    gold = load(FIXED)
    assert {title for one in gold for title in one.gold_titles} <= held
    assert {title for one in gold for title in one.about_titles} <= held
    asked_about = {one.title for one in data.load()}
    assert 100 < len(asked_about & held) < len(asked_about)


@pytest.mark.long
@pytest.mark.parametrize(("option", "titles"), [("--hold-out", {1, 2}), ("--all", {0, 1, 2})])
def test_holding_out_leaves_no_question_about_a_held_out_paper(
    asked: Library, tmp_path: Path, option: str, titles: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from eval.train import data

    hashes = data.KnownAbstracts(same=TITLES, other=(), missing=("Nowhere",))
    monkeypatch.setattr(data, "known_abstracts", lambda papers: hashes)
    monkeypatch.setattr(held_out, "held_out", lambda: {TITLES[0]})
    asked.close()
    file = tmp_path / "pack.npz"
    found = CliRunner().invoke(app, ["train", "--source", str(tmp_path / "papers.txt"), "--only-pack", str(file), option])
    assert found.exit_code == 0, found.output
    assert "not in the library (first: Nowhere)" in found.stderr
    asked_about = {int(one.id[-1]) for one in Pack.load(file).examples if one.id.startswith(("detail", "unstated"))}
    assert asked_about == titles


def test_a_source_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["train", "--source", str(tmp_path / "gone.txt"), "--out", str(tmp_path / "out")])
    assert found.exit_code == 1 and "gone.txt" in found.stderr and "Traceback" not in found.output


@pytest.mark.long
def test_a_library_without_training_papers_is_told(tmp_path: Path, asked: Library) -> None:
    asked.close()
    found = CliRunner().invoke(app, ["train", "--source", str(tmp_path / "papers.txt"), "--out", str(tmp_path / "out"), "--device", "cpu"])
    assert found.exit_code == 1 and "training papers can be asked about" in found.stderr


def test_measuring_unseen_needs_sources() -> None:
    found = CliRunner().invoke(app, ["--held-out"])
    assert found.exit_code == 1 and "name them with --source" in found.stderr


def test_the_held_out_encoder_is_another_than_the_shipped(minilm: object) -> None:
    assert held_out.held_out_encoder().digest != getattr(minilm, "digest", None)
    assert math.isclose(float(np.linalg.norm(held_out.held_out_encoder().embed_texts(["a cat"])[0])), 1.0, rel_tol=1e-4)
