"""What the check of sentences sees: by rules, by the network, and where its weights are gone."""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ReaderError
from assistant.verification import weights
from assistant.verification.checker import Checker, Text, shipped
from assistant.verification.figures import missing, read_figures
from assistant.verification.lexicon import SIDES
from assistant.verification.model import Seen, SupportModel
from assistant.verification.rules import RULE_SIGNALS, signals

PAPER = Text(
    "TideCache: Reusing Prompt Prefixes Across Chat Sessions",
    (
        "Chat servers compute the same prompt prefixes over and over.",
        "TideCache keeps the attention states of shared prefixes in a radix tree and drops the least used branches.",
        "On three traces it cuts time to first token by 2.4x and raises throughput by up to 38% over vLLM.",
        "With 4-bit states, memory falls by 70% while accuracy stays the same on GSM8K.",
        "It does not help where prompts share no prefix.",
    ),
)
OTHER = Text("Orchard Sort: Ranking Apples", ("Orchard Sort grades 15 apples a second with one camera.", "It needs no conveyor belt."))
SUPPORTED = (
    "TideCache stores attention states of shared prefixes in a radix tree.",
    "It reduces the time to first token 2.4 times over three traces.",
    "Throughput rises by up to 38% compared with vLLM.",
    "Storing states in 4 bits lowers memory by 70%.",
    "Prompts without a common prefix do not benefit.",
)
EDITED = (
    "It reduces the time to first token 3.4 times over three traces.",
    "Throughput rises by up to 38% compared with TensorRT.",
    "Throughput rises by up to 70% compared with vLLM.",
    "Storing states in 4 bits lowers memory by 38%.",
    "With 4-bit states, memory does not fall by 70%.",
)


def signal(name: str, sentence: str) -> float:
    return signals(sentence, *PAPER)[RULE_SIGNALS.index(name)]


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ("2.4 times", "2.4x"), ("2.4-fold", "2.4×"), ("15 percent", "15%"), ("1,500 tokens", "1500 tokens"), ("twice as fast", "2x faster"),
        ("nearly 40%", "39%"), ("more than 3x", "3.2x"), ("1.5B parameters", "1.5 billion parameters"), ("a half", "50%"),
    ],
)  # fmt: skip
def test_a_figure_may_be_written_in_many_ways(said: str, held: str) -> None:
    assert not missing(read_figures(said), read_figures(held))


@pytest.mark.parametrize(("said", "held"), [("2.5x", "2.4x"), ("38%", "83%"), ("15 apples", "150 apples"), ("3x", "1.3x")])
def test_another_figure_is_missing(said: str, held: str) -> None:
    assert missing(read_figures(said), read_figures(held))


def test_rules_see_figures_names_directions_negations_and_bounds() -> None:
    assert signal("figures", "It cuts time by 3.1x.") == 1.0
    assert signal("names", "It beats TensorRT on throughput.") == 1.0
    assert (
        signals("Orchard Sort slowly grades apples.", "Orchard Sort", ["Orchard Sort quickly grades apples."])[RULE_SIGNALS.index("clash")]
        == 1.0
    )
    assert signal("negated", "On three traces it never cuts time to first token.") == 1.0
    assert signal("dropped", "It raises throughput by 38% over vLLM.") == 1.0


def test_rules_have_nothing_against_the_papers_own_sentences() -> None:
    against = [name for name in RULE_SIGNALS if name not in {"held", "two best"}]
    for sentence in PAPER.sentences[1:4]:
        assert {name: signal(name, sentence) for name in against} == dict.fromkeys(against, 0.0), sentence


HELD = (
    "TideCache cuts latency by 2.4x on A100 and by 1.6x on T4.",
    "BranchNet beats OrchardNet in accuracy at inference.",
    "Dropping old branches does not improve recall.",
)


def place(name: str, sentence: str) -> float:
    return signals(sentence, "Chat prefixes", HELD)[RULE_SIGNALS.index(name)]


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("figure place", "On A100 it cuts latency by 2.4x.", "On A100 it cuts latency by 1.6x."),
        ("figures exchanged", "Latency falls by 2.4x on A100 and 1.6x on T4.", "Latency falls by 1.6x on A100 and 2.4x on T4."),
        ("name place", "TideCache lowers latency by 2.4x.", "OrchardNet lowers latency by 2.4x."),
        ("names exchanged", "BranchNet is more accurate than OrchardNet.", "OrchardNet beats BranchNet in accuracy."),
        ("term place", "BranchNet has better accuracy at inference.", "BranchNet has better accuracy at training."),
        ("direction place", "TideCache reduces latency by 2.4x on A100.", "TideCache raises latency by 2.4x on A100."),
        ("direction place", "Dropping old branches does not raise recall.", "Dropping old branches improves recall."),
        ("absolute", "Dropping branches helps recall little.", "Dropping branches always helps recall."),
    ],
)
def test_what_stands_in_the_place_of_another_is_seen(name: str, right: str, wrong: str) -> None:
    assert place(name, wrong) > max(0.0, place(name, right)), (place(name, wrong), place(name, right))


