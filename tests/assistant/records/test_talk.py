"""What is asked of the library itself is answered plainly; a question about papers never is."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import pytest

from assistant.generation.base import Draft
from assistant.query.language import is_foreign
from assistant.query.question import read_question
from assistant.records.overview import contents, guide, newest
from assistant.records.talk import FOREIGN, talk
from index import SUMMARY_NOTE, Library
from index.embedding import MiniLM, ToyEmbedder
from index.paper import Entry, Source
from tests.conftest import LISTINGS, ROOT

GREETINGS = ["hi", "Hello there!", "hey", "good morning", "Hi, how are you?", "good evening everyone", "Hello 👋", "oh, hello again"]
THANKS = ["thanks", "Thank you so much!", "ok, thanks", "great, thank you", "thx", "Thanks for your help!", "perfect, many thanks!!"]
BYES = ["bye", "Goodbye!", "ok bye", "good night"]
HELP = [
    "help",
    "Help!",
    "help me please",
    "what can I ask?",
    "What can I ask here?",
    "what can i do with this",
    "What kind of questions can I ask?",
    "which questions can you answer?",
    "what can you do",
    "hi! what can you do?",
    "Can you tell me what you can do?",
    "how does this work?",
    "How do I use this?",
    "how do you work",
    "Who are you?",
    "what are you",
    "Are you a chatbot?",
    "What's your name?",
    "show me some example questions",
    "can you help me?",
]
CONTENTS = [
    "what is in here?",
    "What's in here",
    "what's in the library?",
    "What is in this library, please?",
    "what papers do you have",
    "Which papers do you have here?",
    "how many papers are there?",
    "How many papers are in the library?",
    "how many papers do you have in total",
    "how many papers",
    "list all papers",
    "Please list all the papers.",
    "list papers",
    "show me all papers here",
    "could you show me a list of the papers",
    "what does this library contain?",
    "What topics are covered?",
    "which topics do you cover",
    "what is this library about?",
    "tell me about the library",
    "what sources do you have",
    "where do the papers come from?",
    "how big is the library?",
]
FOREIGN_QUESTIONS = [
    "Wie funktioniert spekulatives Dekodieren?",
    "Welche Arbeiten gibt es über Quantisierung und Pruning?",
    "Was ist der Unterschied zwischen LoRA und vollem Fine-Tuning?",
    "Quelle est la différence entre la distillation et l'élagage ?",
    "Comment fonctionne le décodage spéculatif dans une architecture ?",
    "¿Cómo funciona la decodificación especulativa?",
    "¿Qué artículos hay sobre cuantización?",
    "Quali articoli sono stati scritti sulla quantizzazione?",
    "Che cosa è la distillazione della conoscenza?",
    "Quais são os métodos de quantização?",
    "Como funciona a decodificação especulativa?",
    "Wat is het verschil tussen kwantisatie en snoeien?",
    "как работает спекулятивное декодирование?",
    "推测解码是如何工作的？",
    "投機的デコードはどのように機能しますか",
    "كيف يعمل فك التشفير التخميني؟",
    "तंत्रिका नेटवर्क कैसे काम करता है?",
    "Πώς λειτουργεί η κβαντοποίηση;",
]
ABOUT_PAPERS = """
What can I use to compress the KV cache?
what can I do about exploding gradients?
What can you do with a single GPU?
what can transformers do that RNNs cannot
What can I ask a language model to improve its reasoning?
how many parameters does the smallest model have?
How many papers does the survey on pruning review?
how many papers on quantization are there?
How many documents does the retrieval benchmark hold?
how many abstracts were annotated
help me find work on sparse attention
Help with catastrophic forgetting
can you help me choose an optimizer for small batches
hello world benchmark for agents
hello world
Hi-C contact map prediction
hey siri wake word detection
good morning message generation with language models
newest methods for pruning
newest papers on diffusion models
What is the latest paper on mixture of experts?
most recent papers about state space models
latest work in video generation
what's new in quantization?
What is new about the attention mechanism?
recent papers that use reinforcement learning
papers from 2024 on speculative decoding
papers from Google on scaling laws
papers from 2024 that prune vision transformers
which papers from 2023 compare optimizers?
what is in the KV cache
What is in the training data of the model?
what is in a prompt
What is here meant by alignment?
what is the library used for sparse kernels?
list papers on quantization
List all papers that mention distillation
list all optimizers
show me papers about graph neural networks
show me the papers that use LoRA
Which papers are there on federated learning?
what papers do you have on long context?
What topics are covered by the multilingual benchmark?
which sources of bias are there in reward models?
thanks to what trick does the method converge
Thanks to which property can the softmax be dropped?
thank you tokens in dialogue models
who are the authors of the pruning survey?
Who are you going to trust: LLM judges or humans?
what are you need attention
how does this work compare with LoRA?
How does this method work on long documents?
how do you work around the quadratic cost of attention
how to use this for inference on phones
Are you smarter than a language model? benchmark
what does the library of skills contain in Voyager?
How big is the library of tools used by the agent?
Büchi automata
El Niño forecasts
La Niña und El Niño
de novo design
de novo protein design in vivo
in vivo
in situ data à la carte
Ornstein-Uhlenbeck process
Schrödinger bridge matching
Van der Waals forces
Leonardo da Vinci style transfer
Die-to-die interconnects
naïve Bayes vs logistic regression
Erdős–Rényi graphs
Fréchet inception distance
Ōmura kanji recognition
German und English code switching
How well do models answer "Was ist das?" in German?
What does the 悟道 model learn?
What is 大规模预训练语言模型?
β-VAE
α, β, γ
∇f(θ) = 0
KV cache
quantization
pruning vs distillation
MoE
LLM help desk tickets
help-seeking behaviour of agents
library learning
program synthesis libraries
collection of instruction data
attention is all you need
IL aux loss est
DAS DEM fusion
what is this paper about?
what is it about?
tell me about LoRA
Describe the library of primitives that the agent learns
1
42
2024
2024-10
?
...
!!!
asdf
🦉🦉🦉
""".strip().splitlines()
AFTER_A_TURN = ["how does this work?", "how many documents are there?", "how many articles?"]


@lru_cache
def encoder() -> MiniLM:
    return MiniLM()


def asked(text: str, library: Library, first: bool = True) -> Draft | None:
    """As the shipped encoder reads it."""
    return talk(read_question(text, encoder()), library, first)


def told(text: str, library: Library) -> Draft:
    draft = asked(text, library)
    assert draft is not None
    return draft


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The small listings. Read only."""
    library = Library(tmp_path_factory.mktemp("small"), ToyEmbedder())
    library.add([str(LISTINGS)])
    yield library
    library.close()


