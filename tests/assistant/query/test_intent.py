"""What a question wants, as learnt from examples."""

from __future__ import annotations

import pytest

from assistant.query.intent import GROUPS, SINGLE, features_of, intent_of, is_talk, shipped
from eval.train.fit.intents import figures, load_all, load_examples, load_phrasings
from index.embedding import MiniLM, ToyEmbedder


def test_every_intent_has_examples_each_once() -> None:
    examples = load_examples()
    texts = [one.question.lower() for one in examples]
    assert len(set(texts)) == len(texts)
    assert {one.intent for one in examples} == {name for names in GROUPS.values() for name in names}


def test_the_model_is_fitted_on_these_examples_for_the_shipped_encoder(minilm: MiniLM) -> None:
    import hashlib
    import json

    told = hashlib.sha256(json.dumps([(one.question, one.intent) for one in load_all()]).encode()).hexdigest()
    assert shipped().fitted_on == told and shipped().digest == minilm.digest, "fit again: python -m eval fit --only intent"


def test_probabilities_sum_to_one_with_the_encoder_and_without(minilm: MiniLM) -> None:
    for embedder in (minilm, ToyEmbedder(), None):
        assert sum(shipped().probabilities("how do owls hunt", embedder).values()) == pytest.approx(1.0, abs=1e-4)


def test_phrasings_written_apart_are_told_and_questions_of_one_paper_left_alone(minilm: MiniLM) -> None:
    phrasings = load_phrasings()
    assert not {one.question.lower() for one in phrasings} & {one.question.lower() for one in load_examples()}
    read = {one.question: intent_of(one.question, minilm) for one in phrasings}
    single = [read[one.question].group for one in phrasings if one.intent in GROUPS[SINGLE]]
    assert len(single) > 100 and sum(group in ("several", "comparison") for group in single) <= 0.03 * len(single)
    for group, least in LEAST.items():
        found = [read[one.question].group == group for one in phrasings if one.intent in GROUPS[group]]
        assert len(found) >= 30 and sum(found) >= least * len(found), group
    defined = [read[one.question].name == "definition" for one in phrasings if one.intent == "definition"]
    assert sum(defined) >= 0.9 * len(defined)


LEAST = {"several": 0.9, "comparison": 0.9, "records": 0.85, "summary": 0.85}


def test_figures_are_of_the_phrasings_and_of_every_group_that_they_have() -> None:
    told = "\n".join(figures(shipped(), None))
    assert f"{len(load_phrasings())} phrasings" in told and all(f"  {group}: " in told for group in LEAST)


def test_a_word_of_a_theme_makes_no_talk() -> None:
    assert is_talk("hello there!") and is_talk("What can I ask?")
    assert not is_talk("hello axolotl") and not is_talk("help with overfitting trees")


def test_figures_count_alike_and_order_counts() -> None:
    assert "~^ which * have *ing" not in features_of("which owls have talons")
    common = frozenset({"which", "have", "the", "of"})
    assert {"~^ which *s have", "~*ing $"} <= features_of("which barn owls have silent landing", common)
    assert features_of("the 2019 one") == features_of("the 2023 one")
    assert features_of("dog bites man") != features_of("man bites dog")
