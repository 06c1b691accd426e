"""Finding papers for a question."""

from assistant.retrieval.feedback import by_feedback
from assistant.retrieval.fusion import PaperHit, Weights
from assistant.retrieval.matched import matched
from assistant.retrieval.maxsim import by_maxsim
from assistant.retrieval.retriever import Found, retrieve

__all__ = ["Found", "PaperHit", "Weights", "by_feedback", "by_maxsim", "matched", "retrieve"]
