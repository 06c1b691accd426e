"""The stages of an answer: what each is given, and that each can be replaced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from assistant import Assistant
from assistant.generation.base import Draft, Request
from assistant.llms.scripted import ScriptedLLM
from assistant.retrieval.retriever import RetrievalResult, retrieve
from assistant.verification import Support, Text
from index import Library
from index.embedding import ToyEmbedder
from tests.assistant.conftest import TIDECACHE
from tests.conftest import ROOT


class _Believer:
    """Bears every sentence out, and notes what it is asked."""

    fault = ""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def check(self, sentence: str, papers: Sequence[Text], least: float) -> Support:
        self.asked.append(sentence)
        return Support(1.0, (True,) * len(papers))

    def best(self, sentence: str, papers: Sequence[Text], least: float) -> int | None:
        return 0

    def contradicting(self, sentence: str, papers: Sequence[Text], lacked: float) -> int | None:
        return None

    def is_near(self, sentence: str, papers: Sequence[Text]) -> bool:
        return True


def test_a_retriever_of_ones_own_decides_what_is_found(toy_library: Library) -> None:
    def last_three(library: Library, *how: Any) -> RetrievalResult:
        found = retrieve(library, *how)
        return replace(found, hits=found.hits[-3:])

    ours = Assistant(toy_library.home, library=toy_library).search(TIDECACHE, 50)
    theirs = Assistant(toy_library.home, library=toy_library, retriever=last_three).search(TIDECACHE, 50)
    assert len(ours) > 3 and len(theirs) == 3
    assert {paper.paper_id for paper in theirs} < {paper.paper_id for paper in ours}


def test_a_generator_of_ones_own_writes_the_answer(toy_library: Library) -> None:
    given: list[Request] = []

    def short(request: Request, either: bool) -> Draft:
        given.append(request)
        return Draft("Read the paper.", ())

    answer = Assistant(toy_library.home, library=toy_library, generator=short).answer(TIDECACHE)
    assert (answer.text, answer.answered, answer.citations) == ("Read the paper.", True, ())
    assert given[0].question.text == TIDECACHE and "TideCache" in given[0].sources[0].paper.title


def test_a_verifier_of_ones_own_judges_an_llms_sentences(toy_library: Library) -> None:
    verifier = _Believer()
    llm = ScriptedLLM(replies=["Otters juggle seventeen lanterns [1]."])
    believed = Assistant(toy_library.home, llm, library=toy_library, verifier=verifier).answer(TIDECACHE)
    assert any("Otters juggle" in sentence for sentence in verifier.asked)
    assert believed.text.startswith("Otters juggle seventeen lanterns") and believed.citations[0].supported
    assert "Otters" not in Assistant(toy_library.home, llm, library=toy_library).answer(TIDECACHE).text


def test_the_pages_example_runs_as_written(toy_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    toy_library.close()
    monkeypatch.setenv("ASSISTANT_HOME", str(toy_library.home))
    monkeypatch.setattr("assistant.pipeline.open_library", lambda home, *_: Library(toy_library.home, ToyEmbedder()))
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL)
    (code,) = (block for block in blocks if "retriever=" in block)
    names: dict[str, Any] = {}
    exec(compile(code, "python.md", "exec"), names)
    assert names["given"].answered and len(names["given"].citations) == 1
