"""Refusals, courtesies and thoughts aloud are told from statements, also in words that no example has."""

from __future__ import annotations

import pytest

from assistant.verification.dialogue_acts import COURTESY, DECLINE, STATEMENT, THOUGHT, DialogueActs, examples
from index.embedding import MiniLM

DECLINES = """I was not able to locate any details about this in the documents you supplied.
Regrettably, the listed papers say nothing about how the bird was named.
None of the five papers discusses how the method would behave on mobile phones.
The sources don't indicate which optimiser was used.
It isn't possible to tell from these abstracts.
I'm sorry, the passages above contain no details regarding funding.
I am not able to determine that from the text.
This detail does not appear in any of the numbered sources.
The materials do not contain sufficient information to answer the question about pricing.
While the sources discuss attention, they do not mention the Eiffel Tower.
No mention is made of the energy consumption.
Your question isn't addressed in these sources.
I can't provide an answer, because the papers do not report it.
The supplied references do not talk about elephants.
I couldn't find the number of annotators anywhere in the sources.
Apologies, but I have no data on that.
The question falls outside the scope of the provided sources."""
COURTESIES = """Sure, happy to help with that!
Of course! Here's a brief overview.
Certainly. Based on the sources, here's the answer:
Hope this was useful!
If anything is unclear, please ask.
I'd be glad to dig deeper into any of these.
What a fascinating question!
Here's a quick summary:
Let me know whether you want further information on this topic.
Feel free to reach out with more questions.
I trust this answers your question.
Here is the response, with citations:"""
STATEMENTS = """The kernel computes attention over the shared prefix and the unique suffixes separately.
It batches queries together across sequences, which enables matrix multiplications.
The model was not pre-trained on code.
Contrary to that, the system keeps all tokens in the cache.
No gain over the baseline was observed for large batches.
Systems of retrieval often answer although the retrieved documents do not contain the answer.
The dataset holds 4,000 unanswerable questions.
The authors do not fine-tune the encoder.
Here, the encoder is frozen and only the head is trained.
The patients did not respond to the treatment.
Its memory use does not grow with the length of the sequence.
In summary, larger batches help throughput but hurt latency.
There is no evidence that the vaccine raises the risk.
Models hallucinate less when they are told that they may say that they do not know.
The system is not able to translate rare words.
They found no significant correlation between age and score.
It handles it in two parts.
The abstract says that throughput rises by 32x."""
THOUGHTS = """Okay, the user asks about gulls.
The user asks how the method handles a shared prefix.
We should reply with the relevant sentence from source 1.
I need to find what they say about latency."""


@pytest.fixture(scope="module")
def act_of(minilm: MiniLM) -> DialogueActs:
    return DialogueActs(minilm)


@pytest.mark.parametrize(("act", "sentences"), [(DECLINE, DECLINES), (COURTESY, COURTESIES), (STATEMENT, STATEMENTS), (THOUGHT, THOUGHTS)])
def test_nearly_all_sentences_of_other_wording_are_told(act_of: DialogueActs, act: str, sentences: str) -> None:
    known = {sentence for _, sentence in examples()}
    lines = sentences.splitlines()
    wrong = {line: act_of(line) for line in lines if act_of(line) != act}
    assert known.isdisjoint(lines)
    assert len(wrong) <= len(lines) // 9, wrong


def test_every_act_has_its_examples() -> None:
    acts = [act for act, _ in examples()]
    assert set(acts) == {DECLINE, COURTESY, STATEMENT, THOUGHT} and min(map(acts.count, set(acts))) > 20


def test_what_has_no_words_is_a_statement(act_of: DialogueActs) -> None:
    assert act_of("42 %") == STATEMENT