DATES = ("2024-10-01", "2024-10", "2024", "--12-12", "2023-05-06", "2022-01-02", None, "2021-11")


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Library]:
    """Papers A to H with dates of every form."""
    yield from holding(tmp_path / "mixed", DATES)


def holding(home: Path, dates: Sequence[str | None]) -> Iterator[Library]:
    library = Library(home, ToyEmbedder())
    entries = [
        Entry(f"Paper {letter}", f"Paper {letter} studies nets. It does well.", 1, date)
        for letter, date in zip("ABCDEFGH", dates, strict=False)
    ]
    library.catalogue.put_sources([(Source("/somewhere/mine.bib", "/somewhere/mine.bib"), entries)])
    yield library
    library.close()


@pytest.mark.parametrize("text", GREETINGS)
def test_a_greeting_gets_a_friendly_line_with_an_example_of_this_library(small: Library, text: str) -> None:
    draft = told(text, small)
    assert draft.text.startswith("Hello. ") and "6 papers" in draft.text
    assert any(f"What is “{paper.display_title}” about?" in draft.text for paper in small.papers())
    assert not draft.answered and not draft.citations and draft.reason is None


@pytest.mark.parametrize(("texts", "opening"), [(THANKS, "You are welcome."), (BYES, "Goodbye.")])
def test_thanks_and_goodbyes_are_returned(small: Library, texts: list[str], opening: str) -> None:
    assert [text for text in texts if not told(text, small).text.startswith(opening)] == []


@pytest.mark.parametrize(("texts", "tells"), [(HELP, guide), (CONTENTS, contents)])
def test_each_wording_is_taken_for_its_kind(small: Library, texts: list[str], tells: object) -> None:
    start = {guide: "This assistant answers", contents: "This library holds"}[tells]  # type: ignore[index]
    missed = [text for text in texts if (draft := asked(text, small)) is None or not draft.text.startswith(start)]
    assert len(missed) <= len(texts) // 4, missed


def test_help_says_what_it_does_and_gives_examples(small: Library) -> None:
    draft = told("what can I ask?", small)
    assert len(draft.text.splitlines()) == 3
    assert all(word in draft.text for word in ("6 papers", "quotes and cites", "no answer", "What is “", "newest papers"))
    assert asked("What is in the library?", small)


def test_the_examples_given_are_no_questions_of_the_library_itself(small: Library) -> None:
    assert all(asked(f"What is “{paper.display_title}” about?", small) is None for paper in small.papers())


