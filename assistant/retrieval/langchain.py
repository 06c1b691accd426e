"""The retriever as LangChain's users want it: a `BaseRetriever` over a library. Needs the extra `langchain`."""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from assistant.retrieval.maxsim import ranked
from index import Library, link


class PaperRetriever(BaseRetriever):
    """Whole abstracts, one document for each paper, best first.

    The document's text is title and abstract; its metadata holds `paper_id`, `title`, `date`, `url` and the fused `score`.
    """

    library: Library
    k: int = 5
    """How many papers."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [
            Document(
                id=paper.paper_id,
                page_content=f"{paper.display_title}\n{paper.abstract}",
                metadata={"paper_id": paper.paper_id, "title": paper.title, "date": paper.date, "url": link(paper), "score": score},
            )
            for paper, score in ranked(self.library, query, self.k)
        ]
