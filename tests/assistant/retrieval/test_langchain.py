"""The retriever in LangChain's hands."""

from __future__ import annotations

import pytest

from assistant import Assistant

pytest.importorskip("langchain_core", reason="the extra langchain is not installed")

from langchain_core.runnables import RunnableLambda

from assistant.retrieval.langchain import PaperRetriever


def test_a_chain_gets_what_the_assistant_finds(starter: Assistant) -> None:
    titles = RunnableLambda(lambda documents: [document.metadata["title"] for document in documents])
    chain = PaperRetriever(library=starter.library, k=4) | titles
    found = starter.search("kv cache compression", k=4)
    assert chain.invoke("kv cache compression") == [paper.title for paper in found] and len(found) == 4


def test_a_document_holds_the_abstract_and_where_it_is_from(starter: Assistant) -> None:
    [document] = PaperRetriever(library=starter.library, k=1).invoke("kv cache compression")
    [paper] = starter.library.papers([document.id])
    assert document.page_content == f"{paper.display_title}\n{paper.abstract}" and document.metadata["score"] > 0
