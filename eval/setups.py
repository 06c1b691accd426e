"""What is measured side by side: ways of searching, and what writes the answers.

The verdict, which decides what is declined, was fitted to the hybrid's scores. With one retriever
alone they stand on another scale, so there compare what was found (hit@1, recall, nDCG) first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant import Assistant
from assistant.llms import EXTRACTIVE
from assistant.retrieval import Weights

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

_HYBRID = Weights()
_NEAR = _HYBRID.chunk + _HYBRID.sentence
_ALL = _NEAR + _HYBRID.coverage

RETRIEVERS: dict[str, Weights] = {
    "hybrid": _HYBRID,
    "dense": Weights(_HYBRID.chunk * _ALL / _NEAR, _HYBRID.sentence * _ALL / _NEAR, 0.0),
    "lexical": Weights(0.0, 0.0, _ALL),
}
"""The product's search, and what it comes to by meaning alone and by words alone; their weights sum to the same."""
ALL = "all"


@dataclass(frozen=True)
class Setup:
    """One of the runs of a command."""

    retriever: str
    """A key of `RETRIEVERS`."""
    llm: str | LLM
    """What writes the answers."""

    def of(self, assistant: Assistant) -> Assistant:
        """The assistant in this set-up. Raises `UnknownLLMError` or `MissingExtraError`."""
        return assistant.varied(self.llm, RETRIEVERS[self.retriever])

    @property
    def name(self) -> str:
        """What tells it from the others."""
        llm = self.llm if isinstance(self.llm, str) else self.llm.metadata.model_name
        return f"{self.retriever}, {llm}"


def setups(retriever: str, llms: Sequence[str | LLM]) -> list[Setup]:
    """Each LLM with each retriever wanted; answering without an LLM always stands beside them, last."""
    retrievers = list(RETRIEVERS) if retriever == ALL else [retriever]
    writers = [*llms, *([] if EXTRACTIVE in llms else [EXTRACTIVE])]
    return [Setup(one, llm) for llm in writers for one in retrievers]
