"""What is measured side by side: ways of searching, and what writes the answers.

The verdict, which decides what is declined, was fitted to the hybrid's scores. With one retriever
alone they stand on another scale, so there compare what was found (hit@1, recall, nDCG) first.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant import Assistant
from assistant.llms import EXTRACTIVE
from assistant.retrieval.fusion import Weights
from eval.errors import EvalError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM


_HYBRID = Weights()
_ALL = _HYBRID.chunk + _HYBRID.lexical

RETRIEVERS: dict[str, Weights] = {
    "hybrid": _HYBRID,
    "dense": Weights(_ALL, 0.0, 0.0),
    "lexical": Weights(0.0, _ALL, 0.0),
}
"""The product's search, and what it comes to by meaning alone and by words alone: neither is ranked by maxsim."""
ALL = "all"


@dataclass(frozen=True)
class Configuration:
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


def retrievers(named: str) -> list[str]:
    """The one that is named, or all of them. Raises `EvalError` for an unknown name."""
    known = [*RETRIEVERS, ALL]
    if named not in known:
        near = difflib.get_close_matches(named, known, n=1)
        raise EvalError(f"unknown retriever “{named}”: {f'did you mean {near[0]}? ' if near else ''}known: {', '.join(known)}")
    return list(RETRIEVERS) if named == ALL else [named]


def configurations(retriever: str, llms: Sequence[str | LLM]) -> list[Configuration]:
    """Each LLM with each retriever wanted; answering without an LLM always stands beside them, last. Raises `EvalError`."""
    writers = [*llms, *([] if EXTRACTIVE in llms else [EXTRACTIVE])]
    return [Configuration(one, llm) for llm in writers for one in retrievers(retriever)]
