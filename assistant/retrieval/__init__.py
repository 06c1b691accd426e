"""Finding papers for a question."""

from assistant.retrieval.feedback import by_feedback
from assistant.retrieval.fusion import PaperHit, Weights
from assistant.retrieval.meeting import by_meeting, meet
from assistant.retrieval.retriever import Found, retrieve

__all__ = ["Found", "PaperHit", "Weights", "by_feedback", "by_meeting", "meet", "retrieve"]
