"""The retriever in LlamaIndex's hands."""

from __future__ import annotations

from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import MetadataMode

from assistant import Assistant
from assistant.llms.scripted import ScriptedLLM
from assistant.retrieval.llama import PaperRetriever
from index import Library
from tests.assistant.conftest import TIDECACHE


def test_a_query_engine_in_three_lines_answers_from_our_papers(toy_library: Library) -> None:
    llm = ScriptedLLM(replies=["By reuse of prefixes."])
    engine = RetrieverQueryEngine.from_args(PaperRetriever(toy_library, k=3), llm=llm)
    response = engine.query(TIDECACHE)
    assert str(response) == "By reuse of prefixes."
    assert response.source_nodes[0].metadata["title"].startswith("TideCache")
    assert len(response.source_nodes) == 3
    assert "radix tree" in llm.prompts[0]


def test_it_finds_what_the_assistant_finds(starter: Assistant) -> None:
    nodes = PaperRetriever(starter.library, k=10).retrieve("kv cache compression")
    found = starter.search("kv cache compression", k=10)
    assert [node.node_id for node in nodes] == [paper.paper_id for paper in found]
    assert [round(node.score or 0, 4) for node in nodes] == [paper.score for paper in found]


def test_a_node_shows_an_llm_the_title_and_the_abstract_only(toy_library: Library) -> None:
    [node] = PaperRetriever(toy_library, k=1).retrieve(TIDECACHE)
    [paper] = toy_library.papers([node.node_id])
    shown = node.node.get_content(MetadataMode.LLM)
    assert paper.abstract in shown and paper.display_title in shown
    assert paper.paper_id not in shown
