"""The contract of a reranker, hits put in its order, and from what a user gives to a reranker.

Goes in: a question, the hits of a search, and the papers of the first of them. Comes out: the same
hits in another order. Knows nothing of models, and nothing of how the hits were found.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from assistant.errors import AssistantError, RerankerError
from assistant.retrieval.fusion import PaperHit
from index import Paper

if TYPE_CHECKING:
    from llama_index.core.postprocessor.types import BaseNodePostprocessor
_LONGEST_REASON = 160


class Reranker(Protocol):
    """Says how well papers fit a question. Safe to call from several threads."""

    name: str
    """For people."""

    def scores(self, question: str, papers: Sequence[Paper]) -> list[float]:
        """One number for each paper, in their order; higher is better, and they compare within one question only."""
        ...


def rerank(reranker: Reranker, question: str, hits: Sequence[PaperHit], papers: Sequence[Paper]) -> list[PaperHit]:
    """The hits whose papers are given, best first as the reranker sees them; the others after them, as they were.

    Equals keep their order. The hits themselves stay what they are, fused score and all, so scores
    need no longer fall from one hit to the next. Raises `RerankerError`, whatever the reranker raised.
    """
    given = {paper.paper_id: paper for paper in papers}
    seen = [hit for hit in hits if hit.paper_id in given]
    rest = [hit for hit in hits if hit.paper_id not in given]
    scores = _scores(reranker, question, [given[hit.paper_id] for hit in seen]) if seen else []
    best_first = sorted(range(len(seen)), key=lambda place: -scores[place])
    return [*(seen[place] for place in best_first), *rest]


def passage(paper: Paper) -> str:
    """A paper as rerankers read it: title and abstract, both repaired."""
    return f"{paper.display_title}. {paper.abstract}"


def reason(error: BaseException) -> str:
    """An error's first line, or its class where it says nothing."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"


def _scores(reranker: Reranker, question: str, papers: Sequence[Paper]) -> list[float]:
    """The reranker's scores, found to be one number for each paper."""
    try:
        scores = [float(score) for score in reranker.scores(question, papers)]
    except AssistantError:
        raise
    except Exception as error:  # rerankers raise what they like; it is translated here, at the edge
        raise RerankerError(f"the reranker {reranker.name} failed ({reason(error)}): mend it, or ask without a reranker") from error
    if len(scores) != len(papers) or any(map(math.isnan, scores)):
        raise RerankerError(
            f"the reranker {reranker.name} did not give one number for each of {len(papers)} papers: use another, or ask without"
        )
    return scores


def load_reranker(spec: str | object | None) -> Reranker | None:
    """The reranker of a cross-encoder's folder or hub name, of a LlamaIndex postprocessor, or a `Reranker` itself.

    None for None and the empty text. Raises `RerankerError`. No model is loaded yet.
    """
    if spec is None or (isinstance(spec, str) and not spec.strip()):
        return None
    from assistant.retrieval.cross_encoder import CrossEncoderReranker  # these know this module
    from assistant.retrieval.postprocessor import PostprocessorReranker

    if isinstance(spec, (str, os.PathLike)):
        return CrossEncoderReranker(spec)
    if _has(spec, "postprocess_nodes"):
        return PostprocessorReranker(cast("BaseNodePostprocessor", spec))
    if _has(spec, "scores"):
        return cast(Reranker, spec)
    told = f"the class {spec.__name__}" if isinstance(spec, type) else f"an object of class {type(spec).__name__}"
    raise RerankerError(f"{told} is no reranker: give a cross-encoder's folder or hub name, a LlamaIndex postprocessor, or a Reranker")


def _has(spec: object, method: str) -> bool:
    """Whether it is an object, not a class, with this method."""
    return not isinstance(spec, type) and callable(getattr(spec, method, None))
