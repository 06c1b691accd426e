"""What the check is trained on, and its training: over a few small papers, with the real base model."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from assistant.verification.checker import Text
from assistant.verification.model import SupportModel
from eval.cli import app
from eval.held_out import held_out
from eval.support.claims import STARTER, Written, load_written, papers_of
from eval.support.edits import KINDS, Edit
from eval.train.claims import ClaimsRecipe, train_check, trial
from eval.train.claims_network import SupportNetwork
from eval.train.claims_pack import EDITED, OTHER, SUPPORTED, ClaimsPack, Twice, build
from eval.train.encoder import base_model, with_weights
from eval.train.pipeline import Plan, Stages
from index.embedding import MiniLM
from index.embedding.minilm import installed

PEBBLE = Text("Pebble", ("Pebble prunes heads by 40% without retraining.", "It is faster than Gravel on CPUs.", "Memory falls, too."))
OTHERS = (
    Text("Gravel", ("Gravel merges layers of speech models.", "It halves latency on A100 against Sand.")),
    Text("Sand", ("Sand caches keys and values in 4 bits.", "Accuracy drops by 2 points on MMLU.")),
)
CLAIM = Written(
    "Pebble",
    "On CPUs Pebble beats Gravel in speed.",
    (Edit("direction", "On CPUs Pebble trails Gravel in speed."), Edit("name swapped", "On CPUs Pebble beats Sand in speed.")),
)


def spelled(pack: ClaimsPack, number: int) -> tuple[int, ...]:
    return tuple(pack.ids[pack.text[number] : pack.text[number + 1]].tolist())


@pytest.fixture(scope="module")
def pack() -> ClaimsPack:
    papers = [Twice("Pebble", PEBBLE, Text("Pebble", ("Pebble needs no training to drop 40% of heads.",)), (CLAIM,))]
    papers += [Twice(text.title, text, Text(text.title, (f"{text.title} in brief: {text.sentences[0]}",))) for text in OTHERS]
    return build(papers, {"Sand"}, MiniLM(adapter=None).token_ids, random.Random(0))


def test_a_written_claim_is_supported_and_its_edits_are_not_and_it_comes_twice(pack: ClaimsPack) -> None:
    ids = MiniLM(adapter=None).token_ids
    groups = range(len(pack.trial))
    (mine,) = [number for number in groups if spelled(pack, int(pack.sentence[pack.group[number]])) == tuple(ids([CLAIM.claim])[0])]
    pairs = range(int(pack.group[mine]), int(pack.group[mine + 1]))
    of = {spelled(pack, int(pack.sentence[pair])): int(pack.what[pair]) for pair in pairs if pack.what[pair] != OTHER}
    assert of[tuple(ids([CLAIM.claim])[0])] == SUPPORTED
    assert all(of[tuple(ids([edit.text])[0])] == EDITED for edit in CLAIM.edits)
    assert pack.times[mine] == 2 and set(pack.times[[each for each in groups if each != mine]].tolist()) == {1}


def test_the_wrong_words_of_an_edit_are_marked(pack: ClaimsPack) -> None:
    ids = MiniLM(adapter=None).token_ids
    edited = tuple(ids([CLAIM.edits[0].text])[0])
    pair = next(pair for pair in range(len(pack.what)) if spelled(pack, int(pack.sentence[pair])) == edited)
    wrong = pack.wrong[pack.wrongs[pair] : pack.wrongs[pair + 1]].tolist()
    assert [edited[place] for place in wrong] == ids(["trails"])[0]
    assert KINDS[pack.kind[pair]] == "direction"


def test_the_nearest_sentences_stand_beside_the_whole_paper(pack: ClaimsPack) -> None:
    ids = MiniLM(adapter=None).token_ids
    whole = tuple(ids([PEBBLE.whole])[0])
    pairs = [pair for pair in range(len(pack.what)) if spelled(pack, int(pack.paper[pair])) == whole]
    assert pairs
    for pair in pairs:
        near = spelled(pack, int(pack.near[pair]))
        assert near[:1] == whole[:1] and len(near) < len(whole)


def test_papers_for_trial_are_told(pack: ClaimsPack) -> None:
    assert Counter(pack.trial.tolist())[1] == 1 * 2 + 2  # Sand: a sentence of the summary twice, two of the abstract


def test_a_pack_comes_back_as_it_was(pack: ClaimsPack, tmp_path: Path) -> None:
    pack.save(tmp_path / "pack.npz")
    again = ClaimsPack.load(tmp_path / "pack.npz")
    assert all(np.array_equal(getattr(again, name), getattr(pack, name)) for name in vars(pack))


def test_what_is_trained_is_loaded_and_tells_an_edit_that_it_saw(pack: ClaimsPack, tmp_path: Path) -> None:
    told: list[str] = []
    recipe = ClaimsRecipe(rank=4, epochs=12, groups=4, dropout=0.0, averaged=0.9)
    file = train_check(pack, Plan(installed(), tmp_path), recipe, Stages(told.append))
    right, wrong = SupportModel(file).look([(CLAIM.claim, PEBBLE.whole), (CLAIM.edits[0].text, PEBBLE.whole)])
    assert right.support > wrong.support
    assert max(wrong.wrong) > max(right.wrong)


def test_a_trial_tells_both_views(pack: ClaimsPack) -> None:
    from assistant.verification import weights

    said = trial(with_weights(SupportNetwork(base_model(installed())), weights.FILE), pack, list(range(len(pack.trial))))
    assert "support, whole: edits" in said and "worst, near: edits" in said


def test_written_claims_are_about_papers_that_are_neither_judged_nor_fitted_on() -> None:
    written = load_written()
    assert len(written) >= 960 and sum(len(one.edits) for one in written) >= 3400
    assert {one.title for one in written}.isdisjoint(held_out())
    assert {edit.kind for one in written for edit in one.edits} == set(KINDS)
    texts = [text for one in written for text in (one.claim, *(edit.text for edit in one.edits))]
    assert len(texts) == len(set(texts))


@pytest.mark.long
def test_the_command_writes_a_pack_without_the_fixed_sets_papers(tmp_path: Path) -> None:
    """Of the starter's own summaries, whose two texts are the same."""
    file = tmp_path / "pack.npz"
    result = CliRunner().invoke(app, ["train", "--only", "check", "--source", str(STARTER), "--only-pack", str(file)])
    assert result.exit_code == 0, result.output
    papers = papers_of([str(STARTER)])
    sentences = sum(len(paper.sentences) for title, paper in papers.items() if title not in held_out())
    made = ClaimsPack.load(file)
    assert len(made.trial) == 3 * sentences + len(load_written()) and 0 < made.trial.sum() < 0.3 * len(made.trial)


def test_elsewhere_a_file_that_is_no_pack_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from eval.train.__main__ import main

    (tmp_path / "pack.npz").write_text("no pack")
    assert main([str(tmp_path / "pack.npz"), str(tmp_path / "out")]) == 1
    assert "not a pack" in (said := capsys.readouterr().err) and "--only-pack" in said
