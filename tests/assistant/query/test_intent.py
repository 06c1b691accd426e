"""What a question wants, as learnt from examples."""

from __future__ import annotations

import pytest

from assistant.query.intent import GROUPS, SINGLE, features_of, intent_of, is_talk, shipped
from eval.train.fit.intents import load_all, load_examples, part_of
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


def test_on_phrasings_kept_back_groups_are_told_and_questions_of_one_paper_left_alone(minilm: MiniLM) -> None:
    examples = load_examples()
    held = [one for one, part in zip(load_all(), part_of(load_all()), strict=True) if part == 0 and one.written]
    assert len(held) > 250 and len(held) < len(examples) / 4
    read = {one.question: intent_of(one.question, minilm).group for one in held}
    single = [read[one.question] for one in held if one.intent in GROUPS[SINGLE]]
    assert sum(group in ("several", "comparison") for group in single) <= 0.04 * len(single)
    for group, least in LEAST.items():
        found = [read[one.question] == group for one in held if one.intent in GROUPS[group]]
        assert sum(found) >= least * len(found), group


LEAST = {"records": 0.8, "instruction": 0.7, "talk": 0.7, "comparison": 0.75, "several": 0.75}


def test_a_word_of_a_theme_makes_no_talk() -> None:
    assert is_talk("hello there!") and is_talk("What can I ask?")
    assert not is_talk("hello axolotl") and not is_talk("help with overfitting trees")


def test_figures_count_alike_and_order_counts() -> None:
    assert features_of("the 2019 one") == features_of("the 2023 one")
    assert features_of("dog bites man") != features_of("man bites dog")