@given(st.lists(st.sampled_from([*"abc 2.x%-'", " not ", " more ", " less ", " GPU ", " Aa1 ", " two ", " 2.4x "])).map("".join))
def test_any_text_has_signals_that_are_numbers(text: str) -> None:
    found = signals(text, "Chat prefixes", HELD)
    assert len(found) == len(RULE_SIGNALS) and all(math.isfinite(each) for each in found)


def test_words_with_a_contrary_are_on_one_side_of_a_family_only() -> None:
    assert len(SIDES) > 400
    for word, sides in SIDES.items():
        families = [family for family, _ in sides]
        assert len(families) == len(set(families)), word


def test_the_nearest_sentences_are_read_in_their_order() -> None:
    assert (
        PAPER.near("Memory falls by 70% while throughput rises by up to 38%.")
        == f"{PAPER.title}. {PAPER.sentences[2]} {PAPER.sentences[3]}"
    )


@pytest.mark.parametrize("sentence", SUPPORTED)
def test_a_supported_sentence_holds(sentence: str) -> None:
    assert shipped().check(sentence, [PAPER]).holds == (True,)


@pytest.mark.parametrize("sentence", EDITED)
def test_a_minimal_edit_does_not(sentence: str) -> None:
    assert shipped().check(sentence, [PAPER]).holds == (False,)


@pytest.mark.parametrize("sentence", SUPPORTED)
def test_another_paper_supports_nothing_of_it(sentence: str) -> None:
    assert shipped().check(sentence, [OTHER]).holds == (False,)


def test_what_two_papers_are_cited_for_they_hold_together() -> None:
    said = "TideCache cuts time to first token by 2.4x, and Orchard Sort grades 15 apples a second."
    assert shipped().check(said, [PAPER, OTHER]).holds == (True, True)
    assert not any(shipped().check(said.replace("2.4x", "5x"), [PAPER, OTHER]).holds)


def test_an_uncited_sentence_finds_the_paper_that_supports_it() -> None:
    assert shipped().best(SUPPORTED[0], [OTHER, PAPER]) == 1
    assert shipped().best("Elephants sleep standing up.", [OTHER, PAPER]) is None


@pytest.mark.parametrize("sentence", ["", "…", "**"])
def test_what_says_nothing_is_supported_by_nothing(sentence: str) -> None:
    assert shipped().check(sentence, [PAPER]).holds == (False,)
    assert shipped().check(SUPPORTED[0], []).holds == ()


def test_the_weights_are_the_ones_that_ship() -> None:
    weights.verify(weights.FILE, weights.SHA256)


@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_damaged_weights_are_told_and_rules_check_alone(tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "support.safetensors"
    whole = weights.FILE.read_bytes()
    if damage != "missing":
        file.write_bytes(whole[:-1] if damage == "cut" else whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ReaderError, match="reinstall"):
        SupportModel(file, weights.SHA256)
    monkeypatch.setattr(weights, "FILE", file)
    shipped.cache_clear()
    try:
        checker = shipped()
    finally:
        shipped.cache_clear()
    assert str(file) in checker.fault
    assert checker.check(PAPER.sentences[1], [PAPER]).holds == (True,)
    assert checker.check(EDITED[0], [PAPER]).holds == (False,)


def test_other_files_are_no_weights_of_the_check(tmp_path: Path) -> None:
    from assistant.evidence import reader_weights

    file = tmp_path / "support.safetensors"
    shutil.copy(reader_weights.FILE, file)
    with pytest.raises(ReaderError, match="weights"):
        SupportModel(file).look([(SUPPORTED[0], PAPER.whole)])


def test_warming_up_loads_the_network_once_and_not_in_the_way() -> None:
    loaded = threading.Event()

    class Slow(SupportModel):
        def __init__(self) -> None:
            self.looked = 0

        def look(self, pairs: Sequence[tuple[str, str]]) -> list[Seen]:
            self.looked += 1
            loaded.set()
            return [Seen(0.0, (0.0,))]

    model = Slow()
    checker = Checker(model)
    checker.warm()
    checker.warm()
    assert loaded.wait(10.0) and model.looked == 1
    Checker(None).warm()


def test_without_a_network_rules_check_alone() -> None:
    assert Checker(None).check(PAPER.sentences[1], [PAPER]).chance > 0.5