def test_contents_tell_count_sources_dates_and_themes(mixed: Library) -> None:
    lines = told("what is in here?", mixed).text.splitlines()
    assert lines == [
        "This library holds 8 papers.",
        "- Sources: mine.bib (8).",
        "- Dates: 6 from 2021-11 to 2024-10-01; 1 without a year, which are not ordered against others; 1 without a date.",
        "- The whole list: `assistant papers`",
    ]


def test_starter_papers_are_marked_in_the_contents(tmp_path: Path) -> None:
    library = Library(tmp_path / "starter", ToyEmbedder())
    library.add_starter()
    text = contents(library).text
    library.close()
    assert "listing-0.txt (35, starter)" in text and SUMMARY_NOTE in text and "some papers stand in several" in text
    [themes] = [line for line in text.splitlines() if line.startswith("- Frequent in titles: ")]
    assert len(themes.split(", ")) == 8


def test_the_newest_papers_come_latest_first_each_cited_by_its_first_sentence(mixed: Library) -> None:
    draft = newest(mixed)
    listed = re.findall(r"^- Paper (\w) \((.+)\) \[(\d)\]$", draft.text, re.MULTILINE)
    assert listed == [
        ("A", "2024-10-01", "1"), ("B", "2024-10", "2"), ("C", "2024", "3"), ("E", "2023-05-06", "4"), ("F", "2022-01-02", "5")
    ]  # fmt: skip
    assert [citation.marker for citation in draft.citations] == [1, 2, 3, 4, 5]
    papers = mixed.papers([citation.paper_id for citation in draft.citations])
    for paper, citation in zip(papers, draft.citations, strict=True):
        assert citation.quote == paper.abstract[citation.start : citation.end] == f"{paper.title} studies nets."
    assert "1 without a year, which are not ordered against others; 1 without a date" in draft.text


def test_as_many_of_the_newest_are_listed_as_asked_for(mixed: Library) -> None:
    assert len(newest(mixed, 2).citations) == 2


def test_without_a_year_none_is_called_the_newest(tmp_path: Path) -> None:
    for library in holding(tmp_path / "yearless", ["--12-12", None]):
        draft = newest(library)
        assert not draft.answered and draft.reason and draft.reason in draft.text


@pytest.mark.parametrize("text", FOREIGN_QUESTIONS)
def test_another_language_is_declined_plainly(small: Library, text: str) -> None:
    draft = told(text, small)
    assert (draft.answered, draft.reason, draft.citations) == (False, FOREIGN, ())
    assert FOREIGN in draft.text and "ask again in English" in draft.text


@pytest.mark.parametrize("text", ABOUT_PAPERS)
def test_a_question_about_papers_is_not_taken_for_one_about_the_library(small: Library, text: str) -> None:
    assert asked(text, small) is None
    assert asked(text, small, first=False) is None


def test_what_may_be_about_the_answer_before_is_left_to_it(small: Library) -> None:
    assert [text for text in AFTER_A_TURN if asked(text, small, first=False) is not None] == []
    assert [text for text in AFTER_A_TURN if asked(text, small) is None] == []


@pytest.mark.parametrize("text", ["thanks", "help", "what is in this library?", "how many papers are there?"])
def test_what_cannot_be_about_the_answer_before_is_answered_after_it_too(small: Library, text: str) -> None:
    assert asked(text, small, first=False) is not None


@pytest.mark.long
def test_no_training_question_is_taken(small: Library) -> None:
    assert caught("train/training.jsonl", small) == []


def test_of_the_fixed_questions_only_the_one_that_asks_for_help_is_taken(small: Library) -> None:
    assert caught("questions.jsonl", small) == ["hi! what can you do?"]


def caught(file: str, library: Library) -> list[str]:
    """The questions of a file, earlier turns included, that are not taken for questions about papers."""
    records = [json.loads(line) for line in (ROOT / "eval" / file).read_text().splitlines()]
    texts = [text for record in records for text in (record["question"], *record.get("history", ()))]
    assert len(texts) > 300
    return [text for text in texts if is_foreign(text) or asked(text, library) is not None]


@pytest.mark.parametrize("word", ["bye", "hi there", "ok", "thanks", "now", "very good", "please", "the papers", "aa"])
def test_a_long_odd_text_is_seen_through_at_once(small: Library, word: str) -> None:
    started = time.process_time()
    assert asked(f"{' '.join([word] * 400)} x"[-4000:], small) is None
    assert time.process_time() - started < 1
